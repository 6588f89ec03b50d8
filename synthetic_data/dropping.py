"""Clean rows of any stream as the files a city would drop, with their dirt, and the count of that dirt.

Each row reaches the city at its ``t_drop``, and lies in the file of that day, ISO week, month or year of the local
calendar. A late row is right and lies in a later file. A row entered again lies in the file of the day it is entered
again. What reaches the city after the last day of the run is in the last file.

What it cannot tell you: whether a real city would have dropped the row at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from contrechamp.domain.streams import Period, StreamLayout
from synthetic_data import formats
from synthetic_data.city import City
from synthetic_data.faults import (
    DUPLICATE,
    EXTRA_ROW,
    LATE,
    MALFORMED,
    MISSING,
    NO_FAULT,
    REENTERED,
    Columns,
    IntArray,
    differently,
    draw_faults,
    fault_shares,
    order_fields,
    put,
    spoil_times,
    spoil_values,
)
from synthetic_data.scenario import LOCAL_TZ, Scenario

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Drop:
    """The files of one stream and the truth of their dirt.

    Attributes
    ----------
    stream : str
        Folder name.
    files : mapping of str to bytes
        Content by file name; what is named ``.gz`` is still to be compressed.
    dirt : mapping of str to int
        Number of records per fault, ``"clean"`` and ``"late"`` included; they sum to ``n_records``.
    n_records : int
        Records before any duplication.
    n_rows : int
        Rows in the files, headers left out: one per record plus one per duplicate.
    """

    stream: str
    files: Mapping[str, bytes]
    dirt: Mapping[str, int]
    n_records: int
    n_rows: int

    @property
    def n_valid(self) -> int:
        """Records that meet their contract, each counted once."""
        return sum(self.dirt.get(kind, 0) for kind in (*NO_FAULT, *EXTRA_ROW))


def drop(layout: StreamLayout, rows: pd.DataFrame, *, scenario: Scenario, city: City, rng: np.random.Generator) -> Drop:
    """Write the rows of a stream into its files, spoilt in the shares of the scenario's ``dirt``.

    Parameters
    ----------
    layout : StreamLayout
        One of :data:`contrechamp.domain.streams.LAYOUTS`.
    rows : DataFrame, shape (n_records, …)
        One column per field under its raw name, the point as ``x_m`` and ``y_m`` (EPSG:2154), and ``t_drop``
        (``datetime64[us, UTC]``), when the row reaches the city.
    scenario : Scenario
        Its ``dirt`` and its last day are used.
    city : City
        Where the sea is.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        If a field of the layout has no column.

    Notes
    -----
    A fault that one row cannot have (a point fault without a point, a disorder without a second time, a late row of
    the last file) leaves it clean. Without rows there is no file.
    """
    n = len(rows)
    columns = formats.columns_of(layout, rows)
    drop_us = pd.DatetimeIndex(rows["t_drop"]).as_unit("us").asi8
    fault, names = draw_faults(fault_shares(layout, scenario.dirt), n, rng=rng)
    fault = np.where(_unfit(layout, columns, fault, names), 0, fault)

    period = _period_of(drop_us, layout.period, scenario)
    last = int(period.max()) if n else 0
    if LATE in names:
        late = np.flatnonzero(fault == names.index(LATE))
        shift = rng.integers(1, 4, size=len(late))
        fault[late[period[late] + shift > last]] = 0  # no later file to come in
        moved = period[late] + shift <= last
        period[late[moved]] += shift[moved]

    at = {name: np.flatnonzero(fault == k) for k, name in enumerate(names)}
    again_us = drop_us + (rng.uniform(0.5, 72.0, n) * 3600).astype(np.int64) * 1_000_000
    cut = rng.uniform(0.2, 0.9, n)
    columns, missing = spoil_values(layout, columns, at, city=city, rng=rng)
    twice, other = at[DUPLICATE], at[REENTERED]
    columns = _stacked(layout, columns, twice, other, drop_us=drop_us, again_us=again_us)
    when = np.concatenate([drop_us, drop_us[twice], again_us[other]])
    again = np.maximum(np.minimum(_period_of(again_us[other], layout.period, scenario), last), period[other])
    period = np.concatenate([period, period[twice], again])

    order = np.lexsort((when, period))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    columns = {name: column.take(pa.array(order)) for name, column in columns.items()}
    sorted_at = {name: np.sort(place[rows_at]) for name, rows_at in at.items()}
    found, first = np.unique(period[order], return_index=True)
    edges = np.append(first, len(order))
    if layout.format == "parquet":
        contents = formats.parquet_files(layout, spoil_times(layout, columns, sorted_at), edges)
    else:
        columns = spoil_times(layout, formats.with_texts_for_times(layout, columns), sorted_at)
        text = formats.TextRows.write(layout, columns)
        spoilt = {int(place[i]): text.broken(int(place[i]), cut=float(cut[i])) for i in at[MALFORMED].tolist()}
        for k, (i, name) in enumerate(zip(at[MISSING].tolist(), missing, strict=True)):
            if k % 2:  # one in two has the key and no value
                spoilt[int(place[i])] = text.without_key(int(place[i]), name)
        where = np.array(sorted(spoilt), dtype=np.int64)
        contents = formats.text_files(layout, put(text.lines, where, [spoilt[i] for i in where.tolist()]), edges)
    ending = formats.ENDINGS[layout.format]
    files = {f"{_stem(layout, int(p))}.{ending}": c for p, c in zip(found.tolist(), contents, strict=True)}
    counts = np.bincount(fault, minlength=len(names)).tolist()
    return Drop(layout.key, files, dict(zip(names, counts, strict=True)), n, len(order))


def _unfit(layout: StreamLayout, columns: Columns, fault: IntArray, names: tuple[str, ...]) -> BoolArray:
    """Rows that cannot have the fault they drew."""
    unfit = np.zeros(len(fault), dtype=bool)
    if layout.has_point:
        nowhere = columns["lon"].is_null().to_numpy(zero_copy_only=False)
        point = [names.index(name) for name in ("wrong_crs", "swapped_lonlat", "at_sea")]
        unfit |= nowhere & np.isin(fault, point)
    if layout.order is not None:
        first, second = (columns[name].is_null().to_numpy(zero_copy_only=False) for name in order_fields(layout))
        unfit |= (first | second) & (fault == names.index("entry_before_event"))
    return unfit


def _stacked(
    layout: StreamLayout, columns: Columns, twice: IntArray, other: IntArray, *, drop_us: IntArray, again_us: IntArray
) -> Columns:
    """Columns followed by the rows that come twice, then by those entered again otherwise."""
    same = {name: column.take(pa.array(twice)) for name, column in columns.items()}
    changed = differently(layout, {name: column.take(pa.array(other)) for name, column in columns.items()})
    if layout.order is not None:  # a time of entry is that of the second entry
        name = order_fields(layout)[1]
        entered = pa.array(drop_us[other]).cast(changed[name].type)
        late = pa.array(again_us[other]).cast(changed[name].type)
        changed[name] = pc.if_else(pc.fill_null(pc.equal(changed[name], entered), False), late, changed[name])
    return {name: pa.concat_arrays([column, same[name], changed[name]]) for name, column in columns.items()}


def _period_of(t_us: IntArray, period: Period, scenario: Scenario) -> IntArray:
    """Number of the day, week, month or year of each instant on the local calendar, the run's last one at most."""
    end = (pd.Timestamp(scenario.time.start) + pd.Timedelta(days=scenario.time.n_days)).tz_localize(LOCAL_TZ)
    t_us = np.minimum(t_us, int(end.timestamp()) * 1_000_000 - 1)
    local = pd.DatetimeIndex(t_us.view("datetime64[us]")).tz_localize("UTC").tz_convert(LOCAL_TZ).tz_localize(None)
    if period == "once":
        return np.zeros(len(t_us), dtype=np.int64)
    unit = {"day": "D", "week": "D", "month": "M", "year": "Y"}[period]
    number = local.to_numpy().astype(f"datetime64[{unit}]").astype(np.int64)
    return (number + 3) // 7 if period == "week" else number  # 1 January 1970 was a Thursday


def _stem(layout: StreamLayout, period: int) -> str:
    """Name of a file, less its ending."""
    if layout.period == "once":
        return layout.prefix
    if layout.period == "week":
        iso = (dt.date(1970, 1, 1) + dt.timedelta(days=7 * period - 3)).isocalendar()
        return f"{layout.prefix}_{iso.year}-W{iso.week:02d}"
    unit = {"day": "D", "month": "M", "year": "Y"}[layout.period]
    return f"{layout.prefix}_{np.array([period]).astype(f'datetime64[{unit}]').astype(str)[0]}"
