"""E22. Do importance scores find the causes of incidents, or what makes incidents recorded?

Invented cities have a causal graph that is known: six factors that may cause incidents, patrol hours that cause none
but raise the chance that an incident is recorded. Two models learn records from the seven factors (gradient boosting
and Poisson regression), two scores say which factors matter (permutation and Shapley effects), and their ranks and
signs are compared with the true causal effects. Beside them stand a partial correlation and randomised trials run
inside the simulator, read on records and on incidents.

The models are handed the factors and nothing else. A platform's own forecast also reads past records, which would take
most of the credit from whatever caused them.

What it cannot tell you: which graph a real city has. It says under which confounding and recording bias « facteurs
propices » are causes; and it judges scores on a model that was handed every measured factor, with no error.

References
----------
.. [1] Janzing, Minorics & Blöbaum (2020), "Feature relevance quantification in explainable AI: a causal problem",
   AISTATS.
.. [2] Kendall (1938), "A new measure of rank correlation", Biometrika 30(1/2). doi:10.1093/biomet/30.1-2.81
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.clusters import cluster_rate_interval
from fairness.intervals import mean_interval, rate_interval
from models.importance import (
    dependence_slopes,
    effect_directions,
    permutation_importance,
    shapley_effects,
)
from models.loglinear import fit_loglinear, linear_predictor
from synthetic_data.factor_worlds import ARTEFACT, FACTORS, FactorWorld, draw_factor_world

ID: Final = "E22"
#: What a vendor could show.
METHODS: Final = ("gbm-permutation", "gbm-shapley", "poisson-permutation", "poisson-shapley")
#: What stands beside: the last reads what nobody can, the incidents themselves.
COMPARED: Final = ("partial-correlation", "trial-records", "trial-incidents")
#: The artefact is among the first when its rank is at most this.
TOP: Final = 3
_HELD_OUT: Final = 3  # one cell in three is kept from the fit
_EXPLAINED: Final = 96
_BACKGROUND: Final = 12
_REPEATS: Final = 5
#: Standard deviation, on the log scale, of the prior on a Poisson coefficient is 1.
_RIDGE: Final = 1.0
_CAUSES: Final = tuple(j for j, name in enumerate(FACTORS) if name != ARTEFACT)

Scores = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E22.

    Attributes
    ----------
    recording_biases : tuple of float
        0: recording does not depend on patrols; 1: proportional to patrol hours. 0 is always added: it is the
        reference.
    confoundings : tuple of float
        0: factors are independent; 1: they follow poverty, past records and an unmeasured passage of people.
    effects : tuple of float
        Scale of the causal effects; at 1 the strongest is 0.5 on the log rate per standard deviation.
    n_days : tuple of int
        Days of records.
    worlds : int
        World seeds per combination of the above. The same seeds serve every combination.
    """

    recording_biases: tuple[float, ...] = (0.0, 0.5, 1.0)
    confoundings: tuple[float, ...] = (0.0, 1.0)
    effects: tuple[float, ...] = (0.5, 1.0)
    n_days: tuple[int, ...] = (365,)
    worlds: int = 8

    @classmethod
    def quick(cls) -> Params:
        """Twelve worlds, eight seeds each: seconds."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """A finer map over a quarter, a year and five years of records, two hundred seeds: under a core-hour."""
        return cls(
            recording_biases=(0.0, 0.25, 0.5, 1.0), confoundings=(0.0, 0.5, 1.0), n_days=(90, 365, 1825), worlds=200
        )


_SEEDS: Final = Text(fr="mondes tirés (graines)", en="worlds drawn (seeds)")
_SIGNS: Final = Text(fr="effets vrais non nuls, tous mondes tirés confondus", en="true effects other than 0, all draws")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("rank_correlation", "ratio", Text(
            fr="Corrélation de rang (τ de Kendall) entre l’importance et la taille de l’effet causal vrai",
            en="Rank correlation (Kendall’s τ) of the importance with the size of the true causal effect"), _SEEDS),
    Measure("rank_correlation_spearman", "ratio", Text(
            fr="Corrélation de rang (ρ de Spearman) entre l’importance et la taille de l’effet causal vrai",
            en="Rank correlation (Spearman’s ρ) of the importance with the size of the true causal effect"), _SEEDS),
    Measure("sign_accuracy", "share", Text(
            fr="Part des effets vrais dont le sens est juste", en="Share of true effects whose direction is right"),
            _SIGNS),
    Measure("artefact_in_top3", "share", Text(
            fr="Part des mondes où les heures de patrouille, sans effet, sont parmi les trois premiers facteurs",
            en="Share of worlds where patrol hours, without effect, are among the first three factors"), _SEEDS),
    Measure("artefact_rank", "count", Text(
            fr="Rang moyen des heures de patrouille (1 : premier de sept)",
            en="Mean rank of patrol hours (1: first of seven)"), _SEEDS),
    Measure("rank_correlation_lost", "ratio", Text(
            fr="Corrélation de rang perdue à cause du biais d’enregistrement (mêmes mondes sans biais)",
            en="Rank correlation lost to the recording bias (same worlds without it)"), _SEEDS),
    Measure("rank_correlation_no_effect", "ratio", Text(
            fr="Témoin : corrélation de rang avec des effets annoncés mais absents",
            en="Control: rank correlation with effects that were announced but are absent"), _SEEDS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="Le graphe causal d’une ville réelle : on dit sous quel biais d’enregistrement et quelle confusion un score "
    "d’importance retrouve des causes, non où vit une ville. Tous les facteurs mesurés sont donnés au modèle, sans "
    "erreur ; les effets sont log-linéaires et les mêmes partout ; un seul facteur est un artefact. Une importance "
    "qui retrouve les causes ici peut encore échouer là-bas.",
    en="The causal graph of a real city: it says under which recording bias and confounding an importance score finds "
    "causes, not where a city lives. Every measured factor is handed to the model, without error; effects are "
    "log-linear and the same everywhere; a single factor is an artefact. An importance that finds causes here may "
    "still fail there.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E22.

    Returns
    -------
    Outcome
        Results by ``method``, ``recording_bias``, ``confounding``, ``effect`` and ``n_days``; table ``e22_factors``,
        one row per world, seed, method and factor.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    tasks = [(here, rep) for here in _cells(params) for rep in range(params.worlds)]
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_one_world)(here, rep=rep, seed=seed) for here, rep in tasks
    )
    rows: list[dict[str, Any]] = []
    for done, ((here, rep), scored) in enumerate(zip(tasks, work, strict=True), start=1):
        rows += [here | {"rep": rep} | row for row in scored]
        progress("E22: worlds", done, len(tasks))
    table = pd.DataFrame(rows)
    return Outcome(list(_results(table, params)), {"e22_factors": table})


def score_factors(world: FactorWorld, *, rng: np.random.Generator) -> dict[str, Scores]:
    """Importance and direction of every factor by every method, from records (and, for one, from incidents).

    Returns
    -------
    dict
        By method: importance (7,), the larger the more important, and direction (7,), of which the sign counts.
    """
    kept_out = rng.permutation(world.n_cells) < world.n_cells // _HELD_OUT
    x, y = world.factors, world.recorded.astype(np.float64)
    train, test, held = x[~kept_out], x[kept_out], y[kept_out]
    background = train[rng.permutation(len(train))[:_BACKGROUND]]
    explained = test[:_EXPLAINED]
    boosted = HistGradientBoostingRegressor(
        loss="poisson", max_iter=50, max_leaf_nodes=8, min_samples_leaf=20, early_stopping=False
    ).fit(train, y[~kept_out])
    coefficients = fit_loglinear(train, y[~kept_out], ridge=_RIDGE)[0]

    def log_boosted(rows: FloatArray) -> FloatArray:
        return np.asarray(np.log(np.maximum(boosted.predict(rows), 1e-12)), dtype=np.float64)

    def poisson(rows: FloatArray) -> FloatArray:
        return np.asarray(np.exp(linear_predictor(coefficients, rows)), dtype=np.float64)

    lost = permutation_importance(boosted.predict, test, held, rng=rng, repeats=_REPEATS).mean(axis=1)
    effects = shapley_effects(log_boosted, explained, background=background, rng=rng, orders=1)
    plain = permutation_importance(poisson, test, held, rng=rng, repeats=_REPEATS).mean(axis=1)
    linear = coefficients[1:] * (explained - background.mean(axis=0))  # closed form of the Shapley effects
    partial = partial_correlations(np.column_stack([x, np.log(y + 0.5)]))
    return {
        "gbm-permutation": (lost, dependence_slopes(log_boosted, explained)),
        "gbm-shapley": (np.abs(effects).mean(axis=0), effect_directions(explained, effects)),
        "poisson-permutation": (plain, coefficients[1:]),
        "poisson-shapley": (np.abs(linear).mean(axis=0), coefficients[1:]),
        "partial-correlation": (np.abs(partial), partial),
        **trial_effects(world, rng=rng),
    }


def trial_effects(world: FactorWorld, *, rng: np.random.Generator) -> dict[str, Scores]:
    """Effects measured by randomised trials, one per factor, on records and on incidents.

    Half of the cells have the factor moved up by 1; the log ratio between halves is read with the factors as they were
    before, which makes it sharper without biasing it.
    """
    found = {"trial-records": np.zeros(len(FACTORS)), "trial-incidents": np.zeros(len(FACTORS))}
    for index, factor in enumerate(FACTORS):
        moved, latent, recorded = world.randomised_trial(factor, rng=rng)
        design = np.column_stack([moved, world.factors])
        for name, counts in (("trial-records", recorded), ("trial-incidents", latent)):
            found[name][index] = fit_loglinear(design, counts, ridge=_RIDGE)[0, 1]
    return {name: (np.abs(effects), effects) for name, effects in found.items()}


def partial_correlations(columns: FloatArray) -> FloatArray:
    """Correlation of the last column with each other, all the rest held, shape (n_columns - 1,)."""
    precision = np.linalg.pinv(np.corrcoef(columns, rowvar=False))
    scale = np.sqrt(np.diag(precision))
    return np.asarray(-precision[-1, :-1] / (scale[-1] * scale[:-1]), dtype=np.float64)


def _cells(params: Params) -> list[dict[str, Any]]:
    biases = tuple(dict.fromkeys((0.0, *params.recording_biases)))
    worlds = product(biases, params.confoundings, params.effects, params.n_days)
    cells = [dict(zip(("recording_bias", "confounding", "effect", "n_days"), w, strict=True)) for w in worlds]
    control = [
        {"recording_bias": 0.0, "confounding": 0.0, "effect": 0.0, "n_days": days} for days in params.n_days
    ]  # fmt: skip
    return [*cells, *control]


def _one_world(here: Mapping[str, Any], *, rep: int, seed: int) -> list[dict[str, Any]]:
    world = draw_factor_world(rng=stream(seed, ID, "world", rep), **here)
    # Without effects, importances are compared with those the same draw would have had.
    shown = world if here["effect"] else draw_factor_world(rng=stream(seed, ID, "world", rep), **{**here, "effect": 1})
    with threadpool_limits(1):  # two workers, two threads: more would only wait for each other
        scores = score_factors(world, rng=stream(seed, ID, "methods", rep))
    return [
        {"method": method, "factor": factor, "importance": float(i), "direction": float(d), "true_effect": float(t)}
        for method, (importance, direction) in scores.items()
        for factor, i, d, t in zip(FACTORS, importance, direction, shown.total, strict=True)
    ]


def _results(table: pd.DataFrame, params: Params) -> Iterator[Result]:
    taus: dict[tuple[Any, ...], FloatArray] = {}
    keys = ["method", "recording_bias", "confounding", "effect", "n_days"]
    for raw, mine in table.groupby(keys, sort=False):
        cell: tuple[Any, ...] = raw if isinstance(raw, tuple) else (raw,)
        here: dict[str, Scalar] = dict(zip(keys, cell, strict=True))
        shape = (params.worlds, len(FACTORS))
        importance, direction, true = (
            mine[name].to_numpy(np.float64).reshape(shape) for name in ("importance", "direction", "true_effect")
        )
        if here["effect"] == 0:
            tau = np.array(
                [_kendall(i[list(_CAUSES)], t[list(_CAUSES)]) for i, t in zip(importance, true, strict=True)]
            )
            world = {k: v for k, v in here.items() if k in ("method", "n_days")}
            yield Result(ID, "rank_correlation_no_effect", world, _mean(tau), "e22_factors")
            continue
        tau = np.array([_kendall(i, t) for i, t in zip(importance, true, strict=True)])
        rho = np.array([stats.spearmanr(i, np.abs(t)).statistic for i, t in zip(importance, true, strict=True)])
        rank = artefact_ranks(importance)
        some = np.abs(true) > 1e-12
        right = (some & (np.sign(direction) == np.sign(true))).sum(axis=1)
        taus[cell] = tau
        signs = cluster_rate_interval(events=right, trials=some.sum(axis=1), clusters=np.arange(len(some))).interval
        top = rate_interval(events=int((rank <= TOP).sum()), trials=len(rank), method="clopper-pearson")
        reference = taus[cell[0], 0.0, *cell[2:]]
        lost = (
            Interval.exact(0.0, n=len(tau), method="identical-runs")
            if here["recording_bias"] == 0
            else _mean(reference - tau)
        )
        for measure, interval in (
            ("rank_correlation", _mean(tau)), ("rank_correlation_spearman", _mean(rho)), ("sign_accuracy", signs),
            ("artefact_in_top3", top), ("artefact_rank", _mean(rank.astype(np.float64))),
            ("rank_correlation_lost", lost),
        ):  # fmt: skip
            yield Result(ID, measure, here, interval, "e22_factors")


def artefact_ranks(importance: FloatArray) -> IntArray:
    """Rank of the artefact among the factors of each world, 1 for the most important; ties count against it.

    Parameters
    ----------
    importance : ndarray, shape (n_worlds, 7)
    """
    mine = importance[:, [FACTORS.index(ARTEFACT)]]
    return np.asarray(1 + (importance > mine).sum(axis=1), dtype=np.int64)


def _kendall(importance: FloatArray, effects: FloatArray) -> float:
    return float(stats.kendalltau(importance, np.abs(effects)).statistic)


def _mean(values: FloatArray) -> Interval:
    """Mean over seeds with Student's interval; a value that no draw moves is given with bounds of its own."""
    values = values[np.isfinite(values)]  # no rank where all importances are equal
    if len(values) >= 2 and float(np.ptp(values)) == 0.0:
        return Interval(float(values[0]), float(values[0]), float(values[0]), len(values), "identical-runs")
    return mean_interval(values)


def _check(params: Params) -> None:
    for name, ok, must in (
        ("worlds", params.worlds >= 2, "at least 2"),
        ("recording_biases", bool(params.recording_biases), "at least one number"),
        ("confoundings", bool(params.confoundings), "at least one number"),
        ("effects", bool(params.effects) and min(params.effects) > 0, "scales above 0 (the control of 0 is added)"),
        ("n_days", bool(params.n_days), "at least one number of days"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
