"""The network: it learns what is planted, invents nothing from noise, repeats itself, and leaves PyTorch as it was."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from contrechamp.domain.errors import CapabilityError, ParameterError
from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.history import Covariates
from models import load_predictor
from models.scores import log_score
from models.st_net import StNet
from models.st_net_layers import flatten, initial_weights, layer_shapes, unflatten
from models.walk import walk_forward

SIDE = 12
GRID = Grid(0.0, 0.0, 250.0, np.ones((SIDE, SIDE), dtype=bool))
N_DAYS, FIRST = 200, 160
SMALL = Grid(0.0, 0.0, 250.0, np.ones((6, 6), dtype=bool))
QUICK = {"width": 4, "blocks": 1, "epochs": 2}


def _world(planted: str) -> tuple[np.ndarray, FloatArray]:
    """Counts and their true mean: steady places, and a band that moves a row a day, or weekends that double."""
    rng = np.random.default_rng(0)
    base = rng.gamma(1.0, 0.15, GRID.n_cells)
    mean = np.tile(base, (N_DAYS, 1))
    if planted == "moving":
        for day in range(N_DAYS):
            band = np.zeros(GRID.shape)
            band[day % SIDE, 3:9] = 0.8
            mean[day] += band.ravel()
    if planted == "weekday":
        mean[np.arange(N_DAYS) % 7 >= 5] *= 3.0
    return rng.poisson(mean), mean


def _gains(counts: np.ndarray, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log score over the trailing mean, day by day: of the network, and of the true mean."""
    net = walk_forward(StNet(device="cpu"), counts, grid=GRID, first_day=FIRST, refit_every=N_DAYS)
    base = walk_forward(load_predictor("trailing-mean"), counts, grid=GRID, first_day=FIRST)
    seen = counts[FIRST:]
    return log_score(net, seen) - log_score(base, seen), log_score(mean[FIRST:], seen) - log_score(base, seen)


@pytest.mark.parametrize(("planted", "least"), [("moving", 0.35), ("weekday", 0.5)])
def test_it_learns_what_the_mean_cannot_see(planted: str, least: float) -> None:
    gain, possible = _gains(*_world(planted))
    assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(len(gain))
    assert gain.sum() > least * possible.sum()


def test_on_noise_it_stays_the_long_run_mean() -> None:
    counts, _ = _world("nothing")
    gain, possible = _gains(counts, _world("nothing")[1])
    net = StNet(device="cpu").fit(counts[:FIRST], grid=GRID)
    assert net.losses_.argmin() == 0  # no epoch foretold the days kept aside better
    assert net.losses_[-1] > 1.1 * net.losses_[0]  # what it would have been without choosing
    assert abs(gain.mean()) < 3 * gain.std(ddof=1) / np.sqrt(len(gain))
    assert gain.sum() < possible.sum()


def test_untrained_it_is_the_long_run_mean_softened() -> None:
    counts = np.random.default_rng(1).poisson(0.4, (30, SMALL.n_cells))
    net = StNet().fit(counts, grid=SMALL)
    mean = counts.mean(axis=0)
    np.testing.assert_allclose(net.predict(), (mean + 0.05 * mean.mean()) / 1.05, rtol=1e-5)
    assert net.losses_.size == 0
    assert net.layers_["say.weight"].tolist() == np.zeros((1, 16, 1, 1)).tolist()


def test_same_bits_whatever_the_threads_and_beside_another() -> None:
    counts = np.random.default_rng(2).poisson(0.4, (80, SMALL.n_cells))
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.random.get_rng_state()
    alone = StNet(**QUICK).fit(counts, grid=SMALL)
    maps: list[FloatArray] = []
    try:
        torch.set_num_threads(2)
        runs = [
            threading.Thread(target=lambda: maps.append(StNet(**QUICK).fit(counts, grid=SMALL).predict()))
            for _ in range(2)
        ]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before[0])
    assert all((one == alone.predict()).all() for one in maps)
    assert len(maps) == 2
    assert (StNet(**QUICK, seed=1).fit(counts, grid=SMALL).weights_ != alone.weights_).any()
    assert torch.are_deterministic_algorithms_enabled() == before[1]
    assert (torch.random.get_rng_state() == before[2]).all()


def test_update_reads_newer_days_on_the_scale_it_learned() -> None:
    counts = np.random.default_rng(3).poisson(0.4, (90, SMALL.n_cells))
    net = StNet(**QUICK).fit(counts[:80], grid=SMALL)
    weights, mean = net.weights_.copy(), net.mean_
    moved = net.update(counts).predict()
    assert (net.weights_ == weights).all()
    assert net.mean_ == mean == counts[:80].mean()
    long_way = StNet(**QUICK).fit(counts[:80], grid=SMALL)
    assert (long_way.update(counts).predict() == moved).all()
    with pytest.raises(ParameterError, match="the 0 layers it was fitted on"):
        net.update(counts, covariates=Covariates(days={"warm": np.zeros(95)})).predict()


def test_layers_are_flattened_and_found_again() -> None:
    shapes = layer_shapes(channels=5, features=9, width=3, blocks=1)
    assert sum(int(np.prod(s)) for s in shapes.values()) == 3 * 5 * 9 + 3 + 27 + 2 * (3 * 3 * 9 + 3) + 3 + 1 + 1
    weights = initial_weights(shapes, rng=np.random.default_rng(0))
    again = unflatten(flatten(weights), shapes)
    assert list(again) == list(weights) == list(shapes)
    assert all((again[name] == weights[name]).all() and again[name].dtype == np.float32 for name in shapes)
    counts = np.random.default_rng(3).poisson(0.4, (60, SMALL.n_cells))
    net = StNet(**QUICK).fit(counts, grid=SMALL)
    assert net.shapes_[0].tolist() == [4, 14, 3, 3]
    assert net.shapes_[-1].tolist() == [1, 0, 0, 0]
    assert sum(int(np.prod(s[s > 0])) for s in net.shapes_) == net.weights_.size


def test_importing_the_predictors_imports_no_network_library() -> None:
    code = "import sys, models, models.st_net, models.ensemble; assert not {'torch', 'onnx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_an_accelerator_that_is_not_there_is_said() -> None:
    with pytest.raises(CapabilityError, match="sees no CUDA device here"):
        StNet(device="cuda").fit(np.zeros((2, SMALL.n_cells)), grid=SMALL)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine: the GPU path was not run")
def test_an_accelerator_gives_the_same_map_and_repeats_itself() -> None:
    counts, _ = _world("moving")
    on_cpu = StNet(device="cpu").fit(counts, grid=GRID)
    on_gpu = [StNet(device="cuda").fit(counts, grid=GRID) for _ in range(2)]
    assert (on_gpu[0].weights_ == on_gpu[1].weights_).all()
    assert (on_gpu[0].predict() == on_gpu[1].predict()).all()
    np.testing.assert_allclose(on_gpu[0].losses_, on_cpu.losses_, rtol=0.02)
    np.testing.assert_allclose(on_gpu[0].losses_[0], on_cpu.losses_[0], rtol=1e-5)
    on_cpu.device = "cuda"  # the same weights on the accelerator
    elsewhere = on_cpu.update(counts).predict()
    on_cpu.device = "cpu"
    np.testing.assert_allclose(elsewhere, on_cpu.update(counts).predict(), rtol=1e-5)
