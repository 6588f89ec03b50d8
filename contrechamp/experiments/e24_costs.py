"""Cost arithmetic: do the published figures agree with each other, and what does a result cost?

No simulation: divisions, sums and compound growth on figures anyone can look up, each with its source, a label that
says how it is known, and half a unit of its last printed digit as margin. What comes out is a ratio or a relative gap
and the range that rounding alone allows.

What it cannot tell you: what was really spent. The accounts are not in the sources read; a contract awarded is not a
sum paid, two figures of different years or perimeters can both be right, and a cost per arrest charges to arrests
what also paid for everything else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import canonical_json
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.text import Text
from fairness.intervals import poisson_rate_interval

ID: Final = "E24"

#: How a figure is known, strongest first: read in a public source, stated in an article of the file, derived by
#: arithmetic, assumed, remembered and not checked.
Evidence = Literal["V", "S", "D", "A", "M"]
_EVIDENCE: Final = "VSDAM"


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure.

    Attributes
    ----------
    key : str
        Name cited by the lines of the experiment.
    value, half : float
        The figure, and half a unit of its last non-zero printed digit ("46 M€" is 46 ± 0.5). 0 for a full count; a
        yearly growth of "10 %" is read to the percent, 10 ± 0.5, not to the ten.
    unit : str
    source : str
        Reference in the register of sources.
    evidence : Evidence
        How the figure is known.
    what : Text
        What it counts, with its year and perimeter where they are known.
    """

    key: str
    value: float
    half: float
    unit: str
    source: str
    evidence: Evidence
    what: Text


FIGURES: Final[tuple[Figure, ...]] = (
    Figure(
        "contract_eur", 46e6, 0.5e6, "€", "W-MARSACTUCAM", "V",
        Text(fr="marché attribué pour 500 caméras, 2018", en="contract awarded for 500 cameras, 2018"),
    ),
    Figure(
        "contract_cameras", 500, 50, "cameras", "W-MARSACTUCAM", "V",
        Text(fr="caméras du marché de 2018", en="cameras of the 2018 contract"),
    ),
    Figure(
        "planned_low_eur", 12e6, 0.5e6, "€", "W-MARSACTUCAM", "V",
        Text(fr="budget annoncé, bas de la fourchette", en="announced budget, low end"),
    ),
    Figure(
        "planned_high_eur", 15e6, 0.5e6, "€", "W-MARSACTUCAM", "V",
        Text(fr="budget annoncé, haut de la fourchette", en="announced budget, high end"),
    ),
    Figure(
        "camera_eur", 30e3, 5e3, "€", "S4", "S",
        Text(fr="coût moyen d’une caméra pour une commune", en="mean cost of a camera to a municipality"),
    ),
    Figure(
        "works_eur", 22.5e3, 2.5e3, "€", "W-RIEN", "V",
        Text(fr="travaux par caméra, 20 000 à 25 000 €", en="works per camera, 20,000 to 25,000 €"),
    ),
    Figure(
        "running_per_camera_eur", 4600, 50, "€/year", "W-RIEN", "V",
        Text(fr="fonctionnement par caméra et par an", en="running cost per camera and year"),
    ),
    Figure(
        "running_eur", 7e6, 0.5e6, "€/year", "W-NXI21", "V",
        Text(fr="fonctionnement du parc de Marseille, dit en 2021", en="running cost of all cameras, stated in 2021"),
    ),
    Figure(
        "cameras_2024", 1600, 50, "cameras", "W-MEDIAVIVANT", "V",
        Text(fr="caméras à Marseille, 2020 à 2024", en="cameras in Marseille, 2020 to 2024"),
    ),
    Figure(
        "cameras_2021", 1400, 50, "cameras", "W-FR3", "V",
        Text(fr="caméras à Marseille, début 2021", en="cameras in Marseille, early 2021"),
    ),
    Figure(
        "cameras_2015", 864, 0, "cameras", "W-MUCC16", "V",
        Text(fr="caméras à Marseille, 2015", en="cameras in Marseille, 2015"),
    ),
    Figure(
        "live_detections", 1253, 0, "events/year", "W-MUCC16", "V",
        Text(fr="faits repérés en direct par les opérateurs, 2015", en="events seen live by operators, 2015"),
    ),
    Figure(
        "requests", 770, 0, "events/year", "W-MUCC16", "V",
        Text(fr="demandes d’intervention, 2015", en="requests for intervention, 2015"),
    ),
    Figure(
        "interventions", 505, 0, "events/year", "W-MUCC16", "V",
        Text(fr="interventions, 2015", en="interventions, 2015"),
    ),
    Figure(
        "arrests", 248, 0, "events/year", "W-MUCC16", "V",
        Text(fr="interpellations, 2015", en="arrests, 2015"),
    ),
    Figure(
        "taj_per_day", 1600, 50, "searches/day", "S4", "S",
        Text(fr="recherches faciales TAJ par jour, 2021", en="TAJ face searches a day, 2021"),
    ),
    Figure(
        "taj_2019", 375_747, 0, "searches/year", "W-TAJ", "V",
        Text(fr="recherches faciales TAJ, 2019", en="TAJ face searches, 2019"),
    ),
    Figure(
        "observatory_eur", 1.8e6, 0.05e6, "€", "S0", "S",
        Text(fr="montant annoncé pour l’observatoire", en="sum announced for the observatory"),
    ),
    Figure(
        "observatory_city_eur", 1.8e6, 0.05e6, "€", "S1", "S",
        Text(fr="montant que S1 attribue à la Ville", en="sum S1 ascribes to the City"),
    ),
    Figure(
        "observatory_other_eur", 1.5e6, 0.05e6, "€", "W-VILLE, W-MIM17, W-20M18", "V",
        Text(fr="montant de l’outil seul selon d’autres sources", en="sum for the tool alone in other sources"),
    ),
    Figure(
        "feder_eur", 600e3, 50e3, "€", "S0, W-VILLE", "V",
        Text(fr="part du fonds européen FEDER", en="part of the European fund (ERDF)"),
    ),
    Figure(
        "department_eur", 600e3, 50e3, "€", "S1", "S",
        Text(fr="part du conseil départemental", en="part of the département"),
    ),
    Figure(
        "market_2020", 45e9, 0.5e9, "€", "S4", "S",
        Text(fr="marché mondial de la vidéosurveillance, 2020", en="world video-surveillance market, 2020"),
    ),
    Figure(
        "market_2025", 75e9, 0.5e9, "€", "S4", "S",
        Text(fr="le même marché, prévu pour 2025", en="the same market, forecast for 2025"),
    ),
    Figure(
        "market_growth", 0.10, 0.005, "/year", "S4", "S",
        Text(fr="croissance annuelle annoncée", en="announced yearly growth"),
    ),
    Figure(
        "cnil_rise_eur", 860e3, 5e3, "€", "S3", "S",
        Text(fr="hausse du budget de la CNIL, projet 2019", en="rise of the CNIL budget, 2019 draft"),
    ),
    Figure(
        "cnil_rise", 0.048, 0.0005, "share", "S3", "S",
        Text(fr="la même hausse, en proportion", en="the same rise, as a share"),
    ),
    Figure(
        "cnil_budget_eur", 18e6, 0.5e6, "€", "memory", "M",
        Text(fr="budget de la CNIL, de mémoire, non vérifié", en="CNIL budget, from memory, not checked"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Params:
    """Parameters of the experiment.

    Attributes
    ----------
    days_per_year : int
    growth_years : int
        Years between the two market figures.
    level : float
        Confidence level of the intervals on counts.
    """

    days_per_year: int = 365
    growth_years: int = 5
    level: float = 0.95

    @classmethod
    def quick(cls) -> Params:
        """Arithmetic costs nothing: both profiles are the same."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Arithmetic costs nothing: both profiles are the same."""
        return cls()


_FIGURES = Text(fr="chiffres publiés employés", en="published figures used")
_EVENTS = Text(fr="faits comptés dans l’année", en="events counted in the year")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("unit_cost_eur", "euro", Text(fr="Coût par caméra", en="Cost per camera"), _FIGURES),
    Measure(
        "cost_ratio",
        "ratio",
        Text(fr="Coût par caméra du marché sur le coût cité", en="Cost per camera of the contract over the quoted one"),
        _FIGURES,
    ),
    Measure(
        "budget_ratio",
        "ratio",
        Text(fr="Montant attribué sur budget annoncé", en="Sum awarded over announced budget"),
        _FIGURES,
    ),
    Measure(
        "volume_ratio",
        "ratio",
        Text(fr="Volume annoncé sur volume publié", en="Announced volume over published volume"),
        _FIGURES,
    ),
    Measure(
        "relative_gap",
        "ratio",
        Text(
            fr="Écart relatif entre le chiffre calculé et celui auquel on le compare",
            en="Relative gap between the computed figure and the one it is compared with",
        ),
        _FIGURES,
    ),
    Measure(
        "implied_total_eur",
        "euro",
        Text(fr="Montant qu’impliquent les chiffres cités", en="Sum implied by the quoted figures"),
        _FIGURES,
    ),
    Measure(
        "implied_growth",
        "share",
        Text(fr="Croissance annuelle impliquée", en="Implied yearly growth"),
        _FIGURES,
    ),
    Measure(
        "events_per_camera_year",
        "ratio",
        Text(fr="Faits par caméra et par an", en="Events per camera and year"),
        _EVENTS,
    ),
    Measure(
        "cost_per_event_eur",
        "euro",
        Text(
            fr="Coût de fonctionnement par fait, si tout le coût lui était imputé (il ne devrait pas l’être)",
            en="Running cost per event if all of it were charged to that event (it should not be)",
        ),
        _EVENTS,
    ),
    Measure(
        "final_account_ratio",
        "ratio",
        Text(fr="Compte final sur montant annoncé", en="Final account over announced sum"),
        Text(fr="comptes publiés trouvés", en="published accounts found"),
    ),
    Measure(
        "cost_per_useful_case_eur",
        "euro",
        Text(
            fr="Coût par enquête où les images ont aidé",
            en="Cost per investigation in which images helped",
        ),
        Text(fr="périmètres où coût et enquêtes sont publiés", en="perimeters where cost and cases are both published"),
    ),
)

CANNOT_TELL: Final = Text(
    fr=(
        "L’arithmétique dit si des chiffres publiés s’accordent, aux arrondis près. Elle ne dit pas ce qui a été "
        "dépensé : un marché attribué n’est pas une somme payée, et deux chiffres d’années ou de périmètres différents "
        "peuvent être justes ensemble. Un coût par interpellation impute aux interpellations ce qui a payé tout le "
        "reste."
    ),
    en=(
        "Arithmetic tells whether published figures agree, up to rounding. It does not tell what was spent: a contract "
        "awarded is not a sum paid, and two figures of different years or perimeters can both be right. A cost per "
        "arrest charges to arrests what also paid for everything else."
    ),
)

Formula = Callable[[Mapping[str, float]], float]


@dataclass(frozen=True)
class Line:
    """One computation: a measure, the claim it serves, its inputs and its formula.

    Attributes
    ----------
    measure : str
    world : mapping
        Names the claim and whatever tells this line from its siblings.
    inputs : tuple of str
        Keys of the figures used.
    text : str
        The formula, for people.
    formula : callable
        Must move one way only in each input: bounds are read at the corners.
    reference : callable, optional
        With one, the line is the relative gap ``|formula - reference| / reference``.
    """

    measure: str
    world: Mapping[str, Scalar]
    inputs: tuple[str, ...]
    text: str
    formula: Formula
    reference: Formula | None = field(default=None)


def lines(params: Params) -> tuple[Line, ...]:
    """Every computation on rounded figures; counts are handled by :func:`count_lines`."""
    days, years = params.days_per_year, params.growth_years
    contract = ("contract_eur", "contract_cameras")
    k03 = ("observatory_city_eur", "feder_eur", "department_eur")

    def gap(world: Mapping[str, Scalar], inputs: tuple[str, ...], text: str, formula: Formula, ref: Formula) -> Line:
        return Line("relative_gap", world, inputs, text, formula, ref)

    def per_camera(f: Mapping[str, float]) -> float:
        return f["contract_eur"] / f["contract_cameras"]

    def added(f: Mapping[str, float]) -> float:
        return f["observatory_city_eur"] + f["feder_eur"] + f["department_eur"]

    def growth(f: Mapping[str, float]) -> float:
        return f["market_2020"] * (1 + f["market_growth"]) ** years

    def searches(f: Mapping[str, float]) -> float:
        return f["taj_per_day"] * days

    def cnil(f: Mapping[str, float]) -> float:
        return f["cnil_rise_eur"] / f["cnil_rise"]

    out = [
        Line("unit_cost_eur", {"claim": "C13"}, contract, "46 M€ / 500", per_camera),
        Line(
            "cost_ratio", {"claim": "C13"}, (*contract, "camera_eur"), "(46 M€ / 500) / 30 000 €",
            lambda f: per_camera(f) / f["camera_eur"],
        ),
        gap(
            {"claim": "C13"}, (*contract, "camera_eur"), "46 M€ / 500 ~ 30 000 €",
            per_camera, lambda f: f["camera_eur"],
        ),
        gap(
            {"claim": "C13", "against": "works only"}, ("works_eur", "camera_eur"), "20 000 – 25 000 € ~ 30 000 €",
            lambda f: f["works_eur"], lambda f: f["camera_eur"],
        ),
        Line(
            "budget_ratio", {"claim": "C20", "planned_meur": 12}, ("contract_eur", "planned_low_eur"), "46 / 12",
            lambda f: f["contract_eur"] / f["planned_low_eur"],
        ),
        Line(
            "budget_ratio", {"claim": "C20", "planned_meur": 15}, ("contract_eur", "planned_high_eur"), "46 / 15",
            lambda f: f["contract_eur"] / f["planned_high_eur"],
        ),
        Line(
            "volume_ratio", {"claim": "V17"}, ("taj_per_day", "taj_2019"), f"1 600 × {days} / 375 747",
            lambda f: searches(f) / f["taj_2019"],
        ),
        gap(
            {"claim": "V17"}, ("taj_per_day", "taj_2019"), f"1 600 × {days} ~ 375 747",
            searches, lambda f: f["taj_2019"],
        ),
        gap(
            {"claim": "K01"}, ("observatory_eur", "observatory_other_eur"), "1,8 M€ ~ 1,5 M€",
            lambda f: f["observatory_eur"], lambda f: f["observatory_other_eur"],
        ),
        Line(
            "implied_total_eur", {"claim": "K03", "reading": "parts"}, ("observatory_city_eur",), "1,8 M€",
            lambda f: f["observatory_city_eur"],
        ),
        Line("implied_total_eur", {"claim": "K03", "reading": "added"}, k03, "1,8 + 0,6 + 0,6 M€", added),
        Line(
            "implied_total_eur", {"claim": "K03", "reading": "left to the City"}, k03, "1,8 − 0,6 − 0,6 M€",
            lambda f: f["observatory_city_eur"] - f["feder_eur"] - f["department_eur"],
        ),
        gap(
            {"claim": "K03", "reading": "parts"}, ("observatory_city_eur", "observatory_eur"), "1,8 M€ ~ 1,8 M€",
            lambda f: f["observatory_city_eur"], lambda f: f["observatory_eur"],
        ),
        gap(
            {"claim": "K03", "reading": "added"}, (*k03, "observatory_eur"), "1,8 + 0,6 + 0,6 M€ ~ 1,8 M€",
            added, lambda f: f["observatory_eur"],
        ),
        Line(
            "implied_growth", {"claim": "K04"}, ("market_2020", "market_2025"), f"(75 / 45)^(1/{years}) − 1",
            lambda f: (f["market_2025"] / f["market_2020"]) ** (1 / years) - 1,
        ),
        gap(
            {"claim": "K04"}, ("market_2020", "market_growth", "market_2025"), f"45 × 1,1^{years} ~ 75",
            growth, lambda f: f["market_2025"],
        ),
        Line("implied_total_eur", {"claim": "K05"}, ("cnil_rise_eur", "cnil_rise"), "860 000 € / 4,8 %", cnil),
        gap(
            {"claim": "K05", "comparator": "memory"}, ("cnil_rise_eur", "cnil_rise", "cnil_budget_eur"),
            "860 000 € / 4,8 % ~ 18 M€", cnil, lambda f: f["cnil_budget_eur"],
        ),
    ]  # fmt: skip
    for key in ("cameras_2024", "cameras_2021"):
        count = int(figure(key).value)

        def running(f: Mapping[str, float], key: str = key) -> float:
            return f["running_eur"] / f[key]

        world: dict[str, Scalar] = {"claim": "K06", "cameras": count}
        inputs = ("running_eur", key)
        out.append(Line("unit_cost_eur", world, inputs, f"7 M€ / {count}", running))
        out.append(
            gap(
                world,
                (*inputs, "running_per_camera_eur"),
                f"7 M€ / {count} ~ 4 600 €",
                running,
                lambda f: f["running_per_camera_eur"],
            )
        )
    return tuple(out)


def figure(key: str) -> Figure:
    """Look up a figure by its key.

    Examples
    --------
    >>> figure("arrests").value
    248
    """
    return _BY_KEY[key]


_BY_KEY: Final = {f.key: f for f in FIGURES}


def evaluate(line: Line) -> Interval:
    """Work a line out at the figures as printed, and at every corner of their rounding.

    Returns
    -------
    Interval
        ``method`` is ``"printed-rounding"``, or ``"arithmetic"`` when no input is rounded; ``n`` counts inputs. A gap
        whose corners lie on both sides of agreement has ``low`` 0.

    Examples
    --------
    >>> double = Line("x", {}, ("arrests",), "2 × 248", lambda f: 2 * f["arrests"])
    >>> evaluate(double).estimate, evaluate(double).method
    (496.0, 'arithmetic')
    """

    def value(point: Mapping[str, float]) -> float:
        if line.reference is None:
            return line.formula(point)
        reference = line.reference(point)
        return (line.formula(point) - reference) / reference

    used = [figure(key) for key in line.inputs]
    middle = value({f.key: f.value for f in used})
    ends = [(f.value - f.half, f.value + f.half) if f.half else (f.value,) for f in used]
    corners = [value(dict(zip(line.inputs, corner, strict=True))) for corner in itertools.product(*ends)]
    low, high = min(corners), max(corners)
    if line.reference is not None:
        low, high = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
        middle = abs(middle)
    rounded = any(f.half for f in used)
    return Interval(
        float(middle), float(low), float(high), len(used), "printed-rounding" if rounded else "arithmetic", 1.0
    )


def count_lines(params: Params) -> list[tuple[Result, str, tuple[str, ...]]]:
    """Events per camera-year with exact Poisson intervals, and running cost per event.

    The cost is taken once as stated (the whole park of 2020–2024 against the events of 2015) and once scaled to the
    864 cameras that saw those events. Bounds join the Poisson interval of the count and the rounding of the cost.
    """
    out: list[tuple[Result, str, tuple[str, ...]]] = []
    running, park, cameras = figure("running_eur"), figure("cameras_2024"), figure("cameras_2015")
    for event in ("live_detections", "requests", "interventions", "arrests"):
        count = int(figure(event).value)
        rate = poisson_rate_interval(events=count, exposure=cameras.value, level=params.level)
        inputs = (event, "cameras_2015")
        world: dict[str, Scalar] = {"claim": "R05", "event": event}
        out.append((Result(ID, "events_per_camera_year", world, rate, "E24_lines"), f"{count} / 864", inputs))
    for event in ("live_detections", "arrests"):
        count = int(figure(event).value)
        expected = poisson_rate_interval(events=count, level=params.level)
        if expected.low is None or expected.high is None:  # a count of a published year is always estimable
            raise bad_parameter(name=event, where=ID, must="a count", got=count)
        for size, scale, spread in (
            (int(park.value), 1.0, 0.0),
            (int(cameras.value), cameras.value / park.value, park.half / park.value),
        ):
            cost = running.value * scale
            least = (running.value - running.half) * scale / (1 + spread)
            most = (running.value + running.half) * scale / (1 - spread)
            interval = Interval(
                cost / count, least / expected.high, most / expected.low, count, "poisson-exact, printed-rounding",
                params.level,
            )  # fmt: skip
            world = {"event": event, "cameras": size, "charged": "all running cost"}
            text = f"7 M€ / {count}" if not spread else f"(7 M€ / {park.value:.0f} × {size}) / {count}"
            used = ("running_eur", event) + (("cameras_2024", "cameras_2015") if spread else ())
            out.append((Result(ID, "cost_per_event_eur", world, interval, "E24_lines"), text, used))
    return out


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Work every line out. ``seed`` and ``jobs`` change nothing: there is no draw."""
    _check(params)
    worked = [
        (Result(ID, line.measure, line.world, evaluate(line), "E24_lines"), line.text, line.inputs)
        for line in lines(params)
    ]
    worked += count_lines(params)
    progress("arithmetic", 1, 1)
    missing = [
        Result(ID, "final_account_ratio", {"claim": "C06"}, Interval.not_estimable(method="no final account found")),
        Result(
            ID, "cost_per_useful_case_eur", {}, Interval.not_estimable(method="no perimeter with both cost and cases")
        ),
    ]
    tables = {
        "E24_figures": pd.DataFrame([_figure_row(f) for f in FIGURES]),
        "E24_lines": pd.DataFrame([_line_row(*item) for item in worked]),
    }
    return Outcome([result for result, _, _ in worked] + missing, tables)


def _figure_row(item: Figure) -> dict[str, str | float]:
    return {
        "key": item.key,
        "value": float(item.value),
        "half_last_digit": float(item.half),
        "unit": item.unit,
        "source": item.source,
        "evidence": item.evidence,
        "what_fr": item.what.fr,
        "what_en": item.what.en,
    }


def _line_row(result: Result, text: str, inputs: tuple[str, ...]) -> dict[str, str | float | None]:
    return {
        "measure": result.measure,
        "world": canonical_json(dict(result.world)),
        "formula": text,
        "inputs": " ".join(inputs),
        "weakest_evidence": max((figure(key).evidence for key in inputs), key=_EVIDENCE.index),
        "value": result.interval.estimate,
        "low": result.interval.low,
        "high": result.interval.high,
    }


def _check(params: Params) -> None:
    if not 0 < params.level < 1:
        raise bad_parameter(name="level", where=ID, must="a share in (0, 1)", got=params.level)
    if params.days_per_year < 1 or params.growth_years < 1:
        got = (params.days_per_year, params.growth_years)
        raise bad_parameter(name="days_per_year, growth_years", where=ID, must="counts of at least 1", got=got)
