"""Ingest speed and memory: parse, contract, pseudonyms, dedupe and Delta commit, on one core.

Run with ``python benchmarks/bench_ingest.py [--rows 1000000] [--repeats 2] [--gigabytes N]``. The process binds itself to
one core. Rows are those of the municipal log with their usual dirt (about 4 % of rows: fields missing, broken lines,
impossible times, points at sea, duplicates, contradictions), callers drawn from 860,000 persons.

Printed, of the same run and the same file: rows per second of the ingest of a plain file, of the same file in gzip, of
a CSV stream, of a second ingest; and of the baseline one would write first, which holds a file in memory, leaves out the
dirt (it would stop at the first broken line), the coordinates in metres, the pseudonyms and the transaction:
``pandas.read_json(lines=True)``, an eager pandera schema, ``drop_duplicates``, ``to_parquet``.

With ``--gigabytes N`` instead: one plain file of that size is ingested, and the peak of resident memory printed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from contrechamp.pipelines.ingest import ingest

KEY = b"benchmark key, thirty-two bytes!"
N_PERSONS = 860_000
_SYLLABLES = "ma ri lo ve dan tou bel cor fa gri nou sel tha vi zo que".split()
_PLACES = [f"Le Haut-{a}{b}" for a in ("Ver", "Cal", "Bor", "Lau", "Esc") for b in ("delouse", "quérane", "bièses")]
_PHRASES = ("Appel d’un riverain : {} , secteur {}.", "Le requérant signale {} à {}.", "{1} : {0}, équipage sur place.")


def person(number: int) -> str:
    """An invented name."""
    parts = []
    for _ in range(6):
        number, syllable = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[syllable])
    return f"{''.join(parts[:3]).title()} {''.join(parts[3:]).title()}"


def log_lines(n: int, *, first: int, rng: np.random.Generator) -> list[str]:
    """Rows of the municipal log, dirt included."""
    when = pd.Timestamp("2017-01-02", tz="Europe/Paris") + pd.to_timedelta(np.sort(rng.integers(0, 36 * 10**6, n)), "s")
    entry = when + pd.to_timedelta(rng.integers(60, 7200, n), "s")
    t_event, t_entry = (t.strftime("%Y-%m-%dT%H:%M:%S%z").tolist() for t in (when, entry))
    lon, lat = (5.3 + 0.2 * rng.random(n)).round(6).tolist(), (43.25 + 0.1 * rng.random(n)).round(6).tolist()
    types, who = rng.choice(INCIDENT_TYPES, n).tolist(), rng.integers(0, N_PERSONS, n).tolist()
    dirt, origin = rng.random(n).tolist(), rng.random(n).tolist()
    lines: list[str] = []
    for i in range(n):
        called = origin[i] < 0.65
        name = person(who[i]) if called else None
        text = _PHRASES[i % 3].format(types[i], _PLACES[who[i] % len(_PLACES)])
        row: dict[str, Any] = {
            "id": f"MC2017-{first + i:08d}", "t_event": f"{t_event[i][:-2]}:{t_event[i][-2:]}",
            "t_entry": f"{t_entry[i][:-2]}:{t_entry[i][-2:]}", "lon": lon[i], "lat": lat[i], "type": types[i],
            "origin": "call" if called else "officer", "unit": f"PM{i % 16:02d}-{i % 6}",
            "text": text + (f" Appelant : {name}." if called and dirt[i] > 0.95 else ""), "informant_name": name,
            "informant_phone": f"06 39 98 {who[i] % 100:02d} {who[i] // 100 % 100:02d}" if called else None,
        }  # fmt: skip
        kind = int(dirt[i] * 1000)
        if kind < 6:
            row[("t_event", "lat", "type", "origin", "id")[i % 5]] = None
        elif kind < 10:
            row["lon"], row["lat"] = (row["lat"], row["lon"]) if kind < 8 else (892_394.8, 6_247_424.6)
        elif kind < 13:
            row["t_event"] = ("1870" if kind < 12 else "2999") + row["t_event"][4:]
        elif kind < 16:
            row["type"] = "nuisance_xyz"
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        lines.append(line[: int(len(line) * dirt[i] * 40)] if 16 <= kind < 18 else line)
        if 18 <= kind < 24:
            lines.append(line)
        elif 24 <= kind < 29 and len(lines) > 500:  # entered again, differently, under a number already given
            lines.append(lines[-400].replace('"unit":"PM', '"unit":"PN'))
    return lines


def fine_lines(n: int, *, rng: np.random.Generator) -> list[str]:
    """Rows of the fines."""
    lon, lat = (5.3 + 0.2 * rng.random(n)).round(6).tolist(), (43.25 + 0.1 * rng.random(n)).round(6).tolist()
    head = "id;t;lon;lat;code;mode;vehicle_class;plate"
    return [head] + [
        f"V-{i:08d};2017-03-{1 + i % 28:02d}T10:{i % 60:02d}:00+01:00;{lon[i]};{lat[i]};R417-10;agent;car;AA-{i % 99_999:05d}-ZZ"
        for i in range(n)
    ]


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, seconds on the wall, seconds of processor."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


def baseline(path: Path, out: Path) -> int:
    """What one would write first; on clean rows only."""
    frame = pd.read_json(path, lines=True, convert_dates=["t_event", "t_entry"])
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(str, [pa.Check.str_matches(r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$")]),
            "t_event": pa.Column("datetime64[us, UTC]", pa.Check.ge(pd.Timestamp("2000-01-01", tz="UTC")), coerce=True),
            "t_entry": pa.Column("datetime64[us, UTC]", pa.Check.lt(pd.Timestamp("2035-01-01", tz="UTC")), coerce=True),
            "lon": pa.Column(float, pa.Check.in_range(5.0, 6.0)), "lat": pa.Column(float, pa.Check.in_range(43.0, 44.0)),
            "type": pa.Column(str, pa.Check.isin(INCIDENT_TYPES)),
            "origin": pa.Column(str, pa.Check.isin(("call", "officer", "camera"))), "unit": pa.Column(str),
            "text": pa.Column(str), "informant_name": pa.Column(str, nullable=True),
            "informant_phone": pa.Column(str, nullable=True),
        }
    )  # fmt: skip
    kept = schema.validate(frame).drop_duplicates("id")
    kept.to_parquet(out, index=False)
    return len(frame)


def speed(rows: int, repeats: int) -> None:
    """Print the rates, best of ``repeats``."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("mains_courantes", "verbalisations"):
            (root / "landing" / name).mkdir(parents=True)
        plain = root / "landing" / "mains_courantes" / "mc.jsonl"
        lines = log_lines(rows, first=0, rng=stream(7, "bench", "log"))
        plain.write_text("\n".join(lines) + "\n", encoding="utf-8")
        packed = root / "mc.jsonl.gz"
        packed.write_bytes(gzip.compress(plain.read_bytes(), compresslevel=4, mtime=0))
        fines = root / "landing" / "verbalisations" / "v.csv"
        fines.write_text("\n".join(fine_lines(rows // 2, rng=stream(7, "bench", "fines"))) + "\n", encoding="utf-8")
        warm = root / "warm" / "mains_courantes" / "mc.jsonl"
        warm.parent.mkdir(parents=True)
        warm.write_text("\n".join(lines[:2000]), encoding="utf-8")
        ingest(warm, lake=root / "warm-lake", key=KEY, quick=True)  # compile, import

        def rate(name: str, path: Path, n: int = 0) -> float:
            best = 0.0
            for k in range(repeats):
                lake = root / f"{name.replace(' ', '-')}-{k}"
                stream_name = path.parent.name if path.parent.name in ("mains_courantes", "verbalisations") else None
                report, wall, processor = measured(
                    lambda: ingest(path, lake=lake, key=KEY, stream=stream_name or "mains_courantes")
                )
                best = max(best, report.rows_in / processor)
                print(
                    f"{name:24} {report.rows_in:9,} rows {wall:7.2f} s {report.rows_in / wall:9,.0f}/s; "
                    f"{processor:6.2f} s of processor {report.rows_in / processor:9,.0f}/s; {report.committed:,} committed, "
                    f"{report.quarantined:,} quarantined, {report.duplicates:,} duplicates"
                )
            return best

        ours = rate("JSON lines", plain)
        rate("JSON lines, gzip", packed)
        rate("CSV", fines)
        again, wall, _ = measured(lambda: ingest(plain, lake=root / "JSON-lines-0", key=KEY))
        print(f"{'the same again':24} {again.rows_in:9,} rows {wall:7.2f} s")
        clean = root / "clean.jsonl"
        sample = lines[: rows // 4]
        good = [line for line in sample if line.endswith("}") and '"lat":43' in line and '"lon":5' in line]
        good = [
            line for line in good if not {"nuisance_xyz", "1870-", "2999-"} & set(line.split('"')) and "PN" not in line
        ]
        good = [line for line in good if '":null' not in line.split('"informant_name"')[0] and 'nt":"2017' in line]
        clean.write_text("\n".join(good) + "\n", encoding="utf-8")
        theirs = 0.0
        for _ in range(repeats):
            n, _, processor = measured(lambda: baseline(clean, root / "clean.parquet"))
            theirs = max(theirs, n / processor)
            print(f"{'baseline, clean rows':24} {n:9,} rows {processor:7.2f} s of processor {n / processor:9,.0f}/s")
        print(f"ratio to the baseline: {ours / theirs:.1f}")


def memory(gigabytes: float) -> None:
    """Print the peak of resident memory of the ingest of one large file, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mains_courantes" / "large.jsonl"
        path.parent.mkdir()
        block = [line.partition("-") for line in log_lines(200_000, first=0, rng=stream(7, "bench", "large"))]
        written, turn = 0, 0
        with path.open("w", encoding="utf-8") as out:
            while written < gigabytes * 1e9:  # the same rows under other numbers
                written += out.write("".join(f"{head}{turn}X-{rest}\n" for head, _, rest in block))
                turn += 1
        code = "import sys; sys.argv = sys.argv[1:]; from bench_ingest import one; one(*sys.argv)"
        subprocess.run(
            [sys.executable, "-c", code, str(path), str(Path(folder) / "lake")],
            check=True, cwd=Path(__file__).parent,
        )  # fmt: skip


def one(path: str, lake: str) -> None:
    """Ingest one file and say what it took, with the memory after each tenth of a gigabyte read."""
    seen: list[tuple[float, float]] = []
    report, wall, processor = measured(lambda: ingest(Path(path), lake=lake, key=KEY))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{Path(path).stat().st_size / 1e9:.2f} GB, {report.rows_in:,} rows, {report.committed:,} committed: {wall:.0f} s, "
        f"{report.rows_in / processor:,.0f} rows per second of processor, peak {peak:,.0f} MB of resident memory"
    )
    assert not seen


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--gigabytes", type=float)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if asked.gigabytes is None:
        speed(asked.rows, asked.repeats)
    else:
        memory(asked.gigabytes)
