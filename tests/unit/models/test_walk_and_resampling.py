"""Walk-forward hides the future; intervals over days cover what they say."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from models import load_predictor
from models.resampling import block_length, draw_days, ratio_interval
from models.scores import flagged_size
from models.walk import walk_forward

GRID = Grid(0.0, 0.0, 250.0, np.ones((4, 5), dtype=bool))


@pytest.mark.parametrize("key", ["uniform", "trailing-mean", "retro-quartic"])
def test_a_day_and_those_after_it_do_not_reach_its_map(key: str) -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, (30, 20))
    changed = counts.copy()
    changed[25:] += 7
    before, after = (walk_forward(load_predictor(key), c, grid=GRID, first_day=20) for c in (counts, changed))
    assert (before[:6] == after[:6]).all()
    assert (before[6:] != after[6:]).any()


def test_a_late_record_is_hidden_until_the_morning_after_its_entry() -> None:
    counts = np.zeros((8, 20), dtype=np.int32)
    counts[2, 3] = 2
    late = np.array([[2, 3, 4]])  # one of the two bears day 2 and enters on day 4
    mean = load_predictor("trailing-mean")
    surfaces = walk_forward(mean, counts, grid=GRID, first_day=1, late=late)
    assert (surfaces[:, 3] * np.arange(1, 8)).round(9).tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert counts[2, 3] == 2


@pytest.mark.parametrize("first_day", [0, 8, -1])
def test_first_day_needs_a_past_and_a_future(first_day: int) -> None:
    with pytest.raises(ParameterError, match="first_day"):
        walk_forward(load_predictor("uniform"), np.zeros((8, 20)), grid=GRID, first_day=first_day)


def test_share_of_area_is_a_share() -> None:
    assert flagged_size(1.0, n_cells=7) == 7
    with pytest.raises(ParameterError, match=r"1 % is written 0\.01"):
        flagged_size(5, n_cells=100)


def test_block_length_is_one_for_noise_and_constants_and_grows_with_memory() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=400)
    memory = np.zeros(400)
    for t in range(1, 400):
        memory[t] = 0.8 * memory[t - 1] + noise[t]
    assert block_length([np.ones(50)]) == 1.0
    assert block_length([noise]) < 4
    assert block_length([noise, memory]) > 8
    assert block_length([np.array([0.0, 1.0])]) == 1.0


def test_draws_keep_the_number_of_days_and_follow_the_generator() -> None:
    one, two = (draw_days(30, block_days=3.0, n_draws=50, rng=np.random.default_rng(4)) for _ in range(2))
    assert (one.weights.sum(axis=1) == 30).all()
    assert (one.weights == two.weights).all()
    assert "mean block 3.00 days" in one.method


def test_interval_of_a_ratio_covers_at_about_its_level() -> None:
    # AR(1) noise shared by consecutive days, 56 days, true ratio 0.3
    covered, reps = 0, 150
    for rep in range(reps):
        rng = np.random.default_rng([11, rep])
        bottom = rng.poisson(200, 56).astype(float)
        noise = rng.normal(0, 6, 56)
        for t in range(1, 56):
            noise[t] += 0.3 * noise[t - 1]
        top = 0.3 * bottom + noise
        draws = draw_days(56, block_days=block_length([noise]), n_draws=199, rng=rng)
        i = ratio_interval(top, bottom, draws=draws)
        assert i.low is not None and i.high is not None
        covered += i.low <= 0.3 <= i.high
    assert 0.84 <= covered / reps <= 0.99


def test_scale_shift_and_edges_of_the_ratio() -> None:
    draws = draw_days(10, block_days=1.0, n_draws=199, rng=np.random.default_rng(0))
    top, bottom = np.arange(10.0), np.full(10, 5.0)
    plain, gain = ratio_interval(top, bottom, draws=draws), ratio_interval(top, bottom, draws=draws, shift=-1.0)
    pai = ratio_interval(top, bottom, draws=draws, scale=20.0)
    assert (plain.estimate, plain.n) == (0.9, 10)
    assert gain.low == pytest.approx(plain.low - 1)
    assert pai.high == pytest.approx(20 * plain.high)
    same = ratio_interval(bottom, bottom, draws=draws, shift=-1.0)
    assert (same.estimate, same.low, same.high) == (0.0, 0.0, 0.0)


def test_nothing_to_divide_by_is_said() -> None:
    draws = draw_days(10, block_days=1.0, n_draws=199, rng=np.random.default_rng(0))
    assert not ratio_interval(np.ones(10), np.zeros(10), draws=draws).estimable
    once = np.zeros(10)
    once[3] = 1.0  # a third of the draws miss the only day with an event
    assert not ratio_interval(once, once, draws=draws).estimable
