"""Tables of E22: how importance ranks compare with causes, method by method, and the controls."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.audit.reporting.wording import plain_number, typeset
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E22."""
    rows = facts.rows("E22", "rank_correlation")
    if not rows:
        return []
    effect = max(r["world"]["effect"] for r in rows)
    days = sorted({r["world"]["n_days"] for r in rows})
    at = {"effect": effect, "n_days": 365 if 365 in days else days[0]}
    tables = []
    for confounding in sorted({r["world"]["confounding"] for r in rows}):
        here = {**at, "confounding": confounding}
        biases = sorted({r["world"]["recording_bias"] for r in rows})
        columns = [
            Wide(Text(fr=f"Rang, biais {plain_number(b, 'fr')}", en=f"Rank, bias {plain_number(b, 'en')}"),
                 "rank_correlation", {**here, "recording_bias": b})
            for b in dict.fromkeys((biases[0], biases[len(biases) // 2], biases[-1]))
        ]  # fmt: skip
        worst = {**here, "recording_bias": biases[-1]}
        columns += [
            Wide(Text(fr="Sens justes, biais fort", en="Right signs, strong bias"), "sign_accuracy", worst),
            Wide(Text(fr="Rang des patrouilles, biais fort", en="Rank of patrols, strong bias"), "artefact_rank",
                 worst),
        ]  # fmt: skip
        if confounding == 0:
            columns.append(Wide(Text(fr="Témoin sans effet", en="Control, no effect"), "rank_correlation_no_effect",
                                {"n_days": at["n_days"]}))  # fmt: skip
        caption = Text(
            fr=f"E22 : corrélation de rang (τ de Kendall) entre importance et effet causal vrai, selon le biais "
            f"d’enregistrement, confusion {plain_number(confounding, 'fr')} ({at['n_days']} jours, échelle des effets "
            f"{plain_number(effect, 'fr')}).",
            en=f"E22: rank correlation (Kendall’s τ) of importance with true causal effect, by recording bias, "
            f"confounding {plain_number(confounding, 'en')} ({at['n_days']} days, scale of effects "
            f"{plain_number(effect, 'en')}).",
        )
        methods = distinct(facts.rows("E22", "rank_correlation", **here), "method")
        tables.append(
            wide(facts, voice, "E22", caption=caption, head=Text(fr="Méthode", en="Method"), rows=methods,
                 columns=columns, name=lambda x: typeset(value_name("method", x["method"], voice.lang), voice.lang))
        )  # fmt: skip
    return present(*tables)
