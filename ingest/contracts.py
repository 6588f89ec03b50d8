"""What a row of each stream must be: fields, types, times, places, vocabularies. One pandera contract per stream.

The contract is the only gate between what a city drops and what the platform calls a record. It is strict both ways:
a field too few is refused, and so is a field too many, because an unknown field may be personal data nobody decided
to keep, or knowledge that a record must not carry.

What it cannot tell you: a row that meets its contract is well formed, not true. The place is checked against the
outline of the land, the time against a window; neither says that the event happened there, then, or at all.

Notes
-----
Coordinates arrive in degrees (EPSG:4326) and leave in metres (EPSG:2154). Nothing is guessed: coordinates given in
metres are set aside as ``wrong_crs``, swapped ones as ``swapped_lonlat``, a time without an offset as ``naive_time``.
The contract knows nothing of any scenario: window, extent and outline are arguments.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
import shapely
from pyproj import Transformer

from contrechamp.domain.columns import (
    CRS_LONLAT,
    CRS_M,
    INFORMANT,
    ORIGIN,
    RAW,
    RECORD_ID,
    ROW_SHA256,
    SOURCE_FILE,
    SOURCE_ROW,
    X_M,
    Y_M,
)
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray, Grid
from contrechamp.domain.streams import LAYOUTS, Field, Format, Pseudonym, StreamLayout
from ingest.layout import Layout
from ingest.quarantine import RANK, Reason, reject
from ingest.texts import in_one_piece

#: Event times let in when the caller does not say: wide enough for any scenario, narrow enough for 1870 and 2999.
DEFAULT_WINDOW: Final = (pd.Timestamp("2000-01-01T00:00:00Z"), pd.Timestamp("2035-01-01T00:00:00Z"))

#: Longitude and latitude where EPSG:2154 is meant to be used: west, south, east, north.
CRS_M_EXTENT: Final = (-9.86, 41.15, 10.38, 51.56)

_ID: Final = r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}"
_LOCAL_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_OFFSET: Final = r"(Z|[+-][0-9]{2}:?[0-9]{2})"

_TRACE: Final = (SOURCE_FILE, SOURCE_ROW, ROW_SHA256)


@dataclass(frozen=True)
class StreamSpec:
    """A stream: its file format, its raw fields and the columns of its table in the lake.

    Attributes
    ----------
    name : str
    format : {"jsonl", "csv", "geojson", "parquet"}
    described : tuple of Field
    lake_columns : tuple of str
    delimiter : str
        Of a CSV file.
    order : (str, str) or None
        Names of two times that must follow each other.
    identity : tuple of str
        Raw names of the fields that tell a row from every other.
    pseudonyms : tuple of Pseudonym
    since : Timestamp or None
        First instant let in, where it is earlier than the window's.
    """

    name: str
    format: Format
    described: tuple[Field, ...]
    lake_columns: tuple[str, ...]
    delimiter: str = ";"
    order: tuple[str, str] | None = field(default=None)
    identity: tuple[str, ...] = ("id",)
    pseudonyms: tuple[Pseudonym, ...] = ()
    since: pd.Timestamp | None = None

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields in the dropped file."""
        return tuple(f.raw for f in self.described)

    @cached_property
    def has_point(self) -> bool:
        """Whether rows are placed by longitude and latitude."""
        return {"lon", "lat"} <= set(self.fields)

    @cached_property
    def given_id(self) -> Field | None:
        """The field that is the identifier of the record, where there is one; else identifiers are composed."""
        return next((f for f in self.described if f.name == RECORD_ID), None)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of a CSV file that has no header line; empty when it has one."""
        return ()

    def layout(self, header: Sequence[str]) -> Layout | str:
        """Find the fields in the header line of a CSV file, or say what is wrong with it: all of them, nothing else."""
        if sorted(header) == sorted(self.fields):
            return Layout(tuple(header.index(name) for name in self.fields), {})
        return f"missing {', '.join(sorted(set(self.fields) - set(header))) or 'nothing'}"


def spec_of(layout: StreamLayout) -> StreamSpec:
    """Describe a stream as the ingest reads it, from its published layout."""
    return StreamSpec(
        name=layout.key,
        format=layout.format,
        described=layout.fields,
        lake_columns=(*(name for name, _ in layout.columns), *_TRACE),
        order=layout.order,
        identity=layout.identity,
        pseudonyms=layout.pseudonyms,
        since=pd.Timestamp(layout.since, tz="UTC") if layout.since else None,
    )


SPECS: Final = {key: spec_of(layout) for key, layout in LAYOUTS.items()}


@dataclass(frozen=True)
class Territory:
    """Where and when events may lie.

    Attributes
    ----------
    window : (Timestamp, Timestamp)
        First instant let in, first instant no longer let in; tz-aware.
    land : Grid, shapely geometry or None
        Outline of the land in EPSG:2154. Without one the sea cannot be told from the land.
    coast_m : float
        How far off the outline a point may lie: a quay, a rounding, a cell whose centre is in the water.
    """

    window: tuple[pd.Timestamp, pd.Timestamp] = DEFAULT_WINDOW
    land: Grid | shapely.Geometry | None = None
    coast_m: float = 250.0

    def __post_init__(self) -> None:
        start, end = self.window
        if start.tzinfo is None or end.tzinfo is None or not start < end:
            raise bad_parameter(
                name="window", where="Territory", must="two tz-aware instants, first before last", got=self.window
            )

    @cached_property
    def _dilated(self) -> tuple[tuple[float, float, float, float], Any]:
        """Bounding box and test of the land, widened by ``coast_m``."""
        if isinstance(self.land, Grid):
            reach = math.ceil(self.coast_m / self.land.cell_m)
            wide = np.pad(self.land.land, reach)
            near = np.zeros_like(wide)
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    near |= np.roll(wide, (dy, dx), axis=(0, 1))
            margin = reach * self.land.cell_m
            grid = Grid(self.land.x0_m - margin, self.land.y0_m - margin, self.land.cell_m, near)
            east = grid.x0_m + grid.shape[1] * grid.cell_m
            north = grid.y0_m + grid.shape[0] * grid.cell_m
            return (grid.x0_m, grid.y0_m, east, north), lambda x, y: grid.cell_of(x, y) >= 0
        area = shapely.buffer(self.land, self.coast_m)
        shapely.prepare(area)
        return area.bounds, lambda x, y: shapely.contains_xy(area, x, y)

    def extent(self, lon: FloatArray, lat: FloatArray, x_m: FloatArray, y_m: FloatArray) -> BoolArray:
        """Tell which points lie in the bounding box of the territory."""
        west, south, east, north = CRS_M_EXTENT
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        if self.land is not None:
            (x0, y0, x1, y1), _ = self._dilated
            inside &= (x_m >= x0) & (x_m <= x1) & (y_m >= y0) & (y_m <= y1)
        return np.asarray(inside, dtype=np.bool_)

    def on_land(self, x_m: FloatArray, y_m: FloatArray) -> BoolArray:
        """Tell which points lie on land, give or take ``coast_m``; all of them when there is no outline."""
        if self.land is None:
            return np.ones(x_m.shape, dtype=np.bool_)
        return np.asarray(self._dilated[1](x_m, y_m), dtype=np.bool_)


@lru_cache(maxsize=1)
def _projection() -> Any:
    return Transformer.from_crs(CRS_LONLAT, CRS_M, always_xy=True)


def project(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Degrees to EPSG:2154 metres; NaN where the degrees are not in the area of that projection."""
    west, south, east, north = CRS_M_EXTENT
    usable = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    x_m, y_m = np.full(lon.shape, np.nan), np.full(lon.shape, np.nan)
    if usable.any():
        x_m[usable], y_m[usable] = _projection().transform(lon[usable], lat[usable])
    return x_m, y_m


#: What can be wrong with a place: code 1 is the first.
PLACE_REASONS: Final = (Reason.SWAPPED_LONLAT, Reason.WRONG_CRS, Reason.OUT_OF_EXTENT, Reason.AT_SEA)
_SWAPPED, _WRONG_CRS, _OUT, _SEA = 1, 2, 3, 4


def locate(
    lon: FloatArray, lat: FloatArray, *, territory: Territory
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int8]]:
    """Project degrees to metres and say what is wrong with each place.

    Returns
    -------
    x_m, y_m : ndarray
        EPSG:2154 metres; NaN where the place cannot be projected.
    verdict : ndarray of int8
        0 where the place is good or missing, else one more than the position of a reason in :data:`PLACE_REASONS`.
    """
    present = np.isfinite(lon) & np.isfinite(lat)
    x_m, y_m = project(lon, lat)
    inside = territory.extent(lon, lat, x_m, y_m)
    verdict = np.zeros(lon.shape, dtype=np.int8)
    lost = np.flatnonzero(present & ~inside)
    if lost.size:
        verdict[lost] = _OUT
        degrees = (np.abs(lon[lost]) <= 180) & (np.abs(lat[lost]) <= 90)
        verdict[lost[~degrees]] = _WRONG_CRS
        x_swap, y_swap = project(lat[lost], lon[lost])
        verdict[lost[territory.extent(lat[lost], lon[lost], x_swap, y_swap)]] = _SWAPPED
    verdict[inside & ~territory.on_land(x_m, y_m)] = _SEA
    return x_m, y_m, verdict


def as_texts(values: Sequence[Any]) -> tuple[pd.Series, BoolArray]:
    """Strings with blanks as missing, and where the value is neither a string nor null."""
    wrong = np.fromiter((v is not None and type(v) is not str for v in values), dtype=np.bool_, count=len(values))
    return pd.Series([v if type(v) is str and v and not v.isspace() else None for v in values], dtype="str"), wrong


def as_numbers(values: Sequence[Any], *, from_text: bool) -> tuple[FloatArray, BoolArray]:
    """Floats with missing as NaN, and where the value is not a finite number."""
    if from_text:
        texts = pd.Series([v if isinstance(v, str) and v.strip() else None for v in values], dtype="str")
        plain = texts.str.fullmatch(r"\s*[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?\s*").to_numpy(dtype=bool)
        numbers = pd.to_numeric(texts.where(plain), errors="coerce").to_numpy(dtype=np.float64, copy=True)
        wrong = texts.notna().to_numpy(dtype=bool) & ~(plain & np.isfinite(numbers))
    else:
        wrong = np.fromiter(
            (
                v is not None
                and not (type(v) is float and math.isfinite(v))
                and not (type(v) is int and abs(v) < 2**53)
                for v in values
            ),
            dtype=np.bool_,
            count=len(values),
        )
        numbers = np.array(
            [np.nan if v is None or bad else v for v, bad in zip(values, wrong, strict=True)], dtype=np.float64
        )
    numbers[wrong] = np.nan
    return numbers, np.asarray(wrong, dtype=np.bool_)


def as_integers(values: Sequence[Any], *, from_text: bool) -> tuple[pd.Series, BoolArray]:
    """Whole numbers (``Int64``), and where the value is none: a number with a decimal point is none."""
    found: list[int | None] = []
    for v in values:
        if from_text:
            text = v.strip() if isinstance(v, str) else ""
            digits = text[1:] if text[:1] in ("+", "-") else text
            whole = int(text) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
        else:
            whole = v if type(v) is int else None
        found.append(whole if whole is not None and abs(whole) < 2**53 else None)
    given = (bool(v and not v.isspace()) if from_text else v is not None for v in values)
    wrong = np.fromiter((g and w is None for g, w in zip(given, found, strict=True)), dtype=np.bool_, count=len(values))
    return pd.Series(found, dtype="Int64"), wrong


def as_flags(values: Sequence[Any], *, from_text: bool) -> tuple[pd.Series, BoolArray]:
    """Truth values (``boolean``), and where the value is none."""
    if from_text:
        read = {"true": True, "false": False}
        found = [read.get(v.strip()) if isinstance(v, str) else None for v in values]
        given = [bool(v and not v.isspace()) for v in values]
    else:
        found = [v if type(v) is bool else None for v in values]
        given = [v is not None for v in values]
    wrong = np.fromiter((g and w is None for g, w in zip(given, found, strict=True)), dtype=np.bool_, count=len(values))
    return pd.Series(found, dtype="boolean"), wrong


#: Column beside a time that says why there is none. 0: there is one, 1 missing, 2 no
#: offset, 3 its text is no time.
_STATE: Final = "{}_state"
_MISSING, _NAIVE, _UNREAD = 1, 2, 3


def as_times(text: pd.Series) -> tuple[pd.Series, npt.NDArray[np.int8]]:
    """Instants of ISO 8601 texts, and why there is none: see ``<name>_state`` of :func:`decode`."""
    shaped = text.str.fullmatch(_LOCAL_TIME + _OFFSET).to_numpy(dtype=bool)
    stamps = pd.to_datetime(text.where(shaped), format="ISO8601", utc=True, errors="coerce")
    naive = text.str.fullmatch(_LOCAL_TIME).to_numpy(dtype=bool)
    state = np.select([text.isna(), naive, stamps.isna()], [_MISSING, _NAIVE, _UNREAD], 0)
    return stamps.astype("datetime64[us, UTC]"), state.astype(np.int8)


def decode(rows: pd.DataFrame, spec: StreamSpec) -> pd.DataFrame:
    """Give raw fields their types, without judging them.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``rows`` of a :class:`~ingest.parsing.Chunk`: object columns named as in the dropped file.
    spec : StreamSpec

    Returns
    -------
    pandas.DataFrame
        One column per field under its later name: texts ``str``, times ``datetime64[us, UTC]`` with the column
        ``<name>_state`` beside them, numbers ``float64``, whole numbers ``Int64``, flags ``boolean``; and
        ``wrong_type``, whether a value had another type. The same columns as ``typed`` of a chunk.
    """
    out: dict[str, Any] = {}
    wrong_type = np.zeros(len(rows), dtype=np.bool_)
    from_text = spec.format == "csv"
    for f in spec.described:
        values = rows[f.raw].tolist()
        if f.kind == "number":
            out[f.name], wrong = as_numbers(values, from_text=from_text)
        elif f.kind == "integer":
            out[f.name], wrong = as_integers(values, from_text=from_text)
        elif f.kind == "flag":
            out[f.name], wrong = as_flags(values, from_text=from_text)
        else:
            out[f.name], wrong = as_texts(values)
            if f.kind == "time":
                out[f.name], out[_STATE.format(f.name)] = as_times(out[f.name])
        wrong_type |= wrong
    out["wrong_type"] = wrong_type
    return pd.DataFrame(out)


def placed(frame: pd.DataFrame, spec: StreamSpec, *, territory: Territory) -> pd.DataFrame:
    """Add what depends on several fields.

    Returns
    -------
    pandas.DataFrame
        ``frame`` with, where the stream has them, ``x_m``, ``y_m`` and ``place`` (verdict of :func:`locate`),
        ``half_place`` (one coordinate without the other, where both may be missing), ``delay_s`` between the two
        times of ``spec.order`` and ``uncalled_informant``.
    """
    out: dict[str, Any] = {}
    if spec.has_point:
        lon, lat = frame["lon"].to_numpy(), frame["lat"].to_numpy()
        out[X_M], out[Y_M], out["place"] = locate(lon, lat, territory=territory)
        if not _must_be_placed(spec):
            out["half_place"] = np.isnan(lon) != np.isnan(lat)
    if spec.order is not None:
        before, after = spec.order
        out["delay_s"] = (frame[after] - frame[before]).dt.total_seconds().to_numpy(dtype=np.float64)
    if INFORMANT in spec.lake_columns and ORIGIN in spec.lake_columns:
        named = frame["informant_name"].notna() | frame["informant_phone"].notna()
        called = (frame[ORIGIN] == "call") | frame[ORIGIN].isna()
        out["uncalled_informant"] = (named & ~called).to_numpy(dtype=bool)
    return frame.assign(**out)


def _must_be_placed(spec: StreamSpec) -> bool:
    return all(f.required for f in spec.described if f.raw in ("lon", "lat"))


def slug_check(reason: Reason, test: Any) -> Any:
    """A pandera check that bears the slug of a reason and also sees missing values."""
    return pa.Check(test, error=reason.value, ignore_na=False)


def contract(spec: StreamSpec, *, territory: Territory) -> Any:
    """Build the pandera contract of a stream for frames made by :func:`placed`.

    Every check bears the slug of the :class:`~ingest.quarantine.Reason` it stands for. A missing value fails
    ``missing_field`` where the field is required and nothing else.
    """
    start, end = territory.window
    start = min(start, spec.since) if spec.since is not None else start
    columns: dict[str, Any] = {"wrong_type": pa.Column(bool, slug_check(Reason.WRONG_TYPE, lambda s: ~s))}
    for f in spec.described:
        required = [slug_check(Reason.MISSING_FIELD, lambda s: s.notna())] if f.required else []
        if f.kind == "time":
            checks = [slug_check(Reason.MISSING_FIELD, lambda s: s != _MISSING)] if f.required else []
            checks.append(slug_check(Reason.NAIVE_TIME, lambda s: s != _NAIVE))
            if not f.required:  # no time is no fault, a text that is no time is one
                checks.append(slug_check(Reason.IMPOSSIBLE_TIME, lambda s: s != _UNREAD))
            columns[_STATE.format(f.name)] = pa.Column("int8", checks)
            columns[f.name] = pa.Column(
                "datetime64[us, UTC]",
                [
                    *([slug_check(Reason.IMPOSSIBLE_TIME, lambda s: s.notna())] if f.required else []),
                    slug_check(Reason.TIME_OUT_OF_WINDOW, lambda s: s.isna() | ((s >= start) & (s < end))),
                ],
                nullable=True,
            )
            continue
        checks = list(required)
        if f.kind == "text":
            if f.name == RECORD_ID:
                checks.append(slug_check(Reason.BAD_ID, lambda s: s.isna() | s.str.fullmatch(_ID)))
            if f.allowed:
                outside = Reason(f.outside)
                checks.append(slug_check(outside, lambda s, allowed=f.allowed: s.isna() | s.isin(allowed)))
        elif math.isfinite(f.low) or math.isfinite(f.high):
            checks.append(
                slug_check(
                    Reason.OUT_OF_RANGE,
                    lambda s, low=f.low, high=f.high: (s.isna() | ((s >= low) & (s <= high))).astype(bool),
                )
            )
        columns[f.name] = pa.Column(_PANDERA[f.kind], checks, nullable=True)
    if spec.has_point:
        columns["place"] = pa.Column(
            "int8", [slug_check(r, lambda s, code=code: s != code) for code, r in enumerate(PLACE_REASONS, 1)]
        )
        if not _must_be_placed(spec):
            columns["half_place"] = pa.Column(bool, slug_check(Reason.MISSING_FIELD, lambda s: ~s))
    if spec.order is not None:
        columns["delay_s"] = pa.Column(
            float, slug_check(Reason.ENTRY_BEFORE_EVENT, lambda s: s.isna() | (s >= 0)), nullable=True
        )
    if INFORMANT in spec.lake_columns and ORIGIN in spec.lake_columns:
        columns["uncalled_informant"] = pa.Column(bool, slug_check(Reason.UNEXPECTED_INFORMANT, lambda s: ~s))
    return pa.DataFrameSchema(columns, name=spec.name)


_PANDERA: Final = {"text": "str", "number": float, "integer": "Int64", "flag": "boolean"}


def failures(frame: pd.DataFrame, spec: StreamSpec, *, territory: Territory) -> pd.DataFrame:
    """Hold ``frame`` to the contract; one line per failed check and row.

    Returns
    -------
    pandas.DataFrame
        ``row`` (position in ``frame``), ``column``, ``reason``; worst reason of a row first. Empty when all is well.
    """
    return broken_checks(frame, contract(spec, territory=territory))


def broken_checks(frame: pd.DataFrame, schema: Any) -> pd.DataFrame:
    """:func:`failures` for any schema whose checks bear the slugs of reasons.

    The types of the columns are pandera's to judge, once, on no row: they are ours and the same for all of them. Each
    check is then asked for its verdict on every row; pandera's own report of failed cases takes longer than the checks.
    """
    schema.validate(frame.iloc[:0])
    rows: list[npt.NDArray[np.int64]] = []
    failed: list[tuple[str, str]] = []
    for name, column in schema.columns.items():
        for check in column.checks:
            verdict = check(frame[name]).check_output.to_numpy(dtype=np.bool_)
            at = np.flatnonzero(~verdict)
            if len(at):
                rows.append(at)
                failed.append((name, check.error))
    if not rows:
        return pd.DataFrame({"row": np.empty(0, np.int64), "column": [], "reason": []})
    which = np.repeat(np.arange(len(rows)), [len(at) for at in rows])
    row = np.concatenate(rows)
    rank = np.array([RANK[reason] for _, reason in failed])[which]
    order = np.lexsort((which, rank, row))
    names, reasons = (np.array(part, dtype=object)[which[order]] for part in zip(*failed, strict=True))
    return pd.DataFrame({"row": row[order], "column": names, "reason": reasons})


def split(
    rows: pd.DataFrame, spec: StreamSpec, *, territory: Territory, typed: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part rows that meet the contract from those that do not.

    Parameters
    ----------
    rows : pandas.DataFrame
        Raw rows: ``source_row``, ``raw`` and the raw fields, and any column to carry along (``source_file``).
    typed : pandas.DataFrame, optional
        More rows, already in the columns of :func:`decode` beside the same carried columns. They come after ``rows``.

    Returns
    -------
    good : pandas.DataFrame
        :func:`placed` of the rows that pass, beside ``raw``, ``source_row`` and the columns carried along.
    bad : pandas.DataFrame
        ``reject``, one :class:`~ingest.quarantine.Reject` per row that does not pass, ``position`` of the row and the
        columns carried along.
    """
    rows = rows.reset_index(drop=True)
    carried = [c for c in rows.columns if c not in spec.fields]
    merged = pd.concat([rows[carried], decode(rows, spec)], axis=1)
    if typed is not None and len(typed):
        merged = pd.concat([merged, typed], ignore_index=True) if len(merged) else typed.reset_index(drop=True)
    frame = placed(in_one_piece(merged), spec, territory=territory)
    broken = failures(frame, spec, territory=territory)
    values = {name: rows[name].tolist() for name in spec.fields}
    raws = frame[RAW].to_numpy()

    looked_at = _looked_at(spec)

    def seen(cases: Sequence[tuple[str, str]], index: int) -> str:
        careful = index < len(rows)
        row = {name: column[index] for name, column in values.items()} if careful else _as_written(raws[index], spec)
        return _detail(cases, row, looked_at)

    needless = {"lon", "lat", "wrong_type", "place", "half_place", "delay_s", "uncalled_informant"}
    needless |= {_STATE.format(f.name) for f in spec.described if f.kind == "time"}
    return part(frame[[c for c in frame.columns if c not in needless]], broken, detail=seen)


def part(
    merged: pd.DataFrame,
    broken: pd.DataFrame,
    *,
    detail: Callable[[Sequence[tuple[str, str]], int], str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part decoded rows by the checks they broke; results as of :func:`split`.

    Parameters
    ----------
    merged : pandas.DataFrame
        ``raw``, ``source_row`` and what else there is.
    broken : pandas.DataFrame
        Of :func:`broken_checks`.
    detail : callable
        Given what failed (column and reason, worst first) and the position of the row, says what was seen.
    """
    traces = [c for c in (SOURCE_FILE, SOURCE_ROW) if c in merged.columns]
    if broken.empty:
        none = merged.iloc[:0][traces].assign(position=np.empty(0, np.int64), reject=pd.Series([], dtype=object))
        return merged, none
    cases: dict[int, list[tuple[str, str]]] = {}
    for row, column, reason in zip(broken["row"].tolist(), broken["column"], broken["reason"], strict=True):
        cases.setdefault(row, []).append((column, reason))
    positions = np.fromiter(cases, dtype=np.int64, count=len(cases))
    taken = merged[[*traces, RAW]].take(positions)
    rejects = [
        reject(number, Reason(found[0][1]), detail(found, index), raw)
        for (index, found), number, raw in zip(cases.items(), taken[SOURCE_ROW].tolist(), taken[RAW], strict=True)
    ]
    bad = taken[traces].reset_index(drop=True)
    bad = bad.assign(position=positions, reject=pd.Series(rejects, dtype=object))
    passes = np.ones(len(merged), dtype=np.bool_)
    passes[positions] = False
    return merged.take(np.flatnonzero(passes)).reset_index(drop=True), bad


def _as_written(raw: bytes, spec: StreamSpec) -> dict[str, Any]:
    """Values of a ``typed`` row as they stood in the file."""
    if spec.format == "csv":
        fields = next(csv.reader(io.StringIO(raw.decode(), newline=""), delimiter=spec.delimiter))
        return dict(zip(spec.fields, fields, strict=True))
    found: dict[str, Any] = json.loads(raw)
    return found


def _looked_at(spec: StreamSpec) -> dict[str, tuple[str, ...]]:
    """Column of the contract → raw names of the fields that it looks at, those of persons left out."""
    raw_names = {f.name: f.raw for f in spec.described if f.person is None}
    out: dict[str, tuple[str, ...]] = {name: (raw,) for name, raw in raw_names.items()}
    out |= {_STATE.format(name): (raw,) for name, raw in raw_names.items()}
    out |= dict.fromkeys(("place", "half_place"), ("lon", "lat"))
    if spec.order is not None:
        out["delay_s"] = tuple(raw_names[name] for name in spec.order)
    return out


def _detail(cases: Sequence[tuple[str, str]], row: dict[str, Any], looked_at: dict[str, tuple[str, ...]]) -> str:
    """What was seen, without personal values: every failed check with the raw values it looked at."""
    seen = [
        f"{reason}({', '.join(f'{n}={str(row.get(n))[:60]!r}' for n in looked_at.get(column, ()))})"
        for column, reason in cases
    ]
    return "; ".join(dict.fromkeys(seen))[:1000]
