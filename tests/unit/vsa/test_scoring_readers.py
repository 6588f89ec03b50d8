"""Anybody's output: what is read, what is set aside and why, and nothing lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ContractError
from contrechamp.domain.video import ALERT_COLUMNS, TRACE_COLUMNS, TRACK_COLUMNS, Camera, ClipMeta
from vsa.scoring.readers import REASONS, read_alerts, read_tracks

META = ClipMeta("clip", 10.0, 50, Camera(640, 360, 500, 5, 20))
BOX = ["x1_px", "y1_px", "x2_px", "y2_px"]


def test_mot_lines_are_read_with_frames_from_one():
    text = "1,3,10,20,30,40,0.9,-1,-1,-1\n2,3,11,20,30,40,0.8,-1,-1,-1\n\n50,4,0,0,5,5,1\n"
    found = read_tracks(text, meta=META)
    assert list(found.table) == list(TRACK_COLUMNS) and found.n_rows == 3 and len(found.quarantine) == 0
    assert found.table["frame"].tolist() == [0, 1, 49] and found.table["t_s"].tolist() == [0.0, 0.1, 4.9]
    assert found.table.loc[0, BOX].tolist() == [10, 20, 40, 60] and found.table["score"].tolist() == [0.9, 0.8, 1.0]
    assert (found.table["label"] == "person").all() and found.table["x_m"].isna().all()


def test_mot_truth_keeps_pedestrians_that_count():
    text = "1,1,0,0,5,5,1,1,0.4\n1,2,0,0,5,5,0,1,1\n1,3,0,0,5,5,1,8,1\n"
    found = read_tracks(text, meta=META, ground_truth=True)
    assert found.table["track_id"].tolist() == [1] and found.quarantine["reason"].tolist() == ["not_counted"] * 2
    assert found.table["score"].tolist() == [1.0]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_with_corners_or_with_a_size(mark):
    corners = "frame,track_id,x1,y1,x2,y2,conf,class\n0,7,1,2,3,4,0.5,person\n3,8,1,2,3,4,0.5,backpack\n"
    sized = "frame,id,x,y,w,h\n0,7,1,2,2,2\n"
    found = read_tracks(corners.replace(",", mark), meta=META).table
    assert found[BOX].to_numpy().tolist() == [[1, 2, 3, 4]] * 2 and found["label"].tolist() == ["person", "object"]
    assert read_tracks(sized.replace(",", mark), meta=META).table.loc[0, BOX].tolist() == [1, 2, 3, 4]
    assert read_tracks("\ufeff" + sized.replace("\n", "\r\n"), meta=META).n_rows == 1


def test_each_unusable_row_has_its_line_and_its_reason():
    text = (
        "frame,track_id,x1,y1,x2,y2,label\n0,1,0,0,5,5,person\n0,1,0,0,5,5,person\n50,1,0,0,5,5,person\n-1,1,0,0,5,5,person\n"
        "1,1,nan,0,5,5,person\n1,1,0,0,inf,5,person\n1,1,5,0,5,5,person\n1.5,1,0,0,5,5,person\n1,-1,0,0,5,5,person\n"
        "1,1,0,0,5,5,dog\n1,1,0\n1,x,0,0,5,5,person\n"
    )
    found = read_tracks(text, meta=META)
    assert len(found.table) == 1 and found.n_rows == 12
    assert dict(zip(found.quarantine["line"], found.quarantine["reason"], strict=True)) == {
        3: "twice", 4: "no_such_frame", 5: "no_such_frame", 6: "not_a_number", 7: "not_a_number", 8: "no_size",
        9: "not_whole", 10: "negative_id", 11: "unknown_label", 12: "too_few_fields", 13: "not_a_number",
    }  # fmt: skip
    assert {p.check: p.rows for p in found.problems}["no_such_frame"] == 2
    assert found.quarantine.loc[0, "text"] == "0,1,0,0,5,5,person"


def test_alerts_by_box_by_track_and_by_zone():
    by_box = read_alerts("t_s,x1,y1,x2,y2,rule\n1.25,0,0,5,9,loitering\n", meta=META)
    assert list(by_box.alerts.table) == list(ALERT_COLUMNS) and list(by_box.alerts.trace) == list(TRACE_COLUMNS)
    assert by_box.table.loc[0, ["frame", "t_alert_s", "rule"]].tolist() == [12, 1.25, "loitering"]
    tracks = read_tracks("1,3,10,20,30,40,1\n5,3,12,20,30,40,1\n", meta=META).table
    text = "frame,track_id,zone\n4,3,\n9,3,\n0,99,\n2,,square\n"
    found = read_alerts(text, meta=META, tracks=tracks)
    assert found.table["track_id"].tolist() == [3, 3, -1] and found.table["alert_id"].tolist() == [0, 1, 2]
    assert found.trace["x1_px"].tolist()[:2] == [12, 12] and np.isnan(found.trace["x1_px"][2])
    assert found.quarantine["reason"].tolist() == ["unknown_track"] and found.n_rows == 4
    assert read_alerts("time,track_id\n0.3,3\n", meta=META, tracks=tracks).trace["x1_px"].tolist() == [10]


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (read_tracks, "", "empty"),
        (read_tracks, "frame,track_id,x1,y1,x2\n0,1,0,0,5\n", "x1, y1, x2, y2 or x, y, w, h"),
        (read_tracks, "t,box\n", "track_id"),
        (read_tracks, "track_id,x,y,w,h\n1,0,0,1,1\n", "frame"),
        (read_tracks, "frame,track_id,x,y,w,h\n", "only a header"),
        (read_tracks, "99,1,0,0,5,5,1\n100,1,0,0,5,5,1\n1,1,0,0,0,5,1\n", "2 × the clip has no such frame"),
        (read_alerts, "1,2,3\n", "no header"),
        (read_alerts, "frame,rule\n1,fall\n", "box, track_id or zone"),
        (read_alerts, "x1,y1,x2,y2\n0,0,1,1\n", "t_s or frame"),
        (read_alerts, "frame,track_id\n1,5\n", "neither a box"),
    ],
)
def test_nothing_usable_says_why(read, text, says):
    with pytest.raises(ContractError, match=says):
        read(text, meta=META)


fields = st.one_of(
    st.integers(-3, 60).map(str), st.floats(allow_nan=True).map(str), st.sampled_from(["", "person", '"', "1e999", "é"])
)
lines = st.lists(fields, min_size=1, max_size=11).map(",".join)
headers = st.sampled_from(
    ["", "frame,track_id,x1,y1,x2,y2", "t_s,track_id,x,y,w,h,label,score", "frame,x1,y1,x2,y2", "frame,zone,track_id"]
)


@settings(max_examples=150, deadline=None)
@given(headers, st.lists(st.one_of(lines, st.text(max_size=30)), max_size=12), st.booleans())
def test_no_text_crashes_a_reader_and_no_row_is_lost(header, rows, truth):
    text = "\n".join([*([header] if header else []), *rows])
    full = sum(1 for line in text.split("\n") if line.strip("\r\n\ufeff \x00"))
    for read in (lambda: read_tracks(text, meta=META, ground_truth=truth), lambda: read_alerts(text, meta=META)):
        try:
            found = read()
        except ContractError as error:
            assert str(error)
            continue
        assert len(found.table) + len(found.quarantine) == found.n_rows
        assert full - found.n_rows in (0, 1)  # the header
        assert set(found.quarantine["reason"]) <= set(REASONS)
        assert found.table["frame"].between(0, META.n_frames - 1).all()
        if list(found.table) == list(TRACK_COLUMNS):
            boxes = found.table[BOX].to_numpy()
            assert np.isfinite(boxes).all() and (boxes[:, 2:] > boxes[:, :2]).all()
            assert not found.table.duplicated(["frame", "track_id"]).any()
