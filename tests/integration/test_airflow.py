"""The DAG, run for real: same steps, same digest as the command line; provenance in the asset events."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contrechamp.experiments import EXPERIMENTS
from contrechamp.store import runs

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def airflow_env(tmp_path_factory: pytest.TempPathFactory, audit: Any) -> dict[str, str]:
    home = tmp_path_factory.mktemp("airflow")
    env = {
        **os.environ,
        **audit.env,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CONTRECHAMP_RUNS": str(home / "runs"),
    }
    return env


SCRIPT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.session import create_session
bag = DagBag(dag_folder=sys.argv[1])
assert not bag.import_errors, bag.import_errors
dag = bag.get_dag("audit_quick")
done = dag.test(run_conf=json.loads(sys.argv[2]))
from airflow.models.asset import AssetEvent, AssetModel
with create_session() as session:
    rows = session.query(AssetModel.name, AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id).all()
print("RESULT " + json.dumps({"state": str(done.state), "events": {name: extra for name, extra in rows}}))
"""


def test_dag_test_gives_the_digest_of_the_command_line(airflow_env: dict[str, str], audit: Any, tmp_path: Path) -> None:
    subprocess.run(["airflow", "db", "migrate"], env=airflow_env, check=True, capture_output=True, timeout=300)
    out = tmp_path / "runs"
    conf = {"out": str(out), "seed": audit.seed, "overrides": audit.overrides}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT / "dags"), json.dumps(conf)],
        env=airflow_env, capture_output=True, text=True, timeout=1200, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    told = json.loads(line.removeprefix("RESULT "))
    assert "success" in told["state"]
    (run,) = runs.list_runs(out)
    assert runs.read_json(run / "results.json")["digest"] == audit.summary["digest"]
    events = told["events"]
    assert set(events) == {"contrechamp_raw_streams", "contrechamp_lake", "contrechamp_results", "contrechamp_report"}
    assert events["contrechamp_results"]["sha256"] == audit.summary["digest"]
    assert events["contrechamp_results"]["rows"] == len(runs.read_json(run / "results.json")["results"])
    assert sorted(events["contrechamp_results"]["experiments"]) == sorted(EXPERIMENTS)
    lake = events["contrechamp_lake"]
    assert lake["rows_in"] == lake["committed"] + lake["quarantined"] + lake["duplicates"] > 0
    assert all(len(sha) == 64 for sha in events["contrechamp_raw_streams"]["files"].values())
    assert {e["run"].removesuffix(".partial") for e in events.values()} == {run.name}


def test_the_scheduler_free_command_line_runs_it(airflow_env: dict[str, str], audit: Any, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    conf = {"out": str(out), "seed": audit.seed, "overrides": audit.overrides}
    done = subprocess.run(
        ["sh", str(ROOT / "dags" / "run_without_scheduler.sh"), "--conf", json.dumps(conf)],
        env=airflow_env, capture_output=True, text=True, timeout=1200, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (run,) = runs.list_runs(out)
    assert runs.read_json(run / "results.json")["digest"] == audit.summary["digest"]
