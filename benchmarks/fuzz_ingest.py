"""Throw damaged files at every loader and count what becomes of them. Coverage-guided where atheris is installed.

    python benchmarks/fuzz_ingest.py --runs 100000 --corpus CORPUS [--seed 1]

Each input chooses a stream (its first byte) and is a file of it: all twenty-five streams, so all four formats, and the
published tables. What is held to, for every input:

- no exception but those of :mod:`contrechamp.domain.errors`;
- rows in = records + rows set aside + duplicates, read plainly and by the compiled loops alike;
- the same input twice: every record is a duplicate the second time.

Prints one JSON object: executions, crashes (each kind with an input that makes it), rows by outcome.

What it cannot tell you: that no input breaks a loader. It says how many did not.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

try:
    import atheris
except ImportError:  # plain mutation then
    atheris = None  # type: ignore[assignment]

GUIDED = atheris is not None and "--guided" in sys.argv
with atheris.instrument_imports(include=["ingest"]) if GUIDED else nullcontext():
    from contrechamp.domain.columns import SOURCE_FILE
    from contrechamp.domain.errors import ContrechampError
    from contrechamp.domain.streams import LAYOUTS, StreamLayout
    from ingest import FORMATS, load_format, load_stream
    from ingest.batch import ARRIVAL, process
    from ingest.chunks import Chunk, Limits
    from ingest.contracts import Territory
    from ingest.incidents import TableSpec, number_rows, table_spec
    from ingest.parsing import from_bytes, parse

KEY = b"a fuzzing key of thirty-two byte"
LIMITS = Limits(
    max_line_bytes=2000, max_inflated_bytes=1 << 20, chunk_rows=7, max_whole_bytes=1 << 20, max_group_bytes=1 << 22
)
TARGETS = [*LAYOUTS, *FORMATS]
TOGETHER = 25  # inputs that go through a contract at once, when atheris does not choose them
WORDS = [
    b"2017-03-01T10:00:00+01:00", b"2017-02-30T00:00:00Z", b"9999-12-31T23:59:60Z", b"\x00", b"\xff\xfe",
    b"\xef\xbb\xbf", b"1e309", b"NaN", b"-0", b"9223372036854775808", b"\\ud800", b'"', b"'", b";", b",",
    b"\r", b"\n", b"{", b"}", b"[", b"null", b"true", "é".encode(), "\u2028".encode(), b"PAR1", b"\x1f\x8b",
    b"5.37", b"43.3", b"|", b"%", b"\\N",
]  # fmt: skip


def good_value(field: Any, i: int) -> Any:
    """A value that the contract takes."""
    if field.raw in ("lon", "lat"):
        return 5.37 if field.raw == "lon" else 43.3
    if field.kind == "time":
        return f"2018-03-{1 + i % 28:02d}T10:{i % 60:02d}:00Z"
    if field.kind == "number":
        return float(min(max(0.5, field.low), field.high))
    if field.kind == "integer":
        return int(min(max(i + 1, field.low), field.high))
    if field.kind == "flag":
        return bool(i % 2)
    return field.allowed[i % len(field.allowed)] if field.allowed else f"{field.raw}-{i}"


def sample(layout: StreamLayout, n: int = 3) -> bytes:
    """A sound file of a stream, of ``n`` rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{f.raw: good_value(f, i) for f in layout.fields} for i in range(n)]
    for row in rows:
        if "informant_name" in row and row["origin"] != "call":
            row["informant_name"] = row["informant_phone"] = None
    if layout.format == "jsonl":
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    if layout.format == "csv":
        shown = [[str(v).lower() if isinstance(v, bool) else str(v) for v in row.values()] for row in rows]
        return "\n".join(";".join(part) for part in [list(layout.raw_names), *shown]).encode()
    if layout.format == "geojson":
        features = [
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": [row.pop("lon"), row.pop("lat")]},
             "properties": row}
            for row in rows
        ]  # fmt: skip
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()
    frame = pd.DataFrame(rows)
    for f in layout.fields:
        if f.kind == "time":
            frame[f.raw] = pd.to_datetime(frame[f.raw], utc=True).astype("datetime64[us, UTC]")
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), out)
    return out.getvalue()


SAMPLES = {
    **{key: sample(layout) for key, layout in LAYOUTS.items()},
    "police-uk": b"Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    b"Last outcome category,Context\na1,2023-01,X,X,-0.1,51.5,On,E1,N,Burglary,None,\n",
    "chicago": b"ID,Case Number,Date,Block,IUCR,Primary Type,Description,Latitude,Longitude\n"
    b"1,A,01/02/2020 03:04:05 PM,B,I,THEFT,D,41.8,-87.6\n",
    "nij-2017": b"CATEGORY,CALL_GROUPS,final_case_type,CASE DESC,occ_date,x_coordinate,y_coordinate,census_tract\n"
    b"STREET CRIMES,DISORDER,T,D,1/1/2017,7645000,683000,100\n",
}


class BrokenError(AssertionError):
    """A row was lost or doubled."""


TOTAL: Counter[str] = Counter()


def one(data: bytes) -> None:
    """Run one input through the loader it chooses."""
    if data:
        some(TARGETS[data[0] % len(TARGETS)], [data[1:] or SAMPLES[TARGETS[data[0] % len(TARGETS)]]])


def some(name: str, bodies: list[bytes]) -> None:
    """Run files of one stream through its loader together: the contract costs as much for one row as for a hundred."""
    spec = load_stream(name) if name in LAYOUTS else table_spec(load_format(name))
    plain = attempt(bodies, spec, quick=False)
    if name in LAYOUTS and spec.format in ("jsonl", "csv") and (compiled := attempt(bodies, spec, quick=True)) != plain:
        raise BrokenError(f"{name}: plainly {plain}, by compiled loops {compiled}")
    TOTAL["executions"] += len(bodies)
    if plain is not None:
        TOTAL.update({f"rows_{k}": v for k, v in plain.items()})


def attempt(bodies: list[bytes], spec: Any, *, quick: bool) -> Counter[str] | None:
    """What becomes of the rows of some files; None where they are refused with one of our errors."""
    try:
        return account(bodies, spec, quick=quick)
    except ContrechampError:
        TOTAL["refused"] += 1
        return None


def account(bodies: list[bytes], spec: Any, *, quick: bool) -> Counter[str]:
    """Count what becomes of some files and of a copy of each that comes after them all."""
    count: Counter[str] = Counter({"in": 0, "aside": 0, "records": 0, "duplicates": 0})
    chunks: dict[str, list[tuple[int, pd.DataFrame]]] = {"rows": [], "typed": []}
    seen: Counter[bytes] = Counter()
    for at, chunk in read(bodies, spec, quick=quick):
        if chunk.rows_in != chunk.n_readable + len(chunk.rejects):
            raise BrokenError(
                f"{spec.name}: of {chunk.rows_in} rows, {chunk.n_readable} and {len(chunk.rejects)} are seen"
            )
        count["in"] += 2 * chunk.rows_in
        count["aside"] += 2 * len(chunk.rejects)
        rows = number_rows(chunk.rows, spec, seen=seen) if isinstance(spec, TableSpec) else chunk.rows
        chunks["rows"].append((at, rows))
        if chunk.typed is not None:
            chunks["typed"].append((at, chunk.typed))
    given = {
        kind: pd.concat(
            [
                part.assign(**{SOURCE_FILE: f"{file}{at}", ARRIVAL: arrival + at})
                for arrival, file in ((0, "a"), (len(bodies), "b"))
                for at, part in parts
            ],
            ignore_index=True,
        )
        for kind, parts in chunks.items()
        if parts
    }
    if not given or not sum(len(part) for part in given.values()):
        return count
    key = None if isinstance(spec, TableSpec) else KEY
    batch = process(given["rows"], spec, key=key, territory=Territory(), typed=given.get("typed"))
    count["records"] += len(batch.records)
    count["aside"] += len(batch.rejected)
    count["duplicates"] += len(batch.duplicates) + len(batch.already)
    for _, rejected in batch.rejected:
        rejected.detail.encode()
    if count["in"] != count["records"] + count["aside"] + count["duplicates"]:
        raise BrokenError(f"{spec.name}: {dict(count)}")
    if batch.records[SOURCE_FILE].str.startswith("b").any() or count["duplicates"] < count["records"]:
        raise BrokenError(f"{spec.name}: the copy brought something in, {dict(count)}")
    return count


def read(bodies: list[bytes], spec: Any, *, quick: bool) -> Iterator[tuple[int, Chunk]]:
    """Chunks of some files, each with the number of its file."""
    for at, body in enumerate(bodies):
        for chunk in parse(from_bytes(body), spec, limits=LIMITS, quick=quick):
            yield at, chunk


def mutate(name: str, rng: np.random.Generator) -> bytes:
    """A sound file, damaged in a few places; sometimes packed, sometimes noise."""
    body = bytearray(SAMPLES[name])
    if rng.random() < 0.03:
        body = bytearray(rng.bytes(int(rng.integers(1, 300))))
    for _ in range(int(rng.integers(0, 5))):
        where, what = int(rng.integers(len(body) + 1)), rng.random()
        if what < 0.4:
            body[where:where] = WORDS[int(rng.integers(len(WORDS)))]
        elif what < 0.6:
            del body[where : where + int(rng.integers(1, 12))]
        elif what < 0.8 and where < len(body):
            body[where] = int(rng.integers(256))
        else:
            start = int(rng.integers(len(body) + 1))
            body[where:where] = body[start : start + int(rng.integers(1, 80))]
    if rng.random() < 0.05:
        body = bytearray(gzip.compress(bytes(body), mtime=0))
        if rng.random() < 0.5:
            del body[-int(rng.integers(1, 20)) :]
    return bytes(body)


def main() -> None:
    """Run, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="folder of inputs; with atheris, it grows")
    parser.add_argument("--guided", action="store_true", help="let atheris choose (needs atheris and --corpus)")
    chosen = parser.parse_args()
    started = time.perf_counter()
    if chosen.guided:
        if atheris is None or chosen.corpus is None:
            raise SystemExit("--guided needs atheris (pip install atheris) and --corpus")
        guided(chosen)
        return
    crashes: dict[str, str] = {}
    for first in range(0, chosen.runs, TOGETHER):
        name = TARGETS[first // TOGETHER % len(TARGETS)]
        numbers = range(first, min(first + TOGETHER, chosen.runs))
        bodies = [mutate(name, np.random.default_rng([chosen.seed, i])) for i in numbers]
        try:
            some(name, bodies)
        except Exception:
            for body in bodies:  # which of them was it?
                try:
                    some(name, [body])
                except Exception as error:
                    TOTAL["crashes"] += 1
                    crashes.setdefault(f"{name}: {type(error).__name__}: {error}"[:300], body.hex())
    took = time.perf_counter() - started
    print(json.dumps({**TOTAL, "kinds": crashes, "seconds": round(took, 1)}, indent=1, ensure_ascii=False))
    raise SystemExit(1 if crashes else 0)


def guided(chosen: argparse.Namespace) -> None:
    """Coverage-guided run: stops at the first crash, which libFuzzer writes beside the corpus."""
    chosen.corpus.mkdir(parents=True, exist_ok=True)
    for at, name in enumerate(TARGETS):
        data = bytes([at]) + SAMPLES[name]
        (chosen.corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    words = chosen.corpus.with_name(f"{chosen.corpus.name}.dict")
    words.write_text("\n".join('"' + "".join(f"\\x{b:02x}" for b in word) + '"' for word in WORDS))
    options = [f"-runs={chosen.runs}", f"-seed={chosen.seed}", "-max_len=4000", f"-dict={words}", "-timeout=30"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={chosen.corpus}.", str(chosen.corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
