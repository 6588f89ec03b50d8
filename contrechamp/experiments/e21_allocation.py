"""E21. Do patrols sent by a forecast avert more than patrols sent by last year's mean?

The same incidents, the same luck, the same hours: what changes is who says where they go. A forecast, the long-run
mean, a draw among the tenth of places that rank first, and equal hours everywhere are run on the same city, where an
hour of patrol prevents a known share of what would happen there, and pushes some of it next door. Places may keep their
level or turn into others, and incidents may call for others.

What it cannot tell you: whether an hour of patrol prevents anything. Its effect is set, the same in every place and for
every incident; the experiment says what the *choice of places* adds to it. Crews here obey and spend no time on the
road but what response times count.

References
----------
.. [1] Mohler et al. (2015), "Randomized controlled field trials of predictive policing", JASA 110(512), 1399-1411.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.spatial import cKDTree

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.potential import Potential
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.allocation import Allocation, Sharing
from fairness.closed_loop import Effects, LoopHistory, run_loop
from fairness.intervals import mean_interval
from models import load_predictor
from synthetic_data.loop_worlds import draw_levels, draw_potential, square_grid, turning

ID: Final = "E21"
#: Rules that need no forecast. The first is the baseline of the gain.
SIMPLE: Final = ("long-run-mean", "top-decile", "equal")
_SHAPE: Final = (20, 24)
#: Rows and columns of cells of a sector: six sectors, of the size of a district.
_SECTOR: Final = (10, 8)
_SPEED_M_PER_MIN: Final = 25_000 / 60
_CREW_H: Final = 8.0


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E21.

    Attributes
    ----------
    forecasts : tuple of str
        Keys of the predictors that send patrols.
    deterrences : tuple of float
        Prevention per hour of patrol in a cell.
    displacements : tuple of float
        Share of what is stopped that happens next door instead.
    kappas : tuple of float
        Mean number of incidents that one calls for nearby.
    turnovers : tuple of float
        0: places keep their level; 1: the last day's map owes nothing to the first.
    seeds : int
        Cities per combination. The same seeds serve every combination.
    per_day : float
        Incidents per day in the city of 480 cells, if nobody patrolled.
    history_days, loop_days : int
        Days recorded under equal hours, and days on which the rule sends patrols.
    p_reported, finding_per_hour : float
        How incidents enter the file.
    hours_per_day : float
        Patrol-hours of a day.
    share, explore : float
        Share of the cells served, and part of the hours spread everywhere whatever the map says.
    refit_days : int
        Days between two estimations of a forecast.
    gain : float
        Gain in averted incidents from which a forecast is said to be worth more than the mean.
    """

    forecasts: tuple[str, ...] = ("retro-quartic",)
    deterrences: tuple[float, ...] = (0.15,)
    displacements: tuple[float, ...] = (0.0, 0.5)
    kappas: tuple[float, ...] = (0.0, 0.4)
    turnovers: tuple[float, ...] = (0.0, 1.0)
    seeds: int = 10
    per_day: float = 200.0
    history_days: int = 120
    loop_days: int = 90
    p_reported: float = 0.25
    finding_per_hour: float = 0.3
    hours_per_day: float = 120.0
    share: float = 0.05
    explore: float = 0.1
    refit_days: int = 7
    gain: float = 0.05

    @classmethod
    def quick(cls) -> Params:
        """Eight kinds of worlds, ten cities each, one forecast."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Fifty-four kinds of worlds, two hundred cities each, half a year of loop, four forecasts."""
        return cls(
            forecasts=("retro-quartic", "prospective", "etas-per-cell", "ensemble"), deterrences=(0.05, 0.15, 0.4),
            displacements=(0.0, 0.25, 0.5), kappas=(0.0, 0.2, 0.5), turnovers=(0.0, 1.0), seeds=200, history_days=364,
            loop_days=182,
        )  # fmt: skip


_SEEDS: Final = Text(fr="villes tirées (graines)", en="cities drawn (seeds)")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("averted_per_100h", "count", Text(fr="Incidents évités par cent heures de patrouille",
            en="Incidents averted per hundred patrol-hours"), _SEEDS),
    Measure("reduction", "share", Text(fr="Part des incidents évités", en="Share of incidents averted"), _SEEDS),
    Measure("gain_averted", "ratio", Text(fr="Gain en incidents évités sur la moyenne longue, mêmes heures",
            en="Gain in incidents averted over the long-run mean, same hours"), _SEEDS),
    Measure("displaced_share", "share", Text(fr="Part de ce qui est arrêté qui a lieu à côté",
            en="Share of what is stopped that happens next door"), _SEEDS),
    Measure("worst_cover_loss", "share", Text(
            fr="Heures perdues par le secteur le moins bien servi, par rapport à la moyenne longue",
            en="Hours lost by the worst-served sector, against the long-run mean"), _SEEDS),
    Measure("response_min", "min", Text(fr="Trajet de la patrouille la plus proche, à vol d’oiseau à 25 km/h",
            en="Travel of the nearest patrol, as the crow flies at 25 km/h"), _SEEDS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’effet d’une heure de patrouille est posé, le même partout : l’expérience dit ce que le choix des lieux y "
    "ajoute, non ce qu’une patrouille évite dans une ville. Les équipages obéissent, les auteurs ne s’adaptent qu’en "
    "allant à côté, et le trajet est à vol d’oiseau.",
    en="The effect of a patrol-hour is set, the same everywhere: the experiment says what the choice of places adds to "
    "it, not what a patrol averts in a city. Crews obey, offenders adapt only by going next door, and travel is as the "
    "crow flies.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E21.

    Returns
    -------
    Outcome
        Results by ``deterrence``, ``displacement``, ``kappa``, ``turnover`` and ``policy``; table ``e21_cities``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    worlds = [
        {"deterrence": d, "displacement": p, "kappa": k, "turnover": t}
        for d, p, k, t in product(params.deterrences, params.displacements, params.kappas, params.turnovers)
    ]
    tasks = [(here, rep) for here in worlds for rep in range(params.seeds)]
    work = Parallel(n_jobs=jobs, return_as="generator", batch_size=2)(
        delayed(_city)(params, here, rep=rep, seed=seed) for here, rep in tasks
    )
    rows: list[dict[str, Any]] = []
    for done, found in enumerate(work, start=1):
        rows += found
        progress("E21: cities", done, len(tasks))
    table = pd.DataFrame(rows)
    return Outcome(_results(table, worlds, params=params), {"e21_cities": table})


def draw_city(params: Params, *, kappa: float, turnover: float, rep: int, seed: int) -> Potential:
    """The incidents of one city if nobody patrolled."""
    rng = stream(seed, ID, "city", rep)
    n_days = params.history_days + params.loop_days
    first, later = (draw_levels(_SHAPE, rng=rng) for _ in range(2))
    return draw_potential(
        levels=turning(first, later, n_days=n_days, turnover=turnover), grid=square_grid(_SHAPE), n_days=n_days,
        per_day=params.per_day, p_reported=params.p_reported, kappa=kappa, rng=rng,
    )  # fmt: skip


def sectors() -> Any:
    """Sector of each cell, shape (n_cells,)."""
    rows, columns = np.indices(_SHAPE)
    return (rows // _SECTOR[0] * (_SHAPE[1] // _SECTOR[1]) + columns // _SECTOR[1]).ravel()


def _city(params: Params, here: dict[str, float], *, rep: int, seed: int) -> list[dict[str, Any]]:
    potential = draw_city(params, kappa=here["kappa"], turnover=here["turnover"], rep=rep, seed=seed)
    effects = Effects(params.finding_per_hour, here["deterrence"], here["displacement"])
    top = Allocation(Sharing.TOP, share=params.share, explore=params.explore)
    policies: dict[str, tuple[str | None, Allocation]] = {
        "long-run-mean": ("trailing-mean", top),
        "top-decile": ("trailing-mean", Allocation(Sharing.TOP_DECILE, share=params.share, explore=params.explore)),
        "equal": (None, Allocation(Sharing.EQUAL)),
        **{key: (key, top) for key in params.forecasts},
    }
    runs = {
        name: run_loop(
            potential, predictor=None if key is None else load_predictor(key), allocation=rule, effects=effects,
            hours_per_day=params.hours_per_day, first_day=params.history_days, refit_every=params.refit_days,
            rng=stream(seed, ID, "loop", rep),
        )
        for name, (key, rule) in policies.items()
    }  # fmt: skip
    days = slice(params.history_days, None)
    base = runs[SIMPLE[0]]
    where = sectors()
    cover = {name: np.bincount(where, weights=r.hours[days].sum(axis=0)) for name, r in runs.items()}
    rows = []
    for name, r in runs.items():
        prevented, moved = int(r.prevented[days].sum()), int(r.moved[days].sum())
        potential_n = prevented + int(r.happened[days].sum())
        rows.append(
            {
                **here, "policy": name, "rep": rep, "averted": prevented, "moved": moved, "potential": potential_n,
                "hours": float(r.hours[days].sum()), "averted_base": int(base.prevented[days].sum()),
                "worst_cover_loss": float(np.max(1 - cover[name] / cover[SIMPLE[0]])),
                "response_min": _response(r, potential, days, rng=stream(seed, ID, "crews", rep)),
            }
        )  # fmt: skip
    return rows


def _response(history: LoopHistory, potential: Potential, days: slice, *, rng: np.random.Generator) -> float:
    """Mean minutes from an incident to the nearest of the crews, placed by the day's hours, every seventh day."""
    centres = potential.grid.centres_m
    minutes, incidents = 0.0, 0
    for hours, happened in zip(history.hours[days][::7], history.happened[days][::7], strict=True):
        crews = rng.choice(len(hours), size=max(1, round(hours.sum() / _CREW_H)), p=hours / hours.sum())
        distance, _ = cKDTree(centres[crews]).query(centres)
        minutes += float((distance / _SPEED_M_PER_MIN * happened).sum())
        incidents += int(happened.sum())
    return minutes / max(incidents, 1)


def _results(table: pd.DataFrame, worlds: list[dict[str, float]], *, params: Params) -> list[Result]:
    out: list[Result] = []
    for here in worlds:
        mine = table[(table[list(here)] == pd.Series(here)).all(axis=1)]
        for policy in (*SIMPLE, *params.forecasts):
            rows = mine[mine["policy"] == policy]
            world: dict[str, Scalar] = {**here, "policy": policy}
            stopped = (rows["averted"] + rows["moved"]).clip(lower=1)
            measured: dict[str, pd.Series] = {
                "averted_per_100h": 100 * rows["averted"] / rows["hours"],
                "reduction": rows["averted"] / rows["potential"],
                "displaced_share": rows["moved"] / stopped,
                "response_min": rows["response_min"],
            }
            if policy != SIMPLE[0]:
                measured["gain_averted"] = rows["averted"] / rows["averted_base"].clip(lower=1) - 1
                measured["worst_cover_loss"] = rows["worst_cover_loss"]
            for measure, values in measured.items():
                out.append(Result(ID, measure, world, _mean(values.to_numpy(np.float64)), "e21_cities"))
    return out


def _mean(values: FloatArray) -> Interval:
    """Mean over cities; exact where all say the same for a reason known beforehand, such as no displacement."""
    if len(values) > 1 and (values == 0).all():
        return Interval.exact(0.0, n=len(values))
    return mean_interval(values)


def _check(params: Params) -> None:
    for name, ok, must in (
        ("seeds", params.seeds >= 2, "at least 2"),
        ("forecasts", bool(params.forecasts) and not set(params.forecasts) & set(SIMPLE), "predictors, at least one"),
        ("deterrences", bool(params.deterrences) and min(params.deterrences) > 0, "numbers above 0"),
        (
            "displacements",
            bool(params.displacements) and all(0 <= d <= 1 for d in params.displacements),
            "numbers in [0, 1]",
        ),
        ("kappas", bool(params.kappas) and all(0 <= k <= 0.9 for k in params.kappas), "numbers in [0, 0.9]"),
        ("turnovers", bool(params.turnovers) and all(0 <= t <= 1 for t in params.turnovers), "numbers in [0, 1]"),
        ("history_days", params.history_days >= 14, "at least 14"),
        ("loop_days", params.loop_days >= 7, "at least 7"),
        ("hours_per_day", params.hours_per_day > 0, "above 0"),
        ("refit_days", params.refit_days >= 1, "at least 1"),
        ("per_day", params.per_day > 0, "above 0"),
        ("share", 0 < params.share <= 1, "in (0, 1]"),
        ("explore", 0 < params.explore <= 1, "in (0, 1]: a sector left without an hour has no cover to compare"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
