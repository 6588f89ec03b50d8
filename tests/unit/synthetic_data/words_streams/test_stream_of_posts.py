"""The stream of public posts: volume, form, threads, causes, biases, and nothing of the truth in what is shown."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, chi2, poisson

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import LAYOUTS
from synthetic_data.grammar.registers import REGISTERS
from synthetic_data.names import person_handles
from synthetic_data.streams.dense import window
from synthetic_data.streams.posts import CATEGORIES, ROLES
from synthetic_data.streams.social import DATASHEETS, authors, posts_with_truth, reseaux_sociaux

MEAN = 20_000 * 90_000 / 860_000 * 7
ALARM = re.compile(
    r"attaqu|attentat|explos|bombe|guerre|tué|tue|saigner|braqu|otage|agress|alerte|assaut|incendie|feu|évasion|"
    r"carnage|mort|baston|grenade|gangster|émeute|fin du monde|rassemblement|envahir|braquage", re.IGNORECASE,
)  # fmt: skip


@pytest.fixture(scope="module")
def drawn(posts):
    return posts()


@pytest.fixture(scope="module")
def joined(drawn):
    rows, truth = drawn
    return rows.merge(truth.drop(columns=["t", "x_m", "y_m"]), on="post_id", validate="one_to_one")


def test_rows_have_the_form_of_the_layout_and_nothing_more(drawn, worlds):
    rows, _ = drawn
    raw = ["x_m" if f == "lon" else "y_m" if f == "lat" else f for f in LAYOUTS["reseaux_sociaux"].raw_names]
    assert list(rows.columns) == [*raw, "t_drop"]
    assert rows["post_id"].is_unique
    assert str(rows["t"].dtype) == str(rows["t_drop"].dtype) == "datetime64[us, UTC]"
    assert rows["visible"].dtype == bool
    assert rows[["post_id", "author", "text"]].notna().all().all()
    assert (rows["t_drop"] > rows["t"]).all()
    assert rows.sort_values(["t_drop", "post_id"]).index.equals(rows.index)
    inside = window(worlds().scenario)
    assert inside.holds(rows["t"].dt.as_unit("us").astype("int64").to_numpy()).all()


def test_texts_bear_no_mark_of_the_truth(drawn):
    rows, _ = drawn
    marks = [*ROLES, *REGISTERS, *CATEGORIES, "event_id", "incident"]
    marks = [m for m in marks if "_" in m or m in ("organiser", "complaint", "witness", "familier", "soutenu", "texto")]
    assert not rows["text"].str.contains("|".join(marks)).any()
    assert not rows["text"].str.contains(r"[{}\x00]|  |^ | $|P\d{6}|Q\d{3}").any()


def test_volume_is_poisson_with_the_mean_of_the_register(posts):
    total = [len(posts(seed=seed)[0]) for seed in range(1, 7)]
    low, high = poisson.ppf([1e-5, 1 - 1e-5], 6 * MEAN)
    assert low <= sum(total) <= high
    spread = sum((n - MEAN) ** 2 for n in total) / MEAN
    assert chi2.cdf(spread, 6) < 1 - 1e-5


def test_days_are_all_filled_and_nights_are_quiet(drawn):
    local = drawn[0]["t"].dt.tz_convert("Europe/Paris")
    per_day = local.dt.floor("D").value_counts()
    assert len(per_day) == 7
    assert per_day.min() > 0.8 * MEAN / 7
    assert (local.dt.hour == 4).mean() < 0.02 < (local.dt.hour == 20).mean()


def test_the_share_with_a_point_has_its_exact_interval(posts):
    rows, truth = posts()
    k, n = int(rows["x_m"].notna().sum()), len(rows)
    low, high = beta.ppf(5e-4, k, n - k + 1), beta.ppf(1 - 5e-4, k + 1, n - k)
    assert low <= 0.004 <= high
    assert k / n <= 0.005
    assert (rows["x_m"].isna() == rows["y_m"].isna()).all()
    placed = rows[rows["x_m"].notna()].merge(truth, on="post_id", suffixes=("", "_true"))
    assert np.hypot(placed["x_m"] - placed["x_m_true"], placed["y_m"] - placed["y_m_true"]).max() < 70
    assert posts(geolocated=0)[0]["x_m"].isna().all()
    assert posts(geolocated=1)[0]["x_m"].notna().all()


def test_threads_have_no_loop_and_parents_come_first(drawn):
    rows, truth = drawn
    known = truth.set_index("post_id")
    child = truth[truth["parent_id"].notna()]
    parent = known.loc[child["parent_id"]]
    assert (parent["t"].to_numpy() < child["t"].to_numpy()).all()  # hence no loop
    assert (parent["root_id"].to_numpy() == child["root_id"].to_numpy()).all()
    roots = truth[truth["parent_id"].isna()]
    assert (roots["root_id"] == roots["post_id"]).all()
    shown = rows[rows["reply_to"].notna()]
    assert (known.loc[shown["post_id"], "parent_id"].to_numpy() == shown["reply_to"].to_numpy()).all()
    lost = ~shown["reply_to"].isin(rows["post_id"])
    assert 0 < lost.mean() < 0.1  # answers to what was withdrawn at once, was private, or came before the window
    assert not known.loc[shown.loc[lost, "reply_to"], "published"].any()
    depth = pd.Series(0, index=truth["post_id"])
    for post, up in zip(child["post_id"], child["parent_id"], strict=True):
        depth[post] = depth[up] + 1
    assert depth.max() >= 4
    branches = child.groupby("parent_id").size()
    assert (branches >= 3).sum() > 50


def test_authors_are_persons_and_few_do_most(drawn, worlds):
    rows, truth = drawn
    who = truth.set_index("post_id").loc[rows["post_id"], "person"].to_numpy()
    assert rows["author"].tolist() == person_handles(who)
    per_author = np.sort(np.bincount(who)[np.unique(who)])[::-1]
    assert per_author[: len(per_author) // 10].sum() > 0.3 * len(rows)
    even = authors(worlds(activity_tail=90.0), rng=np.random.default_rng(0)).weight
    assert even.max() / even.mean() < 1.3


def test_nobody_but_an_organiser_answers_themselves(drawn):
    _, truth = drawn
    person = truth.set_index("post_id")["person"]
    child = truth[truth["parent_id"].notna() & (truth["role"] != "organiser") & (truth["role"] != "cancellation")]
    assert (child["person"].to_numpy() == person.loc[child["parent_id"]].to_numpy()).mean() < 0.002


@pytest.mark.parametrize("declared", [True, False])
def test_organisers_of_declared_and_undeclared_gatherings_have_trees(posts, worlds, declared):
    rows, truth = posts()
    events = worlds().calendar.set_index("event_id")
    calls = truth[(truth["category"] == "call") & (truth["event_id"] >= 0)]
    event = events.loc[calls["event_id"]]
    calls = calls[event["authorised"].to_numpy() == declared]
    event = events.loc[calls["event_id"]]
    assert len(calls) >= 4
    assert (calls["person"].to_numpy() == event["organiser"].to_numpy()).all()
    starts = pd.to_datetime(event["t_start_us"].to_numpy(), unit="us", utc=True)
    assert (calls["t"].to_numpy() < starts.to_numpy()).all()
    assert event["kind"].isin(["picnic", "market", "concert", "festival", "sport", "match"]).all()
    trees = truth[truth["root_id"].isin(calls["post_id"])]
    assert {"organiser", "relay", "participant"} <= set(trees["role"])
    assert trees.groupby("root_id").size().max() >= 8
    assert (trees.groupby("root_id")["event_id"].nunique() == 1).all()
    assert trees["post_id"].isin(rows["post_id"]).any()


def test_some_calls_come_to_nothing(posts):
    _, truth = posts()
    false = truth[(truth["category"].isin(["call", "call_joke"])) & (truth["event_id"] < 0) & (truth["role"] != "joke")]
    assert len(false) >= 1
    none = posts(false_calls_per_day=0)[1]
    assert not ((none["category"] == "call") & (none["event_id"] < 0)).any()
    assert not (posts(announced=0, false_calls_per_day=0)[1]["category"] == "call").any()


def test_what_is_said_in_private_shows_through_relays_only(posts):
    rows, truth = posts(private=1, deleted=0)
    calls = truth[truth["category"] == "call"]
    assert len(calls) >= 8
    assert not calls["published"].any()
    shown = truth[truth["root_id"].isin(calls["root_id"]) & truth["published"]]
    assert len(shown) >= 3
    relays = shown[shown["category"] == "relay"]
    assert rows.set_index("post_id").loc[relays["post_id"], "reply_to"].isna().all()
    assert truth[truth["category"] == "call"]["t_deleted"].isna().all()


def test_rumours_start_false_spread_and_are_set_right(drawn):
    _, truth = drawn
    told = truth[truth["rumour"] >= 0]
    for _, talk in told.groupby("rumour"):
        assert talk["category"].iloc[0] == "rumour"
        assert set(talk["category"].iloc[1:]) <= {f"rumour_{w}" for w in ("relay", "believe", "doubt", "correct")}
        cut = talk["t"].max() < told["t"].max() - pd.Timedelta(hours=6)
        if len(talk) >= 6 and cut:
            assert (talk["category"] == "rumour_correct").any()
    assert (told["incident_id"] < 0).all()
    assert (told["event_id"] < 0).all()
    assert told.groupby("rumour").size().max() > 10


def test_a_rumour_claims_one_thing(joined):
    for _, talk in joined[(joined["rumour"] >= 0) & (joined["register"] == "courant")].groupby("rumour"):
        claims = talk[talk["category"].isin(["rumour", "rumour_relay"])]["text"]
        if len(claims) < 3:
            continue
        words = [set(re.findall(r"\w{5,}", text.lower())) for text in claims]
        assert len(set.intersection(*words)) >= 1, claims.tolist()


def test_jokes_sound_like_alarms_and_have_no_cause(joined):
    jokes = joined[(joined["category"] == "joke") & joined["register"].isin(["courant", "familier"])]
    assert jokes["text"].str.contains(ALARM).mean() > 0.8
    assert (jokes["incident_id"] < 0).all()
    quiet = joined[joined["category"].isin(["daily", "daily_reply"]) & joined["register"].isin(["courant", "familier"])]
    assert quiet["text"].str.contains(ALARM).mean() < 0.1


def test_complaints_follow_incidents_near_by_with_some_delay(drawn, worlds):
    _, truth = drawn
    world, said = worlds(), drawn[1][(drawn[1]["role"] == "complaint") & (drawn[1]["incident_id"] >= 0)]
    of = said["incident_id"].to_numpy()
    happened = world.incidents
    lag_h = (said["t"].dt.as_unit("us").astype("int64").to_numpy() - happened.t_us[of]) / 3.6e9
    assert lag_h.min() > 0
    kind = happened.type_code[of]
    named = np.array([f"complain_{name}" for name in INCIDENT_TYPES])[kind]
    assert said["category"].tolist() == named.tolist()
    tapage, depot = (INCIDENT_TYPES.index(name) for name in ("tapage", "depot_sauvage"))
    assert np.median(lag_h[kind == tapage]) < 1 < 6 < np.median(lag_h[kind == depot])
    site = happened.site[of]
    assert np.array_equal(said["x_m"], world.city.site_x_m[site])
    assert np.array_equal(said["y_m"], world.city.site_y_m[site])
    # about 0.15 posts an incident, weights and voices aside
    assert 0.08 < len(said) / (500 * 7) < 0.25
    grumbles = truth[(truth["role"] == "complaint") & (truth["incident_id"] < 0)]
    assert len(grumbles) > 50


def test_each_cause_can_be_switched_off(posts):
    _, truth = posts(complaints=0, echo_share=0, event_posts=0, announced=0, rumours_per_day=0)
    assert (truth["incident_id"] < 0).all()
    assert (truth["event_id"] < 0).all()
    assert (truth["rumour"] < 0).all()
    assert not truth["role"].isin(["witness", "echo", "attendee"]).any()


def test_visible_incidents_have_an_echo(drawn, worlds):
    _, truth = drawn
    first = truth[truth["role"] == "witness"]
    kinds = {INCIDENT_TYPES[k] for k in worlds().incidents.type_code[first["incident_id"].to_numpy()]}
    assert kinds <= {"rixe", "violence", "accident", "attroupement", "degradation"}
    talk = truth[truth["root_id"].isin(first["post_id"])]
    assert talk.groupby("root_id").size().mean() > 5


def test_crowds_write_more_and_while_they_are_there(posts, worlds):
    _, truth = posts(event_posts=120)
    there = truth[truth["category"].str.endswith("_during")]
    events = worlds().calendar.set_index("event_id").loc[there["event_id"]]
    t_us = there["t"].dt.as_unit("us").astype("int64").to_numpy()
    assert len(there) > 30
    assert ((t_us >= events["t_start_us"].to_numpy() - 1_000_000) & (t_us <= events["t_end_us"].to_numpy())).all()
    assert np.array_equal(there["x_m"], events["x_m"])
    assert (truth["role"] == "attendee").sum() > 5 * (posts()[1]["role"] == "attendee").sum()


def test_what_is_withdrawn_is_unseen_or_marked(posts):
    rows, truth = posts(deleted=0.5)
    state = truth.set_index("post_id").loc[rows["post_id"]]
    gone = state["t_deleted"].to_numpy()
    assert not (~rows["visible"].to_numpy() & pd.isna(gone)).any()
    assert 0.1 < (~rows["visible"]).mean() < 0.5
    midnight = rows["t_drop"].dt.tz_convert("Europe/Paris").dt.normalize() + pd.DateOffset(days=1)
    before = pd.Series(gone) < midnight.dt.tz_convert("UTC").reset_index(drop=True)
    assert (before.to_numpy() == ~rows["visible"].to_numpy()).all()
    assert len(truth) - len(rows) > 0.04 * len(rows)
    rows, truth = posts(deleted=0, private=0)
    assert rows["visible"].all()
    opens = pd.Timestamp(rows["t"].min()).tz_convert("Europe/Paris").normalize()
    assert truth.loc[truth["t"] >= opens, "published"].all()


def _z_of_authors(world, rng, value):
    holders = authors(world, rng=rng)
    may = world.people.smartphone & (world.people.age >= 13)
    all_of_them = value[may]
    picked = value[holders.person]
    n, pool = len(picked), len(all_of_them)
    error = all_of_them.std() * np.sqrt((1 / n) * (pool - n) / (pool - 1))
    return (picked.mean() - all_of_them.mean()) / error


def test_the_young_and_the_central_write_more_unless_switched_off(worlds):
    base = worlds()
    age = base.people.age.astype(float)
    site = base.people.home_site
    away = np.hypot(base.city.site_x_m[site] - base.city.centre_m[0], base.city.site_y_m[site] - base.city.centre_m[1])
    assert _z_of_authors(base, np.random.default_rng(1), age) < -20
    assert _z_of_authors(base, np.random.default_rng(1), away) < -5
    off = worlds(author_young=0, author_central=0)
    assert abs(_z_of_authors(off, np.random.default_rng(1), age)) < 4
    assert abs(_z_of_authors(off, np.random.default_rng(1), away)) < 4


def test_in_the_equal_city_nobody_writes_more_for_where_they_live(worlds):
    world = worlds("equal-city", author_young=0)
    assert world.scenario.social.author_central == 0
    holders = authors(world, rng=np.random.default_rng(2))
    may = world.people.smartphone & (world.people.age >= 13)
    wanted = np.bincount(world.people.quarter[may], minlength=18) * len(holders) / may.sum()
    found = np.bincount(holders.quarter, minlength=18)
    assert chi2.sf(((found - wanted) ** 2 / wanted).sum(), 17) > 1e-4


def test_names_of_places_are_few_and_often_vague(posts, worlds):
    rows, _ = posts()
    assert rows["place_name"].notna().mean() == pytest.approx(0.12, abs=0.02)
    quarters = set(worlds().city.quarters["name"])
    named = rows["place_name"].dropna()
    assert 0.15 < (~named.isin(quarters)).mean() < 0.4
    sure = posts(place_vague=0, place_named=1)[0]["place_name"]
    assert sure.isin(quarters).all()


def test_registers_follow_their_shares(posts):
    _, truth = posts(registers=(0, 0, 0, 0, 1.0))
    idle = truth[truth["role"] == "noise"]
    assert (idle["register"] == "brut").all()
    shares = posts()[1]["register"].value_counts(normalize=True)
    assert shares["courant"] == pytest.approx(0.35, abs=0.06)
    with pytest.raises(ParameterError, match="registers"):
        posts(registers=(1.0, 2.0))


def test_texts_vary(drawn):
    rows, truth = drawn
    assert rows["text"].nunique() > 0.35 * len(rows)
    assert rows["text"].value_counts().iloc[0] < 0.01 * len(rows)
    assert truth["template"].nunique() > 400


def test_same_generator_same_bytes_and_the_stream_is_the_first_of_the_two(worlds, posts):
    again = reseaux_sociaux(worlds(), rng=stream(1, "streams", "reseaux_sociaux"))
    pd.testing.assert_frame_equal(again, posts()[0])


def test_a_world_where_nothing_happens_still_talks(worlds):
    world = worlds(posts_per_day=0.4)
    rows, truth = posts_with_truth(world, rng=np.random.default_rng(3))
    assert len(rows) <= len(truth)
    silent = worlds(
        posts_per_day=0, complaints=0, echo_share=0, event_posts=0, announced=0, rumours_per_day=0,
        false_calls_per_day=0,
    )  # fmt: skip
    rows, truth = posts_with_truth(silent, rng=np.random.default_rng(3))
    assert (len(rows), len(truth)) == (0, 0)
    assert str(rows["t"].dtype) == "datetime64[us, UTC]"


def test_a_world_without_events_or_incidents_is_drawn(worlds):
    world = worlds()
    nothing = np.empty(0, dtype=np.int64)
    calm = replace(world.incidents, t_us=nothing, type_code=nothing, site=nothing, cell=nothing, quarter=nothing)
    quiet = replace(world, calendar=world.calendar.iloc[:0], incidents=calm)
    rows, truth = posts_with_truth(quiet, rng=np.random.default_rng(3))
    assert len(rows) > 0.9 * MEAN
    assert (truth["event_id"] < 0).all()
    assert (truth["incident_id"] < 0).all()


def test_the_datasheet_speaks_of_this_stream():
    assert [sheet.key for sheet in DATASHEETS] == ["reseaux_sociaux"]
