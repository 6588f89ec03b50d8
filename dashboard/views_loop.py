"""The patrol loop as one can play with it: two zones, one rule, beside the same rule with no loop.

The engine is the audit's (:mod:`fairness.feedback`); nothing is simulated here in another way.

What it cannot tell you: which of these worlds a city lives in. See the limits of experiment E02.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from contrechamp.audit.reporting import labels, wording
from contrechamp.audit.reporting.wording import NBSP, typeset
from contrechamp.domain.intervals import Interval
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Lang, Text
from contrechamp.experiments.e02_feedback_loop import BLOCK
from dashboard.views import INK, RULE_INK, dress
from fairness.feedback import AllocationRule, Arrivals, FeedbackRuns, History, draw_history, sweep_feedback
from fairness.intervals import paired_difference_interval, rate_interval
from fairness.urns import TIE

#: Gap between recorded and true share that counts as drift.
DRIFT: Final = 0.2
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
N_CHECKPOINTS: Final = 60
N_PATHS: Final = 6
BLUE: Final = "#0072B2"

OFF_RECORD: Final = Text(
    fr="Villes dont la part enregistrée s’écarte de la vérité de plus de 20 points",
    en="Cities whose recorded share is more than 20 points off the truth",
)
OFF_PATROL: Final = Text(
    fr="Villes dont le temps de patrouille s’en écarte de plus de 20 points",
    en="Cities whose patrol time is more than 20 points off it",
)
HERE: Final = Text(fr="Votre monde : {rho} signalés", en="Your world: {rho} reported")
CONTROL: Final = Text(fr="Témoin : tout est signalé", en="Control: everything reported")
CITIES: Final = Text(fr="villes simulées", en="simulated cities")
ADDED: Final = Text(fr="Ce que la boucle ajoute", en="What the loop adds")


@dataclass(frozen=True, slots=True)
class Setting:
    """A world of two zones, and how long and how often it is played.

    Attributes
    ----------
    rule : str
        Value of :class:`fairness.feedback.AllocationRule`.
    rho : float
        Share of incidents that residents report.
    rates, start : tuple of two floats
        True incidents a day; records on the first morning.
    arrivals : str
        Value of :class:`fairness.feedback.Arrivals`.
    """

    rule: str
    rho: float
    rates: tuple[float, float]
    start: tuple[float, float]
    arrivals: str
    n_days: int
    n_reps: int
    seed: int


@dataclass(frozen=True, slots=True)
class Played:
    """The same cities, incidents and luck under the chosen share reported and when everything is."""

    here: FeedbackRuns
    control: FeedbackRuns


def play(setting: Setting) -> Played:
    """Play a setting and its control on common random numbers. Same setting, same numbers.

    The cities are those of experiment E02: under the seed, rates, law, days and number of cities of a run, the numbers
    are the report's.
    """
    history = cities(setting)
    days = sorted({round(setting.n_days * k / N_CHECKPOINTS) for k in range(N_CHECKPOINTS + 1)})
    here, control = sweep_feedback(
        history, rule=AllocationRule(setting.rule), rhos=(setting.rho, 1.0), start=setting.start,
        drift_threshold=DRIFT, checkpoints=days,
    )  # fmt: skip
    return Played(here, control)


def cities(setting: Setting) -> History:
    """Draw the cities as E02 does: by blocks, each from a stream named by the world and the block."""
    a, b = setting.rates
    label = "equal" if a == b else f"{a:g}/{b:g}"
    sizes = [min(BLOCK, setting.n_reps - first) for first in range(0, setting.n_reps, BLOCK)]
    drawn = [
        draw_history(
            rates=setting.rates, n_days=setting.n_days, n_reps=size, arrivals=Arrivals(setting.arrivals),
            rng=stream(setting.seed, "E02", label, len(setting.rates), setting.arrivals, "block", block),
        )
        for block, size in enumerate(sizes)
    ]  # fmt: skip
    return joined(drawn)


def joined(drawn: Sequence[History]) -> History:
    """Several draws side by side, as one: each incident keeps its own mark."""
    if len(drawn) == 1:
        return drawn[0]
    counts = np.concatenate([h.incidents for h in drawn], axis=2)
    places: list[npt.NDArray[np.int64]] = []
    for number, h in enumerate(drawn):  # where each incident of this draw stands: (day, zone, city of the whole)
        day, zone, city = np.nonzero(h.incidents)
        first = sum(x.incidents.shape[2] for x in drawn[:number])
        cell = np.ravel_multi_index((day, zone, city + first), counts.shape)
        places.append(np.repeat(cell, h.incidents[day, zone, city]))
    order = np.argsort(np.concatenate(places), kind="stable")
    return History(
        rates=drawn[0].rates, incidents=counts, marks=np.concatenate([h.marks for h in drawn])[order],
        dispatch=np.concatenate([h.dispatch for h in drawn], axis=1),
        ties=np.concatenate([h.ties for h in drawn], axis=2),
    )  # fmt: skip


def off(runs: FeedbackRuns, *, patrol: bool = False) -> Interval:
    """Share of cities more than 20 points off, with its Wilson interval."""
    error = runs.patrol_error if patrol else runs.recorded_error
    return rate_interval(events=int((error > DRIFT + TIE).sum()), trials=int(error.size), method="wilson")


def added(played: Played, *, patrol: bool = False) -> Interval:
    """Share of cities off beyond the control, city by city (the same cities are played twice)."""
    a, b = (
        (r.patrol_error if patrol else r.recorded_error) > DRIFT + TIE for r in (played.here, played.control)
    )  # fmt: skip
    if np.array_equal(a, b):
        return Interval.exact(0.0, n=int(a.size), method="identical-runs")
    return paired_difference_interval(
        both=int((a & b).sum()), first_only=int((a & ~b).sum()), second_only=int((~a & b).sum()),
        neither=int((~a & ~b).sum()),
    )  # fmt: skip


def drift_table(played: Played, *, rho: float, lang: Lang) -> pd.DataFrame:
    """How many cities drift: in the chosen world, in the control, and the difference, each with interval and n."""
    rows = {}
    for label, patrol in ((OFF_RECORD, False), (OFF_PATROL, True)):
        rows[label.in_(lang)] = {
            here_name(rho, lang): _cell(off(played.here, patrol=patrol), "share", lang),
            typeset(CONTROL.in_(lang), lang): _cell(off(played.control, patrol=patrol), "share", lang),
            typeset(ADDED.in_(lang), lang): _cell(added(played, patrol=patrol), "points", lang),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def sentence(played: Played, setting: Setting, words: Mapping[str, Text], lang: Lang) -> str:
    """What was found, in one sentence that says under which worlds; ``words`` holds its templates."""

    def cities(i: Interval) -> str:
        r = _result(i, "share")
        return words["cities"].in_(lang).format(share=wording.value(r, lang), bounds=wording.bounds(r, lang))

    said = (
        words["under"]
        .in_(lang)
        .format(
            rule=rule_names(lang)[setting.rule],
            rate1=wording.plain_number(setting.rates[0], lang),
            rate2=wording.plain_number(setting.rates[1], lang),
            days=wording.count(setting.n_days, lang),
            reps=wording.count(setting.n_reps, lang),
            here=cities(off(played.here)),
            control=cities(off(played.control)),
        )
    )
    return typeset(said, lang)


def here_name(rho: float, lang: Lang) -> str:
    """Name of the chosen world."""
    return typeset(HERE.in_(lang).format(rho=wording.percent(rho, lang, digits=0)), lang)


def _cell(i: Interval, unit: str, lang: Lang) -> str:
    result = _result(i, unit)
    if wording.is_exact(result) and unit == "points":
        same = Text(fr="mêmes villes, aucune différence", en="same cities, no difference").in_(lang)
        return f"{wording.value(result, lang)} ({same}; {wording.n_words(result, lang)})"
    return f"{wording.value(result, lang)} ({wording.bounds(result, lang)})"


def _result(i: Interval, unit: str) -> dict[str, Any]:
    return {"value": i.estimate, "low": i.low, "high": i.high, "n": i.n, "unit": unit, "method": i.method,
            "level": i.level, "of": CITIES}  # fmt: skip


def drift_figure(played: Played, *, rho: float, lang: Lang) -> go.Figure:
    """Recorded share of zone 1 day by day (fan of quantiles, a few cities), and its distribution on the last day.

    Left, the chosen world; right, the control. The dashed line is the truth, the dotted ones 20 points from it.
    """
    last = typeset({"fr": "dernier jour", "en": "last day"}[lang], lang)
    figure = make_subplots(
        rows=1, cols=4, shared_yaxes=True, column_widths=[0.36, 0.12, 0.36, 0.12], horizontal_spacing=0.02,
        subplot_titles=[here_name(rho, lang), last, typeset(CONTROL.in_(lang), lang), last],
    )  # fmt: skip
    truth = 100 * float(played.here.true_share[0])
    for column, runs in ((1, played.here), (3, played.control)):
        _fan(figure, runs, column=column, lang=lang, named=column == 1)
        share = 100 * runs.recorded_share[:, 0]
        figure.add_histogram(
            y=share, ybins={"start": 0, "end": 102, "size": 4}, histnorm="percent", marker={"color": BLUE}, row=1,
            col=column + 1, showlegend=False, hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )  # fmt: skip
        for where in (column, column + 1):
            for gap, dash, width in ((0.0, "dash", 2.0), (-20.0, "dot", 1.0), (20.0, "dot", 1.0)):
                if 0 <= truth + gap <= 100:
                    figure.add_hline(
                        truth + gap, line={"color": RULE_INK, "dash": dash, "width": width}, row=1, col=where
                    )
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="lines",
        line={"color": RULE_INK, "dash": "dash", "width": 2},
        row=1,
        col=1,
        name={"fr": "part vraie (pointillé : ± 20 points)", "en": "true share (dotted: ± 20 points)"}[lang],
    )
    dress(figure, lang=lang, height=350)
    percent = f"{NBSP}%" if lang == "fr" else "%"
    figure.update_yaxes(range=[-2, 102], ticksuffix=percent, dtick=20)
    zone = {"fr": "part de la zone 1 dans le fichier", "en": "share of zone 1 in the file"}[lang]
    figure.update_yaxes(title={"text": zone}, row=1, col=1)
    figure.update_xaxes(title={"text": {"fr": "jour", "en": "day"}[lang]}, rangemode="tozero")
    for column in (2, 4):
        figure.update_xaxes(
            title={"text": {"fr": "villes", "en": "cities"}[lang]},
            showticklabels=False,
            showgrid=False,
            row=1,
            col=column,
        )
    figure.update_layout(bargap=0.08, legend={"y": -0.24}, margin={"t": 40, "b": 8})
    figure.update_annotations(font={"size": 13, "color": INK})
    return figure


def _fan(figure: go.Figure, runs: FeedbackRuns, *, column: int, lang: Lang, named: bool) -> None:
    days = runs.checkpoints.tolist()
    path = 100 * runs.path[:, :, 0]  # (days, cities)
    low, q1, median, q3, high = np.quantile(path, QUANTILES, axis=1)
    names = {
        "fr": ("90 % des villes", "la moitié des villes", "ville médiane", "quelques villes"),
        "en": ("90% of cities", "half of the cities", "median city", "a few cities"),
    }[lang]
    for (a, b), colour, name in (
        ((low, high), "rgba(0,114,178,0.16)", names[0]), ((q1, q3), "rgba(0,114,178,0.30)", names[1]),
    ):  # fmt: skip
        figure.add_scatter(
            x=days + days[::-1], y=[*a, *b[::-1]], fill="toself", fillcolor=colour, line={"width": 0}, mode="lines",
            name=typeset(name, lang), legendgroup=name, showlegend=named, hoverinfo="skip", row=1, col=column,
        )  # fmt: skip
    for number in range(min(N_PATHS, path.shape[1])):
        figure.add_scatter(
            x=days, y=path[:, number], mode="lines", line={"color": "rgba(60,70,78,0.55)", "width": 1}, name=names[3],
            legendgroup=names[3], showlegend=named and number == 0, hoverinfo="skip", row=1, col=column,
        )  # fmt: skip
    figure.add_scatter(
        x=days, y=median, mode="lines", line={"color": BLUE, "width": 2.5}, name=names[2], legendgroup=names[2],
        showlegend=named, row=1, col=column,
        hovertemplate=("jour" if lang == "fr" else "day") + " %{x}: %{y:.1f} %<extra>" + names[2] + "</extra>",
    )  # fmt: skip


def rule_names(lang: Lang) -> dict[str, str]:
    """Allocation rules, in words."""
    return {rule.value: labels.value_name("rule", rule.value, lang) for rule in AllocationRule}


def arrival_names(lang: Lang) -> dict[str, str]:
    """Laws of daily incidents, in words."""
    return {law.value: labels.value_name("arrivals", law.value, lang) for law in Arrivals}
