"""E01: the gain of a forecast over the best free map, world by world."""

from __future__ import annotations

from matplotlib.ticker import FixedLocator, NullLocator

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import BLUE, RUST, SOFT, canvas, drawing, label, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.wording import count, percent, typeset
from contrechamp.audit.reporting.worlds import ordered_worlds, world_short
from contrechamp.domain.text import Lang, Text


def draw_gain(facts: Facts, lang: Lang) -> Drawing | None:
    """Gains by kappa and recording bias, one panel per area: on what happens, on records, and the ceiling."""
    rows = facts.rows("E01", "gain_latent")
    if not any(r["value"] is not None for r in rows):
        return None
    areas = sorted({r["world"]["area"] for r in rows})
    worlds = ordered_worlds(rows)
    kinds = (
        ("gain_latent", BLUE, "o", 0.2, Text(fr="incidents latents", en="latent incidents")),
        ("gain_recorded", RUST, "s", 0.0, Text(fr="enregistrements", en="records")),
        ("gain_ceiling", SOFT, "D", -0.2, Text(fr="plafond : devin", en="ceiling: clairvoyant")),
    )
    figure, axes = canvas(
        height=0.9 + (0.24 if len(worlds) <= 12 else 0.165) * len(worlds), ncols=len(areas), sharey=True, squeeze=False
    )
    for ax, area in zip(axes[0], areas, strict=True):
        for measure, color, marker, shift, name in kinds:
            for index, world in enumerate(worlds):
                row = facts.one("E01", measure, **world, area=area)
                if row is None or row["value"] is None:
                    continue
                y = len(worlds) - 1 - index + shift
                ax.plot([row["low"], row["high"]], [y, y], color=color, lw=1.1)
                ax.plot(row["value"], y, marker, color=color, mfc=color if marker == "o" else "white")
            if area == areas[0]:
                ax.plot([], [], marker, color=color, mfc=color if marker == "o" else "white", label=name.in_(lang))
        ax.axvline(0, color=SOFT, lw=0.6)
        threshold_line(ax, 0.1, typeset("seuil 10 %" if lang == "fr" else "threshold 10 %", lang), vertical=True)
        title = Text(fr=f"Surface signalée : {percent(area, 'fr')}", en=f"Flagged area: {percent(area, 'en')}")
        label(ax, title, lang, which="title")
        label(ax, Text(fr="gain relatif de PAI", en="relative gain in PAI"), lang, which="x")
        ax.set_xscale("symlog", linthresh=0.2, linscale=0.9)
        ax.xaxis.set_major_locator(FixedLocator([-0.5, 0, 0.5, 5]))
        ax.xaxis.set_minor_locator(NullLocator())
        percent_axis(ax.xaxis, lang)
        ax.tick_params(axis="y", length=0)
    ticks = [world_short(world, lang) for world in reversed(worlds)]
    axes[0][0].set_yticks(range(len(worlds)), ticks, fontsize=7.5 if len(worlds) <= 12 else 6.3)
    figure.legend(loc="outside upper right", ncols=3)
    found = sorted({int(r["n"]) for r in rows if r["value"] is not None}) or [0]
    n = count(found[0], lang)
    n += (" à " if lang == "fr" else " to ") + count(found[-1], lang) if found[0] < found[-1] else ""
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Points et intervalles : gain relatif de la prévision sur la meilleure carte gratuite, dans chaque "
            "monde (contagion, biais d’enregistrement), jugé sur les incidents latents et sur les enregistrements, "
            "avec le plafond d’un devin. Valeurs dans le tableau du chapitre.",
            en="Dots and intervals: relative gain of the forecast over the best free map in each world (contagion, "
            "recording bias), scored on latent incidents and on records, with the ceiling of a clairvoyant. Values in "
            "the table of the chapter.",
        ),
        caption=Text(
            fr="Gain de PAI de la prévision sur la meilleure carte gratuite : médiane des mondes où le gain "
            f"est estimable (n = {n} par ligne), intervalle à 95 %, échelle logarithmique symétrique. κ : nombre moyen "
            "d’incidents que chacun entraîne à proximité.",
            en="Gain in PAI of the forecast over the best free map: median of the worlds in which the "
            f"gain is estimable (n = {n} per line), 95 % interval, symmetric logarithmic scale. κ: mean number of "
            "incidents that each one brings nearby.",
        ),
        limits=Text(
            fr="Limites : une carte à noyau, non toute prévision ; mondes inventés.",
            en="Limits: one kernel map, not every forecast; invented worlds.",
        ),
    )
