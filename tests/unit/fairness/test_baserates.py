"""Base rates: hand arithmetic, queue identities, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from fairness.baserates import alert_flow, desk_load, erlang_c, p_none, ppv, saturating_alerts_per_day


def test_watch_list_in_natural_frequencies():
    # 100,000 passers-by, 10 wanted, 89 % found, 1 other in 6,000 flagged: 8.9 right and 16.7 wrong.
    found = ppv(prevalence=10 / 100_000, sensitivity=0.89, false_positive_rate=1 / 6_000)
    assert found == pytest.approx(8.9 / (8.9 + 99_990 / 6_000), rel=1e-12)
    assert ppv(prevalence=0, sensitivity=1, false_positive_rate=0) is None


@given(st.floats(1e-6, 1e-2), st.floats(0.1, 1), st.floats(0.001, 5), st.integers(1, 5_000))
def test_share_right_does_not_depend_on_the_number_of_cameras(rate, sensitivity, fa, cameras):
    def flow(n):
        return alert_flow(
            cameras=n, events_per_camera_hour=rate, sensitivity=sensitivity, false_alerts_per_camera_day=fa
        )

    assert flow(cameras).ppv == pytest.approx(flow(1).ppv)
    assert flow(cameras).false_per_true == pytest.approx(1 / flow(cameras).ppv - 1, rel=1e-6)
    assert flow(cameras).alerts_per_true == pytest.approx(1 / flow(cameras).ppv)


def test_a_flow_without_true_events_has_no_ratio_and_without_alerts_no_share():
    empty = alert_flow(cameras=0, events_per_camera_hour=1, sensitivity=1, false_alerts_per_camera_day=1)
    assert empty.ppv is None and empty.false_per_true is None and empty.alerts_per_true is None


def test_desk_by_hand():
    # 1,600 alerts a day × 2 min = 53.3 h of reading for 20 × 24 = 480 h of presence.
    desk = desk_load(alerts_per_day=1_600, operators=20, minutes_per_alert=2)
    assert desk.utilisation == pytest.approx(1 / 9)
    assert desk.alerts_per_operator_hour == pytest.approx(10 / 3)
    assert desk.share_unread == 0
    flooded = desk_load(alerts_per_day=16_000, operators=20, minutes_per_alert=2)
    assert flooded.share_unread == pytest.approx(0.1) and flooded.p_wait == 1
    assert saturating_alerts_per_day(operators=20, minutes_per_alert=2) == 14_400


def _erlang_c_from_its_definition(a, c):
    top = a**c / math.factorial(c) * c / (c - a)
    return top / (sum(a**k / math.factorial(k) for k in range(c)) + top)


@pytest.mark.parametrize(("a", "c"), [(0.5, 1), (2.0, 3), (8.0, 10), (17.5, 20), (0.0, 4)])
def test_erlang_c_against_its_definition(a, c):
    assert erlang_c(offered=a, servers=c) == pytest.approx(_erlang_c_from_its_definition(a, c), rel=1e-12)


def test_two_servers_two_erlangs_never_settles():
    assert erlang_c(offered=2, servers=2) == 1.0


def test_a_year_without_error():
    assert p_none(per_day=0) == 1
    assert p_none(per_day=0.5) == pytest.approx(math.exp(-182.5))


@pytest.mark.parametrize(
    "call",
    [
        lambda: ppv(prevalence=2, sensitivity=1, false_positive_rate=0),
        lambda: alert_flow(cameras=-1, events_per_camera_hour=0, sensitivity=1, false_alerts_per_camera_day=1),
        lambda: desk_load(alerts_per_day=1, operators=0, minutes_per_alert=2),
        lambda: desk_load(alerts_per_day=1, operators=1, minutes_per_alert=0),
        lambda: erlang_c(offered=1, servers=0),
        lambda: p_none(per_day=math.inf),
    ],
)
def test_refusals(call):
    with pytest.raises(ParameterError, match="parameter of"):
        call()
