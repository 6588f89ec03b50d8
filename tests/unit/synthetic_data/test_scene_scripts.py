"""Scripts of scenes: who comes, at what speed, how long they stay, and the same bytes every time."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import shapely

from contrechamp.domain.situations import ACCESSORIES, POSTURES, SITUATIONS
from contrechamp.domain.video import EVENT_COLUMNS, EVENT_KINDS
from synthetic_data.scenes.cast import draw_people
from synthetic_data.scenes.layouts import SEAT_HEIGHT_M, WATCHED, layout
from synthetic_data.scenes.scripts import write_script
from synthetic_data.scenes.spec import PLACES, POSE_COLUMNS, SUBJECT_COLUMNS, SceneSpec

EVERYBODY = tuple((situation, 1) for situation in SITUATIONS)
FULL = SceneSpec(duration_s=120.0, dwell_s=(20.0, 60.0), cast=EVERYBODY, seed=3)


@pytest.fixture(scope="module")
def full():
    return write_script(FULL)


def of(script, situation):
    """Poses of the first person in a situation."""
    number = script.subjects.loc[script.subjects["situation"] == situation, "subject_id"].iloc[0]
    return script.poses[script.poses["subject_id"] == number]


# --- tables -------------------------------------------------------------------------------------------------------


def test_tables_keep_to_their_columns(full):
    for table, columns in ((full.subjects, SUBJECT_COLUMNS), (full.poses, POSE_COLUMNS), (full.events, EVENT_COLUMNS)):
        assert list(table) == list(columns)
    assert set(full.events["kind"]) <= set(EVENT_KINDS)
    assert {*full.poses["posture"], *full.poses["posture_to"]} <= set(POSTURES)
    assert {a for names in full.subjects["accessories"] for a in names.split(",") if a} <= set(ACCESSORIES)
    assert set(full.subjects["situation"]) == set(SITUATIONS)
    assert not full.poses.duplicated(["frame", "subject_id"]).any()
    assert full.poses["frame"].between(0, FULL.n_frames - 1).all()
    assert full.poses["blend"].between(0, 1).all()
    assert full.poses.select_dtypes("number").notna().all().all()
    assert (full.subjects["subject_id"] >= 1).all() and full.subjects["subject_id"].is_unique


def test_an_empty_scene_is_empty():
    script = write_script(SceneSpec(flow_per_min=0.0, duration_s=2.0))
    assert len(script.subjects) == len(script.poses) == len(script.events) == 0
    assert list(script.poses) == list(POSE_COLUMNS)


def test_a_scene_of_one_frame():
    script = write_script(SceneSpec(duration_s=0.1, fps=10.0, flow_per_min=60.0, cast=(("waiting", 2),)))
    assert set(script.poses["frame"]) == {0}
    assert (script.subjects["situation"] == "waiting").sum() == 2


# --- the same again -----------------------------------------------------------------------------------------------


def test_two_processes_write_the_same_bytes():
    code = (
        "import hashlib, pandas as pd\n"
        "from synthetic_data.scenes.scripts import write_script\n"
        "from synthetic_data.scenes.spec import SceneSpec\n"
        "s = write_script(SceneSpec(place='hall', duration_s=40.0, seed=9, flow_per_min=30.0, dwell_s=(5.0, 20.0),\n"
        "                           cast=(('lost', 2), ('tourists', 1), ('bag_leaving', 1))))\n"
        "text = ''.join(t.to_csv(index=False, float_format='%r') for t in (s.subjects, s.poses, s.events))\n"
        "print(len(s.poses), hashlib.sha256(text.encode()).hexdigest())\n"
    )
    first, second = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert first == second and int(first.split()[0]) > 1000


def test_one_more_in_the_cast_changes_nobody_elses_intentions():
    place, spec = layout("plaza"), SceneSpec(duration_s=60.0, cast=(("waiting", 2), ("cane", 1)))
    fewer = draw_people(spec, place)
    more = draw_people(replace(spec, cast=(*spec.cast, ("vendor", 1))), place)
    vendor = next(p for p in more if p.situation == "vendor")
    assert [p for p in more if p is not vendor] == list(fewer)
    other = draw_people(replace(spec, seed=2), place)
    assert other[0] != fewer[0]


# --- numbers that were asked for ----------------------------------------------------------------------------------


def test_passers_by_come_at_the_rate_asked():
    place = layout("plaza")
    specs = [SceneSpec(duration_s=200.0, flow_per_min=12.0, seed=k) for k in range(40)]
    counts = np.array([len(draw_people(spec, place)) for spec in specs])
    expected = 12.0 * 240.0 / 60.0  # 40 s before the first frame
    assert counts.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 40))
    assert 0.4 < counts.var() / expected < 2.0


@pytest.mark.parametrize(
    ("situation", "slowest", "fastest"),
    [("cane", 0.4, 0.8), ("passing", 0.7, 1.9), ("wheelchair", 0.6, 1.4), ("hurrying", 2.7, 4.1)],
)
def test_people_walk_at_their_own_pace(full, situation, slowest, fastest):
    pace = np.percentile(of(full, situation)["speed_m_s"], 75)
    assert slowest < pace < fastest


def test_nobody_jumps_and_speeds_are_those_of_the_positions(full):
    people = full.subjects.loc[full.subjects["label"] == "person", "subject_id"]
    for _, path in full.poses[full.poses["subject_id"].isin(people)].groupby("subject_id"):
        xy = path[["x_m", "y_m"]].to_numpy()
        assert (np.diff(path["frame"]) == 1).all()
        pace = np.hypot(*np.diff(xy, axis=0).T) * FULL.fps
        assert len(pace) == 0 or pace.max() < 5.0
        told = path["speed_m_s"].to_numpy()[:-1]
        assert len(pace) < 10 or np.median(np.abs(pace - told)) < 0.1


def test_nobody_walks_through_things(full):
    place = layout("plaza")
    solid = shapely.union_all([o.footprint for o in place.obstacles if o.kind != "bench"])
    people = full.poses[
        ~full.poses["subject_id"].isin(full.subjects.loc[full.subjects["label"] == "object", "subject_id"])
    ]
    at = shapely.points(people[["x_m", "y_m"]].to_numpy())
    deep = shapely.distance(at, shapely.boundary(solid)) * shapely.contains(solid, at)
    assert deep.max() < 0.1


def test_walkers_leave_room_to_those_who_stay(full):
    lying = full.subjects.loc[full.subjects["situation"] == "rough_lying", "subject_id"].iloc[0]
    others = full.subjects.loc[full.subjects["situation"].isin(["passing", "cane", "pram"]), "subject_id"]
    down = full.poses[(full.poses["subject_id"] == lying) & (full.poses["posture"] == "lying")]
    near = full.poses[full.poses["subject_id"].isin(others)].merge(down, on="frame", suffixes=("", "_lying"))
    assert np.hypot(near["x_m"] - near["x_m_lying"], near["y_m"] - near["y_m_lying"]).min() > 0.5


# --- situations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("situation", "posture"),
    [
        ("seated", "sitting"), ("rough_seated", "sitting_ground"), ("rough_lying", "lying"), ("falling", "lying"),
        ("sitting_down", "sitting_ground"), ("tying_shoe", "crouching"), ("wheelchair", "rolling"), ("cane", "stooped"),
        ("hurrying", "running"), ("waiting", "standing"), ("pram", "walking"),
    ],
)  # fmt: skip
def test_each_situation_takes_its_posture(full, situation, posture):
    held = of(full, situation)
    assert (held["posture"] == posture).mean() > 0.2
    if posture in ("sitting_ground", "lying", "crouching"):
        assert held.loc[held["posture"] == posture, "speed_m_s"].max() < 0.3


def test_who_sits_on_a_bench_is_on_it(full):
    sitting = of(full, "seated").query("posture == 'sitting'")
    assert (sitting["height_over_ground_m"] == SEAT_HEIGHT_M).all()
    seats = np.array([(s.x_m, s.y_m) for s in layout("plaza").seats])
    off = sitting[["x_m", "y_m"]].to_numpy()[:, None] - seats
    assert np.hypot(off[..., 0], off[..., 1]).min(axis=1).max() < 0.05


@pytest.mark.parametrize("seed", [1, 2])
def test_a_stay_lasts_as_drawn_and_lies_whole_in_the_clip(seed):
    spec = SceneSpec(duration_s=200.0, dwell_s=(30.0, 60.0), cast=(("waiting", 4),), flow_per_min=6.0, seed=seed)
    script = write_script(spec)
    for number in range(1, 5):
        still = script.poses[(script.poses["subject_id"] == number) & (script.poses["speed_m_s"] < 0.2)]
        assert 28.0 < len(still) / spec.fps < 66.0
    long = write_script(replace(spec, dwell_s=(300.0, 600.0)))
    assert (long.poses.query("subject_id <= 4").groupby("subject_id").size() == spec.n_frames).all()


def test_a_group_of_tourists_keeps_together_and_a_pair_faces_each_other(full):
    tourists = full.subjects.loc[full.subjects["situation"] == "tourists", "subject_id"]
    assert 3 <= len(tourists) <= 5
    assert full.subjects.loc[tourists.index, "accessories"].str.contains("suitcase|backpack").any()
    pair = full.subjects.loc[full.subjects["situation"] == "talking", "subject_id"]
    both = full.poses[full.poses["subject_id"].isin(pair) & (full.poses["speed_m_s"] < 0.1)]
    wide = both.pivot(index="frame", columns="subject_id").dropna()
    apart = np.hypot(*(wide[c].iloc[:, 0] - wide[c].iloc[:, 1] for c in ("x_m", "y_m")))
    assert len(wide) > 100 and np.median(apart) < 1.6
    turned = wide["heading_rad"].iloc[:, 0] - wide["heading_rad"].iloc[:, 1]
    assert np.median(np.cos(turned)) < -0.5


def test_a_child_runs_about_within_three_metres_and_an_adult_is_near(full):
    child = full.subjects[full.subjects["situation"] == "child_playing"].iloc[0]
    assert 0.9 < child["height_m"] < 1.5
    path = full.poses[full.poses["subject_id"] == child["subject_id"]]
    playing = path[path["frame"].isin(path.loc[path["posture"].isin(["running", "standing"]), "frame"])]
    middle = playing[["x_m", "y_m"]].median().to_numpy()
    reach = np.hypot(*(path[["x_m", "y_m"]].to_numpy() - middle).T)
    assert np.percentile(reach, 60) < 4.0
    assert reach.max() > 1.0


def test_a_bag_left_stays_and_a_bag_fetched_goes(full):
    bags = full.subjects[full.subjects["label"] == "object"].set_index("situation")
    assert set(bags.index) == {"bag_leaving", "bag_returning"}
    for situation, bag in bags.iterrows():
        rows = full.poses[full.poses["subject_id"] == bag["subject_id"]]
        assert rows[["x_m", "y_m"]].nunique().tolist() == [1, 1]
        owner = full.poses[full.poses["subject_id"] == bag["owner_id"]]
        start = owner[owner["frame"] == rows["frame"].iloc[0]].iloc[0]
        assert np.hypot(start["x_m"] - rows["x_m"].iloc[0], start["y_m"] - rows["y_m"].iloc[0]) < 0.7
        events = full.events[(full.events["kind"] == "abandonment") & (full.events["subject_id"] == bag["subject_id"])]
        assert len(events) == 1
        to_the_end = events["t_end_s"].iloc[0] == FULL.duration_s
        assert to_the_end == (situation == "bag_leaving") == (rows["frame"].iloc[-1] == FULL.n_frames - 1)


@pytest.mark.parametrize("place", PLACES)
def test_what_the_cast_is_asked_for_happens(place):
    cast = (("falling", 1), ("counter_flow", 2), ("hurrying", 1), ("bag_leaving", 1), ("waiting", 2))
    script = write_script(SceneSpec(place=place, duration_s=120.0, cast=cast, dwell_s=(20.0, 40.0), flow_per_min=6.0))
    kinds = script.events.groupby("kind")["situation"].agg(list)
    assert kinds["fall"] == ["falling"]
    assert kinds["counter_flow"].count("counter_flow") == 2
    assert "hurrying" in kinds["running"] and kinds["abandonment"] == ["bag_leaving"]
    stays = script.events.query(f"kind == 'stay' and zone == '{WATCHED}' and situation == 'waiting'")
    assert (stays["t_end_s"] - stays["t_begin_s"]).max() > 18.0


def test_a_fall_is_from_upright_to_lying_in_under_a_second(full):
    fall = full.events[full.events["kind"] == "fall"].iloc[0]
    path = of(full, "falling").assign(t=lambda d: d["frame"] / FULL.fps)
    before = path[path["t"].between(fall["t_begin_s"] - 1.0, fall["t_begin_s"] - 0.15)]
    assert set(before["posture_to"]) <= {"walking", "standing"}
    after = path[path["t"].between(fall["t_begin_s"] + 0.85, fall["t_begin_s"] + 4.0)]
    assert set(after["posture"]) == {"lying"}


@pytest.mark.parametrize("seed", range(4))
def test_few_are_stuck(seed):
    script = write_script(SceneSpec(place=PLACES[seed], seed=seed, duration_s=60.0, flow_per_min=20.0))
    passing = script.poses  # nobody else was asked for
    assert (passing["speed_m_s"] < 0.15).mean() < 0.04
    assert len(passing) > 500
