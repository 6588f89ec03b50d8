"""Same day of the week: what each cell had, on average, on the last Mondays if it is a Monday that is forecast.

The map a duty roster carries in its head: market days are market days. It needs no calendar, since days seven apart
share their name, and so forecasts several days ahead as easily as one.

What it cannot tell you: a seventh of the days is a seventh of the records. In a cell with a few records a year the map
then ranks chance more than place; and it knows no bank holiday, no season and no event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from contrechamp.domain.grid import FloatArray
from models.base import WINDOW_DAYS, BasePredictor, Domain, Seen, daily_mean


class SameWeekday(BasePredictor):
    """Mean count of each cell on the last days of the week that bear the same name as the day predicted.

    Parameters
    ----------
    window_days : int, default=364
        Days of history used, 52 of each day of the week; all the days available where there are fewer.

    Notes
    -----
    The level is that of *all* the days of the window: the map of a Saturday is the pattern of Saturdays, scaled to the
    mean daily count. Predictors are compared on where, and every map of one window then sums to the same number.
    Where the window holds no record on that day of the week, the pattern is that of all its days.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {"window_days": WINDOW_DAYS}

    def __init__(self, window_days: int = 364) -> None:
        self.window_days = window_days

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        counts, used = seen.events.counts, min(int(self.window_days), seen.n_days)
        if used == 0:
            return np.zeros(seen.grid.n_cells), 0
        window = counts[-used:]
        first = (at - (seen.n_days - used)) % 7
        pattern = window[first::7].sum(axis=0, dtype=np.float64)
        total = float(pattern.sum())
        if total == 0:
            return daily_mean(counts, window_days=used)
        return pattern * (float(window.sum(dtype=np.float64)) / used / total), used
