"""Laws that stays and crossings obey whatever the way walked."""

import itertools

import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.video import Line, Zone
from synthetic_data.scenes.occurrences import find_events

ZONE = Zone("z", ((-3.0, -2.0), (2.0, -3.0), (3.0, 2.0), (0.0, 0.5), (-2.0, 3.0)))
LINE = Line("l", (-1.0, -4.0), (1.0, 4.0))
SUBJECT = pd.DataFrame({"subject_id": [7], "label": "person", "situation": "passing", "owner_id": -1})
WAYS = st.lists(
    st.tuples(st.floats(-5, 5, width=32), st.floats(-5, 5, width=32)), min_size=2, max_size=12, unique=True
)  # fmt: skip


def events(points):
    n = len(points)
    poses = pd.DataFrame(points, columns=["x_m", "y_m"]).assign(frame=range(n), subject_id=7)
    return find_events(
        poses, SUBJECT, fps=1.0, n_frames=n + 1, zones=(ZONE,), lines=(LINE,), flows={}, dense_zones=()
    )  # fmt: skip


@given(WAYS)
@settings(max_examples=60, deadline=None)
def test_stays_hold_every_frame_inside_and_no_frame_outside(points):
    inside = ZONE.contains(np.array(points))
    spans = events(points).query("kind == 'stay'")[["t_begin_s", "t_end_s"]].to_numpy()
    covered = np.array([any(a - 1e-6 <= t <= b + 1e-6 for a, b in spans) for t in range(len(points))])
    edge = shapely.distance(shapely.Polygon(ZONE.points).exterior, shapely.points(points)) < 1e-4
    assert (covered == inside)[~edge].all()
    assert all(b0 <= a1 + 1e-9 for (_, b0), (a1, _) in itertools.pairwise(spans))


@given(WAYS)
@settings(max_examples=60, deadline=None)
def test_walking_back_crosses_the_same_line_the_other_way(points):
    side = np.array([(2.0 * (y + 4.0) - 8.0 * (x + 1.0)) for x, y in points])
    if (np.abs(side) < 1e-3).any():
        return  # on the line: it belongs to its right, whichever way one goes
    there, back = (events(p).query("kind == 'crossing'") for p in (points, points[::-1]))
    assert len(there) == len(back)
    assert (there["zone"] == "l+").sum() == (back["zone"] == "l-").sum()
    mirrored = np.sort(len(points) - 1 - back["t_begin_s"].to_numpy())
    np.testing.assert_allclose(there["t_begin_s"].to_numpy(), mirrored, atol=1e-5)
