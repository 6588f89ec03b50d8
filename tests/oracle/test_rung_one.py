"""Rung one: on scenes made for it, a perfect machine lets each rule find every event of its definition and no other.

The truth of these scenes is known by construction (:mod:`synthetic_data.scenes.scripted`): beside what the rule is
after, each holds what could be taken for it.
"""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.video import SUBJECT_ID, TRACK_ID
from synthetic_data.scenes import scripted
from synthetic_data.scenes.projection import projected_truth
from synthetic_data.scenes.spec import Script
from vsa.rules import apply, configured
from vsa.rules.base import Rule
from vsa.scoring.events import match_events
from vsa.scoring.truth import oracle_tracks, reference_events

#: Scene → rule, what the reference is asked for, and how many events there are.
CASES: dict[str, tuple[Script, Rule, dict[str, object], int]] = {
    "a stay of 90 s, T = 60 s": (
        scripted.scripted_stay(dwell_s=90.0), configured("loitering", dwell_s=60.0, grace_out_s=0.0),
        {"rule": "loitering", "dwell_s": 60.0}, 1,
    ),
    "a stay of 55 s, T = 60 s": (
        scripted.scripted_stay(dwell_s=55.0), configured("loitering", dwell_s=60.0, grace_out_s=0.0),
        {"rule": "loitering", "dwell_s": 60.0}, 0,
    ),
    "a stay broken in two, T = 60 s": (
        scripted.scripted_stay(dwell_s=90.0, gaps=((45.0, 4.0),)),
        configured("loitering", dwell_s=60.0, grace_out_s=0.0), {"rule": "loitering", "dwell_s": 60.0}, 0,
    ),
    "three crossings": (scripted.scripted_crossing(), configured("crossing"), {"rule": "crossing"}, 3),
    "a fall": (scripted.scripted_fall(down_s=15.0), configured("fall"), {"rule": "fall", "dwell_s": 2.0}, 1),
    "a bag left for good, 30 s": (
        scripted.scripted_abandonment(away_s=np.inf, situation="bag_leaving"), configured("pets2006"),
        {"rule": "abandonment", "dwell_s": 30.0}, 1,
    ),
    "a bag left for 20 s, 30 s": (
        scripted.scripted_abandonment(away_s=20.0), configured("pets2006"),
        {"rule": "abandonment", "dwell_s": 30.0}, 0,
    ),
    "too many people for 20 s": (
        scripted.scripted_density(), configured("density", density_per_m2=0.45, hold_s=2.0),
        {"rule": "density", "dwell_s": 2.0}, 1,
    ),
    "one against the flow": (
        scripted.scripted_counter_flow(),
        configured("counter-flow", allowed_deg=float(np.rad2deg(scripted.PASSAGE_FLOW_RAD))),
        {"rule": "counter_flow"}, 1,
    ),
    "one runs": (scripted.scripted_running(), configured("running"), {"rule": "running"}, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_every_event_is_found_and_nothing_else_is_told(name: str) -> None:
    script, rule, asked, n = CASES[name]
    truth = projected_truth(script)
    expected = reference_events(truth, **asked)  # type: ignore[arg-type]
    assert len(expected) == n, expected
    alerts = apply(oracle_tracks(truth), meta=script.meta, rule=rule, zones=script.meta.zones, lines=script.meta.lines)
    told = alerts.table.rename(columns={TRACK_ID: SUBJECT_ID})
    # an event about nobody in particular (a crowd) is matched by its time alone
    same = [SUBJECT_ID] if len(expected) and (expected[SUBJECT_ID] >= 0).all() else []
    found = match_events(told, expected, window_s=(-0.15, 10.0), same=same)
    assert (found.hits, found.misses) == (n, 0), (alerts.table, expected)
    assert (found.alerts["outcome"] == "hit").all(), (alerts.table, expected)


def test_every_alert_of_these_scenes_says_why_frame_by_frame() -> None:
    for script, rule, _, n in CASES.values():
        truth = projected_truth(script)
        alerts = apply(
            oracle_tracks(truth), meta=script.meta, rule=rule, zones=script.meta.zones, lines=script.meta.lines
        )
        assert set(alerts.trace["alert_id"]) == set(alerts.table["alert_id"])
        assert len(alerts.table) == n
