"""Tables of E11: alerts on the abnormal, classes learned from examples, travel modes, tracks linked to persons."""

from __future__ import annotations

from typing import Any, Final

from contrechamp.audit.reporting.blocks import Block, Table, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name, world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.audit.reporting.wording import percent
from contrechamp.domain.text import Text

_DETECTORS: Final = ("isolation-forest", "mahalanobis", "neighbours", "taught", "random")
_WORLD: Final = Text(fr="Monde", en="World")


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Five tables, each in the worlds where its question is sharpest."""
    return present(_alerts(facts, voice), _burden(facts, voice), _learning(facts, voice), _modes(facts, voice),
                   _links(facts, voice))  # fmt: skip


def _name(key: str, value: str) -> Text:
    return Text(fr=value_name(key, value, "fr"), en=value_name(key, value, "en"))


def _alerts(facts: Facts, voice: Voice) -> Table | None:
    rows = facts.rows("E11", "precision", blurred=0.0)
    base = max((float(r["world"]["base_rate"]) for r in rows), default=0.0)
    worlds = distinct([r for r in rows if r["world"]["base_rate"] == base], "separation", "harm_rarity")
    at: dict[str, Any] = {"base_rate": base, "blurred": 0.0}
    share = {lang: percent(base, lang) for lang in ("fr", "en")}
    return wide(
        facts, voice, "E11", head=_WORLD, rows=worlds, weight=2.2, name=lambda x: world_name(x, voice.lang),
        columns=[Wide(_name("detector", d), "precision", {**at, "detector": d}) for d in _DETECTORS],
        caption=Text(
            fr=f"E11 : part nuisible des alertes, par détecteur, quand {share['fr']} de toutes les trajectoires le "
            "sont. Le hasard est le repère ; « instruit » a vu des exemples de ce qui nuit.",
            en=f"E11: harmful share of alerts, by detector, when {share['en']} of all tracks are. Chance is the "
            "baseline; “taught” has seen examples of what harms.",
        ),
    )  # fmt: skip


def _burden(facts: Facts, voice: Voice) -> Table | None:
    shown = [r for d in ("isolation-forest", "random") for r in facts.rows("E11", "group_ratio", detector=d)]
    worlds = distinct(shown, "separation", "habit_share", "detector")
    here = [Wide(_name("reading", r), "common_share", {"reading": r}) for r in ("habit-only", "any-common")]
    return wide(
        facts, voice, "E11", head=_WORLD, rows=worlds, weight=2.4, name=lambda x: world_name(x, voice.lang),
        columns=[*here, Wide(Text(fr="Groupe B : part des alertes sur part des trajectoires",
                                  en="Group B: share of alerts over share of tracks"), "group_ratio", {})],
        caption=Text(
            fr="E11 : part des alertes qui tombent sur des conduites licites et courantes dans le groupe B, et ce que "
            "le groupe B reçoit d’alertes rapporté à ses trajectoires. Part de l’habitude 0 % : témoin, les deux "
            "groupes se conduisent de même.",
            en="E11: share of alerts that fall on lawful conduct common in group B, and group B’s alerts against its "
            "tracks. Share of the habit 0%: control, both groups behave alike.",
        ),
    )  # fmt: skip


def _learning(facts: Facts, voice: Voice) -> Table | None:
    worlds = distinct(facts.rows("E11", "recall_slope"), "separation", "train_size")
    kinds = ("as-met", "reweighted", "balanced")
    columns = [Wide(_name("training", k), "recall_slope", {"training": k}) for k in kinds]
    mean = Text(fr="Rappel moyen, tels que rencontrés", en="Mean recall, as met")
    return wide(
        facts, voice, "E11", head=_WORLD, rows=worlds, weight=2.0, name=lambda x: world_name(x, voice.lang),
        columns=[*columns, Wide(mean, "macro_recall", {"training": "as-met"})],
        caption=Text(
            fr="E11 : rappel gagné par une classe qui a dix fois plus d’exemples. Avec autant d’exemples de chaque "
            "classe, la pente est prise sur la fréquence dans la rue : c’est le repère.",
            en="E11: recall gained by a class with ten times as many examples. With as many examples of each class "
            "the slope is on the frequency in the street: the baseline.",
        ),
    )  # fmt: skip


def _modes(facts: Facts, voice: Voice) -> Table | None:
    worlds = distinct(facts.rows("E11", "macro_f1"), "size_error", "position_error_m")
    columns = [
        Wide(Text(fr=f"{fr}, {value_name('mix', mix, 'fr')}", en=f"{en}, {value_name('mix', mix, 'en')}"), measure,
             {"mix": mix})
        for measure, fr, en in (
            ("macro_f1", "Modes", "Modes"), ("macro_f1_near_miss", "Quasi-accidents", "Near misses"),
        )
        for mix in ("street", "balanced")
    ]  # fmt: skip
    return wide(
        facts, voice, "E11", head=_WORLD, rows=worlds, columns=columns, weight=1.6,
        name=lambda x: world_name(x, voice.lang),
        caption=Text(
            fr="E11 : F1 macro de huit modes de déplacement, et de leurs quasi-accidents (moins de 1,5 s au point de "
            "croisement, mode reconnu compris).",
            en="E11: macro F1 of eight travel modes, and of their near misses (under 1.5 s at the crossing point, mode "
            "recognised too).",
        ),
    )  # fmt: skip


def _links(facts: Facts, voice: Voice) -> Table | None:
    worlds = distinct(facts.rows("E11", "singled_out", dress_of_b="same"), "noise", "crowd")
    columns = [
        *(Wide(Text(fr=f"Signalées, groupe B : tenue {value_name('dress_of_b', d, 'fr')}",
                    en=f"Flagged, group B: dress {value_name('dress_of_b', d, 'en')}"), "singled_out",
               {"dress_of_b": d})
          for d in ("same", "own")),
        Wide(Text(fr="Prises au hasard", en="Taken at random"), "singled_out_random", {"dress_of_b": "same"}),
        Wide(Text(fr="Reliées à une autre personne", en="Tied to another person"), "tied_wrong",
             {"dress_of_b": "same"}),
    ]  # fmt: skip
    return wide(
        facts, voice, "E11", head=_WORLD, rows=worlds, columns=columns, weight=1.8,
        name=lambda x: world_name(x, voice.lang),
        caption=Text(
            fr="E11 : trajectoires signalées que l’apparence relie à la bonne personne d’une foule, et à elle seule.",
            en="E11: flagged tracks that appearance ties to the right person of a crowd, and to that one alone.",
        ),
    )  # fmt: skip
