"""How fast are scenes drawn? One thread, 640 × 360, 2 × 2 samples a pixel, nineteen people.

Run with ``python benchmarks/bench_renderer.py`` (``--frames 40``). Not a test: it prints, it does not judge. The
baseline is the same picture without culling: every cone of every body asked at every sample, compiled by the same
compiler in the same run, and checked to give the same depths.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numba
import numpy as np
import pandas as pd

from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import EVENT_COLUMNS, ClipMeta, as_table
from synthetic_data.scenes.bodies import pose_all
from synthetic_data.scenes.raycaster import F32, F64, FAR, I64, cast_groups, meet, to_camera
from synthetic_data.scenes.render import Renderer
from synthetic_data.scenes.spec import POSE_COLUMNS, SUBJECT_COLUMNS, SceneSpec, Script

PEOPLE = 19
BAR_PER_S = 20.0


def crowd(n_frames: int) -> Script:
    """One of each of the first nineteen situations, in rows, all in view of the usual camera."""
    spec = SceneSpec(duration_s=n_frames / 10)
    subjects, poses = [], []
    for i, (name, usual) in enumerate(list(SITUATIONS.items())[:PEOPLE], start=1):
        subjects.append((i, "person", name, 1.72, 1.0, ",".join(usual.accessories), i, -1))
        x, y = -5.0 + 2.0 * (i % 6), 8.5 + 3.0 * (i // 6)
        for f in range(n_frames):
            poses.append((f, i, x, y, 0.9 * i, 1.0, i / 7 + f / 11, usual.posture, usual.posture, 0.0, 0.0))
    meta = ClipMeta("bench", spec.fps, n_frames, spec.camera)
    return Script(
        spec,
        meta,
        as_table(pd.DataFrame(subjects, columns=list(SUBJECT_COLUMNS)), SUBJECT_COLUMNS, what="subjects"),
        as_table(pd.DataFrame(poses, columns=list(POSE_COLUMNS)), POSE_COLUMNS, what="poses"),
        as_table({}, EVENT_COLUMNS, what="events"),
    )


@numba.njit(nogil=True, error_model="numpy")
def everywhere(cones: F64, focal: float, samples: int, up: F64, height_m: float, near: F32) -> None:
    """Nearest depth at each sample, every cone asked at every one."""
    rows, columns = near.shape
    for j in range(rows):
        v = ((j + 0.5) / samples - rows / samples / 2.0) / focal
        for i in range(columns):
            u = ((i + 0.5) / samples - columns / samples / 2.0) / focal
            near[j, i] = np.inf
            for k in range(len(cones)):
                s = meet(cones[k], u, v)
                if s < near[j, i] and height_m + s * (up[0] * u + up[1] * v + up[2]) >= 0.0:
                    near[j, i] = s


def cpu_s(task: Callable[[], object], times: int) -> float:
    """Best CPU time of a run, once compiled."""
    task()
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        task()
        best = min(best, time.process_time() - start)
    return best


def bodies(script: Script) -> tuple[F64, I64]:
    """Cones in the camera's axes, and their groups, of the first frame as the renderer makes them."""
    renderer = Renderer(script)
    rows = slice(0, PEOPLE)
    poses, people = renderer._poses, renderer._subjects
    who = poses.subject[rows]
    cones, groups = pose_all(
        np.column_stack([poses.numbers[rows], people.size[who]]),
        np.column_stack([poses.codes[rows], people.bits[who]]),
        people.kind[who],
        people.looks[who],
        0.0,
    )
    camera = script.meta.camera
    return to_camera(cones, camera.axes(), np.array([camera.x_m, camera.y_m, camera.height_m])), groups


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=30)
    n_frames = parser.parse_args().frames
    script = crowd(n_frames)
    camera, samples = script.meta.camera, 2
    up = np.ascontiguousarray(camera.axes()[:, 2])
    cones, groups = bodies(script)
    fine = (camera.height_px * samples, camera.width_px * samples)
    near, slow, behind = (np.full(fine, FAR) for _ in range(3))
    which, alone_which = np.empty(fine, dtype=np.int32), np.full(fine, -1, dtype=np.int32)
    alone, reach = np.full(fine, FAR), np.empty((camera.height_px, 2), dtype=np.int64)

    def culled() -> object:
        return cast_groups(
            cones, groups, behind, camera.focal_px, up, camera.height_m, samples, PEOPLE, near, which, alone,
            alone_which, reach,
        )  # fmt: skip

    fast_s = cpu_s(culled, 10)
    slow_s = cpu_s(lambda: everywhere(cones, camera.focal_px, samples, up, camera.height_m, slow), 1)
    seen = np.isfinite(slow)
    assert (seen == np.isfinite(near)).mean() > 0.99999
    both = seen & np.isfinite(near)
    assert np.abs(near[both] - slow[both]).max() < 1e-3

    renderer = Renderer(script)
    frame_s = [cpu_s(lambda i=i: renderer.frame(i), 1) for i in range(n_frames)]
    each = float(np.median(frame_s))
    place_s = cpu_s(lambda: Renderer(script), 2)
    print(f"{PEOPLE} people, {len(cones)} cones, {camera.width_px} x {camera.height_px}, {samples} x {samples} samples")
    print(
        f"whole frame, image and truth    {1e3 * each:8.1f} ms   {1 / each:6.1f} frames/s a core (bar {BAR_PER_S:.0f})"
    )
    print(f"place drawn once a clip         {1e3 * place_s:8.1f} ms")
    print(f"bodies, culled                  {1e3 * fast_s:8.1f} ms")
    print(f"bodies, every cone, every sample{1e3 * slow_s:8.1f} ms   ratio {slow_s / fast_s:6.0f}")
    print(f"frame if nothing were culled    {1e3 * (each - fast_s + slow_s):8.1f} ms   ratio "
          f"{(each - fast_s + slow_s) / each:6.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
