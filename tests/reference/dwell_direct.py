"""Second implementation of the loitering clocks, slow and obvious: dictionaries, one row at a time.

It shares no code with ``vsa``. A track is a list of (frame, inside, x, y) for the frames in which it was seen; gaps are
reasoned about instead of filled. Each function returns the frames at which an alert fires, with the frame from which
its clock counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = tuple[int, bool, float, float]
Alert = tuple[int, int]
SLACK = 1e-9


def first_frame_beyond(origin: int, begin: int, end: int, grace_s: float, fps: float) -> int | None:
    """First frame of begin..end-1 more than ``grace_s`` after ``origin``."""
    for frame in range(begin, end):
        if (frame - origin) / fps > grace_s + SLACK:
            return frame
    return None


def loitering(
    rows: Sequence[Row],
    *,
    fps: float,
    dwell_s: float,
    mode: str = "continuous",
    enter_after_s: float = 0.0,
    grace_out_s: float = 0.0,
    grace_lost_s: float = 0.0,
    radius_m: float = math.inf,
    rearm_s: float = math.inf,
) -> list[Alert]:
    """Jump from one row inside to the next; work out in between whether, and when, the person left."""
    alerts: list[Alert] = []
    state = "OUT"
    start: int | None = None
    added = 0.0
    before: tuple[int | None, float] = (None, 0.0)
    entry = last = 0
    origin = (0.0, 0.0)
    cool_until = -math.inf
    outside_since_last: int | None = None
    for frame, is_inside, x, y in rows:
        if not is_inside:
            if outside_since_last is None:
                outside_since_last = frame
            continue
        if state in {"CANDIDATE", "IN", "ALERTED"}:
            lost_until = outside_since_last if outside_since_last is not None else frame
            left = first_frame_beyond(last, last + 1, lost_until, grace_lost_s, fps)
            if left is None and outside_since_last is not None:
                left = (
                    outside_since_last
                    if state == "CANDIDATE"
                    else first_frame_beyond(last, outside_since_last, frame, grace_out_s, fps)
                )
            strayed = left is None and math.dist((x, y), origin) > radius_m
            if left is not None or strayed:
                when = left if left is not None else frame
                if state == "ALERTED":
                    state, cool_until = "COOLDOWN", when / fps + rearm_s
                    start, added = None, 0.0
                elif strayed:
                    state, start, added, before = "CANDIDATE", frame, 0.0, (None, 0.0)
                    entry = last = frame
                    origin = (x, y)
                else:
                    if state == "CANDIDATE":
                        start, added = before
                    elif mode == "continuous":
                        start, added = None, 0.0
                    state = "OUT"
        if state == "COOLDOWN" and frame / fps >= cool_until - SLACK:
            state = "OUT"
        if state == "OUT":
            before = (start, added)
            state, entry, origin = "CANDIDATE", frame, (x, y)
            start = frame if start is None else start
        elif state != "COOLDOWN" and outside_since_last is None:
            added += (frame - last) / fps
        last, outside_since_last = frame, None
        if state == "CANDIDATE" and (frame - entry) / fps >= enter_after_s - SLACK:
            state = "IN"
        if state == "IN" and start is not None:
            clock = added if mode == "cumulative" else (frame - start) / fps
            if clock >= dwell_s - SLACK:
                state = "ALERTED"
                alerts.append((frame, start))
    return alerts


def supervision(rows: Sequence[Row], *, fps: float, dwell_s: float) -> list[Alert]:
    """A stamp set once; the first frame at which the shown time reaches the threshold."""
    stamp: dict[str, int] = {}
    for frame, is_inside, _, _ in rows:
        if is_inside:
            stamp.setdefault("id", frame)
            if (frame - stamp["id"]) / fps >= dwell_s - SLACK:
                return [(frame, stamp["id"])]
    return []


def roboflow(rows: Sequence[Row], *, fps: float, dwell_s: float) -> list[Alert]:
    """A stamp deleted by any frame seen outside; one alert a stamp."""
    stamp: dict[str, int] = {}
    alerts: list[Alert] = []
    for frame, is_inside, _, _ in rows:
        if not is_inside:
            stamp.pop("id", None)
        else:
            begin = stamp.setdefault("id", frame)
            if (frame - begin) / fps >= dwell_s - SLACK and (not alerts or alerts[-1][1] != begin):
                alerts.append((frame, begin))
    return alerts


def frigate(
    rows: Sequence[Row], *, fps: float, dwell_s: float, inertia: int = 3, cutoff_s: float = 40.0
) -> list[Alert]:
    """Every frame is processed and counted; the object has moved. One alert until ``cutoff_s`` of quiet."""
    where = {frame: is_inside for frame, is_inside, _, _ in rows}
    alerts: list[Alert] = []
    presence = counted = missed = 0
    begin: int | None = None
    active: float | None = None
    at = False
    for frame in range(rows[0][0], rows[-1][0] + 1):
        detected = frame in where
        if detected:
            at = where[frame]
            missed = 0
        else:
            missed += 1
        if missed > 5 * fps:
            presence = counted = 0
            begin = active = None
            continue
        if not at:
            continue
        begin = frame if begin is None else begin
        if presence + 1 < inertia:
            presence += 1
        elif counted + 1 < dwell_s * fps:
            counted += 1
        else:
            quiet = active is None or frame / fps - active > cutoff_s + SLACK
            if detected and quiet:
                alerts.append((frame, begin))
            if detected or not quiet:
                active = frame / fps
    return alerts
