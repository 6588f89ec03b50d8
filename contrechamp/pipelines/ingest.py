"""Take the files a city drops into the lake: every row committed, quarantined or recognised as a duplicate.

``landing/<stream>/*`` in, Delta tables out; published incident tables go to the stream ``incidents``, each read as
its :class:`~ingest.mapping.TableMapping` says. The outline of the land is read from ``landing/territory.json`` (a
:class:`~contrechamp.domain.grid.Grid` as plain data, public reference) when it is there. Files are taken in the order
of their names and committed in batches; the ledger line of a file is written last, so an ingest that was killed is
finished by running it again.

What it cannot tell you: that the files hold everything that happened, or everything that was reported. It can only
account for the rows it was given.
"""

from __future__ import annotations

import errno
import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from contrechamp.domain.columns import RAW, REASON, SOURCE_FILE
from contrechamp.domain.errors import ContractError, ContrechampError, ParameterError, Problem
from contrechamp.domain.grid import Grid
from contrechamp.domain.protocols import Progress, silent
from contrechamp.store import lake as store
from ingest import FORMATS, STREAMS, load_stream
from ingest.batch import process, quarantine_of
from ingest.contracts import DEFAULT_WINDOW, StreamSpec, Territory
from ingest.incidents import TableSpec, number_rows, table_spec
from ingest.mapping import TableMapping
from ingest.mapping_file import mapping_of, zones_of
from ingest.parsing import Limits, parse
from ingest.pseudonyms import check_key, key_mark
from ingest.quarantine import Reason, Reject, reject

#: Rows gathered from one or several files before they are committed together, and bytes of them.
BATCH_ROWS: Final = 100_000
BATCH_BYTES: Final = 256 << 20

#: Stream of published tables.
INCIDENTS: Final = "incidents"

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


def ingest(
    source: Path,
    *,
    lake: str | Path,
    key: bytes | None = None,
    stream: str | None = None,
    mapping: TableMapping | None = None,
    territory: Territory | None = None,
    limits: Limits | None = None,
    batch_rows: int = BATCH_ROWS,
    storage_options: dict[str, str] | None = None,
    progress: Progress = silent,
) -> IngestReport:
    """Commit dropped files to the lake.

    Parameters
    ----------
    source : Path
        A landing folder with one sub-folder per stream, a folder bearing a stream's name, or a single file.
    lake : str or Path
        Folder or URL of the lake.
    key : bytes, optional
        Pseudonymisation key, at least 16 bytes; the same for the life of the lake. A published table needs none.
    stream : str, optional
        Stream of a single file, when its folder does not say it.
    mapping : TableMapping, optional
        ``source`` is a published incident table, or a folder of them at any depth, read as this says. It goes to the
        stream ``incidents``.
    territory : Territory, optional
        Window and outline; by default the outline of ``territory.json`` beside the streams, where there is one.
    limits : Limits, optional
    batch_rows : int, default=100_000
        Rows committed together. Changes no record, no quarantined row and no count.
    storage_options : dict, optional
        Credentials and options of an object store.
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
    """
    source = Path(source)
    drops: dict[str, list[tuple[Path, str]]]  # files by stream, each with its name in the lake
    specs: Mapping[str, StreamSpec]
    if mapping is not None:
        drops, specs = {INCIDENTS: _find_tables(source, mapping, stream)}, {INCIDENTS: table_spec(mapping)}
        store.prepare_incidents(lake, crs=mapping.into, storage_options=storage_options)
    else:
        mark = key_mark(check_key(key))
        landing, folders = _find(source, stream)
        territory = territory or Territory(window=DEFAULT_WINDOW, land=_outline(landing))
        drops = {name: [(p, f"{name}/{_printable(p.name)}") for p in files] for name, files in folders.items()}
        specs = {name: load_stream(name) for name in drops}
        store.prepare(lake, [name for name in STREAMS if name in drops], mark=mark, storage_options=storage_options)
    territory, limits = territory or Territory(), limits or Limits()
    streams = [name for name in STREAMS if name in drops]
    total = sum(len(files) for files in drops.values())
    reports: list[FileReport] = []
    for name in streams:
        run = _StreamRun(specs[name], lake, key, territory, limits, batch_rows, storage_options)
        for path, source_file in drops[name]:
            run.take(path, source_file)
            progress("ingest", len(reports) + run.taken, total)
        run.flush()
        reports += run.reports()
    tables = (*streams, store.QUARANTINE, store.LEDGER)
    versions = {t: store.table_version(lake, t, storage_options=storage_options) for t in tables}
    report = IngestReport(tuple(reports), versions)
    if report.rows_in and not any(f.usable for f in reports):
        why = ", ".join(f"{reason} ({rows})" for reason, rows in report.reasons.items()) or "see the quarantine table"
        raise ContractError(
            f"Nothing in {source} can be used: {report.rows_in} rows in {len(reports)} files, none of which meets its "
            f"contract. Reasons: {why}. The rows are kept in {store.table_url(lake, store.QUARANTINE)}; mend the files "
            "at their source and drop them again."
        )
    return report


def _find(source: Path, stream: str | None) -> tuple[Path, dict[str, list[Path]]]:
    """Landing folder and files by stream, in the order they are taken."""
    if source.is_file():
        name = stream or source.parent.name
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
        key: bytes | None,
        territory: Territory,
        limits: Limits,
        batch_rows: int,
        storage_options: dict[str, str] | None,
    ) -> None:
        self._spec, self._lake, self._key, self._territory = spec, lake, key, territory
        self._limits, self._batch_rows, self._options = limits, batch_rows, storage_options
        ledger = store.read_ledger(lake, storage_options=storage_options)
        ledger = ledger[ledger["stream"] == spec.name]
        self._ledger = {(row[SOURCE_FILE], row["sha256"]): row for row in ledger.to_dict("records")}
        self._seen_files = set(ledger[SOURCE_FILE])
        self._rows: list[pd.DataFrame] = []
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
        digest = hashlib.sha256()
        try:
            if _leads_out(path):
                raise OSError(errno.ELOOP, "a link that leads out of the landing folder")
            for block in _blocks(path):
                digest.update(block)
        except OSError as cause:
            self._digests[source_file] = digest.hexdigest()
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
        seen: Counter[bytes] = Counter()
        for chunk in parse(lambda: _blocks(path), self._spec, limits=self._limits):
            self._counts[source_file]["rows_in"] += chunk.rows_in
            for rejected in chunk.rejects:
                self._hold_reject(source_file, rejected, counted=True)
            if len(chunk.rows):
                readable = chunk.rows
                if isinstance(self._spec, TableSpec):
                    readable = number_rows(readable, self._spec, seen=seen)
                self._rows.append(readable.assign(**{SOURCE_FILE: source_file}))
                self._waiting += len(chunk.rows)
                self._bytes += int(chunk.rows[RAW].map(len).sum())
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
        """Quarantine, then records."""
        spec, options = self._spec, self._options
        refused = quarantine_of(self._rejected, spec)
        if self._rows:
            batch = process(
                pd.concat(self._rows, ignore_index=True),
                spec,
                key=self._key,
                territory=self._territory,
                known=lambda ids: store.known_records(self._lake, spec.name, ids, storage_options=options),
            )
            refused = pd.concat([refused, batch.quarantine], ignore_index=True)
            for file in batch.already[SOURCE_FILE]:
                self._counts[file]["duplicates" if file in self._seen_files else "committed"] += 1
        store.merge(self._lake, store.QUARANTINE, refused, storage_options=options)
        for file, reason in zip(refused[SOURCE_FILE], refused[REASON], strict=True):
            self._counts[file]["quarantined"] += 1
            self._reasons[file][reason] += 1
        if self._rows:
            inserted = store.merge(self._lake, spec.name, batch.records, storage_options=options)
            if inserted != len(batch.records):
                raise ContractError(
                    f"Another ingest is writing to {store.table_url(self._lake, spec.name)}: {len(batch.records)} new "
                    f"records were ready and {inserted} were still new when they were committed. Nothing is lost or "
                    "doubled. Run this ingest again when the other has ended."
                )
            for frame, outcome in ((batch.records, "committed"), (batch.duplicates, "duplicates")):
                for file, rows in frame[SOURCE_FILE].value_counts().items():
                    self._counts[str(file)][outcome] += int(rows)
        self._rows, self._rejected, self._waiting, self._bytes = [], [], 0, 0

    def flush(self) -> None:
        """Commit what waits, then write the files that are complete into the ledger."""
        if self._waiting:
            self._commit()
        lines = [self._report(file) for file in self._complete]
        names = ("stream", "source_file", "sha256", "rows_in", "committed", "quarantined", "duplicates")
        frame = pd.DataFrame([{n: getattr(line, n) for n in names} for line in lines], columns=list(names))
        store.merge(self._lake, store.LEDGER, frame, storage_options=self._options)
        self._complete = []

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
            usable=counts["committed"] + counts["duplicates"] > 0,
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
