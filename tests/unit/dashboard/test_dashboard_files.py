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
