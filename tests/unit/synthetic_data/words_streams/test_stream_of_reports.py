"""Reports of the citizens' application: volume, form, who sends what, and the score the platform gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2, poisson

from contrechamp.domain.rng import stream
from contrechamp.domain.streams import CITIZEN_CATEGORIES, LAYOUTS
from synthetic_data.names import person_users
from synthetic_data.recording import NONE
from synthetic_data.streams.citizens import DATASHEETS, reliability, reports_with_truth, signalements, users

DAY = 86_400_000_000
MEAN = 200 * 90_000 / 860_000 * 15


@pytest.fixture(scope="module")
def many(reports):
    """Twenty times the reports, where shares are measured."""
    return reports(reports_per_day=4000)


def test_rows_have_the_form_of_the_layout_and_nothing_more(reports):
    rows, truth = reports()
    raw = ["x_m" if f == "lon" else "y_m" if f == "lat" else f for f in LAYOUTS["signalements"].raw_names]
    assert list(rows.columns) == [*raw, "t_drop"]
    assert rows["id"].is_unique
    assert (rows["id"] == truth["id"]).all()
    assert rows.notna().all().all()
    assert set(rows["category"]) <= set(CITIZEN_CATEGORIES)
    assert rows["media"].dtype == bool
    assert (rows["t_drop"] > rows["t"]).all()
    assert rows["t_drop"].is_monotonic_increasing
    assert rows["user"].tolist() == person_users(truth["person"].to_numpy())
    assert rows["reliability"].between(0, 1).all()
    assert not rows["text"].str.contains(r"[{}\x00]|  |^ | $|malicious|grudge|incident_").any()


def test_volume_is_poisson_with_the_mean_of_the_register(reports):
    total = [len(reports(seed=seed)[0]) for seed in range(1, 13)]
    low, high = poisson.ppf([1e-5, 1 - 1e-5], 12 * MEAN)
    assert low <= sum(total) <= high
    assert chi2.cdf(sum((n - MEAN) ** 2 for n in total) / MEAN, 12) < 1 - 1e-5
    assert len(reports(reports_per_day=0)[0]) == 0


@pytest.mark.parametrize(("source", "share"), [("grudge", 0.08), ("malicious", 0.05), ("routine", 0.35)])
def test_sources_have_their_shares_and_can_be_switched_off(many, reports, source, share):
    _, truth = many
    n = int((truth["source"] == source).sum())
    assert binomtest(n, len(truth), share).pvalue > 1e-5
    key = {"grudge": "grudges"}.get(source, source)
    assert not (reports(**{key: 0})[1]["source"] == source).any()


def test_reports_of_incidents_are_near_them_and_after(many, worlds):
    rows, truth = many
    mine = truth["incident_id"] >= 0
    assert (mine == (truth["source"] == "incident")).all()
    of = truth.loc[mine, "incident_id"].to_numpy()
    happened, city = worlds().incidents, worlds().city
    gap = np.hypot(rows.loc[mine, "x_m"] - city.site_x_m[happened.site[of]],
                   rows.loc[mine, "y_m"] - city.site_y_m[happened.site[of]])  # fmt: skip
    assert gap.max() < 80
    assert np.sqrt((gap**2).mean() / 2) == pytest.approx(12, rel=0.05)
    t_us = rows.loc[mine, "t"].dt.as_unit("us").astype("int64").to_numpy()
    last = worlds().scenario.start + pd.DateOffset(days=15)
    at_the_end = t_us >= int(last.timestamp()) * 1_000_000 - 1_000_000
    assert (t_us[~at_the_end] > happened.t_us[of][~at_the_end] - 1_000_000).all()
    assert at_the_end.mean() < 0.01


def test_grudges_are_one_user_against_one_address(many):
    rows, truth = many
    grudge = truth[truth["source"] == "grudge"].assign(user=rows["user"], category=rows["category"])
    pairs = grudge.groupby(["user", "x_m", "y_m"]).size()
    assert pairs.max() >= 3
    assert len(pairs) < 0.75 * len(grudge)
    assert set(grudge["category"]) <= {"bruit", "stationnement", "incivilite"}


def test_few_users_send_most(many, worlds):
    rows, _ = many
    per_user = np.sort(rows["user"].value_counts().to_numpy())[::-1]
    assert per_user[: len(per_user) // 10].sum() > 0.3 * len(rows)
    even = users(worlds(app_tail=90.0), rng=np.random.default_rng(0)).weight
    assert even.max() / even.mean() < 1.3


def _z_of_users(world, value):
    holders = users(world, rng=np.random.default_rng(1))
    may = world.people.smartphone & (world.people.age >= 13)
    picked = value[holders.person]
    return (picked.mean() - value[may].mean()) / (value[may].std() / np.sqrt(len(picked)))


def test_the_young_and_the_well_off_have_the_application_unless_switched_off(worlds):
    wide = {"app_share": 0.05}
    base = worlds(**wide)
    age = base.people.age.astype(float)
    poverty = base.city.quarters["poverty"].to_numpy()[base.people.quarter]
    assert _z_of_users(base, age) < -10
    assert _z_of_users(base, poverty) < -10
    off = worlds(app_young=0, app_poverty=0, **wide)
    assert abs(_z_of_users(off, age)) < 4
    assert abs(_z_of_users(off, poverty)) < 4
    assert worlds("equal-city").scenario.social.app_poverty == 0


def test_what_is_in_the_log_is_confirmed_and_lies_seldom_are(many, worlds, reports):
    _, truth = many
    of = truth["incident_id"].to_numpy()
    logged = (of >= 0) & (np.append(worlds().records.known_by, NONE)[of] != NONE)
    assert truth.loc[logged, "confirmed"].all()
    assert truth.loc[(of >= 0) & ~logged, "confirmed"].mean() == pytest.approx(0.5, abs=0.03)
    assert truth.loc[truth["source"] == "malicious", "confirmed"].mean() < 0.08
    only_log = reports(confirmed=0)[1]
    assert not only_log.loc[only_log["source"] != "incident", "confirmed"].any()


def test_liars_end_up_with_a_lower_score(many):
    rows, truth = many
    late = rows["t"] > rows["t"].quantile(0.7)
    score = rows[late].groupby(truth.loc[late, "source"])["reliability"].mean()
    assert score["malicious"] < score["grudge"] < score["incident"]


def slow_reliability(person, t_us, confirmed):
    """Second implementation: for each report, count the sender's reports of at least three days before."""
    out = []
    for i, (who, now) in enumerate(zip(person, t_us, strict=True)):
        past = [j for j in range(len(person)) if person[j] == who and t_us[j] <= now - 3 * DAY and j != i]
        out.append(round((1 + sum(confirmed[j] for j in past)) / (2 + len(past)), 3))
    return out


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.booleans()), max_size=40))
def test_scores_agree_with_a_slow_count(reports_):
    reports_ = sorted(reports_, key=lambda r: r[1])
    person = np.array([r[0] for r in reports_], dtype=np.int64)
    t_us = np.array([r[1] for r in reports_], dtype=np.int64) * DAY
    confirmed = np.array([r[2] for r in reports_], dtype=bool)
    assert reliability(person, t_us, confirmed).tolist() == slow_reliability(person, t_us, confirmed)


def test_same_generator_same_rows(worlds, reports):
    again = signalements(worlds(), rng=stream(1, "streams", "signalements"))
    pd.testing.assert_frame_equal(again, reports()[0])


def test_a_world_without_reports_has_an_empty_frame(worlds):
    rows, truth = reports_with_truth(worlds(reports_per_day=0), rng=np.random.default_rng(1))
    assert (len(rows), len(truth)) == (0, 0)
    assert str(rows["t"].dtype) == "datetime64[us, UTC]"


def test_the_datasheet_speaks_of_this_stream():
    assert [sheet.key for sheet in DATASHEETS] == ["signalements"]
