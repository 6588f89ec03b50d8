"""What goes wrong between the hand that typed a row and the file that carries it: one fault per row at most.

The shares are those of the scenario's ``dirt`` section. A fault that a stream cannot have is not drawn: no point
faults without a point, no time out of order without two times that follow each other, no impossible date where the
format only holds instants. At most one fault per row, so that what a reader must find is known exactly.

What it cannot tell you: real files are dirty in ways nobody listed. These are the listed ones, and they fall by lot,
where real dirt has its habits (one keyboard, one shift, one export).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyproj import Transformer

from contrechamp.domain.columns import CRS_LONLAT, CRS_M
from contrechamp.domain.streams import Field, StreamLayout
from synthetic_data.city import City
from synthetic_data.geography import points_within
from synthetic_data.plans.police import DirtPlan

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
#: Columns of a stream by raw name, of one length.
Columns: TypeAlias = dict[str, Any]

CLEAN: Final = "clean"
LATE: Final = "late"
DUPLICATE: Final = "exact_duplicate"
REENTERED: Final = "reentered"
MISSING: Final = "missing_field"
MALFORMED: Final = "malformed"
#: Faults that add a row, and those that are none: the row is right (and may only come late).
EXTRA_ROW: Final = (DUPLICATE, REENTERED)
NO_FAULT: Final = (CLEAN, LATE)

#: What an ``impossible_time`` becomes, in equal parts, as far as the layout allows.
YEARS: Final[Mapping[str, str]] = {"time_1870": "1870", "time_2999": "2999"}
NO_SUCH_DATE: Final = "no_such_date"
DISORDER: Final = "entry_before_event"
_POINT: Final = ("wrong_crs", "swapped_lonlat", "at_sea")
#: Appended to a word of a vocabulary, it makes a word of none.
STRANGE: Final = "xyz"


def fault_shares(layout: StreamLayout, plan: DirtPlan) -> dict[str, float]:
    """Share of each fault that the layout can have, in drawing order; those of share 0 are kept.

    Examples
    --------
    >>> from contrechamp.domain.streams import LAYOUTS
    >>> from synthetic_data.scenario import Scenario
    >>> list(fault_shares(LAYOUTS["presence_telecom"], Scenario.load().dirt))
    ['missing_field', 'exact_duplicate', 'reentered', 'late', 'time_1870', 'time_2999']
    """
    text = layout.format != "parquet"
    shares = {MISSING: plan.missing_field}
    if text:
        shares[MALFORMED] = plan.malformed
    if layout.has_point:
        shares |= {name: float(getattr(plan, name)) for name in _POINT}
    shares |= {DUPLICATE: plan.exact_duplicate, REENTERED: plan.reentered}
    if layout.period != "once":
        shares[LATE] = plan.late
    times = [*YEARS, *([NO_SUCH_DATE] if text else []), *([DISORDER] if layout.order else [])]
    shares |= dict.fromkeys(times, plan.impossible_time / len(times))
    reasons = tuple(dict.fromkeys(f.outside for f in layout.fields if f.allowed))
    return shares | dict.fromkeys(reasons, plan.unknown_type / max(len(reasons), 1))


def draw_faults(shares: Mapping[str, float], n: int, *, rng: np.random.Generator) -> tuple[IntArray, tuple[str, ...]]:
    """Draw the fault of each of ``n`` rows: an index in the names returned, 0 for a clean row."""
    edges = np.cumsum(list(shares.values()))
    fault = np.searchsorted(edges, rng.random(n), side="right") + 1
    return np.where(fault > len(shares), 0, fault).astype(np.int64), (CLEAN, *shares)


def put(column: Any, at: IntArray, values: Iterable[Any]) -> Any:
    """Copy of a column with ``values`` at the rows ``at`` (in increasing order)."""
    if not len(at):
        return column
    mask = np.zeros(len(column), dtype=bool)
    mask[at] = True
    given = values if isinstance(values, pa.Array) else pa.array(list(values), type=column.type)
    return pc.replace_with_mask(column, pa.array(mask), given)


def spoil_values(
    layout: StreamLayout, columns: Columns, rows: Mapping[str, IntArray], *, city: City, rng: np.random.Generator
) -> tuple[Columns, list[str]]:
    """Spoil what can be spoilt in typed columns, times of impossible years left to :func:`spoil_times`.

    Parameters
    ----------
    columns : mapping of str to pyarrow.Array
        By raw name, ``x_m`` and ``y_m`` included where there is a point.
    rows : mapping of str to ndarray of int
        Rows of each fault, increasing.

    Returns
    -------
    columns : dict
        With the faults put in.
    missing : list of str
        Field that each row of the fault ``missing_field`` has lost.
    """
    out = dict(columns)
    if (wet := rows.get("at_sea", _NONE)).size:
        lon, lat = degrees(*_off_land(city, len(wet), rng=rng))
        out["lon"], out["lat"] = put(out["lon"], wet, pa.array(lon)), put(out["lat"], wet, pa.array(lat))
    if (metres := rows.get("wrong_crs", _NONE)).size:
        for name, source in (("lon", "x_m"), ("lat", "y_m")):
            values = np.round(out[source].take(pa.array(metres)).to_numpy(), 1)
            out[name] = put(out[name], metres, pa.array(values))
    if (turned := rows.get("swapped_lonlat", _NONE)).size:
        lon, lat = out["lon"].take(pa.array(turned)), out["lat"].take(pa.array(turned))
        out["lon"], out["lat"] = put(out["lon"], turned, lat), put(out["lat"], turned, lon)
    if layout.order is not None and (crossed := rows.get(DISORDER, _NONE)).size:
        before, after = order_fields(layout)
        first, second = (out[name].take(pa.array(crossed)) for name in (before, after))
        wait = pa.array((rng.uniform(0.5, 72.0, len(crossed)) * 3600).astype("m8[s]").astype("m8[us]"))
        out[before] = put(out[before], crossed, pc.add(second, wait))
        out[after] = put(out[after], crossed, first)
    for reason in dict.fromkeys(f.outside for f in layout.fields if f.allowed):
        strange = rows.get(reason, _NONE)
        fields = [f.raw for f in layout.fields if f.allowed and f.outside == reason]
        which = rng.integers(len(fields), size=len(strange))
        for k, name in enumerate(fields):
            at = strange[which == k]
            said = out[name].take(pa.array(at)).to_pylist()
            out[name] = put(out[name], at, [STRANGE if word is None else f"{word}_{STRANGE}" for word in said])
    lost = rows.get(MISSING, _NONE)
    required = [f.raw for f in layout.fields if f.required]
    which = rng.integers(len(required), size=len(lost))
    for k, name in enumerate(required):
        out[name] = put(out[name], lost[which == k], [None] * int((which == k).sum()))
    return out, [required[k] for k in which.tolist()]


def spoil_times(layout: StreamLayout, columns: Columns, rows: Mapping[str, IntArray]) -> Columns:
    """Put times in the wrong century, or on the thirtieth of February where the columns are texts."""
    out = dict(columns)
    for fault in (*YEARS, NO_SUCH_DATE):
        at = rows.get(fault, _NONE)
        for name in (f.raw for f in layout.fields if f.kind == "time"):
            out[name] = put(out[name], at, _misdated(out[name].take(pa.array(at)), fault))
    return out


def differently(layout: StreamLayout, columns: Columns) -> Columns:
    """Say something else of the same thing: rows of the same identity whose content differs, and is still valid."""
    field = _field_to_change(layout)
    column, out = columns[field.raw], dict(columns)
    if field.allowed:
        place = pc.index_in(column, pa.array(field.allowed)).to_numpy(zero_copy_only=False).astype(np.int64)
        changed = pa.array(np.array(field.allowed, dtype=object)[(place + 1) % len(field.allowed)], type=column.type)
    elif field.kind in ("integer", "number"):
        values = column.to_numpy(zero_copy_only=False)
        changed = pa.array(np.where(values + 1 <= field.high, values + 1, values - 1), type=column.type)
    elif field.kind == "flag":
        changed = pc.invert(column)
    else:
        changed = pc.binary_join_element_wise(column, "bis", " ")
    out[field.raw] = changed
    return out


def order_fields(layout: StreamLayout) -> tuple[str, str]:
    """Raw names of the two times that follow each other."""
    assert layout.order is not None
    raw = {f.name: f.raw for f in layout.fields}
    return raw[layout.order[0]], raw[layout.order[1]]


_NONE: Final = np.empty(0, dtype=np.int64)


def _field_to_change(layout: StreamLayout) -> Field:
    """The field in which two rows of one identity may differ: a word of a vocabulary, else a number, a flag, a text."""
    free = [f for f in layout.fields if f.required and f.raw not in (*layout.identity, "lon", "lat") and not f.person]
    choices = (
        [f for f in free if len(f.allowed) > 1],
        [f for f in free if f.kind in ("integer", "number")],
        [f for f in free if f.kind == "flag"],
        [f for f in free if f.kind == "text" and not f.allowed],
    )
    for fields in choices:
        if fields:
            return fields[0]
    raise ValueError(f"rows of {layout.key} cannot differ under one identity")


def _misdated(times: Any, fault: str) -> Any:
    """Times with their year, or their day, made impossible; instants for instants, texts for texts."""
    if pa.types.is_timestamp(times.type):
        moved = [
            None if t is None else t.replace(year=int(YEARS[fault]), day=min(t.day, 28))
            for t in times.cast(pa.timestamp("us")).to_pylist()
        ]
        epoch = dt.datetime(1970, 1, 1)
        micro = dt.timedelta(microseconds=1)
        return pa.array([None if t is None else (t - epoch) // micro for t in moved], pa.int64()).cast(times.type)
    return pa.array([None if s is None else _misdate(s, fault) for s in times.to_pylist()], type=times.type)


def _misdate(stamp: str, fault: str) -> str:
    if fault == NO_SUCH_DATE:
        return f"{stamp[:5]}02-30{stamp[10:]}"
    day = min(stamp[8:10], "28")  # the years of no sense are not leap years
    return f"{YEARS[fault]}{stamp[4:8]}{day}{stamp[10:]}"


def degrees(x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """EPSG:2154 metres to degrees, to the sixth decimal; NaN where there is no point."""
    lon, lat = np.full(len(x_m), np.nan), np.full(len(x_m), np.nan)
    here = np.isfinite(x_m) & np.isfinite(y_m)
    if here.any():
        at = Transformer.from_crs(CRS_M, CRS_LONLAT, always_xy=True).transform(x_m[here], y_m[here])
        lon[here], lat[here] = np.round(at[0], 6), np.round(at[1], 6)
    return lon, lat


def _off_land(city: City, n: int, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw points off the land but within its frame, where there is room for them.

    They keep clear of the shore by more than a reader who only has the outline cell by cell can be mistaken.
    """
    west, south, east, north = city.land.bounds
    x0, reach = city.centre_m[0], max(0.05 * float(np.sqrt(city.land.area)), 2.5 * city.grid.cell_m)
    dry = city.land.buffer(reach)
    off = shapely.box(west, south, x0, north).difference(dry)
    if off.area <= 0:  # a small land leaves no room to the west
        off = shapely.box(x0, south, east, north).difference(dry)
    if off.area <= 0:  # a land as square as its frame leaves none at all
        off = shapely.box(west, south, east, north).buffer(2000 + reach).difference(dry)
    at = points_within(off, n=n, rng=rng)
    return at[:, 0], at[:, 1]
