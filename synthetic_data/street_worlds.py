"""Streets, cameras and three years of counts: what a before/after figure is made of.

Each street has its own level, its own yearly ups and downs and the trend of the city. Cameras are put in some streets
after the second year: at random, or where that year was worst. They prevent a stated share of incidents there, and a
stated share of what is prevented comes back in the two streets beside.

What it cannot tell you: what cameras prevent anywhere. The effect is set by hand; what is tried is whether a figure of
the kind that is published would show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

Selection = Literal["random", "worst", "lottery"]
SELECTIONS: Final[tuple[Selection, ...]] = get_args(Selection)
#: Years: two before the cameras, one after.
N_YEARS: Final = 3


@dataclass(frozen=True, slots=True)
class StreetWorlds:
    """Cities drawn alike, one a row.

    Attributes
    ----------
    counts : ndarray of shape (n_worlds, n_streets, 3)
        Recorded incidents of each street and year.
    cameras : ndarray of shape (n_worlds, n_streets), bool
        Streets that have cameras in the last year.
    eligible : ndarray of shape (n_worlds, n_streets), bool
        Streets that could have had them: those drawn by lot when they are, all when chosen at random or as the worst.
    """

    counts: npt.NDArray[np.int64]
    cameras: npt.NDArray[np.bool_]
    eligible: npt.NDArray[np.bool_]


def draw_street_worlds(
    *, n_worlds: int, n_streets: int, n_cameras: int, per_year: float, effect: float, displacement: float,
    selection: Selection, trend: float, level_sd: float, year_sd: float, rng: np.random.Generator,
) -> StreetWorlds:  # fmt: skip
    """Draw cities.

    Parameters
    ----------
    n_worlds, n_streets, n_cameras : int
        ``n_cameras`` streets get cameras after the second year; at most half of the streets.
    per_year : float
        Mean recorded incidents of a street in a year.
    effect : float
        Share of incidents that cameras add in their street, in (-1, 0]: -0.13 prevents 13 %.
    displacement : float
        Share of what is prevented that happens in the two streets beside instead, in [0, 1].
    selection : {"random", "worst", "lottery"}
        Any streets; those with most incidents in the second year; half, by lot, of twice as many worst streets.
    trend : float
        Yearly change of the whole city, for instance -0.05.
    level_sd, year_sd : float
        Spread of the log of street levels, and of the log of a street's yearly ups and downs.
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.

    Notes
    -----
    What would happen without cameras does not depend on ``effect``, ``displacement`` or ``selection``: designs are
    compared on the same streets and the same luck.
    """
    if selection not in SELECTIONS:
        raise bad_parameter(name="selection", where="draw_street_worlds", must=f"among {SELECTIONS}", got=selection)
    if not 2 <= 2 * n_cameras <= n_streets or n_worlds < 1:
        raise bad_parameter(
            name="n_cameras", where="draw_street_worlds", must="at least 1 and at most half of the streets",
            got=(n_cameras, n_streets),
        )  # fmt: skip
    if not (-1 < effect <= 0 and 0 <= displacement <= 1 and per_year > 0 and trend > -1):
        raise bad_parameter(
            name="effect, displacement, per_year, trend", where="draw_street_worlds",
            must="in (-1, 0], in [0, 1], above 0 and above -1", got=(effect, displacement, per_year, trend),
        )  # fmt: skip
    shape = (n_worlds, n_streets)
    level = per_year * np.exp(level_sd * rng.standard_normal(shape) - level_sd**2 / 2)
    ups = np.exp(year_sd * rng.standard_normal((*shape, N_YEARS)) - year_sd**2 / 2)
    expected = level[..., None] * ups * (1 + trend) ** np.arange(N_YEARS)
    counts = rng.poisson(expected)
    lot = rng.uniform(size=shape)
    cameras, eligible = _choose(counts[..., 1], lot, n_cameras=n_cameras, selection=selection)
    # each incident of the last year where cameras are is prevented or not, and moves next door or not
    prevented = rng.binomial(np.where(cameras, counts[..., 2], 0), -effect)
    moved = rng.binomial(prevented, displacement)
    left = rng.binomial(moved, 0.5)
    counts[..., 2] += np.roll(left, -1, axis=1) + np.roll(moved - left, 1, axis=1) - prevented
    return StreetWorlds(counts, cameras, eligible)


def _choose(
    last: npt.NDArray[np.int64], lot: npt.NDArray[np.float64], *, n_cameras: int, selection: Selection
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Streets with cameras, and streets that could have had them; ties are broken by lot."""
    everyone = np.ones(last.shape, dtype=np.bool_)
    if selection == "random":
        return _lowest(lot, n_cameras), everyone
    worst = -(last + lot)
    if selection == "worst":
        return _lowest(worst, n_cameras), everyone
    pool = _lowest(worst, 2 * n_cameras)
    return _lowest(np.where(pool, np.roll(lot, 1, axis=1), np.inf), n_cameras), pool


def _lowest(values: npt.NDArray[np.float64], k: int) -> npt.NDArray[np.bool_]:
    """The k lowest of each row."""
    order = np.argsort(values, axis=1, kind="stable")
    out = np.zeros(values.shape, dtype=np.bool_)
    np.put_along_axis(out, order[:, :k], True, axis=1)
    return out
