"""Recompute every number of a sealed run from its request, and say which one moved.

What it cannot tell you: a replay that agrees shows that the code gives these numbers from these parameters. It does
not show that the parameters were chosen before the result was known: the date of the frozen plan does, as far as the
signatory is believed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contrechamp.audit import steps
from contrechamp.domain.errors import IntegrityError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import canonical_json
from contrechamp.store import runs


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
    """

    results: int
    verdicts: int
    differences: tuple[str, ...]
    digest: str


def replay(run: Path, *, jobs: int = 1, progress: Progress = silent) -> Replay:
    """Compute the run again in a temporary folder and compare, number by number."""
    before = runs.read_json(run / "results.json")
    with tempfile.TemporaryDirectory(prefix="contrechamp-replay-") as folder:
        work = runs.begin(Path(folder), run_id="replay")
        steps.reopen(
            work,
            request=before["request"],
            plan=runs.read_json(run / "plan.json"),
            scenario_toml=(run / "scenario.resolved.toml").read_text(encoding="utf-8"),
        )
        steps.generate(work, progress=progress)
        steps.ingest(work, progress=progress)
        steps.backtest(work, jobs=jobs, progress=progress)
        steps.experiments(work, jobs=jobs, progress=progress)
        after = steps.decide(work)
    return Replay(len(after["results"]), len(after["verdicts"]), tuple(compare(before, after)), after["digest"])


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
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
            lines.append(f"result {old['id']} {address}: {moved}")
    verdicts = [{v["claim"]: v for v in body["verdicts"]} for body in (before, after)]
    for claim in sorted(verdicts[0].keys() | verdicts[1].keys()):
        a, b = verdicts[0].get(claim), verdicts[1].get(claim)
        if a != b:
            lines.append(f"claim {claim}: {a and a['verdict']} → {b and b['verdict']}")
    for part in ("request", "plan", "platform", "tables"):
        if canonical_json(before.get(part)) != canonical_json(after.get(part)):
            lines.append(f"{part}: differs")
    if not lines and before.get("digest") != after.get("digest"):
        lines.append("digest: results.json does not match its own digest")
    return lines


def require_same(run: Path, *, jobs: int = 1, progress: Progress = silent) -> Replay:
    """Like :func:`replay`, but a difference is an error (exit code 12) that names the numbers."""
    found = replay(run, jobs=jobs, progress=progress)
    if found.differences:
        shown = " | ".join(found.differences[:10])
        more = f" | and {len(found.differences) - 10} more" if len(found.differences) > 10 else ""
        raise IntegrityError(f"The replay of {run} gives other numbers: {shown}{more}.")
    return found


def _address(result: dict[str, Any]) -> str:
    return f"{result['experiment']}/{result['measure']}/{canonical_json(result['world'])}"
