"""What people look like from afar: six attributes with stated laws, correlations and errors of observation.

Colour of the top (twelve) and of the bottom (eight), height (bands of five centimetres), age (six bands), build
(three) and bag (three). Ages drive heights and builds a little, tops drive bottoms; each marginal law stays what it is
whatever the correlation. The law is small enough to be written out cell by cell, so entropies and expected numbers of
look-alikes are exact. A description by a witness, and what a camera reads, are the truth passed through the same kind
of errors.

What it cannot tell you: what people wear in any city, or what any product reads. No face, gait or name is simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

#: Attribute → number of values. The order is that of the columns of codes everywhere.
ATTRIBUTES: Final[Mapping[str, int]] = {"top": 12, "bottom": 8, "height": 8, "age": 6, "build": 3, "bag": 3}
#: Attributes whose values are ordered: an error goes to a neighbouring band.
ORDERED: Final = ("height", "age")
_AGES: Final = (0.12, 0.18, 0.24, 0.22, 0.15, 0.09)
_BUILDS: Final = (0.2, 0.6, 0.2)
_BAGS: Final = (0.74, 0.18, 0.08)
#: Heights: normal, mean 170 cm, standard deviation 9 cm, cut every 5 cm from 155 to 185.
_HEIGHT_MEAN_CM: Final = 170.0
_HEIGHT_SD_CM: Final = 9.0
_HEIGHT_CUTS_CM: Final = tuple(range(155, 190, 5))


@dataclass(frozen=True, eq=False)
class AppearanceLaw:
    """Law of what people look like, cell by cell.

    Attributes
    ----------
    joint : ndarray, shape (12, 8, 8, 6, 3, 3)
        Chance of each combination of attributes, in the order of :data:`ATTRIBUTES`. Sums to 1.
    """

    joint: FloatArray

    def marginal(self, *attributes: str) -> FloatArray:
        """Law of some attributes, their axes in the order of :data:`ATTRIBUTES`."""
        keep = [list(ATTRIBUTES).index(name) for name in attributes]
        gone = tuple(axis for axis in range(len(ATTRIBUTES)) if axis not in keep)
        out: FloatArray = self.joint.sum(axis=gone)
        return out

    @property
    def entropy_bits(self) -> float:
        """Bits that a full and faultless description tells, on average."""
        p = self.joint[self.joint > 0]
        return float(-(p * np.log2(p)).sum())

    @property
    def p_alike(self) -> float:
        """Chance that two people taken at random look the same in all six attributes."""
        return float((self.joint**2).sum())

    def expected_candidates(self, crowd: int) -> float:
        """People in a crowd who fit the faultless description of one of them, that one included, on average."""
        return 1 + (crowd - 1) * self.p_alike

    def p_alone(self, crowd: int) -> float:
        """Chance that one person of a crowd is the only one to fit his or her faultless description."""
        return float((self.joint * (1 - self.joint) ** (crowd - 1)).sum())


def appearance_law(
    *, colour_skew: float = 1.0, correlation: float = 0.3, reverse_colours: bool = False
) -> AppearanceLaw:
    r"""Write out the law of appearances.

    Parameters
    ----------
    colour_skew : float, default=1.0
        How unequal colours are: the r-th colour goes as :math:`r^{-s}`. 0: every colour as often.
    correlation : float, default=0.3
        Share of people, in [0, 1], whose bottom goes with their top as closely as the two laws allow, and whose height
        and build go with their age likewise. 0: six independent attributes.
    reverse_colours : bool, default=False
        Make the rarest colours the most worn: the dress of a group that dresses otherwise.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    if colour_skew < 0 or not 0 <= correlation <= 1:
        raise bad_parameter(
            name="colour_skew, correlation", where="appearance_law", must="at least 0, and a share in [0, 1]",
            got=(colour_skew, correlation),
        )  # fmt: skip
    top, bottom = (_zipf(ATTRIBUTES[name], colour_skew) for name in ("top", "bottom"))
    if reverse_colours:
        top, bottom = top[::-1], bottom[::-1]
    age, build, bag = (np.array(p) for p in (_AGES, _BUILDS, _BAGS))
    height = _heights()
    dress = _coupled(top, bottom, correlation)
    by_age_height, by_age_build = _coupled(age, height, correlation), _coupled(age, build, correlation)
    body = np.einsum("ah,ab->hab", by_age_height, by_age_build / age[:, None])
    return AppearanceLaw(np.einsum("tb,hac,g->tbhacg", dress, body, bag))


def draw_people(law: AppearanceLaw, *, n: int, rng: np.random.Generator) -> Codes:
    """Draw people: codes of shape (n, 6), one column per attribute.

    Raises
    ------
    ParameterError
        If ``n`` is below 0.
    """
    if n < 0:
        raise bad_parameter(name="n", where="draw_people", must="at least 0", got=n)
    cuts = np.cumsum(law.joint.ravel())
    cells = np.searchsorted(cuts, rng.random(n) * cuts[-1], side="right").clip(max=cuts.size - 1)
    return np.stack(np.unravel_index(cells, law.joint.shape), axis=1).astype(np.uint8)


def error_tables(noise: float) -> dict[str, FloatArray]:
    """Chance of reading each value for each true value, by attribute: rows are truths and sum to 1.

    Parameters
    ----------
    noise : float
        Chance that an attribute is read wrong, in [0, 1): to a band beside for heights and ages, to any other value
        for the rest (and half as often for build and bag, which have few).

    Raises
    ------
    ParameterError
        If ``noise`` is not a share in [0, 1).
    """
    if not 0 <= noise < 1:
        raise bad_parameter(name="noise", where="error_tables", must="a share in [0, 1)", got=noise)
    out = {}
    for name, n in ATTRIBUTES.items():
        wrong = noise if n > 3 else noise / 2
        if name in ORDERED:
            table = np.zeros((n, n))
            for true in range(n):
                near = [v for v in (true - 1, true + 1) if 0 <= v < n]
                table[true, near] = wrong / len(near)
                table[true, true] = 1 - wrong
        else:
            table = np.full((n, n), wrong / (n - 1))
            np.fill_diagonal(table, 1 - wrong)
        out[name] = table
    return out


def observe(people: Codes, *, tables: Mapping[str, FloatArray], rng: np.random.Generator) -> Codes:
    """What is read of people, each attribute with its own errors; same shape as ``people``."""
    luck = rng.random(people.shape)
    out = people.copy()
    for column, name in enumerate(ATTRIBUTES):
        table = tables[name]
        right = np.diagonal(table)
        wrong = np.flatnonzero(luck[:, column] >= right[people[:, column]])
        true = people[wrong, column]
        elsewhere = table - np.diag(right)
        cuts = right[true, None] + np.cumsum(elsewhere, axis=1)[true][:, :-1]
        read = (luck[wrong, column, None] >= cuts).sum(axis=1)
        # Rounding may leave the luck beyond the last cut, on a value the table does not allow.
        possible = table[true, read] > 0
        out[wrong[possible], column] = read[possible]
    return out


def _zipf(n: int, skew: float) -> FloatArray:
    weight = np.arange(1, n + 1, dtype=np.float64) ** -skew
    return np.asarray(weight / weight.sum())


def _heights() -> FloatArray:
    from scipy.stats import norm

    cuts = norm.cdf((np.array(_HEIGHT_CUTS_CM) - _HEIGHT_MEAN_CM) / _HEIGHT_SD_CM)
    return np.diff(np.concatenate([[0.0], cuts, [1.0]]))


def _coupled(first: FloatArray, second: FloatArray, correlation: float) -> FloatArray:
    """Joint law with the two marginals given: independent, mixed with the coupling that follows the ranks."""
    a, b = np.concatenate([[0], np.cumsum(first)]), np.concatenate([[0], np.cumsum(second)])
    ranks = np.clip(np.minimum.outer(a[1:], b[1:]) - np.maximum.outer(a[:-1], b[:-1]), 0, None)
    return np.asarray((1 - correlation) * np.outer(first, second) + correlation * ranks)
