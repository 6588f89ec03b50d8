"""What `import fairness` gives: the call of the README, names loaded when asked, groups as users have them."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import fairness
from contrechamp.domain.errors import ParameterError


def test_the_call_that_is_promised():
    found = fairness.rate_interval(events=0, trials=40, level=0.95, method="clopper-pearson")
    assert isinstance(found, fairness.Interval)
    assert (found.estimate, found.low, found.n, found.method, found.estimable) == (
        0.0,
        0.0,
        40,
        "clopper-pearson",
        True,
    )
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 40))
    assert fairness.rate_interval(events=0, trials=40) == found  # the default covers at least its level


def test_every_public_name_loads_and_is_listed():
    for name in fairness.__all__:
        assert getattr(fairness, name) is not None
        assert name in dir(fairness)
    with pytest.raises(AttributeError, match="no attribute 'unbiased'"):
        _ = fairness.unbiased


def test_importing_the_package_loads_no_statistics():
    code = "import sys, fairness; sys.exit('scipy' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_stay_where_older_code_imports_them():
    from fairness import intervals

    for name in ("rate_interval", "ratio_interval", "mean_interval", "quantile_interval", "poisson_rate_interval"):
        assert getattr(intervals, name) is getattr(fairness, name)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: fairness.rate_bounds(events=[1, 3], trials=[2, 2]), "`events` parameter of rate_bounds"),
        (lambda: fairness.rate_bounds(events=[0.5], trials=[2]), "whole numbers"),
        (lambda: fairness.holm([0.2, 1.4]), "`p_values` parameter of holm"),
        (lambda: fairness.Family("f", ("a", "a"), "confirmatory"), "distinct names"),
        (lambda: fairness.Family("f", ("a",), "significant"), "one of confirmatory, exploratory"),
        (lambda: fairness.equivalence_test(events=1, trials=2, other_events=1, other_trials=2, margin=0.8), "1.25"),
        (lambda: fairness.minimum_detectable_ratio(trials=9, other_trials=9, other_rate=5), "share in [0, 1]"),
        (lambda: fairness.serial_interval([1.0] * 20, exposure=[1.0] * 19), "length of `values`"),
        (lambda: fairness.resampled_interval(np.mean, rng=np.random.default_rng(1)), "`arrays` parameter"),
        (lambda: fairness.gini([1, -1]), "at least 0"),
        (lambda: fairness.time_to_drift([[1, 1]], truth=[1, 1], times=[1, 2]), "one per layer"),
        (lambda: fairness.scan_subgroups(events=[0, 1], groups={"a": [1, 2], "b": [1, 2]}), "domain.rng.stream"),
        (lambda: fairness.scan_subgroups(events=[0, 2], groups=[1, 2]), "booleans or 0/1"),
        (lambda: fairness.burden_table(alerts=[1], false_alerts=[2], groups=["A"]), "at most `alerts`"),
        (
            lambda: fairness.bounds_under(counts=fairness.CheckedCounts(*[1] * 6), metric="recall", gamma=0.5),
            "at least 1",
        ),
        (lambda: fairness.audit_disparities(events=[1, 2], trials=[5, 5], groups=["A", "A"]), "distinct names"),
    ],
)
def test_refusals_are_one_paragraph(call, fragment):
    with pytest.raises(ParameterError) as caught:
        call()
    assert fragment in str(caught.value) and "\n" not in str(caught.value) and caught.value.exit_code == 10


def test_a_family_refuses_what_it_did_not_declare_and_counts_what_it_could_not_test():
    family = fairness.Family("false alerts", ("A", "B", "C"), "confirmatory")
    with pytest.raises(ParameterError, match="second, exploratory"):
        family.judge({"A": 0.01, "B": 0.2, "D": 0.001})
    judged = family.judge({"A": 0.02, "B": 0.5, "C": None})
    assert judged.loc["A", "p_adjusted"] == pytest.approx(0.06)  # three hypotheses, though only two were tested
    assert not judged["found"].any() and np.isnan(judged.loc["C", "p_adjusted"])
    assert family.digest != fairness.Family("false alerts", ("A", "B"), "confirmatory").digest
    assert len(family.digest) == 64


def test_rates_by_crossed_group_with_unknown_labels_and_groups():
    frame = pd.DataFrame(
        {
            "district": pd.Series(["n", "n", "s", "s", None, "s"], dtype="string"),
            "situation": ["waiting", "vendor", "waiting", "waiting", "vendor", "waiting"],
            "y": pd.array([0, 0, 0, None, 0, 1], dtype="Int64"),
            "flag": [True, False, False, True, True, True],
        }
    )
    table = fairness.group_rates(
        metric="false_positive_rate", y_true=frame["y"], y_pred=frame["flag"], groups=frame[["district", "situation"]]
    )
    assert len(table) == 6 and table["n"].sum() == 4 and table["excluded"].sum() == 1
    assert table.loc[("(missing)", "vendor"), "events"] == 1  # nobody is dropped for want of a group
    assert not table.loc[("s", "vendor"), "estimable"] and np.isnan(table.loc[("s", "vendor"), "estimate"])
    assert table.loc[("s", "waiting"), "rule_of_three"] == 3.0


def test_sentences_in_both_languages_never_say_zero_alone():
    nothing = fairness.describe_rate(fairness.rate_interval(events=0, trials=120), events=0)
    assert nothing.fr.startswith("0 sur 120 : au plus 3,0 %") and "règle de trois : 3/120 = 2,5 %" in nothing.fr
    some = fairness.describe_rate(fairness.rate_interval(events=3, trials=120), events=3)
    assert some.en == "3 of 120: 2.5%, between 0.5 and 7.1% (95% interval, clopper-pearson)"
    assert "aucun rapport" in fairness.describe_not_shown(trials=3, other_trials=3, other_rate=0.1).fr
