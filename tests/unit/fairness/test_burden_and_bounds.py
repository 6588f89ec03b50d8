"""Burden by its two factors; bounds when only those looked at could be found; concentration and drift."""

import numpy as np
import pandas as pd
import pytest

import fairness
from contrechamp.domain.rng import stream


@pytest.fixture
def watched():
    # Group A is watched three times as long; vendors are flagged wrongly twice as often as those who wait.
    return pd.DataFrame(
        {
            "group": ["A", "A", "B", "B"],
            "situation": ["vendor", "waiting", "vendor", "waiting"],
            "alerts": [70, 35, 24, 12],
            "false": [60, 30, 20, 10],
            "hours": [3_000.0, 3_000.0, 1_000.0, 1_000.0],
            "passages": [600.0, 600.0, 200.0, 200.0],
        }
    )


def test_burden_is_exposure_times_conditional_rate(watched):
    found = fairness.burden_table(
        alerts=watched["alerts"], false_alerts=watched["false"], groups=watched["group"],
        person_hours=watched["hours"], passages=watched["passages"], inhabitants={"A": 10_000, "B": 10_000},
        reference="B",
    )  # fmt: skip
    line = found.against.loc["A"]
    assert line["exposure_ratio"] == pytest.approx(3.0) and line["conditional_ratio"] == pytest.approx(1.0)
    assert line["burden_ratio"] == pytest.approx(3.0)  # three times the burden, by the same error rate
    assert line["conditional_low"] < 1 < line["conditional_high"]
    rates = found.rates.set_index("measure", append=True)["estimate"]
    assert rates["A", "false_alerts_per_person_hour"] == pytest.approx(90 / 6_000)
    assert rates["A", "false_alerts_per_1000_passages"] == pytest.approx(75.0)
    assert rates["A", "false_alerts_per_100000_inhabitants"] == pytest.approx(900.0)
    assert rates["A", "innocents_among_flagged"] == pytest.approx(90 / 105)
    assert found.exposure.loc["A", "person_hours_share"] == 0.75
    assert found.exposure.loc["A", "person_hours_per_inhabitant"] == 0.6


def test_crossed_burden_and_the_cells_nobody_was_in(watched):
    part = watched[~((watched["group"] == "B") & (watched["situation"] == "vendor"))]
    found = fairness.burden_table(
        alerts=part["alerts"], false_alerts=part["false"], groups=part[["group", "situation"]],
        person_hours=part["hours"], reference=("B", "waiting"),
        inhabitants={("A", "vendor"): 50, ("A", "waiting"): 50, ("B", "waiting"): 100},
    )  # fmt: skip
    empty = found.rates.loc[("B", "vendor")]
    assert len(empty) == 3 and not empty["estimable"].any() and empty["estimate"].isna().all()
    assert found.against.loc[("A", "vendor"), "conditional_ratio"] == pytest.approx(2.0)
    assert not found.against.loc[("B", "vendor"), "estimable"]


def test_clusters_widen_a_burden_and_never_narrow_it():
    bursts = np.zeros(100, int)
    bursts[[3, 50]] = 30  # two broken lamps
    kw = {"alerts": bursts, "false_alerts": bursts, "groups": ["A"] * 100, "person_hours": np.ones(100)}
    alone = fairness.burden_table(**kw).rates.iloc[0]
    lamps = fairness.burden_table(**kw, clusters=np.arange(100)).rates.iloc[0]
    assert alone["estimate"] == lamps["estimate"] == 0.6
    assert lamps["high"] > 1.4 > alone["high"] and lamps["low"] == 0.0 < alone["low"]
    even = fairness.burden_table(
        **{**kw, "alerts": np.ones(100), "false_alerts": np.ones(100)}, clusters=np.arange(100)
    )
    assert even.rates.iloc[0]["high"] == pytest.approx(fairness.poisson_rate_interval(events=100, exposure=100).high)


def test_begg_and_greenes_liver_scans():
    # Drum & Christacopoulos, in Begg & Greenes (1983): sensitivity 0.895 → 0.836, specificity 0.628 → 0.738.
    scans = fairness.CheckedCounts(231, 32, 166, 27, 54, 140)
    recall = fairness.bounds_under(counts=scans, metric="recall", gamma=1)
    fpr = fairness.bounds_under(counts=scans, metric="false_positive_rate", gamma=1)
    assert recall.low == recall.high == pytest.approx(0.836, abs=5e-4)
    assert 1 - fpr.low == pytest.approx(0.738, abs=5e-4) and 1 - fpr.checked_only == pytest.approx(0.628, abs=5e-4)
    free = fairness.bounds_under(counts=scans, metric="recall")
    assert (free.low, free.high) == pytest.approx((231 / 398, 397 / 424))  # by hand
    assert free.outer_low < free.low and free.high < free.outer_high


def test_only_the_flagged_are_checked_so_recall_says_nothing():
    flagged = np.repeat([1, 0], [60, 940])
    found = np.where(flagged == 1, np.arange(1_000) % 3 == 0, np.nan)
    counts = fairness.CheckedCounts.from_arrays(flagged=flagged, checked=flagged, found=found)
    recall = fairness.bounds_under(counts=counts, metric="recall")
    assert recall.as_recorded == recall.checked_only == recall.high == 1.0  # the file says that nobody was missed
    assert recall.low == pytest.approx(20 / 960)
    assert fairness.checked_share(counts=counts)["unflagged"].estimate == 0.0
    curve = fairness.sensitivity_curve(counts=counts, metric="recall")
    assert (curve["low"] == recall.low).all()  # no check among the unflagged: no Γ helps
    nobody = fairness.bounds_under(counts=fairness.CheckedCounts(0, 0, 5, 0, 0, 5), metric="recall")
    assert not nobody.estimable and nobody.low is None


def test_bounds_cover_the_truth_under_selective_checks():
    # Checks depend on group of truth: true cases are checked twice as often as innocents, within Γ = 4.
    rng = stream(6, "labels")
    held = naive = 0
    for _ in range(200):
        true = rng.random(1_500) < 0.15
        flagged = rng.random(1_500) < 0.1 + 0.5 * true
        checked = rng.random(1_500) < np.where(true, 0.6, 0.3)
        counts = fairness.CheckedCounts.from_arrays(flagged=flagged, checked=checked, found=true)
        real = 0.6
        wide = fairness.bounds_under(counts=counts, metric="recall", gamma=4)
        narrow = fairness.bounds_under(counts=counts, metric="false_positive_rate")
        held += wide.outer_low <= real <= wide.outer_high and narrow.outer_low <= 0.1 <= narrow.outer_high
        naive += abs(narrow.as_recorded - 0.1) < 0.02
    assert held >= 190
    assert naive < 100  # as recorded, the false-positive rate is off by two points or more most of the time


def test_tipping_point_of_a_comparison():
    many = fairness.CheckedCounts(90, 60, 100, 10, 140, 200)
    few = fairness.CheckedCounts(90, 20, 100, 10, 180, 200)
    tip = fairness.tipping_gamma(counts=many, other=few, metric="false_positive_rate", with_sampling=False)
    assert 1 < tip < 10
    around = [
        [fairness.bounds_under(counts=c, metric="false_positive_rate", gamma=g) for c in (many, few)]
        for g in (0.999 * tip, 1.001 * tip)
    ]
    assert around[0][0].low > around[0][1].high and around[1][0].low <= around[1][1].high
    assert fairness.tipping_gamma(counts=many, other=many, metric="recall") == 1.0
    none = fairness.CheckedCounts(0, 0, 0, 0, 0, 0)
    assert fairness.tipping_gamma(counts=many, other=none, metric="recall") is None


def test_concentration_by_hand():
    assert fairness.gini([1, 2, 3, 4, 5]).item() == pytest.approx(4 / 15)
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    pairs = np.abs(values[:, None] - values).sum() / (2 * 25 * values.mean())  # mean absolute difference
    assert fairness.gini(values).item() == pytest.approx(pairs)
    share = values / values.sum()
    assert fairness.theil(values).item() == pytest.approx((share * np.log(5 * share)).sum())
    # Unequal zones: as if each zone were as many equal ones as its weight.
    split = fairness.gini([3, 1, 1, 2, 2, 2]).item()
    assert fairness.gini([3, 2, 6], weights=[1, 2, 3]).item() == pytest.approx(split)
    assert np.isnan(fairness.theil([[0, 0], [1, 1]])).tolist() == [True, False]
    assert fairness.kl_divergence([1, 0], reference=[1, 1]).item() == pytest.approx(np.log(2))


def test_patrol_shares_and_drift():
    table = fairness.share_table(patrol=[80, 20, 0], truth=[1, 1, 0], zones=["a", "b", "c"])
    assert table.loc["a", "gap"] == pytest.approx(0.3) and np.isnan(table.loc["c", "ratio"])
    path = np.array([[[0.5, 0.5], [0.5, 0.5]], [[0.75, 0.25], [0.6, 0.4]], [[0.6, 0.4], [0.69, 0.31]]])
    first = fairness.time_to_drift(path, truth=[1, 1], times=[10, 20, 30])
    assert first.tolist() == [20.0, np.inf]
    assert fairness.time_to_drift(path, truth=[1, 1], lasting=True).tolist() == [np.inf, np.inf]
    assert not fairness.quantile_interval(np.r_[first, first, first, first]).estimable
    assert fairness.runaway_index(path[-1], truth=[1, 3]).tolist() == pytest.approx([0.35 / 0.75, 0.44 / 0.75])
