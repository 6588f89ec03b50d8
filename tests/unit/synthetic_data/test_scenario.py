"""Scenarios: read, checked, frozen, hashed, written back."""

import tomllib

import pytest

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from synthetic_data.scenario import Scenario


def test_default_scenario_bears_the_published_anchors():
    s = Scenario.load()
    assert (s.city.population, s.city.area_km2, s.city.cell_m) == (860_000, 240.0, 250.0)
    assert (s.recording.records_per_day, s.fines.fines_per_day) == (822.0, 415.0)
    assert s.types["degradation"].report_propensity == 0.11
    assert s.types["vol"].report_propensity == 0.25
    assert tuple(s.types) == INCIDENT_TYPES
    assert s.start.isoformat() == "2017-01-02T00:00:00+01:00"
    dirt = s.dirt
    total = sum(getattr(dirt, name) for name in dirt.__dataclass_fields__ if name != "late")
    assert 0.03 <= total <= 0.05


def test_toml_round_trip_keeps_every_value_and_the_digest():
    s = Scenario.load().with_overrides({"time.n_days": 14, "types.vol.weight": 0.3})
    back = Scenario.from_dict(tomllib.loads(s.to_toml()))
    assert back == s
    assert back.digest == s.digest != Scenario.load().digest


def test_a_partial_file_is_laid_over_the_default(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text('name = "petite"\n[time]\nn_days = 7\n[types.vol]\nweight = 1\n', encoding="utf-8")
    s = Scenario.load(path)
    assert (s.name, s.time.n_days, s.types["vol"].weight) == ("petite", 7, 1.0)
    assert s.city == Scenario.load().city


def test_an_override_changes_nothing_else_and_leaves_the_original_alone():
    s = Scenario.load()
    before = s.to_dict()
    changed = s.with_overrides({"recording.trust_gradient": 0}).to_dict()
    assert s.to_dict() == before
    assert changed["recording"].pop("trust_gradient") == 0.0
    before["recording"].pop("trust_gradient")
    assert changed == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("time.n_dayss", 3),
        ("time.n_days", 0),
        ("time.n_days", 2.5),
        ("time.n_days", True),
        ("time.n_days", float("nan")),
        ("time", 3),
        ("time.start", "2017-01-03"),
        ("time.start", "hier"),
        ("types.vol.peak_h", "a"),
        ("types.vol.residents", 0.9),
        ("types.banditisme.weight", 1),
        ("patrols.shift_shares", [0.5, 0.5]),
        ("fines.weekday_effort", [0.0] * 7),
        ("recording.records_per_day", 5000),
        ("city.n_quarters", 10),
        ("incidents.near_repeat", 1.0),
        ("dirt.late", "beaucoup"),
    ],
)
def test_a_bad_value_is_refused_in_one_paragraph_that_names_it(key, value):
    with pytest.raises(ParameterError) as caught:
        Scenario.load().with_overrides({key: value})
    message = str(caught.value)
    assert "\n" not in message
    assert key.rpartition(".")[0] in message or key in message
    assert message.rstrip().endswith(".")
    assert caught.value.exit_code == 10


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name = ", b"[time]\nn_days = 'x'\n"])
def test_an_unreadable_file_is_a_parameter_error(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ParameterError):
        Scenario.load(path)
    with pytest.raises(ParameterError):
        Scenario.load(tmp_path / "absent.toml")
