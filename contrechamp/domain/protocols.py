"""What the layers ask of each other, as structural types."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from contrechamp.domain.grid import FloatArray, Grid


@runtime_checkable
class Predictor(Protocol):
    """A map of tomorrow from the record of yesterday.

    A predictor is handed *records* only: what happened and was not recorded is not among its arguments.
    """

    def fit(self, counts: npt.NDArray[Any], *, grid: Grid) -> Predictor:
        """Learn from ``counts``, recorded events by day and cell, shape (n_days, n_cells), oldest first."""
        ...

    def predict(self) -> FloatArray:
        """Expected records per cell on the day after the last one seen, shape (n_cells,), all at least 0."""
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
