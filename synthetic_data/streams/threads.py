"""Trees of posts as arrays: who answers whom, and when.

Two ways to grow them. :func:`branch` is a branching process: every post draws replies, generation by generation.
:func:`attach` is for a talk whose size is known: each post answers the first or any earlier one. In both, a parent is
written before its children.

What it cannot tell you: why people answer. Both are standard random trees with no notion of content.
"""

from __future__ import annotations

import numpy as np

from synthetic_data.streams.dense import SECOND_US, FloatArray, IntArray


def lags_us(n: int, *, median_s: float, log_sd: float, rng: np.random.Generator) -> IntArray:
    """Draw log-normal delays of at least a second, in microseconds and whole seconds."""
    seconds = median_s * np.exp(log_sd * rng.standard_normal(n))
    return np.maximum(np.rint(seconds), 1).astype(np.int64) * SECOND_US


def branch(
    t_us: IntArray,
    *,
    mean: float,
    median_s: float,
    log_sd: float,
    spread: float,
    until_us: int,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray, IntArray]:
    """Grow replies under roots.

    Parameters
    ----------
    t_us : ndarray of int, shape (n,)
        Instants of the roots.
    mean : float
        Mean number of replies of a post, below 1.
    median_s, log_sd : float
        Delay of a reply, log-normal.
    spread : float
        How unequal roots are: standard deviation of the logarithm of their pull, whose mean is 1.
    until_us : int
        Replies from this instant on are never written, nor theirs.

    Returns
    -------
    t_us, parent, root : ndarrays of int
        Of the roots first, then of the replies: instant, index of the parent (-1) and of the root. A parent comes
        before its children.
    """
    times, parents, roots = [t_us], [np.full(len(t_us), -1, dtype=np.int64)], [np.arange(len(t_us))]
    pull = np.exp(spread * rng.standard_normal(len(t_us)) - spread**2 / 2)
    first = 0
    while len(times[-1]):
        of = np.repeat(np.arange(len(times[-1])), rng.poisson(mean * pull))
        when = times[-1][of] + lags_us(len(of), median_s=median_s, log_sd=log_sd, rng=rng)
        of, when = of[when < until_us], when[when < until_us]
        parents.append(first + of)
        roots.append(roots[-1][of])
        first += len(times[-1])
        times.append(when)
        pull = np.ones(len(of))
    return np.concatenate(times), np.concatenate(parents), np.concatenate(roots)


def starts_of(sizes: IntArray) -> IntArray:
    """Index of the first item of consecutive groups of these sizes."""
    return np.cumsum(sizes) - sizes


def ranks_of(sizes: IntArray) -> IntArray:
    """Rank of each item in its group.

    Examples
    --------
    >>> ranks_of(np.array([2, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    return np.arange(int(sizes.sum())) - np.repeat(starts_of(sizes), sizes)


def in_order(t_us: IntArray, sizes: IntArray) -> IntArray:
    """Sort instants within each group and keep them one second apart at least."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    return t_us[np.lexsort((t_us, group))] + ranks_of(sizes) * SECOND_US


def attach(sizes: IntArray, *, to_first: float, rng: np.random.Generator) -> IntArray:
    """Draw the parent of each post of talks whose posts are in order of time.

    Parameters
    ----------
    sizes : ndarray of int
        Number of posts of each talk, the first one included.
    to_first : float
        Chance to answer the first post; otherwise any earlier one, all as likely.

    Returns
    -------
    ndarray of int
        Index of the parent among all posts; -1 for the first of each talk.
    """
    rank, start = ranks_of(sizes), np.repeat(starts_of(sizes), sizes)
    u = rng.random(len(rank))
    any_earlier = np.floor(rng.random(len(rank)) * rank).astype(np.int64)
    return np.where(rank == 0, -1, start + np.where(u < to_first, 0, any_earlier))


def heavy(n: int, *, mean: float | FloatArray, log_sd: float, rng: np.random.Generator) -> IntArray:
    """Draw counts with a log-normal mean: most talks are small, a few are not."""
    level: FloatArray = mean * np.exp(log_sd * rng.standard_normal(n) - log_sd**2 / 2)
    return rng.poisson(level).astype(np.int64)
