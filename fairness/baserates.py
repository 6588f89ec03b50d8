"""Base rates: what share of alerts is right, and what they cost to read.

When the thing looked for is rare, nearly all alerts are wrong however good the detector is. The arithmetic is short
and exact; it is written once, here, so that no report does it again by hand with another denominator.

What it cannot tell you: it takes the rate of true events, the sensitivity and the false-alert rate as given and
constant. Real false alerts come in bursts (rain, a street party, a broken lamp), real operators tire, and the rate of
what nobody saw is unknown: put it on a grid, never at a point.

References
----------
.. [1] Axelsson (2000), "The base-rate fallacy and the difficulty of intrusion detection", ACM TISSEC 3(3).
.. [2] Erlang (1917), "Solution of some problems in the theory of probabilities of significance in automatic telephone
   exchanges", Elektroteknikeren 13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from contrechamp.domain.errors import bad_parameter

HOURS_PER_DAY: Final = 24.0
DAYS_PER_YEAR: Final = 365.0


@dataclass(frozen=True, slots=True)
class AlertFlow:
    """Alerts a day of a set of cameras, split into right and wrong.

    Attributes
    ----------
    true_per_day, false_per_day : float
        Expected right and wrong alerts a day, over all cameras.
    """

    true_per_day: float
    false_per_day: float

    @property
    def alerts_per_day(self) -> float:
        """Right and wrong alerts together."""
        return self.true_per_day + self.false_per_day

    @property
    def ppv(self) -> float | None:
        """Share of alerts that are right (positive predictive value); None when there is no alert."""
        return self.true_per_day / self.alerts_per_day if self.alerts_per_day > 0 else None

    @property
    def false_per_true(self) -> float | None:
        """Wrong alerts for one right; None when no alert is right."""
        return self.false_per_day / self.true_per_day if self.true_per_day > 0 else None

    @property
    def alerts_per_true(self) -> float | None:
        """Alerts to read for one right; None when no alert is right."""
        return self.alerts_per_day / self.true_per_day if self.true_per_day > 0 else None


@dataclass(frozen=True, slots=True)
class DeskLoad:
    """What a flow of alerts does to a control room.

    Attributes
    ----------
    alerts_per_operator_hour : float
    utilisation : float
        Reading time asked for, divided by reading time available. Above 1 the queue grows without end.
    share_unread : float
        Fluid bound ``max(0, 1 - 1/utilisation)``: the smallest share of alerts that can never be read, if operators do
        nothing else, never pause, and alerts come evenly. Any real desk leaves more.
    p_wait : float
        Chance that an alert finds every operator busy, in an M/M/c queue (Erlang C); 1 when ``utilisation >= 1``.
    """

    alerts_per_operator_hour: float
    utilisation: float
    share_unread: float
    p_wait: float


def ppv(*, prevalence: float, sensitivity: float, false_positive_rate: float) -> float | None:
    """Chance that a flagged person or scene is one that was looked for (Bayes' rule).

    Parameters
    ----------
    prevalence, sensitivity, false_positive_rate : float
        Shares in [0, 1]: of those seen that are looked for; of these that are flagged; of the others that are flagged.

    Returns
    -------
    float or None
        None when nothing would ever be flagged.

    Raises
    ------
    ParameterError
        If a share is not in [0, 1].

    Examples
    --------
    Ten wanted among 100,000 passers-by, 89 % found, one other in 6,000 flagged: about one flag in three is right.

    >>> round(ppv(prevalence=10 / 100_000, sensitivity=0.89, false_positive_rate=1 / 6_000), 3)
    0.348
    """
    for name, value in (
        ("prevalence", prevalence),
        ("sensitivity", sensitivity),
        ("false_positive_rate", false_positive_rate),
    ):
        _check_share(value, name, "ppv")
    right = prevalence * sensitivity
    flagged = right + (1 - prevalence) * false_positive_rate
    return right / flagged if flagged > 0 else None


def alert_flow(
    *,
    cameras: int,
    events_per_camera_hour: float,
    sensitivity: float,
    false_alerts_per_camera_day: float,
) -> AlertFlow:
    """Right and wrong alerts a day of ``cameras`` cameras.

    Parameters
    ----------
    cameras : int
    events_per_camera_hour : float
        True events in view.
    sensitivity : float
        Share of true events that raise an alert, in [0, 1].
    false_alerts_per_camera_day : float

    Returns
    -------
    AlertFlow

    Raises
    ------
    ParameterError
        If a rate is negative or not finite, or ``sensitivity`` is not in [0, 1].

    Examples
    --------
    >>> flow = alert_flow(cameras=1_600, events_per_camera_hour=0, sensitivity=1, false_alerts_per_camera_day=1)
    >>> flow.alerts_per_day, flow.ppv, flow.false_per_true
    (1600.0, 0.0, None)
    """
    where = "alert_flow"
    for name, value in (
        ("cameras", cameras),
        ("events_per_camera_hour", events_per_camera_hour),
        ("false_alerts_per_camera_day", false_alerts_per_camera_day),
    ):
        _check_rate(value, name, where)
    _check_share(sensitivity, "sensitivity", where)
    return AlertFlow(
        true_per_day=float(cameras * events_per_camera_hour * HOURS_PER_DAY * sensitivity),
        false_per_day=float(cameras * false_alerts_per_camera_day),
    )


def desk_load(*, alerts_per_day: float, operators: int, minutes_per_alert: float) -> DeskLoad:
    """Load of a control room with ``operators`` people on duty round the clock.

    Parameters
    ----------
    alerts_per_day : float
    operators : int
        People reading alerts at any moment, at least 1.
    minutes_per_alert : float
        Mean time to read one and decide, above 0.

    Returns
    -------
    DeskLoad

    Raises
    ------
    ParameterError
        If a number is out of range.

    Examples
    --------
    >>> desk_load(alerts_per_day=28_800, operators=20, minutes_per_alert=2).share_unread
    0.5
    """
    where = "desk_load"
    _check_rate(alerts_per_day, "alerts_per_day", where)
    if operators < 1:
        raise bad_parameter(name="operators", where=where, must="at least 1", got=operators)
    if not (math.isfinite(minutes_per_alert) and minutes_per_alert > 0):
        raise bad_parameter(name="minutes_per_alert", where=where, must="a time above 0 minutes", got=minutes_per_alert)
    offered = alerts_per_day / HOURS_PER_DAY * minutes_per_alert / 60
    utilisation = offered / operators
    return DeskLoad(
        alerts_per_operator_hour=alerts_per_day / HOURS_PER_DAY / operators,
        utilisation=utilisation,
        share_unread=max(0.0, 1 - 1 / utilisation) if utilisation > 0 else 0.0,
        p_wait=erlang_c(offered=offered, servers=operators),
    )


def saturating_alerts_per_day(*, operators: int, minutes_per_alert: float) -> float:
    """Alerts a day that take every minute of every operator (utilisation 1).

    Examples
    --------
    >>> saturating_alerts_per_day(operators=20, minutes_per_alert=2)
    14400.0
    """
    desk_load(alerts_per_day=0.0, operators=operators, minutes_per_alert=minutes_per_alert)  # same checks
    return operators * HOURS_PER_DAY * 60 / minutes_per_alert


def erlang_c(*, offered: float, servers: int) -> float:
    """Chance that an arrival waits in an M/M/c queue.

    Parameters
    ----------
    offered : float
        Offered load in erlangs: arrivals per hour × hours per service.
    servers : int
        At least 1.

    Returns
    -------
    float
        1 when ``offered >= servers``: the queue has no steady state.

    Raises
    ------
    ParameterError
        If ``offered`` is negative or not finite, or ``servers`` is under 1.

    Examples
    --------
    >>> round(erlang_c(offered=0.5, servers=1), 6)  # one server: the chance of waiting is the load
    0.5
    """
    _check_rate(offered, "offered", "erlang_c")
    if servers < 1:
        raise bad_parameter(name="servers", where="erlang_c", must="at least 1", got=servers)
    if offered >= servers:
        return 1.0
    blocked = 1.0  # Erlang B, by its recursion on the number of servers: no factorial overflows
    for count in range(1, servers + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return servers * blocked / (servers - offered * (1 - blocked))


def p_none(*, per_day: float, days: float = DAYS_PER_YEAR) -> float:
    """Chance that nothing happens in ``days`` when it happens ``per_day`` on average (Poisson).

    Examples
    --------
    >>> round(p_none(per_day=1 / 365), 3)
    0.368
    """
    _check_rate(per_day, "per_day", "p_none")
    _check_rate(days, "days", "p_none")
    return math.exp(-per_day * days)


def _check_rate(value: float, name: str, where: str) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise bad_parameter(name=name, where=where, must="a finite number of at least 0", got=value)


def _check_share(value: float, name: str, where: str) -> None:
    if not 0 <= value <= 1:
        raise bad_parameter(name=name, where=where, must="a share in [0, 1]", got=value)
