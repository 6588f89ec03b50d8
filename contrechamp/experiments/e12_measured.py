"""The measured corner of E12: the alert rate of a loitering rule with a perfect machine, put before operators.

The grid of E12 states false-alert rates. Here they are those that E09's world gives: every person counted is only
being there, so every alert is false. The rule misses no true event: the kindest assumption for it. What is left is
arithmetic, for a few cameras in front of busy places, with true events at the city's mean rate.

What it cannot tell you: how many cameras look at such places, nor how long people really stay in them.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np

from contrechamp.domain.intervals import Interval
from contrechamp.domain.rng import stream
from contrechamp.experiments.e09_measures import fire
from fairness.intervals import mean_interval
from synthetic_data.dwell_worlds import SetKey, draw_sojourns, spans

PLACES: Final[tuple[SetKey, ...]] = ("hall", "square")
#: Seconds after an alert before the same person can raise another.
_REARM_S: Final = 300.0
_HOURS_PER_DAY: Final = 16.0


def measured_rates(
    *, thresholds_s: tuple[float, ...], camera_days: int, seed: int
) -> dict[tuple[str, float], Interval]:
    """False alerts per camera and day of "still for more than T seconds", by place and T, with their interval.

    The interval takes days of one camera as independent of each other, not persons.
    """
    out: dict[tuple[str, float], Interval] = {}
    for place in PLACES:
        drawn = draw_sojourns(
            place=place, camera_days=camera_days, hours_per_day=_HOURS_PER_DAY,
            rng=stream(seed, "E12", "sojourns", place),
        )  # fmt: skip
        still, n = spans(drawn, static=True), len(drawn.persons)
        day = drawn.persons["camera_day"].to_numpy(np.int64)
        for threshold in thresholds_s:
            alerts = fire(still, n=n, threshold_s=threshold, rearm_s=_REARM_S).alerts
            by_day = np.bincount(day, weights=alerts, minlength=camera_days)
            out[place, threshold] = _above_zero(mean_interval(by_day.astype(np.float64)))
    return out


def _above_zero(mean: Interval) -> Interval:
    if mean.estimate is None or mean.low is None or mean.high is None:
        return mean
    return Interval(mean.estimate, max(mean.low, 0.0), mean.high, mean.n, mean.method, mean.level)


def corners(rate: Interval, anchor: Interval) -> list[tuple[float, float]]:
    """Pairs (false alerts per camera-day, true events per camera-hour): estimates, then the two extremes of a PPV."""
    assert rate.estimate is not None and rate.low is not None and rate.high is not None
    assert anchor.estimate is not None and anchor.low is not None and anchor.high is not None
    ends = product((rate.low, rate.high), (anchor.low, anchor.high))
    return [(rate.estimate, anchor.estimate), *ends]
