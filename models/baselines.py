"""The two maps that cost nothing: everywhere the same, and last year's mean.

Every forecast sold must beat them. The first is what flagging places at random achieves; the second is what an officer
with last year's log and a pencil achieves.

What it cannot tell you: the trailing mean is a mean of *records*. A place nobody reports from stays at zero however
much happens there, and a place patrolled more ranks higher for that reason alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from contrechamp.domain.grid import FloatArray
from models.base import WINDOW_DAYS, BasePredictor, Domain, Seen, daily_mean


class Uniform(BasePredictor):
    """The city's mean, the same in every cell.

    Parameters
    ----------
    window_days : int, default=364
        Days the mean is taken over; all the days available where there are fewer.

    Notes
    -----
    All cells tie. A ranking of ties is a random choice: scored by :mod:`models.scores`, this predictor *is* the random
    choice of cells, whose PAI is 1 on average.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {"window_days": WINDOW_DAYS}

    def __init__(self, window_days: int = 364) -> None:
        self.window_days = window_days

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        mean, used = daily_mean(seen.events.counts, window_days=self.window_days)
        return np.full(seen.grid.n_cells, mean.mean() if mean.size else 0.0), used


class TrailingMean(BasePredictor):
    """Mean daily count of each cell over the last 52 weeks.

    Parameters
    ----------
    window_days : int, default=364
        Length of the window: 52 whole weeks, so that every day of the week weighs the same.

    Notes
    -----
    With less history than the window, the mean is taken over the days there are (``n_days_used_`` says how many) and
    days of the week may then weigh unequally. With none, the surface is zero.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {"window_days": WINDOW_DAYS}

    def __init__(self, window_days: int = 364) -> None:
        self.window_days = window_days

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        return daily_mean(seen.events.counts, window_days=self.window_days)
