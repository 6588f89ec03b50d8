"""E22: rank correlations against scipy, a control without effect at its nominal rate, causes found, artefacts shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from contrechamp.audit.claims import read_yaml
from contrechamp.audit.rules import Rule, evaluate
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e22_factors as e22
from fairness.intervals import mean_interval
from models.loglinear import fit_loglinear
from synthetic_data.factor_worlds import ARTEFACT, FACTORS, draw_factor_world

FEW = e22.Params(recording_biases=(0.0, 1.0), confoundings=(0.0,), effects=(1.0,), worlds=6)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e22.run(FEW, seed=9)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and world.items() <= dict(r.world).items()]
    assert len(found) == 1, (measure, world)
    return found[0].interval


def test_partial_correlation_is_that_of_residuals() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3))
    columns = np.column_stack([x, x @ [1.0, -0.5, 0.0] + rng.normal(size=200)])
    for j in range(3):
        rest = np.column_stack([np.ones(200), np.delete(x, j, axis=1)])
        a, b = (c - rest @ np.linalg.lstsq(rest, c, rcond=None)[0] for c in (columns[:, j], columns[:, 3]))
        assert e22.partial_correlations(columns)[j] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-10)


def test_ranks_of_the_artefact_count_ties_as_if_it_came_first() -> None:
    importance = np.tile([7.0, 6, 5, 4, 3, 2, 0], (3, 1))
    importance[1, 6], importance[2, 6] = 7.0, 5.5
    assert e22.artefact_ranks(importance).tolist() == [7, 1, 3]


def test_without_any_effect_importance_is_unrelated_to_the_announced_effects_at_the_nominal_rate() -> None:
    taus = []
    for rep in range(240):
        silent, shown = (
            draw_factor_world(rng=stream(3, "control", rep), effect=e, grid_shape=(12, 12)) for e in (0.0, 1.0)
        )
        found = np.abs(fit_loglinear(silent.factors, silent.recorded)[0, 1:])
        causes = [j for j, name in enumerate(FACTORS) if name != ARTEFACT]
        taus.append(stats.kendalltau(found[causes], np.abs(shown.total[causes])).statistic)
    assert abs(np.mean(taus)) < 3.5 * np.std(taus) / np.sqrt(len(taus))
    held = [i.low <= 0 <= i.high for i in (mean_interval(t) for t in np.reshape(taus, (30, 8)))]  # type: ignore[operator]
    assert sum(held) >= stats.binom.ppf(0.001, 30, 0.95)


def test_importance_finds_the_causes_where_recording_is_even_and_nothing_is_confounded(outcome: Outcome) -> None:
    for method in (*e22.METHODS, *e22.COMPARED):
        tau = interval(outcome, "rank_correlation", method=method, recording_bias=0.0)
        assert tau.low is not None and tau.low > 0.5, method
        signs = interval(outcome, "sign_accuracy", method=method, recording_bias=0.0)
        assert signs.n == 6 * 5 and signs.estimate == pytest.approx(1.0, abs=0.05)
        top = interval(outcome, "artefact_in_top3", method=method, recording_bias=0.0)
        assert top.estimate == 0.0


def test_recording_bias_puts_patrols_first_even_for_a_randomised_trial_read_on_records(outcome: Outcome) -> None:
    for method in (*e22.METHODS, "partial-correlation", "trial-records"):
        assert interval(outcome, "artefact_in_top3", method=method, recording_bias=1.0).estimate == 1.0, method
        lost = interval(outcome, "rank_correlation_lost", method=method, recording_bias=1.0)
        assert lost.low is not None and lost.low > 0.1, method
    assert interval(outcome, "artefact_in_top3", method="trial-incidents", recording_bias=1.0).estimate == 0.0
    assert (
        interval(outcome, "rank_correlation_lost", method="gbm-shapley", recording_bias=0.0).method == "identical-runs"
    )


def test_results_are_those_of_the_table(outcome: Outcome) -> None:
    rows = outcome.tables["e22_factors"]
    mine = rows[(rows.method == "poisson-permutation") & (rows.recording_bias == 1.0)]
    taus, rights = [], []
    for _, group in mine.groupby("rep"):
        taus.append(stats.kendalltau(group.importance, group.true_effect.abs()).statistic)
        some = group[group.true_effect != 0]
        rights += list(np.sign(some.direction) == np.sign(some.true_effect))
    at = {"method": "poisson-permutation", "recording_bias": 1.0}
    assert interval(outcome, "rank_correlation", **at).estimate == pytest.approx(np.mean(taus))
    assert interval(outcome, "sign_accuracy", **at).estimate == pytest.approx(np.mean(rights))
    assert interval(outcome, "sign_accuracy", **at).method == "korn-graubard"  # effects of one world go together


def test_the_frozen_criteria_flip_between_worlds(outcome: Outcome) -> None:
    rows = [r.to_dict() | {"id": str(k)} for k, r in enumerate(outcome.results)]
    rules = [Rule.parse(r) for r in read_yaml("rules.yaml")["rules"] if r["experiment"] == "E22"]
    assert {r.claim for r in rules} == {"M02", "M09", "M16"}
    for rule in rules:
        for world in evaluate(rule, rows)["worlds"]:
            assert world["world"]["method"] in e22.METHODS
            assert world["verdict"] == ("refuted" if world["world"]["recording_bias"] else "supported")


def test_numbers_depend_on_the_seed_and_not_on_the_workers(outcome: Outcome) -> None:
    few = replace(FEW, recording_biases=(0.0,), worlds=2)
    one, two, other = (e22.run(few, seed=s, jobs=j) for s, j in ((1, 1), (1, 2), (2, 1)))
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]
    assert [r.to_dict() for r in one.results] != [r.to_dict() for r in other.results]
    assert {r.measure for r in outcome.results} == {m.key for m in e22.MEASURES}
    unbiased = e22.run(replace(few, recording_biases=(1.0,)), seed=1)  # the reference without bias is always added
    assert {r.world.get("recording_bias") for r in unbiased.results} == {0.0, 1.0, None}


@pytest.mark.parametrize(
    "change", [{"worlds": 1}, {"recording_biases": ()}, {"confoundings": ()}, {"effects": (0.0,)}, {"n_days": ()}]
)
def test_parameters_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(change))):
        e22.run(replace(FEW, **change), seed=0)  # type: ignore[arg-type]
