"""Many questions at once: a family of hypotheses declared before the data are seen, then judged together.

Sixteen districts with the *same* false-alert rate give at least one p-value under 5 % in nearly half of audits. The
remedy is old; what is usually missing is the declaration: here a :class:`Family` is named first, has a digest that can
be frozen and signed, refuses a p-value that it did not announce, and keeps counting hypotheses that could not be
tested.

What it cannot tell you: whether the family was really declared before the data were seen. Only a dated, signed digest
can. Nor does any correction make up for a question that was left out of the family after a look at the answer.

References
----------
.. [1] Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6(2), 65-70.
.. [2] Benjamini & Hochberg (1995), "Controlling the false discovery rate", JRSS B 57(1), 289-300.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness._checks import check_choice, check_open_share

FamilyKind = Literal["confirmatory", "exploratory"]
PValues = Sequence[float] | npt.NDArray[np.floating]


def holm(p_values: PValues) -> FloatArray:
    """Adjust p-values so that the chance of even one false finding stays under the level (step-down Bonferroni).

    Parameters
    ----------
    p_values : array-like of float, shape (m,)
        In [0, 1].

    Returns
    -------
    ndarray of float, shape (m,)
        Adjusted p-values, in the order given. Valid whatever the dependence between tests. Empty in, empty out.

    Raises
    ------
    ParameterError
        If a value is not in [0, 1].

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    data = _check_p(p_values, "holm")
    order = np.argsort(data, kind="stable")
    steps = data[order] * np.arange(data.size, 0, -1)
    out = np.empty_like(data)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out


def benjamini_hochberg(p_values: PValues) -> FloatArray:
    """Adjust p-values so that the expected share of false findings among findings stays under the level.

    Parameters
    ----------
    p_values : array-like of float, shape (m,)
        In [0, 1].

    Returns
    -------
    ndarray of float, shape (m,)
        Adjusted p-values, in the order given. Valid for independent or positively dependent tests.

    Raises
    ------
    ParameterError
        If a value is not in [0, 1].

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    data = _check_p(p_values, "benjamini_hochberg")
    order = np.argsort(data, kind="stable")[::-1]
    steps = data[order] * data.size / np.arange(data.size, 0, -1)
    out = np.empty_like(data)
    out[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    return out


@dataclass(frozen=True, slots=True)
class Family:
    """Hypotheses that will be judged together, declared before their p-values exist.

    Attributes
    ----------
    name : str
    hypotheses : tuple of str
        Distinct names, at least one.
    kind : {"confirmatory", "exploratory"}
        ``"confirmatory"``: Holm, chance of *any* false finding at most ``alpha``. ``"exploratory"``:
        Benjamini–Hochberg, expected *share* of false findings at most ``alpha``.
    alpha : float, default=0.05

    Raises
    ------
    ParameterError
        If names are missing or repeated, or ``kind`` or ``alpha`` is not valid.

    Examples
    --------
    >>> family = Family("false alerts by situation", ("waiting", "vendor", "wheelchair"), "confirmatory")
    >>> family.judge({"waiting": 0.01, "vendor": 0.04, "wheelchair": None})["found"].tolist()
    [True, False, False]
    """

    name: str
    hypotheses: tuple[str, ...]
    kind: FamilyKind
    alpha: float = 0.05

    def __post_init__(self) -> None:
        check_choice(self.kind, get_args(FamilyKind), "Family", name="kind")
        check_open_share(self.alpha, "alpha", "Family")
        if not self.hypotheses or len(set(self.hypotheses)) != len(self.hypotheses):
            raise bad_parameter(
                name="hypotheses", where="Family", must="one or more distinct names", got=list(self.hypotheses)
            )

    @property
    def method(self) -> str:
        """``"holm"`` or ``"benjamini-hochberg"``."""
        return "holm" if self.kind == "confirmatory" else "benjamini-hochberg"

    @property
    def digest(self) -> str:
        """SHA-256 of the declaration, to be frozen and dated before data are opened."""
        said = {"name": self.name, "hypotheses": list(self.hypotheses), "kind": self.kind, "alpha": self.alpha}
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def judge(self, p_values: Mapping[str, float | None]) -> pd.DataFrame:
        """Adjust the p-values of the family.

        Parameters
        ----------
        p_values : mapping of str to float or None
            One entry per declared hypothesis; None where the test was not estimable.

        Returns
        -------
        DataFrame
            Indexed by hypothesis, in the order declared. Columns ``p_value``, ``p_adjusted`` (NaN where not estimable),
            ``estimable``, ``found`` (``p_adjusted <= alpha``) and ``method``.

        Raises
        ------
        ParameterError
            If a declared hypothesis has no entry, or an entry was not declared.

        Notes
        -----
        A hypothesis that could not be tested still counts in the size of the family: a test that fails for want of
        data must not make the others easier.
        """
        missing = [name for name in self.hypotheses if name not in p_values]
        extra = [name for name in p_values if name not in self.hypotheses]
        if missing or extra:
            raise bad_parameter(
                name="p_values",
                where="Family.judge",
                must="one entry per declared hypothesis, no more and no less",
                got={"missing": missing, "not declared": extra},
                remedy="Declare a second, exploratory, family for what was thought of afterwards.",
            )
        given = [p_values[name] for name in self.hypotheses]
        counted = np.array([1.0 if p is None else p for p in given], dtype=np.float64)
        adjusted = holm(counted) if self.kind == "confirmatory" else benjamini_hochberg(counted)
        estimable = np.array([p is not None for p in given])
        return pd.DataFrame(
            {
                "p_value": np.where(estimable, counted, np.nan),
                "p_adjusted": np.where(estimable, adjusted, np.nan),
                "estimable": estimable,
                "found": estimable & (adjusted <= self.alpha),
                "method": self.method,
            },
            index=pd.Index(self.hypotheses, name="hypothesis"),
        )


def _check_p(p_values: PValues, where: str) -> FloatArray:
    data = np.asarray(p_values, dtype=np.float64)
    if data.ndim != 1 or not bool(((data >= 0) & (data <= 1)).all()):
        raise bad_parameter(name="p_values", where=where, must="a flat array of numbers in [0, 1]", got=p_values)
    return data
