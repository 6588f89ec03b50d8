"""Twins of a scene differ in what a person is shown as, and in nothing else."""

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from synthetic_data.scenes.counterfactual import counterfactual
from synthetic_data.scenes.scripts import write_script
from synthetic_data.scenes.spec import SceneSpec

SPEC = SceneSpec(
    duration_s=50.0, dwell_s=(15.0, 25.0), cast=(("waiting", 2), ("smoking", 1), ("bag_leaving", 1)), seed=5
)
PATH = ["frame", "subject_id", "x_m", "y_m", "heading_rad", "speed_m_s"]
PAIRS = [("waiting", "rough_lying"), ("waiting", "wheelchair"), ("waiting", "child_playing"), ("smoking", "falling")]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_twins_share_every_step_every_stay_and_everyone_else(before, after):
    a, b = counterfactual(SPEC, before, after)
    assert a.poses[PATH].equals(b.poses[PATH])
    assert a.meta.camera == b.meta.camera and a.meta.clip_id != b.meta.clip_id
    touched = a.subjects["situation"] == before
    assert touched.any() and not touched.all()
    assert a.subjects[~touched].equals(b.subjects[~touched])
    kept = ["subject_id", "label", "build", "appearance_seed", "owner_id"]
    assert a.subjects.loc[touched, kept].equals(b.subjects.loc[touched, kept])
    assert (b.subjects.loc[touched, "situation"] == after).all()
    others = ~a.poses["subject_id"].isin(a.subjects.loc[touched, "subject_id"])
    assert a.poses[others].equals(b.poses[others])
    times = ["kind", "t_begin_s", "t_end_s", "subject_id", "zone"]
    stays = [s.events.query("kind != 'fall'").reset_index(drop=True) for s in (a, b)]
    assert stays[0][times].equals(stays[1][times]) and len(stays[0]) > 0


def test_the_twin_takes_the_body_of_the_other_situation():
    a, b = counterfactual(SPEC, "waiting", "rough_lying")
    who = a.subjects["situation"] == "waiting"
    assert set(b.subjects.loc[who, "accessories"]) == {"blanket"}
    ids = a.subjects.loc[who, "subject_id"]
    assert not (a.poses["posture"] == "lying").any()
    lying = b.poses[b.poses["posture"] == "lying"]
    assert set(lying["subject_id"]) == set(ids) and lying["speed_m_s"].max() < 0.2
    _, child = counterfactual(SPEC, "waiting", "child_playing")
    assert (child.subjects.loc[who, "height_m"] < 1.5).all()
    assert (a.subjects.loc[who, "height_m"] > 1.4).all()


def test_falls_go_with_the_situation():
    a, b = counterfactual(SPEC, "smoking", "falling")
    assert (a.events["kind"] == "fall").sum() == 0
    falls = b.events[b.events["kind"] == "fall"]
    number = b.subjects.loc[b.subjects["situation"] == "falling", "subject_id"].iloc[0]
    assert falls["subject_id"].tolist() == [number]
    down = b.poses.query("subject_id == @number and posture == 'lying'")["frame"] / SPEC.fps
    assert falls["t_begin_s"].iloc[0] < down.min() < falls["t_begin_s"].iloc[0] + 1.0
    back, _ = counterfactual(SceneSpec(duration_s=60.0, cast=(("falling", 1),)), "falling", "tying_shoe")
    assert (back.events["kind"] == "fall").sum() == 1


@pytest.mark.parametrize("pair", [("waiting", "waiting"), ("cane", "pram")])
def test_a_twin_needs_someone_to_change(pair):
    with pytest.raises(ParameterError, match="situation_from"):
        counterfactual(SPEC, *pair)


def test_a_swap_both_ways_exchanges_bodies():
    spec = SceneSpec(
        duration_s=20.0, cast=(("waiting", 1), ("vendor", 1)), swap=(("waiting", "vendor"), ("vendor", "waiting"))
    )
    swapped = write_script(spec)
    assert swapped.subjects["situation"].tolist()[:2] == ["vendor", "waiting"]
    assert swapped.subjects["accessories"].tolist()[:2] == ["stall", ""]
    assert np.isfinite(swapped.poses["x_m"]).all()
