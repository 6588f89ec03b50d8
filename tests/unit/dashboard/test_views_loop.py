"""The patrol loop's page shows the audit's engine, with the control on the same cities."""

import dataclasses

import numpy as np
import pytest

from contrechamp.domain.rng import stream
from contrechamp.experiments.e02_feedback_loop import BLOCK, Params, run
from dashboard import views_loop
from dashboard.views_loop import Setting
from fairness.feedback import AllocationRule, simulate_feedback

SETTING = Setting(
    rule="top", rho=0.0, rates=(0.5, 0.5), start=(10, 10), arrivals="bernoulli", n_days=200, n_reps=80, seed=3
)


def test_what_is_played_is_what_the_engine_plays() -> None:
    played = views_loop.play(dataclasses.replace(SETTING, rule="proportional", rho=0.3))
    alone = simulate_feedback(
        rates=(0.5, 0.5), rho=0.3, rule=AllocationRule.PROPORTIONAL, n_days=200, n_reps=80, start=(10, 10),
        rng=stream(3, "E02", "equal", 2, "bernoulli", "block", 0),
    )  # fmt: skip
    assert np.array_equal(played.here.recorded_share, alone.recorded_share)


@pytest.mark.parametrize(("rule", "rho"), [("proportional", 0.0), ("top", 0.5)])
@pytest.mark.parametrize("law", ["bernoulli", "poisson"])
def test_a_run_and_the_page_say_the_same_of_the_same_world(rule: str, rho: float, law: str) -> None:
    """Same seed, same cities: the report's number is the page's, over more than one block of cities."""
    params = Params(
        n_reps=BLOCK + 30, n_days=120, rhos=(rho,), rules=(rule,), arrivals=(law,), unequal_rates=("0.6/0.4",),
        n_base=2, n_plausible=2, n_cities=2,
    )  # fmt: skip
    found = {
        (r.measure, r.world["rates"]): r.interval for r in run(params, seed=11).results if r.world.get("rho") == rho
    }
    setting = dataclasses.replace(SETTING, rule=rule, rho=rho, arrivals=law, n_days=120, n_reps=BLOCK + 30, seed=11)
    for label, rates in (("equal", (0.5, 0.5)), ("0.6/0.4", (0.6, 0.4))):
        if label != "equal" and law != "bernoulli":
            continue
        played = views_loop.play(dataclasses.replace(setting, rates=rates))
        assert views_loop.off(played.here) == found["recorded_off_20", label]
        assert views_loop.off(played.here, patrol=True) == found["patrol_off_20", label]


def test_greedy_rule_with_nothing_reported_drifts_everywhere_and_the_control_nowhere() -> None:
    played = views_loop.play(dataclasses.replace(SETTING, n_days=1000))
    here, control, more = views_loop.off(played.here), views_loop.off(played.control), views_loop.added(played)
    assert (here.estimate, here.n) == (1.0, 80)
    assert here.low == pytest.approx(80 / (80 + 1.959964**2), abs=1e-4)  # Wilson at n of n
    assert control.estimate == 0.0
    assert more.estimate == 1.0


def test_when_everything_is_reported_the_two_are_the_same_cities() -> None:
    played = views_loop.play(dataclasses.replace(SETTING, rho=1.0))
    more = views_loop.added(played)
    assert (more.estimate, more.low, more.high, more.n) == (0.0, 0.0, 0.0, 80)
    assert "same cities, no difference" in views_loop.drift_table(played, rho=1.0, lang="en").iloc[0, 2]


def test_the_figure_draws_quantiles_truth_and_the_last_day() -> None:
    setting = dataclasses.replace(SETTING, rates=(0.2, 0.6))
    played = views_loop.play(setting)
    figure = views_loop.drift_figure(played, rho=0.0, lang="fr")
    median = next(t for t in figure.data if t.name == "ville médiane")
    assert median.y[-1] == pytest.approx(100 * np.median(played.here.recorded_share[:, 0]))
    assert median.x[0] == 0
    assert median.x[-1] == 200
    lines = sorted({round(s.y0, 6) for s in figure.layout.shapes})
    assert lines == [5.0, 25.0, 45.0]  # true share 25 %, and 20 points from it
    bars = [t for t in figure.data if t.type == "histogram"]
    assert [len(b.y) for b in bars] == [80, 80]


def test_every_rule_and_law_has_a_name_in_both_languages() -> None:
    for names in (views_loop.rule_names, views_loop.arrival_names):
        fr, en = names("fr"), names("en")
        assert fr.keys() == en.keys()
        assert all(fr[k] != k for k in fr)
