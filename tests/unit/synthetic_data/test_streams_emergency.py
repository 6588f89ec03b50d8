"""Hospitals and rescue: each bias is there, has the size it was given, and goes away when switched off."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from scipy.stats import binomtest, chisquare, spearmanr

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import RESCUE_NATURES
from synthetic_data.names import person_names
from synthetic_data.streams.emergency import urgences
from synthetic_data.streams.rescue import pompiers

PLAIN = {"services__coding_error": 0.0, "services__coding_drift": 0.0}
AID = RESCUE_NATURES[:13]  # from malaise to noyade
FREQUENT = ("malaise", "chute", "crise_psychique", "relevage")


def visits(world, seed=1):
    return urgences(world, rng=stream(seed, "urgences"))


def calls(world, seed=1):
    return pompiers(world, rng=stream(seed, "pompiers"))


def violent(world):
    return np.isin(world.incidents.type_code, [INCIDENT_TYPES.index(t) for t in ("violence", "rixe")])


# --- D07 ----------------------------------------------------------------------------------------------------------


def expected_violence(world, fall):
    """Second implementation, incident by incident: visits for violence that each hospital should see."""
    plan, city, hospitals = world.scenario.services, world.city, world.places.of("hospital")
    at = hospitals[["x_m", "y_m"]].to_numpy()

    def access(x, y):
        return np.exp(-fall * min(np.hypot(x - a, y - b) for a, b in at) / 1000)

    homes, held = np.unique(world.people.home_site, return_counts=True)
    mean = np.average([access(city.site_x_m[s], city.site_y_m[s]) for s in homes], weights=held)
    out = np.zeros(len(at))
    for i in np.flatnonzero(violent(world)):
        x, y = city.site_x_m[world.incidents.site[i]], city.site_y_m[world.incidents.site[i]]
        rate = (
            plan.injured_violence if INCIDENT_TYPES[world.incidents.type_code[i]] == "violence" else plan.injured_rixe
        )
        law = np.array([c * np.exp(-np.hypot(x - a, y - b) / 1000 / plan.hospital_reach_km)
                        for (a, b), c in zip(at, hospitals["capacity"], strict=True)])  # fmt: skip
        out += min(1.0, rate * access(x, y) / mean) * law / law.sum()
    return pd.Series(out, index=hospitals["place_id"])


def test_violence_is_thinned_by_distance_and_spread_over_hospitals_as_a_slow_second_implementation_says(small_world):
    world = small_world(services__access_fall=0.8, **PLAIN)
    expected = expected_violence(world, fall=0.8)
    drawn = [visits(world, seed) for seed in range(4)]
    seen = sum(d[d["cause_class"] == "violence"].groupby("hospital")["n"].sum().reindex(expected.index, fill_value=0)
               for d in drawn)  # fmt: skip
    assert seen.sum() == pytest.approx(4 * expected.sum(), abs=4 * np.sqrt(4 * expected.sum()))
    assert chisquare(seen, seen.sum() * expected / expected.sum()).pvalue > 1e-3
    blind = expected_violence(world, fall=0.0)  # without the renunciation the same counts are out of reach
    assert chisquare(seen, seen.sum() * blind / blind.sum()).pvalue < 1e-6


def test_violence_is_coded_otherwise_more_and_more(small_world):
    drifting = small_world(services__coding_error=0.1, services__coding_drift=1.0)
    plain = small_world(**PLAIN)
    shares = []
    for half in (slice(0, 14), slice(14, 28)):
        counts = []
        for world in (drifting, plain):
            frame = pd.concat([visits(world, seed) for seed in range(10)])
            day = (frame["t"] - pd.Timestamp("2017-01-02", tz="Europe/Paris")).dt.days
            mine = frame[(day >= half.start) & (day < half.stop) & (frame["cause_class"] == "violence")]
            counts.append(mine["n"].sum())
        shares.append(1 - counts[0] / counts[1])
    # a rise of 1 a year from 0.1: about 0.1 + 7 / 365 in the first fortnight and 0.1 + 21 / 365 in the second
    assert shares[0] == pytest.approx(0.1 + 7 / 365.25, abs=0.02)
    assert shares[1] == pytest.approx(0.1 + 21 / 365.25, abs=0.02)


def test_visits_for_heat_come_on_hot_days_only_and_to_the_elderly(small_world):
    world = small_world(services__heat_from_c=8.0, services__heat_visits_per_c=20.0, **PLAIN)
    frame = visits(world)
    heat = frame[frame["cause_class"] == "chaleur"]
    warm = np.maximum(world.weather.temperature_c - 8.0, 0.0)
    day = (heat["t"].dt.tz_convert("Europe/Paris").dt.tz_localize(None) - pd.Timestamp("2017-01-02")).dt.days
    assert (warm[day] > 0).all()
    assert heat["n"].sum() == pytest.approx(20 * warm.sum(), abs=4 * np.sqrt(20 * warm.sum()))
    old = world.people.age >= 60
    assert heat[heat["age_band"] == "60+"]["n"].sum() / heat["n"].sum() > 1.8 * old.mean()
    assert "chaleur" not in set(visits(small_world(services__heat_from_c=60.0))["cause_class"])


def test_too_few_visits_for_the_injured_are_refused(small_world):
    with pytest.raises(ParameterError, match=r"`services.visits_per_day`.*Raise it"):
        visits(small_world(services__visits_per_day=20.0))


# --- D08 ----------------------------------------------------------------------------------------------------------


def test_four_interventions_in_five_are_aid_to_persons_and_pranks_can_be_switched_off(small_world):
    frame = calls(small_world())
    aid = int(frame["nature"].isin(AID).sum())
    assert binomtest(aid, len(frame), 0.80).pvalue > 1e-3
    assert binomtest(int((frame["nature"] == "fausse_alerte").sum()), len(frame), 0.05).pvalue > 1e-3
    without = calls(small_world(services__prank_share=0.0))
    assert (without["nature"] != "fausse_alerte").all()
    assert len(without) == pytest.approx(350 * 28, abs=4 * np.sqrt(350 * 28))
    with pytest.raises(ParameterError, match="sum to at most 1"):
        calls(small_world(services__prank_share=0.3))


def test_a_few_callers_come_back_and_a_few_make_the_pranks(small_world):
    frame = calls(small_world(services__frequent_callers=50, services__frequent_share=0.3))
    pranks = frame[frame["nature"] == "fausse_alerte"]["caller_name"].value_counts()
    assert len(pranks) <= 40
    # Zipf over 40 persons: the first makes 1 / H(40) = 23 % of them
    assert pranks.iloc[0] / pranks.sum() == pytest.approx(1 / (1 / np.arange(1, 41)).sum(), abs=0.06)
    home = frame[frame["nature"].isin(FREQUENT)]
    named = home["caller_name"].dropna()
    top = named.value_counts().head(50)
    assert top.sum() / len(named) == pytest.approx(0.3, abs=0.06)
    quiet = calls(small_world(services__frequent_share=0.0))
    quiet = quiet[quiet["nature"].isin(FREQUENT)]["caller_name"].value_counts()
    assert quiet.head(50).sum() / quiet.sum() < 0.06


def rate_by_age(world, nature, n=6):
    """Interventions of a nature per resident of 60 and more over that per other resident, by the age of quarters."""
    frame = pd.concat([calls(world, seed) for seed in range(n)])
    frame = frame[frame["nature"] == nature]
    at = cKDTree(np.column_stack([world.city.site_x_m, world.city.site_y_m])).query(frame[["x_m", "y_m"]])[1]
    n_quarters = len(world.city.quarters)
    seen = np.bincount(world.city.site_quarter[at], minlength=n_quarters)
    held = np.bincount(world.people.quarter, minlength=n_quarters)
    old = np.bincount(world.people.quarter, world.people.age >= 60, minlength=n_quarters) / np.maximum(held, 1)
    big = held > 300
    return spearmanr(old[big], seen[big] / held[big]).statistic


def test_ageing_quarters_have_more_people_to_lift_and_no_more_when_age_is_nothing(small_world):
    ageing = {"people__family_gradient": 1.5, "services__frequent_share": 0.0}
    assert rate_by_age(small_world(**ageing), "relevage") > 0.6
    assert abs(rate_by_age(small_world(services__rescue_ageing=0.0, **ageing), "relevage")) < 0.4


def test_accidents_and_violence_that_happen_are_found_in_the_interventions(small_world):
    world = small_world()
    frame = calls(world)
    accident = world.incidents.type_code == INCIDENT_TYPES.index("accident")
    site = world.incidents.site[accident]
    known = pd.DataFrame({"x_m": world.city.site_x_m[site], "y_m": world.city.site_y_m[site],
                          "t": world.incidents.t_us[accident]})  # fmt: skip
    road = frame[frame["nature"] == "accident_route"].copy()
    road["t_us"] = road["t_call"].astype("int64")
    both = known.reset_index().merge(road, on=["x_m", "y_m"])
    both = both[(both["t_us"] - both["t"]).between(-1_000_000, 3.6e9)]
    # 0.35 of accidents bring one; a call more than an hour late (e^-15) is not found
    assert binomtest(both["index"].nunique(), int(accident.sum()), 0.35).pvalue > 1e-3


def test_arrivals_are_later_far_from_a_station_and_callers_are_persons_of_the_city(small_world):
    world = small_world()
    frame = calls(world)
    stations = world.places.of("fire_station")[["x_m", "y_m"]].to_numpy()
    away = cKDTree(stations).query(frame[["x_m", "y_m"]])[0]
    minutes = (frame["t_arrive"] - frame["t_call"]).dt.total_seconds() / 60
    came = minutes.notna().to_numpy()
    assert 0.01 < 1 - came.mean() < 0.03
    near, far = minutes[came & (away < 500)].median(), minutes[came & (away > 3000)].median()
    assert near == pytest.approx(2.5 + 1.3 * 0.3 / 30 * 60, abs=0.8)
    assert far > near + 1.3 * 2.5 / 30 * 60 * 0.8
    everybody = set(person_names(np.arange(len(world.people))))
    assert set(frame["caller_name"].dropna()) <= everybody


def test_heat_brings_faintness_and_can_be_switched_off(small_world):
    slopes = []
    for effect in (5.0, 0.0):
        world = small_world(services__rescue_heat=effect)
        frame = pd.concat([calls(world, seed) for seed in range(8)])
        day = (frame["t_call"].dt.tz_convert("Europe/Paris").dt.tz_localize(None) - pd.Timestamp("2017-01-02")).dt.days
        n = np.bincount(day[frame["nature"] == "malaise"], minlength=28)
        slopes.append(np.polyfit(world.weather.anomaly_c / 10, np.log(n), 1)[0])
    assert slopes[0] > 1.0  # 5 times 0.35, less what frequent callers and noise take
    assert abs(slopes[1]) < 0.3
