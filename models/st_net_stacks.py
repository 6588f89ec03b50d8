"""What the network is shown of the days before a day: rasters of recent, same-weekday and long-run counts.

Everything here is numpy and knows no network. Counts are divided by the city's own mean per cell and day, so that a
city with five times the records gives the same inputs, and logarithms tame the rare full cell.

What it cannot tell you: a raster of zeros is either a quiet place or one from which nobody reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from models.base import Seen

Float32 = npt.NDArray[np.float32]

WEEK = 7
#: A twentieth of the city's mean is given to every cell, so that no logarithm is infinite.
SHARED = 0.05


@dataclass(frozen=True, eq=False)
class Batch:
    """What the network is shown for some days.

    Attributes
    ----------
    rasters : ndarray of float32, shape (n, channels, ny, nx)
    days : ndarray of float32, shape (n, features)
        Weekday (one of seven) and the layers of the day.
    level : ndarray of float32, shape (n, ny, nx)
        Inverse softplus of the long-run mean, in units of the city's mean; 0 off land.
    """

    rasters: Float32
    days: Float32
    level: Float32


@dataclass(frozen=True, eq=False)
class Scales:
    """What the inputs are divided by, learned once so that newer days are read on the same scale.

    Attributes
    ----------
    mean : float
        Records per cell and day.
    centre, spread : ndarray, shape (n_layers,)
        Of places, layers by cell and day, layers by day, each in the order of their names.
    """

    mean: float
    centre: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, seen: Seen, *, window_days: int) -> Scales:
        """Scales of the last ``window_days`` days; a layer that never varies is only centred."""
        days = slice(max(0, seen.n_days - window_days), seen.n_days)
        counts = np.asarray(seen.events.counts[days], dtype=np.float64)
        layers = [
            *(np.asarray(values, dtype=np.float64) for _, values in _sorted(seen.covariates.places)),
            *(np.asarray(values[days], dtype=np.float64) for _, values in _sorted(seen.covariates.cell_days)),
            *(np.asarray(values[days], dtype=np.float64) for _, values in _sorted(seen.covariates.days)),
        ]
        spread = np.array([layer.std() if layer.size else 0.0 for layer in layers])
        centre = np.array([layer.mean() if layer.size else 0.0 for layer in layers])
        return cls(float(counts.mean()) if counts.size else 0.0, centre, np.where(spread > 0, spread, 1.0))


class Stacks:
    """Inputs of any day, from the events seen one morning.

    Parameters
    ----------
    seen : Seen
    scales : Scales
    closeness_days, period_weeks, window_days : int
        Days just before; same weekday of the weeks before; days of the long-run mean.

    Notes
    -----
    A day after the last one seen is predicted from what was seen: for the days between, each cell is given its
    long-run mean.

    Raises
    ------
    ParameterError
        If there are not as many layers as the scales were learned on.
    """

    def __init__(
        self, seen: Seen, scales: Scales, *, closeness_days: int, period_weeks: int, window_days: int
    ) -> None:  # fmt: skip
        beside = seen.covariates
        n_layers = len(beside.places) + len(beside.cell_days) + len(beside.days)
        if n_layers != len(scales.centre):
            raise bad_parameter(
                name="covariates", where="StNet.update", must=f"the {len(scales.centre)} layers it was fitted on",
                got=f"{n_layers} layers", remedy="Call fit again with the new layers.",
            )  # fmt: skip
        self.seen, self.scales = seen, scales
        self.lags: tuple[int, ...] = (
            *range(1, closeness_days + 1),
            *(WEEK * week for week in range(1, period_weeks + 1)),
        )
        self.means = (4 * WEEK, window_days)
        reach = max(max(self.lags), window_days, 4 * WEEK)
        self.start = max(0, seen.n_days - 2 * reach)  # no day of the window looks further back
        counts = np.asarray(seen.events.counts[self.start :], dtype=np.float64)
        self.counts = counts
        self._sums = np.concatenate([np.zeros((1, counts.shape[1])), np.cumsum(counts, axis=0)])

    @property
    def n_channels(self) -> int:
        """Rasters per day."""
        beside = self.seen.covariates
        return len(self.lags) + len(self.means) + 1 + len(beside.places) + len(beside.cell_days)

    @property
    def n_features(self) -> int:
        """Numbers per day."""
        return WEEK + len(self.seen.covariates.days)

    @property
    def first_day(self) -> int:
        """First day with every lag before it."""
        return int(self.start + max(self.lags))

    def target(self, days: IntArray) -> Float32:
        """Counts of the days in units of the city's mean, shape (n, ny, nx); 0 off land."""
        return self._raster(self.counts[days - self.start] / self.scales.mean)

    def batch(self, days: IntArray) -> Batch:
        """What the network is shown for ``days``."""
        grid, beside = self.seen.grid, self.seen.covariates
        mean = self.scales.mean
        long_run = self._mean_before(days, self.means[1])
        maps = [np.log1p(self._at(days - lag, long_run) / mean) for lag in self.lags]
        maps += [np.log1p(self._mean_before(days, length) / mean) for length in self.means]
        maps += [np.ones((len(days), grid.n_cells))]
        layers = iter(zip(self.scales.centre, self.scales.spread, strict=True))
        for _, values in _sorted(beside.places):
            maps.append(np.broadcast_to(_scaled(values, next(layers)), (len(days), grid.n_cells)))
        for _, values in _sorted(beside.cell_days):
            maps.append(_scaled(np.asarray(values)[days], next(layers)))
        features = [*np.eye(WEEK)[:, (beside.first_weekday + days) % WEEK]]
        for _, values in _sorted(beside.days):
            features.append(_scaled(np.asarray(values)[days], next(layers)))
        level = (long_run / mean + SHARED) / (1 + SHARED)
        return Batch(
            np.stack([self._raster(one) for one in maps], axis=1),
            np.stack(features, axis=1).astype(np.float32),
            self._raster(level + np.log(-np.expm1(-level))),
        )

    def _at(self, days: IntArray, otherwise: FloatArray) -> FloatArray:
        """Counts of each day; ``otherwise`` where the day was not seen."""
        row = days - self.start
        known = (row >= 0) & (row < len(self.counts))
        if known.all():
            return np.asarray(self.counts[row])
        out = otherwise.copy()
        out[known] = self.counts[row[known]]
        return out

    def _mean_before(self, days: IntArray, length: int) -> FloatArray:
        """Mean count of the ``length`` days before each day, of those there are."""
        last = np.minimum(days - self.start, len(self.counts))
        first = np.maximum(last - length, 0)
        return np.asarray((self._sums[last] - self._sums[first]) / np.maximum(last - first, 1)[:, None])

    def _raster(self, values: FloatArray) -> Float32:
        out = np.zeros((len(values), *self.seen.grid.shape), dtype=np.float32)
        out[:, self.seen.grid.land] = values
        return out


def _sorted(layers: Mapping[str, npt.NDArray[Any]]) -> list[tuple[str, npt.NDArray[Any]]]:
    return sorted(layers.items())


def _scaled(values: npt.ArrayLike, scale: tuple[float, float]) -> FloatArray:
    """Standardised, and held within ±5: a festival twenty times the usual crowd must not decide alone."""
    return np.asarray(np.clip((np.asarray(values, dtype=np.float64) - scale[0]) / scale[1], -5.0, 5.0))
