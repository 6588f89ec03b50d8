"""E11: without a link lift holds 1 and group B is not singled out; with one both sides win; recall follows counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from contrechamp.audit.claims import read_yaml
from contrechamp.audit.rules import Rule, evaluate
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e11_anomaly as e11
from contrechamp.experiments.e11_learning import macro_f1, near_miss_f1
from contrechamp.experiments.e11_streams import _auc
from synthetic_data.travel_worlds import draw_encounters
from vsa.anomaly import METHODS

FEW = e11.Params(
    separations=(6.0,), rarities=(0.0, 1.0), base_rates=(0.01,), habit_shares=(0.05,), n_tracks=3_000, label_draws=10,
    learning_separations=(4.0, 8.0), train_sizes=(1_000, 100_000), size_errors=(0.1, 0.6),
    position_errors_m=(0.1, 1.0), mode_examples=2_000, crowds=(100, 5_000), noises=(0.0, 0.25), worlds=8,
)  # fmt: skip


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e11.run(FEW, seed=11)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [
        r.interval for r in outcome.results
        if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())
    ]  # fmt: skip
    assert len(found) == 1, (measure, world, len(found))
    return found[0]


@pytest.mark.parametrize("detector", [*METHODS, "taught"])
@pytest.mark.parametrize("blurred", [0.0, 0.01])
def test_without_a_link_no_detector_does_better_than_chance(outcome: Outcome, detector: str, blurred: float) -> None:
    lift = interval(outcome, "lift", harm_rarity=0.0, detector=detector, blurred=blurred)
    assert lift.low < 1 < lift.high  # type: ignore[operator]
    auc = interval(outcome, "auc", harm_rarity=0.0, detector=detector, blurred=blurred)
    assert auc.estimate == pytest.approx(0.5, abs=0.03)


def test_with_a_planted_link_the_abnormal_is_harmful_until_tracks_are_badly_followed(outcome: Outcome) -> None:
    for detector in ("mahalanobis", "neighbours", "taught"):
        clear = interval(outcome, "lift", harm_rarity=1.0, detector=detector, blurred=0.0)
        assert clear.low > 5  # type: ignore[operator]
    chance = interval(outcome, "lift", harm_rarity=1.0, detector="random", blurred=0.0)
    assert chance.high < 5  # type: ignore[operator]
    blurred = interval(outcome, "precision", harm_rarity=1.0, detector="neighbours", blurred=0.01)
    clear = interval(outcome, "precision", harm_rarity=1.0, detector="neighbours", blurred=0.0)
    assert blurred.high < clear.low  # type: ignore[operator]


def test_precision_is_the_base_rate_times_the_lift(outcome: Outcome) -> None:
    for detector in METHODS:
        at = {"harm_rarity": 1.0, "detector": detector, "blurred": 0.0}
        precision, lift = interval(outcome, "precision", **at), interval(outcome, "lift", **at)
        assert precision.estimate == pytest.approx(0.01 * lift.estimate)  # type: ignore[operator]
        assert precision.n == 8 * 30  # labelled ten times each, counted once


def test_an_alert_labelled_many_times_counts_once() -> None:
    """Harm lies with a few tracks that random alerts may never meet: intervals must not be the narrower for it."""
    rng = stream(3, "lumped")
    missed = {1: 0, 25: 0}
    for _ in range(100):
        sure = rng.binomial(30, 0.0083, size=10)  # always harmful; the others nearly never
        harmful = 25 * sure + rng.binomial(25 * (30 - sure), 0.0017)
        rows = pd.DataFrame(
            {"separation": 6.0, "blurred": 0.0, "harm_rarity": 1.0, "base_rate": 0.01, "detector": "random",
             "habit_share": 0.0, "rep": range(10), "alerts": 750, "harmful": harmful, "auc": 0.5}
        )  # fmt: skip
        for draws in missed:
            lift = next(r.interval for r in e11._of_alerts(rows, label_draws=draws) if r.measure == "lift")
            assert lift.low is not None and lift.high is not None
            missed[draws] += not lift.low <= 1 <= lift.high
    assert missed[25] <= 10 < missed[1]


def test_a_group_that_behaves_alike_is_not_alerted_on_more_and_one_with_a_habit_is(outcome: Outcome) -> None:
    for detector in METHODS:
        alike = interval(outcome, "group_ratio", habit_share=0.0, detector=detector)
        assert alike.low < 1 < alike.high  # type: ignore[operator]
        none = interval(outcome, "common_share", habit_share=0.0, detector=detector, reading="habit-only")
        assert none.estimate == 0
    habit = interval(outcome, "group_ratio", habit_share=0.05, detector="mahalanobis")
    assert habit.low > 1.5  # type: ignore[operator]
    chance = interval(outcome, "group_ratio", habit_share=0.05, detector="random")
    assert chance.low < 1 < chance.high  # type: ignore[operator]
    narrow, broad = (
        interval(outcome, "common_share", habit_share=0.05, detector="random", reading=r) for r in e11.READINGS
    )
    assert broad.estimate > 0.85 > 0.05 > narrow.estimate  # type: ignore[operator]


def test_examples_favour_the_frequent_and_anomalies_the_rare(outcome: Outcome) -> None:
    for size in (1_000, 100_000):
        met, weighted, even = (
            interval(outcome, "recall_slope", separation=4.0, train_size=size, training=t)
            for t in ("as-met", "reweighted", "balanced")
        )
        assert met.low > weighted.high > weighted.low > 0  # type: ignore[operator]
        assert even.low < 0 < even.high  # type: ignore[operator]
    assert interval(outcome, "recall_slope", separation=8.0, train_size=100_000, training="reweighted").estimate < 0.01  # type: ignore[operator]
    assert interval(outcome, "alert_slope", detector="mahalanobis").high < 0  # type: ignore[operator]
    table = outcome.tables["e11_learning"]
    assert (table.loc[table["training"] == "as-met", "count_12"] == 1).all()


def test_modes_are_told_apart_with_small_errors_and_not_with_large_ones(outcome: Outcome) -> None:
    near = interval(outcome, "macro_f1", size_error=0.1, position_error_m=0.1, mix="street")
    far = interval(outcome, "macro_f1", size_error=0.6, position_error_m=1.0, mix="street")
    assert near.low > 0.9  # type: ignore[operator]
    assert far.high < 0.6  # type: ignore[operator]
    confusion = outcome.tables["e11_confusion"]
    assert confusion.groupby(["size_error", "position_error_m", "mix"])["encounters"].sum().eq(2_000 * 8).all()


def test_scores_are_those_of_scikit_learn() -> None:
    rng = stream(1, "labels")
    true, told = rng.integers(0, 5, 500), rng.integers(0, 5, 500)
    confusion = np.zeros((5, 5), dtype=np.int64)
    np.add.at(confusion, (true, told), 1)
    assert macro_f1(confusion) == pytest.approx(f1_score(true, told, average="macro"))
    test = draw_encounters(counts=np.full(8, 300), size_error=0.1, position_error_m=0.5, rng=stream(2, "e"))
    named = stream(3, "n").integers(0, 8, len(test.mode))
    parts = [f1_score(test.near_miss & (test.mode == m), test.flagged & (named == m)) for m in range(8)]
    assert near_miss_f1(test, named) == pytest.approx(np.mean(parts))


def test_the_area_is_a_share_of_pairs() -> None:
    place, harm = np.array([1.0, 2.0, 3.0, 4.0]), np.array([[False, True, False, True], [False, False, False, False]])
    assert _auc(place, harm) == pytest.approx(3 / 4)


def test_links_fail_with_errors_and_in_crowds_and_being_flagged_adds_nothing_by_itself(outcome: Outcome) -> None:
    small, large = (interval(outcome, "singled_out", crowd=c, noise=0.0, dress_of_b="same") for c in (100, 5_000))
    noisy = interval(outcome, "singled_out", crowd=5_000, noise=0.25, dress_of_b="same")
    assert small.low > large.high > large.low > noisy.high  # type: ignore[operator]
    chance = interval(outcome, "singled_out_random", crowd=5_000, noise=0.0, dress_of_b="same")
    assert max(large.low, chance.low) < min(large.high, chance.high)  # type: ignore[operator, type-var]
    assert interval(outcome, "tied_wrong", crowd=100, noise=0.0, dress_of_b="same").estimate == 0


def test_every_rule_finds_its_worlds_and_some_turn(outcome: Outcome) -> None:
    rows = [r.to_dict() | {"id": f"R-{i}"} for i, r in enumerate(outcome.results)]
    rules = [Rule.parse(r) for r in read_yaml("rules.yaml")["rules"] if r["experiment"] == "E11"]
    assert {r.claim for r in rules} == {"M10", "V01", "C05", "C09", "C10", "P08", "V06", "V15"}
    counts = {r.claim: evaluate(r, rows)["counts"] for r in rules}
    assert counts["M10"] == counts["V01"]
    assert counts["M10"]["supported"] > 0
    assert counts["M10"]["refuted"] > 0
    assert counts["C09"]["supported"] >= 6
    assert counts["V06"]["supported"] > 0
    assert counts["V06"]["refuted"] > 0


def test_same_numbers_for_any_number_of_workers() -> None:
    few = replace(FEW, worlds=2, n_tracks=600, label_draws=3, train_sizes=(1_000,), mode_examples=800)
    one, two = (e11.run(few, seed=4, jobs=jobs) for jobs in (1, 2))
    assert [r.interval for r in one.results] == [r.interval for r in two.results]
    assert all(one.tables[name].equals(two.tables[name]) for name in one.tables)


@pytest.mark.parametrize(
    "change", [{"worlds": 1}, {"alerts": 0}, {"habit_shares": (0.0,)}, {"blurred": (0.01,)}, {"crowds": (5,)},
               {"rarities": ()}, {"train_sizes": (10,)}, {"mode_examples": 10}],
)  # fmt: skip
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e11.run(replace(FEW, **change), seed=1)  # type: ignore[arg-type]
