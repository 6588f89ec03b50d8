"""Rounded cones seen by a pinhole camera: which is in front at each sample, and whose it is.

A rounded cone is what a ball sweeps while its centre goes straight from one point to another and its radius changes
evenly: a limb, a trunk, a wheel's segment. A ray meets it in closed form, so a body needs no mesh and no iteration.

Every sum runs in one fixed order on one thread, without fast arithmetic, and uses nothing but ``+ - * /`` and square
roots: the same cones give the same bytes whatever the number of processes or threads.

What it cannot tell you: bodies are smooth.

Notes
-----
With ``w = p - a``, ``e = b - a``, ``δ = ra - rb``, ``m = |e|² - δ²`` and ``q = w·e``, the cone that touches both balls
is ``m |w|² - q² + 2 ra δ q - ra² |e|² = 0``; the point ``p`` belongs to the part between the balls when
``0 < q - ra δ < m``. Elsewhere the ray meets one of the two balls first, or nothing.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

#: Columns of an array of cones in the scene: ends, radii (metres), albedo (linear).
AX, AY, AZ, RA, BX, BY, BZ, RB, RED, GREEN, BLUE = range(11)
CONE_COLUMNS: Final = 11
#: Nothing nearer than this to the optical centre is drawn.
NEAR_M: Final = 0.05
#: A body closer to what stands behind it than this is in front of it: depths are held in single precision.
DEPTH_BIAS_M: Final = 1e-3
FAR: Final = np.float32(np.inf)


@numba.njit(cache=True, nogil=True)
def mix(value: int) -> int:
    """Scramble 32 bits: every bit of the input moves half of those of the output."""
    h = value & 0xFFFFFFFF
    h ^= h >> 16
    h = (h * 0x7FEB352D) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 0x846CA68B) & 0xFFFFFFFF
    h ^= h >> 16
    return h


@numba.njit(cache=True, nogil=True, error_model="numpy")
def ball_span(across: float, ahead: float, radius: float) -> tuple[float, float]:
    """Least and greatest tangent of the angle under which a ball in front of the eye is seen, in one plane."""
    below = ahead * ahead - radius * radius
    reach = radius * np.sqrt(across * across + below)
    return (across * ahead - reach) / below, (across * ahead + reach) / below


@numba.njit(cache=True, nogil=True, error_model="numpy")
def cone_span(cone: F64, focal: float, half_w: float, half_h: float) -> tuple[float, float, float, float]:
    """Exact bounds, in pixels, of a cone in the camera's axes; the whole plane if it reaches behind the eye."""
    if cone[AZ] - cone[RA] < NEAR_M or cone[BZ] - cone[RB] < NEAR_M:
        if cone[AZ] + cone[RA] < NEAR_M and cone[BZ] + cone[RB] < NEAR_M:
            return 0.0, 0.0, 0.0, 0.0
        return -1e9, -1e9, 1e9, 1e9
    left_a, right_a = ball_span(cone[AX], cone[AZ], cone[RA])
    left_b, right_b = ball_span(cone[BX], cone[BZ], cone[RB])
    top_a, low_a = ball_span(cone[AY], cone[AZ], cone[RA])
    top_b, low_b = ball_span(cone[BY], cone[BZ], cone[RB])
    return (
        min(left_a, left_b) * focal + half_w,
        min(top_a, top_b) * focal + half_h,
        max(right_a, right_b) * focal + half_w,
        max(low_a, low_b) * focal + half_h,
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def to_camera(cones: F64, axes: F64, centre: F64) -> F64:
    """The same cones in the camera's axes: right, down, forward."""
    seen = cones.copy()
    for i in range(len(cones)):
        for end in (AX, BX):
            x, y, z = cones[i, end] - centre[0], cones[i, end + 1] - centre[1], cones[i, end + 2] - centre[2]
            for k in range(3):
                seen[i, end + k] = axes[k, 0] * x + axes[k, 1] * y + axes[k, 2] * z
    return seen


@numba.njit(cache=True, nogil=True, error_model="numpy")
def meet(cone: F64, u: float, v: float) -> float:
    """Depth at which the ray through ``(u, v, 1)`` enters a cone of the camera's axes; infinite if it does not."""
    ex, ey, ez = cone[BX] - cone[AX], cone[BY] - cone[AY], cone[BZ] - cone[AZ]
    ra, rb = cone[RA], cone[RB]
    delta = ra - rb
    m = ex * ex + ey * ey + ez * ez - delta * delta
    d2 = u * u + v * v + 1.0
    ad = cone[AX] * u + cone[AY] * v + cone[AZ]
    aa = cone[AX] * cone[AX] + cone[AY] * cone[AY] + cone[AZ] * cone[AZ]
    if m > 1e-12:
        ed = ex * u + ey * v + ez
        q = -(cone[AX] * ex + cone[AY] * ey + cone[AZ] * ez)
        a = m * d2 - ed * ed
        b = ed * (ra * delta - q) - m * ad
        c = m * aa - q * q + 2.0 * ra * delta * q - ra * ra * (m + delta * delta)
        square = b * b - a * c
        if square < 0.0:
            return np.inf
        if a != 0.0:
            s = (-b - np.sqrt(square)) / a
            along = q - ra * delta + s * ed
            if 0.0 < along < m:
                return s if s > NEAR_M else np.inf
    best = np.inf
    square = ad * ad - d2 * (aa - ra * ra)
    if square >= 0.0:
        s = (ad - np.sqrt(square)) / d2
        if s > NEAR_M:
            best = s
    bd = cone[BX] * u + cone[BY] * v + cone[BZ]
    square = bd * bd - d2 * (cone[BX] * cone[BX] + cone[BY] * cone[BY] + cone[BZ] * cone[BZ] - rb * rb)
    if square >= 0.0:
        s = (bd - np.sqrt(square)) / d2
        if NEAR_M < s < best:
            best = s
    return best


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _draw_cone(
    cone: F64, index: int, near: F32, which: I32, focal: float, samples: int, up: F64, height_m: float
) -> tuple[int, int, int, int]:
    """Write depth and index of one cone where it is the nearest; return the samples it may have touched.

    Same algebra as :func:`meet`, what does not depend on the sample taken out of the loop.
    """
    rows, columns = near.shape
    half_w, half_h = columns / samples / 2.0, rows / samples / 2.0
    x1, y1, x2, y2 = cone_span(cone, focal, half_w, half_h)
    i1, i2 = max(0, int(np.floor(max(x1, -1.0) * samples))), min(columns, int(np.ceil(min(x2, 1e6) * samples)) + 1)
    j1, j2 = max(0, int(np.floor(max(y1, -1.0) * samples))), min(rows, int(np.ceil(min(y2, 1e6) * samples)) + 1)
    if i1 >= i2 or j1 >= j2:
        return 0, 0, 0, 0
    ax, ay, az, ra = cone[AX], cone[AY], cone[AZ], cone[RA]
    bx, by, bz, rb = cone[BX], cone[BY], cone[BZ], cone[RB]
    ex, ey, ez = bx - ax, by - ay, bz - az
    delta = ra - rb
    m = ex * ex + ey * ey + ez * ez - delta * delta
    aa, bb = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz
    q = -(ax * ex + ay * ey + az * ez)
    slant = ra * delta - q
    c = m * aa - q * q + 2.0 * ra * delta * q - ra * ra * (m + delta * delta)
    for j in range(j1, j2):
        v = ((j + 0.5) / samples - half_h) / focal
        for i in range(i1, i2):
            u = ((i + 0.5) / samples - half_w) / focal
            d2 = u * u + v * v + 1.0
            ad = ax * u + ay * v + az
            s = np.inf
            side = False
            if m > 1e-12:
                ed = ex * u + ey * v + ez
                a = m * d2 - ed * ed
                b = ed * slant - m * ad
                square = b * b - a * c
                if square < 0.0:
                    continue
                if a != 0.0:
                    s = (-b - np.sqrt(square)) / a
                    along = s * ed - slant
                    side = 0.0 < along < m
            if not side:
                s = np.inf
                square = ad * ad - d2 * (aa - ra * ra)
                if square >= 0.0:
                    s = (ad - np.sqrt(square)) / d2
                    if s <= NEAR_M:
                        s = np.inf
                bd = bx * u + by * v + bz
                square = bd * bd - d2 * (bb - rb * rb)
                if square >= 0.0:
                    other = (bd - np.sqrt(square)) / d2
                    if NEAR_M < other < s:
                        s = other
            if NEAR_M < s < near[j, i] and height_m + s * (up[0] * u + up[1] * v + up[2]) >= 0.0:
                near[j, i] = s
                which[j, i] = index
    return i1, j1, i2, j2


@numba.njit(cache=True, nogil=True, error_model="numpy")
def cast_groups(
    cones: F64,
    groups: I64,
    behind: F32,
    focal: float,
    up: F64,
    height_m: float,
    samples: int,
    n_subjects: int,
    near: F32,
    which: I32,
    alone_near: F32,
    alone_which: I32,
    reach: I64,
) -> tuple[I64, I64]:
    """Draw groups of cones one after another, each first alone, then in front of or behind what is there.

    Parameters
    ----------
    cones : ndarray of shape (n, 11)
        In the camera's axes.
    groups : ndarray of shape (g, 3)
        First and last + 1 cone, and the subject they belong to, -1 for what belongs to nobody.
    behind : ndarray of shape (rows, columns)
        Depth of the background at each sample.
    near, which : ndarray of shape (rows, columns)
        Nearest depth and its cone, -1 where none; overwritten.
    alone_near, alone_which : ndarray of shape (rows, columns)
        Scratch, infinite and -1 on entry and on return.
    reach : ndarray of shape (height, 2)
        First and last + 1 column of pixels that a body may touch in each row; overwritten.

    Returns
    -------
    full_px : ndarray of shape (n_subjects,)
        Pixels of which the subject alone, with no background, holds at least half of the samples.
    full_box : ndarray of shape (n_subjects, 4)
        Their bounds ``x1, y1, x2, y2`` (excluded on the right and below).
    """
    rows, columns = near.shape
    near[:, :] = FAR
    which[:, :] = -1
    reach[:, 0] = columns
    reach[:, 1] = 0
    full_px = np.zeros(n_subjects, dtype=np.int64)
    full_box = np.zeros((n_subjects, 4), dtype=np.int64)
    for g in range(len(groups)):
        i1, j1, i2, j2 = columns, rows, 0, 0
        for k in range(groups[g, 0], groups[g, 1]):
            a, b, c, d = _draw_cone(cones[k], k, alone_near, alone_which, focal, samples, up, height_m)
            if a < c and b < d:
                i1, j1, i2, j2 = min(i1, a), min(j1, b), max(i2, c), max(j2, d)
        if i1 >= i2 or j1 >= j2:
            continue
        subject = groups[g, 2]
        x1, y1, x2, y2 = columns, rows, 0, 0
        for y in range(j1 // samples, (j2 + samples - 1) // samples):
            reach[y, 0] = min(reach[y, 0], i1 // samples)
            reach[y, 1] = max(reach[y, 1], (i2 + samples - 1) // samples)
            for x in range(i1 // samples, (i2 + samples - 1) // samples):
                held = 0
                for j in range(y * samples, (y + 1) * samples):
                    for i in range(x * samples, (x + 1) * samples):
                        k = alone_which[j, i]
                        if k >= 0:
                            held += 1
                            s = alone_near[j, i]
                            if s < near[j, i] and s < behind[j, i] + DEPTH_BIAS_M:
                                near[j, i] = s
                                which[j, i] = k
                            alone_near[j, i] = FAR
                            alone_which[j, i] = -1
                if subject >= 0 and 2 * held >= samples * samples:
                    full_px[subject] += 1
                    x1, y1, x2, y2 = min(x1, x), min(y1, y), max(x2, x + 1), max(y2, y + 1)
        if subject >= 0 and full_px[subject] > 0:
            full_box[subject] = (x1, y1, x2, y2)
    return full_px, full_box


@numba.njit(cache=True, nogil=True, error_model="numpy")
def who_is_seen(
    which: I32, near: F32, reach: I64, subject_of: I64, n_subjects: int, samples: int, seen: I32
) -> tuple[I64, I64]:
    """Subject of each pixel (-1: none): the one that holds at least half of its samples, the nearer if two do.

    Returns
    -------
    visible_px : ndarray of shape (n_subjects,)
    visible_box : ndarray of shape (n_subjects, 4)
    """
    seen[:, :] = -1
    visible_px = np.zeros(n_subjects, dtype=np.int64)
    visible_box = np.zeros((n_subjects, 4), dtype=np.int64)
    visible_box[:, :2] = 1 << 30
    held, far = np.empty(samples * samples, dtype=np.int64), np.empty(samples * samples)
    for y in range(len(seen)):
        for x in range(reach[y, 0], reach[y, 1]):
            n = 0
            for j in range(y * samples, (y + 1) * samples):
                for i in range(x * samples, (x + 1) * samples):
                    k = which[j, i]
                    if k >= 0 and subject_of[k] >= 0:
                        held[n], far[n] = subject_of[k], near[j, i]
                        n += 1
            winner, closest = -1, np.inf
            if 2 * n >= samples * samples:
                for first in range(n):
                    same = 0
                    for other in range(first, n):
                        same += held[other] == held[first]
                    if 2 * same >= samples * samples and far[first] < closest:
                        winner, closest = held[first], far[first]
            seen[y, x] = winner
            if winner >= 0:
                visible_px[winner] += 1
                box = visible_box[winner]
                box[0], box[1] = min(box[0], x), min(box[1], y)
                box[2], box[3] = max(box[2], x + 1), max(box[3], y + 1)
    return visible_px, visible_box
