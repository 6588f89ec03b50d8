"""No difference declared where there is none, one found where it was planted, and what could not have been seen."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import fairness
from contrechamp.domain.rng import stream

GROUPS, SIZE = 16, 120


def test_equal_rates_are_declared_unequal_in_at_most_one_audit_of_twenty():
    events = stream(3, "null").binomial(SIZE, 0.05, (300, GROUPS))
    p = fairness.each_against_others(events=events, trials=SIZE)
    declared = np.mean([(fairness.holm(one) <= 0.05).any() for one in p])
    eighty = np.mean([fairness.four_fifths_rule(events=one, trials=np.full(GROUPS, SIZE)) for one in events])
    assert declared <= 0.05
    assert eighty == 1.0  # the 80 % rule convicts everyone
    assert (p <= 0.05).any(axis=1).mean() > 0.25  # and so, nearly, do p-values that are not adjusted


def test_a_planted_disparity_is_found_and_named():
    events = stream(3, "planted").binomial(SIZE, np.r_[0.2, np.full(GROUPS - 1, 0.05)])
    names = [f"d{i:02d}" for i in range(1, GROUPS + 1)]
    audit = fairness.audit_disparities(events=events, trials=[SIZE] * GROUPS, groups=names)
    assert audit.declared and audit.groups_shown == ("d01",)
    silent = audit.table[audit.table["verdict"] == "not shown"]
    assert len(silent) == GROUPS - 1 and (silent["detectable_ratio"] > 2).all()
    assert not silent["within_margin"].any()  # not shown is not equal


def test_enough_people_and_equal_rates_are_shown_to_be_within_the_margin():
    audit = fairness.audit_disparities(events=[1_000, 1_010, 0], trials=[20_000, 20_000, 0], groups=["A", "B", "C"])
    assert audit.table["verdict"].tolist() == ["not shown", "not shown", "not estimable"]
    assert audit.table["within_margin"].tolist() == [True, True, False]
    assert np.isnan(audit.table.loc["C", "detectable_ratio"])


def test_no_event_anywhere_is_not_estimable():
    audit = fairness.audit_disparities(events=[0, 0], trials=[40, 50], groups=["A", "B"])
    assert set(audit.table["verdict"]) == {"not estimable"} and not audit.declared
    assert fairness.four_fifths_rule(events=[0, 0], trials=[40, 50]) is None


def test_exact_scan_agrees_with_full_enumeration():
    # Every way to place 3 events among 12 people of 3 groups, by hand.
    sizes = (2, 4, 6)
    label = np.repeat([0, 1, 2], sizes)
    events = np.isin(np.arange(12), [0, 1, 7])  # two of the two people of group 0
    scan = fairness.scan_subgroups(events=events, groups=label, min_size=1)

    def smallest(chosen):
        counts = np.bincount(label[list(chosen)], minlength=3)
        return min(stats.hypergeom.sf(k - 1, 12, 3, n) for k, n in zip(counts, sizes, strict=True))

    here = smallest(np.flatnonzero(events))
    every = [smallest(c) <= here * (1 + 1e-9) for c in itertools.combinations(range(12), 3)]
    assert scan.method == "exact-minimum" and scan.worst == {"group": 0} and scan.n_subgroups == 3
    assert scan.p_value == pytest.approx(np.mean(every), rel=1e-9)


def test_permutation_meets_the_exact_law():
    rng = stream(4, "scan")
    label = rng.integers(0, 6, 600)
    events = rng.random(600) < 0.08 + 0.06 * (label == 2)
    exact = fairness.scan_subgroups(events=events, groups=label)
    drawn = fairness.scan_subgroups(
        events=events, groups=label, strata=np.zeros(600, int), rng=stream(4, "perm"), n_permutations=4_000
    )
    assert (exact.method, drawn.method) == ("exact-minimum", "permutation")
    assert drawn.worst == exact.worst and drawn.expected == pytest.approx(exact.expected)
    assert drawn.p_value == pytest.approx(exact.p_value, abs=4 * np.sqrt(0.25 / 4_000))


def test_crossed_scan_finds_the_planted_cell_and_keeps_its_level_under_strata():
    rng = stream(5, "crossed")
    n = 1_500
    frame = pd.DataFrame({"age": rng.choice(["young", "old"], n), "situation": rng.choice(["vendor", "waiting"], n)})
    camera = rng.integers(0, 4, n)
    planted = ((frame["age"] == "young") & (frame["situation"] == "vendor")).to_numpy()
    found = fairness.scan_subgroups(
        events=rng.random(n) < 0.05 + 0.10 * planted, groups=frame, strata=camera, rng=rng, n_permutations=999
    )
    assert found.worst == {"age": "young", "situation": "vendor"} and found.p_value == 0.001
    # Negative control: rates differ between cameras, and groups between cameras too, but not within a camera.
    skewed = np.where(rng.random(n) < 0.2 + 0.2 * camera, "A", "B")
    p_within, p_plain = [], []
    for _ in range(60):
        events = rng.random(n) < 0.03 + 0.04 * camera
        kw = {"events": events, "groups": {"group": skewed}}
        p_within.append(fairness.scan_subgroups(**kw, strata=camera, rng=rng, n_permutations=199).p_value)
        p_plain.append(fairness.scan_subgroups(**kw).p_value)
    assert np.mean(np.array(p_within) <= 0.05) <= 0.15
    assert np.mean(np.array(p_plain) <= 0.05) > 0.5  # what exposure alone makes of it


def test_scan_with_nothing_to_scan():
    empty = fairness.scan_subgroups(events=[0] * 30, groups=["A", "B"] * 15)
    assert not empty.estimable and empty.worst == {} and empty.table.empty
    only = fairness.scan_subgroups(events=[1, 0, 0] * 10, groups=["A", "B", "C"] * 10, among=[0] * 30)
    assert not only.estimable
