"""Risk terrain: planted layers are found, unrelated ones mostly not, and the map is what the layers say."""

from __future__ import annotations

import io

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates, Events
from models.base import Seen
from models.risk_terrain import RiskTerrain, block_folds, choose_penalty

LAND = np.ones((40, 50), dtype=bool)
GRID = Grid(0.0, 0.0, 250.0, LAND)


def _city(seed: int, weights: tuple[float, ...] = (), *, n: float = 4_000.0) -> tuple[np.ndarray, Covariates]:
    """One day of counts, and eight smooth layers of which the first ones drive them by ``weights``."""
    rng = np.random.default_rng(seed)
    layers = {}
    for j in range(8):
        field = gaussian_filter(rng.normal(size=LAND.shape), 3).ravel()
        layers[f"layer_{j}"] = (field - field.mean()) / field.std()
    eta = sum((w * layers[f"layer_{j}"] for j, w in enumerate(weights)), np.zeros(GRID.n_cells))
    rate = np.exp(eta) / np.exp(eta).sum() * n
    return rng.poisson(rate)[None].astype(np.int32), Covariates(places=layers)


def _fitted(seed: int, weights: tuple[float, ...] = (), **params: float) -> RiskTerrain:
    counts, beside = _city(seed, weights)
    return RiskTerrain(**params).fit(counts, grid=GRID, covariates=beside)  # type: ignore[arg-type]


def test_planted_layers_are_found_with_their_values_and_few_others() -> None:
    found, others, values = 0, 0, []
    for seed in range(12):
        kept = _fitted(seed, (0.4, -0.3)).layer_coefficient_
        found += bool(kept[0] > 0 > kept[1])
        others += int(np.count_nonzero(kept[2:]))
        values.append(kept[:2])
    assert found >= 11  # 50 of 50 in a longer run
    assert others / (12 * 6) <= 0.05  # 0.7 % there
    np.testing.assert_allclose(np.mean(values, axis=0), [0.4, -0.3], atol=0.02)


def test_nothing_planted_little_found() -> None:
    kept = [np.count_nonzero(_fitted(1_000 + seed).layer_coefficient_) for seed in range(12)]
    assert np.sum(kept) / (12 * 8) <= 0.15  # 4 % in a run of 50
    assert np.count_nonzero(kept) <= 5  # 16 % there


def test_the_least_rule_keeps_more() -> None:
    careful = sum(np.count_nonzero(_fitted(s, (0.15, -0.1)).layer_coefficient_) for s in range(4))
    least = sum(np.count_nonzero(_fitted(s, (0.15, -0.1), rule="least").layer_coefficient_) for s in range(4))
    assert least >= careful > 0


def test_the_map_is_what_rate_says_of_the_design() -> None:
    counts, beside = _city(0, (0.4, -0.3))
    model = RiskTerrain().fit(counts, grid=GRID, covariates=beside)
    table = model.design(Seen(Events.from_counts(counts, grid=GRID), GRID, beside), 1)
    assert model.feature_names_ == tuple(f"layer_{j}" for j in range(8))
    assert table.shape == (GRID.n_cells, 8)
    np.testing.assert_allclose(model.rate(table), model.predict(), rtol=1e-12)
    assert model.rate(table).sum() == pytest.approx(counts.sum(), rel=1e-12)
    table[:, 0] += model.layer_sd_[0]  # one standard deviation more, everywhere
    np.testing.assert_allclose(model.rate(table), model.relative_risk_["layer_0"] * model.predict(), rtol=1e-12)
    assert model.coefficients_["layer_0"] == pytest.approx(np.log(model.relative_risk_["layer_0"]))


def test_units_of_a_layer_change_nothing_and_a_flat_one_is_dropped() -> None:
    counts, beside = _city(0, (0.4, -0.3))
    plain = RiskTerrain().fit(counts, grid=GRID, covariates=beside)
    other = dict(beside.places) | {"layer_0": 1_000 + 250 * beside.places["layer_0"], "flat": np.full(2_000, 2_500.0)}
    moved = RiskTerrain().fit(counts, grid=GRID, covariates=Covariates(places=other))
    np.testing.assert_allclose(moved.predict(), plain.predict(), rtol=1e-8)
    assert moved.relative_risk_["flat"] == 1.0


def test_layers_must_still_be_there_at_the_next_update() -> None:
    counts, beside = _city(0, (0.4,))
    model = RiskTerrain().fit(counts, grid=GRID, covariates=beside)
    fewer = Covariates(places={"layer_1": beside.places["layer_1"]})
    with pytest.raises(ParameterError, match="those of the last fit, 'layer_0' among them"):
        model.update(np.vstack([counts, counts]), covariates=fewer).predict()


def test_what_was_learned_survives_storage() -> None:
    model = _fitted(0, (0.4, -0.3))
    file = io.BytesIO()
    np.savez(file, **model.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = RiskTerrain.from_arrays(model.get_params(), dict(arrays))
    assert again.relative_risk_ == model.relative_risk_
    table = np.random.default_rng(0).normal(size=(5, 8))
    assert (again.rate(table) == model.rate(table)).all()


def test_folds_are_blocks_spread_over_the_city() -> None:
    fold = block_folds(GRID, folds=10, block_m=1_500.0)
    assert np.bincount(fold).min() >= 0.6 * GRID.n_cells / 10
    raster = GRID.raster(fold)
    assert (raster[:6, :6] == raster[0, 0]).all()
    assert (raster[0, :-6:6] != raster[0, 6::6]).all()
    assert (raster[:-6:6, 0] != raster[6::6, 0]).all()
    small = Grid(0.0, 0.0, 250.0, np.ones((3, 4), dtype=bool))
    assert len(set(block_folds(small, folds=10, block_m=1_500.0).tolist())) == 10


def test_the_rules_on_losses_worked_by_hand() -> None:
    losses = np.array([[4.0, 2.0, 1.0, 2.0], [4.0, 1.2, 1.0, 1.5], [4.0, 0.9, 1.0, 1.2]])
    assert choose_penalty(losses, rule="least") == 2
    # Second penalty: 1, 0.2 and -0.1 more than the best: mean 0.367, standard error 0.328. First: 3 ± 0.
    assert choose_penalty(losses, rule="one-se") == 2
    losses[0, 1] = 1.5  # now 0.5, 0.2, -0.1: mean 0.2, standard error 0.173
    assert choose_penalty(losses, rule="one-se") == 2
    losses[0, 1] = 1.2  # 0.2, 0.2, -0.1: mean 0.1, standard error 0.1
    losses[1, 1] = 1.19
    assert choose_penalty(losses, rule="one-se") == 1
    assert choose_penalty(losses[:1], rule="one-se") == 0
