"""Tables of E24: costs."""

from __future__ import annotations

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.reporting.tables import (
    result_list,
)
from contrechamp.domain.text import Text


def section(facts: Facts, voice: Voice) -> list[Block]:
    """Tables of E24."""
    keys = ("unit_cost_eur", "cost_ratio", "budget_ratio", "volume_ratio", "implied_total_eur", "implied_growth",
            "cost_per_event_eur", "final_account_ratio", "cost_per_useful_case_eur")  # fmt: skip
    rows = [r for k in keys for r in facts.rows("E24", k)]
    caption = Text(
        fr="E24 : ce que donnent les chiffres publiés, et ce que leurs arrondis permettent. Les écarts sont dans la "
        "figure.",
        en="E24: what published figures give, and what their rounding allows. Gaps are in the figure.",
    )
    return [result_list(facts, voice, rows, caption=caption)] if rows else []
