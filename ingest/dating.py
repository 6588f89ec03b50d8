"""When did this happen, asked of a row that could not be used: for a retention date, which such rows meet too.

A row set aside has no time of its own in a table, only its bytes. The time is looked for under the name of its field,
then as the first thing in the row that is written like a time.

What it cannot tell you: the time of a row that shows none, or an impossible one. It is then as old as the latest dated
row of its file, and where nothing dates the file, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import pandas as pd

from contrechamp.domain.columns import RAW, SOURCE_FILE, T_EVENT
from contrechamp.domain.streams import LAYOUTS
from ingest.quarantine import Reason, Reject

_TIME: Final = (
    rb"([12][0-9]{3}-(?:0[1-9]|1[0-2]))(-[0-3][0-9])?"
    rb"(?:[T ]([0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?) ?(Z|[+-][0-9]{2}:?[0-9]{2})?)?(?![0-9])"
)
_ANY: Final = re.compile(rb"(?<![0-9])" + _TIME)


@lru_cache(maxsize=64)
def _named(field: str) -> re.Pattern[bytes]:
    return re.compile(rb'"' + re.escape(field.encode()) + rb'"\s*:\s*"?' + _TIME)


def time_field(stream: str) -> str | None:
    """Name, in the dropped file, of the field that says when; None for published tables, which each have their own."""
    layout = LAYOUTS.get(stream)
    return None if layout is None else next(f.raw for f in layout.fields if f.name == T_EVENT)


def event_times(raws: Sequence[bytes], *, stream: str) -> pd.Series:
    """Time of the event that each raw row shows.

    Parameters
    ----------
    raws : sequence of bytes
    stream : str

    Returns
    -------
    Series of datetime64[us, UTC]
        Missing where a row shows none. A time without an offset is taken as UTC, a day or a month as its beginning.

    Examples
    --------
    >>> event_times([b"V-2019-01;2019-03-01T08:00:00+01:00;5.3", b"??"], stream="verbalisations").tolist()
    [Timestamp('2019-03-01 07:00:00+0000', tz='UTC'), NaT]
    """
    field = time_field(stream)
    return pd.Series([_time(raw, field) for raw in raws], dtype="datetime64[us, UTC]")


def _time(raw: bytes, field: str | None) -> pd.Timestamp | None:
    found = _named(field).search(raw) if field is not None else None
    if found is None:
        # the most precise first: an identifier may hold a year and a month
        found = max(_ANY.finditer(raw), key=lambda m: (m[3] is not None, m[2] is not None, -m.start()), default=None)
    if found is None:
        return None
    month, day, clock, offset = (part.decode() if part else "" for part in found.groups())
    try:
        stamp = pd.Timestamp(f"{month}{day or '-01'}T{clock or '00:00'}{offset}")
        return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    except (ValueError, OverflowError):
        return None


def dated(rows: pd.DataFrame, *, stream: str, latest: pd.Series | None = None) -> pd.Series:
    """Time of rows set aside; that of the latest dated row of its file for a row that shows none.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``source_file``, ``raw``.
    stream : str
    latest : Series of datetime64[us, UTC], optional
        By file: latest event of it known from elsewhere.

    Returns
    -------
    Series of datetime64[us, UTC]
        On the index of ``rows``. Missing where nothing dates the file.
    """
    times = event_times(rows[RAW].tolist(), stream=stream).set_axis(rows.index)
    known = [times.groupby(rows[SOURCE_FILE]).max().dropna()]
    if latest is not None:
        known.append(latest.dropna().astype("datetime64[us, UTC]"))
    known = [part for part in known if len(part)]
    if not known:
        return times
    of_file = pd.concat(known).groupby(level=0).max()
    return times.fillna(rows[SOURCE_FILE].map(of_file).astype("datetime64[us, UTC]"))


def forget_old(
    refused: Sequence[tuple[str, Reject]],
    *,
    stream: str,
    before: pd.Timestamp | None,
    latest: pd.Series | None = None,
) -> list[tuple[str, Reject]]:
    """Take the contents out of refused rows that are older than the retention date; their place in the file stays.

    Parameters
    ----------
    refused : sequence of (str, Reject)
        Each with the name of its file.
    stream : str
    before : Timestamp or None
        Rows of the stream before this instant have been removed from the lake.
    latest : Series, optional
        As of :func:`dated`.

    Returns
    -------
    list of (str, Reject)
        In the order of ``refused``; those rows with reason ``purged``, no bytes, no detail and no digest.
    """
    if before is None or not refused:
        return list(refused)
    frame = pd.DataFrame({SOURCE_FILE: [file for file, _ in refused], RAW: [r.raw for _, r in refused]})
    times = dated(frame, stream=stream, latest=latest)
    of_old_files = {file for file, rejected in refused if rejected.reason is Reason.PURGED}
    old = ((times < before) | (times.isna() & frame[SOURCE_FILE].isin(of_old_files))).tolist()
    return [
        (file, Reject(rejected.source_row, Reason.PURGED, "", b"", "") if gone else rejected)
        for (file, rejected), gone in zip(refused, old, strict=True)
    ]
