"""The ingest DAGs, run for real: a poisoned file and a lost stream stop nobody, a passing failure is tried again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contrechamp.domain.streams import FAMILIES, LAYOUTS
from contrechamp.pipelines.ingest import ingest
from contrechamp.pipelines.landing import waiting
from contrechamp.store import lake as store

ROOT = Path(__file__).resolve().parents[2]
KEY = "a test key of thirty-two bytes !"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def airflow_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("airflow-ingest")
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CONTRECHAMP_PSEUDONYM_KEY": KEY,
    }
    subprocess.run(["airflow", "db", "migrate"], env=env, check=True, capture_output=True, timeout=300)
    return env


#: The storage fails once for the stream named by FAIL_ONCE, as when a network blinks. Waits are cut.
SCRIPT = """
import json, os, sys
from datetime import timedelta
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.session import create_session
from contrechamp.domain.errors import CapabilityError
from contrechamp.pipelines import landing

real, log = landing.ingest_stream, Path(sys.argv[3])
def blinking(where, stream, **k):
    tries = log.read_text().split() if log.exists() else []
    log.write_text(" ".join([*tries, stream]))
    if stream == os.environ.get("FAIL_ONCE") and stream not in tries:
        raise CapabilityError("the storage does not answer")
    return real(where, stream, **k)
landing.ingest_stream = blinking

bag = DagBag(dag_folder=sys.argv[1])
assert not bag.import_errors, bag.import_errors
told = {}
for dag_id in json.loads(sys.argv[4]):
    dag = bag.get_dag(dag_id)
    policy = dag.get_task("ingest")
    told[dag_id] = [policy.retries, policy.retry_delay.total_seconds(), policy.retry_exponential_backoff > 0,
                    dag.max_active_runs, str(dag.schedule), dag.catchup]
    for task in dag.tasks:
        if task.task_id == "ingest":
            task.partial_kwargs["retry_delay"] = timedelta(milliseconds=100)
    run = dag.test(run_conf=json.loads(sys.argv[2]))
    told[dag_id].append(str(run.state))
    told[dag_id].append(sorted([t.task_id, t.map_index, str(t.state), t.try_number] for t in run.get_task_instances()))
from airflow.models.asset import AssetEvent, AssetModel
with create_session() as session:
    rows = session.query(AssetModel.name, AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id).all()
print("RESULT " + json.dumps({"dags": told, "events": [[n, e] for n, e in rows], "all": sorted(bag.dag_ids)}))
"""


def run_dags(env: dict[str, str], conf: dict[str, str], log: Path, *dags: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT / "dags"), json.dumps(conf), str(log), json.dumps(dags)],
        env=env, capture_output=True, text=True, timeout=600, check=False, cwd=log.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    assert KEY not in done.stdout + done.stderr
    told: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return told


def fine(i: int) -> str:
    return f"V{i};2018-01-01T00:00:00Z;5.37;43.3;c;agent;car;AA-00{i}-AA\n"


FINES = "id;t;lon;lat;code;mode;vehicle_class;plate\n"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Of the police: fines with a poisoned file beside them, flights, and a removals stream that is all poison."""
    landing = tmp_path / "landing"
    for stream in ("verbalisations", "drones", "enlevements"):
        (landing / stream).mkdir(parents=True)
    (landing / "verbalisations" / "a.csv").write_text(FINES + fine(1) + fine(2))
    (landing / "verbalisations" / "b.csv").write_bytes(os.urandom(4096))
    (landing / "enlevements" / "a.csv").write_bytes(b"\x1f\x8b poison")
    (landing / "drones" / "a.csv").write_text("flight;t;zone;minutes;cause\nF1;2018-01-01T00:00:00Z;Z;12;alerte\n")
    return landing


def test_waiting_names_the_streams_of_the_family_that_have_files(landing: Path) -> None:
    assert waiting(landing, "police") == ["verbalisations", "enlevements", "drones"]
    (landing / "drones" / "a.csv").rename(landing / "drones" / ".a.csv.partial")
    assert waiting(landing, "police") == ["verbalisations", "enlevements"]
    assert all(waiting(landing, family) == [] for family in FAMILIES if family != "police")


def test_poison_and_a_lost_stream_stop_nobody_and_a_passing_failure_is_tried_again(
    airflow_env: dict[str, str], landing: Path, tmp_path: Path
) -> None:
    lake, log = tmp_path / "lake", tmp_path / "tries"
    conf = {"landing": str(landing), "lake": str(lake)}
    told = run_dags({**airflow_env, "FAIL_ONCE": "drones"}, conf, log, "ingest_police")
    assert {f"ingest_{family}" for family in FAMILIES} < set(told["all"])
    retries, delay_s, growing, at_once, schedule, catchup, state, tasks = told["dags"]["ingest_police"]
    assert (retries, delay_s, growing, at_once, schedule, catchup) == (3, 30, True, 1, "*/10 * * * *", False)
    assert "failed" in state, "somebody must look at the removals"
    by_index = {index: (how, tries) for name, index, how, tries in tasks if name == "ingest"}
    assert [how for how, _ in (by_index[i] for i in range(3))] == ["success", "failed", "success"]
    tries = log.read_text().split()
    assert sorted(tries) == ["drones", "drones", "enlevements", "verbalisations"], (
        "data that refuse are not tried again"
    )
    assert len(store.read_stream(lake, "verbalisations")) == 2
    assert len(store.read_stream(lake, "drones")) == 1
    assert sorted(store.read_quarantine(lake)["stream"]) == ["enlevements", "verbalisations"]

    events = dict(told["events"])
    assert set(events) == {"contrechamp_lake_verbalisations", "contrechamp_lake_drones"}
    fines = events["contrechamp_lake_verbalisations"]
    assert (fines["rows_in"], fines["committed"], fines["quarantined"], fines["duplicates"]) == (3, 2, 1, 0)
    assert fines["version"] == store.table_version(lake, "verbalisations")
    assert all(len(sha) == 64 for sha in fines["files"].values())

    (landing / "verbalisations" / "c.csv").write_text(FINES + fine(2) + fine(3))
    (landing / "enlevements" / "a.csv").unlink()
    again = run_dags(airflow_env, conf, tmp_path / "second", "ingest_police", "ingest_city")
    assert "success" in again["dags"]["ingest_police"][6]
    assert "success" in again["dags"]["ingest_city"][6], "nothing waits for the city: nothing to do"
    assert len(again["events"]) == 3, "no event for a stream in which nothing changed"
    assert store.read_stream(lake, "verbalisations")["record_id"].tolist() == ["V1", "V2", "V3"]

    by_hand = tmp_path / "by-hand"
    for stream in ("verbalisations", "drones"):
        ingest(landing / stream, lake=by_hand, key=KEY.encode())
        assert store.read_stream(by_hand, stream).equals(store.read_stream(lake, stream))


def test_every_stream_has_its_family_and_its_asset() -> None:
    assert {layout.family for layout in LAYOUTS.values()} == set(FAMILIES)
