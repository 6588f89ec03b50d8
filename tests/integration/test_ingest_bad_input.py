"""Every bad input of the issue through the whole ingest: quarantine or one paragraph, and the books always balance."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely

from contrechamp.domain.errors import ContractError, ContrechampError
from contrechamp.domain.grid import Grid
from contrechamp.pipelines import ingest as pipeline
from contrechamp.pipelines.ingest import ingest
from contrechamp.store import lake as store
from ingest.parsing import Limits
from ingest.quarantine import RAW_BYTES

KEY = b"a test key of thirty-two bytes !"
HEADER = "id;t;lon;lat;code;mode;vehicle_class;plate\n"


def mc(n: int, **change: Any) -> dict[str, Any]:
    return {
        "id": f"MC-{n}", "t_event": "2017-03-01T23:40:00+01:00", "t_entry": "2017-03-01T23:52:10+01:00", "lon": 5.37,
        "lat": 43.3, "type": "tapage", "origin": "call", "unit": "U1", "text": f"Léa Durand{n} signale du bruit",
        "informant_name": f"Léa Durand{n}", "informant_phone": "06 39 98 12 34", **change,
    }  # fmt: skip


def jsonl(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode()


def ticket(n: int, t: str = "2017-03-01T10:00:00+01:00") -> str:
    return f"V-{n};{t};5.37;43.3;R417;agent;car;AA-{n:03d}-AA\n"


def drop(landing: Path, stream: str, name: str, data: bytes) -> Path:
    path = landing / stream / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def state(lake: Path) -> list[pd.DataFrame]:
    return [
        store.read_stream(lake, "mains_courantes"),
        store.read_stream(lake, "verbalisations"),
        store.read_quarantine(lake),
        store.read_ledger(lake),
    ]


def assert_same(a: list[pd.DataFrame], b: list[pd.DataFrame]) -> None:
    for left, right in zip(a, b, strict=True):
        pd.testing.assert_frame_equal(left, right)


NOISE = hashlib.shake_256(b"noise").digest(300_000)
LONG = b'{"id":"' + b"x" * 100_000_000 + b'"}'
WHOLE = gzip.compress(jsonl(*(mc(n, text=hashlib.sha256(b"%d" % n).hexdigest()) for n in range(500))), mtime=0)

BAD = {
    "empty": ("mains_courantes", "e.jsonl", b"", 1, 0, {"empty_file": 1}),
    "empty-gz": ("mains_courantes", "e.jsonl.gz", gzip.compress(b""), 1, 0, {"empty_file": 1}),
    "noise": ("mains_courantes", "n.jsonl", NOISE, 1, 0, {"not_text": 1}),
    "noise-gz-name": ("verbalisations", "n.csv.gz", NOISE, 1, 0, {"not_text": 1}),
    "noise-in-gz": ("verbalisations", "n.csv.gz", gzip.compress(NOISE), 1, 0, {"not_text": 1}),
    "gzip-head": ("mains_courantes", "t.jsonl.gz", WHOLE[:12], 1, 0, {"truncated_gzip": 1}),
    "long-line": ("mains_courantes", "l.jsonl", LONG, 1, 0, {"line_too_long": 1}),
    "header": ("verbalisations", "h.csv", b"a;b;c\n1;2;3\n", 2, 0, {"wrong_header": 2}),
    "1870-2999": (
        "mains_courantes", "d.jsonl",
        jsonl(mc(1, t_event="1870-09-04T12:00:00+00:09"), mc(2, t_entry="2999-01-01T00:00:00+01:00")),
        2, 0, {"time_out_of_window": 2},
    ),
    "1870-csv": ("verbalisations", "d.csv", (HEADER + ticket(1, "1870-01-01T00:00:00Z")).encode(), 1, 0,
                 {"time_out_of_window": 1}),
    "metres": ("mains_courantes", "m.jsonl", jsonl(mc(1, lon=892394.8, lat=6247424.6)), 1, 0, {"wrong_crs": 1}),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_alone_it_is_one_paragraph_with_exit_11_and_a_quarantine(case, tmp_path):
    stream, name, data, rows, _, reasons = BAD[case]
    path, lake = drop(tmp_path / "landing", stream, name, data), tmp_path / "lake"
    for _ in range(2):  # the second time the ledger knows the file, and the answer is the same
        with pytest.raises(ContractError) as caught:
            ingest(path, lake=lake, key=KEY)
        assert caught.value.exit_code == 11
        assert "\n" not in str(caught.value)
    quarantine = store.read_quarantine(lake)
    assert quarantine["reason"].value_counts().to_dict() == reasons
    assert len(quarantine) == rows
    assert quarantine["raw"].map(len).max() <= RAW_BYTES


def test_all_together_beside_good_rows(tmp_path):
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    for case, (stream, name, data, *_) in BAD.items():
        drop(landing, stream, f"{case}-{name}", data)
    drop(landing, "mains_courantes", "truncated.jsonl.gz", WHOLE[: len(WHOLE) // 2])
    drop(landing, "mains_courantes", "z.jsonl", jsonl(mc(9001), mc(9002), mc(9001), mc(9002, type="rixe")))
    drop(landing, "verbalisations", "good.csv.gz", gzip.compress((HEADER + ticket(1) + ticket(2) + ticket(1)).encode()))
    report = ingest(landing, lake=lake, key=KEY)
    expected: dict[str, int] = {"truncated_gzip": 1, "conflicting_duplicate": 1}
    for *_, reasons in BAD.values():
        for reason, rows in reasons.items():
            expected[reason] = expected.get(reason, 0) + rows
    assert report.reasons == expected
    assert report.rows_in == report.committed + report.quarantined + report.duplicates
    assert report.duplicates == 2
    mains, verbs, quarantine, ledger = state(lake)
    assert len(mains) + len(verbs) == report.committed
    assert len(verbs) == 2
    assert 200 < len(mains) - 2 < 300  # about half of the truncated archive
    assert len(quarantine) == report.quarantined == sum(expected.values())
    assert (ledger["rows_in"] == ledger[["committed", "quarantined", "duplicates"]].sum(axis=1)).all()
    assert mains.set_index("record_id").loc["MC-9002", "type"] == "tapage"

    again = ingest(landing, lake=lake, key=KEY)
    assert (again.committed, again.quarantined, again.duplicates) == (0, 0, report.rows_in)
    assert again.versions == report.versions
    assert_same(state(lake), [mains, verbs, quarantine, ledger])


def test_sea_is_known_from_the_public_outline(tmp_path):
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    x, y = 892_394.78, 6_247_424.65  # 5.37° E, 43.3° N
    bay = shapely.box(x - 9000, y - 9000, x + 9000, y + 9000).difference(shapely.box(x + 2000, y - 9000, x + 9000, y))
    landing.mkdir()
    (landing / "territory.json").write_text(json.dumps(Grid.over(bay, cell_m=250).to_dict()))
    rows = jsonl(mc(1), mc(2, lon=5.42, lat=43.26), mc(3, lon=3.0, lat=42.0))
    drop(landing, "mains_courantes", "a.jsonl", rows)
    assert ingest(landing, lake=lake, key=KEY).reasons == {"at_sea": 1, "out_of_extent": 1}
    assert store.read_quarantine(lake)[["source_row", "reason"]].to_numpy().tolist() == [
        [2, "at_sea"], [3, "out_of_extent"],
    ]  # fmt: skip
    (landing / "territory.json").write_text('{"x0_m": 1}')
    with pytest.raises(ContractError, match=r"territory\.json"):
        ingest(landing, lake=lake, key=KEY)


def test_nothing_personal_in_the_records(tmp_path):
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    drop(landing, "mains_courantes", "a.jsonl", jsonl(*(mc(n) for n in range(5))))
    drop(landing, "verbalisations", "a.csv", (HEADER + ticket(7)).encode())
    ingest(landing, lake=lake, key=KEY)
    held = b"".join(p.read_bytes() for p in lake.rglob("*") if p.is_file())
    text = " ".join(store.read_stream(lake, "mains_courantes").astype(str).to_numpy().ravel())
    text += " ".join(store.read_stream(lake, "verbalisations").astype(str).to_numpy().ravel())
    for secret in ("Durand", "Léa", "39 98", "AA-007-AA"):
        assert secret.encode() not in held
        assert secret not in text
    raw = jsonl(mc(0)).strip()
    assert hashlib.sha256(raw).hexdigest() not in text  # a bare digest would let anybody try all telephone numbers


def _landing(tmp_path: Path) -> Path:
    landing = tmp_path / "landing"
    drop(landing, "mains_courantes", "w1.jsonl", jsonl(*(mc(n) for n in range(6)), mc(0), mc(1, lon=None)))
    drop(landing, "mains_courantes", "w2.jsonl", jsonl(mc(2), mc(3, unit="U9"), mc(10), mc(11, type="?")) + b"junk\n")
    drop(landing, "verbalisations", "w1.csv", (HEADER + ticket(1) + "x;y\n" + ticket(2)).encode())
    return landing


@pytest.mark.parametrize(("batch_rows", "after"), [(3, True), (100_000, False)])
def test_killed_at_any_write_and_run_again_gives_the_same_lake(tmp_path, monkeypatch, batch_rows, after):
    landing = _landing(tmp_path)
    append = store.Writer.append
    calls = 0

    def counted(self: Any, frame: pd.DataFrame, *args: Any) -> int:
        nonlocal calls
        calls += len(frame) > 0
        return append(self, frame, *args)

    monkeypatch.setattr(store.Writer, "append", counted)
    ingest(landing, lake=tmp_path / "whole", key=KEY, batch_rows=batch_rows)
    expected, writes = state(tmp_path / "whole"), calls
    assert [len(f) for f in expected] == [7, 2, 5, 3]

    for fatal in range(1, writes + 1):
        lake, calls = tmp_path / f"killed-{fatal}", 0

        def dying(self: Any, frame: pd.DataFrame, *args: Any, fatal: int = fatal) -> int:
            nonlocal calls
            calls += len(frame) > 0
            if calls == fatal and len(frame) and not after:
                raise KeyboardInterrupt
            inserted = append(self, frame, *args)
            if calls == fatal and len(frame):
                raise KeyboardInterrupt
            return inserted

        monkeypatch.setattr(store.Writer, "append", dying)
        with pytest.raises(KeyboardInterrupt):
            ingest(landing, lake=lake, key=KEY, batch_rows=batch_rows)
        monkeypatch.setattr(store.Writer, "append", append)
        ingest(landing, lake=lake, key=KEY, batch_rows=batch_rows)
        assert_same(state(lake), expected)


def test_a_file_dropped_again_whole_adds_only_what_was_missing(tmp_path):
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    drop(landing, "mains_courantes", "w.jsonl.gz", WHOLE[: len(WHOLE) // 2])
    first = ingest(landing, lake=lake, key=KEY)
    drop(landing, "mains_courantes", "w.jsonl.gz", WHOLE)
    second = ingest(landing, lake=lake, key=KEY)
    assert (second.committed, second.duplicates, second.quarantined) == (500 - first.committed, first.committed, 0)
    assert len(store.read_stream(lake, "mains_courantes")) == 500


def test_lost_rows_stop_the_ingest(tmp_path, monkeypatch):
    landing = _landing(tmp_path)
    settle = pipeline.settle

    def leaky(*args: Any, **kwargs: Any) -> Any:
        batch = settle(*args, **kwargs)
        object.__setattr__(batch, "duplicates", batch.duplicates.iloc[1:])
        return batch

    monkeypatch.setattr(pipeline, "settle", leaky)
    with pytest.raises(pipeline.BookkeepingError, match=r"w1\.jsonl: 8 rows in, but 6 committed, 1 quarantined and 0"):
        ingest(landing, lake=tmp_path / "lake", key=KEY)
    assert store.read_ledger(tmp_path / "lake").empty


def test_another_ingest_that_commits_in_between_is_noticed_and_its_rows_are_recognised(tmp_path, monkeypatch):
    landing, lake = _landing(tmp_path), tmp_path / "lake"
    append = store.Writer.append
    overtakes = 3

    def overtaken(self: Any, frame: pd.DataFrame, *args: Any) -> int:
        nonlocal overtakes
        if overtakes and self._name == "mains_courantes" and len(frame):
            overtakes -= 1
            theirs = frame.iloc[:1].assign(source_file="theirs", source_row=overtakes)
            append(store.Writer(lake, "mains_courantes"), theirs)
        return append(self, frame, *args)

    monkeypatch.setattr(store.Writer, "append", overtaken)
    report = ingest(landing, lake=lake, key=KEY)
    mains = store.read_stream(lake, "mains_courantes")
    assert report.rows_in == report.committed + report.quarantined + report.duplicates
    assert (mains["source_file"] == "theirs").sum() == 3
    assert mains["record_id"].is_unique
    assert len(mains) == 7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: drop(p, "tweets", "a", b"x"), "named 'tweets'.*mains_courantes, verbalisations"),
        (lambda p: p.mkdir(), "no file under any stream"),
        (lambda p: None, "no such file or folder"),
    ],
)
def test_nothing_to_ingest(make, message, tmp_path):
    make(tmp_path / "landing")
    with pytest.raises(ContractError, match=message):
        ingest(tmp_path / "landing", lake=tmp_path / "lake", key=KEY)


def test_single_file_needs_its_stream(tmp_path):
    path = tmp_path / "somewhere.jsonl"
    path.write_bytes(jsonl(mc(1)))
    with pytest.raises(ContrechampError, match="Nothing says which stream"):
        ingest(path, lake=tmp_path / "lake", key=KEY)
    assert ingest(path, lake=tmp_path / "lake", key=KEY, stream="mains_courantes").committed == 1


def test_key_changed_between_two_ingests(tmp_path):
    landing = _landing(tmp_path)
    ingest(landing, lake=tmp_path / "lake", key=KEY)
    with pytest.raises(ContractError, match="another pseudonymisation key"):
        ingest(landing, lake=tmp_path / "lake", key=KEY[::-1])


def test_bomb_and_report_form(tmp_path):
    landing = _landing(tmp_path)
    drop(landing, "mains_courantes", "bomb.jsonl.gz", gzip.compress(b"0" * 2_000_000))
    steps: list[tuple[int, int]] = []
    report = ingest(
        landing, lake=tmp_path / "lake", key=KEY, limits=Limits(max_inflated_bytes=1_000_000),
        progress=lambda step, done, total: steps.append((done, total)),
    )  # fmt: skip
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["reasons"]["decompression_bomb"] == 1
    assert plain["files"][0]["source_file"] == "mains_courantes/bomb.jsonl.gz"
    assert [p.rows for p in report.problems()] == list(report.reasons.values())
