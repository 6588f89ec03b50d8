"""E21: one city under several maps. What is averted follows its closed form; a forecast gains where places move."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.experiments import e21_allocation as e21
from fairness.allocation import Allocation, Sharing, allocate

SMALL = dataclasses.replace(e21.Params.quick(), seeds=6, kappas=(0.0,), displacements=(0.0, 0.5))


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e21.run(SMALL, seed=2)


def _at(outcome: Outcome, measure: str, **world: object) -> Interval:
    (found,) = [
        r for r in outcome.results if r.measure == measure and all(r.world[k] == v for k, v in world.items())
    ]  # fmt: skip
    return found.interval


def test_equal_hours_avert_their_closed_form(outcome: Outcome) -> None:
    here = {"turnover": 0.0, "policy": "equal"}
    stop = 1 - np.exp(-0.15 * 120 / 480)
    assert _at(outcome, "reduction", displacement=0.0, **here).estimate == pytest.approx(stop, abs=0.003)
    assert _at(outcome, "reduction", displacement=0.5, **here).estimate == pytest.approx(stop / 2, abs=0.003)
    assert _at(outcome, "displaced_share", displacement=0.5, **here).estimate == pytest.approx(0.5, abs=0.03)
    assert _at(outcome, "displaced_share", displacement=0.0, **here).high == 0.0


def test_negative_control_where_places_stay_a_forecast_adds_nothing(outcome: Outcome) -> None:
    still = _at(outcome, "gain_averted", displacement=0.0, turnover=0.0, policy="retro-quartic")
    assert still.high < 0.05


def test_where_places_turn_it_does_and_some_sector_pays(outcome: Outcome) -> None:
    turning = _at(outcome, "gain_averted", displacement=0.0, turnover=1.0, policy="retro-quartic")
    assert turning.low > 0
    assert turning.estimate > 0.05
    assert _at(outcome, "worst_cover_loss", displacement=0.0, turnover=1.0, policy="retro-quartic").low > 0.1
    assert _at(outcome, "gain_averted", displacement=0.0, turnover=1.0, policy="equal").high < 0


def test_hours_are_the_same_for_all(outcome: Outcome) -> None:
    table = outcome.tables["e21_cities"]
    assert table["hours"].round(6).nunique() == 1
    assert (
        table["potential"] == table.groupby(["turnover", "displacement", "rep"])["potential"].transform("first")
    ).all()


def test_sectors_are_six_blocks_of_eighty_cells() -> None:
    where = e21.sectors()
    assert np.bincount(where).tolist() == [80] * 6
    assert where[0] == where[7] == where[24 * 9 + 7] != where[8]


def test_top_decile_draws_among_the_first_tenth() -> None:
    surface = np.arange(100.0)
    rule = Allocation(Sharing.TOP_DECILE, share=0.05)
    order = np.random.default_rng(0).permutation(100)
    served = np.flatnonzero(allocate(surface, hours=1.0, allocation=rule, order=order))
    assert len(served) == 5
    assert served.min() >= 90
    assert set(served) == set([c for c in order if c >= 90][:5])


def test_same_numbers_for_any_number_of_workers() -> None:
    tiny = dataclasses.replace(SMALL, seeds=2, displacements=(0.5,), turnovers=(1.0,), loop_days=30)
    one, two = (e21.run(tiny, seed=4, jobs=jobs).tables["e21_cities"] for jobs in (1, 2))
    assert one.equals(two)


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": 1},
        {"forecasts": ("equal",)},
        {"deterrences": (0.0,)},
        {"displacements": (1.5,)},
        {"loop_days": 3},
        {"explore": 0.0},
    ],
)
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e21.run(dataclasses.replace(SMALL, **change), seed=1)  # type: ignore[arg-type]
