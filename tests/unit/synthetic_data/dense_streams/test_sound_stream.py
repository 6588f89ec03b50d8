"""D17 and D11: classes follow their law and their confusions, sensors stand where asked, the station keeps its gap."""

from types import SimpleNamespace

import numpy as np
import pytest

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import SOUND_CLASSES
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.dense import window
from synthetic_data.streams.sound import capteurs_sonores, class_law, confusion_matrix, sound_sites
from synthetic_data.streams.station import meteo

NONE = SimpleNamespace(**{n: np.empty(0, dtype=np.int64) for n in ("t_us", "type_code", "site")})


def _rows(world):
    return capteurs_sonores(world, rng=stream(11, "son"))


def _shares(rows):
    return rows["class"].value_counts(normalize=True).reindex(SOUND_CLASSES, fill_value=0.0).to_numpy()


@pytest.mark.parametrize("window_s", [60.0, 10.0])
def test_a_row_per_sensor_and_window(small_world, window_s):
    rows = _rows(small_world({"sensing.sound_window_s": window_s, "streams.dense_days": 1}))
    assert len(rows) == 12 * 86_400 / window_s
    assert (rows.groupby("sensor").size() == 86_400 / window_s).all()


@pytest.mark.parametrize("confusion", [0.0, 0.2, 0.6])
def test_classes_follow_their_law_through_confusion(small_world, confusion):
    world = small_world({"sensing.sound_confusion": confusion, "sensing.sound_window_s": 20.0}, incidents=NONE)
    rows = _rows(world)
    law = class_law(world, sound_sites(world), window(world.scenario).starts_us(3600)).mean(axis=(0, 1))
    expected = law @ confusion_matrix(confusion)
    error = np.sqrt(expected * (1 - expected) / len(rows)) + 1e-9
    assert np.abs((_shares(rows) - expected) / error).max() < 4.5


def test_confusion_is_a_law_per_row():
    matrix = confusion_matrix(0.3)
    assert matrix.sum(axis=1) == pytest.approx(np.ones(10))
    assert np.diag(matrix) == pytest.approx(np.full(10, 0.7))
    assert (confusion_matrix(0.0) == np.eye(10)).all()


def test_most_glass_is_not_glass(small_world):
    """The base rate, written out: of windows called glass, those that are follow from the law and the confusions."""
    world = small_world(incidents=NONE)
    law = class_law(world, sound_sites(world), window(world.scenario).starts_us(3600)).mean(axis=(0, 1))
    glass = SOUND_CLASSES.index("glass")
    called = law @ confusion_matrix(0.2)
    assert 0.8 * law[glass] / called[glass] < 0.2


def test_an_accident_is_heard_in_its_minute_and_nowhere_else(small_world):
    base = small_world()
    sites, span = sound_sites(base), window(base.scenario)
    near = int(np.argmin(np.hypot(base.city.site_x_m - sites["x_m"][2], base.city.site_y_m - sites["y_m"][2])))
    t = np.array([span.midnights_us[0] + (3600 * 5 + 30 + 60 * k * 7) * 1_000_000 for k in range(40)])
    code = np.full(40, INCIDENT_TYPES.index("accident"))
    accidents = SimpleNamespace(t_us=t, type_code=code, site=np.full(40, near))
    clean = {"sensing.sound_confusion": 0.0, "sensing.sound_reach_m": 1.0}
    rows, quiet = (_rows(small_world(clean, incidents=i)) for i in (accidents, NONE))
    changed = rows["class"].ne(quiet["class"])
    assert set(rows["sensor"][changed]) == {"M003"}
    minute = (rows["t"].astype("int64") // 60_000_000).isin(t // 60_000_000) & (rows["sensor"] == "M003")
    assert not (changed & ~minute).any()
    heard = rows["class"][minute].isin(["bang", "horn"]).sum()
    assert abs(heard - 32) <= 4.5 * np.sqrt(40 * 0.8 * 0.2)  # four in five are audible


def test_speech_is_flagged_where_there_are_voices(small_world):
    rows = _rows(small_world({"sensing.sound_confusion": 0.0}, incidents=NONE))
    by_class = rows.groupby("class")["speech"].mean()
    assert by_class["voice"] == pytest.approx(0.95, abs=0.03)
    assert by_class["vehicle"] < 0.05


@pytest.mark.parametrize(("bias", "preset"), [(0.0, None), (1.0, None), (None, "equal-city")])
def test_sensors_stand_in_poor_quarters_if_asked_and_only_then(small_world, bias, preset):
    changes = {"sensing.sound_sensors": 500} | ({} if bias is None else {"sensing.sound_poverty_bias": bias})
    world = small_world(changes, preset=preset)
    z = standard_poverty(world)
    got = z[sound_sites(world)["quarter"].to_numpy()]
    usual = z[world.people.quarter]
    error = usual.std() / np.sqrt(len(got))
    if bias:
        assert got.mean() - usual.mean() > 8 * error
    else:
        assert abs(got.mean() - usual.mean()) < 4 * error


def test_the_station_reads_every_hour_with_its_gap(small_world):
    world = small_world()
    rows = meteo(world, rng=stream(12, "meteo"))
    assert len(rows) == 24 * 9
    gap = rows["temp_c"].to_numpy() - world.weather.hour_temperature_c
    assert gap.mean() == pytest.approx(0.8, abs=0.06)
    exact = meteo(small_world({"sensing.station_offset_c": 0.0}), rng=stream(12, "meteo"))
    assert (rows["temp_c"] - exact["temp_c"]).to_numpy() == pytest.approx(np.full(216, 0.8), abs=0.11)


def test_showers_miss_the_station_as_often_as_asked(small_world):
    base = small_world()
    n = 20_000
    wet = SimpleNamespace(
        t_us=base.weather.t_us[0] + 3_600_000_000 * np.arange(n), hour_temperature_c=np.zeros(n),
        hour_rain_mm=np.full(n, 2.0), hour_wind_m_s=np.ones(n),
    )  # fmt: skip
    for missed in (0.0, 0.1):
        rows = meteo(small_world({"sensing.station_missed_rain": missed}, weather=wet), rng=stream(12, "meteo"))
        assert (rows["rain_mm"] == 0).mean() == pytest.approx(missed, abs=4.5 * np.sqrt(missed * 0.9 / n))
