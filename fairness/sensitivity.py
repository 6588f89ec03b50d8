r"""Which unknown of a model decides its answer: Sobol indices, with intervals, over stated ranges.

A number computed in one world says nothing of the world next door. Here every unknown is drawn over a range that
anybody can read and contest, and the variance of the answer is shared out: the *first-order* index of a factor is what
fixing it would take away on average, its *total* index what would be left if only it were unknown, interactions
included. A factor whose total index is near 0 may be fixed anywhere in its range.

Notes
-----
With base points :math:`A` and :math:`B`, and :math:`A_B^{(i)}` the matrix ``A`` whose column *i* comes from ``B``,
first order is Saltelli's :math:`\overline{f(B)(f(A_B^{(i)})-f(A))}/V` and total is Jansen's
:math:`\overline{(f(A)-f(A_B^{(i)}))^2}/2V`, as SALib computes them. Base points are a scrambled Sobol sequence, so the
bootstrap over base points, which takes them for independent, gives intervals that are rather too wide.

What it cannot tell you: how likely a world is. Ranges and their laws are chosen; other ranges give other indices. An
index says how much a factor moves the answer, not in which direction.

References
----------
.. [1] Sobol' (2001), "Global sensitivity indices for nonlinear mathematical models", Math. Comput. Simul. 55, 271-280,
   doi:10.1016/S0378-4754(00)00270-6.
.. [2] Saltelli et al. (2010), "Variance based sensitivity analysis of model output", Comput. Phys. Commun. 181,
   259-270, doi:10.1016/j.cpc.2009.09.018.
.. [3] Iwanaga, Usher & Herman (2022), "Toward SALib 2.0", SESMO 4, 18155, doi:10.18174/sesmo.18155.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.stats import norm

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval

Scale = Literal["linear", "log", "whole"]


@dataclass(frozen=True, slots=True)
class Factor:
    """An unknown and the range it is drawn over.

    Attributes
    ----------
    name : str
    low, high : float
        Ends of the range, ``low`` below ``high``.
    scale : {"linear", "log", "whole"}, default="linear"
        Uniform; uniform in the logarithm (``low`` above 0); or whole numbers from ``low`` to ``high``, equally likely.
    """

    name: str
    low: float
    high: float
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            must = "one of " + ", ".join(get_args(Scale))
            raise bad_parameter(name="scale", where="Factor", must=must, got=self.scale)
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise bad_parameter(
                name="low, high", where="Factor", must="two numbers in order", got=(self.low, self.high)
            )
        if self.scale == "log" and self.low <= 0:
            raise bad_parameter(name="low", where="Factor", must="above 0 on a log scale", got=self.low)

    def value(self, unit: FloatArray) -> FloatArray:
        """Values of the factor at ``unit`` in [0, 1).

        Examples
        --------
        >>> Factor("zones", 2, 20, "whole").value(np.array([0.0, 0.5, 0.999])).tolist()
        [2.0, 11.0, 20.0]
        """
        if self.scale == "log":
            return np.asarray(self.low * (self.high / self.low) ** unit, dtype=np.float64)
        if self.scale == "whole":
            step = np.floor(unit * (self.high - self.low + 1))
            return np.asarray(self.low + np.minimum(step, self.high - self.low), dtype=np.float64)
        return np.asarray(self.low + (self.high - self.low) * unit, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Indices:
    """Sobol indices, one interval per factor, in the order of the factors.

    Attributes
    ----------
    first, total : tuple of Interval
        ``n`` is the number of base points. Not estimable where the answer is the same everywhere.
    """

    first: tuple[Interval, ...]
    total: tuple[Interval, ...]


def draw_units(n: int, n_factors: int, *, rng: np.random.Generator) -> FloatArray:
    """Points of the unit cube, a scrambled Sobol sequence, shape (n, n_factors).

    Raises
    ------
    ParameterError
        If ``n`` is not a power of two of at least 2, or there is no factor.
    """
    from scipy.stats import qmc

    _check_base(n, n_factors, "draw_units")
    return np.asarray(qmc.Sobol(d=n_factors, scramble=True, rng=rng).random(n), dtype=np.float64)


def saltelli_design(n: int, n_factors: int, *, rng: np.random.Generator) -> FloatArray:
    """Where to evaluate the model: at ``A``, at ``A`` with one column of ``B`` at a time, then at ``B``, by base point.

    Parameters
    ----------
    n : int
        Base points, a power of two of at least 2.
    n_factors : int
    rng : numpy.random.Generator
        Scrambles the sequence.

    Returns
    -------
    ndarray, shape (n, n_factors + 2, n_factors)
        In [0, 1); :meth:`Factor.value` takes a column to its range.

    Raises
    ------
    ParameterError
        As :func:`draw_units`.
    """
    from SALib.sample import sobol

    _check_base(n, n_factors, "saltelli_design")
    problem = {
        "num_vars": n_factors, "names": [f"x{i}" for i in range(n_factors)], "bounds": [[0.0, 1.0]] * n_factors
    }  # fmt: skip
    flat = sobol.sample(problem, n, calc_second_order=False, seed=rng)
    return np.asarray(flat, dtype=np.float64).reshape(n, n_factors + 2, n_factors)


def place(units: FloatArray, factors: Sequence[Factor]) -> dict[str, FloatArray]:
    """Take points of the unit cube, shape (..., n_factors), to the ranges of ``factors``: one array (...) per name."""
    if units.shape[-1] != len(factors):
        raise bad_parameter(name="units", where="place", must=f"with {len(factors)} columns", got=units.shape)
    return {factor.name: factor.value(units[..., i]) for i, factor in enumerate(factors)}


def sobol_indices(
    answers: FloatArray, *, rng: np.random.Generator, level: float = 0.95, n_resamples: int = 500
) -> Indices:
    """First-order and total indices of each factor.

    Parameters
    ----------
    answers : ndarray, shape (n, n_factors + 2)
        The model at :func:`saltelli_design`.
    rng : numpy.random.Generator
        Resamples base points.
    level : float, default=0.95
    n_resamples : int, default=500

    Returns
    -------
    Indices
        Bounds are the estimate plus and minus a normal quantile of the bootstrap's standard deviation, so a first-order
        index near 0 has a bound below 0. Not estimable where the answers are all equal.

    Raises
    ------
    ParameterError
        If an answer is not finite, or the shape is not that of a design.

    Examples
    --------
    >>> from contrechamp.domain.rng import stream
    >>> x = saltelli_design(256, 2, rng=stream(1, "doc"))
    >>> found = sobol_indices(2 * x[..., 0] + x[..., 1], rng=stream(1, "doc", "resamples"))
    >>> [round(i.estimate, 1) for i in found.first]  # variances 4/12 and 1/12
    [0.8, 0.2]
    """
    from SALib.analyze.sobol import first_order, total_order

    where = "sobol_indices"
    if answers.ndim != 2 or answers.shape[1] < 3 or len(answers) < 2:
        raise bad_parameter(name="answers", where=where, must="of shape (n, n_factors + 2)", got=answers.shape)
    if not bool(np.isfinite(answers).all()):
        raise bad_parameter(name="answers", where=where, must="finite", got="a number that is not")
    if not 0 < level < 1 or n_resamples < 2:
        raise bad_parameter(
            name="level, n_resamples", where=where, must="a level in (0, 1), at least 2", got=(level, n_resamples)
        )
    n, n_factors = len(answers), answers.shape[1] - 2
    method = "sobol-bootstrap"
    spread = float(answers[:, [0, -1]].std())
    if spread <= 1e-12 * max(1.0, float(np.abs(answers).max())):
        none = (Interval.not_estimable(n=n, method=method, level=level),) * n_factors
        return Indices(none, none)
    y = (answers - answers[:, [0, -1]].mean()) / spread
    pick = rng.integers(n, size=(n, n_resamples))
    a, b = y[:, 0], y[:, -1]
    quantile = float(norm.ppf(0.5 + level / 2))
    found: dict[str, list[Interval]] = {"first": [], "total": []}
    for i in range(n_factors):
        ab = y[:, i + 1]
        for name, estimator in (("first", first_order), ("total", total_order)):
            value = float(estimator(a, ab, b))
            half = quantile * float(np.std(estimator(a[pick], ab[pick], b[pick]), ddof=1))
            found[name].append(Interval(value, value - half, value + half, n, method, level))
    return Indices(tuple(found["first"]), tuple(found["total"]))


def _check_base(n: int, n_factors: int, where: str) -> None:
    if n < 2 or n & (n - 1):
        raise bad_parameter(
            name="n", where=where, must="a power of two of at least 2", got=n,
            remedy="A Sobol sequence is balanced at powers of two only.",
        )  # fmt: skip
    if n_factors < 1:
        raise bad_parameter(name="n_factors", where=where, must="at least 1", got=n_factors)
