"""Tables of E01: forecast against free maps."""

from __future__ import annotations

from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.tables import (
    Wide,
    present,
    wide,
)
from contrechamp.audit.reporting.worlds import ordered_worlds, world_short
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E01."""
    rows = facts.rows("E01", "gain_latent")
    areas = sorted({r["world"]["area"] for r in rows})
    columns = []
    for area in areas:
        fr, en = w.percent(area, "fr"), w.percent(area, "en")
        columns.append(Wide(Text(fr=f"Gain, {fr}", en=f"Gain, {en}"), "gain_latent", {"area": area}))
    for area in areas[:1]:
        fr, en = w.percent(area, "fr"), w.percent(area, "en")
        columns += [
            Wide(Text(fr=f"Enregistrés, {fr}", en=f"Records, {en}"), "gain_recorded", {"area": area}),
            Wide(Text(fr=f"Plafond, {fr}", en=f"Ceiling, {en}"), "gain_ceiling", {"area": area}),
        ]
    columns += [
        Wide(Text(fr="Mondes réussis", en="Worlds passed"), "share_worlds_supported", {}),
        Wide(Text(fr="Hors d’atteinte", en="Out of reach"), "share_worlds_out_of_reach", {}),
    ]
    caption = Text(
        fr="E01 : gain de PAI sur la meilleure carte gratuite, par monde et par surface, sur les incidents latents "
        "puis sur les enregistrements ; « mondes réussis » : part des tirages où le gain atteint le seuil à toutes les "
        "surfaces ; « hors d’atteinte » : où même le devin ne l’atteint pas.",
        en="E01: gain in PAI over the best free map, by world and area, on latent incidents then on records; “worlds "
        "passed”: share of draws in which the gain reaches the threshold at every area; “out of reach”: in which even "
        "the clairvoyant does not.",
    )
    head = Text(fr="Monde", en="World")
    return present(
        wide(facts, voice, "E01", caption=caption, head=head, rows=ordered_worlds(rows), columns=columns,
             name=lambda x: world_short(x, voice.lang), weight=2.6)
    )  # fmt: skip
