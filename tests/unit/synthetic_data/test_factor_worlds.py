"""Causal worlds: the closed form of total effects against the do-operator, and what confounding and bias do."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from models.loglinear import fit_loglinear
from synthetic_data.factor_worlds import ARTEFACT, FACTORS, SIZES, FactorWorld, draw_factor_world

POVERTY, LIGHTING, EMPTY, PATROL = (FACTORS.index(f) for f in ("poverty", "lighting", "empty_housing", ARTEFACT))


def drawn(rep: int = 0, **change: object) -> FactorWorld:
    return draw_factor_world(rng=stream(5, "factors", rep), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("confounding", [0.0, 0.6, 1.0])
def test_setting_a_factor_one_higher_everywhere_does_what_the_closed_form_says(confounding: float) -> None:
    world = drawn(confounding=confounding, recording_bias=1.0)
    for index in range(len(FACTORS)):
        shift = np.zeros((world.n_cells, len(FACTORS)))
        shift[:, index] = 1.0
        assert np.log(world.rate(shift) / world.rate()) == pytest.approx(world.total[index], abs=1e-12)
    if confounding:
        mediated = confounding / 2 * (world.direct[EMPTY] - world.direct[LIGHTING])
        assert world.total[POVERTY] - world.direct[POVERTY] == pytest.approx(mediated)
        assert mediated != 0


def test_a_large_randomised_trial_recovers_every_total_effect_from_incidents() -> None:
    world = drawn(confounding=1.0, recording_bias=1.0, n_days=40_000, grid_shape=(40, 40))
    errors = []
    for index, factor in enumerate(FACTORS):
        moved, latent, _ = world.randomised_trial(factor, rng=stream(5, "trial", factor))
        design = np.column_stack([moved, world.factors])
        errors.append(fit_loglinear(design, latent, ridge=1e-6)[0, 1] - world.total[index])
    assert np.abs(errors).max() < 0.05  # a rough cell effect of sd 0.3 on 2 x 800 cells leaves 0.017 or so


def test_patrols_cause_no_incident_and_records_by_the_bias() -> None:
    shift = np.zeros((900, len(FACTORS)))
    shift[:, PATROL] = 1.0
    for bias in (0.0, 1.0):
        world = drawn(recording_bias=bias, recorded_share=0.05)
        assert np.array_equal(world.rate(shift), world.rate())
        assert world.total[PATROL] == 0
        ratio = world.p_recorded(shift) / world.p_recorded()
        assert ratio == pytest.approx(np.exp(0.5 * bias), rel=1e-9)  # hours go up by half a log unit
        assert (world.recorded <= world.latent).all()
    even = drawn(recorded_share=0.4)
    assert np.ptp(even.p_recorded()) == 0 and even.p_recorded()[0] == pytest.approx(0.4)


def test_confounding_ties_factors_to_causes_and_its_absence_does_not() -> None:
    def correlations(confounding: float) -> np.ndarray:
        found = []
        for rep in range(40):
            world = drawn(rep, confounding=confounding, effect=0.0, incidents_per_cell_day=1.0)
            x = world.factors
            pairs = ((LIGHTING, POVERTY), (EMPTY, POVERTY), (PATROL, POVERTY))
            found.append([np.corrcoef(x[:, a], x[:, b])[0, 1] for a, b in pairs]
                         + [np.corrcoef(x[:, PATROL], np.log1p(world.past_records))[0, 1]])  # fmt: skip
        return np.mean(found, axis=0)

    assert correlations(0.0) == pytest.approx([0, 0, 0, 0], abs=0.06)
    assert correlations(1.0) == pytest.approx([-0.5, 0.5, 0.5, 0.5], abs=0.06)


def test_effects_are_dealt_at_random_and_the_same_seed_serves_every_world() -> None:
    worlds = [drawn(rep) for rep in range(30)]
    for world in worlds:
        assert sorted(np.abs(world.direct[:PATROL])) == pytest.approx(sorted(SIZES))
    assert len({tuple(np.argsort(np.abs(w.direct))) for w in worlds}) > 25
    strong, weak = drawn(3, recording_bias=1.0), drawn(3, recording_bias=0.0)
    assert np.array_equal(strong.factors, weak.factors) and np.array_equal(strong.latent, weak.latent)
    assert np.array_equal(drawn(3, effect=0.5).direct, strong.direct / 2)


@pytest.mark.parametrize(
    "change",
    [{"recording_bias": 1.1}, {"confounding": -0.1}, {"effect": -1.0}, {"n_days": 0}, {"grid_shape": (1, 3)},
     {"incidents_per_cell_day": 0.0}, {"recorded_share": 0.0}],
)  # fmt: skip
def test_parameters_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(change))):
        drawn(**change)
