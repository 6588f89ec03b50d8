"""Tables of E15: watch-lists and files."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.audit.reporting.wording import plain_number
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Alerts at the city's footfall; a gate; a search; who bears the mistakes."""
    rows = facts.rows("E15", "ppv")
    if not rows:
        return []
    most = max(int(r["world"]["footfall"]) for r in rows)
    listed = sorted({int(r["world"]["on_list"]) for r in rows})
    here = {"footfall": most}
    lists = wide(
        facts, voice, "E15", head=Text(fr="Point de fonctionnement", en="Operating point"), weight=2.0,
        caption=Text(
            fr=f"E15 : à {plain_number(most, 'fr')} passages par jour, fausses alertes, et part d’alertes justes selon "
            "le nombre de personnes de la liste qui passent.",
            en=f"E15: at {plain_number(most, 'en')} passages a day, false alerts, and share of right alerts by the "
            "number of listed persons who pass.",
        ),
        rows=distinct([r for r in rows if r["world"]["footfall"] == most], "point"),
        columns=[
            Wide(Text(fr="Fausses par jour", en="False a day"), "false_per_day", here),
            *(Wide(Text(fr=f"Justes, {x}", en=f"Right, {x}"), "ppv", {**here, "on_list": x}) for x in listed),
            Wide(Text(fr="Pour une sur deux", en="For one in two"), "on_list_for_half", here),
        ],
        name=lambda x: world_name(x, voice.lang),
    )  # fmt: skip
    gallery = max((int(r["world"]["gallery"]) for r in facts.rows("E15", "false_first")), default=0)
    sure = sorted({float(r["world"]["enrolled"]) for r in facts.rows("E15", "false_first")})
    search = wide(
        facts, voice, "E15", head=Text(fr="Écart entre les lois de scores", en="Distance between the laws of scores"),
        caption=Text(
            fr="E15 : élèves refusés à tort au portique, et recherches dans le plus grand fichier dont le premier "
            "candidat est quelqu’un d’autre, selon la chance d’y être.",
            en="E15: pupils wrongly refused at the gate, and searches of the largest file whose first candidate is "
            "somebody else, by the chance of being in it.",
        ),
        rows=distinct(facts.rows("E15", "false_reject"), "score_distance"), weight=1.6,
        columns=[
            Wide(Text(fr="Refus à tort", en="Wrong refusals"), "false_reject", {}),
            *(
                Wide(Text(fr=f"Erroné, {100 * p:.0f} %", en=f"Wrong, {100 * p:.0f}%"), "false_first",
                     {"gallery": gallery, "enrolled": p})
                for p in sure
            ),
        ],
        name=lambda x: world_name(x, voice.lang),
    )  # fmt: skip
    burden = wide(
        facts, voice, "E15", weight=2.0,
        head=Text(fr="Fausses correspondances du groupe", en="False matches of the group"),
        caption=Text(
            fr="E15 : part des fausses alertes qui tombe sur un groupe de 10 % des passages.",
            en="E15: share of false alerts that falls on a group of 10 % of the passages.",
        ),
        rows=distinct(facts.rows("E15", "subgroup_burden"), "subgroup_ratio"),
        columns=[Wide(Text(fr="Fausses alertes", en="False alerts"), "subgroup_burden", {})],
        name=lambda x: world_name(x, voice.lang),
    )  # fmt: skip
    return present(lists, search, burden)
