"""How many track updates a second do the rules take, alerts and traces included? Beside a plain Python loop.

Run with ``python benchmarks/bench_rules.py`` (``--rows 200000`` to be quicker). Not a test: it prints, it does not
judge. Two baselines, in the same run and on the same tracks, from the row-by-row twins of
``tests/reference/dwell_direct.py``. *Whole*: from the table to the alerts (the twin checks nothing, keeps no trace),
against ours with everything. *Clock*: the twin on rows already grouped and tested against the zone, against our
compiled loop on the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from contrechamp.domain.rng import stream
from contrechamp.domain.video import BOX, LABELS, Camera, ClipMeta, Detections, Line, Zone
from vsa.rules import RULES, apply, configured, kernels
from vsa.rules.tracks import check_tracks, inside
from vsa.tracking import METHODS, track

People = dict[int, list[tuple[int, bool, float, float]]]

ROOT = Path(__file__).parents[1]
FPS = 12.5
CAMERA = Camera(640, 360, 500.0, 4.0, 20.0)
ZONE = Zone("square", ((-6, 7), (6, 7), (5, 18), (-5, 18)))
LINE = Line("gate", (0, 5), (0, 30))
#: The twin of each clock, with the defaults of the rule. That of supervision stops at its one alert: not a baseline.
TWINS: dict[str, tuple[str, dict[str, float]]] = {
    "loitering": ("loitering", {"grace_out_s": 1.0, "grace_lost_s": 2.0, "rearm_s": 60.0}),
    "loitering-roboflow": ("roboflow", {}),
}


def wanderers(n_rows: int, *, rng: np.random.Generator) -> tuple[pd.DataFrame, ClipMeta]:
    """People of 30 s to 8 min who drift about a square for an hour, seen nine frames out of ten."""
    n_frames = 45_000
    parts: list[pd.DataFrame] = []
    done = 0
    while done < n_rows:
        n = int(rng.integers(375, 6_000))
        first = int(rng.integers(0, n_frames - n))
        xy = rng.uniform([-7, 7], [7, 20]) + np.cumsum(rng.normal(0, 0.04, size=(n, 2)), axis=0)
        xy = np.clip(xy, [-9, 6], [9, 25])
        keep = rng.random(n) > 0.1
        frame = np.arange(first, first + n)[keep]
        at = xy[keep]
        low = CAMERA.project(np.column_stack([at, np.zeros(len(at))]))[0]
        top = CAMERA.project(np.column_stack([at, np.full(len(at), 1.7)]))[0]
        box = (low[:, 0] - 9, top[:, 1], low[:, 0] + 9, low[:, 1])
        parts.append(
            pd.DataFrame(
                {"frame": frame, "t_s": frame / FPS, "track_id": len(parts), "label": "person"}
                | dict(zip(BOX, box, strict=True))
                | {"score": 0.9, "x_m": at[:, 0], "y_m": at[:, 1]}
            )
        )
        done += len(frame)
    table = pd.concat(parts).sort_values(["frame", "track_id"], ignore_index=True)
    return table, ClipMeta("bench", FPS, n_frames, CAMERA, zones=(ZONE,), lines=(LINE,))


def seconds(task: Callable[[], Any], repeats: int = 3) -> float:
    """Best of a few."""
    best = np.inf
    for _ in range(repeats):
        begin = time.perf_counter()
        task()
        best = min(best, time.perf_counter() - begin)
    return float(best)


def main() -> None:
    """Print a table of updates a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    args = parser.parse_args()
    tracks, meta = wanderers(args.rows, rng=stream(1, "bench", "rules"))
    n = len(tracks)
    twins = _module("dwell_direct", ROOT / "tests/reference/dwell_direct.py")
    people = _grouped(tracks)
    print(f"{n:,} track updates, {len(people)} tracks, one hour at {FPS:g} frames a second\n")
    print(
        f"{'rule':<24}{'alerts':>8}{'trace rows':>12}{'updates/s':>12}{'Python':>10}{'ratio':>7}"
        f"{'clock/s':>14}{'Python':>12}{'ratio':>7}"
    )
    for key in RULES:
        rule = configured(key, **({"anchor": "ground"} if key in TWINS else {}))
        apply(tracks.head(1_000), meta=meta, rule=rule)  # compiles
        found = apply(tracks, meta=meta, rule=rule)
        ours = n / seconds(lambda rule=rule: apply(tracks, meta=meta, rule=rule))  # type: ignore[misc]
        line = f"{key:<24}{len(found.table):>8}{len(found.trace):>12,}{ours:>12,.0f}"
        if key in TWINS:
            name, settings = TWINS[key]
            twin = getattr(twins, name)

            def slow(rows: People, twin: Any = twin, settings: dict[str, float] = settings) -> int:
                return sum(len(twin(r, fps=FPS, dwell_s=60.0, **settings)) for r in rows.values())

            assert slow(people) == len(found.table)
            whole = n / seconds(lambda slow=slow: slow(_grouped(tracks)), 1)  # type: ignore[misc]
            clock = n / seconds(lambda slow=slow: slow(people), 1)  # type: ignore[misc]
            compiled = n / _compiled(key, tracks, meta)
            line += f"{whole:>10,.0f}{ours / whole:>7.1f}{compiled:>14,.0f}{clock:>12,.0f}{compiled / clock:>7.1f}"
        print(line)
    _trackers(tracks, meta)


def _grouped(tracks: pd.DataFrame) -> People:
    """Rows of each track with their zone test, by a plain loop."""
    people: People = {}
    for row in tracks.itertuples(index=False):
        people.setdefault(row.track_id, []).append((row.frame, _within(row.x_m, row.y_m), row.x_m, row.y_m))
    return people


def _within(x: float, y: float) -> bool:
    """Whether a ray to the right crosses the zone's edge an odd number of times."""
    odd = False
    for (ax, ay), (bx, by) in zip(ZONE.points, (*ZONE.points[1:], ZONE.points[0]), strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
            odd = not odd
    return odd


def _compiled(key: str, tracks: pd.DataFrame, meta: ClipMeta) -> float:
    """Seconds of the compiled loop alone."""
    rows = check_tracks(tracks, meta).of("person")
    at = inside(rows, ZONE, "ground", meta=meta)
    common = (rows.first, rows.t_s, rows.seen, at)
    if key == "loitering-roboflow":
        return seconds(lambda: kernels.timer(*common, 60.0, True))
    return seconds(lambda: kernels.dwell(*common, rows.foot_m, 0, 0.0, 1.0, 2.0, 60.0, np.inf, 60.0))


def _trackers(tracks: pd.DataFrame, meta: ClipMeta) -> None:
    """Frames and boxes a second of each tracker, on the first minutes of the same people."""
    few = tracks[tracks["frame"] < 1_500]
    boxes = {int(f): p[list(BOX)].to_numpy() for f, p in few.groupby("frame")}  # type: ignore[call-overload]
    clip = ClipMeta("few", FPS, 1_500, meta.camera)
    none = Detections.empty()
    seen = [
        Detections(boxes[f], np.full(len(boxes[f]), 0.9), np.zeros(len(boxes[f]), dtype=np.int64))
        if f in boxes
        else none
        for f in range(1_500)
    ]
    print(f"\n{len(few):,} boxes of {LABELS[0]}s in 1,500 frames\n{'tracker':<24}{'frames/s':>10}{'boxes/s':>12}")
    for method in METHODS:
        took = seconds(lambda method=method: track(seen, meta=clip, method=method), 1)  # type: ignore[misc]
        print(f"{method:<24}{1_500 / took:>10,.0f}{len(few) / took:>12,.0f}")


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
