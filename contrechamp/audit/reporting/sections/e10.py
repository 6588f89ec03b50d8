"""Tables of E10: an alarm on an object alone for more than T."""

from __future__ import annotations

from typing import Any

from contrechamp.audit.reporting.blocks import Block, Table, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name, world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Text

_WORLD = Text(fr="Monde", en="World")


def section(facts: Facts, voice: Voice) -> list[Block]:
    """What the alarm finds by density and machine, on whose things it falls, and the baselines."""
    return present(*(table(facts, voice) for table in (_machines, _kinds, _baselines)))


def middle_share(facts: Facts) -> float:
    """The middle share of owners who never return; 0 when none was tried."""
    shares = sorted({float(r["world"]["p_gone"]) for r in facts.rows("E10", "recall")})
    return shares[len(shares) // 2] if shares else 0.0


def main_threshold(facts: Facts) -> float:
    """The T at which the kinds of object are told; 0 when they were not."""
    return max((float(r["world"]["T_s"]) for r in facts.rows("E10", "share_of_false")), default=0.0)


def _machines(facts: Facts, voice: Voice) -> Table | None:
    base: dict[str, Any] = {"attended_by": "owner", "T_s": main_threshold(facts)}
    here = {**base, "p_gone": middle_share(facts)}
    columns = [
        Wide(Text(fr="Rappel", en="Recall"), "recall", here),
        Wide(Text(fr="Précision", en="Precision"), "precision", here),
        Wide(Text(fr="Alarmes par caméra et par jour", en="Alarms per camera and day"), "alarms_per_camera_day", here),
        Wide(Text(fr="Minutes jusqu’à l’alarme", en="Minutes to the alarm"), "time_to_alarm", base),
    ]
    return wide(
        facts, voice, "E10", head=_WORLD, rows=distinct(facts.rows("E10", "recall", **here), "density", "machine"),
        columns=columns, name=lambda x: world_name(x, voice.lang), weight=1.8,
        caption=Text(
            fr="E10 : règle à propriétaire, au T de l’affirmation, part moyenne de propriétaires qui ne reviennent "
            "pas.",
            en="E10: rule with an owner, at the T of the claim, middle share of owners who never return.",
        ),
    )  # fmt: skip


def _kinds(facts: Facts, voice: Voice) -> Table | None:
    rows = [r for r in facts.rows("E10", "share_of_false") if r["value"] is not None]
    middle = middle_share(facts)
    busy = [r for r in rows if r["world"]["p_gone"] == middle]
    if not busy:
        return None
    density = min((float(r["world"]["density"]) for r in busy), key=lambda d: abs(d - 0.4))
    machines = list(dict.fromkeys(r["world"]["machine"] for r in busy if r["world"]["density"] == density))
    base = {"density": density, "attended_by": "owner", "T_s": main_threshold(facts), "p_gone": middle}
    columns = [
        Wide(Text(fr="De tous les objets", en="Of all objects"), "share_of_objects", {**base, "machine": machines[0]}),
        *(
            Wide(
                Text(
                    fr=f"Des signalés à tort, machine {value_name('machine', m, 'fr')}",
                    en=f"Of those wrongly flagged, machine: {value_name('machine', m, 'en')}",
                ),
                "share_of_false",
                {**base, "machine": m},
            )
            for m in machines
        ),
    ]
    return wide(
        facts, voice, "E10", head=Text(fr="Objet", en="Object"), rows=distinct(busy, "kind"), columns=columns,
        name=lambda x: value_name("kind", x["kind"], voice.lang), weight=1.6,
        caption=Text(
            fr="E10 : sur quoi tombent les fausses alarmes, dans un hall fréquenté, au T de l’affirmation.",
            en="E10: what the wrong alarms fall on, in a busy hall, at the T of the claim.",
        ),
    )  # fmt: skip


def _baselines(facts: Facts, voice: Voice) -> Table | None:
    base: dict[str, Any] = {"T_s": main_threshold(facts), "p_gone": middle_share(facts), "machine": "patient"}
    patrol = {"p_gone": base["p_gone"]}
    columns = [
        Wide(Text(fr="Rappel, propriétaire", en="Recall, owner"), "recall", {**base, "attended_by": "owner"}),
        Wide(Text(fr="Précision, propriétaire", en="Precision, owner"), "precision", {**base, "attended_by": "owner"}),
        Wide(Text(fr="Rappel, T fixe", en="Recall, fixed T"), "recall", {**base, "attended_by": "nobody"}),
        Wide(Text(fr="Précision, T fixe", en="Precision, fixed T"), "precision", {**base, "attended_by": "nobody"}),
        Wide(Text(fr="Rappel, ronde", en="Recall, round"), "recall_patrol", patrol),
        Wide(Text(fr="Précision, ronde", en="Precision, round"), "precision_patrol", patrol),
    ]
    return wide(
        facts, voice, "E10", head=_WORLD, rows=distinct(facts.rows("E10", "recall_patrol", **patrol), "density"),
        columns=columns, name=lambda x: world_name(x, voice.lang), weight=1.4,
        caption=Text(
            fr="E10 : contre deux repères, la même machine sans épreuve du propriétaire et un opérateur qui fait le "
            "tour des écrans. À T fixe, une alarme donnée pendant que le propriétaire est là ne compte pas pour juste.",
            en="E10: against two baselines, the same machine without a test of the owner and an operator who goes "
            "round the screens. With a fixed T, an alarm given while the owner is there does not count as right.",
        ),
    )  # fmt: skip
