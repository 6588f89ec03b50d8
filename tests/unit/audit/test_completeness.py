"""Every claim answered once, no code that nothing leads to; and each kind of hole, made on purpose, is found."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contrechamp.audit import completeness, figures, plan
from contrechamp.audit.completeness import register_faults, report_faults, require_complete, run_faults, unproduced
from contrechamp.audit.report import write_report
from contrechamp.audit.reporting import claims as claim_pages
from contrechamp.audit.reporting.blocks import Block, Card, Document, Figure, Heading, Plate, Table, walk
from contrechamp.audit.reporting.content import build
from contrechamp.audit.reporting.facts import Facts
from contrechamp.domain.errors import ContractError
from contrechamp.domain.results import Measure
from contrechamp.domain.text import LANGS, Lang, Text
from contrechamp.experiments import EXPERIMENTS
from contrechamp.experiments.base import load


@pytest.fixture(scope="module")
def run(run_maker: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cheap experiments, and every claim of the register: most of them are pending here."""
    return run_maker(tmp_path_factory.mktemp("whole") / "run", experiments=["E24", "E28"], platform=False)


@pytest.fixture(scope="module")
def facts(run: Path) -> Facts:
    return Facts(run)


@pytest.fixture(scope="module")
def plates() -> dict[str, Plate]:
    return {key: Plate(f"{key}.svg", "alt", "caption", "limits") for key in ("E24_gaps", "E28_looks")}


@pytest.fixture(scope="module")
def document(facts: Facts, plates: dict[str, Plate]) -> Document:
    return build(facts, "fr", plates)


# --- nothing is missing today


def test_the_register_the_rules_and_the_code_have_no_orphan() -> None:
    assert register_faults(plan.current_plan()) == []


def test_every_claim_is_answered_once_in_both_languages(
    facts: Facts, plates: dict[str, Plate], document: Document
) -> None:
    assert run_faults(facts) == []
    documents: dict[Lang, Document] = {"fr": document, "en": build(facts, "en", plates)}
    for lang in LANGS:
        assert report_faults(facts, documents[lang], plates) == []
    # the same, counted without the code under test
    ids = [claim for claim in facts.register.claims]
    (annex,) = [b for b in walk(document.blocks) if isinstance(b, Table) and len(b.rows) == len(ids)]
    assert Counter(row[0][0].text for row in annex.rows) == Counter(ids)
    assert len(ids) == 123


def test_every_experiment_that_a_claim_names_is_built_awaited_or_silent(facts: Facts) -> None:
    for claim in facts.register.claims.values():
        line = facts.verdicts[claim.id]
        for experiment in claim.experiments if claim.testability != "none" else ():
            assert experiment in {*line["pending"], *facts.silent(claim.id), *(r["experiment"] for r in line["rules"])}
            if experiment not in EXPERIMENTS:
                assert experiment in line["pending"]


def test_every_measure_declared_is_taken(facts: Facts) -> None:
    assert unproduced(facts) == []


# --- each hole is found


def test_an_experiment_that_no_claim_names(monkeypatch: pytest.MonkeyPatch) -> None:
    register = completeness.load_register()
    card = dataclasses.replace(register.experiments["E01"], id="E29")
    more = dataclasses.replace(register, experiments={**register.experiments, "E29": card})
    monkeypatch.setattr(completeness, "load_register", lambda: more)
    assert register_faults(plan.current_plan()) == ["E29: described, and no claim names it"]


def test_an_experiment_that_the_register_does_not_describe(monkeypatch: pytest.MonkeyPatch) -> None:
    register = completeness.load_register()
    fewer = {k: v for k, v in register.experiments.items() if k != "E24"}
    monkeypatch.setattr(completeness, "load_register", lambda: dataclasses.replace(register, experiments=fewer))
    assert "E24: built, and the register does not describe it" in register_faults(plan.current_plan())


def test_a_rule_without_its_claim() -> None:
    wrong = plan.current_plan()
    wrong["rules"].append({**copy.deepcopy(wrong["rules"][0]), "claim": "Z99"})
    (fault,) = register_faults(wrong)
    assert "Z99" in fault


def test_an_experiment_left_out_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plan.current_plan()
    monkeypatch.setattr(completeness, "EXPERIMENTS", {k: v for k, v in EXPERIMENTS.items() if k != "E24"})
    found = register_faults(known)
    assert any(f.startswith("contrechamp.experiments.e24_costs:") for f in found)
    assert "E24: has figures, and is not built" in found
    assert "sections.e24: the section of an experiment that is not built" in found


def test_a_figure_that_nothing_places_and_one_that_nobody_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plan.current_plan()
    fewer = {k: v for k, v in figures.FIGURES.items() if k != "E28_looks"}
    monkeypatch.setattr(figures, "FIGURES", {**fewer, "E24_more": "e24:draw_gaps"})
    assert set(register_faults(known)) == {
        "E28_looks: a figure of E28 that nobody draws", "e28:draw_looks: draws a figure that is not listed",
        "E24_more: drawn, and in the section of no experiment",
    }  # fmt: skip


def test_a_measure_that_is_declared_and_never_taken(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    more = Measure("imagined", "share", Text(fr="imaginée", en="imagined"), Text(fr="rien", en="nothing"))
    monkeypatch.setattr(load("E24"), "MEASURES", (*load("E24").MEASURES, more))
    assert unproduced(facts) == [("E24", "imagined")]


def changed(facts: Facts, change: Callable[[dict[str, Any]], None]) -> Facts:
    """The same run with other verdicts."""
    other = Facts(facts.work)
    change(other.body)
    return other


def test_a_claim_without_a_line_and_one_with_two(facts: Facts) -> None:
    lines = facts.body["verdicts"]
    assert run_faults(changed(facts, lambda b: b["verdicts"].pop(0))) == [
        f"{lines[0]['claim']}: asked for, and has no verdict"
    ]
    twice = changed(facts, lambda b: b["verdicts"].append(b["verdicts"][-1]))
    assert run_faults(twice) == [f"{lines[-1]['claim']}: 2 lines of verdict"]


def test_an_experiment_that_is_named_and_forgotten(facts: Facts) -> None:
    def forget(body: dict[str, Any]) -> None:
        next(v for v in body["verdicts"] if v["claim"] == "C14")["pending"].clear()

    assert run_faults(changed(facts, forget)) == [
        "C14: names E17, which neither judged, nor stays silent, nor is awaited"
    ]


def without(blocks: tuple[Block, ...], dropped: Callable[[Block], bool]) -> tuple[Block, ...]:
    return tuple(b for b in blocks if not dropped(b))


def cut_row(block: Block) -> Block:
    """The annex of claims without its first line, and with its second one twice."""
    if isinstance(block, Table) and len(block.rows) == 123:
        return dataclasses.replace(block, rows=(block.rows[1], *block.rows[1:]))
    return block


def empty_reason(block: Block) -> Block:
    if isinstance(block, Table) and len(block.rows) == 123:
        return dataclasses.replace(block, rows=((*block.rows[0][:-1], ()), *block.rows[1:]))
    return block


def test_holes_in_the_document(facts: Facts, document: Document, plates: dict[str, Plate]) -> None:
    def of(blocks: Any, *, drawn: dict[str, Plate] | None = None) -> list[str]:
        made = dataclasses.replace(document, blocks=list(blocks))
        return report_faults(facts, made, plates if drawn is None else drawn)

    first, second = list(facts.verdicts)[:2]
    both = ("html", "pdf")
    assert of(map(cut_row, document.blocks)) == [
        f"claim {c}: {n} lines in the annex of claims ({o})" for o in both for c, n in ((first, 0), (second, 2))
    ]
    assert of(map(empty_reason, document.blocks)) == [
        f"claim {first}: neither decided, nor awaited, nor given a reason ({o})" for o in both
    ]
    card = next(b for b in document.blocks if isinstance(b, Card))
    named = card.anchor.removeprefix("claim-")
    assert all(f"claim {named}: 0 cards" in f for f in of(b for b in document.blocks if b is not card))
    assert of([*document.blocks, card])[0].startswith(f"claim {named}: 2 cards")
    head = next(b for b in document.blocks if isinstance(b, Heading) and b.anchor == "exp-E24")
    assert of(b for b in document.blocks if b is not head) == [f"section #exp-E24: missing ({o})" for o in both]
    stray = dataclasses.replace(head, anchor="exp-E01")
    assert of([*document.blocks, stray]) == [f"section #exp-E01: of an experiment that did not run ({o})" for o in both]
    drawing = next(b for b in document.blocks if isinstance(b, Figure))
    assert of(b for b in document.blocks if b is not drawing) == [f"figure {drawing.name}: drawn, and placed nowhere"]
    assert of([*document.blocks, drawing]) == [f"figure {drawing.name}: placed 2 times"]
    assert of(document.blocks, drawn={}) == [f"figure {p.name}: placed, and not drawn" for p in plates.values()]


def test_a_report_with_a_hole_is_not_written(
    run: Path, facts: Facts, document: Document, plates: dict[str, Plate], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_complete(facts, document, plates)
    monkeypatch.setattr(claim_pages, "cards", lambda facts, voice: [])
    with pytest.raises(ContractError, match=r"claim C13: 0 cards.*No report is written"):
        write_report(run, langs=("fr",))
    assert not list(run.glob("report.*"))
