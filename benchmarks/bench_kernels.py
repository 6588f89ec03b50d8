"""How fast are the kernel maps, the prospective maps and the Knox table? One task per process, one thread.

Run with ``python benchmarks/bench_kernels.py`` (``--events 2000 10000``); ``bench_open_cp.py``, which draws the events,
prints these rows after its own. Not a test: it prints, it does not judge. For each task: CPU seconds once compiled and
the peak memory of the process, libraries included. The rows of open_cp 0.2.0 were not measured in this run (unmodified
source, numpy 1.23.5, one BLAS thread, Python 3.11, two virtual CPUs of an Intel Xeon): paste your own beside ours
before quoting a ratio. Theirs marked « 5 × 5 » sample each cell at 25 fixed points, those marked « random » at 112
random ones; ours integrate.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from contrechamp.domain.grid import Grid, count_cube
from contrechamp.domain.history import EventLog, Points
from contrechamp.domain.rng import stream
from models import load_predictor
from models.base import daily_mean
from models.knox import knox_table
from models.prospective_continuous import prospective_surface
from models.scores import daily_scores, tie_breaks
from models.space_time_kde import neighbour_bandwidth, scott_bandwidth, space_time_kde
from models.walk import walk_forward

DAYS = 365
Task = Callable[[Points, Grid], object]

#: Task → events → (CPU seconds or, where those were not taken, wall seconds; peak MB) of open_cp 0.2.0, elsewhere.
OPEN_CP: dict[str, dict[int, tuple[float, str]]] = {
    "naive count": {2_000: (0.006, "94"), 10_000: (0.009, "95")},
    "retrospective quartic 200 m, 60 days": {2_000: (0.14, "94"), 10_000: (0.22, "95")},
    "prospective grid, 8 weeks × 8 cells": {2_000: (0.47, "94"), 10_000: (1.23, "95")},
    "KDE Gaussian": {2_000: (5.5, "95, 5 × 5"), 10_000: (26.7, "96, 5 × 5")},
    "prospective continuous": {2_000: (13.4, "97, 5 × 5"), 10_000: (71.4, "107, 5 × 5")},
    "KDE time-space Gaussian": {2_000: (27.6, "102, 5 × 5"), 10_000: (190.5, "99, 5 × 5")},
    "KDE time-space 15-NN": {2_000: (760.0, "99, wall, random")},
    "Knox 3 × 3 bands, 99 permutations": {2_000: (9.5, "141"), 10_000: (730.0, "1240, wall")},
    "Knox 3 × 3 bands, 999 permutations": {2_000: (403.0, "141, wall")},
    "30 daily prospective maps + hit rate": {2_000: (88.0, "101, wall"), 10_000: (96.0, "101, wall")},
}


def rows() -> list[tuple[str, Task]]:
    """What is timed: name and function of located events and a grid."""
    return [
        ("naive count", _naive),
        ("retrospective quartic 200 m, 60 days", _retrospective),
        ("prospective grid, 8 weeks × 8 cells", _prospective),
        ("KDE Gaussian", _kde),
        ("prospective continuous", lambda e, g: prospective_surface(e, grid=g, at_days=DAYS)),
        ("KDE time-space Gaussian", _space_time),
        ("KDE time-space 15-NN", _nearest),
        ("Knox 3 × 3 bands, 99 permutations", lambda e, g: _knox(e, 99)),
        ("Knox 3 × 3 bands, 999 permutations", lambda e, g: _knox(e, 999)),
        ("30 daily prospective maps + hit rate", lambda e, g: _month(e, g, "prospective")),
        ("30 daily Knox-guided maps + hit rate", lambda e, g: _month(e, g, "knox")),
        ("30 daily same-weekday maps + hit rate", lambda e, g: _month(e, g, "same-weekday")),
    ]


def _counts(events: Points, grid: Grid) -> np.ndarray:
    return count_cube(events.cell, np.floor(events.t_days), n_cells=grid.n_cells, n_days=DAYS)


def _naive(events: Points, grid: Grid) -> object:
    return daily_mean(np.bincount(events.cell, minlength=grid.n_cells)[None, :], window_days=1)


def _retrospective(events: Points, grid: Grid) -> object:
    params = {"bandwidth_m": 200.0, "window_days": 60}
    return load_predictor("retro-quartic", **params).fit(_counts(events, grid), grid=grid).predict()


def _prospective(events: Points, grid: Grid) -> object:
    return load_predictor("prospective").fit(_counts(events, grid), grid=grid).predict()


def _kde(events: Points, grid: Grid) -> object:
    bandwidth = scott_bandwidth(events)
    return space_time_kde(events, grid=grid, at_days=DAYS, bandwidth_m=bandwidth, time_kernel="constant")


def _space_time(events: Points, grid: Grid) -> object:
    return space_time_kde(events, grid=grid, at_days=DAYS, bandwidth_m=scott_bandwidth(events))


def _nearest(events: Points, grid: Grid) -> object:
    return space_time_kde(events, grid=grid, at_days=DAYS, bandwidth_m=neighbour_bandwidth(events, k=15))


def _knox(events: Points, permutations: int) -> object:
    return knox_table(
        events.x_m, events.y_m, t_days=events.t_days, edges_m=[100.0, 200.0, 300.0], edges_days=[2.0, 4.0, 6.0],
        permutations=permutations, rng=stream(1, "bench", "knox"),
    )  # fmt: skip


def _month(events: Points, grid: Grid, key: str) -> object:
    log = EventLog.from_arrays(
        t_days=events.t_days, x_m=events.x_m, y_m=events.y_m, cell=events.cell, known_day=np.floor(events.t_days),
        grid=grid, n_days=DAYS,
    )  # fmt: skip
    predictor = load_predictor(key)
    maps = walk_forward(predictor, log, grid=grid, first_day=DAYS - 30, refit_every=predictor.REFIT_DAYS)
    ties = tie_breaks(30, grid.n_cells, rng=stream(1, "bench", "ties"))
    return daily_scores(maps, _counts(events, grid)[-30:], area=0.05, ties=ties).hits.sum()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=[2_000, 10_000])
    asked = parser.parse_args()
    script = Path(__file__).with_name("bench_open_cp.py")
    alone = os.environ | dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    )
    print(f"{'task':<40}{'events':>11}{'CPU s':>10}{'peak MB':>9}{'open_cp *':>11}{'ratio':>9}  peak MB there")
    for n in asked.events:
        for name, _ in rows():
            command = [sys.executable, str(script), "--row", name, "--events", str(n)]
            done = subprocess.run(command, env=alone, check=True, capture_output=True, text=True)
            seconds, peak, found = (float(v) for v in done.stdout.split())
            theirs = OPEN_CP.get(name, {}).get(n)
            beside = f"{theirs[0]:>11.3f}{theirs[0] / seconds:>8,.0f}×  {theirs[1]}" if theirs else f"{'—':>11}"
            print(f"{name:<40}{found:>11,.0f}{seconds:>10.4f}{peak:>9.0f}{beside}", flush=True)
    print("* CPU seconds of open_cp 0.2.0, measured elsewhere; « wall » where only those were taken.")


if __name__ == "__main__":
    main()
