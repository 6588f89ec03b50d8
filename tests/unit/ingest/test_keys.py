"""A ring of keys: who is linked to whom, what a destroyed key leaves, and what a lake lets a ring do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.pipelines.ingest import ingest
from contrechamp.pipelines.keys import load_ring
from contrechamp.store import lake as store
from contrechamp.store import retention
from ingest import pseudonyms
from ingest.keys import NO_PERIOD, KeyRing, as_ring, check_succession, ring_from

FIRST, SECOND, THIRD = "the key of the first period", "the key of the second period", "and that of the third one"
YEAR_US = pd.Timestamp("2018-01-01", tz="UTC").value // 1000


def ring(*extra: dict[str, Any], first: dict[str, Any] | None = None) -> KeyRing:
    return ring_from({"keys": [first or {"key": FIRST}, {"from": "2018-01-01", "key": SECOND}, *extra]})


def row(i: str, day: str, *, name: str = "Zoé Arc", phone: str = "06 39 98 00 01") -> dict[str, Any]:
    return {
        "id": i, "t_event": f"{day}T10:00:00Z", "t_entry": f"{day}T11:00:00Z", "lon": 5.37, "lat": 43.3,
        "type": "tapage", "origin": "call", "unit": "U1", "text": f"{name} appelle", "informant_name": name,
        "informant_phone": phone,
    }  # fmt: skip


def drop(folder: Path, name: str, *rows: dict[str, Any]) -> Path:
    landing = folder / "mains_courantes"
    landing.mkdir(parents=True, exist_ok=True)
    (landing / name).write_text("\n".join(json.dumps(r) for r in rows))
    return landing


def test_periods_begin_at_their_instant_and_not_before():
    assert ring().period_of(np.array([YEAR_US - 1, YEAR_US, -(2**60)])).tolist() == [0, 1, 0]
    late = ring_from(
        {"keys": [{"from": "2017-01-01", "key": FIRST}, {"from": "2018-01-01T00:00:00+00:00", "key": SECOND}]}
    )
    assert late.period_of(np.array([0, YEAR_US])).tolist() == [NO_PERIOD, 1]
    assert late.usable(np.array([NO_PERIOD, 0, 1])).tolist() == [False, True, True]


def test_one_person_is_joined_within_a_period_and_not_across(tmp_path):
    landing = drop(tmp_path, "a.jsonl", row("A", "2017-03-01"), row("B", "2017-12-31", name="zoe arc"),
                   row("C", "2018-01-01"), row("D", "2019-06-01"))  # fmt: skip
    keys = ring()
    ingest(landing, lake=tmp_path / "lake", key=keys)
    found = store.read_stream(tmp_path / "lake", "mains_courantes").set_index("record_id")["informant_pseudonym"]
    assert found["A"] == found["B"] != found["C"] == found["D"]
    names = [keys.keys[0].name, keys.keys[1].name]
    assert [p.split("_")[1] for p in found] == [names[0], names[0], names[1], names[1]]
    assert len({p.split("_")[2] for p in found}) == 2, "not even without the name of the key"
    texts = store.read_stream(tmp_path / "lake", "mains_courantes")["text"]
    assert texts.str.startswith("inf_").all()
    assert not texts.str.contains("Zo").any()


def test_a_single_key_gives_the_bytes_it_always_gave(tmp_path):
    landing = drop(tmp_path, "a.jsonl", row("A", "2017-03-01"))
    ingest(landing, lake=tmp_path / "one", key=FIRST.encode())
    alone = ring_from({"keys": [{"key": FIRST, "bare": True}]})
    ingest(landing, lake=tmp_path / "two", key=alone)
    one, two = (store.read_stream(tmp_path / n, "mains_courantes") for n in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)
    expected = pseudonyms.pseudonym("inf", "zoe arc\x1f0639980001", key=FIRST.encode())
    assert one["informant_pseudonym"].tolist() == [expected]
    assert one["row_sha256"].tolist() == [
        pseudonyms.row_mark(json.dumps(row("A", "2017-03-01")).encode(), key=FIRST.encode())
    ]
    assert not (tmp_path / "two" / "pseudonym_keys").exists()
    assert as_ring(FIRST.encode()).mark == alone.mark == pseudonyms.key_mark(FIRST.encode())


def test_a_lake_of_one_key_goes_on_under_a_ring_that_begins_with_it(tmp_path):
    lake = tmp_path / "lake"
    landing = drop(tmp_path, "a.jsonl", row("A", "2017-03-01"))
    ingest(landing, lake=lake, key=FIRST.encode())
    before = store.read_stream(lake, "mains_courantes")
    drop(tmp_path, "b.jsonl", row("A", "2017-03-01"), row("B", "2017-05-01"), row("C", "2018-02-01"))
    report = ingest(landing, lake=lake, key=ring(first={"key": FIRST, "bare": True}))
    assert (report.committed, report.duplicates) == (2, 2), "the late row of the old period is recognised"
    after = store.read_stream(lake, "mains_courantes")
    pd.testing.assert_frame_equal(after[:1], before)
    assert after["informant_pseudonym"][0] == after["informant_pseudonym"][1]
    with pytest.raises(ContractError, match="is not in the ring"):
        ingest(landing, lake=lake, key=FIRST.encode())
    with pytest.raises(ContractError, match="another pseudonymisation key"):
        ingest(landing, lake=lake, key=ring())  # names the first key, which the lake does not


def test_late_rows_of_a_destroyed_key_are_set_aside_and_never_put_under_another(tmp_path):
    lake = tmp_path / "lake"
    landing = drop(tmp_path, "a.jsonl", row("A", "2017-03-01"), row("C", "2018-02-01"))
    ingest(landing, lake=lake, key=ring())
    before = store.read_stream(lake, "mains_courantes")
    gone = ring(first={"mark": ring().keys[0].mark, "destroyed": True})
    drop(tmp_path, "b.jsonl", row("A", "2017-03-01"), row("B", "2017-05-01"), row("D", "2018-03-01"))
    report = ingest(landing, lake=lake, key=gone)
    assert (report.committed, report.quarantined, report.duplicates) == (1, 2, 2)
    assert report.reasons == {"key_expired": 2}
    after = store.read_stream(lake, "mains_courantes")
    pd.testing.assert_frame_equal(after[after["record_id"] != "D"].reset_index(drop=True), before)
    quarantine = store.read_quarantine(lake)
    assert quarantine["detail"].str.contains(gone.keys[0].mark[:8]).all()
    again = ingest(landing, lake=lake, key=gone)
    assert again.duplicates == again.rows_in == 5


def test_rows_of_two_periods_in_one_batch_keep_their_order_and_are_judged_together(tmp_path):
    landing = drop(tmp_path, "a.jsonl", *(row(f"R{i:02d}", ("2017-03-01", "2018-03-01")[i % 2]) for i in range(20)),
                   row("R00", "2018-03-01"), row("R00", "2017-03-01"))  # fmt: skip
    report = ingest(landing, lake=tmp_path / "lake", key=ring())
    assert (report.committed, report.duplicates, report.reasons) == (20, 1, {"conflicting_duplicate": 1})
    found = store.read_stream(tmp_path / "lake", "mains_courantes")
    assert found["source_row"].tolist() == list(range(1, 21))


def test_a_lake_refuses_a_ring_that_rewrites_the_past(tmp_path):
    lake = tmp_path / "lake"
    ingest(drop(tmp_path, "a.jsonl", row("A", "2017-03-01"), row("C", "2018-02-01")), lake=lake, key=ring())
    assert retention.known_keys(lake) == {ring().keys[0].mark: None, ring().keys[1].mark: YEAR_US}
    moved = ring_from({"keys": [{"key": FIRST}, {"from": "2018-01-02", "key": SECOND}]})
    early = ring({"from": "2018-02-01", "key": THIRD})
    fine = ring({"from": "2018-02-02", "key": THIRD})
    with pytest.raises(ContractError, match="said by the ring to begin at 2018-01-02"):
        ingest(tmp_path / "mains_courantes", lake=lake, key=moved)
    with pytest.raises(ContractError, match="two pseudonyms in one period"):
        ingest(tmp_path / "mains_courantes", lake=lake, key=early)
    ingest(tmp_path / "mains_courantes", lake=lake, key=fine)
    assert len(retention.known_keys(lake)) == 3
    with pytest.raises(ContractError, match="is not in the ring"):
        ingest(tmp_path / "mains_courantes", lake=lake, key=ring())


def test_succession_says_which_keys_are_new():
    keys = ring()
    assert [k.since_us for k in check_succession(keys, {}, latest_us=None)] == [None, YEAR_US]
    assert check_succession(keys, {k.mark: k.since_us for k in keys.keys}, latest_us=2**60) == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "no such list"),
        ({"keys": [{"key": "short"}]}, "at least 16 bytes"),
        ({"keys": [{"key": FIRST}, {"key": SECOND}]}, "in the order of their periods"),
        ({"keys": [{"from": "2018-01-01", "key": FIRST}, {"from": "2017-01-01", "key": SECOND}]}, "in the order"),
        ({"keys": [{"key": FIRST}, {"from": "2018-01-01", "key": FIRST}]}, "are the same"),
        ({"keys": [{"key": FIRST}, {"from": "2018-01-01T00:00:00", "key": SECOND, "bare": True}]}, "only the first"),
        ({"keys": [{"key": FIRST}, {"from": "2018-01-01T10:00:00", "key": SECOND}]}, "an instant with an offset"),
        ({"keys": [{"mark": "0" * 16, "destroyed": True}]}, "the last key cannot be destroyed"),
        ({"keys": [{"key": FIRST, "destroyed": True}, {"from": "2018-01-01", "key": SECOND}]}, "`key` must be gone"),
        ({"keys": [{"key": FIRST, "mark": "0" * 16}]}, "another key"),
        ({"keys": [{"key": FIRST, "until": "2018-01-01"}]}, "unknown entries: until"),
    ],
)  # fmt: skip
def test_a_ring_that_makes_no_sense_is_refused_without_showing_a_key(data, said):
    with pytest.raises(ParameterError, match=said) as refused:
        ring_from(data)
    assert "\n" not in str(refused.value)
    assert not any(key in str(refused.value) for key in (FIRST, SECOND))
    assert FIRST not in repr(ring())


def test_the_file_of_a_ring_must_be_closed_to_others(tmp_path):
    path = tmp_path / "keys.toml"
    path.write_text(f'[[keys]]\nkey = "{FIRST}"\n[[keys]]\nfrom = 2018-01-01\nkey = "{SECOND}"\n')
    path.chmod(0o640)
    with pytest.raises(ParameterError, match="chmod 600"):
        load_ring(path)
    path.chmod(0o600)
    assert load_ring(path) == ring()
    other = tmp_path / "keys.json"
    other.write_text(json.dumps({"keys": [{"key": FIRST}, {"from": "2018-01-01", "key": SECOND}]}))
    other.chmod(0o600)
    assert load_ring(other) == ring()
    other.write_text(f'{{"keys": "{FIRST}')
    with pytest.raises(ParameterError, match="a JSON object") as refused:
        load_ring(other)
    assert FIRST not in str(refused.value)
    with pytest.raises(ParameterError, match="cannot be read"):
        load_ring(tmp_path / "absent.toml")
