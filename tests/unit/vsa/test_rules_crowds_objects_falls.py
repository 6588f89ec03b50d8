"""Density, crowd movement, abandoned objects and falls on scenes whose answer can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.video import BOX, Camera, ClipMeta, Zone
from vsa.rules import apply, configured
from vsa.rules.crowd import LEVELS_M2

FPS = 5.0
META = ClipMeta("clip", FPS, 1_000, Camera(640, 360, 500.0, 4.0, 20.0))
SQUARE = Zone("square", ((0, 8), (4, 8), (4, 13), (0, 13)))  # 20 m2


def at(track: int, frames: range, x_m: object, y_m: object, label: str = "person") -> pd.DataFrame:
    """A track at given places; its box says nothing."""
    frame = np.asarray(frames)
    box = dict(zip(BOX, (300.0, 100.0, 320.0, 160.0), strict=True))
    table = pd.DataFrame({"frame": frame, "t_s": frame / FPS, "track_id": track, "label": label, **box, "score": 1.0})
    return table.assign(x_m=np.broadcast_to(x_m, len(frame)), y_m=np.broadcast_to(y_m, len(frame))).astype(
        {"x_m": float, "y_m": float}
    )


def test_levels_of_service_are_square_metres_a_person() -> None:
    assert configured("fruin-walkway-D").threshold_per_m2 == pytest.approx(1 / 1.39)
    assert configured("fruin-queue-E").threshold_per_m2 == pytest.approx(1 / 0.28)
    assert configured("hcm-walkway-E").threshold_per_m2 == pytest.approx(1 / 1.4)
    assert configured("density", density_per_m2=2.0).threshold_per_m2 == 2.0
    for scale, bounds in LEVELS_M2.items():
        assert list(bounds) == sorted(bounds, reverse=True), scale


def test_density_counts_persons_over_the_area_and_clears_with_hysteresis() -> None:
    # 12 persons, 15 at times, on 20 m2: 15 are 0.75 a square metre, over level D (0.719); 12 are not below 0.8 of it.
    stays = [at(k, range(50, 300), 2.0, 10.0) for k in range(12)]
    comers = [at(k, range(100, 150), 2.0, 10.0) for k in range(12, 15)]
    again = [at(k, range(200, 260), 2.0, 10.0) for k in range(15, 18)]
    outside = [at(k, range(50, 300), 6.0, 10.0) for k in range(20, 30)]
    found = apply(pd.concat(stays + comers + again + outside), meta=META, rule="fruin-walkway-D", zones=[SQUARE])
    row = found.table
    assert row[["track_id", "zone", "t_since_s", "t_alert_s"]].to_numpy().tolist() == [[-1, "square", 20.0, 25.0]]
    assert row["value"].tolist() == [0.75]
    assert row["threshold"].tolist() == [pytest.approx(1 / 1.39)]
    assert found.trace["track_id"].unique().tolist() == [-1]
    assert len(found.trace) == 26
    strict = configured("fruin-walkway-D", clear_ratio=1.0, rearm_s=0.0)
    twice = apply(pd.concat(stays + comers + again), meta=META, rule=strict, zones=[SQUARE]).table
    assert twice["t_alert_s"].tolist() == [25.0, 45.0]
    with pytest.raises(ParameterError, match="needs a zone with an area"):
        apply(stays[0], meta=META, rule="density", zones=[])


def crowd(speed_after: float, scatter: bool, n: int = 8) -> pd.DataFrame:
    """``n`` people who walk at 0.5 m/s along x for 20 s, then at ``speed_after`` along x, or away from their centre."""
    tracks = []
    t = np.arange(150) / FPS
    late = np.maximum(t - 20.0, 0.0)
    for k in range(n):
        turn = 2 * np.pi * k / n
        x = 0.5 * np.minimum(t, 20.0) + np.cos(turn)
        y = 12 + np.sin(turn)
        if scatter:
            tracks.append(
                at(k, range(150), x + late * speed_after * np.cos(turn), y + late * speed_after * np.sin(turn))
            )
        else:
            tracks.append(at(k, range(150), x + late * speed_after, y))
    return pd.concat(tracks)


def test_a_crowd_that_runs_and_a_crowd_that_scatters() -> None:
    run, scatter = crowd(3.0, scatter=False), crowd(2.0, scatter=True)
    fast = apply(run, meta=META, rule="house-crowd-speed", zones=[]).table
    # The window of 0.8 s holds 2 m/s on average when 0.6 s of it were run: (0.2 * 0.5 + 0.6 * 3) / 0.8 = 2.375.
    assert fast[["t_since_s", "t_alert_s"]].to_numpy().tolist() == [[20.6, 21.6]]
    assert apply(scatter, meta=META, rule="house-crowd-divergence", zones=[]).table.shape[0] == 1
    assert apply(run, meta=META, rule="house-crowd-divergence", zones=[]).table.empty
    assert apply(crowd(1.4, scatter=False), meta=META, rule="house-crowd-speed", zones=[]).table.empty
    assert apply(crowd(3.0, scatter=False, n=4), meta=META, rule="house-crowd-speed", zones=[]).table.empty


def bag_scene(*, back: range | None = None, other: bool = False) -> pd.DataFrame:
    """A bag put down at 4 s by track 1, who leaves at 10 s (beyond 3 m from 11 s on) and may be back."""
    t = np.arange(20, 900) / FPS
    bag = at(9, range(20, 900), 2.0, 10.0, label="object")
    x = 2.5 + np.maximum(t - 10.0, 0.0) * 2.6
    x[t > 20] = 30.0
    owner = at(1, range(20, 900), x, 10.0)
    if back is not None:
        owner.loc[owner["frame"].isin(back), "x_m"] = 2.5
    parts = [bag, owner]
    if other:
        parts.append(at(2, range(200, 900), 3.0, 10.0))
    return pd.concat(parts)


def alerts(tracks: pd.DataFrame, key: str, **changes: object) -> list[float]:
    found = apply(tracks, meta=META, rule=configured(key, **changes), zones=[]).table
    assert found["track_id"].isin([9]).all()
    return found["t_alert_s"].tolist()


def test_a_bag_without_its_owner() -> None:
    # 0.5 + 2.6 * (t - 10) > 3 from 11.0 s on.
    assert alerts(bag_scene(), "pets2006") == [41.0]
    assert alerts(bag_scene(), "toulouse-120s") == [131.0]
    assert alerts(bag_scene(), "ilids-60s") == [71.0]
    # Beside somebody else it is still without its owner, but no longer without anybody (from 40 s on).
    assert alerts(bag_scene(other=True), "pets2006") == [41.0]
    assert alerts(bag_scene(other=True), "ilids-60s") == []


def test_an_owner_who_comes_back_starts_the_clock_again_unless_too_briefly() -> None:
    back = range(150, 155)  # 30.0 to 30.8 s
    assert alerts(bag_scene(back=back), "pets2006") == [61.0]
    assert alerts(bag_scene(back=back), "pets2006", grace_back_s=1.0) == [41.0]


def test_what_never_had_an_owner_or_does_not_keep_still() -> None:
    alone = at(9, range(100, 900), 2.0, 10.0, label="object")
    assert alerts(alone, "pets2006") == [50.0]
    pushed = at(9, range(100, 900), 2.0 + 0.1 * np.arange(800) / FPS, 10.0, label="object")
    assert alerts(pushed, "pets2006") == []  # 0.75 m every 7.5 s
    assert apply(at(1, range(100, 900), 2.0, 10.0), meta=META, rule="pets2006", zones=[]).table.empty


def body(heights: np.ndarray, widths: np.ndarray, foot: float = 300.0) -> pd.DataFrame:
    table = at(1, range(len(heights)), 0.0, 10.0)
    return table.assign(x1_px=300 - widths / 2, x2_px=300 + widths / 2, y1_px=foot - heights, y2_px=foot)


def posture(*steps: tuple[int, float, float]) -> pd.DataFrame:
    """(frames, height, width) one after the other, in straight lines between."""
    heights, widths = [100.0], [35.0]
    for n, h, w in steps:
        heights += np.linspace(heights[-1], h, n + 1)[1:].tolist()
        widths += np.linspace(widths[-1], w, n + 1)[1:].tolist()
    return body(np.array(heights), np.array(widths))


def test_a_fall_is_quick_low_and_lasts() -> None:
    def when(table: pd.DataFrame, **changes: object) -> list[tuple[float, float]]:
        found = apply(table, meta=META, rule=configured("fall", **changes), zones=[]).table
        return [(r.t_since_s, r.t_alert_s) for r in found.itertuples()]

    fell = posture((50, 100, 35), (4, 30, 100), (50, 30, 100))
    # Last upright at frame 50; at frame 53 the box is 47.5 high and 83.75 wide, down by 52.5 %.
    assert when(fell) == [(10.6, 12.6)]
    assert when(posture((50, 100, 35), (25, 30, 100), (50, 30, 100))) == []  # five seconds to lie down
    assert when(posture((50, 100, 35), (4, 30, 100), (5, 30, 100), (4, 100, 35), (50, 100, 35))) == []  # up at once
    assert when(posture((50, 100, 35), (4, 70, 45), (50, 70, 45))) == []  # crouching, not down
    assert when(body(np.full(100, 30.0), np.full(100, 100.0))) == []  # was never seen standing
    # Seen along the body, as wide as tall but low: the height says it.
    assert len(when(posture((50, 100, 35), (4, 40, 35), (50, 40, 35)))) == 1
    twice = posture(
        (20, 100, 35), (4, 30, 100), (20, 30, 100), (4, 100, 35), (20, 100, 35), (4, 30, 100), (20, 30, 100)
    )
    assert len(when(twice)) == 2


def test_walking_towards_or_away_from_the_camera_is_no_fall() -> None:
    far = np.linspace(100, 30, 200)
    assert apply(body(far, 0.35 * far), meta=META, rule="fall", zones=[]).table.empty
    assert apply(body(far[::-1], 0.35 * far[::-1]), meta=META, rule="fall", zones=[]).table.empty
