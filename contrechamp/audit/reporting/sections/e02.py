"""Tables of E02: drift of a loop."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.labels import value_name
from contrechamp.audit.reporting.tables import (
    Wide,
    present,
    wide,
)
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E02."""
    rhos = sorted({r["world"]["rho"] for r in facts.rows("E02", "recorded_off_20")})
    picked = [r for r in rhos if r in (0.0, 0.25, 0.5, 0.75, 1.0)] or rhos[:5]
    base = {"zones": 2, "rates": "equal", "arrivals": "bernoulli"}
    rows = [{"rule": rule, "rho": rho} for rule in ("top", "proportional") for rho in picked]
    columns = [
        Wide(Text(fr="Part enregistrée à plus de 20 points", en="Recorded share over 20 points off"),
             "recorded_off_20", base),
        Wide(Text(fr="Excès sur le témoin", en="Excess over the control"), "recorded_excess_20", base),
        Wide(Text(fr="Temps de patrouille à plus de 20 points", en="Patrol time over 20 points off"),
             "patrol_off_20", base),
        Wide(Text(fr="Écart médian", en="Median gap"), "median_abs_error", base),
        Wide(Text(fr="Jour de dérive", en="Day of drift"), "days_to_drift", base),
    ]  # fmt: skip
    caption = Text(
        fr="E02 : deux zones de même taux vrai, un incident au plus par zone et par jour.",
        en="E02: two zones of equal true rate, at most one incident per zone and day.",
    )
    return present(
        wide(facts, voice, "E02", caption=caption, head=Text(fr="Règle, part signalée ρ", en="Rule, share reported ρ"),
             rows=rows, columns=columns, name=lambda x: f"{value_name('rule', x['rule'], voice.lang)}, "
             f"{value_name('rho', x['rho'], voice.lang)}")
    )  # fmt: skip
