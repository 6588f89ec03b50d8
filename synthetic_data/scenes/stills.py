"""Stills: one frame of a place nobody planned, to teach a detector what bodies look like.

A still has no story. Each person is put in a situation drawn evenly from all of them, so that someone lying under a
blanket is as often seen in training as someone who walks by: what a detector then misses is not for want of examples.
Places, light, rain, camera and crowd are drawn too; whoever trains keeps some of them away to test on.

What it cannot tell you: how often any situation occurs. Training on as many of each is already kinder than the
photographs that published detectors learn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.rng import stream
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import EVENT_COLUMNS, Camera, ClipMeta, FloatArray, as_table
from synthetic_data.scenes.bodily import draw_body
from synthetic_data.scenes.layouts import SEAT_HEIGHT_M, Layout, layout
from synthetic_data.scenes.spec import LIGHTS, PLACES, POSE_COLUMNS, SUBJECT_COLUMNS, Light, PlaceKey, SceneSpec, Script

Range = tuple[float, float]

#: Most persons in a still.
MOST_PERSONS: Final = 25
_TRIES: Final = 4000
_SPACE_M: Final = 0.55  #: between two persons' centres
_SPACE_LYING_M: Final = 1.1
#: Situation → how many come together.
_GROUPS: Final = {"tourists": (3, 5), "talking": (2, 2)}
_LEFT_THINGS: Final = ("handbag", "suitcase", "backpack")
_SPEED_M_S: Final = {"walking": 1.3, "running": 2.8, "stooped": 0.6, "rolling": 0.9}
#: Situation → posture it goes to, for those caught in between.
_TURNS_TO: Final = {"falling": "lying", "sitting_down": "sitting_ground", "tying_shoe": "crouching"}


@dataclass(frozen=True, slots=True)
class StillRanges:
    """What a still is drawn from.

    Attributes
    ----------
    places, lights : tuple of str
    camera_height_m, pitch_deg, focal_px : tuple of float
        Lowest and highest.
    turned_deg, aside_m : float
        How far the camera may look, and stand, to either side.
    """

    places: tuple[PlaceKey, ...] = PLACES
    lights: tuple[Light, ...] = LIGHTS
    camera_height_m: Range = (3.0, 9.0)
    pitch_deg: Range = (12.0, 40.0)
    focal_px: Range = (380.0, 800.0)
    turned_deg: float = 20.0
    aside_m: float = 2.0

    def __post_init__(self) -> None:
        if not self.places or not self.lights:
            raise bad_parameter(
                name="places, lights", where="StillRanges", must="one of each at least", got=(self.places, self.lights)
            )
        for name in ("camera_height_m", "pitch_deg", "focal_px"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise bad_parameter(name=name, where="StillRanges", must="two positive rising numbers", got=(low, high))


def random_still(
    seed: int, *, ranges: StillRanges | None = None, width_px: int = 640, height_px: int = 360,
    most: int = MOST_PERSONS,
) -> Script:  # fmt: skip
    """A script of one frame; the same seed, ranges and size give the same script.

    Parameters
    ----------
    seed : int
    ranges : StillRanges, optional
        All places, lights and cameras by default.
    width_px, height_px : int
    most : int
        Most persons; the number is even from 0 to it, and fewer where the view is narrow.

    Raises
    ------
    ParameterError
        If ``most`` is negative, or a size is refused by the scene.
    """
    if most < 0:
        raise bad_parameter(name="most", where="random_still", must="a whole number of at least 0", got=most)
    rng = stream(seed, "scene", "still")
    drawn = ranges or StillRanges()
    spec = SceneSpec(
        place=drawn.places[int(rng.integers(len(drawn.places)))], seed=seed, duration_s=0.1, fps=10.0,
        width_px=width_px, height_px=height_px, camera_height_m=float(rng.uniform(*drawn.camera_height_m)),
        camera_pitch_deg=float(rng.uniform(*drawn.pitch_deg)),
        focal_px=float(np.exp(rng.uniform(*np.log(drawn.focal_px)))),
        light=drawn.lights[int(rng.integers(len(drawn.lights)))],
        rain=float(rng.uniform()) if rng.uniform() < 0.2 else 0.0,
    )  # fmt: skip
    place = layout(spec.place)
    turned, aside = rng.uniform(-1.0, 1.0, 2) * (drawn.turned_deg, drawn.aside_m)
    camera = replace(spec.camera, yaw_deg=float(turned), x_m=float(aside))
    meta = ClipMeta(f"still-{seed}", spec.fps, 1, camera, place.zones, place.lines, spec.light, spec.place, seed)
    subjects, poses = _people(camera, place, most=most, rng=rng)
    return Script(
        spec, meta, as_table(subjects, SUBJECT_COLUMNS, what="subjects"), as_table(poses, POSE_COLUMNS, what="poses"),
        as_table({}, EVENT_COLUMNS, what="events"),
    )  # fmt: skip


def _people(
    camera: Camera, place: Layout, *, most: int, rng: np.random.Generator
) -> tuple[pd.DataFrame | dict[str, Any], pd.DataFrame | dict[str, Any]]:  # fmt: skip
    wanted = int(rng.integers(most + 1))
    free = _free_ground(camera, place, rng)
    seats = _seen(camera, np.array([(s.x_m, s.y_m) for s in place.seats]).reshape(-1, 2))
    open_seats = [s for s, seen in zip(place.seats, seats, strict=True) if seen]
    taken: list[tuple[float, float, float]] = []
    subjects: list[dict[str, Any]] = []
    poses: list[dict[str, Any]] = []
    keys = tuple(SITUATIONS)
    while len(subjects) < wanted:
        situation = keys[int(rng.integers(len(keys)))]
        if situation == "seated" and not open_seats:
            continue
        fewest, largest = _GROUPS.get(situation, (1, 1))
        together = min(int(rng.integers(fewest, largest + 1)), wanted - len(subjects))
        space_m = _SPACE_LYING_M if SITUATIONS[situation].posture == "lying" else _SPACE_M
        first: tuple[float, float] | None = None
        for _ in range(together):
            if situation == "seated":
                seat = open_seats.pop(int(rng.integers(len(open_seats))))
                at: tuple[float, float] | None = (seat.x_m, seat.y_m)
                heading = seat.heading_rad
            else:
                at = _room(free, taken, near=first, space_m=space_m, rng=rng)
                heading = float(rng.uniform(-np.pi, np.pi))
            if at is None:
                break
            first = first or at
            taken.append((*at, space_m))
            number = len(subjects) + 1
            subjects.append(_body(number, situation, rng))
            poses.append(_pose(number, situation, at, heading, rng))
        if first is None:
            break  # the view is full
    _leave_things(subjects, poses, free, taken, rng)
    return _frame(subjects), _frame(poses)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame | dict[str, Any]:
    return pd.DataFrame(rows) if rows else {}


def _seen(camera: Camera, ground_m: FloatArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which points of the ground have the middle of a body above them in view."""
    points, depth = camera.project(np.column_stack([ground_m, np.full(len(ground_m), 0.8)]))
    with np.errstate(invalid="ignore"):
        inside = (points > 0).all(axis=1) & (points < (camera.width_px, camera.height_px)).all(axis=1)
    return np.asarray(inside & (depth > 2.0))


def _free_ground(camera: Camera, place: Layout, rng: np.random.Generator) -> FloatArray:
    """Points where a foot may stand and be seen, as many near as far on the image rather than on the ground."""
    pixels = rng.uniform((0.0, 0.0), (camera.width_px, camera.height_px), (_TRIES, 2))
    by_image = camera.to_ground(pixels)
    x1, y1, x2, y2 = place.extent
    by_ground = rng.uniform((x1, y1), (x2, y2), (_TRIES // 2, 2))
    points = np.concatenate([by_image[np.isfinite(by_image).all(axis=1)], by_ground])
    room = shapely.buffer(place.walkable, -0.3)
    points = points[shapely.contains_xy(room, points[:, 0], points[:, 1])]
    points = points[_seen(camera, points)]
    return np.asarray(rng.permutation(points), dtype=np.float64)


def _room(
    free: FloatArray, taken: Sequence[tuple[float, float, float]], *, near: tuple[float, float] | None, space_m: float,
    rng: np.random.Generator,
) -> tuple[float, float] | None:  # fmt: skip
    """A free point far enough from those taken, and within 1.3 m of ``near`` if there is one."""
    left = free
    if near is not None:
        left = left[np.hypot(left[:, 0] - near[0], left[:, 1] - near[1]) < 1.3]
    elif len(left) and rng.uniform() < 0.35 and taken:  # crowds: someone stands close by
        x, y, _ = taken[int(rng.integers(len(taken)))]
        close = left[np.hypot(left[:, 0] - x, left[:, 1] - y) < 1.6]
        left = close if len(close) else left
    for x, y, space in taken:
        left = left[np.hypot(left[:, 0] - x, left[:, 1] - y) >= max(space, space_m)]
    if not len(left):
        return None
    chosen = left[int(rng.integers(len(left)))]
    return float(chosen[0]), float(chosen[1])


def _body(number: int, situation: str, rng: np.random.Generator) -> dict[str, Any]:
    body = draw_body(situation, rng=rng)
    return {
        "subject_id": number, "label": "person", "situation": situation, "height_m": body["height_m"],
        "build": body["build"], "accessories": ",".join(body["accessories"]),
        "appearance_seed": body["appearance_seed"], "owner_id": -1,
    }  # fmt: skip


def _pose(
    number: int, situation: str, at: tuple[float, float], heading: float, rng: np.random.Generator
) -> dict[str, Any]:  # fmt: skip
    kind = SITUATIONS[situation]
    posture, to, blend = kind.posture, kind.posture, 0.0
    if situation in _TURNS_TO:
        to, blend = _TURNS_TO[situation], float(rng.uniform())
        posture = "walking" if situation == "falling" else "standing"
    elif situation == "child_playing":
        posture = to = ("running", "standing", "walking", "crouching")[int(rng.integers(4))]
    elif kind.stays and posture == "standing" and rng.uniform() < 0.25:
        posture = to = "walking"  # a few steps
    speed = _SPEED_M_S.get(posture, 0.0) * float(rng.uniform(0.7, 1.3)) * (1.0 - blend)
    return {
        "frame": 0, "subject_id": number, X_M: at[0], Y_M: at[1], "heading_rad": heading, "speed_m_s": speed,
        "phase": float(rng.uniform()), "posture": posture, "posture_to": to, "blend": blend,
        "height_over_ground_m": SEAT_HEIGHT_M if situation == "seated" else 0.0,
    }  # fmt: skip


def _leave_things(
    subjects: list[dict[str, Any]], poses: list[dict[str, Any]], free: FloatArray,
    taken: list[tuple[float, float, float]], rng: np.random.Generator,
) -> None:  # fmt: skip
    """Up to five bags on the ground, by nobody in particular."""
    for _ in range(int(rng.integers(6))):
        at = _room(free, taken, near=None, space_m=0.35, rng=rng)
        if at is None:
            return
        taken.append((*at, 0.35))
        number = len(subjects) + 1
        subjects.append({
            "subject_id": number, "label": "object", "situation": "bag_leaving", "height_m": 0.5, "build": 1.0,
            "accessories": _LEFT_THINGS[int(rng.integers(len(_LEFT_THINGS)))],
            "appearance_seed": int(rng.integers(2**31)), "owner_id": -1,
        })  # fmt: skip
        poses.append(
            _pose(number, "waiting", at, float(rng.uniform(-np.pi, np.pi)), rng)
            | {"speed_m_s": 0.0, "posture": "standing", "posture_to": "standing"}
        )
