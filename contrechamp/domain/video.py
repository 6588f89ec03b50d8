"""What a clip is made of: cameras, zones, boxes, tracks, alerts, and the truth beside them.

The one set of types between the simulator, detectors, trackers, rules, scores and reports. Positions on the ground are
metres in the scene's own frame (x to the right of the camera's foot, y away from it), not a national grid. Boxes are in
pixels, ``x1 <= x < x2``, origin at the top left. Times are seconds of video, ``frame / fps``: no clock of the machine.

What it cannot tell you: a pinhole camera over flat ground. Lens distortion, slopes and stairs are not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import ContractError, ParameterError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Image = npt.NDArray[np.uint8]  #: (height, width, 3), RGB
Plane = Literal["image", "ground"]
Label = Literal["person", "object"]

#: Classes of a detector; a detection holds the index.
LABELS: Final = ("person", "object")

FRAME: Final = "frame"
T_S: Final = "t_s"
TRACK_ID: Final = "track_id"
SUBJECT_ID: Final = "subject_id"
LABEL: Final = "label"
SITUATION: Final = "situation"
POSTURE: Final = "posture"
SCORE: Final = "score"
SPEED: Final = "speed_m_s"
BOX: Final = ("x1_px", "y1_px", "x2_px", "y2_px")  #: amodal in truth: the whole body, hidden parts too
VISIBLE_BOX: Final = ("vx1_px", "vy1_px", "vx2_px", "vy2_px")  #: around the visible pixels
VISIBLE_PX: Final = "visible_px"
VISIBILITY: Final = "visibility"  #: visible pixels over the pixels it would have alone, in [0, 1]

#: Column → dtype of a table of tracks: one row a track and frame. ``x_m, y_m`` is the foot point, NaN without camera.
TRACK_COLUMNS: Final[Mapping[str, str]] = {
    FRAME: "int64", T_S: "float64", TRACK_ID: "int64", LABEL: "str", **dict.fromkeys(BOX, "float64"),
    SCORE: "float64", X_M: "float64", Y_M: "float64",
}  # fmt: skip

#: Column → dtype of the truth: one row a subject and frame in which it is in view.
TRUTH_COLUMNS: Final[Mapping[str, str]] = {
    FRAME: "int64", T_S: "float64", SUBJECT_ID: "int64", LABEL: "str", SITUATION: "str", POSTURE: "str",
    **dict.fromkeys(BOX, "float64"), **dict.fromkeys(VISIBLE_BOX, "float64"), VISIBLE_PX: "int64",
    VISIBILITY: "float64", X_M: "float64", Y_M: "float64", SPEED: "float64",
}  # fmt: skip

#: What happens in a scene. ``stay``: a person inside a zone from ``t_begin_s`` to ``t_end_s`` (a dwell of T is a stay
#: of T at least, and begins T after it). ``fall``: from losing balance to standing again (or the end). ``abandonment``:
#: from when the owner is gone to the return (or the end). ``crossing``: one instant. ``density``: while too dense.
EVENT_KINDS: Final = ("stay", "crossing", "fall", "abandonment", "density", "counter_flow", "running")
EVENT_COLUMNS: Final[Mapping[str, str]] = {
    "event_id": "int64", "kind": "str", "t_begin_s": "float64", "t_end_s": "float64", SUBJECT_ID: "int64",
    "zone": "str", SITUATION: "str",
}  # fmt: skip

#: One row an alert. ``t_since_s``: from when the condition was counted. ``value`` crossed ``threshold``, in ``unit``.
ALERT_COLUMNS: Final[Mapping[str, str]] = {
    "alert_id": "int64", "rule": "str", "preset": "str", "zone": "str", TRACK_ID: "int64", FRAME: "int64",
    "t_alert_s": "float64", "t_since_s": "float64", "value": "float64", "threshold": "float64", "unit": "str",
}  # fmt: skip

#: Why an alert fired, frame by frame: one row an alert and frame. ``clock_s`` is the rule's own clock.
TRACE_COLUMNS: Final[Mapping[str, str]] = {
    "alert_id": "int64", FRAME: "int64", T_S: "float64", TRACK_ID: "int64", "state": "str", "clock_s": "float64",
    "inside": "bool", **dict.fromkeys(BOX, "float64"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera over flat ground, its foot at ``(x_m, y_m)``.

    Attributes
    ----------
    width_px, height_px : int
    focal_px : float
        Focal length in pixels: a metre at d metres is ``focal_px / d`` pixels.
    height_m : float
        Of the optical centre over the ground.
    pitch_deg : float
        Downwards from the horizontal.
    yaw_deg : float, default=0.0
        Clockwise seen from above; 0 looks along +y.
    x_m, y_m : float, default=0.0
    """

    width_px: int
    height_px: int
    focal_px: float
    height_m: float
    pitch_deg: float
    yaw_deg: float = 0.0
    x_m: float = 0.0
    y_m: float = 0.0

    def __post_init__(self) -> None:
        sizes = (self.width_px, self.height_px, self.focal_px, self.height_m)
        if not all(np.isfinite(v) and v > 0 for v in sizes):
            raise ParameterError(
                f"A camera's width, height, focal length and height must be positive. Got {sizes}. Check the sidecar."
            )
        if not -90.0 < self.pitch_deg <= 90.0 or not np.isfinite([self.yaw_deg, self.x_m, self.y_m]).all():
            raise ParameterError(
                f"A camera's pitch must be in (-90, 90] degrees and its place finite. Got pitch {self.pitch_deg}, "
                f"yaw {self.yaw_deg}, place ({self.x_m}, {self.y_m}). Check the sidecar."
            )

    def axes(self) -> FloatArray:
        """Rows: right, down, forward of the image, as unit vectors of the scene, shape (3, 3)."""
        yaw, pitch = np.deg2rad(self.yaw_deg), np.deg2rad(self.pitch_deg)
        ahead = np.array([np.sin(yaw), np.cos(yaw), 0.0])
        right = np.array([np.cos(yaw), -np.sin(yaw), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        return np.stack(
            [right, -(np.sin(pitch) * ahead + np.cos(pitch) * up), np.cos(pitch) * ahead - np.sin(pitch) * up]
        )

    def project(self, points_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels and depths of points of the scene.

        Parameters
        ----------
        points_m : ndarray of shape (n, 3)

        Returns
        -------
        points_px : ndarray of shape (n, 2)
            NaN behind the camera.
        depth_m : ndarray of shape (n,)
            Along the optical axis; negative behind.
        """
        centre = np.array([self.x_m, self.y_m, self.height_m])
        seen = (np.asarray(points_m, dtype=np.float64) - centre) @ self.axes().T
        depth = seen[:, 2]
        scale = np.where(depth > 1e-9, self.focal_px / np.where(depth > 1e-9, depth, 1.0), np.nan)
        half = np.array([self.width_px / 2, self.height_px / 2])
        return seen[:, :2] * scale[:, None] + half, depth

    def to_ground(self, points_px: FloatArray) -> FloatArray:
        """Where the ray through each pixel meets the ground, shape (n, 2), metres; NaN on or above the horizon."""
        points = np.asarray(points_px, dtype=np.float64)
        half = np.array([self.width_px / 2, self.height_px / 2])
        rays = np.column_stack([(points - half) / self.focal_px, np.ones(len(points))]) @ self.axes()
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(rays[:, 2] < -1e-9, self.height_m / -rays[:, 2], np.nan)
        return np.array([self.x_m, self.y_m]) + rays[:, :2] * reach[:, None]


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon, on the image (pixels) or on the ground (metres). Its edge belongs to it."""

    name: str
    points: tuple[tuple[float, float], ...]
    plane: Plane = "ground"

    def __post_init__(self) -> None:
        if len(self.points) < 3 or not np.isfinite(np.asarray(self.points, dtype=np.float64)).all():
            raise ParameterError(f"Zone {self.name!r} must have at least three finite points. Got {self.points}.")
        if not shapely.Polygon(self.points).is_valid:
            raise ParameterError(f"Zone {self.name!r} crosses itself: {self.points}. Give its points in order.")

    def contains(self, points: FloatArray) -> BoolArray:
        """Whether each point of shape (n, 2) is inside or on the edge; NaN is outside."""
        at = np.asarray(points, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            return np.asarray(shapely.intersects_xy(shapely.Polygon(self.points), at[:, 0], at[:, 1]), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Line:
    """A directed segment to be crossed; positive from its left side to its right, looking from ``start`` to ``end``."""

    name: str
    start: tuple[float, float]
    end: tuple[float, float]
    plane: Plane = "ground"

    def __post_init__(self) -> None:
        if self.start == self.end or not np.isfinite([*self.start, *self.end]).all():
            raise ParameterError(f"Line {self.name!r} must join two distinct points. Got {self.start} and {self.end}.")


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector saw in one frame.

    Attributes
    ----------
    boxes_px : ndarray of shape (n, 4)
        x1, y1, x2, y2.
    scores : ndarray of shape (n,)
        In [0, 1].
    labels : ndarray of shape (n,)
        Index into :data:`LABELS`.
    """

    boxes_px: FloatArray
    scores: FloatArray
    labels: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.boxes_px)
        if self.boxes_px.shape != (n, 4) or self.scores.shape != (n,) or self.labels.shape != (n,):
            raise ContractError(
                f"Detections must be n boxes of 4, n scores, n labels. Got {self.boxes_px.shape}, {self.scores.shape}, "
                f"{self.labels.shape}."
            )
        if n == 0:
            return
        if not np.isfinite(self.boxes_px).all() or (self.boxes_px[:, 2:] <= self.boxes_px[:, :2]).any():
            raise ContractError(
                "A detected box is not finite, or has no width or height. Drop it before it is tracked."
            )
        if not ((self.scores >= 0) & (self.scores <= 1)).all() or not np.isin(self.labels, range(len(LABELS))).all():
            raise ContractError(f"A score lies outside [0, 1], or a label is not an index of {LABELS}.")

    def __len__(self) -> int:
        return len(self.boxes_px)

    @classmethod
    def empty(cls) -> Detections:
        """No box."""
        return cls(np.empty((0, 4)), np.empty(0), np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Alerts:
    """What a rule raised, and why.

    Attributes
    ----------
    table : DataFrame
        Columns of :data:`ALERT_COLUMNS`, by time then track.
    trace : DataFrame
        Columns of :data:`TRACE_COLUMNS`: for each alert, every frame from ``t_since_s`` to ``t_alert_s``.
    """

    table: pd.DataFrame
    trace: pd.DataFrame


@dataclass(frozen=True, slots=True)
class ClipMeta:
    """The public half of a clip's sidecar: what whoever installs a camera knows."""

    clip_id: str
    fps: float
    n_frames: int
    camera: Camera
    zones: tuple[Zone, ...] = ()
    lines: tuple[Line, ...] = ()
    light: str = "day"
    place: str = "plaza"
    seed: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.fps) and self.fps > 0) or self.n_frames < 1:
            raise ContractError(
                f"Clip {self.clip_id!r} must have frames and a positive frame rate. Got {self.n_frames} frames at "
                f"{self.fps} a second. Render it again."
            )

    @property
    def duration_s(self) -> float:
        """Seconds of video."""
        return self.n_frames / self.fps


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """The other half: what really happened. Given to measurement, never to a rule.

    Attributes
    ----------
    frames : DataFrame
        Columns of :data:`TRUTH_COLUMNS`, by frame then subject.
    events : DataFrame
        Columns of :data:`EVENT_COLUMNS`.
    """

    meta: ClipMeta
    frames: pd.DataFrame
    events: pd.DataFrame = field(default_factory=lambda: as_table({}, EVENT_COLUMNS, what="events"))


def as_table(data: Mapping[str, Any] | pd.DataFrame, columns: Mapping[str, str], *, what: str) -> pd.DataFrame:
    """Give ``data`` the columns and types of one of the tables above; no row in, no row out.

    Raises
    ------
    ContractError
        If a column is missing or cannot be read as its type.
    """
    if not isinstance(data, pd.DataFrame):
        data = pd.DataFrame(data if data else {c: [] for c in columns})
    missing = [c for c in columns if c not in data]
    if missing:
        raise ContractError(f"The table of {what} lacks {', '.join(missing)}. It needs: {', '.join(columns)}.")
    try:
        return data[list(columns)].astype(dict(columns)).reset_index(drop=True)
    except (ValueError, TypeError) as cause:
        raise ContractError(f"The table of {what} holds a value of the wrong type: {cause}.") from cause


def check_boxes(table: pd.DataFrame, *, what: str, n_frames: int | None = None) -> pd.DataFrame:
    """Refuse boxes that are not finite or have no size, and frames outside the clip; return ``table``.

    Raises
    ------
    ContractError
        Names the first rows at fault.
    """
    boxes = table[list(BOX)].to_numpy(dtype=np.float64)
    bad = ~np.isfinite(boxes).all(axis=1) | (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    if bad.any():
        rows = ", ".join(map(str, np.flatnonzero(bad)[:5]))
        raise ContractError(f"{int(bad.sum())} boxes of the {what} are not finite or have no size (rows {rows}).")
    frames = table[FRAME].to_numpy()
    out = (frames < 0) | (frames >= n_frames if n_frames is not None else False)
    if out.any():
        rows = ", ".join(f"{int(i)} (frame {int(frames[i])})" for i in np.flatnonzero(out)[:5])
        raise ContractError(f"{int(out.sum())} rows of the {what} name a frame outside 0..{n_frames} (rows {rows}).")
    return table
