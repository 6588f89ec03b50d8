"""E20. Does it only work if every data stream is joined? Eight streams of known worth, all 256 ways of joining them.

In each invented city the log of past records tells how places differ, and seven other streams tell something new,
repeat the log, or tell nothing. A forecast is learned from records with every subset of the eight, walked forward, and
its gain over a constant forecast is measured in nats per incident, on what happens and, apart, on what is recorded.

A *percent* of log score depends on constants (units of area and time, factorials of the counts) unless it is a ratio of
two differences. Here every percentage is a difference of gains over a gain: the gain of the full join over that of the
log, calendar and weather; the loss from one stream less over the gain of the full join. It says how much of what can
be told about *where and when* is added or lost.

What it cannot tell you: what the streams of a city carry, nor what a stream costs those it watches. Gain per unit of
re-identification risk waits for the experiment that measures this risk (E08); none is printed here.

References
----------
.. [1] Shapley (1953), "A value for n-person games", Contributions to the Theory of Games II, 307-317.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.intervals import mean_interval, rate_interval
from models.importance import shapley
from models.joins import forecast_joins
from synthetic_data.stream_worlds import BASELINE, STREAMS, draw_stream_world

ID: Final = "E20"
#: Subsets of at most this many streams may stand in for the full join.
FEW: Final = 3
ALL: Final = (1 << len(STREAMS)) - 1


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E20.

    Attributes
    ----------
    n_informative : tuple of int
        Streams beside the log that carry something, 0 to 7; calendar and weather come first.
    information : tuple of float
        Nats per incident of each stream that tells something new.
    overlaps : tuple of float
        Share of the informative streams beyond calendar and weather that repeat the log.
    recording_biases : tuple of float
        0: all incidents have the same chance of being recorded. ``b``: 1 + b or 1 - b times as much as the police
        stream answers yes or no.
    worlds : int
        World seeds per combination of the above. The same seeds serve every combination.
    train_days, choice_days, test_days : int
        Days before the first forecast, days on which the best small subset is chosen (on records), and days scored.
    refit_days : int
    latent_per_day : float
    """

    n_informative: tuple[int, ...] = (2, 4, 7)
    information: tuple[float, ...] = (0.01, 0.05)
    overlaps: tuple[float, ...] = (0.0, 1.0)
    recording_biases: tuple[float, ...] = (0.0, 0.5)
    worlds: int = 8
    train_days: int = 300
    choice_days: int = 90
    test_days: int = 120
    refit_days: int = 90
    latent_per_day: float = 200.0

    @classmethod
    def quick(cls) -> Params:
        """Twenty-four worlds, eight seeds each: seconds."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """A finer map, two hundred seeds: about half a core-hour."""
        return cls(
            n_informative=(0, 2, 4, 5, 6, 7), information=(0.005, 0.01, 0.02, 0.05), overlaps=(0.0, 0.5, 1.0),
            worlds=200,
        )  # fmt: skip


_SEEDS: Final = Text(fr="mondes tirés (graines)", en="worlds drawn (seeds)")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("gain_full_join", "ratio", Text(
            fr="Gain de score logarithmique des huit flux sur mains courantes, calendrier et météo, incidents latents",
            en="Log-score gain of all eight streams over log, calendar and weather, latent incidents"), _SEEDS),
    Measure("gain_full_join_recorded", "ratio", Text(
            fr="Gain de score logarithmique des huit flux sur mains courantes, calendrier et météo, enregistrements",
            en="Log-score gain of all eight streams over log, calendar and weather, records"), _SEEDS),
    Measure("gain_full_join_known", "ratio", Text(
            fr="Le même gain pour un devin qui sait ce que vaut chaque réponse",
            en="The same gain for a clairvoyant who knows what each answer is worth"), _SEEDS),
    Measure("gain_over_log", "ratio", Text(
            fr="Gain de score logarithmique des huit flux sur les seules mains courantes, incidents latents",
            en="Log-score gain of all eight streams over the log alone, latent incidents"), _SEEDS),
    Measure("drop_cost", "ratio", Text(
            fr="Part du score perdue quand un flux est retiré, incidents latents",
            en="Share of the score lost when one stream is dropped, latent incidents"), _SEEDS),
    Measure("least_drop_cost", "ratio", Text(
            fr="Part du score perdue quand est retiré le flux qui coûte le moins, incidents latents",
            en="Share of the score lost when the stream that costs least is dropped, latent incidents"), _SEEDS),
    Measure("best_three_shortfall", "ratio", Text(
            fr="Part du score qui manque aux trois meilleurs flux au plus, choisis et jugés sur les incidents latents",
            en="Share of the score that the best three streams at most fall short of, chosen and scored on latent "
            "incidents"), _SEEDS),
    Measure("best_three_shortfall_found", "ratio", Text(
            fr="La même part, quand les trois flux au plus sont choisis sur les enregistrements",
            en="The same share, when the three streams at most are chosen on records"), _SEEDS),
    Measure("best_three_same", "share", Text(
            fr="Part des mondes où les enregistrements font choisir les mêmes trois flux au plus (les plus souvent "
            "choisis)",
            en="Share of worlds in which records lead to the same choice of three streams at most (the commonest "
            "choice)"), _SEEDS),
    Measure("shapley_latent", "nats", Text(fr="Valeur de Shapley d’un flux, incidents latents",
            en="Shapley value of a stream, latent incidents"), _SEEDS),
    Measure("shapley_recorded", "nats", Text(fr="Valeur de Shapley d’un flux, enregistrements",
            en="Shapley value of a stream, records"), _SEEDS),
    Measure("shapley_known", "nats", Text(fr="Valeur de Shapley vraie d’un flux, par le calcul",
            en="True Shapley value of a stream, by calculation"), _SEEDS),
    Measure("shapley_worst_error", "nats", Text(
            fr="Plus grand écart entre la valeur de Shapley mesurée d’un flux et sa valeur vraie, incidents latents",
            en="Largest gap between the measured Shapley value of a stream and its true value, latent incidents"),
            _SEEDS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="Ce que valent les flux d’une ville réelle : ici leur contenu est fixé par le monde, et la carte dit dans quels "
    "mondes il faut tout joindre. Chaque flux ne répond que par oui ou non, et le modèle est log-linéaire : un flux "
    "plus fin, un modèle plus riche en tireraient davantage. Tout pourcentage se rapporte à ce que l’on peut dire du "
    "lieu et du moment : il dépend de la concentration des lieux et de la finesse de la carte. Le gain par unité de "
    "risque de réidentification attend l’expérience qui mesure ce risque (E08) ; il n’est pas donné.",
    en="What the streams of a real city are worth: here their content is set by the world, and the map says in which "
    "worlds everything must be joined. Each stream only answers yes or no, and the model is log-linear: a finer "
    "stream or a richer model would draw more. Every percentage refers to what can be told about place and moment: it "
    "depends on how concentrated places are and how fine the map is. Gain per unit of re-identification risk waits "
    "for the experiment that measures this risk (E08); it is not given.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E20.

    Returns
    -------
    Outcome
        Results by ``n_informative``, ``information``, ``overlap`` and ``recording_bias`` (and ``stream`` where it
        matters); tables ``e20_draws`` (one row per world and seed) and ``e20_streams`` (one row per world, seed and
        stream).

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    tasks = [(here, rep) for here in _cells(params) for rep in range(params.worlds)]
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_one_world)(params, here, rep=rep, seed=seed) for here, rep in tasks
    )
    draws: list[dict[str, Any]] = []
    streams: list[dict[str, Any]] = []
    for done, ((here, rep), (whole, parts)) in enumerate(zip(tasks, work, strict=True), start=1):
        draws.append(here | {"rep": rep} | whole)
        streams += [here | {"rep": rep} | part for part in parts]
        progress("E20: worlds", done, len(tasks))
    tables = {"e20_draws": pd.DataFrame(draws), "e20_streams": pd.DataFrame(streams)}
    return Outcome(list(_results(tables["e20_draws"], tables["e20_streams"], params)), tables)


def join_measures(gains: FloatArray) -> dict[str, float]:
    """Percentages of one world from the gain of every subset.

    Parameters
    ----------
    gains : ndarray, shape (256,)
        Nats per event over a constant forecast, by number of the subset.

    Returns
    -------
    dict
        ``gain_full_join``, ``gain_over_log`` and ``least_drop_cost``; NaN where what it is a share of is not above 0.
    """
    return {
        "gain_full_join": -_lost(_number(BASELINE), ALL, gains),
        "gain_over_log": -_lost(1, ALL, gains),
        "least_drop_cost": float(drop_costs(gains).min()),
    }


def drop_costs(gains: FloatArray) -> FloatArray:
    """Share of the full join's gain that goes with each stream, all others kept, shape (8,)."""
    return np.array([_lost(ALL, ALL ^ (1 << j), gains) for j in range(len(STREAMS))])


def best_few(gains: FloatArray) -> int:
    """Number of the subset of at most :data:`FEW` streams with the largest gain."""
    small = np.flatnonzero(np.bitwise_count(np.arange(len(gains))) <= FEW)
    return int(small[np.argmax(gains[small])])


def _lost(of: int, left: int, gains: FloatArray) -> float:
    """Share of the gain of one subset that another falls short of; NaN where there is no gain to share."""
    return float(1 - gains[left] / gains[of]) if gains[of] > 0 else float("nan")


def _number(names: tuple[str, ...]) -> int:
    return sum(1 << STREAMS.index(name) for name in names)


def _cells(params: Params) -> list[dict[str, Any]]:
    return [
        {"n_informative": many, "information": nats, "overlap": overlap, "recording_bias": bias}
        for many, nats, overlap, bias in product(
            params.n_informative, params.information, params.overlaps, params.recording_biases
        )
    ]


def _one_world(
    params: Params, here: Mapping[str, Any], *, rep: int, seed: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    first, n_days = params.train_days, params.train_days + params.choice_days + params.test_days
    world = draw_stream_world(
        rng=stream(seed, ID, "world", rep), n_days=n_days, latent_per_day=params.latent_per_day, **here
    )
    with threadpool_limits(1):  # many small products: more threads would only wait for each other
        forecasts = forecast_joins(
            world.recorded, world.covariates, streams=STREAMS[1:], first_day=first, refit_days=params.refit_days
        )
    # On the truth, the score is the one expected given the true intensity: no luck of the draw in the test days.
    truth, records = world.intensity[first:], world.recorded[first:]
    enough, found = (best_few(forecasts.gains(events, last=params.choice_days)) for events in (truth, records))
    latent, recorded = (forecasts.gains(events, first=params.choice_days) for events in (truth, records))
    known = world.known_information
    shares = shapley(np.column_stack([latent, recorded, known]))  # (streams, 3)
    whole = join_measures(latent) | {
        "gain_full_join_recorded": join_measures(recorded)["gain_full_join"],
        "gain_full_join_known": join_measures(known)["gain_full_join"],
        "best_three_shortfall": _lost(ALL, enough, latent),
        "best_three_shortfall_found": _lost(ALL, found, latent),
        "best_three_found": found,
        "shapley_worst_error": float(np.abs(shares[:, 0] - shares[:, 2]).max()),
    }
    parts = [
        {"stream": name, "role": role, "shapley_latent": a, "shapley_recorded": b, "shapley_known": c, "drop_cost": d}
        for name, role, (a, b, c), d in zip(
            STREAMS, world.roles, shares.tolist(), drop_costs(latent).tolist(), strict=True
        )
    ]
    return whole, parts


_WHOLE: Final = (
    "gain_full_join", "gain_full_join_recorded", "gain_full_join_known", "gain_over_log", "least_drop_cost",
    "best_three_shortfall", "best_three_shortfall_found", "shapley_worst_error",
)  # fmt: skip
_BY_STREAM: Final = ("drop_cost", "shapley_latent", "shapley_recorded", "shapley_known")


def _results(draws: pd.DataFrame, streams: pd.DataFrame, params: Params) -> Iterator[Result]:
    keys = list(_cells(params)[0])
    for table, by, measures, name in (
        (draws, keys, _WHOLE, "e20_draws"),
        (streams, [*keys, "stream"], _BY_STREAM, "e20_streams"),
    ):
        for cell, mine in table.groupby(by, sort=False):
            here: dict[str, Any] = dict(zip(by, cell if isinstance(cell, tuple) else (cell,), strict=True))
            for measure in measures:
                yield Result(ID, measure, here, _mean(mine[measure]), name)
            if "best_three_found" in mine:
                commonest = int(mine["best_three_found"].value_counts().iloc[0])
                share = rate_interval(events=commonest, trials=len(mine), method="clopper-pearson")
                yield Result(ID, "best_three_same", here, share, name)


def _mean(values: pd.Series) -> Interval:
    """Mean over seeds with Student's interval; a value set by the world is the same in every draw and has none.

    Draws in which the share has no meaning are left out of n.
    """
    found = values.dropna().to_numpy(np.float64)
    if len(found) >= 2 and float(np.ptp(found)) <= 1e-12:
        return Interval.exact(float(found[0]), n=len(found), method="closed-form")
    return mean_interval(found)


def _check(params: Params) -> None:
    for name, ok, must in (
        ("worlds", params.worlds >= 2, "at least 2"),
        ("train_days", params.train_days >= 30, "at least 30"),
        ("choice_days", params.choice_days >= 1, "at least 1"),
        ("test_days", params.test_days >= 1, "at least 1"),
        ("refit_days", params.refit_days >= 1, "at least 1"),
        ("latent_per_day", params.latent_per_day > 0, "above 0"),
        ("n_informative", bool(params.n_informative), "at least one number"),
        ("information", bool(params.information), "at least one number"),
        ("overlaps", bool(params.overlaps), "at least one number"),
        ("recording_biases", bool(params.recording_biases), "at least one number"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
