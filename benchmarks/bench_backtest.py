"""A year of daily maps of a city, walked and scored by every predictor: what they cost, and what they are worth.

    python benchmarks/bench_backtest.py [--days 365] [--jobs 2] [--predictor KEY …] [--also st-net]
    python benchmarks/bench_backtest.py --kernel      # one map by convolution against event by event

The city: 10,584 cells of 150 m, about 300 records a day for a year of history and a year evaluated. Incidents come
from thirty hot spots, from bars, from everywhere, and from one another (a quarter of them trigger another within days
and a street); half of the city records half of them, the other half one in five. Each predictor walks alone first, one
after the other, timed in seconds of processor, so that a busy machine does not slow it; then the whole backtest runs as
the platform runs it. What it takes beyond the walks is the scoring.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from contrechamp.domain.grid import Grid, count_cube
from contrechamp.domain.history import Covariates, EventLog
from contrechamp.domain.results import Outcome
from contrechamp.pipelines.backtest import backtest, default_predictors
from models import PREDICTORS, load_predictor, predictor_class
from models.place_layers import place_layers
from models.retrospective import cell_weights
from models.walk import walk_forward

CELL_M, NX, NY = 150.0, 108, 98
HISTORY, PER_DAY = 365, 300.0
BUDGET_S = 180.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=365, help="days evaluated one by one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--predictor", action="append", help="only these (repeatable)")
    parser.add_argument("--also", action="append", default=[], help="beside the default ones (repeatable)")
    parser.add_argument("--kernel", action="store_true", help="the kernel map against event by event, and nothing else")
    asked = parser.parse_args()
    if asked.kernel:
        _kernel()
        return
    log, truth, beside = city(HISTORY + asked.days)
    keys = list(asked.predictor or default_predictors(beside)) + asked.also
    missing = [key for key in keys if key not in PREDICTORS]
    keys = [key for key in keys if key not in missing]
    per_day = len(log.points) / log.n_days
    print(f"{log.grid.n_cells} cells of {CELL_M:.0f} m, {log.n_days} days, {len(log.points)} records "
          f"({per_day:.0f} a day), {int(truth.sum())} incidents, {asked.days} days evaluated")  # fmt: skip
    if missing:
        print(f"skipped, not registered: {', '.join(missing)}")
    _warm(keys)
    walked = {}
    for key in keys:
        clock, cpu = time.perf_counter(), time.process_time()
        walk_forward(
            load_predictor(key), log, grid=log.grid, first_day=HISTORY, covariates=beside,
            refit_every=predictor_class(key).REFIT_DAYS,
        )  # fmt: skip
        walked[key] = time.process_time() - cpu, time.perf_counter() - clock
        print(f"  walked {key:<15} {walked[key][0]:7.1f} s of processor {walked[key][1]:7.1f} s", flush=True)
    clock, cpu = time.perf_counter(), time.process_time()
    outcome = backtest(
        log, truth, grid=log.grid, predictors=keys, first_day=HISTORY, covariates=beside, mapped=(), seed=0,
        jobs=asked.jobs,
    )  # fmt: skip
    whole = time.process_time() - cpu, time.perf_counter() - clock
    _table(outcome, keys, walked, days=asked.days)
    scoring = whole[0] - sum(seconds for seconds, _ in walked.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nthe whole backtest, {asked.jobs} jobs: {whole[1]:.1f} s (bar: {BUDGET_S:.0f} s), {whole[0]:.1f} s of "
          f"processor, of which about {scoring:.1f} s to score {len(keys)} maps on truth and on records; "
          f"{len(outcome.results)} results; peak {peak:.2f} GiB")  # fmt: skip


def city(n_days: int, *, seed: int = 20260101) -> tuple[EventLog, np.ndarray, Covariates]:
    """Records, incidents by day and cell, and what else is known, of the invented city."""
    rng = np.random.default_rng(seed)
    grid = Grid(0.0, 0.0, CELL_M, np.ones((NY, NX), dtype=bool))
    width, height = CELL_M * NX, CELL_M * NY
    bars = rng.uniform((0.2 * width, 0.2 * height), (0.8 * width, 0.8 * height), (400, 2))
    spots, share = rng.uniform(0, (width, height), (30, 2)), 1 / np.arange(1, 31)
    per_day, branching = 2.86 * PER_DAY, 0.25  # about one incident in 2.86 is recorded
    n = rng.poisson(per_day * (1 - branching) * n_days)
    kind = rng.choice(3, n, p=[0.4, 0.3, 0.3])
    xy = rng.uniform(0, (width, height), (n, 2))
    at = spots[rng.choice(30, n, p=share / share.sum())] + rng.normal(0, 300, (n, 2))
    near = bars[rng.integers(400, size=n)] + rng.normal(0, 80, (n, 2))
    xy = np.where((kind == 0)[:, None], at, np.where((kind == 1)[:, None], near, xy))
    t = rng.uniform(0, n_days, n)
    everyone = [(t, xy)]
    while len(t):
        children = rng.poisson(branching, len(t))
        t = np.repeat(t, children) + rng.exponential(5.0, children.sum())
        xy = np.repeat(xy, children, axis=0) + rng.normal(0, 100, (children.sum(), 2))
        xy, t = xy[t < n_days], t[t < n_days]
        everyone.append((t, xy))
    t, xy = (np.concatenate(part) for part in zip(*everyone, strict=True))
    cell = grid.cell_of(*xy.T)
    known = rng.uniform(size=len(t)) < np.where(xy[:, 0] < width / 2, 0.5, 0.2)
    entry = np.floor(t[known] + (rng.uniform(size=known.sum()) < 0.05) * rng.exponential(3.0, known.sum()))
    log = EventLog.from_arrays(
        t_days=t[known], x_m=xy[known, 0], y_m=xy[known, 1], cell=cell[known], known_day=entry.astype(int), grid=grid,
        n_days=n_days,
    )  # fmt: skip
    truth = count_cube(cell, np.floor(t).astype(int), n_cells=grid.n_cells, n_days=n_days)
    schools = rng.uniform(0, (width, height), (200, 2))
    places = pd.DataFrame({
        "kind": ["bar"] * len(bars) + ["school"] * len(schools),
        "x_m": np.concatenate([bars[:, 0], schools[:, 0]]), "y_m": np.concatenate([bars[:, 1], schools[:, 1]]),
    })  # fmt: skip
    weather = 15 + 10 * np.sin(np.arange(n_days + 1) / 58.0) + rng.normal(0, 3, n_days + 1)
    beside = Covariates(
        places=place_layers(places, grid=grid), days={"temperature_yesterday_c": weather}, first_weekday=2
    )
    return log, truth, beside


def _warm(keys: Sequence[str]) -> None:
    """Imports and compiled loops, on a small map: nobody pays them twice."""
    rng = np.random.default_rng(0)
    grid = Grid(0.0, 0.0, CELL_M, np.ones((12, 12), dtype=bool))
    counts = rng.poisson(0.3, (70, 144)).astype(np.int32)
    beside = Covariates(
        places={"bar_distance_m": rng.uniform(0, 900, 144), "bar_per_km2": rng.gamma(1.0, 2.0, 144)},
        days={"temperature_yesterday_c": rng.normal(15, 5, 71)},
    )
    backtest(counts, counts, grid=grid, predictors=keys, first_day=60, covariates=beside, seed=0)


def _table(outcome: Outcome, keys: Sequence[str], walked: dict[str, tuple[float, float]], *, days: int) -> None:
    found = {(r.measure, *sorted(r.world.items())): r.interval for r in outcome.results}

    def cell(measure: str, **world: object) -> str:
        i = found.get((measure, *sorted(world.items())))
        if i is None or i.estimate is None:
            return "—"
        return f"{i.estimate:+.3f} [{i.low:+.3f}, {i.high:+.3f}]" if measure != "pai" else (
            f"{i.estimate:.2f} [{i.low:.2f}, {i.high:.2f}]")  # fmt: skip

    print(f"\nn = {days} days; intervals: 95 %, stationary bootstrap of days; gain: PAI over trailing-mean, minus 1")
    head = ("predictor", "refit", "CPU s", "PAI 1 % records", "PAI 1 % truth", "PAI 5 % records", "PAI 5 % truth",
            "gain 1 % records", "gain 1 % truth", "gain 5 % records", "gain 5 % truth")  # fmt: skip
    rows = [head]
    for key in keys:
        row = [key, f"{predictor_class(key).REFIT_DAYS} d", f"{walked[key][0]:.1f}"]
        for measure in ("pai", "gain_pai"):
            row += [
                cell(measure, predictor=key, area=area, scored_on=on)
                for area in (0.01, 0.05)
                for on in ("records", "truth")
            ]
        rows.append(tuple(row))
    for row in rows:
        print("| " + " | ".join(row) + " |")
        if row is head:
            print("|" + "---|" * len(head))


def _kernel() -> None:
    """One kernel map, by convolution and event by event: the same map, then the ratio of times."""
    rng = np.random.default_rng(0)
    land = np.ones((80, 60), dtype=bool)
    land[:32, :30] = False
    grid = Grid(0.0, 0.0, 250.0, land)
    rate = rng.gamma(0.5, 1.0, grid.n_cells)
    records = rng.poisson(822 * rate / rate.sum(), (58, grid.n_cells)).astype(np.int32)
    walk_forward(load_predictor("retro-quartic"), records[:20], grid=grid, first_day=18)
    clock = time.perf_counter()
    fast = walk_forward(load_predictor("retro-quartic"), records, grid=grid, first_day=56)
    fast_s = (time.perf_counter() - clock) / 2
    clock = time.perf_counter()
    slow = _event_by_event(records[1:57], grid=grid)
    slow_s = time.perf_counter() - clock
    worst = float(np.abs(slow - fast[-1]).max() / slow.max())
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
