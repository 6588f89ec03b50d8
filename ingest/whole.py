"""Files that only make sense whole: GeoJSON collections of points, parquet tables.

A row of a GeoJSON file is one feature, a row of a parquet file one row of the table, both numbered from 1. The bytes of
a feature are those of the file; a row of a parquet file has none of its own, so that it is written out as one JSON
object in the order of the contract, times in UTC: the same row gives the same bytes whatever the writer of the file.

What it cannot tell you: what stood after the point where a GeoJSON file stops being JSON. That rest is one row.

Notes
-----
Both are held in memory (``Limits.max_whole_bytes``), and a row group of a parquet file too
(``Limits.max_group_bytes``, looked at before it is unpacked).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contrechamp.domain.columns import RAW, SOURCE_ROW
from contrechamp.domain.streams import Field
from ingest.chunks import Chunk, Limits, rows_frame, safe
from ingest.contracts import StreamSpec, as_times
from ingest.quarantine import Reason, Reject, reject
from ingest.texts import as_series

#: Why a whole file is set aside, and what was seen.
Refusal = tuple[Reason, str]

_POINT: Final = ("lon", "lat")
_SPACE: Final = re.compile(r"[ \t\r\n]*")
#: Plain members that may come after the features, and the end of the collection.
_ENDING: Final = re.compile(r'(,\s*"(?!features")[a-z_]+"\s*:\s*("[^"]*"|\[[-0-9., eE+]*\]|[-0-9.eE+]+)\s*)*\}\s*')
_MEMBERS: Final = frozenset({"type", "geometry", "properties"})


class _Twice(dict[str, Any]):
    """A JSON object that gives a member twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(pairs)


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=lambda _: math.nan)


# ---------------------------------------------------------------------------------------------- GeoJSON


def read_geojson(
    data: bytes, spec: StreamSpec, limits: Limits, *, cut: Refusal | None = None
) -> Iterator[Chunk] | Refusal:
    """Read the features of a collection.

    Parameters
    ----------
    data : bytes
    spec : StreamSpec
    limits : Limits
    cut : (Reason, str), optional
        Why ``data`` is only the beginning of the file, when it is.

    Returns
    -------
    iterator of Chunk, or (Reason, str)
        The latter when the file is no collection of features at all.
    """
    text = data.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    try:
        start = _features_at(text)
    except (ValueError, RecursionError) as cause:
        return cut or (Reason.NOT_GEOJSON, safe(str(cause))[:200])
    return _features(text, start, spec, limits, cut)


def _features_at(text: str) -> int:
    """Position of the first feature; raise ValueError when there is no collection."""
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise ValueError("not a JSON object")
    at = _skip(text, at + 1)
    kind: Any = None
    while text[at : at + 1] == '"':
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise ValueError(f"no colon at character {at}")
        at = _skip(text, at + 1)
        if name == "features":
            if kind != "FeatureCollection":
                raise ValueError(f"a {kind!r} where a FeatureCollection was expected; its type must come first")
            if text[at : at + 1] != "[":
                raise ValueError("its features are no list")
            return at + 1
        value, at = _DECODER.raw_decode(text, at)
        kind = value if name == "type" else kind
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
    raise ValueError(f"a {str(kind)[:40]!r} without features")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _features(text: str, at: int, spec: StreamSpec, limits: Limits, cut: Refusal | None) -> Iterator[Chunk]:
    numbers: list[int] = []
    raws: list[bytes] = []
    columns: dict[str, list[Any]] = {name: [] for name in spec.fields}
    rejects: list[Reject] = []
    number = size = rows_in = 0

    def chunk() -> Chunk:
        return Chunk(rows_frame(numbers, raws, spec, columns), rejects, rows_in)

    at = _skip(text, at)
    while text[at : at + 1] != "]":
        number, rows_in = number + 1, rows_in + 1
        try:
            feature, end = _DECODER.raw_decode(text, at)
            after = _skip(text, end)
            if text[after : after + 1] not in (",", "]"):
                raise ValueError("neither a comma nor the end of the list follows")
        except (ValueError, RecursionError) as cause:
            reason, detail = cut or (Reason.BAD_JSON, f"the rest of the file: {safe(str(cause))[:200]}")
            rejects.append(reject(number, reason, detail, _bytes(text[at:])))
            at = len(text)
            break
        raw = _bytes(text[at:end])
        found = _fields_of(feature, raw, spec, limits)
        if isinstance(found, dict):
            numbers.append(number)
            raws.append(raw)
            for name in spec.fields:
                columns[name].append(found.get(name))
        else:
            rejects.append(reject(number, *found, raw))
        size += len(raw)
        at = _skip(text, after + (text[after] == ","))
        if rows_in >= limits.chunk_rows or size >= limits.chunk_bytes:
            yield chunk()
            numbers, raws, columns, rejects = [], [], {name: [] for name in spec.fields}, []
            rows_in = size = 0
    if rest := text[at + 1 :].strip(" \t\r\n"):
        end = _skip(text, at + 1)
        if not _ENDING.fullmatch(text, end):
            rejects.append(reject(number + 1, Reason.TRAILING_BYTES, "after the list of features", _bytes(rest)))
            rows_in += 1
    elif at < len(text):
        reason, detail = cut or (Reason.BAD_JSON, "the collection is not closed")
        rejects.append(reject(number + 1, reason, detail, b""))
        rows_in += 1
    if rows_in:
        yield chunk()


def _bytes(text: str) -> bytes:
    """Bytes of a piece of the file, also where they are no UTF-8."""
    return text.encode("utf-8", errors="surrogateescape")


def _fields_of(feature: Any, raw: bytes, spec: StreamSpec, limits: Limits) -> dict[str, Any] | Refusal:
    """Fields of one feature, or what is wrong with it."""
    if len(raw) > limits.max_line_bytes:
        return Reason.LINE_TOO_LONG, f"{len(raw)} bytes in one feature"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as cause:
        return Reason.BAD_UTF8, f"at byte {cause.start} of the feature"
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return Reason.BAD_JSON, "not a Feature"
    geometry, properties = feature.get("geometry"), feature.get("properties")
    if any(isinstance(part, _Twice) for part in (feature, geometry, properties)):
        return Reason.BAD_JSON, "a field is given twice"
    if not isinstance(properties, dict):
        return Reason.BAD_JSON, "its properties are no object"
    extra = (feature.keys() - _MEMBERS) | (properties.keys() - (frozenset(spec.fields) - frozenset(_POINT)))
    if extra:
        return Reason.UNEXPECTED_FIELD, safe(f"not in the contract: {', '.join(sorted(extra))}")[:500]
    texts = [part for item in properties.items() for part in item if isinstance(part, str)]
    if any("\x00" in part or safe(part) != part for part in texts):
        return Reason.BAD_JSON, "an escape that is no whole character"
    found = dict(properties)
    if geometry is not None:
        at = geometry.get("coordinates") if isinstance(geometry, dict) else None
        if not isinstance(geometry, dict) or geometry.get("type") != "Point":
            kind = geometry.get("type") if isinstance(geometry, dict) else type(geometry).__name__
            return Reason.BAD_GEOMETRY, safe(f"a {kind}, not a Point")[:200]
        if not isinstance(at, list) or len(at) != 2 or geometry.keys() != {"type", "coordinates"}:
            return Reason.BAD_GEOMETRY, "a point must be two numbers and nothing else"
        found |= dict(zip(_POINT, at, strict=True))
    return found


# ---------------------------------------------------------------------------------------------- parquet


def read_parquet(
    data: bytes, spec: StreamSpec, limits: Limits, *, cut: Refusal | None = None
) -> Iterator[Chunk] | Refusal:
    """Read the rows of a parquet table; parameters and result as of :func:`read_geojson`."""
    try:
        table = pq.ParquetFile(pa.BufferReader(data))
        names, n_rows = table.schema_arrow.names, table.metadata.num_rows
        groups = [table.metadata.row_group(i).total_byte_size for i in range(table.metadata.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError, RuntimeError) as cause:
        return Reason.BAD_PARQUET, safe(str(cause)).splitlines()[0][:200] if str(cause) else type(cause).__name__
    if max(groups, default=0) > limits.max_group_bytes:
        return Reason.FILE_TOO_LARGE, f"a row group of {max(groups)} bytes; the limit is {limits.max_group_bytes}"
    if sorted(names) != sorted(spec.fields):
        lacking, odd = sorted(set(spec.fields) - set(names)), sorted(set(names) - set(spec.fields))
        detail = f"missing {', '.join(lacking) or 'nothing'}; unknown {', '.join(odd) or 'nothing'}"
        return _batches(table, spec, limits, n_rows, foreign=safe(detail)[:500])
    return _batches(table, spec, limits, n_rows, foreign=None)


def _batches(table: Any, spec: StreamSpec, limits: Limits, n_rows: int, *, foreign: str | None) -> Iterator[Chunk]:
    done = 0
    empty = rows_frame([], [], spec, {})
    try:
        for batch in table.iter_batches(batch_size=limits.chunk_rows, use_threads=False):
            if foreign is not None:
                raws = [_any_json(row) for row in batch.to_pylist()]
                wrong = [reject(done + i, Reason.WRONG_HEADER, foreign, raw) for i, raw in enumerate(raws, 1)]
                yield Chunk(empty, wrong, len(wrong))
            else:
                typed, rejects = _typed(batch, spec, first=done + 1)
                yield Chunk(empty, rejects, len(typed) + len(rejects), typed)
            done += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, RuntimeError) as cause:
        lost = f"rows {done + 1} to {n_rows} cannot be read: {safe(str(cause))[:200]}"
        yield Chunk(empty, [reject(done + 1, Reason.BAD_PARQUET, lost, b"")], 1)


def _any_json(row: Any) -> bytes:
    return safe(json.dumps(row, ensure_ascii=False, default=str)).encode()


def _typed(batch: Any, spec: StreamSpec, *, first: int) -> tuple[pd.DataFrame, list[Reject]]:
    """Values of a batch under their types, and the rows whose texts are no texts."""
    n = batch.num_rows
    out: dict[str, Any] = {}
    written: list[Any] = []
    wrong, broken = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    for f in spec.described:
        column, no_text = _sound(batch.column(batch.schema.get_field_index(f.raw)))
        values, refused, shown = _READERS[f.kind](column, f)
        out |= values
        wrong |= refused
        broken |= no_text
        written.append(pc.binary_join_element_wise(_key(f.raw), pc.fill_null(shown, "null"), _scalar("")))
    out["wrong_type"] = wrong
    rows = pc.binary_join_element_wise(
        _scalar("{"), pc.binary_join_element_wise(*written, _scalar(",")), _scalar("}"), _scalar("")
    )
    raws = np.empty(n, dtype=object)
    raws[:] = rows.cast(pa.large_binary()).to_pylist()
    frame = pd.DataFrame({SOURCE_ROW: np.arange(first, first + n, dtype=np.int64), RAW: raws, **out})
    rejects = [
        reject(first + i, Reason.BAD_UTF8, "a text that is not UTF-8, or has NUL in it", raws[i])
        for i in np.flatnonzero(broken).tolist()
    ]
    return frame[~broken].reset_index(drop=True), rejects


#: Columns of the frame, where the value had another type, and the value as JSON.
Read = tuple[dict[str, Any], Any, Any]


def _scalar(text: str) -> Any:
    return pa.scalar(text, pa.large_string())


def _key(name: str) -> Any:
    return _scalar(json.dumps(name, ensure_ascii=False) + ":")


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _sound(column: Any) -> tuple[Any, Any]:
    """The column with texts as ``large_string``, and where a text is none: not UTF-8, or with NUL in it."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not _is_text(column.type):
        return column, np.zeros(len(column), dtype=np.bool_)
    try:
        column.validate(full=True)
        broken = _flags(pc.match_substring(column.cast(pa.large_string()), "\x00"))
    except pa.ArrowInvalid:
        values = column.cast(pa.large_binary()).to_pylist()
        decoded = [None if v is None else v.decode("utf-8", errors="surrogateescape") for v in values]
        broken = np.array([d is not None and (safe(d) != d) for d in decoded], dtype=np.bool_)
        column = pa.array([None if bad else d for d, bad in zip(decoded, broken, strict=True)], pa.large_string())
    return column.cast(pa.large_string()), broken


def _flags(column: Any) -> Any:
    return pc.fill_null(column, False).to_numpy(zero_copy_only=False).astype(np.bool_)


def _quoted(texts: Any) -> Any:
    """Texts as JSON strings."""
    odd = np.flatnonzero(_flags(pc.match_substring_regex(texts, '[\\x00-\\x1f"\\\\]')))
    shown = pc.binary_join_element_wise(_scalar('"'), texts, _scalar('"'), _scalar(""))
    if len(odd):
        mask = np.zeros(len(texts), dtype=np.bool_)
        mask[odd] = True
        plain = [json.dumps(texts[i].as_py(), ensure_ascii=False) for i in odd.tolist()]
        shown = pc.replace_with_mask(shown, pa.array(mask), pa.array(plain, pa.large_string()))
    return shown


def _other(column: Any) -> Any:
    """Values of a type that the contract does not have, as JSON."""
    values = [None if v is None else _any_json(v).decode() for v in column.to_pylist()]
    return pa.array(values, pa.large_string())


def _given(column: Any) -> Any:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _read_text(column: Any, f: Field) -> Read:
    if _is_text(column.type):
        blank = pc.match_substring_regex(column, r"^[\s\x{1c}-\x{1f}\x{85}\x{a0}\p{Z}]*$")
        values = pc.if_else(pc.fill_null(blank, True), _nothing(), column)
        return {f.name: as_series(values)}, np.zeros(len(column), dtype=np.bool_), _quoted(column)
    none = pa.nulls(len(column), pa.large_string())
    return {f.name: as_series(none)}, _given(column), _other(column)


def _nothing() -> Any:
    return pa.scalar(None, pa.large_string())


def _read_time(column: Any, f: Field) -> Read:
    state = f"{f.name}_state"
    if _is_text(column.type):
        text = _read_text(column, f)[0][f.name]
        stamps, why = as_times(text)
        return {f.name: stamps, state: why}, np.zeros(len(column), dtype=np.bool_), _quoted(column)
    given = _given(column)
    if not pa.types.is_timestamp(column.type):
        stamps = pd.Series(pd.NaT, index=range(len(column)), dtype="datetime64[us, UTC]")
        return {f.name: stamps, state: np.ones(len(column), dtype=np.int8)}, given, _other(column)
    naive = column.type.tz is None
    micros = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
    stamp = np.where(given, pc.fill_null(micros, 0).to_numpy(zero_copy_only=False), np.iinfo(np.int64).min)
    local = stamp.view("datetime64[us]")
    suffix = "" if naive else "Z"
    whole = bool((local.astype("datetime64[s]") == local)[given].all())
    texts = np.datetime_as_string(local.astype("datetime64[s]") if whole else local)
    shown = pa.array(np.where(given, np.char.add(np.char.add('"', texts), f'{suffix}"'), "null"), pa.large_string())
    if naive:
        local = np.full(len(column), "NaT", dtype="datetime64[us]")
    times = pd.Series(local).dt.tz_localize("UTC")
    why = np.where(given, 2 if naive else 0, 1).astype(np.int8)
    return {f.name: times, state: why}, np.zeros(len(column), dtype=np.bool_), shown


def _read_number(column: Any, f: Field) -> Read:
    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return {f.name: np.full(len(column), np.nan)}, _given(column), _other(column)
    values = pc.fill_null(column.cast(pa.float64(), safe=False), math.nan).to_numpy(zero_copy_only=False)
    wrong = np.isinf(values) | (np.abs(values) >= 2**53 if pa.types.is_integer(kind) else False)
    shown = pc.if_else(pa.array(np.isnan(values)), _nothing(), column.cast(pa.large_string()))
    shown = pc.if_else(pa.array(np.isinf(values)), _quoted(shown), shown)
    return {f.name: np.where(wrong, np.nan, values)}, wrong, shown


def _read_integer(column: Any, f: Field) -> Read:
    if not pa.types.is_integer(column.type):
        none = pd.arrays.IntegerArray(np.zeros(len(column), np.int64), np.ones(len(column), np.bool_))
        return {f.name: none}, _given(column), _other(column)
    size = np.abs(pc.fill_null(column.cast(pa.float64(), safe=False), 0.0).to_numpy(zero_copy_only=False))
    wrong = size >= 2**53
    values = pc.fill_null(column.cast(pa.int64(), safe=False), 0).to_numpy(zero_copy_only=False)
    read = pd.arrays.IntegerArray(np.where(wrong, 0, values).astype(np.int64), ~_given(column) | wrong)
    return {f.name: read}, wrong, column.cast(pa.large_string())


def _read_flag(column: Any, f: Field) -> Read:
    if not pa.types.is_boolean(column.type):
        none = pd.arrays.BooleanArray(np.zeros(len(column), np.bool_), np.ones(len(column), np.bool_))
        return {f.name: none}, _given(column), _other(column)
    read = pd.arrays.BooleanArray(_flags(column), ~_given(column))
    return {f.name: read}, np.zeros(len(column), dtype=np.bool_), column.cast(pa.large_string())


_READERS: Final = {
    "text": _read_text,
    "time": _read_time,
    "number": _read_number,
    "integer": _read_integer,
    "flag": _read_flag,
}
