"""E13: what a description leaves of a crowd."""

from __future__ import annotations

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.flip import draw_judged
from contrechamp.audit.figures.style import canvas, curve, drawing, label, number_axis, percent_axis, threshold_line
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.wording import count
from contrechamp.domain.text import Lang, Text

_DRESSES = ("varied", "usual", "alike")


def draw_search(facts: Facts, lang: Lang) -> Drawing | None:
    """Candidates left, and searches that succeed, against the size of the crowd, by dress and errors."""
    rows = [r for m in ("candidate_set", "top10") for r in facts.rows("E13", m, query="ranked")]
    if not rows:
        return None
    noises = sorted({float(r["world"]["noise"]) for r in rows})
    figure, axes = canvas(height=3.9, nrows=2, ncols=len(noises), sharex=True, sharey="row", squeeze=False)
    colon = "\u202f: " if lang == "fr" else ": "
    for column, noise in enumerate(noises):
        for line, (measure, marks) in enumerate((("candidate_set", (10.0, 100.0)), ("top10", (0.3, 0.8)))):
            axis = axes[line, column]
            for look, dress in enumerate(_DRESSES):
                found = facts.rows("E13", measure, query="ranked", noise=noise, dress=dress)
                found = sorted(found, key=lambda r: float(r["world"]["crowd"]))
                name = value_name("dress", dress, lang) if line == column == 0 else ""
                curve(axis, [float(r["world"]["crowd"]) for r in found], found, look=look, name=name)
            for at in marks:
                threshold_line(axis, at, "")
            axis.set_xscale("log")
            number_axis(axis.xaxis, lang)
            if measure == "top10":
                axis.set_ylim(-0.03, 1.03)
                percent_axis(axis.yaxis, lang)
                label(axis, Text(fr="personnes dans la foule", en="people in the crowd"), lang, which="x")
            else:
                axis.set_yscale("log")
                number_axis(axis.yaxis, lang)
                title = f"{key_name('noise', lang)}{colon}{value_name('noise', noise, lang)}"
                axis.set_title(title, fontsize=7.5)
    label(axes[0, 0], Text(fr="candidats (médiane)", en="candidates (median)"), lang, which="y")
    label(axes[1, 0], Text(fr="dans les dix premières", en="in the first ten"), lang, which="y")
    figure.legend(loc="outside lower center", ncols=3)
    n = count(rows[0]["n"], lang)
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Courbes : candidats restants et réussite parmi les dix premières, selon la taille de la foule, par "
            "diversité des tenues et part d’attributs mal lus.",
            en="Curves: candidates left and success among the first ten, against the size of the crowd, by variety of "
            "dress and share of attributes read wrong.",
        ),
        caption=Text(
            fr=f"Le meilleur classement possible. En haut, personnes au moins aussi vraisemblables que la bonne "
            f"(pointillés : 10 et 100) ; en bas, recherches où elle est parmi les dix premières (pointillés : 30 % et "
            f"80 %). n = {n} recherches par point, intervalle à 95 %.",
            en=f"The best ranking there is. Above, people at least as likely as the right one (dotted: 10 and 100); "
            f"below, searches in which that one is among the first ten (dotted: 30 % and 80 %). n = {n} searches per "
            "point, 95 % interval.",
        ),
        limits=Text(
            fr="Limites : les lois des tenues et les erreurs sont posées ; un produit les connaît moins bien que ce "
            "classement.",
            en="Limits: laws of dress and errors are stated; a product knows them less well than this ranking.",
        ),
    )


def draw_worlds(facts: Facts, lang: Lang) -> Drawing | None:
    """Map of the verdicts."""
    return draw_judged(
        facts, "E13", x="noise", y="dress", facet="query", lang=lang, claim="V05",
        seeds=Text(fr="recherches simulées", en="simulated searches"),
    )  # fmt: skip
