"""Several files of records of one world: nested, of the share asked for, and biased towards patrols only when told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.count_records import draw_incidents
from synthetic_data.count_worlds import draw_latent_world, recording_chance

WORLD = draw_latent_world(n_days=60, grid_shape=(10, 12), latent_per_day=400.0, kappa=0.3, rng=stream(1, "w"))
INCIDENTS = draw_incidents(WORLD, first_day=10, rng=stream(1, "i"))


def _counts(log) -> np.ndarray:
    out = np.zeros((50, 120), dtype=int)
    np.add.at(out, (log.points.t_days.astype(int), log.points.cell), 1)
    return out


def test_every_incident_is_placed_in_its_day_and_cell():
    everything = INCIDENTS.recorded(share=1.0, bias=0.0)
    np.testing.assert_array_equal(_counts(everything), WORLD.latent[10:])
    assert (np.diff(INCIDENTS.t_days) >= 0).all()
    np.testing.assert_array_equal(WORLD.grid.cell_of(INCIDENTS.x_m, INCIDENTS.y_m), INCIDENTS.cell)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.02, 0.9), st.floats(0.02, 0.9), st.floats(0.0, 1.0))
def test_a_larger_share_contains_the_smaller_one(one, other, bias):
    few, many = sorted((one, other))
    small, large = (_counts(INCIDENTS.recorded(share=s, bias=bias)) for s in (few, many))
    assert (small <= large).all()
    n = len(INCIDENTS)
    assert abs(large.sum() / n - many) < 5 * np.sqrt(many * (1 - many) / n) + 1e-9


def test_records_follow_patrols_only_when_they_are_told_to():
    def slope(bias: float) -> float:
        share = _counts(INCIDENTS.recorded(share=0.3, bias=bias)).sum(axis=0) / np.maximum(
            WORLD.latent[10:].sum(axis=0), 1
        )
        return float(np.corrcoef(share, WORLD.patrol)[0, 1])

    assert slope(1.0) > 0.8
    assert abs(slope(0.0)) < 0.3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 50.0), min_size=1, max_size=40), st.floats(0.0, 1.0), st.floats(0.01, 0.94))
def test_the_chance_has_the_mean_asked_for_and_the_ceiling(presence, bias, share):
    p = recording_chance(np.array(presence), bias=bias, share=share)
    assert p.max() <= 0.95 + 1e-12
    assert p.mean() == pytest.approx(share, rel=1e-6)
    slow = np.array(presence)
    raw = (1 - bias) + bias * slow / slow.mean()
    low, high = 0.0, 1e6  # second implementation: bisection
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle * raw, 0.95).mean() < share else (low, middle)
    np.testing.assert_allclose(p, np.minimum(high * raw, 0.95), rtol=1e-4)


@pytest.mark.parametrize("bad", [{"share": 0.0, "bias": 0.0}, {"share": 1.2, "bias": 0.0}, {"share": 0.5, "bias": 2.0}])
def test_parameters_out_of_range_are_refused(bad):
    with pytest.raises(ParameterError):
        INCIDENTS.recorded(**bad)
