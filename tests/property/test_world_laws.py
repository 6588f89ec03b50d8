"""Laws of the worlds of counts, and of the small pieces they are made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.city import share_out
from synthetic_data.count_worlds import draw_count_world, spread


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kappa=st.floats(0, 0.9),
    bias=st.floats(0, 1),
    shape=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    n_days=st.integers(1, 12),
)
def test_records_are_a_part_of_what_happened_in_every_world(seed, kappa, bias, shape, n_days):
    world = draw_count_world(
        n_days=n_days, grid_shape=shape, kappa=kappa, recording_bias=bias, latent_per_day=50, records_per_day=15,
        rng=stream(seed, "law"),
    )  # fmt: skip
    cells = shape[0] * shape[1]
    for table in (world.latent, world.recorded, world.p_recorded, world.intensity, world.background):
        assert table.shape == (n_days, cells)
    assert world.latent.dtype == world.recorded.dtype == np.int32
    assert (world.recorded >= 0).all()
    assert (world.recorded <= world.latent).all()
    assert ((world.p_recorded >= 0) & (world.p_recorded <= 0.95)).all()
    assert (world.intensity >= world.background).all()
    assert world.grid.n_cells == cells


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10_000))
def test_spreading_moves_mass_and_loses_none(ny, nx, seed):
    values = np.random.default_rng(seed).random((ny, nx))
    out = spread(values)
    assert out.sum() == pytest.approx(values.sum())
    slow = np.zeros_like(values)  # second implementation, cell by cell
    for i in range(ny):
        for j in range(nx):
            slow[i, j] += 0.5 * values[i, j]
            for di in (-1, 0, 1):
                for dj in (-1, 0, 1):
                    if (di, dj) != (0, 0):
                        inside = 0 <= i + di < ny and 0 <= j + dj < nx
                        to = (i + di, j + dj) if inside else (i, j)
                        slow[to] += values[i, j] / 16
    assert np.allclose(out, slow)


def test_without_excitation_counts_are_poisson_within_cell_and_day():
    world = draw_count_world(n_days=120, grid_shape=(30, 32), kappa=0.0, rng=stream(2, "world"))
    gap = (world.latent - world.intensity) ** 2 / world.intensity
    # the mean of the dispersion has expectation 1; its standard error from the Poisson fourth moment
    error = np.sqrt((2 + 1 / world.intensity).sum()) / world.latent.size
    assert gap.mean() == pytest.approx(1.0, abs=4 * error)
    assert np.array_equal(world.intensity, world.background)


def test_mean_follows_the_exact_recursion_with_excitation():
    """Oracle: totals obey m[d] = b[d] + kappa * s[d], s[d] = r s[d-1] + (1 - r) m[d-1], started in steady state."""
    kappa, days_scale, reps = 0.5, 4.0, 60
    gaps = []
    for rep in range(reps):
        w = draw_count_world(
            n_days=60, grid_shape=(6, 6), kappa=kappa, latent_per_day=400, records_per_day=120,
            near_repeat_days=days_scale, rng=stream(9, "rep", rep),
        )  # fmt: skip
        background = w.background.sum(axis=1)
        keep = np.exp(-1 / days_scale)
        memory = background.mean() / (1 - kappa)
        expected = np.empty(60)
        for d in range(60):
            expected[d] = background[d] + kappa * memory
            memory = keep * memory + (1 - keep) * expected[d]
        gaps.append(w.latent.sum(axis=1)[20:].mean() / expected[20:].mean() - 1)
    gaps = np.array(gaps)
    assert abs(gaps.mean()) < 4 * gaps.std(ddof=1) / np.sqrt(reps) + 0.002
    assert expected[20:].mean() == pytest.approx(400, rel=0.05)


def test_default_volumes_are_calibrated_and_bias_follows_patrols():
    even = draw_count_world(n_days=60, rng=stream(1, "w"))
    assert even.latent.shape == (60, 3840)
    assert even.latent.sum() / 60 == pytest.approx(2700, rel=0.02)
    assert even.recorded.sum() / 60 == pytest.approx(822, rel=0.03)
    assert np.ptp(even.p_recorded) == 0
    skewed = draw_count_world(n_days=60, recording_bias=0.8, rng=stream(1, "w"))
    assert skewed.recorded.sum() / 60 == pytest.approx(822, rel=0.03)
    assert np.array_equal(skewed.latent, even.latent)  # the bias touches the record, not what happened
    assert np.corrcoef(skewed.p_recorded.mean(axis=0), skewed.patrol)[0, 1] > 0.9


def test_excitation_leaves_a_trace_that_its_absence_does_not():
    def lag_one(kappa):
        w = draw_count_world(n_days=200, grid_shape=(20, 20), kappa=kappa, rng=stream(6, "w"))
        residual = (w.latent - w.background / (1 - kappa)) / np.sqrt(w.background / (1 - kappa))
        residual = residual - residual.mean(axis=0)
        return float((residual[1:] * residual[:-1]).mean())

    assert lag_one(0.5) > 0.05 > 0.02 > abs(lag_one(0.0))


@pytest.mark.parametrize(
    "bad", [{"kappa": 1.0}, {"kappa": -0.1}, {"recording_bias": 2.0}, {"n_days": 0}, {"records_per_day": 9999.0}]
)
def test_parameters_out_of_range_are_refused(bad):
    with pytest.raises(ParameterError):
        draw_count_world(rng=stream(1, "w"), **bad)


@given(st.integers(0, 100_000), st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50))
def test_whole_numbers_are_shared_out_exactly_and_closely(total, weights):
    w = np.array(weights)
    parts = share_out(total, w)
    assert parts.sum() == total
    assert (np.abs(parts - total * w / w.sum()) < 1 + 1e-6).all()
