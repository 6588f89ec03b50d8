"""Stills before they are drawn: who is in them, where, and from which camera."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.situations import SITUATIONS
from synthetic_data.scenes.layouts import layout
from synthetic_data.scenes.spec import POSE_COLUMNS, SUBJECT_COLUMNS, Script
from synthetic_data.scenes.stills import MOST_PERSONS, StillRanges, random_still


@pytest.fixture(scope="module")
def stills() -> list[Script]:
    return [random_still(seed) for seed in range(100)]


def test_same_seed_same_still_and_another_seed_another() -> None:
    a, b, c = random_still(5), random_still(5), random_still(6)
    assert a.spec == b.spec and a.meta == b.meta
    assert a.poses.equals(b.poses) and a.subjects.equals(b.subjects)
    assert a.spec != c.spec


def test_from_nobody_to_the_most_allowed_with_one_pose_each(stills: list[Script]) -> None:
    persons = [int((s.subjects["label"] == "person").sum()) for s in stills]
    assert min(persons) <= 1 and MOST_PERSONS - 2 <= max(persons) <= MOST_PERSONS
    # even from 0 to 25, less what a narrow view has no room for
    assert 8 < np.mean(persons) < 12.5 + 3 * 7.5 / np.sqrt(len(stills))
    for s in stills:
        assert list(s.subjects) == list(SUBJECT_COLUMNS) and list(s.poses) == list(POSE_COLUMNS)
        assert s.subjects["subject_id"].tolist() == s.poses["subject_id"].tolist() == list(range(1, len(s.poses) + 1))
        assert (s.poses["frame"] == 0).all() and s.meta.n_frames == 1
    assert all(len(random_still(seed, most=0).subjects) <= 5 for seed in range(5))


def test_every_situation_is_drawn_about_as_often_as_any_other(stills: list[Script]) -> None:
    drawn = Counter(key for s in stills for key in s.subjects.query("label == 'person'")["situation"])
    groups = {"tourists": 3.6, "talking": 1.95}
    alone = [n / groups.get(key, 1.0) for key, n in drawn.items() if key != "seated"]
    assert set(drawn) == set(SITUATIONS)
    assert max(alone) / min(alone) < 2.5
    assert drawn["seated"] > 0.2 * np.mean(alone), "benches are few, not absent"


def test_people_stand_in_view_on_ground_that_can_be_walked_and_apart(stills: list[Script]) -> None:
    for s in stills:
        at = s.poses[["x_m", "y_m"]].to_numpy()
        points, depth = s.meta.camera.project(np.column_stack([at, np.full(len(at), 0.8)]))
        assert (depth > 2.0).all()
        assert ((points > 0) & (points < [s.spec.width_px, s.spec.height_px])).all()
        standing = s.poses["height_over_ground_m"].to_numpy() == 0
        ground = layout(s.spec.place).walkable
        assert shapely.contains_xy(ground, at[standing, 0], at[standing, 1]).all()
        apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) + 9 * np.eye(len(at))
        assert apart.min(initial=9.0) >= 0.35


def test_only_what_was_asked_for_is_drawn(stills: list[Script]) -> None:
    ranges = StillRanges(places=("hall",), lights=("dusk",), camera_height_m=(7.0, 8.0), focal_px=(500.0, 501.0))
    for seed in range(8):
        s = random_still(seed, ranges=ranges, width_px=416, height_px=416)
        assert (s.spec.place, s.spec.light, s.spec.width_px, s.spec.height_px) == ("hall", "dusk", 416, 416)
        assert 7.0 <= s.meta.camera.height_m <= 8.0 and 500.0 <= s.meta.camera.focal_px <= 501.0
        assert abs(s.meta.camera.yaw_deg) <= 20.0 and abs(s.meta.camera.x_m) <= 2.0
    yaws = [s.meta.camera.yaw_deg for s in stills]
    assert min(yaws) < -12 and max(yaws) > 12


def test_those_in_between_two_postures_are_at_every_stage(stills: list[Script]) -> None:
    rows = np.concatenate([
        s.poses.loc[s.subjects["situation"].eq("falling"), "blend"].to_numpy() for s in stills
    ])  # fmt: skip
    assert len(rows) > 20 and all(np.histogram(rows, bins=3, range=(0, 1))[0] > 0)
    seeds = [x for s in stills for x in s.subjects["appearance_seed"]]
    assert len(set(seeds)) == len(seeds)
    bags = [s.subjects[s.subjects["label"] == "object"] for s in stills]
    assert max(map(len, bags)) <= 5 and {"handbag", "suitcase", "backpack"} == {
        a for b in bags for a in b["accessories"]
    }


@pytest.mark.parametrize(
    "wrong", [{"places": ()}, {"lights": ()}, {"focal_px": (800.0, 300.0)}, {"camera_height_m": (0.0, 2.0)}]
)
def test_impossible_ranges_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        StillRanges(**wrong)  # type: ignore[arg-type]


def test_a_negative_crowd_is_refused() -> None:
    with pytest.raises(ParameterError, match="`most`"):
        random_still(1, most=-1)
