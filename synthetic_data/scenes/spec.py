"""What a scene is asked to be, and the two tables that pass from its script to its renderer.

What it cannot tell you: a scene is invented. It measures what a machine does with people who stay, sell, sleep, roll or
fall in front of it, not how many of them there are anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import FRAME, LABEL, POSTURE, SITUATION, SPEED, SUBJECT_ID, Camera, ClipMeta

PlaceKey = Literal["plaza", "hall", "corner", "school", "market"]
Light = Literal["day", "dusk", "night", "glare"]
PLACES: Final[tuple[PlaceKey, ...]] = get_args(PlaceKey)
LIGHTS: Final[tuple[Light, ...]] = get_args(Light)

#: One row a subject (person or left object) and frame in which it exists, in view or not. ``heading_rad``: clockwise
#: from +y. ``phase``: gait cycles since the start, for the legs. The body is ``posture`` blended with ``posture_to``:
#: ``blend`` 0 is the first, 1 the second. ``height_over_ground_m``: what it sits on (a bench), 0 on the ground.
POSE_COLUMNS: Final[Mapping[str, str]] = {
    FRAME: "int64", SUBJECT_ID: "int64", X_M: "float64", Y_M: "float64", "heading_rad": "float64", SPEED: "float64",
    "phase": "float64", POSTURE: "str", "posture_to": "str", "blend": "float64", "height_over_ground_m": "float64",
}  # fmt: skip

#: One row a subject. ``accessories``: comma-separated keys of :data:`contrechamp.domain.situations.ACCESSORIES`.
#: ``appearance_seed``: the only source of clothes and colours, so that two bodies may share or swap them.
#: ``owner_id``: of an object, the subject that put it down; -1 otherwise. An object's situation is that of its owner.
SUBJECT_COLUMNS: Final[Mapping[str, str]] = {
    SUBJECT_ID: "int64", LABEL: "str", SITUATION: "str", "height_m": "float64", "build": "float64",
    "accessories": "str", "appearance_seed": "int64", "owner_id": "int64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """A scene, entirely: the same spec gives the same bytes.

    Attributes
    ----------
    place : {"plaza", "hall", "corner", "school", "market"}
    seed : int
    duration_s, fps : float
    width_px, height_px : int
    camera_height_m, camera_pitch_deg, focal_px : float
        ``focal_px`` is for the width given.
    light : {"day", "dusk", "night", "glare"}
    rain : float
        0 none, 1 heavy.
    flow_per_min : float
        Passers-by who enter in a minute.
    cast : tuple of (str, int)
        Situation and how many persons (or groups, for those who come in groups) are in it.
    dwell_s : tuple of float
        Shortest and longest stay of those who stay.
    swap : tuple of (str, str)
        Counterfactual: each person drawn in the first situation gets the body, posture and accessories of the second;
        trajectory, place, light and stay unchanged.
    crf : int
        H.264 quality, 0 (no loss) to 51.
    """

    place: PlaceKey = "plaza"
    seed: int = 1
    duration_s: float = 60.0
    fps: float = 10.0
    width_px: int = 640
    height_px: int = 360
    camera_height_m: float = 5.0
    camera_pitch_deg: float = 22.0
    focal_px: float = 520.0
    light: Light = "day"
    rain: float = 0.0
    flow_per_min: float = 12.0
    cast: tuple[tuple[str, int], ...] = ()
    dwell_s: tuple[float, float] = (60.0, 600.0)
    swap: tuple[tuple[str, str], ...] = ()
    crf: int = 23

    def __post_init__(self) -> None:
        known = {*SITUATIONS}
        strange = [s for s, _ in self.cast if s not in known] + [
            s for pair in self.swap for s in pair if s not in known
        ]
        if strange:
            raise ParameterError(
                f"No situation is called {strange[0]!r}. Those that exist are {', '.join(SITUATIONS)}."
            )
        if self.place not in PLACES or self.light not in LIGHTS:
            raise ParameterError(
                f"A scene's place is one of {', '.join(PLACES)} and its light one of {', '.join(LIGHTS)}. "
                f"Got {self.place!r} and {self.light!r}."
            )
        positive = (self.duration_s, self.fps, self.camera_height_m, self.focal_px)
        if not all(np.isfinite(v) and v > 0 for v in positive) or not 64 <= self.width_px <= 3840:
            raise ParameterError(
                f"A scene needs a positive duration, frame rate, camera height and focal length, and 64 to 3840 pixels "
                f"of width. Got {positive} and {self.width_px}."
            )
        if not 64 <= self.height_px <= 2160 or self.width_px % 2 or self.height_px % 2:
            raise ParameterError(
                f"Width and height must be even, the height 64 to 2160. Got {self.width_px} × {self.height_px}."
            )
        if not 0 <= self.rain <= 1 or not 0 <= self.crf <= 51 or self.flow_per_min < 0 or min(self.dwell_s) < 0:
            raise ParameterError(
                f"Rain lies in [0, 1], crf in [0, 51], flow and stays are not negative. Got {self.rain}, {self.crf}, "
                f"{self.flow_per_min}, {self.dwell_s}."
            )

    @property
    def n_frames(self) -> int:
        """Frames of the clip, at least 1."""
        return max(1, round(self.duration_s * self.fps))

    @property
    def camera(self) -> Camera:
        """The camera, its foot at the origin, looking along +y."""
        return Camera(self.width_px, self.height_px, self.focal_px, self.camera_height_m, self.camera_pitch_deg)


@dataclass(frozen=True, slots=True)
class Script:
    """Who is where in every frame, before anything is drawn.

    Attributes
    ----------
    spec : SceneSpec
    meta : ClipMeta
        With the zones and lines of the place.
    subjects : DataFrame
        Columns of :data:`SUBJECT_COLUMNS`.
    poses : DataFrame
        Columns of :data:`POSE_COLUMNS`, by frame then subject.
    events : DataFrame
        Columns of :data:`contrechamp.domain.video.EVENT_COLUMNS`.
    """

    spec: SceneSpec
    meta: ClipMeta
    subjects: pd.DataFrame
    poses: pd.DataFrame
    events: pd.DataFrame
