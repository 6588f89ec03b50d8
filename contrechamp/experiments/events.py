"""What E04 and E05 share: from a simulated calendar to what the replica is shown, and from seeds to an interval.

What it cannot tell you: nothing by itself; it is here so that both experiments hand the replica the same file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contrechamp.domain.grid import BoolArray, FloatArray
from contrechamp.domain.intervals import Interval
from fairness.means import mean_interval
from models.mpulse import PastEvents
from synthetic_data.event_worlds import EventWorld


def shown(world: EventWorld, facts: FloatArray, officers: FloatArray, *, rows: BoolArray) -> PastEvents:
    """The file as the replica sees it: features, facts recorded and officers present, never true incidents.

    Parameters
    ----------
    world : EventWorld
    facts : ndarray, shape (n_events, 3)
    officers : ndarray, shape (n_events,)
    rows : ndarray of bool, shape (n_events,)
        Events that are in the file.
    """
    return PastEvents(
        world.features[rows], facts[rows], world.calendar["crowd"].to_numpy(dtype=np.float64)[rows], officers[rows]
    )


def over_seeds(values: Sequence[float]) -> Interval:
    """Mean over simulated calendars with Student's interval; calendars without an estimate are left out of n.

    A quantity that is the same to the last digit in every calendar has no sampling error: it is given as it is.
    """
    known = np.asarray([v for v in values if np.isfinite(v)], dtype=np.float64)
    if known.size >= 2 and float(np.ptp(known)) == 0.0:
        return Interval.exact(float(known[0]), n=int(known.size), method="identical-runs")
    return mean_interval(known)
