"""E02: the bars of the experiment, its controls, and its independence from workers."""

import dataclasses

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.experiments import base
from contrechamp.experiments import e02_feedback_loop as e02


@pytest.fixture(scope="module")
def outcome():
    params = dataclasses.replace(
        e02.Params.quick(), rhos=(0.0, 0.25, 0.5, 1.0), arrivals=("bernoulli",), n_plausible=32
    )
    return e02.run(params, seed=2018)


def _get(outcome, measure, **world):
    found = [
        r.interval
        for r in outcome.results
        if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())
    ]
    assert len(found) == 1
    return found[0]


def test_top_zone_patrols_run_away_when_residents_are_silent(outcome):
    at = {"rates": "equal", "rule": "top"}
    for rho in (0.0, 0.25):
        found = _get(outcome, "recorded_off_20", rho=rho, **at)
        assert found.estimate == 1.0 and found.low > 0.99 and found.n == 400
        assert _get(outcome, "recorded_excess_20", rho=rho, **at).low > 0.97
        assert _get(outcome, "days_to_drift", rho=rho, **at).estimate < 120
    assert _get(outcome, "recorded_off_20", rho=0.5, **at).estimate <= 0.02
    assert not _get(outcome, "days_to_drift", rho=0.5, **at).estimable
    # just under 20 points is not level: at half reported, every city is more than 10 points off, because of the loop
    assert _get(outcome, "recorded_off_10", rho=0.5, **at).low > 0.98
    assert _get(outcome, "recorded_excess_10", rho=0.5, **at).low > 0.97
    assert _get(outcome, "recorded_excess_20", rho=0.5, **at).high < 0.02


def test_the_control_shows_what_ties_alone_do_to_patrols(outcome):
    at = {"rates": "equal", "rule": "top"}
    control = _get(outcome, "patrol_off_20", rho=1.0, **at)
    assert control.low < 0.738 < control.high
    excess = _get(outcome, "patrol_excess_20", rho=0.0, **at)
    assert excess.estimate == pytest.approx(1 - control.estimate)
    assert 0.15 < excess.low < excess.high < 0.4


def test_proportional_patrols_follow_the_exact_law(outcome):
    at = {"rates": "equal", "rule": "proportional"}
    exact = _get(outcome, "recorded_off_20_exact", rho=0.0, **at)
    assert exact.estimate == pytest.approx(0.0593, abs=5e-5) and exact.low == exact.high
    found = _get(outcome, "recorded_off_20", rho=0.0, **at)
    assert found.low < exact.estimate < found.high
    assert _get(outcome, "recorded_off_20", rho=0.25, **at).estimate == 0


def test_a_fixed_allocation_never_drifts(outcome):
    for rates in ("equal", "0.6/0.4"):
        for rho in (0.0, 0.25, 0.5, 1.0):
            assert _get(outcome, "recorded_off_20", rates=rates, rule="fixed", rho=rho).estimate == 0
    excess = _get(outcome, "patrol_excess_20", rates="equal", rule="fixed", rho=0.0)
    assert (excess.estimate, excess.method) == (0.0, "identical-runs")


def test_unequal_zones_drift_more_and_the_correction_holds_its_belief(outcome):
    at = {"rates": "0.6/0.4", "rho": 0.0}
    assert _get(outcome, "recorded_off_20", rule="proportional", **at).low > 0.3
    assert _get(outcome, "believed_off_20", rule="importance-weighted", **at).estimate == 0


def test_results_bear_declared_measures_once_and_tables_repeat_them(outcome):
    declared = {m.key for m in e02.MEASURES}
    assert {r.measure for r in outcome.results} == declared
    assert len({r.key for r in outcome.results}) == len(outcome.results)
    curve = outcome.tables["E02_curve"]
    assert len(curve) == sum(r.table == "E02_curve" for r in outcome.results)
    assert {"zones", "rates", "arrivals", "rule", "rho", "measure", "value", "low", "high", "n"} <= set(curve.columns)
    paths = outcome.tables["E02_paths"]
    assert paths["recorded_share"].between(0, 1).all()
    assert set(paths["day"]) >= {0, 500, 1_000}


def test_same_numbers_with_one_and_two_workers_and_other_numbers_with_another_seed():
    small = dataclasses.replace(
        e02.Params.quick(), n_reps=230, n_days=30, rhos=(0.0,), rules=("top", "proportional"), n_base=4, n_plausible=4,
        n_cities=8,
    )  # fmt: skip
    steps = []
    one = e02.run(small, seed=3, progress=lambda *step: steps.append(step))
    two = e02.run(small, seed=3, jobs=2)
    assert one.results == two.results
    assert one.tables["E02_paths"].equals(two.tables["E02_paths"])
    assert one.tables["e02_worlds"].equals(two.tables["e02_worlds"])
    assert one.tables["e02_sobol"].equals(two.tables["e02_sobol"])
    assert ("E02: curve", 6, 6) in steps and steps[-1] == ("E02: Sobol design", 1, 1)
    assert e02.run(small, seed=4).results != one.results


def test_more_replicates_keep_the_first_ones():
    # 200 replicates are the first block of 400: adding some changes no earlier number.
    small = dataclasses.replace(
        e02.Params.quick(),
        n_days=20,
        rhos=(0.0,),
        rules=("top",),
        unequal_rates=(),
        n_base=2,
        n_plausible=2,
        n_cities=2,
    )
    assert e02.BLOCK == 200
    first = e02._block(small, [e02.AllocationRule.TOP], (0.0, 1.0), e02._worlds(small)[0], 0, 200, 9)
    run = e02.run(dataclasses.replace(small, n_reps=200), seed=9)
    hits = int((first["top", 0.0]["recorded"] > 0.1 + 1e-9).sum())
    assert _get(run, "recorded_off_10", rho=0.0, arrivals="bernoulli").estimate == hits / 200


def test_textual_overrides_and_refusals():
    params = base.parameters("E02", overrides={"rhos": "0,0.5", "rules": "top", "equal_zones": "2,5"})
    assert params.rhos == (0.0, 0.5) and params.equal_zones == (2, 5)
    for change, fragment in (
        ({"rules": ("best",)}, "`rules` parameter of E02 must be among proportional, top"),
        ({"arrivals": ("weekly",)}, "`arrivals`"),
        ({"unequal_rates": ("a/b",)}, "separated by '/'"),
        ({"n_reps": 0}, "`n_reps`"),
        ({"ranges": ("rho=0..1",)}, "one range for each of"),
        ({"ranges": ("rho 0..1",)}, "name=low..high"),
        ({"ranges": (*params.ranges[1:], "rho=0..2")}, "within [0, 1] for rho"),
        ({"ranges": (*params.ranges[1:], "rho=0..1 cubic")}, "log or whole"),
        ({"n_base": 100}, "`n_base`"),
        ({"n_cities": 1}, "`n_cities`"),
    ):
        with pytest.raises(ParameterError) as caught:
            e02.run(dataclasses.replace(params, **change), seed=1)
        assert fragment in str(caught.value)


def test_the_share_of_plausible_worlds_is_a_count_of_verdicts(outcome):
    worlds, shares = outcome.tables["e02_worlds"], {}
    for verdict in ("supported", "refuted", "open"):
        found = _get(outcome, f"share_of_worlds_{verdict}")
        assert found.estimate == pytest.approx((worlds["verdict"] == verdict).mean()) and found.n == 32
        assert found.method == "clopper-pearson"
        shares[verdict] = found.estimate
    assert sum(shares.values()) == pytest.approx(1.0)
    for name, low, high in (("rho", 0, 1), ("zones", 2, 20), ("exponent", 0, 4), ("days", 90, 1460)):
        assert worlds[name].between(low, high).all() and worlds[name].nunique() > 10
    assert (worlds.loc[worlds["verdict"] == "supported", "off_20"] > 0.5).all()


def test_a_world_is_judged_by_the_criteria_of_the_register():
    from contrechamp.audit.plan import claims_rules, current_plan
    from contrechamp.audit.rules import evaluate
    from contrechamp.experiments.e02_worlds import judge
    from fairness.intervals import paired_difference_interval, rate_interval

    rule = next(r for r in claims_rules(current_plan(), "C02")[0] if r.experiment == "E02")
    names = {"supported": "supported", "refuted": "refuted", "inconclusive": "open"}
    rng = np.random.default_rng(5)
    seen = set()
    for _ in range(60):
        scale = rng.choice([0.02, 0.05, 0.1, 0.6])
        loop, control = rng.exponential(scale, 100), rng.exponential(scale * rng.choice([0.1, 1.0]), 100)
        world = {"zones": 2, "rates": "equal", "rule": "top", "rho": 0.0}
        rows = []
        for at in (20, 10):
            hit, base = loop > at / 100 + 1e-9, control > at / 100 + 1e-9
            off = rate_interval(events=int(hit.sum()), trials=100, method="wilson")
            more = paired_difference_interval(
                both=int((hit & base).sum()), first_only=int((hit & ~base).sum()),
                second_only=int((~hit & base).sum()), neither=int((~hit & ~base).sum()),
            )  # fmt: skip
            for key, i in ((f"recorded_off_{at}", off), (f"recorded_excess_{at}", more)):
                row = {"experiment": "E02", "measure": key, "world": world, "value": i.estimate, "id": key}
                rows.append(row | {"low": i.low, "high": i.high})
        verdict = judge(loop, control)
        assert names[evaluate(rule, rows)["verdict"]] == verdict
        seen.add(verdict)
    assert seen == {"supported", "refuted", "open"}


def test_sobol_indices_name_every_unknown_and_its_range(outcome):
    table = outcome.tables["e02_sobol"].set_index("factor")
    assert list(table.index) == [text.partition("=")[0] for text in e02.Params.quick().ranges] + ["luck"]
    assert (table.loc["rho", "from"], table.loc["rho", "to"]) == (0.0, 1.0)
    assert table["total"].idxmax() == "rho"
    for name, row in table.iterrows():
        assert _get_factor(outcome, "sobol_total", name).estimate == row["total"]
        assert row["n"] == 512


def _get_factor(outcome, measure, factor):
    return next(r.interval for r in outcome.results if r.measure == measure and r.world == {"factor": factor})
