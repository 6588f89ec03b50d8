"""Spatio-temporal convolutional network: last days, same weekdays and long-run mean in, map of tomorrow out.

What is sold as « intelligence artificielle » most often means a network of this kind. It starts as the long-run mean
and learns by gradient what recent rasters, places, the calendar and the weather add to it, under a Poisson likelihood.
The epoch kept is the one that best foretells the last weeks, the untrained one included: where there is nothing to
learn, the map stays the long-run mean.

What it cannot tell you: why. It gives no cause and no reason, only weights. It learns patrols' habits as readily as
those of offenders, and the weeks it holds out to choose its epoch are records too: a better score there is a better
forecast of *recording*. On a city whose records are few and scattered, most of what it could learn is noise.

References
----------
.. [1] Zhang, Zheng & Qi (2017), "Deep spatio-temporal residual networks for citywide crowd flows prediction", AAAI-17,
   doi:10.1609/aaai.v31i1.10735.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from contrechamp.domain.grid import FloatArray
from contrechamp.domain.rng import stream
from models.base import WINDOW_DAYS, BasePredictor, Choice, Domain, Seen
from models.st_net_layers import (
    Training,
    Weights,
    chosen_device,
    flatten,
    initial_weights,
    layer_shapes,
    run_network,
    train,
    unflatten,
)
from models.st_net_stacks import Scales, Stacks

#: Fewest days to descend on: below, the network stays as it started.
LEAST_DAYS = 14


class StNet(BasePredictor):
    """Residual convolutional network on rasters of past records, with a Poisson likelihood.

    Parameters
    ----------
    window_days : int, default=364
        Days it learns from, and length of the long-run mean; all the days available where there are fewer.
    closeness_days : int, default=7
        Days just before, one raster each.
    period_weeks : int, default=4
        Same weekday of the weeks before, one raster each.
    width : int, default=16
        Features per cell inside the network.
    blocks : int, default=2
        Residual blocks, two convolutions each: every block lets a cell see two more rings of neighbours.
    epochs : int, default=12
        Times every day is shown.
    learning_rate : float, default=0.003
        Of Adam, falling along a cosine.
    batch_days : int, default=8
        Days per step.
    validation_days : int, default=28
        Last days, kept aside to choose the epoch.
    seed : int, default=0
        Of the first weights and of the order of the days.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where it runs; ``auto`` takes the accelerator where there is one.

    Attributes
    ----------
    weights_ : ndarray of float32
        Every weight, layer after layer.
    shapes_ : ndarray of int, shape (n_layers, 4)
        Shape of each layer, filled with zeros on the right.
    losses_ : ndarray, shape (epochs + 1,)
        Loss on the days kept aside, before training and after each epoch; empty where there were too few days.
    mean_ : float
        Records per cell and day that one unit of the network stands for.
    centre_, spread_ : ndarray
        Scale of each layer of covariates.

    Notes
    -----
    On one machine the same data and seed give the same bits, whatever the number of threads (it takes one). Between
    processors, or between a processor and an accelerator, convolutions are summed in another order: maps then differ
    by about one part in 10⁴ after training, and by one in 10⁶ for given weights.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "window_days": WINDOW_DAYS,
        "closeness_days": Domain(1, 60, "a whole number of days in [1, 60]", whole=True, closed=True),
        "period_weeks": Domain(1, 52, "a whole number of weeks in [1, 52]", whole=True, closed=True),
        "width": Domain(1, 512, "a whole number of features in [1, 512]", whole=True, closed=True),
        "blocks": Domain(0, 64, "a whole number of blocks in [0, 64]", whole=True, closed=True),
        "epochs": Domain(1, 10_000, "a whole number of epochs in [1, 10000]", whole=True, closed=True),
        "learning_rate": Domain(0.0, 1.0, "a rate in (0, 1]"),
        "batch_days": Domain(1, 3_660, "a whole number of days in [1, 3660]", whole=True, closed=True),
        "validation_days": Domain(1, 3_660, "a whole number of days in [1, 3660]", whole=True, closed=True),
        "seed": Domain(0, 2**53, "a whole number in [0, 2⁵³]", whole=True, closed=True),
        "device": Choice.of("auto", "cpu", "cuda"),
    }
    LINEAR: ClassVar[bool] = False
    REFIT_DAYS: ClassVar[int] = 28
    LEARNED: ClassVar[tuple[str, ...]] = ("weights_", "shapes_", "losses_", "mean_", "centre_", "spread_")
    weights_: npt.NDArray[np.float32]
    shapes_: npt.NDArray[np.int64]
    losses_: FloatArray
    mean_: float
    centre_: FloatArray
    spread_: FloatArray

    def __init__(
        self, window_days: int = 364, closeness_days: int = 7, period_weeks: int = 4, width: int = 16,
        blocks: int = 2, epochs: int = 12, learning_rate: float = 0.003, batch_days: int = 8,
        validation_days: int = 28, seed: int = 0, device: str = "auto",
    ) -> None:  # fmt: skip
        self.window_days = window_days
        self.closeness_days = closeness_days
        self.period_weeks = period_weeks
        self.width = width
        self.blocks = blocks
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_days = batch_days
        self.validation_days = validation_days
        self.seed = seed
        self.device = device

    @property
    def layers_(self) -> Weights:
        """Weights by the name of their layer."""
        self._check_fitted("layers_")
        sizes = {"width": int(self.width), "blocks": int(self.blocks)}
        channels, features = int(self.shapes_[0, 1]), int(self.shapes_[2, 1])
        return unflatten(self.weights_, layer_shapes(channels=channels, features=features, **sizes))

    def to_onnx(self) -> bytes:
        """The network as an ONNX model, for a run-time that knows neither this program nor PyTorch.

        Inputs ``rasters`` (n, channels, ny, nx), ``days`` (n, features) and ``level`` (n, ny, nx); output ``expected``
        (n, ny, nx), records per cell and day.
        """
        from models.st_net_onnx import onnx_model

        return onnx_model(self.layers_, blocks=int(self.blocks), mean=self.mean_)

    def _estimate(self, seen: Seen) -> None:
        scales = Scales.of(seen, window_days=int(self.window_days))
        self.mean_, self.centre_, self.spread_ = scales.mean, scales.centre, scales.spread
        stacks = self._stacks(seen)
        rng = stream(int(self.seed), "models", "st-net")
        shapes = layer_shapes(
            channels=stacks.n_channels, features=stacks.n_features, width=int(self.width), blocks=int(self.blocks)
        )
        weights = initial_weights(shapes, rng=rng)
        self.losses_ = np.zeros(0)
        first = max(stacks.first_day, seen.n_days - int(self.window_days))
        days = np.arange(first, seen.n_days)
        kept = int(self.validation_days)
        if len(days) >= kept + LEAST_DAYS and scales.mean > 0:
            how = Training(int(self.epochs), int(self.batch_days), float(self.learning_rate))
            weights, self.losses_ = train(
                stacks, weights, fitted=days[:-kept], held_out=days[-kept:], land=seen.grid.land,
                blocks=int(self.blocks), how=how, rng=rng, device=self.device,
            )  # fmt: skip
        elif self.device == "cuda":
            chosen_device(self.device)
        self.weights_ = flatten(weights)
        self.shapes_ = np.array([(*shape, 0, 0, 0)[:4] for shape in shapes.values()], dtype=np.int64)

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        used = min(int(self.window_days), seen.n_days)
        recent = seen.events.counts[seen.n_days - used :]
        if not (self.mean_ > 0 and recent.any()):
            return np.zeros(seen.grid.n_cells), used
        batch = self._stacks(seen).batch(np.array([at]))
        out = run_network(self.layers_, batch, blocks=int(self.blocks), device=self.device)
        return self.mean_ * out[0][seen.grid.land], used

    def _stacks(self, seen: Seen) -> Stacks:
        return Stacks(
            seen, Scales(self.mean_, self.centre_, self.spread_), closeness_days=int(self.closeness_days),
            period_weeks=int(self.period_weeks), window_days=int(self.window_days),
        )  # fmt: skip
