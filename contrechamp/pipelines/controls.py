"""Cities where there is nothing to find, and cities where something was planted: what the looks of an audit say there.

The negative control is the preset ``equal-city`` without patrols in its log, so without a loop: same chances
everywhere, and what patrols do changes nothing that is known. A map is learnt from its records and patrols are sent by
it all the same, and every look of :data:`fairness.controls.LOOKS` is turned on the two halves of the city. Each may
find something at its nominal rate, no more. The positive control is the same city, where part of the incidents of one
half are kept out of the log.

What it cannot tell you: that an audit silent here is right elsewhere. It bounds one way of being wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import count_cube
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.rng import stream
from fairness.allocation import Allocation, Sharing, allocate
from fairness.controls import LOOKS, look_everywhere
from fairness.intervals import rate_interval
from fairness.multiplicity import holm
from models import load_predictor
from synthetic_data.incidents import draw_incidents
from synthetic_data.patrols import draw_patrols
from synthetic_data.recording import draw_records
from synthetic_data.scenario import Scenario
from synthetic_data.world import World, draw_world

#: What makes ``equal-city`` small enough to draw a thousand times, and without patrols in its log.
SMALL: Final[dict[str, Any]] = {
    "time.n_days": 56, "city.population": 60_000, "city.sites_per_cell": 8, "city.n_quarters": 40,
    "city.n_districts": 6, "incidents.latent_per_day": 240.0, "recording.records_per_day": 80.0,
    "recording.patrol_sight": 0.0,
}  # fmt: skip
#: Days of records before the first map.
HISTORY_DAYS: Final = 28
#: Side of a sector, in metres.
SECTOR_M: Final = 4_000.0
#: Draws of the null behind a p-value: five out of a hundred are then exactly 5 %.
N_DRAWS: Final = 99
NOMINAL: Final = 0.05


@dataclass(frozen=True, eq=False)
class Control:
    """What the looks found over many cities.

    Attributes
    ----------
    p_values : DataFrame
        One row per seed, one column per look.
    rates : DataFrame
        One row per look, then ``any (Holm)``: ``found``, ``n`` and the exact interval ``rate``, ``low``, ``high`` of
        the share of cities where the look found something at 5 %. The last: any of them after Holm's correction.
    """

    p_values: pd.DataFrame
    rates: pd.DataFrame


def negative_control(
    *, n_seeds: int, first_seed: int = 0, planted: float = 0.0, jobs: int = 1, progress: Progress = silent
) -> Control:
    """Turn every look on cities without a difference, or with one that was planted.

    Parameters
    ----------
    n_seeds, first_seed : int
        One city per seed, from ``first_seed`` on.
    planted : float, default=0.0
        Share of the incidents of half B that are taken out of the log, in [0, 1]. 0: nothing to find.
    jobs : int, default=1
        No number depends on it.
    progress : Progress

    Raises
    ------
    ParameterError
        If a number is out of its domain.
    """
    if n_seeds < 1 or first_seed < 0 or not 0 <= planted <= 1:
        raise bad_parameter(
            name="n_seeds, first_seed, planted", where="negative_control", must="at least 1, at least 0, in [0, 1]",
            got=(n_seeds, first_seed, planted),
        )  # fmt: skip
    seeds = range(first_seed, first_seed + n_seeds)
    rows = []
    calls = (delayed(_look)(seed, planted) for seed in seeds)
    for done, row in enumerate(Parallel(n_jobs=jobs, return_as="generator", batch_size=8)(calls), start=1):
        rows.append(row)
        progress("controls: cities", done, n_seeds)
    table = pd.DataFrame(rows)
    return Control(table, false_findings(table))


def false_findings(p_values: pd.DataFrame) -> pd.DataFrame:
    """Share of the cities where each look found something, with its exact interval; last, any of them after Holm."""
    looks = list(LOOKS)
    found = {look: (p_values[look] <= NOMINAL).to_numpy() for look in looks}
    corrected = np.array([holm(row).min() for row in p_values[looks].to_numpy(np.float64)])
    found["any (Holm)"] = corrected <= NOMINAL
    rows = []
    for look, hits in found.items():
        i = rate_interval(events=int(hits.sum()), trials=len(hits), method="clopper-pearson")
        rows.append(
            {"look": look, "found": int(hits.sum()), "n": i.n, "rate": i.estimate, "low": i.low, "high": i.high}
        )
    return pd.DataFrame(rows)


@lru_cache(maxsize=1)
def _ground() -> World:
    """The places: the same for every seed, nothing that happens in them."""
    return draw_world(Scenario.load("equal-city").with_overrides(SMALL), seed=0)


def _look(seed: int, planted: float) -> dict[str, float]:
    ground = _ground()
    scenario, city = ground.scenario, ground.city
    incidents = draw_incidents(
        scenario, city, places=ground.places, calendar=ground.calendar, weather=ground.weather,
        rng=stream(seed, "control", "incidents"),
    )  # fmt: skip
    records = draw_records(
        scenario, city, incidents, draw_patrols(scenario, city, rng=stream(seed, "control", "patrols")),
        people=ground.people, cameras=ground.cameras, streets=ground.streets, rng=stream(seed, "control", "recording"),
    )  # fmt: skip
    known = np.zeros(len(incidents.cell), dtype=np.bool_)
    known[records.incident] = True  # several records of one incident make it known once
    area, sectors = _areas(city.grid.centres_m)
    known &= ~(area[incidents.cell] & (stream(seed, "control", "planted").random(len(known)) < planted))
    n_cells, n_days = city.grid.n_cells, scenario.time.n_days

    def cube(these: Any) -> Any:
        return count_cube(incidents.cell[these], incidents.day[these], n_cells=n_cells, n_days=n_days)

    happened, recorded = cube(slice(None)), cube(known)
    expected, hours, flagged = _patrolled(recorded, city.grid, rng=stream(seed, "control", "order"))
    days = slice(HISTORY_DAYS, None)
    found = look_everywhere(
        happened[days], recorded[days], expected=expected, hours=hours, flagged=flagged, area=area, sectors=sectors,
        rng=stream(seed, "control", "draws"), n_draws=N_DRAWS,
    )  # fmt: skip
    return {"seed": seed, **found}


def _areas(centres_m: Any) -> tuple[Any, Any]:
    """Half B, the eastern one, and sectors, squares of the map."""
    x, y = centres_m.T
    square = np.floor(x / SECTOR_M) * 100_000 + np.floor(y / SECTOR_M)
    return x > np.median(x), np.unique(square, return_inverse=True)[1].astype(np.int64)


def _patrolled(recorded: Any, grid: Any, *, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Maps learnt from the records, hours sent by them and the cells they flag, on the days after the history."""
    predictor = load_predictor("trailing-mean")
    rule = Allocation(Sharing.PROPORTIONAL)
    top = Allocation(Sharing.TOP, share=0.05)
    maps: list[Any] = []
    parts: Sequence[list[Any]] = ([], [])
    for day in range(HISTORY_DAYS, len(recorded)):
        if day == HISTORY_DAYS:
            predictor.fit(recorded[:day], grid=grid)
        else:
            predictor.update(recorded[:day])
        maps.append(predictor.predict(day))
        order = rng.permutation(grid.n_cells)
        for kept, one in zip(parts, (rule, top), strict=True):
            kept.append(allocate(maps[-1], hours=100.0, allocation=one, order=order))
    hours, first = (np.stack(p) for p in parts)
    return np.stack(maps), hours, first > 0
