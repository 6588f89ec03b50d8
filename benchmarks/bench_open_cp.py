"""How fast, and how right, beside open_cp: the same synthetic events, one row after the other.

    python benchmarks/bench_open_cp.py [--largest 1000000] [--only SEPP] [--paste FILE] [--skill]

Each row runs in its own process with one thread, and on 2 000 events first, which compiles and is not counted. Not a
test: it prints, it does not judge.

The column open_cp holds figures measured once on a machine of the same class (two virtual CPUs of an Intel Xeon,
Python 3.11, numpy 1.23.5, one BLAS thread, source unmodified: QuantCrimAtLeeds/PredictCode, commit e2a2d5a), not in
this run. To put your own beside ours, write a CSV with the header ``row,n,cpu_s,peak_mb`` and pass it to ``--paste``.

The events: 15 km × 15 km, 365 days, 70 % of the background in 30 Gaussian hot spots (standard deviation 300 m, Zipf
weights), θ = 0.30, mean lag 5 days, standard deviation 100 m; cells of 150 m, 100 × 100.

``--skill`` adds what was planted beside what is learned, and the share of the records of the last 30 days in the cells
flagged day by day, with its PAI, the number of days and a stationary-bootstrap interval.

What it cannot tell you: how either does on a city's file. These events obey the very law that is fitted.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from contrechamp.domain.grid import Grid, IntArray, count_cube
from contrechamp.domain.history import EventLog, Events, Points
from contrechamp.domain.rng import stream
from models import PREDICTORS, load_predictor
from models.etas_events import CellEvents
from models.etas_likelihood import fit_mle
from models.resampling import block_length, draw_days, ratio_interval
from models.scores import daily_scores, tie_breaks
from models.sepp_em import fit_sepp
from models.sepp_events import SeppEvents
from models.walk import walk_forward

Task = Callable[[Points, Grid], object]
#: (row, events) → CPU seconds, and peak MB or a remark.
Figures = dict[tuple[str, int], tuple[float, str]]

SIDE_M, CELL_M, DAYS, THETA, LAG_DAYS, SD_M = 15_000.0, 150.0, 365, 0.30, 5.0, 100.0
SEED = 20_240_117
SIZES = (2_000, 10_000, 100_000, 1_000_000)
OPEN_CP: Figures = {
    ("ETAS per cell, fit + predict", 2_000): (4.07, "96"),
    ("ETAS per cell, fit + predict", 10_000): (6.88, "96"),
    ("SEPP 2011, lay-out + 1 EM iteration", 2_000): (1.36, "298"),
    ("SEPP 2011, lay-out + 1 EM iteration", 10_000): (215.0, "4258"),
}
#: Share of the records of the last 30 days in the cells flagged, at 10 000 events, by share of the area.
OPEN_CP_HITS = {"etas-per-cell": (0.232, 0.490, 0.581), "prospective": (0.182, 0.387, 0.550)}
AREAS = (0.01, 0.05, 0.10)
COMPARED = ("trailing-mean", "prospective", "etas-per-cell", "sepp")


def grid() -> Grid:
    """The 100 × 100 cells."""
    return Grid(0.0, 0.0, CELL_M, np.ones((100, 100), dtype=bool))


def synthetic_events(n: int, seed: int = SEED) -> Points:
    """About ``n`` events: background chosen for ``n`` in all, descendants drawn, what leaves the frame dropped.

    Parameters
    ----------
    n : int
        Expected number before those outside the square or after day 365 are dropped (3 to 8 %).
    seed : int
    """
    rng = stream(seed, "bench-open-cp", n)
    parents = rng.poisson(n * (1 - THETA))
    spots, weight = rng.uniform(0, SIDE_M, (30, 2)), 1.0 / np.arange(1, 31)
    xy, t = rng.uniform(0, SIDE_M, (parents, 2)), rng.uniform(0, DAYS, parents)
    hot = rng.random(parents) < 0.7
    xy[hot] = spots[rng.choice(30, hot.sum(), p=weight / weight.sum())] + rng.normal(0, 300.0, (hot.sum(), 2))
    places, times = [xy], [t]
    while len(t):
        litter = rng.poisson(THETA, len(t))
        xy, t = np.repeat(xy, litter, axis=0), np.repeat(t, litter)
        xy, t = xy + rng.normal(0, SD_M, xy.shape), t + rng.exponential(LAG_DAYS, len(t))
        places.append(xy)
        times.append(t)
    where, when = np.concatenate(places), np.concatenate(times)
    inside = np.flatnonzero(((where >= 0) & (where < SIDE_M)).all(axis=1) & (when < DAYS))
    inside = inside[np.argsort(when[inside], kind="stable")]
    x, y = where[inside, 0].copy(), where[inside, 1].copy()
    return Points(when[inside], x, y, grid().cell_of(x, y))


def handed(points: Points, on: Grid) -> Events:
    """Events as a predictor is handed them."""
    return Events(_counts(points, on), on, lambda: points)


def rows() -> dict[str, Task]:
    """What is timed, from located events to a fit or a map; those of ``bench_kernels.py`` last, where it is there."""
    return {
        "ETAS per cell, fit + predict": lambda p, g: _predicted("etas-per-cell", p, g),
        "SEPP 2011, lay-out + 1 EM iteration": lambda p, g: _sepp(p, g, iterations=2),
        "SEPP 2011, lay-out + 21 EM iterations": lambda p, g: _sepp(p, g, iterations=22),
        "SEPP 2011, fit + predict, defaults": lambda p, g: _predicted("sepp", p, g),
    } | dict(_kernels()[0])


def _kernels() -> tuple[list[tuple[str, Task]], Figures]:
    try:
        import bench_kernels
    except ImportError:
        return [], {}
    theirs = {(row, n): figure for row, by_n in bench_kernels.OPEN_CP.items() for n, figure in by_n.items()}
    return bench_kernels.rows(), theirs


def _counts(points: Points, on: Grid) -> IntArray:
    return count_cube(points.cell, np.floor(points.t_days), n_cells=on.n_cells, n_days=DAYS)


def _predicted(key: str, points: Points, on: Grid) -> object:
    return load_predictor(key, window_days=DAYS).fit(handed(points, on), grid=on).predict()


def _sepp(points: Points, on: Grid, *, iterations: int) -> object:
    """The last iteration stops after its E-step: with two, one whole iteration and a half are timed."""
    events = SeppEvents.from_points(points, grid=on, last_day=DAYS)
    return fit_sepp(events, grid=on, cutoff_days=30.0, cutoff_m=400.0, iterations=iterations)


def one(name: str, n: int) -> tuple[float, float, int]:
    """CPU seconds of a row once compiled, peak MB of this process with its libraries, and events."""
    on, task = grid(), rows()[name]
    task(synthetic_events(2_000), on)
    events = synthetic_events(n)
    start = time.process_time()
    task(events, on)
    seconds = time.process_time() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(events)


def pasted(path: Path) -> Figures:
    """Figures of somebody else's run."""
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["row"], int(row["n"])): (float(row["cpu_s"]), row["peak_mb"]) for row in csv.DictReader(file)}


def recovery() -> None:
    """Planted and learned, three draws a row."""
    print(f"\n{'learned from (planted 0.30, 5 d, 100 m)':<42}{'θ':>22}{'mean lag, days':>22}{'sd, m':>16}")
    for n in (2_000, 10_000, 50_000):
        fits, maxima = [], []
        for seed in range(3):
            points = synthetic_events(n, seed)
            events = SeppEvents.from_points(points, grid=grid(), last_day=DAYS)
            fits.append(fit_sepp(events, grid=grid(), cutoff_days=30.0, cutoff_m=400.0))
            cells = CellEvents.from_events(points.cell, points.t_days, n_cells=grid().n_cells, duration_days=DAYS)
            maxima.append(fit_mle(cells).params)
        theta, lag, sd = (
            " ".join(format(getattr(fit, name), how) for fit in fits)
            for name, how in (("theta", ".3f"), ("mean_lag_days", ".2f"), ("sd_m", ".0f"))
        )
        print(f"{f'sepp, {n:,} events':<42}{theta:>22}{lag:>22}{sd:>16}")
        theta = " ".join(f"{best.theta:.3f}" for best in maxima)
        lag = " ".join(f"{1 / best.omega_per_day:.2f}" for best in maxima)
        print(f"{f'etas-per-cell (mle), {n:,} events':<42}{theta:>22}{lag:>22}{'none':>16}")


def skill(n: int = 10_000, days: int = 30) -> None:
    """Share of the records of the last days in the cells flagged each morning."""
    on, points = grid(), synthetic_events(n)
    log = EventLog.from_arrays(
        t_days=points.t_days, x_m=points.x_m, y_m=points.y_m, cell=points.cell, known_day=np.floor(points.t_days),
        grid=on, n_days=DAYS,
    )  # fmt: skip
    happened = _counts(points, on)[-days:]
    ties = tie_breaks(days, on.n_cells, rng=stream(SEED, "bench-open-cp", "ties"))
    print(f"\n{happened.sum()} records of {days} days in the cells flagged each morning: hit rate and PAI [95 %]")
    for key in (key for key in COMPARED if key in PREDICTORS):
        predictor = load_predictor(key)
        maps = walk_forward(predictor, log, grid=on, first_day=DAYS - days, refit_every=predictor.REFIT_DAYS)
        for i, area in enumerate(AREAS):
            found = daily_scores(maps, happened, area=area, ties=ties)
            draws = draw_days(
                days, block_days=block_length([found.hits, found.events]), n_draws=2_000,
                rng=stream(SEED, "bench-open-cp", key, i),
            )  # fmt: skip
            ci = ratio_interval(found.hits, found.events, draws=draws, scale=on.n_cells / found.k)
            there = f"   open_cp {OPEN_CP_HITS[key][i]:.3f}" if key in OPEN_CP_HITS else ""
            rate = found.hits.sum() / found.events.sum()
            interval = f"PAI {ci.estimate:5.1f} [{ci.low:.1f}, {ci.high:.1f}], n = {ci.n} days"
            print(f"{key:<16}{area:>6.0%}  {rate:.3f}  {interval}{there}")
    print("open_cp drew other events by the same recipe: its hit rates are of the same kind, not of the same days.")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=1_000_000, help="most events in the two self-exciting processes")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--paste", type=Path, help="CSV of your own open_cp figures")
    parser.add_argument("--skill", action="store_true", help="add what is recovered and what is hit")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.row:
        print(*one(asked.row, asked.events))
        return
    theirs = pasted(asked.paste) if asked.paste else OPEN_CP | _kernels()[1]
    alone = os.environ | dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    )
    print(
        f"{'row':<40}{'events':>9}{'CPU s':>10}{'peak MB':>9}{'µs/event':>10}"
        f"{'open_cp *':>11}{'ratio':>9}  peak MB there"
    )
    kernel_names = {name for name, _ in _kernels()[0]}
    for name in (name for name in rows() if asked.only in name):
        for n in (n for n in SIZES if n <= (10_000 if name in kernel_names else asked.largest)):
            command = [sys.executable, str(Path(__file__)), "--row", name, "--events", str(n)]
            done = subprocess.run(command, env=alone, check=True, capture_output=True, text=True)
            seconds, peak, found = (float(v) for v in done.stdout.split())
            there = theirs.get((name, n))
            beside = f"{there[0]:>11.3f}{there[0] / seconds:>8,.0f}×  {there[1]}" if there else f"{'—':>11}"
            print(
                f"{name:<40}{found:>9,.0f}{seconds:>10.4f}{peak:>9.0f}{1e6 * seconds / found:>10.1f}{beside}",
                flush=True,
            )
    where = f"pasted from {asked.paste}" if asked.paste else "measured elsewhere on a machine of the same class"
    print(f"* CPU seconds of open_cp 0.2.0 (PredictCode e2a2d5a), {where}.")
    if asked.skill:
        recovery()
        skill()


if __name__ == "__main__":
    main()
