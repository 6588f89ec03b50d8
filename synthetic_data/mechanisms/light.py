"""What is left to the eye at night: all of it under street lamps, less where there are none.

What it cannot tell you: how dark a street is. Night has fixed hours all the year round, and light is one number per
quarter.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synthetic_data.city import City

#: Seconds of the local day between which it is day.
DAY_S: Final = (6 * 3600, 21 * 3600)


def light(
    second: npt.NDArray[np.int64], quarter: npt.NDArray[np.int64], city: City, *, night_loss: float
) -> npt.NDArray[np.float64]:
    """Share of what is there that can be made out, in [0, 1].

    Parameters
    ----------
    second, quarter : ndarray, shape (n,)
        Second of the local clock, row of the quarters.
    night_loss : float
        What is lost at night in a quarter without lighting.
    """
    dark = (second < DAY_S[0]) | (second >= DAY_S[1])
    unlit = 1.0 - city.quarters["lighting"].to_numpy(dtype=np.float64)[quarter]
    return np.asarray(1.0 - night_loss * dark * unlit, dtype=np.float64)
