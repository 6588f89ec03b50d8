"""E03. Two areas alike, recorded unlike: does the tool reproduce the gap, and does it multiply it?

Areas A and B are mirror images: cell for cell the same true rates. What differs is how much of it is recorded:
residents of B report ``r`` times as often, or patrols spent ``r`` times as long there. A predictor learns from these
records; its first map, and the hours sent by it, are compared between areas (one step). Then patrols follow the map for
months and the comparison is made again (in a loop). *Reproduction* is an output ratio above 1; *multiplication* an
output ratio above the input ratio, which is measured on the records themselves.

What it cannot tell you: which gap real records carry, or why. A and B stand for no population. Where the truth itself
differs, nothing here says which part of a gap would be deserved.

References
----------
.. [1] Lum & Isaac (2016), "To predict and serve?", Significance 13(5), 14-19.
.. [2] Ensign et al. (2018), "Runaway feedback loops in predictive policing", PMLR 81, 160-171.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.potential import Potential
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.allocation import Allocation, Sharing
from fairness.closed_loop import Effects, Evidence, LoopHistory, run_loop
from fairness.intervals import mean_interval
from models import load_predictor
from synthetic_data.loop_worlds import draw_levels, draw_potential, square_grid

ID: Final = "E03"
#: Where records come from: residents only, patrols only, both.
SOURCES: Final = ("reported", "discovered", "mixed")
#: One step: the first map. In a loop: the last days, patrols having followed the map since.
STAGES: Final = ("step", "loop")
_SHAPE: Final = (20, 24)


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E03.

    Attributes
    ----------
    sources : tuple of str
        Some of :data:`SOURCES`.
    ratios : tuple of float
        Input ratio r: reporting (``reported``) or hours of patrol before the first map (the others), B over A.
    rules : tuple of str
        Allocation rules, ``proportional`` or ``top``.
    predictor : str
        Key of the predictor.
    seeds : int
        Cities per combination. The same seeds serve every combination.
    per_day : float
        Incidents per day in the city of 480 cells.
    history_days, loop_days, read_days : int
        Days recorded before the first map, days of loop, and the last of them on which the loop is read.
    p_reported : float
        Chance that a resident of A reports (``reported``), or of anybody (``mixed``).
    hours_per_day, finding_per_hour : float
        Patrols.
    explore : float
        Part of the hours spread over the city whatever the map says.
    flagged : float
        Share of the cells flagged, and served by the rule ``top``.
    """

    sources: tuple[str, ...] = SOURCES
    ratios: tuple[float, ...] = (1.0, 1.5, 2.0, 5.0)
    rules: tuple[str, ...] = ("proportional", "top")
    predictor: str = "retro-quartic"
    seeds: int = 10
    per_day: float = 150.0
    history_days: int = 90
    loop_days: int = 120
    read_days: int = 28
    p_reported: float = 0.15
    hours_per_day: float = 120.0
    finding_per_hour: float = 0.5
    explore: float = 0.1
    flagged: float = 0.05

    @classmethod
    def quick(cls) -> Params:
        """Twenty-four kinds of worlds, ten cities each."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Forty-two kinds of worlds, two hundred cities each, a year of loop."""
        return cls(ratios=(1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0), seeds=200, history_days=180, loop_days=365)


_SEEDS: Final = Text(fr="villes tirées (graines)", en="cities drawn (seeds)")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("input_ratio", "ratio", Text(fr="Rapport d’entrée : enregistrements de B sur ceux de A, avant la carte",
            en="Input ratio: records of B over those of A, before the map"), _SEEDS),
    Measure("risk_ratio", "ratio", Text(fr="Rapport des risques annoncés, B sur A, à vérité égale",
            en="Ratio of announced risks, B over A, truth being equal"), _SEEDS),
    Measure("risk_ratio_corrected", "ratio", Text(
            fr="Le même, si la carte connaît la chance d’être enregistré",
            en="The same, if the map knows the chance of being recorded"), _SEEDS),
    Measure("false_alert_ratio", "ratio", Text(
            fr="Rapport des fausses alertes, B sur A (cases désignées parmi celles où rien n’arrive)",
            en="Ratio of false alerts, B over A (cells flagged among those where nothing happens)"), _SEEDS),
    Measure("exposure_ratio", "ratio", Text(fr="Rapport des heures de patrouille par incident réel, B sur A",
            en="Ratio of patrol-hours per true incident, B over A"), _SEEDS),
    Measure("amplification_risk", "ratio", Text(fr="Amplification : rapport des risques sur rapport d’entrée",
            en="Amplification: risk ratio over input ratio"), _SEEDS),
    Measure("amplification_exposure", "ratio", Text(
            fr="Amplification : rapport des heures par incident sur rapport d’entrée",
            en="Amplification: ratio of hours per incident over input ratio"), _SEEDS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="A et B sont deux moitiés d’une ville inventée, jumelles case à case ; elles ne figurent aucune population. "
    "L’expérience dit si un écart d’enregistrement passe dans la carte et s’y accroît, sous ces règles. Elle ne dit "
    "pas quel écart portent de vrais fichiers, ni d’où il vient, ni ce qu’une patrouille de plus coûte à qui la subit.",
    en="A and B are two halves of an invented city, twins cell for cell; they stand for no population. The experiment "
    "says whether a gap in recording passes into the map and grows there, under these rules. It does not say which gap "
    "real files carry, nor where it comes from, nor what one more patrol costs those who undergo it.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E03.

    Returns
    -------
    Outcome
        Results by ``source``, ``ratio``, ``rule`` and ``stage``; table ``e03_cities``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    tasks = list(product(params.sources, params.ratios, params.rules, range(params.seeds)))
    work = Parallel(n_jobs=jobs, return_as="generator", batch_size=4)(
        delayed(_city)(params, source, ratio, rule, rep=rep, seed=seed) for source, ratio, rule, rep in tasks
    )
    rows: list[dict[str, Any]] = []
    for done, found in enumerate(work, start=1):
        rows += found
        progress("E03: cities", done, len(tasks))
    table = pd.DataFrame(rows)
    return Outcome(_results(table), {"e03_cities": table})


def twin_city(params: Params, *, source: str, ratio: float, rep: int, seed: int) -> tuple[Potential, FloatArray]:
    """A city whose eastern half B mirrors its western half A, and the shares of the hours before the first map.

    Returns
    -------
    potential : Potential
    before : ndarray, shape (n_cells,)
    """
    rng = stream(seed, ID, "city", rep)
    half = draw_levels((_SHAPE[0], _SHAPE[1] // 2), rng=rng).reshape(_SHAPE[0], -1)
    levels = np.hstack([half, half[:, ::-1]]).ravel()
    east = in_b()
    told = {
        "reported": params.p_reported * np.where(east, ratio, 1.0),
        "discovered": np.zeros(len(levels)),
        "mixed": np.full(len(levels), params.p_reported),
    }[source]
    potential = draw_potential(
        levels=levels, grid=square_grid(_SHAPE), n_days=params.history_days + params.loop_days, per_day=params.per_day,
        p_reported=told, rng=rng,
    )  # fmt: skip
    return potential, np.where(east & (source != "reported"), ratio, 1.0)


def in_b() -> Any:
    """Which cells are of area B, shape (n_cells,)."""
    return np.tile(np.arange(_SHAPE[1]) >= _SHAPE[1] // 2, _SHAPE[0])


def _city(
    params: Params, source: str, ratio: float, rule: str, *, rep: int, seed: int
) -> list[dict[str, Any]]:  # fmt: skip
    potential, before = twin_city(params, source=source, ratio=ratio, rep=rep, seed=seed)
    plain = Evidence.REPORTED if source == "reported" else Evidence.ALL

    def loop(evidence: Evidence) -> LoopHistory:
        return run_loop(
            potential, predictor=load_predictor(params.predictor),
            allocation=Allocation(Sharing(rule), share=params.flagged, explore=params.explore),
            effects=Effects(params.finding_per_hour), hours_per_day=params.hours_per_day,
            first_day=params.history_days, before=before, evidence=evidence, rng=stream(seed, ID, "loop", rep),
        )  # fmt: skip

    history = loop(plain)
    b = in_b()
    shown = history.reported if source == "reported" else history.recorded
    told = shown[: params.history_days].sum(axis=0)
    entry = float(told[b].sum()) / float(told[~b].sum())
    # Reports carry the ratio of their chances; finds are weighted by the chance that such hours find something.
    known = ratio if source == "reported" else None
    weighted = history if known else loop(Evidence.WEIGHTED)
    incidents = _over(history.happened.sum(axis=0), b)
    order = stream(seed, ID, "ties", rep).permutation(len(b))  # among equal cells neither area comes first
    first, read = params.history_days, params.read_days
    out = []
    for stage, maps, days in (
        ("step", slice(first, first + 1), slice(first, first + read)),
        ("loop", slice(-read, None), slice(-read, None)),
    ):
        risk = _over(history.expected[maps].sum(axis=0), b)
        exposure = _over(history.hours[maps].sum(axis=0), b) / incidents
        out.append(
            {
                "source": source, "ratio": ratio, "rule": rule, "stage": stage, "rep": rep, "input_ratio": entry,
                "risk_ratio": risk,
                "risk_ratio_corrected": risk / known if known else _over(weighted.expected[maps].sum(axis=0), b),
                "false_alert_ratio": _false_alerts(
                    history.expected[maps][:, order], history.happened[days][:, order], b[order], share=params.flagged
                ),
                "exposure_ratio": exposure, "amplification_risk": risk / entry,
                "amplification_exposure": exposure / entry,
            }
        )  # fmt: skip
    return out


def _over(values: Any, b: Any) -> float:
    return float(values[b].sum()) / float(values[~b].sum())


def _false_alerts(expected: Any, happened: Any, b: Any, *, share: float) -> float:
    """Flagged cells among those where nothing happens, B over A; half a cell is added to each count, so none is 0."""
    k = max(1, round(share * expected.shape[1]))
    flagged = np.zeros(expected.shape, dtype=np.bool_)
    top = np.argsort(-expected, axis=1, kind="stable")[:, :k]
    np.put_along_axis(flagged, top, True, axis=1)
    quiet = happened == 0
    false = flagged & quiet
    rate = [(false[:, area].sum() + 0.5) / (quiet[:, area].sum() + 1) for area in (b, ~b)]
    return float(rate[0] / rate[1])


def _results(table: pd.DataFrame) -> list[Result]:
    out = []
    keys = ["source", "ratio", "rule", "stage"]
    for here in table[keys].drop_duplicates().to_dict("records"):
        rows = table[(table[keys] == pd.Series(here)).all(axis=1)]
        world: dict[str, Scalar] = {str(k): v for k, v in here.items()}
        for measure in MEASURES:
            out.append(Result(ID, measure.key, world, _geometric(rows[measure.key].to_numpy(np.float64)), "e03_cities"))
    return out


def _geometric(values: FloatArray) -> Interval:
    """Geometric mean of ratios over cities: Student's interval of the mean log, taken back."""
    logs = mean_interval(np.log(values))
    if logs.estimate is None or logs.low is None or logs.high is None:
        return Interval.not_estimable(n=len(values), method=logs.method)
    low, middle, high = (float(np.exp(v)) for v in (logs.low, logs.estimate, logs.high))
    return Interval(middle, low, high, len(values), logs.method)


def _check(params: Params) -> None:
    for name, ok, must in (
        ("sources", bool(params.sources) and set(params.sources) <= set(SOURCES), f"some of {', '.join(SOURCES)}"),
        ("ratios", bool(params.ratios) and min(params.ratios) > 0, "numbers above 0"),
        ("rules", bool(params.rules) and set(params.rules) <= {"proportional", "top"}, "proportional or top"),
        ("seeds", params.seeds >= 2, "at least 2"),
        ("read_days", 1 <= params.read_days <= params.loop_days, "at least 1 and at most loop_days"),
        ("history_days", params.history_days >= 7, "at least 7"),
        ("per_day", params.per_day > 0, "above 0"),
        ("hours_per_day", params.hours_per_day > 0, "above 0"),
        ("finding_per_hour", params.finding_per_hour > 0, "above 0"),
        ("explore", 0 < params.explore <= 1, "in (0, 1]: an area left without an hour gives no ratio"),
        ("flagged", 0 < params.flagged <= 1, "in (0, 1]"),
        (
            "p_reported",
            params.p_reported > 0 and params.p_reported * max(params.ratios, default=1.0) <= 1,
            "above 0, and at most 1 once multiplied by the largest ratio",
        ),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
