"""``contrechamp feedback``: what it prints, its exit codes, and that a mistake is one paragraph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from contrechamp.cli.app import app
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError

LESS = ("--set", "rows=8", "--set", "columns=8", "--set", "history_days=14", "--days", "30", "--seed", "2")


def _run(*words: object) -> Any:
    return CliRunner().invoke(app, ["feedback", *map(str, words)])


def test_run_writes_and_replays_and_names_a_changed_day(tmp_path: Path) -> None:
    out = tmp_path / "loop"
    done = _run("run", "--predictor", "trailing-mean", "--rule", "top", "--out", out, "--json", *LESS)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["plan"]["rule"] == "top" and said["seed"] == 2
    again = _run("run", "--replay", out, "--json")
    assert json.loads(again.stdout) == {"replayed": True, "days": 44, "fingerprint": said["fingerprint"]}
    assert said["fingerprint"] in _run("run", "--replay", out).stdout
    table = pd.read_parquet(out / "tables/history.parquet")
    table.loc[44 * 64 // 2, "happened"] += 1
    table.to_parquet(out / "tables/history.parquet", index=False)
    broken = _run("run", "--replay", out)
    assert isinstance(broken.exception, IntegrityError) and broken.exception.exit_code == 12
    assert "from day 22 on" in str(broken.exception)


def test_run_prints_a_table_with_intervals_and_n() -> None:
    done = _run("run", "--predictor", "uniform", *LESS)
    assert done.exit_code == 0
    assert "Part des incidents qui entrent au fichier" in done.stdout
    assert "Empreinte (fingerprint)" in done.stderr


def test_sweep_prints_the_map_and_where_it_flips(tmp_path: Path) -> None:
    words = ("--predictor", "trailing-mean", "--rule", "top", "--rho", "0", "--cities", "3", "--jobs", "1", *LESS)
    done = _run("sweep", *words, "--out", tmp_path / "map")
    assert done.exit_code == 0, done.output
    assert "le fichier flatte la carte" in done.stdout and "flatters up to" in done.stdout
    assert {p.name for p in (tmp_path / "map/figures").iterdir()} >= {"sweep_fr.svg", "sweep_en.png"}
    rows = json.loads(_run("sweep", *words, "--json").stdout)
    assert [r["rho"] for r in rows["rows"]] == [0.0, 1.0] and rows["flips"][0]["rule"] == "top"


def test_remedies_print_their_cost() -> None:
    done = _run("sweep", "--remedies", "--cities", "2", "--jobs", "1", "--predictor", "trailing-mean", "--rho", "0.1",
                *LESS)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert {"none", "weighted", "thinned", "quota-50", "cap-2x"} <= {x.split(" ")[0] for x in done.stdout.splitlines()}


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (("run", "--rho", "2"), ParameterError, "`rho`"),
        (("run", "--predictor", "oracle"), ParameterError, "oracle"),
        (("run", "--set", "speed=3"), ParameterError, "no parameter"),
        (("run", "--replay", "absent"), ContractError, "run.json is missing"),
        (("run", "--replay", "absent", "--seed", "1"), ParameterError, "Leave out"),
        (("sweep", "--cities", "1", *LESS), ParameterError, "`cities`"),
        (("sweep", "--remedies", "--rho", "0", "--rho", "1"), ParameterError, "given once"),
        (("sweep", "--out", "."), ParameterError, "exists"),
    ],
)
def test_a_mistake_is_one_paragraph(words: tuple[str, ...], error: type[Exception], said: str) -> None:
    done = _run(*words)
    assert isinstance(done.exception, error), done.output
    assert said in str(done.exception) and "\n" not in str(done.exception)
