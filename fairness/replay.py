"""Ten thousand cities at a time: many policies replayed on the same cities, in little memory.

The loop of :mod:`fairness.feedback` holds every city in memory at once, which suits a curve of a few hundred cities. To
map a space of worlds one needs thousands of cities, dozens of zones and every policy on each. Here a city is drawn,
lived under every policy, reduced to nine numbers, and forgotten.

Each city has a random stream of its own, spawned from the caller's. So no number depends on how cities are grouped, on
how many workers share them, or on which other policies are in the call: cities, willingness to report, and the luck of
dispatch are the same under all of them.

What it cannot tell you: what :mod:`fairness.feedback` cannot. Many replicates make the interval of a number narrow,
not the model true.

References
----------
.. [1] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

import numpy as np
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.parallel import engine
from fairness import walk
from fairness.feedback import AllocationRule, Arrivals

#: Cities handed to a worker at a time. Changes the memory used, not a number.
CHUNK: Final = 64


class Remedy(Enum):
    """What is done about the loop. ``w[i]`` is what the base rule follows, ``p[i]`` the chance of sending a patrol.

    ``NONE`` follows all records.
    ``REPORTED_ONLY`` follows the start plus reports by residents: finds are filed and not learnt from.
    ``IMPORTANCE_WEIGHTED`` follows the start plus reports plus finds, each find counted ``1 / p`` of its zone that day.
    ``THINNED`` learns from a find with probability ``min(p) / p``: what is found where patrols are many is thrown away
    until finds come in as if presence were equal (Ensign et al.'s rejection, for any number of zones).
    ``EXPLORATION`` follows all records, but with probability ``strength`` goes to a zone at random: each zone is
    guaranteed a quota of ``strength / n_zones`` of the days.
    ``CAPPED`` follows all records, no zone being given more than ``strength`` of the chance; the rest is shared out.
    ``FIXED`` keeps the shares of the start for ever: no learning, no loop.
    ``TRUTH`` is sent in proportion to the true rates, which no police has: the yardstick of cost, not a remedy.
    """

    NONE = "none"
    REPORTED_ONLY = "reported-only"
    IMPORTANCE_WEIGHTED = "importance-weighted"
    THINNED = "thinned"
    EXPLORATION = "exploration"
    CAPPED = "capped"
    FIXED = "fixed"
    TRUTH = "truth"


_CODES: Final = {
    Remedy.NONE: walk.FOLLOW,
    Remedy.REPORTED_ONLY: walk.REPORTED_ONLY,
    Remedy.IMPORTANCE_WEIGHTED: walk.IMPORTANCE,
    Remedy.THINNED: walk.THINNED,
    Remedy.EXPLORATION: walk.EXPLORE,
    Remedy.CAPPED: walk.CAP,
    Remedy.FIXED: walk.START,
    Remedy.TRUTH: walk.TRUTH,
}
#: What is kept of a city under a policy, in the order in which :func:`fairness.walk.walk` fills it.
_COLUMNS: Final = (
    "recorded_error",
    "patrol_error",
    "believed_error",
    "largest_share",
    "drift_day",
    "discovered",
    "learnt",
    "recorded_first",
    "patrol_first",
)
_WITH_TOP: Final = frozenset({Remedy.NONE, Remedy.REPORTED_ONLY, Remedy.EXPLORATION})


@dataclass(frozen=True, slots=True)
class Policy:
    """How patrols are sent in one replay.

    Attributes
    ----------
    remedy : Remedy, default=Remedy.NONE
    top : bool, default=False
        True: to the zone with the largest weight, ties at random. False: drawn in proportion. Only ``NONE``,
        ``REPORTED_ONLY`` and ``EXPLORATION`` go with ``top``; the others need a probability to work on.
    strength : float, default=0.0
        Epsilon of ``EXPLORATION``, in (0, 1]; ceiling of ``CAPPED``, in (1 / n_zones, 1]. 0 elsewhere.
    rho : float or tuple of float, default=0.0
        Probability that residents report an incident: one number, or one per zone.
    """

    remedy: Remedy = Remedy.NONE
    top: bool = False
    strength: float = 0.0
    rho: float | tuple[float, ...] = 0.0

    @classmethod
    def of_rule(cls, rule: AllocationRule, *, rho: float | tuple[float, ...]) -> Policy:
        """Return the policy that does what ``rule`` of :mod:`fairness.feedback` does."""
        remedy = {
            AllocationRule.FIXED: Remedy.FIXED,
            AllocationRule.REPORTED_ONLY: Remedy.REPORTED_ONLY,
            AllocationRule.IMPORTANCE_WEIGHTED: Remedy.IMPORTANCE_WEIGHTED,
        }.get(rule, Remedy.NONE)
        return cls(remedy=remedy, top=rule is AllocationRule.TOP, rho=rho)

    @property
    def label(self) -> str:
        """Short name, for instance ``exploration 0.1 (top)``."""
        words = self.remedy.value + (f" {self.strength:g}" if self.strength else "")
        return f"{words} (top)" if self.top else words


@dataclass(frozen=True, slots=True)
class Replays:
    """What ``n_reps`` cities look like at the end, under each policy. All arrays have shape (n_policies, n_reps).

    Attributes
    ----------
    policies : tuple of Policy
    true_share : ndarray, shape (n_zones,)
    recorded_error, patrol_error, believed_error : ndarray
        Largest gap over zones between the truth and the share of the file, of the patrol's days, of the weights that
        the rule follows.
    largest_share : ndarray
        Largest share of the file held by one zone.
    drift_day : ndarray
        First day whose file is further than ``drift_threshold`` from the truth; inf if none.
    discovered, learnt : ndarray
        Incidents found by patrols over the horizon; those of them that the rule learnt from.
    recorded_first, patrol_first : ndarray
        Share of the first zone in the file and in the patrol's days.
    checkpoints : tuple of int
    path : ndarray, shape (n_policies, n_reps, n_checkpoints)
        Recorded share of the first zone at the end of these days.
    """

    policies: tuple[Policy, ...]
    true_share: FloatArray
    recorded_error: FloatArray
    patrol_error: FloatArray
    believed_error: FloatArray
    largest_share: FloatArray
    drift_day: FloatArray
    discovered: FloatArray
    learnt: FloatArray
    recorded_first: FloatArray
    patrol_first: FloatArray
    checkpoints: tuple[int, ...]
    path: FloatArray


def replay(
    *,
    rates: Sequence[float],
    start: Sequence[float],
    policies: Sequence[Policy],
    n_days: int,
    n_reps: int,
    rng: np.random.Generator,
    arrivals: Arrivals = Arrivals.BERNOULLI,
    drift_threshold: float = 0.2,
    checkpoints: Sequence[int] = (),
    jobs: int = 1,
    chunk: int = CHUNK,
    dask: str | None = None,
) -> Replays:
    """Draw ``n_reps`` cities and live each under every policy.

    Parameters
    ----------
    rates : sequence of float, shape (n_zones,)
        True incidents a day and zone, in (0, 1] for Bernoulli arrivals, (0, 1000] for Poisson.
    start : sequence of float, shape (n_zones,)
        Counts in the file on the first morning, all above 0.
    policies : sequence of Policy
    n_days, n_reps : int
        At least 1.
    rng : numpy.random.Generator
        One stream is spawned from it per city; its bit generator must have a seed sequence, as those of
        :func:`contrechamp.domain.rng.stream` do.
    arrivals : Arrivals, default=Arrivals.BERNOULLI
    drift_threshold : float, default=0.2
        In (0, 1); at 1 drift is not looked for, which is faster.
    checkpoints : sequence of int, default=()
        Days, increasing, from 0 to ``n_days``.
    jobs : int, default=1
        Threads (the loop releases the interpreter's lock), or workers of whatever joblib backend the caller set.
    chunk : int, default=64
        Cities handed to a worker at a time. Neither ``jobs`` nor ``chunk`` changes a number.
    dask : str, optional
        Address of a Dask scheduler, for instance ``tcp://127.0.0.1:8786``: the same chunks are sent there.

    Returns
    -------
    Replays

    Raises
    ------
    ParameterError
        If a number is out of range or a policy does not exist.
    CapabilityError
        If ``dask`` is given and dask.distributed is not installed, or the scheduler does not answer.

    Notes
    -----
    Memory: what one chunk draws per worker, plus nine numbers (and ``len(checkpoints)``) per city and policy.

    Examples
    --------
    >>> from contrechamp.domain.rng import stream
    >>> runs = replay(
    ...     rates=(0.1, 0.9), start=(11, 10), policies=[Policy(top=True)], n_days=50, n_reps=3, rng=stream(1, "doc")
    ... )
    >>> runs.patrol_first.tolist()  # the first zone leads by one record: the busier one is never visited
    [[1.0, 1.0, 1.0]]
    """
    truth, opening, days = _checked(rates, start, n_days, n_reps, arrivals, drift_threshold, checkpoints)
    chosen = tuple(_policy(policy, truth.size) for policy in policies)
    if not chosen:
        raise bad_parameter(name="policies", where="replay", must="at least one Policy", got=policies)
    if chunk < 1 or jobs == 0:
        raise bad_parameter(name="chunk, jobs", where="replay", must="at least 1", got=(chunk, jobs))
    seeds = rng.bit_generator.seed_seq
    if not isinstance(seeds, np.random.SeedSequence):
        raise bad_parameter(
            name="rng",
            where="replay",
            must="a Generator whose bit generator has a SeedSequence",
            got=rng,
            remedy="Make one with contrechamp.domain.rng.stream(seed, name).",
        )
    children = seeds.spawn(n_reps)
    share = truth / truth.sum()
    out = np.empty((len(chosen), n_reps, len(_COLUMNS)))
    path = np.empty((len(chosen), n_reps, len(days)))
    calls = (
        delayed(_live)(
            children[first : first + chunk],
            truth,
            share,
            opening,
            chosen,
            n_days,
            arrivals is Arrivals.POISSON,
            drift_threshold,
            np.asarray(days, dtype=np.int64),
        )
        for first in range(0, n_reps, chunk)
    )
    with engine(dask):
        first = 0
        for numbers, line in Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(calls):
            part = slice(first, first + numbers.shape[1])
            out[:, part], path[:, part] = numbers, line
            first = part.stop
    parts = [np.ascontiguousarray(out[:, :, k]) for k in range(len(_COLUMNS))]
    return Replays(
        policies=chosen, true_share=share, checkpoints=days, path=path, **dict(zip(_COLUMNS, parts, strict=True))
    )


def _live(
    seeds: Sequence[np.random.SeedSequence],
    rates: FloatArray,
    share: FloatArray,
    start: FloatArray,
    policies: tuple[Policy, ...],
    n_days: int,
    poisson: bool,
    threshold: float,
    days: walk.IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Draw and live a few cities; shapes (n_policies, n_cities, n_columns or n_checkpoints)."""
    rhos = [np.broadcast_to(np.asarray(p.rho, dtype=np.float64), share.shape).copy() for p in policies]
    out = np.empty((len(policies), len(seeds), len(_COLUMNS)))
    path = np.empty((len(policies), len(seeds), days.size))
    needed = {
        "ties": any(p.top for p in policies),
        "luck": any(p.remedy is Remedy.THINNED for p in policies),
        "explore": any(p.remedy is Remedy.EXPLORATION for p in policies),
    }
    for rep, seed in enumerate(seeds):
        rng = np.random.Generator(np.random.PCG64(seed))
        city = walk.draw_city(rates=rates, poisson=poisson, n_days=n_days, rng=rng, **needed)
        for k, policy in enumerate(policies):
            walk.walk(
                *city, share, start, _CODES[policy.remedy], policy.top, policy.strength, rhos[k], threshold, days,
                out[k, rep], path[k, rep],
            )  # fmt: skip
    return out, path


def _policy(policy: Policy, zones: int) -> Policy:
    where = "Policy"
    rho = np.atleast_1d(np.asarray(policy.rho, dtype=np.float64))
    if rho.shape not in ((1,), (zones,)) or not bool(((rho >= 0) & (rho <= 1)).all()):
        raise bad_parameter(name="rho", where=where, must=f"a share in [0, 1], or {zones} of them", got=policy.rho)
    if policy.top and policy.remedy not in _WITH_TOP:
        raise bad_parameter(
            name="top",
            where=where,
            must=f"False with the remedy {policy.remedy.value}",
            got=True,
            remedy="A patrol always sent to the largest weight leaves no probability to divide by or to cap.",
        )
    low, high = {Remedy.EXPLORATION: (0.0, 1.0), Remedy.CAPPED: (1.0 / zones, 1.0)}.get(policy.remedy, (-1.0, 0.0))
    if not low < policy.strength <= high or (low < 0 and policy.strength != 0):
        must = f"in ({low:.3g}, {high:g}]" if low >= 0 else "0"
        raise bad_parameter(
            name="strength", where=where, must=f"{must} with the remedy {policy.remedy.value}", got=policy.strength
        )
    return replace(policy, strength=float(policy.strength))


def _checked(
    rates: Sequence[float],
    start: Sequence[float],
    n_days: int,
    n_reps: int,
    arrivals: Arrivals,
    threshold: float,
    checkpoints: Sequence[int],
) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    where = "replay"
    truth, opening = np.asarray(rates, dtype=np.float64), np.asarray(start, dtype=np.float64)
    ceiling = 1.0 if arrivals is Arrivals.BERNOULLI else 1_000.0
    if truth.ndim != 1 or truth.size < 2 or not bool(((truth > 0) & (truth <= ceiling)).all()):
        must = f"two or more numbers in (0, {ceiling:g}] with {arrivals.value} arrivals"
        raise bad_parameter(name="rates", where=where, must=must, got=rates)
    if opening.shape != truth.shape or not bool((np.isfinite(opening) & (opening > 0)).all()):
        raise bad_parameter(name="start", where=where, must=f"{truth.size} numbers above 0, one per zone", got=start)
    if n_days < 1 or n_reps < 1:
        raise bad_parameter(name="n_days, n_reps", where=where, must="at least 1", got=(n_days, n_reps))
    if not 0 < threshold <= 1:
        raise bad_parameter(name="drift_threshold", where=where, must="a share in (0, 1]", got=threshold)
    days = tuple(int(day) for day in checkpoints)
    if days != tuple(sorted(set(days))) or any(not 0 <= day <= n_days for day in days):
        raise bad_parameter(
            name="checkpoints", where=where, must=f"increasing days from 0 to {n_days}", got=checkpoints
        )
    return truth, opening, days
