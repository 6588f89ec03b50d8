"""From scenes to a city: false alerts a day, for each operator, under a mix of people that is stated.

A rate per camera-hour says little to whoever has to decide. So many a day in the room, one every so many seconds for
each operator, is the same number in a form that can be pictured.

What it cannot tell you: the mix of people in a street. Rates by situation come from scenes, where people who stay were
put on purpose; how many wait, sell or sleep before a given camera is for whoever uses these functions to state, and to
defend. Nor the hour: real alerts come in bursts, and a mean hides them.

References
----------
.. [1] Fay & Feuer (1997), "Confidence intervals for directly standardized rates: a method based on the gamma
   distribution", Statistics in Medicine 16(7).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import pandas as pd
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.text import Text
from fairness._checks import check_level

CAMERAS: Final = 1_600
OPERATORS: Final = 20
_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class CityScale:
    """What a rate per camera-hour means in a control room.

    Attributes
    ----------
    alerts_per_day : Interval
        Over all cameras, in ``hours`` of watch.
    per_operator_hour : Interval
        Alerts that each operator has to judge in an hour.
    seconds_each : Interval
        Time between two alerts of one operator; its upper bound is infinite where the rate may be 0, and it is not
        estimable where no alert was seen.
    cameras, operators : int
    hours : float
    """

    alerts_per_day: Interval
    per_operator_hour: Interval
    seconds_each: Interval
    cameras: int
    operators: int
    hours: float


def street_rate(
    by_situation: pd.DataFrame, *, person_h_per_camera_h: Mapping[str, float], level: float = 0.95
) -> Interval:
    """Carry rates by situation to a street where other people are: wrong alerts per camera-hour under that mix.

    Parameters
    ----------
    by_situation : DataFrame
        ``alerts`` and ``person_h``, indexed by situation: that of :class:`VideoBurden`.
    person_h_per_camera_h : mapping of str to float
        Situation → how many people in it are in view at any moment, on average. Those that are not named are not there.
    level : float, default=0.95

    Returns
    -------
    Interval
        ``n`` is the number of alerts behind it. Not estimable when a situation of the street was never measured.

    Raises
    ------
    ParameterError
        If a number of people is negative or not finite.

    Notes
    -----
    A weighted sum of Poisson counts, with Fay and Feuer's gamma interval: Garwood's own for one situation, and wider
    than needed, never narrower as far as is known, for several. Alerts on nobody belong to no mix and are left out.

    Examples
    --------
    >>> scenes = pd.DataFrame({"alerts": [0, 6], "person_h": [30.0, 2.0]}, index=["passing", "waiting"])
    >>> round(street_rate(scenes, person_h_per_camera_h={"passing": 5.0, "waiting": 0.1}).estimate, 3)
    0.3
    """
    where, method = "street_rate", "gamma-fay-feuer"
    check_level(level, where)
    wanted = {s: float(h) for s, h in person_h_per_camera_h.items()}
    if not all(math.isfinite(h) and h >= 0 for h in wanted.values()):
        raise bad_parameter(
            name="person_h_per_camera_h", where=where, must="finite numbers, none negative", got=person_h_per_camera_h
        )
    there = {s: h for s, h in wanted.items() if h > 0}
    measured = by_situation[by_situation["person_h"] > 0]
    if not there or any(s not in measured.index for s in there):
        return Interval.not_estimable(method=method, level=level)
    used = measured.loc[list(there)]
    seen = used["alerts"].to_numpy(dtype=np.float64)
    weight = np.array(list(there.values())) / used["person_h"].to_numpy(dtype=np.float64)
    mean, variance, most = float(weight @ seen), float(weight**2 @ seen), float(weight.max())
    tail = (1 - level) / 2
    low = 0.0 if mean == 0 else float(stats.gamma.ppf(tail, mean**2 / variance, scale=variance / mean))
    mean_up, variance_up = mean + most, variance + most**2
    high = float(stats.gamma.isf(tail, mean_up**2 / variance_up, scale=variance_up / mean_up))
    return Interval(mean, min(low, mean), max(high, mean), int(seen.sum()), method, level)


def city_scale(
    per_camera_hour: Interval, *, cameras: int = CAMERAS, operators: int = OPERATORS, hours: float = 24.0
) -> CityScale:
    """Carry a rate and its interval to a city: alerts a day, an hour for each operator, seconds for each alert.

    A rate measured on scenes holds for cameras that see such scenes all day. Scenes written to measure a rule are full
    of people who stay; a street is not: take the rate from :func:`street_rate`, with a stated mix of people.

    Parameters
    ----------
    per_camera_hour : Interval
    cameras : int, default=1600
    operators : int, default=20
        Watching at any moment.
    hours : float, default=24.0
        Of watch a day.

    Returns
    -------
    CityScale

    Raises
    ------
    ParameterError
        If there is no camera, no operator, or no hour.

    Examples
    --------
    A wrong alert every twenty hours of camera is, for each of twenty operators, one every quarter of an hour:

    >>> found = city_scale(Interval(1 / 20, 1 / 40, 1 / 10, 8, "poisson-exact"))
    >>> found.alerts_per_day.estimate, found.per_operator_hour.estimate, found.seconds_each.estimate
    (1920.0, 4.0, 900.0)
    """
    where = "city_scale"
    if cameras < 1 or operators < 1:
        raise bad_parameter(name="cameras, operators", where=where, must="at least 1", got=(cameras, operators))
    if not 0 < hours <= 24:
        raise bad_parameter(name="hours", where=where, must="in (0, 24]", got=hours)
    each = _scaled(per_camera_hour, lambda rate: rate * cameras / operators)
    gap = Interval.not_estimable(n=each.n, method=each.method, level=each.level)
    if each.estimate:
        low, high = cast(tuple[float, float], (each.low, each.high))
        gap = Interval(
            _SECONDS / each.estimate,
            _SECONDS / high,
            _SECONDS / low if low > 0 else math.inf,
            each.n,
            each.method,
            each.level,
        )
    day = _scaled(per_camera_hour, lambda rate: rate * cameras * hours)
    return CityScale(day, each, gap, cameras, operators, hours)


def describe_city(scale: CityScale) -> Text:
    """Say in one sentence, in whole numbers, what a control room would receive if every camera had that rate."""
    day, gap = scale.alerts_per_day, scale.seconds_each
    if day.estimate is None or day.low is None or day.high is None:
        return Text(fr="Aucune heure de caméra : non estimable.", en="No camera-hour: not estimable.")
    low, mid, high = (round(v) for v in (day.low, day.estimate, day.high))
    every_fr = every_en = ""
    if gap.estimate is not None:
        every_fr = f", soit une toutes les {_span_fr(gap.estimate)} pour chaque opérateur"
        every_en = f", that is one every {_span_en(gap.estimate)} for each operator"
    return Text(
        fr=f"Si {_nb(scale.cameras)} caméras, pour {scale.operators} opérateurs, voyaient de telles scènes : environ "
        f"{_nb(mid)} fausses alertes par jour (de {_nb(low)} à {_nb(high)}){every_fr}.",
        en=f"If {scale.cameras:,} cameras, for {scale.operators} operators, watched such scenes: about {mid:,} false "
        f"alerts a day ({low:,} to {high:,}){every_en}.",
    )


def _scaled(interval: Interval, by: Callable[[float], float]) -> Interval:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return interval
    return Interval(
        by(interval.estimate), by(interval.low), by(interval.high), interval.n, interval.method, interval.level
    )


def _nb(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _span_fr(seconds: float) -> str:
    return _span(seconds, "secondes").replace(".", ",")


def _span_en(seconds: float) -> str:
    return _span(seconds, "seconds")


def _span(seconds: float, word: str) -> str:
    if seconds >= 120:
        return f"{round(seconds / 60)} minutes"
    return f"{seconds:.0f} {word}" if seconds >= 10 else f"{seconds:.2g} {word}"
