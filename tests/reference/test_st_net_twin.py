"""The network's forward pass, spelled out twice more: loops over cells in numpy, and its ONNX graph run elsewhere."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates, Events
from models.base import Seen
from models.st_net import StNet
from models.st_net_layers import run_network
from models.st_net_stacks import Scales, Stacks

LAND = np.ones((5, 6), dtype=bool)
LAND[0, 4:] = False
GRID = Grid(0.0, 0.0, 250.0, LAND)


@pytest.fixture(scope="module")
def fitted() -> StNet:
    rng = np.random.default_rng(2)
    counts = rng.poisson(rng.gamma(1.0, 0.4, GRID.n_cells), (90, GRID.n_cells))
    return StNet(width=3, blocks=2, epochs=3, validation_days=10).fit(counts, grid=GRID, covariates=_beside())


def _beside() -> Covariates:
    rng = np.random.default_rng(3)
    return Covariates(
        places={"bars": rng.gamma(1.0, 2.0, GRID.n_cells)}, days={"warm": rng.normal(size=95)},
        cell_days={"crowd": rng.normal(size=(95, GRID.n_cells))}, first_weekday=2,
    )  # fmt: skip


def _convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Every output cell, one at a time: the sum of what its neighbours hold, nothing beyond the edge."""
    reach = weight.shape[2] // 2
    out = np.zeros((len(weight), *x.shape[1:]))
    for o in range(len(weight)):
        for r in range(x.shape[1]):
            for c in range(x.shape[2]):
                total = float(bias[o])
                for dr in range(-reach, reach + 1):
                    for dc in range(-reach, reach + 1):
                        if 0 <= r + dr < x.shape[1] and 0 <= c + dc < x.shape[2]:
                            total += float(weight[o, :, dr + reach, dc + reach] @ x[:, r + dr, c + dc])
                out[o, r, c] = total
    return out


def _expected_slowly(layers: dict[str, np.ndarray], rasters: np.ndarray, days: np.ndarray, level: np.ndarray):
    w = {name: value.astype(np.float64) for name, value in layers.items()}
    x = _convolved(rasters.astype(np.float64), w["read.weight"], w["read.bias"])
    x += (w["day.weight"] @ days.astype(np.float64))[:, None, None]
    for block in range(2):
        inner = _convolved(np.maximum(x, 0), w[f"block{block}a.weight"], w[f"block{block}a.bias"])
        x = x + _convolved(np.maximum(inner, 0), w[f"block{block}b.weight"], w[f"block{block}b.bias"])
    said = _convolved(np.maximum(x, 0), w["say.weight"], w["say.bias"])[0]
    return np.log1p(np.exp(w["skip.weight"][0] * level + said))


def _stacks(fitted: StNet) -> Stacks:
    return fitted._stacks(fitted._seen)


def test_loops_over_cells_give_the_same_map(fitted: StNet) -> None:
    batch = _stacks(fitted).batch(np.array([90]))
    slow = _expected_slowly(fitted.layers_, batch.rasters[0], batch.days[0], batch.level[0])
    assert fitted.layers_["say.weight"].any()  # it was trained: the blocks speak
    np.testing.assert_allclose(fitted.predict(), fitted.mean_ * slow[LAND], rtol=2e-6)


def test_another_run_time_gives_the_same_maps(fitted: StNet) -> None:
    model = fitted.to_onnx()
    assert {node.op_type for node in onnx.load_from_string(model).graph.node} == {
        "Conv", "MatMul", "Unsqueeze", "Add", "Relu", "Squeeze", "Mul", "Softplus",
    }  # fmt: skip
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    batch = _stacks(fitted).batch(np.array([70, 80, 90]))
    (out,) = session.run(None, {"rasters": batch.rasters, "days": batch.days, "level": batch.level})
    np.testing.assert_allclose(out[2][LAND], fitted.predict(), rtol=1e-5)
    torch_out = fitted.mean_ * run_network(fitted.layers_, batch, blocks=2, device="cpu")
    np.testing.assert_allclose(out, torch_out, rtol=1e-5)


def test_rasters_are_the_counts_of_the_days_they_say() -> None:
    rng = np.random.default_rng(4)
    counts = rng.poisson(1.0, (60, GRID.n_cells))
    beside = _beside()
    seen = Seen(Events.from_counts(counts, grid=GRID), GRID, beside)
    scales = Scales.of(seen, window_days=40)
    stacks = Stacks(seen, scales, closeness_days=3, period_weeks=2, window_days=40)
    day = 51
    batch = stacks.batch(np.array([day, 61]))
    mean = counts[20:].mean()
    assert scales.mean == mean
    assert (stacks.first_day, stacks.n_channels, stacks.n_features) == (14, 10, 8)
    for channel, lag in enumerate([1, 2, 3, 7, 14]):
        np.testing.assert_allclose(batch.rasters[0, channel][LAND], np.log1p(counts[day - lag] / mean), rtol=1e-6)
    long_run = counts[day - 40 : day].mean(axis=0)
    np.testing.assert_allclose(
        batch.rasters[0, 5][LAND], np.log1p(counts[day - 28 : day].mean(axis=0) / mean), rtol=1e-6
    )
    np.testing.assert_allclose(batch.rasters[0, 6][LAND], np.log1p(long_run / mean), rtol=1e-6)
    np.testing.assert_allclose(
        np.log1p(np.exp(batch.level[0][LAND].astype(float))), (long_run / mean + 0.05) / 1.05, rtol=1e-5
    )
    bars, crowd, warm = beside.places["bars"], beside.cell_days["crowd"], beside.days["warm"]
    np.testing.assert_allclose(batch.rasters[0, 8][LAND], (bars - bars.mean()) / bars.std(), rtol=1e-5)
    np.testing.assert_allclose(
        batch.rasters[0, 9][LAND], (crowd[day] - crowd[20:60].mean()) / crowd[20:60].std(), rtol=1e-4, atol=1e-6
    )
    assert batch.days[0, :7].tolist() == [float(k == (2 + day) % 7) for k in range(7)]
    assert batch.days[0, 7] == pytest.approx((warm[day] - warm[20:60].mean()) / warm[20:60].std(), rel=1e-5)
    assert (batch.rasters[:, :, ~LAND] == 0).all()
    # day 61 is two days ahead of what was seen: day 60 is not known, its raster holds the long-run mean
    ahead = counts[20:].mean(axis=0)
    np.testing.assert_allclose(batch.rasters[1, 0][LAND], np.log1p(ahead / mean), rtol=1e-6)
    np.testing.assert_allclose(batch.rasters[1, 1][LAND], np.log1p(counts[59] / mean), rtol=1e-6)
    np.testing.assert_allclose(stacks.target(np.array([day]))[0][LAND], counts[day] / mean, rtol=1e-6)
