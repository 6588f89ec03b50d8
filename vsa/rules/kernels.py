"""The loops of the rules, compiled: one pass over the rows of each track.

Rows come grouped by track and without gaps (:class:`vsa.rules.tracks.Tracks`). A kernel returns what each row's state
and clock were, and the rows at which an alert fired with the row from which its condition was counted. Written for
speed; ``tests/reference`` holds the slow twins that must agree.

What it cannot tell you: anything a rule does not say itself. See each rule's own module.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

#: Durations are compared with this slack, far below a frame: 60 s at 12.5 frames a second is 750 frames, not 751.
EPS: Final = 1e-9
OUT, CANDIDATE, IN, ALERTED, COOLDOWN = 0, 1, 2, 3, 4
CONTINUOUS, CUMULATIVE, FIRST_SEEN = 0, 1, 2


@njit(cache=True)
def dwell(
    first: Any,
    t: Any,
    seen: Any,
    inside: Any,
    xy: Any,
    mode: int,
    enter_after: float,
    grace_out: float,
    grace_lost: float,
    threshold: float,
    radius: float,
    rearm: float,
) -> Any:  # pragma: no cover - compiled
    """OUT → CANDIDATE → IN → ALERTED → COOLDOWN, once per track; see :class:`vsa.rules.loitering.Loitering`."""
    n = len(t)
    state, clock = np.zeros(n, np.int8), np.zeros(n)
    fired, since = np.empty(n, np.int64), np.empty(n, np.int64)
    m = 0
    for k in range(len(first) - 1):
        s = OUT
        start = -1  # row from which the clock counts
        entry = 0  # row of the last entry
        last_in = 0  # last row seen inside
        total = 0.0  # the cumulative clock
        back_start, back_total = -1, 0.0  # what they were before this entry
        strayed = False  # seen outside since last_in
        known_in = False
        cool_until = 0.0
        ox, oy = 0.0, 0.0
        for i in range(first[k], first[k + 1]):
            now = t[i]
            here = seen[i] and inside[i]
            if seen[i]:
                known_in = inside[i]
                if not inside[i]:
                    strayed = True
            if s in (CANDIDATE, IN, ALERTED):
                grace = grace_lost if (not seen[i] and known_in) else grace_out
                if s == CANDIDATE and not known_in:
                    grace = -1.0
                gone = not here and now - t[last_in] > grace + EPS
                moved = False
                if here and not gone:
                    dx, dy = xy[i, 0] - ox, xy[i, 1] - oy
                    moved = dx * dx + dy * dy > radius * radius
                if gone or moved:
                    if s == ALERTED:
                        s, cool_until, start, total = COOLDOWN, now + rearm, -1, 0.0
                    elif moved:
                        s, start, entry, total = CANDIDATE, i, i, 0.0
                        back_start, back_total = -1, 0.0
                        ox, oy, last_in, strayed = xy[i, 0], xy[i, 1], i, False
                    else:
                        if s == CANDIDATE:  # never confirmed: as if it had not happened
                            start, total = back_start, back_total
                        elif mode == CONTINUOUS:
                            start, total = -1, 0.0
                        s = OUT
            if s == COOLDOWN and now >= cool_until - EPS:
                s = OUT
            if here:
                if s == OUT:
                    s, entry, back_start, back_total = CANDIDATE, i, start, total
                    ox, oy = xy[i, 0], xy[i, 1]
                    if start < 0:
                        start = i
                elif s != COOLDOWN and not strayed and i > last_in:
                    total += now - t[last_in]
                last_in, strayed = i, False
                if s == CANDIDATE and now - t[entry] >= enter_after - EPS:
                    s = IN
            if start >= 0 and s != COOLDOWN:
                clock[i] = total if mode == CUMULATIVE else now - t[start]
            if s == IN and here and clock[i] >= threshold - EPS:
                s = ALERTED
                fired[m], since[m] = i, start
                m += 1
            state[i] = s
    return state, clock, fired[:m].copy(), since[:m].copy()


@njit(cache=True)
def timer(
    first: Any, t: Any, seen: Any, inside: Any, threshold: float, reset_outside: bool
) -> Any:  # pragma: no cover - compiled
    """A stamp at the first frame inside, kept, or deleted at the first frame seen outside."""
    n = len(t)
    state, clock = np.zeros(n, np.int8), np.zeros(n)
    fired, since = np.empty(n, np.int64), np.empty(n, np.int64)
    m = 0
    for k in range(len(first) - 1):
        stamp = -1
        alerted = False
        for i in range(first[k], first[k + 1]):
            if seen[i]:
                if inside[i]:
                    if stamp < 0:
                        stamp = i
                elif reset_outside:
                    stamp, alerted = -1, False
            if stamp >= 0:
                clock[i] = t[i] - t[stamp]
                state[i] = IN if inside[i] else OUT
                if seen[i] and inside[i] and not alerted and clock[i] >= threshold - EPS:
                    alerted = True
                    fired[m], since[m] = i, stamp
                    m += 1
                if alerted and inside[i]:
                    state[i] = ALERTED
    return state, clock, fired[:m].copy(), since[:m].copy()


@njit(cache=True)
def _iou(box: Any, i: int, j: int) -> float:  # pragma: no cover - compiled
    w = min(box[i, 2], box[j, 2]) - max(box[i, 0], box[j, 0])
    h = min(box[i, 3], box[j, 3]) - max(box[i, 1], box[j, 1])
    if w <= 0.0 or h <= 0.0:
        return 0.0
    a = (box[i, 2] - box[i, 0]) * (box[i, 3] - box[i, 1])
    b = (box[j, 2] - box[j, 0]) * (box[j, 3] - box[j, 1])
    return float(w * h / (a + b - w * h))


@njit(cache=True)
def frigate(
    first: Any,
    t: Any,
    ticks: Any,
    seen: Any,
    inside: Any,
    box: Any,
    inertia: int,
    needed: float,
    rate: float,
    coast: float,
    cutoff: float,
    move_iou: float,
) -> Any:  # pragma: no cover - compiled
    """Presence up to ``inertia`` processed frames, then one more for each processed frame inside, never taken back."""
    n = len(t)
    state, clock = np.zeros(n, np.int8), np.zeros(n)
    fired, since = np.empty(n, np.int64), np.empty(n, np.int64)
    m = 0
    for k in range(len(first) - 1):
        presence, score, start, missed = 0, 0, -1, 0
        shown = 0.0  # what the clock says: held outside the zone, the step over the threshold too
        last_active = -np.inf
        open_alert = False
        has_moved = False
        origin = first[k]
        for i in range(first[k], first[k + 1]):
            s = OUT
            if ticks[i]:
                if seen[i]:
                    if missed > coast:
                        origin = i
                    missed = 0
                    has_moved = has_moved or _iou(box, origin, i) < move_iou
                else:
                    missed += 1
                if missed > coast:  # forgotten: whoever comes back is somebody else
                    presence, score, start, open_alert, has_moved = 0, 0, -1, False, False
                    shown = 0.0
                    last_active = -np.inf
                elif inside[i]:
                    if start < 0:
                        start = i
                    if presence + 1 >= inertia:
                        if score + 1 < needed:
                            score += 1
                            reached = False
                        else:
                            reached = True
                        s = IN
                        shown = (score + 1) / rate if reached else score / rate
                        clock[i] = shown
                        if reached:
                            if open_alert and t[i] - last_active > cutoff + EPS:
                                open_alert = False
                            if seen[i] and has_moved:
                                if not open_alert:
                                    open_alert = True
                                    fired[m], since[m] = i, start
                                    m += 1
                                last_active = t[i]
                            elif open_alert:
                                last_active = t[i]
                        if open_alert and t[i] - last_active <= cutoff + EPS:
                            s = ALERTED
                    else:
                        presence += 1
                        s = CANDIDATE
                else:
                    clock[i] = shown
                    if open_alert and t[i] - last_active <= cutoff + EPS:
                        s = COOLDOWN
                state[i] = s
            elif i > first[k]:
                state[i], clock[i] = state[i - 1], clock[i - 1]
    return state, clock, fired[:m].copy(), since[:m].copy()


@njit(cache=True)
def trailing(first: Any, t: Any, seen: Any, xy: Any, window: float, slack: float) -> Any:  # pragma: no cover - compiled
    """Displacement of each seen row since the seen row one window earlier: (dx, dy, dt), NaN before there is one."""
    n = len(t)
    out = np.full((n, 3), np.nan)
    for k in range(len(first) - 1):
        j = first[k]
        for i in range(first[k], first[k + 1]):
            if not seen[i]:
                continue
            while j < i and (not seen[j] or t[i] - t[j] > window + EPS):
                j += 1
            span = t[i] - t[j]
            if span > 0.0 and span >= window - slack:
                out[i, 0], out[i, 1], out[i, 2] = xy[i, 0] - xy[j, 0], xy[i, 1] - xy[j, 1], span
    return out


@njit(cache=True)
def hysteresis(value: Any, on: float, off: float) -> Any:  # pragma: no cover - compiled
    """On from the first value at or above ``on`` until one falls below ``off``."""
    out = np.zeros(len(value), np.bool_)
    up = False
    for i in range(len(value)):
        if value[i] >= on:
            up = True
        elif not value[i] >= off:
            up = False
        out[i] = up
    return out


@njit(cache=True)
def sides(
    first: Any, frame: Any, seen: Any, valid: Any, left: Any, right: Any, threshold: int
) -> Any:  # pragma: no cover - compiled
    """Crossings against the last confirmed side; −1 towards the left, +1 towards the right."""
    n = len(frame)
    state, run = np.zeros(n, np.int8), np.zeros(n)
    fired, since, sign = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    m = 0
    length = max(2, threshold + 1)
    for k in range(len(first) - 1):
        confirmed, current, held, entries, absent, start = -1, -1, 0, 0, 0, -1
        for i in range(first[k], first[k + 1]):
            if not seen[i]:
                absent += 1
                if absent >= length:
                    confirmed, current, held, entries = -1, -1, 0, 0
            else:
                absent = 0
                if valid[i] and not (left[i] and right[i]):
                    side = 1 if left[i] else 0
                    held = held + 1 if side == current else 1
                    if side != current:
                        current = side
                    if confirmed < 0:
                        confirmed = side
                    if side == confirmed:
                        start = i
                    entries = min(entries + 1, length)
                    # A deque of `length` whose entries after the oldest are all on the new side.
                    if entries >= length and side != confirmed and held >= length - 1:
                        confirmed = side
                        fired[m], since[m] = i, start
                        sign[m] = -1.0 if side == 1 else 1.0
                        m += 1
                        start = i
            state[i] = OUT if confirmed < 0 else (CANDIDATE if current != confirmed else IN)
            if m > 0 and fired[m - 1] == i:
                state[i] = ALERTED
            run[i] = held
    return state, run, fired[:m].copy(), since[:m].copy(), sign[:m].copy()


@njit(cache=True)
def _turn(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:  # pragma: no cover - compiled
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@njit(cache=True)
def _on(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> bool:  # pragma: no cover - compiled
    return bool(min(ax, bx) <= cx <= max(ax, bx) and min(ay, by) <= cy <= max(ay, by))


@njit(cache=True)
def segments(
    first: Any, t: Any, seen: Any, xy: Any, line: Any, up: float, touch: bool, once: bool, rearm: float
) -> Any:  # pragma: no cover - compiled
    """Steps of a track that cross a segment: by change of side, or by touching it."""
    n = len(t)
    ax, ay, bx, by = line[0], line[1], line[2], line[3]
    fired, since, sign = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    m = 0
    for k in range(len(first) - 1):
        prev = -1
        last = -np.inf
        for i in range(first[k], first[k + 1]):
            if not seen[i] or not np.isfinite(xy[i, 0] + xy[i, 1]):
                continue
            if prev >= 0:
                px, py, qx, qy = xy[prev, 0], xy[prev, 1], xy[i, 0], xy[i, 1]
                d1, d2 = _turn(ax, ay, bx, by, px, py), _turn(ax, ay, bx, by, qx, qy)
                e1, e2 = _turn(px, py, qx, qy, ax, ay), _turn(px, py, qx, qy, bx, by)
                if touch:
                    met = d1 * d2 < 0 and e1 * e2 < 0
                    met = met or (d1 == 0 and _on(ax, ay, bx, by, px, py)) or (d2 == 0 and _on(ax, ay, bx, by, qx, qy))
                    met = met or (e1 == 0 and _on(px, py, qx, qy, ax, ay)) or (e2 == 0 and _on(px, py, qx, qy, bx, by))
                else:
                    met = (d1 * up > 0) != (d2 * up > 0) and e1 * e2 <= 0
                if met and t[i] - last >= rearm - EPS:
                    fired[m], since[m] = i, prev
                    sign[m] = -1.0 if d2 * up > d1 * up else 1.0
                    m += 1
                    last = np.inf if once else t[i]
            prev = i
    return fired[:m].copy(), since[:m].copy(), sign[:m].copy()


@njit(cache=True)
def falls(
    first: Any,
    t: Any,
    seen: Any,
    box: Any,
    upright: float,
    flat: float,
    low: float,
    drop: float,
    within: float,
    stay: float,
    grace: float,
) -> Any:  # pragma: no cover - compiled
    """Upright, then down within a moment, then down for a while. The clock counts the time spent down."""
    n = len(t)
    state, clock = np.zeros(n, np.int8), np.zeros(n)
    fired, since = np.empty(n, np.int64), np.empty(n, np.int64)
    m = 0
    for k in range(len(first) - 1):
        s, start, stood, last_down = OUT, -1, -1, 0
        for i in range(first[k], first[k + 1]):
            if seen[i]:
                w, h = box[i, 2] - box[i, 0], box[i, 3] - box[i, 1]
                down, tall = False, 0.0
                if stood >= 0:
                    tall = box[stood, 3] - box[stood, 1]
                    lowered = w >= flat * h or h <= low * tall
                    if s == OUT:
                        sank = box[i, 1] - box[stood, 1] >= drop * tall
                        down = lowered and sank and t[i] - t[stood] <= within + EPS
                    else:
                        down = lowered
                if down:
                    if s == OUT:
                        s, start = CANDIDATE, i
                    last_down = i
                elif s == OUT:
                    # The reference follows a standing person, but not one who is already sinking.
                    sinking = stood >= 0 and t[i] - t[stood] <= within + EPS and h < 0.95 * tall
                    if w <= upright * h and not sinking:
                        stood = i
                elif t[i] - t[last_down] > grace + EPS:
                    s, start = OUT, -1
                    stood = i if w <= upright * h else -1
            elif s == CANDIDATE and t[i] - t[last_down] > grace + EPS:
                s, start = OUT, -1
            if start >= 0:
                clock[i] = t[i] - t[start]
            if s == CANDIDATE and seen[i] and last_down == i and clock[i] >= stay - EPS:
                s = ALERTED
                fired[m], since[m] = i, start
                m += 1
            state[i] = s
    return state, clock, fired[:m].copy(), since[:m].copy()
