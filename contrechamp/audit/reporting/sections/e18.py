"""Tables of E18: denominators."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import (
    Wide,
    distinct,
    present,
    result_list,
    wide,
)
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E18."""
    keys = (
        "share_all",
        "share_solved",
        "share_requested_solved",
        "share_useful_requested_solved",
        "solved_share_implied",
    )
    rows = [r for k in keys for r in facts.rows("E18", k)]
    rows += facts.rows("E18", "parameter_sets_found")
    simulated = facts.rows("E18", "simulated_share")
    out: list[Block] = []
    if rows:
        caption = Text(
            fr="E18 : les pourcentages publiés sur le jeu d’effectifs retenu, et nombre de jeux possibles par grille.",
            en="E18: published percentages on the worked set of counts, and number of possible sets by grid.",
        )
        out.append(result_list(facts, voice, rows, caption=caption))
    columns = [
        Wide(Text(fr="Aidé / toutes", en="Helped / all"), "simulated_share", {"share": "all"}),
        Wide(Text(fr="Aidé / élucidées", en="Helped / solved"), "simulated_share", {"share": "solved"}),
        Wide(
            Text(fr="Élucidées / demandées", en="Solved / requested"), "simulated_share", {"share": "requested_solved"}
        ),
    ]
    caption = Text(
        fr="E18 : corpus simulés, selon que les images aident, n’aident pas mais sont demandées là où l’affaire se "
        "résout déjà, ou n’aident pas et sont demandées au hasard.",
        en="E18: simulated corpora, when images help, when they do not but are requested where the case is being "
        "solved anyway, and when they do not and are requested at random.",
    )
    return out + present(
        wide(facts, voice, "E18", caption=caption, head=Text(fr="Images", en="Images"),
             rows=distinct(simulated, "images"), columns=columns,
             name=lambda x: value_name("images", x["images"], voice.lang))
    )  # fmt: skip
