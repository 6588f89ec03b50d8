"""Ingest speed and memory: parse, contract, pseudonyms, dedupe and Delta commit, on one core.

Run with ``python benchmarks/bench_ingest.py [--rows 1000000] [--repeats 2] [--gigabytes N]``. The process binds itself
to one core. Rows are those of the municipal log with their usual dirt (about 4 % of rows: fields missing, broken lines,
impossible times, wrong points, duplicates, contradictions), callers drawn from 860,000 persons.

Printed, of the same run: rows per second of the ingest of a plain file, of the same file in gzip, of a CSV stream, of a
second ingest; and of four baselines. *Bare* is what one would write first: ``pandas.read_json(lines=True)``, an eager
pandera schema, ``drop_duplicates``, ``to_parquet``, on clean rows only, persons in clear and coordinates in degrees.
*Same work* adds to it what a record needs: metres, a keyed mark, a pseudonym, a text without its informant. *Bare,
by rows* is the first, given one row at a time; *row by row* is our own chain, given one row at a time.

With ``--gigabytes N`` instead: one plain file of that size is ingested, and the peak of resident memory printed.
"""

from __future__ import annotations

import argparse
import gzip
import hmac
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pyproj import Transformer

from contrechamp.domain.columns import INCIDENT_TYPES, SOURCE_FILE
from contrechamp.domain.rng import stream
from contrechamp.pipelines import ingest as pipeline
from contrechamp.pipelines.ingest import ingest
from ingest import load_stream
from ingest.batch import process
from ingest.contracts import Territory
from ingest.parsing import from_bytes, parse
from ingest.pseudonyms import normal_name, normal_phone, scrub

KEY = b"benchmark key, thirty-two bytes!"
N_PERSONS = 860_000
_SYLLABLES = ("ma", "ri", "lo", "ve", "dan", "tou", "bel", "cor", "fa", "gri", "nou", "sel", "tha", "vi", "zo", "que")
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
    lines = ["id;t;lon;lat;code;mode;vehicle_class;plate"]
    for i in range(n):
        when = f"2017-03-{1 + i % 28:02d}T10:{i % 60:02d}:00+01:00"
        lines.append(f"V-{i:08d};{when};{lon[i]};{lat[i]};R417-10;agent;car;AA-{i % 99_999:05d}-ZZ")
    return lines


def measured(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Result, seconds on the wall, seconds of processor."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


def contract() -> Any:
    """The checks of the log as one eager pandera schema."""
    start, end = pd.Timestamp("2000-01-01", tz="UTC"), pd.Timestamp("2035-01-01", tz="UTC")
    return pa.DataFrameSchema(
        {
            "id": pa.Column(str, pa.Check.str_matches(r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$")),
            **dict.fromkeys(("t_event", "t_entry"), pa.Column(checks=pa.Check.in_range(start, end))),
            "lon": pa.Column(float, pa.Check.in_range(5.0, 6.0)),
            "lat": pa.Column(float, pa.Check.in_range(43.0, 44.0)),
            "type": pa.Column(str, pa.Check.isin(INCIDENT_TYPES)),
            "origin": pa.Column(str, pa.Check.isin(("call", "officer", "camera"))),
            **dict.fromkeys(("unit", "text"), pa.Column(str)),
            **dict.fromkeys(("informant_name", "informant_phone"), pa.Column(str, nullable=True)),
        }
    )


def bare(path: Path, out: Path) -> int:
    """What one would write first: read, check, drop what comes twice, write. Persons in clear, degrees, no dirt."""
    frame = pd.read_json(path, lines=True, dtype=False)
    for name in ("t_event", "t_entry"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    contract().validate(frame).drop_duplicates("id").to_parquet(out, index=False, compression="zstd")
    return len(frame)


def bare_by_rows(lines: list[str], folder: Path) -> float:
    """Rows per second of processor of :func:`bare`, one row at a time."""

    def work() -> None:
        for line in lines:
            bare(written(folder / "row.jsonl", [line]), folder / "row.parquet")

    return len(lines) / measured(work)[2]


def same_work(path: Path, out: Path) -> int:
    """The same, doing also what a record needs: metres, a keyed mark, a pseudonym, a text without its informant."""
    raws = path.read_bytes().splitlines()
    frame = pd.read_json(path, lines=True, dtype=False)
    for name in ("t_event", "t_entry"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame = contract().validate(frame)
    frame["x_m"], frame["y_m"] = Transformer.from_crs(4326, 2154, always_xy=True).transform(frame["lon"], frame["lat"])
    frame["row_sha256"] = [hmac.new(KEY, b"row\x1f" + raw, "sha256").hexdigest() for raw in raws]

    def sealed(row: Any) -> tuple[Any, str]:
        name, phone, text = row
        if not isinstance(name, str):
            return None, text
        known = f"inf\x1f{normal_name(name)}\x1f{normal_phone(phone)}"
        token = "inf_" + hmac.new(KEY, known.encode(), "sha256").hexdigest()[:32]
        return token, scrub(text, name=name, phone=phone, token=token)

    both = [sealed(row) for row in frame[["informant_name", "informant_phone", "text"]].itertuples(index=False)]
    frame["informant_pseudonym"], frame["text"] = [b[0] for b in both], [b[1] for b in both]
    kept = frame.drop(columns=["lon", "lat", "informant_name", "informant_phone"]).drop_duplicates("id")
    kept.to_parquet(out, index=False, compression="zstd")
    return len(frame)


def row_by_row(lines: list[str]) -> float:
    """Rows per second of our own chain given one row at a time, without the commit."""
    spec = load_stream("mains_courantes")
    (chunk,) = parse(from_bytes("\n".join(lines).encode()), spec)
    rows = chunk.rows.assign(**{SOURCE_FILE: "baseline"})

    def work() -> None:
        for i in range(len(rows)):
            process(rows.iloc[i : i + 1], spec, key=KEY, territory=Territory())

    return len(rows) / measured(work)[2]


def is_clean(line: str) -> bool:
    """Whether the baselines can read a line, which stop at the first that is spoilt."""
    try:
        row = json.loads(line)
    except ValueError:
        return False
    known = all(row[name] is not None for name in ("id", "t_event", "lat", "type", "origin"))
    return bool(
        known
        and 5 < row["lon"] < 6
        and row["t_event"] > "2000"
        and row["t_event"] < "2030"
        and row["type"] in INCIDENT_TYPES
    )


def speed(rows: int, repeats: int) -> None:
    """Print the rates, best of ``repeats``."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lines = log_lines(rows, first=0, rng=stream(7, "bench", "log"))
        plain = written(root / "mains_courantes" / "mc.jsonl", lines)
        packed = root / "mains_courantes" / "packed" / "mc.jsonl.gz"
        packed.parent.mkdir()
        packed.write_bytes(gzip.compress(plain.read_bytes(), compresslevel=4, mtime=0))
        fines = written(root / "verbalisations" / "v.csv", fine_lines(rows // 2, rng=stream(7, "bench", "fines")))
        clean = written(root / "clean.jsonl", [line for line in lines[: rows // 4] if is_clean(line)])
        warm = written(root / "warm.jsonl", lines[:6000])
        ingest(warm, lake=root / "warm-lake", key=KEY, stream="mains_courantes", quick=True)  # compile, import

        def rate(name: str, path: Path, of: str) -> float:
            best = 0.0
            for k in range(repeats):
                report, wall, processor = measured(partial(ingest, path, lake=root / f"{name}-{k}", key=KEY, stream=of))
                best = max(best, report.rows_in / processor)
                print(
                    f"{name:18} {report.rows_in:10,} rows {wall:6.2f} s {report.rows_in / wall:9,.0f}/s; processor "
                    f"{processor:6.2f} s {report.rows_in / processor:9,.0f}/s; {report.committed:,} committed, "
                    f"{report.quarantined:,} quarantined, {report.duplicates:,} duplicates"
                )
            return best

        ours = rate("JSON lines", plain, "mains_courantes")
        rate("JSON lines, gzip", packed, "mains_courantes")
        rate("CSV", fines, "verbalisations")
        again, wall, _ = measured(partial(ingest, plain, lake=root / "JSON lines-0", key=KEY))
        print(f"{'the same again':18} {again.rows_in:10,} rows {wall:6.2f} s")
        for name, work in (("bare", bare), ("same work", same_work)):
            theirs = 0.0
            for _ in range(repeats):
                n, _, processor = measured(partial(work, clean, root / "clean.parquet"))
                theirs = max(theirs, n / processor)
            print(f"{'baseline, ' + name:18} {n:11,} rows; processor {theirs:9,.0f}/s; ratio {ours / theirs:.1f}")
        theirs = bare_by_rows([line for line in lines[:300] if is_clean(line)], root)
        print(f"{'bare, by rows':18} {theirs:,.0f}/s; ratio {ours / theirs:,.0f}")
        one_by_one = row_by_row(lines[:60])
        print(f"{'row by row':18} {one_by_one:,.0f}/s; ratio {ours / one_by_one:,.0f}")


def written(path: Path, lines: list[str]) -> Path:
    """Write lines to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def memory(gigabytes: float) -> None:
    """Print the peak of resident memory of the ingest of one large file, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mains_courantes" / "large.jsonl"
        path.parent.mkdir()
        block = [line.partition("-") for line in log_lines(200_000, first=0, rng=stream(7, "bench", "large"))]
        size, turn = 0, 0
        with path.open("wb") as out:
            while size < gigabytes * 1e9:  # the same rows under other numbers
                size += out.write("".join(f"{head}{turn}X-{rest}\n" for head, _, rest in block).encode())
                turn += 1
        code = "import sys; from bench_ingest import one; one(*sys.argv[1:])"
        command = [sys.executable, "-c", code, str(path), str(Path(folder) / "lake")]
        subprocess.run(command, check=True, cwd=Path(__file__).parent)


def one(path: str, lake: str) -> None:
    """Ingest one file; print what it took, and the peak of memory as it went."""
    peaks: list[str] = []
    commit = pipeline._StreamRun._commit

    def watched(run: Any) -> None:
        commit(run)
        peaks.append(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")

    pipeline._StreamRun._commit = watched  # type: ignore[method-assign]
    report, wall, processor = measured(partial(ingest, Path(path), lake=lake, key=KEY))
    size = Path(path).stat().st_size
    print(
        f"{size / 1e9:.2f} GB, {report.rows_in:,} rows, {report.committed:,} committed: {wall:.0f} s, processor "
        f"{report.rows_in / processor:,.0f} rows/s, peak of resident memory {peaks[-1]} MB"
    )
    print(f"peak after each tenth of the batches (MB): {', '.join(peaks[:: max(1, len(peaks) // 10)])}")


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
