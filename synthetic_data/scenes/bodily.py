"""The body a situation comes in: height, build, what is carried, and the seed of what is worn."""

from __future__ import annotations

from typing import Final, TypedDict

import numpy as np

from contrechamp.domain.situations import SITUATIONS

#: Situation → height in metres, mean and standard deviation; the others are adults.
HEIGHTS_M: Final = {"child_playing": (1.2, 0.1), "cane": (1.64, 0.08)}
ADULT_HEIGHT_M: Final = (1.70, 0.09)
#: What anyone with free hands may carry, and how often.
_MAY_CARRY: Final = (("backpack", 0.2), ("handbag", 0.2))
_FREE_HANDED: Final = ("passing", "waiting", "seated", "smoking", "talking", "hurrying", "counter_flow", "falling")


class Body(TypedDict):
    """Fields of :class:`~synthetic_data.scenes.plans.Person` that say what the person looks like."""

    height_m: float
    build: float
    accessories: tuple[str, ...]
    appearance_seed: int


def draw_body(situation: str, *, rng: np.random.Generator) -> Body:
    """A body for a situation.

    Parameters
    ----------
    situation : str
        A key of :data:`contrechamp.domain.situations.SITUATIONS`.
    rng : numpy.random.Generator
    """
    mean, sd = HEIGHTS_M.get(situation, ADULT_HEIGHT_M)
    height = float(np.clip(rng.normal(mean, sd), mean - 2.5 * sd, mean + 2.5 * sd))
    build = float(np.clip(rng.normal(1.0, 0.1), 0.75, 1.35))
    carried = list(SITUATIONS[situation].accessories)
    draws = rng.uniform(size=2)
    if situation == "tourists":
        carried = [c for c, u in zip(carried, draws, strict=True) if u < 0.7]
    elif situation in _FREE_HANDED:
        carried += [name for (name, often), u in zip(_MAY_CARRY, draws, strict=True) if u < often]
    return Body(
        height_m=round(height, 4), build=round(build, 4), accessories=tuple(carried),
        appearance_seed=int(rng.integers(2**31)),
    )  # fmt: skip
