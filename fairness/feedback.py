"""The patrol feedback loop: patrols follow the record, and the record grows where patrols went.

The most cited fear about predictive policing, put in its smallest honest form: zones whose true rates are known
because we set them, a file that starts level, one patrol a day, and an allocation rule. Everything else is counting.

The model, day by day
---------------------
1. *Incidents.* Zone ``i`` has incidents at true rate ``rates[i]`` a day: at most one, with that probability
   (``Arrivals.BERNOULLI``), or a Poisson number (``Arrivals.POISSON``).
2. *Reports.* Residents report each incident with probability ``rho`` (one number, or one per zone), wherever the
   patrol is. A report is recorded.
3. *Patrol.* One patrol spends the day in one zone, chosen by the rule from what the file said the evening before.
4. *Discoveries.* Incidents of the patrolled zone that nobody reported are discovered, and recorded.
   Elsewhere they leave no trace.
5. *File.* Counts start at ``start`` and only grow.

Zones, incidents, willingness to report, dispatch draws and tie-breaks are drawn once (:func:`draw_history`) and
replayed under every rule and every ``rho``: differences between policies are not differences of luck, and an incident
reported at ``rho = 0.2`` is reported at 0.3 too.

What it cannot tell you: whether a given city lives in one of these worlds. There is no deterrence, no displacement, no
decay of old records, no second patrol, no officer's judgement. With Poisson arrivals a lucky patrol brings back
several records at once and the proportional rule drifts about twice as often as with at most one incident a day: the
tail of the drift depends on such details, its direction does not.

References
----------
.. [1] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
.. [2] Lum & Isaac (2016), "To predict and serve?", Significance 13(5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness.urns import TIE

IntArray = npt.NDArray[np.integer]


class AllocationRule(Enum):
    """How tomorrow's patrol is sent. ``w[i]`` is what the rule believes zone ``i`` weighs.

    ``PROPORTIONAL`` draws zone ``i`` with probability ``w[i] / sum(w)``, ``w`` all records so far.
    ``TOP`` goes to the zone with most records, ties at random.
    ``FIXED`` draws with the shares of the start, for ever: no learning, no loop.
    ``REPORTED_ONLY`` draws in proportion to the start plus *reports*: discoveries are kept out of the file it learns.
    ``IMPORTANCE_WEIGHTED`` draws in proportion to the start plus reports plus discoveries, each discovery
    counted ``1 / p`` where ``p`` was the probability of sending the patrol there that day. It needs ``p``, not ``rho``.
    """

    PROPORTIONAL = "proportional"
    TOP = "top"
    FIXED = "fixed"
    REPORTED_ONLY = "reported-only"
    IMPORTANCE_WEIGHTED = "importance-weighted"


class Arrivals(Enum):
    """Law of the number of incidents of a zone in a day: at most one (``BERNOULLI``) or ``POISSON``."""

    BERNOULLI = "bernoulli"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class History:
    """Everything that happens whatever the police do, plus the luck of dispatch, for ``n_reps`` cities.

    Attributes
    ----------
    rates : ndarray, shape (n_zones,)
        True incidents a day.
    incidents : ndarray of uint16, shape (n_days, n_zones, n_reps)
    marks : ndarray, shape (incidents.sum(),)
        For each incident, in the order of ``incidents`` flattened, the level of ``rho`` above which it is reported.
    dispatch : ndarray, shape (n_days, n_reps)
        Uniform draws that send the patrol.
    ties : ndarray, shape (n_days, n_zones, n_reps)
        Uniform draws that break ties.
    """

    rates: FloatArray
    incidents: npt.NDArray[np.uint16]
    marks: FloatArray
    dispatch: FloatArray
    ties: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FeedbackRuns:
    """What ``n_reps`` cities look like at the end of the horizon, under one rule and one ``rho``.

    Attributes
    ----------
    true_share : ndarray, shape (n_zones,)
        ``rates / rates.sum()``.
    recorded_share : ndarray, shape (n_reps, n_zones)
        Share of the file, start included.
    patrol_share : ndarray, shape (n_reps, n_zones)
        Share of the days the patrol spent in each zone.
    believed_share : ndarray, shape (n_reps, n_zones)
        Share of the weights that the rule follows. The same as ``recorded_share`` unless the rule corrects the file.
    drift_day : ndarray, shape (n_reps,)
        First day at the end of which the recorded share of some zone is further than ``drift_threshold`` from the
        truth; inf when that never happened.
    checkpoints : ndarray of int, shape (n_checkpoints,)
        Days at the end of which ``path`` was read; 0 is the start.
    path : ndarray, shape (n_checkpoints, n_reps, n_zones)
        Recorded share at the checkpoints.
    """

    true_share: FloatArray
    recorded_share: FloatArray
    patrol_share: FloatArray
    believed_share: FloatArray
    drift_day: FloatArray
    checkpoints: IntArray
    path: FloatArray

    @property
    def recorded_error(self) -> FloatArray:
        """Largest gap over zones between recorded and true share, shape (n_reps,)."""
        return _largest_gap(self.recorded_share, self.true_share)

    @property
    def patrol_error(self) -> FloatArray:
        """Largest gap over zones between patrol and true share, shape (n_reps,)."""
        return _largest_gap(self.patrol_share, self.true_share)

    @property
    def believed_error(self) -> FloatArray:
        """Largest gap over zones between the share the rule believes in and the true one, shape (n_reps,)."""
        return _largest_gap(self.believed_share, self.true_share)


def draw_history(
    *,
    rates: Sequence[float],
    n_days: int,
    n_reps: int,
    rng: np.random.Generator,
    arrivals: Arrivals = Arrivals.BERNOULLI,
) -> History:
    """Draw what happens, who would report it, and the luck of dispatch.

    Parameters
    ----------
    rates : sequence of float, shape (n_zones,)
        True incidents a day and zone, in (0, 1] for Bernoulli arrivals, (0, 1000] for Poisson.
    n_days, n_reps : int
        Horizon; number of replicate cities. Both at least 1.
    rng : numpy.random.Generator
    arrivals : Arrivals, default=Arrivals.BERNOULLI

    Returns
    -------
    History

    Raises
    ------
    ParameterError
        If there are fewer than two zones or a number is out of range.
    """
    where = "draw_history"
    truth = np.asarray(rates, dtype=np.float64)
    ceiling = 1.0 if arrivals is Arrivals.BERNOULLI else 1_000.0
    if truth.ndim != 1 or truth.size < 2 or not bool(((truth > 0) & (truth <= ceiling)).all()):
        raise bad_parameter(
            name="rates",
            where=where,
            must=f"two or more numbers in (0, {ceiling:g}] with {arrivals.value} arrivals",
            got=rates,
            remedy="Rates above one incident a day need arrivals=Arrivals.POISSON." if ceiling == 1.0 else "",
        )
    if n_days < 1 or n_reps < 1:
        raise bad_parameter(name="n_days, n_reps", where=where, must="at least 1", got=(n_days, n_reps))
    shape = (n_days, truth.size, n_reps)
    if arrivals is Arrivals.BERNOULLI:
        incidents = (rng.random(shape) < truth[:, None]).astype(np.uint16)
    else:
        incidents = rng.poisson(truth[:, None], size=shape).astype(np.uint16)
    marks = rng.random(int(incidents.sum(dtype=np.int64)))
    return History(truth, incidents, marks, rng.random((n_days, n_reps)), rng.random(shape, dtype=np.float32))


def sweep_feedback(
    history: History,
    *,
    rule: AllocationRule,
    rhos: Sequence[float | Sequence[float]],
    start: Sequence[float],
    drift_threshold: float = 0.2,
    checkpoints: Sequence[int] = (),
) -> tuple[FeedbackRuns, ...]:
    """Replay one history under one rule, at several shares of incidents reported by residents.

    Parameters
    ----------
    history : History
    rule : AllocationRule
    rhos : sequence
        Each entry is the probability that residents report an incident: one number, or one per zone.
    start : sequence of float, shape (n_zones,)
        Counts in the file on the first morning, all above 0.
    drift_threshold : float, default=0.2
        Gap of shares that counts as drift, in (0, 1).
    checkpoints : sequence of int, default=()
        Days (0 to ``n_days``) at which the path is read.

    Returns
    -------
    tuple of FeedbackRuns
        One per entry of ``rhos``, in that order. Each depends on its own ``rho`` only, not on the others in the call.

    Raises
    ------
    ParameterError
        If a probability is out of [0, 1], ``start`` does not match the zones, or a checkpoint is out of the horizon.
    """
    n_days, zones, reps = history.incidents.shape
    p_reported, opening, days = _checked(
        rhos=rhos, start=start, checkpoints=checkpoints, zones=zones, n_days=n_days, threshold=drift_threshold
    )
    n_rhos = len(p_reported)
    runs = n_rhos * reps
    reported = _reported(history, p_reported)  # (n_days, zones, runs), runs ordered rho by rho
    columns = np.arange(runs)
    true_share = history.rates / history.rates.sum()

    counts = np.repeat(opening[:, None], runs, axis=1)
    learned = counts.copy()  # the weights the rule follows, where they are not the counts
    patrol_days = np.zeros((zones, runs))
    drift_day = np.full(runs, np.inf)
    path = np.empty((len(days), zones, runs))
    if 0 in days:
        path[days.index(0)] = counts / counts.sum(axis=0)

    corrects = rule in (AllocationRule.REPORTED_ONLY, AllocationRule.IMPORTANCE_WEIGHTED)
    for day in range(n_days):
        followed = learned if corrects or rule is AllocationRule.FIXED else counts
        if rule is AllocationRule.TOP:
            # Counts move by whole steps, so noise under one half only breaks ties.
            zone = (followed + 0.5 * np.tile(history.ties[day], (1, n_rhos))).argmax(axis=0)
        else:
            edges = followed.cumsum(axis=0)
            point = np.tile(history.dispatch[day], n_rhos) * edges[-1]
            zone = np.minimum((edges <= point).sum(axis=0), zones - 1)
        happened = np.tile(history.incidents[day], (1, n_rhos))
        discovered = happened[zone, columns] - reported[day, zone, columns]
        if corrects:
            if rule is AllocationRule.IMPORTANCE_WEIGHTED:
                p_there = learned[zone, columns] / edges[-1]
                learned[zone, columns] += discovered / p_there
            learned += reported[day]
        counts += reported[day]
        counts[zone, columns] += discovered
        patrol_days[zone, columns] += 1.0
        share = counts / counts.sum(axis=0)
        gone = np.abs(share - true_share[:, None]).max(axis=0) > drift_threshold + TIE
        np.minimum(drift_day, np.where(gone, day + 1.0, np.inf), out=drift_day)
        if day + 1 in days:
            path[days.index(day + 1)] = share

    believed = learned if corrects or rule is AllocationRule.FIXED else counts
    recorded_share, believed_share = counts / counts.sum(axis=0), believed / believed.sum(axis=0)
    out = []
    for index in range(n_rhos):
        part = slice(index * reps, (index + 1) * reps)
        out.append(
            FeedbackRuns(
                true_share=true_share,
                recorded_share=recorded_share[:, part].T.copy(),
                patrol_share=patrol_days[:, part].T / n_days,
                believed_share=believed_share[:, part].T.copy(),
                drift_day=drift_day[part].copy(),
                checkpoints=np.asarray(days, dtype=np.int64),
                path=path[:, :, part].transpose(0, 2, 1).copy(),
            )
        )
    return tuple(out)


def simulate_feedback(
    *,
    rates: Sequence[float],
    rho: float | Sequence[float],
    rule: AllocationRule,
    n_days: int,
    n_reps: int,
    start: Sequence[float],
    rng: np.random.Generator,
    arrivals: Arrivals = Arrivals.BERNOULLI,
    drift_threshold: float = 0.2,
    checkpoints: Sequence[int] = (),
) -> FeedbackRuns:
    """Run the closed loop once: :func:`draw_history`, then :func:`sweep_feedback` at a single ``rho``.

    Parameters
    ----------
    rates, n_days, n_reps, rng, arrivals
        As :func:`draw_history`.
    rho : float or sequence of float, shape (n_zones,)
        Probability that residents report an incident, in [0, 1].
    rule, start, drift_threshold, checkpoints
        As :func:`sweep_feedback`.

    Returns
    -------
    FeedbackRuns

    Raises
    ------
    ParameterError
        As the two functions it calls.

    Examples
    --------
    The greedy rule never looks back: the first zone leads by one record, so the busier one is never visited.

    >>> from contrechamp.domain.rng import stream
    >>> runs = simulate_feedback(
    ...     rates=(0.1, 0.9), rho=0, rule=AllocationRule.TOP, n_days=50, n_reps=3, start=(11, 10), rng=stream(1, "doc")
    ... )
    >>> runs.patrol_share[:, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    history = draw_history(rates=rates, n_days=n_days, n_reps=n_reps, rng=rng, arrivals=arrivals)
    (runs,) = sweep_feedback(
        history, rule=rule, rhos=(rho,), start=start, drift_threshold=drift_threshold, checkpoints=checkpoints
    )
    return runs


def _reported(history: History, p_reported: FloatArray) -> npt.NDArray[np.uint16]:
    """Incidents reported, by day, zone and run, for each row of ``p_reported`` (n_rhos, n_zones)."""
    n_days, zones, reps = history.incidents.shape
    cell = np.repeat(np.arange(history.incidents.size), history.incidents.ravel())
    zone = (cell // reps) % zones
    out = np.empty((n_days, zones, len(p_reported), reps), dtype=np.uint16)
    for index, row in enumerate(p_reported):
        told = np.bincount(cell[history.marks < row[zone]], minlength=history.incidents.size)
        out[:, :, index] = told.reshape(history.incidents.shape)
    return out.reshape(n_days, zones, len(p_reported) * reps)


def _largest_gap(share: FloatArray, truth: FloatArray) -> FloatArray:
    return np.asarray(np.abs(share - truth).max(axis=1), dtype=np.float64)


def _checked(
    *,
    rhos: Sequence[float | Sequence[float]],
    start: Sequence[float],
    checkpoints: Sequence[int],
    zones: int,
    n_days: int,
    threshold: float,
) -> tuple[FloatArray, FloatArray, list[int]]:
    where = "sweep_feedback"
    rows = [np.atleast_1d(np.asarray(rho, dtype=np.float64)) for rho in rhos]
    if any(row.shape not in ((1,), (zones,)) or not bool(((row >= 0) & (row <= 1)).all()) for row in rows):
        raise bad_parameter(name="rho", where=where, must=f"one share in [0, 1], or {zones} of them", got=rhos)
    if not rows:
        raise bad_parameter(name="rhos", where=where, must="at least one share reported", got=rhos)
    opening = np.asarray(start, dtype=np.float64)
    if opening.shape != (zones,) or not bool((opening > 0).all()):
        raise bad_parameter(name="start", where=where, must=f"{zones} numbers above 0, one per zone", got=start)
    if not 0 < threshold < 1:
        raise bad_parameter(name="drift_threshold", where=where, must="a share in (0, 1)", got=threshold)
    days = list(dict.fromkeys(int(day) for day in checkpoints))
    if any(not 0 <= day <= n_days for day in days):
        raise bad_parameter(name="checkpoints", where=where, must=f"days from 0 to {n_days}", got=checkpoints)
    return np.stack([np.broadcast_to(row, (zones,)) for row in rows]), opening, days
