"""Read a run that somebody else made, before any of it is computed again: its shape, its size, its contradictions.

A folder that is handed over may be damaged, forged, or written to harm whoever checks it. Nothing in it is run as
code; what it asks to be computed is held to the types and, within reason, to the sizes that this version knows; and
what it says of itself (hash of the plan, parameters, seed, deviations) must agree with what it holds.

What it cannot tell you: that a folder without contradiction is true. It may still have been chosen among many.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from contrechamp.audit.claims import load_register
from contrechamp.audit.plan import PROFILES, claims_rules, deviations, frozen
from contrechamp.audit.rules import Rule
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.provenance import canonical_json, digest, plain
from contrechamp.experiments import EXPERIMENTS
from contrechamp.experiments.base import load
from contrechamp.store import runs

#: Times what the default city or the largest profile asks that a replay agrees to compute.
LARGEST: Final = 30.0
_LARGEST_BYTES: Final = 64 << 20
#: Deviations that need no permission: they are declared in the request.
_DECLARED: Final = ("/seed", "/scenario")


@dataclass(frozen=True)
class Bundle:
    """What a replay starts from, checked.

    Attributes
    ----------
    results, request, plan, record : mapping
        ``results.json``, its request, ``plan.json`` and ``run.json``.
    scenario_toml : str
    """

    results: Mapping[str, Any]
    request: Mapping[str, Any]
    plan: Mapping[str, Any]
    record: Mapping[str, Any]
    scenario_toml: str


def read_bundle(run: Path) -> Bundle:
    """Read the parts of a run that a replay needs.

    Raises
    ------
    ContractError
        If one is missing, does not have the shape of such a part, or asks for far more than this version ever does.
    """
    results, plan, record = (_object(run, name) for name in ("results.json", "plan.json", "run.json"))
    path = run / "scenario.resolved.toml"
    try:
        text = path.read_text(encoding="utf-8") if _small(path) else ""
        tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as cause:
        raise ContractError(f"{path} cannot be read as a scenario: {cause}. The folder may be damaged.") from cause
    try:
        _check_results(results)
        request = _check_request(results["request"])
        _check_plan(plan, request)
        _check_sizes(request, text)
        if not all(isinstance(record[k], str) for k in ("run_id", "started_at")):
            raise _ShapeError("run.json needs run_id and started_at")
    except ParameterError as cause:
        raise ContractError(f"{run} cannot be replayed: {cause}") from cause
    except (_ShapeError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as cause:
        what = f"missing {cause}" if isinstance(cause, KeyError) else str(cause)
        raise ContractError(
            f"{run} cannot be replayed: it does not have the shape of a run of this version ({what}). Replay it with "
            "the version named in its run.json."
        ) from cause
    return Bundle(results, request, plan, record, text)


def contradictions(bundle: Bundle) -> list[str]:
    """Where a run says of itself what it does not hold: one line each."""
    from synthetic_data.scenario import Scenario

    plan, request, lines = bundle.plan, bundle.request, []
    body = {k: v for k, v in bundle.results.items() if k != "digest"}
    if digest(body) != bundle.results.get("digest"):
        lines.append("results.json: does not match its own digest")
    if digest(plan["plan"]) != plan["sha256"]:
        lines.append("plan.json: does not match its own hash (rules or parameters were edited)")
    for key in request["experiments"]:
        if canonical_json(request["parameters"][key]) != canonical_json(
            plan["plan"]["experiments"].get(key, {}).get(request["profile"])
        ):
            lines.append(f"request: the parameters of {key} are not those of the plan")
    city = Scenario.from_dict(tomllib.loads(bundle.scenario_toml), where="scenario.resolved.toml").digest
    if city != request["scenario_sha256"]:
        lines.append("scenario.resolved.toml: is not the scenario of the request")
    listed = {d["path"]: (d["frozen"], d["now"]) for d in plan["deviations"]}
    declared = (
        ("/seed", plan["plan"]["seed"], request["seed"]),
        ("/scenario", plan["plan"]["constants"]["scenario_sha256"], request["scenario_sha256"]),
    )
    for path, was, now in declared:
        if listed.get(path) != (None if was == now else (was, now)):
            lines.append(f"plan.json: the deviation {path} is not listed as it is")
    moved = {path: pair for path, pair in listed.items() if path not in _DECLARED}
    if bool(moved) != (plan["sha256"] != plan["frozen_sha256"]):
        lines.append("plan.json: its deviations do not agree with the hash of the frozen plan")
    elif (ours := _frozen_here(plan["frozen_sha256"])) is not None:
        true = {d["path"]: (d["frozen"], d["now"]) for d in plain(deviations(ours, plan["plan"]))}
        if true != moved:
            lines.append("plan.json: its list of deviations is not the true one")
    return lines


def held_against_shipped_plan(bundle: Bundle) -> bool:
    """Whether the run was held against the plan that comes with this version, and not against another one."""
    return _frozen_here(bundle.plan["frozen_sha256"]) is not None


def _frozen_here(sha256: str) -> Mapping[str, Any] | None:
    """The plan shipped with this version, when it is the one that the run was held against."""
    try:
        ours = frozen()
    except ParameterError:
        return None
    return dict(ours["plan"]) if ours["sha256"] == sha256 else None


class _ShapeError(Exception):
    """A part is not made as such a part is."""


def _bad(what: str) -> NoReturn:
    raise _ShapeError(what)


def _small(path: Path) -> bool:
    if path.stat().st_size > _LARGEST_BYTES:
        raise ContractError(f"{path} is larger than {_LARGEST_BYTES >> 20} MB: no run of this project writes that.")
    return True


def _object(run: Path, name: str) -> dict[str, Any]:
    path = run / name
    if path.is_file():
        _small(path)
    found = runs.read_json(path)
    if not isinstance(found, dict):
        raise ContractError(f"{path} must hold a JSON object. Got a {type(found).__name__}. The folder may be damaged.")
    return found


def _check_results(body: Mapping[str, Any]) -> None:
    for r in body["results"]:
        if not (isinstance(r["id"], str) and isinstance(r["experiment"], str) and isinstance(r["measure"], str)):
            _bad("a result needs id, experiment and measure")
        if not isinstance(r["world"], dict):
            _bad(f"the world of {r['id']} is no object")
    for line in body["verdicts"]:
        if not isinstance(line["claim"], str) or not isinstance(line["verdict"], str):
            _bad("a verdict needs claim and verdict")
    for part in ("tables", "platform", "plan"):
        if not isinstance(body[part], dict):
            _bad(f"{part} is no object")
    canonical_json(body)


def _check_request(request: Any) -> dict[str, Any]:
    claims, experiments = list(request["claims"]), list(request["experiments"])
    unknown = [str(c) for c in claims if c not in load_register().claims]
    unknown += [str(e) for e in experiments if e not in EXPERIMENTS]
    if unknown:
        _bad(f"the register has no {', '.join(unknown[:5])}")
    seed = request["seed"]
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 1 << 64:
        _bad("the seed is no whole number of at least 0")
    if request["profile"] not in PROFILES or not isinstance(request["platform"], bool):
        _bad("profile or platform")
    if set(request["parameters"]) != set(experiments) or len(set(experiments)) != len(experiments):
        _bad("parameters are not those of the experiments")
    shipped = _shipped_parameters()
    for key in experiments:
        given = canonical_json(request["parameters"][key])
        if given not in shipped.get(key, ()):  # the shipped ones are of the right types and sizes
            _check_parameters(key, request["parameters"][key])
    return dict(request)


def _shipped_parameters() -> dict[str, list[str]]:
    """Parameters of each experiment and profile in the shipped plan: read without loading the experiments."""
    try:
        plan = frozen()["plan"]["experiments"]
    except ParameterError:
        return {}
    return {key: [canonical_json(profile) for profile in profiles.values()] for key, profiles in plan.items()}


def _check_parameters(key: str, given: Mapping[str, Any]) -> None:
    """Each parameter has the type of ours, and numbers no further than :data:`LARGEST` times the largest of ours."""
    profiles = [dataclasses.asdict(getattr(load(key).Params, p)()) for p in PROFILES]
    if set(given) != set(profiles[0]):
        _bad(f"the parameters of {key} are not {', '.join(sorted(profiles[0]))}")
    for name, value in given.items():
        ours = [leaf for profile in profiles for leaf in _leaves(profile[name])]
        theirs = list(_leaves(value))
        kinds = {_kind(leaf) for leaf in ours}
        if isinstance(value, list) != isinstance(profiles[0][name], tuple) or {_kind(v) for v in theirs} - kinds:
            _bad(f"the parameter {name} of {key} is of the wrong type")
        most = LARGEST * max((abs(v) for v in ours if _kind(v) == "number"), default=0)
        if len(theirs) > LARGEST * max(len(ours), 1) or any(abs(v) > most for v in theirs if _kind(v) == "number"):
            _bad(f"the parameter {name} of {key} asks for more than {LARGEST:g} times the largest profile")


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _check_plan(plan: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    if not all(isinstance(plan[k], str) for k in ("sha256", "frozen_sha256", "frozen_at")):
        _bad("plan.json needs sha256, frozen_sha256 and frozen_at")
    inner = plan["plan"]
    if not isinstance(inner["experiments"], dict) or not isinstance(inner["constants"]["scenario_sha256"], str):
        _bad("plan.json needs experiments and constants")
    if not all(isinstance(entry, dict) for entry in inner["experiments"].values()) or "seed" not in inner:
        _bad("plan.json needs the parameters of its experiments and a seed")
    for raw in inner["rules"]:
        Rule.parse(raw)
    for claim in request["claims"]:
        claims_rules(inner, claim)
    if not all(isinstance(s["claim"], str) and isinstance(s["experiment"], str) for s in inner["silent"]):
        _bad("a silence needs claim and experiment")
    for moved in plan["deviations"]:
        if not isinstance(moved["path"], str) or not {"frozen", "now"} <= set(moved):
            _bad("a deviation needs path, frozen and now")


def _check_sizes(request: Mapping[str, Any], scenario_toml: str) -> None:
    """Refuse a city that would keep this machine busy for days or fill its memory."""
    from synthetic_data.scenario import Scenario

    asked = Scenario.from_dict(tomllib.loads(scenario_toml), where="scenario.resolved.toml")
    if not request["platform"]:
        return
    for what, size, usual in zip(("events", "cells", "maps"), _sizes(asked), _sizes(Scenario.load()), strict=True):
        if size > LARGEST * usual:
            _bad(f"its city has more than {LARGEST:g} times the {what} of the default one")


def _sizes(city: Any) -> tuple[float, float, float]:
    days = city.time.n_days
    daily = city.incidents.latent_per_day + city.fines.infractions_per_day + city.fines.fines_per_day
    cells = city.city.area_km2 / (city.city.cell_m / 1000) ** 2
    places = cells * city.city.sites_per_cell
    return days * (daily + city.patrols.hours_per_day), max(places, cells), days * cells
