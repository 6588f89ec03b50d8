"""The placebo: could a tool that does nothing have made the same headlines?

Eleven departments out of ninety-six "fell more than a point below the national mean"; the map "predicted 83 % of
burglaries". The first is tried on departments where nothing was done. The second is turned into the share of the
territory a map needs to hold 83 % of events: pure chance with 83 % of the area, and far less for the most naive map
wherever events are concentrated.

What it cannot tell you: how the eleven departments were chosen, how much departments really vary from one year to
the next (the spread is an assumption, run at three values), nor what share of the territory the map flagged.

References
----------
.. [1] Cochran (1977), "Sampling Techniques", section 2.6: finite population correction.
.. [2] Barnett, van der Pols & Dobson (2005), "Regression to the mean", Int. J. Epidemiol. 34(1).
.. [3] Burrows (1975), "Variances of selection differentials in normal samples", Biometrics 31(1), 125-133.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from scipy import integrate, stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.intervals import mean_interval, rate_interval

ID: Final = "E27"

Selection = Literal["random", "worst_last_year"]
Comparison = Literal["national_mean", "other_departments", "fixed_mean"]

#: Placebo years drawn together, from one named stream: bounds memory.
_CHUNK: Final = 20_000


@dataclass(frozen=True)
class Params:
    """Parameters of the experiment.

    Attributes
    ----------
    departments, tested : int
        Departments in all, and those that had the tool (published: 11).
    sds_points : tuple of float
        Spread of yearly change between departments, in percentage points (assumption).
    headline_points : float
        Gap to the national mean that made the headline, in percentage points (published: "more than a point").
    transients : tuple of float
        Share of the variance of yearly change that comes from passing movements, which the next year undoes; the
        first is the one used with every spread. Only matters when departments are chosen for their past.
    captured : float
        Share of events the map is said to have predicted.
    sigmas : tuple of float
        Concentration of the city: standard deviation of the log risk of cells. 0 is an even city.
    n_cells, events_per_year : int
        Cells of the city, and events of the year the naive map is made of.
    area_shares : tuple of float
        Shares of territory at which the prediction accuracy index of the headline is worked out.
    reps, map_reps : int
        Placebo years; synthetic cities.
    """

    departments: int = 96
    tested: int = 11
    sds_points: tuple[float, ...] = (2.0, 3.5, 5.0, 7.0, 10.0)
    headline_points: float = 1.0
    transients: tuple[float, ...] = (0.5, 0.0, 1.0)
    captured: float = 0.83
    sigmas: tuple[float, ...] = (0.0, 1.0, 1.5, 2.0)
    n_cells: int = 3840
    events_per_year: int = 4000
    area_shares: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2, 0.415, 0.83)
    reps: int = 20_000
    map_reps: int = 100

    @classmethod
    def quick(cls) -> Params:
        """Twenty thousand placebo years."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Two hundred thousand placebo years, a thousand cities, more spreads and more ways to regress."""
        return cls(
            sds_points=(1.0, 2.0, 3.5, 5.0, 7.0, 10.0), transients=(0.5, 0.0, 0.25, 0.75, 1.0),
            sigmas=(0.0, 0.5, 1.0, 1.5, 2.0, 2.5), reps=200_000, map_reps=1000,
        )  # fmt: skip


_YEARS = Text(fr="années placebo simulées", en="simulated placebo years")
_CITIES = Text(fr="villes simulées", en="simulated cities")
_CLOSED = Text(fr="forme close", en="closed form")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure(
        "p_placebo",
        "share",
        Text(
            fr="Probabilité que des départements placebo fassent mieux que la moyenne d’au moins l’écart annoncé",
            en="Probability that placebo departments beat the mean by at least the headline gap",
        ),
        _YEARS,
    ),
    Measure(
        "p_placebo_closed_form",
        "share",
        Text(
            fr="La même probabilité par le calcul, départements tirés au hasard",
            en="The same probability by calculation, departments drawn at random",
        ),
        _CLOSED,
    ),
    Measure(
        "p_placebo_worst",
        "share",
        Text(
            fr="La même, quand on choisit les pires de l’an passé, selon la part passagère des variations",
            en="The same when last year’s worst are chosen, by share of change that is passing",
        ),
        _YEARS,
    ),
    Measure(
        "p_placebo_worst_closed_form",
        "share",
        Text(
            fr="La même par le calcul, quand on choisit les pires de l’an passé (loi normale, statistiques d’ordre)",
            en="The same by calculation when last year’s worst are chosen (normal law, order statistics)",
        ),
        _CLOSED,
    ),
    Measure(
        "mean_gap_points",
        "points",
        Text(
            fr="Avance moyenne des départements placebo sur la moyenne nationale",
            en="Mean lead of placebo departments over the national mean",
        ),
        _YEARS,
    ),
    Measure(
        "gap_needed_points",
        "points",
        Text(
            fr="Écart à partir duquel un placebo tiré au hasard ne suffit plus (p unilatéral de 5 %)",
            en="Gap beyond which a random placebo is no longer enough (one-sided p of 5 %)",
        ),
        _CLOSED,
    ),
    Measure(
        "area_share_random",
        "share",
        Text(
            fr="Part du territoire à désigner au hasard pour contenir la part annoncée des faits",
            en="Share of territory to flag at random to hold the announced share of events",
        ),
        _CLOSED,
    ),
    Measure(
        "area_share_static_map",
        "share",
        Text(
            fr="Part du territoire dont une carte fixe a besoin pour contenir la part annoncée des faits",
            en="Share of territory a static map needs to hold the announced share of events",
        ),
        _CITIES,
    ),
    Measure(
        "area_share_for_pai2",
        "share",
        Text(
            fr="Part du territoire sous laquelle l’indice PAI de l’annonce dépasse 2",
            en="Share of territory under which the announced figure has a PAI above 2",
        ),
        _CLOSED,
    ),
    Measure(
        "pai_given_area",
        "pai",
        Text(
            fr="PAI de l’annonce si cette part du territoire était désignée",
            en="PAI of the headline at this area share",
        ),
        _CLOSED,
    ),
    Measure(
        "pai_if_area_unknown",
        "pai",
        Text(
            fr="PAI de l’annonce telle que publiée (surface inconnue)", en="PAI of the headline as published (no area)"
        ),
        Text(fr="aucune surface publiée", en="no published area"),
    ),
)

CANNOT_TELL: Final = Text(
    fr=(
        "L’expérience dit à quelle fréquence un outil sans effet obtient les mêmes annonces, sous des variations "
        "annuelles supposées et si tous les départements pèsent autant ; avec des variations bien plus faibles, "
        "l’annonce serait rare. Elle ne dit pas comment les onze départements ont été choisis, ni quelle surface la "
        "carte désignait, ni si l’outil réel avait un effet."
    ),
    en=(
        "The experiment tells how often a tool with no effect obtains the same headlines, under assumed yearly "
        "variation and if every department weighs the same; with far smaller variation the headline would be rare. It "
        "tells neither how the eleven departments were chosen, nor what area the map flagged, nor whether the real "
        "tool had an effect."
    ),
)


def gap_sd(sd: float, *, departments: int, tested: int, comparison: Comparison = "national_mean") -> float:
    """Standard deviation of the gap between the tested departments and what they are compared with.

    Parameters
    ----------
    sd : float
        Spread of yearly change between departments.
    comparison : {"national_mean", "other_departments", "fixed_mean"}, default="national_mean"
        The mean of all departments, the tested ones included (sampling without replacement:
        ``sd * sqrt(1/n * (1 - n/N))``); the mean of those not tested (``sd * sqrt(1/n + 1/(N - n))``); a mean known
        from elsewhere (``sd / sqrt(n)``).

    Examples
    --------
    >>> round(gap_sd(5.0, departments=96, tested=11), 4)
    1.4186
    """
    variance = {
        "national_mean": (1 - tested / departments) / tested,
        "other_departments": 1 / tested + 1 / (departments - tested),
        "fixed_mean": 1 / tested,
    }[comparison]
    return float(sd * np.sqrt(variance))


def worst_gap_moments(*, departments: int, tested: int, transient: float) -> tuple[float, float]:
    """Mean and standard deviation of the gap when last year's worst are chosen, in units of the spread.

    With correlation ``-transient / 2`` between two successive changes, the chosen ones fall back by that share of how
    far they stood out, and the rest is new.

    Notes
    -----
    How far they stand out on average is exact (mean of the largest of a normal sample); its variance is that of
    Burrows, asymptotic in the number of departments.

    Examples
    --------
    >>> mean, _ = worst_gap_moments(departments=96, tested=11, transient=0.5)
    >>> round(mean, 3)
    0.417
    """
    share = tested / departments
    stands_out = departments / tested * integrate.quad(
        lambda z: z * stats.norm.pdf(z) * stats.binom.cdf(tested - 1, departments - 1, stats.norm.sf(z)), -12, 12
    )[0]  # fmt: skip
    cut = float(stats.norm.isf(share))
    tail = float(stats.norm.pdf(cut)) / share
    variance = (1 - tail * (tail - cut) + (1 - share) * (tail - cut) ** 2) / tested - 1 / departments
    back = transient / 2
    fresh = (1 - back**2) * gap_sd(1.0, departments=departments, tested=tested) ** 2
    return back * float(stands_out), float(np.sqrt(back**2 * max(variance, 0.0) + fresh))


def placebo_gaps(
    *,
    departments: int,
    tested: int,
    selection: Selection,
    transient: float,
    reps: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Lead of tested departments over the national mean in years when nothing is done, in units of the spread.

    A department's level is a random walk plus a passing movement; yearly change has variance 1, of which
    ``transient`` comes from the passing part. Two successive changes therefore have correlation ``-transient / 2``.

    Parameters
    ----------
    selection : {"random", "worst_last_year"}
        Departments drawn at random, or those that rose most the year before.
    transient : float
        In [0, 1].

    Returns
    -------
    ndarray of float, shape (reps,)
        Positive when tested departments fell more than the mean.
    """
    shape = (reps, departments)
    lasting, passing = np.sqrt(1 - transient), np.sqrt(transient / 2)
    passing_before, passing_last, passing_now = (rng.standard_normal(shape) for _ in range(3))
    last_year = lasting * rng.standard_normal(shape) + passing * (passing_last - passing_before)
    this_year = lasting * rng.standard_normal(shape) + passing * (passing_now - passing_last)
    key = rng.random(shape) if selection == "random" else -last_year
    chosen = np.argpartition(key, tested - 1, axis=1)[:, :tested]
    return np.asarray(this_year.mean(axis=1) - np.take_along_axis(this_year, chosen, axis=1).mean(axis=1))


def area_share_known_risk(captured: float, *, sigma: float) -> float:
    """Least share of territory that holds ``captured`` of the expected events, when log risk is Gaussian.

    The Lorenz curve of the lognormal law gives ``Phi(Phi^-1(captured) - sigma)``; at ``sigma`` 0 it is ``captured``.

    Examples
    --------
    >>> round(area_share_known_risk(0.83, sigma=0.0), 4), round(area_share_known_risk(0.83, sigma=2.0), 3)
    (0.83, 0.148)
    """
    return float(stats.norm.cdf(stats.norm.ppf(captured) - sigma))


def area_share_past_year(
    captured: float, *, sigma: float, n_cells: int, events_per_year: int, reps: int, rng: np.random.Generator
) -> FloatArray:
    """Share of cells that last year's map, ranked by count, needs to hold ``captured`` of this year's events.

    Cells with equal counts are taken in random order. Years with no event are left out.

    Returns
    -------
    ndarray of float, shape (reps,) or fewer
    """
    risk = np.exp(sigma * rng.standard_normal((reps, n_cells)))
    mean = events_per_year * risk / risk.sum(axis=1, keepdims=True)
    past, now = rng.poisson(mean), rng.poisson(mean)
    order = np.argsort(-(past + rng.random(past.shape)), axis=1)
    held = np.take_along_axis(now, order, axis=1).cumsum(axis=1)
    total = held[:, -1:]
    cells = (held < captured * total).sum(axis=1) + 1
    return np.asarray(cells[total[:, 0] > 0] / n_cells, dtype=np.float64)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Placebo departments, then naive maps. ``jobs`` is accepted for the common interface; the work is short."""
    _check(params)
    unit = {
        (selection, transient): np.concatenate(
            [
                placebo_gaps(
                    departments=params.departments,
                    tested=params.tested,
                    selection=selection,
                    transient=transient,
                    reps=min(_CHUNK, params.reps - first),
                    rng=stream(seed, ID, "departments", selection, str(transient), first),
                )
                for first in range(0, params.reps, _CHUNK)
            ]
        )
        for selection, transient in _runs(params)
    }
    progress("departments", 1, 2)
    results = _departments(params, unit)
    areas, table = _areas(params, seed)
    progress("maps", 2, 2)
    gaps = pd.concat(
        [
            pd.DataFrame({"selection": s, "transient": t, "replicate": np.arange(params.reps), "gap_over_sd": gap})
            for (s, t), gap in unit.items()
        ],
        ignore_index=True,
    )
    return Outcome(results + areas, {"E27_gaps": gaps, "E27_areas": table})


def _runs(params: Params) -> list[tuple[Selection, float]]:
    return [("random", params.transients[0]), *(("worst_last_year", t) for t in params.transients)]


def _departments(params: Params, unit: dict[tuple[Selection, float], FloatArray]) -> list[Result]:
    out: list[Result] = []
    world: dict[str, Scalar]
    n, size = params.tested, params.departments
    for sd in params.sds_points:
        for selection in get_args(Selection):
            gap = sd * unit[selection, params.transients[0]]
            world = {"sd": sd, "selection": selection}
            out.append(_placebo("p_placebo", world, gap, params.headline_points))
            out.append(Result(ID, "mean_gap_points", world, mean_interval(gap / 100), "E27_gaps"))
        for transient in params.transients:
            gap = sd * unit["worst_last_year", transient]
            world = {"sd": sd, "transient": transient}
            out.append(_placebo("p_placebo_worst", world, gap, params.headline_points))
            mean, around = worst_gap_moments(departments=size, tested=n, transient=transient)
            p = float(stats.norm.sf((params.headline_points / sd - mean) / around))
            calculated = Interval.exact(p, n=size, method="normal")
            out.append(Result(ID, "p_placebo_worst_closed_form", world, calculated))
        for comparison in get_args(Comparison):
            spread = gap_sd(sd, departments=size, tested=n, comparison=comparison)
            p = float(stats.norm.sf(params.headline_points / spread))
            world = {"sd": sd, "comparison": comparison}
            out.append(Result(ID, "p_placebo_closed_form", world, Interval.exact(p, n=size, method="normal")))
            needed = float(stats.norm.ppf(0.95)) * spread / 100
            out.append(Result(ID, "gap_needed_points", world, Interval.exact(needed, n=size, method="normal")))
    return out


def _placebo(measure: str, world: dict[str, Scalar], gap: FloatArray, headline: float) -> Result:
    interval = rate_interval(events=int((gap >= headline).sum()), trials=len(gap), method="wilson")
    return Result(ID, measure, world, interval, "E27_gaps")


def _areas(params: Params, seed: int) -> tuple[list[Result], pd.DataFrame]:
    captured = params.captured
    out = [
        Result(ID, "area_share_random", {"captured": captured}, Interval.exact(captured, method="closed-form")),
        Result(ID, "area_share_for_pai2", {"captured": captured}, Interval.exact(captured / 2, method="closed-form")),
        Result(ID, "pai_if_area_unknown", {"captured": captured}, Interval.not_estimable(method="area not published")),
    ]
    for area in params.area_shares:
        world: dict[str, Scalar] = {"captured": captured, "area_share": area}
        out.append(Result(ID, "pai_given_area", world, Interval.exact(captured / area, method="closed-form")))
    frames = []
    for sigma in params.sigmas:
        known = Interval.exact(area_share_known_risk(captured, sigma=sigma), n=params.n_cells, method="closed-form")
        out.append(Result(ID, "area_share_static_map", {"sigma": sigma, "map": "known_risk"}, known))
        shares = area_share_past_year(
            captured,
            sigma=sigma,
            n_cells=params.n_cells,
            events_per_year=params.events_per_year,
            reps=params.map_reps,
            rng=stream(seed, ID, "maps", str(sigma)),
        )
        frames.append(pd.DataFrame({"sigma": sigma, "area_share": shares}))
        out.append(
            Result(ID, "area_share_static_map", {"sigma": sigma, "map": "past_year"}, _quantiles(shares), "E27_areas")
        )
    return out, pd.concat(frames, ignore_index=True)


def _quantiles(values: FloatArray) -> Interval:
    if values.size == 0:
        return Interval.not_estimable(method="simulation-quantiles")
    low, middle, high = (float(q) for q in np.quantile(values, [0.025, 0.5, 0.975]))
    return Interval(middle, low, high, len(values), "simulation-quantiles")


def _check(params: Params) -> None:
    if not 1 <= params.tested < params.departments:
        got = (params.tested, params.departments)
        raise bad_parameter(name="tested", where=ID, must="at least 1 and fewer than departments", got=got)
    if not params.sds_points or min(params.sds_points) <= 0:
        raise bad_parameter(name="sds_points", where=ID, must="spreads above 0", got=params.sds_points)
    if not params.transients or not all(0 <= t <= 1 for t in params.transients):
        raise bad_parameter(name="transients", where=ID, must="shares in [0, 1]", got=params.transients)
    if not 0 < params.captured < 1:
        raise bad_parameter(name="captured", where=ID, must="a share in (0, 1)", got=params.captured)
    if not all(0 < a <= 1 for a in params.area_shares):
        raise bad_parameter(name="area_shares", where=ID, must="shares in (0, 1]", got=params.area_shares)
    if not params.sigmas or min(params.sigmas) < 0:
        raise bad_parameter(name="sigmas", where=ID, must="at least 0", got=params.sigmas)
    if min(params.reps - 1, params.map_reps, params.n_cells, params.events_per_year) < 1:
        raise bad_parameter(
            name="reps, map_reps, n_cells, events_per_year",
            where=ID,
            must="at least 2, 1, 1 and 1",
            got=(params.reps, params.map_reps, params.n_cells, params.events_per_year),
        )
