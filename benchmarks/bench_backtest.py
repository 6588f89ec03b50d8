"""Walk-forward backtest at the size of a city, against the obvious way of doing it, in the same run.

    python benchmarks/bench_backtest.py [--days 56]

The baseline spreads every event by the kernel one at a time, in a Python loop over the events of the window, and
counts hits by sorting each day apart. Both must give the same map before times are compared.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from contrechamp.domain.grid import Grid
from contrechamp.pipelines.backtest import backtest
from models import load_predictor
from models.retrospective import cell_weights
from models.walk import walk_forward

N_DAYS, RECORDS_PER_DAY = 420, 822


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=56, help="days predicted one by one")
    days = parser.parse_args().days
    rng = np.random.default_rng(0)
    land = np.ones((80, 60), dtype=bool)
    land[:32, :30] = False
    grid = Grid(0.0, 0.0, 250.0, land)
    rate = rng.gamma(0.5, 1.0, grid.n_cells)
    truth = rng.poisson(2700 * rate / rate.sum(), (N_DAYS, grid.n_cells)).astype(np.int32)
    records = rng.binomial(truth, RECORDS_PER_DAY / 2700).astype(np.int32)
    first = N_DAYS - days
    backtest(records[-30:], truth[-30:], grid=grid, first_day=20, seed=0)  # imports and caches

    clock = time.perf_counter()
    outcome = backtest(records, truth, grid=grid, first_day=first, seed=0)
    whole = time.perf_counter() - clock
    clock = time.perf_counter()
    fast = walk_forward(load_predictor("retro-quartic"), records, grid=grid, first_day=N_DAYS - 2)
    fast_s = (time.perf_counter() - clock) / 2
    clock = time.perf_counter()
    slow = _event_by_event(records[N_DAYS - 57 : N_DAYS - 1], grid=grid)
    slow_s = time.perf_counter() - clock
    worst = float(np.abs(slow - fast[-1]).max() / slow.max())
    print(f"{grid.n_cells} cells, {N_DAYS} days, {int(records.sum())} records, {days} days predicted")
    print(f"backtest, 3 predictors, 2 areas, truth and records: {whole:6.2f} s ({len(outcome.results)} results)")
    print(f"retro-quartic, one day, convolution:               {fast_s * 1e3:8.2f} ms")
    print(f"retro-quartic, one day, event by event (baseline): {slow_s * 1e3:8.2f} ms")
    print(f"ratio {slow_s / fast_s:.0f}×; largest relative difference between the two maps {worst:.1e}")


def _event_by_event(window: np.ndarray, *, grid: Grid) -> np.ndarray:
    kernel = cell_weights(300.0, cell_m=grid.cell_m)
    m = len(kernel) // 2
    rows, cols = np.nonzero(grid.land)
    padded = np.pad(grid.land.astype(float), m)
    out = np.zeros(padded.shape)
    for day in window:
        for cell in np.repeat(np.arange(grid.n_cells), day):
            r, c = rows[cell], cols[cell]
            share = kernel * padded[r : r + 2 * m + 1, c : c + 2 * m + 1]
            out[r : r + 2 * m + 1, c : c + 2 * m + 1] += share / share.sum()
    return np.asarray(out[m:-m, m:-m][grid.land] / len(window))


if __name__ == "__main__":
    main()
