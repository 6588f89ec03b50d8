"""A run handed over by somebody else: forged, damaged or meant to harm. Found or refused, in one paragraph."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contrechamp.audit import replay as replaying
from contrechamp.audit import steps
from contrechamp.audit.bundle import contradictions, read_bundle
from contrechamp.domain.errors import ContractError, IntegrityError
from contrechamp.domain.provenance import digest
from contrechamp.store import runs

Edit = Callable[[Any], None]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real sealed run of one cheap experiment, under another seed than the plan's."""
    root = tmp_path_factory.mktemp("honest")
    work = steps.begin(root, run_id="r", started_at="2026-01-01T00:00:00+00:00", claims=("C12",), seed=3)
    for step in (steps.generate, steps.ingest, steps.backtest, steps.experiments, steps.decide, steps.report):
        step(work)
    return steps.seal(work, environment={}, key_file=root / "key.pem")


@pytest.fixture
def run(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest, tmp_path / "run"))


def edit(run: Path, name: str, change: Edit) -> None:
    body = json.loads((run / name).read_text())
    change(body)
    if name == "results.json" and "digest" in body:
        body["digest"] = digest({k: v for k, v in body.items() if k != "digest"})
    (run / name).write_text(json.dumps(body))


def test_an_honest_run_is_found_again_to_the_byte(honest: Path) -> None:
    assert contradictions(read_bundle(honest)) == []
    found = replaying.require_same(honest)
    assert (found.verdicts, found.notes) == (1, ())
    assert found.results == len(runs.read_json(honest / "results.json")["results"])


def test_sealing_done_again_after_it_was_interrupted_gives_the_same_record(honest: Path, tmp_path: Path) -> None:
    work = Path(shutil.copytree(honest, tmp_path / "r.partial"))  # as if killed just before the last rename
    again = steps.seal(work, environment={}, key_file=tmp_path / "key.pem")
    assert (again / "run.json").read_bytes() == (honest / "run.json").read_bytes()
    assert steps.seal(work, environment={}) == again, "and once more, after the rename"


def _twice(body: Any) -> None:
    body["results"].insert(0, {**body["results"][0], "value": 0.99, "high": 1.0})


def test_a_forged_number_hidden_behind_its_true_twin_is_found(run: Path) -> None:
    edit(run, "results.json", _twice)
    with pytest.raises(IntegrityError, match=r"results\.json: says something else"):
        replaying.require_same(run)


def test_a_forged_report_and_a_forged_figure_are_told_apart(run: Path) -> None:
    page, plate = run / "report.fr.html", next((run / "figures").glob("*_fr.svg"))
    plate.write_text("<svg/>")
    assert replaying.require_same(run).notes == (plate.relative_to(run).as_posix(),)
    page.write_text(page.read_text().replace("%", "‰", 1))
    with pytest.raises(IntegrityError, match=r"report\.fr\.html: is not the report"):
        replaying.require_same(run)


def test_a_table_that_is_not_the_one_hashed_is_found(run: Path) -> None:
    table = next((run / "tables").glob("*.parquet"))
    runs.write_tables(run, {table.stem: runs.read_table(run, table.stem).iloc[::-1]})
    (run / "tables" / "extra\n.parquet").write_bytes(b"PAR1")
    after = runs.read_json(run / "results.json")
    lines = replaying._compare_tables(run, after)
    assert lines == [
        "tables/extra\\n.parquet: no table of this run",
        f"tables/{table.name}: is not the table recomputed",
    ]
    table.write_bytes(b"PAR1")
    assert "cannot be read" in replaying._compare_tables(run, after)[1]


def _threshold(plan: Any) -> None:
    rule = next(r for r in plan["plan"]["rules"] if r["claim"] == "C12")
    rule["support"]["all"][0]["threshold"] = 0.5


def _threshold_rehashed(plan: Any) -> None:
    _threshold(plan)
    plan["sha256"] = digest(plan["plan"])


def _invented(plan: Any) -> None:
    _threshold_rehashed(plan)
    plan["deviations"].append({"path": "/rules/M01-E03/why/fr", "frozen": "a", "now": "b"})


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("plan.json", _threshold, "does not match its own hash"),
        ("plan.json", _threshold_rehashed, "do not agree with the hash of the frozen plan"),
        ("plan.json", _invented, "not the true one"),
        ("plan.json", lambda p: p["deviations"].clear(), "deviation /seed is not listed"),
        ("results.json", lambda b: b["request"]["parameters"]["E18"].update(reps=7), "not those of the plan"),
        ("results.json", lambda b: b["request"].update(scenario_sha256="0" * 64), "not the scenario of the request"),
    ],
)
def test_what_a_run_says_of_itself_must_hold(run: Path, name: str, change: Edit, words: str) -> None:
    edit(run, name, change)
    assert any(words in line for line in contradictions(read_bundle(run))), contradictions(read_bundle(run))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("results.json", lambda b: b.pop("request")),
        ("results.json", lambda b: b["request"].update(seed="7")),
        ("results.json", lambda b: b["request"].update(seed=True)),
        ("results.json", lambda b: b["request"].update(seed=-1)),
        ("results.json", lambda b: b["request"].update(claims=["Z99"])),
        ("results.json", lambda b: b["request"].update(claims=[["C12"]])),
        ("results.json", lambda b: b["request"].update(experiments=["../../E18"])),
        ("results.json", lambda b: b["request"].update(platform="yes")),
        ("results.json", lambda b: b["request"]["parameters"]["E18"].update(nope=1)),
        ("results.json", lambda b: b["request"]["parameters"]["E18"].update(reps="9")),
        ("results.json", lambda b: b["request"]["parameters"]["E18"].update(reps=10**12)),
        ("results.json", lambda b: b.update(results=5)),
        ("results.json", lambda b: b["results"].append("x")),
        ("results.json", lambda b: b["results"][0].update(world=[])),
        ("results.json", lambda b: b["verdicts"][0].pop("claim")),
        ("results.json", lambda b: b.update(tables=None)),
        ("plan.json", lambda p: p.update(plan=[])),
        ("plan.json", lambda p: p["plan"].update(rules=[{"claim": "C12"}])),
        ("plan.json", lambda p: p["plan"].update(silent=3)),
        ("plan.json", lambda p: p["plan"].update(experiments={"E18": 1})),
        ("plan.json", lambda p: p.update(deviations=[1])),
        ("run.json", lambda r: r.pop("run_id")),
    ],
)
def test_another_shape_is_refused_before_anything_is_computed(run: Path, name: str, change: Edit) -> None:
    edit(run, name, change)
    with pytest.raises(ContractError, match="cannot be replayed"):
        read_bundle(run)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.json", "[" * 100_000),
        ("results.json", "[]"),
        ("plan.json", "\x00"),
        ("run.json", "1"),
        ("scenario.resolved.toml", "a = " + "[" * 10_000),
        ("scenario.resolved.toml", "\udcff"),
    ],
)
def test_nonsense_is_refused(run: Path, name: str, content: str) -> None:
    (run / name).write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ContractError):
        read_bundle(run)
    (run / name).unlink()
    with pytest.raises(ContractError):
        read_bundle(run)


def test_a_city_that_would_fill_the_machine_is_refused(run: Path) -> None:
    edit(run, "results.json", lambda b: b["request"].update(platform=True))
    read_bundle(run)
    path = run / "scenario.resolved.toml"
    text = path.read_text()
    assert "n_days = 420\n" in text
    path.write_text(text.replace("n_days = 420\n", "n_days = 36500\n"))
    with pytest.raises(ContractError, match="30 times the events"):
        read_bundle(run)
