"""Travel modes: medians as stated, near misses at the share of their law, errors that hit the slow ones most."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.travel_worlds import MODES, NEAR_MISS_S, draw_encounters, mode_shares


def test_medians_and_shares_are_those_stated() -> None:
    assert mode_shares().sum() == pytest.approx(1.0)
    found = draw_encounters(counts=np.full(8, 4_000), size_error=0.0, position_error_m=0.0, rng=stream(1, "e"))
    for i, mode in enumerate(MODES.values()):
        medians = np.exp(np.median(found.measured[found.mode == i], axis=0))
        assert medians == pytest.approx(mode.medians, rel=0.03)


def test_near_misses_come_at_the_share_of_their_law() -> None:
    found = draw_encounters(counts=np.full(8, 5_000), size_error=0.1, position_error_m=0.0, rng=stream(2, "e"))
    share = stats.norm.cdf((math.log(NEAR_MISS_S) - math.log(4.0)) / 0.7)
    assert found.near_miss.mean() == pytest.approx(share, abs=0.006)
    assert (found.flagged == found.near_miss).all()  # without an error of position nothing is misread


def test_an_error_of_position_costs_the_slow_more() -> None:
    found = draw_encounters(counts=np.full(8, 5_000), size_error=0.1, position_error_m=0.5, rng=stream(3, "e"))
    wrong = found.flagged != found.near_miss
    walk, car = (wrong[found.mode == list(MODES).index(m)].mean() for m in ("walk", "car"))
    assert walk > 3 * car


def test_bad_parameters_are_named() -> None:
    for change in ({"counts": [1, 2]}, {"size_error": -0.1}, {"position_error_m": -1.0}, {"median_gap_s": 0.0}):
        good = {"counts": np.full(8, 2), "size_error": 0.1, "position_error_m": 0.1}
        with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
            draw_encounters(**(good | change), rng=stream(4, "e"))  # type: ignore[arg-type]
