r"""Value, gradient and Hessian of the per-cell self-exciting likelihood, every background at its best, in one pass.

Split from :mod:`models.etas_likelihood`, which says what the likelihood is and looks for its maximum.

What it cannot tell you: whether the process is the right one. It is the same arithmetic for any list of times.

Notes
-----
With :math:`A_i=\sum_{j<i}w_je^{-\omega(t_i-t_j)}` and its two derivatives carried along by recursion, the excitation is
:math:`g=\theta\omega A` and the pass costs one exponential per event, plus the few iterations of each background. The
Hessian is that of the profile: :math:`\ell_{ab}-\sum_n\ell_{a\mu_n}\ell_{b\mu_n}/\ell_{\mu_n\mu_n}`.
"""

from __future__ import annotations

import numba
import numpy as np

from contrechamp.domain.grid import FloatArray, IntArray
from models.etas_events import COMPENSATORS, CellEvents, Compensator, EtasParams

#: Iterations of one background, bisections included: the bracket alone would be down to rounding.
_MAX_ROOT_STEPS = 100


def log_likelihood(events: CellEvents, params: EtasParams, *, compensator: Compensator = "boundary") -> float:
    """Log-likelihood at given parameters, backgrounds as given.

    Notes
    -----
    Minus infinity where an event has no intensity.
    """
    lam = intensity_at_events(events, params)
    if (lam <= 0).any():
        return -float("inf")
    lost = _compensate(
        events.t_days, events.weight, events.duration_days, params.omega_per_day, COMPENSATORS[compensator]
    )[0]
    background = float(params.mu_per_day.sum()) * events.duration_days
    return float(events.weight @ np.log(lam)) - background - params.theta * float(lost)


def intensity_at_events(events: CellEvents, params: EtasParams) -> FloatArray:
    """Intensity just before each instant of ``events``, shape (n,), per day."""
    past = _past(events.t_days, events.weight, events.start, params.omega_per_day)[0]
    return params.mu_per_day[events.row] + params.theta * params.omega_per_day * np.asarray(past)


@numba.njit(nogil=True)
def _past(
    t: FloatArray, w: FloatArray, start: IntArray, omega: float
) -> tuple[FloatArray, FloatArray, FloatArray]:  # fmt: skip
    """Faded count of the past of each event, and the same weighted by lag and by its square."""
    a, b, c = np.zeros_like(t), np.zeros_like(t), np.zeros_like(t)
    for n in range(len(start) - 1):
        for i in range(start[n] + 1, start[n + 1]):
            gap = t[i] - t[i - 1]
            fade, last = np.exp(-omega * gap), a[i - 1] + w[i - 1]
            a[i] = fade * last
            b[i] = fade * (b[i - 1] + gap * last)
            c[i] = fade * (c[i - 1] + 2.0 * gap * b[i - 1] + gap * gap * last)
    return a, b, c


@numba.njit(nogil=True)
def _compensate(t: FloatArray, w: FloatArray, duration: float, omega: float, kind: int) -> tuple[float, float, float]:
    """Sum of w κ(T − t), and its first two derivatives in ω."""
    value, first, second = 0.0, 0.0, 0.0
    if kind == 0:
        return w.sum(), 0.0, 0.0
    if kind == 1:
        for i in range(len(t)):
            rest = duration - t[i]
            fade = np.exp(-omega * rest)
            value += w[i] * (1.0 - fade)
            first += w[i] * rest * fade
            second -= w[i] * rest * rest * fade
        return value, first, second
    by_day = np.zeros(int(duration))
    for i in range(len(t)):
        by_day[int(t[i])] += w[i]
    q, q1, q2 = 0.0, 0.0, 0.0
    for left in range(1, len(by_day) + 1):
        if left > 1:
            fade = np.exp(-omega * (left - 1))
            q += fade
            q1 -= (left - 1) * fade
            q2 += (left - 1) ** 2 * fade
        here = by_day[len(by_day) - left]
        value += here * omega * q
        first += here * (q + omega * q1)
        second += here * (2.0 * q1 + omega * q2)
    return value, first, second


@numba.njit(nogil=True)
def _background(w: FloatArray, g: FloatArray, duration: float, guess: float) -> float:
    """Root of Σ w / (μ + g) = T. The first event of a cell has no excitation, so the root is at least w₀ / T.

    Newton on the reciprocal of the sum, which is linear when nothing is excited; bisection where it leaves the bracket.
    """
    low, high = w[0] / duration, w.sum() / duration
    mu: float = min(max(guess, low), high)
    for _ in range(_MAX_ROOT_STEPS):
        total, slope = 0.0, 0.0
        for i in range(len(w)):
            inverse = 1.0 / (mu + g[i])
            total += w[i] * inverse
            slope += w[i] * inverse * inverse
        if total > duration:
            low = mu
        else:
            high = mu
        new = mu + (total / duration - 1.0) * total / slope
        if not low <= new <= high:
            new = 0.5 * (low + high)
        moved = abs(new - mu)
        mu = new
        if moved <= 4e-16 * mu:
            break
    return mu


@numba.njit(nogil=True)
def _profile(
    t: FloatArray, w: FloatArray, start: IntArray, duration: float, kind: int, adjust: bool, theta: float, omega: float,
    mu: FloatArray,
) -> tuple[float, FloatArray, FloatArray]:  # fmt: skip
    """Profile log-likelihood, its gradient and Hessian in (θ, ω). ``mu`` is the guess, and holds the answer after.

    The adjustment enters the value and the gradient, not the Hessian, which only steers.
    """
    a, b, c = _past(t, w, start, omega)
    lost, lost1, lost2 = _compensate(t, w, duration, omega, kind)
    value = -theta * lost
    gradient = np.array([-lost, -theta * lost1])
    htt, hto, hoo = 0.0, -lost1, -theta * lost2
    g = theta * omega * a
    for n in range(len(start) - 1):
        low, high = start[n], start[n + 1]
        m = _background(w[low:high], g[low:high], duration, mu[n])
        mu[n] = m
        value -= m * duration
        mm, tm, om, cubes, cube_t, cube_o = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(low, high):
            inverse = 1.0 / (m + g[i])
            one, two = w[i] * inverse, w[i] * inverse * inverse
            g_t, g_o = omega * a[i], theta * (a[i] - omega * b[i])
            value -= w[i] * np.log(inverse)
            gradient[0] += one * g_t
            gradient[1] += one * g_o
            htt -= two * g_t * g_t
            hto += one * (a[i] - omega * b[i]) - two * g_t * g_o
            hoo += one * theta * (omega * c[i] - 2.0 * b[i]) - two * g_o * g_o
            mm += two
            tm += two * g_t
            om += two * g_o
            if adjust:
                cubes += two * inverse
                cube_t += two * inverse * g_t
                cube_o += two * inverse * g_o
        htt += tm * tm / mm
        hto += tm * om / mm
        hoo += om * om / mm
        if adjust:
            value -= 0.5 * np.log(m * m * mm)
            gradient[0] += tm / mm / m + (cube_t - cubes * tm / mm) / mm
            gradient[1] += om / mm / m + (cube_o - cubes * om / mm) / mm
    hessian = np.empty((2, 2))
    hessian[0, 0], hessian[0, 1], hessian[1, 0], hessian[1, 1] = htt, hto, hto, hoo
    return value, gradient, hessian
