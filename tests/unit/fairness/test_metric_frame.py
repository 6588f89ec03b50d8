"""Beside fairlearn: the same numbers where its numbers are right, and the three places where they are not."""

import warnings

import numpy as np
import pytest

import fairness

metrics = pytest.importorskip("fairlearn.metrics")

PAIRS = {
    "selection_rate": metrics.selection_rate,
    "false_positive_rate": metrics.false_positive_rate,
    "true_positive_rate": metrics.true_positive_rate,
    "false_negative_rate": metrics.false_negative_rate,
    "true_negative_rate": metrics.true_negative_rate,
}


@pytest.fixture(scope="module")
def people():
    rng = np.random.default_rng(4)
    n = 600
    y_true = rng.random(n) < 0.4
    return {
        "y_true": y_true.astype(int),
        "y_pred": (rng.random(n) < 0.2 + 0.4 * y_true).astype(int),
        "groups": {"group": rng.choice(["A", "B"], n), "situation": rng.choice(["vendor", "waiting", "wheelchair"], n)},
    }


@pytest.mark.parametrize("name", PAIRS)
def test_crossed_rates_agree_with_metric_frame(people, name):
    import pandas as pd

    frame = metrics.MetricFrame(
        metrics={name: PAIRS[name], "count": metrics.count},
        y_true=people["y_true"],
        y_pred=people["y_pred"],
        sensitive_features=pd.DataFrame(people["groups"]),
    )
    ours = fairness.group_rates(metric=name, **people)
    assert ours.index.equals(frame.by_group.index)
    assert ours["estimate"].to_numpy() == pytest.approx(frame.by_group[name].to_numpy(dtype=float))
    assert ((ours["low"] < ours["estimate"]) & (ours["estimate"] < ours["high"])).all()


def test_our_metric_lives_inside_a_metric_frame(people):
    frame = metrics.MetricFrame(
        metrics={"fpr": fairness.interval_metric("false_positive_rate")},
        y_true=people["y_true"],
        y_pred=people["y_pred"],
        sensitive_features=people["groups"]["group"],
    )
    ours = fairness.group_rates(metric="false_positive_rate", **{**people, "groups": people["groups"]["group"]})
    for label in ("A", "B"):
        cell = frame.by_group.loc[label, "fpr"]
        assert (cell.estimate, cell.low, cell.high) == tuple(ours.loc[label, ["estimate", "low", "high"]])
        assert cell.n == ours.loc[label, "n"]


def test_where_we_part_nothing_to_divide_by_and_no_event():
    y_true = np.r_[np.zeros(40, int), np.tile([0, 1], 50)]
    y_pred = np.r_[np.zeros(40, int), np.tile([0, 0, 0, 1, 1], 20)]
    group = np.repeat(["A", "B"], [40, 100])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = metrics.MetricFrame(
            metrics={"fpr": metrics.false_positive_rate, "tpr": metrics.true_positive_rate},
            y_true=y_true, y_pred=y_pred, sensitive_features=group,
            n_boot=50, ci_quantiles=[0.025, 0.975], random_state=1,
        )  # fmt: skip
    # Theirs: no positive in A, yet a recall of 0 and a gap; 0 of 40, yet an interval of no width.
    assert frame.by_group.loc["A", "tpr"] == 0.0 and frame.difference()["tpr"] > 0.3
    assert [ci.loc["A", "fpr"] for ci in frame.by_group_ci] == [0.0, 0.0]
    # Ours.
    recall = fairness.group_rates(metric="true_positive_rate", y_true=y_true, y_pred=y_pred, groups=group)
    assert not recall.loc["A", "estimable"] and recall.loc["A", ["estimate", "low", "high"]].isna().all()
    flagged = fairness.group_rates(metric="false_positive_rate", y_true=y_true, y_pred=y_pred, groups=group)
    assert flagged.loc["A", "high"] >= 0.087 and flagged.loc["A", "rule_of_three"] == 3 / 40
