"""E02, the self-fulfilling prophecy: if patrols follow the file and the file follows patrols, does it drift?

Cities of known truth are replayed under two allocation rules and three corrections, over the whole curve of the share
of incidents that residents report. Every policy meets the same incidents, the same willingness to report and the same
luck, and each is compared with itself when everything is reported, where there is no loop at all. Then the unknowns of
such a world are drawn together over stated ranges: in what share of these worlds does the prophecy come true, and which
unknown decides (:mod:`contrechamp.experiments.e02_worlds`).

What it cannot tell you: see :data:`CANNOT_TELL`.

References
----------
.. [1] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.experiments.e02_measures import MEASURES
from contrechamp.experiments.e02_worlds import Plan, plausible_worlds
from fairness.feedback import AllocationRule, Arrivals, draw_history
from fairness.intervals import paired_difference_interval, quantile_interval, rate_interval
from fairness.relive import relive
from fairness.replay import Policy, Replays
from fairness.urns import TIE, p_share_beyond

__all__ = ["BLOCK", "CANNOT_TELL", "ID", "MEASURES", "Params", "run"]

ID: Final = "E02"

#: Replicates drawn from one random stream. Fixed: changing it changes every number of the experiment.
BLOCK: Final = 200

#: Quantiles of the recorded share of the first zone, kept for plots.
PATH_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
N_CHECKPOINTS: Final = 40


@dataclasses.dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E02.

    Attributes
    ----------
    n_reps, n_days : int
        Replicate cities per world; days each lives.
    rhos : tuple of float
        Shares of incidents reported by residents. 1 is always added: it is the control without a loop.
    rules : tuple of str
        Values of :class:`fairness.feedback.AllocationRule`.
    equal_zones : tuple of int
        One equal world per number of zones.
    rate : float
        True incidents a day and zone in the equal worlds.
    unequal_rates : tuple of str
        One unequal world per text, rates separated by ``/``: ``"0.6/0.4"``.
    arrivals : tuple of str
        Values of :class:`fairness.feedback.Arrivals`: the laws of daily incidents in the equal worlds. Unequal worlds
        use the first.
    start : float
        Records each zone has on the first morning.
    ranges : tuple of str
        What is not known of a world and the range it is drawn over, ``name=low..high`` and, where it is not uniform,
        ``log`` or ``whole``. The dials of :data:`fairness.loop_space.DIALS`, each once.
    n_base : int
        Base points of the Sobol design, a power of two.
    n_plausible, n_cities : int
        Worlds drawn over the ranges (a power of two), and cities lived in each to judge it.
    """

    n_reps: int = 400
    n_days: int = 1_000
    rhos: tuple[float, ...] = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0)
    rules: tuple[str, ...] = tuple(rule.value for rule in AllocationRule)
    equal_zones: tuple[int, ...] = (2,)
    rate: float = 0.5
    unequal_rates: tuple[str, ...] = ("0.6/0.4",)
    arrivals: tuple[str, ...] = ("bernoulli", "poisson")
    start: float = 10.0
    ranges: tuple[str, ...] = (
        "rho=0..1",
        "ratio=1..4 log",
        "zones=2..20 whole",
        "start=1..100 log",
        "exponent=0..4",
        "finding=0.1..1",
        "days=90..1460 whole",
        "rate=0.05..0.95 log",
    )
    n_base: int = 512
    n_plausible: int = 128
    n_cities: int = 100

    @classmethod
    def quick(cls) -> Params:
        """Two zones, equal and unequal, 400 replicates; 128 plausible worlds: seconds."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """2, 3, 5, 10 and 20 zones, more unequal worlds, a finer curve, 2,000 replicates; 1,024 worlds: minutes."""
        return cls(
            n_reps=2_000,
            rhos=(
                0.0,
                0.05,
                0.1,
                0.15,
                0.2,
                0.25,
                0.3,
                0.35,
                0.4,
                0.45,
                0.5,
                0.55,
                0.6,
                0.7,
                0.75,
                0.8,
                0.9,
                0.95,
                1.0,
            ),
            equal_zones=(2, 3, 5, 10, 20),
            unequal_rates=("0.6/0.4", "0.8/0.2", "0.9/0.7/0.5/0.3/0.1"),
            n_base=4_096,
            n_plausible=1_024,
            n_cities=200,
        )


CANNOT_TELL = Text(
    fr=(
        "Ce que l'expérience ne dit pas : dans lequel de ces mondes vit une ville donnée. Une patrouille par jour, "
        "pas de dissuasion, pas de déplacement, pas d'oubli des anciens enregistrements, pas de jugement des agents. "
        "Le verdict change avec la règle, avec la part signalée et avec la grandeur regardée : lire la courbe, pas "
        "un point. Les plages des inconnues sont un choix : d'autres plages donneraient d'autres parts de mondes."
    ),
    en=(
        "What the experiment does not say: which of these worlds a given city lives in. One patrol a day, no "
        "deterrence, no displacement, no forgetting of old records, no officer's judgement. The verdict changes with "
        "the rule, with the share reported and with the quantity scored: read the curve, not one point. The ranges of "
        "the unknowns are a choice: other ranges would give other shares of worlds."
    ),
)


@dataclasses.dataclass(frozen=True, slots=True)
class _World:
    rates: tuple[float, ...]
    label: str
    arrivals: Arrivals

    @property
    def keys(self) -> dict[str, Scalar]:
        return {"zones": len(self.rates), "rates": self.label, "arrivals": self.arrivals.value}


_Column = npt.NDArray[np.float64]
#: What is kept of one block: for each (rule, rho), a few numbers per city.
_Kept = dict[tuple[str, float], dict[str, _Column]]


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Replay every world under every rule and every share reported, then draw plausible worlds.

    Parameters
    ----------
    params : Params
    seed : int
    jobs : int, default=1
        Workers. No number depends on it.
    progress : Progress

    Returns
    -------
    Outcome
        Tables ``E02_curve`` (one row per result of the curve), ``E02_paths`` (quantiles of the first zone's recorded
        share), ``e02_sobol`` (one row per unknown: range, indices) and ``e02_worlds`` (one row per world drawn).

    Raises
    ------
    ParameterError
        If a rule, a law of arrivals, a rate or a range cannot be read, or a number is out of range.
    """
    worlds = _worlds(params)
    rules = tuple(_member(AllocationRule, name, "rules") for name in params.rules)
    rhos = tuple(sorted({*(float(rho) for rho in params.rhos), 1.0}))
    if params.n_reps < 1:
        raise bad_parameter(name="n_reps", where="E02", must="at least 1", got=params.n_reps)
    plan = Plan.parse(
        params.ranges, n_base=params.n_base, n_worlds=params.n_plausible, n_cities=params.n_cities
    )  # fmt: skip
    sizes = [min(BLOCK, params.n_reps - first) for first in range(0, params.n_reps, BLOCK)]
    tasks = [(world, block, size) for world in worlds for block, size in enumerate(sizes)]
    calls = (delayed(_block)(params, rules, rhos, *task, seed) for task in tasks)
    blocks: list[_Kept] = []
    for kept in Parallel(n_jobs=jobs, return_as="generator")(calls):
        blocks.append(kept)
        progress("E02: curve", len(blocks), len(tasks))

    results: list[Result] = []
    paths: list[pd.DataFrame] = []
    checkpoints = _checkpoints(params.n_days)
    for index, world in enumerate(worlds):
        mine = blocks[index * len(sizes) : (index + 1) * len(sizes)]
        for rule in rules:
            control = _joined(mine, rule, 1.0)
            for rho in rhos:
                keys = {**world.keys, "rule": rule.value, "rho": rho}
                runs = _joined(mine, rule, rho)
                results += [Result(ID, key, keys, interval, "E02_curve") for key, interval in _score(runs, control)]
                results += _closed_form(world, rule, rho, params, keys)
                paths.append(_paths(runs["path"], checkpoints, keys))
    curve = pd.DataFrame(
        {
            **r.world,
            "measure": r.measure,
            "value": r.interval.estimate,
            "low": r.interval.low,
            "high": r.interval.high,
            "n": r.interval.n,
            "method": r.interval.method,
        }
        for r in results
    )
    curve = curve.astype({"value": "float64", "low": "float64", "high": "float64"})
    more = plausible_worlds(plan, seed=seed, jobs=jobs, progress=progress)
    tables = {"E02_curve": curve, "E02_paths": pd.concat(paths, ignore_index=True), **more.tables}
    return Outcome([*results, *more.results], tables)


def _worlds(params: Params) -> list[_World]:
    laws = [_member(Arrivals, name, "arrivals") for name in params.arrivals]
    if not laws:
        raise bad_parameter(name="arrivals", where="E02", must="at least one law", got=params.arrivals)
    worlds = [_World((params.rate,) * zones, "equal", law) for law in laws for zones in params.equal_zones]
    for text in params.unequal_rates:
        try:
            rates = tuple(float(part) for part in text.split("/"))
        except ValueError:
            raise bad_parameter(
                name="unequal_rates", where="E02", must="rates separated by '/', such as 0.6/0.4", got=text
            ) from None
        worlds.append(_World(rates, text, laws[0]))
    return worlds


def _member(kind: Any, name: str, parameter: str) -> Any:
    try:
        return kind(name)
    except ValueError:
        raise bad_parameter(
            name=parameter, where="E02", must="among " + ", ".join(m.value for m in kind), got=name
        ) from None


def _checkpoints(n_days: int) -> tuple[int, ...]:
    return tuple(sorted({round(n_days * k / N_CHECKPOINTS) for k in range(N_CHECKPOINTS + 1)}))


def _block(
    params: Params,
    rules: Sequence[AllocationRule],
    rhos: Sequence[float],
    world: _World,
    block: int,
    size: int,
    seed: int,
) -> _Kept:
    """Live one block of cities under every rule; the random stream is named by the world and the block."""
    history = draw_history(
        rates=world.rates,
        n_days=params.n_days,
        n_reps=size,
        rng=stream(seed, ID, world.label, len(world.rates), world.arrivals.value, "block", block),
        arrivals=world.arrivals,
    )
    policies = [(rule, rho) for rule in rules for rho in rhos]
    runs = relive(
        history,
        policies=[Policy.of_rule(rule, rho=rho) for rule, rho in policies],
        start=(params.start,) * len(world.rates),
        checkpoints=_checkpoints(params.n_days),
    )
    return {(rule.value, rho): _keep(runs, index) for index, (rule, rho) in enumerate(policies)}


def _keep(runs: Replays, index: int) -> dict[str, _Column]:
    return {
        "recorded": runs.recorded_error[index],
        "patrol": runs.patrol_error[index],
        "believed": runs.believed_error[index],
        "largest": runs.largest_share[index],
        "drift_day": runs.drift_day[index],
        "path": runs.path[index],
    }


def _joined(blocks: Sequence[_Kept], rule: AllocationRule, rho: float) -> dict[str, _Column]:
    parts = [block[rule.value, rho] for block in blocks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _score(runs: dict[str, _Column], control: dict[str, _Column]) -> Iterator[tuple[str, Interval]]:
    yield "recorded_off_20", _rate(runs["recorded"] > 0.2 + TIE)
    yield "recorded_off_10", _rate(runs["recorded"] > 0.1 + TIE)
    yield "patrol_off_20", _rate(runs["patrol"] > 0.2 + TIE)
    yield "believed_off_20", _rate(runs["believed"] > 0.2 + TIE)
    yield "one_zone_over_80", _rate(runs["largest"] > 0.8 + TIE)
    for key, name, gap in (
        ("recorded_excess_20", "recorded", 0.2),
        ("recorded_excess_10", "recorded", 0.1),
        ("patrol_excess_20", "patrol", 0.2),
    ):
        if runs is control or np.array_equal(runs[name], control[name]):
            # The same cities under the same policy: a difference of zero by construction, not by estimation.
            yield key, Interval.exact(0.0, n=len(runs[name]), method="identical-runs")
        else:
            yield key, _paired(runs[name] > gap + TIE, control[name] > gap + TIE)
    yield "median_abs_error", quantile_interval(runs["recorded"], q=0.5)
    yield "days_to_drift", quantile_interval(runs["drift_day"], q=0.5)


def _closed_form(
    world: _World, rule: AllocationRule, rho: float, params: Params, keys: dict[str, Scalar]
) -> Iterator[Result]:
    """The one corner of the map where the loop is an urn whose law is known: no Monte-Carlo error there."""
    urn = rule is AllocationRule.PROPORTIONAL and rho == 0 and world.arrivals is Arrivals.BERNOULLI
    if urn and world.label == "equal" and len(world.rates) == 2:
        chance = p_share_beyond(
            start=(params.start, params.start), n_draws=params.n_days, p_addition=world.rates[0], tolerance=0.2
        )
        interval = Interval.exact(chance, method="beta-binomial mixture")
        yield Result(ID, "recorded_off_20_exact", keys, interval, "E02_curve")


def _rate(hit: npt.NDArray[np.bool_]) -> Interval:
    return rate_interval(events=int(hit.sum()), trials=int(hit.size), method="wilson")


def _paired(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Interval:
    return paired_difference_interval(
        both=int((first & second).sum()),
        first_only=int((first & ~second).sum()),
        second_only=int((~first & second).sum()),
        neither=int((~first & ~second).sum()),
    )


def _paths(path: _Column, checkpoints: Sequence[int], keys: dict[str, Scalar]) -> pd.DataFrame:
    lines = np.quantile(path, PATH_QUANTILES, axis=0)  # (n_quantiles, n_checkpoints)
    return pd.DataFrame(
        {
            **keys,
            "day": np.repeat(np.asarray(checkpoints, dtype=np.int64), len(PATH_QUANTILES)),
            "quantile": np.tile(PATH_QUANTILES, len(checkpoints)),
            "recorded_share": lines.T.ravel(),
        }
    )
