"""What a reader of files hands over, and how much of a file it lets in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from contrechamp.domain.columns import RAW, SOURCE_ROW
from ingest.contracts import StreamSpec
from ingest.quarantine import Reject

#: A file that can be read from its start as often as needed, in blocks of bytes.
Source = Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is let in.

    Attributes
    ----------
    max_line_bytes : int
        A longer line is quarantined.
    max_inflated_bytes : int
        An archive that inflates beyond is quarantined whole.
    max_ratio : float
        Inflated over compressed bytes, beyond which (and beyond 64 MiB) an archive is quarantined whole.
        A log of text inflates 5 to 30 times.
    chunk_rows, chunk_bytes : int
        Rows, and bytes of rows, handed over at a time: whichever is reached first.
    max_whole_bytes : int
        A file of a format that must be held whole (GeoJSON, parquet) is quarantined whole beyond.
    max_group_bytes : int
        Uncompressed size of a row group, beyond which a parquet file is quarantined whole.
    """

    max_line_bytes: int = 1 << 20
    max_inflated_bytes: int = 8 << 30
    max_ratio: float = 200.0
    chunk_rows: int = 50_000
    chunk_bytes: int = 64 << 20
    max_whole_bytes: int = 256 << 20
    max_group_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file.

    Attributes
    ----------
    rows : pandas.DataFrame
        Rows that could be read: ``source_row``, ``raw`` (bytes) and one object column per field of the stream.
    rejects : list of Reject
        Rows that could not.
    rows_in : int
        Rows seen, counted apart from the others.
    typed : pandas.DataFrame or None
        Rows whose values already have their types: ``source_row``, ``raw`` and the columns of
        :func:`ingest.contracts.decode`.
    """

    rows: pd.DataFrame
    rejects: list[Reject]
    rows_in: int
    typed: pd.DataFrame | None = None

    @property
    def n_readable(self) -> int:
        """Rows that could be read."""
        return len(self.rows) + (0 if self.typed is None else len(self.typed))


def rows_frame(
    numbers: list[int],
    raws: list[bytes],
    spec: StreamSpec,
    columns: dict[str, list[Any]],
    carried: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Lay rows out: number, bytes, one object column per field, and constant columns."""
    data: dict[str, Any] = {SOURCE_ROW: pd.array(numbers, dtype="int64"), RAW: pd.Series(raws, dtype=object)}
    for name in spec.fields:
        data[name] = pd.Series(columns.get(name, []), dtype=object)
    for name, value in (carried or {}).items():
        data[name] = pd.array([value] * len(numbers), dtype="str")
    return pd.DataFrame(data)


def safe(text: str) -> str:
    """Show as text that any table can hold what may have half characters and NUL in it."""
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8").replace("\x00", "\\x00")
