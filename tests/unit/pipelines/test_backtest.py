"""The backtest: records in, two scores out, truth never near a predictor."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import contrechamp.pipelines.backtest as module
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.provenance import digest
from contrechamp.domain.results import UNITS, Outcome, Result
from contrechamp.pipelines.backtest import CANNOT_TELL, MEASURES, backtest, run_backtest

GRID = Grid(0.0, 0.0, 250.0, np.ones((10, 20), dtype=bool))
FIRST = 60


@pytest.fixture(scope="module")
def cubes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.5, 2.0, GRID.n_cells)
    truth = rng.poisson(rate, (90, GRID.n_cells)).astype(np.int32)
    p_recorded = np.where(np.arange(GRID.n_cells) % 2 == 0, 0.6, 0.02)  # half the city is hardly recorded
    return rng.binomial(truth, p_recorded).astype(np.int32), truth


@pytest.fixture(scope="module")
def outcome(cubes: tuple[np.ndarray, np.ndarray]) -> Outcome:
    return backtest(*cubes, grid=GRID, first_day=FIRST, seed=5)


def _get(outcome: Outcome, measure: str, **world: object) -> Result:
    found = [r for r in outcome.results if r.measure == measure and dict(r.world) == world]
    assert len(found) == 1
    return found[0]


def test_every_result_has_a_declared_measure_and_its_own_key(outcome: Outcome) -> None:
    declared = {m.key for m in MEASURES}
    assert {r.measure for r in outcome.results} == declared
    assert {m.unit for m in MEASURES} <= set(UNITS)
    assert len({r.key for r in outcome.results}) == len(outcome.results) == 2 * (4 * 2 * 3 + 3 * 2 + 3)
    assert {r.experiment for r in outcome.results} == {"platform"}
    assert {r.table for r in outcome.results} <= set(outcome.tables)
    assert all("mean block" in r.interval.method and r.interval.n == 30 for r in outcome.results)
    assert CANNOT_TELL.fr != CANNOT_TELL.en


def test_results_are_those_of_the_daily_table(outcome: Outcome) -> None:
    daily = outcome.tables["backtest_daily"]
    assert list(daily.columns[:7]) == ["day", "predictor", "area", "scored_on", "cells_flagged", "events", "hits"]
    for (key, area, scored_on), rows in daily.groupby(["predictor", "area", "scored_on"]):
        share = rows["hits"].sum() / rows["events"].sum()
        world = {"predictor": key, "area": area, "scored_on": scored_on}
        assert rows["day"].tolist() == list(range(60, 90))
        assert _get(outcome, "hit_rate", **world).interval.estimate == pytest.approx(share)
        assert _get(outcome, "pai", **world).interval.estimate == pytest.approx(
            share * 200 / (2 if area < 0.02 else 10)
        )
        pei = rows["hits"].sum() / rows["best_hits"].sum()
        assert _get(outcome, "pei", **world).interval.estimate == pytest.approx(pei)


def test_a_map_of_records_looks_better_on_records(outcome: Outcome) -> None:
    world = {"predictor": "trailing-mean", "area": 0.05}
    on_truth, on_records = (_get(outcome, "pai", **world, scored_on=s).interval for s in ("truth", "records"))
    assert on_records.low > on_truth.high


def test_random_choice_has_a_pai_near_one(outcome: Outcome) -> None:
    i = _get(outcome, "pai", predictor="uniform", area=0.05, scored_on="truth").interval
    assert 0.6 < i.low < i.high < 1.5


def test_information_gain_scores_places_and_not_the_level_of_the_map() -> None:
    rng = np.random.default_rng(3)
    rate = rng.gamma(2.0, 1.0, GRID.n_cells)
    truth = rng.poisson(rate, (90, GRID.n_cells)).astype(np.int32)
    surface = np.tile(rate, (30, 1))
    base = np.tile(rate[::-1], (30, 1))
    draws = module.draw_days(30, block_days=1.0, n_draws=99, rng=rng)
    estimates = []
    for level in (0.2, 1.0, 5.0):
        maps = {module.BASELINE: base, "other": level * surface}
        (found,) = module._log_gains(maps, truth[FIRST:], draws, scored_on="truth")
        estimates.append(found.interval.estimate)
    assert estimates == pytest.approx([estimates[1]] * 3)
    seen = truth[FIRST:].sum(axis=0)
    by_hand = (seen * np.log(rate / rate[::-1])).sum() / seen.sum()  # multinomial log ratio: places only
    assert estimates[1] == pytest.approx(by_hand, rel=1e-9)


def test_truth_reaches_no_map(cubes: tuple[np.ndarray, np.ndarray], outcome: Outcome) -> None:
    records, truth = cubes
    other = backtest(records, truth[::-1].copy(), grid=GRID, first_day=FIRST, seed=5)
    maps = ["uniform", "trailing-mean", "retro-quartic"]
    pd.testing.assert_frame_equal(outcome.tables["map_daily"][maps], other.tables["map_daily"][maps])
    on_records = [[r.to_dict() for r in o.results if r.world["scored_on"] == "records"] for o in (outcome, other)]
    assert on_records[0] == on_records[1]


def test_map_table_is_laid_out_by_day_then_cell(cubes: tuple[np.ndarray, np.ndarray], outcome: Outcome) -> None:
    table = outcome.tables["map_daily"]
    assert len(table) == 30 * 200
    assert (table["latent"].to_numpy().reshape(30, 200) == cubes[1][FIRST:]).all()
    assert (table["recorded"].to_numpy().reshape(30, 200) == cubes[0][FIRST:]).all()
    assert table["retro-quartic"].dtype == np.float32
    row = table[(table["day"] == 75) & (table["cell"] == 7)]["trailing-mean"].item()
    assert row == pytest.approx(cubes[0][:75, 7].mean(), rel=1e-6)


def test_same_numbers_whatever_the_number_of_jobs(cubes: tuple[np.ndarray, np.ndarray], outcome: Outcome) -> None:
    two = backtest(*cubes, grid=GRID, first_day=FIRST, seed=5, jobs=2)
    assert digest([r.to_dict() for r in two.results]) == digest([r.to_dict() for r in outcome.results])


def test_a_day_without_events_is_not_a_zero() -> None:
    empty = np.zeros((70, GRID.n_cells), dtype=np.int32)
    outcome = backtest(empty, empty, grid=GRID, first_day=FIRST, seed=1)
    assert not any(r.interval.estimable for r in outcome.results)
    assert outcome.tables["backtest_daily"]["pai"].isna().all()


def test_cubes_of_two_shapes_are_refused() -> None:
    with pytest.raises(ParameterError, match="records, truth"):
        backtest(np.zeros((5, 200)), np.zeros((6, 200)), grid=GRID, first_day=2, seed=0)


# --- on a run folder ----------------------------------------------------------------------------------------------


def _run_folder(work: Path, *, n_days: int) -> pd.DataFrame:
    rng, n = np.random.default_rng(2), 4000
    start = pd.Timestamp("2017-01-02", tz="Europe/Paris").tz_convert("UTC")
    frame = pd.DataFrame(
        {
            "t_event": start + pd.to_timedelta(np.sort(rng.integers(0, n_days * 86400, n)), unit="s"),
            "x_m": rng.uniform(0, 5000, n), "y_m": rng.uniform(0, 2500, n),
        }
    )  # fmt: skip
    (work / "truth").mkdir()
    (work / "landing").mkdir()
    (work / "landing" / "territory.json").write_text(json.dumps(GRID.to_dict()))
    frame.to_parquet(work / "truth" / "incidents.parquet")
    (work / "scenario.resolved.toml").write_text(f'[time]\nstart = "2017-01-02"\nn_days = {n_days}\n')
    records = frame.assign(t_entry=frame["t_event"] + pd.Timedelta(minutes=20)).iloc[::3].reset_index(drop=True)
    records.loc[0, "x_m"] = 9e6  # off the grid
    records.loc[1, "t_event"] = start - pd.Timedelta(seconds=1)  # the day before day 0
    records.loc[2, "t_entry"] = records.loc[2, "t_event"] + pd.Timedelta(days=30)
    return records


def test_run_folder_every_row_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = _run_folder(tmp_path, n_days=120)
    asked: list[tuple[Path, str]] = []

    def read(lake: Path, stream: str) -> pd.DataFrame:
        asked.append((lake, stream))
        return records

    monkeypatch.setattr(module, "read_stream", read)
    outcome = run_backtest(tmp_path, seed=3)
    inputs = outcome.tables["backtest_inputs"].set_index("input")
    assert asked == [(tmp_path / "lake", "mains_courantes")]
    assert (inputs["used"] + inputs["off_grid"] + inputs["off_days"] == inputs["rows"]).all()
    assert inputs.loc["records", ["rows", "off_grid", "off_days"]].tolist() == [1334, 1, 1]
    assert inputs.loc["truth", "used"] == 4000
    assert inputs.loc["records", "entered_a_day_late_or_more"] > 1
    assert sorted(outcome.tables["map_daily"]["day"].unique()) == list(range(64, 120))


def test_run_too_short_says_what_to_change(tmp_path: Path) -> None:
    _run_folder(tmp_path, n_days=83)
    with pytest.raises(ContractError, match=r"Set `time\.n_days` to 84 or more"):
        run_backtest(tmp_path, seed=3)
