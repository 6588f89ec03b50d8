"""E25. Does the trend in what a service counts follow the trend in the world?

Stalls and badly parked cars rise in some districts and fall in others, by a known yearly slope. A service counts some
of them, the more hours it works the more; its hours have trends of their own, campaigns, and may be sent where things
rise or leave there. Three estimates of each district's trend are compared with the truth: raw counts, counts per hour
worked, and capture-recapture between two services.

What it cannot tell you: how much effort moved in any city. Counts of enforcement there are, hours there are not: the
experiment says from which movement of effort on the counts say nothing of the trend.

References
----------
.. [1] McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed.
.. [2] Chapman (1951), University of California Publications in Statistics 1, 131-160.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.clusters import cluster_rate_interval
from fairness.intervals import mean_interval
from fairness.trends import Slopes, chapman, log_slopes
from synthetic_data.effort_worlds import WEEKS_PER_YEAR, EffortWorld, draw_effort_worlds

ID: Final = "E25"
#: How a trend is read: counts as they are, counts per hour worked, two lists of the same week.
ESTIMATORS: Final = ("raw", "per-hour", "recapture")


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E25.

    Attributes
    ----------
    effort_trend_sds : tuple of float
        Spread over districts of the yearly slope of the log of hours.
    steerings : tuple of float
        Correlation between where hours go and where things rise, in [-1, 1].
    per_weeks : tuple of float
        What is there in a district in a week: few or many.
    trend_size : float
        Yearly slope of the log of what is there, up or down.
    dependence : float
        Share of things plain to see for both services.
    n_districts, n_weeks : int
    worlds : int
        Cities drawn per combination. The same seeds serve every combination.
    """

    effort_trend_sds: tuple[float, ...] = (0.0, 0.1, 0.2, 0.4)
    steerings: tuple[float, ...] = (-0.8, 0.0, 0.8)
    per_weeks: tuple[float, ...] = (5.0, 30.0)
    trend_size: float = 0.2
    dependence: float = 0.2
    n_districts: int = 16
    n_weeks: int = 104
    worlds: int = 60

    @classmethod
    def quick(cls) -> Params:
        """Twenty kinds of worlds, sixty cities of sixteen districts each, two years of weeks."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Seventy-eight kinds of worlds, a thousand cities each."""
        return cls(
            effort_trend_sds=(0.0, 0.05, 0.1, 0.2, 0.3, 0.5), steerings=(-0.8, -0.4, 0.0, 0.4, 0.8),
            per_weeks=(2.0, 5.0, 30.0), worlds=1000,
        )  # fmt: skip


_CITIES: Final = Text(fr="villes tirées (graines)", en="cities drawn (seeds)")

_DISTRICTS: Final = Text(fr="quartiers tirés", en="districts drawn")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("sign_agreement", "share", Text(fr="Part des quartiers dont la tendance comptée a le bon signe",
            en="Share of districts whose counted trend has the right sign"), _DISTRICTS),
    Measure("slope_bias", "share", Text(
            fr="Biais de la pente annuelle, dans le sens de la vraie tendance (échelle logarithmique)",
            en="Bias of the yearly slope, in the direction of the true trend (log scale)"), _CITIES),
    Measure("coverage", "share", Text(fr="Part des intervalles à 95 % qui contiennent la vraie pente",
            en="Share of 95 % intervals that hold the true slope"), _DISTRICTS),
    Measure("gain_of_hours", "points", Text(
            fr="Signes justes gagnés en comptant par heure travaillée (différence de parts)",
            en="Right signs gained by counting per hour worked (difference of shares)"), _CITIES),
    Measure("pairs_misranked", "share", Text(
            fr="Part des paires de quartiers rangées à l’envers par les comptages",
            en="Share of pairs of districts that counts rank the wrong way"), _CITIES),
    Measure("recapture_ratio", "ratio", Text(
            fr="Estimation par capture-recapture sur le nombre réel", en="Capture-recapture estimate over true number"),
            _CITIES),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience dit à partir de quel mouvement d’effort un comptage de verbalisation ne suit plus le phénomène. "
    "Elle ne dit pas combien l’effort a bougé dans une ville : les heures de service n’y sont pas publiées. Chaque "
    "quartier monte ou descend ici d’une même pente ; des tendances plus faibles seraient moins bien lues.",
    en="The experiment says from which movement of effort on counts of enforcement no longer follow what they count. "
    "It does not say how much effort moved in any city: hours on duty are not published. Every district rises or "
    "falls by the same slope here; weaker trends would be read less well.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E25.

    Returns
    -------
    Outcome
        Results by ``effort_trend_sd``, ``steering`` and ``per_week`` (and ``estimator``); table ``e25_cities``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    cells = [
        {"effort_trend_sd": sd, "steering": steering, "per_week": volume}
        for volume, steering, sd in product(params.per_weeks, params.steerings, params.effort_trend_sds)
        if sd > 0 or steering == 0 or 0.0 not in params.steerings  # hours without a trend are steered nowhere
    ]
    frames = []
    work = Parallel(n_jobs=jobs, return_as="generator")(delayed(_cities)(params, here, seed=seed) for here in cells)
    for done, frame in enumerate(work, start=1):
        frames.append(frame)
        progress("E25: worlds", done, len(cells))
    results = [r for here, frame in zip(cells, frames, strict=True) for r in _results(frame, here)]
    return Outcome(results, {"e25_cities": pd.concat(frames, ignore_index=True)})


def score_cities(world: EffortWorld) -> pd.DataFrame:
    """One row per city and estimator: share of right signs, bias, coverage; and what does not depend on the estimator.

    Districts where an estimator has nothing to work on count as a wrong sign and as not covered: a service that counted
    nothing cannot say which way things go.
    """
    times = np.arange(world.present.shape[-1]) / WEEKS_PER_YEAR
    guess = chapman(world.recorded, world.other, world.both)
    slopes: dict[str, Slopes] = {
        "raw": log_slopes(world.recorded, times=times, season=1.0),
        "per-hour": log_slopes(world.recorded, times=times, exposure=world.hours, season=1.0),
        "recapture": log_slopes(guess, times=times, season=1.0),
    }
    misranked = _misranked(world.recorded.sum(axis=-1), world.present.sum(axis=-1))
    there = np.maximum(world.present.sum(axis=(-1, -2)), 1)
    truth = world.trend_per_year
    frames = []
    for name in ESTIMATORS:
        s = slopes[name]
        frames.append(
            pd.DataFrame(
                {
                    "estimator": name,
                    "districts": truth.shape[-1],
                    "right": (np.sign(s.slope) == np.sign(truth)).sum(axis=-1),
                    "bias": np.nanmean((s.slope - truth) * np.sign(truth), axis=-1),
                    "covered": ((s.low <= truth) & (truth <= s.high)).sum(axis=-1),
                    "misranked": misranked,
                    "recapture_ratio": guess.sum(axis=(-1, -2)) / there,
                }
            ).assign(rep=np.arange(len(truth)))
        )
    return pd.concat(frames, ignore_index=True)


def _misranked(counted: Any, present: Any) -> FloatArray:
    """Share of pairs of districts in the wrong order, by city; a tie in the counts is half wrong."""
    i, j = np.triu_indices(counted.shape[-1], 1)
    told, true = np.sign(counted[:, i] - counted[:, j]), np.sign(present[:, i] - present[:, j])
    wrong = np.where(told == 0, 0.5, told != true)
    return np.asarray((wrong * (true != 0)).sum(axis=-1) / np.maximum((true != 0).sum(axis=-1), 1))


def _cities(params: Params, here: dict[str, float], *, seed: int) -> pd.DataFrame:
    world = draw_effort_worlds(
        n_worlds=params.worlds, n_districts=params.n_districts, n_weeks=params.n_weeks, trend_size=params.trend_size,
        dependence=params.dependence, rng=stream(seed, ID, "cities"), **here,
    )  # fmt: skip
    return score_cities(world).assign(**here)


def _results(frame: pd.DataFrame, here: dict[str, float]) -> list[Result]:
    out: list[Result] = []

    def add(measure: str, interval: Interval, **more: Scalar) -> None:
        out.append(Result(ID, measure, {**here, **more}, interval, "e25_cities"))

    by = {name: frame[frame["estimator"] == name].set_index("rep") for name in ESTIMATORS}
    for name, rows in by.items():
        add("sign_agreement", _share(rows["right"], rows["districts"]), estimator=name)
        add("coverage", _share(rows["covered"], rows["districts"]), estimator=name)
        add("slope_bias", mean_interval(rows["bias"].to_numpy(np.float64)), estimator=name)
    gain = (by["per-hour"]["right"] - by["raw"]["right"]) / by["raw"]["districts"]
    add("gain_of_hours", mean_interval(gain.to_numpy(np.float64)))
    add("pairs_misranked", mean_interval(by["raw"]["misranked"].to_numpy(np.float64)))
    add("recapture_ratio", mean_interval(by["raw"]["recapture_ratio"].to_numpy(np.float64)))
    return out


def _share(right: pd.Series, of: pd.Series) -> Interval:
    """Share of districts, the districts of a city not being independent of each other."""
    return cluster_rate_interval(events=right, trials=of, clusters=right.index).interval


def _check(params: Params) -> None:
    for name, ok, must in (
        ("worlds", params.worlds >= 2, "at least 2"),
        ("effort_trend_sds", bool(params.effort_trend_sds), "at least one number"),
        ("steerings", bool(params.steerings), "at least one number"),
        ("per_weeks", bool(params.per_weeks), "at least one number"),
        ("trend_size", params.trend_size > 0, "above 0: without a trend there is no sign to find"),
        ("n_weeks", params.n_weeks >= 26, "at least 26, to tell a trend from a season"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
