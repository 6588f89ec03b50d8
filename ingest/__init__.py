"""Stream contracts: parse, validate, quarantine, deduplicate, pseudonymise, frame.

Bytes and frames in, frames out; no disk. :data:`STREAMS` lists the streams that have a contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from contrechamp.domain.streams import LAYOUTS

if TYPE_CHECKING:
    from ingest.contracts import StreamSpec
    from ingest.mapping import TableMapping

#: Stream → where it is described. Keys are folder names under a landing area and table names in the lake.
STREAMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(LAYOUTS, "ingest.contracts:SPECS"),
    "incidents": "ingest.incidents:INCIDENTS",
}

#: Published incident table → how it is read into the stream ``incidents``. A key never changes meaning.
FORMATS: Final[Mapping[str, str]] = {
    "police-uk": "ingest.published:POLICE_UK",
    "chicago": "ingest.published:CHICAGO",
    "nij-2017": "ingest.published:NIJ_2017",
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
    found = getattr(import_module(module), name)
    spec: StreamSpec = found[stream] if isinstance(found, Mapping) else found
    return spec


def load_format(name: str) -> TableMapping:
    """Return the mapping of a well-known published table.

    Raises
    ------
    ParameterError
        If there is none under that name.
    """
    from contrechamp.domain.errors import ParameterError

    if name not in FORMATS:
        raise ParameterError(
            f"No published table is known as {name!r}. The known ones are {', '.join(FORMATS)}. "
            "For any other, write a mapping file and give it with --mapping."
        )
    module, _, constant = FORMATS[name].partition(":")
    mapping: TableMapping = getattr(import_module(module), constant)
    return mapping
