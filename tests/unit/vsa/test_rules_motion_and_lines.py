"""Running, counter-flow, presence and lines on walks whose answer can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.video import BOX, Camera, ClipMeta, Line, Zone
from vsa.rules import apply, configured

FPS = 10.0
CAMERA = Camera(640, 360, 500.0, 4.0, 20.0)
META = ClipMeta("clip", FPS, 400, CAMERA)


def walk(path: np.ndarray, track: int = 1, first: int = 0) -> pd.DataFrame:
    """Boxes of somebody 1.7 m tall, standing at each (x, y) of ``path`` in turn."""
    feet = np.column_stack([path, np.zeros(len(path))])
    bottom = CAMERA.project(feet)[0]
    top = CAMERA.project(feet + np.array([0, 0, 1.7]))[0]
    frame = np.arange(first, first + len(path))
    return pd.DataFrame(
        {
            "frame": frame,
            "t_s": frame / FPS,
            "track_id": track,
            "label": "person",
            **dict(zip(BOX, (bottom[:, 0] - 8, top[:, 1], bottom[:, 0] + 8, bottom[:, 1]), strict=True)),
            "score": 1.0,
            "x_m": path[:, 0],
            "y_m": path[:, 1],
        }
    )


def straight(start: tuple[float, float], velocity: tuple[float, float], frames: int) -> np.ndarray:
    return np.asarray(start) + np.arange(frames)[:, None] / FPS * np.asarray(velocity)


def test_running_is_a_speed_held_for_a_while() -> None:
    slow, fast = straight((-5, 12), (1.4, 0), 50), straight((-5, 12), (3.0, 0), 30)
    rule = configured("running", speed_m_s=2.5, hold_s=1.0, window_s=0.5)
    assert apply(walk(slow), meta=META, rule=rule, zones=[]).table.empty
    alert = apply(walk(fast), meta=META, rule=rule, zones=[]).table
    # A speed is known after half a second, and must then hold for one.
    assert alert[["t_since_s", "t_alert_s", "value", "threshold"]].to_numpy().tolist() == [
        [0.5, 1.5, pytest.approx(3.0), 2.5]
    ]
    assert alert["unit"].tolist() == ["m/s"]
    assert apply(walk(fast), meta=META, rule=configured("running", speed_m_s=3.0), zones=[]).table.shape[0] == 1
    assert apply(walk(fast), meta=META, rule=configured("running", speed_m_s=3.01), zones=[]).table.empty


@pytest.mark.parametrize(
    ("heading_deg", "tolerance_deg", "alerts"),
    [(180, 10, 1), (171, 10, 1), (169, 10, 0), (-171, 10, 1), (90, 90, 1), (89, 90, 0), (0, 60, 0)],
)
def test_counter_flow_is_an_angle_from_the_allowed_direction(heading_deg: int, tolerance_deg: int, alerts: int) -> None:
    # Allowed: bearing 30° clockwise from +y. The walk heads ``heading_deg`` from it.
    bearing = np.deg2rad(30 + heading_deg)
    path = straight((0, 15), (1.4 * np.sin(bearing), 1.4 * np.cos(bearing)), 60)
    rule = configured("counter-flow", allowed_deg=30.0, tolerance_deg=float(tolerance_deg))
    found = apply(walk(path), meta=META, rule=rule, zones=[]).table
    assert len(found) == alerts
    if alerts:
        assert found["value"].iloc[0] == pytest.approx(abs(heading_deg))
        assert found["threshold"].iloc[0] == 180 - tolerance_deg
        assert found["t_since_s"].iloc[0] == 1.6  # the window
        assert found["t_alert_s"].iloc[0] == pytest.approx(2.4)


def test_without_a_stated_direction_the_majority_decides_one_voice_each() -> None:
    # Three go away from the camera, one comes back slowly and so is there for longer: she is against, they are not.
    people = [walk(straight((k, 8), (0, 1.4), 60), track=k, first=10 * k) for k in range(3)]
    back = walk(straight((4, 16), (0, -0.8), 100), track=9)
    crowd = pd.concat([*people, back]).sort_values(["frame", "track_id"])
    assert apply(crowd, meta=META, rule="counter-flow", zones=[]).table["track_id"].tolist() == [9]
    # Two against two do not agree on a direction: nobody is against it.
    even = pd.concat([people[0], people[1], back, walk(straight((5, 16), (0, -1.4), 60), track=8)])
    assert apply(even, meta=META, rule="counter-flow", zones=[]).table.empty


def test_standing_still_is_never_against_the_flow() -> None:
    path = np.tile([0.0, 12.0], (80, 1)) + 0.05 * np.random.default_rng(0).normal(size=(80, 2))
    assert apply(walk(path), meta=META, rule="counter-flow", zones=[]).table.empty


def test_presence_fires_once_a_visit_and_again_after_its_delay() -> None:
    zone = Zone("z", ((-2, 10), (2, 10), (2, 14), (-2, 14)))
    at = np.array([0.0, 12.0])
    away = np.array([5.0, 12.0])
    path = np.array([*[at] * 30, *[away] * 20, *[at] * 30, *[away] * 110, *[at] * 30])
    found = apply(walk(path), meta=META, rule="house-presence", zones=[zone]).table
    # Left at 3.0 s, so nothing before 13.0 s; back at 5.0 s for 3 s only; back for good at 19.0 s.
    assert found["t_alert_s"].tolist() == [0.5, 19.5]
    assert found["zone"].tolist() == ["z", "z"]


def crossing(path: np.ndarray, key: str, line: Line, **changes: object) -> list[tuple[int, float]]:
    found = apply(walk(path), meta=META, rule=configured(key, **changes), lines=[line]).table
    return [(int(r.frame), r.value) for r in found.itertuples()]


#: Pointing away from the camera at x = 0: its left is x < 0, so walking towards +x is positive.
GATE = Line("gate", (0.0, 8.0), (0.0, 16.0))


def test_the_sign_of_a_crossing_on_both_planes() -> None:
    path = straight((-2.05, 12), (1.0, 0), 40)
    ends = CAMERA.project(np.array([[0, 8, 0], [0, 16, 0]], dtype=float))[0]
    drawn = Line("gate", tuple(ends[0]), tuple(ends[1]), plane="image")
    assert crossing(path, "crossing", GATE) == [(21, 1.0)]
    assert crossing(path, "crossing", drawn) == [(21, 1.0)]
    assert crossing(path[::-1], "crossing", GATE) == [(19, -1.0)]
    # All four corners must be across, and within the line's ends: heads reach beyond a gate drawn for feet.
    assert crossing(path, "supervision-line", drawn) == crossing(path, "supervision-line", GATE) == []
    far = Line("gate", (0.0, 8.0), (0.0, 30.0))
    ends = CAMERA.project(np.array([[0, 8, 0], [0, 30, 0]], dtype=float))[0]
    late = crossing(path, "supervision-line", Line("gate", tuple(ends[0]), tuple(ends[1]), plane="image"))
    assert late == crossing(path, "supervision-line", far) == [(23, 1.0)]
    assert crossing(path, "deepstream-line", GATE) == [(21, 1.0)]
    assert crossing(path[::-1], "deepstream-line", GATE) == []


def test_beside_the_line_is_not_across_it() -> None:
    assert crossing(straight((-2.05, 17), (1.0, 0), 40), "crossing", GATE) == []
    assert crossing(straight((-2.05, 17), (1.0, 0), 40), "ultralytics-counter", GATE, anchor="ground") == []


def test_hesitation_counts_many_times_once_or_after_a_delay() -> None:
    there = straight((-0.55, 12), (1.0, 0), 11)
    path = np.concatenate([there, there[::-1], there, there[::-1]])
    assert [v for _, v in crossing(path, "crossing", GATE)] == [1.0, -1.0, 1.0, -1.0]
    assert [v for _, v in crossing(path, "ultralytics-counter", GATE, anchor="ground")] == [1.0]
    assert [f for f, _ in crossing(path, "crossing", GATE, rearm_s=1.5)] == [6, 28]
    assert [v for _, v in crossing(path, "crossing", GATE, direction="negative")] == [-1.0, -1.0]


def test_stopping_on_the_line_is_one_crossing_by_sides_and_a_touch_for_ultralytics() -> None:
    path = np.array([[-1, 12], [-0.5, 12], [0, 12], [0, 12], [0.5, 12], [1, 12]], dtype=float)
    assert crossing(path, "crossing", GATE) == [(2, 1.0)]  # on the line is its right side
    back = np.array([[-1, 12], [0, 12], [-1, 12]], dtype=float)
    assert crossing(back, "ultralytics-counter", GATE, anchor="ground") == [(1, 1.0)]


def test_a_rule_of_lines_needs_a_line_and_corners_need_their_method() -> None:
    with pytest.raises(ParameterError, match="needs at least one line"):
        apply(walk(straight((0, 12), (1, 0), 5)), meta=META, rule="crossing")
    with pytest.raises(ParameterError, match="confirmed_side"):
        configured("crossing", anchor="corners")
    with pytest.raises(ParameterError, match="behind the camera"):
        apply(
            walk(straight((0, 12), (1, 0), 5)), meta=META, rule="supervision-line", lines=[Line("l", (0, -5), (0, 10))]
        )
