"""The chain from a clip to its scores, on toy clips whose alerts can be counted on paper; and its faults, one by one.

A toy: one person stands in the zone for the whole clip, another walks through it in 6.8 s. A rule of ten seconds must
alert once, on the first.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.video import BOX, VISIBLE_BOX, Camera, ClipMeta, Zone
from contrechamp.pipelines import vsa, vsa_batch, vsa_foreign, vsa_pictures, vsa_score, vsa_score_run, vsa_steps
from contrechamp.store import clips, runs
from contrechamp.store.video import check_video, read_frames

FPS, SECONDS = 5.0, 16.0
CAMERA = Camera(160, 120, 130.0, 5.0, 22.0)
ZONE = Zone("zone", ((-4.0, 8.0), (4.0, 8.0), (4.0, 16.0), (-4.0, 16.0)))
TEN = "hikvision-default"
ORACLE = vsa_steps.plan_for("oracle", presets=(TEN, "frigate"))


def at(t_s: float, who: int) -> tuple[float, float]:
    return (0.0, 11.0) if who == 1 else (-8.0 + 1.2 * t_s, 13.0)


def toy(folder: Path, *, stays: str = "waiting", bag: bool = False) -> Path:
    """Rectangles for people; ``bag``: the one who passes leaves an object behind."""
    n = int(SECONDS * FPS)
    meta = ClipMeta(folder.name, FPS, n, CAMERA, (ZONE,))
    cast = {1: stays, 2: "passing"} | ({3: "bag_leaving"} if bag else {})
    rows, images = [], []
    for i in range(n):
        image, seen = np.full((120, 160, 3), 120, np.uint8), []
        for who, situation in cast.items():
            x, y = (1.0, 12.0) if who == 3 else at(i / FPS, who)
            points, _ = CAMERA.project(np.array([[x, y, 0.0], [x, y, 0.4 if who == 3 else 1.75]]))
            half = 0.15 * abs(points[0, 1] - points[1, 1])
            box = np.array([points[0, 0] - half, points[1, 1], points[0, 0] + half, points[0, 1]])
            box = box.clip(0, [160, 120, 160, 120])
            if box[2] - box[0] < 1:
                continue
            x1, y1, x2, y2 = box.round().astype(int)
            image[y1:y2, x1:x2] = (200, 60, 40) if who == 1 else (30, 60, 200)
            seen.append({
                "frame": i, "t_s": i / FPS, "subject_id": who, "label": "object" if who == 3 else "person",
                "situation": situation, "posture": "standing", **dict(zip(BOX, box, strict=True)),
                **dict(zip(VISIBLE_BOX, box, strict=True)), "visible_px": 100, "visibility": 1.0, "x_m": x, "y_m": y,
                "speed_m_s": 0.0,
            })  # fmt: skip
        rows.append(pd.DataFrame(seen))
        images.append(image)
    seen_in = pd.concat(rows)
    events = []
    for who in (1, 2):
        mine = seen_in[seen_in["subject_id"] == who]
        inside = mine.loc[ZONE.contains(mine[["x_m", "y_m"]].to_numpy()), "t_s"]
        events.append(("stay", inside.min(), inside.max() + 1 / FPS, who, "zone", cast[who]))
    table = pd.DataFrame(events, columns=["kind", "t_begin_s", "t_end_s", "subject_id", "zone", "situation"])
    subjects = pd.DataFrame({
        "subject_id": list(cast), "label": ["object" if w == 3 else "person" for w in cast],
        "situation": list(cast.values()), "owner_id": [2 if w == 3 else -1 for w in cast],
    })  # fmt: skip
    clips.write_clip(
        folder, zip(images, rows, strict=True), meta=meta, spec={}, subjects=subjects,
        events=table.assign(event_id=range(len(table))),
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def cameras(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("toys")
    return [toy(root / "cam0"), toy(root / "cam1", stays="vendor"), toy(root / "cam2")]


@pytest.fixture(scope="module")
def batch(cameras: list[Path], tmp_path_factory: pytest.TempPathFactory) -> vsa_batch.Batch:
    return vsa_batch.run_batch(cameras, tmp_path_factory.mktemp("runs") / "run", plan=ORACLE)


@pytest.fixture(scope="module")
def scores(batch: vsa_batch.Batch) -> vsa_score.Scores:
    return vsa_score_run.score_run(batch.folder, seed=1)


def test_a_batch_leaves_every_step_and_says_where_it_comes_from(batch: vsa_batch.Batch, cameras: list[Path]) -> None:
    assert batch.cameras["status"].tolist() == ["done"] * 3
    assert batch.cameras["n_alerts"].tolist() == [1, 1, 1]
    batch.check()
    told, opened, watched = vsa_batch.read_batch(batch.folder)
    assert told["plan"]["detector"] == "oracle"
    assert told["settings"]["presets"][TEN]["dwell_s"] == 10
    assert told["settings"]["detector"]["min_visibility"] == 0.1
    assert told["settings"]["tracker"]["lost_track_buffer"] == 60
    assert [c.folder for c in opened.values()] == cameras
    assert sorted(p.stem for p in (batch.folder / "tables").iterdir()) == [
        "alerts", "cameras", "detections", "trace", "tracks"
    ]  # fmt: skip
    one = watched["cam0"]
    (alert,) = one.alerts.table.to_dict("records")
    assert (alert["rule"], alert["preset"], alert["zone"]) == ("loitering", TEN, "zone")
    assert alert["t_alert_s"] == pytest.approx(10.2, abs=0.3)  # the tracker confirms a track at its second frame
    assert len(one.alerts.trace) == round((alert["t_alert_s"] - alert["t_since_s"]) * FPS) + 1
    assert not [p for p in batch.folder.parent.iterdir() if p.name.endswith(".partial")]


def test_the_same_cameras_give_the_same_tables_whatever_the_jobs_and_the_batch(
    batch: vsa_batch.Batch, cameras: list[Path], tmp_path: Path
) -> None:
    again = vsa_batch.run_batch(cameras[::-1], tmp_path / "run", plan=ORACLE, batch=7, jobs=2)
    for name in ("detections", "tracks", "alerts", "trace"):
        assert (again.folder / "tables" / f"{name}.parquet").read_bytes() == (
            batch.folder / "tables" / f"{name}.parquet"
        ).read_bytes(), name


def test_the_burden_falls_on_whoever_stays_at_every_rung(scores: vsa_score.Scores) -> None:
    burden = scores.tables["burden"].set_index(["rung", "preset", "situation"])
    for rung in vsa_score.RUNGS:
        for situation, stays in (("waiting", 2), ("vendor", 1)):
            row = burden.loc[(rung, TEN, situation)]
            assert (row["stays"], row["stays_flagged"], row["alerts"]) == (stays, stays, stays)
            assert row["rate"] == pytest.approx(3600 / SECONDS)  # one alert in 16 s
            assert row["rate_low"] < row["rate"] < row["rate_high"]
        passing = burden.loc[(rung, TEN, "passing")]
        assert (passing["stays"], passing["alerts"], passing["rate"]) == (3, 0, 0.0)
        assert passing["rule_of_three"] > 0  # never a bare zero
    assert burden.loc[("machine", "frigate", "waiting"), "alerts"] == 0  # sixty seconds are not reached


def test_events_are_found_by_the_rules_own_definition(scores: vsa_score.Scores) -> None:
    events = scores.tables["events"].set_index(["rung", "preset"])
    for rung in vsa_score.RUNGS:
        row = events.loc[(rung, TEN)]
        assert (row["n_events"], row["found"], row["missed"], row["false"]) == (3, 3, 0, 0)
        assert row["precision"] == 1.0
        assert row["precision_low"] == pytest.approx(0.025 ** (1 / 3))
        assert row["ndcr"] == 0.0
    assert events.loc[("oracle-tracks", TEN), "median_delay_s"] == pytest.approx(0.0, abs=1e-9)
    none = events.loc[("oracle-tracks", "frigate")]
    assert none["n_events"] == 0
    assert np.isnan(none["recall"])  # not estimable, and not nought


def test_boxes_and_tracks_of_an_oracle_are_perfect(scores: vsa_score.Scores) -> None:
    person = scores.tables["detection"].query("label == 'person' and by == 'situation'").set_index("key")
    assert set(person.index) == {"waiting", "vendor", "passing"}
    assert (person["ap50"] == 1.0).all()
    mot = scores.tables["mot"].set_index("clip_id")
    assert mot.loc["all", "idsw"] == 0
    assert mot.loc["all", "hota"] > 0.97


def test_every_result_carries_n_and_an_interval_or_says_that_there_is_none(scores: vsa_score.Scores) -> None:
    assert len({r.key for r in scores.results}) == len(scores.results) > 50
    for result in scores.results:
        i = result.interval
        assert i.n >= 0
        assert not i.estimable or (i.low is not None and i.high is not None and i.low <= i.estimate <= i.high)  # type: ignore[operator]


def test_scores_are_written_beside_the_run_with_the_digest_of_what_was_scored(
    scores: vsa_score.Scores, batch: vsa_batch.Batch, tmp_path: Path
) -> None:
    out = vsa_score_run.write_scores(scores, tmp_path / "scores", inputs=[batch.folder], truth=None, seed=1)
    body = runs.read_json(out / "scores.json")
    assert len(body["results"]) == len(scores.results)
    assert set(body["limits"]) == {"fr", "en"}
    assert len(runs.read_json(out / "run.json")["inputs"][0]["sha256"]) == 64
    with pytest.raises(ParameterError, match="nothing is overwritten"):
        vsa_score_run.check_new(out)


def test_the_tasks_of_a_scheduler_give_the_scores_of_the_command_line(
    cameras: list[Path], scores: vsa_score.Scores, tmp_path: Path
) -> None:
    work = vsa_steps.begin(tmp_path / "run", vsa_steps.plan_for("oracle", presets=(TEN, "frigate"), seed=1))
    for source in cameras:
        name = vsa_steps.detect_camera(work, vsa_steps.render_camera(work, source))
        vsa_score_run.score_camera(work, vsa_steps.flag_camera(work, vsa_steps.track_camera(work, name)))
    done = vsa_batch.gather(work, also=vsa_score_run.pool_cameras)
    _same(runs.read_json(done.folder / "scores.json")["results"], [r.to_dict() for r in scores.results])
    assert (done.folder / "tables" / "burden.parquet").is_file()
    assert not (done.folder / "cameras").exists()


def _same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    """Equal to the ten digits that a file keeps."""
    keys = ("measure", "world", "n", "method")
    assert [[r[k] for k in keys] for r in one] == [[r[k] for k in keys] for r in other]
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(
            np.array([r[name] for r in one], dtype=float), np.array([r[name] for r in other], dtype=float), rtol=1e-9
        )


def test_alerts_of_several_presets_are_numbered_together(cameras: list[Path]) -> None:
    clip = clips.open_clip(cameras[0])
    found = vsa.detect_clip(clip, vsa.make_detector("oracle", clip))
    both = vsa.watch_clip(clip, found, presets=("house-presence", TEN))
    assert both.alerts.table["alert_id"].tolist() == [0, 1, 2]
    assert both.alerts.table["preset"].tolist() == ["house-presence", "house-presence", TEN]
    tracks = both.alerts.table.set_index("alert_id")["track_id"]
    assert (both.alerts.trace["track_id"] == both.alerts.trace["alert_id"].map(tracks)).all()
    assert len(vsa.join_alerts([]).table) == 0


def test_a_machine_that_sees_nothing_is_scored_all_the_same(cameras: list[Path], tmp_path: Path) -> None:
    plan = vsa_steps.plan_for("noisy-oracle", presets=(TEN,), detector_params={"p_miss": 1.0}, seed=3)
    done = vsa_batch.run_batch(cameras[:2], tmp_path / "run", plan=plan)
    assert done.cameras["n_detections"].tolist() == [0, 0]
    scores = vsa_score_run.score_run(done.folder)
    burden = scores.tables["burden"].set_index(["rung", "situation"])
    assert burden.loc[("machine", "waiting"), "alerts"] == 0
    assert burden.loc[("oracle-tracks", "waiting"), "alerts"] == 1  # the rule's own burden needs no detector
    events = scores.tables["events"].set_index("rung")
    assert (events.loc["machine", "missed"], events.loc["machine", "ndcr"]) == (2, 1.0)  # silence costs one
    person = scores.tables["detection"].query("label == 'person' and by == 'all'").iloc[0]
    assert (person["ap50"], person["recall"]) == (0.0, 0.0)


# -- faults: exit 11, one paragraph, and the other cameras finish


def damaged(kind: str, source: Path, folder: Path) -> Path:
    clip = Path(shutil.copytree(source, folder))
    video, sidecar = clip / "clip.mp4", clip / "sidecar.json"
    if kind == "truncated":
        video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    elif kind == "empty":
        video.write_bytes(b"")
    elif kind == "no video":
        video.write_text("hello")
    elif kind == "sidecar":
        sidecar.write_text(sidecar.read_text()[:200])
    elif kind == "other clip":
        video.write_bytes(video.read_bytes() + b"\0\0\0\x08free")
    elif kind == "no truth":
        sidecar.unlink()
    return clip


@pytest.mark.parametrize(
    ("kind", "said", "detector"),
    [
        ("truncated", "Render it again", "oracle"), ("empty", "0 bytes", "oracle"),
        ("no video", "cannot be opened as a video", "oracle"), ("sidecar", "cannot be read as the JSON", "oracle"),
        ("other clip", "SHA-256 is another", "oracle"), ("no truth", "no live-camera mode", "oracle"),
        ("truncated", "Render it again", "hog"),
    ],
)  # fmt: skip
def test_a_bad_camera_is_named_and_the_others_finish(
    kind: str, said: str, detector: str, cameras: list[Path], tmp_path: Path
) -> None:
    bad = damaged(kind, cameras[0], tmp_path / "bad")
    plan = vsa_steps.plan_for(detector, presets=(TEN,))
    done = vsa_batch.run_batch([bad, cameras[1]], tmp_path / "run", plan=plan)
    assert done.cameras.set_index("clip_id")["status"].to_dict() == {"bad": "failed", "cam1": "done"}
    assert said in done.failed["reason"].iloc[0]
    with pytest.raises(ContractError) as error:
        done.check()
    assert error.value.exit_code == 11
    assert "1 of 2 cameras" in str(error.value)
    assert "\n" not in str(error.value)
    told, _, watched = vsa_batch.read_batch(done.folder)
    assert list(watched) == ["cam1"]
    assert [c["status"] for c in told["cameras"]] == ["failed", "done"]


def test_a_video_that_breaks_half_way_stops_one_camera_only(cameras: list[Path], tmp_path: Path) -> None:
    """Its sidecar was made for the broken file, so that nothing shows before frames are decoded."""
    bad = damaged("truncated", cameras[0], tmp_path / "bad")
    sidecar = json.loads((bad / "sidecar.json").read_text())
    video = (bad / "clip.mp4").read_bytes()
    import hashlib

    sidecar["files"]["clip.mp4"] = {"bytes": len(video), "sha256": hashlib.sha256(video).hexdigest()}
    (bad / "sidecar.json").write_text(json.dumps(sidecar))
    clip = clips.open_clip(bad)

    class Counting:
        needs_frames = True

        def detect(self, frames: Any, *, indices: Any) -> list[Any]:
            from contrechamp.domain.video import Detections

            assert len(frames) == len(indices) <= 8
            return [Detections.empty() for _ in indices]

    found, failed = vsa.detect_clips([clip, clips.open_clip(cameras[1])], Counting(), batch=8)  # type: ignore[arg-type]
    assert list(failed) == [0]
    assert failed[0].exit_code == 11
    assert len(found[1]) == int(SECONDS * FPS)


@pytest.mark.parametrize("source", ["rtsp://10.0.0.7/live", "/dev/video0", "0"])
def test_a_live_source_is_refused_before_anything_is_written(source: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no live-camera mode"):
        vsa_batch.run_batch([source], tmp_path / "run", plan=ORACLE)
    assert list(tmp_path.iterdir()) == []


def test_a_plan_that_cannot_be_followed_and_names_twice(cameras: list[Path], tmp_path: Path) -> None:
    for plan, said in (
        (vsa_steps.plan_for("oracle", presets=("nothing",)), "No preset is called 'nothing'"),
        (vsa_steps.plan_for("eagle"), "No detector is called 'eagle'"),
        (vsa_steps.plan_for("oracle", tracker="dog"), "'dog'"),
    ):
        with pytest.raises(ParameterError, match=said):
            vsa_batch.run_batch(cameras, tmp_path / "run", plan=plan)
    with pytest.raises(ParameterError, match="different names"):
        vsa_batch.run_batch([cameras[0], cameras[0]], tmp_path / "run", plan=ORACLE)
    with pytest.raises(ParameterError, match="different names"):
        vsa_batch.run_batch([], tmp_path / "run", plan=ORACLE)
    assert list(tmp_path.iterdir()) == []


def test_a_run_whose_clip_was_replaced_or_moved(batch: vsa_batch.Batch, cameras: list[Path], tmp_path: Path) -> None:
    for source in cameras:
        shutil.copytree(source, tmp_path / source.name)
    assert set(vsa_batch.read_batch(batch.folder, clips=tmp_path)[2]) == {"cam0", "cam1", "cam2"}
    shutil.copy(tmp_path / "cam1" / "sidecar.json", tmp_path / "cam0" / "sidecar.json")
    with pytest.raises(IntegrityError, match="its sidecar is another"):
        vsa_batch.read_batch(batch.folder, clips=tmp_path)


def test_a_whole_frame_of_each_camera_goes_in_turn(cameras: list[Path]) -> None:
    opened = [clips.open_clip(c) for c in cameras[:2]]
    seen: list[tuple[int, int]] = []

    class Noting:
        needs_frames = True

        def detect(self, frames: Any, *, indices: Any) -> list[Any]:
            from contrechamp.domain.video import Detections

            seen.append((len(frames), len(set(indices))))
            return [Detections(np.array([[0.0, 0, 1 + i, 5]]), np.ones(1), np.zeros(1, np.int64)) for i in indices]

    found, failed = vsa.detect_clips(opened, Noting(), batch=6)  # type: ignore[arg-type]
    assert not failed
    assert seen[0] == (6, 3)  # three frames of each of two cameras
    for boxes in found.values():  # each frame got its own boxes back
        assert [d.boxes_px[0, 2] - 1 for d in boxes] == list(range(int(SECONDS * FPS)))
    table = vsa.detections_table(found[0], opened[0].meta)
    again = vsa.detections_of(table, opened[0].meta)
    assert all((a.boxes_px == b.boxes_px).all() for a, b in zip(found[0], again, strict=True))


# -- what others made


def test_anybodys_tracks_are_scored_with_the_same_tables(cameras: list[Path], tmp_path: Path) -> None:
    given = vsa_foreign.read_given_truth(cameras[0])
    path = tmp_path / "theirs.txt"  # the truth itself, as a tracker would write it
    path.write_text("".join(
        f"{r['frame'] + 1},{r['subject_id']},{r['x1_px']:.2f},{r['y1_px']:.2f},{r['x2_px'] - r['x1_px']:.2f},"
        f"{r['y2_px'] - r['y1_px']:.2f},0.9,-1,-1,-1\n" for r in given.truth.frames.to_dict("records")
    ) + "7,nan,1,1,1,1,1\n")  # fmt: skip
    found = vsa_foreign.score_given(given, presets=(TEN,), tracks=path)
    assert (found.n_rows - found.n_used, [p.check for p in found.problems]) == (1, ["not_a_number"])
    assert found.scores is not None
    burden = found.scores.tables["burden"].set_index(["rung", "situation"])
    assert burden.loc[("machine", "waiting"), "stays_flagged"] == 1
    assert burden.loc[("oracle-tracks", "waiting"), "stays_flagged"] == 1
    assert found.mot is not None
    assert found.mot["hota"].iloc[0] > 0.98


def test_anybodys_alerts_fall_on_somebody(cameras: list[Path], tmp_path: Path) -> None:
    given = vsa_foreign.read_given_truth(cameras[1])
    box = given.truth.frames.query("subject_id == 1 and frame == 60").iloc[0]
    path = tmp_path / "alerts.csv"
    path.write_text(
        "t_s,x1,y1,x2,y2\n12.0," + ",".join(f"{box[c]:.1f}" for c in BOX) + "\n5.0,1,1,9,30\n"
    )  # fmt: skip
    found = vsa_foreign.score_given(given, presets=(TEN,), alerts=path)
    assert found.scores is not None
    burden = found.scores.tables["burden"].set_index("situation")
    assert burden["alerts"].to_dict() == {"passing": 0, "vendor": 1}
    assert found.scores.tables["unplaced"]["alerts"].tolist() == [1]  # nobody stood in that corner
    row = found.scores.tables["events"].iloc[0]
    assert (row["found"], row["false"]) == (1, 1)
    without = vsa_foreign.score_given(given, presets=(), alerts=path)
    assert without.scores is not None
    assert without.scores.tables["burden"]["preset"].unique().tolist() == ["given"]


def test_a_truth_in_a_file_names_its_situations_or_not(cameras: list[Path], tmp_path: Path) -> None:
    frames = vsa_foreign.read_given_truth(cameras[0]).truth.frames
    table = frames[["frame", "subject_id", *BOX, "situation"]]
    table.to_csv(tmp_path / "truth.csv", index=False)
    read = vsa_foreign.read_given_truth(tmp_path / "truth.csv", fps=FPS)
    assert read.truth.frames["situation"].tolist() == frames["situation"].tolist()
    (tmp_path / "alerts.csv").write_text("frame,track_id,x1,y1,x2,y2\n60,9," + ",".join(
        f"{v:.1f}" for v in frames.query("subject_id == 1 and frame == 60")[list(BOX)].iloc[0]) + "\n")  # fmt: skip
    found = vsa_foreign.score_given(read, presets=(), alerts=tmp_path / "alerts.csv")
    assert found.scores is not None
    assert found.scores.tables["burden"].set_index("situation")["alerts"].to_dict() == {"passing": 0, "waiting": 1}

    gt = vsa_foreign.read_given_truth(cameras[0] / "truth" / "gt" / "gt.txt", fps=FPS)
    assert set(gt.truth.frames["situation"]) == {"unknown"}
    theirs = tmp_path / "t.txt"
    shutil.copy(cameras[0] / "truth" / "gt" / "gt.txt", theirs)
    alone = vsa_foreign.score_given(gt, presets=(TEN,), tracks=theirs)
    assert alone.scores is None  # no zone, no rule
    assert alone.mot is not None
    assert alone.mot["hota"].iloc[0] == pytest.approx(1.0)
    with pytest.raises(ParameterError, match="--fps"):
        vsa_foreign.read_given_truth(tmp_path / "truth.csv")
    with pytest.raises(ParameterError, match="nothing to score"):
        vsa_foreign.score_given(gt, presets=())
    table.assign(situation=["x", *table["situation"][1:]]).to_csv(tmp_path / "two.csv", index=False)
    with pytest.raises(ContractError, match="in two situations"):
        vsa_foreign.read_given_truth(tmp_path / "two.csv", fps=FPS)
    (tmp_path / "nan.csv").write_text("frame,subject_id,x1,y1,x2,y2\n0,1,nan,1,2,2\n0,2,1,1,2,2\n")
    with pytest.raises(ContractError, match="line 2"):
        vsa_foreign.read_given_truth(tmp_path / "nan.csv", fps=FPS)


def test_an_alert_about_an_object_falls_on_who_put_it_down(tmp_path: Path) -> None:
    folder = toy(tmp_path / "bag", bag=True)
    clip = clips.open_clip(folder)
    truth = clips.read_truth(clip)
    box = truth.frames.query("subject_id == 3 and frame == 70").iloc[0]
    path = tmp_path / "alerts.csv"
    path.write_text("frame,track_id,x1,y1,x2,y2\n70,5," + ",".join(f"{box[c]:.2f}" for c in BOX) + "\n")
    found = vsa_foreign.score_given(vsa_foreign.read_given_truth(folder), presets=(), alerts=path)
    assert found.scores is not None
    assert found.scores.tables["judged"]["subject_id"].tolist() == [2]
    assert found.scores.tables["burden"].set_index("situation")["alerts"].to_dict() == {"passing": 1, "waiting": 0}


# -- pictures


def test_the_clock_over_a_head_counts_seconds_inside(cameras: list[Path]) -> None:
    truth = clips.read_truth(clips.open_clip(cameras[0]))
    rows = truth.frames.rename(columns={"subject_id": "who"})
    rows = rows.assign(clock_s=vsa_pictures.dwell_clocks(rows, truth.meta))
    assert rows.query("who == 1")["clock_s"].iloc[-1] == pytest.approx(SECONDS)
    through = rows.query("who == 2")["clock_s"]
    assert through.iloc[0] == 0
    assert through.iloc[-1] == pytest.approx(6.8)  # eight metres at 1.2 m/s, by frames


def test_pictures_show_zone_boxes_and_the_flash_and_leave_the_rest_alone(
    batch: vsa_batch.Batch, tmp_path: Path
) -> None:
    from PIL import Image as Pictures

    _, opened, watched = vsa_batch.read_batch(batch.folder)
    one = {"cam0": opened["cam0"]}
    written = vsa_pictures.draw_run(one, watched, tmp_path / "pictures", lang="fr")
    assert [p.name for p in written] == ["cam0.mp4", "cam0-alerts.png"]
    assert check_video(written[0], expect=opened["cam0"].meta) == int(SECONDS * FPS)
    sheet = np.asarray(Pictures.open(written[1]))
    assert (np.abs(sheet.astype(int) - (255, 48, 48)).sum(axis=2) < 30).sum() > 50  # the red of an alert
    plain = dict((i, im) for i, _, im in opened["cam0"].frames())
    drawn = dict((i, im) for i, _, im in read_frames(written[0]))
    changed = np.abs(plain[20].astype(int) - drawn[20]).max(axis=2) > 40
    assert 0.002 < changed.mean() < 0.25
    again = vsa_pictures.contact_sheet(
        opened["cam0"], tmp_path / "a.png", overlay=vsa_pictures.Overlay.of_truth(clips.read_truth(opened["cam0"])),
        lang="en",
    )  # fmt: skip
    first = again.read_bytes()
    vsa_pictures.contact_sheet(
        opened["cam0"], again, overlay=vsa_pictures.Overlay.of_truth(clips.read_truth(opened["cam0"])), lang="en"
    )
    assert again.read_bytes() == first
