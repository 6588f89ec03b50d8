"""The registry of models: the rule on records, truth said beside it, and the champion read back as it was."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contrechamp.domain.errors import CapabilityError, ContractError, IntegrityError, ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome, Result
from contrechamp.pipelines.backtest import backtest
from contrechamp.pipelines.registry import (
    MODEL_NAME,
    RULE,
    choose_champion,
    load,
    load_version,
    publish,
    publish_lake,
    save,
)
from contrechamp.pipelines.tracking import sqlite_uri
from models import load_predictor

GRID = Grid(0.0, 0.0, 250.0, np.ones((8, 10), dtype=bool))
#: Nobody listens there: an address that cannot be reached, without leaving the machine.
NOWHERE = "sqlite:////proc/no/such/folder/mlflow.db"


def _gain(key: str, on: str, low: float | None, value: float | None, high: float | None, **more: Any) -> Result:
    interval = Interval(value, low, high, 56, "m")
    return Result("platform", "log_gain", {"predictor": key, "scored_on": on, **more}, interval, "backtest_scores")


RESULTS = [
    _gain("retro-quartic", "records", 0.01, 0.02, 0.03), _gain("retro-quartic", "truth", 0.10, 0.20, 0.30),
    _gain("etas-per-cell", "records", 0.03, 0.04, 0.05), _gain("etas-per-cell", "truth", -0.30, -0.20, -0.10),
    _gain("uniform", "records", -0.10, 0.90, 1.90), _gain("uniform", "truth", -0.10, 0.0, 0.10),
    _gain("sepp", "records", None, None, None),
    _gain("prospective", "records", 5.0, 6.0, 7.0, against="uniform"),  # another comparison: not the rule's
]  # fmt: skip


def test_the_rule_looks_at_records_and_says_what_truth_says() -> None:
    champion = choose_champion(RESULTS)
    assert champion.key == "etas-per-cell"  # neither the widest interval nor the best on truth
    assert champion.best_on_truth == "retro-quartic"
    assert "+0,0400 nat [+0,0300 ; +0,0500], 56 jours ; par incident réel -0,2000" in champion.said.fr
    assert "On truth, the same rule would have chosen retro-quartic" in champion.said.en
    assert "enregistrements" in RULE.fr
    assert "records" in RULE.en


def test_the_rule_where_nobody_gains_where_truth_is_not_known_and_among_those_entered() -> None:
    nobody = choose_champion([r for r in RESULTS if r.world["predictor"] == "uniform"])
    assert (nobody.key, nobody.on_records, nobody.best_on_truth) == ("trailing-mean", None, "trailing-mean")
    assert "remains champion. The same rule would have chosen it on truth" in nobody.said.en
    blind = choose_champion([r for r in RESULTS if r.world["scored_on"] == "records"])
    assert (blind.key, blind.best_on_truth) == ("etas-per-cell", "")
    assert "Truth is not known here" in blind.said.en
    assert "real incident not measured" not in blind.said.en
    assert choose_champion(RESULTS, among=["uniform", "retro-quartic"]).key == "retro-quartic"
    tie = [_gain(key, "records", 0.01, 0.02, 0.03) for key in ("b", "a")]
    assert choose_champion(tie).key == "a"
    assert choose_champion([]).key == "trailing-mean"


def test_a_folder_keeps_a_predictor(tmp_path: Path) -> None:
    counts = np.random.default_rng(0).poisson(0.5, (60, GRID.n_cells))
    fitted = load_predictor("etas-per-cell").fit(counts, grid=GRID)
    save(fitted, tmp_path / "m")
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["arrays.npz", "params.json"]
    assert (load(tmp_path / "m").predict() == fitted.predict()).all()
    (tmp_path / "m" / "arrays.npz").write_bytes(b"PK")
    with pytest.raises(IntegrityError):
        load(tmp_path / "m")
    (tmp_path / "m" / "arrays.npz").unlink()
    (tmp_path / "m" / "arrays.npz").symlink_to(tmp_path / "m" / "params.json")
    with pytest.raises(ContractError, match="no plain file"):
        load(tmp_path / "m")


def test_published_aliased_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: asked.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: asked.append(a))
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.3, 1.0, GRID.n_cells)
    truth = rng.poisson(np.where(np.arange(120)[:, None] < 70, rate, rate[::-1]))
    records = rng.binomial(truth, 0.5)
    uri = sqlite_uri(tmp_path)
    keys = ("uniform", "trailing-mean", "retro-quartic")
    short: dict[str, dict[str, Any]] = {"retro-quartic": {"bandwidth_m": 50.0, "window_days": 30}}
    outcome = backtest(records, truth, grid=GRID, predictors=keys, params=short, first_day=100, seed=3)
    fitted = {key: load_predictor(key, **short.get(key, {})).fit(records, grid=GRID) for key in keys}
    published = publish(outcome, fitted, run_name="r1", params={"seed": 3}, tracking_uri=uri)
    assert published.champion.key == "retro-quartic"  # places changed 50 days before the end
    assert published.versions == {"retro-quartic": 1, "trailing-mean": 2, "uniform": 3}
    again = load_version(uri)
    assert type(again) is type(fitted["retro-quartic"])
    assert (again.predict() == fitted["retro-quartic"].predict()).all()
    assert (load_version(uri, version=3).predict() == fitted["uniform"].predict()).all()

    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    version = client.get_model_version_by_alias(MODEL_NAME, "champion")
    gain = next(
        r for r in outcome.results
        if r.measure == "log_gain" and r.world == {"predictor": "retro-quartic", "scored_on": "truth"}
    )  # fmt: skip
    assert version.tags["truth"].startswith(f"{gain.interval.estimate:+.4f} nat [")
    assert version.tags["truth"].endswith("20 days")
    assert version.tags["predictor"] == "retro-quartic"
    assert version.tags["rule_fr"] == RULE.fr
    assert "par incident réel" in version.description

    # a second backtest in which nobody gains: the alias moves to the baseline
    flat = Outcome(
        [
            *(r for r in outcome.results if r.measure != "log_gain"),
            *(_gain(key, on, -0.1, 0.0, 0.1) for key in ("uniform", "retro-quartic") for on in ("records", "truth")),
        ],
        {},
    )
    later = publish(flat, fitted, run_name="r2", params={"seed": 4}, tracking_uri=uri)
    assert later.versions == {"retro-quartic": 4, "trailing-mean": 5, "uniform": 6}
    assert load_version(uri).get_params() == {"window_days": 364}

    # files changed behind the registry's back, consistently or not
    (other,) = tmp_path.glob(f"mlflow-artifacts/{client.get_model_version(MODEL_NAME, '4').run_id}/*/model")
    save(load_predictor("retro-quartic", bandwidth_m=999.0).fit(records, grid=GRID), other)
    with pytest.raises(IntegrityError, match="Version 4 of contrechamp-hotspot was registered with other files"):
        load_version(uri, version=4)
    (other / "arrays.npz").write_bytes(b"")
    with pytest.raises(IntegrityError):
        load_version(uri, version=4)
    with pytest.raises(ContractError, match="with version 99"):
        load_version(uri, version=99)
    assert asked == []  # nothing left the process
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mlflow-artifacts", "mlflow.db"]


def test_what_cannot_be_published() -> None:
    outcome = Outcome(RESULTS, {})
    some = {"uniform": load_predictor("uniform").fit(np.ones((3, GRID.n_cells)), grid=GRID)}
    with pytest.raises(ParameterError, match="trailing-mean among them"):
        publish(outcome, some, run_name="r", params={}, tracking_uri=NOWHERE)
    with pytest.raises(ParameterError, match="not scored by this backtest: trailing-mean"):
        publish(outcome, some | {"trailing-mean": some["uniform"]}, run_name="r", params={}, tracking_uri=NOWHERE)
    with pytest.raises(ParameterError, match="a database or a server"):
        load_version("mlruns")
    with pytest.raises(ParameterError, match="of publish_lake must be a database or a server"):
        publish_lake("nowhere", predictors=["sepp"], tracking_uri="mlruns", seed=1)
    with pytest.raises(ContractError, match="There is no lake at nowhere"):
        publish_lake("nowhere", predictors=["sepp"], tracking_uri=NOWHERE, seed=1)
    with pytest.raises(CapabilityError, match="could not be used"):
        load_version(NOWHERE)


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    from time import monotonic

    before = monotonic()
    with pytest.raises(CapabilityError, match=r"127\.0\.0\.1:1 could not be used"):
        load_version("http://127.0.0.1:1")
    assert monotonic() - before < 20
