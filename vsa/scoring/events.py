"""Events found, missed and invented: the three ways in which the field has scored surveillance video.

*Windows* (after the i-LIDS trials of the British Home Office): an alarm counts if it comes within seconds of the moment
at which the condition became true; a bias says how much finding weighs against crying wolf, and is swept here, since
whoever fixes it decides who wins. *Costs* (TRECVID SED) and *curves* (ActEV) are in :mod:`vsa.scoring.alignment`, and
given from here too.

What it cannot tell you: on whom the false alerts fall, and what they cost (see the measures of burden). Nor whether
the events were worth finding: a person who waits is an event here as soon as a rule says so.

References
----------
.. [1] Home Office CAST (2011), "i-LIDS user guide", Publication 10/11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from vsa.scoring.alignment import (
    TFA_KNOTS,
    Alignment,
    CostScores,
    actev_curve,
    align_actev,
    align_sed,
    n_mide,
    naudc,
    p_miss_at,
    sed_scores,
)
from vsa.scoring.exact import LEVEL, share_interval
from vsa.scoring.spans import CLIP, SPECK, end_to_end, need, observations, row_groups

__all__ = [
    "ALPHAS",
    "CLIP",
    "TFA_KNOTS",
    "Alignment",
    "CostScores",
    "EventMatch",
    "WindowScores",
    "actev_curve",
    "align_actev",
    "align_sed",
    "end_to_end",
    "match_events",
    "n_mide",
    "naudc",
    "observations",
    "p_miss_at",
    "sed_scores",
    "window_scores",
]

#: Bias towards recall: from strict on false alarms to strict on misses.
ALPHAS: Final = tuple(np.round(np.arange(0.35, 0.7501, 0.05), 2).tolist())


@dataclass(frozen=True, eq=False)
class EventMatch:
    """Alarms against events, by windows.

    Attributes
    ----------
    alerts : DataFrame
        One row an alert, in the order given: ``outcome`` (``hit``, ``repeat``: a further one in the window of an event
        already found, ``false``, ``settling``) and ``event``, its row among events or -1.
    events : DataFrame
        One row an event: ``outcome`` (``found``, ``missed``, ``settling``), ``alert`` (row or -1), ``delay_s``.
    """

    alerts: pd.DataFrame
    events: pd.DataFrame

    @property
    def hits(self) -> int:
        """Events found in their window."""
        return int((self.events["outcome"] == "found").sum())

    @property
    def misses(self) -> int:
        """Events without an alarm in their window."""
        return int((self.events["outcome"] == "missed").sum())

    @property
    def false_alerts(self) -> int:
        """Alarms in no window."""
        return int((self.alerts["outcome"] == "false").sum())


@dataclass(frozen=True, eq=False)
class WindowScores:
    """Precision, recall and their weighting.

    Attributes
    ----------
    precision, recall : Interval
        Exact; not estimable without alarms, or without events.
    f1 : DataFrame
        ``alpha`` and ``f1``: missing when there is neither an alarm nor an event.
    median_delay_s : float or None
        Of the events found, from the moment the condition was true.
    """

    precision: Interval
    recall: Interval
    f1: pd.DataFrame
    median_delay_s: float | None


def match_events(
    alerts: pd.DataFrame,
    events: pd.DataFrame,
    *,
    window_s: tuple[float, float] = (0.0, 10.0),
    settle_s: float = 0.0,
    same: Sequence[str] = (),
) -> EventMatch:
    """Match alarms with events, each event by the first alarm of its window.

    Parameters
    ----------
    alerts : DataFrame
        With ``t_alert_s``.
    events : DataFrame
        With ``t_begin_s``, the moment at which the condition is true.
    window_s : tuple of two floats, default=(0, 10)
        Seconds after that moment between which an alarm counts, both included.
    settle_s : float, default=0.0
        Alarms and events before it are left aside, and so are later alarms in the window of such an event.
    same : sequence of str, default=()
        Columns in which an alarm and its event must agree: ``clip_id``, ``zone``, ``subject_id``. None, as in the
        trials: an alarm about somebody else at the right time counts.

    Returns
    -------
    EventMatch

    Raises
    ------
    ParameterError
        If the window ends before it begins, or ``settle_s`` is negative.
    ContractError
        If a column is missing.

    Notes
    -----
    One to one, in time: an alarm finds the earliest event whose window is open and that was not found yet. Windows have
    one length, so that no other pairing finds more events.
    """
    where = "match_events"
    if not window_s[0] <= window_s[1]:
        raise bad_parameter(name="window_s", where=where, must="a start and an end not before it", got=window_s)
    if not settle_s >= 0:
        raise bad_parameter(name="settle_s", where=where, must="at least 0 seconds", got=settle_s)
    need(alerts, ["t_alert_s", *same], "alerts")
    need(events, ["t_begin_s", *same], "events")
    alert_t, event_t = alerts["t_alert_s"].to_numpy(np.float64), events["t_begin_s"].to_numpy(np.float64)
    alert_early, event_early = alert_t < settle_s - SPECK, event_t < settle_s - SPECK
    outcome = np.where(alert_early, "settling", "false").astype(object)
    of_alert, of_event = np.full(len(alerts), -1, dtype=np.int64), np.full(len(events), -1, dtype=np.int64)
    for mine, theirs in row_groups(alerts, events, same):
        early = event_t[theirs[event_early[theirs]]]
        mine, theirs = mine[~alert_early[mine]], theirs[~event_early[theirs]]
        mine = mine[np.argsort(alert_t[mine], kind="stable")]
        theirs = theirs[np.argsort(event_t[theirs], kind="stable")]
        opens, closes = event_t[theirs] + window_s[0] - SPECK, event_t[theirs] + window_s[1] + SPECK
        waiting = 0
        for row, t in zip(mine.tolist(), alert_t[mine].tolist(), strict=True):
            while waiting < len(theirs) and closes[waiting] < t:
                waiting += 1
            if waiting < len(theirs) and opens[waiting] <= t:
                of_alert[row], of_event[theirs[waiting]] = theirs[waiting], row
                outcome[row] = "hit"
                waiting += 1
            elif waiting and closes[waiting - 1] >= t:
                of_alert[row], outcome[row] = theirs[waiting - 1], "repeat"
            elif ((early + window_s[0] <= t) & (t <= early + window_s[1])).any():
                outcome[row] = "settling"
    found = of_event >= 0
    delay = np.where(found, alert_t[of_event] - event_t if len(alerts) else np.nan, np.nan)
    told = np.where(event_early, "settling", np.where(found, "found", "missed"))
    return EventMatch(
        pd.DataFrame({"outcome": pd.Series(outcome, dtype="str"), "event": of_alert}),
        pd.DataFrame({"outcome": pd.Series(told, dtype="str"), "alert": of_event, "delay_s": delay}),
    )


def window_scores(match: EventMatch, *, alphas: Sequence[float] = ALPHAS, level: float = LEVEL) -> WindowScores:
    """Precision, recall and F1 at each bias, from a match.

    Parameters
    ----------
    match : EventMatch
    alphas : sequence of float
        Biases, at least 0: ``F1 = (alpha + 1) R P / (R + alpha P)``.
    level : float, default=0.95

    Returns
    -------
    WindowScores

    Examples
    --------
    >>> heard, happened = pd.DataFrame({"t_alert_s": [62.0, 65.0, 300.0]}), pd.DataFrame({"t_begin_s": [60.0, 200.0]})
    >>> found = window_scores(match_events(heard, happened), alphas=[1.0])
    >>> found.precision.estimate, found.recall.estimate, found.f1["f1"].tolist()
    (0.5, 0.5, [0.5])
    """
    hits, misses, wrong = match.hits, match.misses, match.false_alerts
    bias = np.asarray(alphas, dtype=np.float64)
    if not bool((np.isfinite(bias) & (bias >= 0)).all()):
        raise bad_parameter(name="alphas", where="window_scores", must="finite and at least 0", got=list(alphas))
    whole = (hits + wrong) + bias * (hits + misses)  # the same ratio, by counts: defined when P or R is not
    f1 = np.divide((bias + 1) * hits, whole, out=np.full(len(bias), np.nan), where=whole > 0)
    delays = match.events["delay_s"].dropna()
    return WindowScores(
        precision=share_interval(events=hits, trials=hits + wrong, level=level),
        recall=share_interval(events=hits, trials=hits + misses, level=level),
        f1=pd.DataFrame({"alpha": bias, "f1": f1}),
        median_delay_s=float(delays.median()) if len(delays) else None,
    )
