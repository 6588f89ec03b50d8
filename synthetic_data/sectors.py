"""Patrol sectors: neighbouring quarters of one district that a crew covers together; and the three shifts.

What it cannot tell you: how a municipal police divides a real city. Sectors are cut by number of quarters, without
regard to roads, hills or who asked for what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse.csgraph import connected_components

from contrechamp.domain.columns import DISTRICT_ID
from contrechamp.domain.errors import bad_parameter
from synthetic_data.city import City, borders

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Quarters of a sector, about.
QUARTERS_EACH: Final = 4


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of eight hours, local time: its name, and the hours at which it opens and closes."""

    name: str
    start_h: int
    end_h: int


#: The three shifts of a day, in order; crew-hours are given by day, shift and quarter.
SHIFTS: Final = (Shift("night", 0, 8), Shift("day", 8, 16), Shift("evening", 16, 24))


@dataclass(frozen=True, eq=False)
class Sectors:
    """Patrol sectors of a city.

    Attributes
    ----------
    frame : DataFrame
        One row per sector: sector_id (district and letter), district_id, n_quarters, area_km2, population.
    of_quarter : ndarray of int, shape (n_quarters,)
        Row of ``frame`` to which each quarter belongs.
    """

    frame: pd.DataFrame
    of_quarter: IntArray


def make_sectors(city: City, *, quarters_each: int = QUARTERS_EACH) -> Sectors:
    """Group the quarters of each district into contiguous sectors of about ``quarters_each``; nothing is drawn.

    Raises
    ------
    ParameterError
        If ``quarters_each`` is not positive.
    """
    if quarters_each < 1:
        raise bad_parameter(name="quarters_each", where="make_sectors", must="a whole number of at least 1",
                            got=quarters_each)  # fmt: skip
    touching = borders(list(city.quarters.geometry)) > 1.0
    district = city.quarters[DISTRICT_ID].to_numpy()
    middle = shapely.get_coordinates(shapely.centroid(city.quarters.geometry.to_numpy()))
    of_quarter = np.full(len(district), -1, dtype=np.int64)
    rows: list[tuple[str, int]] = []
    for d in np.unique(district).tolist():
        own = np.flatnonzero(district == d)
        part = connected_components(touching[np.ix_(own, own)], directed=False)[1]
        letters = 0
        for p in range(int(part.max()) + 1):
            members = own[part == p]
            label = _grow(touching[np.ix_(members, members)], middle[members], each=quarters_each)
            for s in range(int(label.max()) + 1):
                of_quarter[members[label == s]] = len(rows)
                rows.append((f"S{d:02d}{_letters(letters)}", d))
                letters += 1
    n = len(rows)
    frame = pd.DataFrame(
        {
            "sector_id": pd.Series([name for name, _ in rows], dtype="str"),
            DISTRICT_ID: [d for _, d in rows],
            "n_quarters": np.bincount(of_quarter, minlength=n),
            "area_km2": np.round(np.bincount(of_quarter, city.area_km2, minlength=n), 4),
            "population": np.bincount(of_quarter, city.quarters["population"], minlength=n).astype(np.int64),
        }
    )
    return Sectors(frame, of_quarter)


def _letters(number: int) -> str:
    """A, B … Z, AA, AB …"""
    out = ""
    number += 1
    while number:
        number, last = divmod(number - 1, 26)
        out = chr(ord("A") + last) + out
    return out


def _grow(touching: npt.NDArray[np.bool_], xy_m: FloatArray, *, each: int) -> IntArray:
    """Cut a connected graph into connected parts of about ``each``, grown in turn from seeds far apart."""
    n = len(xy_m)
    gap = np.hypot(*(xy_m[:, None] - xy_m[None]).transpose(2, 0, 1))
    seeds = [int(np.argmax(gap.sum(axis=1)))]
    while len(seeds) < max(1, round(n / each)):
        seeds.append(int(np.argmax(gap[:, seeds].min(axis=1))))
    label = np.full(n, -1, dtype=np.int64)
    label[seeds] = np.arange(len(seeds))
    while (label < 0).any():  # the smallest part that can still grow takes the quarter nearest to its seed
        for part in np.argsort(np.bincount(label[label >= 0], minlength=len(seeds)), kind="stable").tolist():
            open_to = np.flatnonzero(touching[label == part].any(axis=0) & (label < 0))
            if len(open_to):
                label[open_to[np.argmin(gap[open_to, seeds[part]])]] = part
                break
    return label
