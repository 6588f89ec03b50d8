"""The audit as an Airflow DAG: the same steps as ``contrechamp audit``, in the same order, with the same digest.

The DAG declares order and assets; what is done is in :mod:`contrechamp.audit.steps`. Each asset event carries rows,
SHA-256 and run id, so that the lineage of a report can be read in Airflow alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pendulum
from airflow.sdk import Asset, Param, dag, get_current_context, task

from contrechamp.experiments import EXPERIMENTS

RAW = Asset(name="contrechamp_raw_streams", uri="contrechamp://raw")
LAKE = Asset(name="contrechamp_lake", uri="contrechamp://lake")
RESULTS = Asset(name="contrechamp_results", uri="contrechamp://results")
REPORT = Asset(name="contrechamp_report", uri="contrechamp://report")


def _tell(asset: Asset, **provenance: Any) -> None:
    """Attach provenance to the event of an outlet."""
    get_current_context()["outlet_events"][asset].extra = provenance


@dag(
    dag_id="audit_quick",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    catchup=False,
    max_active_runs=1,
    tags=["contrechamp", "audit"],
    params={
        "out": Param(os.environ.get("CONTRECHAMP_RUNS", "runs"), type="string", description="Folder of runs"),
        "profile": Param("quick", enum=["quick", "full"]),
        "seed": Param(None, type=["null", "integer"], minimum=0, description="Default: the seed of the frozen plan"),
        "overrides": Param({}, type="object", description="Scenario overrides, key → value"),
        "jobs": Param(1, type="integer", minimum=1),
    },
    doc_md=__doc__,
)
def audit_quick() -> None:
    """Draw the city, ingest, predict, experiment, judge, report, seal."""

    @task
    def begin() -> str:
        from contrechamp.audit import steps

        context = get_current_context()
        params, now = context["params"], context["dag_run"].run_after
        work = steps.begin(
            Path(params["out"]),
            run_id=f"{now.astimezone(pendulum.UTC):%Y%m%dT%H%M%SZ}-{params['profile']}-airflow",
            started_at=now.isoformat(timespec="seconds"),
            profile=params["profile"],
            seed=params["seed"],
            overrides={str(k): v if isinstance(v, str) else json.dumps(v) for k, v in params["overrides"].items()},
        )
        return str(work)

    @task(outlets=[RAW])
    def generate(work: str) -> str:
        from contrechamp.audit import steps

        summary = steps.generate(Path(work))
        _tell(RAW, run=Path(work).name, rows=summary["rows"], files=summary["files"])
        return work

    @task(outlets=[LAKE])
    def ingest(work: str) -> str:
        from contrechamp.audit import steps

        report = steps.ingest(Path(work))
        counts = {k: report[k] for k in ("rows_in", "committed", "quarantined", "duplicates")}
        _tell(LAKE, run=Path(work).name, **counts)
        return work

    @task
    def backtest(work: str) -> str:
        from contrechamp.audit import steps

        params = get_current_context()["params"]
        steps.backtest(Path(work), jobs=params["jobs"], tracking_uri=os.environ.get("MLFLOW_TRACKING_URI"))
        return work

    @task
    def experiment(key: str, work: str) -> str:
        from contrechamp.audit import steps

        steps.experiment(Path(work), key, jobs=get_current_context()["params"]["jobs"])
        return key

    @task(outlets=[RESULTS])
    def decide(work: str, done: list[str]) -> str:
        from contrechamp.audit import steps

        results = steps.decide(Path(work))
        _tell(
            RESULTS, run=Path(work).name, rows=len(results["results"]), sha256=results["digest"], experiments=list(done)
        )
        return work

    @task
    def report(work: str) -> str:
        from contrechamp.audit import steps

        steps.report(Path(work))
        return work

    @task(outlets=[REPORT])
    def seal(work: str) -> str:
        from contrechamp.audit import steps
        from contrechamp.audit.environment import describe_environment
        from contrechamp.audit.evidence import check

        run = steps.seal(Path(work), environment=describe_environment())
        found = check(run)
        _tell(REPORT, run=run.name, rows=found.files, sha256=steps.load_results(run)["digest"], key=found.fingerprint)
        return str(run)

    tested = backtest(ingest(generate(begin())))
    measured = experiment.partial(work=tested).expand(key=list(EXPERIMENTS))
    seal(report(decide(tested, measured)))


audit_quick()
