"""Hot-spot maps and their scores against closed forms, hand-made sums and one published data set."""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.grid import Grid
from models import load_predictor
from models.retrospective import cell_weights, smooth
from models.scores import (
    area_for_share,
    best_captured,
    captured,
    daily_scores,
    flagged_size,
    log_score,
    pai,
    pooled_pai,
    rank_cells,
    tie_breaks,
)
from models.walk import walk_forward

#: Public data are not redistributed: they are read where a folder beside the checkout holds them.
OAKLAND = next(Path(__file__).resolve().parents[3].glob("*/data/oakland_hrdag"), None)


def _strip(n_cells: int) -> Grid:
    return Grid(0.0, 0.0, 250.0, np.ones((1, n_cells), dtype=bool))


# --- a random choice of cells -------------------------------------------------------------------------------------


def test_random_choice_has_mean_pai_one_and_the_closed_form_variance() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.gamma(0.4, 2.0, 300))
    M, N, draws = len(counts), counts.sum(), 20_000
    k = flagged_size(0.05, n_cells=M)
    values = pai(np.zeros((draws, M)), np.tile(counts, (draws, 1)), area=0.05, rng=rng)
    variance = (M / k) ** 2 / N**2 * k * (1 - k / M) * counts.var(ddof=1)
    assert values.mean() == pytest.approx(1.0, abs=4 * math.sqrt(variance / draws))
    assert values.var() == pytest.approx(variance, rel=0.06)


def test_random_choice_by_enumeration_of_every_subset() -> None:
    # 4 cells holding 0, 1, 2, 5; every pair flagged once: captured 1 2 5 3 6 7, mean 4 = 8 × 2/4, so mean PAI is 1;
    # variance of PAI = (1/4)² × mean((captured - 4)²) = (9 + 4 + 1 + 1 + 4 + 9) / 6 / 16 = 28 / 96
    counts, pairs = np.array([0, 1, 2, 5]), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    ties = np.array([[*p, *sorted(set(range(4)) - set(p))] for p in pairs])
    scores = daily_scores(np.ones((6, 4)), np.tile(counts, (6, 1)), area=0.5, ties=ties)
    assert scores.hits.tolist() == [1, 2, 5, 3, 6, 7]
    assert scores.pai.mean() == 1.0
    assert scores.pai.var() == pytest.approx(28 / 96)
    assert (4 / 2) ** 2 / 8**2 * 2 * (1 - 2 / 4) * counts.var(ddof=1) == pytest.approx(28 / 96)


# --- bounds and identities ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0.005, 1.0))
def test_bounds_and_identities(seed: int, n_cells: int, area: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.7, (5, n_cells))
    ties = tie_breaks(5, n_cells, rng=rng)
    guess = daily_scores(rng.integers(0, 3, (5, n_cells)), counts, area=area, ties=ties)
    hindsight = daily_scores(counts, counts, area=area, ties=ties)
    some = guess.events > 0
    assert (guess.pai[some] <= 1 / guess.area_share + 1e-12).all()
    assert ((guess.pei[some] >= 0) & (guess.pei[some] <= 1)).all()
    assert (hindsight.pei[some] == 1).all()
    np.testing.assert_allclose(guess.pai[some], guess.pei[some] * hindsight.pai[some])
    assert np.isnan(guess.pai[~some]).all()
    assert (best_captured(counts)[:, -1] == guess.events).all()
    brute = [np.sort(day)[::-1][: guess.k].sum() for day in counts]
    assert guess.best_hits.tolist() == brute


def test_pooling_weighs_events_not_days() -> None:
    # day 1: 1 of 1 event in the flagged half; day 2: 1 of 9. Mean of days 5/9; pooled 2/10, PAI 0.4
    counts, surface = np.array([[1, 0], [1, 8]]), np.array([[2.0, 1.0], [2.0, 1.0]])
    rng = np.random.default_rng(0)
    assert pai(surface, counts, area=0.5, rng=rng).tolist() == [2.0, pytest.approx(2 / 9)]
    assert pooled_pai(surface, counts, area=0.5, rng=rng) == pytest.approx(0.4)


def test_uniform_flags_other_cells_every_day_and_the_same_ones_for_the_same_seed() -> None:
    ties = tie_breaks(40, 50, rng=np.random.default_rng(1))
    order = rank_cells(np.ones((40, 50)), ties=ties)
    assert len({tuple(sorted(row[:5])) for row in order}) > 35
    assert (order == rank_cells(np.full((40, 50), 7.0), ties=tie_breaks(40, 50, rng=np.random.default_rng(1)))).all()


def test_last_bits_choose_no_cell() -> None:
    ties = np.array([[2, 0, 1]])
    assert rank_cells([[0.1 + 0.2, 0.3, 0.3]], ties=ties).tolist() == [[2, 0, 1]]
    assert rank_cells([[0.3001, 0.3, 0.3]], ties=ties).tolist() == [[0, 2, 1]]


def test_area_for_a_share_by_hand() -> None:
    # 10 events in cells 4 3 2 1; 83 % needs 9 events, three cells; 70 % needs 7, two cells
    hits = captured(np.array([[0, 1, 2, 3]]), np.array([[4, 3, 2, 1]]))
    assert area_for_share(hits, share=0.83).tolist() == [0.75]
    assert area_for_share(hits, share=0.70).tolist() == [0.5]


def test_at_random_83_per_cent_of_events_takes_83_per_cent_of_the_map() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(1.0, (50, 2000))
    hits = captured(rank_cells(np.ones(counts.shape), ties=tie_breaks(50, 2000, rng=rng)), counts)
    assert area_for_share(hits, share=0.83).mean() == pytest.approx(0.83, abs=0.005)


def test_poisson_log_score_by_hand() -> None:
    # cells (rate 2, count 3) and (rate floored at 0.01, count 1): 3 ln 2 - 2 - ln 6, and ln 0.01 - 0.01
    expected = 3 * math.log(2) - 2 - math.log(6) + math.log(0.01) - 0.01
    assert log_score([[2.0, 0.0]], [[3, 1]], floor=0.01).tolist() == pytest.approx([expected])


# --- the quartic kernel -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("h", [0.2, 0.5, 0.8, 1.0])
def test_kernel_weights_against_the_closed_form(h: float) -> None:
    own = 1 - 64 * h / (35 * math.pi) + h**2 / (4 * math.pi)
    side = 16 * h / (35 * math.pi) - h**2 / (8 * math.pi)
    corner = h**2 / (16 * math.pi)
    expected = [[corner, side, corner], [side, own, side], [corner, side, corner]]
    np.testing.assert_allclose(cell_weights(250.0 * h, cell_m=250.0), expected, atol=1e-12)


@pytest.mark.parametrize("bandwidth_m", [30.0, 250.0, 300.0, 777.0, 2_000.0])
def test_kernel_integrates_to_one_and_has_the_right_spread(bandwidth_m: float) -> None:
    w = cell_weights(bandwidth_m, cell_m=250.0)
    m = len(w) // 2
    x = (np.arange(len(w)) - m) * 250.0
    assert w.sum() == pytest.approx(1.0, abs=1e-14)
    assert (w >= 0).all()
    np.testing.assert_array_equal(w, w.T)
    np.testing.assert_array_equal(w, w[::-1])
    # mean over the kernel of E|displacement along x|² is h²/8; binning to cells adds at most c²/4
    assert bandwidth_m**2 / 8 <= (w.sum(axis=0) * x**2).sum() <= bandwidth_m**2 / 8 + 250.0**2 / 4


def test_kernel_weights_against_simulated_events() -> None:
    rng, n, h = np.random.default_rng(8), 400_000, 2.4
    start = rng.random((n, 2))
    radius, angle = h * np.sqrt(1 - (1 - rng.random(n)) ** (1 / 3)), 2 * np.pi * rng.random(n)
    end = np.floor(start + np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])).astype(int)
    w = cell_weights(600.0, cell_m=250.0)
    seen = np.zeros_like(w)
    np.add.at(seen, (end[:, 1] + 3, end[:, 0] + 3), 1 / n)
    assert w.shape == (7, 7)
    np.testing.assert_allclose(seen, w, atol=4.5 * math.sqrt(0.15 / n))


def test_map_by_hand_on_three_cells_in_a_row() -> None:
    # h = c. One event on each of 2 days in the middle cell, none elsewhere. On land it reaches itself (own) and two
    # sides; what would go to sea is given back in proportion: own / (own + 2 side), side / (own + 2 side).
    own, side = 1 - 64 / (35 * math.pi) + 1 / (4 * math.pi), 16 / (35 * math.pi) - 1 / (8 * math.pi)
    counts = np.array([[9, 9, 9], [0, 1, 0], [0, 1, 0]])
    surface = load_predictor("retro-quartic", bandwidth_m=250.0, window_days=2).fit(counts, grid=_strip(3)).predict()
    np.testing.assert_allclose(surface, np.array([side, own, side]) / (own + 2 * side), rtol=1e-12)


def test_smoothing_against_a_double_loop_and_nothing_leaks_over_the_sea_edge() -> None:
    rng = np.random.default_rng(4)
    grid = Grid(0.0, 0.0, 250.0, rng.random((8, 7)) < 0.6)
    values, w = rng.random(grid.n_cells), cell_weights(600.0, cell_m=250.0)
    rows, cols = np.nonzero(grid.land)
    expected = np.zeros(grid.n_cells)
    for i in range(grid.n_cells):
        offsets = [(rows[j] - rows[i], cols[j] - cols[i]) for j in range(grid.n_cells)]
        given_to = np.array([w[a + 3, b + 3] if max(abs(a), abs(b)) <= 3 else 0.0 for a, b in offsets])
        expected += values[i] * given_to / given_to.sum()
    smoothed = smooth(values, grid=grid, bandwidth_m=600.0)
    np.testing.assert_allclose(smoothed, expected, rtol=1e-12)
    assert smoothed.sum() == pytest.approx(values.sum(), rel=1e-12)


# --- the trailing mean --------------------------------------------------------------------------------------------


def test_trailing_mean_by_hand() -> None:
    counts = np.zeros((370, 2), dtype=int)
    counts[:6] = 50  # days 0-5 are older than 364 days
    counts[6, 0] = counts[-1, 0] = 182
    counts[-1, 1] = 91
    fitted = load_predictor("trailing-mean").fit(counts, grid=_strip(2))
    assert fitted.predict().tolist() == [1.0, 0.25]
    assert fitted.n_days_used_ == 364
    short = load_predictor("trailing-mean").fit(counts[-4:], grid=_strip(2))
    assert (short.predict().tolist(), short.n_days_used_) == ([182 / 4, 91 / 4], 4)


# --- a published data set -----------------------------------------------------------------------------------------


@pytest.mark.skipif(
    OAKLAND is None, reason="no folder */data/oakland_hrdag beside the checkout (HRDAG replication data)"
)
def test_trailing_180_day_count_captures_718_of_2323_in_oakland() -> None:
    # HRDAG replication data: 661 bins, 20 flagged a day, 2010-12-28 to 2011-12-30; equal counts go to the lower bin
    first, last, origin = dt.date(2010, 12, 28), dt.date(2011, 12, 30), dt.date(2009, 1, 1)
    counts = np.zeros(((last - origin).days + 1, 661), dtype=int)
    assert OAKLAND is not None
    with (OAKLAND / "drug_crimes_with_bins.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            day = (dt.datetime.strptime(row["OCCURRED"], "%m/%d/%y").date() - origin).days
            if row["bin"].isdigit() and day < len(counts):
                counts[day, int(row["bin"]) - 1] += 1
    start = (first - origin).days
    predictor = load_predictor("trailing-mean", window_days=180)
    surfaces = walk_forward(predictor, counts, grid=_strip(661), first_day=start)
    ties = np.tile(np.arange(661), (len(surfaces), 1))
    scores = daily_scores(surfaces, counts[start:], area=20 / 661, ties=ties)
    assert (len(surfaces), scores.k) == (368, 20)
    assert (int(scores.hits.sum()), int(scores.events.sum())) == (718, 2323)
    assert scores.pooled_pai == pytest.approx(718 / 2323 * 661 / 20)
