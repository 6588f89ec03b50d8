"""Tables of E21: who sends patrols, and what they avert."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """One line per world and policy, at the middle deterrence."""
    rows = facts.rows("E21", "reduction")
    levels = sorted({float(r["world"]["deterrence"]) for r in rows})
    if not levels:
        return []
    shown = levels[len(levels) // 2]
    worlds = distinct(
        [r for r in rows if float(r["world"]["deterrence"]) == shown],
        "turnover", "kappa", "displacement", "policy", "deterrence",
    )  # fmt: skip
    worlds = [x for x in worlds if x["kappa"] == 0] or worlds
    columns = [
        Wide(Text(fr="Incidents évités", en="Incidents averted"), "reduction", {}),
        Wide(Text(fr="Pour 100 h", en="Per 100 h"), "averted_per_100h", {}),
        Wide(Text(fr="Gain sur la moyenne", en="Gain over the mean"), "gain_averted", {}),
        Wide(Text(fr="Heures perdues, pire secteur", en="Hours lost, worst sector"), "worst_cover_loss", {}),
        Wide(Text(fr="Trajet", en="Travel"), "response_min", {}),
    ]
    caption = Text(
        fr="E21 : mêmes heures, mêmes incidents, mêmes tirages ; seule change la carte qui envoie. Mondes sans "
        "contagion ; les autres sont dans la figure.",
        en="E21: same hours, same incidents, same luck; only the map that sends changes. Worlds without contagion; the "
        "others are in the figure.",
    )
    keys = frozenset({"deterrence", "kappa"})
    return present(
        wide(facts, voice, "E21", caption=caption, head=Text(fr="Monde", en="World"), rows=worlds, columns=columns,
             name=lambda x: world_name(x, voice.lang, but=keys), weight=2.6)
    )  # fmt: skip
