"""The platform's backtest: the same map, scored on what happens and on what is recorded."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import BLUE, RUST, canvas, drawing, label, number_axis, percent_axis
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


#: A loss beyond this is written at the edge rather than drawn: the others would be too close to tell apart.
_MOST_LOSS = -0.1


def draw_gain(facts: Facts, lang: Lang) -> Drawing | None:
    """Gain of each map over the 52-week mean, on records beside on truth, with intervals."""
    rows = [r for r in facts.rows(PLATFORM, "gain_pai") if r["value"] is not None and r["low"] is not None]
    rows = [r for r in rows if r["world"]["predictor"] != "uniform"]
    if not rows:
        return None
    areas = sorted({r["world"]["area"] for r in rows})
    predictors = list(dict.fromkeys(r["world"]["predictor"] for r in rows))
    figure, axes = canvas(height=0.8 + 0.3 * len(predictors), ncols=len(areas), sharey=True, sharex=True, squeeze=False)
    drawn = [r for r in rows if r["value"] >= _MOST_LOSS]
    left = min([r["low"] for r in drawn] + [-0.02])
    right = max([r["high"] for r in drawn] + [0.02])
    left, right = left - 0.06 * (right - left), right + 0.06 * (right - left)
    kinds = (("records", RUST, "s", 0.14), ("truth", BLUE, "o", -0.14))
    for ax, area in zip(axes[0], areas, strict=True):
        for kind, color, marker, shift in kinds:
            face = "white" if kind == "records" else color
            for index, predictor in enumerate(predictors):
                row = facts.one(PLATFORM, "gain_pai", area=area, predictor=predictor, scored_on=kind)
                if row is None or row["value"] is None:
                    continue
                y = len(predictors) - 1 - index + shift
                if row["value"] < _MOST_LOSS:
                    ax.annotate(f"◂ {percent(row['value'], lang)}", (left, y), xytext=(2, 0), fontsize=6, color=color,
                                textcoords="offset points", va="center")  # fmt: skip
                    continue
                ax.plot([row["low"], row["high"]], [y, y], color=color, lw=1.2)
                ax.plot(row["value"], y, marker, color=color, mfc=face, ms=3.6)
            if area == areas[0]:
                ax.plot([], [], marker, color=color, mfc=face, label=value_name("scored_on", kind, lang))
        label(ax, Text(fr=f"Surface signalée : {percent(area, 'fr')}", en=f"Flagged area: {percent(area, 'en')}"),
              lang, which="title")  # fmt: skip
        ax.axvline(0, color="#9a9a9a", lw=0.8, ls=(0, (2, 2)), zorder=0)
        ax.set_xlim(left, right)
        percent_axis(ax.xaxis, lang)
        label(ax, Text(fr="gain de PAI sur la moyenne de 52 semaines", en="gain in PAI over the 52-week mean"), lang,
              which="x")  # fmt: skip
        ax.tick_params(axis="y", length=0)
    axes[0][0].set_yticks(range(len(predictors)), [value_name("predictor", p, lang) for p in reversed(predictors)])
    figure.legend(loc="outside upper right", ncols=2)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points et intervalles appariés : gain de chaque carte sur la moyenne de 52 semaines, sur les "
            "enregistrements puis sur les incidents latents. Les valeurs sont dans le tableau des gains.",
            en="Paired dots and intervals: gain of each map over the 52-week mean, on records then on latent "
            "incidents. The values are in the table of gains.",
        ),
        caption=Text(
            fr=f"Ce que chaque carte gagne sur la moyenne de 52 semaines, sur les enregistrements (ce qu’une ville "
            f"peut voir) et sur ce qui arrive. Barres : intervalle à 95 % par blocs de jours, mêmes jours tirés pour "
            f"toutes, n = {n} jours. ◂ : perte de plus de {percent(-_MOST_LOSS, 'fr')}, hors de l’échelle ; le hasard "
            "n’est pas montré.",
            en=f"What each map gains over the 52-week mean, on records (what a city can see) and on what happens. "
            f"Bars: 95 % interval by blocks of days, the same days drawn for all, n = {n} days. ◂: a loss of more "
            f"than {percent(-_MOST_LOSS, 'en')}, off the scale; chance is not shown.",
        ),
        limits=Text(
            fr="Limites : une ville, un tirage, une grille, un jour d’avance. Un gain sur les enregistrements peut "
            "n’être qu’une meilleure annonce de là où l’on regarde.",
            en="Limits: one city, one draw, one grid, one day ahead. A gain on records may be no more than a better "
            "announcement of where one looks.",
        ),
    )
