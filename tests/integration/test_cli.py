"""The command line: machine-readable everywhere, one paragraph for a mistake, a documented exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from contrechamp.experiments import EXPERIMENTS

pytestmark = pytest.mark.slow


def test_claims_list_is_machine_readable(cli: Any, tmp_path: Path) -> None:
    rows = json.loads(cli("claims", "list", "--json", "--runs", tmp_path).out)
    assert len(rows) == 123
    assert {"id", "side", "system", "testability", "experiments", "verdict"} <= rows[0].keys()
    assert {r["verdict"] for r in rows} == {None}
    critics = json.loads(cli("claims", "list", "--json", "--side", "critic", "--runs", tmp_path).out)
    assert 0 < len(critics) < len(rows)
    assert {r["side"] for r in critics} == {"critic"}


def test_claims_list_reads_the_verdicts_of_the_last_run(cli: Any, audit: Any) -> None:
    rows = json.loads(cli("claims", "list", "--json", "--runs", audit.run.parent).out)
    assert {r["id"]: r["verdict"] for r in rows}["C12"] == "refuted"
    shown = cli("claims", "show", "C12", "--runs", audit.run.parent)
    assert "refuted" in shown.out
    assert "2 %" in shown.out


def test_experiment_list_says_which_ones_run(cli: Any) -> None:
    rows = json.loads(cli("experiment", "list", "--json").out)
    assert [r["id"] for r in rows] == [f"E{i:02d}" for i in range(1, 29)]
    assert {r["id"] for r in rows if r["implemented"]} == set(EXPERIMENTS)
    assert all({"id", "title", "claims", "implemented"} <= r.keys() for r in rows)


def test_experiment_run_takes_overrides(cli: Any) -> None:
    done = cli("experiment", "run", "E28", "--reps", "200", "--set", "looks=1,13", "--seed", "3", "--json")
    rows = json.loads(done.out)
    looks = {r["world"]["K"] for r in rows if r["measure"] == "p_any_theory"}
    assert looks == {1, 13}


def test_versions_are_machine_readable(cli: Any) -> None:
    found = json.loads(cli("show-versions", "--json").out)
    assert found["contrechamp"] == "0.1.0"
    assert found["packages"]["apache-airflow"].startswith("3.")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["audit", "--claim", "Z99"], 10, "no claim Z99"),
        (["audit", "--set", "nonsense=1"], 10, "nonsense"),
        (["audit", "--set", "broken"], 10, "name=value"),
        (["audit", "--scenario", "absent.toml"], 10, "absent.toml"),
        (["claims", "show", "Z99"], 10, "no claim Z99"),
        (["experiment", "run", "E06"], 10, "not built"),
        (["experiment", "run", "E02", "--set", "rhos=a,b"], 10, "rhos"),
        (["experiment", "run", "E02", "--set", "rho=1"], 10, "no parameter"),
        (["verify", "."], 11, "not a sealed run"),
        (["ingest", ".", "--lake", "lake"], 10, "CONTRECHAMP_PSEUDONYM_KEY"),
        (["audit", "--no-such-option"], 2, "No such option"),
        (["nothing"], 2, "No such command"),
    ],
)
def test_a_mistake_gets_one_paragraph_and_a_code(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONTRECHAMP_PSEUDONYM_KEY", raising=False)
    done = cli(*arguments)
    assert done.code == code, done.err
    assert words in done.err
    assert "Traceback" not in done.err
    if code != 2:
        assert len(done.err.strip().splitlines()) == 1, "one paragraph"
    assert not list(tmp_path.glob("runs/*")), "a refused command leaves nothing behind"
