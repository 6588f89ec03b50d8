"""Sojourns: laws recovered, legs inside their sojourn, tracks that say what the sojourns say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import BOX, FRAME, T_S, TRACK_ID
from synthetic_data.dwell_worlds import (
    CAP_S,
    EQUAL,
    LAWS,
    LONGEST,
    ZONE,
    LawKey,
    SetKey,
    Sojourns,
    as_targets,
    draw_sojourns,
    spans,
    tracks_of,
)


def draw(seed: int = 1, *, place: SetKey = "hall", law: LawKey = "stated", days: int = 20) -> Sojourns:
    return draw_sojourns(place=place, law=law, camera_days=days, hours_per_day=16.0, rng=stream(seed, "dwell"))


def test_every_role_is_a_situation_and_the_longest_stay_longest() -> None:
    assert set(LAWS) <= set(SITUATIONS)
    others = [law.median_s for role, law in LAWS.items() if role not in LONGEST]
    assert min(LAWS[r].median_s for r in LONGEST) > max(others)


def test_arrivals_and_medians_follow_their_law() -> None:
    persons = draw(days=40).persons
    for role in ("passing", "waiting", "seated"):
        own = persons[persons["role"] == role]
        expected = LAWS[role].hall_per_h * 16 * 40
        assert abs(len(own) - expected) < 5 * np.sqrt(expected)
        # The log of the median of n lognormal draws has a standard error of 1.2533 spread / sqrt(n).
        error = 1.2533 * LAWS[role].spread / np.sqrt(len(own))
        assert abs(np.log(own["stay_s"].median() / LAWS[role].median_s)) < 5 * error
    assert persons["stay_s"].max() <= CAP_S


def test_no_more_sleep_rough_in_view_than_were_counted_for_so_many_cameras() -> None:
    persons = draw(days=400).persons
    there = persons[persons["role"].isin(LONGEST)]["stay_s"].sum() / (400 * 16 * 3600)
    assert 0.2 < there < 442 / 1600 * 1.15


def test_equal_law_gives_every_role_the_same_sojourns() -> None:
    persons = draw(law="equal", days=10).persons
    medians = persons.groupby("role", observed=True)["stay_s"].median()
    assert abs(np.log(medians["passing"] / EQUAL.median_s)) < 0.02
    assert persons["roam_m"].nunique() == 1


def test_legs_lie_inside_their_sojourn_and_do_not_overlap() -> None:
    drawn = draw(days=3)
    legs = drawn.legs.merge(drawn.persons[["stay_s"]], left_on="person", right_index=True)
    assert (legs["start_s"] >= 0).all()
    assert (legs["end_s"] >= legs["start_s"]).all()
    assert (legs["end_s"] <= legs["stay_s"] + 1e-9).all()
    same = legs["person"].to_numpy()[1:] == legs["person"].to_numpy()[:-1]
    assert (legs["start_s"].to_numpy()[1:] >= legs["end_s"].to_numpy()[:-1] - 1e-9)[same].all()
    assert set(legs["person"]) == set(drawn.persons.index)
    last = legs.groupby("person")["end_s"].last()
    assert np.allclose(last, drawn.persons["stay_s"])


def test_breaks_come_at_their_rate() -> None:
    drawn = draw(days=40)
    law = LAWS["waiting"]
    own = drawn.persons[drawn.persons["role"] == "waiting"]
    breaks = drawn.legs["person"].isin(own.index).sum() - len(own)
    expected = (law.moves_per_h + law.leaves_per_h) * own["stay_s"].sum() / 3600
    assert abs(breaks - expected) < 5 * np.sqrt(expected)
    visits = drawn.legs.groupby("person")["visit"].max()[own.index].sum()
    assert abs(visits / breaks - law.leaves_per_h / (law.leaves_per_h + law.moves_per_h)) < 0.05


def test_time_in_zone_is_at_least_time_on_a_spot() -> None:
    drawn = draw(days=2)
    static, present = spans(drawn, static=True), spans(drawn, static=False)
    long = [s.assign(d=s["end_s"] - s["start_s"]).groupby("person")["d"].max() for s in (static, present)]
    both = pd.concat(long, axis=1, keys=["static", "present"]).fillna(0.0)
    assert (both["static"] <= both["present"] + 1e-9).all()
    roaming = drawn.persons.index[drawn.persons["role"] == "child_playing"]
    assert not static["person"].isin(roaming).any()


def test_targets_stay_at_least_as_long_and_stand_still() -> None:
    drawn = draw(days=10)
    layer = as_targets(drawn, prevalence=0.1, stay_min=60.0, rng=stream(1, "targets"))
    base = drawn.persons.loc[layer.persons.index]
    assert (base["u_target"] < 0.1).all()
    assert len(layer.persons) == (drawn.persons["u_target"] < 0.1).sum()
    assert (layer.persons["stay_s"] >= base["stay_s"]).all()
    passing = layer.persons[layer.persons["role"] == "passing"]
    assert abs(np.log(passing["stay_s"].median() / 3600)) < 0.05
    assert (passing["roam_m"] <= EQUAL.roam_m).all()


def test_tracks_say_what_the_sojourns_say() -> None:
    drawn = draw(days=2)
    tracks, ids = tracks_of(drawn, days=1, fps=0.2, rng=stream(1, "tracks"))
    assert len(ids) == (drawn.persons["camera_day"] == 0).sum()
    span = tracks.groupby(TRACK_ID)[T_S].agg(["min", "max", "size"])
    stay = drawn.persons["stay_s"].reindex(span.index)
    assert np.allclose(span["size"], np.maximum(np.floor(stay * 0.2), 1))
    assert not tracks.duplicated([FRAME, TRACK_ID]).any()
    boxes = tracks[list(BOX)].to_numpy()
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    # Somebody on a spot is inside the zone; somebody who stepped out is not.
    out = ~ZONE.contains(tracks[["x_m", "y_m"]].to_numpy())
    stepped = drawn.legs.groupby("person")["visit"].max().reindex(ids) > 0
    assert set(tracks.loc[out, TRACK_ID]) <= set(ids[stepped.to_numpy()])


def test_same_stream_same_world_and_bad_input_is_named() -> None:
    one, two = draw(3, days=1), draw(3, days=1)
    pd.testing.assert_frame_equal(one.persons, two.persons)
    pd.testing.assert_frame_equal(one.legs, two.legs)
    with pytest.raises(ParameterError, match="place"):
        draw(place="beach")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="camera_days"):
        draw(days=0)
