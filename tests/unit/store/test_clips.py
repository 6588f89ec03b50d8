"""Clip folders and the formats of others: round trips, strict sidecars, and what is refused at the door."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.video import (
    BOX,
    EVENT_COLUMNS,
    TRUTH_COLUMNS,
    VISIBLE_BOX,
    Camera,
    ClipMeta,
    Line,
    Zone,
    as_table,
)
from contrechamp.store import annotations, clips

N, FPS = 6, 10.0
META = ClipMeta(
    "toy-1", FPS, N, Camera(128, 96, 101.23456789012345, 5.0, 22.0),
    zones=(Zone("zone", ((-3.0, 6.0), (3.0, 6.0), (3.0, 12.1), (-3.0, 12.1))),
           Zone("porte", ((1.0, 1.0), (50.0, 1.0), (50.0, 40.0)), "image")),
    lines=(Line("seuil", (-3.0, 9.0), (3.0, 9.0)),), light="dusk", place="market", seed=7,
)  # fmt: skip
SUBJECTS = pd.DataFrame(
    {"subject_id": [1, 2, 900], "label": ["person", "person", "object"],
     "situation": ["waiting", "vendor", "bag_leaving"], "owner_id": [-1, -1, 2]}
)  # fmt: skip


def truth_rows(frame: int) -> pd.DataFrame:
    """Two persons and a bag; the second person is half out of the image, the bag hidden in frame 3."""
    rows = [
        (
            1,
            "person",
            "waiting",
            (10.0 + frame, 20.0, 30.0 + frame, 70.0),
            (10.0 + frame, 20.0, 30.0 + frame, 70.0),
            800,
        ),
        (2, "person", "vendor", (110.25, 30.0, 140.0, 90.0), (110.25, 30.0, 128.0, 90.0), 500),
        (900, "object", "bag_leaving", (60.0, 70.0, 70.0, 80.0), (60.0, 70.0, 70.0, 80.0), 0 if frame == 3 else 90),
    ]
    return pd.DataFrame(
        [
            {"frame": frame, "t_s": frame / FPS, "subject_id": who, "label": label, "situation": situation,
             "posture": "standing", **dict(zip(BOX, box, strict=True)), **dict(zip(VISIBLE_BOX, seen, strict=True)),
             "visible_px": px, "visibility": min(1.0, px / 800), "x_m": 0.5, "y_m": 8.0, "speed_m_s": 0.0}
            for who, label, situation, box, seen, px in rows
        ]
    )  # fmt: skip


EVENTS = as_table(
    {"event_id": [0], "kind": ["stay"], "t_begin_s": [0.0], "t_end_s": [0.6], "subject_id": [1], "zone": ["zone"],
     "situation": ["waiting"]}, EVENT_COLUMNS, what="events",
)  # fmt: skip


def image(i: int) -> Any:
    drawn = np.full((96, 128, 3), 90, np.uint8)
    drawn[20:70, 10 + i : 30 + i] = 200
    return drawn


def write(folder: Path, rows: Callable[[int], pd.DataFrame] = truth_rows, events: pd.DataFrame = EVENTS) -> clips.Clip:
    return clips.write_clip(
        folder, ((image(i), rows(i)) for i in range(N)), meta=META, spec={"place": "market", "cast": [["vendor", 1]]},
        subjects=SUBJECTS, events=events,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("clips") / "toy-1").folder


@pytest.fixture
def clip(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "toy-1"))


def test_a_clip_comes_back_as_it_was_written(made: Path) -> None:
    clip = clips.open_clip(made)
    assert clip.meta == META
    clips.check_files(clip)
    truth = clips.read_truth(clip)
    expected = as_table(pd.concat([truth_rows(i) for i in range(N)]), TRUTH_COLUMNS, what="truth")
    pd.testing.assert_frame_equal(truth.frames, expected)
    pd.testing.assert_frame_equal(truth.events, EVENTS)
    pd.testing.assert_frame_equal(clips.read_subjects(clip), SUBJECTS, check_dtype=False)
    assert clips.read_spec(clip) == {"place": "market", "cast": [["vendor", 1]]}
    assert [(i, t) for i, t, _ in clip.frames()] == [(i, i / FPS) for i in range(N)]
    assert clips.open_clip(made / "clip.mp4").folder == made


def test_the_same_clip_has_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "toy-1").folder
    names = sorted(p.relative_to(made) for p in made.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert all((made / n).read_bytes() == (again / n).read_bytes() for n in names)


def test_the_public_half_is_enough_to_watch_and_says_nothing_of_who_is_there(clip: Path) -> None:
    shutil.rmtree(clip / "truth")
    assert sorted(p.name for p in clip.iterdir()) == ["clip.mp4", "sidecar.json"]
    opened = clips.open_clip(clip)
    assert sum(1 for _ in opened.frames()) == N
    assert not opened.has_truth
    assert "vendor" not in (clip / "sidecar.json").read_text()
    with pytest.raises(ContractError, match="public half"):
        clips.read_truth(opened)


@pytest.mark.parametrize(
    "source",
    ["rtsp://10.0.0.1/stream", "http://example.org/clip.mp4", "/dev/video0", "0", "udp://@:1234", "LONE", "BARE"],
)
def test_a_source_without_truth_is_refused_with_the_reason(source: str, made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "clip.mp4", tmp_path / "clip.mp4")
    given = {"LONE": str(tmp_path / "clip.mp4"), "BARE": str(tmp_path)}.get(source, source)
    with pytest.raises(ContractError, match="no live-camera mode") as error:
        clips.open_clip(given)
    assert error.value.exit_code == 11
    assert given in str(error.value)


def rewrite(clip: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = clip / "sidecar.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("fps"), "lacks fps"),
        (lambda d: d.update(fps="ten"), "fps must be a finite number. Got 'ten'"),
        (lambda d: d.update(fps=float("nan")), "NaN is no number"),
        (lambda d: d.update(fps=float("inf")), "Infinity is no number"),
        (lambda d: d.update(fps=0), "positive frame rate"),
        (lambda d: d.update(n_frames=True), "n_frames must be a whole number"),
        (lambda d: d.update(n_frames=6.0), "n_frames must be a whole number"),
        (lambda d: d.update(owner="x"), "unknown 'owner'"),
        (lambda d: d.update(schema="contrechamp.clip/9"), "follows 'contrechamp.clip/9'"),
        (lambda d: d["camera"].pop("focal_px"), "camera lacks focal_px"),
        (lambda d: d["camera"].update(height_m=-1), "no camera that could be"),
        (lambda d: d["zones"][0].update(points=[[0, 0], [1]]), "zone 0: a point must be two numbers"),
        (lambda d: d["zones"][0].update(points=[[0, 0], [1, 1]]), "at least three finite points"),
        (lambda d: d["zones"][0].update(points=[[0, 0], [1, 1], [1, 0], [0, 1]]), "crosses itself"),
        (lambda d: d["zones"][0].update(plane="sky"), "'image' or 'ground'"),
        (lambda d: d["files"].pop("clip.mp4"), "no digest of clip.mp4"),
        (lambda d: d["files"].update({"../x": {"bytes": 1, "sha256": "0"}}), "outside its folder"),
    ],
)
def test_a_corrupt_sidecar_is_named_key_by_key(clip: Path, change: Callable[[dict[str, Any]], Any], said: str) -> None:
    rewrite(clip, change)
    with pytest.raises(ContractError) as error:
        clips.open_clip(clip)
    assert said in str(error.value)
    assert str(clip) in str(error.value) or "toy-1" in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_sidecar_that_is_no_object(clip: Path, text: str) -> None:
    (clip / "sidecar.json").write_text(text)
    with pytest.raises(ContractError):
        clips.open_clip(clip)


def test_a_truncated_video_is_a_broken_contract_and_a_changed_one_a_broken_digest(clip: Path) -> None:
    data = (clip / "clip.mp4").read_bytes()
    (clip / "clip.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(ContractError, match=r"damaged|cut short"):
        clips.open_clip(clip)
    (clip / "clip.mp4").write_bytes(data + b"\0\0\0\x08free")  # plays as before
    with pytest.raises(IntegrityError, match="SHA-256 is another"):
        clips.open_clip(clip)
    (clip / "clip.mp4").unlink()
    with pytest.raises(ContractError, match="is missing"):
        clips.open_clip(clip)


@pytest.mark.parametrize("name", ["truth/frames.parquet", "truth/events.parquet", "truth/labels", "truth/gt/gt.txt"])
def test_a_truth_that_was_touched_is_found(clip: Path, name: str) -> None:
    path = clip / name if (clip / name).is_file() else clip / name / "000002.txt"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(IntegrityError, match=name):
        clips.check_files(clips.open_clip(clip))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x1_px": np.nan}, "not finite or have no size"),
        ({"vx2_px": np.nan}, "visible truth"),
        ({"frame": N}, "name a frame outside"),
        ({"t_s": 3.0}, "not at the time of their frame"),
        ({"subject_id": [5, 2, 900]}, "a subject that the clip does not have"),
        ({"label": "dog"}, "a label that does not exist"),
    ],
)
def test_a_truth_that_contradicts_itself_is_not_written(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractError, match=said):
        write(tmp_path / "toy-1", lambda i: truth_rows(i).assign(**{k: v for k, v in change.items() if i == 2}))
    assert not (tmp_path / "toy-1").exists()


def test_missing_frames_events_backwards_and_a_taken_folder(tmp_path: Path, made: Path) -> None:
    short = ((image(i), truth_rows(i)) for i in range(N - 1))
    with pytest.raises(ContractError, match=r"should have 6 frames\. Got 5"):
        clips.write_clip(tmp_path / "a", short, meta=META, spec={}, subjects=SUBJECTS, events=EVENTS)
    with pytest.raises(ContractError, match="end before they begin"):
        write(tmp_path / "b", events=EVENTS.assign(t_end_s=-1.0))
    with pytest.raises(ParameterError, match="nothing is overwritten"):
        write(made)


def test_mot_challenge_by_hand_and_back(made: Path) -> None:
    lines = (made / "truth" / "gt" / "gt.txt").read_text().splitlines()
    assert lines[0] == "1,1,10.00,20.00,20.00,50.00,1,1,1.0000"  # frames are counted from 1
    assert lines[2] == "1,900,60.00,70.00,10.00,10.00,0,8,0.1125"
    assert len(lines) == 3 * N
    back = annotations.read_mot(made / "truth" / "gt" / "gt.txt", meta=META)
    truth = clips.read_truth(clips.open_clip(made)).frames
    assert back["subject_id"].tolist() == truth["subject_id"].tolist()
    assert back["label"].tolist() == truth["label"].tolist()
    np.testing.assert_allclose(back[list(BOX)], truth[list(BOX)], atol=0.006)
    np.testing.assert_allclose(back["visibility"], truth["visibility"], atol=1e-4)


def test_trackers_tools_read_the_same_boxes(made: Path) -> None:
    from vsa.scoring.readers import read_tracks

    read = read_tracks((made / "truth" / "gt" / "gt.txt").read_text(), meta=META, ground_truth=True)
    ours = annotations.read_mot(made / "truth" / "gt" / "gt.txt", meta=META).query("label == 'person'")
    assert set(read.quarantine["reason"]) == {"not_counted"}  # the bag, a distractor
    np.testing.assert_allclose(read.table[list(BOX)], ours[list(BOX)])
    assert read.table["frame"].tolist() == ours["frame"].tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7,1,1,1,5,5,1,1,1\n", "frame outside 0..6"),
        ("0,1,1,1,5,5,1,1,1\n", "frame outside 0..6"),
        ("1,1,nan,1,5,5,1,1,1\n", "not finite or have no size"),
        ("1,1,1,1,0,5,1,1,1\n", "not finite or have no size"),
        ("1,1,1,1,5,5,1\n", "is not: frame, id"),
        ("1,1,1,1,5,5,1,3,1\n", "is not: frame, id"),
        ("frame,id,a,b,c,d,e,f,g\n", "is not: frame, id"),
    ],
)
def test_a_gt_file_that_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "gt.txt").write_text(text)
    with pytest.raises(ContractError) as error:
        annotations.read_mot(tmp_path / "gt.txt", meta=META)
    assert said in str(error.value)


def test_yolo_labels_by_hand_and_back(made: Path) -> None:
    folder = made / "truth" / "labels"
    assert (folder / "000000.txt").read_text().splitlines()[0] == "0 0.156250 0.468750 0.156250 0.520833"
    assert len((folder / "000003.txt").read_text().splitlines()) == 2  # the bag is hidden
    back = annotations.read_yolo(folder, meta=META)
    seen = clips.read_truth(clips.open_clip(made)).frames.query("visible_px > 0")
    np.testing.assert_allclose(back[list(BOX)], seen[list(VISIBLE_BOX)], atol=1e-3)
    assert back["label"].tolist() == seen["label"].tolist()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("000006.txt", "", "labels no frame of clip 'toy-1', which has frames 000000 to 000005"),
        ("notes.txt", "", "labels no frame"),
        ("000001.txt", "0 nan 0.5 0.1 0.1\n", "no box inside the image"),
        ("000001.txt", "0 0.99 0.5 0.1 0.1\n", "no box inside the image"),
        ("000001.txt", "7 0.5 0.5 0.1 0.1\n", "a class"),
        ("000001.txt", "-1 0.5 0.5 0.1 0.1\n", "a class"),
        ("000001.txt", "0 0.5 0.5 0.1\n", "four shares"),
    ],
)
def test_labels_that_cannot_be(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ContractError, match=said):
        annotations.read_yolo(tmp_path, meta=META)


def test_coco_is_what_its_own_reader_expects(made: Path) -> None:
    from pycocotools.coco import COCO

    path = made / "truth" / "coco.json"
    theirs = COCO(str(path))
    assert len(theirs.getImgIds()) == N
    assert len(theirs.getAnnIds(catIds=[2])) == N - 1  # the bag, hidden once
    assert theirs.loadAnns([2])[0]["attributes"]["situation"] == "vendor"
    back = annotations.read_coco(path, meta=META)
    pd.testing.assert_frame_equal(back, annotations.read_yolo(made / "truth" / "labels", meta=META), atol=1e-3)
    data = json.loads(path.read_text())
    data["annotations"][0]["image_id"] = N + 3
    path_bad = made.parent / "bad.json"
    path_bad.write_text(json.dumps(data))
    with pytest.raises(ContractError, match="name an image or a class"):
        annotations.read_coco(path_bad, meta=META)
    path_bad.write_text("{}")
    with pytest.raises(ContractError, match="no COCO data set"):
        annotations.read_coco(path_bad, meta=META)


def test_a_folder_of_clips_stands_for_the_clips_in_it(made: Path, tmp_path: Path) -> None:
    assert clips.find_clips([made.parent]) == [made]
    assert clips.find_clips([made]) == [made]
    assert clips.find_clips([tmp_path]) == [tmp_path]  # to be refused by whoever opens it
