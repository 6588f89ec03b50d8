"""What each link of the video chain costs, in one run: detect, track, apply rules with their traces.

The bar: tracking and rules together under a tenth of detection. Detection is the baseline.

    python benchmarks/bench_chain.py [--seconds 60] [--fps 5]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from contrechamp.pipelines.vsa_render import CASTS
from synthetic_data.scenes.render import Renderer
from synthetic_data.scenes.scripts import write_script
from synthetic_data.scenes.spec import SceneSpec
from vsa.detectors import load_detector
from vsa.rules import apply
from vsa.tracking import track

PRESETS = ("supervision-example", "roboflow-v3", "frigate", "hikvision-default", "ratp-300s", "pets2006", "house-fall")


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What ``work`` returns, and its processor seconds."""
    began = time.process_time()
    done = work()
    return done, time.process_time() - began


def main() -> None:
    """Render one scene, time each link twice, print the second (nothing left to compile)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fps", type=float, default=5.0)
    asked = parser.parse_args()
    script = write_script(SceneSpec(duration_s=asked.seconds, fps=asked.fps, cast=CASTS[1], dwell_s=(20.0, 50.0)))
    renderer = Renderer(script)
    renderer.frame(0)
    n = script.meta.n_frames
    frames, rendering = timed(lambda: [renderer.frame(i).image for i in range(n)])
    detector = load_detector("yolo")

    def flag(tracks: Any) -> list[Any]:
        zones, lines = script.meta.zones, script.meta.lines
        return [apply(tracks, meta=script.meta, rule=p, zones=zones, lines=lines) for p in PRESETS]

    detector.detect(frames[:8], indices=list(range(8)))
    boxes, detecting = timed(lambda: detector.detect(frames, indices=list(range(n))))
    flag(track(boxes, meta=script.meta))
    tracks, tracking = timed(lambda: track(boxes, meta=script.meta))
    _, flagging = timed(lambda: flag(tracks))
    print(f"{n} frames of 640 × 360, {sum(map(len, boxes)) / n:.1f} boxes a frame, {len(PRESETS)} presets with traces")
    for name, spent in (("render", rendering), ("detect", detecting), ("track", tracking), ("rules", flagging)):
        print(
            f"{name:7} {1000 * spent / n:7.2f} ms of processor a frame   {100 * spent / detecting:6.1f} % of detection"
        )
    print(f"track + rules: {100 * (tracking + flagging) / detecting:.1f} % of detection (bar: under 10 %)")


if __name__ == "__main__":
    main()
