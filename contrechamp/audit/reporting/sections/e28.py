"""Tables of E28: forking paths."""

from __future__ import annotations

from typing import Any

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import (
    Wide,
    distinct,
    present,
    wide,
)
from contrechamp.audit.reporting.worlds import SAFEGUARDS
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E28."""
    columns = [
        Wide(Text(fr=_safeguard(s, "fr"), en=_safeguard(s, "en")), "p_any_finding", {"safeguard": s})
        for s in SAFEGUARDS
    ]
    columns.append(Wide(Text(fr="Retrouvées l’année verrouillée", en="Found again in the locked year"),
                        "share_surviving", {}))  # fmt: skip
    caption = Text(
        fr="E28 : probabilité d’au moins une « découverte » dans du bruit pur, jours indépendants, par garde-fou.",
        en="E28: probability of at least one “finding” in pure noise, independent days, by safeguard.",
    )
    rows = sorted(distinct(facts.rows("E28", "p_any_finding"), "K"), key=lambda x: int(x["K"]))
    return present(
        wide(facts, voice, "E28", caption=caption, head=Text(fr="Analyses K", en="Analyses K"), rows=rows,
             columns=columns, name=lambda x: f"K = {x['K']}")
    )  # fmt: skip


def _safeguard(key: str, lang: Any) -> str:
    name = value_name("safeguard", key, lang)
    return name[0].upper() + name[1:]
