"""Tables of E17: cameras and crime."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import world_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """What is shown without any effect; and what a controlled study sees of a true one, without displacement."""
    rows = facts.rows("E17", "p_fall")
    busy = max((float(r["world"]["per_year"]) for r in rows), default=0.0)
    nil = distinct([r for r in rows if r["world"]["per_year"] == busy], "placement", "n_cameras", "trend")
    base = {"true_effect": 0.0, "displacement": 0.0, "per_year": busy}
    shown = wide(
        facts, voice, "E17", head=Text(fr="Monde sans effet", en="World without effect"), weight=2.4, rows=nil,
        caption=Text(
            fr="E17 : ce qui s’affiche quand les caméras ne font rien, rues les plus chargées.",
            en="E17: what is shown when cameras do nothing, busiest streets.",
        ),
        columns=[
            Wide(Text(fr="Avant/après, en moyenne", en="Before/after, on average"), "apparent_change",
                 {**base, "estimator": "naive"}),
            Wide(Text(fr="Affichent −30 %", en="Show −30%"), "p_fall", {**base, "estimator": "naive", "fall": -0.3}),
            Wide(Text(fr="Corrélation trouvée", en="Correlation found"), "p_correlation",
                 {**base, "estimator": "correlation"}),
            Wide(Text(fr="Voient une baisse, contrôlées", en="See a fall, controlled"), "p_detects",
                 {**base, "estimator": "did-skip"}),
        ],
        name=lambda x: world_name(x, voice.lang),
    )  # fmt: skip
    there = [r for r in facts.rows("E17", "p_detects", estimator="did-skip")
             if r["world"]["true_effect"] < 0 and r["world"]["displacement"] == 0]  # fmt: skip
    one = {"displacement": 0.0, "placement": "worst", "per_year": busy}
    power = wide(
        facts, voice, "E17", head=Text(fr="Effet vrai", en="True effect"), weight=2.4,
        rows=distinct(there, "true_effect", "n_cameras"),
        caption=Text(
            fr="E17 : ce qu’une étude contrôlée voit d’un effet vrai, les pires rues étant équipées.",
            en="E17: what a controlled study sees of a true effect, the worst streets being equipped.",
        ),
        columns=[
            Wide(Text(fr="Voient une baisse", en="See a fall"), "p_detects", {**one, "estimator": "did-skip"}),
            Wide(Text(fr="Concluent à moins de 5 %", en="Conclude under 5%"), "p_equivalent",
                 {**one, "estimator": "did-skip"}),
            Wide(Text(fr="Biais, avant/après", en="Bias, before/after"), "bias", {**one, "estimator": "naive"}),
            Wide(Text(fr="Biais, depuis l’année du choix", en="Bias, from the year of the choice"), "bias",
                 {**one, "estimator": "did"}),
            Wide(Text(fr="Biais, depuis l’année d’avant", en="Bias, from the year before"), "bias",
                 {**one, "estimator": "did-skip"}),
        ],
        name=lambda x: world_name(x, voice.lang),
    )  # fmt: skip
    return present(shown, power)
