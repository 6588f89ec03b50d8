"""E27: what a tool that does nothing would have shown."""

from __future__ import annotations

import numpy as np

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import (
    BLUE,
    SOFT,
    canvas,
    curve,
    drawing,
    label,
    number_axis,
    percent_axis,
    threshold_line,
)
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import plain_number, typeset, value
from contrechamp.domain.text import Lang, Text


def draw_placebo(facts: Facts, lang: Lang) -> Drawing | None:
    """Placebo gaps of departments drawn at random, and the territory a static map needs for the headline."""
    gaps = facts.table("E27_gaps") if "E27_gaps" in facts.body["tables"] else None
    chances = facts.rows("E27", "p_placebo", selection="random")
    maps = facts.rows("E27", "area_share_static_map")
    if gaps is None or not chances or not maps:
        return None
    params = facts.request["parameters"]["E27"]
    headline = float(params["headline_points"])
    middle = sorted(chances, key=lambda r: float(r["world"]["sd"]))[len(chances) // 2]
    sd = float(middle["world"]["sd"])
    values = gaps.loc[gaps["selection"] == "random", "gap_over_sd"].to_numpy(np.float64) * sd
    figure, (left, right) = canvas(height=2.35, ncols=2)
    edges = np.linspace(-10, 10, 61) * sd / 7
    counts, _ = np.histogram(values, bins=edges)
    share = counts / len(values)
    centers = (edges[:-1] + edges[1:]) / 2
    beyond = centers >= headline
    width = edges[1] - edges[0]
    left.bar(centers[~beyond], share[~beyond], width=width, color="#dcdad1", edgecolor="white", lw=0.3)
    left.bar(centers[beyond], share[beyond], width=width, color=BLUE, edgecolor="white", lw=0.3, hatch="////")
    text = f"+{plain_number(headline, lang)} point"
    text += f" : {value(middle, lang)}" if lang == "fr" else f": {value(middle, lang)}"
    left.axvline(headline, color=SOFT, lw=0.9, ls=(0, (2, 2)))
    left.annotate(typeset(text, lang),
                  (headline, 1), xycoords=("data", "axes fraction"), xytext=(4, -8), textcoords="offset points",
                  fontsize=8, fontweight="bold", color=BLUE)  # fmt: skip
    label(left, Text(fr="Onze départements où rien n’est fait", en="Eleven departments where nothing is done"), lang,
          which="title")  # fmt: skip
    label(left, Text(fr="avance sur la moyenne nationale (points)", en="lead over the national mean (points)"), lang,
          which="x")  # fmt: skip
    label(left, Text(fr="années placebo", en="placebo years"), lang, which="y")
    number_axis(left.xaxis, lang)
    percent_axis(left.yaxis, lang)
    captured = float(params["captured"])
    for look, kind in enumerate(("past_year", "known_risk")):
        rows = sorted(facts.rows("E27", "area_share_static_map", map=kind), key=lambda r: float(r["world"]["sigma"]))
        curve(right, [r["world"]["sigma"] for r in rows], rows, look=look, name=value_name("map", kind, lang))
    shown = plain_number(100 * captured, lang)
    threshold_line(right, captured, typeset(f"au hasard : {shown} %" if lang == "fr" else f"chance: {shown} %", lang))
    right.set_ylim(0, 1)
    percent_axis(right.yaxis, lang)
    number_axis(right.xaxis, lang)
    title = Text(fr=f"Territoire à désigner pour contenir {shown} %", en=f"Territory to flag to hold {shown} %")
    label(right, title, lang, which="title")
    label(right, Text(fr="concentration des faits, σ", en="concentration of events, σ"), lang, which="x")
    right.legend(loc="lower left")
    spread = plain_number(sd, lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="À gauche, histogramme de l’avance de onze départements placebo, avec le seuil annoncé. À droite, part "
            "du territoire qu’une carte fixe doit désigner, selon la concentration des faits.",
            en="Left, histogram of the lead of eleven placebo departments, with the headline threshold. Right, share "
            "of the territory that a static map must flag, against the concentration of events.",
        ),
        caption=Text(
            fr=f"Placebo. À gauche : onze départements tirés au hasard, dispersion annuelle supposée de {spread} "
            f"points. À "
            "droite : cartes sans aucun apprentissage ; barres, quantiles à 95 % des villes simulées.",
            en=f"Placebo. Left: eleven departments drawn at random, yearly spread assumed to be {spread} points. "
            f"Right: "
            "maps without any learning; bars, 95 % quantiles of simulated cities.",
        ),
        limits=Text(
            fr="Limites : la dispersion réelle des départements et la surface signalée n’ont pas été trouvées "
            "publiées.",
            en="Limits: the real spread of departments and the flagged area were not found published.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Flip map: yearly spread of departments by how they are chosen."""
    claim = next((c for c in ("R09", "C15") if c in facts.judged("E27")), None)
    if claim is None:
        return None
    return draw_judged(
        facts, "E27", x="sd", y="selection", lang=lang, claim=claim,
        seeds=Text(fr="années placebo simulées", en="simulated placebo years"),
        limits=Text(
            fr="Limites : ni la dispersion annuelle ni la façon de choisir les onze départements n’ont été publiées.",
            en="Limits: neither the yearly spread nor how the eleven departments were chosen was published.",
        ),
    )  # fmt: skip
