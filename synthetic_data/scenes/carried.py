"""What bodies hold, wear, push or leave on the ground, as rounded cones.

What it cannot tell you: things are shapes one recognises from thirty metres, without brand, letter or content.
"""

from __future__ import annotations

import numba
import numpy as np

from synthetic_data.scenes.appearance import EXTRA, SHOE, THING, TOP
from synthetic_data.scenes.raycaster import F64
from synthetic_data.scenes.stances import (
    BACKPACK,
    BLANKET,
    CIGARETTE,
    FORE_L,
    FORE_R,
    HANDBAG,
    INSTRUMENT,
    LEAFLETS,
    PHONE,
    SIDE,
    TRUNK,
)  # fmt: skip


@numba.njit(cache=True, nogil=True)
def put(cones: F64, n: int, p: F64, ra: float, q: F64, rb: float, look: F64, colour: int, tone: float) -> int:
    """Write one cone from ball to ball in row ``n``, in a colour of the appearance times ``tone``; return ``n + 1``."""
    for k in range(3):
        cones[n, k], cones[n, 4 + k], cones[n, 8 + k] = p[k], q[k], min(0.95, look[colour + k] * tone)
    cones[n, 3], cones[n, 7] = ra, rb
    return n + 1


@numba.njit(cache=True, nogil=True)
def at(x: float, y: float, z: float) -> F64:
    """A point."""
    p = np.empty(3)
    p[0], p[1], p[2] = x, y, z
    return p


@numba.njit(cache=True, nogil=True)
def carried(
    h: float, w: float, bits: int, d: F64, ahead: F64, neck: F64, hips: F64, crown: F64, head_r: float, hand_l: F64,
    hand_r: F64, knee_l: F64, knee_r: F64, ankle_l: F64, ankle_r: F64, upright: float, look: F64, cones: F64, n: int,
) -> int:  # fmt: skip
    """What hangs on the body and moves with it."""
    side, trunk = d[SIDE], d[TRUNK]
    pale = look.copy()
    pale[EXTRA : EXTRA + 3] = 0.88
    dark = look.copy()
    dark[EXTRA : EXTRA + 3] = 0.012
    if bits & PHONE:
        n = put(cones, n, hand_r + d[FORE_R] * 0.05, 0.022, hand_r + d[FORE_R] * 0.15, 0.022, dark, EXTRA, 1.0)
    if bits & CIGARETTE:
        tip = hand_r + d[FORE_R] * 0.07
        n = put(cones, n, tip, 0.012, tip + ahead * 0.08, 0.012, pale, EXTRA, 1.0)
    if bits & LEAFLETS:
        sheet = hand_r + d[FORE_R] * 0.08
        n = put(cones, n, sheet - side * 0.06, 0.03, sheet + side * 0.06, 0.03, pale, EXTRA, 1.0)
        stack = hand_l + d[FORE_L] * 0.03
        n = put(cones, n, stack - side * 0.10, 0.05, stack + side * 0.08, 0.05, pale, EXTRA, 0.9)
    if bits & BACKPACK:
        high, low = neck - trunk * (0.07 * h) - ahead * (0.105 * w), neck - trunk * (0.22 * h) - ahead * (0.12 * w)
        n = put(cones, n, high - side * (0.03 * w), 0.062 * w, low - side * (0.03 * w), 0.075 * w, look, THING, 1.0)
        n = put(cones, n, high + side * (0.03 * w), 0.062 * w, low + side * (0.03 * w), 0.075 * w, look, THING, 1.0)
        for s in (-1.0, 1.0):
            strap = neck + side * (s * 0.066 * w) - trunk * (0.005 * h) + ahead * (0.04 * w)
            low = neck + side * (s * 0.066 * w) - trunk * (0.15 * h) + ahead * (0.056 * w)
            n = put(cones, n, strap, 0.024 * w, low, 0.024 * w, look, THING, 0.8)
    if bits & HANDBAG:
        hang = hand_r + d[FORE_R] * 0.05
        low = hang - at(0.0, 0.0, 0.24)
        n = put(cones, n, hang, 0.016, low, 0.016, look, THING, 0.8)
        n = put(cones, n, low - ahead * 0.11, 0.085, low + ahead * 0.11, 0.085, look, THING, 1.0)
    if bits & INSTRUMENT:
        belly = hips + trunk * (0.10 * h) + ahead * (0.13 * w)
        wood = look.copy()
        wood[EXTRA], wood[EXTRA + 1], wood[EXTRA + 2] = 0.36, 0.16, 0.05
        low, high = belly + side * 0.14 - trunk * 0.04, belly - side * 0.08 + trunk * 0.05
        n = put(cones, n, low, 0.15, high, 0.11, wood, EXTRA, 1.0)
        n = put(cones, n, belly - side * 0.12 + trunk * 0.06, 0.025, hand_l + trunk * 0.04 - side * 0.12, 0.022, wood,
                 EXTRA, 0.5)  # fmt: skip
    if bits & BLANKET:
        low = 1.0 - upright
        if low > 0.5:
            n = put(cones, n, hips + trunk * (0.02 * h), 0.105 * w, knee_l, 0.085 * w, look, EXTRA, 0.9)
            n = put(cones, n, hips + trunk * (0.02 * h), 0.105 * w, knee_r, 0.085 * w, look, EXTRA, 0.9)
            n = put(cones, n, knee_l, 0.085 * w, ankle_l, 0.075 * w, look, EXTRA, 0.85)
            n = put(cones, n, knee_r, 0.085 * w, ankle_r, 0.075 * w, look, EXTRA, 0.85)
            n = put(cones, n, (knee_l + hips) * 0.5, 0.095 * w, (knee_r + hips) * 0.5, 0.095 * w, look, EXTRA, 0.9)
            n = put(cones, n, knee_l, 0.085 * w, knee_r, 0.085 * w, look, EXTRA, 0.9)
            knees, ankles = (knee_l + knee_r) * 0.5, (ankle_l + ankle_r) * 0.5
            n = put(cones, n, knees, 0.1 * w, ankles, 0.1 * w, look, EXTRA, 0.9)
            n = put(cones, n, knees, 0.1 * w, hips, 0.12 * w, look, EXTRA, 0.92)
            n = put(cones, n, ankle_l, 0.075 * w, ankle_r, 0.075 * w, look, EXTRA, 0.85)
            if abs(trunk[2]) < 0.5:
                n = put(cones, n, hips, 0.115 * w, neck - trunk * (0.12 * h), 0.105 * w, look, EXTRA, 0.95)
        else:
            n = put(cones, n, neck - side * (0.1 * w), 0.05 * w, neck + side * (0.1 * w), 0.05 * w, look, EXTRA, 0.9)
    return n


@numba.njit(cache=True, nogil=True)
def suitcase(base: F64, r: float, look: F64, cones: F64, n: int) -> int:
    """An upright case over a point near the ground."""
    for k in range(3):
        x = (k - 1) * 0.12
        n = put(cones, n, base + at(x, 0.0, 0.0), r, base + at(x, 0.0, 0.42), r, look, THING, 1.0 - 0.12 * (k % 2))
    return n


@numba.njit(cache=True, nogil=True)
def _wheel(x: float, y: float, r: float, thick: float, parts: int, look: F64, colour: int, cones: F64, n: int) -> int:
    for k in range(parts):
        a, b = 2.0 * np.pi * k / parts, 2.0 * np.pi * (k + 1) / parts
        n = put(cones, n, at(x, y + r * np.cos(a), r + thick + r * np.sin(a)), thick,
                 at(x, y + r * np.cos(b), r + thick + r * np.sin(b)), thick, look, colour, 1.0)  # fmt: skip
    return n


@numba.njit(cache=True, nogil=True)
def wheelchair(seat_m: float, look: F64, cones: F64, n: int) -> int:
    """Wheels, frame, seat and back, under a body that sits at ``seat_m``."""
    metal = look.copy()
    metal[EXTRA : EXTRA + 3] = 0.03
    metal[SHOE : SHOE + 3] = 0.3
    for x in (-0.31, 0.31):
        n = _wheel(x, -0.06, 0.29, 0.022, 10, metal, EXTRA, cones, n)
        for k in range(3):
            a = np.pi * k / 3.0
            y, z = 0.28 * np.cos(a), 0.28 * np.sin(a)
            rim, across = at(x, -0.06 - y, 0.31 - z), at(x, -0.06 + y, 0.31 + z)
            n = put(cones, n, rim, 0.008, across, 0.008, metal, SHOE, 1.0)
        n = put(cones, n, at(0.8 * x, 0.46, 0.07), 0.06, at(0.8 * x, 0.47, 0.07), 0.06, metal, EXTRA, 1.0)
        n = put(cones, n, at(0.8 * x, -0.2, seat_m + 0.42), 0.02, at(0.8 * x, -0.3, seat_m + 0.45), 0.02, metal,
                 EXTRA, 1.0)  # fmt: skip
        n = put(cones, n, at(0.78 * x, -0.16, seat_m), 0.022, at(0.78 * x, -0.2, seat_m + 0.42), 0.022, metal, SHOE,
                 1.0)  # fmt: skip
        n = put(cones, n, at(0.78 * x, 0.28, seat_m - 0.05), 0.02, at(0.6 * x, 0.5, 0.12), 0.02, metal, SHOE, 1.0)
        n = put(cones, n, at(0.5 * x, -0.15, seat_m - 0.06), 0.05, at(0.5 * x, 0.28, seat_m - 0.06), 0.05, metal,
                 EXTRA, 1.0)  # fmt: skip
        n = put(cones, n, at(0.45 * x, -0.2, seat_m + 0.08), 0.04, at(0.45 * x, -0.22, seat_m + 0.36), 0.04, metal,
                 EXTRA, 1.2)  # fmt: skip
    n = put(cones, n, at(-0.16, 0.5, 0.12), 0.025, at(0.16, 0.5, 0.12), 0.025, metal, SHOE, 1.0)
    return n


@numba.njit(cache=True, nogil=True)
def pram(hand_l: F64, hand_r: F64, rise: float, look: F64, cones: F64, n: int) -> int:
    """A pram ahead of two hands, which ``rise`` lifts to where they are."""
    y = max(hand_l[1], hand_r[1]) + 0.05
    z = 0.5 * (hand_l[2] + hand_r[2]) + rise
    metal = look.copy()
    metal[EXTRA : EXTRA + 3] = 0.05
    n = put(cones, n, at(-0.24, y, z), 0.02, at(0.24, y, z), 0.02, metal, EXTRA, 1.0)
    for x in (-0.24, 0.24):
        n = put(cones, n, at(x, y, z), 0.018, at(x, y + 0.75, 0.14), 0.018, metal, EXTRA, 1.0)
        n = put(cones, n, at(x, y + 0.15, 0.14), 0.018, at(x, y + 0.45, 0.45), 0.018, metal, EXTRA, 1.0)
        n = _wheel(x, y + 0.12, 0.11, 0.022, 6, metal, EXTRA, cones, n)
        n = _wheel(x, y + 0.78, 0.11, 0.022, 6, metal, EXTRA, cones, n)
    for x in (-0.1, 0.1):
        n = put(cones, n, at(x, y + 0.22, 0.56), 0.15, at(x, y + 0.72, 0.52), 0.15, look, THING, 1.0)
        n = put(cones, n, at(x, y + 0.24, 0.72), 0.16, at(x, y + 0.36, 0.80), 0.15, look, THING, 0.8)
    return n


@numba.njit(cache=True, nogil=True)
def goods_on_cloth(look: F64, cones: F64, n: int) -> int:
    """A cloth laid on the ground in front of the seller, goods in rows."""
    cloth = look.copy()
    cloth[EXTRA], cloth[EXTRA + 1], cloth[EXTRA + 2] = 0.62, 0.60, 0.56
    for k in range(8):
        y = 0.52 + 0.115 * k
        n = put(cones, n, at(-0.72, y, 0.0), 0.062, at(0.72, y, 0.0), 0.062, cloth, EXTRA, 1.0)
    for row in range(2):
        for k in range(4):
            x, y = -0.54 + 0.36 * k, 0.72 + 0.38 * row
            colour = (THING, SHOE, TOP, EXTRA)[(k + row) % 4]
            n = put(cones, n, at(x - 0.07, y, 0.12), 0.075, at(x + 0.07, y, 0.12), 0.075, look, colour, 1.1)
    return n


@numba.njit(cache=True, nogil=True)
def left_thing(kind: int, look: F64, cones: F64) -> int:
    """A bag, a suitcase or a box that nobody holds."""
    n = 0
    dark = look.copy()
    dark[EXTRA : EXTRA + 3] = 0.02
    if kind == 0:
        n = suitcase(at(0.0, 0.0, 0.11), 0.1, look, cones, n)
        n = put(cones, n, at(-0.07, 0.0, 0.60), 0.014, at(-0.07, 0.0, 0.74), 0.014, dark, EXTRA, 1.0)
        n = put(cones, n, at(0.07, 0.0, 0.60), 0.014, at(0.07, 0.0, 0.74), 0.014, dark, EXTRA, 1.0)
        n = put(cones, n, at(-0.07, 0.0, 0.74), 0.016, at(0.07, 0.0, 0.74), 0.016, dark, EXTRA, 1.0)
    elif kind == 1:
        for x in (-0.07, 0.07):
            n = put(cones, n, at(x, 0.0, 0.12), 0.13, at(x, -0.03, 0.34), 0.10, look, THING, 1.0)
        n = put(cones, n, at(-0.05, 0.10, 0.14), 0.08, at(0.05, 0.10, 0.14), 0.08, look, THING, 0.75)
        n = put(cones, n, at(-0.04, -0.03, 0.46), 0.02, at(0.04, -0.03, 0.46), 0.02, dark, EXTRA, 1.0)
    elif kind == 2:
        n = put(cones, n, at(-0.17, 0.0, 0.13), 0.13, at(0.17, 0.0, 0.13), 0.13, look, THING, 1.0)
        n = put(cones, n, at(-0.12, 0.0, 0.26), 0.018, at(-0.06, 0.0, 0.38), 0.018, dark, EXTRA, 1.0)
        n = put(cones, n, at(0.12, 0.0, 0.26), 0.018, at(0.06, 0.0, 0.38), 0.018, dark, EXTRA, 1.0)
        n = put(cones, n, at(-0.06, 0.0, 0.38), 0.02, at(0.06, 0.0, 0.38), 0.02, dark, EXTRA, 1.0)
    else:
        card = look.copy()
        card[EXTRA], card[EXTRA + 1], card[EXTRA + 2] = 0.42, 0.26, 0.12
        for level in range(3):
            for row in range(4):
                y, z = -0.15 + 0.1 * row, 0.06 + 0.12 * level
                tone = 0.85 if level == 1 and 0 < row < 3 else 1.0
                n = put(cones, n, at(-0.18, y, z), 0.07, at(0.18, y, z), 0.07, card, EXTRA, tone)
    return n
