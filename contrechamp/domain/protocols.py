"""What the layers ask of each other, as structural types."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.history import Covariates, Events


@runtime_checkable
class Predictor(Protocol):
    """A map of tomorrow from the record of yesterday.

    A predictor is handed *records* only: what happened and was not recorded is not among its arguments.
    """

    def fit(
        self, events: Events | npt.NDArray[Any], *, grid: Grid, covariates: Covariates | None = None
    ) -> Predictor:  # fmt: skip
        """Learn from the events known one morning, or from their counts by day and cell, oldest first."""
        ...

    def update(self, events: Events | npt.NDArray[Any], *, covariates: Covariates | None = None) -> Predictor:
        """Be shown the events known on a later morning, without estimating again."""
        ...

    def predict(self, at: int | None = None) -> FloatArray:
        """Expected records per cell on day ``at`` (the day after the last one seen), shape (n_cells,), at least 0."""
        ...

    def get_params(self) -> dict[str, Any]:
        """Hyper-parameters, as data."""
        ...


class Progress(Protocol):
    """Told how far a long task is. Given by a face; the default does nothing."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``step`` are finished."""
        ...


def silent(step: str, done: int, total: int) -> None:
    """The progress reporter that says nothing."""
