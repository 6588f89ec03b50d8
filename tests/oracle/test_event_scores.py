"""Event scores against values worked by hand and against those that NIST's own scorer asserts (public domain)."""

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from vsa.scoring import events as ev


def spans(*rows, score=None):
    table = pd.DataFrame(rows, columns=["t_begin_s", "t_end_s"], dtype=float)
    return table if score is None else table.assign(score=np.asarray(score, dtype=float))


def at(*times):
    return pd.DataFrame({"t_alert_s": np.asarray(times, dtype=float)})


def begins(*times):
    return pd.DataFrame({"t_begin_s": np.asarray(times, dtype=float)})


def curve(points, axis="rfa_per_min"):
    return pd.DataFrame(points, columns=[axis, "p_miss"]).assign(threshold=-np.arange(len(points)))


# windows


def test_first_alarm_of_a_window_counts_further_ones_are_neither_right_nor_wrong():
    # Condition true at 60 and 200: alarms at 58 (early), 60 and 70 (in the window), 70.1 (late), 205 (in the window).
    found = ev.match_events(at(58, 60, 70, 70.1, 205), begins(60, 200, 400))
    assert found.alerts["outcome"].tolist() == ["false", "hit", "repeat", "false", "hit"]
    assert found.alerts["event"].tolist() == [-1, 0, 0, -1, 1]
    assert found.events["outcome"].tolist() == ["found", "found", "missed"]
    assert found.events["delay_s"].tolist()[:2] == [0.0, 5.0] and np.isnan(found.events["delay_s"][2])
    scores = ev.window_scores(found, alphas=[0.35, 0.75, 1.0])
    assert scores.precision.estimate == 0.5 and scores.recall.estimate == pytest.approx(2 / 3)
    # F1(alpha) = (alpha + 1) R P / (R + alpha P), by hand
    assert scores.f1["f1"].tolist() == pytest.approx([1.35 / 3 / (2 / 3 + 0.175), 1.75 / 3 / (2 / 3 + 0.375), 4 / 7])
    assert scores.median_delay_s == 2.5
    # exact bounds of 2 of 4: the published Clopper-Pearson ones
    assert (scores.precision.low, scores.precision.high) == pytest.approx((0.0676, 0.9324), abs=1e-4)


def test_overlapping_windows_give_each_event_its_own_alarm():
    found = ev.match_events(at(12, 13, 14), begins(5, 4))  # in any order of rows
    assert found.alerts["outcome"].tolist() == ["hit", "hit", "repeat"]
    assert found.events["alert"].tolist() == [1, 0]


def test_settling_period_takes_alarms_and_events_out_of_the_count():
    found = ev.match_events(at(2, 12, 40), begins(8, 39), settle_s=10)
    assert found.alerts["outcome"].tolist() == ["settling", "settling", "hit"]
    assert found.events["outcome"].tolist() == ["settling", "found"]
    assert (found.hits, found.misses, found.false_alerts) == (1, 0, 0)


def test_alarm_about_somebody_else_counts_only_if_asked_as_the_trials_did():
    heard = at(62).assign(subject_id=7)
    happened = begins(60).assign(subject_id=3)
    assert ev.match_events(heard, happened).hits == 1
    strict = ev.match_events(heard, happened, same=["subject_id"])
    assert (strict.hits, strict.misses, strict.false_alerts) == (0, 1, 1)


def test_nothing_heard_or_nothing_happened_is_said_not_scored_as_zero():
    silent = ev.window_scores(ev.match_events(at(), begins(60)))
    assert not silent.precision.estimable and silent.recall.estimate == 0 and (silent.f1["f1"] == 0).all()
    calm = ev.window_scores(ev.match_events(at(5), begins()))
    assert not calm.recall.estimable and calm.precision.estimate == 0 and calm.median_delay_s is None
    empty = ev.window_scores(ev.match_events(at(), begins()))
    assert not empty.recall.estimable and empty.f1["f1"].isna().all()


# TRECVID SED


def test_detection_cost_by_hand():
    reference = spans((10, 20), (100, 110), (200, 201))
    system = spans((12, 18), (13, 19), (111, 111.8), (150, 160), score=[0.9, 0.8, 0.5, 0.1])
    found = ev.align_sed(system, reference)
    # Middle of the third is 111.4: outside 110 + 0.5. Of the first two the surer one is paired.
    assert (found.system.tolist(), found.reference.tolist()) == ([0], [0])
    assert found.false.tolist() == [1, 2, 3] and found.missed.tolist() == [1, 2]
    scores = ev.sed_scores(found, hours=2.0)
    assert scores.p_miss.estimate == pytest.approx(2 / 3) and scores.rfa_per_h.estimate == 1.5
    assert scores.beta == pytest.approx(1 / 18) and scores.ndcr == pytest.approx(2 / 3 + 1.5 / 18)
    official = ev.sed_scores(found, hours=2.0, target_rate_per_h=20)
    assert official.beta == pytest.approx(0.005) and official.ndcr == pytest.approx(2 / 3 + 0.0075)


def test_half_a_second_of_grace_and_overlap_break_the_tie():
    late = ev.align_sed(spans((20.2, 20.7), score=[1]), spans((10, 20)))
    assert late.system.tolist() == [0]  # its middle is 20.45
    assert ev.align_sed(spans((20.2, 20.9), score=[1]), spans((10, 20))).system.tolist() == []
    tied = ev.align_sed(spans((14, 16), (11, 19), score=[1, 1]), spans((10, 20)))
    assert tied.system.tolist() == [1]


def test_silence_costs_one_and_no_event_is_not_estimable():
    silent = ev.sed_scores(ev.align_sed(spans(score=[]), spans((1, 2))), hours=1)
    assert silent.ndcr == 1.0 and silent.rfa_per_h.high == pytest.approx(3.689, abs=1e-3)
    assert ev.sed_scores(ev.align_sed(spans((1, 2), score=[1]), spans()), hours=1).ndcr is None


# ActEV

ONE = [(0, 6 / 7), (0, 5 / 7), (1, 5 / 7), (2, 5 / 7), (2, 4 / 7), (3, 4 / 7), (4, 3 / 7), (4, 3 / 7), (4, 2 / 7)]
TWO = [(1, 1), (1, 5 / 6), (2, 5 / 6), (2, 4 / 6), (3, 4 / 6), (3, 3 / 6)]
THREE = [(0, 5 / 6), (0, 4 / 6), (1, 4 / 6), (3, 3 / 6), (3, 3 / 6), (3, 3 / 6)]
FOUR = [(0, 5 / 6), (0, 4 / 6)]
FIVE = [(0.2, 6 / 30)]


@pytest.mark.parametrize(
    ("points", "targets", "expected"),
    [
        ([], [0, 1], [1, 1]),
        (ONE, [0, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5], [5 / 7, 5 / 7, 5 / 7, 4 / 7, 4 / 7, 4 / 7, 3.5 / 7, 2 / 7, 2 / 7]),
        (TWO, [0, 2, 2.5, 3, 4], [1, 4 / 6, 4 / 6, 3 / 6, 3 / 6]),
        (THREE, [0, 2, 2.5, 3, 4], [4 / 6, 3.5 / 6, 3.25 / 6, 3 / 6, 3 / 6]),
        (FOUR, [1, 2], [4 / 6, 4 / 6]),
        (FIVE, [0.033, 0.1, 0.2, 0.5], [1, 1, 6 / 30, 6 / 30]),
    ],
)
def test_misses_at_a_rate_are_those_of_nist_own_tests(points, targets, expected):
    assert ev.p_miss_at(curve(points), targets, axis="rfa_per_min").tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("reference", "system", "file_s", "collar_s", "expected"),
    [
        ((5, 15), (5, 15), 80, 2, (0.0, 0)),
        ((5, 15), (2, 10), 80, 0, (5 / 10 + 3 / 70, 0)),
        ((5, 15), (2, 10), 80, 2, (3 / 6 + 1 / 66, 0)),
        ((5, 15), (2, 10), 80, 3, (2 / 4 + 0, 0)),
        ((30, 35), (10, 15), 80, 3, (None, 1)),  # shorter than its collars
        ((5, 15), (2, 10), 80, 10, (None, 1)),
        ((0, 15), (2, 10), 15, 0, (None, 1)),  # as long as the file
    ],
)
def test_fit_of_a_pair_is_that_of_nist_own_tests(reference, system, file_s, collar_s, expected):
    one = np.array([0])
    pair = ev.Alignment(one, one, one[:0], one[:0])
    value, rejected = ev.n_mide(pair, spans(system), spans(reference), duration_s=file_s, collar_s=collar_s)
    assert rejected == expected[1]
    assert value is None if expected[0] is None else value == pytest.approx(expected[0])


def test_fit_is_the_mean_of_pairs_and_prices_both_errors():
    both = np.array([0, 1])
    pairs = ev.Alignment(both, both, both[:0], both[:0])
    system, reference = spans((5, 15), (2, 10)), spans((5, 15), (5, 15))
    assert ev.n_mide(pairs, system, reference, duration_s=80)[0] == pytest.approx((5 / 10 + 3 / 70) / 2)
    assert ev.n_mide(pairs, system, reference, duration_s=80, cost_miss=0)[0] == pytest.approx(3 / 70 / 2)
    assert ev.n_mide(pairs, system, reference, duration_s=80, cost_fa=0)[0] == pytest.approx(5 / 10 / 2)


@pytest.mark.parametrize(
    ("system", "reference", "criterion", "paired"),
    [
        ((9.0, 11.0), (10.0, 20.0), "one-second", True),  # one second in common
        ((9.0, 10.9), (10.0, 20.0), "one-second", False),
        ((10.3, 20.0), (10.0, 10.6), "one-second", True),  # half of an event shorter than a second
        ((10.4, 20.0), (10.0, 10.6), "one-second", False),
        ((0.0, 50.0), (40.0, 50.0), "overlap", False),  # 10 of 50: 0.2 is not above 0.2
        ((1.0, 50.0), (40.0, 50.0), "overlap", True),
    ],
)
def test_what_makes_an_alarm_right(system, reference, criterion, paired):
    found = ev.align_actev(spans(system, score=[1]), spans(reference), criterion=criterion)
    assert (len(found.system) == 1) is paired


def test_curve_and_area_by_hand():
    # 600 s of video, two events of 50 s: 500 s are quiet.
    reference = spans((100, 150), (300, 350))
    system = spans((100, 150), (200, 225), (290, 350), (310, 340), score=[0.9, 0.8, 0.7, 0.2])
    aligned = ev.align_actev(system, reference)
    found = ev.actev_curve(aligned, system, reference, duration_s=600)
    assert found["threshold"].tolist() == [0.9, 0.8, 0.7, 0.2]
    assert found["p_miss"].tolist() == [0.5, 0.5, 0.0, 0.0]
    assert found["w_p_miss"].tolist() == pytest.approx([9 / 12, 9 / 12, 8 / 12, 8 / 12])
    assert found["rfa_per_min"].tolist() == pytest.approx([0, 0.1, 0.1, 0.2])
    # seconds with more alarms than events: 0; 25; 25 + 10; 25 + 10 + 30 (a second alarm on the same event)
    assert found["tfa"].tolist() == pytest.approx([0, 25 / 500, 35 / 500, 65 / 500])
    at_knots = [0.5, 0.5, 0.0]  # at 0.01 and 0.03 still half, at 0.1 none
    assert ev.p_miss_at(found, [0.01, 0.03, 0.1]).tolist() == pytest.approx(at_knots)
    area = 0.01 * 0.75 + 0.02 * 0.5 + 0.07 * 0.25
    assert ev.naudc(found, 0.1) == pytest.approx(area / 0.1) and ev.naudc(found, 0.2) == pytest.approx(area / 0.2)


def test_area_is_one_for_the_blind_and_none_without_events():
    blind = ev.actev_curve(
        ev.align_actev(spans(score=[]), spans((1, 9))), spans(score=[]), spans((1, 9)), duration_s=60
    )
    assert len(blind) == 0 and ev.naudc(blind, 0.2) == 1.0
    noise = spans((1, 9), score=[1])
    calm = ev.actev_curve(ev.align_actev(noise, spans()), noise, spans(), duration_s=80)
    assert calm["tfa"].tolist() == [0.1] and calm["p_miss"].isna().all() and ev.naudc(calm, 1.0) is None
    full = ev.actev_curve(ev.align_actev(noise, spans((0, 80))), noise, spans((0, 80)), duration_s=80)
    assert full["tfa"].tolist() == [1.0]  # no quiet second: NIST's convention


def test_clips_end_to_end_are_one_time_line_and_never_pair_across():
    reference = ev.end_to_end([spans((10, 20)), spans((10, 20))], [60, 60])
    system = ev.end_to_end([spans((12, 18), score=[1]), spans(score=[])], [60, 60])
    assert reference["t_begin_s"].tolist() == [10, 70] and reference["clip_id"].tolist() == [0, 1]
    found = ev.align_actev(system, reference, same=["clip_id"])
    assert (found.reference.tolist(), found.missed.tolist()) == ([0], [1])
    assert ev.observations(at(5), hold_s=30)[["t_begin_s", "t_end_s", "score"]].to_numpy().tolist() == [[5, 35, 1]]


def test_mistakes_are_named():
    with pytest.raises(ParameterError, match="window_s"):
        ev.match_events(at(1), begins(1), window_s=(10, 0))
    with pytest.raises(ContractError, match="lacks t_alert_s"):
        ev.match_events(begins(1), begins(1))
    with pytest.raises(ContractError, match="not finite"):
        ev.match_events(at(np.nan), begins(1))
    with pytest.raises(ContractError, match="ends before"):
        ev.align_sed(spans((2, 1), score=[1]), spans((1, 2)))
    with pytest.raises(ParameterError, match="knots"):
        ev.naudc(curve(FIVE, "tfa"), 0.25)
