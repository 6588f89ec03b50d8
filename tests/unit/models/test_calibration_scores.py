"""Brier by hand, recalibration against a regression fitted by other means, intervals that cover."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm

from contrechamp.domain.errors import ParameterError
from models.calibration_scores import RATE_EDGES, brier, calibration, recalibration, recalibration_intervals
from models.resampling import draw_days
from models.scores import tie_breaks
from models.tally import join_blocks, tally_block


def test_brier_by_hand() -> None:
    # p = 1 - exp(-rate): 0 and 1 - 1/e; one event in the second cell, counted once though it had two
    p = 1 - math.exp(-1)
    assert brier([[0.0, 1.0]], [[0, 2]]).tolist() == pytest.approx([(1 - p) ** 2 / 2])
    assert brier([[0.0, 1.0]], [[1, 0]]).tolist() == pytest.approx([(1 + p**2) / 2])


def test_true_chances_have_the_best_brier_score() -> None:
    rng = np.random.default_rng(0)
    rate = rng.gamma(0.5, 0.4, 500)
    counts = rng.poisson(rate, (200, 500))
    scores = {f: brier(np.tile(rate**f, (200, 1)), counts).mean() for f in (0.7, 1.0, 1.4)}
    assert min(scores, key=scores.__getitem__) == 1.0


def test_bins_lose_nothing() -> None:
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.3, 0.5, (6, 80))
    rate[:, :5] = 0.0
    rate[0, 0] = 4000.0  # beyond the last class
    counts = rng.poisson(np.minimum(rate, 2.0))
    found = calibration(rate, counts)
    assert found.cells.sum() == found.classes.sum() == 480
    np.testing.assert_allclose(found.expected.sum(axis=1), rate.sum(axis=1))
    assert found.observed.sum(axis=1).tolist() == counts.sum(axis=1).tolist()
    by_hand = [(rate[2] >= low) & (rate[2] < high) for low, high in pairwise(RATE_EDGES)]
    assert found.cells[2].tolist() == [int(m.sum()) for m in by_hand]
    assert found.observed[2].tolist() == [int(counts[2][m].sum()) for m in by_hand]


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (0.3, 0.6), (-0.4, 1.3)])
def test_recalibration_against_a_poisson_regression(a: float, b: float) -> None:
    rng = np.random.default_rng(5)
    rate = np.maximum(rng.gamma(0.5, 0.6, (20, 400)), 1e-3)
    counts = rng.poisson(np.exp(a) * rate**b)
    found = recalibration(calibration(rate, counts))
    model = sm.GLM(counts.ravel(), sm.add_constant(np.log(rate).ravel()), family=sm.families.Poisson()).fit()
    assert found == pytest.approx(tuple(model.params), abs=5e-4)
    assert found == pytest.approx((a, b), abs=0.12)


def test_slope_interval_covers_a_calibrated_map() -> None:
    covered, reps = 0, 60
    for rep in range(reps):
        rng = np.random.default_rng([7, rep])
        rate = np.tile(np.maximum(rng.gamma(0.5, 0.4, 300), 1e-3), (40, 1))
        draws = draw_days(40, block_days=1.0, n_draws=199, rng=rng)
        _, slope = recalibration_intervals(calibration(rate, rng.poisson(rate)), draws=draws)
        assert slope.low is not None and slope.high is not None
        covered += slope.low <= 1.0 <= slope.high
    assert 0.85 <= covered / reps <= 1.0


def test_flat_maps_and_days_without_events_have_no_slope() -> None:
    draws = draw_days(10, block_days=1.0, n_draws=99, rng=np.random.default_rng(0))
    rate = np.random.default_rng(1).gamma(1.0, 1.0, (10, 30))
    for rates, counts in ((np.full((10, 30), 0.4), np.ones((10, 30), int)), (rate, np.zeros((10, 30), int))):
        found = calibration(rates, counts)
        assert all(math.isnan(v) for v in recalibration(found))
        assert not any(i.estimable for i in recalibration_intervals(found, draws=draws))


def test_two_shapes_are_refused() -> None:
    with pytest.raises(ParameterError, match="shape of counts"):
        calibration(np.ones((2, 3)), np.ones((2, 4)))


def test_blocks_put_end_to_end_are_the_whole() -> None:
    rng = np.random.default_rng(2)
    surfaces, counts = rng.gamma(0.5, 1.0, (11, 40)), rng.poisson(0.3, (11, 40))
    ties, sizes, level = tie_breaks(11, 40, rng=rng), (1, 7), {"truth": 2.0, "records": 1.0}

    def of(start: int, end: int) -> object:
        rows = slice(start, end)
        both = {"truth": counts[rows] * 2, "records": counts[rows]}
        return tally_block(surfaces[rows], both, sizes=sizes, ties=ties[rows], level=level)

    whole = of(0, 11)
    cut = join_blocks([of(0, 4), of(4, 5), of(5, 11)], sizes=sizes)
    for kind in ("truth", "records"):
        for name in ("events", "hits", "above", "log_score", "brier"):
            np.testing.assert_array_equal(getattr(cut.on[kind], name), getattr(whole.on[kind], name))
        np.testing.assert_array_equal(cut.on[kind].calibration.classes, whole.on[kind].calibration.classes)
    np.testing.assert_array_equal(cut.moves.spearman, whole.moves.spearman)
    np.testing.assert_array_equal(cut.moves.jaccard, whole.moves.jaccard)
    assert np.isnan(cut.moves.spearman).tolist() == [True] + [False] * 10
