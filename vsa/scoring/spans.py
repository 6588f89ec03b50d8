"""What scores of events share: tables of times, checked; clips put end to end.

What it cannot tell you: when an alert stops mattering. A rule raises it at an instant; how long it stays on a screen is
a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.video import SCORE

IntArray = npt.NDArray[np.int64]

CLIP: Final = "clip_id"
SPECK: Final = 1e-9  # times are frames over a rate


def observations(alerts: pd.DataFrame, *, hold_s: float) -> pd.DataFrame:
    """Alerts as spans that can be aligned: from ``t_alert_s``, during ``hold_s`` seconds on the operator's screen.

    Adds ``t_begin_s``, ``t_end_s`` and, where there is none, a ``score`` of 1.
    """
    if not hold_s > 0:
        raise bad_parameter(name="hold_s", where="observations", must="a time above 0 seconds", got=hold_s)
    need(alerts, ["t_alert_s"], "alerts")
    spans = alerts.assign(t_begin_s=alerts["t_alert_s"], t_end_s=alerts["t_alert_s"] + hold_s)
    return spans if SCORE in spans else spans.assign(**{SCORE: 1.0})


def end_to_end(tables: Sequence[pd.DataFrame], durations_s: Sequence[float]) -> pd.DataFrame:
    """Put the tables of several clips on one time line, one after the other, with their ``clip_id`` (0, 1, …).

    Every column of times (``t_…_s``) is shifted by the length of the clips before it.
    """
    if len(tables) != len(durations_s):
        raise bad_parameter(
            name="durations_s", where="end_to_end", must=f"as many as tables ({len(tables)})", got=len(durations_s)
        )
    start = np.concatenate([[0.0], np.cumsum(durations_s)])
    parts = []
    for clip, table in enumerate(tables):
        times = {c: table[c] + start[clip] for c in table.columns if c.startswith("t_") and c.endswith("_s")}
        parts.append(table.assign(**times, **{CLIP: clip}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({CLIP: pd.Series(dtype="int64")})


def row_groups(one: pd.DataFrame, other: pd.DataFrame, same: Sequence[str]) -> list[tuple[IntArray, IntArray]]:
    """Rows of both tables, by the columns they must share."""
    if not same:
        return [(np.arange(len(one)), np.arange(len(other)))]
    keys = pd.concat([one[list(same)], other[list(same)]], ignore_index=True)
    code = keys.groupby(list(same), sort=True, dropna=False).ngroup().to_numpy()
    mine, theirs = code[: len(one)], code[len(one) :]
    return [(np.flatnonzero(mine == g), np.flatnonzero(theirs == g)) for g in np.unique(code)]


def need(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Refuse a table that lacks a column, or holds a time that is not finite."""
    missing = [c for c in columns if c not in table]
    if missing:
        raise ContractError(f"The table of {what} lacks {', '.join(missing)}. It has: {', '.join(map(str, table))}.")
    times = table[[c for c in columns if c.startswith("t_")]].to_numpy(np.float64)
    if not np.isfinite(times).all():
        raise ContractError(f"The table of {what} holds a time that is not finite. Drop those rows first.")
