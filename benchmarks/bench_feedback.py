"""How fast is the closed loop? Ratio to the obvious loop, one patrol-day at a time, in the same run.

Run with ``python benchmarks/bench_feedback.py``. Not a test: it prints, it does not judge.
"""

from __future__ import annotations

import random
import time

from contrechamp.domain.rng import stream
from contrechamp.experiments import e02_feedback_loop as e02
from fairness.feedback import AllocationRule, draw_history, sweep_feedback

RHOS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0)


def obvious_loop(*, n_reps: int, n_days: int, rho: float, seed: int) -> int:
    """Proportional rule, two zones at 0.5 a day, plain Python. Returns patrol-days."""
    draw = random.Random(seed).random
    for _ in range(n_reps):
        count = [10.0, 10.0]
        for _ in range(n_days):
            there = int(draw() * (count[0] + count[1]) >= count[0])
            for zone in (0, 1):
                if draw() < 0.5 and (draw() < rho or zone == there):
                    count[zone] += 1
    return n_reps * n_days


def main() -> None:
    """Print the three figures."""
    began = time.perf_counter()
    days = obvious_loop(n_reps=40, n_days=1_000, rho=0.25, seed=1)
    slow = (time.perf_counter() - began) / days
    print(f"obvious loop, plain Python      {1e6 * slow:8.3f} µs per patrol-day   1.0 (baseline)")
    for rule in AllocationRule:
        began = time.perf_counter()
        history = draw_history(rates=(0.5, 0.5), n_days=1_000, n_reps=400, rng=stream(1, "bench"))
        sweep_feedback(history, rule=rule, rhos=RHOS, start=(10, 10))
        fast = (time.perf_counter() - began) / (400 * 1_000 * len(RHOS))
        print(f"sweep_feedback, {rule.value:<20}{1e6 * fast:4.3f} µs per patrol-day   {slow / fast:.0f} times faster")
    began = time.perf_counter()
    outcome = e02.run(e02.Params.quick(), seed=1)
    print(f"E02 quick, whole curve          {time.perf_counter() - began:8.1f} s, {len(outcome.results)} results")


if __name__ == "__main__":
    main()
