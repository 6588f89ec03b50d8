"""E03: what comes out of a gap in recording, against what came in."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import SOFT, canvas, curve, drawing, label, number_axis
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text

_LINES = (
    ("risk_ratio", "proportional", "step", Text(fr="risques, première carte", en="risks, first map")),
    ("exposure_ratio", "top", "step", Text(fr="heures, première carte, tout aux premières",
                                           en="hours, first map, all to the top")),
    ("exposure_ratio", "proportional", "loop", Text(fr="heures, après la boucle, proportionnelles",
                                                    en="hours, after the loop, proportional")),
    ("exposure_ratio", "top", "loop", Text(fr="heures, après la boucle, tout aux premières",
                                           en="hours, after the loop, all to the top")),
)  # fmt: skip


def draw_gaps(facts: Facts, lang: Lang) -> Drawing | None:
    """Output ratios against the input ratio, one panel per origin of records."""
    rows = facts.rows("E03", "risk_ratio")
    if not rows:
        return None
    sources = list(dict.fromkeys(r["world"]["source"] for r in rows))
    figure, axes = canvas(height=2.6, ncols=len(sources), sharey=True, squeeze=False)
    for index, (axis, source) in enumerate(zip(axes.flat, sources, strict=True)):
        entry = {float(r["world"]["ratio"]): r["value"] for r in facts.rows("E03", "input_ratio", source=source)}
        for look, (measure, rule, stage, name) in enumerate(_LINES):
            found = facts.rows("E03", measure, source=source, rule=rule, stage=stage)
            found = sorted(found, key=lambda r: float(r["world"]["ratio"]))
            x = [entry[float(r["world"]["ratio"])] for r in found]
            curve(axis, x, found, look=look, name=name.in_(lang) if index == 0 else "")
        ends = [1, max(entry.values())]
        same = Text(fr="sortie = entrée", en="output = input").in_(lang)
        axis.plot(ends, ends, color=SOFT, lw=0.9, ls=(0, (2, 2)), label=same if index == 0 else None)
        axis.set_yscale("log")
        axis.set_yticks([1, 2, 5, 10, 20], minor=False)
        axis.minorticks_off()
        number_axis(axis.xaxis, lang)
        number_axis(axis.yaxis, lang)
        axis.set_title(value_name("source", source, lang), fontsize=8)
        label(axis, Text(fr="enregistrements, B sur A", en="records, B over A"), lang, which="x")
    label(axes.flat[0], Text(fr="sortie, B sur A", en="output, B over A"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=2)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : rapport des risques annoncés et des heures de patrouille par incident, B sur A, selon le "
            "rapport des enregistrements, par origine des enregistrements, règle et moment.",
            en="Curves: ratio of announced risks and of patrol-hours per incident, B over A, against the ratio of "
            "records, by origin of records, rule and moment.",
        ),
        caption=Text(
            fr=f"Deux zones jumelles, à vérité égale. n = {n} villes par point, moyenne géométrique et intervalle de "
            "Student à 95 %. Au-dessus du pointillé, l’écart sort plus grand qu’il n’est entré.",
            en=f"Two twin areas, truth being equal. n = {n} cities per point, geometric mean and 95 % Student "
            "interval. Above the dotted line the gap comes out larger than it went in.",
        ),
        limits=Text(
            fr="Limites : A et B ne figurent aucune population ; l’écart d’entrée des fichiers réels n’est pas connu.",
            en="Limits: A and B stand for no population; the input gap of real files is not known.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts on multiplication."""
    return draw_judged(
        facts, "E03", x="ratio", y="source", facet=("rule", "stage"), lang=lang, claim="C04",
        seeds=Text(fr="villes tirées", en="cities drawn"),
    )  # fmt: skip
