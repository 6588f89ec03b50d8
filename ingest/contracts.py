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

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
import shapely
from pyproj import Transformer

from contrechamp.domain.columns import (
    CODE,
    CRS_LONLAT,
    CRS_M,
    INCIDENT_TYPES,
    INFORMANT,
    ORIGIN,
    PLATE,
    RAW,
    RECORD_ID,
    ROW_SHA256,
    SOURCE_FILE,
    SOURCE_ROW,
    T_ENTRY,
    T_EVENT,
    TEXT,
    TYPE,
    UNIT,
    VEHICLE_CLASS,
    X_M,
    Y_M,
)
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray, Grid
from ingest.layout import Layout
from ingest.quarantine import RANK, Reason, Reject, reject

#: Event times let in when the caller does not say: wide enough for any scenario, narrow enough for 1870 and 2999.
DEFAULT_WINDOW: Final = (pd.Timestamp("2000-01-01T00:00:00Z"), pd.Timestamp("2035-01-01T00:00:00Z"))

#: Longitude and latitude where EPSG:2154 is meant to be used: west, south, east, north.
CRS_M_EXTENT: Final = (-9.86, 41.15, 10.38, 51.56)

_ID: Final = r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}"
_LOCAL_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_OFFSET: Final = r"(Z|[+-][0-9]{2}:?[0-9]{2})"

Kind = Literal["text", "time", "number"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a raw row.

    Attributes
    ----------
    raw : str
        Its name in the dropped file.
    name : str
        Its name from then on.
    kind : {"text", "time", "number"}
    required : bool
        A required field is neither absent, null nor blank.
    allowed : tuple of str
        The whole vocabulary; empty when free.
    outside : Reason
        Reason given to a value outside the vocabulary.
    personal : bool
        Replaced by a pseudonym before anything is written to a record table.
    """

    raw: str
    name: str
    kind: Kind = "text"
    required: bool = True
    allowed: tuple[str, ...] = ()
    outside: Reason = Reason.UNKNOWN_TYPE
    personal: bool = False


@dataclass(frozen=True)
class StreamSpec:
    """A stream: its file format, its raw fields and the columns of its table in the lake."""

    name: str
    format: Literal["jsonl", "csv"]
    described: tuple[Field, ...]
    lake_columns: tuple[str, ...]
    delimiter: str = ";"
    order: tuple[str, str] | None = field(default=None)  # (before, after): two times that must follow each other

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields in the dropped file."""
        return tuple(f.raw for f in self.described)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of a CSV file that has no header line; empty when it has one."""
        return ()

    def layout(self, header: Sequence[str]) -> Layout | str:
        """Find the fields in the header line of a CSV file, or say what is wrong with it: all of them, nothing else."""
        if sorted(header) == sorted(self.fields):
            return Layout(tuple(header.index(name) for name in self.fields), {})
        return f"missing {', '.join(sorted(set(self.fields) - set(header))) or 'nothing'}"


_PLACE: Final = (Field("lon", "lon", "number"), Field("lat", "lat", "number"))
_TRACE: Final = (SOURCE_FILE, SOURCE_ROW, ROW_SHA256)

MAINS_COURANTES: Final = StreamSpec(
    name="mains_courantes",
    format="jsonl",
    described=(
        Field("id", RECORD_ID),
        Field("t_event", T_EVENT, "time"),
        Field("t_entry", T_ENTRY, "time"),
        *_PLACE,
        Field("type", TYPE, allowed=INCIDENT_TYPES),
        Field("origin", ORIGIN, allowed=("call", "officer", "camera"), outside=Reason.UNKNOWN_ORIGIN),
        Field("unit", UNIT),
        Field("text", TEXT, required=False),
        Field("informant_name", "informant_name", required=False, personal=True),
        Field("informant_phone", "informant_phone", required=False, personal=True),
    ),
    lake_columns=(RECORD_ID, T_EVENT, T_ENTRY, X_M, Y_M, TYPE, ORIGIN, UNIT, TEXT, INFORMANT, *_TRACE),
    order=(T_EVENT, T_ENTRY),
)

VERBALISATIONS: Final = StreamSpec(
    name="verbalisations",
    format="csv",
    described=(
        Field("id", RECORD_ID),
        Field("t", T_EVENT, "time"),
        *_PLACE,
        Field("code", CODE),
        Field("mode", ORIGIN, allowed=("agent", "camera"), outside=Reason.UNKNOWN_ORIGIN),
        Field("vehicle_class", VEHICLE_CLASS),
        Field("plate", "plate", personal=True),
    ),
    lake_columns=(RECORD_ID, T_EVENT, X_M, Y_M, CODE, ORIGIN, VEHICLE_CLASS, PLATE, *_TRACE),
)


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


def locate(
    lon: FloatArray, lat: FloatArray, *, territory: Territory
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.str_]]:
    """Project degrees to metres and say what is wrong with each place.

    Returns
    -------
    x_m, y_m : ndarray
        EPSG:2154 metres; NaN where the place cannot be projected.
    verdict : ndarray of str
        Empty where the place is good or missing, else the slug of a :class:`~ingest.quarantine.Reason`.
    """
    present = np.isfinite(lon) & np.isfinite(lat)
    x_m, y_m = project(lon, lat)
    inside = territory.extent(lon, lat, x_m, y_m)
    verdict = np.full(lon.shape, "", dtype="<U16")
    lost = np.flatnonzero(present & ~inside)
    if lost.size:
        verdict[lost] = Reason.OUT_OF_EXTENT
        degrees = (np.abs(lon[lost]) <= 180) & (np.abs(lat[lost]) <= 90)
        verdict[lost[~degrees]] = Reason.WRONG_CRS
        x_swap, y_swap = project(lat[lost], lon[lost])
        verdict[lost[territory.extent(lat[lost], lon[lost], x_swap, y_swap)]] = Reason.SWAPPED_LONLAT
    verdict[inside & ~territory.on_land(x_m, y_m)] = Reason.AT_SEA
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


def decode(rows: pd.DataFrame, spec: StreamSpec, *, territory: Territory) -> pd.DataFrame:
    """Give raw fields their types, without judging them.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``rows`` of a :class:`~ingest.parsing.Chunk`: object columns named as in the dropped file.
    spec : StreamSpec
    territory : Territory

    Returns
    -------
    pandas.DataFrame
        One column per field under its later name; times as ``datetime64[us, UTC]`` with their text in ``<name>_text``;
        ``x_m``, ``y_m`` and ``place`` (verdict of :func:`locate`); ``wrong_type``, the field at fault or "";
        ``delay_s`` between the two times of ``spec.order``.
    """
    out: dict[str, Any] = {}
    wrong_type = np.full(len(rows), "", dtype=object)
    for f in spec.described:
        values = rows[f.raw].tolist()
        if f.kind == "number":
            out[f.name], wrong = as_numbers(values, from_text=spec.format == "csv")
        else:
            text, wrong = as_texts(values)
            if f.kind == "time":
                out[f"{f.name}_text"] = text
                shaped = text.str.fullmatch(_LOCAL_TIME + _OFFSET).to_numpy(dtype=bool)
                stamps = pd.to_datetime(text.where(shaped), format="ISO8601", utc=True, errors="coerce")
                out[f.name] = stamps.astype("datetime64[us, UTC]")
            else:
                out[f.name] = text
        wrong_type[wrong & (wrong_type == "")] = f.raw
    out["wrong_type"] = pd.array(wrong_type, dtype="str")
    out[X_M], out[Y_M], place = locate(out["lon"], out["lat"], territory=territory)
    out["place"] = pd.array(place, dtype="str")
    if spec.order is not None:
        before, after = spec.order
        out["delay_s"] = (out[after] - out[before]).dt.total_seconds().to_numpy(dtype=np.float64)
    if INFORMANT in spec.lake_columns:
        named = out["informant_name"].notna() | out["informant_phone"].notna()
        out["uncalled_informant"] = (named & (out[ORIGIN] != "call") & out[ORIGIN].notna()).to_numpy(dtype=bool)
    return pd.DataFrame(out)


def slug_check(reason: Reason, test: Any) -> Any:
    """A pandera check that bears the slug of a reason and also sees missing values."""
    return pa.Check(test, error=reason.value, ignore_na=False)


def contract(spec: StreamSpec, *, territory: Territory) -> Any:
    """Build the pandera contract of a stream for frames made by :func:`decode`.

    Every check bears the slug of the :class:`~ingest.quarantine.Reason` it stands for. A missing value fails
    ``missing_field`` where the field is required and nothing else.
    """
    start, end = territory.window
    columns: dict[str, Any] = {"wrong_type": pa.Column("str", slug_check(Reason.WRONG_TYPE, lambda s: s == ""))}
    for f in spec.described:
        required = [slug_check(Reason.MISSING_FIELD, lambda s: s.notna())] if f.required else []
        if f.kind == "time":
            shape = slug_check(Reason.NAIVE_TIME, lambda s: ~s.str.fullmatch(_LOCAL_TIME))
            columns[f"{f.name}_text"] = pa.Column("str", [*required, shape], nullable=True)
            columns[f.name] = pa.Column(
                "datetime64[us, UTC]",
                [
                    slug_check(Reason.IMPOSSIBLE_TIME, lambda s: s.notna()),
                    slug_check(Reason.TIME_OUT_OF_WINDOW, lambda s: s.isna() | ((s >= start) & (s < end))),
                ],
                nullable=True,
            )
        elif f.kind == "number":
            columns[f.name] = pa.Column(float, required, nullable=True)
        else:
            checks = list(required)
            if f.name == RECORD_ID:
                checks.append(slug_check(Reason.BAD_ID, lambda s: s.isna() | s.str.fullmatch(_ID)))
            if f.allowed:
                checks.append(slug_check(f.outside, lambda s, allowed=f.allowed: s.isna() | s.isin(allowed)))
            columns[f.name] = pa.Column("str", checks, nullable=True)
    columns["place"] = pa.Column(
        "str",
        [
            slug_check(reason, lambda s, slug=reason.value: s != slug)
            for reason in (Reason.SWAPPED_LONLAT, Reason.WRONG_CRS, Reason.OUT_OF_EXTENT, Reason.AT_SEA)
        ],
    )
    if spec.order is not None:
        columns["delay_s"] = pa.Column(
            float, slug_check(Reason.ENTRY_BEFORE_EVENT, lambda s: s.isna() | (s >= 0)), nullable=True
        )
    if INFORMANT in spec.lake_columns:
        columns["uncalled_informant"] = pa.Column(bool, slug_check(Reason.UNEXPECTED_INFORMANT, lambda s: ~s))
    return pa.DataFrameSchema(columns, name=spec.name)


def failures(frame: pd.DataFrame, spec: StreamSpec, *, territory: Territory) -> pd.DataFrame:
    """Hold ``frame`` to the contract; one line per failed check and row.

    Returns
    -------
    pandas.DataFrame
        ``row`` (position in ``frame``), ``column``, ``reason``; worst reason of a row first. Empty when all is well.
    """
    return broken_checks(frame, contract(spec, territory=territory))


def broken_checks(frame: pd.DataFrame, schema: Any) -> pd.DataFrame:
    """:func:`failures` for any schema whose checks bear the slugs of reasons."""
    empty = pd.DataFrame({"row": np.empty(0, np.int64), "column": [], "reason": []})
    if frame.empty:
        return empty
    try:
        schema.validate(frame.reset_index(drop=True), lazy=True)
    except pa.errors.SchemaErrors as broken:
        cases = broken.failure_cases
        found = pd.DataFrame(
            {"row": cases["index"].to_numpy(), "column": cases["column"].astype(str), "reason": cases["check"]}
        )
        known = found[found["reason"].isin(list(RANK))]
        if len(known) != len(found):  # a check of ours could not run: our bug, and it must not pass for bad data
            raise RuntimeError(
                f"the contract of {schema.name} could not be checked: {cases.head().to_dict()}"
            ) from None
        known = known.assign(row=known["row"].astype(np.int64), rank=known["reason"].map(RANK).astype(int))
        return known.sort_values(["row", "rank"], kind="stable").drop(columns="rank").reset_index(drop=True)
    return empty


def split(rows: pd.DataFrame, spec: StreamSpec, *, territory: Territory) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part rows that meet the contract from those that do not.

    Parameters
    ----------
    rows : pandas.DataFrame
        Raw rows: ``source_row``, ``raw`` and the raw fields, and any column to carry along (``source_file``).

    Returns
    -------
    good : pandas.DataFrame
        :func:`decode` of the rows that pass, beside ``raw``, ``source_row`` and the columns carried along.
    bad : pandas.DataFrame
        ``position`` in ``rows`` and ``reject``, one :class:`~ingest.quarantine.Reject` per row that does not pass.
    """
    rows = rows.reset_index(drop=True)
    frame = decode(rows, spec, territory=territory)
    broken = failures(frame, spec, territory=territory)
    return part(rows, frame, broken, spec, detail=lambda cases, row: _detail(cases, row, spec))


def part(
    rows: pd.DataFrame,
    frame: pd.DataFrame,
    broken: pd.DataFrame,
    spec: StreamSpec,
    *,
    detail: Callable[[pd.DataFrame, pd.Series], str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part decoded rows by the checks they broke; results as of :func:`split`."""
    carried = [c for c in rows.columns if c not in spec.fields]
    merged = pd.concat([rows[carried], frame], axis=1)
    if broken.empty:
        return merged, pd.DataFrame({"position": np.empty(0, np.int64), "reject": []})
    raws, numbers = rows[RAW].tolist(), rows[SOURCE_ROW].tolist()
    by_row = broken.groupby("row", sort=True)
    positions: list[int] = []
    rejects: list[Reject] = []
    for index in broken["row"].drop_duplicates().tolist():
        cases = by_row.get_group(index)
        positions.append(index)
        reason = Reason(cases["reason"].iloc[0])
        rejects.append(reject(numbers[index], reason, detail(cases, rows.iloc[index]), raws[index]))
    bad = pd.DataFrame({"position": np.asarray(positions, np.int64), "reject": pd.Series(rejects, dtype=object)})
    return merged.drop(index=positions).reset_index(drop=True), bad


def _detail(cases: pd.DataFrame, row: pd.Series, spec: StreamSpec) -> str:
    """What was seen, without personal values: every failed check with the raw values it looked at."""
    raw_names = {f.name: f.raw for f in spec.described if not f.personal}
    seen: list[str] = []
    for column, reason in zip(cases["column"], cases["reason"], strict=True):
        name = column.removesuffix("_text")
        if column == "place":
            looked = ["lon", "lat"]
        elif column == "delay_s" and spec.order is not None:
            looked = [raw_names[n] for n in spec.order]
        elif name in raw_names:
            looked = [raw_names[name]]
        else:
            looked = []
        values = ", ".join(f"{n}={str(row[n])[:60]!r}" for n in looked)
        seen.append(f"{reason}({values})")
    return "; ".join(dict.fromkeys(seen))[:1000]
