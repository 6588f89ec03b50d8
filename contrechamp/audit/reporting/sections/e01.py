"""Tables of E01: the chosen forecast against free maps, each predictor on records and on truth, what lies beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contrechamp.audit.reporting import wording as w
from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import (
    Wide,
    present,
    wide,
)
from contrechamp.audit.reporting.worlds import ordered_worlds, usual_share, world_short
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E01."""
    return [*_chosen(facts, voice), *_each(facts, voice), *_beside(facts, voice)]


def _chosen(facts: Facts, voice: Voice) -> list[Block]:
    """Gains of the chosen forecast, at the recorded share nearest to the tender's; the flip map shows the others."""
    rows = facts.rows("E01", "gain_latent")
    share = usual_share(rows)
    rows = [r for r in rows if r["world"].get("recorded_share") == share]
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
        fr="E01 : gain de PAI, sur la meilleure carte gratuite, de la prévision choisie par un essai sur "
        "enregistrements, par monde et par surface, sur les incidents latents puis sur les enregistrements ; "
        "« mondes réussis » : part des tirages où le gain atteint le seuil à toutes les surfaces ; « hors d’atteinte » "
        ": où même le devin ne l’atteint pas. Les autres parts enregistrées sont sur la carte des verdicts.",
        en="E01: gain in PAI, over the best free map, of the forecast chosen by a trial on records, by world and area, "
        "on latent incidents then on records; “worlds passed”: share of draws in which the gain reaches the threshold "
        "at every area; “out of reach”: in which even the clairvoyant does not. Other recorded shares are on the map "
        "of verdicts.",
    )
    head = Text(fr="Monde", en="World")
    return present(
        wide(facts, voice, "E01", caption=caption, head=head, rows=ordered_worlds(rows), columns=columns,
             name=lambda x: world_short(x, voice.lang), weight=2.6)
    )  # fmt: skip


def _each(facts: Facts, voice: Voice) -> list[Block]:
    """Gain on records and gain on truth of every predictor, without and with contagion."""
    found = facts.rows("E01", "predictor_gain_latent")
    areas = sorted({r["world"]["area"] for r in found})
    kappas = sorted({r["world"]["kappa"] for r in found})
    ends = {kappas[0], kappas[-1]} if kappas else set()
    kept = [r for r in found if r["world"]["kappa"] in ends]
    rows = []
    for world in ordered_worlds([{"world": {k: v for k, v in r["world"].items() if k != "predictor"}} for r in kept]):
        keys = dict.fromkeys(r["world"]["predictor"] for r in kept if world.items() <= r["world"].items())
        rows += [{**world, "predictor": key} for key in keys]
    columns = []
    for area in areas:
        fr, en = w.percent(area, "fr"), w.percent(area, "en")
        columns += [
            Wide(Text(fr=f"Enregistrés, {fr}", en=f"Records, {en}"), "predictor_gain_recorded", {"area": area}),
            Wide(Text(fr=f"Vérité, {fr}", en=f"Truth, {en}"), "predictor_gain_latent", {"area": area}),
        ]
    caption = Text(
        fr="E01 : gain de PAI de chaque prévision sur la meilleure carte gratuite, jugée sur les enregistrements et "
        "sur ce qui arrive ; moyenne, par graine, des fichiers d’enregistrements, puis médiane des graines.",
        en="E01: gain in PAI of each forecast over the best free map, scored on records and on what happens; mean, by "
        "seed, of the files of records, then median of seeds.",
    )

    def name(x: Mapping[str, Any]) -> str:
        city = world_short({k: v for k, v in x.items() if k != "predictor"}, voice.lang)
        return f"{value_name('predictor', x['predictor'], voice.lang)}, {city}"

    return present(
        wide(facts, voice, "E01", caption=caption, head=Text(fr="Prévision, ville", en="Forecast, city"), rows=rows,
             columns=columns, name=name, weight=2.9)
    )  # fmt: skip


def _beside(facts: Facts, voice: Voice) -> list[Block]:
    """What lies beside the gain: efficiency, precision of a prediction, a simulated analyst, area for 83 %."""
    found = facts.rows("E01", "match_lift")
    if not found:
        return []
    small = min(r["world"]["area"] for r in found)
    at = {"area": small}
    percent = Text(fr=w.percent(small, "fr"), en=w.percent(small, "en"))
    columns = [
        Wide(Text(fr="Capté", en="Captured"), "hit_rate_latent", at),
        Wide(Text(fr="PEI", en="PEI"), "pei_latent", at),
        Wide(Text(fr="Prédictions suivies d’un enregistrement", en="Predictions met by a record"), "match_share", at),
        Wide(Text(fr="Rapport au hasard", en="Over chance"), "match_lift", at),
        Wide(Text(fr="Rapport à l’analyste simulé", en="Over the simulated analyst"), "analyst_ratio",
             {**at, "scored_on": "recorded"}),
        Wide(Text(fr="Surface pour 83 %", en="Area for 83 %"), "area_share_for_83pct", {"predictor": "champion"}),
    ]  # fmt: skip
    caption = Text(
        fr=f"E01 : la prévision choisie, à {percent.fr} de surface. Capté et PEI : incidents latents. Une prédiction "
        "est une case signalée un jour ; l’analyste simulé redessine chaque matin les points chauds des sept derniers "
        "jours, et le rapport compte des enregistrements, comme l’essai de 2015 (1,4 à 2,2 face à des gens).",
        en=f"E01: the chosen forecast, at {percent.en} of the area. Captured and PEI: latent incidents. A prediction "
        "is a cell flagged for a day; the simulated analyst draws the hot spots of the last seven days again every "
        "morning, and the ratio counts records, like the 2015 trial (1.4 to 2.2 against people).",
    )
    return present(
        wide(facts, voice, "E01", caption=caption, head=Text(fr="Ville", en="City"), rows=ordered_worlds(found),
             columns=columns, name=lambda x: world_short(x, voice.lang), weight=1.9)
    )  # fmt: skip
