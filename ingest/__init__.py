"""Stream contracts: parse, validate, quarantine, deduplicate, pseudonymise, frame.

Bytes and frames in, frames out; no disk. :data:`STREAMS` lists the streams that have a contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ingest.contracts import StreamSpec

#: Stream → its description. Keys are folder names under a landing area and table names in the lake.
STREAMS: Final[Mapping[str, str]] = {
    "mains_courantes": "ingest.contracts:MAINS_COURANTES",
    "verbalisations": "ingest.contracts:VERBALISATIONS",
}


def load_stream(stream: str) -> StreamSpec:
    """Return the description of a stream.

    Raises
    ------
    ContractError
        If no contract is known under that name.
    """
    from contrechamp.domain.errors import ContractError

    if stream not in STREAMS:
        raise ContractError(
            f"No contract is known for a stream named {stream!r}. The known streams are {', '.join(STREAMS)}. "
            "Name the folder after one of them, or give the stream of a single file."
        )
    module, _, name = STREAMS[stream].partition(":")
    spec: StreamSpec = getattr(import_module(module), name)
    return spec
