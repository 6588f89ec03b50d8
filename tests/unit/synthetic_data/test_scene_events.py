"""Events found in positions against those that were put there by hand."""

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.video import Line, Zone
from synthetic_data.scenes.layouts import ONE_WAY, WATCHED
from synthetic_data.scenes.occurrences import find_events
from synthetic_data.scenes.scripted import (
    PASSAGE_FLOW_RAD,
    Placed,
    placed_script,
    scripted_abandonment,
    scripted_counter_flow,
    scripted_crossing,
    scripted_density,
    scripted_fall,
    scripted_running,
    scripted_stay,
)

KEYS = ["kind", "zone", "subject_id", "situation"]
SCENES = [
    (scripted_stay, {}), (scripted_stay, {"gaps": ((40.0, 5.0), (60.0, 3.0)), "fps": 5.0}),
    (scripted_stay, {"situation": "rough_lying", "dwell_s": 30.0}), (scripted_crossing, {}),
    (scripted_crossing, {"times_s": (9.03, 11.0), "fps": 12.5}), (scripted_fall, {}),
    (scripted_fall, {"down_s": np.inf}),
    (scripted_abandonment, {}), (scripted_abandonment, {"away_s": np.inf, "situation": "bag_leaving"}),
    (scripted_density, {}), (scripted_counter_flow, {}), (scripted_running, {}),
]  # fmt: skip


def found(script):
    falls = script.events[script.events["kind"] == "fall"]
    return find_events(
        script.poses, script.subjects, fps=script.spec.fps, n_frames=script.spec.n_frames, zones=script.meta.zones,
        lines=script.meta.lines, flows={ONE_WAY: PASSAGE_FLOW_RAD}, dense_zones=(WATCHED,),
        falls=list(zip(falls["subject_id"], falls["t_begin_s"], falls["t_end_s"], strict=True)),
    )  # fmt: skip


@pytest.mark.parametrize(("make", "options"), SCENES)
def test_what_was_put_there_is_found_and_nothing_else(make, options):
    script = make(**options)
    put = script.events.sort_values([*KEYS, "t_begin_s"], ignore_index=True)
    got = found(script).sort_values([*KEYS, "t_begin_s"], ignore_index=True)
    assert put[KEYS].equals(got[KEYS]), got.to_string()
    off = (put[["t_begin_s", "t_end_s"]] - got[["t_begin_s", "t_end_s"]]).abs().to_numpy().max()
    by_frames = put["kind"].isin(["density", "running"]).any()
    assert off <= (1.0 / script.spec.fps + 1e-9 if by_frames else 2e-6)


def test_the_scenes_hold_what_their_words_say():
    stay = scripted_stay(dwell_s=90.0, enter_s=10.0, gaps=((40.0, 5.0),)).events
    first = stay[stay["subject_id"] == 1]
    assert first[["t_begin_s", "t_end_s"]].to_numpy().tolist() == [[10.0, 50.0], [55.0, 100.0]]
    crossing = scripted_crossing(times_s=(8.0, 14.0, 20.0)).events
    assert list(zip(crossing["t_begin_s"], crossing["zone"], strict=True)) == [
        (8.0, "line+"), (14.0, "line-"), (20.0, "line+"),
    ]  # fmt: skip
    away = scripted_abandonment(put_s=10.0, away_s=60.0).events
    assert away[["t_begin_s", "t_end_s"]].to_numpy().tolist() == [[pytest.approx(12.4), pytest.approx(72.4)]]
    fall = scripted_fall(at_s=10.0, down_s=np.inf)
    assert fall.events["t_end_s"].tolist() == [fall.spec.duration_s]
    dense = scripted_density(dense_s=(20.0, 40.0)).events.query("kind == 'density'")
    assert dense[["t_begin_s", "t_end_s", "subject_id"]].to_numpy().tolist() == [[20.0, 40.0, -1]]
    assert (scripted_counter_flow().events["kind"] == "counter_flow").sum() == 1


def test_gaps_that_leave_no_time_are_refused():
    with pytest.raises(ParameterError, match="gaps"):
        scripted_stay(gaps=((40.0, 1.0),))
    with pytest.raises(ParameterError, match="gaps"):
        scripted_stay(gaps=((40.0, 5.0), (46.0, 5.0)))


def test_a_stay_is_cut_where_the_clip_is_and_where_the_person_is_not():
    zone = Zone("z", ((-1.0, 14.0), (1.0, 14.0), (1.0, 16.0), (-1.0, 16.0)))
    always = Placed("waiting", ((-5.0, 0.0, 15.0), (99.0, 0.0, 15.0)))
    vanishes = Placed("waiting", ((2.0, 0.5, 15.0), (6.0, 0.5, 15.0)))
    script = placed_script([always, vanishes], duration_s=10.0, fps=10.0, events=[], zones=(zone,))
    got = found(script)
    assert got[["subject_id", "t_begin_s", "t_end_s"]].to_numpy().tolist() == [[1, 0.0, 10.0], [2, 2.0, 6.0]]


def test_a_line_is_crossed_between_its_ends_only_and_touching_it_is_being_on_its_right():
    line = Line("l", (0.0, 0.0), (0.0, 10.0))
    xs = [-1.0, 0.0, 1.0, 0.0, -1.0]  # from the left onto it, off to the right, onto it, off to the left
    poses = pd.DataFrame({"frame": range(5), "subject_id": 1, "x_m": xs, "y_m": 5.0})
    subjects = pd.DataFrame({"subject_id": [1], "label": "person", "situation": "passing", "owner_id": -1})

    def crossings(at):
        table = find_events(at, subjects, fps=1.0, n_frames=5, zones=(), lines=(line,), flows={}, dense_zones=())
        return list(zip(table["t_begin_s"], table["zone"], strict=True))

    assert crossings(poses) == [(1.0, "l+"), (3.0, "l-")]
    assert crossings(poses.assign(y_m=10.5)) == []


def test_an_owner_out_of_the_scene_has_left_the_bag():
    owner = Placed("bag_leaving", ((0.0, 0.0, 15.0), (5.0, 0.0, 15.0)))
    bag = Placed("bag_leaving", ((1.0, 0.0, 15.0), (20.0, 0.0, 15.0)), owner=1)
    got = found(placed_script([owner, bag], duration_s=20.0, fps=10.0, events=[]))
    assert got[["kind", "t_begin_s", "t_end_s", "subject_id"]].to_numpy().tolist() == [["abandonment", 5.1, 20.0, 2]]
