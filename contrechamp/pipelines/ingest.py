"""Take the files a city drops into the lake: every row committed, quarantined or recognised as a duplicate.

``landing/<stream>/*`` in, Delta tables out; published incident tables go to the stream ``incidents``, each read as
its :class:`~ingest.mapping.TableMapping` says. The outline of the land is read from ``landing/territory.json`` (a
:class:`~contrechamp.domain.grid.Grid` as plain data, public reference) when it is there. Files are taken in the order
of their names and committed in batches; the ledger line of a file is written last, so an ingest that was killed is
finished by running it again.

A file that comes again under its name with other bytes is another *edition* of it. Only what is new in it moves: rows
that were at fault and no longer are leave quarantine for the table ``repaired``, and enter the records; a row still at
fault stays where it is, and counts as a duplicate like every row already committed.

What it cannot tell you: that the files hold everything that happened, or everything that was reported. It can only
account for the rows it was given.
"""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import RAW, ROW_SHA256, SOURCE_FILE, SOURCE_ROW, T_EVENT
from contrechamp.domain.errors import ContractError, ContrechampError, ParameterError, Problem
from contrechamp.domain.grid import Grid
from contrechamp.domain.protocols import Progress, silent
from contrechamp.pipelines.keys import register
from contrechamp.store import lake as store
from contrechamp.store import lock, retention
from ingest import FORMATS, STREAMS, load_stream
from ingest.batch import ARRIVAL, Batch, Prepared, prepare, settle
from ingest.chunks import Limits
from ingest.contracts import DEFAULT_WINDOW, StreamSpec, Territory
from ingest.dating import forget_old
from ingest.incidents import TableSpec, number_rows, table_spec
from ingest.keys import KeyRing, as_ring
from ingest.mapping import TableMapping
from ingest.mapping_file import mapping_of, zones_of
from ingest.parsing import parse
from ingest.quarantine import Reason, Reject, quarantine_frame, reject

#: Rows gathered from one or several files before they are committed together, and bytes of them.
BATCH_ROWS: Final = 150_000
BATCH_BYTES: Final = 256 << 20

#: Stream of published tables.
INCIDENTS: Final = "incidents"

#: Size of a source, inflated, from which ordinary lines are read by compiled loops.
QUICK_BYTES: Final = 16 << 20
_INFLATION: Final = 6

TERRITORY_FILE: Final = "territory.json"
_BLOCK_BYTES: Final = 1 << 20


class BookkeepingError(ContrechampError):
    """Rows went in and did not come out. Our bug, never the user's (exit code 1)."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file.

    Attributes
    ----------
    stream, source_file, sha256 : str
        The file's digest is of its bytes as dropped.
    rows_in, committed, quarantined, duplicates : int
        ``rows_in == committed + quarantined + duplicates``.
    already : bool
        The ledger had this file: all its rows are counted as duplicates and it was not read again.
    usable : bool
        At least one row of it is, or was, a record or a duplicate of one.
    reasons : mapping of str to int
        Rows quarantined, by reason.
    """

    stream: str
    source_file: str
    sha256: str
    rows_in: int
    committed: int
    quarantined: int
    duplicates: int
    already: bool = False
    usable: bool = True
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Bookkeeping of one ingest.

    Attributes
    ----------
    files : tuple of FileReport
    versions : mapping of str to int
        Delta version of each table afterwards.
    """

    files: tuple[FileReport, ...]
    versions: Mapping[str, int]

    @property
    def rows_in(self) -> int:
        """Rows given."""
        return sum(f.rows_in for f in self.files)

    @property
    def committed(self) -> int:
        """Rows that became records."""
        return sum(f.committed for f in self.files)

    @property
    def quarantined(self) -> int:
        """Rows set aside."""
        return sum(f.quarantined for f in self.files)

    @property
    def duplicates(self) -> int:
        """Rows recognised as duplicates."""
        return sum(f.duplicates for f in self.files)

    @property
    def reasons(self) -> dict[str, int]:
        """Rows set aside, by reason, most frequent first."""
        total: Counter[str] = Counter()
        for f in self.files:
            total.update(f.reasons)
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    def problems(self) -> list[Problem]:
        """Lay the reasons out for :func:`~contrechamp.domain.errors.problem_table`; files stand for first ids."""
        return [
            Problem("*", reason, rows, tuple(f.source_file for f in self.files if reason in f.reasons)[:3])
            for reason, rows in self.reasons.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain form for ``--json`` and for provenance."""
        return {
            "rows_in": self.rows_in,
            "committed": self.committed,
            "quarantined": self.quarantined,
            "duplicates": self.duplicates,
            "reasons": self.reasons,
            "versions": dict(self.versions),
            "files": [{**asdict(f), "reasons": dict(f.reasons)} for f in self.files],
        }


@lock.with_others
def ingest(
    source: Path,
    *,
    lake: str | Path,
    key: KeyRing | bytes | None = None,
    stream: str | None = None,
    mapping: TableMapping | None = None,
    territory: Territory | None = None,
    limits: Limits | None = None,
    batch_rows: int = BATCH_ROWS,
    storage_options: dict[str, str] | None = None,
    quick: bool | None = None,
    progress: Progress = silent,
) -> IngestReport:
    """Commit dropped files to the lake.

    Parameters
    ----------
    source : Path
        A landing folder with one sub-folder per stream, a folder bearing a stream's name, or a single file.
    lake : str or Path
        Folder or URL of the lake.
    key : KeyRing or bytes, optional
        Pseudonymisation keys, or one key, at least 16 bytes, the same for the life of the lake. A published table needs
        none.
    stream : str, optional
        Stream of a single file, when its folder does not say it.
    mapping : TableMapping, optional
        ``source`` is a published incident table, or a folder of them at any depth, read as this says. It goes to the
        stream ``incidents``.
    territory : Territory, optional
        Window and outline; by default the outline of ``territory.json`` beside the streams, where there is one.
    limits : Limits, optional
    batch_rows : int, default=150_000
        Rows committed together. Changes no record, no quarantined row and no count.
    storage_options : dict, optional
        Credentials and options of an object store.
    quick : bool, optional
        Read ordinary lines by compiled loops (:mod:`ingest.scan`); by default when there are megabytes of them. Changes
        nothing but the time.
    progress : Progress, default=silent

    Returns
    -------
    IngestReport

    Raises
    ------
    ContractError
        If there is no file, a stream is unknown, the lake bears another key, or no row at all can be used (what was
        set aside is then in quarantine all the same).
    ParameterError
        If the key is too short.
    CapabilityError
        If the lake cannot be read or written: full, read-only, not reachable. Nothing is lost; run it again.
    """
    source = Path(source)
    drops: dict[str, list[tuple[Path, str]]]  # files by stream, each with its name in the lake
    specs: Mapping[str, StreamSpec]
    if mapping is not None:
        drops, specs = {INCIDENTS: _find_tables(source, mapping, stream)}, {INCIDENTS: table_spec(mapping)}
        store.prepare_incidents(lake, crs=mapping.into, storage_options=storage_options)
    else:
        key = as_ring(key)
        landing, folders = _find(source, stream)
        territory = territory or Territory(window=DEFAULT_WINDOW, land=_outline(landing))
        drops = {name: [(p, f"{name}/{_printable(p.name)}") for p in files] for name, files in folders.items()}
        specs = {name: load_stream(name) for name in drops}
        store.prepare(lake, [name for name in STREAMS if name in drops], mark=key.mark, storage_options=storage_options)
        register(lake, key, storage_options=storage_options)
    territory, limits = territory or Territory(), limits or Limits()
    streams = [name for name in STREAMS if name in drops]
    total = sum(len(files) for files in drops.values())
    reports: list[FileReport] = []
    for name in streams:
        swift = _is_large([p for p, _ in drops[name]]) if quick is None else quick
        run = _StreamRun(specs[name], lake, key, territory, limits, batch_rows, storage_options, quick=swift)
        with _patient_collector():
            for path, source_file in drops[name]:
                run.take(path, source_file)
                progress("ingest", len(reports) + run.taken, total)
            run.flush()
        reports += run.reports()
    tables = (*streams, store.QUARANTINE, store.REPAIRED, store.LEDGER)
    versions = {t: store.table_version(lake, t, storage_options=storage_options) for t in tables}
    report = IngestReport(tuple(reports), versions)
    if report.rows_in and not any(f.usable for f in reports):
        why = ", ".join(f"{reason} ({rows})" for reason, rows in report.reasons.items()) or "see the quarantine table"
        raise ContractError(
            f"Nothing in {source} can be used: {report.rows_in} rows in {len(reports)} files, none of which meets its "
            f"contract. Reasons: {why}; --explain names the lines. The rows are kept in "
            f"{store.table_url(lake, store.QUARANTINE)}; mend the files at their source and drop them again."
        )
    return report


def _find(source: Path, stream: str | None) -> tuple[Path, dict[str, list[Path]]]:
    """Landing folder and files by stream, in the order they are taken."""
    if source.is_file():
        name = stream or source.parent.name
        if stream is None and name not in STREAMS:
            raise ContractError(
                f"Nothing says which stream {source} belongs to: it does not lie in a folder named after one. For a "
                f"published table, give --format with one of {', '.join(FORMATS)}, or --mapping with a mapping file; "
                f"otherwise put it in a folder named after its stream: {', '.join(STREAMS)}."
            )
        _check_stream(name)
        return source.parent.parent, {name: [source]}
    if not source.is_dir():
        raise ContractError(
            f"There is nothing to ingest at {source}: no such file or folder. "
            f"Give a folder with one sub-folder per stream ({', '.join(STREAMS)}) or a file."
        )
    if stream is not None or source.name in STREAMS:
        landing, folders = source.parent, {stream or source.name: source}
    else:
        landing = source
        folders = {p.name: p for p in sorted(source.iterdir()) if p.is_dir() and not p.name.startswith(".")}
    drops: dict[str, list[Path]] = {}
    for name, folder in folders.items():
        _check_stream(name)
        inside = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        odd = [_printable(p.name) for p in inside if not p.is_file() and not p.is_symlink()]
        if odd:
            raise ContractError(
                f"{folder} holds what is not a file: {', '.join(odd[:5])}. Nothing is left out in silence: drop files "
                f"directly in the folder {name}, and take the rest away."
            )
        drops[name] = inside
    if not any(drops.values()):
        raise ContractError(
            f"There is nothing to ingest in {source}: no file under {', '.join(folders) or 'any stream'}. "
            f"The known streams are {', '.join(STREAMS)}; drop files in folders of these names."
        )
    return landing, drops


def _check_stream(name: str) -> None:
    load_stream(name)
    if name == INCIDENTS:
        raise ContractError(
            f"The stream {INCIDENTS} holds published tables, and each has columns of its own. Say which table it is: "
            f"--format with one of {', '.join(FORMATS)}, or --mapping with a mapping file."
        )


def _find_tables(source: Path, mapping: TableMapping, stream: str | None) -> list[tuple[Path, str]]:
    """Files of a published table, each with its name in the lake, in the order they are taken."""
    if stream not in (None, INCIDENTS):
        raise ParameterError(
            f"A published table goes to the stream {INCIDENTS}. Got the stream {stream!r}: leave --stream out."
        )
    prefix = f"{INCIDENTS}/{mapping.label}"
    if source.is_file():
        return [(source, f"{prefix}/{_printable(source.name)}")]
    found = {
        p: p.relative_to(source)
        for p in sorted(source.rglob(mapping.files))
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(source).parts)
    }
    if not found:
        raise ContractError(
            f"There is nothing to ingest at {source}: it is no file, nor a folder with a file named like "
            f"{mapping.files!r}, which is what {mapping.name} takes from a folder. Give the file itself."
        )
    return [(p, f"{prefix}/{_printable(name.as_posix())}") for p, name in found.items()]


def load_mapping(path: Path) -> TableMapping:
    """Read a mapping file, and the file of zones that it names (beside it), if it names one.

    Raises
    ------
    ParameterError
        If a file cannot be read or does not make sense.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise ParameterError(f"The mapping {path} cannot be read as TOML ({type(cause).__name__}: {cause}).") from cause
    place = data.get("place")
    zones = None
    if isinstance(place, dict) and "zone" in place:
        names = [place.get(key) for key in ("zones", "zone_id", "into")]
        if not all(isinstance(name, str) for name in names):
            raise ParameterError(
                f"The mapping {path} places rows by zone: [place] must then say zones (a GeoJSON file), zone_id (the "
                f"property that names a zone in it) and into (an EPSG code), as texts. Got {names}."
            )
        file, zone_id, into = (str(name) for name in names)
        mapping_of(data)  # what is wrong with the mapping comes before what is wrong with the zones
        try:
            collection = json.loads((path.parent / file).read_bytes())
        except (OSError, ValueError, RecursionError) as cause:
            raise ParameterError(
                f"The zones of the mapping {path} cannot be read as GeoJSON ({type(cause).__name__}: {cause}). "
                "Their path is taken from the folder of the mapping."
            ) from cause
        zones = zones_of(collection, zone_id=zone_id, into=into)
    return mapping_of(data, zones=zones)


def _outline(landing: Path) -> Grid | None:
    path = landing / TERRITORY_FILE
    if not path.is_file():
        return None
    try:
        return Grid.from_dict(json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        raise ContractError(
            f"The outline of the land in {path} cannot be read ({type(cause).__name__}: {cause}). It must be a grid as "
            "plain data: x0_m, y0_m, cell_m, shape and runs. Write it again, or take it away to ingest without one."
        ) from cause


def _printable(name: str) -> str:
    """File name as text that a table can hold, whatever bytes the file system has in it."""
    return name.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="backslashreplace")


def _leads_out(path: Path) -> bool:
    """Whether a dropped file is a link to elsewhere: who may drop must not make the reader open what they may not."""
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.parent.resolve())


@contextmanager
def _patient_collector() -> Iterator[None]:
    """Let Python look for cycles seldom: millions of rows make few, and looking takes one second in twenty."""
    usual = gc.get_threshold()
    gc.set_threshold(max(usual[0], 200_000), usual[1], usual[2])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _is_large(paths: list[Path]) -> bool:
    """Whether so many bytes are there that the compiled loops are worth loading."""
    sizes = (p.stat().st_size * (_INFLATION if p.suffix == ".gz" else 1) for p in paths if p.is_file())
    return sum(sizes) >= QUICK_BYTES


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(_BLOCK_BYTES):
            yield block


class _StreamRun:
    """Gathers the rows of one stream's files and commits them batch by batch."""

    def __init__(
        self,
        spec: StreamSpec,
        lake: str | Path,
        key: KeyRing | bytes | None,
        territory: Territory,
        limits: Limits,
        batch_rows: int,
        storage_options: dict[str, str] | None,
        *,
        quick: bool,
    ) -> None:
        self._spec, self._lake, self._key, self._territory = spec, lake, key, territory
        self._limits, self._batch_rows, self._options, self._quick = limits, batch_rows, storage_options, quick
        self._records, self._aside, self._books = (
            store.Writer(lake, table, storage_options=storage_options)
            for table in (spec.name, store.QUARANTINE, store.LEDGER)
        )
        ledger = store.read_ledger(lake, storage_options=storage_options)
        ledger = ledger[ledger["stream"] == spec.name]
        self._ledger = {(row[SOURCE_FILE], row["sha256"]): row for row in ledger.to_dict("records")}
        self._seen_files = set(ledger[SOURCE_FILE])
        trace = store.quarantine_trace(lake, storage_options=storage_options)
        self._held = dict(list(trace[trace["stream"] == spec.name].groupby(SOURCE_FILE)))  # in quarantine, by file
        self._earlier: dict[str, _Earlier] = {}  # what quarantine holds of earlier editions of the files of this run
        self._rows: list[pd.DataFrame] = []
        self._typed: list[pd.DataFrame] = []
        self._rejected: list[tuple[str, Reject]] = []
        self._waiting = self._bytes = 0
        self._digests: dict[str, str] = {}  # files of this run, in order
        self._skipped: dict[str, FileReport] = {}
        self._complete: list[str] = []  # read to the end, not yet in the ledger
        self._counts: dict[str, Counter[str]] = {}
        self._reasons: dict[str, Counter[str]] = {}

    @property
    def taken(self) -> int:
        return len(self._digests)

    def take(self, path: Path, source_file: str) -> None:
        """Read one file; commit when enough rows are waiting."""
        self._counts[source_file], self._reasons[source_file] = Counter(), Counter()
        try:
            if _leads_out(path):
                raise OSError(errno.ELOOP, "a link that leads out of the landing folder")
            with path.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256")
        except OSError as cause:
            self._digests[source_file] = ""  # that of a file nobody could read
            self._hold_reject(source_file, reject(0, Reason.UNREADABLE_FILE, str(cause.strerror), b""))
            return  # no ledger line: it will be tried again
        self._digests[source_file] = sha256 = digest.hexdigest()
        if (source_file, sha256) in self._ledger:
            line = self._ledger[source_file, sha256]
            rows = int(line["rows_in"])
            usable = int(line["committed"]) + int(line["duplicates"]) > 0
            self._skipped[source_file] = FileReport(
                self._spec.name, source_file, sha256, rows, 0, 0, rows, already=True, usable=usable
            )
            return
        if source_file in self._held:
            self._earlier[source_file] = _Earlier(self._held[source_file], sha256)
        seen: Counter[bytes] = Counter()
        arrival = len(self._digests)
        table = isinstance(self._spec, TableSpec)
        for chunk in parse(lambda: _blocks(path), self._spec, limits=self._limits, quick=self._quick and not table):
            self._counts[source_file]["rows_in"] += chunk.rows_in
            for rejected in chunk.rejects:
                self._hold_reject(source_file, rejected, counted=True)
            readable = chunk.rows
            if isinstance(self._spec, TableSpec):
                readable = number_rows(readable, self._spec, seen=seen)
            for frame, waiting in ((readable, self._rows), (chunk.typed, self._typed)):
                if frame is not None and len(frame):
                    name = pd.array([source_file], dtype="str").take(np.zeros(len(frame), dtype=np.int64))
                    origin: dict[str, Any] = {SOURCE_FILE: name, ARRIVAL: arrival}
                    waiting.append(frame.assign(**origin))
                    self._waiting += len(frame)
                    self._bytes += sum(map(len, frame[RAW]))
            if self._waiting >= self._batch_rows or self._bytes >= BATCH_BYTES:
                self._commit()
        self._complete.append(source_file)

    def _hold_reject(self, source_file: str, rejected: Reject, *, counted: bool = False) -> None:
        if not counted:
            self._counts[source_file]["rows_in"] += 1
        self._rejected.append((source_file, rejected))
        self._waiting += 1
        self._bytes += len(rejected.raw)

    def _commit(self) -> None:
        """Records, then quarantine, then the files that are complete into the ledger."""
        refused, latest = self._rejected, None
        before = retention.horizon(self._lake, self._spec.name, storage_options=self._options)
        if self._rows or self._typed:
            prepared = self._prepare(before)
            if before is not None:
                latest = prepared.sealed.groupby(SOURCE_FILE)[T_EVENT].max()
            batch = self._commit_records(prepared)
            refused = [*refused, *batch.rejected]
            for file, rows in batch.already[SOURCE_FILE].value_counts().items():
                self._counts[str(file)]["duplicates" if file in self._seen_files else "committed"] += int(rows)
            for frame, outcome in ((batch.records, "committed"), (batch.duplicates, "duplicates")):
                for file, rows in frame[SOURCE_FILE].value_counts().items():
                    self._counts[str(file)][outcome] += int(rows)
        refused = forget_old(refused, stream=self._spec.name, before=before, latest=latest)
        aside: list[tuple[str, Reject]] = []
        for file, rejected in sorted(refused, key=lambda pair: (pair[0], pair[1].source_row)):
            if file in self._earlier and self._earlier[file].still(rejected):
                self._counts[file]["duplicates"] += 1
                self._counts[file]["still_aside"] += 1
            else:
                aside.append((file, rejected))
                self._counts[file]["quarantined"] += 1
                self._reasons[file][rejected.reason.value] += 1
        self._aside.add(quarantine_frame(aside, stream=self._spec.name, digests=self._digests))
        self._rows, self._typed, self._rejected, self._waiting, self._bytes = [], [], [], 0, 0
        self._close_books()

    def _prepare(self, before: pd.Timestamp | None) -> Prepared:
        typed = pd.concat(self._typed, ignore_index=True) if self._typed else None
        if self._rows:
            rows = pd.concat(self._rows, ignore_index=True)
        else:
            rows = pd.DataFrame(columns=[*self._spec.fields, SOURCE_ROW, RAW, SOURCE_FILE, ARRIVAL], dtype=object)
        return prepare(rows, self._spec, key=self._key, territory=self._territory, typed=typed, before=before)

    def _commit_records(self, prepared: Prepared) -> Batch:
        """Append the new records; where another ingest came first, judge again beside what it has added."""
        for _ in range(store.ATTEMPTS):
            batch = settle(prepared, known=self._records.known)
            try:
                self._records.append(batch.records, batch.prints)
            except store.Overtaken:
                continue
            return batch
        raise store.overtaken_for_good(self._lake, self._spec.name)

    def _close_books(self) -> None:
        """Write the files that are complete into the ledger, their mended rows out of quarantine first."""
        for file in self._complete:
            if file in self._earlier and len(mended := self._earlier[file].mended(self._spec.name, file)):
                store.repair(self._lake, mended, repaired_by=self._digests[file], storage_options=self._options)
        lines = [self._report(file) for file in self._complete]
        names = ("stream", "source_file", "sha256", "rows_in", "committed", "quarantined", "duplicates")
        frame = pd.DataFrame([{n: getattr(line, n) for n in names} for line in lines], columns=list(names))
        self._books.add(frame)
        self._complete = []

    def flush(self) -> None:
        """Commit what waits, and close the books."""
        if self._waiting:
            self._commit()
        self._close_books()

    def _report(self, source_file: str) -> FileReport:
        counts = self._counts[source_file]
        report = FileReport(
            self._spec.name,
            source_file,
            self._digests[source_file],
            counts["rows_in"],
            counts["committed"],
            counts["quarantined"],
            counts["duplicates"],
            usable=counts["committed"] + counts["duplicates"] - counts["still_aside"] > 0,
            reasons=dict(sorted(self._reasons[source_file].items())),
        )
        if report.rows_in != report.committed + report.quarantined + report.duplicates:
            raise BookkeepingError(
                f"{source_file}: {report.rows_in} rows in, but {report.committed} committed, {report.quarantined} "
                f"quarantined and {report.duplicates} duplicates. This is a bug of ours: nothing was written to the "
                "ledger for this file. Please report it with the file."
            )
        return report

    def reports(self) -> list[FileReport]:
        """One report per file, in the order they were taken."""
        return [self._skipped.get(file) or self._report(file) for file in self._digests]


class _Earlier:
    """What quarantine holds of earlier editions of one file, and what of it a new edition still has."""

    def __init__(self, held: pd.DataFrame, sha256: str) -> None:
        self._rows: dict[str, dict[int, list[str]]] = {}  # content → line → digests of the editions
        earlier = held[held[store.FILE_SHA256] != sha256].sort_values([SOURCE_ROW, store.FILE_SHA256])
        for content, line, edition in zip(
            earlier[ROW_SHA256], earlier[SOURCE_ROW].tolist(), earlier[store.FILE_SHA256], strict=True
        ):
            self._rows.setdefault(content, {}).setdefault(line, []).append(edition)

    def still(self, rejected: Reject) -> bool:
        """Whether an earlier edition had the row at fault already; each of its rows answers for one row only."""
        lines = self._rows.get(rejected.row_sha256)
        if not lines:
            return False
        line = rejected.source_row if rejected.source_row in lines else min(lines)
        lines[line].pop()
        if not lines[line]:
            del lines[line]
        return True

    def mended(self, stream: str, source_file: str) -> pd.DataFrame:
        """Identity in quarantine of the rows that no row of the new edition answered for."""
        rows = [
            (stream, source_file, edition, line, content)
            for content, lines in self._rows.items()
            for line, editions in lines.items()
            for edition in editions
        ]
        return pd.DataFrame(rows, columns=list(store.IDENTITY[store.QUARANTINE]))
