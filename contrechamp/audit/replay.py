"""Recompute every number of a sealed run from its request, its tables and its report, and say which one moved.

Hashes and signature say that a folder is as its signatory sealed it; only a replay says that the numbers, the tables
and the words of the report are those that the code gives.

What it cannot tell you: a replay that agrees shows that the code gives these numbers from these parameters. It does
not show that the parameters were chosen before the result was known: the date of the frozen plan does, as far as the
signatory is believed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq

from contrechamp.audit import steps
from contrechamp.audit.bundle import contradictions, read_bundle
from contrechamp.audit.environment import describe_environment
from contrechamp.audit.evidence import printable
from contrechamp.domain.errors import ContractError, IntegrityError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import canonical_json, table_digest
from contrechamp.store import runs

_DRAWING: Final = re.compile(rb'src="data:image/svg\+xml;base64,[A-Za-z0-9+/=]*"')


@dataclass(frozen=True, slots=True)
class Replay:
    """Outcome of a replay.

    Attributes
    ----------
    results, verdicts : int
        How many were recomputed.
    differences : tuple of str
        One line per result, verdict or table that differs. Empty: all agree.
    digest : str
        Digest of the recomputed ``results.json``.
    notes : tuple of str
        Files whose bytes were not obtained again, which another version of a drawing library explains: PDF, figures.
    """

    results: int
    verdicts: int
    differences: tuple[str, ...]
    digest: str
    notes: tuple[str, ...] = ()


def replay(run: Path, *, jobs: int = 1, progress: Progress = silent) -> Replay:
    """Compute the run again in a temporary folder and compare, number by number, table by table, page by page.

    Raises
    ------
    ContractError
        If the folder lacks what a replay needs, or asks for far more than this version ever computes.
    """
    given = read_bundle(run)
    differences = contradictions(given)
    with tempfile.TemporaryDirectory(prefix="contrechamp-replay-") as folder:
        work = runs.begin(Path(folder), run_id="replay")
        steps.reopen(work, request=given.request, plan=given.plan, scenario_toml=given.scenario_toml)
        started = {k: given.record[k] for k in ("run_id", "started_at")}
        runs.write_json(work / "started.json", started)
        steps.generate(work, progress=progress)
        steps.ingest(work, progress=progress)
        steps.backtest(work, jobs=jobs, progress=progress)
        steps.experiments(work, jobs=jobs, progress=progress)
        after = steps.decide(work)
        differences += compare(given.results, after)
        differences += _compare_tables(run, after)
        notes: list[str] = []
        if not differences:  # a report can only be that of these numbers
            steps.report(work, progress=progress)
            more, notes = _compare_reports(run, work)
            differences += more
    counts = len(after["results"]), len(after["verdicts"])
    return Replay(*counts, tuple(differences), after["digest"], tuple(notes))


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Differences between two ``results.json``, by result address, claim, table and bookkeeping."""
    lines: list[str] = []
    sides = [{_address(r): r for r in body["results"]} for body in (before, after)]
    for address in sorted(sides[0].keys() | sides[1].keys()):
        old, new = sides[0].get(address), sides[1].get(address)
        if old is None or new is None:
            lines.append(f"result {address}: {'absent from the run' if old is None else 'not recomputed'}")
        elif old != new:
            fields = [k for k in old if old[k] != new.get(k)]
            moved = ", ".join(f"{k} {old[k]} → {new.get(k)}" for k in fields)
            lines.append(f"result {old.get('id')} {address}: {moved or 'has not the same fields'}")
    verdicts = [{v["claim"]: v for v in body["verdicts"]} for body in (before, after)]
    for claim in sorted(verdicts[0].keys() | verdicts[1].keys()):
        a, b = verdicts[0].get(claim), verdicts[1].get(claim)
        if a != b:
            lines.append(f"claim {claim}: {a and a['verdict']} → {b and b['verdict']}")
    for part in ("request", "plan", "platform", "tables"):
        if canonical_json(before.get(part)) != canonical_json(after.get(part)):
            lines.append(f"{part}: differs")
    if not lines and canonical_json(before) != canonical_json(after):
        # An address given twice, a field more, another order, a digest of something else.
        lines.append("results.json: says something else than the results, verdicts and tables recomputed")
    return lines


def _compare_tables(run: Path, after: Mapping[str, Any]) -> list[str]:
    """Tables of the folder whose content is not what ``results.json`` hashes."""
    lines = []
    folder = run / "tables"
    for name in sorted({path.name for path in folder.glob("*")} - {f"{name}.parquet" for name in after["tables"]}):
        lines.append(f"tables/{printable(name)}: no table of this run")
    for name, expected in after["tables"].items():
        path = folder / f"{name}.parquet"
        try:
            shape = pq.read_metadata(path)
            same = shape.num_rows == expected["rows"] and shape.num_columns == len(expected["columns"])
            same = same and table_digest(pd.read_parquet(path)) == expected["sha256"]
        except Exception as cause:  # whatever a forged file makes the reader say
            lines.append(f"tables/{name}.parquet: cannot be read ({type(cause).__name__})")
            continue
        if not same:
            lines.append(f"tables/{name}.parquet: is not the table recomputed")
    return lines


def _compare_reports(run: Path, work: Path) -> tuple[list[str], list[str]]:
    """Reports of the folder against those that the recomputed numbers give: differences, and notes.

    The words and numbers of a page must be the same. The bytes of drawings and of the PDF depend on the version of
    the libraries that made them: a difference there is said, and left to the reader.
    """
    lines, notes = [], []
    made = [*work.glob("report.*"), *(work / "figures").glob("*")]
    for path in sorted(made):
        name = path.relative_to(work).as_posix()
        try:
            theirs = (run / name).read_bytes()
        except OSError:
            lines.append(f"{name}: missing")
            continue
        ours = path.read_bytes()
        if path.suffix == ".html":
            if _DRAWING.sub(b"", theirs) != _DRAWING.sub(b"", ours):
                lines.append(f"{name}: is not the report that these numbers give")
        elif theirs != ours:
            notes.append(name)
    known = {path.relative_to(work).as_posix() for path in made}
    theirs_too = [*run.glob("report*"), *(run / "figures").glob("*")]
    stray = sorted({path.relative_to(run).as_posix() for path in theirs_too} - known)
    return lines + [f"{printable(name)}: no part of this report" for name in stray], notes


def require_same(run: Path, *, jobs: int = 1, progress: Progress = silent) -> Replay:
    """Like :func:`replay`, but a difference is an error (exit code 12) that names the numbers."""
    found = replay(run, jobs=jobs, progress=progress)
    if found.differences:
        shown = " | ".join(found.differences[:10])
        more = f" | and {len(found.differences) - 10} more" if len(found.differences) > 10 else ""
        raise IntegrityError(f"The replay of {run} does not agree: {shown}{more}.{_other_versions(run)}")
    return found


def _other_versions(run: Path) -> str:
    """Say which versions the run names that are not those of this machine: a difference may come from there."""
    here = describe_environment()["packages"]
    try:
        there = dict(runs.read_json(run / "run.json")["environment"]["packages"])
    except (ContractError, KeyError, TypeError, ValueError):
        return ""
    other = [f"{k} {printable(str(there.get(k)))} (here {v})" for k, v in here.items() if there.get(k) != v]
    return f" It says that it was made with other versions: {', '.join(other)}." if other else ""


def _address(result: dict[str, Any]) -> str:
    return f"{result['experiment']}/{result['measure']}/{canonical_json(result['world'])}"
