"""Which fined vehicles are towed away: trucks are asked for, more near markets and events, and they are few.

A request waits for a free truck; when the driver is back before it comes, nothing is towed. How many requests there are
is tuned so that the run has the scenario's number of removals, as far as trucks allow.

What it cannot tell you: how trucks are sent. All are alike, first come first served, and the way takes no time of its
own.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_data.clock import DAY_US
from synthetic_data.fines import FINE_CODES

if TYPE_CHECKING:
    from synthetic_data.world import World

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Why a vehicle is towed, by what it was fined for, and how readily a truck is asked for. Assumptions.
MOTIVES: Final[Mapping[str, tuple[str, float]]] = {
    "STAT-GENANT": ("genant", 0.6), "STAT-TRES-GENANT": ("tres_genant", 1.0), "STAT-DANGEREUX": ("dangereux", 1.5),
    "STAT-PAYANT": ("abusif", 0.03),
}  # fmt: skip
#: An event clears the streets within this distance, from this long before it begins. Assumptions.
EVENT_M: Final = 300.0
EVENT_BEFORE_US: Final = 3 * 3600 * 1_000_000
_MINUTE_US: Final = 60_000_000
#: In place of an instant. Instants before 1970 are negative too.
_NOT_SERVED: Final = -1


@dataclass(frozen=True, eq=False)
class Removals:
    """Vehicles towed away, in order of time.

    Attributes
    ----------
    fine : ndarray of int
        Fine that each follows, a row of ``World.fines``.
    t_us : ndarray of int
        When the vehicle was taken.
    motive : ndarray of str
    n_requested : int
        Requests made; the others of them waited too long.
    """

    fine: IntArray
    t_us: IntArray
    motive: npt.NDArray[np.object_]
    n_requested: int


def draw_removals(world: World, *, rng: np.random.Generator) -> Removals:
    """Draw requests for trucks among the fines of agents, and let the trucks serve them."""
    plan, fines = world.scenario.fines, world.fines
    words = np.array([MOTIVES.get(code, ("", 0.0))[0] for code in FINE_CODES], dtype=object)
    ready = np.array([MOTIVES.get(code, ("", 0.0))[1] for code in FINE_CODES])[fines.code] * ~fines.camera
    candidate = np.flatnonzero(ready > 0)
    market, event = _near_events(world, candidate)
    motive = np.where(market, "marche", np.where(event, "evenement", words[fines.code[candidate]]))
    weight = ready[candidate] * (1.0 + plan.event_pull * (market | event))
    asked_us = fines.t_us[candidate] + (rng.uniform(1, 10, len(candidate)) * _MINUTE_US).astype(np.int64)
    order = np.argsort(asked_us, kind="stable")
    candidate, motive, weight, asked_us = candidate[order], motive[order], weight[order], asked_us[order]
    busy_us = (plan.tow_minutes * np.exp(0.3 * rng.standard_normal(len(candidate))) * _MINUTE_US).astype(np.int64)
    when = rng.random(len(candidate)) / weight  # requested once requests are as frequent as this
    patience_us = int(plan.tow_patience_min * _MINUTE_US)

    def served(rate: float) -> tuple[IntArray, IntArray]:
        asked = np.flatnonzero(when <= rate)
        return asked, serve(asked_us[asked], busy_us[asked], n_trucks=plan.tow_trucks, patience_us=patience_us)

    target = round(plan.removals_per_day * world.scenario.time.n_days)
    low, high = 0.0, float(when.max(initial=0.0))
    if (served(high)[1] != _NOT_SERVED).sum() > target:
        for _ in range(30):
            middle = (low + high) / 2
            if (served(middle)[1] != _NOT_SERVED).sum() < target:
                low = middle
            else:
                high = middle
    asked, taken_us = served(high)
    done = np.flatnonzero(taken_us != _NOT_SERVED)
    done = done[np.argsort(taken_us[done], kind="stable")]
    rows = asked[done]
    return Removals(candidate[rows], taken_us[done], motive[rows], len(asked))


def serve(asked_us: IntArray, busy_us: IntArray, *, n_trucks: int, patience_us: int) -> IntArray:
    """Serve requests, in order of time, by the first truck free; -1 for one that would wait beyond its patience.

    Parameters
    ----------
    asked_us, busy_us : ndarray of int, shape (n,)
        When each truck is asked for, and how long it is busy with it.

    Returns
    -------
    ndarray of int, shape (n,)
        When the vehicle is taken: half-way through the work.

    Examples
    --------
    >>> serve(np.array([0, 10, 20]), np.array([100, 100, 100]), n_trucks=1, patience_us=90).tolist()
    [50, 150, -1]
    """
    out = np.full(len(asked_us), _NOT_SERVED, dtype=np.int64)
    if n_trucks == 0:
        return out
    free = [int(asked_us.min(initial=0))] * min(n_trucks, max(len(asked_us), 1))
    for i, (asked, busy) in enumerate(zip(asked_us.tolist(), busy_us.tolist(), strict=True)):
        start = max(asked, free[0])
        if start - asked <= patience_us:
            heapq.heapreplace(free, start + busy)
            out[i] = start + busy // 2
    return out


def _near_events(world: World, fine: IntArray) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether each fine (in order of time) lies near a market, and near another declared event that draws a crowd."""
    city, fines = world.city, world.fines
    x, y, t = city.site_x_m[fines.site[fine]], city.site_y_m[fines.site[fine]], fines.t_us[fine]
    held = crowds(world)
    first = np.searchsorted(t, held["t_start_us"].to_numpy() - EVENT_BEFORE_US)
    last = np.searchsorted(t, held["t_end_us"].to_numpy(), side="right")
    near = {True: np.zeros(len(fine), dtype=bool), False: np.zeros(len(fine), dtype=bool)}
    columns = (first, last, held["x_m"].to_numpy(), held["y_m"].to_numpy(), (held["kind"] == "market").to_numpy())
    for a, b, ex, ey, market in zip(*(c.tolist() for c in columns), strict=True):
        near[market][a:b] |= np.hypot(x[a:b] - ex, y[a:b] - ey) <= EVENT_M
    return near[True], near[False]


def crowds(world: World) -> pd.DataFrame:
    """Declared events of a day or less that draw a crowd."""
    held = world.calendar
    short = held["t_end_us"] - held["t_start_us"] <= DAY_US
    return held[held["authorised"] & short & (held["expected_crowd"] > 0)]
