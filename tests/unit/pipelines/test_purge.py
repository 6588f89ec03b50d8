"""What is purged is in no file any more, does not come back, and leaves a line that can be checked."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.pipelines.ingest import ingest
from contrechamp.pipelines.purge import PurgeReport, purge
from contrechamp.store import lake as store
from contrechamp.store import lock, retention

KEY = b"a test key of thirty-two bytes !"
BEFORE = pd.Timestamp("2018-01-01", tz="UTC")
ASKED = pd.Timestamp("2026-01-01T12:00:00", tz="UTC")


def row(i: str, day: str, **changes: Any) -> str:
    return json.dumps({
        "id": f"rec-{i}", "t_event": f"{day}T10:00:00Z", "t_entry": f"{day}T11:00:00Z", "lon": 5.37, "lat": 43.3,
        "type": "tapage", "origin": "call", "unit": "U1", "text": f"words-{i}", "informant_name": f"Name-{i}",
        "informant_phone": None, **changes,
    })  # fmt: skip


def drop(folder: Path, name: str, *rows: str) -> Path:
    landing = folder / "mains_courantes"
    landing.mkdir(parents=True, exist_ok=True)
    (landing / name).write_text("\n".join(rows))
    return landing


def removed(lake: Path, **options: Any) -> PurgeReport:
    return purge(lake, before=BEFORE, key=KEY, asked_at=ASKED, **options)


def contents(lake: Path) -> Iterable[tuple[Path, str]]:
    """Every file of the lake as text: its bytes, and its values where it is a table."""
    for path in sorted(p for p in lake.rglob("*") if p.is_file()):
        said = path.read_bytes().decode("utf-8", errors="replace")
        yield path, said + (str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else "")


def holding(lake: Path, *words: str) -> set[str]:
    return {word for _, said in contents(lake) for word in words if word in said}


OLD = ["old-1", "old-2", "old-bad", "old-mended", "old-undated"]
NEW = ["new-1", "new-2", "new-bad"]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Records, quarantine and repaired rows, on both sides of the date, in several commits."""
    landing, lake = (
        drop(tmp_path, "1.jsonl", row("old-1", "2017-03-01"), row("old-bad", "2017-03-02", lon="x")),
        tmp_path / "lake",
    )
    ingest(landing, lake=lake, key=KEY)
    drop(
        tmp_path,
        "2.jsonl",
        row("old-2", "2017-12-31"),
        row("new-1", "2018-01-01"),
        row("old-mended", "2017-05-01", lat="y"),
    )
    ingest(landing, lake=lake, key=KEY)
    drop(tmp_path, "2.jsonl", row("old-2", "2017-12-31"), row("new-1", "2018-01-01"), row("old-mended", "2017-05-01"))
    drop(tmp_path, "3.jsonl", row("new-2", "2019-01-01"), row("new-bad", "2019-01-02", type="?"))
    drop(tmp_path, "4.jsonl", row("old-3", "2017-06-01"), '{"id": "rec-old-undated"')
    ingest(landing, lake=lake, key=KEY)
    assert holding(lake, *OLD, *NEW) == {*OLD, *NEW}
    return lake


def test_no_file_of_the_lake_holds_what_was_purged(lake: Path) -> None:
    told = removed(lake, dry_run=True)
    assert told.rows == 4 + 2 + 1  # records, quarantine (one of them dated by its file), repaired
    assert holding(lake, *OLD, *NEW) == {*OLD, *NEW}
    assert retention.read_purges(lake).empty
    done = removed(lake)
    assert done.rows == told.rows
    assert [line.rows for line in done.lines] == [4, 2, 1]
    assert done.files > 0
    assert holding(lake, *OLD, *NEW) == set(NEW)
    assert store.read_stream(lake, "mains_courantes")["record_id"].tolist() == ["rec-new-1", "rec-new-2"]
    assert len(store.read_quarantine(lake)) == 1
    assert len(store.read_ledger(lake)) == 5


def test_the_tombstone_says_what_and_can_be_checked(lake: Path) -> None:
    removed(lake)
    stones = retention.read_purges(lake).set_index("table")
    assert stones["rows"].to_dict() == {"mains_courantes": 4, "quarantine": 2, "repaired": 1}
    assert (stones["asked_at"] == ASKED).all()
    assert (stones["before"] == BEFORE).all()
    ids = "\n".join(["rec-old-1", "rec-old-2", "rec-old-3", "rec-old-mended"])
    digest = hmac.new(KEY, b"purge\x1f" + ids.encode(), hashlib.sha256).hexdigest()
    assert stones.loc["mains_courantes", "digest"] == digest


def test_twice_is_once(lake: Path) -> None:
    removed(lake)
    stones = retention.read_purges(lake)
    versions = {t: store.table_version(lake, t) for t in store.SCHEMAS}
    files = sorted(str(p) for p in lake.rglob("*") if p.is_file())
    again = removed(lake)
    assert (again.rows, again.files) == (0, 0)
    assert {t: store.table_version(lake, t) for t in store.SCHEMAS} == versions
    assert sorted(str(p) for p in lake.rglob("*") if p.is_file()) == files
    pd.testing.assert_frame_equal(retention.read_purges(lake), stones)


def test_old_files_do_not_bring_back_what_was_purged(lake: Path, tmp_path: Path) -> None:
    removed(lake)
    landing = tmp_path / "mains_courantes"
    same = ingest(landing, lake=lake, key=KEY)
    assert same.duplicates == same.rows_in
    for path in sorted(landing.iterdir()):  # the same rows, in files never seen
        path.rename(path.with_name(f"again-{path.name}"))
    drop(tmp_path, "late.jsonl", row("old-late", "2016-01-01"), row("new-3", "2020-01-01"))
    other = ingest(landing, lake=lake, key=KEY)
    assert other.rows_in == other.committed + other.quarantined + other.duplicates == 11
    assert (other.committed, other.duplicates) == (1, 2)
    assert other.reasons["purged"] == 7
    assert holding(lake, *OLD, "old-3", "old-late") == set()
    shells = store.read_quarantine(lake).query("reason == 'purged'")
    assert (shells["raw"].map(len) == 0).all()
    assert (shells["row_sha256"] == "").all()
    assert removed(lake).rows == 0, "an emptied line has nothing left to remove"


def test_what_nothing_dates_stays_unless_it_is_asked_for(tmp_path: Path) -> None:
    landing, lake = drop(tmp_path, "1.jsonl", row("old-1", "2017-03-01")), tmp_path / "lake"
    drop(tmp_path, "noise.jsonl", '{"id": "rec-noise"')
    ingest(landing, lake=lake, key=KEY)
    assert removed(lake).undated == 1
    assert holding(lake, "rec-noise") == {"rec-noise"}
    assert removed(lake, undated=True).rows == 1
    assert holding(lake, "rec-noise") == set()


def test_other_streams_are_left_alone(lake: Path, tmp_path: Path) -> None:
    fines = tmp_path / "verbalisations"
    fines.mkdir()
    (fines / "v.csv").write_text(
        "id;t;lon;lat;code;mode;vehicle_class;plate\nV1;2017-01-01T00:00:00Z;5.37;43.3;c;agent;car;AA-001-AA\n"
    )
    ingest(fines, lake=lake, key=KEY)
    assert [x.stream for x in removed(lake, streams=["verbalisations"]).lines] == ["verbalisations"]
    assert holding(lake, *OLD) == set(OLD)
    assert store.read_stream(lake, "verbalisations").empty


def test_it_needs_the_lake_alone_and_its_key(lake: Path) -> None:
    with lock.held(lake, alone=False), pytest.raises(ContractError, match="needs it alone"):
        removed(lake)
    with pytest.raises(ContractError, match="another pseudonymisation key"):
        purge(lake, before=BEFORE, key=b"another key of thirty-two bytes!", asked_at=ASKED)
    with pytest.raises(ParameterError, match="No stream is named rumours"):
        removed(lake, streams=["rumours"])
    with pytest.raises(ContractError, match="no stream in a lake"):
        removed(lake / "nowhere")
    with pytest.raises(ParameterError, match="tz-aware"):
        purge(lake, before=pd.Timestamp("2018-01-01"), key=KEY, asked_at=ASKED)
    assert holding(lake, *OLD) == set(OLD)


def test_a_key_no_longer_held_does_not_stop_a_purge(tmp_path: Path) -> None:
    from ingest.keys import ring_from

    lake = tmp_path / "lake"
    keys = [{"key": "the key of the first period"}, {"from": "2018-01-01", "key": "the key of the second period"}]
    ring = ring_from({"keys": keys})
    ingest(drop(tmp_path, "1.jsonl", row("old-1", "2017-03-01"), row("new-1", "2018-03-01")), lake=lake, key=ring)
    keys[0] = {"mark": ring.keys[0].mark, "destroyed": True}  # type: ignore[dict-item]
    after = purge(lake, before=BEFORE, key=ring_from({"keys": keys}), asked_at=ASKED)
    assert after.rows == 1
    assert holding(lake, "old-1", ring.keys[0].name + "_") == set()


#: Step, and how many times it is let through before the process is killed at its door.
STEPS = [
    ("note_purge", 0),
    ("delete_raw", 1),
    ("delete_older", 0),
    ("scour", 0),
    ("_cut_log", 1),
    ("create_checkpoint", 0),
]

KILLED = """
import os, signal, sys
import pandas as pd
from contrechamp.pipelines.purge import purge
from contrechamp.store import retention
step, after, lake = sys.argv[1], int(sys.argv[2]), sys.argv[3]
owner = retention.DeltaTable if step == "create_checkpoint" else retention
real = getattr(owner, step)
left = [after]
def die(*a, **k):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*a, **k)
setattr(owner, step, die)
purge(lake, before=pd.Timestamp("2018-01-01", tz="UTC"), key=b"a test key of thirty-two bytes !",
      asked_at=pd.Timestamp("2025-01-01", tz="UTC"))
"""


@pytest.mark.parametrize(("step", "after"), STEPS)
def test_killed_half_way_it_is_finished_by_asking_again(lake: Path, step: str, after: int, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, step, str(after), str(lake)], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    if step != "note_purge":  # the date holds from then on
        drop(tmp_path, "between.jsonl", row("old-between", "2017-09-09"), row("new-3", "2020-09-09"))
        ingest(tmp_path / "mains_courantes", lake=lake, key=KEY)
    removed(lake)
    assert holding(lake, *OLD, "old-between", *NEW) == set(NEW)
    stones = retention.read_purges(lake).set_index("table")
    assert stones["rows"].to_dict() == {"mains_courantes": 4, "quarantine": 2, "repaired": 1}


def test_a_file_that_a_killed_ingest_left_behind_goes_too(lake: Path) -> None:
    orphan = lake / "mains_courantes" / "part-00000-orphan-c000.zstd.parquet"
    source = next((lake / "mains_courantes").glob("*.parquet"))
    orphan.write_bytes(source.read_bytes())
    removed(lake)
    assert not orphan.exists()
