"""E01: silent where there is nothing to find, heard where a gain is planted, the same whatever the workers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import contrechamp.experiments.e01_hotspot_skill as e01
import contrechamp.experiments.e01_measures as measures
import contrechamp.experiments.e01_worlds as worlds_of
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import EventLog
from contrechamp.domain.provenance import digest
from contrechamp.domain.results import UNITS, Outcome, Result
from contrechamp.domain.rng import stream
from contrechamp.experiments.base import parameters
from models import PREDICTORS, load_predictor, predictor_class
from models.scores import rank_cells, tie_breaks
from models.walk import walk_forward
from synthetic_data.count_records import draw_incidents
from synthetic_data.count_worlds import LatentWorld, draw_latent_world

SMALL = e01.Params(
    latent_per_day=(300.0,),
    kappas=(0.0, 0.5),
    recorded_shares=(0.2, 0.6),
    table_shares=(0.2, 0.6),
    recording_biases=(1.0,),
    turnovers=(0.0,),
    worlds=6,
    rows=12,
    columns=16,
    n_days=70,
    memory_days=42,
    tried_days=7,
    evaluated_days=14,
    every=1,
    forecasts=("retro-quartic", "prospective"),
    n_draws=99,
)
CITY = {"latent_per_day": 300.0, "turnover": 0.0, "kappa": 0.5}
FILE = {**CITY, "recorded_share": 0.6, "recording_bias": 1.0}


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e01.run(SMALL, seed=4)


def _get(outcome: Outcome, measure: str, **world: object) -> Result:
    found = [r for r in outcome.results if r.measure == measure and dict(r.world) == world]
    assert len(found) == 1, (measure, world)
    return found[0]


def test_results_are_declared_and_count_seeds(outcome: Outcome) -> None:
    assert {r.measure for r in outcome.results} == {m.key for m in e01.MEASURES}
    assert {m.unit for m in e01.MEASURES} <= set(UNITS)
    by_file, by_city = 2 * 5 + 4, 2 * (2 * 2 + 2 + 1) + 2 + 2 + 2 + 5
    assert len({r.key for r in outcome.results}) == len(outcome.results) == 2 * 2 * by_file + 2 * by_city
    assert {r.interval.n for r in outcome.results} == {6}
    assert all(r.interval.estimable for r in outcome.results)
    assert {r.table for r in outcome.results} == set(outcome.tables) == {"e01_worlds", "e01_maps"}
    assert e01.CANNOT_TELL.fr != e01.CANNOT_TELL.en


def test_results_are_those_of_the_tables(outcome: Outcome) -> None:
    worlds = outcome.tables["e01_worlds"]
    maps = 3 + 2 + 2  # free maps, forecasts, analyst and clairvoyant
    assert len(worlds) == 2 * 2 * 6 * 2 * 2 * maps
    mine = worlds[(worlds["kappa"] == 0.5) & (worlds["recorded_share"] == 0.6) & (worlds["scored_on"] == "latent")]
    at = mine[mine["area"] == 0.01].pivot_table(index="rep", columns="predictor", values="pai")
    best = at[list(worlds_of.BASELINES)].max(axis=1)
    shown = mine[(mine["area"] == 0.01) & mine["champion"]].set_index("rep")
    chosen = pd.Series({rep: at.loc[rep, shown.loc[rep, "predictor"]] for rep in at.index}) / best - 1
    np.testing.assert_allclose(chosen, shown["gain"], rtol=1e-9)
    assert _get(outcome, "gain_latent", **FILE, area=0.01).interval.estimate == pytest.approx(chosen.median())
    assert (worlds["gain_low"].dropna() <= worlds["gain"].dropna()).all()
    chosen_rows = mine[mine["champion"]].groupby("rep")
    refuted = (chosen_rows["gain_high"].min() < 0.10).mean()
    assert _get(outcome, "share_worlds_refuted", **FILE).interval.estimate == pytest.approx(refuted)
    passed = ((chosen_rows["gain"].min() >= 0.10) & (chosen_rows["gain_low"].min() > 0)).mean()
    assert _get(outcome, "share_worlds_supported", **FILE).interval.estimate == pytest.approx(passed)
    far = mine[mine["predictor"] == "clairvoyant"].groupby("rep")["gain_high"].min() < 0.10
    assert _get(outcome, "share_worlds_out_of_reach", **FILE).interval.estimate == pytest.approx(far.mean())


def test_a_predictor_is_averaged_over_files_before_seeds_are_compared(outcome: Outcome) -> None:
    worlds = outcome.tables["e01_worlds"]
    for kind in ("latent", "recorded"):
        mine = worlds[
            (worlds["kappa"] == 0.5) & (worlds["scored_on"] == kind) & (worlds["area"] == 0.05)
            & (worlds["predictor"] == "prospective")
        ]  # fmt: skip
        assert len(mine) == 12  # six seeds, two files each
        by_seed = mine.groupby("rep")["gain"].mean()
        shown = _get(outcome, f"predictor_gain_{kind}", **CITY, area=0.05, predictor="prospective").interval
        assert shown.estimate == pytest.approx(by_seed.median())
        assert shown.n == 6


def test_scores_bear_their_identities(outcome: Outcome) -> None:
    rows = outcome.tables["e01_worlds"]
    k = rows["area"].map({0.01: 2, 0.05: 10})
    np.testing.assert_allclose(rows["pai"], rows["hit_rate"] * 192 / k)
    np.testing.assert_allclose(rows["hit_rate"] * rows["events"], rows["hits"], atol=1e-6)
    assert (rows["pei"].dropna() <= 1).all()
    latent = rows[rows["scored_on"] == "latent"]
    uniform = latent[latent["predictor"] == "uniform"]
    assert uniform["lift"].mean() == pytest.approx(1.0, abs=0.15)
    assert latent[latent["predictor"] == "clairvoyant"]["lift"].min() > 1.2
    base = rows["matched"] / rows["lift"]  # share of all cell-days struck: one number per file and kind of events
    spread = base.groupby([rows[k] for k in ("kappa", "recorded_share", "rep", "scored_on")]).agg(np.ptp)
    assert spread.max() < 1e-12
    maps = outcome.tables["e01_maps"].set_index("predictor")
    assert (maps.loc["trailing-mean", ["log_gain_latent", "log_gain_recorded"]] == 0).all(axis=None)
    assert maps.loc["clairvoyant", "log_gain_latent"].isna().all()


def test_83_per_cent_at_random_takes_83_per_cent_of_the_map(outcome: Outcome) -> None:
    at_random = _get(outcome, "area_share_for_83pct", **CITY, predictor="uniform").interval
    clairvoyant = _get(outcome, "area_share_for_83pct", **CITY, predictor="clairvoyant").interval
    assert at_random.estimate == pytest.approx(0.83, abs=0.02)
    assert clairvoyant.high < at_random.low


def test_same_numbers_with_two_workers(outcome: Outcome) -> None:
    two = e01.run(SMALL, seed=4, jobs=2)
    assert digest([r.to_dict() for r in two.results]) == digest([r.to_dict() for r in outcome.results])
    pd.testing.assert_frame_equal(two.tables["e01_worlds"], outcome.tables["e01_worlds"])


def test_progress_is_told_and_another_seed_is_another_draw(outcome: Outcome) -> None:
    told: list[tuple[str, int, int]] = []
    tiny = dataclasses.replace(SMALL, kappas=(0.0,), worlds=2)
    other = e01.run(tiny, seed=5, progress=lambda *a: told.append(a))
    assert told == [("E01: worlds", 1, 2), ("E01: worlds", 2, 2)]
    assert other.tables["e01_worlds"]["hits"].tolist() != outcome.tables["e01_worlds"]["hits"][: len(
        other.tables["e01_worlds"])].tolist()  # fmt: skip


def test_costly_forecasts_run_on_the_first_seeds_and_are_never_chosen() -> None:
    params = dataclasses.replace(
        SMALL,
        kappas=(0.5,),
        recorded_shares=(0.6,),
        worlds=3,
        table_forecasts=("etas-per-cell",),
        table_worlds=2,
        table_shares=(0.6,),
    )
    outcome = e01.run(params, seed=4)
    shown = _get(outcome, "predictor_gain_latent", **CITY, area=0.05, predictor="etas-per-cell")
    assert shown.interval.n == 2
    worlds = outcome.tables["e01_worlds"]
    assert set(worlds.loc[worlds["champion"], "predictor"]) <= {"retro-quartic", "prospective"}


# --- the walk and the choice --------------------------------------------------------------------------------------


def test_the_walk_gives_what_walk_forward_gives() -> None:
    world = draw_latent_world(n_days=40, grid_shape=(8, 9), latent_per_day=200.0, kappa=0.3, rng=stream(1, "w"))
    log = draw_incidents(world, rng=stream(1, "i")).recorded(share=0.5, bias=0.5)
    mine, recorded = worlds_of.walk(log, ("trailing-mean", "etas-per-cell", "analyst"), mornings=range(30, 40))
    for key, made in (
        ("trailing-mean", load_predictor("trailing-mean")), ("etas-per-cell", load_predictor("etas-per-cell")),
        ("analyst", load_predictor("retro-quartic", window_days=7)),
    ):  # fmt: skip
        refit = predictor_class("etas-per-cell").REFIT_DAYS if key == "etas-per-cell" else 1
        expected = walk_forward(made, log, grid=world.grid, first_day=30, refit_every=refit)
        np.testing.assert_allclose(mine[key], expected)
    assert recorded.shape == (40, 72)
    assert recorded.sum() == len(log.points)
    assert (recorded <= world.latent).all()


def test_a_map_of_some_mornings_is_the_map_of_all_of_them() -> None:
    world = draw_latent_world(n_days=40, grid_shape=(8, 9), latent_per_day=200.0, rng=stream(1, "w"))
    log = draw_incidents(world, rng=stream(1, "i")).recorded(share=0.5, bias=0.0)
    every, _ = worlds_of.walk(log, ("retro-quartic",), mornings=range(20, 40))
    some, _ = worlds_of.walk(log, ("retro-quartic",), mornings=range(20, 40, 4))
    np.testing.assert_array_equal(some["retro-quartic"], every["retro-quartic"][::4])


def test_the_city_chooses_on_records_and_the_first_wins_a_tie() -> None:
    recorded = np.zeros((6, 40), dtype=np.int64)
    recorded[:, 7] = 3
    right, wrong = np.zeros((6, 40)), np.zeros((6, 40))
    right[:, 7], wrong[:, 8] = 1.0, 1.0

    def choose(**surfaces: np.ndarray) -> str:
        return worlds_of.best_on_records(surfaces, recorded, areas=(0.025,), rng=stream(1, "t"))

    assert choose(wrong=wrong, right=right) == "right"
    assert choose(first=right, second=right) == "first"
    assert choose(only=wrong) == "only"


def test_days_do_not_overlap_and_end_with_the_world() -> None:
    days = worlds_of.Days.of(e01.Params.full())
    assert days.origin + days.scored.max() <= e01.Params.full().n_days - 1
    assert days.tried.max() < days.scored.min()
    assert days.tried.min() == e01.Params.full().memory_days
    assert set(days.scored % 7) == set(range(7)), "every weekday is among the days scored"


# --- controls -----------------------------------------------------------------------------------------------------


def test_negative_control_nothing_to_learn_and_the_interval_covers_zero_at_about_its_rate() -> None:
    # every cell alike, no near-repeat: no map is worth more than another
    covered, gains, reps, days = 0, [], 60, 28
    for rep in range(reps):
        world = draw_latent_world(
            n_days=100, grid_shape=(12, 12), kappa=0.0, cell_sd=0.0, latent_per_day=300.0, rng=stream(9, "flat", rep)
        )
        log = draw_incidents(world, rng=stream(9, "i", rep)).recorded(share=0.33, bias=0.0)
        surfaces, _ = worlds_of.walk(log, ("trailing-mean", "retro-quartic"), mornings=range(100 - days, 100))
        ties = tie_breaks(days, 144, rng=stream(9, "ties", rep))
        # one baseline fixed in advance, no better-of-three
        orders = {key: rank_cells(surface, ties=ties) for key, surface in surfaces.items()}
        row = worlds_of.score_world(
            orders, world.latent[-days:].astype(np.int64), champion="retro-quartic", areas=(0.05,), n_draws=299,
            rng=stream(9, "draws", rep),
        ).rows[1]  # fmt: skip
        assert row["predictor"] == "retro-quartic"
        covered += row["gain_low"] <= 0 <= row["gain_high"]
        gains.append(row["gain"])
    assert np.mean(gains) == pytest.approx(0.0, abs=4 * np.std(gains) / np.sqrt(reps))
    assert 0.84 <= covered / reps <= 1.0


NOTHING = e01.Params(
    kappas=(0.0,), recorded_shares=(0.3,), recording_biases=(0.0,), latent_per_day=(300.0,), turnovers=(0.0,),
    worlds=25, rows=14, columns=14, n_days=140, memory_days=112, tried_days=7, evaluated_days=14, every=1,
    forecasts=("retro-quartic", "prospective"), n_draws=99,
)  # fmt: skip


def test_negative_control_fixed_places_without_contagion_support_no_forecast_beyond_the_nominal_rate() -> None:
    outcome = e01.run(NOTHING, seed=3)
    where = {
        "latent_per_day": 300.0, "turnover": 0.0, "kappa": 0.0, "recorded_share": 0.3, "recording_bias": 0.0,
    }  # fmt: skip
    falsely = _get(outcome, "share_worlds_supported", **where).interval
    assert falsely.n == 25
    assert falsely.estimate <= 0.05, "a forecast with nothing to find is supported at most as often as chance allows"
    for area in (0.01, 0.05):
        assert _get(outcome, "gain_latent", **where, area=area).interval.low < 0.0


def test_negative_control_shuffled_days_leave_nothing_to_the_recent_past() -> None:
    """With its days in random order a city that turns over and repeats has no recency: the mean cannot be beaten."""
    gains = []
    for rep in range(12):
        world = draw_latent_world(
            n_days=150, grid_shape=(14, 14), kappa=0.5, turnover=1.0, latent_per_day=300.0, rng=stream(2, "w", rep)
        )
        order = stream(2, "shuffle", rep).permutation(150)
        mixed = dataclasses.replace(world, latent=world.latent[order], intensity=world.intensity[order])
        log = draw_incidents(mixed, rng=stream(2, "i", rep)).recorded(share=0.6, bias=0.0)
        keys = ("trailing-mean", "retro-quartic", "prospective", "etas-per-cell")
        surfaces, _ = worlds_of.walk(log, keys, mornings=range(122, 150), refit_days=28)
        ties = tie_breaks(28, 196, rng=stream(2, "ties", rep))
        scored = worlds_of.score_world(
            {key: rank_cells(surface, ties=ties) for key, surface in surfaces.items()},
            mixed.latent[122:].astype(np.int64), champion="retro-quartic", areas=(0.05,), n_draws=99,
            rng=stream(2, "d", rep),
        )  # fmt: skip
        gains.append({row["predictor"]: row["gain"] for row in scored.rows})
    mean, error = pd.DataFrame(gains).mean(), pd.DataFrame(gains).std() / np.sqrt(12)
    for key in ("retro-quartic", "prospective", "etas-per-cell"):
        assert mean[key] < 2 * error[key] + 0.01, key


def _planted(latent_rate: np.ndarray, p_recorded: np.ndarray) -> Any:
    """Stands in for the two draws of a world: incidents at a stated rate, recorded at a stated chance."""
    grid = Grid(0.0, 0.0, 250.0, np.ones((20, 20), dtype=bool))

    def world(*, rng: np.random.Generator, **_: Any) -> LatentWorld:
        latent = rng.poisson(latent_rate).astype(np.int32)
        return LatentWorld(latent, latent_rate, latent_rate, np.ones(400), (20, 20))

    class Incidents:
        def __init__(self, drawn: LatentWorld, first_day: int, rng: np.random.Generator) -> None:
            kept = rng.binomial(drawn.latent[first_day:], np.broadcast_to(p_recorded, drawn.latent.shape)[first_day:])
            day, cell = np.nonzero(kept)
            day, cell = np.repeat(day, kept[day, cell]), np.repeat(cell, kept[day, cell])
            x, y = grid.centres_m[cell].T
            self._log = EventLog.from_arrays(
                t_days=day + 0.5, x_m=x, y_m=y, cell=cell, known_day=day, grid=grid, n_days=len(kept)
            )

        def recorded(self, **_: Any) -> EventLog:
            return self._log

    return world, lambda drawn, *, first_day, rng: Incidents(drawn, first_day, rng)


def _moving(n_days: int, low: float, high: float) -> np.ndarray:
    """``high`` in one tenth of 400 cells, ``low`` elsewhere; the tenth is another one in the last 70 days."""
    out = np.full((n_days, 400), low)
    out[: n_days - 70, :40] = high
    out[n_days - 70 :, 200:240] = high
    return out


PLANTED = e01.Params(
    latent_per_day=(900.0,), kappas=(0.0,), recorded_shares=(0.5,), recording_biases=(0.0,), turnovers=(0.0,), worlds=6,
    rows=20, columns=20, n_days=400, memory_days=364, tried_days=14, evaluated_days=14, every=1,
    forecasts=("retro-quartic",), n_draws=99,
)  # fmt: skip
WHERE = {"latent_per_day": 900.0, "turnover": 0.0, "kappa": 0.0, "recorded_share": 0.5, "recording_bias": 0.0}


def test_positive_control_hot_spots_that_moved_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world, incidents = _planted(_moving(400, 0.2, 5.0), np.array(0.5))
    monkeypatch.setattr(worlds_of, "draw_latent_world", world)
    monkeypatch.setattr(worlds_of, "draw_incidents", incidents)
    outcome = e01.run(PLANTED, seed=1)
    assert _get(outcome, "share_worlds_supported", **WHERE).interval.estimate == 1.0
    assert _get(outcome, "share_worlds_refuted", **WHERE).interval.estimate == 0.0
    assert _get(outcome, "share_worlds_out_of_reach", **WHERE).interval.estimate == 0.0
    assert _get(outcome, "gain_latent", **WHERE, area=0.05).interval.low > 1.0


def test_positive_control_a_gain_on_records_only_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # incidents are the same everywhere; what moves is where they are recorded
    world, incidents = _planted(np.full((400, 400), 2.0), _moving(400, 0.05, 0.9))
    monkeypatch.setattr(worlds_of, "draw_latent_world", world)
    monkeypatch.setattr(worlds_of, "draw_incidents", incidents)
    outcome = e01.run(PLANTED, seed=1)
    assert _get(outcome, "share_worlds_records_only", **WHERE).interval.estimate == 1.0
    assert _get(outcome, "share_worlds_supported", **WHERE).interval.estimate == 0.0
    # incidents are even: no map can find more of them, and that is said apart
    assert _get(outcome, "share_worlds_out_of_reach", **WHERE).interval.estimate > 0.5
    assert _get(outcome, "gain_recorded", **WHERE, area=0.05).interval.low > 1.0
    assert abs(_get(outcome, "gain_latent", **WHERE, area=0.05).interval.estimate) < 0.1


def test_places_that_turn_over_leave_a_gain_within_reach_and_fixed_places_do_not() -> None:
    params = dataclasses.replace(
        SMALL, latent_per_day=(675.0,), kappas=(0.0,), recorded_shares=(0.3,), recording_biases=(0.0,),
        turnovers=(0.0, 1.0), rows=30, columns=32, n_days=420, memory_days=364,
    )  # fmt: skip
    outcome = e01.run(params, seed=6)
    where = {"latent_per_day": 675.0, "kappa": 0.0, "recorded_share": 0.3, "recording_bias": 0.0, "area": 0.05}
    fixed = _get(outcome, "gain_ceiling", **where, turnover=0.0).interval
    moving = _get(outcome, "gain_ceiling", **where, turnover=1.0).interval
    assert fixed.high < 0.05, "nobody can beat last year's mean where places do not change"
    assert moving.low > 0.10, "and somebody can where they do"


def test_seeds_without_an_estimable_gain_are_not_counted() -> None:
    def rows(gains: list[list[float]]) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {"rep": rep, "gain": g, "gain_low": g - 0.05, "gain_high": g + 0.05}
                for rep, areas in enumerate(gains) for g in areas
            ]
        )  # fmt: skip

    nan = float("nan")
    latent = rows([[0.2, 0.3], [0.2, 0.01], [nan, 0.3], [-0.2, 0.4]])
    recorded = rows([[0.2, 0.3], [0.2, 0.4], [0.3, 0.3], [0.0, 0.4]])
    ceiling = rows([[0.5, 0.5], [0.5, 0.02], [0.5, 0.5], [nan, 0.5]])
    counts = {m: (k, n) for m, k, n in measures.verdict_counts(latent, recorded, ceiling, gain=0.1)}
    assert counts == {
        "share_worlds_supported": (1, 3), "share_worlds_refuted": (2, 3), "share_worlds_out_of_reach": (1, 3),
        "share_worlds_records_only": (1, 3),
    }  # fmt: skip


# --- parameters ---------------------------------------------------------------------------------------------------


def test_profiles_and_overrides() -> None:
    quick = parameters("E01", overrides={"kappas": "0,0.5", "worlds": "2", "forecasts": "retro-quartic"})
    assert (quick.kappas, quick.worlds, quick.forecasts) == ((0.0, 0.5), 2, ("retro-quartic",))
    full = parameters("E01", profile="full")
    assert full.worlds >= 200
    assert (full.n_days, full.rows * full.columns) == (1826, 3840)
    assert {len(full.kappas), len(full.recorded_shares), len(full.recording_biases)} == {3}
    assert set(full.forecasts) | set(full.table_forecasts) <= set(PREDICTORS) - {"st-net"}


@pytest.mark.parametrize(
    "change",
    [
        {"worlds": 0}, {"evaluated_days": 7}, {"n_days": 20}, {"areas": (5.0,)}, {"areas": ()}, {"every": 0},
        {"latent_per_day": (0.0,)}, {"kappas": (1.0,)}, {"recording_biases": (2.0,)}, {"n_draws": 3},
        {"recorded_shares": (0.0,)}, {"recorded_shares": (1.5,)}, {"turnovers": ()}, {"tried_days": 0}, {"rows": 1},
        {"forecasts": ("uniform",)}, {"forecasts": ("no-such",)}, {"forecasts": ()}, {"forecasts": ("risk-terrain",)},
        {"forecasts": ("retro-quartic", "retro-quartic")}, {"table_forecasts": ("prospective",)},
    ],
)  # fmt: skip
def test_bad_parameters(change: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        e01.run(dataclasses.replace(e01.Params(), **change), seed=0)
