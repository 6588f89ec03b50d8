"""The loop with dials against a plain one, against the exact urn; a history lived fast and lived day by day."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from fairness import walk
from fairness.feedback import AllocationRule, Arrivals, draw_history, sweep_feedback
from fairness.loop_space import gaps, zone_rates
from fairness.relive import relive
from fairness.replay import Policy, Remedy
from fairness.urns import p_share_beyond

DIALS = {
    "rho": 0.2, "ratio": 3.0, "zones": 4.0, "start": 5.0, "exponent": 1.7, "finding": 0.6, "days": 60.0, "rate": 0.8,
}  # fmt: skip


def _plain(dials: dict[str, float], city: walk.City) -> tuple[float, float]:
    """One incident at a time, in plain Python."""
    zones = int(dials["zones"])
    rates = [dials["rate"] / dials["ratio"] * dials["ratio"] ** (i / (zones - 1)) for i in range(zones)]
    truth = [r / sum(rates) for r in rates]
    file = [dials["start"] * zones * t for t in truth]
    known = list(file)
    for day in range(int(dials["days"])):
        weights = [f ** dials["exponent"] for f in file]
        point, there = city.dispatch[day] * sum(weights), 0
        while sum(weights[: there + 1]) <= point and there < zones - 1:
            there += 1
        for k in range(city.opens[day], city.opens[day + 1]):
            z = int(city.zone[k])
            known[z] += 1
            told = city.mark[k] < dials["rho"]
            found = z == there and city.luck[k] < dials["finding"]
            file[z] += told or found
    return tuple(max(abs(c / sum(x) - t) for c, t in zip(x, truth, strict=True)) for x in (file, known))


@pytest.mark.parametrize("change", [{}, {"exponent": 0.0}, {"rho": 1.0}, {"finding": 0.0, "rho": 0.0}])
def test_the_compiled_loop_is_the_plain_one(change: dict[str, float]) -> None:
    dials = DIALS | change
    loop, control = gaps(dials, n_cities=8, rng=stream(3, "dials"))
    rates = zone_rates(zones=4, ratio=3.0, rate=0.8)
    assert rates[-1] / rates[0] == pytest.approx(3.0)
    for k, own in enumerate(stream(3, "dials").spawn(8)):
        city = walk.draw_city(rates=rates, poisson=False, n_days=60, rng=own, ties=False, explore=False)
        assert (loop[k], control[k]) == pytest.approx(_plain(dials, city), rel=1e-9)
    if dials["rho"] == 1.0:
        assert (loop == control).all()


def test_exponent_one_is_the_urn_of_the_closed_form() -> None:
    dials = DIALS | {"rho": 0.0, "ratio": 1.0, "zones": 2.0, "start": 10.0, "exponent": 1.0, "finding": 1.0,
                     "days": 1000.0, "rate": 0.5}  # fmt: skip
    loop, _ = gaps(dials, n_cities=1500, rng=stream(7, "urn"))
    want = p_share_beyond(start=(10.0, 10.0), n_draws=1000, p_addition=0.5, tolerance=0.2)
    assert float((loop > 0.2 + 1e-9).mean()) == pytest.approx(want, abs=4 * np.sqrt(want * (1 - want) / 1500))


def test_a_sharper_rule_drifts_more_and_a_flat_one_does_not() -> None:
    mean = {
        e: gaps(DIALS | {"exponent": e, "rho": 0.05, "ratio": 1.0, "days": 500.0}, n_cities=60, rng=stream(1, "e"))
        for e in (0.0, 1.0, 3.0)
    }
    added = {e: float((loop - control).mean()) for e, (loop, control) in mean.items()}
    assert added[0.0] < added[1.0] < added[3.0]
    assert added[3.0] > 0.3


@pytest.mark.parametrize(("name", "value"), [("rho", 1.2), ("zones", 1), ("exponent", -1), ("rate", 0.0)])
def test_dials_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=f"`{name}`"):
        gaps(DIALS | {name: value}, n_cities=2, rng=stream(1, "x"))


@pytest.mark.parametrize("arrivals", list(Arrivals))
def test_a_history_lived_city_by_city_is_the_one_lived_day_by_day(arrivals: Arrivals) -> None:
    history = draw_history(rates=(0.3, 0.9, 0.6), n_days=90, n_reps=7, rng=stream(41, "re"), arrivals=arrivals)
    rhos, days = (0.0, 0.35, 1.0), (0, 45, 90)
    policies = [Policy.of_rule(rule, rho=rho) for rule in AllocationRule for rho in rhos]
    found = relive(history, policies=policies, start=(3, 1, 2), checkpoints=days)
    for i, rule in enumerate(AllocationRule):
        swept = sweep_feedback(history, rule=rule, rhos=rhos, start=(3, 1, 2), checkpoints=days)
        for j, runs in enumerate(swept):
            k = i * len(rhos) + j
            for name in ("recorded_error", "patrol_error", "believed_error", "drift_day"):
                np.testing.assert_allclose(getattr(found, name)[k], getattr(runs, name), rtol=1e-12, err_msg=name)
            np.testing.assert_allclose(found.path[k], runs.path[:, :, 0].T, rtol=1e-12)
            np.testing.assert_allclose(found.largest_share[k], runs.recorded_share.max(axis=1), rtol=1e-12)


def test_what_cannot_be_lived_on_a_history_is_refused() -> None:
    history = draw_history(rates=(0.5, 0.5), n_days=5, n_reps=2, rng=stream(1, "r"))
    for given in (
        {"policies": [Policy(Remedy.EXPLORATION, strength=0.1)]}, {"policies": []},
        {"policies": [Policy()], "start": (1, 0)}, {"policies": [Policy()], "checkpoints": (3, 2)},
        {"policies": [Policy()], "drift_threshold": 0.0},
    ):  # fmt: skip
        with pytest.raises(ParameterError):
            relive(history, **({"start": (1, 1)} | given))  # type: ignore[arg-type]
