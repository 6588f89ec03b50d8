"""Sections of a scenario that the data streams bring along, one module per family of streams.

A section is a frozen dataclass; the closed range of each number is declared beside it (:func:`within`) and checked by
:mod:`synthetic_data.scenario`. The values are in ``scenarios/massilia.toml``, each with its anchor or « (assumption) ».
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


def within(low: float, high: float = math.inf) -> Any:
    """Declare the closed range of a number (each item of a list of numbers)."""
    return field(metadata={"range": (low, high)})


@dataclass(frozen=True, slots=True)
class StreamsPlan:
    """What every stream shares.

    Attributes
    ----------
    dense_days : int
        The streams that count by the minute (cameras, telephones, sensors, posts) are drawn for the last so many days
        only: a year of them would be a hundred million rows that say the same.
    """

    dense_days: int = within(1, 36525)
