"""How fast is the closed loop? Ratios to two obvious loops, one patrol-day at a time, in the same run.

Run with ``python benchmarks/bench_feedback.py [--reps N] [--jobs N]``. Not a test: it prints, it does not judge.

- *two zones*: the vectorised loop, and the compiled one behind E02, against plain Python;
- *twenty zones*: the replays of :mod:`fairness.replay` against an environment of objects, one observation per step, as
  simulators for reinforcement learning are written; first one policy, then the whole curve of E02 (5 rules × 9 shares
  reported) on the same cities.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from contrechamp.domain.rng import stream
from contrechamp.experiments import e02_feedback_loop as e02
from fairness.feedback import AllocationRule, draw_history, sweep_feedback
from fairness.relive import relive
from fairness.replay import Policy, Replays, replay

RHOS = (0.0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0)
ZONES = 20
RATES = tuple(np.linspace(0.2, 0.8, ZONES).tolist())
N_DAYS = 1_000


def obvious_loop(*, n_reps: int, n_days: int, rho: float, seed: int, rates: Sequence[float] = (0.5, 0.5)) -> int:
    """Proportional rule, plain Python. Returns patrol-days."""
    draw = random.Random(seed).random
    zones = range(len(rates))
    for _ in range(n_reps):
        count = [10.0] * len(rates)
        for _ in range(n_days):
            target, there = draw() * sum(count) - count[0], 0
            while target >= 0 and there < len(rates) - 1:
                there += 1
                target -= count[there]
            for zone in zones:
                if draw() < rates[zone] and (draw() < rho or zone == there):
                    count[zone] += 1
    return n_reps * n_days


@dataclass(frozen=True)
class Observation:
    """What the agent is shown after a step."""

    day: int
    zone: int
    reported: np.ndarray
    discovered: int


@dataclass(frozen=True)
class State:
    """The whole city, replaced at each step."""

    day: int
    counts: np.ndarray


@dataclass
class Environment:
    """One city as an object: a step takes a zone and returns an observation; the history is kept, as for replay."""

    rates: np.ndarray
    rho: float
    rng: np.random.Generator
    state: State
    history: list[tuple[State, int, Observation]] = field(default_factory=list)

    def step(self, zone: int) -> Observation:
        """One day."""
        happened = self.rng.random(self.rates.size) < self.rates
        told = happened & (self.rng.random(self.rates.size) < self.rho)
        seen = Observation(self.state.day, zone, told, int(happened[zone] and not told[zone]))
        counts = self.state.counts + told
        counts[zone] += seen.discovered
        self.history.append((self.state, zone, seen))
        self.state = replace(self.state, day=self.state.day + 1, counts=counts)
        return seen


@dataclass
class Agent:
    """Proportional rule, from what it was shown."""

    weights: np.ndarray
    rng: np.random.Generator

    def act(self, seen: Observation | None) -> int:
        """Learn from the last observation, then choose a zone."""
        if seen is not None:
            self.weights = self.weights + seen.reported
            self.weights[seen.zone] += seen.discovered
        edges = np.cumsum(self.weights)
        return int(np.searchsorted(edges, self.rng.random() * edges[-1], side="right"))


def object_loop(*, n_reps: int, rho: float, seed: int) -> list[float]:
    """Share of the quietest zone in the file of each city, one object per step."""
    rates, shares = np.array(RATES), []
    for rep in range(n_reps):
        start = np.full(ZONES, 10.0)
        city = Environment(rates, rho, stream(seed, "city", rep), State(0, start))
        agent, seen = Agent(start, stream(seed, "agent", rep)), None
        for _ in range(N_DAYS):
            seen = city.step(agent.act(seen))
        shares.append(float(city.state.counts[0] / city.state.counts.sum()))
    return shares


def timed(call: Callable[[], object]) -> tuple[float, float, object]:
    """Wall seconds, processor seconds, result."""
    wall, processor = time.perf_counter(), time.process_time()
    out = call()
    return time.perf_counter() - wall, time.process_time() - processor, out


def two_zones() -> None:
    """The vectorised loop, and the compiled one behind E02."""
    wall, _, days = timed(lambda: obvious_loop(n_reps=40, n_days=N_DAYS, rho=0.25, seed=1))
    slow = wall / float(str(days))
    print(f"two zones: obvious loop, plain Python {1e6 * slow:8.3f} µs per patrol-day   1 (baseline)")
    for rule in AllocationRule:
        began = time.perf_counter()
        history = draw_history(rates=(0.5, 0.5), n_days=N_DAYS, n_reps=400, rng=stream(1, "bench"))
        sweep_feedback(history, rule=rule, rhos=RHOS, start=(10, 10))
        fast = (time.perf_counter() - began) / (400 * N_DAYS * len(RHOS))
        print(f"  sweep_feedback, {rule.value:<21}{1e6 * fast:8.3f} µs per patrol-day   {slow / fast:.0f} times faster")
    curve = [Policy.of_rule(rule, rho=rho) for rule in AllocationRule for rho in RHOS]
    history = draw_history(rates=(0.5, 0.5), n_days=N_DAYS, n_reps=400, rng=stream(1, "bench"))
    relive(history, policies=curve[:1], start=(10, 10))  # compiled, or read from the disk
    wall, _, _ = timed(lambda: relive(history, policies=curve, start=(10, 10)))
    fast = wall / (400 * N_DAYS * len(curve))
    print(f"  relive, the five rules       {1e6 * fast:8.3f} µs per patrol-day   {slow / fast:.0f} times faster")
    wall, _, outcome = timed(lambda: e02.run(e02.Params.quick(), seed=1))
    print(f"  E02 quick, curve and plausible worlds {wall:5.1f} s, {len(outcome.results)} results")  # type: ignore[attr-defined]


def twenty_zones(*, n_reps: int, jobs: int) -> None:
    """The replays, against one object per step and against plain Python."""
    wall, cpu, shares = timed(lambda: object_loop(n_reps=10, rho=0.25, seed=1))
    steps = 10 * N_DAYS
    slow = wall / steps
    print(f"twenty zones: one object per step {1e6 * slow:12.3f} µs per step ({steps / wall:,.0f}/s)   1 (baseline)")
    plain_wall, _, _ = timed(lambda: obvious_loop(n_reps=10, n_days=N_DAYS, rho=0.25, seed=1, rates=RATES))
    plain = plain_wall / steps
    print(f"  plain Python, no object {1e6 * plain:22.3f} µs per step   {slow / plain:.1f} times faster")

    def run(policies: Sequence[Policy], reps: int) -> Replays:
        return replay(
            rates=RATES, start=(10,) * ZONES, policies=policies, n_days=N_DAYS, n_reps=reps, rng=stream(1, "bench"),
            jobs=jobs,
        )  # fmt: skip

    wall, _, _ = timed(lambda: run([Policy()], 2))
    print(f"  compilation, or its reading from the disk {wall:4.1f} s")
    one = [Policy(rho=0.25)]
    curve = [Policy.of_rule(rule, rho=rho) for rule in AllocationRule for rho in RHOS]
    for name, policies in (("one policy", one), (f"the curve of E02, {len(curve)} policies", curve)):
        wall, cpu, found = timed(lambda policies=policies: run(policies, n_reps))
        steps = n_reps * N_DAYS * len(policies)
        step = wall / steps
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  replay, {name}: {n_reps:,} cities × {N_DAYS:,} days × {ZONES} zones in {wall:.1f} s wall, {cpu:.1f} s "
            f"processor, {jobs} threads, peak {peak:,.0f} MB"
        )
        print(
            f"    {1e6 * step:.3f} µs per step ({steps / wall:,.0f}/s): {slow / step:.0f} times the object loop "
            f"({slow * steps / cpu:.0f} per processor second), {plain / step:.0f} times plain Python"
        )
        if policies is one:
            ours, theirs = found.recorded_first[0], np.array(shares)  # type: ignore[attr-defined]
            print(
                f"    same model: share of the quietest zone {ours.mean():.4f}, object loop {theirs.mean():.4f} "
                f"± {theirs.std(ddof=1) / len(theirs) ** 0.5:.4f}"
            )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=10_000, help="cities of the twenty-zone run")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    two_zones()
    twenty_zones(n_reps=asked.reps, jobs=asked.jobs)


if __name__ == "__main__":
    main()
