"""Steps of the audit that need no city: what is stored, what stops, what does not."""

from pathlib import Path

import pandas as pd
import pytest

from contrechamp.audit import steps
from contrechamp.domain.errors import ContractError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.provenance import table_digest
from contrechamp.domain.results import Outcome, Result
from contrechamp.pipelines import backtest
from contrechamp.store import runs

TABLE = pd.DataFrame({"day": [0, 1], "hits": [3, 4]})


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = runs.begin(tmp_path, run_id="r")
    runs.write_json(folder / "request.json", {"platform": True, "profile": "quick", "seed": 1})
    return folder


def outcome(measure: str) -> Outcome:
    world = {"predictor": "uniform", "area": 0.01, "scored_on": "truth"}
    return Outcome([Result("platform", measure, world, Interval(0.1, 0.05, 0.2, 56, "x"), "t")], {"t": TABLE})


def test_an_unreachable_notebook_does_not_lose_the_backtest(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "run_backtest", lambda *a, **k: outcome("hit_rate"))
    (tmp_path / "file").write_text("not a folder")
    done = steps.backtest(work, tracking_uri=f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")
    assert "MLflow store" in done["tracking"]
    part = runs.read_json(work / "parts" / "platform.json")
    assert part["results"][0]["value"] == 0.1
    assert part["tables"]["t"] == {"rows": 2, "columns": ["day", "hits"], "sha256": table_digest(TABLE)}


def test_an_undeclared_measure_is_refused(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "run_backtest", lambda *a, **k: outcome("imagined"))
    with pytest.raises(ContractError, match="imagined"):
        steps.backtest(work)


def test_a_step_outside_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="not a run being built"):
        steps.generate(tmp_path)
