"""Figures of ``contrechamp feedback``: a loop's success on its file and on the facts, and the map of a sweep.

What it cannot tell you: a figure of one loop shows one city.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from contrechamp.domain.text import Lang, Text
from contrechamp.pipelines.loops import Lived, grid_of, loop_days, measure
from contrechamp.pipelines.papers.drawing import BLUE, RUST, SOFT, WIDTH_IN, canvas

#: Days of a point of the curves.
BLOCK_DAYS: Final = 28
RULES: Final = {
    "proportional": Text(fr="proportionnelle", en="proportional"),
    "top": Text(fr="premières mailles", en="top cells"),
    "threshold": Text(fr="au-dessus d’un seuil", en="above a threshold"),
    "equal": Text(fr="égale partout", en="equal everywhere"),
    "random": Text(fr="au hasard", en="at random"),
    "top-decile": Text(fr="premier dixième", en="top tenth"),
}
_MARKS: Final = {"flatters": "●", "holds": "○", "open": "◐"}
_FILLS: Final = {"flatters": "#f2bc9a", "holds": "#a9cfe6", "open": "#e7e6df"}


def draw_run(lived: Lived, lang: Lang) -> Figure:
    """True levels and patrol-hours as maps; apparent and real success by four weeks."""
    figure, axes = canvas(height=2.7, ncols=3, width_ratios=(1, 1, 1.7))
    grid, days = grid_of(lived.plan), loop_days(lived)
    hours = lived.history.hours[days].sum(axis=0)
    for axis, values, title in (
        (axes[0], lived.levels, Text(fr="Niveau vrai", en="True level")),
        (axes[1], hours / hours.mean(), Text(fr="Heures de patrouille", en="Patrol-hours")),
    ):
        shown = axis.imshow(grid.raster(values), cmap="Greys", origin="lower", vmin=0)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(title.in_(lang), loc="left")
        bar = figure.colorbar(shown, ax=axis, orientation="horizontal", shrink=0.8, pad=0.03)
        bar.set_label(Text(fr="fois la moyenne", en="times the mean").in_(lang), fontsize=7)
        bar.ax.tick_params(labelsize=6)
    starts = range(days.start, days.stop, BLOCK_DAYS)
    for key, color, marker, name in (
        ("hit_records", RUST, "s", Text(fr="des enregistrements (apparent)", en="of records (apparent)")),
        ("hit_incidents", BLUE, "o", Text(fr="des incidents (réel)", en="of incidents (real)")),
    ):
        found = [measure(lived, slice(s, min(s + BLOCK_DAYS, days.stop)))[key] for s in starts]
        x = [s - days.start + BLOCK_DAYS / 2 for s in starts]
        nan = float("nan")
        axes[2].plot(x, [nan if i.estimate is None else i.estimate for i in found], color=color, marker=marker,
                     label=name.in_(lang))  # fmt: skip
        axes[2].vlines(x, [nan if i.low is None else i.low for i in found],
                       [nan if i.high is None else i.high for i in found], color=color, lw=1)  # fmt: skip
    axes[2].set_ylim(0, None)
    percent_marks(axes[2].yaxis, lang)
    share = percent(lived.plan.share, lang)
    axes[2].set_title(Text(fr=f"Part tombée dans {share} des mailles", en=f"Share in {share} of the cells").in_(lang),
                      loc="left")  # fmt: skip
    axes[2].set_xlabel(Text(fr="jour de la boucle", en="day of the loop").in_(lang))
    axes[2].legend(loc="best")
    figure.supxlabel(
        Text(
            fr="Intervalles à 95 % par groupes de jours (quatre semaines). Limites : une ville inventée, une graine.",
            en="95% intervals by clusters of days (four weeks). Limits: one invented city, one seed.",
        ).in_(lang),
        fontsize=6.5, color=SOFT,
    )  # fmt: skip
    return figure


def draw_sweep(table: pd.DataFrame, lang: Lang) -> Figure:
    """Map of verdicts: rules × share reported, one panel per predictor, with what the file adds to the success."""
    predictors = list(dict.fromkeys(table["predictor"]))
    rules, rhos = list(dict.fromkeys(table["rule"])), sorted(table["rho"].unique())
    figure = Figure(figsize=(WIDTH_IN, 1.25 + 0.42 * len(rules)))
    axes = figure.subplots(1, len(predictors), sharey=True, squeeze=False)[0]
    for axis, predictor in zip(axes, predictors, strict=True):
        for row in table[table["predictor"] == predictor].to_dict("records"):
            _square(axis, rhos.index(row["rho"]), rules.index(row["rule"]), row, lang)
        axis.set_xlim(-0.5, len(rhos) - 0.5)
        axis.set_ylim(len(rules) - 0.5, -0.5)
        axis.set_xticks(range(len(rhos)), [percent(r, lang) for r in rhos], fontsize=6.5)
        axis.set_yticks(range(len(rules)), [RULES[r].in_(lang) for r in rules], fontsize=7)
        axis.tick_params(length=0)
        axis.set_title(predictor, loc="left")
        axis.set_xlabel(Text(fr="part signalée ρ", en="share reported ρ").in_(lang))
    n = int(table["n"].min())
    figure.supxlabel(
        Text(
            fr="Points de succès que le fichier prête à la carte au-delà des incidents.\n● au moins 5 points (borne "
            f"basse à 95\u00a0%), ○ moins de 2 (borne haute), ◐ indécis\u202f; n = {n} villes par case.\nLimites : "
            "villes inventées\u202f; la carte dit où cela bascule sous ces lois, non dans quelle case est une ville.",
            en="Points of success that the file lends to the map beyond incidents.\n● at least 5 points (lower 95% "
            f"bound), ○ under 2 (upper bound), ◐ undecided; n = {n} cities per square.\nLimits: invented cities; the "
            "map says where it flips under these laws, not which square a city is in.",
        ).in_(lang),
        fontsize=6.5, color=SOFT,
    )  # fmt: skip
    return figure


def _square(axis: Any, x: int, y: int, row: dict[str, Any], lang: Lang) -> None:
    from matplotlib.patches import Rectangle

    axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc=_FILLS[row["verdict"]], ec="white", lw=1.5))
    value = row["apparent_gain"]
    said = "–" if not np.isfinite(value) else f"{100 * value:.1f}"
    said = said.replace(".", ",") if lang == "fr" else said
    axis.text(x, y, f"{_MARKS[row['verdict']]}\n{said}", ha="center", va="center", fontsize=6.5)


def percent(value: float, lang: Lang) -> str:
    """Print a share in the language."""
    text = f"{100 * value:.3g}"
    return text.replace(".", ",") + "\u00a0%" if lang == "fr" else f"{text}%"


def percent_marks(axis: Any, lang: Lang) -> None:
    """Print an axis in percent."""
    axis.set_major_formatter(FuncFormatter(lambda x, _: percent(float(x), lang)))
