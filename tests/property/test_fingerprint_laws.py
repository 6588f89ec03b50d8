"""Fingerprints: a function of the text alone, and of all of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from contrechamp.domain.fingerprint import fingerprints
from contrechamp.store.index import FileIndex

texts = st.lists(st.text(max_size=20) | st.text(alphabet="ab", min_size=380, max_size=390), max_size=8)


@given(texts)
def test_the_company_of_a_text_does_not_matter(found):
    alone = [int(fingerprints([text])[0]) for text in found]
    assert fingerprints(found).tolist() == alone
    chunked = pa.chunked_array([found[:3], found[3:]], pa.string())
    assert fingerprints(chunked).tolist() == alone
    assert fingerprints(pa.array(["x", *found], pa.large_string()).slice(1)).tolist() == alone


def test_a_million_identifiers_and_texts_that_differ_by_one_character_are_told_apart():
    ids = [f"MC2017-{i:07d}" for i in range(300_000)] + ["", "\x00", "\x00\x00", "a", "a\x00"]
    assert len(np.unique(fingerprints(ids))) == len(ids)
    long = "x" * 384
    near = [long[:i] + "y" + long[i + 1 :] for i in range(384)] + ["x" * n for n in (383, 384, 385, 500)]
    assert len(np.unique(fingerprints(near))) == len(near)


@given(st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=9), st.lists(st.integers(0, 15), max_size=6))
def test_the_index_names_every_file_that_has_it_and_no_other(files, wanted):
    index = FileIndex()
    for number, prints in enumerate(files):
        index.add(np.array(prints, dtype=np.uint64), number)
    there, named = index.files_with(np.array(wanted, dtype=np.uint64))
    assert there.tolist() == [any(w in f for f in files) for w in wanted]
    assert named == {n for n, f in enumerate(files) if set(f) & set(wanted)}
    assert len(index) == sum(map(len, files))
