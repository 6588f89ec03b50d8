"""An interval in one sentence, in French and in English, with its denominator, and with zero never said alone.

What it cannot tell you: more than the interval did. The sentence names the method and the count; what the count means
is for the caller to say.

References
----------
.. [1] Hanley & Lippman-Hand (1983), "If nothing goes wrong, is everything all right?", JAMA 249(13).
"""

from __future__ import annotations

from contrechamp.domain.intervals import Interval
from contrechamp.domain.text import Text
from fairness._checks import check_arm
from fairness.detectable import minimum_detectable_ratio
from fairness.rates import rule_of_three


def describe_rate(found: Interval, *, events: int) -> Text:
    """Say a share of trials.

    Parameters
    ----------
    found : Interval
        From :func:`fairness.rates.rate_interval`.
    events : int
        Its numerator.

    Returns
    -------
    Text
        With no event, the rule of three is named beside the bound.

    Raises
    ------
    ParameterError
        If ``events`` is greater than the denominator.

    Examples
    --------
    >>> from fairness.rates import rate_interval
    >>> print(describe_rate(rate_interval(events=0, trials=40), events=0).fr)
    0 sur 40 : au plus 8,8 % (intervalle à 95 %, clopper-pearson ; règle de trois : 3/40 = 7,5 %)
    >>> print(describe_rate(rate_interval(events=0, trials=0), events=0).en)
    not estimable (0 of 0)
    """
    check_arm(events, found.n, where="describe_rate", names=("events", "found.n"))
    if found.estimate is None or found.low is None or found.high is None:
        return Text(fr=f"non estimable ({events} sur {found.n})", en=f"not estimable ({events} of {found.n})")
    level = f"{100 * found.level:g}"
    high = _percent(found.high)
    if events == 0:
        three = _percent(rule_of_three(trials=found.n) or 0.0)
        return Text(
            fr=f"0 sur {found.n} : au plus {_fr(high)} % (intervalle à {_fr(level)} %, {found.method} ; "
            f"règle de trois : 3/{found.n} = {_fr(three)} %)",
            en=f"0 of {found.n}: at most {high}% ({level}% interval, {found.method}; rule of three: 3/{found.n} = "
            f"{three}%)",
        )
    value, low = _percent(found.estimate), _percent(found.low)
    return Text(
        fr=f"{events} sur {found.n} : {_fr(value)} %, entre {_fr(low)} et {_fr(high)} % (intervalle à {_fr(level)} %, "
        f"{found.method})",
        en=f"{events} of {found.n}: {value}%, between {low} and {high}% ({level}% interval, {found.method})",
    )


def describe_not_shown(
    *, trials: int, other_trials: int, other_rate: float, alpha: float = 0.05, power: float = 0.8
) -> Text:
    """Say « not shown » with the smallest ratio that could have been shown.

    Parameters
    ----------
    trials, other_trials, other_rate, alpha, power
        As :func:`fairness.detectable.minimum_detectable_ratio`.

    Returns
    -------
    Text

    Examples
    --------
    >>> print(describe_not_shown(trials=40, other_trials=400, other_rate=0.05).en)
    not shown: with 40 and 400 people, only a ratio of 4.1 or more would have been shown four times in five
    >>> print(describe_not_shown(trials=2, other_trials=2, other_rate=0.05).en)
    not shown: with 2 and 2 people, no ratio could have been shown
    """
    ratio = minimum_detectable_ratio(
        trials=trials, other_trials=other_trials, other_rate=other_rate, alpha=alpha, power=power
    )
    fr, en = (
        f"non montré : avec {trials} et {other_trials} personnes",
        f"not shown: with {trials} and {other_trials} people",
    )
    if ratio is None:
        return Text(fr=f"{fr}, aucun rapport n’aurait pu l’être", en=f"{en}, no ratio could have been shown")
    value = f"{ratio:.1f}"
    often = ("quatre fois sur cinq", "four times in five") if power == 0.8 else (
        f"dans {_fr(f'{100 * power:g}')} % des cas", f"in {100 * power:g}% of cases"
    )  # fmt: skip
    return Text(
        fr=f"{fr}, seul un rapport d’au moins {_fr(value)} l’aurait été {often[0]}",
        en=f"{en}, only a ratio of {value} or more would have been shown {often[1]}",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _fr(number: str) -> str:
    return number.replace(".", ",")
