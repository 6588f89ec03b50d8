"""What a schedule does with a landing folder: see which streams have files, bring one of them into the lake.

What it cannot tell you: that nothing is missing. A stream that dropped no file is not waiting, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.streams import FAMILIES, LAYOUTS
from contrechamp.pipelines.ingest import ingest
from contrechamp.pipelines.keys import ring_of


def waiting(landing: Path, family: str) -> list[str]:
    """Streams of a family that have a file in the landing folder, in the order of the register.

    Raises
    ------
    ParameterError
        If there is no such family.
    """
    if family not in FAMILIES:
        raise ParameterError(f"No family of streams is named {family!r}. The families are {', '.join(FAMILIES)}.")
    return [
        key
        for key, layout in LAYOUTS.items()
        if layout.family == family
        and (landing / key).is_dir()
        and any(not p.name.startswith(".") for p in (landing / key).iterdir())
    ]


def ingest_stream(landing: Path, stream: str, *, lake: str | Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Bring the files of one stream into the lake; those taken in before are recognised.

    Parameters
    ----------
    landing : Path
    stream : str
    lake : str or Path
    environment : mapping of str to str
        Names the pseudonymisation keys (:func:`contrechamp.pipelines.keys.ring_of`).

    Returns
    -------
    dict
        Plain, for the lineage: ``rows_in``, ``committed``, ``quarantined``, ``duplicates``, ``reasons``, ``version`` of
        the table, ``files`` (name → SHA-256) that were read this time, and ``changed``.
    """
    report = ingest(landing / stream, lake=lake, key=ring_of(environment), stream=stream)
    return {
        "stream": stream,
        "rows_in": report.rows_in,
        "committed": report.committed,
        "quarantined": report.quarantined,
        "duplicates": report.duplicates,
        "reasons": report.reasons,
        "version": report.versions[stream],
        "files": {f.source_file: f.sha256 for f in report.files if not f.already},
        "changed": report.committed > 0,
    }
