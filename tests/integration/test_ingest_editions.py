"""A file that comes again mended: only the mended rows move, and the books balance each time."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contrechamp.pipelines.explain import explain
from contrechamp.pipelines.ingest import IngestReport, ingest
from contrechamp.store import lake as store

KEY = b"a test key of thirty-two bytes !"


def line(n: int, **change: Any) -> str:
    row = {
        "id": f"MC-{n}", "t_event": "2017-03-01T23:40:00+01:00", "t_entry": "2017-03-01T23:52:10+01:00", "lon": 5.37,
        "lat": 43.3, "type": "tapage", "origin": "call", "unit": "U1", "text": "", "informant_name": "N",
        "informant_phone": None, **change,
    }  # fmt: skip
    return json.dumps(row)


class Drops:
    """One landing folder, one lake."""

    def __init__(self, folder: Path) -> None:
        self.landing, self.lake = folder / "landing" / "mains_courantes", folder / "lake"
        self.landing.mkdir(parents=True)

    def take(self, *lines: str, name: str = "w.jsonl", **how: Any) -> IngestReport:
        data = "\n".join(lines).encode()
        (self.landing / name).write_bytes(data)
        self.sha256 = hashlib.sha256(data).hexdigest()
        report = ingest(self.landing, lake=self.lake, key=KEY, **how)
        assert report.rows_in == report.committed + report.quarantined + report.duplicates
        return report

    def books(self, report: IngestReport, name: str = "w.jsonl") -> tuple[int, int, int, int]:
        (f,) = [f for f in report.files if f.source_file.endswith(name)]
        return f.rows_in, f.committed, f.quarantined, f.duplicates

    def aside(self) -> list[tuple[int, str]]:
        found = store.read_quarantine(self.lake)
        return sorted(zip(found["source_row"].tolist(), found["reason"], strict=True))

    def repaired(self) -> pd.DataFrame:
        return store.read_repaired(self.lake)

    def ids(self) -> list[str]:
        return store.read_stream(self.lake, "mains_courantes")["record_id"].tolist()


@pytest.fixture
def drops(tmp_path: Path) -> Drops:
    return Drops(tmp_path)


@pytest.mark.parametrize("how", [{}, {"batch_rows": 2}, {"quick": True}])
def test_only_the_mended_rows_move(drops: Drops, how: dict[str, Any]) -> None:
    first = [line(0), line(1, type="?"), "{broken", line(2), line(3, lat=None), line(2, unit="U2")]
    assert drops.books(drops.take(*first, **how)) == (6, 2, 4, 0)
    edition = drops.sha256
    held = store.read_quarantine(drops.lake).set_index("source_row")
    assert set(held["file_sha256"]) == {edition}
    assert held.loc[3, "raw"] == b"{broken"
    assert held.loc[3, "row_sha256"] == hashlib.sha256(b"{broken").hexdigest()

    mended = [line(0), line(1, type="vol"), "{broken", line(2), line(3), line(2, unit="U2"), line(4, type="?")]
    report = drops.take(*mended, **how)
    assert drops.books(report) == (7, 2, 1, 4)
    assert report.reasons == {"unknown_type": 1}
    assert drops.ids() == ["MC-0", "MC-1", "MC-2", "MC-3"]
    assert drops.aside() == [(3, "bad_json"), (6, "conflicting_duplicate"), (7, "unknown_type")]
    left = drops.repaired()
    assert left["source_row"].tolist() == [2, 5]
    assert set(left["repaired_by"]) == {drops.sha256}
    assert set(left["file_sha256"]) == {edition}
    assert left["raw"].tolist() == [first[1].encode(), first[4].encode()]
    assert [(x.reason, x.rows, x.first_rows) for x in explain(drops.lake)] == [
        ("bad_json", 1, (3,)), ("conflicting_duplicate", 1, (6,)), ("unknown_type", 1, (7,)),
    ]  # fmt: skip

    again = drops.take(*mended, **how)
    assert drops.books(again) == (7, 0, 0, 7)
    assert again.versions == report.versions
    assert drops.books(drops.take(*first, **how)) == (6, 0, 0, 6), "an edition already taken changes nothing"


def test_lines_that_moved_are_recognised_each_for_one(drops: Drops) -> None:
    drops.take("junk", line(0), "junk", "other")
    report = drops.take(line(9), "junk", line(0), "junk", "junk")
    assert drops.books(report) == (5, 1, 1, 3)
    assert drops.aside() == [(1, "bad_json"), (3, "bad_json"), (5, "bad_json")]
    assert drops.repaired()["raw"].tolist() == [b"other"]


def test_a_truncated_archive_that_comes_whole(drops: Drops) -> None:
    whole = gzip.compress("\n".join(line(n, unit=hashlib.sha256(b"%d" % n).hexdigest()) for n in range(99)).encode())
    path = drops.landing / "a.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    first = ingest(drops.landing, lake=drops.lake, key=KEY)
    path.write_bytes(whole)
    second = ingest(drops.landing, lake=drops.lake, key=KEY)
    assert (second.committed, second.quarantined, second.duplicates) == (99 - first.committed, 0, first.committed)
    assert drops.aside() == []
    assert drops.repaired()["reason"].tolist() == ["truncated_gzip"]


def test_a_file_that_could_not_be_opened_and_then_could(drops: Drops, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (drops.landing / "b.jsonl").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        drops.take(line(0))
    assert drops.aside() == [(0, "unreadable_file")]
    (drops.landing / "b.jsonl").unlink()
    drops.take(line(5), name="b.jsonl")
    assert drops.aside() == []
    assert drops.repaired()["repaired_by"].tolist() == [drops.sha256]
    assert drops.ids() == ["MC-0", "MC-5"]


def test_another_file_mends_nothing(drops: Drops) -> None:
    drops.take(line(0), line(1, type="?"))
    drops.take(line(1), name="x.jsonl")
    assert drops.aside() == [(2, "unknown_type")]
    assert drops.repaired().empty


@pytest.mark.parametrize("table", ["records", "quarantine", "repaired", "ledger"])
def test_killed_while_mending(drops: Drops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    first = [line(0), line(1, type="?"), "{broken", line(3, lat=None)]
    mended = [line(0), line(1), "{broken", line(3), line(4, type="?")]
    other = Drops(tmp_path / "other")
    for d in (drops, other):
        d.take(*first)
    other.take(*mended)
    name = {"records": "mains_courantes", "ledger": store.LEDGER}.get(table, table)
    append = store.Writer.append

    def dying(self: Any, frame: pd.DataFrame, *args: Any) -> int:
        if self._name == name and len(frame):
            raise KeyboardInterrupt
        return append(self, frame, *args)

    monkeypatch.setattr(store.Writer, "append", dying)
    with pytest.raises(KeyboardInterrupt):
        drops.take(*mended)
    monkeypatch.setattr(store.Writer, "append", append)
    drops.take(*mended)
    assert drops.aside() == other.aside() == [(3, "bad_json"), (5, "unknown_type")]
    assert drops.ids() == other.ids()
    pd.testing.assert_frame_equal(drops.repaired(), other.repaired())


def test_quarantine_keeps_bytes_up_to_a_limit_and_the_digest_of_all_of_them(drops: Drops) -> None:
    long = b'{"id":"\xff' + b"y" * 200_000 + b'"}'
    (drops.landing / "l.jsonl").write_bytes(long + b"\n" + line(0).encode())
    ingest(drops.landing, lake=drops.lake, key=KEY)
    (row,) = store.read_quarantine(drops.lake).to_dict("records")
    assert (row["reason"], row["raw"]) == ("bad_utf8", long[: 64 << 10])
    assert row["row_sha256"] == hashlib.sha256(long).hexdigest()
