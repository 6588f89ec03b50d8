"""Tables of E09: who is flagged by "static for more than T"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contrechamp.audit.reporting.blocks import Block, Para, Span, Table, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name, world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, stated, wide
from contrechamp.audit.reporting.wording import plain_number
from contrechamp.domain.text import Text
from contrechamp.experiments.e09_ladder import BASE, BLIND, BOXES, TRACKS

_SITUATION = Text(fr="Situation", en="Situation")


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Situations first, then both readings of the burden, what operators gain, the shipped rules, the other rungs."""
    tables = (_roles, _burden, _operators, _baselines, _presets, _ladder)
    return [*_frequency(facts, voice), *present(*(table(facts, voice) for table in tables))]


def main_threshold(facts: Facts) -> float:
    """The T at which situations are told; 0 when nothing was."""
    return max((float(r["world"]["T_s"]) for r in facts.rows("E09", "alerts_per_1000")), default=0.0)


def in_order(worlds: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rungs from the bottom up, the one who waits first; what is true by construction is told once."""
    told = [x for x in worlds if x["rung"] != TRACKS or x["body"] == BASE]
    first = [TRACKS, BOXES, BLIND]
    return sorted(
        told, key=lambda x: (first.index(x["rung"]) if x["rung"] in first else len(first), x["rung"], x["body"] != BASE)
    )


def _frequency(facts: Facts, voice: Voice) -> list[Block]:
    base: dict[str, Any] = {"law": "stated", "rule": "static", "repeat": False, "T_s": main_threshold(facts)}
    out: list[Block] = []
    for place in dict.fromkeys(r["world"]["place"] for r in facts.rows("E09", "alerts_per_1000")):
        daily = facts.one("E09", "alerts_per_camera_day", place=place, **base)
        hourly = facts.one("E09", "alerts_per_operator_hour", place=place, **base)
        waits = [
            r for r in facts.rows("E09", "alerts_per_1000", place=place, T_s=base["T_s"])
            if r["world"]["role"] == "waiting"
        ]  # fmt: skip
        if daily is None or hourly is None or not waits:
            continue
        said = Text(
            fr="{place} Une machine parfaite, T = {T} s, alertes d’une caméra : {daily}. Sur 1 000 personnes "
            "qui attendent quelqu’un, {waits} sont signalées. Si chaque caméra de la ville voyait un tel lieu, chaque "
            "opérateur recevrait {hourly} alertes par heure.",
            en="{place} A perfect machine, T = {T} s, alerts of one camera: {daily}. Of 1,000 persons who wait for "
            "someone, {waits} are flagged. If every camera of the city saw such a place, each operator would receive "
            "{hourly} alerts per hour.",
        )
        name = value_name("place", place, voice.lang)
        out.append(
            Para(
                voice(
                    said, place=Span(f"{name[0].upper()}{name[1:]}.", "strong"),
                    T=plain_number(base["T_s"], voice.lang),
                    daily=stated(daily, voice), waits=stated(waits[0], voice), hourly=stated(hourly, voice),
                )
            )
        )  # fmt: skip
    return out


def _roles(facts: Facts, voice: Voice) -> Table | None:
    rows = facts.rows("E09", "alerts_per_1000")
    threshold = main_threshold(facts)
    place = "hall" if any(r["world"]["place"] == "hall" for r in rows) else "square"
    where = {lang: value_name("place", place, lang) for lang in ("fr", "en")}
    base = {"rule": "static", "T_s": threshold, "place": place}
    columns = [
        Wide(Text(fr="Signalées pour 1 000 passages", en="Flagged per 1,000 passages"), "alerts_per_1000", base),
        Wide(Text(fr="Par heure de présence", en="Per hour of presence"), "alerts_per_person_hour", base),
        Wide(Text(fr="Part des signalées", en="Share of those flagged"), "share_of_alerts", base),
        Wide(Text(fr="Part des heures", en="Share of hours"), "share_of_hours", base),
        Wide(Text(fr="Présence perdue si l’alerte disperse", en="Presence lost if the alert disperses"), "hours_lost",
             base),
    ]  # fmt: skip
    return wide(
        facts, voice, "E09", head=_SITUATION, rows=distinct(rows, "role"), columns=columns, weight=1.6,
        name=lambda x: value_name("role", x["role"], voice.lang),
        caption=Text(
            fr=f"E09 : qui est signalé, machine parfaite, règle « immobile », au T de l’affirmation, {where['fr']}. "
            "Par passage et par heure sont deux lectures : rester longtemps expose à être signalé, mais une seule fois "
            "par séjour.",
            en=f"E09: who is flagged, perfect machine, rule “still”, at the T of the claim, {where['en']}. Per passage "
            "and per hour are two readings: to stay long is to risk being flagged, but once a stay.",
        ),
    )  # fmt: skip


def _burden(facts: Facts, voice: Voice) -> Table | None:
    rows = facts.rows("E09", "passage_ratio", law="stated", rule="static")
    base = {"rule": "static"}
    once: Mapping[str, Any] = {**base, "law": "stated", "repeat": False}
    columns = [
        Wide(Text(fr="Par heure, une alerte par séjour", en="Per hour, one alert a stay"), "hourly_ratio", once),
        Wide(Text(fr="Par heure, alerte relancée", en="Per hour, raised again"), "hourly_ratio",
             {**once, "repeat": True}),
        Wide(Text(fr="Par passage", en="Per passage"), "passage_ratio", once),
        Wide(Text(fr="Témoin, par heure", en="Control, per hour"), "hourly_ratio",
             {**base, "law": "equal", "repeat": False}),
        Wide(Text(fr="Conduite licite et courante", en="Lawful, common behaviour"), "lawful_common", once),
    ]  # fmt: skip
    return wide(
        facts, voice, "E09", head=Text(fr="Monde", en="World"), rows=distinct(rows, "place", "T_s"), columns=columns,
        name=lambda x: world_name(x, voice.lang), weight=1.7,
        caption=Text(
            fr="E09 : sans-abri sur les autres, fausses alertes par heure de présence et par passage, règle "
            "« immobile » ; au témoin, tout le monde reste aussi longtemps. Dernière colonne : part de toutes les "
            "alertes.",
            en="E09: people sleeping rough over the others, wrong alerts per hour of presence and per passage, rule "
            "“still”; in the control everybody stays as long. Last column: share of all alerts.",
        ),
    )  # fmt: skip


def _operators(facts: Facts, voice: Voice) -> Table | None:
    rows = facts.rows("E09", "best_balance")
    places = list(dict.fromkeys(r["world"]["place"] for r in rows))
    titles = {
        ("hall", "static"): Text(fr="Hall, immobile", en="Hall, still"),
        ("hall", "present"): Text(fr="Hall, présent", en="Hall, present"),
        ("square", "static"): Text(fr="Place, immobile", en="Square, still"),
        ("square", "present"): Text(fr="Place, présent", en="Square, present"),
    }
    columns = [
        Wide(titles[place, rule], "best_balance", {"place": place, "rule": rule})
        for place in places
        for rule in ("static", "present")
    ]
    return wide(
        facts, voice, "E09", head=Text(fr="Monde", en="World"), rows=distinct(rows, "prevalence", "target_stay_min"),
        columns=columns, name=lambda x: world_name(x, voice.lang), weight=2.0,
        caption=Text(
            fr="E09 : au meilleur T, la plus petite de la précision et du rappel. À 50 %, un T existe où la moitié des "
            "signalés sont des cibles et la moitié des cibles sont signalées. Durée 0 : les cibles restent comme les "
            "autres.",
            en="E09: at the best T, the smaller of precision and recall. At 50 %, a T exists where half of those "
            "flagged are targets and half of the targets are flagged. Stay 0: targets stay like others.",
        ),
    )  # fmt: skip


def _baselines(facts: Facts, voice: Voice) -> Table | None:
    rows = facts.rows("E09", "precision_random")
    threshold = main_threshold(facts)
    base = {"rule": "static", "T_s": threshold}
    columns = [
        Wide(Text(fr="Règle", en="Rule"), "precision", base),
        Wide(Text(fr="Autant au hasard", en="As many at random"), "precision_random", base),
        Wide(Text(fr="Règle et indice anodin", en="Rule and harmless cue"), "precision_cue", base),
        Wide(
            Text(fr="Attendent ou cherchent leur chemin", en="Wait or look for their way"), "false_waiting_lost", base
        ),
    ]
    middle = sorted({float(r["world"]["prevalence"]) for r in rows})
    chosen = [r for r in rows if middle and r["world"]["prevalence"] == middle[len(middle) // 2]]
    return wide(
        facts, voice, "E09", head=Text(fr="Monde", en="World"), columns=columns, weight=2.0,
        rows=distinct(chosen, "place", "prevalence", "target_stay_min"), name=lambda x: world_name(x, voice.lang),
        caption=Text(
            fr="E09 : précision au T de l’affirmation, contre deux repères ; et, parmi les signalés à tort, ceux que "
            "nomme l’essai de la RATP.",
            en="E09: precision at the T of the claim, against two baselines; and, among those wrongly flagged, those "
            "whom the RATP trial names.",
        ),
    )  # fmt: skip


def _presets(facts: Facts, voice: Voice) -> Table | None:
    rows = facts.rows("E09", "preset_alerts_per_camera_day")
    places = list(dict.fromkeys(r["world"]["place"] for r in rows))
    heads = {"hall": Text(fr="Hall", en="Hall"), "square": Text(fr="Place", en="Square")}
    return wide(
        facts, voice, "E09", head=Text(fr="Définition, T", en="Definition, T"), rows=distinct(rows, "preset", "T_s"),
        columns=[Wide(heads[p], "preset_alerts_per_camera_day", {"place": p}) for p in places], weight=2.2,
        name=lambda x: f"{value_name('preset', x['preset'], voice.lang)}, {plain_number(x['T_s'], voice.lang)} s",
        caption=Text(
            fr="E09 : alertes par caméra et par jour des définitions livrées, sur les mêmes pistes parfaites.",
            en="E09: alerts per camera and day of the definitions that are shipped, on the same perfect tracks.",
        ),
    )  # fmt: skip


def _ladder(facts: Facts, voice: Voice) -> Table | None:
    rows = facts.rows("E09", "seen_share")
    columns = [
        Wide(Text(fr="Détectée", en="Detected"), "seen_share", {}),
        Wide(Text(fr="Une seule piste", en="A single track"), "tracked_share", {}),
        Wide(Text(fr="Séjours signalés", en="Stays flagged"), "flagged_share", {}),
        Wide(Text(fr="Écart de détection", en="Gap in detection"), "seen_gap", {}),
    ]
    return wide(
        facts, voice, "E09", head=Text(fr="Échelon, corps", en="Rung, body"), columns=columns, weight=2.0,
        rows=in_order(distinct(rows, "rung", "body")),
        name=lambda x: f"{value_name('rung', x['rung'], voice.lang)}, {value_name('body', x['body'], voice.lang)}",
        caption=Text(
            fr="E09 : les échelons suivants, sur des scènes jumelles : même pas, même lieu, même lumière, autre corps. "
            "L’écart est compté depuis la personne qui attend.",
            en="E09: the next rungs, on twin scenes: same steps, place and light, another body. The gap is counted "
            "from the person who waits.",
        ),
    )  # fmt: skip
