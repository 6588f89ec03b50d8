"""A printed number followed back to its rows, its rule and its command; and what a trace refuses to speak of."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from contrechamp.audit import evidence
from contrechamp.audit.printed import places
from contrechamp.audit.report import write_report
from contrechamp.audit.reporting.facts import Facts
from contrechamp.audit.sealed import latest, read_run
from contrechamp.audit.trace import NUMBERS, command_for, recompute, result_id, trace
from contrechamp.cli.app import app
from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.provenance import digest, plain
from contrechamp.experiments import EXPERIMENTS
from contrechamp.experiments.base import load, parameters
from contrechamp.store import runs


@pytest.fixture(scope="module")
def run(run_maker: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cheap experiments, reported and sealed."""
    folder = tmp_path_factory.mktemp("traced") / "20261122T000000Z-quick"
    run_maker(folder, experiments=["E24", "E28"], platform=False, claims=("M05", "C13", "K06"), run_id=folder.name)
    write_report(folder, langs=("fr",))
    record = runs.read_json(folder / "started.json")
    environment = {"contrechamp": "0.1.0", "commit": "c" * 40, "dirty": False, "packages": {"numpy": "2"}}
    runs.write_json(folder / "run.json", {**record, "environment": environment})
    evidence.seal(folder, key_file=folder.parent / "keys" / "key.pem")
    return folder


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / run.name))


def edit(path: Path, change: Callable[[Any], None]) -> None:
    body = runs.read_json(path)
    change(body)
    runs.write_json(path, body)


def find(run: Path, measure: str, **world: Any) -> dict[str, Any]:
    """One result of a run, found without the code under test."""
    body = json.loads((run / "results.json").read_text(encoding="utf-8"))
    wanted = [r for r in body["results"] if r["measure"] == measure and world.items() <= r["world"].items()]
    assert wanted, measure
    return dict(wanted[0])


@given(st.integers(min_value=1, max_value=999_999))
def test_an_id_is_read_however_it_is_typed(number: int) -> None:
    printed = f"R-{number:04d}"
    assert {result_id(t) for t in (printed, printed.lower(), f"R{number}", f" R-{number} ")} == {printed}


@pytest.mark.parametrize("text", ["0142", "R-", "R-1e3", "R-0001–R-0003", "E17", "R--3"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        result_id(text)


def test_every_result_traces_to_the_very_numbers_of_results_json(run: Path) -> None:
    body = json.loads((run / "results.json").read_text(encoding="utf-8"))
    for raw in [body["results"][k] for k in (0, 7, 25, 40, -1)]:
        told = trace(run, raw["id"]).to_dict()
        assert {k: told["result"][k] for k in NUMBERS} == {k: raw[k] for k in NUMBERS}
        assert told["result"]["unit"] == raw["unit"], "the unit of the measure, not the one it is printed in"
        assert told["world"] == raw["world"]
        assert told["label"]["fr"]
        assert told["label"]["en"]
        assert told["denominator"]["fr"]
        assert (told["seed"], told["profile"]) == (7, "quick")
        assert told["code"]["commit"] == "c" * 40
        assert told["plan"]["frozen_at"] == "2026-11-01"


def test_the_rows_behind_a_number_are_those_of_its_world(run: Path) -> None:
    raw = find(run, "p_any_finding", K=13, safeguard="holm")
    source = trace(run, raw["id"]).source
    table = pd.read_parquet(run / source.file)
    assert source.rows == len(table)
    assert source.world_columns == ("K",)
    assert source.rows_of_world == int((table["K"] == 13).sum()) == raw["n"]
    assert source.value_column == "", "computed from the rows, none of which holds it"
    assert source.sha256 == raw["data_sha256"]
    # the number again, from the rows that the trace names
    assert table.loc[table["K"] == 13, "holm"].mean() == pytest.approx(raw["value"], abs=1e-10)


def test_a_number_that_stands_in_its_table_is_found_there(run: Path) -> None:
    raw = find(run, "relative_gap", claim="C13", against="works only")
    source = trace(run, raw["id"]).source
    assert (source.rows_of_world, source.value_column) == (1, "value")


def test_a_closed_form_names_no_table(run: Path) -> None:
    raw = find(run, "p_any_theory")
    source = trace(run, raw["id"]).source
    assert (source.table, source.columns, source.rows) == ("", (), 0)


def test_the_claims_that_a_number_judges(run: Path) -> None:
    raw = find(run, "relative_gap", claim="C13", against="works only")
    (judged,) = trace(run, raw["id"]).judged
    body = json.loads((run / "results.json").read_text(encoding="utf-8"))
    line = next(v for v in body["verdicts"] if v["claim"] == "C13")
    (here,) = [w for rule in line["rules"] for w in rule["worlds"] if raw["id"] in w["results"]]
    assert (judged.claim, judged.verdict, judged.here) == ("C13", line["verdict"], here["verdict"])
    rule = next(r for r in runs.read_json(run / "plan.json")["plan"]["rules"] if r["claim"] == "C13")
    frozen = [{"for": side, **{k: c[k] for k in ("bound", "op", "threshold")}}
              for side in ("support", "refute") for c in next(iter(rule[side].values()))]  # fmt: skip
    assert [{k: v for k, v in c.items() if k != "holds"} for c in judged.conditions] == frozen
    assert not any(c["holds"] for c in judged.conditions), "0 to 43 % straddles 25 %"
    assert "25" in judged.support.fr
    quiet = find(run, "cost_per_event_eur", event="arrests")
    assert trace(run, quiet["id"]).judged == ()


def test_the_experiment_alone_gives_the_number_again(run: Path) -> None:
    for raw in (find(run, "p_any_finding", K=13, safeguard="holm"), find(run, "relative_gap", claim="C13")):
        found = trace(run, raw["id"])
        assert found.command.arguments[:3] == ("experiment", "run", raw["experiment"])
        assert not found.command.whole_run
        assert recompute(found) == {}


def test_a_number_that_the_code_does_not_give_is_named(copy: Path) -> None:
    raw = find(copy, "p_any_finding", K=13, safeguard="holm")

    def forge(body: dict[str, Any]) -> None:
        next(r for r in body["results"] if r["id"] == raw["id"])["value"] = 0.5
        body["digest"] = digest({k: v for k, v in body.items() if k != "digest"})

    edit(copy / "results.json", forge)
    evidence.seal(copy, key_file=copy.parent / "forger.pem")  # a whole new seal: only computing again can tell
    assert recompute(trace(copy, raw["id"])) == {"value": (0.5, raw["value"])}


@pytest.mark.parametrize("experiment", sorted(EXPERIMENTS))
def test_the_command_line_reads_back_the_parameters_of_the_run(experiment: str, run: Path) -> None:
    """Whatever the profile, and with every whole number moved."""
    read = read_run(run)
    for profile in ("quick", "full"):
        usual = getattr(load(experiment).Params, profile)()
        text = plain({k: getattr(usual, k) for k in usual.__dataclass_fields__})  # as a run writes them
        for moved in (text, {**text, **{k: v + 1 for k, v in text.items() if type(v) is int}}):
            request = {**read.request, "profile": profile, "parameters": {experiment: moved}}
            given = type(read)(read.folder, {**read.results, "request": request}, read.plan, read.record)
            command = command_for(given, {"experiment": experiment})
            assert not command.whole_run
            sets = dict(a.split("=", 1) for a in command.arguments if "=" in a)
            again = parameters(experiment, profile=profile, overrides=sets)
            assert json.loads(json.dumps({k: getattr(again, k) for k in text})) == moved
            exact = json.loads(json.dumps({k: getattr(usual, k) for k in text}))
            assert set(sets) == {k for k in text if moved[k] != exact[k]}


def test_the_platform_is_computed_again_whole(run: Path) -> None:
    command = command_for(read_run(run), {"experiment": "platform"})
    assert command.line == f"contrechamp verify {run} --replay"


def test_it_is_printed_where_the_page_says_so(run: Path) -> None:
    page = (run / "report.fr.html").read_text(encoding="utf-8")
    for raw in Facts(run).results:
        found = places(page, raw["id"])
        assert [p.how for p in found].count("row") == 1, "each result has one row in the annex of the page"
        assert [p.title for p in found if p.how == "row"] == ["Annexe B. Résultats"]
        direct = set(re.findall(rf'<a class="ref" href="#{raw["id"]}">([^<]*)</a>', page))
        assert ("cited" in {p.how for p in found}) == (raw["id"] in direct)
    raw = find(run, "relative_gap", claim="C13", against="works only")
    assert "claim-C13" in {p.anchor for p in places(page, raw["id"])}
    raw = find(run, "cost_per_event_eur", event="arrests")
    assert [(p.anchor, p.how) for p in places(page, raw["id"])] == [("exp-E24", "cited"), ("annex-results", "row")]


def test_a_range_names_what_it_holds_and_nothing_else() -> None:
    page = '<main><h2 id="s">T</h2><p><span class="ref">R-0003–R-0012</span></p></main>'
    assert [n for n in range(1, 20) if places(page, f"R-{n:04d}")] == list(range(3, 13))


def test_an_unknown_id_says_which_there_are_and_where_else_to_look(run: Path, tmp_path: Path) -> None:
    small = tmp_path / "a-run"
    big = tmp_path / "b-run"
    shutil.copytree(run, small)
    shutil.copytree(run, big)
    shutil.rmtree(small / "figures")

    def cut(body: dict[str, Any]) -> None:
        body["results"] = body["results"][:3]
        body["verdicts"] = []
        body["digest"] = digest({k: v for k, v in body.items() if k != "digest"})

    edit(small / "results.json", cut)
    for name in (evidence.MANIFEST, evidence.SIGNATURE):
        (small / name).unlink()
    with pytest.raises(ParameterError, match=r"no result R-0009: its ids go from R-0001 to R-0003.*b-run"):
        trace(small, "R-0009")
    with pytest.raises(ParameterError, match="no result R-99999"):
        trace(run, "R-99999")


def test_a_changed_result_is_not_quoted(copy: Path) -> None:
    edit(copy / "results.json", lambda b: b["results"][0].update(value=9.9))
    with pytest.raises(IntegrityError, match=r"results\.json: does not match its own digest"):
        trace(copy, "R-0002")


def test_a_changed_threshold_is_not_quoted(copy: Path) -> None:
    edit(copy / "plan.json", lambda b: b["plan"]["rules"][0].update(claim="M01"))
    for name in (evidence.MANIFEST, evidence.SIGNATURE):
        (copy / name).unlink()
    with pytest.raises(IntegrityError, match=r"plan\.json: does not match its own hash"):
        trace(copy, "R-0002")


def test_a_changed_table_is_named_by_the_seal_and_without_it(copy: Path) -> None:
    raw = find(copy, "p_any_finding", K=13)
    path = copy / "tables" / f"{raw['table']}.parquet"
    table = pd.read_parquet(path)
    table.loc[0, "best_p"] = 0.5
    table.to_parquet(path)
    with pytest.raises(IntegrityError, match=r"tables/E28_looks\.parquet: content changed"):
        trace(copy, raw["id"])
    other = find(copy, "relative_gap", claim="C13")
    assert any("E28_looks" in line for line in trace(copy, other["id"]).run.changed), "said, and not in the way"
    for name in (evidence.MANIFEST, evidence.SIGNATURE):
        (copy / name).unlink()
    with pytest.raises(IntegrityError, match="is not the table that"):
        trace(copy, raw["id"])
    path.unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        trace(copy, raw["id"])
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(IntegrityError, match="cannot be read"):
        trace(copy, raw["id"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: b["results"][0].pop("world"), "lacks a field"),
        (lambda b: b["results"][0].update(n="many"), "another type"),
        (lambda b: b["results"][0].update(low=None), "without its bounds"),
        (lambda b: b["results"][0].update(table="../../secret"), "not listed"),
        (lambda b: b["tables"].update({"../x": {"columns": [], "rows": 0}}), "plain name"),
        (lambda b: b["request"].pop("seed"), "no seed"),
        (lambda b: b.update(verdicts=[{"claim": "M01", "verdict": "perhaps", "rules": []}]), "a verdict lacks"),
        (lambda b: b["results"][0].update(method="\x1b[2J"), "control characters"),
    ],
)
def test_what_has_not_the_shape_of_a_run_is_refused(copy: Path, change: Callable[[Any], None], words: str) -> None:
    edit(copy / "results.json", change)
    with pytest.raises(ContractError, match=words):
        trace(copy, "R-0001")


def test_the_latest_run_is_the_default(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert latest(run.parent) == run
    with pytest.raises(ParameterError, match="no finished run"):
        latest(tmp_path)
    (tmp_path / "runs").mkdir()
    shutil.copytree(run, tmp_path / "runs" / run.name)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["trace", "r-1", "--json"])
    assert json.loads(done.stdout)["run"]["id"] == run.name


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_page_for_people_says_it_all(run: Path, lang: str) -> None:
    raw = find(run, "relative_gap", claim="C13", against="works only")
    done = CliRunner().invoke(app, ["trace", raw["id"], "--run", str(run), "--lang", lang])
    assert done.exit_code == 0
    told = done.stdout.replace("\u202f", " ").replace("\u00a0", " ")
    words = {"fr": ["sans aléa" if raw["low"] == raw["high"] else "0 à 43 %", "chiffres publiés employés", "étayée si",
                    "dans les mondes énoncés", "gelé le 1er novembre 2026"],
             "en": ["0 to 43%", "published figures used", "supported if", "under the stated worlds",
                    "frozen on 1 November 2026"]}  # fmt: skip
    for piece in (
        *words[lang],
        raw["data_sha256"],
        "c" * 40,
        "C13",
        "contrechamp experiment run E24",
        "report.fr.html",
    ):
        assert piece in told, piece


def test_a_word_that_is_no_id_is_a_usage_error(run: Path) -> None:
    assert CliRunner().invoke(app, ["trace", "E17", "--run", str(run)]).exit_code == 2
