"""E15: what an alert is worth at the footfall of a station, a network, a city."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import plain_number, typeset
from contrechamp.domain.text import Lang, Text

#: Points drawn: two published, two stated.
POINTS = ("suedkreuz-2018", "npl-2023", "1e-5", "1e-6")


def draw_ppv(facts: Facts, lang: Lang) -> Drawing | None:
    """Share of right alerts against the number of listed persons who pass, by footfall."""
    rows = facts.rows("E15", "ppv")
    if not rows:
        return None
    flows = sorted({int(r["world"]["footfall"]) for r in rows})
    points = [p for p in POINTS if facts.rows("E15", "ppv", point=p)]
    figure, axes = canvas(height=2.5, ncols=len(flows), sharey=True, squeeze=False)
    for index, (axis, flow) in enumerate(zip(axes.flat, flows, strict=True)):
        for look, point in enumerate(points):
            found = facts.rows("E15", "ppv", point=point, footfall=flow)
            found = sorted(found, key=lambda r: float(r["world"]["on_list"]))
            name = value_name("point", point, lang) if index == 0 else ""
            curve(axis, [r["world"]["on_list"] for r in found], found, look=look, name=name)
        for at in (0.5, 0.05):
            threshold_line(axis, at, "")
        axis.set_xscale("log")
        axis.set_ylim(-0.02, 1.02)
        what = Text(fr=f"{plain_number(flow, 'fr')} passages", en=f"{plain_number(flow, 'en')} passages")
        axis.set_title(typeset(what.in_(lang), lang), fontsize=7.5)
        number_axis(axis.xaxis, lang)
        percent_axis(axis.yaxis, lang)
        label(axis, Text(fr="personnes de la liste, par jour", en="listed persons a day"), lang, which="x")
    label(axes.flat[0], Text(fr="alertes justes", en="right alerts"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=len(points), title=key_name("point", lang))
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : part des alertes justes selon le nombre de personnes recherchées qui passent chaque jour, "
            "une case par fréquentation, une courbe par point de fonctionnement.",
            en="Curves: share of right alerts against the number of sought persons who pass each day, one panel per "
            "footfall, one curve per operating point.",
        ),
        caption=Text(
            fr="Alertes justes. Le point de Londres porte l’intervalle à 95 % de sept fausses alertes comptées ; les "
            "autres valeurs sont publiées sans compte, ou posées. Pointillés : une sur deux, une sur vingt.",
            en="Right alerts. The London point carries the 95 % interval of seven false alerts counted; other values "
            "are published without a count, or stated. Dotted: one in two, one in twenty.",
        ),
        limits=Text(
            fr="Limites : lois de scores seules ; le nombre de personnes recherchées qui passent n’est connu de "
            "personne.",
            en="Limits: laws of scores alone; nobody knows how many sought persons pass.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E15", x="on_list", y="point", lang=lang, seeds=Text(fr="valeurs posées", en="stated values")
    )
