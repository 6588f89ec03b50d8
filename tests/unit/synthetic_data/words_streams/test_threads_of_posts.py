"""Trees of posts: parents before children, the mean of a branching process, the law of who is answered."""

import numpy as np
import pytest

from synthetic_data.streams.posts import CODE, make, role_of, stack
from synthetic_data.streams.threads import attach, branch, heavy, in_order, lags_us, ranks_of, starts_of

SECOND = 1_000_000


def test_groups_by_hand():
    sizes = np.array([2, 1, 3])
    assert starts_of(sizes).tolist() == [0, 2, 3]
    assert ranks_of(sizes).tolist() == [0, 1, 0, 0, 1, 2]


def test_instants_are_sorted_within_groups_and_apart():
    t = in_order(np.array([5, 3, 9, 1, 1, 1]) * SECOND, np.array([2, 1, 3]))
    assert (t // SECOND).tolist() == [3, 6, 9, 1, 2, 3]


@pytest.mark.parametrize("seed", range(3))
def test_a_parent_comes_before_its_children_and_all_belong_to_one_root(seed):
    rng = np.random.default_rng(seed)
    roots = np.sort(rng.integers(10**9, size=400)) * SECOND
    t, parent, root = branch(roots, mean=0.6, median_s=60, log_sd=1, spread=1, until_us=2 * 10**15, rng=rng)
    child = np.flatnonzero(parent >= 0)
    assert (parent[child] < child).all()
    assert (t[parent[child]] < t[child]).all()
    assert (root[parent[child]] == root[child]).all()
    assert (root[:400] == np.arange(400)).all()


def test_a_branching_process_has_the_mean_size_of_theory():
    rng = np.random.default_rng(5)
    roots = np.zeros(20_000, dtype=np.int64)
    t, _, _ = branch(roots, mean=0.5, median_s=1, log_sd=0.1, spread=0.0, until_us=10**15, rng=rng)
    # total progeny of Poisson(m) offspring: mean 1 / (1 - m), variance m / (1 - m)^3
    assert len(t) / 20_000 == pytest.approx(2.0, abs=4 * np.sqrt(0.5 / 0.125 / 20_000))


def test_nothing_is_written_once_the_window_is_closed():
    rng = np.random.default_rng(6)
    t, _, _ = branch(np.full(300, 0), mean=0.8, median_s=600, log_sd=1, spread=1, until_us=1000 * SECOND, rng=rng)
    assert len(t) > 300
    assert t.max() < 1000 * SECOND


def test_who_is_answered_follows_its_law():
    sizes = np.full(6000, 4)
    parent = attach(sizes, to_first=0.4, rng=np.random.default_rng(7)).reshape(-1, 4) - 4 * np.arange(6000)[:, None]
    assert (parent[:, 0] < 0).all()
    assert (parent[:, 1] == 0).all()
    # the fourth answers the first with chance 0.4 + 0.6 / 3, each of the others with chance 0.2
    shares = np.bincount(parent[:, 3], minlength=3) / 6000
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.03)


def test_heavy_counts_keep_their_mean_and_have_a_tail():
    count = heavy(60_000, mean=20.0, log_sd=1.0, rng=np.random.default_rng(8))
    assert count.mean() == pytest.approx(20, rel=0.03)
    assert count.max() > 300


def test_lags_are_whole_seconds_with_their_median():
    lag = lags_us(20_001, median_s=600, log_sd=1.0, rng=np.random.default_rng(9))
    assert (lag % SECOND == 0).all()
    assert lag.min() >= SECOND
    assert np.median(lag) / SECOND == pytest.approx(600, rel=0.05)


def test_stacking_and_taking_keep_who_answers_whom():
    first = make(2, parent=[-1, 0], root=[0, 0], t_us=[1, 2])
    both = stack([first, make(3, parent=[-1, -1, 1], root=[0, 1, 1], t_us=[3, 4, 5])])
    assert both["parent"].tolist() == [-1, 0, -1, -1, 3]
    assert both["root"].tolist() == [0, 0, 2, 3, 3]
    back = both.take(np.array([3, 4, 2]))
    assert back["parent"].tolist() == [-1, 0, -1]
    assert back["root"].tolist() == [0, 0, 2]
    assert back["t_us"].tolist() == [4, 5, 3]


def test_every_category_has_a_role():
    roles = {name: role_of(name) for name in CODE}
    assert roles["call"] == roles["answer"] == "organiser"
    assert roles["complain_tapage"] == "complaint"
    assert roles["complain_reply"] == roles["daily_reply"] == "reply"
    assert roles["match_won"] == roles["gathering_after"] == "attendee"
    assert roles["rumour_correct"] == "correction"
    assert roles["daily"] == roles["weather_rain"] == "noise"
