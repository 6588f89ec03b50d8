"""Which points of a place the sun reaches.

What it cannot tell you: the sun is a point, so the shadows of buildings have hard edges.
"""

from __future__ import annotations

import numba
import numpy as np

from synthetic_data.scenes.raycaster import F64, I64, meet


@numba.njit(cache=True, nogil=True, error_model="numpy")
def enter_box(box: F64, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float) -> float:
    """Distance, in lengths of the direction, at which a ray from outside enters a box; infinite if it does not."""
    low, high = 0.0, np.inf
    origin, way = (ox, oy, oz), (dx, dy, dz)
    for k in range(3):
        if way[k] == 0.0:
            if origin[k] < box[k] or origin[k] > box[k + 3]:
                return np.inf
            continue
        a, b = (box[k] - origin[k]) / way[k], (box[k + 3] - origin[k]) / way[k]
        low, high = max(low, min(a, b)), min(high, max(a, b))
    return low if 0.0 < low <= high else np.inf


@numba.njit(cache=True, nogil=True, error_model="numpy")
def across(sun: F64) -> tuple[F64, F64]:
    """Two unit vectors across the sun's rays and each other."""
    flat = np.sqrt(sun[0] * sun[0] + sun[1] * sun[1])
    first, second = np.zeros(3), np.zeros(3)
    first[0], first[1] = (-sun[1] / flat, sun[0] / flat) if flat > 1e-9 else (1.0, 0.0)
    second[0], second[1] = -first[1] * sun[2], first[0] * sun[2]
    second[2] = sun[0] * first[1] - sun[1] * first[0]
    return first, second


@numba.njit(cache=True, nogil=True, error_model="numpy")
def casters(boxes: F64, cones: F64, sun: F64, tallest_m: float) -> tuple[F64, I64, I64, I64]:
    """What may hide the sun, sorted into squares of a plane across its rays, so that a ray asks only its own square.

    Returns
    -------
    frame : ndarray of shape (3,)
        Where the squares begin along each axis, and their side.
    shape : ndarray of shape (2,)
        Squares along each axis.
    first : ndarray of shape (squares + 1,)
        Where the list of each square begins in ``things``.
    things : ndarray
        Ranks of boxes, then of cones.
    """
    total = len(boxes) + len(cones)
    first_axis, second_axis = across(sun)
    span = np.empty((total, 4))
    for k in range(total):
        span[k] = (np.inf, np.inf, -np.inf, -np.inf)
        if k < len(boxes):
            for corner in range(8):
                x = boxes[k, 0 if corner & 1 else 3]
                y = boxes[k, 1 if corner & 2 else 4]
                z = boxes[k, 2 if corner & 4 else 5]
                a = first_axis[0] * x + first_axis[1] * y
                b = second_axis[0] * x + second_axis[1] * y + second_axis[2] * z
                span[k] = (min(span[k, 0], a), min(span[k, 1], b), max(span[k, 2], a), max(span[k, 3], b))
        else:
            for end in (0, 4):
                cone = cones[k - len(boxes)]
                a = first_axis[0] * cone[end] + first_axis[1] * cone[end + 1]
                b = second_axis[0] * cone[end] + second_axis[1] * cone[end + 1] + second_axis[2] * cone[end + 2]
                r = cone[end + 3]
                span[k] = (
                    min(span[k, 0], a - r), min(span[k, 1], b - r), max(span[k, 2], a + r), max(span[k, 3], b + r),
                )  # fmt: skip
    side = 0.75
    frame, shape = np.zeros(3), np.ones(2, dtype=np.int64)
    frame[2] = side
    if total > 0:
        frame[0], frame[1] = span[:, 0].min(), span[:, 1].min()
        shape[0] = int((span[:, 2].max() - frame[0]) / side) + 1
        shape[1] = int((span[:, 3].max() - frame[1]) / side) + 1
    first = np.zeros(shape[0] * shape[1] + 1, dtype=np.int64)
    things = np.empty(0, dtype=np.int64)
    for turn in range(2):  # count, then fill
        if turn == 1:
            first[1:] = np.cumsum(first[1:])
            things = np.empty(first[-1], dtype=np.int64)
            free = first[:-1].copy()
        for k in range(total):
            if k < len(boxes) and boxes[k, 5] > tallest_m:
                continue
            for a in range(int((span[k, 0] - frame[0]) / side), int((span[k, 2] - frame[0]) / side) + 1):
                for b in range(int((span[k, 1] - frame[1]) / side), int((span[k, 3] - frame[1]) / side) + 1):
                    cell = a * shape[1] + b
                    if turn == 0:
                        first[cell + 1] += 1
                    else:
                        things[free[cell]] = k
                        free[cell] += 1
    return frame, shape, first, things


@numba.njit(cache=True, nogil=True, error_model="numpy")
def in_sun(
    boxes: F64, cones: F64, frame: F64, shape: I64, first: I64, things: I64, skip: int, x: float, y: float, z: float,
    sun: F64, ax: F64, bx: F64,
) -> float:  # fmt: skip
    """0 if a box or cone stands between a point and the sun, else 1."""
    a = int(np.floor((ax[0] * x + ax[1] * y - frame[0]) / frame[2]))
    b = int(np.floor((bx[0] * x + bx[1] * y + bx[2] * z - frame[1]) / frame[2]))
    if a < 0 or b < 0 or a >= shape[0] or b >= shape[1]:
        return 1.0
    cell = a * shape[1] + b
    turned = np.empty(8)
    for at in range(first[cell], first[cell + 1]):
        k = things[at]
        if k == skip:
            continue
        if k < len(boxes):
            if enter_box(boxes[k], x, y, z, sun[0], sun[1], sun[2]) < np.inf:
                return 0.0
            continue
        cone = cones[k - len(boxes)]
        for end in (0, 4):  # in axes where the sun is straight ahead
            px, py, pz = cone[end] - x, cone[end + 1] - y, cone[end + 2] - z
            turned[end] = ax[0] * px + ax[1] * py
            turned[end + 1] = bx[0] * px + bx[1] * py + bx[2] * pz
            turned[end + 2] = sun[0] * px + sun[1] * py + sun[2] * pz
            turned[end + 3] = cone[end + 3]
        if meet(turned, 0.0, 0.0) < np.inf:
            return 0.0
    return 1.0
