"""The compiled clocks agree with their slow twins on random tracks; lines agree with supervision's own."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.rng import stream
from contrechamp.domain.video import BOX, Camera, ClipMeta, Line, Zone
from vsa.rules import Rule, apply, configured


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


direct = _module("dwell_direct", Path(__file__).with_name("dwell_direct.py"))
FPS = 5.0
META = ClipMeta("clip", FPS, 2_000, Camera(640, 360, 500.0, 4.0, 20.0))
ZONE = Zone("z", ((200, -1), (440, -1), (440, 400), (200, 400)), plane="image")
Row = tuple[int, bool, float, float]


def random_rows(rng: np.random.Generator) -> list[Row]:
    """Runs inside, outside and lost, short ones mostly, at slowly changing places."""
    rows: list[Row] = []
    frame, x = int(rng.integers(0, 20)), 0.0
    while frame < 600:
        length = int(rng.choice([1, 2, 3, 6, 20, 60], p=[0.25, 0.2, 0.15, 0.15, 0.15, 0.1]))
        kind = rng.choice(["in", "out", "lost"], p=[0.5, 0.25, 0.25])
        for f in range(frame, frame + length):
            x += float(rng.normal(0, 0.15))
            if kind != "lost":
                rows.append((f, kind == "in", x, 0.0))
        frame += length
    return rows


def table(people: dict[int, list[Row]]) -> pd.DataFrame:
    data = [
        (f, f / FPS, who, "person", *((300 + k, 100, 330 + k, 200) if at else (10, 100, 40, 200)), 0.9, x, y)
        for who, rows in people.items()
        for k, (f, at, x, y) in enumerate(rows)
    ]
    frame = pd.DataFrame(data, columns=["frame", "t_s", "track_id", "label", *BOX, "score", "x_m", "y_m"])
    # Boxes drift by up to 60 px while inside: the centre stays within the zone.
    shift = np.minimum(frame["x1_px"] - 300, 60).clip(lower=0)
    inside = frame["x1_px"] >= 200
    frame.loc[inside, "x1_px"] = 300 + shift[inside]
    frame.loc[inside, "x2_px"] = 330 + shift[inside]
    return frame.sort_values(["frame", "track_id"], ignore_index=True)


def fired(tracks: pd.DataFrame, rule: Rule) -> dict[int, list[tuple[int, int]]]:
    alerts = apply(tracks, meta=META, rule=rule, zones=[ZONE]).table
    return {
        int(who): [(int(r.frame), round(r.t_since_s * FPS)) for r in part.itertuples()]
        for who, part in alerts.groupby("track_id")
    }


@pytest.fixture(scope="module")
def people() -> dict[int, list[Row]]:
    rng = stream(7, "rules", "reference")
    return {who: random_rows(rng) for who in range(60)}


@pytest.mark.parametrize("mode", ["continuous", "cumulative", "first_seen"])
@pytest.mark.parametrize(
    ("enter", "out", "lost", "radius", "rearm"),
    [
        (0.0, 0.0, 0.0, None, None),
        (0.0, 1.0, 2.0, None, 10.0),
        (0.6, 0.4, 3.0, None, 0.0),
        (0.2, 1.0, 0.2, 0.5, 5.0),
        (1.0, 0.0, 4.0, 1.0, 0.0),
    ],
)
def test_state_machine_agrees_with_the_row_by_row_twin(
    people: dict[int, list[Row]],
    mode: str,
    enter: float,
    out: float,
    lost: float,
    radius: float | None,
    rearm: float | None,
) -> None:
    settings: dict[str, Any] = {"dwell_s": 4.0, "enter_after_s": enter, "grace_out_s": out, "grace_lost_s": lost}
    rule = configured(
        "loitering", **settings, dwell_mode=mode, max_radius_m=radius, rearm_s=rearm, anchor="bottom_center"
    )
    slow = {
        who: direct.loitering(
            rows,
            fps=FPS,
            mode=mode,
            radius_m=math.inf if radius is None else radius,
            rearm_s=math.inf if rearm is None else rearm,
            **settings,
        )
        for who, rows in people.items()
    }
    slow = {who: found for who, found in slow.items() if found}
    assert len(slow) >= 20
    assert fired(table(people), rule) == slow


@pytest.mark.parametrize(
    ("preset", "dwell_s"), [("supervision-example", 6.0), ("roboflow-v3", 3.0), ("frigate", 12.0), ("frigate", 2.0)]
)
def test_shipped_clocks_agree_with_their_twins(people: dict[int, list[Row]], preset: str, dwell_s: float) -> None:
    twin = {"supervision-example": direct.supervision, "roboflow-v3": direct.roboflow, "frigate": direct.frigate}[
        preset
    ]
    slow = {who: twin(rows, fps=FPS, dwell_s=dwell_s) for who, rows in people.items()}
    slow = {who: found for who, found in slow.items() if found}
    assert len(slow) >= 10
    rule = configured(preset, dwell_s=dwell_s, **({"must_move": False} if preset == "frigate" else {}))
    assert fired(table(people), rule) == slow


def test_polygon_and_timer_agree_with_supervision_itself() -> None:
    import supervision as sv

    rng = stream(8, "rules", "polygon")
    corners = np.array([[200, 60], [440, 100], [400, 300], [180, 250]])
    zone = sv.PolygonZone(corners, triggering_anchors=(sv.Position.CENTER,))
    rows, stamps, shown = [], {}, []
    at = rng.integers(60, 300, size=(12, 2)).astype(float)
    for frame in range(200):
        at += rng.integers(-14, 15, size=at.shape)
        boxes = np.hstack([at - np.array([10, 20]), at + np.array([10, 20])])
        inside = zone.trigger(sv.Detections(xyxy=boxes))
        for who in range(len(at)):
            rows.append((frame, frame / FPS, who, "person", *boxes[who], 1.0, 0.0, 0.0))
            if inside[who]:
                begin = stamps.setdefault(who, frame)
                if (frame - begin) / FPS >= 8.0 and who not in {w for w, _ in shown}:
                    shown.append((who, frame))
    tracks = pd.DataFrame(rows, columns=["frame", "t_s", "track_id", "label", *BOX, "score", "x_m", "y_m"])
    ours = apply(
        tracks,
        meta=META,
        rule=configured("supervision-example", dwell_s=8.0),
        zones=[Zone("z", tuple(map(tuple, corners.tolist())), plane="image")],
    ).table
    both = {(int(r.track_id), int(r.frame)) for r in ours.itertuples()}
    # A raster mask and a polygon differ on its edge: at most one person of twelve may be stamped a frame apart.
    assert len(shown) >= 6
    assert len(both ^ set(shown)) <= 2


@pytest.mark.parametrize("confirm", [1, 2, 4])
def test_confirmed_sides_agree_with_supervision_itself(confirm: int) -> None:
    import supervision as sv

    rng = stream(9, "rules", "line", confirm)
    line = sv.LineZone(sv.Point(100, 180), sv.Point(540, 150), minimum_crossing_threshold=confirm)
    at = rng.uniform([60, 120], [580, 220], size=(25, 2))
    rows, expected = [], []
    for frame in range(300):
        at += rng.normal(0, 9, size=at.shape) + 0.3 * ([320, 170] - at) / 20
        boxes = np.hstack([at - np.array([6, 8]), at + np.array([6, 8])])
        seen = np.flatnonzero(rng.random(len(at)) > 0.15)
        into, out = line.trigger(sv.Detections(xyxy=boxes[seen], tracker_id=seen))
        expected += [(frame, int(w), -1.0) for w in seen[into]] + [(frame, int(w), 1.0) for w in seen[out]]
        rows += [(frame, frame / FPS, w, "person", *boxes[w], 1.0, 0.0, 0.0) for w in seen]
    tracks = pd.DataFrame(rows, columns=["frame", "t_s", "track_id", "label", *BOX, "score", "x_m", "y_m"])
    ours = apply(
        tracks,
        meta=META,
        rule=configured("supervision-line", confirm_frames=confirm),
        lines=[Line("l", (100, 180), (540, 150), plane="image")],
    ).table
    assert len(expected) > 20
    assert [(int(r.frame), int(r.track_id), r.value) for r in ours.itertuples()] == sorted(expected)
