"""One batch of raw rows to three heaps: records to commit, rows to quarantine, duplicates to count. No disk.

What it cannot tell you: see :mod:`ingest.contracts` (well formed is not true), :mod:`ingest.dedupe` (one identifier is
not one event) and :mod:`ingest.pseudonyms` (pseudonymous is not anonymous).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from contrechamp.domain.columns import (
    INFORMANT,
    PLATE,
    RAW,
    RECORD_ID,
    ROW_SHA256,
    SOURCE_FILE,
    SOURCE_ROW,
    TEXT,
)
from ingest import incidents
from ingest.contracts import StreamSpec, Territory, split
from ingest.dedupe import COMMITTED, CONFLICT, DUPLICATE, FRESH, judge_duplicates
from ingest.pseudonyms import check_key, pseudonymise_informants, pseudonymise_plates, row_mark, scrub_texts
from ingest.quarantine import Reason, Reject, quarantine_frame, reject

#: Given record identifiers, the committed records that bear them: ``record_id row_sha256 source_file source_row``.
Known = Callable[[pd.Series], pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch of rows.

    Attributes
    ----------
    records : pandas.DataFrame
        New records, in the columns of the stream's table.
    quarantine : pandas.DataFrame
        Rows set aside, in the columns of the quarantine table.
    duplicates : pandas.DataFrame
        ``record_id``, ``source_file``, ``source_row`` of rows recognised as duplicates.
    already : pandas.DataFrame
        The same of rows that are in the table themselves, left there by an ingest that was interrupted.
    """

    records: pd.DataFrame
    quarantine: pd.DataFrame
    duplicates: pd.DataFrame
    already: pd.DataFrame


def empty_known(ids: pd.Series) -> pd.DataFrame:
    """Nothing is committed yet."""
    return pd.DataFrame({c: ids.iloc[:0].astype("str") for c in (RECORD_ID, ROW_SHA256, SOURCE_FILE)}).assign(
        **{SOURCE_ROW: pd.Series([], dtype="int64")}
    )


def process(
    rows: pd.DataFrame, spec: StreamSpec, *, key: bytes | None, territory: Territory, known: Known = empty_known
) -> Batch:
    """Hold raw rows to their contract, drop duplicates, replace persons by pseudonyms.

    Parameters
    ----------
    rows : pandas.DataFrame
        Readable rows of :func:`ingest.parsing.parse`, with ``source_file``, in order of arrival.
    spec : StreamSpec
    key : bytes or None
        Pseudonymisation key, at least 16 bytes. A published table needs none: nothing personal of it is kept.
    territory : Territory
        Not looked at for a published table, whose mapping says when and where its rows may lie.
    known : callable, default=nothing
        Looks committed records up by identifier.

    Returns
    -------
    Batch
        Every row of ``rows`` is in one heap and only one.
    """
    rows = rows.reset_index(drop=True)
    if isinstance(spec, incidents.TableSpec):
        good, bad = incidents.split(rows, spec)
    else:
        key = check_key(key)
        good, bad = split(rows, spec, territory=territory)
        good[ROW_SHA256] = pd.array([row_mark(raw, key=key) for raw in good[RAW]], dtype="str")
    verdict = judge_duplicates(good, known(good[RECORD_ID]))
    rejected: list[tuple[str, Reject]] = list(
        zip(rows[SOURCE_FILE].iloc[bad["position"]].tolist(), bad["reject"].tolist(), strict=True)
    )
    conflicts = good[verdict == CONFLICT]
    for file, number, record, raw in zip(
        conflicts[SOURCE_FILE], conflicts[SOURCE_ROW], conflicts[RECORD_ID], conflicts[RAW], strict=True
    ):
        detail = f"record {record} is already committed, or comes earlier, with other content"
        rejected.append((file, reject(int(number), Reason.CONFLICTING_DUPLICATE, detail, raw)))
    trace = [RECORD_ID, SOURCE_FILE, SOURCE_ROW]
    return Batch(
        records=_records(good[verdict == FRESH], spec, key=key),
        quarantine=quarantine_of(rejected, spec),
        duplicates=good.loc[verdict == DUPLICATE, trace].reset_index(drop=True),
        already=good.loc[verdict == COMMITTED, trace].reset_index(drop=True),
    )


def quarantine_of(rejected: list[tuple[str, Reject]], spec: StreamSpec) -> pd.DataFrame:
    """Quarantine rows of several files, ordered by file and row."""
    frame = quarantine_frame([r for _, r in rejected], stream=spec.name, source_file="")
    frame[SOURCE_FILE] = pd.array([file for file, _ in rejected], dtype="str")
    return frame.sort_values([SOURCE_FILE, SOURCE_ROW], kind="stable").reset_index(drop=True)


def _records(good: pd.DataFrame, spec: StreamSpec, *, key: bytes | None) -> pd.DataFrame:
    if key is None or not {INFORMANT, PLATE} & set(spec.lake_columns):
        return good[list(spec.lake_columns)].reset_index(drop=True)
    out = good.copy()
    if INFORMANT in spec.lake_columns:
        names, phones = good["informant_name"], good["informant_phone"]
        out[INFORMANT] = pseudonymise_informants(names, phones, key=key)
        out[TEXT] = scrub_texts(good[TEXT], names=names, phones=phones, tokens=out[INFORMANT])
    if PLATE in spec.lake_columns:
        out[PLATE] = pseudonymise_plates(good["plate"], key=key)
    return out[list(spec.lake_columns)].reset_index(drop=True)
