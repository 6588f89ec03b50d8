"""Life of the town: what is published, reported, declared and called about, and by whom it is not."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.spatial import cKDTree
from scipy.stats import binomtest, poisson, spearmanr

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.names import person_names, person_phones
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.calls import allo_mairie, p_never
from synthetic_data.streams.lighting import calling, draw_lamps, eclairage
from synthetic_data.streams.town import PUBLISHED, donnees_ouvertes, evenements, parcs, park_presence

DAY = pd.Timedelta(days=1)


def of_quarter(world, frame):
    at = cKDTree(np.column_stack([world.city.site_x_m, world.city.site_y_m])).query(frame[["x_m", "y_m"]])[1]
    return world.city.site_quarter[at]


def slope(seen, offset, z):
    """Poisson regression of counts on z, with an offset: the slope and its standard error."""
    fit = sm.GLM(seen, sm.add_constant(z), family=sm.families.Poisson(), offset=np.log(offset)).fit(scale="X2")
    return fit.params[1], fit.bse[1]


# --- D12 ----------------------------------------------------------------------------------------------------------


def published(world):
    """Poverty of the quarter of each place that may be published, and whether it is."""
    places = world.places.frame[world.places.frame["kind"].isin(PUBLISHED)]
    shown = pd.concat([donnees_ouvertes(world, rng=stream(s, "open")) for s in range(5)])["id"].value_counts()
    z = standard_poverty(world)[places["quarter"].to_numpy()]
    return z, places["place_id"].map(shown).fillna(0).to_numpy()


def test_places_of_poor_quarters_are_published_less_and_alike_when_switched_off(small_world):
    z, n = published(small_world(services__publication_gradient=-0.5))
    fit = sm.GLM(np.column_stack([n, 5 - n]), sm.add_constant(z), family=sm.families.Binomial()).fit()
    assert fit.params == pytest.approx([np.log(0.85 / 0.15), -0.5], abs=0.25)
    z, n = published(small_world(services__publication_gradient=0.0))
    fit = sm.GLM(np.column_stack([n, 5 - n]), sm.add_constant(z), family=sm.families.Binomial()).fit()
    assert abs(fit.params[1]) < 3.5 * fit.bse[1]


def test_open_data_are_true_places_named_once_without_bars_or_empty_buildings(small_world):
    world = small_world()
    frame = donnees_ouvertes(world, rng=stream(1, "open"))
    assert frame["name"].is_unique
    assert not set(frame["layer"]) & {"bar", "vacant"}
    truth = world.places.frame.set_index("place_id").loc[frame["id"]]
    assert np.array_equal(truth["x_m"], frame["x_m"])
    known = frame["capacity"].notna().to_numpy()
    assert binomtest(int(known.sum()), len(frame), 0.7).pvalue > 1e-3
    assert np.array_equal(truth["capacity"].to_numpy()[known], frame["capacity"][known].to_numpy(dtype=np.int64))


# --- D18 ----------------------------------------------------------------------------------------------------------


def per_park(world, n=6):
    """Reports per park of n draws, what there is to see in each, and its distance from the centre in km."""
    parks = world.places.of("park")
    frame = pd.concat([parcs(world, rng=stream(seed, "parks")) for seed in range(n)])
    seen = frame["park"].value_counts().reindex(parks["place_id"], fill_value=0).to_numpy()
    away = np.hypot(parks["x_m"] - world.city.centre_m[0], parks["y_m"] - world.city.centre_m[1]).to_numpy() / 1000
    return seen, np.sqrt(parks["capacity"].to_numpy(dtype=float)), away, frame


def test_parks_are_reported_on_where_keepers_are_and_alike_when_presence_is_nothing(small_world):
    seen, need, away, frame = per_park(small_world())
    found, error = slope(seen, need, away)
    assert found == pytest.approx(-0.25, abs=4 * error)
    assert error < 0.03
    weekday = frame["t"].dt.tz_convert("Europe/Paris").dt.day_of_week.value_counts()
    assert weekday[6] / weekday[0] == pytest.approx(0.6, abs=0.1)
    seen, need, away, frame = per_park(small_world(services__presence_effect=0.0))
    found, error = slope(seen, need, away)
    assert abs(found) < 4 * error
    assert park_presence(small_world()).mean() == pytest.approx(1.0)


# --- D19 ----------------------------------------------------------------------------------------------------------


def test_published_events_are_the_authorised_ones_and_nothing_says_how_many_are_missing(small_world):
    world = small_world()
    frame = evenements(world, rng=stream(1, "events"))
    truth = world.calendar[world.calendar["authorised"]]
    assert len(frame) == len(truth) < len(world.calendar)
    key = ["x_m", "y_m", "t_us"]
    both = frame.assign(t_us=frame["t_start"].astype("int64")).merge(
        truth.rename(columns={"t_start_us": "t_us"}), on=key, how="left"
    )  # fmt: skip
    assert both["event_id"].notna().all()
    numbers = frame["id"].str[-7:].astype(int)
    assert sorted(numbers) == list(range(1, len(frame) + 1))
    attended = both[both["attendance"] > 0]
    assert (attended["expected_crowd_x"] != attended["attendance"]).mean() > 0.8


def test_some_declarations_come_late_and_all_come_early_when_switched_off(small_world):
    world = small_world(services__declared_late=0.3)
    frame = evenements(world, rng=stream(1, "events"))
    late = (frame["t_drop"] > frame["t_start"]).sum()
    # events of the first days cannot be dropped before the run: late only if declared so
    assert binomtest(int(late), len(frame), 0.3).pvalue > 1e-3
    frame = evenements(small_world(services__declared_late=0.0), rng=stream(1, "events"))
    assert (frame["t_drop"] <= frame["t_start"]).all()
    named = evenements(world, rng=stream(1, "events"))["organiser_name"].notna().sum()
    assert binomtest(int(named), len(frame), 0.55).pvalue > 1e-3


# --- D21 ----------------------------------------------------------------------------------------------------------


def drawn_calls(world, n=6):
    return pd.concat([allo_mairie(world, rng=stream(seed, "calls")) for seed in range(n)], ignore_index=True)


def test_poor_quarters_call_less_wait_longer_and_not_when_switched_off(small_world):
    for calling_gradient, fix_gradient in ((-0.6, 0.5), (0.0, 0.0)):
        world = small_world(
            services__calling_gradient=calling_gradient, services__fix_gradient=fix_gradient,
            services__repeat_callers=0.0, services__giving_up=0.0, services__file_closed_days=1000.0,
        )  # fmt: skip
        z, frame = standard_poverty(world), drawn_calls(world)
        home = frame[frame["category"].isin(["voirie", "espaces_verts", "danger", "autre"])]
        quarter = of_quarter(world, home)
        adults = np.bincount(world.people.quarter, world.people.age >= 15, minlength=len(z))
        big = adults > 100
        found, error = slope(np.bincount(quarter, minlength=len(z))[big], adults[big], z[big])
        assert found == pytest.approx(calling_gradient, abs=4 * error)
        assert error < 0.1
        # what is put right within hours, called about in the first week: by the end of the run it is, or never will be
        quick = frame[frame["category"].isin(["danger", "stationnement", "bruit"])]
        quick = quick.assign(z=z[of_quarter(world, quick)])[quick["t"] < quick["t"].min() + 7 * DAY]
        logit = sm.Logit(quick["delay_to_fix_h"].isna().astype(float), sm.add_constant(quick["z"])).fit(disp=0)
        assert logit.params["z"] == pytest.approx(fix_gradient, abs=4 * logit.bse["z"])
        danger = quick[(quick["category"] == "danger") & quick["delay_to_fix_h"].notna()]
        wait = sm.OLS(np.log(danger["delay_to_fix_h"]), sm.add_constant(danger["z"])).fit()
        assert wait.params["z"] == pytest.approx(fix_gradient, abs=4 * wait.bse["z"])
        assert wait.bse["z"] < 0.1


def test_people_give_up_where_nothing_comes_of_calls(small_world):
    share = []
    for giving_up in (10.0, 0.0):
        world = small_world(
            services__giving_up=giving_up, services__fix_gradient=2.0, services__repeat_callers=0.0,
            services__calling_gradient=0.0,
        )  # fmt: skip
        frame = drawn_calls(world)
        frame = frame[frame["category"].isin(["voirie", "espaces_verts", "danger", "autre"])]
        lost = p_never(world)[of_quarter(world, frame)] > 0.3
        late = (frame["t"] >= pd.Timestamp("2017-01-16", tz="Europe/Paris")).to_numpy()
        share.append(late[lost].mean() - late[~lost].mean())
    # ten a year over a fortnight, times a chance of 0.3 to 0.9: the second half has fewer by 5 points or more
    assert share[0] < -0.03
    assert abs(share[1]) < 0.02


def test_a_row_is_sent_when_it_is_fixed_or_closed_and_never_knows_the_future(small_world):
    frame = drawn_calls(small_world(services__file_closed_days=5.0), n=2)
    fixed = frame[frame["delay_to_fix_h"].notna()]
    when = fixed["t"] + pd.to_timedelta(fixed["delay_to_fix_h"], unit="h")
    assert ((when - fixed["t_drop"]).abs() < pd.Timedelta(minutes=1)).all()
    assert fixed["delay_to_fix_h"].max() <= 120.01
    end = pd.Timestamp("2017-01-30", tz="Europe/Paris")
    others = frame[frame["delay_to_fix_h"].isna()]
    closed = others["t_drop"] == np.minimum(others["t"] + 5 * DAY, end - pd.Timedelta(seconds=1))
    assert closed.all()


def test_callers_are_persons_some_of_whom_call_again_and_again(small_world):
    world = small_world(services__repeat_callers=2.0)
    frame = drawn_calls(world, n=1)
    everybody = set(zip(person_names(np.arange(60_000)), person_phones(np.arange(60_000)), strict=True))
    named = frame.dropna(subset="caller_name")
    assert set(zip(named["caller_name"], named["caller_phone"], strict=True)) <= everybody
    assert 0.10 < frame["caller_name"].isna().mean() < 0.14
    often = named["caller_name"].value_counts()
    alike = drawn_calls(small_world(services__repeat_callers=0.0), n=1)["caller_name"].value_counts()
    assert often.head(100).sum() / often.sum() > 3 * alike.head(100).sum() / alike.sum()
    # all alike: calls per person are near a Poisson law of mean 0.12
    assert alike.max() <= poisson.ppf(1 - 1e-8, 3 * alike.sum() / len(world.people))


def test_calls_follow_what_happened_and_lamps_that_failed(small_world):
    world = small_world()
    frame = drawn_calls(world, n=1)
    lamps = draw_lamps(world)
    dark = frame[frame["category"] == "eclairage"]
    known = {(x, y) for x, y in lamps.frame[["x_m", "y_m"]].itertuples(index=False)}
    assert set(dark[["x_m", "y_m"]].itertuples(index=False, name=None)) <= known
    opening, end = (
        pd.Timestamp(t, tz="Europe/Paris").as_unit("us").asm8.astype(int) for t in ("2017-01-02", "2017-01-30")
    )
    assert len(dark) == (lamps.called & (lamps.known_us >= opening) & (lamps.known_us < end)).sum()
    local = frame["t"].dt.tz_convert("Europe/Paris")
    assert local.dt.hour.between(8, 18).all()
    assert (local.dt.day_of_week < 6).all()
    noise = world.incidents.site[world.incidents.type_code == INCIDENT_TYPES.index("tapage")]
    told = frame[frame["category"] == "bruit"]
    at = cKDTree(np.column_stack([world.city.site_x_m, world.city.site_y_m])[noise]).query(told[["x_m", "y_m"]])[0]
    assert (at == 0).mean() > 0.5
    with pytest.raises(ParameterError, match=r"`services.calls_per_day`"):
        drawn_calls(small_world(services__calls_per_day=50.0), n=1)


# --- D22 ----------------------------------------------------------------------------------------------------------


def test_lamps_light_as_their_quarter_is_lit_and_stand_along_streets(small_world):
    world = small_world(services__n_lamps=8000)
    lamps = draw_lamps(world)
    lux = lamps.frame.groupby("quarter")["lux"].agg(["median", "size"])
    lux = lux[lux["size"] > 30]
    lit = world.city.quarters["lighting"].to_numpy()[lux.index]
    assert spearmanr(lux["median"], lit).statistic > 0.9
    frame = eclairage(world, rng=stream(1, "lamps"))
    assert (frame[frame["state"] == "off"]["lux"] == 0).all()
    on = frame[frame["state"] == "on"].merge(lamps.frame, on="lamp")
    assert np.log(on["lux_x"] / on["lux_y"]).std() == pytest.approx(0.05, abs=0.005)


def test_failures_are_about_twenty_a_day_and_found_later_where_fewer_call(small_world):
    world = small_world(services__calling_gradient=-0.8, services__n_lamps=8000)
    lamps = draw_lamps(world)
    opening = pd.Timestamp("2017-01-02", tz="Europe/Paris").as_unit("us").asm8.astype(int)
    assert (lamps.failed_us >= opening).sum() / 28 == pytest.approx(20, abs=4 * np.sqrt(20 / 28))
    assert (lamps.known_us > lamps.failed_us).all()
    assert (lamps.fixed_us >= lamps.known_us).all()
    ready = calling(world)[lamps.frame["quarter"].to_numpy()[lamps.lamp]]
    days = (lamps.known_us - lamps.failed_us) / 86_400e6
    slow, quick = days[ready < np.quantile(ready, 0.25)].mean(), days[ready > np.quantile(ready, 0.75)].mean()
    assert slow > 2 * quick
    alike = small_world(services__calling_gradient=0.0, services__n_lamps=8000)
    lamps = draw_lamps(alike)
    days = (lamps.known_us - lamps.failed_us) / 86_400e6
    z = standard_poverty(alike)[lamps.frame["quarter"].to_numpy()[lamps.lamp]]
    assert abs(spearmanr(days, z).statistic) < 4 / np.sqrt(len(z))


def test_the_file_shows_a_lamp_on_until_somebody_says_that_it_is_not(small_world):
    world = small_world(time__n_days=63)
    lamps, frame = draw_lamps(world), eclairage(world, rng=stream(1, "lamps"))
    for t, file in frame.groupby("t"):
        t_us = t.as_unit("us").asm8.astype(int)
        out = set(file[file["state"] != "on"]["lamp"])
        known = (lamps.known_us <= t_us) & (t_us < lamps.fixed_us)
        assert out == set(lamps.frame["lamp"].iloc[np.unique(lamps.lamp[known])])
        failed = (lamps.failed_us <= t_us) & (t_us < lamps.fixed_us)
        assert 0 < len(out) < len(np.unique(lamps.lamp[failed]))
