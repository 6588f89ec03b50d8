"""Boxes to tracks: identities, gaps, classes, settings; the trackers themselves are the package's."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.video import BOX, TRACK_COLUMNS, Camera, ClipMeta, Detections
from vsa.tracking import DEFAULTS, METHODS, _tracker_class, track, tracker_defaults

FPS = 12.5
CAMERA = Camera(640, 360, 500.0, 4.0, 20.0)
#: First frame whose boxes bear an id: a track must first be confirmed.
CONFIRMED = {"bytetrack": 1, "sort": 2, "oc-sort": 1}


def clip(n_frames: int, *, hidden: range = range(0), blind: range = range(0)) -> tuple[list[Detections], ClipMeta]:
    """A walker (not seen while ``hidden``), somebody who stands and a bag; nothing at all while ``blind``."""
    seen = []
    for f in range(n_frames):
        boxes, labels = [[400.0, 150, 430, 260], [500, 250, 520, 270]], [0, 1]
        if f not in hidden:
            boxes, labels = [[50.0 + 2 * f, 100, 80 + 2 * f, 200], *boxes], [0, *labels]
        if f in blind:
            boxes, labels = [], []
        seen.append(
            Detections(
                np.reshape(boxes, (-1, 4)).astype(float), np.full(len(boxes), 0.9), np.array(labels, dtype=np.int64)
            )
        )
    return seen, ClipMeta("clip", FPS, n_frames, CAMERA)


@pytest.mark.parametrize("method", METHODS)
def test_people_and_things_keep_one_identity_each(method: str) -> None:
    seen, meta = clip(100, hidden=range(40, 50), blind=range(70, 72))
    tracks = track(seen, meta=meta, method=method)  # type: ignore[arg-type]
    assert {c: str(t) for c, t in tracks.dtypes.items()} == dict(TRACK_COLUMNS)
    assert sorted(tracks["track_id"].unique()) == [1, 2, 3]
    label = tracks.groupby("track_id")["label"].agg(["nunique", "first"])
    assert label["nunique"].eq(1).all()
    assert sorted(label["first"]) == ["object", "person", "person"]
    assert not tracks["frame"].isin([70, 71]).any()
    assert tracks["frame"].min() == CONFIRMED[method]
    assert not tracks.duplicated(["frame", "track_id"]).any()
    assert tracks[["frame", "track_id"]].apply(tuple, axis=1).is_monotonic_increasing
    walker = tracks[tracks["x1_px"] < 300]
    assert walker["track_id"].nunique() == 1
    np.testing.assert_allclose(walker["x1_px"], 50 + 2 * walker["frame"])


def test_the_foot_is_the_bottom_of_the_box_on_the_ground() -> None:
    seen, meta = clip(20)
    tracks = track(seen, meta=meta)
    stands = tracks[tracks["x1_px"] == 400].iloc[0]
    foot = np.array([[stands["x_m"], stands["y_m"], 0.0]])
    np.testing.assert_allclose(CAMERA.project(foot)[0], [[415.0, 260.0]])
    assert stands["t_s"] == stands["frame"] / FPS


def test_a_long_absence_makes_somebody_else_and_a_longer_buffer_does_not() -> None:
    seen, meta = clip(100, blind=range(30, 70))  # 3.2 s; the default buffer is 2 s
    away = track(seen, meta=meta, method="sort")
    assert away["track_id"].nunique() == 6
    kept = track(seen, meta=meta, method="sort", lost_track_buffer=150)
    standing = kept[kept["x1_px"] == 400]
    assert standing["track_id"].nunique() == 1


def test_the_same_boxes_give_the_same_tracks_and_nothing_is_kept_between_clips() -> None:
    seen, meta = clip(60, hidden=range(20, 25))
    one = track(seen, meta=meta)
    other, other_meta = clip(30)
    track(other, meta=other_meta)
    pd.testing.assert_frame_equal(one, track(seen, meta=meta))


def test_no_box_no_track() -> None:
    meta = ClipMeta("clip", FPS, 5, CAMERA)
    tracks = track([Detections.empty()] * 5, meta=meta)
    assert {c: str(t) for c, t in tracks.dtypes.items()} == dict(TRACK_COLUMNS)
    assert tracks.empty
    doubtful = [Detections(np.array([[10.0, 10, 30, 60]]), np.array([0.1]), np.array([0]))] * 5
    assert track(doubtful, meta=meta)[list(BOX)].empty


def test_refusals() -> None:
    seen, meta = clip(10)
    with pytest.raises(ContractError, match="10 frames but 9 entries"):
        track(seen[:-1], meta=meta)
    with pytest.raises(ParameterError, match="bytetrack, sort, oc-sort"):
        track(seen, meta=meta, method="deepsort")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="delta_t"):
        track(seen, meta=meta, method="oc-sort", delta=3)
    with pytest.raises(ParameterError, match="lost_track_buffer"):
        track(seen, meta=meta, lost_track_buffer=-1)


def test_every_setting_of_the_package_is_written_down() -> None:
    """A setting the package gains, loses or changes is a setting of ours to decide again."""
    rows = tracker_defaults()
    assert {(r["method"], r["name"]): r["default"] for r in rows} == {
        (m, k): v for m, settings in DEFAULTS.items() for k, v in settings.items()
    }
    shipped = {(r["method"], r["name"]): r["shipped"] for r in rows}
    assert shipped["bytetrack", "track_activation_threshold"] == 0.7
    assert shipped["sort", "track_activation_threshold"] == 0.25
    assert None not in shipped.values()
    for method, settings in DEFAULTS.items():
        taken = set(inspect.signature(_tracker_class(method)).parameters)
        assert taken - set(settings) == {"frame_rate", "state_estimator_class", "iou"}
