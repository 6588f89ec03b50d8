"""From the rows at which a rule fired to a table of alerts, each with the trace that says why.

What it cannot tell you: whether the alert was any use. The trace shows that the rule did what it says, frame by frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.video import (
    ALERT_COLUMNS,
    BOX,
    FRAME,
    T_S,
    TRACE_COLUMNS,
    TRACK_ID,
    Alerts,
    BoolArray,
    FloatArray,
    as_table,
)
from vsa.rules.tracks import IntArray, Tracks

#: Names of the states, by the kernels' codes; a frame in which the track was lost reads :data:`LOST`.
STATES: Final = ("OUT", "CANDIDATE", "IN", "ALERTED", "COOLDOWN")
LOST: Final = "LOST"


@dataclass(frozen=True)
class Fired:
    """What a kernel found in one area.

    Attributes
    ----------
    area : str
        Name of the zone or line; empty for the whole picture.
    state, clock_s, inside : ndarray of shape (n_rows,)
        Of every row.
    fired, since : ndarray of shape (n_alerts,)
        Rows at which an alert fired, and from which its condition was counted.
    value : ndarray of shape (n_alerts,)
    threshold : float
    """

    area: str
    tracks: Tracks
    state: npt.NDArray[np.int8]
    clock_s: FloatArray
    inside: BoolArray
    fired: IntArray
    since: IntArray
    value: FloatArray
    threshold: float


def collect(found: Sequence[Fired], *, rule: str, preset: str, unit: str) -> Alerts:
    """Number the alerts by time, track and area, and lay their traces out."""
    counts = [len(f.fired) for f in found]
    if not sum(counts):
        return Alerts(as_table({}, ALERT_COLUMNS, what="alerts"), as_table({}, TRACE_COLUMNS, what="trace"))

    def joined(values: Sequence[Any]) -> Any:
        return np.concatenate(values)

    area = np.repeat([f.area for f in found], counts)
    track = joined([f.tracks.track[f.fired] for f in found])
    frame = joined([f.tracks.frame[f.fired] for f in found])
    order = np.lexsort((area, track, frame))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    table = pd.DataFrame(
        {
            "alert_id": number,
            "rule": rule,
            "preset": preset,
            "zone": area,
            TRACK_ID: track,
            FRAME: frame,
            "t_alert_s": joined([f.tracks.t_s[f.fired] for f in found]),
            "t_since_s": joined([f.tracks.t_s[f.since] for f in found]),
            "value": joined([f.value for f in found]),
            "threshold": np.repeat([f.threshold for f in found], counts),
            "unit": unit,
        }
    ).sort_values("alert_id")
    traces, done = [], 0
    for f, n in zip(found, counts, strict=True):
        if n:
            traces.append(_trace(f, number[done : done + n]))
        done += n
    trace = pd.concat(traces).sort_values(["alert_id", FRAME], kind="stable")
    return Alerts(as_table(table, ALERT_COLUMNS, what="alerts"), as_table(trace, TRACE_COLUMNS, what="trace"))


def _trace(f: Fired, number: IntArray) -> pd.DataFrame:
    length = f.fired - f.since + 1
    ends = np.cumsum(length)
    rows = np.repeat(f.since - (ends - length), length) + np.arange(ends[-1])
    tracks = f.tracks
    state = np.asarray(STATES)[f.state[rows]]
    return pd.DataFrame(
        {
            "alert_id": np.repeat(number, length),
            FRAME: tracks.frame[rows],
            T_S: tracks.t_s[rows],
            TRACK_ID: tracks.track[rows],
            "state": np.where(tracks.seen[rows], state, LOST),
            "clock_s": f.clock_s[rows],
            "inside": f.inside[rows],
            **{c: tracks.box_px[rows, k] for k, c in enumerate(BOX)},
        }
    )
