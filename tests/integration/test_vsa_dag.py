"""The DAG of video analytics, run for real: a chain a camera, and a bad camera stops no other."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contrechamp.pipelines import vsa_render
from contrechamp.store import runs

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

#: Small enough for a test: the same code, fewer pixels.
TINY = {"duration_s": 3.0, "fps": 2.0, "width_px": 160, "height_px": 90, "focal_px": 130.0, "dwell_s": [1.0, 3.0]}

SCRIPT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.session import create_session
bag = DagBag(dag_folder=sys.argv[1])
assert not bag.import_errors, bag.import_errors
dag = bag.get_dag("vsa_batch")
told = []
for conf in json.loads(sys.argv[2]):
    run = dag.test(run_conf=conf)
    told.append([str(run.state), sorted([t.task_id, t.map_index, str(t.state)] for t in run.get_task_instances())])
from airflow.models.asset import AssetEvent, AssetModel
with create_session() as session:
    rows = session.query(AssetModel.name, AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id).all()
print("RESULT " + json.dumps({"runs": told, "events": [[n, e] for n, e in rows]}))
"""


def test_cameras_are_rendered_watched_and_scored_and_a_bad_one_stops_nobody(tmp_path: Path) -> None:
    home = tmp_path / "airflow"
    env = {
        **os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"), "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    subprocess.run(["airflow", "db", "migrate"], env=env, check=True, capture_output=True, timeout=300)
    folder = tmp_path / "clips"
    made = [vsa_render.render_planned(p) for p in vsa_render.write_plan(2, folder, seed=9, fields=TINY)]
    bad = Path(shutil.copytree(made[1], folder / "bad"))
    (bad / "clip.mp4").write_bytes((bad / "clip.mp4").read_bytes()[:900])
    common = {"detector": "oracle", "presets": ["hikvision-default"]}
    confs = [
        {**common, "out": str(tmp_path / "drawn"), "scenes": 2, "scene": TINY, "seed": 9},
        {**common, "out": str(tmp_path / "given"), "clips": [made[0], str(bad)]},
    ]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT / "dags"), json.dumps(confs)],
        env=env, capture_output=True, text=True, timeout=1200, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told: dict[str, Any] = json.loads(
        next(x for x in done.stdout.splitlines() if x.startswith("RESULT ")).removeprefix("RESULT ")
    )

    state, tasks = told["runs"][0]
    assert "success" in state
    chain = [f"camera.{name}" for name in ("render", "detect", "track", "rules", "score")]
    assert {(t, i) for t, i, _ in tasks if t in chain} == {(t, i) for t in chain for i in (0, 1)}
    run = one_run(tmp_path / "drawn")
    cameras = pd.read_parquet(run / "tables" / "cameras.parquet")
    assert cameras["status"].tolist() == ["done", "done"]
    assert cameras["n_frames"].tolist() == [6, 6]
    assert runs.read_json(run / "scores.json")["results"]
    assert {"burden", "events", "mot", "detection", "tracks", "alerts"} <= {p.stem for p in (run / "tables").iterdir()}
    # what the DAG draws is what the command line draws
    first = next((tmp_path / "drawn").glob("*-clips")) / Path(made[0]).name / "clip.mp4"
    assert first.read_bytes() == (Path(made[0]) / "clip.mp4").read_bytes()

    state, tasks = told["runs"][1]
    assert "failed" in state, "somebody must look at the bad camera"
    by = {(t, i): s for t, i, s in tasks}
    assert by[("camera.detect", 1)] == "failed"
    assert by[("camera.score", 0)] == "success"
    run = one_run(tmp_path / "given")
    cameras = pd.read_parquet(run / "tables" / "cameras.parquet").set_index("clip_id")
    assert cameras["status"].to_dict() == {Path(made[0]).name: "done", "bad": "failed"}
    assert "Render it again" in cameras.loc["bad", "reason"]
    assert runs.read_json(run / "scores.json")["results"]
    events = [e for n, e in told["events"] if n == "contrechamp_vsa_run"]
    assert {k: v for k, v in events[0].items() if k != "run"} == {"done": 2}


def one_run(folder: Path) -> Path:
    (run,) = [p for p in folder.iterdir() if p.name.endswith("-vsa")]
    return run
