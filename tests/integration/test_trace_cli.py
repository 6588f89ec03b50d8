"""From a number of a sealed report to the same number computed anew by the very command that the trace prints."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ASKED = ("--claim", "C13", "--claim", "M05")


@pytest.fixture(scope="module")
def audited(cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes sealed audits of two claims, one exact (E24) and one drawn (E28)."""
    folder = tmp_path_factory.mktemp("trace")
    env = {"XDG_CONFIG_HOME": str(folder / "config")}

    def make(*options: str) -> Path:
        done = cli("audit", *ASKED, *options, "--allow-deviation", "--no-tracking", "--out", folder / "runs",
                   "--jobs", "1", "--json", env=env)  # fmt: skip
        assert done.code == 0, done.err[-3000:]
        return Path(json.loads(done.out)["run"])

    return make


@pytest.fixture(scope="module")
def run(audited: Callable[..., Path]) -> Path:
    return audited()


@pytest.mark.slow
def test_the_command_that_is_printed_gives_the_number_to_the_digit(run: Path, cli: Callable[..., Any]) -> None:
    body = json.loads((run / "results.json").read_text(encoding="utf-8"))
    picked = [next(r for r in body["results"] if r["measure"] == m) for m in ("relative_gap", "p_any_finding")]
    for raw in picked:
        done = cli("trace", raw["id"], "--run", run, "--json")
        assert done.code == 0, done.err
        told = json.loads(done.out)
        assert told["run"]["sealed"]
        assert told["source"]["sha256"] == raw["data_sha256"]
        assert told["printed"]["fr"]
        assert [p["anchor"] for p in told["printed"]["fr"]] == [p["anchor"] for p in told["printed"]["en"]]
        program, *arguments = shlex.split(told["recompute"]["command"])
        assert program == "contrechamp"
        again = json.loads(cli(*arguments, "--jobs", "1").out)
        (same,) = [r for r in again if (r["measure"], r["world"]) == (raw["measure"], raw["world"])]
        for field in ("value", "low", "high", "n", "level", "method"):
            assert same[field] == raw[field], field
    done = cli("trace", picked[1]["id"], "--run", run, "--recompute")
    assert done.code == 0, done.err
    assert "Recalculé à l’instant : le même nombre." in done.out


@pytest.mark.slow
def test_refusals_have_their_codes(run: Path, cli: Callable[..., Any], tmp_path: Path) -> None:
    forged = tmp_path / "runs" / run.name
    shutil.copytree(run, forged)
    path = forged / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"value": 0.25', '"value": 0.26', 1), encoding="utf-8")
    for arguments, code, words in (
        (("trace", "R-99999", "--run", run), 10, "no result R-99999"),
        (("trace", "142", "--run", run), 2, "R-0142"),
        (("trace", "R-0001", "--run", forged), 12, "results.json"),
        (("trace", "R-0001", "--run", tmp_path / "runs"), 11, "missing"),
        (("report", "diff", run, forged), 12, "results.json"),
        (("report", "diff", run), 2, "Missing argument"),
    ):
        done = cli(*arguments)
        assert done.code == code, (arguments, done.err)
        assert words in done.err
        assert "Traceback" not in done.err
        assert done.out == ""


@pytest.mark.slow
def test_two_audits_that_differ_by_their_seed(run: Path, audited: Callable[..., Path], cli: Callable[..., Any]) -> None:
    same = cli("report", "diff", run, run, "--exit-code")
    assert same.code == 0
    assert "Rien n’a bougé" in same.out
    other = audited("--seed", "8")
    done = cli("report", "diff", run, other, "--json", "--exit-code")
    assert done.code == 20, done.err
    found = json.loads(done.out)
    assert [d["path"] for d in found["differences"]] == ["/seed"]
    assert {tuple(m["causes"]) for m in found["moved"]} == {("seed",)}
    assert {m["experiment"] for m in found["moved"]} == {"E28"}
    assert found["counts"]["compared"] > 100
