"""A second way to meet a rounded cone: walk along the ray by the distance to the nearest of its balls."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthetic_data.scenes.raycaster import meet

F64 = npt.NDArray[np.float64]


def distance(points: F64, cone: F64) -> F64:
    """Distance to the union of balls along the axis, the ball chosen by ternary search (the distance is convex)."""
    a, ra, b, rb = cone[:3], cone[3], cone[4:7], cone[7]

    def to_ball(t: F64) -> F64:
        return np.linalg.norm(points - a - t[:, None] * (b - a), axis=1) - (ra + t * (rb - ra))

    low, high = np.zeros(len(points)), np.ones(len(points))
    for _ in range(40):
        first, second = low + (high - low) / 3, high - (high - low) / 3
        left = to_ball(first) < to_ball(second)
        high, low = np.where(left, second, high), np.where(left, low, first)
    return to_ball((low + high) / 2)


def walk(rays: F64, cone: F64) -> F64:
    """Depth of the first point of each ray through (u, v, 1) at no distance from the cone; infinite if none."""
    length = np.sqrt((rays**2).sum(axis=1))
    way = rays / length[:, None]
    gone = np.zeros(len(rays))
    for _ in range(160):
        gap = distance(gone[:, None] * way, cone)
        gone = np.where(gone < 60, gone + gap, gone)
    return np.where(gone < 60, gone / length, np.inf)


def test_closed_form_and_walk_meet_at_the_same_depth() -> None:
    rng = np.random.default_rng(11)
    for trial in range(16):
        a, b = rng.uniform([-1, -1, 4], [1, 1, 9], (2, 3))
        ra, rb = rng.uniform(0.05, 0.8, 2)
        if trial % 8 == 0:
            b = a + 0.05  # one ball swallows the other
        if trial % 8 == 1:
            rb = ra
        if trial % 8 == 2:
            a, b = np.array([0.02, 0.01, 8.0]), np.array([0.0, 0.0, 4.0])  # seen from its end
        cone = np.array([*a, ra, *b, rb, 0.0, 0.0, 0.0])
        rays = np.column_stack([rng.uniform(-0.4, 0.4, (60, 2)), np.ones(60)])
        rays[0] = [*(a + b)[:2] / (a + b)[2], 1.0]
        slow = walk(rays, cone)
        fast = np.array([meet(cone, u, v) for u, v, _ in rays])
        both = np.isfinite(slow) & np.isfinite(fast)
        assert both[0]
        np.testing.assert_allclose(fast[both], slow[both], rtol=0, atol=2e-4)
        # a ray that only grazes may be called either way
        grazing = np.isfinite(slow) != np.isfinite(fast)
        assert grazing.sum() <= 1
