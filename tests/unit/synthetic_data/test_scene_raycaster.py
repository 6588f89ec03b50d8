"""Rounded cones against closed forms: silhouettes, spans, shadows; bodies against their own measures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from contrechamp.domain.situations import ACCESSORIES, POSTURES
from contrechamp.domain.video import Camera
from synthetic_data.scenes.appearance import HAT, appearance
from synthetic_data.scenes.backgrounds import bake
from synthetic_data.scenes.bodies import MOST_CONES, accessory_bits, pose_all, posture_codes
from synthetic_data.scenes.layouts import layout
from synthetic_data.scenes.light import light_setup
from synthetic_data.scenes.raycaster import FAR, cast_groups, cone_span, mix
from synthetic_data.scenes.shading import cast_shadows
from synthetic_data.scenes.spec import SceneSpec


def ball(x: float, y: float, z: float, r: float) -> np.ndarray:
    return np.array([[x, y, z, r, x, y, z, r, 0.5, 0.5, 0.5]])


def covered(cones: np.ndarray, focal: float, samples: int = 4, size: int = 200) -> tuple[int, np.ndarray]:
    fine = (size * samples, size * samples)
    near, alone = np.empty(fine, dtype=np.float32), np.full(fine, FAR)
    which, alone_which = np.empty(fine, dtype=np.int32), np.full(fine, -1, dtype=np.int32)
    groups = np.array([[0, len(cones), 0]])
    px, box = cast_groups(
        cones, groups, np.full(fine, FAR), focal, np.array([0.0, -1.0, 0.0]), 1e3, samples, 1, near, which, alone,
        alone_which, np.empty((size, 2), dtype=np.int64),
    )  # fmt: skip
    assert (alone == FAR).all()
    assert (alone_which == -1).all()
    assert (which >= 0).sum() == pytest.approx(px[0] * samples**2, rel=0.02)
    return int((which >= 0).sum()) / samples**2, box[0]


@pytest.mark.parametrize(("x", "z", "r"), [(0.0, 10.0, 2.0), (3.0, 10.0, 2.0), (-2.0, 6.0, 1.0), (0.0, 3.0, 0.6)])
def test_the_silhouette_of_a_ball_is_the_ellipse_it_should_be(x: float, z: float, r: float) -> None:
    area, box = covered(ball(x, 0.0, z, r), focal=150.0)
    across = 150.0 * r * np.sqrt(x * x + z * z - r * r) / (z * z - r * r)
    upright = 150.0 * r / np.sqrt(z * z - r * r)
    assert area == pytest.approx(np.pi * across * upright, rel=0.004)
    assert box[2] - box[0] == pytest.approx(2 * across, abs=1.1)
    assert box[3] - box[1] == pytest.approx(2 * upright, abs=1.1)


def test_the_silhouette_of_a_capsule_is_a_stadium() -> None:
    area, _ = covered(np.array([[-1.0, 0.0, 50.0, 0.4, 1.0, 0.0, 50.0, 0.4, 0.5, 0.5, 0.5]]), focal=2000.0)
    scale = 2000.0 / 50.0
    assert area == pytest.approx((np.pi * 0.4**2 + 2.0 * 0.8) * scale**2, rel=0.004)


def test_a_ball_inside_the_other_adds_nothing() -> None:
    swallowed = np.array([[0.0, 0.0, 10.0, 1.0, 0.2, 0.0, 10.0, 0.3, 0.5, 0.5, 0.5]])
    (area, box), (alone, alone_box) = covered(swallowed, 150.0), covered(ball(0.0, 0.0, 10.0, 1.0), 150.0)
    assert area == alone
    assert (box == alone_box).all()


def test_what_is_below_the_ground_is_not_drawn() -> None:
    fine = (100, 100)
    cone = ball(0.0, 0.0, 10.0, 2.0)
    px, box = cast_groups(
        cone, np.array([[0, 1, 0]]), np.full(fine, FAR), 100.0, np.array([0.0, -1.0, 0.0]), 0.0, 1, 1,
        np.empty(fine, dtype=np.float32), np.empty(fine, dtype=np.int32), np.full(fine, FAR),
        np.full(fine, -1, dtype=np.int32), np.empty((100, 2), dtype=np.int64),
    )  # fmt: skip
    assert px[0] == pytest.approx(np.pi * 100**2 * 4 / 96 / 2, rel=0.03)
    assert box[0, 3] == 50  # a camera at height 0 sees the upper half only


def test_the_span_of_a_cone_is_that_of_its_surface() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        ends, radii = rng.uniform([-3, -3, 5], [3, 3, 15], (2, 3)), rng.uniform(0.05, 1.0, 2)
        cone = np.array([*ends[0], radii[0], *ends[1], radii[1], 0, 0, 0])
        way = rng.normal(size=(20_000, 3))
        way /= np.linalg.norm(way, axis=1)[:, None]
        at = rng.uniform(size=20_000).round()[:, None]
        skin = ends[0] + at * (ends[1] - ends[0]) + (radii[0] + at * (radii[1] - radii[0])) * way
        px = 300 * skin[:, :2] / skin[:, 2:] + 100
        told = np.array(cone_span(cone, 300.0, 100.0, 100.0))
        assert told == pytest.approx([*px.min(axis=0), *px.max(axis=0)], abs=1.2)
        assert (told[:2] <= px.min(axis=0) + 1e-9).all()
        assert (told[2:] >= px.max(axis=0) - 1e-9).all()


@pytest.mark.parametrize("elevation_deg", [90, 45, 20])
def test_the_shadow_of_a_ball_is_an_ellipse(elevation_deg: float) -> None:
    e = np.deg2rad(elevation_deg)
    x, y = np.meshgrid(np.arange(-4, 4, 0.02, dtype=np.float32), np.arange(-2, 2, 0.02, dtype=np.float32))
    lit = np.ones(x.shape, dtype=np.float32)
    camera = Camera(x.shape[1], x.shape[0], 100.0, 5.0, 89.9)
    cone = ball(0.5, 0.0, 0.7, 0.5)
    towards = np.array([[np.cos(e), 0.0, np.sin(e)]])
    cast_shadows(
        cone, towards, 0.02, 0.0, 1e9, x, y, camera.axes(), np.array([0.0, 0.0, 40.0]), 5000.0, lit
    )  # fmt: skip
    dark = lit < 0.5
    assert dark.sum() * 0.02**2 == pytest.approx(np.pi * 0.5**2 / np.sin(e), rel=0.01)
    assert x[dark].mean() == pytest.approx(0.5 - 0.7 / np.tan(e), abs=0.01)
    assert np.unique(lit[(x < -3.5)]) == [1.0] or elevation_deg == 20


def test_the_front_of_a_house_is_as_far_as_the_camera_says() -> None:
    spec = SceneSpec(width_px=320, height_px=180, focal_px=260.0)
    drawn = bake(layout("plaza"), spec.camera, light_setup(spec))
    (at,), depth = spec.camera.project(np.array([[1.0, 27.0, 1.2]]))
    assert drawn.depth[int(2 * at[1]), int(2 * at[0])] == pytest.approx(depth[0], abs=0.05)
    ground = spec.camera.to_ground(np.array([[160.5, 150.5]]))[0]
    assert (drawn.ground_x[150, 160], drawn.ground_y[150, 160]) == pytest.approx(tuple(ground), abs=1e-4)
    assert (drawn.open_rgb >= drawn.shaded_rgb).all()
    assert (drawn.open_rgb > drawn.shaded_rgb + 0.01).mean() > 0.3


def bodies(posture: str, to: str, blend: float, *, height: float = 1.75, accessories: str = "", over: float = 0.0):
    poses = np.array([[0.0, 0.0, 0.0, 1.3, 0.2, blend, over, height, 1.0]])
    codes = np.array([[*posture_codes(np.array([posture, to], dtype=object)), accessory_bits(accessories)]])
    look = appearance(3)
    look[HAT] = 0.0
    return pose_all(poses, codes, np.array([-1]), look[None], 0.4)


def test_limbs_keep_their_length_while_one_falls() -> None:
    for blend in np.linspace(0, 1, 9):
        cones, _ = bodies("walking", "lying", float(blend))
        for limb, share in ((15, 0.245), (16, 0.235), (9, 0.168)):  # thigh, shin, upper arm
            long = np.linalg.norm(cones[limb, :3] - cones[limb, 4:7])
            assert long == pytest.approx(share * 1.75, rel=1e-9)
        assert min((cones[:, 2] - cones[:, 3]).min(), (cones[:, 6] - cones[:, 7]).min()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("height", [1.1, 1.5, 1.75, 2.0])
def test_a_standing_body_is_as_high_as_it_is_said(height: float) -> None:
    cones, _ = bodies("standing", "standing", 0.0, height=height)
    top = max((cones[:, 2] + cones[:, 3]).max(), (cones[:, 6] + cones[:, 7]).max())
    assert top == pytest.approx(height, rel=0.05)


def test_a_lying_body_is_long_and_low_and_a_seated_one_sits() -> None:
    cones, _ = bodies("lying", "lying", 0.0)
    assert max(cones[:, 2].max(), cones[:, 6].max()) < 0.45
    assert np.ptp(cones[:, 1]) == pytest.approx(1.5, abs=0.2)
    cones, _ = bodies("sitting", "sitting", 0.0, over=0.45)
    assert cones[0, 2] - cones[0, 3] == pytest.approx(0.45, abs=0.05)  # the hips rest on the bench


def test_everything_that_can_be_carried_fits() -> None:
    for posture, to in itertools.product(POSTURES, ("standing", "lying")):
        cones, groups = bodies(posture, to, 0.5, accessories=",".join(ACCESSORIES))
        assert len(cones) < MOST_CONES
        assert np.isfinite(cones).all()
        assert (cones[:, [3, 7]] > 0).all()
        assert list(groups[:, 2]) == [0, -1]
        assert groups[-1, 1] == len(cones)


def test_heading_turns_clockwise_from_ahead() -> None:
    poses = np.array([[2.0, 3.0, np.pi / 2, 0.0, 0.0, 0.0, 0.0, 1.75, 1.0]])
    cones, _ = pose_all(poses, np.array([[6, 6, 0]]), np.array([-1]), appearance(3)[None], 0.0)
    head = cones[6]  # lying: the head points where the body faces, here +x
    assert head[0] > 2.5
    assert head[1] == pytest.approx(3.0, abs=0.1)


def test_an_appearance_is_a_function_of_its_seed() -> None:
    assert (appearance(77) == appearance(77)).all()
    looks = np.array([appearance(s) for s in range(300)])
    assert len(np.unique(looks[:, :3], axis=0)) > 200
    assert ((looks[:, :21] >= 0) & (looks[:, :21] <= 0.92)).all()
    assert looks[:, HAT].mean() == pytest.approx(1 / 6, abs=0.07)
    vest = appearance(77, hi_vis=True)
    assert vest[1] > 0.2  # yellow or orange
    assert (vest[3:9] == appearance(77)[3:9]).all()


def test_the_hash_scatters_and_is_the_same_compiled_or_not() -> None:
    values = [mix(i) for i in range(4096)]
    assert values == [mix.py_func(i) for i in range(4096)]
    assert len(set(values)) == 4096
    bits = ((np.array(values)[:, None] >> np.arange(32)) & 1).mean(axis=0)
    assert np.abs(bits - 0.5).max() < 4 * 0.5 / np.sqrt(4096)


def test_lamps_light_what_is_near_them_and_from_their_side() -> None:
    night = light_setup(SceneSpec(light="night"))
    lamp = night.lamps[0]
    under, aside = lamp * [1, 1, 0] + [0, 0, 1.0], lamp * [1, 1, 0] + [-3.0, 0, 1.0]
    towards, rgb = night.on_bodies(np.array([under, aside]))
    assert np.linalg.norm(towards, axis=1) == pytest.approx([1, 1])
    assert towards[0, 2] > 0.9
    assert towards[1, 0] > 0.3  # the lamp is to the east of it
    assert (rgb[0] > rgb[1]).all()
