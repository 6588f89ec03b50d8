"""From a result id to everything behind it: what was measured, from which rows, by which code, to decide what.

A number printed in the report bears an id (``R-0142``) given when the results were numbered; nothing is numbered again
here. The id belongs to its run: the same measure in the same world may bear another one in another run, and
``contrechamp report diff`` finds it there by what it is.

What it cannot tell you: that the code measures what its label says. It names the table, the rows and the command, so
that the reader can look, and compute the number again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from contrechamp.audit.printed import Place, places
from contrechamp.audit.reporting.blocks import Voice
from contrechamp.audit.reporting.experiments import criterion_words, worlds_words
from contrechamp.audit.reporting.facts import PLATFORM, Facts, Row
from contrechamp.audit.reporting.labels import key_name, value_name
from contrechamp.audit.reporting.tables import full_label
from contrechamp.audit.rules import Condition
from contrechamp.audit.sealed import Run, read_run
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import canonical_json, plain, table_digest
from contrechamp.domain.text import LANGS, Text
from contrechamp.experiments.base import load, parameters
from contrechamp.store import runs

_WRITTEN: Final = re.compile(r"[Rr]-?(\d{1,9})")
#: Other runs of the same folder in which a missing id is looked for.
_NEIGHBOURS: Final = 20
#: Fields of a result that a recomputation must give again, to the digit.
NUMBERS: Final = ("value", "low", "high", "n", "level", "method")


@dataclass(frozen=True, slots=True)
class Source:
    """The table a number was computed from.

    Attributes
    ----------
    table, file, sha256 : str
        Name, path in the run, digest of the content (checked). Empty for a closed form.
    columns : tuple of str
    rows : int
        Rows of the table.
    world_columns : tuple of str
        Columns that hold the keys of the world.
    rows_of_world : int
        Rows that bear the values of the world in those columns.
    value_column : str
        Column that holds the number itself, where exactly one row of that world does; else empty, and the number is
        computed from the rows.
    """

    table: str
    file: str
    sha256: str
    columns: tuple[str, ...]
    rows: int
    world_columns: tuple[str, ...]
    rows_of_world: int
    value_column: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim that the number helps to decide.

    Attributes
    ----------
    claim : str
    gloss : Text
    verdict, here : str
        Of the claim, and of its rule in this world.
    experiment_verdict : str
        Of the rule over all the worlds it admits.
    flips : bool
        Whether worlds disagree.
    worlds, support, refute, why : Text or None
        The frozen rule in words.
    conditions : tuple of mapping
        Conditions that read this number: ``for`` (support or refute), ``bound``, ``op``, ``threshold``, ``holds``.
    with_results : tuple of str
        Ids read together with this one.
    """

    claim: str
    gloss: Text
    verdict: str
    here: str
    experiment_verdict: str
    flips: bool
    worlds: Text | None
    support: Text
    refute: Text
    why: Text
    conditions: tuple[Mapping[str, Any], ...]
    with_results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """How to compute the number again.

    Attributes
    ----------
    arguments : tuple of str
        The command line, without the program.
    whole_run : bool
        True when only a replay of the whole run gives it.
    """

    arguments: tuple[str, ...]
    whole_run: bool

    @property
    def line(self) -> str:
        """The command as it is typed."""
        return shlex.join(("contrechamp", *self.arguments))


@dataclass(frozen=True)
class Trace:
    """Everything behind a number.

    Attributes
    ----------
    run : Run
    row : Row
        The result, with what the report needs to print it.
    unit : str
        As the measure declares it; ``row["unit"]`` is the one it is printed in.
    label : Text or None
        None where this version of the software has no such measure.
    counted : Text or None
        What ``n`` counts.
    world : tuple of (str, Text, Text)
        Key, its name, its value.
    source : Source
    judged : tuple of Judged
    silent_on : mapping of str to Text
        Claims that name the experiment without being decided by it, with the reason.
    printed : mapping of str to list of Place
        By language; empty when the run holds no report.
    command : Command
    """

    run: Run
    row: Row
    unit: str
    label: Text | None
    counted: Text | None
    world: tuple[tuple[str, Text, Text], ...]
    source: Source
    judged: tuple[Judged, ...]
    silent_on: Mapping[str, Text]
    printed: Mapping[str, list[Place]]
    command: Command

    def to_dict(self) -> dict[str, Any]:
        """Plain form, for machines."""
        row, run, environment = self.row, self.run, self.run.environment
        result = {k: row[k] for k in ("id", "experiment", "measure", *NUMBERS, "data_sha256")} | {"unit": self.unit}
        found: dict[str, Any] = plain(
            {
                "run": {
                    "folder": str(run.folder), "id": run.name, "started_at": run.record.get("started_at"),
                    "results_digest": run.results["digest"], "sealed": run.sealed, "changed": run.changed,
                },
                "result": result,
                "label": _pair(self.label),
                "denominator": _pair(self.counted),
                "world": row["world"],
                "world_words": {key: {"name": _pair(name), "value": _pair(value)} for key, name, value in self.world},
                "source": asdict(self.source),
                "inputs": run.record.get("inputs") or {},
                "code": {k: environment.get(k) for k in ("contrechamp", "commit", "dirty", "python", "platform",
                                                         "constraints_sha256")},
                "packages": environment.get("packages") or {},
                "seed": run.request["seed"],
                "profile": run.request["profile"],
                "parameters": run.request["parameters"].get(row["experiment"], {}),
                "scenario_sha256": run.request.get("scenario_sha256"),
                "plan": {"sha256": run.plan["sha256"], "frozen_sha256": run.plan.get("frozen_sha256"),
                         "frozen_at": run.plan.get("frozen_at"), "deviations": run.plan.get("deviations") or []},
                "judged": [{**asdict(j), "worlds": _pair(j.worlds)} for j in self.judged],
                "silent": {claim: _pair(why) for claim, why in self.silent_on.items()},
                "printed": {lang: [asdict(p) for p in found] for lang, found in self.printed.items()},
                "recompute": {"command": self.command.line, "whole_run": self.command.whole_run},
            }
        )  # fmt: skip
        return found


def result_id(text: str) -> str:
    """Write a result id as reports print it.

    Raises
    ------
    ValueError
        If it is no result id.

    Examples
    --------
    >>> result_id("R-0142"), result_id("r142"), result_id("R-12345")
    ('R-0142', 'R-0142', 'R-12345')
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return f"R-{int(found.group(1)):04d}"


def trace(folder: Path, result: str) -> Trace:
    """Trace one result of a run.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    result : str
        Id, as :func:`result_id` writes it.

    Raises
    ------
    ParameterError
        If the run has no such result.
    ContractError
        If the folder is no run, or a run of a version that had other experiments.
    IntegrityError
        If what is read is not what was written.
    """
    pages = {lang: f"report.{lang}.html" for lang in LANGS if (folder / f"report.{lang}.html").is_file()}
    names = sorted({r["table"] for r in _raw_results(folder) if r.get("id") == result and r.get("table")})
    run = read_run(folder, read=tuple(f"tables/{name}.parquet" for name in names))
    known = {r["id"]: r for r in run.results["results"]}
    if result not in known:
        raise ParameterError(_unknown(run, result, list(known)))
    try:
        facts = Facts(folder)
    except ParameterError as cause:
        raise ContractError(
            f"{folder} was made by another version of this software: {cause} Trace it with the version that its "
            "run.json names."
        ) from cause
    row = facts.result(result)
    measures = facts.measures(row["experiment"])
    label = (
        _both(lambda v: full_label(facts, row["experiment"], row["measure"], v)) if row["measure"] in measures else None
    )
    return Trace(
        run=run,
        row=row,
        unit=known[result]["unit"],
        label=label,
        counted=row["of"] if isinstance(row["of"], Text) else None,
        world=tuple((k, _both(lambda v, k=k: key_name(k, v.lang)), _both(lambda v, k=k, x=x: value_name(k, x, v.lang)))
                    for k, x in row["world"].items()),
        source=_source(run, row),
        judged=tuple(_judged(facts, row)),
        silent_on={c: why for c in facts.verdicts for e, why in facts.silent(c).items() if e == row["experiment"]},
        printed={lang: places((folder / page).read_text(encoding="utf-8"), result) for lang, page in pages.items()},
        command=command_for(run, row),
    )  # fmt: skip


def command_for(run: Run, row: Mapping[str, Any]) -> Command:
    """The command that computes a result again: its experiment alone where that is enough, else the whole run.

    Parameters that are not to the last digit those of the profile (a run rounds them) are given with ``--set``; the
    command line is then read back, and must give the parameters of the run.
    """
    whole = Command(("verify", str(run.folder), "--replay"), whole_run=True)
    experiment, request = row["experiment"], run.request
    if experiment == PLATFORM:
        return whole
    wanted = request["parameters"].get(experiment, {})
    try:
        usual = _listed(asdict(parameters(experiment, profile=request["profile"])))
        sets = {k: _typed(v) for k, v in wanted.items() if usual.get(k) != v}
        read_back = _listed(asdict(parameters(experiment, profile=request["profile"], overrides=sets)))
    except (ParameterError, AttributeError, TypeError):
        return whole
    if read_back != wanted:
        return whole
    options = [part for k, v in sets.items() for part in ("--set", f"{k}={v}")]
    return Command(
        ("experiment", "run", experiment, "--profile", request["profile"], "--seed", str(request["seed"]), *options,
         "--json"),
        whole_run=False,
    )  # fmt: skip


def recompute(found: Trace, *, jobs: int = 1, progress: Progress = silent) -> dict[str, tuple[Any, Any]]:
    """Run the experiment of a result again and return what differs: field → (printed, recomputed). Empty: the same.

    Raises
    ------
    ParameterError
        If only a replay of the whole run gives the number.
    """
    if found.command.whole_run:
        raise ParameterError(
            f"The result {found.row['id']} needs the whole run, or parameters that this version does not know. Compute "
            f"everything again with `{found.command.line}`."
        )
    key, request = found.row["experiment"], found.run.request
    values = {k: _typed(v) for k, v in request["parameters"][key].items()}
    params = parameters(key, profile=request["profile"], overrides=values)
    outcome = load(key).run(params, seed=request["seed"], jobs=jobs, progress=progress)
    again = [plain(r.to_dict()) for r in outcome.results]
    same = [r for r in again if (r["measure"], r["world"]) == (found.row["measure"], found.row["world"])]
    if len(same) != 1:
        return {"results": (1, len(same))}
    return {k: (found.row[k], same[0][k]) for k in NUMBERS if found.row[k] != same[0][k]}


def _listed(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {k: _listed(v) for k, v in value.items()}
    return [_listed(v) for v in value] if isinstance(value, tuple | list) else value


def _typed(value: Any) -> str:
    """A parameter as ``--set`` reads it."""
    if isinstance(value, list):
        return ",".join(_typed(v) for v in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _raw_results(folder: Path) -> list[Mapping[str, Any]]:
    """Results before any check, to know which table a seal must vouch for."""
    body = runs.read_json(folder / "results.json")
    listed = body.get("results") if isinstance(body, dict) else None
    return [r for r in listed if isinstance(r, dict)] if isinstance(listed, list) else []


def _unknown(run: Run, result: str, known: list[str]) -> str:
    span = f"from {known[0]} to {known[-1]}" if known else "nowhere"
    others = []
    for other in runs.list_runs(run.folder.resolve().parent)[:_NEIGHBOURS]:
        if other.resolve() == run.folder.resolve():
            continue
        try:
            held = any(r.get("id") == result for r in _raw_results(other))
        except ContractError:
            continue
        if held:
            others.append(str(other.name))
    elsewhere = f" Runs beside it that have one: {', '.join(others[:3])} (--run DIR)." if others else ""
    return (
        f"The run {run.name} has no result {result}: its ids go {span}. An id belongs to one run, and another report's "
        f"ids are not this one's.{elsewhere}"
    )


def _source(run: Run, row: Mapping[str, Any]) -> Source:
    name = row["table"]
    if not name:
        return Source("", "", "", (), 0, (), 0, "")
    meta = run.results["tables"].get(name, {"columns": [], "rows": 0})
    path = f"tables/{name}.parquet"
    try:
        table = pd.read_parquet(run.folder / path)
    except FileNotFoundError as cause:
        raise IntegrityError(
            f"{run.folder / path} is missing: the result {row['id']} says that it comes from it. Ask for the whole "
            "folder again."
        ) from cause
    except Exception as cause:  # whatever a damaged file makes the reader say
        raise IntegrityError(f"{run.folder / path} cannot be read ({type(cause).__name__}): it was damaged.") from cause
    found = table_digest(table)
    if found != row["data_sha256"]:
        raise IntegrityError(
            f"{run.folder / path} is not the table that {row['id']} was computed from: its content hashes to {found}, "
            f"the result names {row['data_sha256']}."
        )
    keys = tuple(k for k in row["world"] if k in table.columns)
    own = table
    for key in keys:
        own = own[[plain(v) == row["world"][key] for v in own[key].tolist()]]
    if "world" in table.columns and not keys:
        keys, own = ("world",), own[own["world"] == canonical_json(row["world"])]
    if "measure" in own.columns:
        own = own[own["measure"] == row["measure"]]
    return Source(name, path, found, tuple(meta["columns"]), len(table), keys, len(own), _value_column(own, row))


def _value_column(rows: pd.DataFrame, row: Mapping[str, Any]) -> str:
    if len(rows) != 1 or row["value"] is None:
        return ""
    tidy = ["value"] if "measure" in rows.columns else []
    for column in (row["measure"], *tidy):
        if column in rows.columns and plain(rows.iloc[0][column]) == row["value"]:
            return str(column)
    return ""


def _judged(facts: Facts, row: Row) -> list[Judged]:
    out = []
    for claim, line in facts.verdicts.items():
        for judged in line["rules"]:
            here = next((w for w in judged["worlds"] if row["id"] in w["results"]), None)
            rule = facts.rules(claim).get(judged["experiment"])
            if here is None or rule is None or claim not in facts.register.claims:
                continue
            conditions = [
                {"for": side, "bound": c.bound, "op": c.op, "threshold": c.threshold,
                 "holds": c.holds({row["measure"]: row})}
                for side in ("support", "refute")
                for raw in next(iter((rule[side] or {"all": []}).values()))
                if (c := Condition.parse(raw, where=claim)).measure == row["measure"]
            ]  # fmt: skip
            experiment = judged["experiment"]
            where = _both(lambda v, r=rule: worlds_words(r, v) or "-")
            out.append(
                Judged(
                    claim=claim,
                    gloss=facts.claim(claim).gloss,
                    verdict=line["verdict"],
                    here=here["verdict"],
                    experiment_verdict=judged["verdict"],
                    flips=bool(line["flips"]),
                    worlds=None if where.en == "-" else where,
                    support=_both(lambda v, e=experiment, r=rule: criterion_words(facts, v, e, r["support"])),
                    refute=_both(lambda v, e=experiment, r=rule: criterion_words(facts, v, e, r["refute"])),
                    why=Text(**rule["why"]),
                    conditions=tuple(conditions),
                    with_results=tuple(i for i in here["results"] if i != row["id"]),
                )
            )
    return out


def _both(say: Any) -> Text:
    return Text(fr=say(Voice("fr")), en=say(Voice("en")))


def _pair(text: Text | None) -> dict[str, str] | None:
    return None if text is None else {"fr": text.fr, "en": text.en}
