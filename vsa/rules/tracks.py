"""Tracks as sorted arrays: checked once, filled where a track was lost for a while, anchored to a point.

Every rule sees the same arrays: one row a track and frame from its first to its last frame. Where a tracker lost the
track in between, the row repeats the last box and says so (``seen`` is false): each rule then decides what a lost
person's clock does.

What it cannot tell you: where a lost person was. The repeated box is the last known one, not an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    LABELS,
    T_S,
    TRACK_COLUMNS,
    TRACK_ID,
    BoolArray,
    ClipMeta,
    FloatArray,
    Plane,
    Zone,
    as_table,
    check_boxes,
)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tracks:
    """Rows grouped by track, then by frame, without a gap inside a track.

    Attributes
    ----------
    first : ndarray of shape (n_groups + 1,)
        Where each group of rows begins; the last entry is the number of rows.
    track : ndarray of shape (n,)
        The track's own id (a stitched group holds several).
    frame, t_s : ndarray of shape (n,)
    seen : ndarray of shape (n,)
        False where the track was lost and the row repeats the last box.
    box_px : ndarray of shape (n, 4)
    foot_m : ndarray of shape (n, 2)
        Point on the ground.
    """

    first: IntArray
    track: IntArray
    frame: IntArray
    t_s: FloatArray
    seen: BoolArray
    box_px: FloatArray
    foot_m: FloatArray

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True)
class Checked:
    """A table of tracks that met its contract, sorted by track then frame, as arrays."""

    track: IntArray
    frame: IntArray
    label: IntArray
    box_px: FloatArray
    foot_m: FloatArray
    fps: float

    def of(self, label: str, *, stitch_m: float | None = None, stitch_s: float = 0.0) -> Tracks:
        """Rows of one label, filled; tracks that follow each other closely are joined if ``stitch_m`` is given."""
        keep = self.label == LABELS.index(label)
        track, frame, box, foot = self.track[keep], self.frame[keep], self.box_px[keep], self.foot_m[keep]
        group = track
        if stitch_m is not None and len(track):
            group = _stitched(track, frame, foot, radius_m=stitch_m, gap=stitch_s * self.fps)
            order = np.lexsort((frame, group))
            group, track, frame, box, foot = group[order], track[order], frame[order], box[order], foot[order]
        return _filled(group, track, frame, box, foot, fps=self.fps)


def check_tracks(tracks: pd.DataFrame | Mapping[str, Any], meta: ClipMeta) -> Checked:
    """Check a table of tracks against its contract and sort it.

    Raises
    ------
    ContractError
        If a column is missing, a box is not finite, a frame is outside the clip, ``t_s`` is not the frame over the
        clip's rate, a label is unknown, or the frames of a track do not increase (unsorted or repeated rows).
    """
    table = check_boxes(as_table(tracks, TRACK_COLUMNS, what="tracks"), what="tracks", n_frames=meta.n_frames)
    track = table[TRACK_ID].to_numpy(dtype=np.int64)
    frame = table[FRAME].to_numpy(dtype=np.int64)
    label = pd.Index(LABELS).get_indexer(pd.Index(table[LABEL]))
    if (label < 0).any():
        raise ContractError(f"The tracks hold a label other than {', '.join(LABELS)}: {_rows(label < 0)}.")
    with np.errstate(invalid="ignore"):
        late = ~(np.abs(table[T_S].to_numpy(dtype=np.float64) - frame / meta.fps) <= 0.5 / meta.fps)
    if late.any():
        raise ContractError(
            f"{int(late.sum())} rows of the tracks give a time that is not their frame over {meta.fps:g} a second "
            f"({_rows(late)}). Write t_s = frame / fps."
        )
    order = np.argsort(track, kind="stable")
    track, frame = track[order], frame[order]
    back = (np.diff(track) == 0) & (np.diff(frame) <= 0)
    if back.any():
        at = int(np.flatnonzero(back)[0]) + 1
        raise ContractError(
            f"The tracks are unsorted or repeat a row: track {int(track[at])} has frame {int(frame[at])} after frame "
            f"{int(frame[at - 1])} ({int(back.sum())} such rows). Sort by frame and keep one row a frame and track."
        )
    box = table[list(BOX)].to_numpy(dtype=np.float64)[order]
    foot = table[[X_M, Y_M]].to_numpy(dtype=np.float64)[order]
    unknown = ~np.isfinite(foot).all(axis=1)
    if unknown.any():
        foot[unknown] = meta.camera.to_ground(_middle(box[unknown], bottom=True))
    return Checked(track, frame, np.asarray(label, dtype=np.int64)[order], box, foot, meta.fps)


def anchored(tracks: Tracks, anchor: str, *, plane: Plane, meta: ClipMeta) -> FloatArray:
    """The point of each row that is tested, on the image or on the ground, shape (n, 2); NaN where it has none."""
    if anchor == "ground":
        if plane == "ground":
            return tracks.foot_m
        return meta.camera.project(np.column_stack([tracks.foot_m, np.zeros(len(tracks))]))[0]
    points = _middle(tracks.box_px, bottom=anchor == "bottom_center")
    return points if plane == "image" else meta.camera.to_ground(points)


def inside(tracks: Tracks, zone: Zone | None, anchor: str, *, meta: ClipMeta) -> BoolArray:
    """Whether each row's anchor is in the zone; all are in the whole picture (``zone=None``)."""
    if zone is None:
        return np.ones(len(tracks), dtype=np.bool_)
    return zone.contains(anchored(tracks, anchor, plane=zone.plane, meta=meta))


def area_m2(zone: Zone | None, *, meta: ClipMeta) -> float:
    """Surface of a zone on the ground.

    Raises
    ------
    ParameterError
        If there is no zone, or a corner of it lies above the horizon.
    """
    import shapely

    if zone is None:
        raise ParameterError(
            "A density needs a zone with an area. Got none: the whole picture has no edge on the ground. Give a zone."
        )
    corners = np.asarray(zone.points, dtype=np.float64)
    ground = corners if zone.plane == "ground" else meta.camera.to_ground(corners)
    if not np.isfinite(ground).all():
        raise ParameterError(
            f"Zone {zone.name!r} has a corner on or above the horizon, so no area on the ground. Draw it lower."
        )
    return float(shapely.Polygon(ground).area)


def _middle(box: FloatArray, *, bottom: bool) -> FloatArray:
    x = (box[:, 0] + box[:, 2]) / 2
    return np.column_stack([x, box[:, 3] if bottom else (box[:, 1] + box[:, 3]) / 2])


def _rows(bad: npt.NDArray[np.bool_]) -> str:
    return "rows " + ", ".join(map(str, np.flatnonzero(bad)[:5]))


def _filled(
    group: IntArray, track: IntArray, frame: IntArray, box: FloatArray, foot: FloatArray, *, fps: float
) -> Tracks:
    n = len(frame)
    new = np.ones(n, dtype=np.bool_)
    new[1:] = group[1:] != group[:-1]
    span = np.ones(n, dtype=np.int64)  # rows each row becomes: itself and the frames lost after it
    span[:-1] = np.where(new[1:], 1, np.diff(frame)) if n else span[:-1]
    at = np.repeat(np.arange(n), span)
    ends = np.cumsum(span)
    step = np.arange(len(at)) - np.repeat(ends - span, span)
    starts = (ends - span)[new]
    filled = frame[at] + step
    return Tracks(
        np.append(starts, len(at)).astype(np.int64), track[at], filled, filled / fps, step == 0, box[at], foot[at]
    )


def _stitched(track: IntArray, frame: IntArray, foot: FloatArray, *, radius_m: float, gap: float) -> IntArray:
    """Give a track the group of the nearest one that ended shortly before, close by; each is continued once."""
    starts = np.flatnonzero(np.append(True, track[1:] != track[:-1]))
    ends = np.append(starts[1:], len(track)) - 1
    group = np.arange(len(starts))
    open_ends = np.ones(len(starts), dtype=np.bool_)
    for k in np.lexsort((track[starts], frame[starts])):
        wait = frame[starts[k]] - frame[ends]
        far = np.hypot(*(foot[ends] - foot[starts[k]]).T)
        fits = np.flatnonzero(open_ends & (wait > 0) & (wait <= gap + 1e-9) & (far <= radius_m))
        if len(fits):
            best = fits[np.lexsort((track[starts[fits]], wait[fits], far[fits]))[0]]
            group[k], open_ends[best] = group[best], False
    return np.repeat(group, np.diff(np.append(starts, len(track))))
