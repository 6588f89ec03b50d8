"""E18: the same cases, divided by three different things."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import BLUE, canvas, drawing, label, number_axis
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.wording import count, typeset, value
from contrechamp.domain.text import Lang, Text

_BARS = (
    ("share_all", "useful", "cases", Text(fr="images utiles / toutes les affaires", en="images helped / all cases")),
    ("share_solved", "useful", "solved", Text(fr="images utiles / affaires élucidées", en="images helped / solved "
                                                                                          "cases")),
    ("share_requested_solved", "requested_solved", "requested",
     Text(fr="élucidées / images demandées", en="solved / images requested")),
)  # fmt: skip


def draw_nested(facts: Facts, lang: Lang) -> Drawing | None:
    """One bar per published percentage: its denominator, and its numerator inside."""
    table = facts.table("E18_worked") if "E18_worked" in facts.body["tables"] else None
    rows = [facts.rows("E18", measure) for measure, *_ in _BARS]
    if table is None or table.empty or not all(rows):
        return None
    worked = {str(k): int(v) for k, v in table.iloc[0].items()}
    figure, ax = canvas(height=1.65)
    for index, (_, top, bottom, _name) in enumerate(_BARS):
        y = len(_BARS) - 1 - index
        ax.barh(y, worked[bottom], height=0.62, color="#e4e2da", edgecolor="#9a9a9a", lw=0.6)
        ax.barh(y, worked[top], height=0.62, color=BLUE, hatch="////", edgecolor="white", lw=0)
        of = Text(fr="sur", en="of").in_(lang)
        printed = value_name("figure", rows[index][0]["world"]["figure"], lang)
        words = f"{count(worked[top], lang)} {of} {count(worked[bottom], lang)} = {printed}"
        inside = worked[bottom] > 0.7 * worked["cases"]
        ax.annotate(words, (worked[bottom], y), xytext=(-6 if inside else 6, 0), textcoords="offset points",
                    va="center", ha="right" if inside else "left", fontsize=8, fontweight="bold")  # fmt: skip
    ax.set_yticks(range(len(_BARS)), [typeset(b[3].in_(lang), lang) for b in reversed(_BARS)])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    number_axis(ax.xaxis, lang)
    label(ax, Text(fr="affaires", en="cases"), lang, which="x")
    found = facts.one("E18", "parameter_sets_found", grid="published")
    sets = value(found, lang) if found else "–"
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Trois barres : les mêmes affaires divisées par toutes les affaires, par les affaires élucidées, et les "
            "affaires élucidées divisées par celles où des images ont été demandées.",
            en="Three bars: the same cases divided by all cases, by solved cases, and solved cases divided by those in "
            "which images were requested.",
        ),
        caption=Text(
            fr=f"Un jeu d’effectifs entiers, parmi {sets}, où les trois pourcentages publiés sont vrais à la fois ; "
            f"ils ne "
            "divisent pas la même chose.",
            en=f"One set of whole counts, among {sets}, in which the three published percentages hold at once; they do "
            "not divide by the same thing.",
        ),
        limits=Text(
            fr="Limites : le jeu dessiné est possible ; il n’est pas celui qui a existé.",
            en="Limits: the set drawn is possible; it is not the one that existed.",
        ),
    )
