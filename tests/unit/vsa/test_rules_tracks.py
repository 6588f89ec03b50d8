"""What a table of tracks must be, how gaps are filled, tracks joined and points anchored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.video import (
    ALERT_COLUMNS,
    BOX,
    TRACE_COLUMNS,
    TRACK_COLUMNS,
    Camera,
    ClipMeta,
    Zone,
    as_table,
)
from vsa.rules import apply
from vsa.rules.tracks import anchored, area_m2, check_tracks

META = ClipMeta("clip", 10.0, 100, Camera(640, 360, 500.0, 4.0, 20.0))


def rows(*given: tuple[int, int], label: str = "person", x_m: float = 0.0, y_m: float = 8.0) -> pd.DataFrame:
    """One standing box for each (frame, track)."""
    table = pd.DataFrame(given, columns=["frame", "track_id"])
    boxes = dict(zip(BOX, (300.0, 100.0, 330.0, 200.0), strict=True))
    return table.assign(t_s=table["frame"] / 10.0, label=label, **boxes, score=0.9, x_m=x_m, y_m=y_m)


def test_no_track_no_alert_and_the_same_types() -> None:
    alerts = apply(as_table({}, TRACK_COLUMNS, what="tracks"), meta=META, rule="loitering", zones=[])
    assert {c: str(t) for c, t in alerts.table.dtypes.items()} == dict(ALERT_COLUMNS)
    assert {c: str(t) for c, t in alerts.trace.dtypes.items()} == dict(TRACE_COLUMNS)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (rows((3, 1), (2, 1)), "track 1 has frame 2 after frame 3"),
        (rows((3, 1), (3, 1)), "track 1 has frame 3 after frame 3"),
        (rows((3, 1), (4, 1)).assign(x1_px=[300.0, np.nan]), "not finite or have no size (rows 1)"),
        (rows((3, 1), (4, 1)).assign(x2_px=[330.0, 300.0]), "not finite or have no size (rows 1)"),
        (rows((3, 1), (100, 1)), "row 1".replace("row", "rows")),
        (rows((-1, 1)), "outside 0..100"),
        (rows((3, 1), (4, 1)).assign(t_s=[0.3, 0.6]), "not their frame over 10"),
        (rows((3, 1), (4, 1)).assign(t_s=[0.3, np.nan]), "not their frame over 10"),
        (rows((3, 1), label="dog"), "label other than person, object"),
        (rows((3, 1)).drop(columns="x_m"), "lacks x_m"),
    ],
)
def test_a_table_that_breaks_its_contract_is_refused(bad: pd.DataFrame, said: str) -> None:
    with pytest.raises(ContractError) as caught:
        apply(bad, meta=META, rule="presence", zones=[])
    assert said in str(caught.value)
    assert caught.value.exit_code == 11


def test_both_orders_are_one_table() -> None:
    by_frame = rows((0, 1), (0, 2), (1, 1), (1, 2), (9, 1), (9, 2))
    by_track = by_frame.sort_values(["track_id", "frame"])
    one, two = (apply(t, meta=META, rule="presence", zones=[]) for t in (by_frame, by_track))
    assert len(one.table) == 2
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.trace, two.trace)


def test_lost_frames_repeat_the_last_box_and_say_so() -> None:
    table = rows((2, 7), (5, 7), (6, 7), (1, 3))
    table.loc[1, "x1_px"] = 310.0
    tracks = check_tracks(table, META).of("person")
    assert tracks.first.tolist() == [0, 1, 6]
    assert tracks.track.tolist() == [3, 7, 7, 7, 7, 7]
    assert tracks.frame.tolist() == [1, 2, 3, 4, 5, 6]
    assert tracks.seen.tolist() == [True, True, False, False, True, True]
    assert tracks.box_px[:, 0].tolist() == [300, 300, 300, 300, 310, 300]


def test_tracks_that_follow_closely_are_joined_once_and_nearest_first() -> None:
    table = pd.concat(
        [rows((0, 1), (1, 1), x_m=0.0), rows((0, 2), (1, 2), x_m=3.0), rows((4, 3), x_m=1.2), rows((4, 4), x_m=0.5)]
    )
    joined = check_tracks(table, META).of("person", stitch_m=2.0, stitch_s=0.3)
    # Track 3 is seen to first (same frame, smaller id) and takes track 1, 1.2 m away and not 2, 1.8 m away; track 4
    # finds only track 2 left, 2.5 m away: alone.
    assert [joined.track[a:b].tolist() for a, b in zip(joined.first[:-1], joined.first[1:], strict=True)] == [
        [1, 1, 1, 1, 3],
        [2, 2],
        [4],
    ]
    assert len(check_tracks(table, META).of("person", stitch_m=2.0, stitch_s=0.2).first) == 5  # too late for all
    assert len(check_tracks(table, META).of("person").first) == 5


def test_joining_counts_one_stay_where_identities_broke() -> None:
    table = rows(*((f, 1) for f in range(40)), *((f, 2) for f in range(43, 90)))
    alone = apply(table, meta=META, rule="loitering", zones=[])
    assert alone.table.empty  # 60 s is more than the clip
    from vsa.rules import configured

    def alerts(**changes: object) -> list[tuple[int, float, float]]:
        found = apply(table, meta=META, rule=configured("loitering", dwell_s=6.0, **changes), zones=[]).table
        return [(int(r.track_id), r.t_since_s, r.t_alert_s) for r in found.itertuples()]

    assert alerts() == []
    assert alerts(id_stitch_m=1.0, id_stitch_s=1.0) == [(2, 0.0, 6.0)]  # the alert names who is there when it fires


def test_anchors_on_both_planes() -> None:
    camera = META.camera
    foot = np.array([[1.0, 9.0]])
    bottom = camera.project(np.array([[1.0, 9.0, 0.0]]))[0][0]
    table = rows((0, 1), x_m=1.0, y_m=9.0)
    table[list(BOX)] = [[bottom[0] - 10, bottom[1] - 80, bottom[0] + 10, bottom[1]]]
    tracks = check_tracks(table, META).of("person")
    assert anchored(tracks, "ground", plane="ground", meta=META) == pytest.approx(foot)
    assert anchored(tracks, "bottom_center", plane="ground", meta=META) == pytest.approx(foot)
    assert anchored(tracks, "ground", plane="image", meta=META)[0] == pytest.approx(bottom)
    assert anchored(tracks, "center", plane="image", meta=META)[0] == pytest.approx(bottom - [0, 40])
    unknown = check_tracks(table.assign(x_m=np.nan), META).of("person")
    assert unknown.foot_m == pytest.approx(foot)


def test_an_area_needs_a_zone_below_the_horizon() -> None:
    assert area_m2(Zone("z", ((0, 5), (4, 5), (4, 10), (0, 10))), meta=META) == pytest.approx(20.0)
    corners = META.camera.project(np.array([[0, 5, 0], [4, 5, 0], [4, 10, 0], [0, 10, 0]], dtype=float))[0]
    drawn = Zone("z", tuple(map(tuple, corners.tolist())), plane="image")
    assert area_m2(drawn, meta=META) == pytest.approx(20.0)
    with pytest.raises(ParameterError, match="above the horizon"):
        area_m2(Zone("sky", ((0, -30), (10, 0), (0, 10)), plane="image"), meta=META)
    with pytest.raises(ParameterError, match="needs a zone"):
        area_m2(None, meta=META)
