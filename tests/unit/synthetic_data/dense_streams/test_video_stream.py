"""D04: cameras count what passes in view, and alerts are right or wrong at the rates of the plan."""

import numpy as np
import pytest
from scipy.stats import norm

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import VIDEO_ALERTS, VIDEO_CLASSES
from synthetic_data.cameras import seen_sites
from synthetic_data.mechanisms.entry import DETECTED
from synthetic_data.streams.dense import clock, window
from synthetic_data.streams.video import LOOKS_LIKE, draw_alerts, objects_per_hour, video_metadata, views


def _alerts(world):
    return draw_alerts(world, rng=stream(10, "alerts"))


def test_a_row_per_camera_hour_and_class_and_one_per_alert(small_world):
    world = small_world()
    rows = video_metadata(world, rng=stream(10, "video"))
    counts = rows[rows["alert_type"].isna()]
    assert len(counts) == 60 * 24 * 3 * 5
    assert counts["score"].isna().all()
    hours = window(world.scenario).starts_us(3600)
    expected = objects_per_hour(world, hours).sum(axis=(0, 1))
    for name, mean in zip(VIDEO_CLASSES, expected, strict=True):
        assert abs(counts["count"][counts["object_class"] == name].sum() - mean) < 4.5 * np.sqrt(mean)


def test_night_takes_what_darkness_takes(small_world):
    hours = window(small_world().scenario).starts_us(3600)
    full, less = (objects_per_hour(small_world({"sensing.night_loss": v}), hours) for v in (0.0, 0.5))
    hour = clock(hours).hour
    day = (hour >= 6) & (hour < 21)
    assert less[day] == pytest.approx(full[day])
    lighting = small_world().city.quarters["lighting"].to_numpy()[small_world().cameras["quarter"].to_numpy()]
    ratio = less[~day][:, :, 0] / full[~day][:, :, 0]
    assert ratio == pytest.approx(np.broadcast_to(1 - 0.5 * (1 - lighting), ratio.shape))


def test_views_agree_with_coverage(small_world):
    world = small_world()
    site = np.arange(len(world.city.site_x_m))
    row, _ = views(world, site)
    seen = np.zeros(len(site), dtype=bool)
    seen[row] = True
    assert (seen == seen_sites(world.cameras, world.city)).all()


def test_right_alerts_are_the_sensitivity_of_what_is_in_view(small_world):
    blind = {"sensing.false_alerts_per_camera_hour": 0.0, "sensing.night_loss": 0.0}
    changes = {"incidents.latent_per_day": 6000}
    world = small_world(changes | blind | {"sensing.alert_sensitivity": 1.0})
    incidents = world.incidents
    here = np.flatnonzero(window(world.scenario).holds(incidents.t_us))
    alike = np.array([t in LOOKS_LIKE for t in INCIDENT_TYPES])
    row, _ = views(world, incidents.site[here])
    in_view = int(alike[incidents.type_code[here[row]]].sum())
    alerts = _alerts(world)
    machine = ~np.isnan(alerts.score)
    assert in_view > 150
    assert 0.98 * in_view <= machine.sum() <= in_view  # one that comes after the last midnight is not there
    half = _alerts(small_world(changes | blind | {"sensing.alert_sensitivity": 0.5}))
    n = (~np.isnan(half.score)).sum()
    assert abs(n - in_view / 2) < 4.5 * np.sqrt(in_view) / 2
    assert (half.incident[~np.isnan(half.score)] >= 0).all()
    for camera, kind, t_us, incident in zip(alerts.camera, alerts.kind, alerts.t_us, alerts.incident, strict=True):
        if not machine.all():
            break
        assert VIDEO_ALERTS[kind] == LOOKS_LIKE[INCIDENT_TYPES[incidents.type_code[incident]]]
        assert -1 < (t_us - incidents.t_us[incident]) / 1e6 < 300
        assert camera >= 0


@pytest.mark.parametrize(("rate", "cv"), [(0.0417, 0.0), (0.5, 0.0), (0.5, 2.0)])
def test_false_alerts_come_at_their_rate(small_world, rate, cv):
    world = small_world(
        {"sensing.alert_sensitivity": 0.0, "sensing.false_alerts_per_camera_hour": rate, "sensing.false_alert_cv": cv}
    )
    alerts = _alerts(world)
    wrong = alerts.incident < 0
    mean = rate * 60 * 72
    assert abs(wrong.sum() - mean) < 4.5 * np.sqrt(mean + (cv * mean) ** 2 / 60)
    per_camera = np.bincount(alerts.camera[wrong], minlength=60)
    spread = per_camera.var() / per_camera.mean()
    assert (spread > 3) if cv else (spread < 2)


def test_operators_rows_are_what_entered_the_log_by_a_camera(small_world):
    changes = {"incidents.latent_per_day": 3000,
               "recording.detections_per_camera_hour": 0.004}  # fmt: skip
    world = small_world(changes)
    alerts = _alerts(world)
    by_eye = np.isnan(alerts.score)
    here = window(world.scenario).holds(world.incidents.t_us)
    expected = np.flatnonzero(here & (world.records.known_by == DETECTED))
    assert len(expected) > 5
    assert set(alerts.incident[by_eye].tolist()) == set(expected.tolist())
    rows = video_metadata(world, rng=stream(10, "alerts"))
    assert (rows["alert_type"].notna() & rows["score"].isna()).sum() > 0


@pytest.mark.parametrize("gap", [0.0, 1.0, 3.0])
def test_the_score_tells_right_from_wrong_as_far_as_asked(small_world, gap):
    changes = {"incidents.latent_per_day": 6000, "sensing.score_gap": gap,
               "sensing.alert_sensitivity": 1.0, "sensing.false_alerts_per_camera_hour": 0.3}  # fmt: skip
    alerts = _alerts(small_world(changes))
    right, wrong = (alerts.score[(alerts.incident >= 0) == x] for x in (True, False))
    right, wrong = right[~np.isnan(right)], wrong[~np.isnan(wrong)]
    auc = (right[:, None] > wrong).mean() + 0.5 * (right[:, None] == wrong).mean()
    expected = norm.cdf(gap / np.sqrt(2))  # two unit normals a gap apart
    assert abs(auc - expected) < 4.5 / np.sqrt(12 * min(len(right), len(wrong)))


def test_the_equal_city_sees_as_well_by_night(small_world):
    world = small_world(preset="equal-city")
    hours = window(world.scenario).starts_us(3600)
    lit = objects_per_hour(world, hours)
    assert lit == pytest.approx(objects_per_hour(small_world({"sensing.night_loss": 0.0}, preset="equal-city"), hours))
