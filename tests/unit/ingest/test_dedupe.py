"""Duplicates and contradictions against a slow second implementation."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ingest.dedupe import judge_duplicates

COLUMNS = ["record_id", "row_sha256", "source_file", "source_row"]


def frame(rows: list[tuple[str, str, str, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"record_id": "str", "row_sha256": "str", "source_file": "str", "source_row": "int64"}
    )


def slowly(rows: list[tuple[str, str, str, int]], known: list[tuple[str, str, str, int]]) -> list[str]:
    content = {r[0]: r[1] for r in known}
    out = []
    for row in rows:
        if row in known:
            out.append("committed")
        elif row[0] not in content:
            content[row[0]] = row[1]
            out.append("fresh")
        else:
            out.append("duplicate" if content[row[0]] == row[1] else "conflict")
    return out


def test_each_verdict():
    known = [("k", "h1", "f", 1)]
    rows = [("k", "h1", "f", 1), ("k", "h1", "f", 2), ("k", "h2", "g", 1), ("n", "a", "g", 2), ("n", "a", "g", 3),
            ("n", "b", "g", 4)]  # fmt: skip
    expected = ["committed", "duplicate", "conflict", "fresh", "duplicate", "conflict"]
    assert judge_duplicates(frame(rows), frame(known)).tolist() == expected == slowly(rows, known)
    assert judge_duplicates(frame([]), frame(known)).empty


pairs = st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"))


@given(st.lists(pairs, max_size=12), st.lists(pairs, max_size=4, unique_by=lambda p: p[0]))
def test_agrees_with_the_slow_one(found, known):
    rows = [(i, h, "f", n) for n, (i, h) in enumerate(found)]
    there = [(i, h, "f", n) for n, (i, h) in enumerate(known)]
    assert judge_duplicates(frame(rows), frame(there)).tolist() == slowly(rows, there)
