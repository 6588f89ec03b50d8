"""Watch-lists: published arithmetic, closed forms, and Monte Carlo on the two laws of scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.results import Result
from contrechamp.experiments import e15_watch_lists as e15
from fairness.watchlists import (
    false_match_rate,
    fpir,
    on_list_for_ppv,
    p_false_first,
    ppv_of_passages,
    share_of_subgroup,
    tpir,
)


def test_berlin_at_a_tenth_of_a_percent_is_160_false_alerts_a_day() -> None:
    assert 160_000 * 0.001 == 160
    ppv = ppv_of_passages(on_list=10, passages=160_000, tpir=0.8, fpir=0.001)
    assert ppv == pytest.approx(8 / (8 + 159.99))


def test_london_in_natural_frequencies_is_about_one_right_alert_in_three() -> None:
    ppv = ppv_of_passages(on_list=10, passages=100_000, tpir=0.89, fpir=1 / 6000)
    assert ppv == pytest.approx(8.9 / (8.9 + 16.665), abs=1e-4)


def test_the_number_needed_for_one_in_two_gives_one_in_two() -> None:
    need = on_list_for_ppv(ppv=0.5, passages=850_000, tpir=0.9, fpir=1e-4)
    assert need is not None
    assert ppv_of_passages(on_list=need, passages=850_000, tpir=0.9, fpir=1e-4) == pytest.approx(0.5)
    assert on_list_for_ppv(ppv=1.0, passages=10, tpir=0.9, fpir=0.1) is None


@given(st.floats(1e-9, 0.5), st.integers(1, 10**7))
def test_a_list_and_a_single_face_are_inverses(rate: float, size: int) -> None:
    of_list = fpir(false_match_rate=rate, list_size=size)
    assert rate * (1 - 1e-9) <= of_list <= min(1.0, size * rate * (1 + 1e-9))
    if of_list < 1 - 1e-9:
        assert false_match_rate(fpir=of_list, list_size=size) == pytest.approx(rate, rel=1e-5)


def test_two_normal_laws_against_monte_carlo() -> None:
    rng = np.random.default_rng(1)
    own = rng.normal(5.0, 1.0, size=200_000)
    others = rng.standard_normal(200_000)
    limit = np.quantile(others, 1 - 0.01)
    assert tpir(separation=5.0, false_match_rate=0.01) == pytest.approx((own > limit).mean(), abs=0.002)
    best = rng.standard_normal((4_000, 500)).max(axis=1)
    mine = rng.normal(3.0, 1.0, size=4_000)
    simulated = (best > mine).mean()
    assert p_false_first(separation=3.0, gallery=500, enrolled=1.0) == pytest.approx(simulated, abs=0.025)


def test_the_first_candidate_by_closed_form_and_limits() -> None:
    # two like laws: the person is first among 1 + n with chance 1 / (1 + n)
    for n in (1, 9, 99):
        assert p_false_first(separation=0.0, gallery=n, enrolled=1.0) == pytest.approx(n / (n + 1), abs=1e-6)
    assert p_false_first(separation=40.0, gallery=10**6, enrolled=0.7) == pytest.approx(0.3, abs=1e-9)
    assert p_false_first(separation=6.0, gallery=10**6, enrolled=0.0) == 1.0


def test_a_tenth_of_the_people_with_ten_times_the_mistakes_bear_half_of_them() -> None:
    assert share_of_subgroup(share=0.1, ratio=10) == pytest.approx(1 / 1.9)
    assert share_of_subgroup(share=0.1, ratio=1) == pytest.approx(0.1)


def test_impossible_shares_are_refused() -> None:
    for call in (
        lambda: fpir(false_match_rate=1.2, list_size=3),
        lambda: fpir(false_match_rate=0.2, list_size=0),
        lambda: ppv_of_passages(on_list=11, passages=10, tpir=0.9, fpir=0.1),
        lambda: share_of_subgroup(share=0.1, ratio=-1),
    ):
        with pytest.raises(ParameterError):
            call()


def pick(results: list[Result], measure: str, **world: object) -> Result:
    found = [r for r in results if r.measure == measure and world.items() <= r.world.items()]
    assert len(found) == 1
    return found[0]


def test_e15_carries_the_error_of_seven_counted_alerts_into_what_it_prints() -> None:
    results = list(e15.run(e15.Params.quick(), seed=1).results)
    false = pick(results, "false_per_day", point="npl-2023", footfall=850_000).interval
    # exact Poisson limits of 7: 2.814 and 14.423
    assert false.estimate == pytest.approx(850_000 / 6000)
    assert (false.low, false.high) == pytest.approx((850_000 / 42_000 * 2.814, 850_000 / 42_000 * 14.423), rel=1e-3)
    right = pick(results, "ppv", point="npl-2023", footfall=850_000, on_list=50).interval
    assert right.low is not None and right.estimate is not None and right.high is not None
    assert right.estimate == pytest.approx(44.5 / (44.5 + 849_950 / 6000))
    assert right.low < right.estimate < right.high
    stated = pick(results, "false_per_day", point="1e-4", footfall=850_000).interval
    assert (stated.low, stated.estimate, stated.high) == pytest.approx((85, 85, 85))
    assert pick(results, "ppv_at_random", footfall=850_000, on_list=50).interval.estimate == pytest.approx(50 / 850_000)


def test_e15_refuses_more_listed_persons_than_passages() -> None:
    with pytest.raises(ParameterError, match="on_list"):
        e15.run(e15.Params(passages=(100,), on_list=(500,)), seed=1)


def test_e15_gives_each_stated_point_its_own_name() -> None:
    points = e15.operating_points(e15.Params(stated_fpirs=(1e-4, 1.2e-4, 1e-10)))
    assert [p for p in points if p[0].isdigit()] == ["1e-4", "1.2e-4", "1e-10"]


@pytest.mark.parametrize("wrong", [{"on_list": ()}, {"passages": ()}, {"galleries": (0,)}, {"separations": ()}])
def test_e15_refuses_empty_axes(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        e15.run(e15.Params(**wrong), seed=1)  # type: ignore[arg-type]


def test_e15_tries_a_chance_of_being_in_the_file_at_which_either_side_can_win() -> None:
    results = [r for r in e15.run(e15.Params.quick(), seed=1).results if r.measure == "false_first"]
    likely = [r.interval.estimate for r in results if r.world["gallery"] == 7_500_000 and r.world["enrolled"] == 0.98]
    assert min(x for x in likely if x is not None) < 0.1 < 0.5 < max(x for x in likely if x is not None)
