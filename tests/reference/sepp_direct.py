"""Second implementation of the kernel self-exciting process, slow and obvious: every pair of events is looked at.

It shares no code with ``models``. Events are lists of numbers, kernels are functions of two events, the p_ij a dict.
Only the definitions are the same: bins of lag and distance, squares of a lattice, the k-th nearest event.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

EVEN, REACH = 1e-3, 3.0
KEPT = 1 - math.exp(-REACH * REACH / 2)


def phi(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


@dataclass
class Slow:
    """Events in a box of ``nx`` × ``ny`` cells of ``cell_m``, all of it land, its corner at (0, 0)."""

    t: list[float]
    x: list[float]
    y: list[float]
    w: list[float]
    days: int
    nx: int
    ny: int
    cell_m: float
    cutoff_days: float
    cutoff_m: float
    k: int
    trend_days: float
    by_cell: bool
    by_day: bool

    def __post_init__(self) -> None:
        self.n = len(self.t)
        self.step = self.cell_m if self.by_cell else self.cell_m / 3
        self.spot = [
            ((math.floor(x / self.step) + 0.5) * self.step, (math.floor(y / self.step) + 0.5) * self.step)
            for x, y in zip(self.x, self.y, strict=True)
        ]
        floor = self.step / math.sqrt(2 * math.pi)
        self.width = []
        for j in range(self.n):
            away = sorted(math.dist(self.spot[i], self.spot[j]) for i in range(self.n) if i != j)
            self.width.append(max(floor, away[min(self.k, self.n - 1) - 1]))
        if self.by_day:
            self.lags = [d + 0.5 for d in range(math.ceil(self.cutoff_days) + 1)]
        else:
            self.lags = [self.cutoff_days * (b / 40) ** 2 for b in range(41)]
        first = self.step / math.sqrt(math.pi)
        self.rings = [first * d for d in range(math.ceil(self.cutoff_m / first) + 1)]
        if self.by_cell:
            m = len(self.rings)
            middles = [math.hypot(a, b) * self.step for a in range(-m, m + 1) for b in range(-m, m + 1)]
            self.area = [
                self.step**2 * sum(low <= d < high for d in middles)
                for low, high in zip(self.rings, self.rings[1:], strict=False)
            ]
        else:
            self.area = [math.pi * (b * b - a * a) for a, b in zip(self.rings, self.rings[1:], strict=False)]
        self.bin = {}
        for j in range(self.n):
            for i in range(self.n):
                lag, away = self.t[j] - self.t[i], math.hypot(self.x[j] - self.x[i], self.y[j] - self.y[i])
                if 0 < lag < self.lags[-1] and away < self.rings[-1]:
                    self.bin[i, j] = (
                        sum(lag >= edge for edge in self.lags) - 1,
                        sum(away >= edge for edge in self.rings) - 1,
                    )
        self.seen = []
        for low, high in zip(self.lags, self.lags[1:], strict=False):
            still = 0.0
            for t, w in zip(self.t, self.w, strict=True):
                still += w * (min(max(self.days - t, low), high) - low) / (high - low)
            self.seen.append(still / sum(self.w))

    def background(self, p: list[float]) -> list[float]:
        daily = [0.0] * self.days
        for t, value in zip(self.t, p, strict=True):
            daily[math.floor(t)] += value
        reach = int(4 * self.trend_days + 0.5)
        bell = [math.exp(-0.5 * (s / self.trend_days) ** 2) for s in range(-reach, reach + 1)]
        level = []
        for d in range(self.days):
            smooth = 0.0
            for s in range(-reach, reach + 1):
                at = (d + s) % (2 * self.days)
                smooth += bell[s + reach] / sum(bell) * daily[at if at < self.days else 2 * self.days - 1 - at]
            level.append(smooth)
        mean = sum(level) / self.days
        out = []
        for j in range(self.n):
            found = 0.0
            for i in range(self.n):
                d = math.dist(self.spot[i], self.spot[j])
                if i != j and d <= REACH * self.width[i] * (1 + 1e-10):
                    found += (
                        p[i] * math.exp(-0.5 * (d / self.width[i]) ** 2) / (2 * math.pi * self.width[i] ** 2 * KEPT)
                    )
            even = sum(p) / (self.nx * self.ny * self.cell_m**2)
            out.append(((1 - EVEN) * found + EVEN * even) * level[math.floor(self.t[j])] / mean / self.days)
        return out

    def smoothed(self, mass: np.ndarray) -> np.ndarray:
        share = min(1.0, self.k / mass.sum())
        area = [0.0]
        for a in self.area:
            area.append(area[-1] + a)
        out = np.zeros_like(mass)
        over_lags = self._spreading(self.lags, mass.sum(axis=1), share ** (1 / 3))
        over_rings = self._spreading(area, mass.sum(axis=0), share ** (2 / 3))
        for b, d in np.ndindex(*mass.shape):
            if mass[b, d]:
                for u, v in np.ndindex(*mass.shape):
                    out[u, v] += mass[b, d] * over_lags[u][b] * over_rings[v][d]
        return out

    @staticmethod
    def _spreading(edges: list[float], mass: np.ndarray, share: float) -> list[list[float]]:
        n = len(mass)
        reached = [float(mass[:b].sum() / mass.sum()) for b in range(n + 1)]
        columns = []
        for b in range(n):
            here = (reached[b] + reached[b + 1]) / 2
            low, high = np.interp([max(0.0, here - share / 2), min(1.0, here + share / 2)], reached, edges)
            width = max((high - low) / 2, (edges[b + 1] - edges[b]) / 2) or 1.0
            middle, start = (edges[b] + edges[b + 1]) / 2, edges[0]
            part = [
                phi((edges[u + 1] - middle) / width) - phi((edges[u] - middle) / width)
                + phi((middle - 2 * start + edges[u + 1]) / width) - phi((middle - 2 * start + edges[u]) / width)
                for u in range(n)
            ]  # fmt: skip
            columns.append([value / sum(part) for value in part])
        return [[columns[b][u] for b in range(n)] for u in range(n)]

    def fit(self, iterations: int) -> tuple[float, np.ndarray, list[float], dict[tuple[int, int], float]]:
        """θ, mass of the bins, chance that each is background, and every p_ij."""
        total = sum(self.w)
        mass = np.zeros((len(self.lags) - 1, len(self.area)))
        for b, d in np.ndindex(*mass.shape):
            lag = (self.lags[b] + self.lags[b + 1]) / 2
            volume = (self.lags[b + 1] - self.lags[b]) * self.area[d]
            ring = self.rings[d + 1] / self.rings[-1]
            mass[b, d] = math.exp(-4 * lag / self.lags[-1]) * math.exp(-8 * ring**2) * volume
        mass /= mass.sum()
        p, held = list(self.w), total
        base = self.background(p)
        for step in range(iterations):
            density = {
                (b, d): mass[b, d] / ((self.lags[b + 1] - self.lags[b]) * self.area[d]) if self.area[d] else 0.0
                for b, d in np.ndindex(*mass.shape)
            }
            excited = [0.0] * self.n
            for (i, j), at in self.bin.items():
                excited[j] += self.w[i] * density[at]
            seen = total * sum(mass[b].sum() * self.seen[b] for b in range(len(mass)))
            theta = self._theta(base, excited, held, seen, total)
            level = (total - theta * seen) / held
            lam = [level * b + theta * s for b, s in zip(base, excited, strict=True)]
            alone = [level * b / value for b, value in zip(base, lam, strict=True)]
            pairs = {(i, j): theta * self.w[i] * density[at] / lam[j] for (i, j), at in self.bin.items()}
            if step == iterations - 1:
                break
            p = [w * a for w, a in zip(self.w, alone, strict=True)]
            found = np.zeros_like(mass)
            for (i, j), value in pairs.items():
                b, d = self.bin[i, j]
                found[b, d] += self.w[j] * value / self.seen[b]
            mass = self.smoothed(found)
            mass /= mass.sum()
            base, held = self.background(p), sum(p)
        return theta, mass, alone, pairs

    def _theta(self, base: list[float], excited: list[float], held: float, seen: float, total: float) -> float:
        """The zero of the slope of the likelihood, by halving."""

        def slope(theta: float) -> float:
            level = (total - theta * seen) / held
            return sum(
                w * (s - seen / held * b) / (level * b + theta * s)
                for w, b, s in zip(self.w, base, excited, strict=True)
            )

        low, high = 0.0, min(0.999, total / seen * (1 - 1e-12))
        if slope(low) <= 0:
            return 0.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) > 0 else (low, middle)
        return (low + high) / 2


def simulate(
    n: int, *, theta: float, lag_days: float, sd_m: float, side_m: float, days: int, spots: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Draw about ``n`` events by clusters, 70 % of the background in Gaussian hot spots of 300 m; t, x and y."""
    parents = rng.poisson(n * (1 - theta))
    xy, t = rng.uniform(0, side_m, (parents, 2)), rng.uniform(0, days, parents)
    middle, weight = rng.uniform(0, side_m, (spots, 2)), 1.0 / np.arange(1, spots + 1)
    hot = rng.random(parents) < 0.7
    xy[hot] = middle[rng.choice(spots, hot.sum(), p=weight / weight.sum())] + rng.normal(0, 300.0, (hot.sum(), 2))
    places, times = [xy], [t]
    while len(t):
        litter = rng.poisson(theta, len(t))
        xy, t = np.repeat(xy, litter, axis=0), np.repeat(t, litter)
        xy, t = xy + rng.normal(0, sd_m, xy.shape), t + rng.exponential(lag_days, len(t))
        places.append(xy)
        times.append(t)
    xy, t = np.concatenate(places), np.concatenate(times)
    inside = ((xy >= 0) & (xy < side_m)).all(axis=1) & (t < days)
    order = np.argsort(t[inside], kind="stable")
    return t[inside][order], xy[inside][order, 0].copy(), xy[inside][order, 1].copy()
