"""From where someone was to how the body was: heading, gait, and the posture held while staying or acting.

Two steps, so that a counterfactual can change one and keep the other. :func:`move` says where the body is, which way it
faces and how fast it goes; it knows what the person came to do, not what the body looks like. :func:`dress` turns that
into postures; it knows the situation shown, and touches neither place nor time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import gaussian_filter1d

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import FRAME, POSTURE, SPEED, FloatArray
from synthetic_data.scenes.layouts import SEAT_HEIGHT_M
from synthetic_data.scenes.plans import BLEND_S, FALL_S, HELD_POSTURE, Person
from synthetic_data.scenes.walkers import SAMPLE_S, Pause, Walk

NameArray = npt.NDArray[np.object_]

_SMOOTH_S: Final = 0.2
_TURN_S: Final = 0.3
_MOVES_M_S: Final = 0.25  #: slower than this, one faces the way one chose rather than the way one goes
_SETTLE_S: Final = 1.2  #: to sit down on a bench from in front of it, and to start swaying
_SWAY_M: Final = 0.03
_WALKS_M_S: Final = 0.6  #: full steps from here on
_RUNS_M_S: Final = (2.0, 2.6)  #: from a walk to a run
_CYCLE_PER_HEIGHT: Final = (0.80, 1.15)  #: two steps, in heights of the body: walking, running


@dataclass(frozen=True, slots=True)
class Motion:
    """Where a person is in each frame, whatever the body.

    Attributes
    ----------
    frames : ndarray of int, shape (n,)
    t_s, x_m, y_m, heading_rad, speed_m_s, distance_m : ndarray of shape (n,)
        ``distance_m`` walked so far.
    pauses : tuple of Pause
    seats : tuple of (float, float)
        From when to when on a seat.
    """

    frames: npt.NDArray[np.int64]
    t_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    speed_m_s: FloatArray
    distance_m: FloatArray
    pauses: tuple[Pause, ...]
    seats: tuple[tuple[float, float], ...]


def move(person: Person, walk: Walk, *, fps: float, n_frames: int, rng: np.random.Generator) -> Motion:
    """Smooth a walk, settle on seats, sway, face somewhere; read at every frame.

    Parameters
    ----------
    person : Person
    walk : Walk
        Of two samples at least.
    fps : float
    n_frames : int
    rng : numpy.random.Generator
        Of the swaying and turning.
    """
    t = walk.t_s
    xy = gaussian_filter1d(walk.xy_m, _SMOOTH_S / SAMPLE_S, axis=0, mode="nearest")
    velocity = np.gradient(xy, SAMPLE_S, axis=0)
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    facing = np.where(speed >= _MOVES_M_S, np.arctan2(velocity[:, 0], velocity[:, 1]), np.nan)
    seats = []
    for pause in walk.pauses:
        stage = person.stages[pause.stage]
        if stage.moves or stage.act != "stay":
            continue
        turning, across, along = (_turns(t, rng) for _ in range(3))
        settled = _settled(t, pause.from_s, pause.to_s, in_s=_SETTLE_S, out_s=_SETTLE_S)[:, None]
        if stage.heading_rad is not None:
            chosen = stage.heading_rad + (0.35 * turning if stage.seat is None else 0.0 * turning)
            facing = np.where((t >= pause.from_s) & (t < pause.to_s), chosen, facing)
        if stage.seat is None:
            xy = xy + settled * _SWAY_M * np.column_stack([across, along])
        else:
            xy = xy + settled * (np.asarray(stage.seat) - xy)
            seats.append((pause.from_s, pause.to_s))
    heading = _smooth_angle(_filled(facing))
    frames = np.arange(n_frames, dtype=np.int64)
    frames = frames[(frames / fps >= t[0] - 1e-9) & (frames / fps <= t[-1] + 1e-9)]
    at = frames / fps
    read = [np.round(np.interp(at, t, values), 6) for values in (xy[:, 0], xy[:, 1], heading, speed)]
    walked = np.interp(at, t, np.concatenate([[0.0], np.cumsum(speed)[:-1] * SAMPLE_S]))
    return Motion(
        frames=frames, t_s=at, x_m=read[0], y_m=read[1], heading_rad=read[2], speed_m_s=read[3], distance_m=walked,
        pauses=walk.pauses, seats=tuple(seats),
    )  # fmt: skip


def dress(motion: Motion, situation: str, *, acts: tuple[bool, ...], height_m: float) -> pd.DataFrame:
    """Postures of a person shown in a situation: one row a frame, columns of poses without the subject.

    Parameters
    ----------
    motion : Motion
    situation : str
    acts : tuple of bool
        Whether each pause is one in which the situation shows (a stay, a fall, a lace to tie), not a bag put down.
    height_m : float
        Of the body, for the length of its steps.
    """
    n = len(motion.frames)
    first, then, blend = _gait(motion, situation)
    over = np.zeros(n)
    held = HELD_POSTURE.get(situation, "")
    shown = [(p.from_s, p.to_s, held) for p, act in zip(motion.pauses, acts, strict=True) if act and held]
    bent = [(p.from_s, p.to_s, "crouching") for p, act in zip(motion.pauses, acts, strict=True) if not act]
    for from_s, to_s, posture in (*shown, *bent):
        falls = situation == "falling" and posture == "lying"
        share = _settled(motion.t_s, from_s, to_s, in_s=FALL_S if falls else BLEND_S[posture], out_s=BLEND_S[posture])
        inside, down = share > 0, share >= 1
        upright = np.where(motion.t_s < from_s + FALL_S, "walking", "standing") if falls else "standing"
        first = np.where(inside, np.where(down, posture, upright), first)
        then = np.where(inside, posture, then)
        blend = np.where(inside, np.where(down, 0.0, share), blend)
    for from_s, to_s in motion.seats if held == "sitting" else ():
        over = np.where((motion.t_s >= from_s) & (motion.t_s < to_s), SEAT_HEIGHT_M, over)
    return pd.DataFrame({
        FRAME: motion.frames, X_M: motion.x_m, Y_M: motion.y_m, "heading_rad": motion.heading_rad,
        SPEED: motion.speed_m_s, "phase": _phase(motion, height_m), POSTURE: first.astype(object),
        "posture_to": then.astype(object), "blend": np.round(blend, 6), "height_over_ground_m": over,
    })  # fmt: skip


def _gait(motion: Motion, situation: str) -> tuple[NameArray, NameArray, FloatArray]:
    """Posture, posture to and blend of someone who does nothing but go or stand."""
    n = len(motion.frames)
    usual = SITUATIONS[situation].posture
    if usual in ("rolling", "stooped"):
        names = np.full(n, usual, dtype=object)
        return names, names, np.zeros(n)
    speed = motion.speed_m_s
    steps = np.clip(speed / _WALKS_M_S, 0.0, 1.0)
    steps = np.where(steps < 0.1, 0.0, steps)
    strides = np.clip((speed - _RUNS_M_S[0]) / (_RUNS_M_S[1] - _RUNS_M_S[0]), 0.0, 1.0)
    first = np.where(strides >= 1, "running", np.where(steps >= 1, "walking", "standing")).astype(object)
    then = np.where(strides > 0, "running", np.where(steps > 0, "walking", "standing")).astype(object)
    blend = np.where(strides > 0, strides % 1.0, steps % 1.0)
    return first, then, blend


def _phase(motion: Motion, height_m: float) -> FloatArray:
    """Gait cycles so far: the way walked, over the length of two steps at the pace of the moment."""
    walking, running = _CYCLE_PER_HEIGHT
    cycle = height_m * np.where(motion.speed_m_s >= _RUNS_M_S[1], running, walking)
    cycles = np.cumsum(np.diff(motion.distance_m, prepend=0.0) / cycle)
    return np.asarray(cycles.round(6), dtype=np.float64)


def _settled(t: FloatArray, from_s: float, to_s: float, *, in_s: float, out_s: float) -> FloatArray:
    """0 outside a pause, 1 within, smoothly up from its beginning and down to its end."""
    share = np.clip(np.minimum((t - from_s) / in_s, (to_s - t) / out_s), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), dtype=np.float64)


def _turns(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A slow signal about 0, of standard deviation 1: three waves of 5 to 40 s."""
    periods = np.exp(rng.uniform(np.log(5.0), np.log(40.0), 3))
    starts = rng.uniform(0.0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * t[:, None] / periods + starts)
    return np.asarray(waves.sum(axis=1) * np.sqrt(2 / 3), dtype=np.float64)


def _filled(angle: FloatArray) -> FloatArray:
    """Unknown headings take the last one known, or the first to come; 0 where none is."""
    filled = pd.Series(angle).ffill().bfill().fillna(0.0)
    return np.asarray(filled, dtype=np.float64)


def _smooth_angle(angle: FloatArray) -> FloatArray:
    """Turn from one heading to the next in some tenths of a second, without a jump at half a turn."""
    if len(angle) < 2:
        return angle
    way = gaussian_filter1d(np.column_stack([np.sin(angle), np.cos(angle)]), _TURN_S / SAMPLE_S, axis=0, mode="nearest")
    turned: FloatArray = np.unwrap(np.arctan2(way[:, 0], way[:, 1]))
    return turned
