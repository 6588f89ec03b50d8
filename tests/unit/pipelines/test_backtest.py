"""The backtest: records in, two scores out, truth never near a predictor."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import contrechamp.pipelines.backtest as module
import contrechamp.pipelines.backtest_inputs as inputs_module
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates, EventLog
from contrechamp.domain.provenance import digest
from contrechamp.domain.results import UNITS, Outcome, Result
from contrechamp.pipelines.backtest import CANNOT_TELL, MEASURES, backtest, default_predictors, run_backtest
from contrechamp.store.lake import read_stream
from models import predictor_class

GRID = Grid(0.0, 0.0, 250.0, np.ones((10, 20), dtype=bool))
FIRST = 60
KEYS = ("uniform", "trailing-mean", "retro-quartic")
PAIRS = (("uniform", "retro-quartic"),)


@pytest.fixture(scope="module")
def cubes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.5, 2.0, GRID.n_cells)
    truth = rng.poisson(rate, (90, GRID.n_cells)).astype(np.int32)
    p_recorded = np.where(np.arange(GRID.n_cells) % 2 == 0, 0.6, 0.02)  # half the city is hardly recorded
    return rng.binomial(truth, p_recorded).astype(np.int32), truth


@pytest.fixture(scope="module")
def outcome(cubes: tuple[np.ndarray, np.ndarray]) -> Outcome:
    return backtest(*cubes, grid=GRID, predictors=KEYS, pairs=PAIRS, first_day=FIRST, seed=5)


def _get(outcome: Outcome, measure: str, **world: object) -> Result:
    found = [r for r in outcome.results if r.measure == measure and dict(r.world) == world]
    assert len(found) == 1
    return found[0]


def test_every_result_has_a_declared_measure_and_its_own_key(outcome: Outcome) -> None:
    declared = {m.key for m in MEASURES}
    assert {r.measure for r in outcome.results} == declared
    assert {m.unit for m in MEASURES} <= set(UNITS)
    by_area = 3 * 2 * 4 + 2 * 2 + 2  # four scores of three maps, the gain of two, the pair of one, for two areas
    whole = 3 * 5 + 2 * 3  # AUC, Brier, slope, intercept, NIJ; gains of two maps
    assert len(outcome.results) == 2 * (by_area + whole) + 3 + 3 * 3  # level on records; stability, two overlaps
    assert len({r.key for r in outcome.results}) == len(outcome.results)
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


def test_every_pai_has_an_interval_and_n(outcome: Outcome) -> None:
    for r in outcome.results:
        if "pai" in r.measure:
            i = r.interval
            assert i.n == 30
            assert i.estimate is not None and i.low is not None and i.high is not None
            assert i.low <= i.estimate <= i.high


def test_paired_gain_of_a_pair_on_request(outcome: Outcome) -> None:
    world = {"predictor": "uniform", "area": 0.05, "scored_on": "truth"}
    pair = _get(outcome, "pair_gain_pai", **world, against="retro-quartic").interval
    ours, theirs = (
        _get(outcome, "pai", **{**world, "predictor": key}).interval.estimate for key in ("uniform", "retro-quartic")
    )
    assert pair.estimate == pytest.approx(ours / theirs - 1)
    assert pair.high < -0.3


def test_hindsight_under_a_constraint_lies_between_the_map_and_free_hindsight(outcome: Outcome) -> None:
    for on in ("truth", "records"):
        world = {"predictor": "trailing-mean", "area": 0.05, "scored_on": on}
        pei, star = (_get(outcome, m, **world).interval.estimate for m in ("pei", "pei_star"))
        assert pei < star <= 1.05
    assert set(outcome.tables["backtest_daily"]["attainable"]) == {"static"}


def test_scores_of_the_whole_map(outcome: Outcome) -> None:
    table = outcome.tables["backtest_scores"]
    for (key, on), rows in table.groupby(["predictor", "scored_on"]):
        world = {"predictor": key, "scored_on": on}
        area = rows["area_sum"].sum() / rows["events"].sum()
        assert _get(outcome, "auc", **world).interval.estimate == pytest.approx(area)
        assert _get(outcome, "brier", **world).interval.estimate == pytest.approx(rows["brier"].mean())
    chance = _get(outcome, "auc", predictor="uniform", scored_on="truth").interval
    assert chance.low < 0.5 < chance.high
    slope = _get(outcome, "calibration_slope", predictor="trailing-mean", scored_on="records").interval
    assert slope.estimate == pytest.approx(1.0, abs=0.1)
    on_truth = _get(outcome, "calibration_slope", predictor="trailing-mean", scored_on="truth").interval
    assert on_truth.high < 0.7  # recorded places differ far more than places do
    level = _get(outcome, "calibration_level", predictor="trailing-mean", scored_on="records").interval
    assert level.low < 1 < level.high
    assert not _get(outcome, "calibration_slope", predictor="uniform", scored_on="truth").interval.estimable


def test_calibration_bins_lose_no_event(outcome: Outcome, cubes: tuple[np.ndarray, np.ndarray]) -> None:
    for (_, on), rows in outcome.tables["calibration_bins"].groupby(["predictor", "scored_on"]):
        assert rows["observed"].sum() == cubes[0 if on == "records" else 1][FIRST:].sum()
        assert rows["cell_days"].sum() == 30 * 200
        assert rows["map_times"].nunique() == 1
        known = rows[rows["ratio"].notna()]
        assert len(known) >= 1
        np.testing.assert_allclose(known["ratio"], known["observed"] / known["expected"])
        assert ((known["ratio_low"] <= known["ratio"]) & (known["ratio"] <= known["ratio_high"])).all()


def test_moves_of_maps(outcome: Outcome) -> None:
    mean = _get(outcome, "rank_stability", predictor="trailing-mean").interval
    assert mean.low > 0.98  # a day among sixty
    assert not _get(outcome, "rank_stability", predictor="uniform").interval.estimable
    kept = _get(outcome, "overlap", predictor="trailing-mean", area=0.05).interval.estimate
    by_chance = _get(outcome, "overlap", predictor="uniform", area=0.05).interval.estimate
    assert kept > 0.6 > 0.1 > by_chance
    rows = outcome.tables["backtest_moves"]
    first = rows[rows["day"] == FIRST]
    assert first["overlap"].isna().all()


def test_schedule_and_rules_are_tables(outcome: Outcome) -> None:
    schedule = outcome.tables["backtest_predictors"].set_index("predictor")
    assert schedule.loc["retro-quartic", "refit_days"] == 1
    assert json.loads(schedule.loc["retro-quartic", "parameters"])["window_days"] == 56
    rules = outcome.tables["nij_rules"].set_index("rule")
    assert not rules.loc["cell_sq_ft", "met"]
    assert rules.loc["forecast_sq_mi", "got"] == pytest.approx(21 * 0.0625 / 2.58998811, rel=1e-6)


def test_refit_schedule_changes_only_what_is_estimated(cubes: tuple[np.ndarray, np.ndarray]) -> None:
    def gain(**more: object) -> list[object]:
        found = backtest(
            *cubes, grid=GRID, predictors=("trailing-mean", "etas-per-cell"), first_day=78, seed=5, **more
        )  # fmt: skip
        return [r.to_dict() for r in found.results], found.tables["backtest_predictors"]["refit_days"].tolist()

    own, daily, monthly = gain(), gain(refit_every=1), gain(refit_every=50)
    assert (own[1], daily[1], monthly[1]) == ([1, 7], [1, 1], [50, 50])
    of_mean = [[r for r in each[0] if r["world"].get("predictor") == "trailing-mean"] for each in (own, daily, monthly)]
    pai = [[r["value"] for r in rows if r["measure"] == "pai"] for rows in of_mean]
    assert pai[0] == pai[1] == pai[2]  # it estimates nothing: only shown newer days
    with pytest.raises(ParameterError, match="refit_every"):
        gain(refit_every=0)


def test_without_truth_only_records_are_scored(cubes: tuple[np.ndarray, np.ndarray], outcome: Outcome) -> None:
    alone = backtest(cubes[0], None, grid=GRID, predictors=KEYS, pairs=PAIRS, first_day=FIRST, seed=5)
    assert {r.world.get("scored_on", "records") for r in alone.results} == {"records"}
    both = {r.key: r.to_dict() for r in outcome.results if r.world.get("scored_on") == "records"}
    assert {r.key: r.to_dict() for r in alone.results if "scored_on" in r.world} == both
    assert "latent" not in alone.tables["map_daily"]


def test_events_one_by_one_and_their_counts_give_the_same_numbers(
    cubes: tuple[np.ndarray, np.ndarray], outcome: Outcome
) -> None:
    day, cell = np.nonzero(cubes[0])
    day, cell = (np.repeat(v, cubes[0][cubes[0] > 0]) for v in (day, cell))
    x_m, y_m = GRID.centres_m[cell].T
    log = EventLog.from_arrays(
        t_days=day + 0.5, x_m=x_m, y_m=y_m, cell=cell, known_day=day, grid=GRID, n_days=90
    )  # fmt: skip
    other = backtest(log, cubes[1], grid=GRID, predictors=KEYS, pairs=PAIRS, first_day=FIRST, seed=5)
    assert digest([r.to_dict() for r in other.results]) == digest([r.to_dict() for r in outcome.results])


def test_maps_kept_are_those_asked_for(cubes: tuple[np.ndarray, np.ndarray]) -> None:
    kept = backtest(*cubes, grid=GRID, predictors=KEYS, mapped=("retro-quartic",), first_day=80, seed=5)
    assert list(kept.tables["map_daily"].columns) == ["day", "cell", "latent", "recorded", "retro-quartic"]


def test_default_predictors_leave_out_what_is_slow_or_lacks_its_layers() -> None:
    bare, full = default_predictors(), default_predictors(Covariates(places={"bars": np.zeros(3)}))
    assert "st-net" not in bare + full
    assert set(full) - set(bare) == {k for k in full if predictor_class(k).NEEDS_PLACES}
    assert {"uniform", "trailing-mean"} <= set(bare)


def test_a_pair_of_maps_that_are_not_run_is_refused(cubes: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ParameterError, match="pairs of predictors that are run"):
        backtest(*cubes, grid=GRID, predictors=KEYS, pairs=[("uniform", "gbm")], first_day=FIRST, seed=5)
    with pytest.raises(ParameterError, match="needs a predictor"):
        backtest(*cubes, grid=GRID, predictors=(), first_day=FIRST, seed=5)


def test_truth_reaches_no_map(cubes: tuple[np.ndarray, np.ndarray], outcome: Outcome) -> None:
    records, truth = cubes
    other = backtest(records, truth[::-1].copy(), grid=GRID, predictors=KEYS, pairs=PAIRS, first_day=FIRST, seed=5)
    maps = list(KEYS)
    pd.testing.assert_frame_equal(outcome.tables["map_daily"][maps], other.tables["map_daily"][maps])
    on_records = [[r.to_dict() for r in o.results if r.world.get("scored_on") == "records"] for o in (outcome, other)]
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
    two = backtest(*cubes, grid=GRID, predictors=KEYS, pairs=PAIRS, first_day=FIRST, seed=5, jobs=2)
    assert digest([r.to_dict() for r in two.results]) == digest([r.to_dict() for r in outcome.results])


def test_a_day_without_events_is_not_a_zero() -> None:
    empty = np.zeros((70, GRID.n_cells), dtype=np.int32)
    outcome = backtest(empty, empty, grid=GRID, predictors=KEYS, first_day=FIRST, seed=1)
    scored = [r for r in outcome.results if "scored_on" in r.world]
    assert scored
    assert not any(r.interval.estimable for r in scored)
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
        return records if stream == "mains_courantes" else read_stream(tmp_path / "none", stream)

    monkeypatch.setattr(inputs_module, "read_stream", read)
    monkeypatch.setattr(module, "default_predictors", lambda covariates: ("uniform", "trailing-mean"))
    outcome = run_backtest(tmp_path, seed=3)
    inputs = outcome.tables["backtest_inputs"].set_index("input")
    assert asked[0] == (tmp_path / "lake", "mains_courantes")
    assert {stream for _, stream in asked} == {"mains_courantes", "meteo", "donnees_ouvertes"}
    assert (inputs["used"] + inputs["off_grid"] + inputs["off_days"] == inputs["rows"]).all()
    assert inputs.loc["records", ["rows", "off_grid", "off_days"]].tolist() == [1334, 1, 1]
    assert inputs.loc["truth", "used"] == 4000
    assert inputs.loc["records", "entered_a_day_late_or_more"] > 1
    assert sorted(outcome.tables["map_daily"]["day"].unique()) == list(range(64, 120))


def test_run_too_short_says_what_to_change(tmp_path: Path) -> None:
    _run_folder(tmp_path, n_days=83)
    with pytest.raises(ContractError, match=r"Set `time\.n_days` to 84 or more"):
        run_backtest(tmp_path, seed=3)
