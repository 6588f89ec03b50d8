"""From a posture, a gait, what is carried and an appearance seed to the rounded cones of a body.

A body is a chain of directions (trunk, head, two segments for each limb) laid end to end from the pelvis, so that a
blend of two postures keeps the length of every limb: falling is standing turned into lying, sitting down is standing
turned into sitting. Its proportions are those of an adult or, under 1.4 m, of a child.

What it cannot tell you: no face, no age but the height, no sex, no origin is drawn.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from contrechamp.domain.situations import ACCESSORIES, POSTURES
from synthetic_data.scenes.appearance import (
    APPEARANCE_COLUMNS,
    BEAT,
    BOTTOM,
    COAT,
    EXTRA,
    HAIR,
    HAT,
    LONG_HAIR,
    SHOE,
    SHORT_SLEEVES,
    SKIN,
    SKIRT,
    THING,
    TOP,
    appearance,
)  # fmt: skip
from synthetic_data.scenes.carried import at, carried, goods_on_cloth, left_thing, pram, put, suitcase, wheelchair
from synthetic_data.scenes.raycaster import CONE_COLUMNS, F64, I64
from synthetic_data.scenes.stances import (
    ARM_L,
    ARM_R,
    BROOM,
    CANE,
    FOOT_L,
    FOOT_R,
    FORE_L,
    FORE_R,
    GROUND,
    HEAD,
    HI_VIS,
    LYING,
    N_DIRECTIONS,
    PRAM,
    ROLLING,
    SHIN_L,
    SHIN_R,
    SIDE,
    SITTING,
    STALL,
    SUITCASE,
    THIGH_L,
    THIGH_R,
    TRUNK,
    WHEELCHAIR,
    aim,
    hands,
    stance,
)  # fmt: skip

__all__ = ["APPEARANCE_COLUMNS", "accessory_bits", "appearance", "pose_all", "posture_codes"]

_BIT: Final = {name: 1 << i for i, name in enumerate(ACCESSORIES)}

#: No body, with all that can be held and pushed at once, takes more cones.
MOST_CONES: Final = 160
CHILD_M: Final = 1.4


def accessory_bits(names: str) -> int:
    """The comma-separated keys of :data:`~contrechamp.domain.situations.ACCESSORIES` as one number."""
    return sum(_BIT[name.strip()] for name in dict.fromkeys(names.split(",")) if name.strip())


def posture_codes(names: npt.NDArray[np.object_]) -> I64:
    """Rank of each posture in :data:`~contrechamp.domain.situations.POSTURES`."""
    rank = {name: i for i, name in enumerate(POSTURES)}
    return np.array([rank[str(name)] for name in names], dtype=np.int64)


@numba.njit(cache=True, nogil=True)
def _body(
    h: float, build: float, bits: int, d: F64, pelvis_m: float, seat_m: float, on_seat: float, upright: float,
    look: F64, cones: F64,
) -> tuple[int, int]:  # fmt: skip
    """Cones in the body's own axes, then those of what belongs to nobody; how many of the first, and of all."""
    child = 1.0 if h < CHILD_M else 0.0
    head_r = h * (0.064 + 0.016 * child)
    w = h * build
    side, trunk = d[SIDE], d[TRUNK]
    hips = at(0.0, 0.0, pelvis_m)
    neck = hips + trunk * (0.30 * h)
    waist = hips + trunk * (0.12 * h)
    hip_l, hip_r = hips - side * (0.045 * w), hips + side * (0.045 * w)
    chest_l, chest_r = neck - side * (0.062 * w) - trunk * (0.055 * h), neck + side * (0.062 * w) - trunk * (0.055 * h)
    waist_l, waist_r = waist - side * (0.036 * w), waist + side * (0.036 * w)
    arm_l, arm_r = neck - side * (0.112 * w) - trunk * (0.025 * h), neck + side * (0.112 * w) - trunk * (0.025 * h)
    elbow_l, elbow_r = arm_l + d[ARM_L] * (0.168 * h), arm_r + d[ARM_R] * (0.168 * h)
    hand_l, hand_r = elbow_l + d[FORE_L] * (0.165 * h), elbow_r + d[FORE_R] * (0.165 * h)
    knee_l, knee_r = hip_l + d[THIGH_L] * (0.245 * h), hip_r + d[THIGH_R] * (0.245 * h)
    ankle_l, ankle_r = knee_l + d[SHIN_L] * (0.235 * h), knee_r + d[SHIN_R] * (0.235 * h)
    toe_l, toe_r = ankle_l + d[FOOT_L] * (0.105 * h), ankle_r + d[FOOT_R] * (0.105 * h)
    ahead = np.array([
        trunk[1] * side[2] - trunk[2] * side[1], trunk[2] * side[0] - trunk[0] * side[2],
        trunk[0] * side[1] - trunk[1] * side[0],
    ])  # fmt: skip
    crown = neck + d[HEAD] * (0.062 * h + head_r)

    n = 0
    bottom = TOP if look[COAT] > 0 else BOTTOM
    n = put(cones, n, hip_l, 0.068 * w, waist_l, 0.066 * w, look, bottom, 1.0)
    n = put(cones, n, hip_r, 0.068 * w, waist_r, 0.066 * w, look, bottom, 1.0)
    n = put(cones, n, waist_l, 0.068 * w, chest_l, 0.066 * w, look, TOP, 1.0)
    n = put(cones, n, waist_r, 0.068 * w, chest_r, 0.066 * w, look, TOP, 1.0)
    n = put(cones, n, arm_l, 0.042 * w, arm_r, 0.042 * w, look, TOP, 1.0)
    n = put(cones, n, neck - trunk * (0.01 * h), 0.032 * w, neck + d[HEAD] * (0.05 * h), 0.030 * w, look, SKIN, 0.85)
    face = crown + ahead * (0.22 * head_r)
    n = put(cones, n, face, 0.94 * head_r, face - d[HEAD] * (0.62 * head_r), 0.68 * head_r, look, SKIN, 1.0)
    if look[HAT] > 0:
        top = crown + d[HEAD] * (0.42 * head_r)
        n = put(cones, n, top, 0.98 * head_r, top - ahead * (0.12 * head_r), 0.98 * head_r, look, EXTRA, 1.0)
        brim = crown + d[HEAD] * (0.45 * head_r)
        n = put(cones, n, brim, 0.5 * head_r, brim + ahead * (1.25 * head_r), 0.25 * head_r, look, EXTRA, 0.7)
    else:
        top = crown + d[HEAD] * (0.24 * head_r) - ahead * (0.12 * head_r)
        n = put(cones, n, top, 1.04 * head_r, top - ahead * (0.12 * head_r), 1.02 * head_r, look, HAIR, 1.0)
    nape = crown - ahead * (0.42 * head_r)
    drop = 1.7 if look[LONG_HAIR] > 0 else 0.5
    n = put(cones, n, nape, 0.85 * head_r, nape - d[HEAD] * (drop * head_r), 0.6 * head_r, look, HAIR, 0.95)

    sleeve = SKIN if look[SHORT_SLEEVES] > 0 else TOP
    for shoulder, elbow, hand in ((arm_l, elbow_l, hand_l), (arm_r, elbow_r, hand_r)):
        n = put(cones, n, shoulder, 0.036 * w, elbow, 0.029 * w, look, TOP, 0.92)
        n = put(cones, n, elbow, 0.028 * w, hand, 0.021 * w, look, sleeve, 0.92)
        n = put(cones, n, hand, 0.024 * h, hand + (hand - elbow) * 0.22, 0.019 * h, look, SKIN, 1.0)
    legs = SKIN if look[SKIRT] > 0 else BOTTOM
    for hip, knee, ankle, toe in ((hip_l, knee_l, ankle_l, toe_l), (hip_r, knee_r, ankle_r, toe_r)):
        n = put(cones, n, hip, 0.060 * w, knee, 0.040 * w, look, legs, 0.97)
        n = put(cones, n, knee, 0.039 * w, ankle, 0.025 * w, look, legs, 0.95)
        n = put(cones, n, ankle, 0.027 * h, toe, 0.021 * h, look, SHOE, 1.0)
    if look[SKIRT] > 0 or look[COAT] > 0:
        cloth = TOP if look[COAT] > 0 else BOTTOM
        length = 0.75 if look[COAT] > 0 else 0.9
        n = put(cones, n, hip_l, 0.072 * w, hip_l + (knee_l - hip_l) * length, 0.066 * w, look, cloth, 0.97)
        n = put(cones, n, hip_r, 0.072 * w, hip_r + (knee_r - hip_r) * length, 0.066 * w, look, cloth, 0.97)
        middle = (knee_l + knee_r) * 0.5
        n = put(cones, n, hips, 0.075 * w, hips + (middle - hips) * length, 0.072 * w, look, cloth, 0.95)

    if bits & HI_VIS:
        band = look.copy()
        band[EXTRA : EXTRA + 3] = 0.85
        for level in (0.35, 0.68):
            left, right = waist_l + (chest_l - waist_l) * level, waist_r + (chest_r - waist_r) * level
            n = put(cones, n, left, 0.0705 * w, right, 0.0705 * w, band, EXTRA, 1.0)
    n = carried(h, w, bits, d, ahead, neck, hips, crown, head_r, hand_l, hand_r, knee_l, knee_r, ankle_l, ankle_r,
                 upright, look, cones, n)  # fmt: skip

    # stand on the ground by the lowest point, or on the seat by the pelvis
    lowest = 1e9
    for k in range(n):
        lowest = min(lowest, cones[k, 2] - cones[k, 3], cones[k, 6] - cones[k, 7])
    rise = seat_m - (1.0 - on_seat) * lowest
    for k in range(n):
        cones[k, 2] += rise
        cones[k, 6] += rise
    if bits & CANE:
        grip = hand_r + at(0.0, 0.03, rise)
        n = put(cones, n, grip, 0.016, at(grip[0] + 0.03, grip[1] + 0.16, 0.014), 0.014, look, THING, 0.6)
    if bits & BROOM:
        high, low = hand_r + at(0.0, 0.0, rise), hand_l + at(0.0, 0.0, rise)
        along = low - high
        reach = max(0.3, high[2] / max(0.2, -along[2]))
        foot = high + along * reach
        foot[2] = 0.05
        n = put(cones, n, high - along * 0.3, 0.015, foot, 0.015, look, THING, 1.3)
        n = put(cones, n, foot - at(0.2, 0.0, 0.0), 0.05, foot + at(0.2, 0.0, 0.0), 0.05, look, THING, 0.8)
    if bits & SUITCASE:
        grip = hand_l + at(0.0, -0.03, rise)
        base = at(grip[0] - 0.06, grip[1] - 0.3 * upright, 0.12)
        n = put(cones, n, grip, 0.014, base + at(0.0, 0.05, 0.42), 0.014, look, SHOE, 1.0)
        n = suitcase(base, 0.09, look, cones, n)
    if bits & WHEELCHAIR:
        n = wheelchair(seat_m, look, cones, n)
    own = n
    if bits & PRAM:
        n = pram(hand_l, hand_r, rise, look, cones, n)
    if bits & STALL:
        n = goods_on_cloth(look, cones, n)
    return own, n


@numba.njit(cache=True, nogil=True)
def _turn(cones: F64, n: int, x: float, y: float, heading: float) -> None:
    """From the body's own axes to the scene's."""
    s, c = np.sin(heading), np.cos(heading)
    for k in range(n):
        for end in (0, 4):
            right, ahead = cones[k, end], cones[k, end + 1]
            cones[k, end], cones[k, end + 1] = x + right * c + ahead * s, y - right * s + ahead * c


@numba.njit(cache=True, nogil=True)
def pose_all(poses: F64, codes: I64, kinds: I64, looks: F64, t_s: float) -> tuple[F64, I64]:
    """Every body of a frame.

    Parameters
    ----------
    poses : ndarray of shape (n, 9)
        x, y, heading, speed, phase, blend, height over ground, height of the body, build.
    codes : ndarray of shape (n, 3)
        Posture, posture to, accessories as bits.
    kinds : ndarray of shape (n,)
        -1 a person, 0 to 3 a suitcase, a backpack, a bag, a box.
    looks : ndarray of shape (n, 27)
        See :func:`~synthetic_data.scenes.appearance.appearance`.
    t_s : float
        Moves those who stay: a body is never quite still.

    Returns
    -------
    cones : ndarray of shape (m, 11)
        In the scene, metres.
    groups : ndarray of shape (g, 4)
        First and last + 1 cone, the row of ``poses`` that they belong to (-1 for what is pushed or laid out, which is
        nobody's body), and the row that they stand beside.
    """
    total = len(poses)
    cones = np.empty((total * MOST_CONES, CONE_COLUMNS))
    groups = np.empty((2 * total, 4), dtype=np.int64)
    d, other = np.zeros((N_DIRECTIONS, 3)), np.zeros((N_DIRECTIONS, 3))
    n, g = 0, 0
    for i in range(total):
        x, y, heading, speed, phase, blend, over, h, build = poses[i]
        room = cones[n : n + MOST_CONES]
        look = looks[i]
        if kinds[i] >= 0:
            own = left_thing(kinds[i], look, room)
            for k in range(own):
                room[k, 2] += over
                room[k, 6] += over
            every = own
        else:
            seat = 0.0
            pelvis, on_seat = stance(codes[i, 0], phase, speed, look[BEAT], t_s, d)
            low = 1.0 if codes[i, 0] >= SITTING else 0.0
            chair = over if over > 0.0 else 0.27 * h
            seat = _seat(codes[i, 0], chair, over)
            if blend > 0.0:
                pelvis_to, on_seat_to = stance(codes[i, 1], phase, speed, look[BEAT], t_s, other)
                for k in range(N_DIRECTIONS):
                    aim(d, k, other[k, 0], other[k, 1], other[k, 2], blend)
                pelvis += blend * (pelvis_to - pelvis)
                on_seat += blend * (on_seat_to - on_seat)
                low += blend * ((1.0 if codes[i, 1] >= SITTING else 0.0) - low)
                seat += blend * (_seat(codes[i, 1], chair, over) - seat)
            hands(d, codes[i, 2], 1.0 - low, t_s, look[BEAT])
            own, every = _body(h, build, codes[i, 2], d, pelvis * h, seat, on_seat, 1.0 - low, look, room)
        _turn(room, every, x, y, heading)
        groups[g] = (n, n + own, i, i)
        g += 1
        if every > own:
            groups[g] = (n + own, n + every, -1, i)
            g += 1
        n += every
    return cones[:n].copy(), groups[:g].copy()


@numba.njit(cache=True, nogil=True)
def _seat(posture: int, chair: float, over: float) -> float:
    """Height of what carries a posture: a chair, a ledge, or the ground."""
    if posture == ROLLING:
        return 0.5
    if posture == SITTING:
        return chair
    return over if posture in (GROUND, LYING) else 0.0
