r"""Near repeats: a trailing mean, raised around recent records by what the Knox table of the city says they bring.

Where the prospective map decides its weights beforehand, this one counts them: how many more pairs of records lie so
far and so many days apart than permuted dates would give, and only where that is more than chance. A city without near
repeats gets back its trailing mean.

What it cannot tell you: the Knox table is one for the whole city, and of records. A patrol that returns to where it
recorded draws the same table as an offender who returns to where he succeeded (:mod:`models.knox`), and the map sends
it there again.

Notes
-----
A band of distance and days that is significant (:math:`p\le` ``level``, one band at a time, no correction for their
number) and holds :math:`O` pairs where :math:`E` are expected adds :math:`(O-E)/n` records per record, spread evenly
over the days of the band and over the ring around the record's cell, the sea given back to the land. The surface is the
trailing mean of the window plus these, scaled to the mean daily count: the excess moves records, it adds none. Bands
below expectation are left alone. The first band begins one day apart: pairs of one day, of which many are one event
recorded twice, foretell nothing and are counted in none.

References
----------
.. [1] Townsley, Homel & Chaseling (2003), "Infectious burglaries", British Journal of Criminology 43(3), 615-633,
   doi:10.1093/bjc/43.3.615.
.. [2] Ratcliffe & Rengert (2008), "Near-repeat patterns in Philadelphia shootings", Security Journal 21, 58-76,
   doi:10.1057/palgrave.sj.8350068.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from contrechamp.domain.grid import FloatArray, Grid, IntArray
from contrechamp.domain.rng import stream
from models.base import WINDOW_DAYS, BasePredictor, Domain, Seen, daily_mean
from models.knox import knox_table
from models.spread import Spreader, ring_shares

_WHOLE_BANDS = Domain(1, 20, "a whole number of bands in [1, 20]", whole=True, closed=True)


class NearRepeat(BasePredictor):
    """Trailing mean raised around recent records by the significant excess of a Knox table.

    Parameters
    ----------
    window_days : int, default=364
        Days of the trailing mean; all the days available where there are fewer.
    band_m : float, default=200.0
        Width of a distance band: a block or so.
    n_bands_m : int, default=4
    band_days : int, default=7
        Width of a time band.
    n_bands_days : int, default=4
    events_at_most : int, default=15000
        The table rests on the last so many records of the window, so that its cost does not grow with the city.
    permutations : int, default=99
    level : float, default=0.05
        Largest pseudo p-value of a band that is used.
    seed : int, default=0
        Of the permutations.

    Attributes
    ----------
    observed_, expected_, p_ : ndarray, shape (n_bands_m, n_bands_days)
        The Knox table of pairs at least a day apart and under the last edges.
    excess_ : ndarray, shape (n_bands_m, n_bands_days)
        Further records per record, in each band; 0 where not significant.
    n_events_ : int
        Records the table rests on.

    Notes
    -----
    Not linear in the records: three records of one day in one cell are three pairs, six are fifteen.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "window_days": WINDOW_DAYS,
        "band_m": Domain(0.0, 20_000.0, "a length in (0, 20000] metres"),
        "n_bands_m": _WHOLE_BANDS,
        "band_days": WINDOW_DAYS,
        "n_bands_days": _WHOLE_BANDS,
        "events_at_most": Domain(2, 1_000_000, "a whole number of records in [2, 1000000]", whole=True, closed=True),
        "permutations": Domain(1, 1_000_000, "a whole number in [1, 1000000]", whole=True, closed=True),
        "level": Domain(0.0, 1.0, "a share in (0, 1]"),
        "seed": Domain(0, 2**53, "a whole number in [0, 2^53]", whole=True, closed=True),
    }
    LINEAR: ClassVar[bool] = False
    REFIT_DAYS: ClassVar[int] = 28
    LEARNED: ClassVar[tuple[str, ...]] = ("observed_", "expected_", "p_", "excess_", "n_events_")
    observed_: IntArray
    expected_: FloatArray
    p_: FloatArray
    excess_: FloatArray
    n_events_: int
    _spreaders: tuple[Spreader | None, ...] | None

    def __init__(
        self, window_days: int = 364, band_m: float = 200.0, n_bands_m: int = 4, band_days: int = 7,
        n_bands_days: int = 4, events_at_most: int = 15_000, permutations: int = 99, level: float = 0.05,
        seed: int = 0,
    ) -> None:  # fmt: skip
        self.window_days = window_days
        self.band_m = band_m
        self.n_bands_m = n_bands_m
        self.band_days = band_days
        self.n_bands_days = n_bands_days
        self.events_at_most = events_at_most
        self.permutations = permutations
        self.level = level
        self.seed = seed

    def _estimate(self, seen: Seen) -> None:
        bands = int(self.n_bands_m), int(self.n_bands_days)
        self.observed_, self.p_ = np.zeros(bands, dtype=np.int64), np.ones(bands)
        self.expected_, self.excess_ = np.zeros(bands), np.zeros(bands)
        self._spreaders = None
        points = seen.events.points.since(max(0, seen.n_days - int(self.window_days)))
        last = slice(max(0, len(points) - int(self.events_at_most)), None)
        self.n_events_ = min(len(points), int(self.events_at_most))
        if self.n_events_ < 2:
            return
        table = knox_table(
            points.x_m[last], points.y_m[last], t_days=np.floor(points.t_days[last]).astype(np.int64),
            edges_m=[self.band_m * (k + 1) for k in range(bands[0])],
            edges_days=[1 + int(self.band_days) * k for k in range(bands[1] + 1)],
            permutations=int(self.permutations), rng=stream(int(self.seed), "models", "knox"),
        )  # fmt: skip
        inner = np.s_[:-1, 1:-1]
        self.observed_, self.expected_, self.p_ = table.observed[inner], table.expected[inner], table.p[inner]
        more = (self.p_ <= self.level) & (self.observed_ > self.expected_)
        self.excess_ = np.where(more, self.observed_ - self.expected_, 0.0) / self.n_events_

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        mean, used = daily_mean(seen.events.counts, window_days=self.window_days)
        if self._spreaders is None:
            self._spreaders = self._laid_on(seen.grid)
        counts, width = seen.events.counts[seen.n_days - used :], int(self.band_days)
        surface = mean
        for band, spreader in enumerate(self._spreaders):
            low = used + (at - seen.n_days) - (band + 1) * width  # 1 + band × width to (band + 1) × width days ago
            recent = counts[max(low, 0) : max(low + width, 0)]
            if spreader is not None and len(recent):
                surface = surface + spreader(recent.sum(axis=0, dtype=np.float64)) * self.excess_[:, band].sum() / width
        total = float(surface.sum())
        return surface * (float(mean.sum()) / total if total > 0 else 0.0), used

    def _laid_on(self, grid: Grid) -> tuple[Spreader | None, ...]:
        """For each time band, where its excess goes: the rings of the distance bands, each by its excess."""
        rings = [
            ring_shares(self.band_m * k, self.band_m * (k + 1), cell_m=grid.cell_m) for k in range(int(self.n_bands_m))
        ]
        widest = len(rings[-1])
        padded = np.stack([np.pad(ring, (widest - len(ring)) // 2) for ring in rings])
        tables = [np.tensordot(excess, padded, axes=1) for excess in self.excess_.T]
        return tuple(Spreader(grid, table) if table.any() else None for table in tables)
