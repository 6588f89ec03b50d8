"""Typed columns of the ordinary lines of a block of a file, and the list of the others.

What it cannot tell you: see :mod:`ingest.scan`, which does the reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from contrechamp.domain.columns import RAW, SOURCE_ROW
from ingest.contracts import StreamSpec
from ingest.texts import as_series

_NEWLINE: Final = 10
_RETURN: Final = 13
#: More fields than this do not fit the set of those seen.
_MOST_FIELDS: Final = 62

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scanned:
    """Lines of a block.

    Attributes
    ----------
    typed : pandas.DataFrame
        Ordinary lines: ``source_row``, ``raw`` and the columns of :func:`ingest.contracts.decode`.
    others : list of (int, bytes)
        Number and bytes of the lines left to the careful reader, blank ones among them.
    n_lines : int
    """

    typed: pd.DataFrame
    others: list[tuple[int, bytes]]
    n_lines: int


def can_scan(spec: StreamSpec) -> bool:
    """Whether the lines of a stream have ordinary forms at all."""
    plain = all(f.raw.isascii() and not set(f.raw) & set('"\\') for f in spec.described)
    return spec.format in ("jsonl", "csv") and plain and len(spec.described) <= _MOST_FIELDS


def scan(block: bytes, start: int, stop: int, spec: StreamSpec, *, first: int, max_line_bytes: int) -> Scanned:
    """Read the whole lines of ``block`` between two positions.

    Parameters
    ----------
    block : bytes
    start, stop : int
        Where a line begins, and where one has ended, or the file has.
    spec : StreamSpec
        A CSV file has its columns in the order of the fields.
    first : int
        Number of its first line.
    max_line_bytes : int
        A longer line is not ordinary.
    """
    from ingest import scan as loops

    buf = np.frombuffer(block, dtype=np.uint8, count=stop)
    ends = start + np.flatnonzero(buf[start:] == _NEWLINE)
    if not len(ends) or ends[-1] != stop - 1:
        ends = np.append(ends, stop)
    starts = np.empty_like(ends)
    starts[0], starts[1:] = start, ends[:-1] + 1
    stops = ends - ((ends > starts) & (buf[np.maximum(ends - 1, 0)] == _RETURN))
    n, n_fields = len(starts), len(spec.described)
    kinds = np.array([loops.KINDS[f.kind] for f in spec.described], dtype=np.int64)
    begin, close = np.full((n_fields, n), -1, dtype=np.int64), np.full((n_fields, n), -1, dtype=np.int64)
    real, whole = np.empty((n_fields, n)), np.empty((n_fields, n), dtype=np.int64)
    ordinary = np.zeros(n, dtype=np.bool_)
    if spec.format == "jsonl":
        sizes = [len(name) for name in spec.fields]
        keys = np.frombuffer("".join(spec.fields).encode(), dtype=np.uint8)
        key_at = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        loops.scan_json(buf, starts, stops, keys, key_at, kinds, begin, close, real, whole, ordinary)
    else:
        loops.scan_csv(buf, starts, stops, ord(spec.delimiter), kinds, begin, close, real, whole, ordinary)
    ordinary &= ends - starts <= max_line_bytes
    typed = _columns(block, buf, spec, ordinary, starts, stops, begin, close, real, whole, first)
    odd = np.flatnonzero(~ordinary)
    places = zip((first + odd).tolist(), starts[odd].tolist(), ends[odd].tolist(), strict=True)
    return Scanned(typed, [(number, block[a:b]) for number, a, b in places], n)


def _columns(
    block: bytes,
    buf: Any,
    spec: StreamSpec,
    ordinary: Any,
    starts: IntArray,
    stops: IntArray,
    begin: IntArray,
    close: IntArray,
    real: Any,
    whole: IntArray,
    first: int,
) -> pd.DataFrame:
    from ingest import scan as loops

    rows = np.flatnonzero(ordinary)
    n = len(rows)
    raws = np.empty(n, dtype=object)
    raws[:] = [block[a:b] for a, b in zip(starts[rows].tolist(), stops[rows].tolist(), strict=True)]
    out: dict[str, Any] = {SOURCE_ROW: first + rows, RAW: raws}
    for at, f in enumerate(spec.described):
        here = begin[at, rows] >= 0
        if f.kind == "text":
            offsets = np.empty(n + 1, dtype=np.int64)
            data = loops.gather(buf, begin[at, rows], close[at, rows], offsets)
            mask = None if here.all() else pa.py_buffer(np.packbits(here, bitorder="little"))
            out[f.name] = as_series(
                pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data), mask)
            )
        elif f.kind == "number":
            out[f.name] = np.where(here, real[at, rows], np.nan)
        elif f.kind == "integer":
            out[f.name] = pd.arrays.IntegerArray(np.where(here, whole[at, rows], 0), ~here)
        elif f.kind == "flag":
            out[f.name] = pd.arrays.BooleanArray(here & (whole[at, rows] == 1), ~here)
        else:
            stamps = np.where(here, whole[at, rows], np.iinfo(np.int64).min).view("datetime64[us]")
            out[f.name] = pd.Series(stamps).dt.tz_localize("UTC")
            out[f"{f.name}_state"] = np.where(here, 0, 1).astype(np.int8)
    out["wrong_type"] = np.zeros(n, dtype=np.bool_)
    return pd.DataFrame(out)
