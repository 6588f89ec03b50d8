"""Killed, out of room, read-only, a clock that went back, two at once: nothing lost, nothing doubled, one paragraph."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contrechamp.domain.errors import CapabilityError
from contrechamp.pipelines.ingest import ingest
from contrechamp.store import lake as store

ROOT = Path(__file__).parents[2]
KEY = b"a test key of thirty-two bytes !"


def line(n: int, **change: object) -> str:
    row = {
        "id": f"MC-{n:05d}", "t_event": "2017-03-01T23:40:00+01:00", "t_entry": "2017-03-01T23:52:10+01:00",
        "lon": 5.37, "lat": 43.3, "type": "tapage", "origin": "call", "unit": "U1",
        "text": hashlib.sha256(b"%d" % n).hexdigest(), "informant_name": f"Nom{n}", "informant_phone": None, **change,
    }  # fmt: skip
    return json.dumps(row)


def drop(landing: Path, name: str, *lines: str) -> Path:
    path = landing / "mains_courantes" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def content(lake: Path) -> list[str]:
    tables = ("mains_courantes", store.QUARANTINE, store.LEDGER)
    return [store._read(lake, t, list(store.IDENTITY[t]), None).to_csv(index=False) for t in tables]


def test_killed_at_random_moments() -> None:
    """``CONTRECHAMP_KILLS=200`` for the long run."""
    times = os.environ.get("CONTRECHAMP_KILLS", "6")
    script = ROOT / "benchmarks" / "kill_ingest.py"
    done = subprocess.run(
        [sys.executable, str(script), "--times", times, "--rows", "1500"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same" in done.stdout
    assert "DIFFERENT" not in done.stdout


CROWDED = """
import resource, sys
from pathlib import Path
from contrechamp.domain.errors import ContrechampError
from contrechamp.pipelines.ingest import ingest
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    ingest(Path(sys.argv[1]), lake=sys.argv[2], key=b"a test key of thirty-two bytes !", batch_rows=300)
except ContrechampError as refused:
    said = f"{refused.exit_code} {refused}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(said)
    sys.exit(refused.exit_code)
"""


@pytest.mark.parametrize("room", [0, 700, 30_000])
def test_no_room_on_the_disk(tmp_path: Path, room: int) -> None:
    """A limit on the size of a file stands for a full disk: the same write fails, and nobody needs to be root."""
    landing = tmp_path / "landing"
    drop(landing, "w.jsonl", *(line(n) for n in range(900)), line(900, type="?"))
    ingest(landing, lake=tmp_path / "whole", key=KEY, batch_rows=300)
    done = subprocess.run(
        [sys.executable, "-c", CROWDED, str(landing), str(tmp_path / "lake"), str(room)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 13, done.stderr
    assert "File too large" in done.stdout
    assert "run this again" in done.stdout
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
    report = ingest(landing, lake=tmp_path / "lake", key=KEY, batch_rows=300)
    assert report.rows_in == 901
    assert content(tmp_path / "lake") == content(tmp_path / "whole")


def test_a_lake_where_nothing_can_be_made(tmp_path: Path) -> None:
    drop(tmp_path / "landing", "w.jsonl", line(1))
    (tmp_path / "file").write_text("")
    with pytest.raises(CapabilityError, match="cannot be opened") as refused:
        ingest(tmp_path / "landing", lake=tmp_path / "file" / "lake", key=KEY)
    assert refused.value.exit_code == 13
    assert "\n" not in str(refused.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_lake_that_became_read_only(tmp_path: Path) -> None:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    drop(landing, "a.jsonl", *(line(n) for n in range(5)))
    ingest(landing, lake=lake, key=KEY)
    before = content(lake)
    drop(landing, "b.jsonl", *(line(n) for n in range(5, 9)))
    folders = [lake, *(p for p in lake.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        with pytest.raises(CapabilityError, match="cannot be read or written"):
            ingest(landing, lake=lake, key=KEY)
        assert content(lake) == before
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert ingest(landing, lake=lake, key=KEY).committed == 4


def test_a_clock_that_went_back(tmp_path: Path) -> None:
    """Files and commits of the lake are from next year: order comes from versions, never from the clock."""
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    drop(landing, "a.jsonl", *(line(n) for n in range(5)), line(5, type="?"))
    ingest(landing, lake=lake, key=KEY)
    next_year = time.time() + 366 * 86_400
    for log in lake.rglob("_delta_log/*.json"):
        entries = [json.loads(entry) for entry in log.read_text().splitlines()]
        for entry in entries:
            for action, key in (("commitInfo", "timestamp"), ("add", "modificationTime"), ("metaData", "createdTime")):
                if action in entry:
                    entry[action][key] = int(next_year * 1000)
        log.write_text("\n".join(json.dumps(entry) for entry in entries))
    for path in lake.rglob("*"):
        os.utime(path, (next_year, next_year))
    drop(landing, "b.jsonl", line(3), line(4, unit="U2"), *(line(n) for n in range(6, 9)))
    report = ingest(landing, lake=lake, key=KEY)
    assert (report.committed, report.quarantined) == (3, 1)
    assert ingest(landing, lake=lake, key=KEY).versions == report.versions
    ingest(landing, lake=tmp_path / "other", key=KEY)
    assert content(lake) == content(tmp_path / "other")


TWO = """
import sys, time
from pathlib import Path
from contrechamp.pipelines.ingest import ingest
while time.time() < float(sys.argv[3]):
    time.sleep(0.001)
r = ingest(Path(sys.argv[1]), lake=sys.argv[2], key=b"a test key of thirty-two bytes !", batch_rows=40)
assert r.rows_in == r.committed + r.quarantined + r.duplicates
print(r.rows_in, r.committed, r.quarantined, r.duplicates)
"""


def test_three_ingests_at_once(tmp_path: Path) -> None:
    """Overlapping files, begun together: every record once, every contradiction in quarantine, no row unaccounted."""
    lake = tmp_path / "lake"
    for k in range(3):
        rows = [line(n) for n in range(100 * k, 100 * k + 300)]
        rows += [line(n, unit=f"other {k}") for n in range(100 * k, 100 * k + 300, 60)] + [line(k, type="?")]
        drop(tmp_path / f"landing-{k}", f"w{k}.jsonl", *rows)
    start = str(time.time() + 6)
    running = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, str(tmp_path / f"landing-{k}"), str(lake), start],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for k in range(3)
    ]  # fmt: skip
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    counts = [[int(n) for n in out.split()] for out, _ in said]
    records, quarantine, ledger = (
        store.read_stream(lake, "mains_courantes"), store.read_quarantine(lake), store.read_ledger(lake),
    )  # fmt: skip
    assert records["record_id"].is_unique
    assert len(records) == 500 == sum(c[1] for c in counts)
    assert len(quarantine) == sum(c[2] for c in counts)
    assert set(quarantine["reason"]) == {"conflicting_duplicate", "unknown_type"}
    assert sorted(ledger["rows_in"]) == [306, 306, 306] == sorted(c[0] for c in counts)
    for k in range(3):
        again = ingest(tmp_path / f"landing-{k}", lake=lake, key=KEY)
        assert again.duplicates == 306
