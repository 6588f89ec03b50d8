"""From boxes to tracks: who is the same from one frame to the next, by trackers that exist.

SORT, ByteTrack and OC-SORT come from the ``trackers`` package, one instance a clip and class, so that no identity
crosses clips and a bag is never a person. Frames without a box still step the tracker. Boxes a tracker has not
confirmed are dropped. Every setting is written down in :func:`tracker_defaults`: those of the package are far from
those of the tools people quote, and each changes who keeps one identity long enough to be flagged.

What it cannot tell you: who somebody is. An identity is a number that lasts while boxes overlap; two people who cross
may swap it, and one who is hidden for long comes back as another.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from contrechamp.domain.columns import X_M, Y_M
from contrechamp.domain.errors import CapabilityError, ContractError, bad_parameter
from contrechamp.domain.video import (
    BOX,
    FRAME,
    LABEL,
    LABELS,
    SCORE,
    T_S,
    TRACK_COLUMNS,
    TRACK_ID,
    ClipMeta,
    Detections,
    FloatArray,
    as_table,
)

Method = Literal["bytetrack", "sort", "oc-sort"]

#: Method → class of the ``trackers`` package.
METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bytetrack": "trackers.core.bytetrack.tracker:ByteTrackTracker",
        "sort": "trackers.core.sort.tracker:SORTTracker",
        "oc-sort": "trackers.core.ocsort.tracker:OCSORTTracker",
    }
)

#: What we ask of each tracker, all of it. ``lost_track_buffer`` counts frames at 30 a second: 60 is two seconds. The
#: package asks ByteTrack for a score of 0.7 to begin a track, which leaves out whoever a small detector doubts.
DEFAULTS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "bytetrack": MappingProxyType(
            {
                "lost_track_buffer": 60,
                "track_activation_threshold": 0.4,
                "minimum_consecutive_frames": 2,
                "minimum_iou_threshold": 0.1,
                "high_conf_det_threshold": 0.4,
            }
        ),
        "sort": MappingProxyType(
            {
                "lost_track_buffer": 60,
                "track_activation_threshold": 0.25,
                "minimum_consecutive_frames": 3,
                "minimum_iou_threshold": 0.3,
            }
        ),
        "oc-sort": MappingProxyType(
            {
                "lost_track_buffer": 60,
                "minimum_consecutive_frames": 3,
                "minimum_iou_threshold": 0.3,
                "direction_consistency_weight": 0.2,
                "high_conf_det_threshold": 0.4,
                "delta_t": 3,
            }
        ),
    }
)


def tracker_defaults() -> list[dict[str, Any]]:
    """Every setting of every method: ours, and the package's own where it is installed; ready for JSON."""
    rows = []
    for method, ours in DEFAULTS.items():
        try:
            shipped = {k: p.default for k, p in inspect.signature(_tracker_class(method)).parameters.items()}
        except CapabilityError:
            shipped = {}
        rows += [
            {"method": method, "name": name, "default": value, "shipped": shipped.get(name)}
            for name, value in ours.items()
        ]
    return rows


def track(
    detections: Sequence[Detections],
    *,
    meta: ClipMeta,
    method: Method = "bytetrack",
    **params: float,
) -> pd.DataFrame:
    """Join the boxes of one clip into tracks.

    Parameters
    ----------
    detections : sequence of Detections
        One a frame of the clip, in order; empty where nothing was seen.
    meta : ClipMeta
        Frame rate, and the camera that puts the bottom of a box on the ground.
    method : {"bytetrack", "sort", "oc-sort"}, default="bytetrack"
    **params
        Settings of the tracker that differ from :data:`DEFAULTS`.

    Returns
    -------
    DataFrame
        Columns of :data:`contrechamp.domain.video.TRACK_COLUMNS`, by frame then track. Persons and objects have
        distinct ids, numbered from 1 in order of confirmation.

    Raises
    ------
    ContractError
        If there is not one entry a frame.
    ParameterError
        If the method or a setting is unknown.
    CapabilityError
        If the trackers are not installed.
    """
    if len(detections) != meta.n_frames:
        raise ContractError(
            f"Clip {meta.clip_id!r} has {meta.n_frames} frames but {len(detections)} entries of detections. Give one a "
            "frame, empty where nothing was seen."
        )
    settings = _settings(method, params)
    parts = [_track_label(detections, k, meta, method, settings) for k in range(len(LABELS))]
    found = np.concatenate(parts)
    if not len(found):
        return as_table({}, TRACK_COLUMNS, what="tracks")
    # One number a (class, id), in order of first confirmation: stable, and distinct between classes.
    keys = found[:, 0] * 1e9 + found[:, 2]
    order = np.lexsort((found[:, 2], found[:, 0], found[:, 1]))
    _, where, inverse = np.unique(keys[order], return_index=True, return_inverse=True)
    number = np.empty(len(where), dtype=np.int64)
    number[np.argsort(where, kind="stable")] = np.arange(1, len(where) + 1)
    found, ids = found[order], number[inverse]
    box = found[:, 3:7]
    foot = meta.camera.to_ground(np.column_stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]]))
    frame = found[:, 1].astype(np.int64)
    table = pd.DataFrame(
        {
            FRAME: frame,
            T_S: frame / meta.fps,
            TRACK_ID: ids,
            LABEL: np.asarray(LABELS)[found[:, 0].astype(np.int64)],
            **{c: box[:, k] for k, c in enumerate(BOX)},
            SCORE: found[:, 7],
            X_M: foot[:, 0],
            Y_M: foot[:, 1],
        }
    )
    return as_table(table.sort_values([FRAME, TRACK_ID], kind="stable"), TRACK_COLUMNS, what="tracks")


def _settings(method: str, params: Mapping[str, float]) -> dict[str, float]:
    if method not in METHODS:
        raise bad_parameter(name="method", where="track", must="one of " + ", ".join(METHODS), got=method)
    known = DEFAULTS[method]
    for name, value in params.items():
        if name not in known:
            raise bad_parameter(
                name=name, where=f"track with {method!r}", must="one of its settings: " + ", ".join(known), got=value
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < np.inf:
            raise bad_parameter(name=name, where=f"track with {method!r}", must="a number in [0, inf)", got=value)
    # Counts must reach the package as whole numbers, whatever they were written as.
    return {k: type(known[k])(v) for k, v in {**known, **params}.items()}


def _tracker_class(method: str) -> type[Any]:
    module, name = METHODS[method].split(":")
    try:
        return getattr(import_module(module), name)  # type: ignore[no-any-return]
    except ImportError as cause:
        raise CapabilityError(
            f"Tracking with {method!r} needs the packages trackers and supervision, which cannot be imported "
            f"({cause}). Install them, or use tracks made elsewhere."
        ) from cause


def _track_label(
    detections: Sequence[Detections], label: int, meta: ClipMeta, method: str, settings: Mapping[str, float]
) -> FloatArray:
    """Rows of one class: label, frame, the tracker's id, box, score."""
    if not any((d.labels == label).any() for d in detections):
        return np.empty((0, 8))
    tracker = _tracker_class(method)(frame_rate=meta.fps, **settings)
    boxes_of = import_module("supervision").Detections
    rows = []
    for frame, seen in enumerate(detections):
        keep = seen.labels == label
        given = boxes_of(xyxy=seen.boxes_px[keep], confidence=seen.scores[keep])
        out = tracker.update(given)
        ids = np.asarray(out.tracker_id, dtype=np.int64)
        ok = ids >= 0
        if ok.any():
            rows.append(
                np.column_stack(
                    [np.full(ok.sum(), label), np.full(ok.sum(), frame), ids[ok], out.xyxy[ok], out.confidence[ok]]
                )
            )
    return np.concatenate(rows) if rows else np.empty((0, 8))
