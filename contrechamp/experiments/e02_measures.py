"""What E02 measures, in words: the curve of the loop, the share of plausible worlds, what each unknown weighs.

What it cannot tell you: see :data:`contrechamp.experiments.e02_feedback_loop.CANNOT_TELL`.
"""

from __future__ import annotations

from typing import Final

from contrechamp.domain.results import Measure
from contrechamp.domain.text import Text

_RUNS: Final = Text(fr="villes simulées", en="simulated cities")
_DRAWN: Final = Text(fr="mondes tirés", en="worlds drawn")
_BASE: Final = Text(fr="points de base du plan", en="base points of the design")
_PAIRS: Final = Text(
    fr="villes simulées, chacune jouée deux fois (avec et sans boucle)",
    en="simulated cities, each played twice (with and without the loop)",
)


def _share(key: str, fr: str, en: str, of: Text = _RUNS) -> Measure:
    return Measure(key, "share", Text(fr=fr, en=en), of)


MEASURES: tuple[Measure, ...] = (
    _share(
        "recorded_off_20",
        "part des villes où la part enregistrée d'une zone s'écarte de la vérité de plus de 20 points",
        "share of cities where the recorded share of a zone is more than 20 points off the truth",
    ),
    _share(
        "recorded_off_20_exact",
        "même part, par la loi exacte de l'urne de Pólya (règle proportionnelle, deux zones égales, rien de signalé)",
        "same share, by the exact law of the Pólya urn (proportional rule, two equal zones, nothing reported)",
    ),
    _share(
        "recorded_off_10",
        "part des villes où la part enregistrée d'une zone s'écarte de la vérité de plus de 10 points",
        "share of cities where the recorded share of a zone is more than 10 points off the truth",
    ),
    _share(
        "patrol_off_20",
        "part des villes où le temps de patrouille d'une zone s'écarte de sa part réelle de plus de 20 points",
        "share of cities where the patrol time of a zone is more than 20 points off its true share",
    ),
    _share(
        "believed_off_20",
        "part des villes où la part que la règle croit vraie s'écarte de la vérité de plus de 20 points",
        "share of cities where the share that the rule believes in is more than 20 points off the truth",
    ),
    _share(
        "one_zone_over_80",
        "part des villes où une seule zone dépasse 80 % des enregistrements",
        "share of cities where a single zone exceeds 80 % of the records",
    ),
    Measure(
        "recorded_excess_20",
        "points",
        Text(
            fr="`recorded_off_20` de plus que la même règle quand tout est signalé (sans boucle)",
            en="`recorded_off_20` beyond the same rule when everything is reported (no loop)",
        ),
        _PAIRS,
    ),
    Measure(
        "recorded_excess_10",
        "points",
        Text(
            fr="`recorded_off_10` de plus que la même règle quand tout est signalé (sans boucle)",
            en="`recorded_off_10` beyond the same rule when everything is reported (no loop)",
        ),
        _PAIRS,
    ),
    Measure(
        "patrol_excess_20",
        "points",
        Text(
            fr="`patrol_off_20` de plus que la même règle quand tout est signalé (sans boucle)",
            en="`patrol_off_20` beyond the same rule when everything is reported (no loop)",
        ),
        _PAIRS,
    ),
    Measure(
        "median_abs_error",
        "points",
        Text(
            fr="écart médian entre part enregistrée et part réelle (zone la plus écartée)",
            en="median gap between recorded and true share (zone furthest off)",
        ),
        _RUNS,
    ),
    Measure(
        "days_to_drift",
        "days",
        Text(
            fr="jour médian du premier écart de plus de 20 points ; non estimable si moins d'une ville sur deux dérive",
            en="median day of the first gap over 20 points; not estimable if fewer than half of the cities drift",
        ),
        _RUNS,
    ),
    _share(
        "share_of_worlds_supported",
        "part des mondes tirés dans les plages où la prophétie se réalise, par les critères de C02",
        "share of the worlds drawn over the ranges where the prophecy comes true, by the criteria of C02",
        _DRAWN,
    ),
    _share(
        "share_of_worlds_refuted",
        "part des mondes tirés dans les plages où elle est réfutée, par les critères de C02",
        "share of the worlds drawn over the ranges where it is refuted, by the criteria of C02",
        _DRAWN,
    ),
    _share(
        "share_of_worlds_open",
        "part des mondes tirés dans les plages où les nombres ne décident rien",
        "share of the worlds drawn over the ranges where the numbers decide nothing",
        _DRAWN,
    ),
    _share(
        "sobol_first",
        "indice de Sobol du premier ordre : part de la variance de l'écart ajouté par la boucle que fixer l'inconnue "
        "enlèverait",
        "first-order Sobol index: share of the variance of the gap added by the loop that fixing the unknown would "
        "take away",
        _BASE,
    ),
    _share(
        "sobol_total",
        "indice de Sobol total : part de cette variance qui resterait si l'inconnue seule restait inconnue, "
        "interactions comprises",
        "total Sobol index: share of that variance left if the unknown alone were unknown, interactions included",
        _BASE,
    ),
)
