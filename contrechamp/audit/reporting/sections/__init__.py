"""One module per experiment: the tables of its section, between its figures and its criteria.

A module ``eNN`` offers ``section(facts, voice) -> list[Block]``; an experiment without one shows its results in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from contrechamp.audit.reporting.blocks import Block, Voice
from contrechamp.audit.reporting.facts import Facts

Section = Callable[[Facts, Voice], list[Block]]


def tables_of(experiment: str) -> Section | None:
    """The function that lays out an experiment's results, or None where it has no layout of its own."""
    name = f"{__name__}.{experiment.lower()}"
    if find_spec(name) is None:
        return None
    return cast(Section, import_module(name).section)
