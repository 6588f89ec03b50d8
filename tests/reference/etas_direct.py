"""Second implementation of the per-cell self-exciting process, slow and obvious: every pair of events is looked at.

It shares no code with ``models``. Events are a list of (cell, time); nothing is merged, nothing is carried along.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Events = Sequence[tuple[int, float]]


def kernel(lag: float, theta: float, omega: float) -> float:
    return theta * omega * math.exp(-omega * lag) if lag > 0 else 0.0


def intensity(events: Events, cell: int, at: float, *, mu: float, theta: float, omega: float) -> float:
    return mu + sum(kernel(at - t, theta, omega) for c, t in events if c == cell)


def offspring_seen(rest: float, omega: float, compensator: str) -> float:
    if compensator == "endless":
        return 1.0
    if compensator == "boundary":
        return 1.0 - math.exp(-omega * rest)
    return sum(omega * math.exp(-omega * s) for s in range(1, round(rest)))


def log_likelihood(
    events: Events, *, mu: dict[int, float], theta: float, omega: float, duration: float, compensator: str
) -> float:
    total = 0.0
    for cell, t in events:
        total += math.log(intensity(events, cell, t, mu=mu[cell], theta=theta, omega=omega))
        total -= theta * offspring_seen(duration - t, omega, compensator)
    return total - duration * sum(mu.values())


def poisson_log_likelihood(counts: np.ndarray, *, mu: np.ndarray, theta: float, omega: float) -> float:
    """Daily counts, each Poisson given the days before; the term of the factorials is left out."""
    total = 0.0
    for cell in range(counts.shape[1]):
        for day in range(counts.shape[0]):
            mean = mu[cell] + sum(counts[s, cell] * kernel(day - s, theta, omega) for s in range(day))
            total += counts[day, cell] * math.log(mean) - mean
    return total


def em_step(
    events: Events, *, mu: dict[int, float], theta: float, omega: float, duration: float, published: bool
) -> tuple[float, float, dict[int, float]]:
    """One step: θ, ω, and μ by cell. ``published`` divides a pair by the intensity at its parent's next in line."""
    pairs = lags = 0.0
    new_mu = {}
    for cell in mu:
        times = sorted(t for c, t in events if c == cell)
        lam = [intensity(events, cell, t, mu=mu[cell], theta=theta, omega=omega) for t in times]
        new_mu[cell] = sum(mu[cell] / x for x in lam) / duration
        for i, parent in enumerate(times):
            for j, child in enumerate(times):
                if child > parent:
                    p = kernel(child - parent, theta, omega) / lam[i + 1 if published else j]
                    pairs += p
                    lags += p * (child - parent)
    return pairs / len(events), pairs / lags, new_mu


def simulate(
    *, mu: float, theta: float, omega: float, duration: float, n_cells: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Exact draw by clusters: immigrants at rate μ, each event with Poisson(θ) offspring at exponential lags.

    What falls after the window is dropped with its descendants, which fall later still.
    """
    cell = np.repeat(np.arange(n_cells), rng.poisson(mu * duration, n_cells))
    t = rng.uniform(0.0, duration, len(cell))
    cells, times = [cell], [t]
    while len(cell):
        litter = rng.poisson(theta, len(cell))
        cell, t = np.repeat(cell, litter), np.repeat(t, litter)
        t = t + rng.exponential(1.0 / omega, len(t))
        cell, t = cell[t < duration], t[t < duration]
        cells.append(cell)
        times.append(t)
    return np.concatenate(cells), np.concatenate(times)
