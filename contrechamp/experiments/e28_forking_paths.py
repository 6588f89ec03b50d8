"""Forking paths: how many "insights" does an exploratory method find in a city where there is nothing to find?

Thirteen streams of pure noise, a year of incidents unrelated to them, K analyses tried, the best one shown. The
experiment counts how often something "significant" comes out, and what four safeguards make of it: one analysis
declared beforehand, Holm, Benjamini–Hochberg, and a year kept locked until the end.

What it cannot tell you: which analyses anyone ran in Marseille, nor how many. Streams and days are independent here,
so each p-value keeps its promise; where days resemble each other (the measure of the same name) it does not, and
corrections built on it inherit the fault.

References
----------
.. [1] Gelman & Loken (2013), "The garden of forking paths".
.. [2] Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6(2).
.. [3] Benjamini & Hochberg (1995), "Controlling the false discovery rate", JRSS B 57(1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from scipy import signal, stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.intervals import rate_interval

ID: Final = "E28"

Safeguard = Literal["none", "preregistered", "holm", "benjamini-hochberg", "locked_year"]
SAFEGUARDS: Final[tuple[Safeguard, ...]] = get_args(Safeguard)

#: Replicates drawn together, from one named stream: fixes the numbers whatever the number of workers.
_CHUNK: Final = 250
#: How strongly a shared slow movement of incidents shows, in the worlds where days resemble each other.
_LOG_SD: Final = 0.3


@dataclass(frozen=True)
class Params:
    """Parameters of the experiment.

    Attributes
    ----------
    looks : tuple of int
        Numbers of analyses K tried.
    n_streams : int
        Independent streams (13 data sets were reported in 2019). Beyond ``n_streams`` analyses, the same streams
        are tried against another, independent, series of incidents.
    n_days : int
        Days explored; the locked year has as many.
    incidents_per_day : float
        Mean of each series of incidents.
    alpha : float
        Threshold of each test.
    reps : int
        Cities of noise.
    extra_reps : int
        Cities of each of the two other worlds: a planted effect, and days that resemble each other.
    planted_r : float
        Correlation planted between the first stream and incidents, for the positive control.
    autocorrelation : float
        Day-to-day correlation of streams and of the movement of incidents, where days resemble each other.
    """

    looks: tuple[int, ...] = (1, 5, 13, 30)
    n_streams: int = 13
    n_days: int = 365
    incidents_per_day: float = 20.0
    alpha: float = 0.05
    reps: int = 4000
    extra_reps: int = 1000
    planted_r: float = 0.25
    autocorrelation: float = 0.7

    @classmethod
    def quick(cls) -> Params:
        """Four thousand cities: Monte-Carlo half-width under 1.6 points."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Forty thousand cities: half-width under half a point."""
        return cls(reps=40_000, extra_reps=10_000)


_CITIES = Text(fr="villes de bruit pur simulées", en="simulated cities of pure noise")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure(
        "p_any_finding",
        "share",
        Text(
            fr="Probabilité d’au moins une « découverte » parmi K analyses de bruit pur",
            en="Probability of at least one “finding” among K analyses of pure noise",
        ),
        _CITIES,
    ),
    Measure(
        "p_any_theory",
        "share",
        Text(
            fr="La même probabilité, par le calcul, si les analyses sont indépendantes",
            en="The same probability, by calculation, if analyses are independent",
        ),
        Text(fr="analyses essayées", en="analyses tried"),
    ),
    Measure(
        "share_surviving",
        "share",
        Text(
            fr="Part des meilleures « découvertes » retrouvées, même sens, dans l’année verrouillée",
            en="Share of best “findings” found again, same direction, in the locked year",
        ),
        Text(fr="villes où une découverte a été montrée", en="cities in which a finding was shown"),
    ),
    Measure(
        "p_planted_found",
        "share",
        Text(
            fr="Probabilité de retrouver un effet planté (témoin positif)",
            en="Probability of finding a planted effect (positive control)",
        ),
        Text(fr="villes simulées avec un effet planté", en="simulated cities with a planted effect"),
    ),
    Measure(
        "p_any_finding_autocorrelated",
        "share",
        Text(
            fr="Probabilité d’au moins une « découverte » quand les jours se ressemblent",
            en="Probability of at least one “finding” when days resemble each other",
        ),
        Text(fr="villes de bruit pur, jours corrélés", en="cities of pure noise, correlated days"),
    ),
)

CANNOT_TELL: Final = Text(
    fr=(
        "L’expérience dit ce qu’une recherche exploratoire trouve là où il n’y a rien. Elle ne dit pas quelles "
        "analyses ont été faites à Marseille, ni combien. Les probabilités de base supposent des jours indépendants ; "
        "quand les jours se ressemblent, le risque est plus grand, et les corrections fondées sur les mêmes tests ne "
        "suffisent plus."
    ),
    en=(
        "The experiment tells what an exploratory search finds where there is nothing. It does not tell which analyses "
        "were run in Marseille, nor how many. The basic probabilities assume independent days; when days resemble each "
        "other the risk is larger, and corrections built on the same tests are no longer enough."
    ),
)


@dataclass(frozen=True)
class Looks:
    """Tests of every analysis on the explored and on the locked year; arrays of shape (replicates, analyses).

    Attributes
    ----------
    p, r : ndarray of float
        Two-sided p-value and Pearson correlation, explored year.
    p_locked, r_locked : ndarray of float
        The same on the locked year.
    """

    p: FloatArray
    r: FloatArray
    p_locked: FloatArray
    r_locked: FloatArray


def pearson(streams: FloatArray, outcomes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correlate each stream with each outcome over days, and test that there is no correlation (two-sided t test).

    Parameters
    ----------
    streams : ndarray, shape (replicates, n_streams, n_days)
    outcomes : ndarray, shape (replicates, n_outcomes, n_days)

    Returns
    -------
    r, p : ndarray, shape (replicates, n_outcomes * n_streams)
        Outcome by outcome. A series that never varies has r = 0 and p = 1.

    Notes
    -----
    Null hypothesis: stream and outcome are independent, days are independent, the stream is Gaussian. The t law is
    then exact whatever the law of the outcome.
    """
    n = streams.shape[-1]
    r = np.matmul(_standard(outcomes), _standard(streams).transpose(0, 2, 1))
    r = np.clip(r.reshape(len(r), -1), -1.0, 1.0)
    with np.errstate(divide="ignore"):
        t = np.abs(r) * np.sqrt((n - 2) / (1 - r**2))
    return r, 2 * np.asarray(stats.t.sf(t, n - 2))


def any_rejected(p: FloatArray, *, safeguard: Safeguard, alpha: float) -> BoolArray:
    """Whether at least one analysis of each row is called a finding.

    Parameters
    ----------
    p : ndarray, shape (replicates, K)
        p-values, in the order in which the analyses were planned.
    safeguard : {"none", "preregistered", "holm", "benjamini-hochberg"}
        The locked year needs a second year: see :func:`survives`.

    Examples
    --------
    >>> rows = np.array([[0.20, 0.03, 0.04, 0.03], [0.20, 0.011, 0.90, 0.90]])
    >>> any_rejected(rows, safeguard="holm", alpha=0.05).tolist()
    [False, True]
    >>> any_rejected(np.array([[0.02, 0.03]]), safeguard="benjamini-hochberg", alpha=0.025).tolist()
    [False]
    """
    k = p.shape[1]
    if safeguard == "none":
        return np.asarray(p.min(axis=1) < alpha)
    if safeguard == "preregistered":
        return np.asarray(p[:, 0] < alpha)
    if safeguard == "holm":  # Holm rejects something when, and only when, the smallest passes alpha / K
        return np.asarray(p.min(axis=1) < alpha / k)
    if safeguard == "benjamini-hochberg":
        steps = alpha * np.arange(1, k + 1) / k
        return np.asarray((np.sort(p, axis=1) < steps).any(axis=1))
    raise bad_parameter(name="safeguard", where="any_rejected", must="one that needs a single year", got=safeguard)


def survives(looks: Looks, *, k: int, alpha: float) -> tuple[BoolArray, BoolArray]:
    """Show the best of ``k`` when it is significant, then try it once on the locked year, same direction.

    Returns
    -------
    shown, kept : ndarray of bool, shape (replicates,)
        ``kept`` implies ``shown``.
    """
    rows = np.arange(len(looks.p))
    best = looks.p[:, :k].argmin(axis=1)
    shown = np.asarray(looks.p[rows, best] < alpha, dtype=np.bool_)
    same_way = np.sign(looks.r[rows, best]) == np.sign(looks.r_locked[rows, best])
    return shown, np.asarray(shown & same_way & (looks.p_locked[rows, best] < alpha), dtype=np.bool_)


def theory(k: int, *, safeguard: Safeguard, alpha: float) -> float:
    """Probability of at least one finding among ``k`` independent tests of nothing.

    Examples
    --------
    >>> round(theory(13, safeguard="none", alpha=0.05), 3)
    0.487
    >>> round(theory(13, safeguard="locked_year", alpha=0.05), 4)
    0.0122
    """
    some = 1 - (1 - alpha) ** k
    return {
        "none": some,
        "preregistered": alpha,
        "holm": 1 - (1 - alpha / k) ** k,
        "benjamini-hochberg": alpha,  # Simes: exact under independence
        "locked_year": some * alpha / 2,
    }[safeguard]


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Draw cities of noise, look K times, apply each safeguard."""
    _check(params)
    noise = _draw(params, reps=params.reps, planted_r=0.0, phi=0.0, seed=seed, jobs=jobs)
    progress("noise", 1, 3)
    sticky = _draw(params, reps=params.extra_reps, planted_r=0.0, phi=params.autocorrelation, seed=seed, jobs=jobs)
    progress("autocorrelated", 2, 3)
    planted = _draw(params, reps=params.extra_reps, planted_r=params.planted_r, phi=0.0, seed=seed, jobs=jobs)
    progress("planted", 3, 3)

    results: list[Result] = []
    frames: list[pd.DataFrame] = []
    for k in params.looks:
        shown, kept = survives(noise, k=k, alpha=params.alpha)
        columns: dict[str, Any] = {"K": k, "replicate": np.arange(params.reps), "best_p": noise.p[:, :k].min(axis=1)}
        for safeguard in SAFEGUARDS:
            world: dict[str, Scalar] = {"K": k, "safeguard": safeguard}
            found = _found(noise, k=k, safeguard=safeguard, alpha=params.alpha)
            columns[safeguard] = found
            expected = Interval.exact(theory(k, safeguard=safeguard, alpha=params.alpha), n=k, method="closed-form")
            results += [
                _rate("p_any_finding", world, found, "E28_looks"),
                Result(ID, "p_any_theory", world, expected),
                _rate(
                    "p_any_finding_autocorrelated", world, _found(sticky, k=k, safeguard=safeguard, alpha=params.alpha)
                ),
                _rate("p_planted_found", world, _found_planted(planted, k=k, safeguard=safeguard, alpha=params.alpha)),
            ]
        results.append(_rate("share_surviving", {"K": k}, kept[shown], "E28_looks"))
        frames.append(pd.DataFrame(columns))
    return Outcome(results, {"E28_looks": pd.concat(frames, ignore_index=True)})


def _found(looks: Looks, *, k: int, safeguard: Safeguard, alpha: float) -> BoolArray:
    if safeguard == "locked_year":
        return survives(looks, k=k, alpha=alpha)[1]
    return any_rejected(looks.p[:, :k], safeguard=safeguard, alpha=alpha)


def _found_planted(looks: Looks, *, k: int, safeguard: Safeguard, alpha: float) -> BoolArray:
    """Whether the planted analysis, the first one, is itself among the findings."""
    p = looks.p[:, :k]
    if safeguard == "locked_year":
        return np.asarray(survives(looks, k=k, alpha=alpha)[1] & (p.argmin(axis=1) == 0))
    if safeguard in ("none", "preregistered"):
        return np.asarray(p[:, 0] < alpha)
    ordered = np.sort(p, axis=1)
    ranks = np.arange(1, k + 1)
    if safeguard == "holm":
        count = np.logical_and.accumulate(ordered < alpha / (k + 1 - ranks), axis=1).sum(axis=1)
    else:
        count = np.where(ordered < alpha * ranks / k, ranks, 0).max(axis=1)
    rank_of_first = 1 + (p < p[:, :1]).sum(axis=1)
    return np.asarray(rank_of_first <= count)


def _rate(measure: str, world: dict[str, Scalar], flags: npt.NDArray[np.bool_], table: str = "") -> Result:
    share = rate_interval(events=int(flags.sum()), trials=len(flags), method="wilson")
    return Result(ID, measure, world, share, table)


def _draw(params: Params, *, reps: int, planted_r: float, phi: float, seed: int, jobs: int) -> Looks:
    tasks = list(_chunks(reps))
    parts = Parallel(n_jobs=jobs, prefer="threads")(  # drawing and matrix products let other threads run
        delayed(_chunk)(params, size=size, planted_r=planted_r, phi=phi, seed=seed, number=number)
        for number, size in tasks
    )
    return Looks(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("p", "r", "p_locked", "r_locked"))
    )


def _chunks(reps: int) -> Iterator[tuple[int, int]]:
    for number, first in enumerate(range(0, reps, _CHUNK)):
        yield number, min(_CHUNK, reps - first)


def _chunk(params: Params, *, size: int, planted_r: float, phi: float, seed: int, number: int) -> Looks:
    world = "planted" if planted_r else "autocorrelated" if phi else "noise"
    rng = stream(seed, ID, world, number)
    n_outcomes = -(-max(params.looks) // params.n_streams)
    years = []
    for _ in range(2):
        x = _series(rng, (size, params.n_streams, params.n_days), phi)
        mean = np.full((size, n_outcomes, params.n_days), params.incidents_per_day)
        if phi:
            mean *= np.exp(_LOG_SD * _series(rng, mean.shape, phi) - _LOG_SD**2 / 2)
        y = rng.poisson(mean).astype(np.float64)
        if planted_r:  # x is built from y, so that its correlation with the first series is planted_r
            z = (y[:, 0] - params.incidents_per_day) / np.sqrt(params.incidents_per_day)
            x[:, 0] = planted_r * z + np.sqrt(1 - planted_r**2) * x[:, 0]
        years.append(pearson(x, y))
    (r, p), (r_locked, p_locked) = years
    return Looks(p, r, p_locked, r_locked)


def _series(rng: np.random.Generator, shape: tuple[int, ...], phi: float) -> FloatArray:
    """Standard Gaussian series along the last axis, stationary, with day-to-day correlation ``phi``."""
    x = rng.standard_normal(shape)
    if phi == 0.0:
        return x
    x[..., 1:] *= np.sqrt(1 - phi**2)
    return np.asarray(signal.lfilter([1.0], [1.0, -phi], x, axis=-1), dtype=np.float64)


def _standard(x: FloatArray) -> FloatArray:
    centred = x - x.mean(axis=-1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=-1, keepdims=True))
    return np.asarray(np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0))


def _check(params: Params) -> None:
    if not params.looks or min(params.looks) < 1:
        raise bad_parameter(name="looks", where=ID, must="counts of at least 1", got=params.looks)
    if params.n_days < 3 or params.n_streams < 1 or params.reps < 1 or params.extra_reps < 1:
        got = (params.n_days, params.n_streams, params.reps, params.extra_reps)
        must = "at least 3, 1, 1 and 1"
        raise bad_parameter(name="n_days, n_streams, reps, extra_reps", where=ID, must=must, got=got)
    if not 0 < params.alpha < 1:
        raise bad_parameter(name="alpha", where=ID, must="a probability in (0, 1)", got=params.alpha)
    if not params.incidents_per_day > 0:
        raise bad_parameter(name="incidents_per_day", where=ID, must="above 0", got=params.incidents_per_day)
    for name in ("planted_r", "autocorrelation"):
        if not 0 <= getattr(params, name) < 1:
            raise bad_parameter(name=name, where=ID, must="a correlation in [0, 1)", got=getattr(params, name))
