"""Reading a video run that anybody may have written: links, sizes, names, types, and what is paired with what."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contrechamp.domain.errors import ContractError
from contrechamp.domain.video import ALERT_COLUMNS, TRACE_COLUMNS, as_table
from contrechamp.store import runs
from contrechamp.store.files import sha256_file
from dashboard import files_video as fv

NUMBERS = ("alerts", "person_h", "stays", "stays_flagged", "share_of_alerts", "share_of_person_h", "rate", "rate_low",
           "rate_high", "p_flagged", "p_flagged_low", "p_flagged_high")  # fmt: skip


def alerts(**changes: Any) -> pd.DataFrame:
    row = {"alert_id": 0, "rule": "loitering", "preset": "frigate", "zone": "zone", "track_id": 1, "frame": 9,
           "t_alert_s": 3.0, "t_since_s": 0.0, "value": 3.0, "threshold": 3.0, "unit": "s"}  # fmt: skip
    return as_table(pd.DataFrame([{**row, **changes}]), ALERT_COLUMNS, what="alerts").assign(clip_id="clip-1")


def make(root: Path, name: str = "run", *, camera: str = "clip-1", **changes: Any) -> Path:
    run = root / name
    plan = {"detector": "oracle", "tracker": "sort", "presets": ["frigate"]}
    runs.write_json(run / "run.json", {"command": "vsa detect", "plan": plan})
    cameras = {"clip_id": [camera], "sidecar_sha256": "x", "place": "hall", "light": "day", "duration_s": 4.0,
               "status": "done", "reason": ""}  # fmt: skip
    trace = {"alert_id": [0, 0, 1], "frame": [1, 0, 0], "t_s": [1.0, 0.0, 0.0], "track_id": 1, "state": "IN",
             "clock_s": [1.0, 0.0, 0.0], "inside": True, "x1_px": 0.0, "y1_px": 0.0, "x2_px": 1.0,
             "y2_px": 1.0}  # fmt: skip
    tables = {"cameras": pd.DataFrame(cameras), "alerts": alerts(**changes),
              "trace": as_table(pd.DataFrame(trace), TRACE_COLUMNS, what="trace").assign(clip_id="clip-1")}  # fmt: skip
    runs.write_tables(run, tables)
    return run


def score(root: Path, run: Path, name: str = "scores", **changes: Any) -> None:
    folder = root / name
    runs.write_json(
        folder / "run.json", {"command": "vsa score", "inputs": [{"sha256": sha256_file(run / "run.json")}]}
    )
    burden = {
        "situation": ["waiting"],
        "rung": "machine",
        "preset": "frigate",
        **dict.fromkeys(NUMBERS, 1.0),
        **changes,
    }
    judged = {"scene": ["clip-1", "clip-1"], "rung": ["machine", "oracle-tracks"], "alert_id": 0,
              "situation": "waiting", "rule_true": True, "harm": False}  # fmt: skip
    runs.write_tables(folder, {"burden": pd.DataFrame(burden), "judged": pd.DataFrame(judged)})


def test_a_sound_run_is_read_with_the_scores_made_of_it(tmp_path: Path) -> None:
    run = make(tmp_path)
    other = make(tmp_path, "other", value=4.0)
    runs.write_json(other / "run.json", {**runs.read_json(other / "run.json"), "seed": 5})
    (tmp_path / "run.partial").mkdir()
    runs.write_json(tmp_path / "audit" / "run.json", {"command": "audit"})
    score(tmp_path, run)
    assert sorted(fv.footage_names(tmp_path)) == ["other", "run"]
    seen = fv.read_footage(tmp_path, "run")
    assert (seen.detector, seen.tracker, seen.presets, seen.clips) == ("oracle", "sort", ("frigate",), ["clip-1"])
    assert seen.judged is not None
    assert seen.judged["scene"].tolist() == ["clip-1"]  # the machine's only
    assert seen.burden is not None
    assert fv.read_footage(tmp_path, "other").burden is None  # scores are paired by digest, not by place
    trace = fv.read_trace(tmp_path, "run", clip="clip-1", alert=0)
    assert trace["t_s"].tolist() == [0.0, 1.0]
    assert fv.read_trace(tmp_path, "run", clip="clip-2", alert=0).empty


def test_a_batch_that_scored_itself_needs_no_other_folder(tmp_path: Path) -> None:
    run = make(tmp_path)
    score(tmp_path, run)
    shutil.move(tmp_path / "scores" / "tables" / "burden.parquet", run / "tables")
    shutil.move(tmp_path / "scores" / "tables" / "judged.parquet", run / "tables")
    shutil.rmtree(tmp_path / "scores")
    seen = fv.read_footage(tmp_path, "run")
    assert seen.burden is not None
    assert seen.judged is not None


def test_the_folder_is_that_of_the_runs_unless_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONTRECHAMP_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("CONTRECHAMP_VSA", raising=False)
    assert fv.footage_folder() == tmp_path / "runs"
    monkeypatch.setenv("CONTRECHAMP_VSA", str(tmp_path / "vsa"))
    assert fv.footage_folder() == tmp_path / "vsa"
    assert fv.footage_names(tmp_path / "none") == []


def test_no_link_is_followed_out_of_the_folder_or_within_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.parquet"
    alerts().to_parquet(secret)
    root = tmp_path / "root"
    run = make(root)
    table = run / "tables" / "alerts.parquet"
    table.unlink()
    table.symlink_to(secret)
    with pytest.raises(ContractError, match="link"):
        fv.read_footage(root, "run")
    outside = make(tmp_path, "outside")
    (root / "linked").symlink_to(outside)
    assert fv.footage_names(root) == ["run"]
    with pytest.raises(ContractError, match="link"):
        fv.read_footage(root, "linked")
    with pytest.raises(ContractError):
        fv.read_footage(root, "../outside")


def test_what_is_no_plain_file_or_too_large_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ContractError, match="missing"):  # and nobody waits for a writer
        fv.plain_file(tmp_path / "pipe", under=tmp_path, most=10)
    (tmp_path / "big").write_bytes(b"x" * 11)
    with pytest.raises(ContractError, match="11 bytes, 10 at most"):
        fv.plain_file(tmp_path / "big", under=tmp_path, most=10)


@pytest.mark.parametrize(
    ("changes", "match"),
    [({"value": float("nan")}, "without its numbers"), ({"t_alert_s": float("inf")}, "without its numbers"),
     ({"zone": "z" * 3000}, "2000 characters")],
)  # fmt: skip
def test_alerts_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    make(tmp_path, **changes)
    with pytest.raises(ContractError, match=match):
        fv.read_footage(tmp_path, "run")


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a\n", "x" * 200])
def test_a_clip_bears_a_plain_name(tmp_path: Path, name: str) -> None:
    make(tmp_path, camera=name)
    with pytest.raises(ContractError, match="no plain name"):
        fv.read_footage(tmp_path, "run")


@pytest.mark.parametrize(
    "changes", [{"rung": "strange"}, {"situation": ["<script>"]}, {"rate": float("inf")}, {"alerts": -1.0}]
)
def test_scores_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    score(tmp_path, make(tmp_path), **changes)
    with pytest.raises(ContractError, match="burden"):
        fv.read_footage(tmp_path, "run")


def test_a_small_file_of_too_many_rows_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(tmp_path)
    monkeypatch.setattr(fv, "MOST_ROWS", 3)
    many = pa.Table.from_pandas(pd.concat([alerts()] * 4), preserve_index=False)
    pq.write_table(many, run / "tables" / "alerts.parquet")
    with pytest.raises(ContractError, match="4 rows; 3 at most"):
        fv.read_footage(tmp_path, "run")


@pytest.mark.parametrize("body", ["[]", "{}", '{"command": "vsa detect", "plan": {"detector": "x"}}', "{" * 100_000])
def test_a_run_that_does_not_say_how_it_was_made_is_refused(tmp_path: Path, body: str) -> None:
    run = make(tmp_path)
    (run / "run.json").write_text(body, encoding="utf-8")
    assert fv.footage_names(tmp_path) == (["run"] if "plan" in body else [])
    with pytest.raises(ContractError):
        fv.read_footage(tmp_path, "run")


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">II", width, height) + bytes(30)


def test_pictures_are_looked_for_by_name_and_bombs_are_not_opened(tmp_path: Path) -> None:
    make(tmp_path)
    folder = tmp_path / "run-pictures"
    folder.mkdir()
    sheet = folder / "clip-1-alerts.png"
    sheet.write_bytes(png(1900, 1100))
    assert fv.sheet_of_alerts(tmp_path, "run", "clip-1") == png(1900, 1100)
    sheet.write_bytes(png(100_000, 100_000))
    assert fv.sheet_of_alerts(tmp_path, "run", "clip-1") is None
    sheet.write_bytes(b"<svg onload=alert(1)>")
    assert fv.sheet_of_alerts(tmp_path, "run", "clip-1") is None
    (folder / "clip-1.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(20))
    assert fv.annotated(tmp_path, "run", "clip-1") is not None
    (folder / "clip-1.mp4").write_bytes(b"<html>")
    assert fv.annotated(tmp_path, "run", "clip-1") is None
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "clip-1-en.png").write_bytes(png(10, 10))
    assert fv.sheet_of_truth(tmp_path, "clip-1", lang="fr") == png(10, 10)  # another language rather than none
    assert fv.sheet_of_truth(tmp_path, "clip-2", lang="fr") is None


def test_a_bare_clip_is_shown_only_if_it_is_the_one_that_was_watched(tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "clip-1"
    clip.mkdir(parents=True)
    (clip / "sidecar.json").write_text("{}")
    (clip / "clip.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(20))
    digest = sha256_file(clip / "sidecar.json")
    assert fv.bare_clip(tmp_path, "clip-1", sidecar_sha256=digest) is not None
    assert fv.bare_clip(tmp_path, "clip-1", sidecar_sha256="0" * 64) is None


def test_counts_of_e09_are_left_aside_when_they_cannot_be(tmp_path: Path) -> None:
    row = {"place": "hall", "law": "stated", "rule": "static", "repeat": False, "T_s": 60.0, "role": "waiting",
           "persons": 5, "hours": 1.0, "flagged": 2, "alerts": 2}  # fmt: skip
    for changes, sound in (
        ({}, True),
        ({"flagged": 6}, False),
        ({"hours": float("nan")}, False),
        ({"role": "x"}, False),
    ):
        runs.write_tables(tmp_path / "run", {"e09_roles": pd.DataFrame([{**row, **changes}])})
        assert (fv.read_roles(tmp_path / "run") is not None) == sound
    assert fv.read_roles(tmp_path / "none") is None


def test_the_page_loads_no_vision_library() -> None:
    script = (
        "import sys, dashboard.files_video, dashboard.views_video, dashboard.views_clips\n"
        "from contrechamp.experiments.base import load\n"
        "load('E09')\n"
        "heavy = 'torch torchvision cv2 ultralytics supervision openvino trackers trackeval av jupedsim'.split()\n"
        "print(sorted(set(heavy) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
