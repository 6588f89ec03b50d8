"""Walk forward: every day, learn from the days before it and predict it. Never from the day itself.

What it cannot tell you: walking forward keeps the future out, not the feedback. If the records of the last weeks depend
on where patrols went, so do the maps, and walking forward does not see it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray
from contrechamp.domain.protocols import Predictor

_NO_EVENTS = np.zeros((0, 3), dtype=np.int64)


def walk_forward(
    predictor: Predictor, records: npt.NDArray[Any], *, grid: Grid, first_day: int, late: IntArray = _NO_EVENTS
) -> FloatArray:
    """Predict each day from ``first_day`` on from what was in the file the evening before, refitting daily.

    Parameters
    ----------
    predictor : Predictor
    records : ndarray, shape (n_days, n_cells)
        Recorded events by the day they bear, oldest first.
    grid : Grid
    first_day : int
        First day predicted, at least 1.
    late : ndarray of int, shape (n_late, 3)
        Records that entered the file after the day they bear: day they bear, cell, day of entry. Each is hidden until
        the morning after its entry. They are part of ``records``.

    Returns
    -------
    ndarray, shape (n_days - first_day, n_cells)

    Raises
    ------
    ParameterError
        If ``first_day`` leaves no day to learn from or none to predict.
    """
    n_days = len(records)
    if not 1 <= first_day < n_days:
        raise bad_parameter(
            name="first_day", where="walk_forward", must=f"a day in [1, {n_days - 1}]", got=first_day,
            remedy="A forecast needs at least one day of history and one day to predict.",
        )  # fmt: skip
    out = np.empty((n_days - first_day, grid.n_cells))
    for row, day in enumerate(range(first_day, n_days)):
        history = records[:day]
        unseen = late[(late[:, 0] < day) & (late[:, 2] >= day)]
        if len(unseen):
            history = history.copy()
            np.subtract.at(history, (unseen[:, 0], unseen[:, 1]), 1)
        out[row] = predictor.fit(history, grid=grid).predict()
    return out
