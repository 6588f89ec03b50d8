"""Two runs side by side: which verdicts and which numbers moved, and what, of all that was recorded, can explain it.

Results are matched by what they are (experiment, measure, world), never by id: ids are those of one run. A verdict
depends on two things only, the results and the rules; both are exchanged between the runs and judged again, which says
whether the rules alone, the numbers alone, either or both turned it. Why a number moved is read from what the runs
recorded of themselves: parameters, seed, scenario, data, code, versions. Where one of these differs, it is named; where
several do, they cannot be told apart without running again, and that is said; where none does, that is said too.

What it cannot tell you: which of two numbers is right, or what a difference that no run recorded (another machine, code
changed after the commit) did.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from contrechamp.audit.claims import Register, load_register
from contrechamp.audit.plan import claims_rules, deviations
from contrechamp.audit.rules import judge
from contrechamp.audit.sealed import Run, address
from contrechamp.domain.errors import ContrechampError
from contrechamp.domain.provenance import canonical_json, digest, plain

PLATFORM: Final = "platform"
Kind = Literal["beyond", "within", "bounds", "estimability"]
Turned = Literal["rules", "results", "either", "both", "unknown"]
Cause = Literal["seed", "parameters", "scenario", "data", "constants", "code", "versions"]
#: How often two independent estimates with 95 % normal intervals lie outside each other's: P(|Z| > 1.96 / √2).
BY_CHANCE: Final = 0.166
_NUMBERS: Final = ("value", "low", "high", "n", "level", "method", "unit")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the runs recorded and that is not the same: ``kind``, ``path``, and the two values."""

    kind: str
    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Moved:
    """A number that is not the same in both runs.

    Attributes
    ----------
    experiment, measure : str
    world : mapping
    before, after : mapping
        Id, value, bounds, n, level, method and unit in each run.
    kind : Kind
        ``beyond``: a value lies outside the other's interval; ``within``: each inside the other's; ``bounds``: same
        value, another interval, n, level or method; ``estimability``: a number on one side only.
    disjoint : bool
        Whether the two intervals have no point in common.
    causes : tuple of Cause
        What differs between the runs and can move this number; empty: nothing recorded can.
    """

    experiment: str
    measure: str
    world: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    kind: Kind
    disjoint: bool
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """A claim judged otherwise, as a whole or in some world.

    Attributes
    ----------
    claim : str
    before, after : str
        Verdicts; equal when only worlds changed sides.
    worlds : tuple of mapping
        ``experiment``, ``world``, ``before`` and ``after`` for each world whose verdict is not the same (None where
        the rule did not visit it).
    turned_by : Turned or None
        What it takes to go from one verdict to the other; None when the verdict did not change.
    rules : tuple of Difference
        What differs in the rules of the claim.
    causes : tuple of Cause
        What can have moved the numbers it reads, where numbers matter.
    """

    claim: str
    before: str
    after: str
    worlds: tuple[Mapping[str, Any], ...]
    turned_by: Turned | None
    rules: tuple[Difference, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Diff:
    """What moved between two runs.

    Attributes
    ----------
    before, after : Run
    differences : tuple of Difference
        Everything that was recorded and differs, verdicts and results apart.
    turns : tuple of Turn
    claims_only : tuple of (str, tuple of str)
        Claims judged in one run only, by side.
    moved : tuple of Moved
    appeared, vanished : tuple of mapping
        Results of one run only, with ``why`` where it shows: ``experiment``, ``parameters``, or empty.
    compared : int
        Results that both runs hold.
    judged : int
        Claims that both runs judge.
    unseen : tuple of str
        What the runs do not say of their code: ``commit`` unknown, or ``dirty``.
    """

    before: Run
    after: Run
    differences: tuple[Difference, ...]
    turns: tuple[Turn, ...]
    claims_only: tuple[tuple[str, tuple[str, ...]], ...]
    moved: tuple[Moved, ...]
    appeared: tuple[Mapping[str, Any], ...]
    vanished: tuple[Mapping[str, Any], ...]
    compared: int
    judged: int
    unseen: tuple[str, ...]

    @property
    def verdicts(self) -> tuple[Turn, ...]:
        """Turns of a whole verdict."""
        return tuple(t for t in self.turns if t.before != t.after)

    @property
    def still(self) -> bool:
        """Whether no verdict, world or number moved, appeared or vanished."""
        return not (self.turns or self.claims_only or self.moved or self.appeared or self.vanished)

    def to_dict(self) -> dict[str, Any]:
        """Plain form, for machines."""
        sides = {
            name: {"folder": str(run.folder), "id": run.name, "started_at": run.record.get("started_at"),
                   "digest": run.results["digest"], "seed": run.request["seed"], "profile": run.request["profile"],
                   "commit": run.environment.get("commit"), "dirty": run.environment.get("dirty"),
                   "plan_sha256": run.plan["sha256"], "sealed": run.sealed}
            for name, run in (("before", self.before), ("after", self.after))
        }  # fmt: skip
        kinds = {kind: sum(m.kind == kind for m in self.moved) for kind in ("beyond", "within", "bounds",
                                                                          "estimability")}  # fmt: skip
        found: dict[str, Any] = plain(
            {
                **sides,
                "still": self.still,
                "differences": [dataclasses.asdict(d) for d in self.differences],
                "unseen": self.unseen,
                "verdicts": [dataclasses.asdict(t) for t in self.turns],
                "claims_only": dict(self.claims_only),
                "counts": {"compared": self.compared, "judged": self.judged, "verdicts": len(self.verdicts),
                           "moved": len(self.moved), **kinds, "disjoint": sum(m.disjoint for m in self.moved),
                           "appeared": len(self.appeared), "vanished": len(self.vanished)},
                "moved": [dataclasses.asdict(m) for m in self.moved],
                "appeared": self.appeared,
                "vanished": self.vanished,
            }
        )  # fmt: skip
        return found


def compare(before: Run, after: Run) -> Diff:
    """Say what moved from one run to another, and why as far as it shows.

    Examples
    --------
    ``compare(read_run(Path("runs/a")), read_run(Path("runs/b"))).still`` is True for two equal runs.
    """
    register = load_register()
    differences = _differences(before, after)
    causes = _Causes(differences)
    sides = [{address(r): r for r in run.results["results"]} for run in (before, after)]
    both = [a for a in sides[0] if a in sides[1]]
    moved = tuple(m for a in both if (m := _moved(sides[0][a], sides[1][a], causes)) is not None)
    lines = [{v["claim"]: v for v in run.results["verdicts"]} for run in (before, after)]
    shared = [c for c in lines[0] if c in lines[1]]
    turns = []
    for claim in shared:
        worlds = _worlds(lines[0][claim], lines[1][claim])
        was, now = lines[0][claim]["verdict"], lines[1][claim]["verdict"]
        if worlds or was != now:
            turns.append(_turn(claim, was, now, worlds, before, after, moved, causes, differences, register))
    alone = [(side, tuple(c for c in mine if c not in other)) for side, mine, other in
             (("before", lines[0], lines[1]), ("after", lines[1], lines[0]))]  # fmt: skip
    return Diff(
        before=before,
        after=after,
        differences=tuple(differences),
        turns=tuple(turns),
        claims_only=tuple((side, claims) for side, claims in alone if claims),
        moved=moved,
        appeared=tuple(_only(sides[1], sides[0], before, causes)),
        vanished=tuple(_only(sides[0], sides[1], after, causes)),
        compared=len(both),
        judged=len(shared),
        unseen=_unseen(before, after),
    )


class _Causes:
    """Which recorded differences can move the results of an experiment."""

    def __init__(self, differences: Iterable[Difference]) -> None:
        self._all = list(differences)

    def of(self, experiment: str) -> tuple[Cause, ...]:
        found: dict[Cause, None] = {}
        for d in self._all:
            if d.kind in ("seed", "code", "versions"):
                found[d.kind] = None  # type: ignore[index]
            elif d.kind == "parameters" and d.path.split("/")[1] == experiment:
                found["parameters"] = None
            elif d.kind == "scenario" and experiment == PLATFORM:
                found["scenario"] = None
            elif d.kind == "constants" and _concerned(d.path) == experiment:
                found["constants"] = None
        if not found and experiment == PLATFORM and any(d.kind == "data" for d in self._all):
            found["data"] = None  # raw files are drawn from seed, scenario and code: a cause only where none differs
        return tuple(found)


def _concerned(path: str) -> str:
    """Experiment that a constant of the plan belongs to: the platform, unless its name says which."""
    name = path.split("/")[2]
    return name.split("_")[0] if name[:1] == "E" and name[1:3].isdigit() else PLATFORM


def _differences(before: Run, after: Run) -> list[Difference]:
    out: list[Difference] = []

    def note(kind: str, path: str, was: Any, now: Any) -> None:
        if canonical_json(was) != canonical_json(now):
            out.append(Difference(kind, path, was, now))

    for key in ("seed", "profile"):
        note(key, f"/{key}", before.request[key], after.request[key])
    note("scenario", "/scenario", before.request.get("scenario_sha256"), after.request.get("scenario_sha256"))
    note("scenario", "/platform", before.request["platform"], after.request["platform"])
    ran = [run.request["parameters"] for run in (before, after)]
    for key in dict.fromkeys((*ran[0], *ran[1])):
        if key in ran[0] and key in ran[1]:
            for name in dict.fromkeys((*ran[0][key], *ran[1][key])):
                note("parameters", f"/{key}/{name}", ran[0][key].get(name), ran[1][key].get(name))
        else:
            note("experiments", f"/{key}", key in ran[0], key in ran[1])
    for moved in deviations(before.plan["plan"], after.plan["plan"]):
        top = moved["path"].split("/")[1]
        if top in ("rules", "silent", "claims", "constants") and moved["path"] != "/constants/scenario_sha256":
            note("rules" if top != "constants" else top, moved["path"], moved["frozen"], moved["now"])
    note("data", "/inputs", *(digest(run.record.get("inputs") or {}) for run in (before, after)))
    a, b = before.environment, after.environment
    note("code", "/contrechamp", a.get("contrechamp"), b.get("contrechamp"))
    if a.get("commit") and b.get("commit"):
        note("code", "/commit", a["commit"], b["commit"])
    for key in ("python", "platform", "constraints_sha256"):
        note("versions", f"/{key}", a.get(key), b.get(key))
    packages = [dict(x.get("packages") or {}) for x in (a, b)]
    for name in sorted({*packages[0], *packages[1]}):
        note("versions", f"/packages/{name}", packages[0].get(name), packages[1].get(name))
    return out


def _unseen(before: Run, after: Run) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for run in (before, after):
        if not run.environment.get("commit"):
            found["commit"] = None
        if run.environment.get("dirty"):
            found["dirty"] = None
    return tuple(found)


def _moved(was: Mapping[str, Any], now: Mapping[str, Any], causes: _Causes) -> Moved | None:
    if all(was[k] == now[k] for k in _NUMBERS):
        return None
    kind: Kind
    disjoint = False
    if (was["value"] is None) != (now["value"] is None):
        kind = "estimability"
    elif was["value"] == now["value"]:
        kind = "bounds"
    else:
        inside = was["low"] <= now["value"] <= was["high"] and now["low"] <= was["value"] <= now["high"]
        kind = "within" if inside else "beyond"
        disjoint = was["low"] > now["high"] or now["low"] > was["high"]
    a, b = ({k: r[k] for k in ("id", *_NUMBERS)} for r in (was, now))
    experiment = was["experiment"]
    return Moved(experiment, was["measure"], was["world"], a, b, kind, disjoint, causes.of(experiment))


def _only(
    mine: Mapping[str, Mapping[str, Any]], other: Mapping[str, Any], there: Run, causes: _Causes
) -> list[dict[str, Any]]:
    """Results of one side only, and why where it shows."""
    out = []
    ran = {*there.request["experiments"], *([PLATFORM] if there.request["platform"] else [])}
    for where, r in mine.items():
        if where in other:
            continue
        why = "experiment" if r["experiment"] not in ran else ""
        if not why and (found := causes.of(r["experiment"])):
            why = "parameters" if "parameters" in found else found[0] if len(found) == 1 else ""
        out.append({**{k: r[k] for k in ("id", "experiment", "measure", "world", "value")}, "why": why})
    return out


def _worlds(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    sides: list[dict[tuple[str, str], Mapping[str, Any]]] = [
        {(rule["experiment"], canonical_json(w["world"])): w for rule in line["rules"] for w in rule["worlds"]}
        for line in (was, now)
    ]
    out = []
    for key in dict.fromkeys((*sides[0], *sides[1])):
        old, new = sides[0].get(key), sides[1].get(key)
        one = old if old is not None else new
        if one is not None and (old is None or new is None or old["verdict"] != new["verdict"]):
            out.append(
                {"experiment": key[0], "world": one["world"], "before": old and old["verdict"],
                 "after": new and new["verdict"]}
            )  # fmt: skip
    return tuple(out)


def _turn(
    claim: str,
    was: str,
    now: str,
    worlds: tuple[Mapping[str, Any], ...],
    before: Run,
    after: Run,
    moved: Sequence[Moved],
    causes: _Causes,
    differences: Sequence[Difference],
    register: Register,
) -> Turn:
    mine = tuple(
        d
        for d in differences
        if d.kind == "rules" and (part := d.path.split("/")[2]) and (part == claim or part.startswith(f"{claim}-"))
    )
    turned = _turned_by(claim, was, now, before, after, register) if was != now else None
    named = {w["experiment"] for w in worlds} | {
        rule["experiment"] for run in (before, after) for v in run.results["verdicts"] if v["claim"] == claim
        for rule in v["rules"]
    }  # fmt: skip
    experiments = [e for e in dict.fromkeys(m.experiment for m in moved) if e in named]
    why = () if turned == "rules" else tuple(dict.fromkeys(c for e in experiments for c in causes.of(e)))
    return Turn(claim, was, now, worlds, turned, mine, why)


def _turned_by(claim: str, was: str, now: str, before: Run, after: Run, register: Register) -> Turned:
    """Exchange rules and results between the runs, and judge again."""

    def verdict(numbers: Run, rules: Run) -> str | None:
        known = register.claims.get(claim)
        if known is None:
            return None
        plan = rules.plan["plan"]
        listed = (plan.get("claims") or {}).get(claim, {}).get("experiments")
        asked = known if listed is None else dataclasses.replace(known, experiments=tuple(listed))
        try:
            held, quiet = claims_rules(plan, claim)
            names = {rule.experiment for rule in held}
            results = [r for r in numbers.results["results"] if r["experiment"] in names]
            ran = frozenset(numbers.request["experiments"])
            return str(judge(asked, rules=held, silent_on=quiet, results=results, ran=ran)["verdict"])
        except (ContrechampError, KeyError, TypeError, ValueError, AttributeError):
            return None  # a rule that reads what the other run did not measure, or of another version

    if verdict(before, before) != was or verdict(after, after) != now:
        return "unknown"
    by_rules, by_results = verdict(before, after), verdict(after, before)
    if by_rules is None or by_results is None:
        return "unknown"
    if by_rules == now and by_results == now:
        return "either"
    if by_rules == now:
        return "rules"
    return "results" if by_results == now else "both"
