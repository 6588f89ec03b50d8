"""The renderer against closed forms, and its truth against its own pixels."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import BOX, EVENT_COLUMNS, TRUTH_COLUMNS, VISIBLE_BOX, ClipMeta, as_table
from synthetic_data.scenes.layouts import layout
from synthetic_data.scenes.render import Rendered, Renderer, render_frames
from synthetic_data.scenes.spec import LIGHTS, PLACES, POSE_COLUMNS, SUBJECT_COLUMNS, SceneSpec, Script

SMALL: dict[str, Any] = {"width_px": 320, "height_px": 180, "focal_px": 260.0}


def stand(situation: str = "waiting", **at: Any) -> dict[str, Any]:
    """One subject and its pose in every frame, some values given."""
    usual = SITUATIONS[situation]
    return {
        "label": "person", "situation": situation, "height_m": 1.75, "build": 1.0,
        "accessories": ",".join(usual.accessories), "appearance_seed": 5, "owner_id": -1, "x_m": 0.0, "y_m": 12.0,
        "heading_rad": np.pi, "speed_m_s": 0.0, "phase": 0.1, "posture": usual.posture, "posture_to": usual.posture,
        "blend": 0.0, "height_over_ground_m": 0.0,
    } | at  # fmt: skip


def script_of(*people: dict[str, Any], n_frames: int = 1, **spec: Any) -> Script:
    asked = SceneSpec(duration_s=n_frames / 10, **(SMALL | spec))
    place = layout(asked.place)
    meta = ClipMeta("c", asked.fps, n_frames, asked.camera, place.zones, place.lines)
    rows = [{"subject_id": i} | p for i, p in enumerate(people, start=1)]
    subjects = as_table(pd.DataFrame(rows) if rows else {}, SUBJECT_COLUMNS, what="subjects")
    poses = [row | {"frame": f} for f in range(n_frames) for row in rows if f in row.get("frames", range(n_frames))]
    return Script(
        asked, meta, subjects, as_table(pd.DataFrame(poses) if poses else {}, POSE_COLUMNS, what="poses"),
        as_table({}, EVENT_COLUMNS, what="events"),
    )  # fmt: skip


def shot(*people: dict[str, Any], **spec: Any) -> Rendered:
    return Renderer(script_of(*people, **spec)).frame(0)


def crowd() -> list[dict[str, Any]]:
    return [
        stand(name, x_m=-5.0 + 2.0 * (i % 6), y_m=8.5 + 3.0 * (i // 6), heading_rad=0.7 * i, appearance_seed=i)
        | {"phase": i / 7}
        for i, name in enumerate(SITUATIONS)
    ]  # fmt: skip


def test_somebody_stands_where_the_camera_projects_the_feet_and_the_crown() -> None:
    seen = shot(stand(y_m=12.0, x_m=1.5), width_px=640, height_px=360, focal_px=520.0)
    row = seen.truth.iloc[0]
    camera = SceneSpec().camera
    (foot, crown), _ = camera.project(np.array([[1.5, 12.0, 0.0], [1.5, 12.0, 1.75]]))
    assert row.y2_px == pytest.approx(foot[1], abs=4)  # shoes reach a little nearer than the foot point
    assert row.y1_px == pytest.approx(crown[1], abs=2)
    assert (row.x1_px + row.x2_px) / 2 == pytest.approx(foot[0], abs=3)
    assert (row.x_m, row.y_m) == (1.5, 12.0)


@pytest.mark.parametrize("name", SITUATIONS)
def test_somebody_alone_is_entirely_visible(name: str) -> None:
    pushed = name in ("pram", "vendor")  # what is pushed or laid out hides
    truth = shot(stand(name, height_over_ground_m=0.45 if name == "seated" else 0.0, x_m=1.0, y_m=9.5)).truth
    assert len(truth) == 1
    assert truth.visibility[0] == 1.0 or (pushed and truth.visibility[0] > 0.5)


def test_somebody_behind_a_house_is_there_but_not_seen() -> None:
    seen = shot(stand(x_m=-7.5, y_m=35.0), stand(y_m=14.0))
    assert (seen.ids != 1).all()
    hidden = seen.truth.set_index("subject_id").loc[1]
    assert hidden.visible_px == 0
    assert hidden.visibility == 0.0
    assert list(hidden[list(BOX)]) == list(hidden[list(VISIBLE_BOX)])


@pytest.mark.parametrize("place", PLACES)
def test_the_mask_and_the_boxes_say_the_same(place: str) -> None:
    seen = shot(*crowd(), place=place)
    assert set(np.unique(seen.ids)) - {0} == set(seen.truth.subject_id[seen.truth.visible_px > 0])
    assert len(seen.truth) > 15
    for row in seen.truth[seen.truth.visible_px > 0].itertuples():
        y, x = np.nonzero(seen.ids == row.subject_id)
        assert len(y) == row.visible_px
        assert (row.vx1_px, row.vy1_px, row.vx2_px, row.vy2_px) == (x.min(), y.min(), x.max() + 1, y.max() + 1)
        assert row.x1_px <= row.vx1_px <= row.vx2_px <= row.x2_px
        assert row.y1_px <= row.vy1_px <= row.vy2_px <= row.y2_px
    assert seen.truth.visibility.between(0, 1).all()
    assert seen.truth[["x2_px", "y2_px"]].le([320, 180]).all(axis=None)
    assert dict(seen.truth.dtypes.astype(str)) == dict(TRUTH_COLUMNS)


def test_the_nearer_hides_the_farther_whatever_their_order() -> None:
    near, far = stand(x_m=0.0, y_m=9.0), stand(x_m=0.1, y_m=10.2)
    first, second = shot(near, far).truth, shot(far, near).truth
    assert first.visibility[0] == second.visibility[1] == 1.0
    assert 0.0 < first.visibility[1] == second.visibility[0] < 0.6


def test_the_amodal_box_does_not_depend_on_who_stands_in_front() -> None:
    far = stand(x_m=0.1, y_m=10.2)
    alone, hidden = shot(far).truth.iloc[0], shot(far, stand(x_m=0.0, y_m=9.0)).truth.iloc[0]
    assert list(alone[list(BOX)]) == list(hidden[list(BOX)])
    assert hidden.visible_px < alone.visible_px


def test_what_the_border_cuts_off_is_not_hidden() -> None:
    (x, _), _ = (a[0] for a in SceneSpec(**SMALL).camera.project(np.array([[5.95, 9.0, 1.0]])))
    assert 310 < x < 320
    row = shot(stand(x_m=5.95, y_m=9.0)).truth.iloc[0]
    assert row.x2_px == 320
    assert row.visibility == 1.0


def test_nobody_gives_an_empty_truth_with_its_columns() -> None:
    seen = list(render_frames(script_of(n_frames=2)))
    assert [len(s.truth) for s in seen] == [0, 0]
    assert dict(seen[0].truth.dtypes.astype(str)) == dict(TRUTH_COLUMNS)
    assert (seen[0].ids == 0).all()
    assert seen[0].image.shape == (180, 320, 3)


def test_a_bag_put_down_leaves_the_hand() -> None:
    owner = stand("bag_leaving", x_m=0.0, y_m=9.0)
    bag = stand("bag_leaving", x_m=2.5, y_m=9.0, label="object", owner_id=1, frames=range(1, 2))
    renderer = Renderer(script_of(owner, bag, n_frames=2))
    before, after = renderer.frame(0).truth, renderer.frame(1).truth
    assert list(before.label) == ["person"]
    assert list(after.label) == ["person", "object"]
    assert after.visible_px[0] < 0.99 * before.visible_px[0]


def test_half_way_from_walking_to_lying_the_posture_is_lying() -> None:
    fall = [stand("falling", blend=b, posture_to="lying") for b in (0.4, 0.6)]
    assert [shot(f).truth.posture[0] for f in fall] == ["walking", "lying"]


def test_each_frame_alone_is_the_frame_in_order() -> None:
    script = script_of(*crowd(), n_frames=3)
    inorder = list(render_frames(script))
    again = Renderer(script)
    for i in (2, 0, 1):
        assert (again.frame(i).image == inorder[i].image).all()
        pd.testing.assert_frame_equal(again.frame(i).truth, inorder[i].truth)
    assert (inorder[0].image != inorder[1].image).any()


def digest() -> str:
    """Hash of a night frame with everybody in it, and of its truth."""
    seen = shot(*crowd(), place="corner", light="night", rain=0.5)
    truth = seen.truth.to_csv(index=False, float_format="%.17g")
    return hashlib.sha256(seen.image.tobytes() + seen.ids.tobytes() + truth.encode()).hexdigest()


def test_another_process_with_other_threads_draws_the_same_bytes() -> None:
    here = str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r}); import test_scene_render as t; print(t.digest())"
    told = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"NUMBA_NUM_THREADS": "1", "PYTHONHASHSEED": "7"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == digest()


def test_threads_do_not_disturb_each_other() -> None:
    with ThreadPoolExecutor(3) as pool:
        assert len({*pool.map(lambda _: digest(), range(3)), digest()}) == 1


def test_the_seed_moves_the_grain_and_the_sun_and_nothing_of_the_bodies() -> None:
    one, other = shot(stand(), seed=1), shot(stand(), seed=2)
    assert (one.image != other.image).mean() > 0.5
    assert (one.ids == other.ids).all()


def test_the_grain_is_what_the_light_says() -> None:
    frames = [s.image.astype(float) for s in render_frames(script_of(n_frames=2, light="dusk"))]
    change = (frames[0] - frames[1])[100:, :, :]
    assert change.mean() == pytest.approx(0.0, abs=0.1)
    # two draws of a grain of 3 levels, of which 0.4 more in colour, rounded to whole levels
    assert change.std() == pytest.approx(np.sqrt(2 * (3.0**2 * (1 + 0.4**2) + 1 / 12)), rel=0.1)


def test_lights_differ_as_they_should() -> None:
    images = {light: shot(stand(), light=light).image.astype(float) for light in LIGHTS}
    mean = {light: image.mean() for light, image in images.items()}
    assert mean["day"] > 1.4 * max(mean["dusk"], mean["night"]) > 1.4 * 40
    warmth = {light: image[..., 0].mean() / image[..., 2].mean() for light, image in images.items()}
    assert warmth["night"] > warmth["glare"] > warmth["day"] > 0.95
    # the veil lifts what is black: nothing against the sun is as dark as the darkest of the day
    assert np.percentile(images["glare"], 1) > np.percentile(images["day"], 1) + 20
    dry, wet = shot(stand()).image, shot(stand(), rain=1.0).image
    assert (dry != wet).mean() > 0.5
    assert (shot(stand()).ids == shot(stand(), rain=1.0).ids).all()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"x_m": np.nan}, "not finite, the first of subject 1 in frame 0"),
        ({"phase": np.inf}, "not finite"),
        ({"posture": "flying"}, "posture 'flying'"),
        ({"height_m": 0.0}, "positive"),
    ],
)
def test_a_body_that_cannot_be_drawn_is_refused(fault: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError, match=says):
        Renderer(script_of(stand(**fault)))


def test_identifiers_must_be_distinct_and_known() -> None:
    script = script_of(stand(), stand(x_m=2.0))
    twice = Script(
        script.spec, script.meta, script.subjects.assign(subject_id=[1, 1]), script.poses, script.events
    )  # fmt: skip
    with pytest.raises(ContractError, match="distinct"):
        Renderer(twice)
    lost = Script(script.spec, script.meta, script.subjects.iloc[:1], script.poses, script.events)
    with pytest.raises(ContractError, match="subject 2"):
        Renderer(lost)


def test_frames_and_samples_out_of_range_are_refused() -> None:
    script = script_of(stand())
    with pytest.raises(ParameterError, match="samples"):
        Renderer(script, samples=0)
    with pytest.raises(ParameterError, match="index"):
        Renderer(script).frame(1)


@pytest.mark.parametrize("samples", [1, 3])
def test_other_samplings_see_nearly_the_same(samples: int) -> None:
    script = script_of(*crowd())
    usual, other = Renderer(script).frame(0).truth, Renderer(script, samples=samples).frame(0).truth
    both = usual.merge(other, on="subject_id", suffixes=("", "_other"))
    assert len(both) == len(usual)
    assert (both.x2_px - both.x2_px_other).abs().max() <= 2
    assert both.visible_px.sum() == pytest.approx(both.visible_px_other.sum(), rel=0.08)
