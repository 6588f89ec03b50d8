"""The loop behind ``contrechamp feedback``: what it measures, what it writes, what it refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, IntegrityError, ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.pipelines import feedback, feedback_sweep, loops
from contrechamp.pipelines.loops import LoopPlan
from contrechamp.store import runs

SMALL = LoopPlan(predictor="trailing-mean", days=40, history_days=14, rows=8, columns=8, per_day=60.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("loops") / "one"
    lived, results, written = feedback.run_feedback(SMALL, seed=4, out=out)
    assert written == out
    assert len(results) == 3 * len(loops.MEASURES)
    assert lived.history.hours.shape == (54, 64)
    return out


def test_a_run_folder_holds_its_history_and_replays(folder: Path) -> None:
    body = runs.read_json(folder / "results.json")
    again = feedback.replay(folder)
    assert body["fingerprint"] == again.history.fingerprint()
    assert {p.name for p in (folder / "figures").iterdir()} == {
        f"feedback_{lang}.{form}" for lang in ("fr", "en") for form in ("svg", "png")
    }
    assert len(runs.read_table(folder, "history")) == 54 * 64
    units = {m.key: m.unit for m in loops.MEASURES}
    for row in body["results"]:
        assert row["measure"] in units and row["n"] > 0 and row["low"] <= row["value"] <= row["high"]


@pytest.mark.parametrize(("column", "day"), [("found_only", 31), ("hours", 20), ("expected", 53)])
def test_a_changed_day_is_named(folder: Path, tmp_path: Path, column: str, day: int) -> None:
    copy = tmp_path / "copy"
    _copy(folder, copy)
    table = pd.read_parquet(copy / "tables/history.parquet")
    table.loc[(table["day"] == day) & (table["cell"] == 3), column] += 1
    table.to_parquet(copy / "tables/history.parquet", index=False)
    with pytest.raises(IntegrityError, match=f"from day {day} on"):
        feedback.replay(copy)


def test_a_changed_seed_fingerprint_or_table_is_refused(folder: Path, tmp_path: Path) -> None:
    for change, error, words in (
        ({"seed": 5}, IntegrityError, "from day 0 on"),
        ({"fingerprint": "0" * 64}, IntegrityError, "fingerprint"),
        ({"command": "audit"}, ContractError, "not the folder of"),
    ):
        copy = tmp_path / next(iter(change))
        _copy(folder, copy)
        said = runs.read_json(copy / "run.json")
        runs.write_json(copy / "run.json", {**said, **change})
        with pytest.raises(error, match=words):
            feedback.replay(copy)
    copy = tmp_path / "short"
    _copy(folder, copy)
    table = pd.read_parquet(copy / "tables/history.parquet")
    table.iloc[:-1].to_parquet(copy / "tables/history.parquet", index=False)
    with pytest.raises(ContractError, match="54 days of 64 cells"):
        feedback.replay(copy)


def test_the_measures_are_counts_over_counts() -> None:
    lived = loops.live(SMALL, seed=1)
    days = loops.loop_days(lived)
    found = loops.measure(lived, days)
    h, top = lived.history, loops.flagged(lived, days)
    assert (top.sum(axis=1) == 3).all()  # 5 % of 64 cells
    happened = h.happened[days]
    assert found["hit_incidents"].estimate == pytest.approx((happened * top).sum() / happened.sum())
    assert found["hit_incidents"].n == happened.sum()
    assert found["captured"].estimate == pytest.approx(h.recorded[days].sum() / happened.sum())
    assert (found["averted"].estimate, found["averted"].method) == (0.0, "arithmetic")
    for day, row in enumerate(h.expected[days]):  # no cell left out is expected to hold more than one that is in
        assert row[~top[day]].max() <= row[top[day]].min()


def test_with_everything_reported_the_file_lends_nothing() -> None:
    lived = loops.live(dataclasses.replace(SMALL, rho=1.0), seed=1)
    assert feedback_sweep.score(lived)["apparent_gain"] == 0.0
    assert feedback_sweep.score(lived)["captured"] == 1.0


def test_policies_meet_the_same_incidents() -> None:
    a, b = (loops.live(dataclasses.replace(SMALL, **c), seed=2) for c in ({}, {"rule": "top", "rho": 0.9}))
    assert (a.history.happened == b.history.happened).all()
    assert (a.levels == b.levels).all()
    assert (a.history.reported <= b.history.reported).all()  # who reports at 0.25 reports at 0.9
    other = loops.live(SMALL, seed=2, rep=1)
    assert (other.history.happened != a.history.happened).any()


def test_a_sweep_maps_verdicts_and_says_where_they_flip() -> None:
    given = {"predictors": ["trailing-mean"], "rules": ["top", "equal"], "rhos": [0.0, 0.9], "n_cities": 4}
    found = feedback_sweep.sweep(SMALL, **given, seed=3)  # type: ignore[arg-type]
    table = found.table.set_index(["rule", "rho"])
    assert table.loc[("top", 0.0), "verdict"] == "flatters"
    assert table.loc[("top", 1.0), "verdict"] == "holds"
    assert table.loc[("top", 1.0), "gini_excess"] == 0.0
    assert table.loc[("equal", 0.0), "worst_sector"] == 1.0
    assert (table["n"] == 4).all()
    flips = feedback_sweep.flips(found).set_index("rule")
    assert flips.loc["top", "flatters_up_to"] == 0.0
    assert len(found.cities) == 2 * 3 * 4
    two = feedback_sweep.sweep(SMALL, **given, seed=3, jobs=2)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(two.table, found.table)


def test_remedies_have_a_price() -> None:
    plan = dataclasses.replace(SMALL, rule="top", rho=0.1, prevention_per_hour=0.3, days=60)
    found = feedback_sweep.compare_remedies(plan, n_cities=6, seed=1)
    rows = found.table.set_index("remedy")
    assert list(rows.index) == list(feedback_sweep.REMEDIES)
    assert rows.loc["none", "captured_change"] == 0.0
    assert rows.loc["equal-hours", "worst_sector"] == 1.0
    for remedy in ("explore-50", "quota-50", "cap-2x", "equal-hours"):
        assert rows.loc[remedy, "gini_hours_change" if remedy == "quota-50" else "gini_hours_change_high"] < 0, remedy
        assert rows.loc[remedy, "worst_sector"] > rows.loc["none", "worst_sector"], remedy
    # Hours piled on three cells prevent little after the first: here equal hours avert more.
    assert rows.loc["equal-hours", "averted_change_low"] > 0
    plan_of = feedback_sweep.remedied(plan, "cap-2x")
    assert plan_of.cap == pytest.approx(2 / 64)
    lived = loops.live(plan_of, seed=1)
    assert lived.history.hours[14:].max() <= plan.hours_per_day * 2 / 64 * (1 + 1e-9)


def test_a_verdict_reads_the_bounds() -> None:
    for low, high, want in ((0.05, 0.2, "flatters"), (0.049, 0.2, "open"), (0.0, 0.019, "holds"), (0.0, 0.02, "open")):
        assert feedback_sweep.verdict(Interval((low + high) / 2, low, high, 9, "t")) == want
    assert feedback_sweep.verdict(Interval.not_estimable(n=3)) == "open"


def test_mistakes_are_named(tmp_path: Path) -> None:
    for given, words in (
        ({"rho": "2"}, "`rho`"), ({"rule": "best"}, "`rule`"), ({"days": "0"}, "`days`"), ({"days": "x"}, "`days`"),
        ({"speed": "1"}, "no parameter 'speed'"), ({"predictor": "oracle"}, "oracle"), ({"cap": "0"}, "`cap`"),
        ({"evidence": "some"}, "`evidence`"), ({"displacement": "2"}, "`displacement`"), ({"rho": "nan"}, "`rho`"),
    ):  # fmt: skip
        with pytest.raises(ParameterError, match=words):
            LoopPlan.parse(given)
    assert LoopPlan.parse({"days": "40", "rho": "0.5"}) == LoopPlan(days=40, rho=0.5)
    for call in (
        lambda: feedback_sweep.sweep(SMALL, predictors=[], rules=["top"], rhos=[0.0], n_cities=4, seed=1),
        lambda: feedback_sweep.sweep(SMALL, predictors=["uniform"], rules=["top"], rhos=[0.0], n_cities=1, seed=1),
        lambda: feedback_sweep.compare_remedies(SMALL, remedies=["prayer"], n_cities=2, seed=1),
        lambda: feedback.run_feedback(SMALL, seed=1, out=tmp_path),
    ):
        with pytest.raises(ParameterError):
            call()


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())


def test_a_cap_shares_out_what_it_cuts() -> None:
    from fairness.allocation import Allocation, Sharing, allocate

    surface = np.array([8.0, 1.0, 1.0, 0.0])
    rule = Allocation(Sharing.PROPORTIONAL, cap=0.4)
    hours = allocate(surface, hours=10.0, allocation=rule, order=np.arange(4))
    np.testing.assert_allclose(hours, [4.0, 3.0, 3.0, 0.0])
    tight = allocate(surface, hours=10.0, allocation=Allocation(Sharing.TOP, share=0.25, cap=0.01), order=np.arange(4))
    np.testing.assert_allclose(tight, [2.5] * 4)  # never below an equal share
    with pytest.raises(ParameterError, match="`cap`"):
        Allocation(Sharing.TOP, cap=0.0)
