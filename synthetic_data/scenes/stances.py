"""How a body stands: for each posture, the directions of its trunk, head and limbs, moved by the gait.

In the body's own axes (right, ahead, up), as unit vectors, so that turning one posture into another keeps the length of
every limb.

What it cannot tell you: a gait is a sine, not a recording of anybody's walk.
"""

from __future__ import annotations

from typing import Final

import numba
import numpy as np

from contrechamp.domain.situations import ACCESSORIES, POSTURES
from synthetic_data.scenes.raycaster import F64

#: Places in the list of directions of a body.
SIDE, TRUNK, HEAD, ARM_L, FORE_L, ARM_R, FORE_R, THIGH_L, SHIN_L, THIGH_R, SHIN_R, FOOT_L, FOOT_R = range(13)
N_DIRECTIONS: Final = 13
#: Ranks of postures in :data:`contrechamp.domain.situations.POSTURES`; from SITTING on, the body is low.
STANDING, WALKING, RUNNING, STOOPED, SITTING, GROUND, LYING, CROUCHING, ROLLING = range(len(POSTURES))
#: Bits of :data:`contrechamp.domain.situations.ACCESSORIES`, in its order.
(
    PHONE, CANE, WHEELCHAIR, PRAM, SUITCASE, BACKPACK, HANDBAG, BLANKET, STALL, BROOM, HI_VIS, CIGARETTE, LEAFLETS,
    INSTRUMENT,
) = (1 << i for i in range(len(ACCESSORIES)))  # fmt: skip


@numba.njit(cache=True, nogil=True)
def aim(d: F64, k: int, x: float, y: float, z: float, weight: float) -> None:
    """Turn one direction towards another."""
    size = np.sqrt(x * x + y * y + z * z)
    d[k, 0] += weight * (x / size - d[k, 0])
    d[k, 1] += weight * (y / size - d[k, 1])
    d[k, 2] += weight * (z / size - d[k, 2])
    size = np.sqrt(d[k, 0] * d[k, 0] + d[k, 1] * d[k, 1] + d[k, 2] * d[k, 2])
    if size < 1e-6:
        d[k, 0], d[k, 1], d[k, 2], size = 0.0, 0.0, 1.0, 1.0
    d[k, 0] /= size
    d[k, 1] /= size
    d[k, 2] /= size


@numba.njit(cache=True, nogil=True)
def _leg(d: F64, thigh: int, shin: int, foot: int, angle: float, flex: float, out: float) -> None:
    aim(d, thigh, out, np.sin(angle), -np.cos(angle), 1.0)
    below = angle - flex
    aim(d, shin, 0.3 * out, np.sin(below), -np.cos(below), 1.0)
    aim(d, foot, 1.5 * out, np.cos(0.7 * below), np.sin(0.7 * below), 1.0)


@numba.njit(cache=True, nogil=True)
def _arm(d: F64, upper: int, fore: int, angle: float, flex: float, out: float) -> None:
    aim(d, upper, out, np.sin(angle), -np.cos(angle), 1.0)
    aim(d, fore, 0.4 * out, np.sin(angle + flex), -np.cos(angle + flex), 1.0)


@numba.njit(cache=True, nogil=True)
def stance(posture: int, phase: float, speed: float, beat: float, t_s: float, d: F64) -> tuple[float, float]:
    """Directions of one posture in the body's own axes (right, ahead, up); height of the pelvis over what carries it.

    Returns
    -------
    pelvis : float
        In heights of the body.
    on_seat : float
        1 if the pelvis rests on something, 0 if the lowest point rests on the ground.
    """
    swing = np.sin(2.0 * np.pi * phase)
    lift = np.cos(2.0 * np.pi * phase)
    sway = np.sin(2.0 * np.pi * (0.11 * t_s + beat))
    nod = np.sin(2.0 * np.pi * (0.07 * t_s + 3.0 * beat))
    aim(d, SIDE, 1.0, 0.0, 0.0, 1.0)
    aim(d, TRUNK, 0.0, 0.03, 1.0, 1.0)
    aim(d, HEAD, 0.0, 0.12, 1.0, 1.0)
    if posture in (WALKING, STOOPED):
        stride = 0.44 * min(1.2, max(0.35, speed / 1.3))
        if posture == STOOPED:
            stride *= 0.75
            aim(d, TRUNK, 0.0, 0.42, 1.0, 1.0)
            aim(d, HEAD, 0.0, 0.75, 1.0, 1.0)
        _leg(d, THIGH_L, SHIN_L, FOOT_L, stride * swing, 0.12 + 1.6 * stride * max(0.0, lift), -0.03)
        _leg(d, THIGH_R, SHIN_R, FOOT_R, -stride * swing, 0.12 + 1.6 * stride * max(0.0, -lift), 0.03)
        _arm(d, ARM_L, FORE_L, -0.9 * stride * swing, 0.35, -0.14)
        _arm(d, ARM_R, FORE_R, 0.9 * stride * swing, 0.35, 0.14)
        return 0.53, 0.0
    if posture == RUNNING:
        stride = 0.85 * min(1.1, max(0.5, speed / 3.0))
        aim(d, TRUNK, 0.0, 0.2, 1.0, 1.0)
        aim(d, HEAD, 0.0, 0.2, 1.0, 1.0)
        _leg(d, THIGH_L, SHIN_L, FOOT_L, 0.15 + stride * swing, 0.3 + 1.7 * max(0.0, lift), -0.03)
        _leg(d, THIGH_R, SHIN_R, FOOT_R, 0.15 - stride * swing, 0.3 + 1.7 * max(0.0, -lift), 0.03)
        _arm(d, ARM_L, FORE_L, -0.9 * stride * swing, 1.55, -0.16)
        _arm(d, ARM_R, FORE_R, 0.9 * stride * swing, 1.55, 0.16)
        return 0.53, 0.0
    if posture in (SITTING, ROLLING):
        aim(d, TRUNK, 0.02 * sway, -0.1, 1.0, 1.0)
        aim(d, HEAD, 0.1 * nod, 0.15, 1.0, 1.0)
        aim(d, THIGH_L, -0.1, 1.0, 0.0, 1.0)
        aim(d, THIGH_R, 0.1, 1.0, 0.0, 1.0)
        aim(d, SHIN_L, 0.0, 0.1, -1.0, 1.0)
        aim(d, SHIN_R, 0.0, 0.1, -1.0, 1.0)
        aim(d, FOOT_L, -0.1, 1.0, 0.0, 1.0)
        aim(d, FOOT_R, 0.1, 1.0, 0.0, 1.0)
        if posture == ROLLING:
            push = 0.4 * swing if speed > 0.05 else 0.0
            aim(d, ARM_L, -0.35, -0.25 + push, -1.0, 1.0)
            aim(d, ARM_R, 0.35, -0.25 + push, -1.0, 1.0)
            aim(d, FORE_L, -0.05, 0.75 + push, -0.55, 1.0)
            aim(d, FORE_R, 0.05, 0.75 + push, -0.55, 1.0)
        else:
            aim(d, ARM_L, -0.2, 0.25, -1.0, 1.0)
            aim(d, ARM_R, 0.2, 0.25, -1.0, 1.0)
            aim(d, FORE_L, 0.25, 1.0, -0.25, 1.0)
            aim(d, FORE_R, -0.25, 1.0, -0.25, 1.0)
        return 0.055, 1.0
    if posture == GROUND:
        aim(d, TRUNK, 0.02 * sway, -0.12, 1.0, 1.0)
        aim(d, HEAD, 0.12 * nod, 0.3, 1.0, 1.0)
        aim(d, THIGH_L, -0.25, 0.8, 0.62, 1.0)
        aim(d, THIGH_R, 0.25, 0.8, 0.62, 1.0)
        aim(d, SHIN_L, 0.05, 0.55, -0.85, 1.0)
        aim(d, SHIN_R, -0.05, 0.55, -0.85, 1.0)
        aim(d, FOOT_L, -0.1, 1.0, -0.1, 1.0)
        aim(d, FOOT_R, 0.1, 1.0, -0.1, 1.0)
        aim(d, ARM_L, -0.25, 0.6, -0.75, 1.0)
        aim(d, ARM_R, 0.25, 0.6, -0.75, 1.0)
        aim(d, FORE_L, 0.3, 1.0, 0.2, 1.0)
        aim(d, FORE_R, -0.3, 1.0, 0.2, 1.0)
        return 0.075, 1.0
    if posture == LYING:
        aim(d, SIDE, 0.9, 0.0, 0.25, 1.0)
        aim(d, TRUNK, 0.0, 1.0, 0.015, 1.0)
        aim(d, HEAD, 0.0, 1.0, 0.08, 1.0)
        aim(d, THIGH_L, -0.12, -1.0, 0.1, 1.0)
        aim(d, THIGH_R, 0.35, -0.95, 0.22, 1.0)
        aim(d, SHIN_L, 0.0, -1.0, -0.1, 1.0)
        aim(d, SHIN_R, -0.3, -1.0, -0.25, 1.0)
        aim(d, FOOT_L, -0.35, -0.6, 0.5, 1.0)
        aim(d, FOOT_R, 0.5, -0.6, 0.25, 1.0)
        aim(d, ARM_L, -0.75, -0.4, -0.12, 1.0)
        aim(d, ARM_R, 0.6, -0.6, -0.1, 1.0)
        aim(d, FORE_L, 0.1, -1.0, 0.0, 1.0)
        aim(d, FORE_R, -0.5, -0.6, 0.35, 1.0)
        return 0.075, 0.0
    if posture == CROUCHING:
        aim(d, TRUNK, 0.0, 0.85, 0.75, 1.0)
        aim(d, HEAD, 0.0, 1.0, 0.45, 1.0)
        aim(d, THIGH_L, -0.1, 1.0, 0.1, 1.0)
        aim(d, SHIN_L, 0.0, -0.25, -1.0, 1.0)
        aim(d, FOOT_L, 0.0, 1.0, 0.0, 1.0)
        aim(d, THIGH_R, 0.15, 0.35, -0.95, 1.0)
        aim(d, SHIN_R, 0.0, -1.0, -0.12, 1.0)
        aim(d, FOOT_R, 0.0, -0.5, -0.85, 1.0)
        aim(d, ARM_L, -0.1, 0.35, -0.9, 1.0)
        aim(d, ARM_R, 0.1, 0.45, -0.9, 1.0)
        aim(d, FORE_L, 0.2, 0.35 + 0.05 * sway, -0.9, 1.0)
        aim(d, FORE_R, -0.45, 0.3 - 0.05 * sway, -0.9, 1.0)
        return 0.28, 0.0
    # standing, the weight a little more on one leg, shifting slowly
    aim(d, TRUNK, 0.03 * sway, 0.02, 1.0, 1.0)
    aim(d, HEAD, 0.12 * nod, 0.1, 1.0, 1.0)
    _leg(d, THIGH_L, SHIN_L, FOOT_L, 0.03 + 0.03 * sway, 0.06, -0.08)
    _leg(d, THIGH_R, SHIN_R, FOOT_R, 0.03 - 0.03 * sway, 0.06, 0.08)
    _arm(d, ARM_L, FORE_L, 0.04, 0.22 + 0.05 * nod, -0.16)
    _arm(d, ARM_R, FORE_R, 0.04, 0.22 - 0.05 * nod, 0.16)
    return 0.53, 0.0


@numba.njit(cache=True, nogil=True)
def hands(d: F64, bits: int, upright: float, t_s: float, beat: float) -> None:
    """Where arms go for what they hold."""
    if bits & PHONE:
        aim(d, ARM_R, 0.12, 0.3, -1.0, upright)
        aim(d, FORE_R, -0.35, 0.8, 0.75, upright)
        aim(d, HEAD, 0.0, 0.5, 1.0, upright)
    if bits & CIGARETTE:
        away = (0.09 * t_s + beat) % 1.0 > 0.35
        aim(d, ARM_R, 0.15, 0.4, -0.9, upright)
        if away:
            aim(d, FORE_R, 0.2, 1.0, 0.1, upright)
        else:
            aim(d, FORE_R, -0.45, 0.5, 1.0, upright)
    if bits & CANE:
        aim(d, ARM_R, 0.25, 0.15, -1.0, upright)
        aim(d, FORE_R, 0.1, 0.6, -0.8, upright)
    if bits & PRAM:
        aim(d, ARM_L, -0.1, 0.35, -1.0, upright)
        aim(d, ARM_R, 0.1, 0.35, -1.0, upright)
        aim(d, FORE_L, 0.05, 1.0, -0.05, upright)
        aim(d, FORE_R, -0.05, 1.0, -0.05, upright)
    if bits & SUITCASE:
        aim(d, ARM_L, -0.2, -0.25, -1.0, upright)
        aim(d, FORE_L, -0.05, -0.1, -1.0, upright)
    if bits & LEAFLETS:
        offer = np.sin(2.0 * np.pi * (0.25 * t_s + beat))
        aim(d, ARM_R, 0.15, 0.6, -0.8, upright)
        aim(d, FORE_R, 0.15 * offer, 1.0, 0.25 + 0.2 * offer, upright)
        aim(d, ARM_L, -0.15, 0.15, -1.0, upright)
        aim(d, FORE_L, 0.6, 0.9, 0.25, upright)
    if bits & INSTRUMENT:
        strum = np.sin(2.0 * np.pi * (1.3 * t_s + beat))
        aim(d, ARM_R, 0.35, 0.1, -0.9, upright)
        aim(d, FORE_R, -0.75, 0.65, 0.05 + 0.25 * strum, upright)
        aim(d, ARM_L, -0.4, 0.25, -0.85, upright)
        aim(d, FORE_L, -0.15, 0.8, 0.65, upright)
    if bits & BROOM:
        sweep = np.sin(2.0 * np.pi * (0.55 * t_s + beat))
        aim(d, TRUNK, 0.06 * sweep, 0.2, 1.0, upright)
        aim(d, ARM_R, -0.1 + 0.15 * sweep, 0.6, -0.8, upright)
        aim(d, FORE_R, -0.5, 0.8, 0.1, upright)
        aim(d, ARM_L, 0.15 * sweep, 0.5, -0.9, upright)
        aim(d, FORE_L, 0.35 + 0.2 * sweep, 0.8, -0.55, upright)
