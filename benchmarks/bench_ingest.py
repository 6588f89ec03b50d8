"""Ingest speed: whole chain (parse, contract, dedupe, pseudonyms, Delta commit) against the same chain row by row.

Run with ``python benchmarks/bench_ingest.py [rows of mains courantes] [rows of verbalisations]``. Prints the seconds,
the rows per second and the ratio to the row-by-row baseline, measured in the same run on a sample.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from contrechamp.domain.columns import INCIDENT_TYPES, SOURCE_FILE
from contrechamp.domain.rng import stream
from contrechamp.pipelines.ingest import ingest
from ingest import load_stream
from ingest.batch import process
from ingest.contracts import Territory
from ingest.parsing import from_bytes, parse

KEY = b"benchmark key, thirty-two bytes!"
WEEKS = 60


def draw_lines(n: int, *, kind: str, rng: np.random.Generator) -> list[str]:
    """Raw lines of ``n`` clean rows, one in a hundred of them with an impossible time."""
    when = pd.Timestamp("2017-01-02", tz="Europe/Paris") + pd.to_timedelta(rng.integers(0, 420 * 86400, n), unit="s")
    t_event = [t.isoformat() for t in when]
    t_entry = [t.isoformat() for t in when + pd.Timedelta(minutes=7)]
    lon, lat = (5.3 + 0.2 * rng.random(n)).round(6).tolist(), (43.25 + 0.1 * rng.random(n)).round(6).tolist()
    for i in range(0, n, 100):
        t_event[i] = "2017-02-30T00:00:00+01:00"
    if kind == "verb":
        return [f"V-{i:07d};{t_event[i]};{lon[i]};{lat[i]};R417-10;agent;car;AA-{i % 1000:03d}-ZZ" for i in range(n)]
    types = rng.choice(INCIDENT_TYPES, n).tolist()
    lines = []
    for i in range(n):
        call = i % 3 != 0
        name, phone = (f"Nom{i % 997} Prénom{i % 97}", f"06 39 98 {i % 100:02d} {i % 89:02d}") if call else (None, None)
        row = {
            "id": f"MC-{i:07d}", "t_event": t_event[i], "t_entry": t_entry[i], "lon": lon[i], "lat": lat[i],
            "type": types[i], "origin": "call" if call else "officer", "unit": f"U{i % 9}",
            "text": f"{name or 'Patrouille'} signale un tapage, rappel au {phone or 'poste'}.",
            "informant_name": name, "informant_phone": phone,
        }  # fmt: skip
        lines.append(json.dumps(row, ensure_ascii=False))
    return lines


def drop(landing: Path, *, n_mc: int, n_verb: int) -> None:
    """Write weekly drops of both streams."""
    for kind, folder, n, suffix in (
        ("mc", "mains_courantes", n_mc, "jsonl"),
        ("verb", "verbalisations", n_verb, "csv"),
    ):
        lines = draw_lines(n, kind=kind, rng=stream(7, "bench", kind))
        (landing / folder).mkdir(parents=True)
        header = ["id;t;lon;lat;code;mode;vehicle_class;plate"] if kind == "verb" else []
        for week, part in enumerate(np.array_split(np.arange(n), WEEKS)):
            text = "\n".join([*header, *lines[part[0] : part[-1] + 1]]) + "\n"
            path = landing / folder / f"{kind}_W{week:02d}.{suffix}.gz"
            path.write_bytes(gzip.compress(text.encode(), compresslevel=3, mtime=0))


def row_by_row_rate(n: int = 100) -> float:
    """Rows per second of the baseline: each row through the contract on its own, no commit."""
    spec = load_stream("mains_courantes")
    data = "\n".join(draw_lines(n, kind="mc", rng=stream(7, "bench", "baseline"))).encode()
    (chunk,) = parse(from_bytes(data), spec)
    rows = chunk.rows.assign(**{SOURCE_FILE: "baseline"})
    started = time.perf_counter()
    for i in range(n):
        process(rows.iloc[i : i + 1], spec, key=KEY, territory=Territory())
    return n / (time.perf_counter() - started)


def main(n_mc: int, n_verb: int) -> None:
    """Draw, ingest twice, compare."""
    with tempfile.TemporaryDirectory() as folder:
        landing, lake = Path(folder) / "landing", Path(folder) / "lake"
        drop(landing, n_mc=n_mc, n_verb=n_verb)
        started, cpu = time.perf_counter(), time.process_time()
        report = ingest(landing, lake=lake, key=KEY)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        print(f"first ingest   {report.rows_in} rows, {report.committed} committed, {report.quarantined} quarantined")
        print(f"               {seconds:.1f} s ({cpu:.1f} s of processor), {report.rows_in / seconds:,.0f} rows/s")
        started = time.perf_counter()
        again = ingest(landing, lake=lake, key=KEY)
        print(f"second ingest  {again.duplicates} duplicates, {time.perf_counter() - started:.1f} s")
        baseline = row_by_row_rate()
        print(f"row by row     {baseline:,.0f} rows/s; ratio {report.rows_in / seconds / baseline:,.0f}")


if __name__ == "__main__":
    sizes = [int(a) for a in sys.argv[1:3]]
    main(*(sizes if len(sizes) == 2 else (345_000, 175_000)))
