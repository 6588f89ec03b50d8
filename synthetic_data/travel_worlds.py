"""Eight ways of travelling, as a camera over a crossing measures them, and encounters that nearly end badly.

Speed, acceleration, length, width and height of each mode follow stated laws (log-normal, with the medians below). Two
users cross; the gap between one leaving the crossing point and the other reaching it is the post-encroachment time. A
*near miss* is fixed once: that time is under 1.5 seconds.

What it cannot tell you: how any street is driven. Medians are round figures of common vehicles, their spreads are
assumptions, and two users only ever cross at a right angle.

References
----------
.. [1] Allen, Shin & Cooper (1978), "Analysis of traffic conflicts and collisions", Transportation Research Record 667.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Post-encroachment time under which an encounter is a near miss, in seconds.
NEAR_MISS_S: Final = 1.5
#: Descriptors of a user, in order; all above 0, all measured on a log scale.
DESCRIPTORS: Final = ("speed_m_s", "acceleration_m_s2", "length_m", "width_m", "height_m")


@dataclass(frozen=True, slots=True)
class Mode:
    """Medians of a mode, in the order of :data:`DESCRIPTORS`, its share of the traffic and its spread of speed."""

    medians: tuple[float, float, float, float, float]
    share: float
    speed_spread: float


#: Modes of travel. Shares are those of a busy crossing, by assumption.
MODES: Final[Mapping[str, Mode]] = {
    "walk": Mode((1.35, 0.35, 0.45, 0.55, 1.70), 0.40, 0.20),
    "wheelchair": Mode((1.10, 0.35, 1.10, 0.66, 1.30), 0.005, 0.30),
    "bicycle": Mode((4.50, 0.70, 1.75, 0.60, 1.75), 0.07, 0.25),
    "scooter": Mode((5.00, 0.85, 1.15, 0.55, 1.85), 0.04, 0.25),
    "moped": Mode((9.00, 1.40, 1.90, 0.72, 1.65), 0.06, 0.28),
    "car": Mode((9.00, 1.10, 4.30, 1.78, 1.50), 0.355, 0.30),
    "van": Mode((8.60, 0.95, 5.40, 2.00, 2.20), 0.06, 0.30),
    "bus": Mode((6.80, 0.70, 12.0, 2.55, 3.10), 0.01, 0.30),
}
#: Log spread of each mode's acceleration, length, width and height.
_SPREADS: Final = (0.35, 0.08, 0.08, 0.06)
#: Log error of a measured acceleration: it is a second difference of positions.
_ACCELERATION_ERROR: Final = 0.3


@dataclass(frozen=True, eq=False)
class Encounters:
    """Encounters between a user and whoever crosses.

    Attributes
    ----------
    mode : ndarray of int, shape (n,)
        Mode of the user, index in :data:`MODES`.
    measured : ndarray, shape (n, 5)
        Descriptors as the camera measures them, natural logarithms.
    gap_s, measured_gap_s : ndarray, shape (n,)
        Post-encroachment time, true and as measured.
    """

    mode: IntArray
    measured: FloatArray
    gap_s: FloatArray
    measured_gap_s: FloatArray

    @property
    def near_miss(self) -> BoolArray:
        """True near misses."""
        return np.asarray(self.gap_s < NEAR_MISS_S)

    @property
    def flagged(self) -> BoolArray:
        """Encounters the camera takes for near misses."""
        return np.asarray(self.measured_gap_s < NEAR_MISS_S)


def mode_shares() -> FloatArray:
    """Share of each mode in the traffic, shape (8,)."""
    return np.array([mode.share for mode in MODES.values()])


def draw_encounters(
    *, counts: npt.ArrayLike, size_error: float, position_error_m: float, median_gap_s: float = 4.0,
    rng: np.random.Generator,
) -> Encounters:  # fmt: skip
    """Draw a set number of encounters of each mode.

    Parameters
    ----------
    counts : array-like of int, shape (8,)
        In the order of :data:`MODES`.
    size_error : float
        Log standard deviation of a measured length, width or height (0.1: about ten per cent), at least 0.
    position_error_m : float
        Standard deviation of a measured position, in metres, at least 0. It becomes an error of time by the user's
        speed, and an error of speed over two seconds of track.
    median_gap_s : float, default=4.0
        Median post-encroachment time, above 0.
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    wanted = np.asarray(counts, dtype=np.int64)
    for name, value, ok, must in (
        ("counts", wanted.tolist(), wanted.shape == (len(MODES),) and bool((wanted >= 0).all()),
         f"{len(MODES)} whole numbers of at least 0"),
        ("size_error", size_error, size_error >= 0, "at least 0"),
        ("position_error_m", position_error_m, position_error_m >= 0, "at least 0"),
        ("median_gap_s", median_gap_s, median_gap_s > 0, "above 0"),
    ):  # fmt: skip
        if not ok:
            raise bad_parameter(name=name, where="draw_encounters", must=must, got=value)
    mode = np.repeat(np.arange(len(MODES)), wanted)
    medians = np.log(np.array([m.medians for m in MODES.values()]))[mode]
    spreads = np.array([[m.speed_spread, *_SPREADS] for m in MODES.values()])[mode]
    true = medians + spreads * rng.standard_normal(medians.shape)
    speed = np.exp(true[:, 0])
    error = rng.standard_normal(medians.shape)
    # Speed over two seconds: the difference of two positions, over two seconds, relative to the speed.
    error[:, 0] *= np.minimum(position_error_m / np.sqrt(2) / speed, 1.0)
    error[:, 1] *= _ACCELERATION_ERROR
    error[:, 2:] *= size_error
    gap = np.exp(np.log(median_gap_s) + 0.7 * rng.standard_normal(len(mode)))
    # Both users' instants at the crossing point are off by position error over speed; a walker's gap suffers most.
    gap_error = np.sqrt(2) * position_error_m / np.maximum(speed, 0.3) * rng.standard_normal(len(mode))
    return Encounters(mode, true + error, gap, np.abs(gap + gap_error))
