"""The lake: writing twice changes nothing, and what comes back has plain types."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.store import lake as store
from ingest import STREAMS, load_stream


def records(*ids: str, x_m: float = 1.0) -> pd.DataFrame:
    t = pd.to_datetime(["2017-01-02T00:00:00.000001Z"] * len(ids))
    return pd.DataFrame(
        {"record_id": list(ids), "t_event": t, "x_m": x_m, "y_m": 2.0, "code": "c", "origin": "agent",
         "vehicle_class": "car", "plate_pseudonym": None, "source_file": "f", "source_row": range(len(ids)),
         "row_sha256": "h"}
    )  # fmt: skip


def test_schemas_agree_with_the_contracts():
    for stream in STREAMS:
        assert tuple(store.SCHEMAS[stream].names) == load_stream(stream).lake_columns


def test_merge_is_idempotent_and_keeps_the_first(tmp_path):
    lake = tmp_path / "lake"
    assert store.merge(lake, "verbalisations", records("b", "a", "b")) == 2
    version = store.table_version(lake, "verbalisations")
    assert store.merge(lake, "verbalisations", records("a", "b", x_m=9.0)) == 0
    assert store.table_version(lake, "verbalisations") == version
    assert store.merge(lake, "verbalisations", records("c", "a", x_m=9.0)) == 1
    found = store.read_stream(lake, "verbalisations")
    assert found["record_id"].tolist() == ["a", "b", "c"]
    assert found["x_m"].tolist() == [1.0, 1.0, 9.0]


def test_types_read_back_even_when_empty(tmp_path):
    empty = store.read_stream(tmp_path, "verbalisations")
    store.merge(tmp_path, "verbalisations", records("a"))
    full = store.read_stream(str(tmp_path), "verbalisations")
    assert full.loc[0, "t_event"] == pd.Timestamp("2017-01-02T00:00:00.000001Z")
    for found in (empty, full):
        types = found.dtypes.astype(str)
        assert types["t_event"] == "datetime64[us, UTC]"
        assert (types[["record_id", "plate_pseudonym", "source_file"]] == "str").all()
        assert (types["x_m"], types["source_row"]) == ("float64", "int64")


def test_lake_as_url(tmp_path):
    url = f"file://{tmp_path}/lake"
    assert store.merge(url, "verbalisations", records("a")) == 1
    assert store.read_stream(tmp_path / "lake", "verbalisations")["record_id"].tolist() == ["a"]


def test_known_records(tmp_path):
    store.merge(tmp_path, "verbalisations", records("a", "b"))
    found = store.known_records(tmp_path, "verbalisations", pd.Series(["b", "z"], dtype="str"))
    assert found[["record_id", "source_row"]].to_numpy().tolist() == [["b", 1]]
    assert store.known_records(tmp_path, "mains_courantes", pd.Series(["b"], dtype="str")).empty


def test_quarantine_identity_is_file_row_and_content(tmp_path):
    row = {
        "stream": "s",
        "source_file": "f",
        "file_sha256": "e",
        "source_row": 1,
        "reason": "r",
        "detail": "d",
        "raw": b"x",
        "row_sha256": "h",
    }
    frame = pd.DataFrame([row, {**row, "source_row": 2}, {**row, "row_sha256": "i"}, {**row, "detail": "again"}])
    assert store.merge(tmp_path, "quarantine", frame) == 3
    assert store.merge(tmp_path, "quarantine", frame) == 0
    assert len(store.read_quarantine(tmp_path)) == 3


def test_another_key_is_refused(tmp_path):
    store.prepare(tmp_path, ["verbalisations"], mark="aaaa")
    store.prepare(tmp_path, ["verbalisations"], mark="aaaa")
    with pytest.raises(ContractError, match="mark aaaa, this key's is bbbb"):
        store.prepare(tmp_path, ["verbalisations"], mark="bbbb")


def test_unknown_table(tmp_path):
    with pytest.raises(ParameterError, match="no table 'tweets'"):
        store.read_stream(tmp_path, "tweets")


def test_a_lake_does_not_say_where_it_was_made(tmp_path: Any) -> None:
    store.prepare(tmp_path / "lake", ["mains_courantes", "verbalisations"], mark="m")
    logs = "".join(p.read_text() for p in (tmp_path / "lake").rglob("_delta_log/*.json"))
    assert "key mark m" in logs
    assert str(tmp_path) not in logs
