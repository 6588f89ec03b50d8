"""Laws of the replays: nothing depends on chunks, workers or company; remedies do what their name says."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import CapabilityError, ParameterError
from contrechamp.domain.rng import stream
from fairness.feedback import Arrivals
from fairness.limits import greedy_law
from fairness.remedies import COLUMNS, compare_remedies, usual_remedies
from fairness.replay import Policy, Remedy, replay
from fairness.urns import p_share_beyond

WORLD = {"rates": (0.7, 0.4, 0.2), "start": (5, 5, 5), "n_days": 60}


def _same(one, other):
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)


@settings(max_examples=15, deadline=None)
@given(
    chunk=st.integers(1, 40), jobs=st.integers(1, 3), n_reps=st.integers(1, 30), poisson=st.booleans(),
    rho=st.floats(0, 1),
)  # fmt: skip
def test_neither_chunks_nor_workers_change_a_number(chunk, jobs, n_reps, poisson, rho):
    common = WORLD | {
        "policies": usual_remedies(n_zones=3, rho=rho),
        "n_reps": n_reps,
        "arrivals": Arrivals.POISSON if poisson else Arrivals.BERNOULLI,
        "checkpoints": (0, 7, 60),
    }
    _same(
        replay(**common, rng=stream(51, "laws")),
        replay(**common, rng=stream(51, "laws"), chunk=chunk, jobs=jobs),
    )


def test_neither_company_nor_more_replicates_change_a_policy():
    every = replay(**WORLD, policies=usual_remedies(n_zones=3), n_reps=12, rng=stream(52, "company"))
    for k, policy in enumerate(every.policies):
        alone = replay(**WORLD, policies=[policy], n_reps=7, rng=stream(52, "company"))
        np.testing.assert_array_equal(alone.recorded_error[0], every.recorded_error[k, :7])
        np.testing.assert_array_equal(alone.discovered[0], every.discovered[k, :7])


def test_dask_gives_the_same_numbers():
    distributed = pytest.importorskip("distributed")
    common = WORLD | {"policies": [Policy(), Policy(Remedy.THINNED)], "n_reps": 9, "chunk": 4}
    here = replay(**common, rng=stream(53, "dask"))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        there = replay(**common, rng=stream(53, "dask"), jobs=2, dask=cluster.scheduler_address)
    _same(here, there)


def test_a_wrong_dask_address_is_one_paragraph():
    pytest.importorskip("distributed")
    with pytest.raises(CapabilityError, match="leave the address out"):
        replay(**WORLD, policies=[Policy()], n_reps=2, rng=stream(53, "dask"), dask="nonsense://here")


def test_the_replays_have_the_law_of_the_urn():
    exact = p_share_beyond(start=(10, 10), n_draws=400, p_addition=0.5, tolerance=0.15)
    runs = replay(
        rates=(0.5, 0.5), start=(10, 10), policies=[Policy()], n_days=400, n_reps=6_000, rng=stream(54, "urn")
    )
    off = int((runs.recorded_error[0] > 0.15 + 1e-9).sum())
    assert abs(off - 6_000 * exact) < 3.5 * np.sqrt(6_000 * exact * (1 - exact))


def test_greedy_replays_have_the_greedy_law():
    runs = replay(
        rates=(1, 5), start=(11, 10), policies=[Policy(top=True)], n_days=200, n_reps=400, rng=stream(55, "greedy"),
        arrivals=Arrivals.POISSON,
    )  # fmt: skip
    assert (runs.patrol_first == 1).all()
    law = greedy_law(start=(11, 10), rates=(1, 5), n_days=200)
    assert runs.recorded_first.mean() == pytest.approx(law[0], abs=4 * runs.recorded_first.std() / 20)


def test_remedies_do_what_their_name_says():
    policies = (
        Policy(rho=0.2), Policy(Remedy.IMPORTANCE_WEIGHTED, rho=0.2), Policy(Remedy.THINNED, rho=0.2),
        Policy(Remedy.REPORTED_ONLY, rho=0.2), Policy(Remedy.EXPLORATION, strength=1.0, rho=0.2),
        Policy(Remedy.CAPPED, strength=0.55, rho=0.2), Policy(Remedy.TRUTH, rho=0.2),
    )  # fmt: skip
    runs = replay(rates=(0.8, 0.2), start=(5, 5), policies=policies, n_days=2_000, n_reps=300, rng=stream(56, "names"))
    believed = runs.believed_error.mean(axis=1)
    assert believed[0] > 0.08  # following the file believes what it made
    assert (believed[1:4] < 0.03).all()  # the three corrections believe the truth
    patrol = runs.patrol_first.mean(axis=1)
    assert patrol[4] == pytest.approx(0.5, abs=0.005)  # epsilon of one: at random
    assert patrol[5] == pytest.approx(0.55, abs=0.005)  # the cap binds
    assert patrol[6] == pytest.approx(0.8, abs=0.003)
    learnt = (runs.learnt / runs.discovered).mean(axis=1)
    assert learnt[3] == 0 and learnt[2] < 0.5 and (learnt[[0, 1, 4, 5]] == 1).all()


def test_a_negative_control_finds_nothing_to_repair():
    # Everything is reported: no discovery, no loop, and every rule that learns believes the same file.
    table = compare_remedies(
        rates=(0.5, 0.5), start=(10, 10), rho=1.0, n_days=300, n_reps=60, rng=stream(57, "control")
    ).set_index("remedy")
    assert (table["found_per_1000_days"] == 0).all()
    assert (table["found_lost_per_1000_days"] == 0).all()
    learning = ["none", "reported-only", "importance-weighted", "thinned"]
    assert table.loc[learning, "patrol_gap_change"].eq(0).all()
    assert table["recorded_gap"].nunique() == 1


def test_the_table_says_what_each_remedy_costs():
    table = compare_remedies(
        rates=(0.9, 0.7, 0.5, 0.3, 0.1), start=(10,) * 5, rho=0.25, n_days=500, n_reps=200, rng=stream(58, "costs"),
        jobs=2,
    )  # fmt: skip
    assert list(table["remedy"]) == [p.label for p in usual_remedies(n_zones=5, rho=0.25)]
    row = table.set_index("remedy")
    assert row.loc["none", "patrol_gap_change"] == row.loc["none", "found_lost_per_1000_days"] == 0
    assert row.loc["thinned", "unused_finds"] > 0.5 > row.loc["importance-weighted", "unused_finds"] == 0
    # Where rates differ, sending patrols away from the busiest zone finds less, and the interval says so.
    assert row.loc["exploration 0.5", "found_lost_per_1000_days_low"] > 30
    assert row.loc["none (top)", "found_lost_per_1000_days_high"] < 0  # greed finds more, and patrols one zone
    assert row.loc["none (top)", "patrol_gap_change_low"] > 0.3
    for name in COLUMNS:
        assert (table[f"{name}_low"] <= table[name]).all() and (table[name] <= table[f"{name}_high"]).all()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"rates": (0.5, 1.5)}, "rates"),
        ({"start": (0, 1, 1)}, "start"),
        ({"policies": []}, "policies"),
        ({"policies": [Policy(Remedy.THINNED, top=True)]}, "no probability"),
        ({"policies": [Policy(Remedy.CAPPED, strength=0.2)]}, "strength"),
        ({"policies": [Policy(Remedy.EXPLORATION)]}, "strength"),
        ({"policies": [Policy(strength=0.1)]}, "strength"),
        ({"policies": [Policy(rho=(0.1, 0.2))]}, "rho"),
        ({"checkpoints": (3, 3)}, "checkpoints"),
        ({"n_reps": 0}, "n_reps"),
        ({"chunk": 0}, "chunk"),
        ({"drift_threshold": 0.0}, "drift_threshold"),
        ({"rng": np.random.Generator(np.random.RandomState(1)._bit_generator)}, "SeedSequence"),
    ],
)
def test_wrong_parameters_are_refused(change, match):
    good = WORLD | {"policies": [Policy()], "n_reps": 2, "rng": stream(59, "bad")}
    with pytest.raises(ParameterError, match=match):
        replay(**(good | change))
