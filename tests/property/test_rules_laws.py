"""Laws for any tracks: no alert before its time, none added by a higher threshold, none by cutting a track."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contrechamp.domain.video import BOX, Camera, ClipMeta, Zone
from vsa.rules import PRESETS, Rule, apply, configured

FPS = 5.0
META = ClipMeta("clip", FPS, 1_000, Camera(640, 360, 500.0, 4.0, 20.0))
ZONE = Zone("z", ((-1, 6), (1, 6), (1, 14), (-1, 14)))
LOITERING = ["loitering", "loitering-supervision", "loitering-roboflow", "loitering-frigate"]

runs = st.lists(st.tuples(st.sampled_from(["in", "out", "lost"]), st.integers(1, 40)), min_size=1, max_size=12)
tracks_of = st.lists(st.tuples(st.integers(0, 30), runs), min_size=1, max_size=4)


def table(given_tracks: list[tuple[int, list[tuple[str, int]]]]) -> pd.DataFrame:
    camera = META.camera
    rows = []
    for who, (first, parts) in enumerate(given_tracks):
        frame = first
        for kind, length in parts:
            x = 0.0 if kind == "in" else 3.0
            foot = camera.project(np.array([[x, 10.0, 0.0], [x, 10.0, 1.7]]))[0]
            # The centre, like the foot, falls in or out of the zone on the image.
            box = (foot[0, 0] - 8, foot[1, 1], foot[0, 0] + 8, foot[0, 1])
            if kind != "lost":
                rows += [(f, f / FPS, who, "person", *box, 1.0, x, 10.0) for f in range(frame, frame + length)]
            frame += length
    columns = ["frame", "t_s", "track_id", "label", *BOX, "score", "x_m", "y_m"]
    return pd.DataFrame(rows, columns=columns).sort_values(["frame", "track_id"], ignore_index=True)


def fired(tracks: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    return apply(tracks, meta=META, rule=rule, zones=[ZONE]).table


def rule_of(key: str, dwell_s: float, **changes: object) -> Rule:
    on_ground = {"anchor": "ground"}
    return configured(
        key, dwell_s=dwell_s, **on_ground, **({"must_move": False} if "frigate" in key else {}), **changes
    )


@pytest.mark.parametrize("key", LOITERING)
@settings(max_examples=20, deadline=None)
@given(given_tracks=tracks_of, dwell_s=st.sampled_from([0.4, 2.0, 7.0]))
def test_an_alert_never_precedes_its_time(key: str, given_tracks: list, dwell_s: float) -> None:
    tracks = table(given_tracks)
    if tracks.empty:
        return
    alerts = fired(tracks, rule_of(key, dwell_s))
    first = tracks[tracks["x_m"] == 0.0].groupby("track_id")["t_s"].min()
    entered = alerts["track_id"].map(first)
    # Frigate's clock counts frames, not the time between them: of n frames, n - 1 steps have passed.
    least = dwell_s - (1 / FPS if "frigate" in key else 0)
    assert (alerts["t_alert_s"] - entered >= least - 1e-9).all()
    assert (alerts["t_alert_s"] - alerts["t_since_s"] >= least - 1e-9).all()
    assert (alerts["value"] >= alerts["threshold"] - 1e-9).all()


@pytest.mark.parametrize("rearm_s", [None, 0.0, 6.0])
@settings(max_examples=15, deadline=None)
@given(given_tracks=tracks_of, low=st.sampled_from([0.4, 2.0, 4.0]), more=st.sampled_from([0.2, 1.0, 5.0]))
def test_a_higher_threshold_never_adds_a_continuous_alert(
    rearm_s: float | None, given_tracks: list, low: float, more: float
) -> None:
    tracks = table(given_tracks)
    if tracks.empty:
        return
    few = fired(tracks, rule_of("loitering", low + more, rearm_s=rearm_s)).groupby("track_id").size()
    many = fired(tracks, rule_of("loitering", low, rearm_s=rearm_s)).groupby("track_id").size()
    assert (few <= many.reindex(few.index, fill_value=0)).all()


@pytest.mark.parametrize("key", [*LOITERING, "presence"])
@settings(max_examples=15, deadline=None)
@given(given_tracks=tracks_of, shift=st.integers(1, 200))
def test_later_tracks_give_later_alerts(key: str, given_tracks: list, shift: int) -> None:
    tracks = table(given_tracks)
    if tracks.empty:
        return
    rule = configured("presence", hold_s=2.0) if key == "presence" else rule_of(key, 2.0)
    later = tracks.assign(frame=tracks["frame"] + shift, t_s=(tracks["frame"] + shift) / FPS)
    now, then = fired(tracks, rule), fired(later, rule)
    assert then["frame"].tolist() == (now["frame"] + shift).tolist()
    assert then["track_id"].tolist() == now["track_id"].tolist()
    np.testing.assert_allclose(then["t_since_s"], now["t_since_s"] + shift / FPS)
    np.testing.assert_allclose(then["value"], now["value"])


@pytest.mark.parametrize("key", LOITERING)
@settings(max_examples=15, deadline=None)
@given(given_tracks=tracks_of)
def test_names_do_not_matter(key: str, given_tracks: list) -> None:
    tracks = table(given_tracks)
    if tracks.empty:
        return
    renamed = tracks.assign(track_id=1_000 - 7 * tracks["track_id"])
    now, then = fired(tracks, rule_of(key, 2.0)), fired(renamed, rule_of(key, 2.0))
    back = then.assign(track_id=(1_000 - then["track_id"]) // 7).sort_values(["frame", "track_id"], ignore_index=True)
    same = ["track_id", "frame", "t_since_s", "value", "zone"]
    pd.testing.assert_frame_equal(back[same], now[same])


@pytest.mark.parametrize("key", LOITERING)
@settings(max_examples=20, deadline=None)
@given(given_tracks=tracks_of, cut=st.integers(1, 200))
def test_cutting_an_identity_can_only_spare_people(key: str, given_tracks: list, cut: int) -> None:
    """Nobody is flagged, or flagged sooner, because the tracker lost them: but somebody may be flagged twice."""
    tracks = table(given_tracks)
    if tracks.empty:
        return
    parted = tracks.assign(track_id=tracks["track_id"] + 100 * (tracks["frame"] >= cut))
    whole = fired(tracks, rule_of(key, 2.0)).groupby("track_id")["t_alert_s"].min()
    pieces = fired(parted, rule_of(key, 2.0))
    pieces = pieces.assign(track_id=pieces["track_id"] % 100).groupby("track_id")["t_alert_s"].min()
    assert set(pieces.index) <= set(whole.index)
    assert (pieces >= whole.reindex(pieces.index) - 1e-9).all()


def test_a_cut_identity_may_be_flagged_twice() -> None:
    tracks = table([(0, [("in", 40)])])
    parted = tracks.assign(track_id=tracks["track_id"] + 100 * (tracks["frame"] >= 20))
    assert len(fired(tracks, rule_of("loitering", 2.0))) == 1
    assert len(fired(parted, rule_of("loitering", 2.0))) == 2


@pytest.mark.parametrize("key", [k for k in PRESETS if PRESETS[k].rule.startswith("loitering")])
@settings(max_examples=15, deadline=None)
@given(given_tracks=tracks_of)
@example(given_tracks=[(0, [("in", 1), ("lost", 11), ("out", 1), ("in", 1)])])
def test_a_trace_agrees_with_its_clock(key: str, given_tracks: list) -> None:
    tracks = table(given_tracks)
    if tracks.empty:
        return
    radius = {"max_radius_m": 2.0} if "max_radius_m" in PRESETS[key].params else {}
    alerts = apply(tracks, meta=META, rule=rule_of(key, 2.0, **radius), zones=[ZONE])
    for alert in alerts.table.itertuples():
        why = alerts.trace[alerts.trace["alert_id"] == alert.alert_id]
        assert why["frame"].tolist() == list(range(round(alert.t_since_s * FPS), alert.frame + 1))
        assert why["clock_s"].iloc[-1] == alert.value
        assert why["clock_s"].iloc[0] == 0.0
        assert (np.diff(why["clock_s"]) >= -1e-9).all()
        assert (np.diff(why["clock_s"]) <= 1 / FPS + (2.0 if "cumulative" in key else 1e-9)).all()
        assert why["inside"].iloc[[0, -1]].all()
        assert why["state"].iloc[-1] == "ALERTED"
        assert why["state"].iloc[:-1].ne("ALERTED").all() or key == "frigate"
        seen = why.merge(tracks, on=["frame", "track_id"], suffixes=("", "_seen"))
        assert len(seen) == (why["state"] != "LOST").sum()
        assert (seen[list(BOX)].to_numpy() == seen[[f"{c}_seen" for c in BOX]].to_numpy()).all()
