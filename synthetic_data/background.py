"""What would happen if nothing brought anything else: a rate per type, half hour and cell.

The background of a type is a tempo times a law of places, plus the events of the calendar::

    mu_k(slot, cell) = tempo_k(slot) * place_k(cell) + sum over events e now held of rate_ek * near_e(cell)

``tempo_k`` multiplies season, weekday, the gap of temperature, rain and the law of the local half hour. ``place_k``
mixes residents, bars, stops and a spread over land, all bent by darkness and log-Gaussian fields. ``near_e`` is a
Gaussian around the event, conditional on land (:class:`synthetic_data.triggering.LandGaussian`), and ``rate_ek`` is in
proportion to attendance.

The tempo is scaled so that the expected number of incidents in the days of the scenario, follow-ons of every generation
and those of events included, is exactly ``latent_per_day * n_days``, shared among types by their weights.

What it cannot tell you: how incidents of a real city fall. All of it is assumed, in the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import gaussian_filter

from contrechamp.domain.columns import INCIDENT_TYPES, X_M, Y_M
from contrechamp.domain.errors import ParameterError
from synthetic_data.calendar import EFFECTS
from synthetic_data.city import City
from synthetic_data.clock import DAY_US, SLOT_US, SLOTS_PER_DAY, Slots
from synthetic_data.places import Places
from synthetic_data.scenario import Scenario, TypeProfile
from synthetic_data.triggering import Triggering
from synthetic_data.weather import Weather, yearly_wave

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: How long before day 0 the process starts, empty, in characteristic times of its clusters.
_BURN_IN: Final = 8.0


@dataclass(frozen=True, eq=False)
class Background:
    """The background rate, in the two parts it is made of.

    Attributes
    ----------
    slots : Slots
        Half hours, those before day 0 included.
    tempo : ndarray, shape (12, n_slots)
        Expected incidents of each half hour in the whole city, events left out.
    place : ndarray, shape (12, n_cells)
        Law of their place; rows sum to 1.
    event_id : ndarray of int, shape (n_events,)
        Events that bring incidents.
    event_first, event_last : ndarray of int, shape (n_events,)
        Half hours ``first … last - 1`` during which each is held.
    event_rate : ndarray, shape (n_events, 12)
        Expected incidents that each brings, per half hour.
    event_x_m, event_y_m : ndarray, shape (n_events,)
        Where each is held.
    event_sd_m : float
        Standard deviation of what happens around it.
    """

    slots: Slots
    tempo: FloatArray
    place: FloatArray
    event_id: IntArray
    event_first: IntArray
    event_last: IntArray
    event_rate: FloatArray
    event_x_m: FloatArray
    event_y_m: FloatArray
    event_sd_m: float

    def of_events(self) -> FloatArray:
        """Expected incidents that events bring, per half hour; shape (12, n_slots)."""
        step = np.zeros((len(self.slots) + 1, len(self.tempo)))
        np.add.at(step, self.event_first, self.event_rate)
        np.add.at(step, self.event_last, -self.event_rate)
        held = np.zeros(len(self.slots) + 1, dtype=np.int64)
        np.add.at(held, self.event_first, 1)
        np.add.at(held, self.event_last, -1)
        # where no event is held the rate is 0, not the rounding left by the sums
        rate = np.where(np.cumsum(held)[:, None] > 0, np.cumsum(step, axis=0), 0.0)
        return np.ascontiguousarray(rate[:-1].T)

    def total(self) -> FloatArray:
        """Expected background incidents of each half hour in the whole city; shape (12, n_slots)."""
        return self.tempo + self.of_events()


def compose_background(
    scenario: Scenario,
    city: City,
    *,
    places: Places,
    calendar: pd.DataFrame,
    weather: Weather,
    rng: np.random.Generator,
) -> Background:
    """Draw the law of places and put the background together.

    Before day 0, where there is neither weather nor calendar, the tempo has the weather's mean effect and no event.

    Raises
    ------
    ParameterError
        If events alone would bring more incidents of a type than the scenario has.
    """
    plan, n_days = scenario.incidents, scenario.time.n_days
    trigger = Triggering.of(plan)
    days_before = int(np.ceil(_BURN_IN * trigger.lag_days / (1 - trigger.mean))) if trigger.mean > 0 else 0
    slots = Slots.of(scenario.start, n_days=n_days, days_before=days_before)
    place = draw_cell_risk(scenario, city, places=places, rng=rng)
    shape = np.stack([tempo(scenario.types[name], slots, weather) for name in INCIDENT_TYPES])
    share = np.array([scenario.types[name].weight for name in INCIDENT_TYPES])
    share = share / share.sum()
    events = _events(scenario, slots, calendar, share)
    made = Background(slots, shape, place, *events, plan.event_m)

    start = (np.arange(len(slots)) - slots.n_before) / SLOTS_PER_DAY
    length_days = (slots.end_us - slots.opening_us) / DAY_US
    worth = trigger.expected_in_window(start, start + 1 / SLOTS_PER_DAY, n_days=length_days)
    target = plan.latent_per_day * n_days * share
    left = target - made.of_events() @ worth
    if (left < 0).any():
        worst = int(np.argmin(left / target))
        raise ParameterError(
            f"The events of the calendar alone bring {target[worst] - left[worst]:.0f} incidents of the type "
            f"{INCIDENT_TYPES[worst]}, more than the {target[worst]:.0f} of the scenario. Lower "
            "`incidents.event_effect`, `calendar.crowd` or `calendar.events_per_day`."
        )
    return Background(slots, shape * (left / (shape @ worth))[:, None], place, *events, plan.event_m)


def tempo(profile: TypeProfile, slots: Slots, weather: Weather) -> FloatArray:
    """Relative rate of a type in each half hour; shape (n_slots,), above 0 wherever the law of the hour is."""
    log_days = 0.5 * profile.summer * yearly_wave(slots.day_of_year)
    log_days += profile.weekend * (np.isin(slots.weekday, (5, 6)) + 0.4 * (slots.weekday == 4))
    felt = np.exp(profile.heat * weather.hour_anomaly_c / 10 + profile.rain * (weather.hour_rain_mm > 0))
    felt = np.concatenate([np.full(slots.n_before, felt.mean()), np.repeat(felt, 2)])
    return np.asarray(np.exp(log_days) * felt * hour_law(profile)[slots.half_hour], dtype=np.float64)


def hour_law(profile: TypeProfile) -> FloatArray:
    """Law of the local hour, by half hours: a wrapped bump and a flat share; shape (48,), summing to 1."""
    at = np.arange(48) / 2 + 0.25
    gap = np.abs(at - profile.peak_h)
    gap = np.minimum(gap, 24 - gap)
    bump = np.exp(-0.5 * (gap / profile.spread_h) ** 2)
    return np.asarray((1 - profile.floor) * bump / bump.sum() + profile.floor / 48, dtype=np.float64)


def draw_cell_risk(scenario: Scenario, city: City, *, places: Places, rng: np.random.Generator) -> FloatArray:
    """Draw where each type tends to happen: shape (12, n_cells), rows summing to 1.

    Nightlife follows bars and transit follows stops, each smoothed over a few streets, with a little everywhere there
    are buildings.
    """
    plan, quarters, grid = scenario.incidents, city.quarters, city.grid
    in_quarter = np.maximum(np.bincount(city.cell_quarter, city.cell_density, minlength=len(quarters)), 1e-12)
    portion = city.cell_density / in_quarter[city.cell_quarter]
    layers = {
        "residents": city.cell_population
        * np.exp(plan.poverty_effect * (quarters["poverty"].to_numpy()[city.cell_quarter] - 0.25)),
        "nightlife": places.layer("bar") + 0.2 * portion,
        "transit": places.layer("station") + 0.15 * portion,
    }
    layers = {name: values / values.sum() for name, values in layers.items()}
    spread = np.full(grid.n_cells, 1.0 / grid.n_cells)
    dark = -plan.darkness_effect * (quarters["lighting"].to_numpy()[city.cell_quarter] - 0.6)
    shared = _field(grid.land, scale_cells=1000 * plan.field_km / grid.cell_m, rng=rng)
    out = np.empty((len(INCIDENT_TYPES), grid.n_cells))
    for k, name in enumerate(INCIDENT_TYPES):
        p = scenario.types[name]
        rest = 1.0 - p.residents - p.nightlife - p.transit
        mix = p.residents * layers["residents"] + p.nightlife * layers["nightlife"] + p.transit * layers["transit"]
        own = _field(grid.land, scale_cells=1000 * plan.field_km / grid.cell_m, rng=rng)
        bump = np.exp(dark + plan.field_sd * (np.sqrt(0.6) * shared + np.sqrt(0.4) * own))
        out[k] = (mix + max(rest, 0.0) * spread) * bump
        out[k] /= out[k].sum()
    return out


def _events(
    scenario: Scenario, slots: Slots, calendar: pd.DataFrame, share: FloatArray
) -> tuple[IntArray, IntArray, IntArray, FloatArray, FloatArray, FloatArray]:
    """Events that bring incidents: id, first and last half hour, rate per half hour and type, place."""
    plan = scenario.incidents
    a_resident_slot = plan.latent_per_day * share / (scenario.city.population * SLOTS_PER_DAY)
    effect = {
        kind: a_resident_slot * np.array([plan.event_effect * by_type.get(name, 0.0) for name in INCIDENT_TYPES])
        for kind, by_type in EFFECTS.items()
    }
    none = np.zeros(len(INCIDENT_TYPES))
    rate = np.array([effect.get(kind, none) for kind in calendar["kind"]]).reshape(-1, len(INCIDENT_TYPES))
    rate = rate * calendar["attendance"].to_numpy()[:, None]
    first = slots.index(calendar["t_start_us"].to_numpy()).clip(slots.n_before, len(slots))
    last = slots.index(calendar["t_end_us"].to_numpy() + SLOT_US - 1).clip(slots.n_before, len(slots))
    keep = np.flatnonzero((rate.sum(axis=1) > 0) & (last > first))
    return (
        calendar["event_id"].to_numpy(dtype=np.int64)[keep],
        first[keep],
        last[keep],
        rate[keep],
        calendar[X_M].to_numpy(dtype=np.float64)[keep],
        calendar[Y_M].to_numpy(dtype=np.float64)[keep],
    )


def _field(land: npt.NDArray[np.bool_], *, scale_cells: float, rng: np.random.Generator) -> FloatArray:
    """Smooth Gaussian field on the land cells, standardised; shape (n_cells,)."""
    values = gaussian_filter(rng.standard_normal(land.shape), scale_cells, mode="reflect")[land]
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0), dtype=np.float64)
