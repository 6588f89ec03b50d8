"""Street lighting: lamps along the streets, their failures, and the state that the service believes them in.

A lamp that fails is found when a resident calls or when the service passes on its round; until then the file says that
it is on. Where fewer people call, lamps stay dark longer and look brighter on file.

What it cannot tell you: how dark a street is. The file says what is known of its lamps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from synthetic_data.clock import DAY_US, local_to_utc_us
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.dense import FloatArray, IntArray, spoken
from synthetic_data.streams.draws import HOUR_US, BoolArray, next_call, rows, run_us

if TYPE_CHECKING:
    from synthetic_data.world import World

STATES: Final = ("on", "dim", "off")
# Light under a lamp by class of road, how it follows the lighting of the quarter, and what is left of it. Assumptions.
_LUX: Final = {"main": 26.0, "secondary": 16.0, "local": 9.0}
_WEIGHT: Final = {"main": 2.0, "secondary": 1.5, "local": 1.0}
_DARKEST: Final = 0.35
_DIMMED: Final = 0.4
_LOG_SD: Final = 0.15
_SETBACK_M: Final = 4.0


@dataclass(frozen=True, eq=False)
class Lamps:
    """Lamps and their failures.

    Attributes
    ----------
    frame : DataFrame
        One row per lamp: lamp (identifier), x_m, y_m (EPSG:2154), quarter (row), lux (when it is on).
    lamp : ndarray of int
        Lamp of each failure, a row of ``frame``.
    failed_us, known_us, fixed_us : ndarray of int
        When it failed, when the service knew, when it was repaired; microseconds of UTC.
    called : ndarray of bool
        Whether a resident reported it; the round found the others.
    dim : ndarray of bool
        Whether it dimmed rather than went out.
    """

    frame: pd.DataFrame
    lamp: IntArray
    failed_us: IntArray
    known_us: IntArray
    fixed_us: IntArray
    called: BoolArray
    dim: BoolArray


def calling(world: World) -> FloatArray:
    """How readily residents of each quarter call the town hall, mean 1 over residents; shape (n_quarters,)."""
    out = np.exp(world.scenario.services.calling_gradient * standard_poverty(world))
    residents = world.city.quarters["population"].to_numpy(dtype=np.float64)
    return np.asarray(out / np.average(out, weights=np.maximum(residents, 1e-9)), dtype=np.float64)


def draw_lamps(world: World) -> Lamps:
    """Draw the lamps of a world and their failures from its own random stream, the same for whoever asks.

    Failures before day 0 that may still be unknown or unrepaired then are drawn too.
    """
    plan, rng = world.scenario.services, stream(world.seed, "world", "lamps")
    frame = _place(world, rng=rng)
    opening, end = run_us(world)
    before = int((2 * plan.fault_tour_days + 20 * plan.fault_fix_days) * DAY_US)
    n = int(rng.poisson(plan.faults_per_day * (end - opening + before) / DAY_US)) if len(frame) else 0
    failed = np.sort(opening - before + np.floor(rng.random(n) * (end - opening + before)).astype(np.int64))
    lamp = rng.integers(max(len(frame), 1), size=n)
    quarter = frame["quarter"].to_numpy(dtype=np.int64)[lamp]
    wait = plan.fault_report_days / calling(world)[quarter] * rng.standard_exponential(n)
    phase = rng.random(len(world.city.quarters))[quarter]
    tour = plan.fault_tour_days * (1 - (failed / DAY_US / plan.fault_tour_days + phase) % 1.0)
    late = np.exp(plan.fix_gradient * standard_poverty(world))[quarter] * np.exp(0.6 * rng.standard_normal(n))
    day = (failed + (wait * DAY_US).astype(np.int64) - opening) // DAY_US
    reported, round_us = next_call(world, day, rng=rng), failed + (tour * DAY_US).astype(np.int64)
    called, known = reported < round_us, np.minimum(reported, round_us)
    fixed = known + (plan.fault_fix_days * late * DAY_US).astype(np.int64)
    failed, known, fixed = (t // 1_000_000 * 1_000_000 for t in (failed, known, fixed))
    return Lamps(frame, lamp, failed, known, fixed, called, rng.random(n) < plan.dim_share)


def eclairage(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the state file of the lamps: on day 0 and on each first of the month, what the service believes (D22)."""
    lamps = draw_lamps(world)
    times = _files(world)
    n, m = len(lamps.frame), len(times)
    state = np.zeros((m, n), dtype=np.int64)
    for i, t in enumerate(times.tolist()):
        down = (lamps.known_us <= t) & (lamps.fixed_us > t)
        state[i, lamps.lamp[down & lamps.dim]] = STATES.index("dim")
        state[i, lamps.lamp[down & ~lamps.dim]] = STATES.index("off")
    lux = lamps.frame["lux"].to_numpy() * np.exp(0.05 * rng.standard_normal((m, n)) - 0.05**2 / 2)
    lux = lux * np.array([1.0, _DIMMED, 0.0])[state]
    when = np.repeat(times, n)
    return rows(
        "eclairage",
        {
            "lamp": pd.Series(np.tile(lamps.frame["lamp"].to_numpy(dtype=object), m), dtype="str"), "t": when,
            "x_m": np.tile(lamps.frame["x_m"].to_numpy(), m), "y_m": np.tile(lamps.frame["y_m"].to_numpy(), m),
            "state": spoken(state.ravel(), STATES), "lux": np.round(lux.ravel(), 2),
        },
        t_drop_us=when + 6 * HOUR_US,
    )  # fmt: skip


def _files(world: World) -> IntArray:
    """Local midnights of day 0 and of each first of the month after it."""
    n_days = world.scenario.time.n_days
    dates = pd.date_range(world.scenario.time.start, periods=n_days, freq="D")
    days = np.flatnonzero((dates.day == 1) | (np.arange(n_days) == 0))
    return local_to_utc_us(world.scenario, days, np.zeros(len(days), dtype=np.int64))


def _place(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Put lamps along the streets, closer together on main roads; at addresses where there is no street."""
    city, edges, nodes = world.city, world.streets.edges, world.streets.nodes
    n = world.scenario.services.n_lamps
    sites = np.column_stack([city.site_x_m, city.site_y_m])
    if len(edges):
        weight = edges["length_m"].to_numpy() * edges["road_class"].map(_WEIGHT).to_numpy(dtype=np.float64)
        edge = rng.choice(len(edges), size=n, p=weight / weight.sum())
        ends = nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)[edges[["u", "v"]].to_numpy()[edge]]
        along = ends[:, 1] - ends[:, 0]
        across = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
        side = _SETBACK_M * rng.choice([-1.0, 1.0], size=n)[:, None]
        xy = np.round(ends[:, 0] + along * rng.random(n)[:, None] + side * across, 1)
        road = edges["road_class"].map(_LUX).to_numpy(dtype=np.float64)[edge]
    else:
        xy, road = sites[rng.integers(len(sites), size=n)], np.full(n, _LUX["local"])
    nearest = cKDTree(sites).query(xy)[1]
    wet = city.grid.cell_of(xy[:, 0], xy[:, 1]) < 0
    xy[wet] = sites[nearest[wet]]
    quarter = city.site_quarter[nearest]
    lit = city.quarters["lighting"].to_numpy(dtype=np.float64)[quarter]
    lux = road * (_DARKEST + (1 - _DARKEST) * lit) * np.exp(_LOG_SD * rng.standard_normal(n))
    return pd.DataFrame(
        {
            "lamp": pd.Series([f"L{i + 1:06d}" for i in range(n)], dtype="str"),
            "x_m": xy[:, 0], "y_m": xy[:, 1], "quarter": quarter, "lux": lux,
        }
    )  # fmt: skip


DATASHEETS: Final = (
    Datasheet(
        key="eclairage",
        title=Text(fr="Éclairage public", en="Street lighting"),
        invented=Text(
            fr="Les lampadaires le long des rues, leur lumière selon la voie et le quartier, les pannes, leur "
            "signalement par les riverains ou la tournée, leur réparation. Une panne inconnue figure « on ».",
            en="The lamps along the streets, their light by road and quarter, the failures, their reporting by "
            "residents or by the round, their repair. A failure that nobody reported reads “on”.",
        ),
        anchor=Text(
            fr="Aucune : environ 20 pannes par jour est une hypothèse, comme le nombre de lampadaires.",
            en="None: about 20 failures a day is an assumption, and so is the number of lamps.",
        ),
        leaves_out=Text(
            fr="Un lampadaire sur dix environ est tiré ; ni vitrines, ni coupures de réseau, ni extinctions voulues.",
            en="About one lamp in ten is drawn; no shop windows, power cuts or chosen blackouts.",
        ),
    ),
)
