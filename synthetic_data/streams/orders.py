"""The patrol plan as orders of mission: so many crews to a sector for a shift, from when to when.

The hours ordered for a sector and a shift are those done there, up to a slippage. Camera operators have an order too.

What it cannot tell you: where within its sector a crew goes, and whether it went at all. Quarters of one sector cannot
be told apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import DISTRICT_ID
from synthetic_data.clock import instants, local_to_utc_us
from synthetic_data.incidents import words
from synthetic_data.sectors import SHIFTS, Sectors, make_sectors
from synthetic_data.streams.towing import crowds

if TYPE_CHECKING:
    from synthetic_data.world import World

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Zone and unit of the room where the cameras are watched.
CAMERA_ROOM: Final = "CSU"
_SHIFT_H: Final = 8.0
#: Longest order: a crew may stay an hour beyond its shift. Assumption.
LONGEST_H: Final = 9.0
_MISSIONS: Final = ("patrouille", "ilotage", "stationnement", "evenement", "marche", "video")
#: Law of the first three by day and at night. Assumption.
_LAW: Final = {False: (0.60, 0.20, 0.20), True: (0.85, 0.15, 0.0)}
_MINUTE_US: Final = 60_000_000


def sector_hours(hours: FloatArray, sectors: Sectors) -> FloatArray:
    """Sum crew-hours by sector; shape (n_days, 3, n_sectors)."""
    belongs = sectors.of_quarter[:, None] == np.arange(len(sectors.frame))
    return np.asarray(hours @ belongs.astype(np.float64), dtype=np.float64)


def draw_orders(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw orders of mission, in order of shift.

    Returns
    -------
    DataFrame
        Columns of the stream ``ordres_mission``, and ``t_drop``: an order is filed when its shift opens.

    Notes
    -----
    There is one order at least for every sector and shift with any hours, and none longer than :data:`LONGEST_H`; so
    there may be more orders than ``patrols.orders_per_day`` in a city of many sectors. Every order begins within its
    shift.
    """
    plan, n_days = world.scenario.patrols, world.scenario.time.n_days
    sectors = make_sectors(world.city)
    done = sector_hours(world.hours, sectors)
    noise = rng.standard_normal(done.shape)
    log_sd = np.sqrt(np.log1p(plan.order_slippage**2))
    ordered = done * np.exp(log_sd * noise - log_sd**2 / 2)
    n_video = n_days * len(SHIFTS) * (world.scenario.recording.n_operators > 0)
    crews = _crews(ordered, n_orders=plan.orders_per_day * n_days - n_video, rng=rng)

    day, shift, sector = (np.repeat(a.ravel(), crews.ravel()) for a in np.indices(crews.shape))
    n = len(day)
    minutes = np.maximum(np.round(60 * (ordered / np.maximum(crews, 1))[day, shift, sector]), 1).astype(np.int64)
    late = np.floor(rng.random(n) * np.maximum(60 * _SHIFT_H - minutes + 1, 1)).astype(np.int64)
    opens = _openings(world)[day * 3 + shift]
    mission = _missions(world, day, shift, sector, sectors, rng=rng)
    busy = np.isin(mission, (3, 4))
    district = sectors.frame[DISTRICT_ID].to_numpy()[sector]
    zone = words(sector, sectors.frame["sector_id"].tolist())
    crew = rng.integers(1, 7, size=n)
    frame = pd.DataFrame(
        {
            "unit": pd.Series(
                [f"PM{d:02d}-{k}" for d, k in zip(district.tolist(), crew.tolist(), strict=True)], dtype="str"
            ),
            "t_start": opens + late * _MINUTE_US,
            "t_end": opens + (late + minutes) * _MINUTE_US,
            "zone": zone,
            "mission": words(mission, _MISSIONS),
            "n_officers": np.where(busy, rng.integers(4, 9, size=n), rng.integers(2, 5, size=n)),
            "t_drop": opens,
        }
    )
    if n_video:
        room = _openings(world)[:n_video]
        video = {
            "unit": CAMERA_ROOM, "t_start": room, "t_end": room + int(60 * _SHIFT_H) * _MINUTE_US, "zone": CAMERA_ROOM,
            "mission": "video", "n_officers": world.scenario.recording.n_operators, "t_drop": room,
        }  # fmt: skip
        frame = pd.concat([frame, pd.DataFrame(video).astype(frame.dtypes)], ignore_index=True)
    frame = frame.sort_values("t_drop", kind="stable", ignore_index=True)
    year = world.scenario.time.start[:4]
    frame.insert(0, "id", pd.Series([f"OM{year}-{i:07d}" for i in range(1, len(frame) + 1)], dtype="str"))
    for name in ("t_start", "t_end", "t_drop"):
        frame[name] = instants(frame[name].to_numpy(dtype=np.int64))
    return frame


def _crews(hours: FloatArray, *, n_orders: float, rng: np.random.Generator) -> IntArray:
    """How many orders share the hours of each sector and shift: about ``n_orders`` in all."""
    u = rng.random(hours.shape)
    least = np.maximum(np.ceil(hours / LONGEST_H), hours > 0)

    def cut(each_h: float) -> FloatArray:
        return np.maximum(np.floor(hours / each_h + u), least)

    low, high = 1e-3, 1e3
    for _ in range(60):
        middle = np.sqrt(low * high)
        if cut(middle).sum() > n_orders:
            low = middle
        else:
            high = middle
    return cut(high).astype(np.int64)


def _openings(world: World) -> IntArray:
    """Instant at which each shift opens, that of the first day after the run included; shape (3 * n_days + 1,)."""
    day, shift = np.divmod(np.arange(3 * world.scenario.time.n_days + 1), 3)
    return local_to_utc_us(world.scenario, day, shift * int(_SHIFT_H * 3600))


def _missions(
    world: World, day: IntArray, shift: IntArray, sector: IntArray, sectors: Sectors, *, rng: np.random.Generator
) -> IntArray:
    """Mission of each order; the first one of a sector and shift with a market or an event is for that."""
    u = rng.random(len(day))
    by_day = np.searchsorted(np.cumsum(_LAW[False]), u, side="right").clip(0, 2)
    by_night = np.searchsorted(np.cumsum(_LAW[True]), u, side="right").clip(0, 1)
    out = np.where(shift == 0, by_night, by_day)
    edges = _openings(world)
    held = crowds(world)
    n_shifts, n_sectors = len(edges) - 1, len(sectors.frame)
    first = np.clip(np.searchsorted(edges, held["t_start_us"], side="right") - 1, 0, n_shifts)
    last = np.clip(np.searchsorted(edges, held["t_end_us"], side="left"), first, n_shifts)
    row = np.repeat(np.arange(len(held)), last - first)
    slot = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    where = slot * n_sectors + sectors.of_quarter[held["quarter"].to_numpy()[row]]
    market = (held["kind"] == "market").to_numpy()[row]
    wanted = np.zeros(n_shifts * n_sectors, dtype=np.int64)
    wanted[where[~market]] = _MISSIONS.index("evenement")
    wanted[where[market]] = _MISSIONS.index("marche")
    place = (day * 3 + shift) * n_sectors + sector
    is_first = np.diff(place, prepend=-1) != 0
    return np.where(is_first & (wanted[place] > 0), wanted[place], out).astype(np.int64)
