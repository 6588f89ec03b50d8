"""E23: what was promised, and how much of it the documents leave open."""

from __future__ import annotations

from typing import Final

from matplotlib.ticker import MaxNLocator

from contrechamp.audit.figures import Drawing
from contrechamp.audit.figures.style import BLUE, INK, RUST, canvas, drawing, label
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.domain.text import Lang, Text

#: State of an item → fill, hatching, name.
_STATES: Final = {
    "delivered": (BLUE, "", Text(fr="livré, tenu", en="delivered, kept")),
    "disputed": ("#bcd3e2", "..", Text(fr="disputé ou partiel", en="disputed or partial")),
    "unknown": ("#f2f1ec", "", Text(fr="inconnu", en="unknown")),
    "absent": (RUST, "////", Text(fr="absent, non tenu", en="absent, not kept")),
}


def draw_lists(facts: Facts, lang: Lang) -> Drawing | None:
    """One bar a list, one square an item, by what the documents say of it."""
    items = facts.table("e23_items")
    if items is None or items.empty:
        return None
    lists = ("streams", "functions", "projects")
    figure, axis = canvas(height=1.5)
    for row, name in enumerate(reversed(lists)):
        found = items.loc[items["list"] == name, "found"]
        left = 0
        for state, (colour, hatch, words) in _STATES.items():
            n = int((found == state).sum())
            if n:
                axis.barh(row, n, left=left, color=colour, hatch=hatch, edgecolor=INK, lw=0.5, height=0.6)
                dark = state in ("delivered", "absent")
                axis.text(left + n / 2, row, str(n), ha="center", va="center", fontsize=7.5,
                          color="white" if dark else INK, fontweight="bold",
                          bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0})  # fmt: skip
                left += n
            if row == 0:
                axis.barh(row, 0, color=colour, hatch=hatch, edgecolor=INK, lw=0.5, label=words.in_(lang))
    axis.set_yticks(range(len(lists)), [value_name("list", name, lang) for name in reversed(lists)])
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    label(axis, Text(fr="éléments promis", en="promised items"), lang, which="x")
    figure.legend(loc="outside lower center", ncols=len(_STATES))
    return drawing(
        figure,
        lang,
        alt=Text(
            fr="Barres : nombre d’éléments promis selon que les documents les disent livrés, disputés, inconnus ou "
            "absents ; une barre pour les flux, une pour les fonctions, une pour les projets.",
            en="Bars: number of promised items by whether documents say they are delivered, disputed, unknown or "
            "absent; one bar for streams, one for functions, one for projects.",
        ),
        caption=Text(
            fr="Éléments promis, selon les documents lus. Inconnu n’est pas absent : aucune source lue n’en parle.",
            en="Promised items, from the documents read. Unknown is not absent: no source read speaks of it.",
        ),
        limits=Text(
            fr="Limites : listes dressées par nous ; la plupart des pages du CCTP manquent aux sources.",
            en="Limits: lists made by us; most pages of the tender are missing from the sources.",
        ),
    )
