"""The grammar of posts and reports, put together from its parts and compiled once.

What it cannot tell you: see :mod:`synthetic_data.grammar`.
"""

from __future__ import annotations

from functools import cache

from synthetic_data.grammar.daily import TEMPLATES as DAILY
from synthetic_data.grammar.engine import Grammar
from synthetic_data.grammar.gatherings import TEMPLATES as GATHERINGS
from synthetic_data.grammar.incidents import TEMPLATES as INCIDENTS
from synthetic_data.grammar.lexicon import CONTEXT, RULES, RUMOURS
from synthetic_data.grammar.reports import TEMPLATES as REPORTS
from synthetic_data.grammar.rumours import TEMPLATES as RUMOUR_TALK


@cache
def french() -> Grammar:
    """The grammar of every post and report; the claim and the denial of each theme of rumour are rules of it."""
    said = {f"claim_{i}": (claim,) for i, (claim, _) in enumerate(RUMOURS)}
    denied = {f"denial_{i}": (denial,) for i, (_, denial) in enumerate(RUMOURS)}
    templates = {**GATHERINGS, **INCIDENTS, **RUMOUR_TALK, **DAILY, **REPORTS}
    return Grammar(templates, rules={**RULES, **said, **denied}, context=CONTEXT)
