"""Texts between Arrow and pandas, without copying them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_HEX: Final = np.array([f"{byte:02x}" for byte in range(256)], dtype="S2").view(np.uint16)
_STR: Final = pd.StringDtype("pyarrow", na_value=np.nan)


def as_series(array: Any, *, index: pd.Index | None = None) -> pd.Series:
    """Show an Arrow array of texts as a series of dtype ``str``.

    Examples
    --------
    >>> as_series(pa.array(["a", None])).tolist()
    ['a', nan]
    """
    chunks = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    make: Any = pd.arrays.ArrowStringArray  # its stubs lag behind
    return pd.Series(make(chunks.cast(pa.large_string()), dtype=_STR), index=index)


def filled(texts: pd.Series) -> Any:
    """One Arrow array of the texts of a series, blanks for missing ones."""
    array = pc.fill_null(pa.array(texts, from_pandas=True).cast(pa.large_string()), "")
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def in_one_piece(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame with each column of texts in one chunk: rows are taken from many chunks slowly."""
    texts = {name: column for name, column in frame.items() if column.dtype == "str"}
    chunked = {name: pa.array(column, from_pandas=True) for name, column in texts.items()}
    whole = {
        name: as_series(array.combine_chunks(), index=frame.index)
        for name, array in chunked.items()
        if isinstance(array, pa.ChunkedArray) and array.num_chunks > 1
    }
    return frame.assign(**{str(name): column for name, column in whole.items()}) if whole else frame


def hexadecimal(digests: npt.NDArray[np.uint8]) -> Any:
    """Show digests, shape (n, bytes), as an Arrow array of texts.

    Examples
    --------
    >>> hexadecimal(np.array([[0, 255], [65, 66]], dtype=np.uint8)).to_pylist()
    ['00ff', '4142']
    """
    n, size = digests.shape
    offsets = np.arange(n + 1, dtype=np.int64) * (2 * size)
    return pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(_HEX[digests])))
