"""One scripted trace, three shipped definitions of "60 s in the zone", three answers. And other hand-worked traces.

The trace, reconstructed from the three published times and the semantics of each tool, at Frigate's own 5 frames a
second. Let a person enter at ``e``, leave at 70.0 s for 20 s, be back at 90.0 s and leave before 150 s.

* *supervision* shows ``t - e`` only inside. It alerts at the return, 90.0 s, if it had not before leaving
  (69.8 - e < 60) and has by then (90 - e >= 60): 9.8 < e <= 30.
* *Roboflow* starts again at 90.0 s: never, if each stay is shorter than 60 s: e > 10, and the end before 150 s.
* *Frigate* needs 300 counted frames. Alerting at 107.6 s is frame 538, the 89th after the return (frame 450). So 211
  were counted before, and inertia takes the first two of them: 213 frames inside before frame 350. Entry: frame 137,
  e = 27.4 s, which the two other conditions allow. The trace is thus determined.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.video import BOX, Camera, ClipMeta, Zone
from vsa.rules import apply, configured

FPS = 5.0
ZONE = Zone("hall", ((200, 0), (440, 0), (440, 360), (200, 360)), plane="image")
META = ClipMeta("scripted", FPS, 800, Camera(640, 360, 500.0, 4.0, 20.0), zones=(ZONE,))
ENTER, LEAVE, RETURN, END = 137, 350, 450, 625


def scripted(
    *stays: tuple[int, int], last: int, lost: tuple[int, int] = (0, 0), first: int = 0, step: int = 1
) -> pd.DataFrame:
    """A person outside but for ``stays`` (frames begin..end-1), not seen during ``lost``; every ``step`` frames."""
    frames = np.array([f for f in range(first, last, step) if not lost[0] <= f < lost[1]])
    inside = np.zeros(len(frames), dtype=bool)
    for begin, end in stays:
        inside |= (frames >= begin) & (frames < end)
    left = np.where(inside, 300.0, 40.0)
    box = np.column_stack([left, np.full(len(frames), 100.0), left + 40, np.full(len(frames), 220.0)])
    table = pd.DataFrame({"frame": frames, "t_s": frames / FPS, "track_id": 1, "label": "person", "score": 0.9})
    return table.assign(**dict(zip(BOX, box.T, strict=True)), x_m=np.nan, y_m=np.nan)


def times(tracks: pd.DataFrame, key: str, meta: ClipMeta = META, **changes: object) -> list[float]:
    return apply(tracks, meta=meta, rule=configured(key, **changes)).table["t_alert_s"].tolist()


@pytest.fixture
def trace() -> pd.DataFrame:
    return scripted((ENTER, LEAVE), (RETURN, END), last=650)


def test_three_tools_three_answers(trace: pd.DataFrame) -> None:
    assert times(trace, "supervision-example") == [90.0]
    assert times(trace, "roboflow-v3") == []
    assert times(trace, "frigate") == [107.6]


def test_the_house_clocks_on_the_same_trace(trace: pd.DataFrame) -> None:
    # Continuous: stays of 42.6 and 35 s. Cumulative: 42.4 s between the first and last frame inside, 17.6 s to go.
    on_image = {"anchor": "bottom_center"}
    assert times(trace, "house-continuous-60s", **on_image) == []
    assert times(trace, "house-cumulative-60s", **on_image) == [107.6]
    assert times(trace, "house-first-seen-60s", **on_image) == [90.0]
    # Left for good at 71.0 s, a second of grace after 69.8 s: a minute later is too late, 10 s is not.
    assert times(trace, "hikvision-default") == [37.4]
    assert times(trace, "hikvision-default", rearm_s=10.0) == [37.4, 100.0]


def test_the_traces_say_why(trace: pd.DataFrame) -> None:
    ghost = apply(trace, meta=META, rule="supervision-example")
    assert ghost.table.loc[0, ["t_since_s", "value", "threshold"]].tolist() == [27.4, pytest.approx(62.6), 60.0]
    why = ghost.trace
    assert why["frame"].tolist() == list(range(137, 451))
    assert int((~why["inside"]).sum()) == 100  # 20 s of the 62.6 were spent elsewhere
    assert why["clock_s"].iloc[-1] == pytest.approx(62.6)
    counted = apply(trace, meta=META, rule="frigate")
    assert counted.table["value"].tolist() == [60.0]
    clock = counted.trace.set_index("frame")["clock_s"]
    assert clock[[137, 138, 139, 349, 350, 449, 450, 538]].tolist() == pytest.approx(
        [0.0, 0.0, 0.2, 42.2, 42.2, 42.2, 42.4, 60.0]
    )


def test_frigate_counts_processed_frames_whatever_the_rate_of_the_clip(trace: pd.DataFrame) -> None:
    dense = pd.concat([trace.assign(frame=trace["frame"] * 5 + k) for k in range(5)]).sort_values("frame")
    dense = dense.assign(t_s=dense["frame"] / 25.0)
    meta = ClipMeta("dense", 25.0, 4_000, META.camera, zones=(ZONE,))
    assert times(dense, "frigate", meta) == [107.6]
    # Every frame at 25 a second: 1065 inside less 2 before leaving, 437 to go from frame 2250, so frame 2686.
    assert times(dense, "frigate", meta, detect_fps=25.0) == [pytest.approx(107.44)]


def test_one_frame_of_jitter_starts_roboflow_again_and_being_lost_does_not() -> None:
    steady = scripted((10, 400), last=400)
    assert times(steady, "roboflow-v3") == [62.0]
    assert times(scripted((10, 400), last=400, lost=(100, 300)), "roboflow-v3") == [62.0]
    assert times(scripted((10, 150), (151, 500), last=500), "roboflow-v3") == [30.2 + 60.0]
    kept = {"reset_out_of_zone": False}
    assert times(scripted((10, 150), (151, 500), last=500), "roboflow-v3", **kept) == [62.0]
    # Neither reset nor removed: the shipped code forgets all the same.
    assert times(scripted((10, 150), (151, 500), last=500), "roboflow-v3", **kept, remove_out_of_zone=False) == [90.2]


def test_frigate_counts_the_last_box_for_five_seconds_and_then_forgets() -> None:
    # Inside from frame 10: counted from 12, the 300th at frame 311.
    assert times(scripted((10, 700), last=700), "frigate") == [62.2]
    assert times(scripted((10, 700), last=700, lost=(100, 125)), "frigate") == [62.2]  # 25 frames lost, all counted
    # 26 frames lost: somebody else comes back, at frame 126, who has not moved and never alerts.
    gone = scripted((10, 700), last=700, lost=(100, 126))
    assert times(gone, "frigate") == []
    assert times(gone, "frigate", must_move=False) == [(126 + 2 + 299) / FPS]
    # The threshold falls while she is lost: no alert before she is detected again.
    assert times(scripted((10, 700), last=700, lost=(300, 320)), "frigate") == [64.0]


def test_frigate_never_sees_who_was_seated_when_the_camera_started() -> None:
    assert times(scripted((0, 700), last=700), "frigate") == []
    assert times(scripted((0, 700), last=700), "frigate", must_move=False) == [60.2]
    assert times(scripted((0, 700), last=700), "house-continuous-60s", anchor="bottom_center") == [60.0]


def test_frigate_alerts_at_once_on_a_return_after_its_cutoff() -> None:
    # First alert 62.2 s; leaves at frame 340 (last active 67.8 s).
    soon = scripted((10, 340), (340 + 200, 700), last=700)  # back at 108.0 s: 40.2 s after
    assert times(soon, "frigate") == [62.2, 108.0]
    sooner = scripted((10, 340), (340 + 198, 700), last=700)  # back at 107.6 s: 39.8 s after
    assert times(sooner, "frigate") == [62.2]
