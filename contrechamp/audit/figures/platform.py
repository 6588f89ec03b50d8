"""The platform's backtest: the same map, scored on what happens and on what is recorded."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import BLUE, RUST, canvas, drawing, label, number_axis
from contrechamp.audit.reporting.facts import PLATFORM, Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count, percent
from contrechamp.domain.text import Lang, Text


def draw_pai(facts: Facts, lang: Lang) -> Drawing | None:
    """PAI by predictor, area and what it is scored on, with intervals."""
    rows = [r for r in facts.rows(PLATFORM, "pai") if r["value"] is not None]
    if not rows:
        return None
    areas = sorted({r["world"]["area"] for r in rows})
    predictors = list(dict.fromkeys(r["world"]["predictor"] for r in rows))
    figure, axes = canvas(height=0.75 + 0.36 * len(predictors), ncols=len(areas), sharey=True, squeeze=False)
    kinds = (("truth", BLUE, "o", 0.12), ("records", RUST, "s", -0.12))
    for ax, area in zip(axes[0], areas, strict=True):
        for kind, color, marker, shift in kinds:
            for index, predictor in enumerate(predictors):
                row = facts.one(PLATFORM, "pai", area=area, predictor=predictor, scored_on=kind)
                if row is None or row["value"] is None:
                    continue
                y = len(predictors) - 1 - index + shift
                ax.plot([row["low"], row["high"]], [y, y], color=color, lw=1.2)
                ax.plot(row["value"], y, marker, color=color, mfc="white" if kind == "records" else color)
            if area == areas[0]:
                name = value_name("scored_on", kind, lang)
                ax.plot([], [], marker, color=color, mfc="white" if kind == "records" else color, label=name)
        label(ax, Text(fr=f"Surface signalée : {percent(area, 'fr')}", en=f"Flagged area: {percent(area, 'en')}"),
              lang, which="title")  # fmt: skip
        ax.axvline(1, color="#9a9a9a", lw=0.8, ls=(0, (2, 2)), zorder=0)
        ax.set_xlim(left=0)
        number_axis(ax.xaxis, lang)
        label(ax, Text(fr="PAI (1 : hasard)", en="PAI (1: chance)"), lang, which="x")
        ax.tick_params(axis="y", length=0)
    axes[0][0].set_yticks(range(len(predictors)), [value_name("predictor", p, lang) for p in reversed(predictors)])
    figure.legend(loc="outside upper right", ncols=2)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points et intervalles : indice PAI de chaque carte, jugée sur les incidents latents puis sur les "
            "enregistrements. Les valeurs sont dans le tableau du même chapitre.",
            en="Dots and intervals: the PAI of each map, scored on latent incidents then on records. The values are in "
            "the table of the same chapter.",
        ),
        caption=Text(
            fr=f"PAI de chaque carte : part des événements captée, divisée par la part de surface. Barres : "
            f"intervalle à "
            f"95 % par blocs de jours, n = {n} jours.",
            en=f"PAI of each map: share of events captured over share of area. Bars: 95 % interval by blocks of days, "
            f"n = {n} days.",
        ),
        limits=Text(
            fr="Limites : une ville, un tirage, une grille. Une ville réelle ne peut calculer que le score « sur les "
            "enregistrements ».",
            en="Limits: one city, one draw, one grid. A real city can only compute the score “on records”.",
        ),
    )
