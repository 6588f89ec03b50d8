"""One batch of raw rows to three heaps: records to commit, rows to quarantine, duplicates to count. No disk.

What it cannot tell you: see :mod:`ingest.contracts` (well formed is not true), :mod:`ingest.dedupe` (one identifier is
not one event) and :mod:`ingest.pseudonyms` (pseudonymous is not anonymous).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import RAW, RECORD_ID, ROW_SHA256, SOURCE_FILE, SOURCE_ROW, T_EVENT
from contrechamp.domain.fingerprint import PrintArray, fingerprints
from ingest import incidents
from ingest.contracts import StreamSpec, Territory, split
from ingest.dedupe import COMMITTED, CONFLICT, DUPLICATE, FRESH, judge_duplicates
from ingest.keys import Key, KeyRing, as_ring
from ingest.quarantine import Reason, Reject, quarantine_frame, reject
from ingest.sealing import seal

#: Column of the raw rows that says which file of the run came first; optional.
ARRIVAL: Final = "arrival"

#: Given record identifiers and their fingerprints, the committed records that bear one of them:
#: ``record_id row_sha256 source_file source_row``.
Known = Callable[[pd.Series, PrintArray], pd.DataFrame]

_TRACE: Final = [RECORD_ID, SOURCE_FILE, SOURCE_ROW]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch of rows held to their contract, before anything is known of duplicates.

    Attributes
    ----------
    spec : StreamSpec
    sealed : pandas.DataFrame
        Rows that meet the contract: columns of the stream's table, ``raw`` and, where it was given, ``arrival``.
    prints : ndarray of uint64
        Fingerprints of their identifiers.
    rejected : tuple of (str, Reject)
        The others, each with its file.
    """

    spec: StreamSpec
    sealed: pd.DataFrame
    prints: PrintArray
    rejected: tuple[tuple[str, Reject], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch of rows.

    Attributes
    ----------
    records : pandas.DataFrame
        New records, in the columns of the stream's table.
    prints : ndarray of uint64
        Fingerprints of their identifiers.
    rejected : tuple of (str, Reject)
        Rows set aside, each with its file.
    duplicates : pandas.DataFrame
        ``record_id``, ``source_file``, ``source_row`` of rows recognised as duplicates.
    already : pandas.DataFrame
        The same of rows that are in the table themselves, left there by an ingest that was interrupted.
    """

    records: pd.DataFrame
    prints: PrintArray
    rejected: tuple[tuple[str, Reject], ...]
    duplicates: pd.DataFrame
    already: pd.DataFrame

    def quarantine(self, spec: StreamSpec, *, digests: Mapping[str, str]) -> pd.DataFrame:
        """Lay the rows set aside out in the columns of the quarantine table, given the SHA-256 of their files."""
        return quarantine_frame(self.rejected, stream=spec.name, digests=digests)


def empty_known(ids: pd.Series, prints: PrintArray | None = None) -> pd.DataFrame:
    """Nothing is committed yet."""
    return pd.DataFrame({c: ids.iloc[:0].astype("str") for c in (RECORD_ID, ROW_SHA256, SOURCE_FILE)}).assign(
        **{SOURCE_ROW: pd.Series([], dtype="int64")}
    )


def process(
    rows: pd.DataFrame,
    spec: StreamSpec,
    *,
    key: KeyRing | bytes | None,
    territory: Territory,
    known: Known = empty_known,
    typed: pd.DataFrame | None = None,
    before: pd.Timestamp | None = None,
) -> Batch:
    """Hold raw rows to their contract, replace persons by pseudonyms, drop duplicates.

    Parameters
    ----------
    rows : pandas.DataFrame
        Readable rows of :func:`ingest.parsing.parse`, with ``source_file``, in order of arrival.
    spec : StreamSpec
    key : KeyRing, bytes or None
        Pseudonymisation keys, or the one key, at least 16 bytes. A published table needs none: nothing personal of it
        is kept.
    territory : Territory
        Not looked at for a published table, whose mapping says when and where its rows may lie.
    known : callable, default=nothing
        Looks committed records up by identifier.
    typed : pandas.DataFrame, optional
        ``typed`` rows of :func:`ingest.parsing.parse`, with the same further columns as ``rows``.
    before : Timestamp, optional
        Rows of events before it have been removed from the lake for good, and are not let in again.

    Returns
    -------
    Batch
        Every row is in one heap and only one.
    """
    return settle(prepare(rows, spec, key=key, territory=territory, typed=typed, before=before), known=known)


def prepare(
    rows: pd.DataFrame,
    spec: StreamSpec,
    *,
    key: KeyRing | bytes | None,
    territory: Territory,
    typed: pd.DataFrame | None = None,
    before: pd.Timestamp | None = None,
) -> Prepared:
    """First half of :func:`process`: all that depends on the rows alone."""
    late: list[tuple[str, Reject]] = []
    if isinstance(spec, incidents.TableSpec):
        sealed, bad = incidents.split(rows, spec)
        sealed = _not_purged(sealed, before, late)
    else:
        ring = as_ring(key)
        good, bad = split(rows, spec, territory=territory, typed=typed)
        sealed = _seal_by_period(_not_purged(good, before, late), spec, ring, late)
    kept = [*spec.lake_columns, RAW, *([ARRIVAL] if ARRIVAL in sealed.columns else [])]
    sealed = sealed[kept]
    rejected = (*zip(bad[SOURCE_FILE].tolist(), bad["reject"].tolist(), strict=True), *late)
    return Prepared(spec, sealed, fingerprints(sealed[RECORD_ID]), rejected)


def _not_purged(good: pd.DataFrame, before: pd.Timestamp | None, late: list[tuple[str, Reject]]) -> pd.DataFrame:
    """Leave out the rows of events before the retention date; they are counted and nothing of them is kept."""
    if before is None or not (old := (good[T_EVENT] < before).to_numpy(dtype=bool)).any():
        return good
    for file, number in good.loc[old, [SOURCE_FILE, SOURCE_ROW]].itertuples(index=False):
        late.append((file, Reject(int(number), Reason.PURGED, "", b"", "")))
    return good[~old].reset_index(drop=True)


def _seal_by_period(
    good: pd.DataFrame, spec: StreamSpec, ring: KeyRing, late: list[tuple[str, Reject]]
) -> pd.DataFrame:
    """Seal each row under the key of its period; leave out those whose key is no longer held."""
    if not ring.rotates:
        return seal(good, spec, key=ring.current)
    t_us = good[T_EVENT].dt.tz_convert(None).to_numpy(dtype="datetime64[us]").astype(np.int64)
    period = ring.period_of(t_us)
    usable = ring.usable(period)
    for file, number, raw, of in zip(
        *(good.loc[~usable, name] for name in (SOURCE_FILE, SOURCE_ROW, RAW)), period[~usable], strict=True
    ):
        late.append((file, reject(int(number), Reason.KEY_EXPIRED, ring.why_not(int(of)), raw)))
    periods = np.unique(period[usable])
    if len(periods) == 1 and usable.all():  # nearly every batch lies within one period
        held = ring.keys[int(periods[0])]
        return seal(good, spec, key=_secret(held), name=held.name)
    parts = [seal(good[:0], spec, key=ring.current)]
    for of in periods:
        held, at = ring.keys[int(of)], np.flatnonzero(usable & (period == of))
        part = seal(good.take(at).reset_index(drop=True), spec, key=_secret(held), name=held.name)
        parts.append(part.set_axis(at))
    return pd.concat(parts).sort_index().reset_index(drop=True)


def _secret(held: Key) -> bytes:
    assert held.secret is not None
    return held.secret


def settle(prepared: Prepared, *, known: Known = empty_known) -> Batch:
    """Second half of :func:`process`: what the rows are to each other and to those committed."""
    sealed, prints, spec = prepared.sealed, prepared.prints, prepared.spec
    there = known(sealed[RECORD_ID], prints)
    doubtful = pd.Series(prints).duplicated(keep=False).to_numpy()
    if len(there):
        doubtful = doubtful | pd.Series(prints).isin(fingerprints(there[RECORD_ID])).to_numpy()
    at = np.flatnonzero(doubtful)
    if ARRIVAL in sealed.columns:
        arrival, numbers = sealed[ARRIVAL].to_numpy()[at], sealed[SOURCE_ROW].to_numpy()[at]
        at = at[np.lexsort((numbers, arrival))]
    verdict = judge_duplicates(sealed.take(at), there).to_numpy(dtype=object)
    rejected = list(prepared.rejected)
    for file, number, record, raw in sealed.take(at[verdict == CONFLICT])[
        [SOURCE_FILE, SOURCE_ROW, RECORD_ID, RAW]
    ].itertuples(index=False):
        detail = f"record {record} is already committed, or comes earlier, with other content"
        rejected.append((file, reject(int(number), Reason.CONFLICTING_DUPLICATE, detail, raw)))
    fresh = np.ones(len(sealed), dtype=np.bool_)
    fresh[at] = verdict == FRESH
    records = sealed[list(spec.lake_columns)]
    return Batch(
        records=records if fresh.all() else records.take(np.flatnonzero(fresh)).reset_index(drop=True),
        prints=prints[fresh],
        rejected=tuple(rejected),
        duplicates=sealed.take(at[verdict == DUPLICATE])[_TRACE].reset_index(drop=True),
        already=sealed.take(at[verdict == COMMITTED])[_TRACE].reset_index(drop=True),
    )
