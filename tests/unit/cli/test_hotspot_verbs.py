"""``contrechamp hotspot``: no score without its interval and n, French first, one paragraph for a mistake."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from contrechamp.cli import main
from contrechamp.cli.app import app
from contrechamp.store.lake import SCHEMAS, merge
from models import PREDICTORS


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng, n = tmp_path_factory.mktemp("verbs") / "lake", np.random.default_rng(0), 1500
    t = pd.Timestamp("2017-03-01", tz="UTC") + pd.to_timedelta(rng.uniform(0, 50 * 86400, n), unit="s").floor("s")
    frame = pd.DataFrame({"t_event": t.astype("datetime64[us, UTC]")})
    frame["t_entry"] = frame["t_event"]
    frame["x_m"], frame["y_m"] = 890_000 + rng.beta(2, 5, n) * 3000, 6_240_000 + rng.beta(2, 5, n) * 3000
    for field in SCHEMAS["mains_courantes"]:
        if field.name not in frame:
            frame[field.name] = 1 if str(field.type).startswith("int") else "x"
    frame["record_id"] = frame["row_sha256"] = [f"R{i:05d}" for i in range(n)]
    merge(folder, "mains_courantes", frame)
    return folder


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["hotspot", *map(str, words)])


def test_backtest_prints_every_pai_with_its_interval_and_n(lake: Path, tmp_path: Path) -> None:
    words = ("--predictor", "uniform", "--predictor", "trailing-mean", "--days", 14, "--jobs", 1)
    done = run("backtest", lake, *words, "--against", "uniform", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    pai, gain, whole, against = done.stdout.split("\n\n")
    assert pai.splitlines()[2].split() == ["prédicteur", "aire", "sur", "n", "PAI", "PEI", "PEI*"]
    rows = [line for line in pai.splitlines() if re.match(r"(uniform|trailing-mean) +\d", line)]
    assert len(rows) == 4
    for row in rows:  # n, then PAI, PEI and PEI*, each with its interval
        assert re.search(r" % +enregistré +14 ( *[\d.]+ \[[\d.]+, [\d.]+\]){3}$", row), row
    assert re.search(r"n +/ trailing-mean +/ uniform$", gain.splitlines()[1])
    assert len(re.findall(r"\[[-+\d.]+, [-+\d.]+\]|non estimable \(n=14\)", gain)) == 4  # each against the other
    assert len(re.findall(r"enregistré +14 +0\.\d{3} \[", whole)) == 2
    assert "nats" in against
    assert max(map(len, done.stdout.splitlines())) <= 110
    assert "Aucune vérité ici" in done.stderr
    assert "NIJ" in done.stderr
    assert "1500 enregistrements sur 1500 lus" in done.stderr
    assert (tmp_path / "tables" / "backtest_daily.parquet").is_file()


def test_backtest_as_data(lake: Path) -> None:
    done = run("backtest", lake, "--predictor", "uniform", "--days", 14, "--area", 0.1, "--refit", 7, "--json")
    body = json.loads(done.stdout)
    assert body["truth"] is False
    assert body["records"]["used"] == 1500
    assert body["n_cells"] > 50
    pai = [r for r in body["results"] if r["measure"] == "pai"]
    assert [r["world"] for r in pai] == [{"area": 0.1, "predictor": "uniform", "scored_on": "records"}]
    assert pai[0]["n"] == 14
    assert pai[0]["low"] < 1 < pai[0]["high"]


def test_predict_names_cells_records_and_limits(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "demain.geojson"
    done = run("predict", lake, "--predictor", "retro-quartic", "--top", 3, "--set", "bandwidth_m=400", "--out", out)
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == 4
    assert "n = 1500 enregistrements" in done.stderr
    assert "ce qui arrive sans être enregistré" in done.stderr
    assert done.stderr.index("Cette carte") < done.stderr.index("This map")
    assert len(json.loads(out.read_text())["features"]) == 3
    body = json.loads(run("predict", lake, "--predictor", "retro-quartic", "--top", 3, "--json").stdout)
    # fifty days of UTC begin and end within days of Paris: fifty-one of them
    assert (body["n_records"], body["n_days"], body["n_days_used"], len(body["cells"])) == (1500, 51, 51, 3)
    assert body["day"] == "2017-04-21"
    assert set(body["cannot_tell"]) == {"fr", "en"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("predict", "LAKE", "--predictor", "oracle"), 10, "No predictor is called 'oracle'"),
        (("predict", "LAKE", "--predictor", "uniform", "--at", "demain"), 10, "must be a day"),
        (("predict", "LAKE", "--predictor", "uniform", "--out", "m.xls"), 10, ".geojson, .csv, .parquet"),
        (("predict", "LAKE", "--predictor", "retro-quartic", "--set", "bandwidth_m=loin"), 10, "length in"),
        (("backtest", "LAKE", "--days", "14", "--area", "5"), 10, "1 % is written 0.01"),
        (("backtest", "LAKE", "--days", "400"), 11, "Ask for 23 days or fewer"),
        (("backtest", "LAKE", "--days", "14", "--refit", "0"), 10, "refit_every"),
        (("backtest", "LAKE", "--days", "14", "--predictor", "risk-terrain"), 11, "needs to know where places stand"),
        (("predict", "LAKE", "--predictor", "uniform", "--city", "nowhere"), 11, "There is no city at nowhere"),
        (("predict", "LAKE", "--predictor", "uniform", "--out", f"{__file__}/m.csv"), 13, "this machine refuses"),
        (("backtest", "nowhere"), 11, "There is no lake at nowhere"),
        (("publish", "LAKE", "--tracking", "mlruns"), 10, "a database or a server"),
    ],
)
def test_a_mistake_is_one_paragraph(
    words: tuple[str, ...], code: int, said: str, lake: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    given = [str(lake) if w == "LAKE" else w for w in words]
    monkeypatch.setattr("sys.argv", ["contrechamp", "hotspot", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_predict_makes_the_folder_it_is_given(lake: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "map.csv"
    done = run("predict", lake, "--predictor", "uniform", "--top", 2, "--out", out)
    assert done.exit_code == 0, done.output
    assert len(pd.read_csv(out)) == 2


def test_list_names_each_predictor_in_french_first_and_fits_a_terminal() -> None:
    done = run("list")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(PREDICTORS)
    assert lines[0].split(maxsplit=1) == ["uniform", "Carte uniforme"]
    assert lines[1].strip() == "(Uniform map)"
    assert max(map(len, lines)) <= 100
    rows = json.loads(run("list", "--json").stdout)
    assert [r["key"] for r in rows if r["needs_places"]] == ["risk-terrain"]
    assert {"window_days", "estimator"} == set(next(r for r in rows if r["key"] == "etas-per-cell")["parameters"])


def test_publish_registers_names_the_champion_and_says_why(lake: Path, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    words = ("--predictor", "retro-quartic", "--days", 14, "--jobs", 1, "--tracking", store)
    done = run("publish", lake, *words, "--json")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    assert set(body["versions"]) == {"trailing-mean", "retro-quartic"}
    assert sorted(body["versions"].values()) == [1, 2]
    assert body["champion"] in body["versions"]
    assert set(body["said"]) == {"fr", "en"}
    again = run("publish", lake, *words)
    assert again.exit_code == 0, again.output
    assert re.search(rf"{body['champion']} +[34] +champion", again.stdout)


def test_statistics_print_what_they_rest_on(lake: Path, tmp_path: Path) -> None:
    words = ("--permutations", 99, "--days", 30)
    done = run("statistics", lake, *words, "--out", tmp_path / "read")
    assert done.exit_code == 0, done.output
    assert "gi_star_hot" in done.stdout
    assert "sur 30 jours" in done.stderr
    body = json.loads(run("statistics", lake, *words, "--json").stdout)
    assert body["n_days"] == 30
    table = pd.DataFrame(body["knox"])
    assert len(table) == 5 * 5
    assert table["observed"].sum() == body["n_records"] * (body["n_records"] - 1) // 2
    assert (table["p"] >= 0.01).all()  # never 0
    cells = pd.read_parquet(tmp_path / "read" / "tables" / "cells.parquet")
    assert cells["records"].sum() == body["n_records"]
    assert body["cells_flagged"]["gi_star_hot"] == (cells["gi_star_flagged"] & (cells["gi_star"] > 0)).sum()
