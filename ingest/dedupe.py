"""Tell a row that comes again from a row that contradicts one already there.

Same identifier and same content: a duplicate, counted and dropped. Same identifier and other content: the first one
stands, the second goes to quarantine as ``conflicting_duplicate``, for a person to decide.

What it cannot tell you: that two identifiers are two events. One event entered twice under two numbers stays two.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import RECORD_ID, ROW_SHA256, SOURCE_FILE, SOURCE_ROW

FRESH: Final = "fresh"
COMMITTED: Final = "committed"  # this very line of this very file is in the table already
DUPLICATE: Final = "duplicate"
CONFLICT: Final = "conflict"


def judge_duplicates(rows: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Say of each row what it is to those before it and to those already committed.

    Parameters
    ----------
    rows : pandas.DataFrame
        In order of arrival: ``record_id``, ``row_sha256``, ``source_file``, ``source_row``.
    known : pandas.DataFrame
        The same columns of committed records, one row per ``record_id``.

    Returns
    -------
    pandas.Series of str
        :data:`FRESH`, :data:`COMMITTED`, :data:`DUPLICATE` or :data:`CONFLICT`, on the index of ``rows``.
    """
    ids, content = rows[RECORD_ID], rows[ROW_SHA256]
    reference = pd.Series(known[ROW_SHA256].to_numpy(dtype=object), index=known[RECORD_ID].to_numpy(dtype=object))
    committed = ids.map(reference).astype("str")
    is_known = committed.notna()
    repeated = ids.duplicated(keep="first")
    same = content == committed.where(is_known, content.groupby(ids).transform("first"))
    verdict = np.where(same, DUPLICATE, CONFLICT).astype(object)
    verdict[(~is_known & ~repeated).to_numpy(dtype=bool)] = FRESH
    if is_known.any():
        columns = [RECORD_ID, ROW_SHA256, SOURCE_FILE, SOURCE_ROW]
        there = pd.MultiIndex.from_frame(known[columns])
        verdict[np.asarray(pd.MultiIndex.from_frame(rows[columns]).isin(there))] = COMMITTED
    return pd.Series(verdict, index=rows.index, dtype="str")
