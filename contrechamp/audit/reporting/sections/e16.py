"""Tables of E16: abnormal sounds."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.audit.reporting.wording import percent
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """What an alert is worth in each street, for each detector; what becomes of speech; the published figure."""
    rows = facts.rows("E16", "precision", detector="trained", reading="offence")
    reaches = sorted({float(r["world"]["reach_m"]) for r in rows})
    if not reaches:
        return []
    alike = sorted({float(r["world"]["alike_share"]) for r in rows})
    base = {"reach_m": reaches[0], "alike_share": alike[len(alike) // 2]}
    kept = [r for r in rows if all(r["world"][k] == v for k, v in base.items())]
    right = "precision"
    streets = wide(
        facts, voice, "E16", head=Text(fr="Monde", en="World"), weight=2.0,
        caption=Text(
            fr="E16 : part des alertes justes selon ce qu’on appelle juste, par détecteur, et fausses alertes. Une "
            "sorte de son qui n’a rien déclenché à l’essai compte pour zéro dans l’estimation : celle-ci est alors la "
            "borne favorable de son intervalle.",
            en="E16: share of right alerts by what right means, by detector, and false alerts. A kind of sound that "
            "raised nothing in the trial counts as zero in the estimate, which is then the favourable end of its "
            "interval.",
        ),
        rows=distinct(kept, "ambience", "offences_per_day"),
        columns=[
            Wide(Text(fr="Un son visé", en="A sound sought"), right, {**base, "detector": "trained",
                 "reading": "sound"}),
            Wide(Text(fr="Un fait", en="An event"), right, {**base, "detector": "trained", "reading": "offence"}),
            Wide(Text(fr="Un fait, niveau sonore", en="An event, loudness"), right,
                 {**base, "detector": "loudness", "reading": "offence"}),
            Wide(Text(fr="Un fait, au hasard", en="An event, at random"), right,
                 {**base, "detector": "random", "reading": "offence"}),
            Wide(Text(fr="Fausses par capteur et jour", en="False per sensor and day"), "false_per_sensor_day",
                 {**base, "detector": "trained", "reading": "offence"}),
        ],
        name=lambda x: world_name(x, voice.lang),
    )  # fmt: skip
    speech = wide(
        facts, voice, "E16", head=Text(fr="Traitement", en="Processing"), weight=2.0,
        caption=Text(fr="E16 : part de la parole à portée qui est traitée.",
                     en="E16: share of the speech within reach that is processed."),
        rows=distinct([r for r in facts.rows("E16", "speech_processed") if r["world"]["alike_share"] == 0.0],
                      "processing", "ambience"),
        columns=[Wide(Text(fr="Parole traitée", en="Speech processed"), "speech_processed",
                      {"reach_m": reaches[0], "alike_share": 0.0})],
        name=lambda x: world_name(x, voice.lang),
    )  # fmt: skip
    evidence = facts.one("E16", "evidence_share", denominator="responses")
    share = float(evidence["value"]) if evidence and evidence["value"] is not None else 0.0
    published = wide(
        facts, voice, "E16", head=Text(fr="Vrais tirs dont on trouve trace", en="True shots that leave a trace"),
        caption=Text(
            fr=f"E16 : ce que {percent(share, 'fr')} de déplacements avec indice disent de la part d’alertes justes, "
            "si aucune fausse alerte ne donne d’indice.",
            en=f"E16: what {percent(share, 'en')} of responses with evidence says of the share of right alerts, if no "
            "false alert gives evidence.",
        ),
        rows=distinct(facts.rows("E16", "precision_implied"), "finding_share"),
        columns=[Wide(Text(fr="Alertes justes", en="Right alerts"), "precision_implied", {})],
        name=lambda x: world_name(x, voice.lang), weight=2.0,
    )  # fmt: skip
    return present(streets, speech, published)
