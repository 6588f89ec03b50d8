"""Reading a run: nothing to read, nothing damaged, nothing out of the folder."""

from pathlib import Path

import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError
from contrechamp.store import runs
from dashboard import files


def test_no_folder_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRECHAMP_RUNS", str(tmp_path / "none"))
    assert files.run_names(files.runs_folder()) == []
    monkeypatch.delenv("CONTRECHAMP_RUNS")
    assert files.runs_folder() == Path("runs")


def test_only_finished_runs_are_named_newest_first(tmp_path: Path) -> None:
    for name in ("20260101T000000Z-quick", "20260301T000000Z-quick", "20260401T000000Z-quick.partial", "notes"):
        (tmp_path / name).mkdir()
        if name != "notes":
            (tmp_path / name / "results.json").write_text("{}")
    assert files.run_names(tmp_path) == ["20260301T000000Z-quick", "20260101T000000Z-quick"]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '{"results": [1], "verdicts": [], "request": {"profile": "quick", "seed": 1}}',
        '{"results": [], "verdicts": [{"claim": "M01", "verdict": "true"}], "digest": ""}',
    ],
)
def test_results_of_another_shape_are_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "results.json").write_text(body)
    runs.write_json(tmp_path / "plan.json", {"plan": {"rules": [], "silent": []}})
    with pytest.raises(ContractError, match=r"results\.json"):
        files.read_audit(tmp_path)


def test_a_map_that_lacks_a_cell_is_refused(tmp_path: Path) -> None:
    runs.write_json(
        tmp_path / "truth" / "grid.json",
        {"x0_m": 0.0, "y0_m": 0.0, "cell_m": 250.0, "crs": "EPSG:2154", "shape": [1, 3], "runs": [0, 3]},
    )
    whole = pd.DataFrame({"day": [5, 5, 5], "cell": [0, 1, 2], "latent": 1, "recorded": 0, "uniform": 0.5})
    daily = pd.DataFrame(columns=["day", "predictor", "area", "scored_on", "events", "hits", "cells_flagged"])
    runs.write_tables(tmp_path, {"map_daily": whole, "backtest_daily": daily})
    maps = files.read_maps(tmp_path)
    assert maps.layers["latent"].tolist() == [[1.0, 1.0, 1.0]]
    assert (maps.predictors, len(maps.outline_m), maps.start) == (("uniform",), 0, None)
    runs.write_tables(tmp_path, {"map_daily": whole[:2]})
    with pytest.raises(ContractError, match="every cell"):
        files.read_maps(tmp_path)


RESULT = {
    "id": "R-0001", "experiment": "E18", "measure": "m", "world": {"a": 1, "b": "x"}, "value": 0.5, "low": None,
    "high": 1, "n": 3, "method": "wilson", "unit": "share", "level": 0.95,
}  # fmt: skip
LINE = {
    "claim": "C12", "verdict": "refuted", "pending": ["E03"], "decided_by": ["E18"], "flips": False,
    "rules": [
        {"experiment": "E18", "verdict": "refuted", "counts": {"refuted": 1},
         "worlds": [{"world": {"a": 1}, "verdict": "refuted", "results": ["R-0001"]}]},
    ],
}  # fmt: skip


def write_audit(folder: Path, result: object, line: object, plan: object) -> None:
    body = {"results": [result], "verdicts": [line], "request": {"profile": "quick", "seed": 1}, "digest": "d"}
    runs.write_json(folder / "results.json", body)
    runs.write_json(folder / "plan.json", {"plan": plan})


NO_PLAN: dict[str, list[object]] = {"rules": [], "silent": []}


def test_sound_results_are_read(tmp_path: Path) -> None:
    write_audit(tmp_path, RESULT, LINE, NO_PLAN)
    assert files.read_audit(tmp_path).lines["C12"]["verdict"] == "refuted"


@pytest.mark.parametrize(
    ("result", "line", "plan"),
    [
        (RESULT | {"value": "0.5"}, LINE, NO_PLAN),
        (RESULT | {"high": True}, LINE, NO_PLAN),
        (RESULT | {"world": [1]}, LINE, NO_PLAN),
        (RESULT | {"world": {"a": {"b": 1}}}, LINE, NO_PLAN),
        (RESULT | {"unit": "bananas"}, LINE, NO_PLAN),
        (RESULT | {"n": None}, LINE, NO_PLAN),
        (RESULT | {"id": 1}, LINE, NO_PLAN),
        (RESULT, LINE | {"rules": 5}, NO_PLAN),
        (RESULT, LINE | {"rules": [1]}, NO_PLAN),
        (RESULT, LINE | {"rules": [LINE["rules"][0] | {"counts": {"refuted": "1"}}]}, NO_PLAN),  # type: ignore[index]
        (RESULT, LINE | {"rules": [LINE["rules"][0] | {"worlds": [{"world": {}, "verdict": "x"}]}]}, NO_PLAN),  # type: ignore[index]
        (RESULT | {"id": "R-0002"}, LINE, NO_PLAN),
        (RESULT, LINE | {"pending": [1]}, NO_PLAN),
        (RESULT, LINE | {"flips": "no"}, NO_PLAN),
        (RESULT, LINE, {"rules": [{"claim": "C12"}], "silent": []}),
        (RESULT, LINE, {"rules": [], "silent": [1]}),
        (RESULT, LINE, []),
        (RESULT, LINE, {"rules": 3, "silent": []}),
    ],
)
def test_values_of_another_type_are_refused_and_no_page_meets_them(
    tmp_path: Path, result: object, line: object, plan: object
) -> None:
    write_audit(tmp_path, result, line, plan)
    with pytest.raises(ContractError, match=r"results\.json"):
        files.read_audit(tmp_path)
