"""Kill an ingest at random moments (SIGKILL), run it again, and compare the lake with that of an undisturbed one.

Run with ``python benchmarks/kill_ingest.py [--times 200] [--rows 3000] [--seed 0]``. Each trial begins with no lake and
is killed once or, one time in four, four times on end, then run to its end. Prints where the kills fell and how many
lakes differed; ends with status 1 if any did.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from contrechamp.domain.rng import stream
from contrechamp.pipelines.ingest import ingest
from contrechamp.store import lake as store

KEY = b"benchmark key, thirty-two bytes!"
TABLES = ("mains_courantes", "verbalisations", store.QUARANTINE, store.REPAIRED, store.LEDGER)
BATCH_ROWS = 700


def drop(landing: Path, n: int, rng: np.random.Generator) -> None:
    """Write two streams of small files with every kind of trouble that moves rows between tables."""
    for name in ("mains_courantes", "verbalisations"):
        (landing / name).mkdir(parents=True)
    lines = []
    for i in range(n):
        row = {
            "id": f"MC-{int(rng.integers(n)) if i % 50 == 7 else i:06d}",
            "t_event": f"2017-03-{1 + i % 28:02d}T10:00:00+01:00",
            "t_entry": f"2017-03-{1 + i % 28:02d}T11:00:00+01:00",
            "lon": round(5.3 + 0.2 * float(rng.random()), 6), "lat": None if i % 41 == 3 else 43.3, "type": "tapage",
            "origin": "call", "unit": f"U{i % 9}", "text": f"Appel de Nom{i % 97} au 06 39 98 12 34",
            "informant_name": f"Nom{i % 97}", "informant_phone": "06 39 98 12 34",
        }  # fmt: skip
        lines.append(json.dumps(row) if i % 37 else "{" + "x" * (i % 100))
        if i % 29 == 5:
            lines.append(lines[-1])
    for k, part in enumerate(np.array_split(np.arange(len(lines)), 4)):
        text = "\n".join(lines[i] for i in part) + "\n"
        (landing / "mains_courantes" / f"w{k}.jsonl").write_text(text)
    fines = [f"V-{i % (n // 2):05d};2017-03-01T10:00:00Z;5.4;43.3;R417;agent;car;AA-{i:05d}-AA" for i in range(n // 2)]
    head = "id;t;lon;lat;code;mode;vehicle_class;plate"
    (landing / "verbalisations" / "w.csv").write_text("\n".join([head, *fines, "too;short", *fines[:50]]))


def content(lake: Path) -> str:
    """Digest of what the tables hold, whatever files they are in."""
    digest = hashlib.sha256()
    for table in TABLES:
        frame = store._read(lake, table, list(store.IDENTITY[table]), None)
        digest.update(f"{table} {len(frame)}\n{frame.to_csv(index=False)}".encode())
    return digest.hexdigest()


def in_child(work: Callable[[], str | None]) -> tuple[int, int]:
    """Run in a forked child, whose threads are its own; return its number and the pipe its answer comes through."""
    out, into = os.pipe()
    child = os.fork()
    if child:
        os.close(into)
        return child, out
    status = 1
    try:
        os.close(out)
        os.write(into, (work() or "").encode())
        status = 0
    finally:
        os._exit(status)


def answer(child: int, out: int) -> str:
    """Wait for a child and take its answer."""
    with os.fdopen(out) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"a child that nobody killed ended with {status}")
    return said


def main() -> int:
    """Compare as many killed and repeated ingests as asked with one that was left alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = stream(asked.seed, "bench", "kill")
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "landing"
        drop(landing, asked.rows, rng)

        def run(lake: Path) -> str:
            ingest(landing, lake=lake, key=KEY, batch_rows=BATCH_ROWS, quick=False)
            return content(lake)

        seconds = float("inf")
        for turn in range(3):  # the shortest: a kill that comes too late is no trial
            started = time.perf_counter()
            expected = answer(*in_child(lambda turn=turn: run(Path(folder) / f"whole-{turn}")))
            seconds = min(seconds, time.perf_counter() - started)
        found: Counter[str] = Counter()
        done = 0
        while done < asked.times:
            lake = Path(folder) / f"killed-{found.total()}"
            for _ in range(1 if rng.random() < 0.75 else 4):
                child, out = in_child(lambda lake=lake: run(lake))
                time.sleep(float(rng.random()) * seconds)
                os.kill(child, signal.SIGKILL)
                os.close(out)
                _, status = os.waitpid(child, 0)
                done += os.WIFSIGNALED(status)
                found["killed while at work" if os.WIFSIGNALED(status) else "killed too late"] += 1
            held = [table for table in TABLES if (lake / table / "_delta_log").is_dir()]
            found[f"found {len(held)} tables begun"] += 1
            found["same" if answer(*in_child(lambda lake=lake: run(lake))) == expected else "DIFFERENT"] += 1
        print(
            f"undisturbed ingest {seconds:.1f} s, then {done} kills:",
            ", ".join(f"{k} {v}" for k, v in sorted(found.items())),
        )
    return int(bool(found["DIFFERENT"]))


if __name__ == "__main__":
    sys.exit(main())
