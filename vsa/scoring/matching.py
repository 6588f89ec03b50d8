"""Whom a track is, and whom an alert is about.

A rule knows tracks; a burden falls on people. Between the two: which subject a box is in each frame (one box to one
subject, by overlap), then which subject an alert was about. An alert on nobody (a shadow, a sign, a lost box) is kept
as such: it costs an operator's time without falling on anyone.

What it cannot tell you: with whom a box that covers two people should be counted. Overlap decides, and in a crowd it
decides by a few pixels. An alert of a zone (density) is about everybody in it and is not given to one person.

References
----------
.. [1] Kuhn (1955), "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    SITUATION,
    SUBJECT_ID,
    TRACK_ID,
    VISIBLE_BOX,
    Alerts,
    FloatArray,
    SceneTruth,
)

IntArray = npt.NDArray[np.int64]
BoxKind = Literal["amodal", "visible"]

IOU: Final = "iou"
MATCHED_BY: Final = "matched_by"  #: ``trace``, ``nearest``, ``zone`` or ``nobody``
#: Overlap from which a box is that of a subject.
MIN_IOU: Final = 0.5
#: Subject of an alert that is about nobody, and of one that is about a zone.
NO_SUBJECT: Final = -1
NOBODY: Final = "nobody"
EVERYBODY: Final = "everybody"


def box_columns(boxes: BoxKind) -> tuple[str, ...]:
    """Columns of the truth that hold the whole body (``amodal``) or what can be seen of it (``visible``)."""
    if boxes not in ("amodal", "visible"):
        raise bad_parameter(name="boxes", where="box_columns", must="'amodal' or 'visible'", got=boxes)
    return BOX if boxes == "amodal" else VISIBLE_BOX


def in_view(boxes: FloatArray, truth: SceneTruth) -> FloatArray:
    """Boxes cut at the edges of the image: a detector cannot see beyond, truth can."""
    camera = truth.meta.camera
    cut = np.array(boxes, dtype=np.float64)
    cut[:, 0::2] = cut[:, 0::2].clip(0.0, camera.width_px)
    cut[:, 1::2] = cut[:, 1::2].clip(0.0, camera.height_px)
    return cut


def paired_iou(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of boxes row by row, both of shape (n, 4); 0 where either has no area."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=1)
    areas = np.prod(np.clip(one[:, 2:] - one[:, :2], 0, None), axis=1) + np.prod(
        np.clip(other[:, 2:] - other[:, :2], 0, None), axis=1
    )
    union = areas - shared
    out: FloatArray = np.zeros(len(shared))
    np.divide(shared, union, out=out, where=union > 0)
    return out


def box_iou(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of every box of ``one`` (n, 4) with every box of ``other`` (m, 4), shape (n, m).

    Examples
    --------
    >>> box_iou(np.array([[0.0, 0, 2, 2]]), np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
    [[1.0, 0.333, 0.0]]
    """
    n, m = len(one), len(other)
    return paired_iou(np.repeat(one, m, axis=0), np.tile(other, (n, 1))).reshape(n, m)


def match_boxes(
    frames: IntArray, boxes: FloatArray, other_frames: IntArray, other_boxes: FloatArray, *, min_iou: float = MIN_IOU
) -> tuple[IntArray, FloatArray]:
    """Pair boxes with those of another set, one to one in each frame, so that the sum of overlaps is greatest.

    Parameters
    ----------
    frames, other_frames : ndarray of int, shapes (n,) and (m,)
        In any order.
    boxes, other_boxes : ndarray of float, shapes (n, 4) and (m, 4)
    min_iou : float, default=0.5
        Pairs below it are not pairs.

    Returns
    -------
    partner : ndarray of int, shape (n,)
        Row of the other set, or -1.
    overlap : ndarray of float, shape (n,)
        Intersection over union with the partner, 0 without one.

    Raises
    ------
    ParameterError
        If ``min_iou`` is not in (0, 1].
    """
    if not 0 < min_iou <= 1:
        raise bad_parameter(name="min_iou", where="match_boxes", must="a share in (0, 1]", got=min_iou)
    partner, overlap = np.full(len(frames), -1, dtype=np.int64), np.zeros(len(frames))
    row, column = _same_frame(np.asarray(frames), np.asarray(other_frames))
    iou = paired_iou(np.asarray(boxes, dtype=np.float64)[row], np.asarray(other_boxes, dtype=np.float64)[column])
    possible = iou >= min_iou
    row, column, iou = row[possible], column[possible], iou[possible]
    if not len(row):
        return partner, overlap
    alone = (np.bincount(row)[row] == 1) & (np.bincount(column)[column] == 1)
    partner[row[alone]], overlap[row[alone]] = column[alone], iou[alone]
    row, column, iou = row[~alone], column[~alone], iou[~alone]
    if len(row):
        from scipy.optimize import linear_sum_assignment

        at = np.asarray(frames)[row]
        order = np.argsort(at, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(at[order])) + 1):
            left, i = np.unique(row[part], return_inverse=True)
            right, j = np.unique(column[part], return_inverse=True)
            gain = np.zeros((len(left), len(right)))
            gain[i, j] = iou[part]
            a, b = linear_sum_assignment(gain, maximize=True)
            kept = gain[a, b] > 0
            partner[left[a[kept]]], overlap[left[a[kept]]] = right[b[kept]], gain[a[kept], b[kept]]
    return partner, overlap


def track_subjects(
    tracks: pd.DataFrame, truth: SceneTruth, *, boxes: BoxKind = "amodal", min_iou: float = MIN_IOU
) -> pd.DataFrame:
    """Say which subject each row of ``tracks`` is.

    Parameters
    ----------
    tracks : DataFrame
        With ``frame``, ``track_id``, ``label`` and the box.
    truth : SceneTruth
    boxes : {"amodal", "visible"}, default="amodal"
        Which boxes of the truth to overlap with.
    min_iou : float, default=0.5

    Returns
    -------
    DataFrame
        One row a row of ``tracks``, in its order: ``frame``, ``track_id``, ``subject_id`` (-1: nobody), ``iou``. A
        person is never paired with an object.
    """
    seen = truth.frames
    subject, overlap = np.full(len(tracks), NO_SUBJECT, dtype=np.int64), np.zeros(len(tracks))
    for label in pd.unique(tracks[LABEL]):
        mine, theirs = (tracks[LABEL] == label).to_numpy(), seen[seen[LABEL] == label]
        partner, iou = match_boxes(
            tracks[FRAME].to_numpy()[mine],
            in_view(tracks[list(BOX)].to_numpy()[mine], truth),
            theirs[FRAME].to_numpy(),
            in_view(theirs[list(box_columns(boxes))].to_numpy(), truth),
            min_iou=min_iou,
        )
        ids = np.append(theirs[SUBJECT_ID].to_numpy(), NO_SUBJECT)
        subject[mine], overlap[mine] = ids[partner], iou
    return pd.DataFrame(
        {FRAME: tracks[FRAME].to_numpy(), TRACK_ID: tracks[TRACK_ID].to_numpy(), SUBJECT_ID: subject, IOU: overlap}
    )


def alert_subjects(
    alerts: Alerts,
    truth: SceneTruth,
    *,
    tracks: pd.DataFrame | None = None,
    boxes: BoxKind = "amodal",
    min_iou: float = MIN_IOU,
    near_heights: float = 0.5,
) -> pd.DataFrame:
    """Say whom each alert is about.

    Parameters
    ----------
    alerts : Alerts
    truth : SceneTruth
    tracks : DataFrame, optional
        The tracks the rule was given: boxes are then paired one to one with all of them in each frame. Without them
        each box of the trace is given to the subject it overlaps most.
    boxes, min_iou
        As :func:`track_subjects`.
    near_heights : float, default=0.5
        How far the feet of the nearest subject may be, in heights of the alert's box.

    Returns
    -------
    DataFrame
        The table of alerts with ``subject_id``, ``label``, ``situation`` and ``matched_by``:

        * ``trace``: the subject that most of the boxes behind the alert are, if it is more of them than nobody is;
        * ``nearest``: else the subject whose feet are nearest in the alert's frame;
        * ``zone``: the alert names no track; its situation is ``"everybody"``;
        * ``nobody``: none of these; its situation is ``"nobody"``.
    """
    table, trace = alerts.table.reset_index(drop=True), alerts.trace.reset_index(drop=True)
    votes = _votes(trace, truth, tracks, boxes, min_iou)
    subject, how = np.full(len(table), NO_SUBJECT, dtype=np.int64), np.full(len(table), NOBODY, dtype=object)
    chosen = _majority(trace["alert_id"].to_numpy(), votes)
    last = _last_boxes(trace)
    for i, (alert_id, track_id, frame) in enumerate(
        zip(table["alert_id"].tolist(), table[TRACK_ID].tolist(), table[FRAME].tolist(), strict=True)
    ):
        if track_id < 0:
            how[i] = "zone"
        elif alert_id in chosen:
            subject[i], how[i] = chosen[alert_id], "trace"
        elif alert_id in last:
            found = _nearest(last[alert_id], truth.frames[truth.frames[FRAME] == frame], boxes, near_heights)
            if found != NO_SUBJECT:
                subject[i], how[i] = found, "nearest"
    known = truth.frames.drop_duplicates(SUBJECT_ID).set_index(SUBJECT_ID)
    out = table.assign(subject_id=subject, matched_by=pd.Series(how, dtype="str"))
    for column in (LABEL, SITUATION):
        named = pd.Series(subject).map(known[column]).astype(object)
        out[column] = named.where(subject >= 0, np.where(how == "zone", EVERYBODY, NOBODY)).astype("str").to_numpy()
    return out


def _same_frame(frames: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    """Every pair of rows of two sets that share a frame."""
    order = np.argsort(other, kind="stable")
    ordered = other[order]
    start, stop = np.searchsorted(ordered, frames, "left"), np.searchsorted(ordered, frames, "right")
    count = stop - start
    row = np.repeat(np.arange(len(frames)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, order[np.repeat(start, count) + within] if len(row) else row


def _votes(
    trace: pd.DataFrame, truth: SceneTruth, tracks: pd.DataFrame | None, boxes: BoxKind, min_iou: float
) -> IntArray:
    """Subject of each row of the trace, -1 for nobody."""
    if tracks is not None:
        paired = track_subjects(tracks, truth, boxes=boxes, min_iou=min_iou).drop_duplicates([FRAME, TRACK_ID])
        found = trace[[FRAME, TRACK_ID]].merge(paired, on=[FRAME, TRACK_ID], how="left")[SUBJECT_ID]
        return found.fillna(NO_SUBJECT).to_numpy(dtype=np.int64)
    seen = truth.frames
    row, column = _same_frame(trace[FRAME].to_numpy(), seen[FRAME].to_numpy())
    ours = in_view(trace[list(BOX)].to_numpy(), truth)
    iou = paired_iou(ours[row], in_view(seen[list(box_columns(boxes))].to_numpy(), truth)[column])
    best = pd.DataFrame({"row": row, SUBJECT_ID: seen[SUBJECT_ID].to_numpy()[column], IOU: iou})
    best = best[best[IOU] >= min_iou].sort_values([IOU, SUBJECT_ID], ascending=[False, True]).drop_duplicates("row")
    out = np.full(len(trace), NO_SUBJECT, dtype=np.int64)
    out[best["row"].to_numpy()] = best[SUBJECT_ID].to_numpy()
    return out


def _majority(alert_ids: IntArray, votes: IntArray) -> dict[int, int]:
    """Alert → the subject with most rows of its trace, where it has more of them than nobody has."""
    counts = pd.DataFrame({"alert_id": alert_ids, SUBJECT_ID: votes}).value_counts().rename("n").reset_index()
    ordered = counts.sort_values(["alert_id", "n", SUBJECT_ID], ascending=[True, False, True])  # nobody wins ties
    first = ordered.drop_duplicates("alert_id")
    first = first[first[SUBJECT_ID] >= 0]
    return dict(zip(first["alert_id"].tolist(), first[SUBJECT_ID].tolist(), strict=True))


def _last_boxes(trace: pd.DataFrame) -> dict[int, FloatArray]:
    """Alert → the last finite box of its trace."""
    finite = trace[np.isfinite(trace[list(BOX)].to_numpy(dtype=np.float64)).all(axis=1)]
    last = finite.sort_values(FRAME, kind="stable").drop_duplicates("alert_id", keep="last")
    return dict(zip(last["alert_id"].tolist(), last[list(BOX)].to_numpy(dtype=np.float64), strict=True))


def _nearest(box: FloatArray, present: pd.DataFrame, boxes: BoxKind, near_heights: float) -> int:
    if present.empty:
        return NO_SUBJECT
    theirs = present[list(box_columns(boxes))].to_numpy(dtype=np.float64)
    feet = np.column_stack([(theirs[:, 0] + theirs[:, 2]) / 2, theirs[:, 3]])
    away = np.hypot(*(feet - [(box[0] + box[2]) / 2, box[3]]).T)
    at = int(np.argmin(away))
    within = bool(away[at] <= near_heights * (box[3] - box[1]))
    return int(present[SUBJECT_ID].iloc[at]) if within else NO_SUBJECT
