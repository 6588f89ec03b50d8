"""Nothing forgotten, nothing twice: every claim answered once, every experiment, measure, figure and section in use.

Three looks, at three moments. The register and the code, before anything runs: is each experiment described, named by a
claim, built under its own key? A run, once judged: does each claim say of each experiment it names that it judged,
stayed silent for a reason, or is awaited, and was each measure that was promised taken? A report, once assembled: does
each claim have one line, each decided one its card, each experiment its section, each drawing its place? The last look
is part of the build: a report with a hole in it is not written.

What it cannot tell you: whether the register holds every claim that was ever made. It holds those that were found.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

from contrechamp.audit.claims import Register, load_register
from contrechamp.audit.plan import check_plan
from contrechamp.audit.reporting.blocks import Block, Card, Document, Figure, Heading, Plate, Table, spans_of, walk
from contrechamp.audit.reporting.experiments import PLATES
from contrechamp.audit.reporting.facts import PLATFORM, Facts
from contrechamp.audit.rules import VERDICTS
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.experiments import EXPERIMENTS
from contrechamp.experiments.base import load

_DECIDED: Final = ("supported", "refuted", "inconclusive")
_MODULE: Final = re.compile(r"(e\d\d)_\w+\.py")
#: Measures taken at a user's request only: `hotspot backtest --against`.
_ON_REQUEST: Final = frozenset({(PLATFORM, "pair_gain_pai")})
_IDS: Final = re.compile(r"R-\d+")
_SHOWN: Final = 12


def register_faults(plan: Mapping[str, Any]) -> list[str]:
    """Orphans of the register, the rules and the code; one line each, empty when there are none.

    Parameters
    ----------
    plan : mapping
        As :func:`contrechamp.audit.plan.current_plan` gives it.
    """
    register = load_register()
    lines = _claims(register)
    try:
        check_plan(plan)
    except ParameterError as cause:
        lines.append(str(cause))
    for key in register.experiments:
        if not register.claims_of(key):
            lines.append(f"{key}: described, and no claim names it")
    for key in EXPERIMENTS:
        if key not in register.experiments:
            lines.append(f"{key}: built, and the register does not describe it")
        module = load(key)
        if key != module.ID:
            lines.append(f"{key}: its module says that it is {module.ID}")
        lines += [f"{key}: measure {m} declared twice" for m, n in _counts(m.key for m in module.MEASURES) if n > 1]
    return lines + _strays()


def _claims(register: Register) -> list[str]:
    return [
        f"{claim.id}: names {experiment} {n} times"
        for claim in register.claims.values()
        for experiment, n in _counts(claim.experiments)
        if n > 1
    ]


def _strays() -> list[str]:
    """Code that nothing leads to: experiments not listed, drawings and sections of experiments that are not built."""
    from contrechamp.audit import figures

    lines = []
    built = {path.split(".")[-1] for path in EXPERIMENTS.values()}
    for name in _modules("contrechamp.experiments", _MODULE):
        module = import_module(f"contrechamp.experiments.{name}")
        if name not in built and all(hasattr(module, part) for part in ("ID", "Params", "MEASURES", "run")):
            lines.append(f"contrechamp.experiments.{name}: an experiment that the list of experiments does not hold")
    listed = [key for keys in PLATES.values() for key in keys]
    for experiment, keys in PLATES.items():
        if experiment not in EXPERIMENTS:
            lines.append(f"{experiment}: has figures, and is not built")
        lines += [f"{key}: a figure of {experiment} that nobody draws" for key in keys if key not in figures.FIGURES]
    lines += [f"{key}: named twice among the figures of experiments" for key, n in _counts(listed) if n > 1]
    own = [key for key in figures.FIGURES if re.match(r"E\d\d_", key)]
    lines += [f"{key}: drawn, and in the section of no experiment" for key in own if key not in listed]
    drawn = set(figures.FIGURES.values())
    for name in _modules("contrechamp.audit.figures", re.compile(r"(e\d\d)\.py")):
        module = import_module(f"contrechamp.audit.figures.{name}")
        found = [n for n, f in vars(module).items() if n.startswith("draw_") and inspect.getmodule(f) is module]
        lines += [f"{name}:{n}: draws a figure that is not listed" for n in found if f"{name}:{n}" not in drawn]
    for name in _modules("contrechamp.audit.reporting.sections", re.compile(r"(e\d\d)\.py")):
        if name.upper() not in EXPERIMENTS:
            lines.append(f"sections.{name}: the section of an experiment that is not built")
    return lines


def _modules(package: str, pattern: re.Pattern[str]) -> list[str]:
    names = sorted(entry.name for entry in files(package).iterdir())
    return [name.removesuffix(".py") for name in names if pattern.fullmatch(name)]


def run_faults(facts: Facts) -> list[str]:
    """What a judged run leaves unsaid: claims without a line, experiments named and not accounted for."""
    lines = [
        f"{claim}: {n} lines of verdict" for claim, n in _counts(v["claim"] for v in facts.body["verdicts"]) if n > 1
    ]
    lines += [f"{c}: asked for, and has no verdict" for c in facts.request["claims"] if c not in facts.verdicts]
    for claim_id, line in facts.verdicts.items():
        claim = facts.register.claims.get(claim_id)
        if claim is None:
            lines.append(f"{claim_id}: judged, and not in the register")
            continue
        if line["verdict"] not in VERDICTS:
            lines.append(f"{claim_id}: has no known verdict ({line['verdict']})")
        told = {r["experiment"] for r in line["rules"]} | set(line["pending"]) | set(facts.silent(claim_id))
        if claim.testability != "none":
            lines += [f"{claim_id}: names {e}, which neither judged, nor stays silent, nor is awaited"
                      for e in claim.experiments if e not in told]  # fmt: skip
        lines += [f"{claim_id}: awaits {e}, which ran" for e in line["pending"] if e in facts.experiments]
    return lines


def unproduced(facts: Facts) -> list[tuple[str, str]]:
    """Measures that an experiment of this run (or the platform) declares and did not take: (experiment, measure)."""
    made = {(r["experiment"], r["measure"]) for r in facts.results}
    ran = [*([PLATFORM] if facts.request["platform"] else []), *facts.experiments]
    return [(key, m) for key in ran for m in facts.measures(key) if (key, m) not in made | _ON_REQUEST]


def report_faults(facts: Facts, document: Document, plates: Mapping[str, Plate]) -> list[str]:
    """What an assembled report lacks or says twice, on the page or on paper."""
    lines: list[str] = []
    for output in ("html", "pdf"):
        blocks = walk(document.blocks, output=output)
        lines += [f"{fault} ({output})" for fault in _claims_in(facts, blocks)]
        anchors = [b.anchor for b in blocks if isinstance(b, Heading)]
        lines += [f"section #{a}: {n} times ({output})" for a, n in _counts(anchors) if n > 1]
        wanted = {f"exp-{key}" for key in facts.experiments}
        found = {a for a in anchors if a.startswith("exp-")}
        lines += [f"section #{a}: missing ({output})" for a in sorted(wanted - found)]
        lines += [f"section #{a}: of an experiment that did not run ({output})" for a in sorted(found - wanted)]
    placed = Counter(b.name for b in walk(document.blocks) if isinstance(b, Figure))
    drawn = {plate.name for plate in plates.values()}
    lines += [f"figure {name}: drawn, and placed nowhere" for name in sorted(drawn - set(placed))]
    lines += [f"figure {name}: placed, and not drawn" for name in sorted(set(placed) - drawn)]
    lines += [f"figure {name}: placed {n} times" for name, n in sorted(placed.items()) if n > 1]
    known = {str(r["id"]) for r in facts.results}
    cited = {i for b in walk(document.blocks) for s in spans_of(b) if s.kind == "ref" for i in _IDS.findall(s.text)}
    lines += [f"result {i}: cited, and does not exist" for i in sorted(cited - known)]
    return lines


def _claims_in(facts: Facts, blocks: Iterable[Block]) -> list[str]:
    """Each claim has one row in the annex of claims, with its reason, and a card if it was decided."""
    lines: list[str] = []
    rows: Counter[str] = Counter()
    cards: Counter[str] = Counter()
    section = ""
    for block in blocks:
        if isinstance(block, Heading):
            section = block.anchor
        elif isinstance(block, Card):
            cards[block.anchor] += 1
        elif isinstance(block, Table) and section == "annex-claims":
            for row in block.rows:
                name = "".join(s.text for s in row[0]).strip()
                rows[name] += 1
                if not "".join(s.text for s in row[-1]).strip():
                    lines.append(f"claim {name}: neither decided, nor awaited, nor given a reason")
    for claim, line in facts.verdicts.items():
        if rows[claim] != 1:
            lines.append(f"claim {claim}: {rows[claim]} lines in the annex of claims")
        expected = int(line["verdict"] in _DECIDED)
        if cards[f"claim-{claim}"] != expected:
            lines.append(f"claim {claim}: {cards[f'claim-{claim}']} cards for a verdict « {line['verdict']} »")
    return lines + [f"claim {name}: in the annex, and not of this run" for name in rows if name not in facts.verdicts]


def require_complete(facts: Facts, document: Document, plates: Mapping[str, Plate]) -> None:
    """Refuse to write a report that forgets something or says it twice.

    Raises
    ------
    ContractError
        Naming the holes.
    """
    lines = [*run_faults(facts), *report_faults(facts, document, plates)]
    if lines:
        more = f" | and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        raise ContractError(
            f"The report of {facts.work} ({document.lang}) is not complete: {' | '.join(lines[:_SHOWN])}{more}. No "
            "report is written. Correct the register, the rules or the section that is named."
        )


def _counts(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items())
