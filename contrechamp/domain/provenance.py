"""Canonical bytes and their digests: what makes two runs comparable.

Numbers are rounded to :data:`SIGNIFICANT_DIGITS` before they are hashed, so that the last bits of a sum,
which may differ between processors, do not make two equal runs look different.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

#: Significant decimal digits kept in canonical JSON.
SIGNIFICANT_DIGITS: Final = 10


def plain(value: Any) -> Any:
    """Turn numpy scalars, tuples and mappings into what JSON knows; round floats; NaN and ±inf become null.

    Raises
    ------
    TypeError
        For a type with no agreed canonical form.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        if not math.isfinite(number):
            return None
        return float(f"{number:.{SIGNIFICANT_DIGITS}g}") + 0.0  # + 0.0 turns -0.0 into 0.0
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, Sequence | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    raise TypeError(f"No canonical form for {type(value).__name__}: {value!r}")


def canonical_json(value: Any) -> str:
    """Serialise ``value`` with sorted keys, no spaces, rounded floats and UTF-8 text.

    Examples
    --------
    >>> canonical_json({"b": 1.0, "a": (1, 2)})
    '{"a":[1,2],"b":1.0}'
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``."""
    return sha256_bytes(canonical_json(value).encode())


def table_digest(table: pd.DataFrame) -> str:
    """SHA-256 of a table's content: column names and values in order, floats at :data:`SIGNIFICANT_DIGITS`.

    Depends on neither the file format nor the library that wrote it.
    """
    text = table.to_csv(index=False, float_format=f"%.{SIGNIFICANT_DIGITS}g", lineterminator="\n", na_rep="")
    return sha256_bytes(text.encode())
