"""Spans of time that a system raised, paired one to one with events: costs (TRECVID SED) and curves (ActEV).

*Costs*: one best pairing, then a price for a miss and for a false alarm. *Curves*: misses against false alarms, or
against time wrongly alarmed, at every threshold. Constants are parameters: they decide who wins.

What it cannot tell you: on whom false alarms fall. A system that wrongly alarms on the same sleeper all night and one
that alarms on a hundred people once can have the same curve.

References
----------
.. [1] NIST, "F4DE: Framework for Detection Evaluations", https://github.com/usnistgov/F4DE.
.. [2] NIST, "ActEV Scorer", https://github.com/usnistgov/ActEV_Scorer.
.. [3] Kuhn (1955), "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.video import SCORE, FloatArray
from vsa.scoring.exact import LEVEL, rate_interval, share_interval
from vsa.scoring.spans import SPECK, IntArray, need, row_groups

Criterion = Literal["one-second", "overlap"]
FalseAlarmAxis = Literal["rfa_per_min", "tfa"]

#: Begins, ends and relative scores of the system (column), begins and ends of the reference (row) → worth of each pair.
Gain = Callable[[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]

#: Time wrongly alarmed, over time without event, at which ActEV reads its curve.
TFA_KNOTS: Final = (0.01, 0.03, 0.1, 0.15, 0.2, 1.0)


@dataclass(frozen=True, eq=False)
class Alignment:
    """The best pairing of what a system said with what happened.

    Attributes
    ----------
    system, reference : ndarray of int, shape (n_pairs,)
        Rows paired.
    false : ndarray of int
        Rows of the system without a partner.
    missed : ndarray of int
        Rows of the reference without a partner.
    """

    system: IntArray
    reference: IntArray
    false: IntArray
    missed: IntArray


@dataclass(frozen=True, slots=True)
class CostScores:
    """Detection cost of TRECVID SED.

    Attributes
    ----------
    p_miss : Interval
    rfa_per_h : Interval
        False alarms an hour.
    ndcr : float or None
        ``p_miss + beta × rfa_per_h``: 0 is perfect, 1 is what silence scores; None when not estimable.
    beta : float
        ``cost_fa / (cost_miss × target_rate_per_h)``, hours.
    """

    p_miss: Interval
    rfa_per_h: Interval
    ndcr: float | None
    beta: float


def align_sed(
    system: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    tolerance_s: float = 0.5,
    time_weight: float = 1e-8,
    score_weight: float = 1e-6,
    same: Sequence[str] = (),
) -> Alignment:
    """Pair spans as TRECVID SED does.

    A span of the system may be that of an event when its middle lies in the event, ``tolerance_s`` more on either side.
    Among pairings, as many as possible; then by score, then by overlap in time.

    Parameters
    ----------
    system : DataFrame
        ``t_begin_s``, ``t_end_s``, ``score``.
    reference : DataFrame
        ``t_begin_s``, ``t_end_s``.
    tolerance_s, time_weight, score_weight : float
    same : sequence of str, default=()
        Columns that both must share.

    Returns
    -------
    Alignment
    """
    _check_spans(system, reference, same)

    def gain(sb: FloatArray, se: FloatArray, score: FloatArray, rb: FloatArray, re: FloatArray) -> FloatArray:
        middle = (sb + se) / 2
        mappable = (rb - tolerance_s <= middle + SPECK) & (middle - SPECK <= re + tolerance_s)
        overlap = (np.minimum(se, re) - np.maximum(sb, rb)) / np.maximum(1 / 25, re - rb)
        # A false alarm is worth -1, a miss 0: a pair gains its kernel and the false alarm that it is not.
        return np.where(mappable, 2.0 + time_weight * overlap + score_weight * score, 0.0)

    return _align(system, reference, gain, same)


def align_actev(
    system: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    criterion: Criterion = "one-second",
    min_overlap: float = 0.2,
    score_weight: float = 1e-6,
    same: Sequence[str] = (),
) -> Alignment:
    """Pair spans as ActEV does.

    Parameters
    ----------
    system, reference : DataFrame
        As :func:`align_sed`.
    criterion : {"one-second", "overlap"}, default="one-second"
        ``"one-second"`` (SDL): a second in common at least, or half of an event shorter than a second. ``"overlap"``
        (SRL): intersection over union above ``min_overlap``.
    min_overlap : float, default=0.2
    score_weight : float, default=1e-6
    same : sequence of str, default=()

    Returns
    -------
    Alignment
    """
    _check_spans(system, reference, same)
    if criterion not in ("one-second", "overlap"):
        raise bad_parameter(name="criterion", where="align_actev", must="'one-second' or 'overlap'", got=criterion)

    def gain(sb: FloatArray, se: FloatArray, score: FloatArray, rb: FloatArray, re: FloatArray) -> FloatArray:
        shared, lasts = np.clip(np.minimum(se, re) - np.maximum(sb, rb), 0.0, None), re - rb
        if criterion == "one-second":
            right = np.where(lasts < 1.0, (shared >= lasts / 2 - SPECK) & (shared > 0), shared >= 1.0 - SPECK)
        else:
            union = np.maximum(se, re) - np.minimum(sb, rb)
            either = np.where(shared > 0, union, (se - sb) + lasts)
            right = shared > min_overlap * either
        return np.where(right, 1.0 + score_weight * score, 0.0)

    return _align(system, reference, gain, same)


def sed_scores(
    alignment: Alignment,
    *,
    hours: float,
    cost_miss: float = 10.0,
    cost_fa: float = 1.0,
    target_rate_per_h: float = 1.8,
    level: float = LEVEL,
) -> CostScores:
    """Cost of a pairing. Constants are those of NIST's code; published runs of 2010 and after used 20 events an hour.

    Raises
    ------
    ParameterError
        If a cost, the target rate or the hours are not above 0.
    """
    for name, value in (("hours", hours), ("cost_miss", cost_miss), ("target_rate_per_h", target_rate_per_h)):
        if not (np.isfinite(value) and value > 0):
            raise bad_parameter(name=name, where="sed_scores", must="above 0", got=value)
    if not cost_fa >= 0:
        raise bad_parameter(name="cost_fa", where="sed_scores", must="at least 0", got=cost_fa)
    missed, paired = len(alignment.missed), len(alignment.reference)
    p_miss = share_interval(events=missed, trials=missed + paired, level=level)
    rfa = rate_interval(events=len(alignment.false), exposure=hours, level=level)
    beta = cost_fa / (cost_miss * target_rate_per_h)
    known = p_miss.estimate is not None and rfa.estimate is not None
    ndcr = float(p_miss.estimate or 0.0) + beta * float(rfa.estimate or 0.0) if known else None
    return CostScores(p_miss, rfa, ndcr, beta)


def actev_curve(
    alignment: Alignment, system: pd.DataFrame, reference: pd.DataFrame, *, duration_s: float
) -> pd.DataFrame:
    """Misses and false alarms at every threshold on the score.

    Parameters
    ----------
    alignment : Alignment
    system, reference : DataFrame
        Those that were aligned; several clips end to end (:func:`end_to_end`).
    duration_s : float
        Of the video.

    Returns
    -------
    DataFrame
        By falling ``threshold``: ``p_miss``, ``w_p_miss`` (smoothed: ``(missed + 8) / (events + 10)``),
        ``rfa_per_min``, ``tfa`` (time with more alarms than events, each excess counted, over time
        without any event; 1 when there is no such time). Misses are missing when there is no event.
    """
    if not (np.isfinite(duration_s) and duration_s > 0):
        raise bad_parameter(name="duration_s", where="actev_curve", must="above 0 seconds", got=duration_s)
    score = system[SCORE].to_numpy(np.float64)
    thresholds = np.unique(score)[::-1]
    events = len(reference)
    right = (score[alignment.system][None, :] >= thresholds[:, None]).sum(axis=1)
    wrong = (score[alignment.false][None, :] >= thresholds[:, None]).sum(axis=1)
    missed = events - right
    some = events > 0
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "p_miss": missed / events if some else np.full(len(thresholds), np.nan),
            "w_p_miss": (missed + 8) / (events + 10) if some else np.full(len(thresholds), np.nan),
            "rfa_per_min": wrong / (duration_s / 60),
            "tfa": _time_false_alarm(system, reference, thresholds, duration_s),
        }
    )


def p_miss_at(curve: pd.DataFrame, targets: Sequence[float], *, axis: FalseAlarmAxis = "tfa") -> FloatArray:
    """Share missed where the curve reaches each amount of false alarms, shape (n_targets,).

    Linear between thresholds; the lowest value where several thresholds give the target itself; 1 before the first
    point; the last value after the last.
    """
    x, y = curve[axis].to_numpy(np.float64), curve["p_miss"].to_numpy(np.float64)
    out = np.ones(len(targets))
    for i, target in enumerate(targets):
        over = np.flatnonzero(x > target + 1e-10)
        first = int(over[0]) if len(over) else len(x)
        if first == 0:
            continue
        last = first - 1
        if first == len(x) or abs(x[last] - target) < 1e-10:
            out[i] = y[last]
        else:
            out[i] = y[last] + (y[first] - y[last]) * (target - x[last]) / (x[first] - x[last])
    return out


def naudc(
    curve: pd.DataFrame, limit: float = 0.2, *, axis: FalseAlarmAxis = "tfa", knots: Sequence[float] = TFA_KNOTS
) -> float | None:
    """Area under misses against false alarms from 0 to ``limit``, over ``limit``: 0 perfect, 1 blind.

    Trapezoids between ``knots``, starting from all missed at no false alarm, as NIST's code does; None without events.

    Raises
    ------
    ParameterError
        If ``limit`` is not one of the knots.
    """
    if limit not in knots:
        raise bad_parameter(name="limit", where="naudc", must="one of the knots", got=limit, remedy=f"Got {knots}.")
    used = sorted(k for k in knots if k <= limit)
    heights = np.concatenate([[1.0], p_miss_at(curve, used, axis=axis)])
    if np.isnan(heights).any():
        return None
    return float(np.sum(np.diff([0.0, *used]) * (heights[1:] + heights[:-1]) / 2) / limit)


def n_mide(
    alignment: Alignment,
    system: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    duration_s: float,
    collar_s: float = 0.0,
    cost_miss: float = 1.0,
    cost_fa: float = 1.0,
) -> tuple[float | None, int]:
    """How badly paired spans fit: mean of the share of the event missed plus that of the rest wrongly alarmed.

    Parameters
    ----------
    alignment : Alignment
    system, reference : DataFrame
    duration_s : float
        Of the file that each pair is in.
    collar_s : float, default=0.0
        Round the two ends of an event, time that is not scored.
    cost_miss, cost_fa : float, default=1.0

    Returns
    -------
    value : float or None
        None when no pair can be scored.
    rejected : int
        Pairs that cannot: an event shorter than its collars, or as long as the file.
    """
    sb, se = _spans(system, alignment.system)
    rb, re = _spans(reference, alignment.reference)
    inner, outer = (rb + collar_s, re - collar_s), (np.maximum(rb - collar_s, 0), np.minimum(re + collar_s, duration_s))
    lasts, rest = np.clip(inner[1] - inner[0], 0, None), duration_s - (outer[1] - outer[0])
    covered = np.clip(np.minimum(se, inner[1]) - np.maximum(sb, inner[0]), 0, None)
    spilled = (se - sb) - np.clip(np.minimum(se, outer[1]) - np.maximum(sb, outer[0]), 0, None)
    scored = (lasts > SPECK) & (rest > SPECK)
    if not scored.any():
        return None, len(sb)
    value = cost_miss * (lasts - covered)[scored] / lasts[scored] + cost_fa * spilled[scored] / rest[scored]
    return float(value.mean()), int((~scored).sum())


def _align(system: pd.DataFrame, reference: pd.DataFrame, gain: Gain, same: Sequence[str]) -> Alignment:
    from scipy.optimize import linear_sum_assignment

    score = system[SCORE].to_numpy(np.float64)
    spread = float(np.ptp(score)) if len(score) else 0.0
    relative = (score - score.min()) / spread if spread > 0 else np.ones(len(score))
    pairs: list[tuple[IntArray, IntArray]] = []
    for mine, theirs in row_groups(system, reference, same):
        sb, se = (v[:, None] for v in _spans(system, mine))
        rb, re = (v[None, :] for v in _spans(reference, theirs))
        worth = gain(sb, se, relative[mine][:, None], rb, re)
        i, j = linear_sum_assignment(worth, maximize=True)
        kept = worth[i, j] > 0
        pairs.append((mine[i[kept]], theirs[j[kept]]))
    empty = np.empty(0, dtype=np.int64)
    ours, refs = (np.concatenate([empty, *part]) for part in zip(*pairs, strict=True)) if pairs else (empty, empty)
    order = np.argsort(refs, kind="stable")
    return Alignment(
        ours[order],
        refs[order],
        np.setdiff1d(np.arange(len(system)), ours),
        np.setdiff1d(np.arange(len(reference)), refs),
    )


def _time_false_alarm(
    system: pd.DataFrame, reference: pd.DataFrame, thresholds: FloatArray, duration_s: float
) -> FloatArray:
    """Time of excess alarms over time without event, at each threshold; counts only change at the ends of spans."""
    sb, se = (np.clip(v, 0, duration_s) for v in _spans(system, np.arange(len(system))))
    rb, re = (np.clip(v, 0, duration_s) for v in _spans(reference, np.arange(len(reference))))
    cuts = np.unique(np.concatenate([[0.0, duration_s], sb, se, rb, re]))
    lasts = np.diff(cuts)

    def count(begin: FloatArray, end: FloatArray) -> FloatArray:
        steps = np.bincount(np.searchsorted(cuts, begin), minlength=len(cuts)) - np.bincount(
            np.searchsorted(cuts, end), minlength=len(cuts)
        )
        return np.cumsum(steps)[:-1].astype(np.float64)

    true = count(rb, re)
    quiet = float(lasts[true == 0].sum())
    if quiet <= 0:
        return np.ones(len(thresholds))
    score = system[SCORE].to_numpy(np.float64)
    excess = [
        float(np.clip(count(sb[score >= t], se[score >= t]) - true, 0, None) @ lasts) for t in thresholds.tolist()
    ]
    return np.asarray(excess, dtype=np.float64) / quiet


def _spans(table: pd.DataFrame, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    return table["t_begin_s"].to_numpy(np.float64)[rows], table["t_end_s"].to_numpy(np.float64)[rows]


def _check_spans(system: pd.DataFrame, reference: pd.DataFrame, same: Sequence[str]) -> None:
    need(system, ["t_begin_s", "t_end_s", SCORE, *same], "system")
    need(reference, ["t_begin_s", "t_end_s", *same], "reference")
    for table, what in ((system, "system"), (reference, "reference")):
        if (table["t_end_s"] < table["t_begin_s"]).any():
            raise ContractError(f"The table of {what} holds a span that ends before it begins.")
