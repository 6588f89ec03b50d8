"""Walk forward: every day, learn from the days before it and predict it. Never from the day itself.

What it cannot tell you: walking forward keeps the future out, not the feedback. If the records of the last weeks depend
on where patrols went, so do the maps, and walking forward does not see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray
from contrechamp.domain.history import Covariates, EventLog, Events
from contrechamp.domain.protocols import Predictor

_NO_LATE = np.zeros((0, 3), dtype=np.int64)


class Log(Protocol):
    """What :class:`EventLog` is to a walk: mornings, each with what the file knew."""

    @property
    def n_days(self) -> int:
        """Days there are."""
        ...

    def mornings(self, first: int, last: int) -> Iterator[tuple[int, Events]]:
        """Days ``first … last - 1`` in order, each with the events known that morning."""
        ...


def walk_forward(
    predictor: Predictor, records: Log | npt.NDArray[Any], *, grid: Grid, first_day: int,
    last_day: int | None = None, late: IntArray = _NO_LATE, covariates: Covariates | None = None, refit_every: int = 1,
) -> FloatArray:  # fmt: skip
    """Predict each day from ``first_day`` on from what was in the file the evening before.

    Parameters
    ----------
    predictor : Predictor
    records : EventLog, or ndarray of shape (n_days, n_cells)
        Recorded events, or their counts by the day they bear, oldest first.
    grid : Grid
    first_day, last_day : int
        First day predicted, at least 1, and the day after the last one: that after the last record where left out.
    late : ndarray of int, shape (n_late, 3)
        With counts: records that entered the file after the day they bear (day they bear, cell, day of entry). Each is
        hidden until the morning after its entry. They are part of ``records``. An event log bears its own.
    covariates : Covariates, optional
        Covering every day. Row ``d`` holds what was known on the morning of day ``d``.
    refit_every : int, default=1
        Days between two estimations; in between the predictor is only shown what entered the file since.

    Returns
    -------
    ndarray, shape (last_day - first_day, n_cells)

    Raises
    ------
    ParameterError
        If ``first_day`` leaves no day to learn from or none to predict.
    """
    log = EventLog.from_counts(records, grid=grid, late=late) if isinstance(records, np.ndarray) else records
    n_days = log.n_days if last_day is None else min(last_day, log.n_days)
    if not 1 <= first_day < n_days:
        raise bad_parameter(
            name="first_day", where="walk_forward", must=f"a day in [1, {n_days - 1}]", got=first_day,
            remedy="A forecast needs at least one day of history and one day to predict.",
        )  # fmt: skip
    if refit_every < 1:
        raise bad_parameter(name="refit_every", where="walk_forward", must="at least 1 day", got=refit_every)
    out = np.empty((n_days - first_day, grid.n_cells))
    for row, (day, known) in enumerate(log.mornings(first_day, n_days)):
        if row % refit_every == 0:
            predictor.fit(known, grid=grid, covariates=covariates)
        else:
            predictor.update(known)
        out[row] = predictor.predict(day)
    return out


def day_blocks(first_day: int, n_days: int, *, refit_every: int, target_days: int = 28) -> list[tuple[int, int]]:
    """Cut the days predicted into stretches that can be walked apart: each begins with an estimation.

    A predictor is fitted anew at the first day of every block, as it would have been had the walk not been cut: its
    maps are the same, so that blocks can go to as many workers as there are.

    Examples
    --------
    >>> day_blocks(100, 160, refit_every=7)
    [(100, 128), (128, 156), (156, 160)]
    """
    if refit_every < 1:
        raise bad_parameter(name="refit_every", where="day_blocks", must="at least 1 day", got=refit_every)
    length = refit_every * max(1, round(target_days / refit_every))
    return [(day, min(day + length, n_days)) for day in range(first_day, n_days, length)]
