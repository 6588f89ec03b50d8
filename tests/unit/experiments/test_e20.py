"""E20: percentages on games solved by hand, noise against its closed form, planted streams found, a map that flips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contrechamp.audit.claims import read_yaml
from contrechamp.audit.rules import Rule, evaluate
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e20_stream_ablation as e20
from models.importance import shapley
from models.joins import forecast_joins
from synthetic_data.stream_worlds import STREAMS, draw_stream_world

CORNERS = e20.Params(n_informative=(2, 7), information=(0.05,), overlaps=(0.0, 1.0), recording_biases=(0.0, 0.5))


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e20.run(CORNERS, seed=4)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and world.items() <= dict(r.world).items()]
    assert len(found) == 1, (measure, world)
    return found[0].interval


def additive(worth: list[float]) -> np.ndarray:
    return np.array([sum(w for j, w in enumerate(worth) if s >> j & 1) for s in range(256)])


def test_percentages_of_a_game_where_each_stream_adds_its_own() -> None:
    game = additive([0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.04, 0.01])  # 1.0 in all, 0.7 for log, calendar and weather
    measured = e20.join_measures(game)
    assert measured == pytest.approx({"gain_full_join": 3 / 7, "gain_over_log": 1.0, "least_drop_cost": 0.01})
    assert e20.drop_costs(game) == pytest.approx([0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.04, 0.01])
    assert e20.best_few(game) == 0b111  # ties go to the first streams
    assert e20.best_few(additive([0.5, 0, 0, 0, 0, 0.2, 0.1, 0.3])) == 0b10100001


def test_a_repeat_costs_nothing_to_drop_although_it_is_worth_as_much_as_what_it_repeats() -> None:
    game = additive([0.0, *[0.1] * 7])
    twins = np.array([game[s] - 0.1 * (s & 0b110 == 0b110) for s in range(256)])  # 1 and 2 say the same
    measured = e20.join_measures(twins)
    assert measured["least_drop_cost"] == pytest.approx(0.0)
    assert np.isnan(measured["gain_over_log"])  # nothing to take a share of
    assert shapley(twins)[:4] == pytest.approx([0.0, 0.05, 0.05, 0.1])


def test_a_stream_of_noise_costs_half_a_parameter_on_the_truth() -> None:
    """A needless parameter learned from N records loses chi-square(1) / 2N nats: the null value of a useless stream."""
    lost = []
    for rep in range(30):
        world = draw_stream_world(
            rng=stream(2, "noise", rep), n_informative=0, n_days=110, grid_shape=(8, 8), place_sd=0.0
        )
        forecasts = forecast_joins(
            world.recorded, world.covariates, streams=STREAMS[1:], first_day=100, refit_days=100, ridge=1e-6
        )
        # Answers of the whole city toss few coins in ten days: their own imbalance would swamp so small a loss.
        gains = forecasts.gains(world.intensity[100:])
        alone = gains[[1 << j for j in range(3, 8)]] - gains[0]
        assert (alone <= 1e-12).all()
        lost.append(-alone * 2 * world.recorded[:100].sum())
    mean = np.mean(lost)
    assert mean == pytest.approx(1.0, abs=4 * np.std(lost) / np.sqrt(np.size(lost)))


def test_noise_is_worth_nothing_and_what_is_planted_is_found(outcome: Outcome) -> None:
    even = {"information": 0.05, "overlap": 0.0, "recording_bias": 0.0}
    for stream_, role in zip(STREAMS, ("log", "new", "new", *["noise"] * 5), strict=True):
        found = interval(outcome, "shapley_latent", n_informative=2, stream=stream_, **even)
        assert found.low is not None and found.high is not None and found.n == 8
        if role == "noise":
            assert abs(found.low) < 3e-4 and abs(found.high) < 3e-4
        elif role == "new":
            assert found.low < 0.0505 and found.high > 0.0495 and found.low > 0.03
    for stream_ in STREAMS[1:]:
        found = interval(outcome, "shapley_latent", n_informative=7, stream=stream_, **even)
        assert found.estimate == pytest.approx(0.05, abs=0.006)
    known = interval(outcome, "gain_full_join_known", n_informative=7, **even).estimate
    assert interval(outcome, "gain_full_join", n_informative=7, **even).estimate == pytest.approx(known, rel=0.06)


def test_a_stream_that_follows_recording_looks_useful_on_records_and_hurts_on_the_truth(outcome: Outcome) -> None:
    biased = {"n_informative": 2, "information": 0.05, "overlap": 0.0, "recording_bias": 0.5, "stream": "police"}
    on_records, on_truth = (interval(outcome, f"shapley_{k}", **biased) for k in ("recorded", "latent"))
    assert on_records.low is not None and on_truth.high is not None
    assert on_records.low > 0.1 > -0.1 > on_truth.high
    # Records: information of a tilt of 0.5. Truth: what believing that tilt costs, -(log 1.5 + log 0.5) / 2.
    assert on_records.estimate == pytest.approx(0.1308, abs=0.01)
    assert on_truth.estimate == pytest.approx(0.5 * np.log(1.5 * 0.5), abs=0.01)


def test_the_frozen_criteria_flip_between_worlds(outcome: Outcome) -> None:
    rows = [r.to_dict() | {"id": str(k)} for k, r in enumerate(outcome.results)]
    rules = {r["claim"]: Rule.parse(r) for r in read_yaml("rules.yaml")["rules"] if r["experiment"] == "E20"}
    verdicts = {
        claim: {
            tuple(w["world"][k] for k in ("n_informative", "overlap", "recording_bias")): w["verdict"]
            for w in evaluate(rule, rows)["worlds"]
        }
        for claim, rule in rules.items()
    }
    assert verdicts["M06"][7, 0.0, 0.0] == "supported"  # every stream tells something new
    assert verdicts["M06"][7, 1.0, 0.0] == verdicts["M06"][2, 0.0, 0.0] == "refuted"  # log, calendar, weather suffice
    assert verdicts["M06"][2, 0.0, 0.5] == "refuted"  # joining all makes it worse
    assert verdicts["V12"][7, 0.0, 0.0] == "supported" and verdicts["V12"][7, 1.0, 0.0] == "refuted"


def test_numbers_depend_on_the_seed_and_not_on_the_workers(outcome: Outcome) -> None:
    few = replace(CORNERS, n_informative=(2,), worlds=3, train_days=60, choice_days=10, test_days=20)
    one, two, other = (e20.run(few, seed=s, jobs=j) for s, j in ((1, 1), (1, 2), (2, 1)))
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]
    assert [r.to_dict() for r in one.results] != [r.to_dict() for r in other.results]
    assert {r.measure for r in outcome.results} == {m.key for m in e20.MEASURES}
    assert set(outcome.tables) == {"e20_draws", "e20_streams"} and len(outcome.tables["e20_streams"]) == 8 * 8 * 8


@pytest.mark.parametrize(
    "change",
    [{"worlds": 1}, {"train_days": 5}, {"choice_days": 0}, {"test_days": 0}, {"refit_days": 0}, {"n_informative": ()},
     {"latent_per_day": 0.0}, {"n_informative": (9,)}, {"overlaps": (1.5,)}],
)  # fmt: skip
def test_parameters_out_of_range_are_refused(change: dict[str, object]) -> None:
    name = next(iter(change)).rstrip("s") if "overlaps" in change else next(iter(change))
    with pytest.raises(ParameterError, match=name):
        e20.run(replace(CORNERS, **change), seed=0)  # type: ignore[arg-type]
