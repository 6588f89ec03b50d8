"""Tables of E14: hours by hand and through a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name, world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Lang, Text


def _short(world: Mapping[str, Any], lang: Lang) -> str:
    """A filter, passages and traffic: « 60 % et 0,2 % ; 1 ; 20 »."""
    kept, wrong = (value_name(key, world[key], lang) for key in ("recall", "false_positive"))
    both = f"{kept}{Text(fr=' et ', en=' and ').in_(lang)}{wrong}"
    return ("\u202f; " if lang == "fr" else "; ").join((both, _listed(world, ("passages", "traffic"), lang)))


def _listed(world: Mapping[str, Any], keys: Sequence[str], lang: Lang) -> str:
    """Values of some keys without their names."""
    return ("\u202f; " if lang == "fr" else "; ").join(value_name(key, world[key], lang) for key in keys)


def section(facts: Facts, voice: Voice) -> list[Block]:
    """By hand, by how sure the witness is; then the filter, in the footage nearest to the eight hours quoted."""
    hand = distinct(facts.rows("E14", "manual_hours"), "cameras", "window_h", "fatigue", "passages")
    columns = [
        Wide(Text(fr="Temps médian", en="Median time"), "manual_hours", {}),
        Wide(Text(fr="Voitures manquées", en="Cars missed"), "manual_miss", {}),
    ]
    by_hand = wide(
        facts, voice, "E14", head=Text(fr="Images", en="Footage"), rows=hand, columns=columns, weight=1.6,
        name=lambda x: _listed(x, tuple(x), voice.lang),
        caption=Text(
            fr="E14 : le repère, toutes les images revues à la main : temps jusqu’au premier passage remarqué, ou "
            "jusqu’à la fin. Images : caméras, heures à revoir, fatigue (par heure), passages de la voiture.",
            en="E14: the baseline, all footage looked through by hand: time to the first passage noticed, or to the "
            "end. Footage: cameras, hours to look through, tiring (per hour), passages of the car.",
        ),
    )  # fmt: skip
    quoted = [r for r in facts.rows("E14", "manual_hours") if r["value"] is not None]
    if not quoted:
        return present(by_hand)
    nearest = min(quoted, key=lambda r: abs(float(r["value"]) - 8))["world"]
    at = {k: nearest[k] for k in ("cameras", "window_h", "fatigue")}
    filters = distinct(facts.rows("E14", "clips_opened", **at), "passages", "traffic", "recall", "false_positive")
    policies = ("by-hand-after", "filter-only")
    names = {p: Text(fr=value_name("on_miss", p, "fr"), en=value_name("on_miss", p, "en")) for p in policies}
    more = [
        Wide(Text(fr="Rapport des médianes", en="Ratio of medians"), "time_ratio", {**at, "on_miss": policies[0]}),
        Wide(Text(fr="Rapport des moyennes", en="Ratio of means"), "mean_time_ratio", {**at, "on_miss": policies[0]}),
        *(Wide(Text(fr=f"Manquées en plus : {name.fr}", en=f"More missed: {name.en}"), "miss_excess",
               {**at, "on_miss": p}) for p, name in names.items()),
        Wide(Text(fr="Extraits ouverts", en="Clips opened"), "clips_opened", at),
    ]  # fmt: skip
    where = {lang: world_name(at, lang) for lang in ("fr", "en")}
    through = wide(
        facts, voice, "E14", head=Text(fr="Filtre", en="Filter"), rows=filters, columns=more, weight=2.0,
        name=lambda x: _short(x, voice.lang),
        caption=Text(
            fr=f"E14 : le filtre, là où la relecture à la main prend le temps le plus proche de huit heures "
            f"({where['fr']}). Deux parts : voitures rouges gardées, autres véhicules gardés ; puis passages de la "
            "voiture, et véhicules par caméra et par heure. Rapports : reprises à la main comprises.",
            en=f"E14: the filter, where review by hand takes the time nearest to eight hours ({where['en']}). Two "
            "shares: red cars kept, other vehicles kept; then passages of the car, and vehicles per camera and hour. "
            "Ratios: searches started again by hand included.",
        ),
    )  # fmt: skip
    return present(by_hand, through)
