"""The audit, step by step. The command line and the Airflow DAG call these same functions, in this order.

Each step reads and writes the folder of the run being built, may be repeated, and knows nothing of who called it:
``begin → generate → ingest → backtest → experiments → decide → report → seal``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contrechamp.audit import evidence
from contrechamp.audit.claims import load_register
from contrechamp.audit.plan import claims_rules, current_plan, deviations, frozen
from contrechamp.audit.rules import VERDICTS, judge
from contrechamp.domain.errors import CapabilityError, ContractError, ParameterError
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.provenance import digest, plain, table_digest
from contrechamp.domain.results import Measure, Outcome
from contrechamp.domain.text import LANGS, Lang
from contrechamp.experiments.base import Profile, load
from contrechamp.store import runs
from contrechamp.store.files import write_text

SCHEMA: Final = "contrechamp/results/1"
PLATFORM: Final = "platform"


def begin(
    out: Path,
    *,
    run_id: str,
    started_at: str,
    profile: Profile = "quick",
    seed: int | None = None,
    claims: Sequence[str] = (),
    scenario: Path | str | None = None,
    overrides: Mapping[str, str] | None = None,
    plan: Path | None = None,
    allow_deviation: bool = False,
    if_taken: runs.IfTaken = "replace",
) -> Path:
    """Open a run: resolve the scenario, compare the plan with the frozen one, write the request.

    Parameters
    ----------
    out : Path
        Folder that holds the runs.
    run_id : str
        Name of the run's folder.
    started_at : str
        ISO instant, given by the caller: nothing below reads the clock.
    seed : int, optional
        Defaults to the seed of the plan.
    scenario : Path or str, optional
        File or name of a preset; the default city when not given.
    claims : sequence of str
        Limit the audit to these claims and the experiments they need. Empty: all of them.
    allow_deviation : bool, default=False
        Run although the plan differs from the frozen one; the report then shows every difference. Another seed or
        scenario needs no permission, and is shown too.
    if_taken : {"replace", "rename"}, default="replace"
        What to do about an unfinished run of that name: build it afresh (a step done again), or leave it alone, since
        somebody may be building it, and take the next free name.

    Returns
    -------
    Path
        The folder of the run being built.

    Raises
    ------
    ParameterError
        If a claim is unknown, the scenario is invalid, or the plan changed and `allow_deviation` is False.
    """
    from synthetic_data.scenario import Scenario, read_overrides

    register = load_register()
    chosen = register.select(tuple(claims)) if claims else tuple(register.claims)
    city = Scenario.load(scenario).with_overrides(read_overrides(overrides or {}))
    reference = frozen(plan)
    actual = current_plan()
    moved = deviations(reference["plan"], actual)
    if moved and not allow_deviation:
        shown = "; ".join(f"{m['path']}: frozen {m['frozen']!r}, now {m['now']!r}" for m in moved[:3])
        raise ParameterError(
            f"The plan changed since it was frozen on {reference['frozen_at']} ({len(moved)} difference(s): {shown}). "
            "Freeze the new plan with `contrechamp claims freeze`, or run with --allow-deviation: the report will "
            "print every difference."
        )
    used_seed = actual["seed"] if seed is None else seed
    declared = [
        ("/seed", actual["seed"], used_seed),
        ("/scenario", actual["constants"]["scenario_sha256"], city.digest),
    ]
    shown_deviations = moved + [{"path": path, "frozen": was, "now": now} for path, was, now in declared if was != now]
    wanted = {e for c in chosen for e in register.claims[c].experiments}
    experiments = [e for e in actual["experiments"] if not claims or e in wanted]
    request = {
        "profile": profile,
        "seed": used_seed,
        "claims": list(chosen),
        "experiments": experiments,
        "platform": not claims or "E01" in experiments,
        "parameters": {e: actual["experiments"][e][profile] for e in experiments},
        "scenario_sha256": city.digest,
    }
    work = runs.begin(out, run_id=run_id, if_taken=if_taken)
    write_text(work / "scenario.resolved.toml", city.to_toml())
    runs.write_json(
        work / "plan.json",
        {**reference, "plan": actual, "sha256": digest(actual), "frozen_sha256": reference["sha256"],
         "deviations": shown_deviations},
    )  # fmt: skip
    runs.write_json(work / "request.json", request)
    runs.write_json(work / "started.json", {"started_at": started_at, "run_id": work.name.removesuffix(runs.PARTIAL)})
    return work


def reopen(work: Path, *, request: Mapping[str, Any], plan: Mapping[str, Any], scenario_toml: str) -> None:
    """Lay down the request, plan and scenario of an existing run, to compute it again elsewhere."""
    write_text(work / "scenario.resolved.toml", scenario_toml)
    runs.write_json(work / "plan.json", plan)
    runs.write_json(work / "request.json", request)


def generate(work: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Draw the city and its streams (skipped when the request does not need the platform)."""
    request = _request(work)
    if not request["platform"]:
        return {"skipped": True}
    from contrechamp.pipelines.generate import AUDITED
    from contrechamp.pipelines.generate import generate as pipeline
    from synthetic_data.scenario import Scenario

    city = Scenario.load(work / "scenario.resolved.toml")
    made = pipeline(city, seed=request["seed"], work=work, streams=AUDITED, progress=progress)
    summary = plain(dataclasses.asdict(made))
    runs.write_json(work / "parts" / "generate.json", summary)
    return dict(summary)


def pseudonym_key(seed: int) -> bytes:
    """Key for the synthetic persons of a run: derived from its seed, so that a replay gives the same pseudonyms.

    Never use it for real persons: `contrechamp ingest` takes its key from the environment.
    """
    return hashlib.sha256(f"contrechamp synthetic pseudonyms {seed}".encode()).digest()


def ingest(work: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Bring the raw streams into the run's lake."""
    request = _request(work)
    if not request["platform"]:
        return {"skipped": True}
    from contrechamp.pipelines.ingest import ingest as pipeline

    if (work / "lake").exists():  # a step done again: its counts are those of a first time, not of a second
        shutil.rmtree(work / "lake")
    report = pipeline(work / "landing", lake=work / "lake", key=pseudonym_key(request["seed"]), progress=progress)
    summary = plain(report.to_dict())
    runs.write_json(work / "parts" / "ingest.json", summary)
    return dict(summary)


def backtest(
    work: Path, *, jobs: int = 1, tracking_uri: str | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Backtest the predictors on the lake, score them on records and on latent truth, log to MLflow if asked."""
    request = _request(work)
    if not request["platform"]:
        return {"skipped": True}
    from contrechamp.pipelines.backtest import run_backtest

    outcome = run_backtest(work, seed=request["seed"], jobs=jobs, progress=progress)
    stored = _store(work, PLATFORM, outcome)
    if tracking_uri:
        from contrechamp.pipelines.tracking import log_backtest

        try:
            log_backtest(
                outcome,
                run_name=work.name.removesuffix(runs.PARTIAL),
                params={"profile": request["profile"], "seed": request["seed"]},
                tracking_uri=tracking_uri,
            )
        except CapabilityError as unreachable:  # the notebook is missing, the evidence is not: go on, and say so
            stored["tracking"] = str(unreachable)
    return stored


def experiment(work: Path, key: str, *, jobs: int = 1, progress: Progress = silent) -> dict[str, Any]:
    """Run one experiment with the parameters of the request."""
    request = _request(work)
    module = load(key)
    params = module.Params(**{k: _tuple(v) for k, v in request["parameters"][key].items()})
    return _store(work, key, module.run(params, seed=request["seed"], jobs=jobs, progress=progress))


def experiments(work: Path, *, jobs: int = 1, progress: Progress = silent) -> dict[str, Any]:
    """Run every experiment of the request."""
    return {key: experiment(work, key, jobs=jobs, progress=progress) for key in _request(work)["experiments"]}


def decide(work: Path) -> dict[str, Any]:
    """Number the results, judge the claims, write ``results.json`` and return it."""
    request, plan = _request(work), runs.read_json(work / "plan.json")
    register = load_register()
    sources = ([PLATFORM] if request["platform"] else []) + list(request["experiments"])
    parts = {key: runs.read_json(work / "parts" / f"{key}.json") for key in sources}
    tables = {name: meta for part in parts.values() for name, meta in part["tables"].items()}
    results: list[dict[str, Any]] = []
    for key in sources:
        units = {m.key: m.unit for m in measures_of(key)}
        for raw in sorted(parts[key]["results"], key=lambda r: (r["measure"], _natural(r["world"]))):
            source = tables.get(raw["table"], {}).get("sha256", "")
            numbered = {"id": f"R-{len(results) + 1:04d}", **raw, "unit": units[raw["measure"]], "data_sha256": source}
            results.append(numbered)
    ran = frozenset(request["experiments"])
    lines = []
    for claim in request["claims"]:
        rules, quiet = claims_rules(plan["plan"], claim)
        lines.append(judge(register.claims[claim], rules=rules, silent_on=quiet, results=results, ran=ran))
    body = {
        "schema": SCHEMA,
        "request": request,
        "plan": {"sha256": plan["sha256"], "frozen_sha256": plan["frozen_sha256"], "deviations": plan["deviations"]},
        "platform": {
            name: _counts(runs.read_json(work / "parts" / f"{name}.json"))
            for name in ("generate", "ingest")
            if (work / "parts" / f"{name}.json").is_file()
        },
        "tables": tables,
        "results": results,
        "verdicts": lines,
    }
    final: dict[str, Any] = dict(plain(body))
    final["digest"] = digest(final)
    runs.write_json(work / "results.json", final)
    return final


def report(work: Path, *, langs: Sequence[Lang] = LANGS, progress: Progress = silent) -> list[Path]:
    """Draw the figures and write the report (HTML and PDF) in the languages asked for."""
    from contrechamp.audit.report import write_report

    return write_report(work, langs=tuple(langs), progress=progress)


def seal(work: Path, *, environment: Mapping[str, Any], key_file: Path | None = None) -> Path:
    """Describe, hash and sign the run, then give it its final name.

    Parameters
    ----------
    environment : mapping
        Versions, commit, dirty flag: what the face knows of the machine (see :mod:`contrechamp.audit.environment`).
    key_file : Path, optional
        Signing key; made on first use in the user's configuration folder when not given.
    """
    final = work.with_name(work.name.removesuffix(runs.PARTIAL))
    if not work.exists() and (final / evidence.MANIFEST).is_file():
        return final  # sealed already: the task was done again after its last word
    body = runs.read_json(work / "results.json")
    record = work / "started.json" if (work / "started.json").is_file() else work / "run.json"  # sealing done again
    started = {k: v for k, v in runs.read_json(record).items() if k in ("started_at", "run_id")}
    runs.write_json(
        work / "run.json",
        {**started, "request": body["request"], "results_digest": body["digest"], "environment": dict(environment),
         "inputs": _inputs(work)},
    )  # fmt: skip
    for leftover in ("request.json", "started.json"):
        (work / leftover).unlink(missing_ok=True)
    shutil.rmtree(work / "parts", ignore_errors=True)
    evidence.seal(work, key_file=key_file)
    return runs.finish(work)


def measures_of(key: str) -> tuple[Measure, ...]:
    """Measures of an experiment, or of the platform's backtest."""
    if key == PLATFORM:
        from contrechamp.pipelines import backtest as platform

        return platform.MEASURES
    return load(key).MEASURES


def _request(work: Path) -> dict[str, Any]:
    try:
        return dict(runs.read_json(work / "request.json"))
    except ContractError as cause:
        raise ContractError(
            f"{work} is not a run being built: it has no request.json. Start one with begin()."
        ) from cause


def _store(work: Path, key: str, outcome: Outcome) -> dict[str, Any]:
    known = {m.key for m in measures_of(key)}
    stray = sorted({r.measure for r in outcome.results} - known)
    if stray:
        raise ContractError(f"{key} returned measures it does not declare: {stray}.")
    runs.write_tables(work, outcome.tables)
    tables = {
        name: {"rows": len(table), "columns": [str(c) for c in table.columns], "sha256": table_digest(table)}
        for name, table in sorted(outcome.tables.items())
    }
    part = plain({"results": [r.to_dict() for r in outcome.results], "tables": tables})
    runs.write_json(work / "parts" / f"{key}.json", part)
    return {"results": len(outcome.results), "tables": tables}


def _counts(part: Mapping[str, Any]) -> dict[str, Any]:
    """What a step counted, without hashes of files: another compression library gives other bytes, not other numbers.

    The hashes are in ``run.json`` and in the manifest.
    """
    out = {k: v for k, v in part.items() if k not in ("files", "versions")}
    if isinstance(part.get("files"), list):
        out["files"] = [{k: v for k, v in file.items() if k != "sha256"} for file in part["files"]]
    return out


def _inputs(work: Path) -> dict[str, str]:
    """SHA-256 of the files the simulator wrote, by path."""
    path = work / "parts" / "generate.json"
    return dict(runs.read_json(path).get("files", {})) if path.is_file() else {}


def _natural(world: Mapping[str, Any]) -> list[tuple[str, int, float, str]]:
    """Sort key of a world: numbers by value, words by letter."""
    return [
        (k, 0, float(v), "") if isinstance(v, int | float) else (k, 1, 0.0, str(v)) for k, v in sorted(world.items())
    ]


def _tuple(value: Any) -> Any:
    """JSON has no tuples; parameters do."""
    return tuple(_tuple(v) for v in value) if isinstance(value, list) else value


def load_results(run: Path) -> dict[str, Any]:
    """Read ``results.json`` of a run.

    Raises
    ------
    ContractError
        If it is missing or has neither results nor verdicts where they are looked for.
    """
    body = runs.read_json(run / "results.json")
    lists = [body.get("results"), body.get("verdicts")] if isinstance(body, dict) else []
    whole = bool(lists) and all(isinstance(x, list) and all(isinstance(i, dict) for i in x) for x in lists)
    if not whole or not all(isinstance(v.get("claim"), str) and v.get("verdict") in VERDICTS for v in body["verdicts"]):
        raise ContractError(
            f"{run / 'results.json'} does not have the shape of a run's results. The folder may be damaged: check it "
            "with `contrechamp verify`."
        )
    return dict(body)
