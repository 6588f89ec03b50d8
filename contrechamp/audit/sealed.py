"""Read a finished run in order to speak of it, and only if it says what it said when it was written.

A replay needs a run of this very version (:mod:`contrechamp.audit.bundle`); a trace or a comparison must also read the
runs of other versions. What is asked here is less: the shape, the digest of the results, the hash of the plan, and,
where the folder is sealed, the bytes of each file that is read.

What it cannot tell you: that the numbers are right, nor who sealed them. ``contrechamp verify`` checks the whole folder
and the key, and ``--replay`` computes every number again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contrechamp.audit import evidence
from contrechamp.audit.rules import VERDICTS
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.provenance import canonical_json, digest
from contrechamp.store import runs

#: Fields of a result and the types they may have.
_RESULT: Final[Mapping[str, tuple[type, ...]]] = {
    "id": (str,), "experiment": (str,), "measure": (str,), "world": (dict,), "unit": (str,), "method": (str,),
    "table": (str,), "data_sha256": (str,), "n": (int, float), "level": (int, float),
    "value": (int, float, type(None)), "low": (int, float, type(None)), "high": (int, float, type(None)),
}  # fmt: skip
_REQUEST: Final[Mapping[str, type]] = {
    "profile": str, "seed": int, "claims": list, "experiments": list, "parameters": dict, "platform": bool,
}  # fmt: skip
_TABLE: Final = re.compile(r"[A-Za-z0-9_.-]{1,120}")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Run:
    """A run that agrees with itself.

    Attributes
    ----------
    folder : Path
    results, plan, record : mapping
        ``results.json``, ``plan.json`` and ``run.json`` (``started.json`` while the run is being built).
    sealed : bool
        Whether the folder has a seal; its signature and the files read here then agree with it.
    changed : tuple of str
        Faults of the seal in files of folders below that are not read.
    """

    folder: Path
    results: Mapping[str, Any]
    plan: Mapping[str, Any]
    record: Mapping[str, Any]
    sealed: bool = False
    changed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Id of the run, or the name of its folder."""
        return str(self.record.get("run_id") or self.folder.name)

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked for."""
        request: Mapping[str, Any] = self.results["request"]
        return request

    @property
    def environment(self) -> Mapping[str, Any]:
        """Versions, commit and dirty flag; empty when the run does not say."""
        found = self.record.get("environment")
        return found if isinstance(found, dict) else {}


def address(result: Mapping[str, Any]) -> str:
    """What a result is, whatever its id: experiment, measure and world. Ids are those of one run.

    Examples
    --------
    >>> address({"experiment": "E12", "measure": "ppv", "world": {"m": 2.0, "class": "rare"}})
    'E12/ppv/{"class":"rare","m":2.0}'
    """
    return f"{result['experiment']}/{result['measure']}/{canonical_json(result['world'])}"


def latest(root: Path) -> Path:
    """The newest finished run under a folder.

    Raises
    ------
    ParameterError
        If there is none.
    """
    found = runs.list_runs(root)
    if not found:
        raise ParameterError(
            f"There is no finished run under {root}. Make one with `contrechamp audit`, or name its folder with "
            "--run DIR."
        )
    return found[0]


def read_run(folder: Path, *, read: tuple[str, ...] = ()) -> Run:
    """Read a run and hold it against its own digests and, where there is one, against its seal.

    Parameters
    ----------
    folder : Path
    read : tuple of str
        Files in folders below, such as ``tables/x.parquet``, that the caller will read.

    Raises
    ------
    ContractError
        If it is no run, or does not have the shape of one.
    IntegrityError
        If what is read is not what was written: its digest, its plan's hash or its seal says otherwise.
    """
    results = runs.read_json(folder / "results.json")
    plan = runs.read_json(folder / "plan.json")
    own = folder / "run.json"
    started = folder / "started.json"
    record = runs.read_json(own) if own.is_file() else runs.read_json(started) if started.is_file() else {}
    fault = _shape(results, plan, record)
    if fault:
        raise ContractError(
            f"{folder} does not have the shape of a run: {fault}. The folder may be damaged: check it with "
            "`contrechamp verify`."
        )
    faults = []
    if digest({k: v for k, v in results.items() if k != "digest"}) != results["digest"]:
        faults.append("results.json: does not match its own digest")
    if record.get("results_digest", results["digest"]) != results["digest"]:
        faults.append("results.json: is not the one that run.json names")
    if digest(plan["plan"]) != plan["sha256"] or results["plan"].get("sha256") != plan["sha256"]:
        faults.append("plan.json: does not match its own hash, or is not the plan of these results")
    sealed = (folder / evidence.MANIFEST).is_file() or (folder / evidence.SIGNATURE).is_file()
    others: list[str] = []
    if sealed:
        for problem in evidence.check(folder).problems:
            name = problem.split(": ", 1)[0]
            (others if "/" in name and name not in read else faults).append(problem)
    if faults:
        raise IntegrityError(
            f"{folder} is not as it was written: {' | '.join(faults[:10])}. No number is quoted from it. Ask for the "
            "folder again, and check it with `contrechamp verify`."
        )
    return Run(folder, results, plan, record, sealed, tuple(others))


def _shape(results: Any, plan: Any, record: Any) -> str:
    """The first thing that a run has and this one has not; empty when it has them all."""
    if not (isinstance(results, dict) and isinstance(plan, dict) and isinstance(record, dict)):
        return "results.json, plan.json and run.json must be objects"
    if not _prints([results, plan, record]):
        return "it holds control characters"
    if not all(isinstance(results.get(k), kind) for k, kind in
               (("results", list), ("verdicts", list), ("tables", dict), ("request", dict), ("plan", dict),
                ("digest", str))):  # fmt: skip
        return "results.json lacks results, verdicts, tables, request, plan or digest"
    for key, kind in _REQUEST.items():
        if not isinstance(results["request"].get(key), kind):
            return f"its request has no {key}"
    for r in results["results"]:
        if not (isinstance(r, dict) and all(k in r and isinstance(r[k], kinds) for k, kinds in _RESULT.items())):
            return "a result lacks a field, or has one of another type"
        if r["value"] is not None and (r["low"] is None or r["high"] is None):
            return f"the result {r['id']} has a value without its bounds"
    for r in results["results"]:
        if r["table"] and r["table"] not in results["tables"]:
            return f"the result {r['id']} names a table that is not listed"
    for name, meta in results["tables"].items():
        if not _TABLE.fullmatch(name):
            return "a table bears no plain name"
        if not (isinstance(meta, dict) and isinstance(meta.get("columns"), list) and isinstance(meta.get("rows"), int)):
            return "a table lacks its columns or rows"
    if not all(_line(v) for v in results["verdicts"]):
        return "a verdict lacks its claim, its rules or their worlds"
    inner = plan.get("plan")
    if not (isinstance(inner, dict) and isinstance(plan.get("sha256"), str)):
        return "plan.json lacks its plan or its hash"
    for name in ("rules", "silent"):
        listed = inner.get(name)
        if not isinstance(listed, list) or not all(
            isinstance(x, dict) and isinstance(x.get("claim"), str) and isinstance(x.get("experiment"), str)
            for x in listed
        ):
            return f"plan.json has no {name}"
    return ""


def _prints(value: Any) -> bool:
    """Whether every string in it can be shown on a terminal: no escape sequence, nothing that turns the text round."""
    if isinstance(value, str):
        return _CONTROL.search(value) is None
    if isinstance(value, dict):
        return all(_prints(k) and _prints(v) for k, v in value.items())
    return all(map(_prints, value)) if isinstance(value, list) else True


def _line(line: Any) -> bool:
    if not (isinstance(line, dict) and isinstance(line.get("claim"), str) and line.get("verdict") in VERDICTS):
        return False
    rules = line.get("rules")
    return isinstance(rules, list) and all(
        isinstance(rule, dict)
        and isinstance(rule.get("experiment"), str)
        and isinstance(rule.get("worlds"), list)
        and all(
            isinstance(w, dict)
            and isinstance(w.get("results"), list)
            and isinstance(w.get("world"), dict)
            and w.get("verdict") in VERDICTS
            for w in rule["worlds"]
        )
        for rule in rules
    )
