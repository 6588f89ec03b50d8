"""Whom a track is, whom an alert is about, and what a rule should have found, on scenes worked by hand."""

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.video import (
    ALERT_COLUMNS,
    BOX,
    EVENT_COLUMNS,
    TRACE_COLUMNS,
    TRACK_COLUMNS,
    TRUTH_COLUMNS,
    Alerts,
    Camera,
    ClipMeta,
    SceneTruth,
    Zone,
    as_table,
)
from vsa.scoring.matching import alert_subjects, box_iou, match_boxes, track_subjects
from vsa.scoring.truth import dense_spans, judge_alerts, oracle_boxes, oracle_tracks, reference_events

FPS, FRAMES = 10.0, 100
ZONES = (Zone("square", ((0, 0), (4, 0), (4, 4), (0, 4))),)


def scene(subjects, events=(), zones=ZONES):
    """``subjects``: id → (label, situation, x1, y1, x_m, y_m, frames, visibility); bodies are 20 × 60 pixels."""
    rows = []
    for subject, (label, situation, x, y, x_m, y_m, frames, visibility) in subjects.items():
        for f in frames:
            box, seen = (x, y, x + 20, y + 60), (x, y, x + 20, y + 30)
            rows.append(
                (f, f / FPS, subject, label, situation, "standing", *box, *seen, 600, visibility, x_m, y_m, 0.0)
            )
    frames = as_table(pd.DataFrame(rows, columns=list(TRUTH_COLUMNS)), TRUTH_COLUMNS, what="truth")
    happened = as_table(pd.DataFrame(events, columns=list(EVENT_COLUMNS)), EVENT_COLUMNS, what="events")
    meta = ClipMeta("clip", FPS, FRAMES, Camera(640, 360, 500, 5, 20), zones=zones)
    return SceneTruth(meta, frames.sort_values(["frame", "subject_id"], ignore_index=True), happened)


ALL = range(FRAMES)
TWO = {
    1: ("person", "waiting", 100, 100, 1.0, 1.0, ALL, 1.0),
    2: ("person", "rough_seated", 200, 100, 3.0, 3.0, ALL, 0.2),
    3: ("object", "bag_leaving", 205, 130, 3.0, 3.0, ALL, 1.0),
}


def alert(alert_id, track_id, frame, boxes, frames=None):
    """One alert whose trace is ``boxes``, one a frame, ending at ``frame``."""
    frames = list(range(frame - len(boxes) + 1, frame + 1)) if frames is None else frames
    table = dict.fromkeys(ALERT_COLUMNS, 0) | {
        "alert_id": alert_id, "rule": "loitering", "preset": "", "zone": "square", "track_id": track_id,
        "frame": frame, "t_alert_s": frame / FPS, "unit": "s",
    }  # fmt: skip
    trace = [
        dict.fromkeys(TRACE_COLUMNS, 0)
        | {"alert_id": alert_id, "frame": f, "track_id": track_id, "state": "IN", "inside": True}
        | dict(zip(BOX, box, strict=True))
        for f, box in zip(frames, boxes, strict=True)
    ]
    return table, trace


def alerts(*many):
    tables, traces = [t for t, _ in many], [row for _, rows in many for row in rows]
    return Alerts(
        as_table(pd.DataFrame(tables, columns=list(ALERT_COLUMNS)), ALERT_COLUMNS, what="alerts"),
        as_table(pd.DataFrame(traces, columns=list(TRACE_COLUMNS)), TRACE_COLUMNS, what="trace"),
    )


ON_ONE, ON_TWO, SHADOW = (101, 101, 121, 161), (201, 101, 221, 161), (500, 10, 520, 70)
BESIDE_ONE = (118, 110, 138, 170)  # overlap with subject 1 far under a half, feet 20 pixels away


def test_overlap_by_hand():
    one = np.array([[0, 0, 10, 10.0], [0, 0, 0, 10]])
    other = np.array([[5, 0, 15, 10.0], [20, 20, 30, 30]])
    assert box_iou(one, other).tolist() == [[pytest.approx(1 / 3), 0.0], [0.0, 0.0]]


def test_one_box_to_one_subject_so_that_the_sum_is_greatest():
    # Both tracks overlap subject 0 best; together they do better with one subject each.
    frames = np.zeros(2, dtype=np.int64)
    boxes = np.array([[0, 0, 10, 10.0], [1, 0, 11, 10]])
    theirs = np.array([[0.4, 0, 10.4, 10.0], [3, 0, 13, 10]])
    partner, overlap = match_boxes(frames, boxes, frames, theirs)
    assert partner.tolist() == [0, 1] and overlap.tolist() == pytest.approx([9.6 / 10.4, 8 / 12])
    alone, _ = match_boxes(frames[:1], boxes[1:], frames, theirs)
    assert alone.tolist() == [0]
    assert match_boxes(frames, boxes, frames + 1, theirs)[0].tolist() == [-1, -1]
    with pytest.raises(ParameterError, match="min_iou"):
        match_boxes(frames, boxes, frames, theirs, min_iou=0.0)


def test_oracle_tracks_are_the_subjects():
    truth = scene(TWO)
    tracks = oracle_tracks(truth)
    assert list(tracks) == list(TRACK_COLUMNS) and len(tracks) == 300 and (tracks["score"] == 1).all()
    found = track_subjects(tracks, truth)
    assert (found["subject_id"] == tracks["track_id"]).all() and (found["iou"] == 1).all()
    assert set(oracle_tracks(truth, min_visibility=0.5)["track_id"]) == {1, 3}
    assert set(oracle_tracks(truth, label="person")["track_id"]) == {1, 2}
    boxes = oracle_boxes(truth, min_visibility=0.5, label="person")
    assert boxes["subject_id"].unique().tolist() == [1] and {"vx1_px", "visibility"} <= set(boxes)
    with pytest.raises(ParameterError, match="min_visibility"):
        oracle_boxes(truth, min_visibility=2)


def test_a_person_is_never_paired_with_an_object():
    truth = scene(TWO)
    bag = oracle_tracks(truth, label="object").assign(label="person")
    assert (track_subjects(bag, truth)["subject_id"] != 3).all()


def test_boxes_are_compared_within_the_image():
    truth = scene({1: ("person", "waiting", -10, 320, 1, 1, ALL, 1.0)})  # half out on the left, two thirds below
    seen = oracle_tracks(truth).assign(x1_px=0.0, y2_px=360.0)
    assert (track_subjects(seen, truth)["iou"] == 1).all()


def test_an_alert_is_about_the_subject_of_most_of_its_boxes():
    truth = scene(TWO)
    found = alert_subjects(
        alerts(
            alert(0, 7, 50, [ON_ONE] * 6 + [ON_TWO] * 4),  # the number changed hands
            alert(1, 8, 50, [SHADOW] * 6 + [ON_ONE] * 4),  # mostly on nothing, and nobody near at the end? subject 1
            alert(2, 9, 50, [SHADOW] * 10),
            alert(3, 10, 50, [BESIDE_ONE] * 10),
            alert(4, -1, 50, [SHADOW]),
        ),
        truth,
    )
    assert found["subject_id"].tolist() == [1, 1, -1, 1, -1]
    assert found["matched_by"].tolist() == ["trace", "nearest", "nobody", "nearest", "zone"]
    assert found["situation"].tolist() == ["waiting", "waiting", "nobody", "waiting", "everybody"]
    assert found["label"].tolist() == ["person", "person", "nobody", "person", "everybody"]
    far = alert_subjects(alerts(alert(0, 7, 50, [BESIDE_ONE])), truth, near_heights=0.1)
    assert far["situation"].tolist() == ["nobody"]


def test_with_the_tracks_given_a_box_is_not_two_peoples():
    truth = scene(TWO)
    shadow_on_one = (104, 100, 124, 160)
    tracks = as_table(
        pd.DataFrame(
            [
                (f, f / FPS, track, "person", *box, 1.0, 0.0, 0.0)
                for f in range(41, 51)
                for track, box in ((7, (100, 100, 120, 160)), (8, shadow_on_one))
            ],
            columns=list(TRACK_COLUMNS),
        ),
        TRACK_COLUMNS,
        what="tracks",
    )
    raised = alerts(alert(0, 8, 50, [shadow_on_one] * 10))
    assert alert_subjects(raised, truth)["matched_by"].tolist() == ["trace"]
    assert alert_subjects(raised, truth, tracks=tracks)["matched_by"].tolist() == ["nearest"]


def test_no_alert_and_nobody_in_view():
    truth = scene(TWO)
    none = alert_subjects(alerts(), truth)
    assert len(none) == 0 and {"subject_id", "situation", "matched_by", "label"} <= set(none)
    empty = scene({})
    assert alert_subjects(alerts(alert(0, 7, 5, [ON_ONE])), empty)["situation"].tolist() == ["nobody"]


EVENTS = [
    (0, "stay", 1.0, 9.0, 1, "square", "waiting"),
    (1, "stay", 2.0, 5.0, 2, "square", "rough_seated"),
    (2, "abandonment", 3.0, 9.0, 3, "", "bag_leaving"),
    (3, "crossing", 4.0, 4.0, 1, "line", "waiting"),
]


def test_reference_events_begin_when_the_condition_is_true():
    truth = scene(TWO, EVENTS)
    found = reference_events(truth, rule="loitering", dwell_s=3.0)
    assert found[["t_begin_s", "t_end_s", "subject_id"]].to_numpy().tolist() == [[4, 9, 1], [5, 5, 2]]  # 3 s is enough
    assert found["rule_true"].all() and not found["harm"].any()
    assert reference_events(truth, rule="presence", dwell_s=3.1, targets=[1])["harm"].tolist() == [True]
    assert reference_events(truth, rule="abandoned-object", dwell_s=2)["t_begin_s"].tolist() == [5.0]
    assert reference_events(truth, rule="crossing")["t_begin_s"].tolist() == [4.0]
    assert len(reference_events(truth, rule="counter-flow")) == 0
    with pytest.raises(ParameterError, match="crossing"):
        reference_events(truth, rule="suspicion")
    with pytest.raises(ParameterError, match="dwell_s"):
        reference_events(truth, rule="loitering", dwell_s=-1)


def test_density_is_counted_from_the_feet():
    # 16 m²: two people are 0.125 a square metre; the third comes at frame 30 and goes after 59. Objects do not count.
    crowd = TWO | {4: ("person", "passing", 300, 100, 2.0, 2.0, range(30, 60), 1.0)}
    truth = scene(crowd)
    assert dense_spans(truth, density_per_m2=0.125)[["t_begin_s", "t_end_s"]].to_numpy().tolist() == [[0.0, 10.0]]
    found = reference_events(truth, rule="density", density_per_m2=3 / 16, dwell_s=1.0)
    assert found[["t_begin_s", "t_end_s", "zone"]].to_numpy().tolist() == [[4.0, 6.0, "square"]]
    assert len(reference_events(truth, rule="density", density_per_m2=0.2)) == 0


def test_an_alert_is_true_to_the_rule_only_about_that_person_at_that_time():
    truth = scene(TWO, EVENTS)
    reference = reference_events(truth, rule="loitering", dwell_s=3.0)  # subject 1 from 4 s to 9 s
    raised = alert_subjects(
        alerts(
            alert(0, 7, 45, [ON_ONE]),
            alert(1, 7, 39, [ON_ONE]),  # a tenth of a second early
            alert(2, 7, 45, [ON_TWO]),  # subject 2 had stayed 2.5 s
            alert(3, 7, 45, [SHADOW]),
        ),
        truth,
    )
    assert judge_alerts(raised, reference)["rule_true"].tolist() == [True, False, False, False]
    judged = judge_alerts(raised, reference, tolerance_s=0.5, targets=[2])
    assert judged["rule_true"].tolist() == [True, True, True, False]
    assert judged["harm"].tolist() == [False, False, True, False]
    by_zone = judge_alerts(raised.assign(zone="other"), reference, by=("subject_id", "zone"))
    assert not by_zone["rule_true"].any()
