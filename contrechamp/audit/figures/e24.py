"""E24: how far published figures are from the figures they are set against."""

from __future__ import annotations

from matplotlib.ticker import FixedLocator, NullLocator

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import BLUE, canvas, drawing, label, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import world_name
from contrechamp.domain.text import Lang, Text


def draw_gaps(facts: Facts, lang: Lang) -> Drawing | None:
    """Relative gap of each pair of figures, with the range that rounding alone allows."""
    rows = [r for r in facts.rows("E24", "relative_gap") if r["value"] is not None]
    if not rows:
        return None
    rows.sort(key=lambda r: float(r["value"]))
    figure, ax = canvas(height=0.7 + 0.19 * len(rows))
    for y, row in enumerate(rows):
        ax.plot([row["low"], row["high"]], [y, y], color=BLUE, lw=1.2)
        ax.plot(row["value"], y, "o", color=BLUE)
    names = []
    for row in rows:
        extra = world_name(row["world"], lang, but={"claim"})
        names.append(str(row["world"].get("claim", "")) + (f" ({extra})" if extra else ""))
    ax.set_yticks(range(len(rows)), names)
    ax.tick_params(axis="y", length=0)
    ax.set_xscale("symlog", linthresh=0.05, linscale=0.5)
    ax.set_xlim(left=-0.004)
    ax.xaxis.set_major_locator(FixedLocator([0, 0.05, 0.1, 0.25, 0.5, 1, 2, 4]))
    ax.xaxis.set_minor_locator(NullLocator())
    percent_axis(ax.xaxis, lang)
    for at in (0.1, 0.25):
        threshold_line(ax, at, "", vertical=True)
    label(ax, Text(fr="écart relatif entre les deux chiffres", en="relative gap between the two figures"), lang,
          which="x")  # fmt: skip
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points et bornes : écart relatif de chaque couple de chiffres publiés, avec les seuils de 10 % et 25 "
            "%.",
            en="Dots and bounds: relative gap of each pair of published figures, with thresholds at 10 % and 25 %.",
        ),
        caption=Text(
            fr="Écart entre le chiffre qu’une affirmation implique et celui auquel on le compare, par affirmation. "
            "Barres : ce que permettent les arrondis imprimés. Pointillés : 10 % et 25 %.",
            en="Gap between the figure a claim implies and the one it is set against, by claim. Bars: what printed "
            "rounding allows. Dotted: 10 % and 25 %.",
        ),
        limits=Text(
            fr="Limites : des chiffres d’années ou de périmètres différents peuvent être justes ensemble.",
            en="Limits: figures of different years or perimeters can both be right.",
        ),
    )
