"""Tables of E03: a gap in recording, and what comes out of it."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import Wide, distinct, present, wide
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """One line per origin of records, rule and moment, at the input gap nearest to 2; then where nothing differs."""
    rows = facts.rows("E03", "risk_ratio")
    ratios = sorted({float(r["world"]["ratio"]) for r in rows})
    if not ratios:
        return []
    shown = min(ratios, key=lambda r: abs(r - 2))
    columns = [
        Wide(Text(fr="Entrée", en="Input"), "input_ratio", {}),
        Wide(Text(fr="Risques", en="Risks"), "risk_ratio", {}),
        Wide(Text(fr="Corrigés", en="Corrected"), "risk_ratio_corrected", {}),
        Wide(Text(fr="Fausses alertes", en="False alerts"), "false_alert_ratio", {}),
        Wide(Text(fr="Heures par incident", en="Hours per incident"), "exposure_ratio", {}),
        Wide(Text(fr="Amplification des heures", en="Amplification of hours"), "amplification_exposure", {}),
    ]
    fr, en = (value_name("ratio", shown, lang) for lang in ("fr", "en"))
    caption = Text(
        fr=f"E03 : rapports de B sur A, à vérité égale, pour un écart d’entrée de {fr} (moyennes géométriques). "
        "« Corrigés » : la carte connaît la chance d’être enregistré.",
        en=f"E03: ratios of B over A, truth being equal, for an input gap of {en} (geometric means). “Corrected”: the "
        "map knows the chance of being recorded.",
    )
    worlds = distinct([r for r in rows if float(r["world"]["ratio"]) == shown], "source", "rule", "stage", "ratio")
    return present(
        wide(facts, voice, "E03", caption=caption, rows=worlds, columns=columns, weight=2.2,
             head=Text(fr="Origine, règle, moment", en="Origin, rule, moment"),
             name=lambda x: ", ".join(value_name(k, x[k], voice.lang) for k in ("source", "rule", "stage")))
    )  # fmt: skip
