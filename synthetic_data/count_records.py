"""One world of counts, several files of records: the same incidents, seen by more or fewer, here more than there.

Each incident gets one mark between 0 and 1, drawn once; a file records those whose mark is under the chance that the
file gives them. Files of one world therefore differ by the recording alone, and a file with a larger share contains the
smaller one of the same bias.

What it cannot tell you: an incident is recorded at once and in its own cell. Here no report is late or misplaced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid, IntArray
from contrechamp.domain.history import EventLog
from synthetic_data.count_worlds import PATROL_SD, FloatArray, LatentWorld, recording_chance


@dataclass(frozen=True, eq=False)
class Incidents:
    """The incidents of a world one by one, oldest first.

    Attributes
    ----------
    t_days : ndarray, shape (n,)
        Days since ``first_day``; ascending.
    x_m, y_m : ndarray, shape (n,)
        Uniform in the cell: a world of counts knows no finer place.
    cell : ndarray of int, shape (n,)
    presence : ndarray, shape (n,)
        Patrol presence in the cell on the day.
    mark : ndarray, shape (n,)
        In [0, 1): recorded where it is under the chance of being so.
    grid : Grid
    n_days : int
    """

    t_days: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    cell: IntArray
    presence: FloatArray
    mark: FloatArray
    grid: Grid
    n_days: int

    def __len__(self) -> int:
        return len(self.cell)

    def recorded(self, *, share: float, bias: float) -> EventLog:
        """The file that records ``share`` of the incidents on average.

        Parameters
        ----------
        share : float
            In (0, 1].
        bias : float
            0: every incident has the same chance; 1: a chance proportional to patrol presence.

        Raises
        ------
        ParameterError
            If a parameter is out of range.
        """
        if not 0 < share <= 1:
            raise bad_parameter(name="share", where="Incidents.recorded", must="a share in (0, 1]", got=share)
        if not 0 <= bias <= 1:
            raise bad_parameter(name="bias", where="Incidents.recorded", must="a number in [0, 1]", got=bias)
        if bias == 0 or not len(self):
            kept = self.mark < share
        else:
            kept = self.mark < recording_chance(self.presence, bias=bias, share=share)
        t = self.t_days[kept]
        return EventLog.from_arrays(
            t_days=t, x_m=self.x_m[kept], y_m=self.y_m[kept], cell=self.cell[kept],
            known_day=np.floor(t).astype(np.int64), grid=self.grid, n_days=self.n_days,
        )  # fmt: skip


def draw_incidents(world: LatentWorld, *, first_day: int = 0, rng: np.random.Generator) -> Incidents:
    """Place the incidents of a world, from ``first_day`` on, in their day and cell, and mark them.

    Parameters
    ----------
    world : LatentWorld
    first_day : int, default=0
        Earlier incidents are left out; ``t_days`` counts from here.
    rng : numpy.random.Generator
    """
    counts = world.latent[first_day:]
    n_days, grid = len(counts), world.grid
    day, cell = np.nonzero(counts)
    times = counts[day, cell]
    noise = np.exp(PATROL_SD * rng.standard_normal(len(day)))
    presence = np.repeat(world.patrol[cell] * noise, times)
    day, cell = np.repeat(day, times), np.repeat(cell, times)
    n = len(day)
    t = day + rng.random(n)
    order = np.argsort(t, kind="stable")
    centre = grid.centres_m[cell[order]]
    jitter = (rng.random((n, 2)) - 0.5) * grid.cell_m
    return Incidents(
        t[order], centre[:, 0] + jitter[:, 0], centre[:, 1] + jitter[:, 1], cell[order].astype(np.int64),
        presence[order], rng.random(n), grid, n_days,
    )  # fmt: skip
