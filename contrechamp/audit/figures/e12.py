"""E12: what share of alerts is right, and a thousand alerts counted out."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.ticker import FixedLocator, NullLocator

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import (
    BLUE,
    canvas,
    curve,
    drawing,
    label,
    number_axis,
    percent_axis,
    threshold_line,
)
from contrechamp.audit.reporting.facts import Facts, Row
from contrechamp.audit.reporting.wording import count, natural, percent, plain_number, typeset
from contrechamp.audit.reporting.worlds import alert_world
from contrechamp.domain.text import Lang, Text


def draw_ppv(facts: Facts, lang: Lang) -> Drawing | None:
    """PPV against m for each false-alert rate, logarithmic, and two unit charts of a thousand alerts."""
    base = alert_world(facts)
    if base is None:
        return None
    rates = sorted({r["world"]["fa_per_camera_day"] for r in facts.rows("E12", "ppv", **base)}, reverse=True)
    figure, (left, *units) = canvas(height=2.75, ncols=3, width_ratios=(2.3, 1, 1))
    for look, fa in enumerate(rates):
        rows = sorted(facts.rows("E12", "ppv", **base, fa_per_camera_day=fa), key=lambda r: r["world"]["m"])
        curve(left, [r["world"]["m"] for r in rows], rows, look=look, name=plain_number(fa, lang))
    left.set_xscale("log")
    left.set_yscale("log")
    ms = sorted({r["world"]["m"] for r in facts.rows("E12", "ppv", **base)})
    left.xaxis.set_major_locator(FixedLocator(ms))
    left.xaxis.set_minor_locator(NullLocator())
    left.yaxis.set_major_locator(FixedLocator([0.001, 0.01, 0.1, 0.5, 1.0]))
    left.yaxis.set_minor_locator(NullLocator())
    number_axis(left.xaxis, lang)
    percent_axis(left.yaxis, lang)
    left.set_ylim(top=1.25)
    threshold_line(left, 0.5, typeset(Text(fr="une sur deux", en="one in two").in_(lang), lang),
                   at_left=True)  # fmt: skip
    label(left, Text(fr="faits réels pour un fait vu en 2015 (m)", en="true events per event seen in 2015 (m)"),
          lang, which="x")  # fmt: skip
    label(left, Text(fr="alertes justes", en="alerts that are right"), lang, which="y")
    title = Text(fr="fausses alertes par caméra et par jour", en="false alerts per camera and day")
    legend = left.legend(loc="lower right", ncols=3, title=typeset(title.in_(lang), lang))
    legend.get_title().set_fontsize(7.5)
    worst = max(rates)
    shown = [facts.one("E12", "ppv", **base, fa_per_camera_day=worst, m=m) for m in (min(ms), max(ms))]
    for ax, row in zip(units, shown, strict=True):
        if row is not None and row["value"] is not None:
            _thousand(ax, row, lang)
    cameras, sensitivity = count(base["cameras"], lang), percent(base["sensitivity"], lang)
    told = [natural(r, lang) for r in shown if r is not None]
    anchor = count(facts.rows("E12", "ppv", **base)[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes logarithmiques : part des alertes justes selon la fréquence des faits, pour plusieurs taux de "
            f"fausses alertes. À droite, mille alertes dessinées une à une : {' puis '.join(told)} sont justes.",
            en="Logarithmic curves: share of alerts that are right against the frequency of events, for several "
            f"false-alert rates. At right, a thousand alerts drawn one by one: {' then '.join(told)} are right.",
        ),
        caption=Text(
            fr=f"Part des alertes justes, {cameras} caméras, sensibilité {sensitivity}. À droite, chaque carré est une "
            "alerte, foncé si elle est juste, à "
            f"{plain_number(worst, lang)} fausse alerte par caméra et par jour. Barres : intervalle de Poisson à 95 "
            f"% sur "
            f"les {anchor} faits vus en 2015.",
            en=f"Share of alerts that are right, {cameras} cameras, sensitivity {sensitivity}. At right, each "
            f"square is "
            f"one alert, dark when right, at {plain_number(worst, lang)} false alert per camera and day. Bars: 95 % "
            f"Poisson interval on the {anchor} events seen in 2015.",
        ),
        limits=Text(
            fr="Limites : le taux de fausses alertes et la sensibilité sont posés, non mesurés sur un produit.",
            en="Limits: the false-alert rate and the sensitivity are stated, not measured on a product.",
        ),
    )


def _thousand(ax: Any, row: Row, lang: Lang) -> None:
    """A thousand squares, 25 by 40, the right ones first."""
    right = round(1000 * row["value"])
    flat = np.arange(1000) < right
    cells = flat.reshape(40, 25)
    picture = np.full((40 * 5, 25 * 5), 2, dtype=np.int8)
    for i in range(4):
        for j in range(4):
            picture[i::5, j::5] = cells
    ax.imshow(picture, cmap=ListedColormap(["#dcdcd6", BLUE, "white"]), vmin=0, vmax=2, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)
    m = plain_number(row["world"]["m"], lang)
    ax.set_title(f"m = {m}", fontsize=7.5)
    ax.set_xlabel(natural(row, lang), fontsize=8, fontweight="bold")
