"""The main job, end to end, as a user runs it: audit, verify, replay, tamper, refuse."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contrechamp.domain.provenance import digest, table_digest
from contrechamp.experiments import EXPERIMENTS
from contrechamp.pipelines.backtest import ON_REQUEST
from contrechamp.store import runs
from models import PREDICTORS

pytestmark = pytest.mark.slow


def test_the_run_holds_what_was_promised(audit: Any) -> None:
    names = {p.relative_to(audit.run).as_posix() for p in audit.run.rglob("*") if p.is_file()}
    assert {
        "results.json", "run.json", "plan.json", "scenario.resolved.toml", "manifest.json", "manifest.sig.json",
        "ro-crate-metadata.json", "report.fr.html", "report.fr.pdf", "report.en.html", "report.en.pdf",
        "tables/map_daily.parquet", "tables/backtest_daily.parquet", "truth/incidents.parquet",
    } <= names  # fmt: skip
    assert not [n for n in names if n.startswith("parts/") or n in ("request.json", "started.json")]
    assert (audit.run / "report.fr.pdf").read_bytes().startswith(b"%PDF-")
    record = runs.read_json(audit.run / "run.json")
    assert record["environment"]["packages"]["numpy"]
    assert record["results_digest"] == audit.summary["digest"]


def test_every_claim_has_a_line_and_every_number_its_origin(audit: Any) -> None:
    results = runs.read_json(audit.run / "results.json")
    assert len(results["verdicts"]) == 123
    counts = Counter(v["verdict"] for v in results["verdicts"])
    assert set(counts) <= {"supported", "refuted", "inconclusive", "not testable", "pending"}
    by_id = {r["id"]: r for r in results["results"]}
    assert len(by_id) == len(results["results"])
    assert {r["experiment"] for r in by_id.values()} == {"platform", *EXPERIMENTS}
    for line in results["verdicts"]:
        for rule in line["rules"]:
            assert all(i in by_id for world in rule["worlds"] for i in world["results"])
    for name, meta in results["tables"].items():
        assert table_digest(runs.read_table(audit.run, name)) == meta["sha256"], name
    body = {k: v for k, v in results.items() if k != "digest"}
    assert digest(body) == results["digest"]


def test_nothing_is_lost_between_the_drop_and_the_lake(audit: Any) -> None:
    counts = runs.read_json(audit.run / "results.json")["platform"]["ingest"]
    assert counts["rows_in"] == counts["committed"] + counts["quarantined"] + counts["duplicates"]
    assert counts["rows_in"] > 50_000
    assert 0.005 < counts["quarantined"] / counts["rows_in"] < 0.08


def test_the_backtest_scores_the_same_maps_on_truth_and_on_records(audit: Any) -> None:
    daily = runs.read_table(audit.run, "backtest_daily")
    assert set(daily["predictor"]) == set(PREDICTORS) - set(ON_REQUEST)
    assert set(daily["scored_on"]) == {"truth", "records"}
    assert (daily["hits"] <= daily["events"]).all()
    assert daily["pei"].dropna().between(0, 1 + 1e-12).all()
    by = daily.groupby(["predictor", "area", "scored_on"])[["hits", "events"]].sum()
    rate = (by["hits"] / by["events"]).xs(0.05, level="area")
    assert rate["trailing-mean"].min() > 2 * rate["uniform"].max(), "a map of the past beats a random one"


def test_verify_finds_it_intact_and_replay_gives_the_same_numbers(audit: Any, cli: Any) -> None:
    done = cli("verify", audit.run, "--replay", "--jobs", "1", "--json")
    assert done.code == 0, done.err[-3000:]
    found = json.loads(done.out)
    assert found["intact"] is True
    assert found["replay"]["digest"] == audit.summary["digest"], "made with 2 workers, replayed with 1"


def test_one_flipped_byte_is_named_and_ends_in_12(audit: Any, cli: Any, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(audit.run, copy)
    target = copy / "tables" / "E02_curve.parquet"
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(bytes(data))
    done = cli("verify", copy)
    assert done.code == 12
    assert "tables/E02_curve.parquet" in done.err
    assert "Traceback" not in done.err


def test_a_forged_number_resealed_by_the_forger_is_found_by_replay(audit: Any, cli: Any, tmp_path: Path) -> None:
    from contrechamp.audit import evidence

    copy = tmp_path / "forged"
    done = cli("audit", "--claim", "C12", "--out", tmp_path / "runs", "--json", env=audit.env)
    shutil.copytree(json.loads(done.out)["run"], copy)
    results = runs.read_json(copy / "results.json")
    results["results"][0]["value"] = 0.5
    results["digest"] = digest({k: v for k, v in results.items() if k != "digest"})
    runs.write_json(copy / "results.json", results)
    record = runs.read_json(copy / "run.json")
    runs.write_json(copy / "run.json", {**record, "results_digest": results["digest"]})
    for name in (evidence.MANIFEST, evidence.SIGNATURE):
        (copy / name).unlink()
    evidence.seal(copy, key_file=tmp_path / "forger.pem")
    assert cli("verify", copy).code == 0, "hashes and signature alone cannot tell"
    caught = cli("verify", copy, "--replay")
    assert caught.code == 12
    assert "R-0001" in caught.err


def test_a_moved_threshold_stops_the_audit_unless_it_is_meant(cli: Any, audit: Any, tmp_path: Path) -> None:
    from contrechamp.audit import plan

    frozen = plan.freeze(frozen_at="2026-01-01")
    for rule in frozen["plan"]["rules"]:
        if rule["claim"] == "C12":
            rule["support"]["all"][0]["threshold"] = 0.05
    frozen["sha256"] = digest(frozen["plan"])
    runs.write_json(tmp_path / "old-plan.json", frozen)
    options = ("audit", "--claim", "C12", "--out", tmp_path / "runs", "--plan", tmp_path / "old-plan.json", "--json")
    refused = cli(*options, env=audit.env)
    assert refused.code == 10
    assert "C12-E18/support/all/0/threshold" in refused.err
    done = cli(*options, "--allow-deviation", "--exit-code", env=audit.env)
    assert done.code == 20, "C12 is refuted, and --exit-code says so"
    run = Path(json.loads(done.out)["run"])
    assert "C12-E18/support/all/0/threshold" in (run / "report.fr.html").read_text()
    assert [d["now"] for d in runs.read_json(run / "results.json")["plan"]["deviations"]] == [0.02]


def test_truth_and_records_stay_in_separate_places(audit: Any) -> None:
    truth = pd.read_parquet(audit.run / "truth" / "incidents.parquet")
    known = truth["known_by"].isin(["reported", "discovered"]).mean()
    assert 0.2 < known < 0.4, "most of what happens is never recorded"
    lake = {p.name for p in (audit.run / "lake").iterdir()}
    assert {"mains_courantes", "verbalisations", "quarantine"} <= lake
    from contrechamp.store.lake import read_stream

    columns = set(read_stream(audit.run / "lake", "mains_courantes").columns)
    assert columns.isdisjoint({"known_by", "incident_id", "quarter_id"}), "records carry no latent truth"
