"""Backtests in MLflow: one parent, one nested run per predictor, in SQLite and nowhere else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from contrechamp.domain.errors import CapabilityError, ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome, Result
from contrechamp.pipelines.tracking import log_backtest, runs_by_predictor, sqlite_uri


def _result(measure: str, interval: Interval, **world: str | float) -> Result:
    return Result("platform", measure, world, interval, "backtest_daily")


OUTCOME = Outcome(
    [
        _result("pai", Interval(8.5, 8.0, 9.0, 56, "m"), predictor="retro-quartic", area=0.01, scored_on="truth"),
        _result("pei", Interval.not_estimable(n=56), predictor="retro-quartic", area=0.01, scored_on="truth"),
        _result("pai", Interval(1.0, 0.9, 1.1, 56, "m"), predictor="uniform", area=0.01, scored_on="truth"),
    ],
    {
        "backtest_daily": pd.DataFrame({"predictor": ["uniform", "retro-quartic", "uniform"], "hits": [1, 2, 3]}),
        "map_daily": pd.DataFrame({"day": [0], "uniform": [0.1]}),
    },
)


def test_runs_metrics_and_artefacts(tmp_path: Path) -> None:
    uri = sqlite_uri(tmp_path)
    params: Mapping[str, Mapping[str, float]] = {"retro-quartic": {"bandwidth_m": 300.0}}
    run_id = log_backtest(
        OUTCOME, run_name="r1", params={"seed": 7}, predictor_params=params, tracking_uri=uri,
        models={"uniform": {"params.json": b"{}", "arrays.npz": b"PK"}},
    )  # fmt: skip
    again = log_backtest(OUTCOME, run_name="r2", params={"seed": 8}, tracking_uri=uri)

    import mlflow
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("contrechamp-backtest")
    runs = client.search_runs([experiment.experiment_id])
    children = {r.info.run_name: r for r in runs if r.data.tags.get("mlflow.parentRunId") == run_id}
    assert len(runs) == 6
    assert run_id != again
    assert set(children) == {"retro-quartic", "uniform"}
    kernel = children["retro-quartic"]
    assert kernel.data.params == {"bandwidth_m": "300.0"}
    name = "pai.area_0.01.scored_on_truth"
    assert kernel.data.metrics == {name: 8.5, f"{name}.low": 8.0, f"{name}.high": 9.0, f"{name}.n": 56.0}
    assert kernel.data.tags["not_estimable"] == "pei.area_0.01.scored_on_truth"
    assert client.get_run(run_id).data.params == {"seed": "7"}
    assert all(r.info.status == "FINISHED" for r in runs)
    stored = [json.loads(p.read_text()) for p in (tmp_path / "mlflow-artifacts").rglob("results.json")]
    assert sorted(len(s) for s in stored) == [1, 1, 2, 2, 3, 3]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mlflow-artifacts", "mlflow.db"]
    assert mlflow.active_run() is None
    (flat,) = (tmp_path / "mlflow-artifacts").glob(f"{children['uniform'].info.run_id}/*")
    assert sorted(p.relative_to(flat).as_posix() for p in flat.rglob("*") if p.is_file()) == [
        "model/arrays.npz", "model/params.json", "results.json", "tables/backtest_daily.parquet",
    ]  # fmt: skip
    assert pd.read_parquet(flat / "tables" / "backtest_daily.parquet")["hits"].tolist() == [1, 3]
    assert runs_by_predictor(client, run_id) == {name: run.info.run_id for name, run in children.items()}

    # held by another process: said in one paragraph
    holder = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(CapabilityError, match="is locked by another process"):
            log_backtest(OUTCOME, run_name="r3", params={}, tracking_uri=f"{uri}?timeout=0.2")
    finally:
        holder.close()


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/mlruns", "/tmp/mlruns"])
def test_file_store_is_refused(uri: str) -> None:
    with pytest.raises(ParameterError, match="must be a database or a server"):
        log_backtest(OUTCOME, run_name="r", params={}, tracking_uri=uri)
