"""E15. Watch-lists and files: at the footfall of a city, how many false alerts for a true one?

Arithmetic on distributions of scores. Five operating points, two of them published by those who tried, are put at the
footfall of a station, of a tramway network, of the whole city's trips, with more or fewer listed persons among those
who pass. Then a gate at a school (one face against one), and a search of a file of millions.

What it cannot tell you: see :data:`CANNOT_TELL`.

References
----------
.. [1] National Physical Laboratory (2023), facial-recognition equitability study (TPIR 89 %, 7 false positives).
.. [2] Bundespolizei (2018), final report on Berlin Südkreuz (a combination of three systems: 84.9 %, 0.67 %).
.. [3] Grother, Ngan & Hanaoka (2019), NISTIR 8280 (false matches ten to a hundred times apart between groups).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.text import Text
from fairness.rates import poisson_rate_interval
from fairness.watchlists import on_list_for_ppv, p_false_first, ppv_of_passages, share_of_subgroup, tpir

ID: Final = "E15"


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E15.

    Attributes
    ----------
    npl_tpir, npl_false, npl_passages : float, int, int
        Published: share of listed persons found, false alerts counted, and the passages they were counted over
        (7 at 1 in 6,000).
    suedkreuz_tpir, suedkreuz_fpir : float
        Published for the combination of three systems.
    stated_fpirs : tuple of float
        Other operating points, stated, at ``stated_tpir``.
    stated_tpir : float
    passages : tuple of int
        Persons who pass in a day: a station, a network, a city's trips.
    on_list : tuple of int
        Listed persons among those who pass in a day.
    separations : tuple of float
        Distance between the laws of scores of one person and of two, in standard deviations.
    gate_false_accept : float
        Share of strangers whom a gate lets in: what sets its threshold.
    galleries : tuple of int
        Photographs in the file searched.
    enrolled : tuple of float
        Chance that the person sought is in it. A search for somebody who is not has a wrong first candidate, always:
        under one half it cannot be right in most, whatever the scores.
    subgroup_share, subgroup_ratios : float, tuple of float
        A group of this share of passages, whose false matches are so many times as frequent.
    """

    npl_tpir: float = 0.89
    npl_false: int = 7
    npl_passages: int = 42_000
    suedkreuz_tpir: float = 0.849
    suedkreuz_fpir: float = 0.0067
    stated_fpirs: tuple[float, ...] = (1e-4, 1e-5, 1e-6)
    stated_tpir: float = 0.9
    passages: tuple[int, ...] = (20_000, 160_000, 850_000)
    on_list: tuple[int, ...] = (1, 10, 50, 500)
    separations: tuple[float, ...] = (4.0, 6.0, 8.0)
    gate_false_accept: float = 0.001
    galleries: tuple[int, ...] = (10_000, 7_500_000)
    enrolled: tuple[float, ...] = (0.5, 0.9, 0.98, 1.0)
    subgroup_share: float = 0.1
    subgroup_ratios: tuple[float, ...] = (1.0, 3.0, 10.0)

    @classmethod
    def quick(cls) -> Params:
        """The grid of the register."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """A finer grid."""
        return cls(
            stated_fpirs=(1e-3, 1e-4, 1e-5, 1e-6, 1e-7), on_list=(1, 3, 10, 30, 50, 100, 500),
            passages=(2_000, 20_000, 160_000, 850_000), separations=(3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
            galleries=(1_000, 10_000, 1_000_000, 7_500_000), enrolled=(0.1, 0.5, 0.9, 0.98, 1.0),
            subgroup_ratios=(1.0, 3.0, 10.0, 100.0),
        )  # fmt: skip


_GIVEN: Final = Text(fr="calcul sur des valeurs posées ou publiées", en="arithmetic on stated or published values")
_FALSE: Final = Text(
    fr="fausses alertes comptées (1 : valeur publiée sans compte, ou posée)",
    en="false alerts counted (1: value published without a count, or stated)",
)

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("ppv", "share", Text(fr="Part des alertes qui sont justes", en="Share of alerts that are right"), _FALSE),
    Measure("ppv_at_random", "share", Text(fr="Part de contrôles justes, au hasard",
            en="Share of right stops, at random"), _GIVEN),
    Measure("false_per_day", "per_day", Text(fr="Fausses alertes par jour", en="False alerts a day"), _FALSE),
    Measure("on_list_for_half", "count", Text(fr="Personnes de la liste à passer chaque jour pour qu’une alerte sur "
            "deux soit juste", en="Listed persons who must pass each day for one alert in two to be right"), _FALSE),
    Measure("false_reject", "share", Text(fr="Élèves refusés à tort au portique",
            en="Pupils wrongly refused at the gate"), _GIVEN),
    Measure("false_first", "share", Text(fr="Recherches dont le premier candidat est quelqu’un d’autre",
            en="Searches whose first candidate is somebody else"), _GIVEN),
    Measure("subgroup_burden", "share", Text(fr="Part des fausses alertes qui tombe sur le groupe",
            en="Share of false alerts that falls on the group"), _GIVEN),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience ne dit pas ce que vaut un produit, ni combien de personnes recherchées passent : les deux sont "
    "posés, ou repris de ce que des essais ont publié, sur leurs volontaires, leurs images et la taille de "
    "leurs listes : une liste plus longue donne plus de fausses alertes. Aucune image n’est "
    "utilisée, seulement des lois de scores. Le droit français ne permet pas la reconnaissance faciale dans l’espace "
    "public ; l’expérience n’en dit rien.",
    en="The experiment does not say what a product is worth, nor how many sought persons pass: both are stated, or "
    "taken from what trials published, on their volunteers, their images and the size of their lists: a "
    "longer list gives more false alerts. No image is used, only laws of scores. "
    "French law does not allow face recognition in public space; the experiment says nothing of that.",
)


def operating_points(params: Params) -> dict[str, tuple[float, Interval]]:
    """Name → share of listed persons found, and share of passages that alert by mistake, with its interval."""
    npl = poisson_rate_interval(events=params.npl_false, exposure=float(params.npl_passages))
    points = {
        "npl-2023": (params.npl_tpir, npl),
        "suedkreuz-2018": (params.suedkreuz_tpir, Interval.exact(params.suedkreuz_fpir)),
    }
    for rate in params.stated_fpirs:
        points[np.format_float_scientific(rate, trim="-", exp_digits=1)] = (params.stated_tpir, Interval.exact(rate))
    return points


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E15. Exact: neither ``seed`` nor ``jobs`` changes anything.

    Returns
    -------
    Outcome
        PPV and false alerts by ``point, footfall, on_list``; gates by ``score_distance``; searches by
        ``score_distance, gallery, enrolled``; burden by ``subgroup_ratio``. Table ``e15_points``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    results: list[Result] = []
    rows = []

    def add(measure: str, world: dict[str, Scalar], interval: Interval, table: str = "") -> None:
        results.append(Result(ID, measure, world, interval, table))

    for (name, (found, false)), passages in product(operating_points(params).items(), params.passages):
        here: dict[str, Scalar] = {"point": name, "footfall": passages}
        many = partial(operator.mul, passages)
        add("false_per_day", here, _through(false, many), "e15_points")
        half = partial(_for_half, passages, found)
        add("on_list_for_half", here, _through(false, half), "e15_points")
        rows.append({**here, "tpir": found, "fpir": false.estimate, "fpir_low": false.low, "fpir_high": false.high})
        for listed in params.on_list:
            right = partial(_right, passages, found, listed)
            add("ppv", {**here, "on_list": listed}, _through(false, right), "e15_points")
    for passages, listed in product(params.passages, params.on_list):
        add("ppv_at_random", {"footfall": passages, "on_list": listed}, Interval.exact(listed / passages))
    for separation in params.separations:
        rejected = 1 - tpir(separation=separation, false_match_rate=params.gate_false_accept)
        add("false_reject", {"score_distance": separation}, Interval.exact(rejected))
        for gallery, enrolled in product(params.galleries, params.enrolled):
            first = p_false_first(separation=separation, gallery=gallery, enrolled=enrolled)
            world: dict[str, Scalar] = {"score_distance": separation, "gallery": gallery, "enrolled": enrolled}
            add("false_first", world, Interval.exact(first))
    for ratio in params.subgroup_ratios:
        burden = share_of_subgroup(share=params.subgroup_share, ratio=ratio)
        add("subgroup_burden", {"subgroup_ratio": ratio}, Interval.exact(burden))
    progress("E15", 1, 1)
    return Outcome(results, {"e15_points": pd.DataFrame(rows)})


def _for_half(passages: int, found: float, false: float) -> float | None:
    return on_list_for_ppv(ppv=0.5, passages=passages, tpir=found, fpir=false)


def _right(passages: int, found: float, listed: int, false: float) -> float | None:
    return ppv_of_passages(on_list=listed, passages=passages, tpir=found, fpir=false)


def _through(rate: Interval, function: Callable[[float], float | None]) -> Interval:
    """The interval of a monotone function of a rate, from its ends; not estimable where the function has no value."""
    at = [function(v) for v in (rate.estimate, rate.low, rate.high) if v is not None]
    if not at or at[0] is None:
        return Interval.not_estimable(n=rate.n, method=rate.method)
    ends = [v for v in at if v is not None]
    return Interval(at[0], min(ends), max(ends), rate.n, rate.method)


def _check(params: Params) -> None:
    if not params.passages:
        raise bad_parameter(name="passages", where=ID, must="at least one footfall", got=params.passages)
    for name, ok, must in (
        ("npl_false", 0 < params.npl_false <= params.npl_passages, "above 0 and at most `npl_passages`"),
        ("passages", all(p > 0 for p in params.passages), "above 0"),
        (
            "on_list",
            bool(params.on_list) and min(params.on_list) >= 0 and max(params.on_list) <= min(params.passages),
            "at least 0 and at most the smallest of `passages`",
        ),
        ("separations", bool(params.separations), "at least one distance"),
        ("galleries", bool(params.galleries) and min(params.galleries) >= 1, "at least 1"),
        ("enrolled", bool(params.enrolled), "at least one chance"),
        ("gate_false_accept", 0 < params.gate_false_accept < 1, "in (0, 1)"),
        ("stated_fpirs", all(0 < f < 1 for f in params.stated_fpirs), "in (0, 1)"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
