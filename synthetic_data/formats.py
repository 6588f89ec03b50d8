"""Columns of a stream as the bytes of its files: JSON lines, CSV, GeoJSON, Parquet.

Rows are written column by column and joined, so a million of them take seconds; only spoilt rows are made one by one.
The same columns always give the same bytes.

What it cannot tell you: what else a real export would do to the same rows (other quotes, other dates, other encodings).
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contrechamp.domain.streams import Kind, StreamLayout
from synthetic_data.faults import Columns, IntArray, degrees, put
from synthetic_data.scenario import LOCAL_TZ

#: Endings of the files, as they lie in the landing area. What ends in ``.gz`` is still to be compressed.
ENDINGS: Final = {"jsonl": "jsonl.gz", "csv": "csv.gz", "geojson": "geojson", "parquet": "parquet"}
TYPES: Final[dict[Kind, Any]] = {
    "text": pa.string(), "time": pa.timestamp("us", tz="UTC"), "number": pa.float64(), "integer": pa.int64(),
    "flag": pa.bool_(),
}  # fmt: skip
_TEXT: Final = pa.large_string()
_CONTROL: Final = r"[\x00-\x1f]"


def columns_of(layout: StreamLayout, rows: pd.DataFrame) -> Columns:
    """Typed columns of clean rows by raw name, the point both in degrees (``lon``, ``lat``) and in metres.

    Raises
    ------
    ValueError
        If a field of the layout has no column, or one of another type.
    """
    wanted = [f.raw for f in layout.fields if f.raw not in ("lon", "lat")] + ["x_m", "y_m"] * layout.has_point
    if lacking := sorted(set(wanted) - set(rows.columns)):
        raise ValueError(f"rows of {layout.key} lack {', '.join(lacking)}")
    out: Columns = {}
    if layout.has_point:
        x_m, y_m = (rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("x_m", "y_m"))
        for name, values in zip(("lon", "lat", "x_m", "y_m"), (*degrees(x_m, y_m), x_m, y_m), strict=True):
            out[name] = pa.array(values, from_pandas=True)
    for f in layout.fields:
        if f.raw not in out:
            out[f.raw] = _typed(rows[f.raw], f.kind)
    return out


def _typed(values: pd.Series, kind: Kind) -> Any:
    if kind == "time":
        at = pd.DatetimeIndex(values).as_unit("us")
        return pa.array(at.asi8, mask=at.isna()).cast(TYPES[kind])
    return _whole(pa.array(values, from_pandas=True)).cast(TYPES[kind])


def _whole(column: Any) -> Any:
    """Column in one piece: pyarrow cuts texts that come from numpy or pandas into pieces of 64 MiB."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def iso(times: Any) -> Any:
    """Instants as ISO 8601 to the second with the offset of Europe/Paris."""
    known = pc.fill_null(times, pa.scalar(0, times.type))
    utc = pd.DatetimeIndex(known.cast(pa.int64()).to_numpy(zero_copy_only=False).view("datetime64[us]"))
    local = utc.tz_localize("UTC").tz_convert(LOCAL_TZ).tz_localize(None)
    minutes = np.round((local.as_unit("us").asi8 - utc.asi8) / 6e7).astype(np.int64)
    offsets = {int(m): f"{'-' if m < 0 else '+'}{abs(m) // 60:02d}:{abs(m) % 60:02d}" for m in np.unique(minutes)}
    stamps = _whole(pa.array(np.datetime_as_string(local.to_numpy().astype("datetime64[s]"))))
    offset = pa.array(pd.Series(minutes).map(offsets).to_numpy(dtype=object), pa.string())
    shown = pc.binary_join_element_wise(stamps, offset, "")
    return pc.if_else(times.is_valid(), shown, pa.scalar(None, pa.string()))


def with_texts_for_times(layout: StreamLayout, columns: Columns) -> Columns:
    """Columns with every time in its text form."""
    return columns | {f.raw: iso(columns[f.raw]) for f in layout.fields if f.kind == "time"}


@dataclass(frozen=True, eq=False)
class TextRows:
    """Rows of a text format, one line each.

    Attributes
    ----------
    layout : StreamLayout
    parts : tuple of (str, pyarrow.Array)
        Written fields by raw name, in file order; the key included in JSON.
    point : pyarrow.Array, optional
        Geometry of each row of GeoJSON.
    lines : pyarrow.Array
    """

    layout: StreamLayout
    parts: tuple[tuple[str, Any], ...]
    point: Any
    lines: Any

    @classmethod
    def write(cls, layout: StreamLayout, columns: Columns) -> TextRows:
        """Write every row; times are texts already."""
        fields = [f for f in layout.fields if layout.format != "geojson" or f.raw not in ("lon", "lat")]
        if layout.format == "csv":
            parts = tuple((f.raw, _csv(columns[f.raw])) for f in fields)
        else:
            parts = tuple((f.raw, _join(f'"{f.raw}":', _json(columns[f.raw]))) for f in fields)
        point = _geometry(columns["lon"], columns["lat"]) if layout.format == "geojson" else None
        return cls(layout, parts, point, _rows(layout, [part for _, part in parts], point))

    def without_key(self, at: int, name: str) -> str:
        """Line ``at`` with a field left out altogether (a CSV field or a point cannot be: it is empty)."""
        if self.layout.format == "csv":
            return str(self.lines[at])
        parts = [part.slice(at, 1) for raw, part in self.parts if raw != name]
        return str(_rows(self.layout, parts, None if self.point is None else self.point.slice(at, 1))[0])

    def broken(self, at: int, *, cut: float) -> str:
        """Line ``at`` made unreadable, ``cut`` in (0, 1) saying where.

        A JSON line stops there; a CSV line has too few fields, or one too many; a feature of GeoJSON, whose file must
        stay readable for the others, has something else than a point.
        """
        line = str(self.lines[at])
        if self.layout.format == "jsonl":
            return line[: max(1, int(cut * len(line)))]
        if self.layout.format == "csv":
            return f"{line};?" if cut < 0.5 else ";".join(str(part[at]) for _, part in self.parts[:-2])
        return line.replace('"type":"Point"', '"type":"LineString"', 1)


def text_files(layout: StreamLayout, lines: Any, edges: IntArray) -> list[bytes]:
    """Cut lines into files: those between each pair of consecutive ``edges``."""
    if layout.format == "geojson":
        texts = [",\n".join(lines.slice(a, b - a).to_pylist()) for a, b in pairwise(edges.tolist())]
        return [f'{{"type":"FeatureCollection","features":[\n{text}\n]}}\n'.encode() for text in texts]
    head = (";".join(layout.raw_names) + "\n").encode() if layout.format == "csv" else b""
    ended = _join(lines, "\n")
    _, offsets, data = ended.buffers()
    at = np.frombuffer(offsets, dtype=np.int64)[ended.offset : ended.offset + len(ended) + 1] if len(ended) else [0]
    body = memoryview(data) if data is not None else b""
    return [head + bytes(body[at[a] : at[b]]) for a, b in pairwise(edges.tolist())]


def parquet_files(layout: StreamLayout, columns: Columns, edges: IntArray) -> list[bytes]:
    """Cut columns into Parquet files."""
    schema = pa.schema([(f.raw, TYPES[f.kind]) for f in layout.fields])
    table = pa.table([columns[f.raw] for f in layout.fields], schema=schema)
    out = []
    for a, b in pairwise(edges.tolist()):
        sink = io.BytesIO()
        pq.write_table(table.slice(a, b - a), sink, compression="zstd", store_schema=False)
        out.append(sink.getvalue())
    return out


def _rows(layout: StreamLayout, parts: Sequence[Any], point: Any) -> Any:
    row = pc.binary_join_element_wise(*parts, pa.scalar(";" if layout.format == "csv" else ",", _TEXT))
    if layout.format == "csv":
        return row
    return (
        _join("{", row, "}")
        if point is None
        else _join('{"type":"Feature","geometry":', point, ',"properties":{', row, "}}")
    )


def _join(*parts: Any) -> Any:
    texts = [pa.scalar(part, _TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar("", _TEXT))


def _json(column: Any) -> Any:
    """Each value as JSON."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return pc.fill_null(column.cast(_TEXT), "null")
    text = column.cast(_TEXT)
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = pc.replace_substring(text, plain, escaped)
    odd = np.flatnonzero(pc.fill_null(pc.match_substring_regex(text, _CONTROL), False).to_numpy(zero_copy_only=False))
    quoted = _join('"', text, '"')
    return pc.fill_null(
        put(quoted, odd, [json.dumps(column[i].as_py(), ensure_ascii=False) for i in odd.tolist()]), "null"
    )


def _csv(column: Any) -> Any:
    """Each value as a CSV field, in quotes where it holds a separator or a quote; nothing for a missing one."""
    text = pc.fill_null(column.cast(_TEXT), "")
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return text
    special = pc.match_substring_regex(text, '[;"]')
    return pc.if_else(special, _join('"', pc.replace_substring(text, '"', '""'), '"'), text)


def _geometry(lon: Any, lat: Any) -> Any:
    made = _join('{"type":"Point","coordinates":[', lon.cast(_TEXT), ",", lat.cast(_TEXT), "]}")
    return pc.fill_null(made, "null")
