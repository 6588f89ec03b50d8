"""Who has an account: residents drawn by age and place, few of whom do most of the talking.

What it cannot tell you: who posts in a city. Age and distance are the only reasons here, group and income none of
their own; where they live apart, a difference between groups follows from the places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_data.streams.dense import FloatArray, IntArray, pick

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Youngest age of an account.
LEAST_AGE = 13


@dataclass(frozen=True, eq=False)
class Accounts:
    """Account holders, sorted by quarter of residence.

    Attributes
    ----------
    person : ndarray of int
    weight : ndarray
        How much each of them writes, relative.
    quarter : ndarray of int
        Row of the quarter of residence.
    """

    person: IntArray
    weight: FloatArray
    quarter: IntArray

    def __len__(self) -> int:
        return len(self.person)

    def anywhere(self, n: int, *, rng: np.random.Generator) -> IntArray:
        """Draw ``n`` accounts (indices) in proportion to how much they write."""
        return pick(self.weight, size=n, rng=rng)

    def near(self, quarter: IntArray, *, rng: np.random.Generator) -> IntArray:
        """Draw for each quarter one account of its residents; of anywhere where there is none."""
        edges = np.concatenate([[0.0], np.cumsum(self.weight)])
        low = edges[np.searchsorted(self.quarter, quarter, side="left")]
        high = edges[np.searchsorted(self.quarter, quarter, side="right")]
        none = high <= low
        low, high = np.where(none, 0.0, low), np.where(none, edges[-1], high)
        at = np.searchsorted(edges, low + rng.random(len(quarter)) * (high - low), side="right") - 1
        return np.asarray(np.clip(at, 0, len(self) - 1), dtype=np.int64)

    def voices_per_resident(self, residents: IntArray) -> FloatArray:
        """How much is written per resident of each quarter, relative to the whole city; 0 where nobody lives."""
        written = np.bincount(self.quarter, self.weight, minlength=len(residents))
        mean = self.weight.sum() / max(int(residents.sum()), 1)
        out = np.divide(written / mean, residents, out=np.zeros(len(residents)), where=residents > 0)
        return np.asarray(out, dtype=np.float64)


def draw_accounts(
    world: World, log_odds: FloatArray, *, share: float, tail: float, rng: np.random.Generator
) -> Accounts:
    """Draw account holders among residents with a smartphone.

    Parameters
    ----------
    world : World
    log_odds : ndarray, shape (n_people,)
        Relative log-chance of each resident.
    share : float
        Expected number of accounts, as a share of all residents (one at least).
    tail : float
        Exponent of the Pareto law of how much each writes.
    """
    people = world.people
    may = np.flatnonzero(people.smartphone & (people.age >= LEAST_AGE))
    if len(may) == 0:
        may = np.arange(len(people))
    n = int(np.clip(round(share * len(people)), 1, len(may)))
    keys = log_odds[may] + rng.gumbel(size=len(may))  # the n largest: sampling without replacement in proportion
    chosen = may[np.argpartition(-keys, n - 1)[:n]]
    chosen = chosen[np.lexsort((chosen, people.quarter[chosen]))]
    # capped, so that a city does not hang on one account
    weight = np.minimum((1 - rng.random(n)) ** (-1 / tail), max(3.0, 0.02 * n))
    return Accounts(chosen.astype(np.int64), weight, people.quarter[chosen].astype(np.int64))
