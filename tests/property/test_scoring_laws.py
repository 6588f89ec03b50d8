"""Laws of the scores, whatever the clip."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from contrechamp.domain.video import BOX
from vsa.scoring import events as ev
from vsa.scoring.exact import rate_interval, share_interval
from vsa.scoring.mot import MotClip, mot_scores

times = st.lists(st.floats(0, 300), max_size=10)


def match(alarms, begins, **options):
    return ev.match_events(
        pd.DataFrame({"t_alert_s": alarms}, dtype=float), pd.DataFrame({"t_begin_s": begins}, dtype=float), **options
    )


@given(times, times, st.floats(0, 20), st.floats(0, 20))
def test_a_wider_window_never_finds_less_nor_raises_more_false_alarms(alarms, begins, one, more):
    narrow, wide = match(alarms, begins, window_s=(0, one)), match(alarms, begins, window_s=(0, one + more))
    assert narrow.hits <= wide.hits and narrow.false_alerts >= wide.false_alerts
    assert narrow.hits + narrow.misses == wide.hits + wide.misses == len(begins)


@given(times, times, st.randoms())
def test_order_of_rows_does_not_matter(alarms, begins, random):
    shuffled, mixed = list(alarms), list(begins)
    random.shuffle(shuffled)
    random.shuffle(mixed)
    one, other = match(alarms, begins), match(shuffled, mixed)
    assert (one.hits, one.misses, one.false_alerts) == (other.hits, other.misses, other.false_alerts)
    assert sorted(one.events["delay_s"].dropna()) == pytest.approx(sorted(other.events["delay_s"].dropna()))


@given(times, times)
def test_f1_lies_between_precision_and_recall_and_leans_to_recall_with_the_bias(alarms, begins):
    found = ev.window_scores(match(alarms, begins), alphas=[0.0, 0.5, 1.0, 5.0, 1e9])
    p, r, f1 = found.precision.estimate, found.recall.estimate, found.f1["f1"].to_numpy()
    if p is None or r is None:
        return
    assert f1[0] == pytest.approx(p) and f1[-1] == pytest.approx(r, abs=1e-6)
    steps = np.diff(f1) * np.sign(r - p)
    assert (steps >= -1e-12).all()
    assert ((f1 >= min(p, r) - 1e-12) & (f1 <= max(p, r) + 1e-12)).all()


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.5, 0.99))
def test_exact_share_is_the_one_of_the_binomial_law(events, more, level):
    trials, tail = events + more, (1 - level) / 2
    found = share_interval(events=events, trials=trials, level=level)
    if trials == 0:
        assert not found.estimable
        return
    if events:
        assert stats.binom.sf(events - 1, trials, found.low) == pytest.approx(tail, rel=1e-6)
    if more:
        assert stats.binom.cdf(events, trials, found.high) == pytest.approx(tail, rel=1e-6)
    assert found.low <= found.estimate <= found.high


@given(st.integers(0, 60), st.floats(0.1, 1e4), st.floats(0.5, 0.99))
def test_exact_rate_is_the_one_of_the_poisson_law(events, exposure, level):
    found, tail = rate_interval(events=events, exposure=exposure, level=level), (1 - level) / 2
    if events:
        assert stats.poisson.sf(events - 1, found.low * exposure) == pytest.approx(tail, rel=1e-6)
    assert stats.poisson.cdf(events, found.high * exposure) == pytest.approx(tail, rel=1e-6)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_perfect_tracks_score_one_whatever_their_numbers_and_losing_boxes_never_helps(data):
    people, n = data.draw(st.integers(1, 4)), data.draw(st.integers(2, 12))
    rows = [
        (f, i, 50.0 * i + f, 0.0, 50.0 * i + f + 30, 90.0)
        for i in range(people)
        for f in range(data.draw(st.integers(0, n - 1)), n)
    ]
    truth = pd.DataFrame(rows, columns=["frame", "track_id", *BOX])
    names = np.array(data.draw(st.permutations(range(100, 100 + people))))
    tracks = truth.assign(track_id=names[truth["track_id"]])
    perfect = mot_scores({"c": MotClip(tracks, truth, n)}).loc["c"]
    assert perfect[["hota", "mota", "idf1"]].tolist() == pytest.approx([1, 1, 1]) and perfect["idsw"] == 0
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth))))
    less = mot_scores({"c": MotClip(tracks[keep], truth, n)}).loc["c"]
    assert less["fn"] == (~keep).sum() and less["hota"] <= 1 + 1e-12 and less["mota"] == pytest.approx(keep.mean())
