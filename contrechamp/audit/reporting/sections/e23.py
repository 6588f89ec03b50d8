"""Tables of E23: promised and delivered."""

from __future__ import annotations

from typing import Final

from contrechamp.audit.reporting.blocks import Block, Column, Table, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.tables import result_list
from contrechamp.domain.text import Text

_FOUND: Final = {
    "delivered": Text(fr="● livré", en="● delivered"),
    "disputed": Text(fr="◐ disputé ou partiel", en="◐ disputed or partial"),
    "unknown": Text(fr="? inconnu", en="? unknown"),
    "absent": Text(fr="○ absent", en="○ absent"),
}
_KEPT: Final = {**_FOUND, "delivered": Text(fr="● tenu", en="● kept"), "absent": Text(fr="○ non tenu", en="○ not kept")}
_LISTS: Final = {
    "streams": Text(fr="E23 : flux promis, et ce que les documents lus en disent en 2018-2020.",
                    en="E23: streams promised, and what the documents read say of them in 2018-2020."),
    "functions": Text(fr="E23 : fonctions demandées par le CCTP, et ce que les documents lus en disent.",
                      en="E23: functions asked for by the tender, and what the documents read say of them."),
    "streams-added": Text(fr="E23 : flux en service qui n’étaient pas dans les promesses lues.",
                          en="E23: streams in service that were not among the promises read."),
    "functions-added": Text(fr="E23 : fonctions en service qui n’étaient pas dans les promesses lues.",
                            en="E23: functions in service that were not among the promises read."),
    "papers": Text(fr="E23 : documents parus ou demandes suivies d’une lettre ; la demande à laquelle chacun répond "
                      "n’est pas connue.",
                   en="E23: papers that came out or requests that got a letter; which request each answers is not "
                      "known."),
    "projects": Text(fr="E23 : projets du registre, tenus ou non dans leur périmètre et leur délai.",
                     en="E23: projects of the register, kept or not in scope and time."),
}  # fmt: skip


def section(facts: Facts, voice: Voice) -> list[Block]:
    """What the lists come to, then the lists."""
    keys = ("delivered_share", "projects_kept", "delay_days", "camera_share", "partner_share", "video_in_scope",
            "offence_inputs", "added", "learned_models", "steps_before_2018", "assessments",
            "requests_answered")  # fmt: skip
    rows = [r for k in keys for r in facts.rows("E23", k)]
    caption = Text(
        fr="E23 : ce que disent les documents. Bornes : tout ce qui est inconnu ou disputé compté absent, puis livré ; "
        "la valeur est la part parmi ce qui est connu.",
        en="E23: what documents say. Bounds: all that is unknown or disputed counted absent, then delivered; the value "
        "is the share among what is known.",
    )
    items = facts.table("e23_items")
    if not rows or items is None:
        return []
    out: list[Block] = [result_list(facts, voice, rows, caption=caption)]
    heads = (
        Column(voice(Text(fr="Élément", en="Item")), weight=3.0),
        Column(voice(Text(fr="Promis", en="Promised")), weight=1.0),
        Column(voice(Text(fr="Trouvé", en="Found")), weight=1.4),
        Column(voice(Text(fr="Sources", en="Sources")), weight=1.6),
    )
    for name, title in _LISTS.items():
        body = tuple(
            (
                voice(Text(fr=str(i["what_fr"]), en=str(i["what_en"]))),
                voice(Text(fr=str(i["promised"]) or "–", en=str(i["promised"]) or "–")),
                voice((_KEPT if name == "projects" else _FOUND)[str(i["found"])]),
                voice(Text(fr=str(i["sources"]) or "–", en=str(i["sources"]) or "–")),
            )
            for i in items[items["list"] == name].to_dict("records")
        )
        out.append(Table(voice(title), heads, body, dense=True))
    return out
