"""Groups as the user has them (array, series, mapping of arrays, frame) turned into one frame of labels.

What it cannot tell you: whether the labels are right, or who chose them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter

#: Label of units whose group is not known. They are a group of their own: nobody is dropped.
MISSING: Final = "(missing)"

#: An array or series (one attribute), or a mapping of names to arrays or a frame (several, crossed).
Groups = npt.ArrayLike | pd.Series | pd.DataFrame | Mapping[str, npt.ArrayLike]


def group_frame(groups: Any, *, where: str, name: str = "groups", length: int | None = None) -> pd.DataFrame:
    """One column of labels per attribute, with a fresh index.

    Raises
    ------
    ParameterError
        If lengths differ, or there is no attribute.
    """
    if isinstance(groups, pd.DataFrame):
        columns = {str(key): groups[key] for key in groups.columns}
    elif isinstance(groups, Mapping):
        columns = {str(key): value for key, value in groups.items()}
    else:
        own = groups.name if isinstance(groups, pd.Series) else None
        columns = {str(own) if own is not None else "group": groups}
    if not columns:
        raise bad_parameter(name=name, where=where, must="at least one attribute", got=groups)
    plain = {key: _labels(value, where, name) for key, value in columns.items()}
    lengths = {key: len(value) for key, value in plain.items()}
    expected = length if length is not None else next(iter(lengths.values()))
    if any(size != expected for size in lengths.values()):
        raise bad_parameter(name=name, where=where, must=f"of length {expected}, as the data", got=lengths)
    return pd.DataFrame(plain)


def crossed(frame: pd.DataFrame) -> tuple[npt.NDArray[np.intp], pd.Index]:
    """Code of each row among all combinations of labels, empty ones included, and the index of combinations."""
    codes, levels = [], []
    for column in frame.columns:
        code, level = pd.factorize(frame[column], sort=True)
        codes.append(code)
        levels.append(pd.Index(level, name=column))
    if len(levels) == 1:
        return np.asarray(codes[0], dtype=np.intp), levels[0]
    index = pd.MultiIndex.from_product(levels, names=list(frame.columns))
    shape = tuple(len(level) for level in levels)
    if len(frame) == 0:
        return np.empty(0, dtype=np.intp), index
    return np.ravel_multi_index(tuple(codes), shape).astype(np.intp), index


def truth_values(
    values: npt.ArrayLike, *, name: str, where: str
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Yes/no values and whether each is known. Accepts booleans, 0/1 numbers, and missing values.

    Raises
    ------
    ParameterError
        If a known value is neither 0 nor 1.
    """
    series = pd.Series(values) if not isinstance(values, pd.Series) else values
    known = series.notna().to_numpy(dtype=bool)
    try:
        numbers = pd.to_numeric(series.where(known, 0)).to_numpy(dtype=np.float64)
        valid = bool(np.isin(numbers, (0.0, 1.0)).all())
    except (ValueError, TypeError):
        valid = False
    if not valid:
        seen = list(pd.unique(series[known]))[:5]
        raise bad_parameter(
            name=name,
            where=where,
            must="booleans or 0/1 numbers",
            got=seen,
            remedy="Compare with the label you mean by 1.",
        )
    return numbers == 1.0, known


def _labels(values: Any, where: str, name: str) -> pd.Series:
    series = pd.Series(np.asarray(values)) if not isinstance(values, pd.Series) else values.reset_index(drop=True)
    if series.ndim != 1:
        raise bad_parameter(name=name, where=where, must="flat arrays", got=values)
    unknown = series.isna()
    return series.astype(object).where(~unknown, MISSING) if bool(unknown.any()) else series
