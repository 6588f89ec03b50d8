"""Statistics, drones, the stock since 1998, biometric files: what happened, and how it was looked at."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from scipy.stats import binomtest, chisquare, spearmanr

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.recording import FINE_CODES
from synthetic_data.sectors import make_sectors
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.statistics import (
    ALARMS,
    CLEARED,
    complaint_rates,
    drones,
    fichiers_biometriques,
    statistiques_police,
)
from synthetic_data.streams.stock import FINE_WORDS, LOG_WORDS, NEW_WORDS, REGIMES, stock_infractions

LONG = {"time__n_days": 91}


def table(world, seed=1):
    return statistiques_police(world, rng=stream(seed, "statistics"))


def local(t):
    return t.dt.tz_convert("Europe/Paris").dt.tz_localize(None)


# --- D13 ----------------------------------------------------------------------------------------------------------


def test_months_are_published_with_their_lag_and_those_before_the_run_at_once(small_world):
    frame = table(small_world(**LONG))
    month, drop = local(frame["month"]), local(frame["t_drop"])
    # 91 days from 2 January 2017 end on 2 April: February is out on 20 March at 9 h (or 21, by the length of a day)
    assert month.min() == pd.Timestamp("2016-01-01")
    assert month.max() == pd.Timestamp("2017-02-01")
    assert drop[month < "2016-12-01"].unique().tolist() == [pd.Timestamp("2017-01-02")]
    february = drop[month == "2017-02-01"].unique()
    assert len(february) == 1
    assert february[0] == pd.Timestamp("2017-03-21 09:00")
    assert len(frame) == 14 * frame["sector"].nunique() * len(CLEARED)


def test_recorded_offences_are_258_a_day_before_and_during_the_run(small_world):
    frame = table(small_world(**LONG))
    by_month = frame.groupby(local(frame["month"]).dt.to_period("M"))["recorded"].sum()
    per_day = by_month / by_month.index.days_in_month
    # before the run Poisson; during it complaints are thinned from incidents that cluster: some more spread
    assert per_day[:12].mean() == pytest.approx(258, abs=4 * np.sqrt(258 / 366))
    assert per_day[12:].mean() == pytest.approx(258, rel=0.05)
    with pytest.raises(ParameterError, match=r"`services.offences_per_day`"):
        table(small_world(services__offences_per_day=100.0))


def test_eleven_in_a_hundred_acts_of_vandalism_and_a_quarter_of_bicycle_thefts_are_recorded(small_world):
    world = small_world(**LONG)
    incidents = world.incidents
    within = [pd.Timestamp(t, tz="Europe/Paris").as_unit("us").asm8.astype(int) for t in ("2017-02-01", "2017-03-01")]
    february = (incidents.t_us >= within[0]) & (incidents.t_us < within[1])
    frame = pd.concat([table(world, seed) for seed in range(10)])
    recorded = frame[local(frame["month"]) == "2017-02-01"].groupby("offence_class")["recorded"].sum()

    def share(kind, what):
        happened = 10 * (february & (incidents.type_code == INCIDENT_TYPES.index(kind))).sum()
        return recorded[what] / happened, 4 * np.sqrt(recorded[what]) / happened

    # where it happened in one month is not where it happens on average: a few points of slack on the gradient
    for kind, what, rate in (("degradation", "degradations", 0.11), ("vol", "vols_de_velo", 0.25 * 0.15),
                             ("vol", "vols", 0.35 * 0.85), ("intrusion", "cambriolages", 0.40)):  # fmt: skip
        found, error = share(kind, what)
        assert found == pytest.approx(rate, abs=error + 0.04 * rate), what


def test_thefts_of_bicycles_are_filed_whatever_other_thefts_are(small_world):
    usual, none = table(small_world()), table(small_world(services__complaint_theft=0.0))
    assert none[none["offence_class"] == "vols"]["recorded"].sum() == 0
    bicycles = [int(f[f["offence_class"] == "vols_de_velo"]["recorded"].sum()) for f in (usual, none)]
    assert binomtest(bicycles[0], sum(bicycles)).pvalue > 1e-3


def test_poor_quarters_file_less_and_presence_finds_more_unless_switched_off(small_world):
    world = small_world(services__complaint_gradient=-0.5)
    k = INCIDENT_TYPES.index("degradation")
    log = np.log(complaint_rates(world)[k])
    assert np.polyfit(standard_poverty(world), log, 1)[0] == pytest.approx(-0.5)
    held = world.incidents.cell_risk[k] @ complaint_rates(world)[k][world.city.cell_quarter]
    assert held == pytest.approx(0.11)
    assert np.ptp(complaint_rates(small_world(services__complaint_gradient=0.0))[k]) == pytest.approx(0, abs=1e-12)

    sectors = make_sectors(world.city)
    presence = pd.Series(np.bincount(sectors.of_quarter, world.hours.sum(axis=(0, 1))), sectors.frame["sector_id"])
    frame = table(world)
    for kind, law in (("stupefiants", presence), ("escroqueries", sectors.frame.set_index("sector_id")["population"])):
        seen = frame[frame["offence_class"] == kind].groupby("sector")["recorded"].sum().reindex(law.index)
        assert chisquare(seen, seen.sum() * law / law.sum()).pvalue > 1e-3
    assert spearmanr(presence, sectors.frame["population"]).statistic < 0.999
    without = table(small_world(services__effort_share=0.0))
    assert without[without["offence_class"].isin(["stupefiants", "outrages"])]["recorded"].sum() == 0


def test_what_is_cleared_is_part_of_what_is_recorded_in_the_share_of_its_class(small_world):
    frame = table(small_world())
    assert (frame["cleared"] <= frame["recorded"]).all()
    total = frame.groupby("offence_class")[["recorded", "cleared"]].sum()
    for kind, rate in CLEARED.items():
        assert binomtest(int(total["cleared"][kind]), int(total["recorded"][kind]), rate).pvalue > 1e-4, kind


# --- D23 ----------------------------------------------------------------------------------------------------------


def flights(world, n=40):
    return pd.concat([drones(world, rng=stream(seed, "drones")).assign(draw=seed) for seed in range(n)])


def test_drones_fly_where_the_log_raises_alarms_that_day(small_world):
    world = small_world()
    frame = flights(world)
    per_day = frame.groupby(["draw", local(frame["t"]).dt.date]).size()
    assert per_day.max() <= 3  # two a day; a delay after midnight may move one to the next
    assert binomtest(int((frame["cause"] == "alerte").sum()), len(frame), 0.7).pvalue > 1e-3

    sectors = make_sectors(world.city)
    at = cKDTree(np.column_stack([world.city.site_x_m, world.city.site_y_m]))
    alarm = np.isin(world.records.type_code, [INCIDENT_TYPES.index(t) for t in ALARMS])
    near = at.query(np.column_stack([world.records.x_m, world.records.y_m])[alarm])[1]
    row = sectors.of_quarter[world.city.site_quarter[near]]
    alarms = pd.Series(np.bincount(row, minlength=len(sectors.frame)), sectors.frame["sector_id"])
    sent = frame[frame["cause"] == "alerte"]["zone"].value_counts().reindex(alarms.index, fill_value=0)
    # each day counts once whatever its alarms: close to, not exactly, in proportion
    assert spearmanr(sent, alarms).statistic > 0.85
    asked = frame[frame["cause"] == "demande"]["zone"].value_counts().reindex(alarms.index, fill_value=0)
    assert chisquare(asked, asked.sum() * sectors.frame["area_km2"] / sectors.frame["area_km2"].sum()).pvalue > 1e-3


def test_drones_ignore_alarms_when_switched_off(small_world):
    frame = flights(small_world(services__flight_alarm_share=0.0, services__flight_event_share=0.0), n=5)
    assert set(frame["cause"]) == {"demande"}
    assert len(drones(small_world(services__flights_per_day=0.0), rng=stream(1, "drones"))) == 0


# --- D24 ----------------------------------------------------------------------------------------------------------


def stock(world, seed=1):
    return stock_infractions(world, rng=stream(seed, "stock"))


@pytest.fixture(scope="module")
def past(small_world):
    world = small_world(services__stock_per_day=60.0)
    frame = stock(world)
    return world, frame.assign(year=local(frame["t"]).dt.year)


def test_the_stock_begins_in_1998_ends_before_the_run_and_has_its_volume(past):
    _, frame = past
    assert frame["t"].iloc[0] >= pd.Timestamp("1998-01-01", tz="UTC")
    assert frame["t"].iloc[-1] < pd.Timestamp("2017-01-02", tz="Europe/Paris")
    days = (pd.Timestamp("2017-01-02") - pd.Timestamp("1998-01-01")).days
    assert len(frame) / days == pytest.approx(60, abs=4 * np.sqrt(60 / days))
    assert frame["t"].is_monotonic_increasing
    assert frame["id"].is_monotonic_increasing


def test_policies_change_in_steps_at_known_years_and_not_when_switched_off(small_world, past):
    _, frame = past

    def jumps(frame):
        frame = frame[frame["year"] < 2017]
        share = frame.groupby("year")["source"].apply(lambda s: (s == "verbalisation").mean())
        rows = frame["year"].value_counts().sort_index()
        step = share.diff().dropna()
        return step / np.sqrt(2 * 0.25 / rows.min())

    z = jumps(frame)
    at = [y for y in z.index if y in REGIMES]
    elsewhere = [y for y in z.index if y not in (*REGIMES, 2011)]  # cameras begin in 2011
    assert z[at].abs().max() > 6
    assert z[elsewhere].abs().max() < 4
    flat = stock(small_world(services__stock_per_day=60.0, services__stock_regime_sd=0.0))
    z = jumps(flat.assign(year=local(flat["t"]).dt.year))
    assert z.drop(2011).abs().max() < 4


def test_words_drift_and_do_not_when_switched_off(small_world, past):
    _, frame = past
    today = set(LOG_WORDS) | set(FINE_WORDS)
    old = {word for words in (*LOG_WORDS.values(), *FINE_WORDS.values()) for word in words[:1]}
    assert set(frame[frame["year"] < NEW_WORDS[0]]["type"]) == old
    assert set(frame[frame["year"] >= NEW_WORDS[1]]["type"]) == today
    assert set(FINE_WORDS) == set(FINE_CODES)
    assert set(LOG_WORDS) == set(INCIDENT_TYPES)
    early = frame[frame["year"] < 2004]
    assert binomtest(int((early["origin"] == "unknown").sum()), len(early), 0.9).pvalue > 1e-3
    assert "unknown" not in set(frame[frame["year"] >= 2004]["origin"])
    assert "camera" not in set(frame[frame["year"] < 2011]["origin"])
    plain = stock(small_world(services__stock_per_day=10.0, services__stock_drift=0.0))
    assert set(plain["type"]) == today
    assert "unknown" not in set(plain["origin"])


def test_placing_gets_better_and_effort_comes_in_waves_by_district(small_world, past):
    world, frame = past
    sites = cKDTree(np.column_stack([world.city.site_x_m, world.city.site_y_m]))
    exact = sites.query(frame[["x_m", "y_m"]])[0] == 0
    heaps = frame.groupby(["x_m", "y_m"])["x_m"].transform("size") > 200  # the middle of a quarter is an address too
    coarse = pd.Series(~exact | heaps, index=frame.index).groupby(frame["year"]).mean()
    assert coarse[1998] == pytest.approx(0.75, abs=0.04)
    assert coarse[2016] == pytest.approx(0.08 + 0.67 / 19, abs=0.04)

    def spread(world, frame):
        """Dispersion of officers' finds by district and year against independence; about 1 when there is no wave."""
        district = world.city.quarters["district_id"].to_numpy()
        at = sites.query(frame[["x_m", "y_m"]])[1]
        found = frame.assign(d=district[world.city.site_quarter[at]])[
            frame["origin"].isin(["officer", "agent"]).to_numpy()
        ]
        counts = found[found["year"].between(2004, 2016)].groupby(["year", "d"]).size().unstack(fill_value=0).to_numpy()
        mean = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum()
        return ((counts - mean) ** 2 / mean).sum() / ((counts.shape[0] - 1) * (counts.shape[1] - 1))

    # placed exactly, so that coarse placing moves nothing across districts
    waves = small_world(services__stock_per_day=60.0, services__stock_coarse_first=0.0, services__stock_coarse_last=0.0)
    calm = small_world(services__stock_per_day=60.0, services__stock_coarse_first=0.0, services__stock_coarse_last=0.0,
                       services__stock_wave_sd=0.0, services__stock_regime_sd=0.0)  # fmt: skip
    values = [spread(w, f.assign(year=local(f["t"]).dt.year)) for w in (waves, calm) for f in (stock(w),)]
    assert values[0] > 5
    assert 0.5 < values[1] < 1.6


def test_the_stock_follows_the_same_latent_risk_as_the_run(small_world):
    world = small_world(services__stock_per_day=60.0, services__stock_coarse_first=0.0, services__stock_coarse_last=0.0)
    frame = stock(world)
    cell = world.city.grid.cell_of(frame["x_m"], frame["y_m"])
    past_cells = np.bincount(cell[(frame["origin"] == "call") & (cell >= 0)], minlength=world.city.grid.n_cells)
    reported = world.records.caller >= 0
    now = np.bincount(world.incidents.cell[world.records.incident[reported]], minlength=world.city.grid.n_cells)
    assert spearmanr(past_cells, now).statistic > 0.6


def test_a_run_that_begins_before_1998_has_no_stock(small_world):
    world = small_world()
    early = replace(world, scenario=world.scenario.with_overrides({"time.start": "1997-12-29"}))
    assert len(stock(early)) == 0


# --- D25 ----------------------------------------------------------------------------------------------------------


def test_laws_of_impostors_are_those_of_pairs_drawn_one_by_one(small_world):
    world = small_world()
    plan, b, rng = world.scenario.services, world.scenario.city.share_b, np.random.default_rng(5)
    frame = fichiers_biometriques(world, rng=rng).set_index("file")
    n = 400_000
    for name, weight in (("TES", 1.0), ("TAJ", np.exp(plan.enrolment_gap))):
        probe = rng.random(n) < b
        held = rng.random(n) < b * weight / (1 - b + b * weight)
        score = rng.normal(plan.impostor_mean + plan.same_group_shift * (probe == held), plan.impostor_sd)
        assert frame["impostor_mean"][name] == pytest.approx(score.mean(), abs=5 * score.std() / np.sqrt(n))
        assert frame["impostor_sd"][name] == pytest.approx(score.std(), rel=0.005)
    assert frame["gallery_size"].to_dict() == {"TES": 60_000_000, "TAJ": 7_500_000}
    equal = fichiers_biometriques(small_world(services__enrolment_gap=0.0), rng=rng).set_index("file")
    assert equal["impostor_mean"]["TES"] == equal["impostor_mean"]["TAJ"]
    assert frame["impostor_mean"]["TES"] != frame["impostor_mean"]["TAJ"]
