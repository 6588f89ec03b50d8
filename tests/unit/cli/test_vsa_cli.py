"""``contrechamp vsa``: what each verb prints, writes and refuses, on scenes small enough for a test."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from contrechamp.cli import main
from contrechamp.cli.app import app
from contrechamp.domain.situations import SITUATIONS
from contrechamp.pipelines.vsa_render import CASTS
from contrechamp.store import clips
from vsa.detectors import DETECTORS
from vsa.rules import PRESETS, RULES

TINY = (
    "--seconds", "4", "--fps", "2", "--set", "width_px=160", "--set", "height_px=90", "--set", "focal_px=130",
    "--set", "dwell_s=2:4", "--jobs", "1",
)  # fmt: skip


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["vsa", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("vsa") / "clips"
    done = run("render", "--out", out, *TINY, "--seed", 5, "--cast", "waiting=2", "--swap", "waiting:rough_seated")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].split()[0] == "clip"
    assert "Planche (sheet)" in done.stderr
    return out


@pytest.fixture(scope="module")
def watched(folder: Path) -> Path:
    out = folder.parent / "run"
    done = run("detect", folder, "--out", out, "--detector", "oracle", "--preset", "hikvision-default")
    assert done.exit_code == 0, done.output
    return out


def test_a_scene_and_its_double_differ_in_bodies_only(folder: Path) -> None:
    names = sorted(p.name for p in folder.iterdir())
    assert names == [
        "plaza-day-0005", "plaza-day-0005-fr.png", "plaza-day-0005-waiting-as-rough_seated",
        "plaza-day-0005-waiting-as-rough_seated-fr.png",
    ]  # fmt: skip
    one, other = (clips.read_truth(clips.open_clip(folder / names[i])).frames for i in (0, 2))
    assert (one["situation"] == "waiting").any()
    assert not (other["situation"] == "waiting").any()
    at = ["frame", "subject_id", "x_m", "y_m"]
    same = one[at].merge(other[at], on=["frame", "subject_id"])
    assert len(same) > 10
    assert (same["x_m_x"] == same["x_m_y"]).all()
    assert (folder / names[1]).read_bytes()[:4] == b"\x89PNG"


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    done = run(
        "render", "--out", tmp_path / "c", *TINY, "--seed", 5, "--cast", "waiting=2", "--no-pictures", "--json"
    )  # fmt: skip
    (told,) = json.loads(done.stdout)
    assert told["frames"] == 8
    assert told["sha256"] == clips.open_clip(folder / "plaza-day-0005").files["clip.mp4"][1]


def test_detect_says_what_it_found_and_where(watched: Path) -> None:
    tables = {p.stem for p in (watched / "tables").iterdir()}
    assert tables == {"cameras", "detections", "tracks", "alerts", "trace"}
    assert len(pd.read_parquet(watched / "tables" / "cameras.parquet")) == 2


def test_detect_can_draw_what_it_saw(folder: Path, tmp_path: Path) -> None:
    done = run(
        "detect", folder / "plaza-day-0005", "--out", tmp_path / "run", "--detector", "noisy-oracle", "--set",
        "p_miss=0.2", "--pictures", "--lang", "en", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (camera,) = json.loads(done.stdout)["cameras"]
    assert camera["status"] == "done"
    assert camera["n_frames"] == 8
    assert (tmp_path / "run-pictures" / "plaza-day-0005.mp4").stat().st_size > 500


def test_score_prints_on_whom_with_intervals_french_first(watched: Path, tmp_path: Path) -> None:
    done = run("score", watched, "--out", tmp_path / "scores", "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert "Boîtes, une image par seconde" in done.stdout
    assert re.search(r"person +attend quelqu’un +\d+ +1\.000", done.stdout)
    assert "min de caméra : trop peu pour parler d'une ville" in done.stderr
    assert done.stderr.index("Ces chiffres valent") < done.stderr.index("These figures hold")
    body = json.loads((tmp_path / "scores" / "scores.json").read_text())
    assert {"results", "city", "limits"} == set(body)
    assert len(pd.read_parquet(tmp_path / "scores" / "tables" / "burden.parquet")) > 5


def test_score_as_data(watched: Path) -> None:
    body = json.loads(run("score", watched, "--json", "--jobs", 1).stdout)
    measures = {r["measure"] for r in body["results"]}
    assert {"ap50", "recall", "precision", "false_alerts_per_person_hour", "p_flagged_in_a_stay"} <= measures
    assert {r["world"].get("rung") for r in body["results"]} == {None, "oracle-tracks", "oracle-boxes", "machine"}
    for r in body["results"]:
        assert "n" in r
        assert r["estimable"] == (r["low"] is not None)


def test_anybodys_files_are_scored(folder: Path, tmp_path: Path) -> None:
    clip = folder / "plaza-day-0005"
    gt = clip / "truth" / "gt" / "gt.txt"
    body = json.loads(
        run("score", "--tracks", gt, "--truth", clip, "--preset", "hikvision-default", "--json").stdout
    )  # fmt: skip
    assert body["rows"]["used"] == body["rows"]["read"] > 20
    assert body["mot"]["hota"] == pytest.approx(1.0, abs=0.01)
    done = run("score", "--tracks", gt, "--truth", gt, "--fps", 2)
    assert done.exit_code == 0, done.output
    assert "HOTA" in done.stdout
    assert "lignes utilisées sur" in done.stderr


def test_rules_and_presets_are_listed_with_units() -> None:
    rows = json.loads(run("rules", "--json").stdout)
    assert [r["key"] for r in rows] == [*RULES, *PRESETS]
    assert all("unit" in p for r in rows for p in r["parameters"])
    lines = run("rules").stdout
    assert max(map(len, lines.splitlines())) <= 110
    assert "dwell_s=300.0 s" in lines


def test_detectors_are_listed_and_the_oracles_say_what_they_are() -> None:
    rows = json.loads(run("detectors", "--json").stdout)
    assert [r["key"] for r in rows] == list(DETECTORS)
    assert [r["key"] for r in rows if r["told_the_truth"]] == ["oracle", "noisy-oracle"]
    assert set(rows[0]["title"]) == {"fr", "en"}
    assert "reçoit la vérité" in run("detectors").stdout


def test_train_hands_over_what_was_asked_and_prints_scores_with_their_n(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contrechamp.pipelines import vsa_training

    asked: dict[str, Any] = {}

    def fake(out: Path, **given: Any) -> vsa_training.TrainingReport:
        asked.update(given)
        rows = {
            "stills": ["unseen"],
            "label": ["person"],
            "key": ["all"],
            "n_boxes": [40],
            "ap50": [0.9],
            "ap50_low": [0.8],
            "ap50_high": [0.95],
            "recall": [0.7],
            "recall_low": [0.6],
            "recall_high": [0.8],
        }
        return vsa_training.TrainingReport(out, {"seed": 4}, pd.DataFrame(rows))  # fmt: skip

    monkeypatch.setattr(vsa_training, "train_detector", fake)
    done = run("train", "--out", tmp_path, "--images", 12, "--epochs", 2, "--seed", 4, "--device", "cpu", "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert {k: asked[k] for k in ("images", "epochs", "seed", "device", "jobs")} == {
        "images": 12, "epochs": 2, "seed": 4, "device": "cpu", "jobs": 1
    }  # fmt: skip
    assert "imgsz" not in asked  # left to the pipeline
    assert re.search(r"person +all +40 +0\.900 \[0\.800, 0\.950\]", done.stdout)
    assert json.loads(run("train", "--out", tmp_path, "--json").stdout)["scores"][0]["n_boxes"] == 40


def test_the_default_casts_hold_every_situation() -> None:
    named = {situation for cast in CASTS for situation, _ in cast}
    assert named | {"passing"} == set(SITUATIONS)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("detect", "rtsp://10.0.0.1/x", "--out", "OUT"), 11, "no live-camera mode"),
        (("detect", "/dev/video0", "--out", "OUT"), 11, "no live-camera mode"),
        (("detect", "CLIPS/plaza-day-0005-fr.png", "--out", "OUT"), 11, "no live-camera mode"),
        (("detect", "nowhere", "--out", "OUT"), 11, "There is no clip at nowhere"),
        (("detect", "CLIPS", "--out", "OUT", "--detector", "eagle"), 10, "No detector is called 'eagle'"),
        (("detect", "CLIPS", "--out", "OUT", "--preset", "eagle"), 10, "No preset is called 'eagle'"),
        (("detect", "CLIPS", "--out", "OUT", "--tracker", "dog"), 10, "No tracker is called 'dog'"),
        (("detect", "CLIPS", "--out", "CLIPS", "--detector", "oracle"), 10, "exists"),
        (("render", "--out", "CLIPS", *TINY, "--seed", "5"), 10, "nothing is overwritten"),
        (("render", "--out", "OUT", "--place", "moon"), 10, "place is one of plaza"),
        (("render", "--out", "OUT", "--cast", "thief=1"), 10, "No situation is called 'thief'"),
        (("render", "--out", "OUT", "--cast", "waiting"), 10, "written waiting=2"),
        (("render", "--out", "OUT", "--swap", "waiting"), 10, "written waiting:vendor"),
        (("render", "--out", "OUT", "--set", "moon=1"), 10, "no field 'moon'"),
        (("render", "--out", "OUT", "--set", "dwell_s=5"), 10, "a range"),
        (("render", "--out", "OUT", "--set", "rain=wet"), 10, "must be a number"),
        (("render", "--out", "OUT", "--seconds", "-1"), 10, "positive duration"),
        (("score",), 10, "Give either the folder"),
        (("score", "CLIPS"), 11, "run.json is missing"),
        (("score", "--tracks", "x.txt", "--truth", "CLIPS/plaza-day-0005"), 11, "x.txt is missing"),
        (("score", "--tracks", "x.txt", "--truth", "gt.txt"), 10, "--fps"),
    ],
)
def test_a_mistake_is_one_paragraph(
    words: tuple[str, ...], code: int, said: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    given = [w.replace("CLIPS", str(folder)).replace("OUT", str(tmp_path / "out")) for w in words]
    monkeypatch.setattr("sys.argv", ["contrechamp", "vsa", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert sum(line.startswith("contrechamp: ") for line in error.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.partial").exists()
