"""E10: recall and precision of the abandoned-object alarm against the crowd."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.sections.e10 import main_threshold, middle_share
from contrechamp.audit.reporting.wording import plain_number
from contrechamp.domain.text import Lang, Text


def draw_density(facts: Facts, lang: Lang) -> Drawing | None:
    """Recall and precision against density, by machine."""
    share = middle_share(facts)
    base = {"attended_by": "owner", "p_gone": share, "T_s": main_threshold(facts)}
    rows = facts.rows("E10", "recall", **base)
    if not rows:
        return None
    machines = list(dict.fromkeys(r["world"]["machine"] for r in rows))
    figure, axes = canvas(height=2.5, ncols=2, sharey=True, squeeze=False)
    sides = (("recall", Text(fr="rappel", en="recall"), 0.8), ("precision", Text(fr="précision", en="precision"), 0.3))
    for index, (axis, (measure, name, at)) in enumerate(zip(axes.flat, sides, strict=True)):
        for look, machine in enumerate(machines):
            found = sorted(facts.rows("E10", measure, machine=machine, **base), key=lambda r: r["world"]["density"])
            curve(axis, [float(r["world"]["density"]) for r in found], found, look=look,
                  name=value_name("machine", machine, lang) if index == 0 else "")  # fmt: skip
        threshold_line(axis, at, "")
        axis.set_title(name.in_(lang), fontsize=8)
        axis.set_ylim(-0.03, 1.03)
        number_axis(axis.xaxis, lang)
        percent_axis(axis.yaxis, lang)
        label(axis, Text(fr="personnes par m²", en="persons per m²"), lang, which="x")
    figure.legend(loc="outside lower center", ncols=4)
    threshold, part = plain_number(float(base["T_s"]), lang), value_name("p_gone", share, lang)  # type: ignore[arg-type]
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : rappel et précision de l’alarme selon la densité de la foule, pour une machine parfaite "
            "et des machines qui oublient ce qu’elles ne voient plus.",
            en="Curves: recall and precision of the alarm against the density of the crowd, for a perfect machine "
            "and for machines that forget what they no longer see.",
        ),
        caption=Text(
            fr=f"Alarme d’objet abandonné, T = {threshold} s, {part} des propriétaires éloignés ne reviennent pas. "
            "Pointillés : 80 % de rappel, 30 % de précision (étayée). Intervalle à 95 %.",
            en=f"Abandoned-object alarm, T = {threshold} s, {part} of the owners who step away never return. "
            "Dotted: 80 % recall, 30 % precision (supported). 95 % interval.",
        ),
        limits=Text(
            fr="Limites : combien de sacs sont posés et combien de propriétaires reviennent est posé, non relevé.",
            en="Limits: how many bags are put down and how many owners return is stated, not surveyed.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E10", claim="V15", x="p_gone", y="machine", facet="T_s", lang=lang,
        seeds=Text(fr="objets tirés", en="objects drawn"),
    )  # fmt: skip
