"""How fast is the per-cell self-exciting process? Beside the figures of open_cp, measured once elsewhere.

Run with ``python benchmarks/bench_etas.py`` (``--largest 100000`` to stop sooner). Not a test: it prints, it does not
judge. The rows of open_cp 0.2.0 (unmodified source, numpy 1.23.5, one BLAS thread, Python 3.11, two virtual CPUs of an
Intel Xeon) were not measured in this run: paste your own beside ours before quoting a ratio. The events follow the same
recipe: 15 km × 15 km, 365 days, 70 % of the background in 30 Gaussian hot spots (standard deviation 300 m, Zipf
weights), θ = 0.30, mean lag 5 days, standard deviation 100 m; cells of 150 m, 100 × 100.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np

from contrechamp.domain.grid import FloatArray, Grid, IntArray, count_cube
from contrechamp.domain.rng import stream
from models import load_predictor
from models.etas_em import fit_em
from models.etas_events import CellEvents, intensity
from models.etas_likelihood import fit_mle

#: (task, events) → CPU seconds of open_cp 0.2.0, measured elsewhere.
OPEN_CP = {
    ("ETAS fit, 20 EM steps, + predict", 2_000): 4.07,
    ("ETAS fit, 20 EM steps, + predict", 10_000): 6.88,
    ("same, edge-corrected EM", 2_000): 5.74,
    ("same, edge-corrected EM", 10_000): 9.85,
}
SIDE_M, CELL_M, DAYS, THETA, LAG_DAYS = 15_000.0, 150.0, 365, 0.30, 5.0
#: Rounds of descendants drawn: the chance of a longer line is θ to that power.
_GENERATIONS = 40


def synthetic_events(n: int, *, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """About ``n`` events: cell in [0, 10 000) and time in days."""
    parents = rng.poisson(n * (1 - THETA))
    spots, weight = rng.uniform(0, SIDE_M, (30, 2)), 1.0 / np.arange(1, 31)
    xy = rng.uniform(0, SIDE_M, (parents, 2))
    hot = rng.random(parents) < 0.7
    xy[hot] = spots[rng.choice(30, hot.sum(), p=weight / weight.sum())] + rng.normal(0, 300.0, (hot.sum(), 2))
    t = rng.uniform(0, DAYS, parents)
    places, times = [xy], [t]
    for _ in range(_GENERATIONS):
        litter = rng.poisson(THETA, len(t))
        xy, t = np.repeat(xy, litter, axis=0), np.repeat(t, litter)
        xy, t = xy + rng.normal(0, 100.0, xy.shape), t + rng.exponential(LAG_DAYS, len(t))
        places.append(xy)
        times.append(t)
    where, when = np.concatenate(places), np.concatenate(times)
    inside = ((where >= 0) & (where < SIDE_M)).all(axis=1) & (when < DAYS)
    column, row = (where[inside] // CELL_M).astype(np.int64).T
    return row * 100 + column, when[inside]


def cpu(task: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of a first call, which may compile, and of a second."""
    marks = [time.process_time()]
    for _ in range(2):
        task()
        marks.append(time.process_time())
    return marks[1] - marks[0], marks[2] - marks[1]


def tasks(n: int) -> dict[str, Callable[[], object]]:
    """What is timed, from lists of events (or daily counts) to a map."""
    cell, t = synthetic_events(n, rng=stream(20_240_117, "bench", n))
    grid = Grid(0.0, 0.0, CELL_M, np.ones((100, 100), dtype=bool))
    counts = count_cube(cell, np.floor(t), n_cells=grid.n_cells, n_days=DAYS)

    def laid_out() -> CellEvents:
        return CellEvents.from_events(cell, t, n_cells=grid.n_cells, duration_days=DAYS)

    def em() -> FloatArray:
        events = laid_out()
        return intensity(events, fit_em(events, max_steps=20, tolerances=(0.0, 0.0, 0.0)).params)

    def mle() -> FloatArray:
        events = laid_out()
        return intensity(events, fit_mle(events).params)

    def predictor() -> FloatArray:
        return load_predictor("etas-per-cell", window_days=DAYS).fit(counts, grid=grid).predict()

    return {
        "ETAS fit, 20 EM steps, + predict": em,
        "same, exact maximum likelihood": mle,
        "predictor etas-per-cell on daily counts": predictor,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--largest", type=int, default=1_000_000)
    largest = parser.parse_args().largest
    print(f"{'task':<42}{'events':>10}{'CPU s':>10}{'open_cp *':>12}{'ratio':>8}{'µs/event':>10}")
    compiling = 0.0
    reference = {n: OPEN_CP["ETAS fit, 20 EM steps, + predict", n] for n in (2_000, 10_000)}
    for n in (size for size in (2_000, 10_000, 100_000, 1_000_000) if size <= largest):
        for name, task in tasks(n).items():
            first, seconds = cpu(task)
            compiling += max(0.0, first - seconds) if n == 2_000 else 0.0
            theirs = reference.get(n)
            beside = f"{theirs:>12.2f}{theirs / seconds:>7.0f}×" if theirs else f"{'—':>12}{'':>8}"
            print(f"{name:<42}{n:>10,}{seconds:>10.4f}{beside}{1e6 * seconds / n:>10.2f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the whole run {peak:.0f} MB; compiled once, not counted above: {compiling:.1f} CPU s")
    print("* CPU seconds of open_cp 0.2.0, measured elsewhere. Its other row, edge-corrected EM:", end=" ")
    print(", ".join(f"{s:.2f} s at {n:,} events" for (name, n), s in OPEN_CP.items() if name.startswith("same")))


if __name__ == "__main__":
    main()
