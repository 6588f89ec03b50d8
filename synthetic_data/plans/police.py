"""Patrols, the ways incidents come to be known, fines and removals, and the dirt of files."""

from __future__ import annotations

from dataclasses import dataclass

from synthetic_data.plans import within


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """How an incident enters the log: see :mod:`synthetic_data.mechanisms`.

    Attributes
    ----------
    records_per_day : float
        Expected number of rows of the log, duplicates of callers included; the patrols' eyesight is solved for it.
    patrol_sight : float
        Multiplies that eyesight once solved; 0: patrols find nothing.
    patrol_night_loss, camera_night_loss : float
        Share of what patrols and operators see that is lost at night in a quarter without lighting; 0: none.
    trust_gradient : float
        Fall of the log-propensity to report per standard deviation of poverty; 0: none.
    caller_m : float
        How far from an incident its callers live or work, the spread in each direction.
    caller_work_share : float
        Share of callers who work there, the others live there.
    caller_log_sd : float
        Spread of the logarithm of how readily a person calls; 0: all alike.
    detections_per_camera_hour : float
        Incidents seen live by operators, per camera and hour, for an ``operator_attention`` of 1.
    operator_attention : float
        Attention of the operators against that of the anchor; 0: nobody watches.
    n_operators : int
        Persons before the screens at any time; they are in the orders of mission.
    attention_slope : float
        Fall of the log-chance that a place is on a watched screen, per kilometre from the centre; 0: none.
    camera_request_share, camera_intervention_share, camera_arrest_share : float
        Of detections, those with a request; of these, those with an intervention; of these, those with an arrest.
    call_median_min, patrol_median_min, camera_median_min : float
        From the incident to a call, to a patrol's passage, to an operator's eye: the first one is known.
    entry_median_min, entry_log_sd : float
        Law of the delay from the incident to the entry.
    name_in_text : float
        Share of calls whose free text repeats the informant's name.
    mistype_share, mistype_drift : float
        Share of records entered under another type on day 0, and its rise per year; 0: none.
    geocode_quarter_share, geocode_wrong_end_share : float
        Shares of records placed at the middle of their quarter, and at the other end of their street; 0: none.
    geocode_jitter_m : float
        Spread of the place of the others, in each direction; 0: the exact address.
    duplicate_share : float
        Chance that a reported incident is entered again after another resident's call, and again; 0: never.
    """

    records_per_day: float = within(1, 1e6)
    patrol_sight: float = within(0, 10)
    patrol_night_loss: float = within(0, 1)
    trust_gradient: float = within(0, 3)
    caller_m: float = within(0, 5000)
    caller_work_share: float = within(0, 1)
    caller_log_sd: float = within(0, 4)
    detections_per_camera_hour: float = within(0, 1)
    operator_attention: float = within(0, 100)
    n_operators: int = within(0, 500)
    attention_slope: float = within(0, 10)
    camera_night_loss: float = within(0, 1)
    camera_request_share: float = within(0, 1)
    camera_intervention_share: float = within(0, 1)
    camera_arrest_share: float = within(0, 1)
    call_median_min: float = within(0.1, 10080)
    patrol_median_min: float = within(0.1, 10080)
    camera_median_min: float = within(0.1, 10080)
    entry_median_min: float = within(0.1, 10080)
    entry_log_sd: float = within(0, 3)
    name_in_text: float = within(0, 1)
    mistype_share: float = within(0, 1)
    mistype_drift: float = within(0, 1)
    geocode_quarter_share: float = within(0, 0.5)
    geocode_wrong_end_share: float = within(0, 0.5)
    geocode_jitter_m: float = within(0, 200)
    duplicate_share: float = within(0, 0.5)


@dataclass(frozen=True, slots=True)
class PatrolPlan:
    """The historical plan of patrols: crew-hours, where and when, and the orders written for them.

    Attributes
    ----------
    shift_shares : tuple of float
        Of the three shifts: 0-8 h, 8-16 h, 16-24 h.
    centre_km, density_power : float
        The plan decays from the centre over this length, and grows with residents per km² to this power.
    daily_cv : float
        Day-to-day coefficient of variation of a quarter's hours.
    orders_per_day : float
        Orders of mission written, those of the camera room included.
    order_slippage : float
        Coefficient of variation of the hours ordered against the hours done; 0: what is ordered is done to the minute.
    """

    hours_per_day: float = within(1, 1e6)
    shift_shares: tuple[float, ...] = within(0, 1)
    centre_km: float = within(0.1, 1e6)
    density_power: float = within(0, 3)
    daily_cv: float = within(0, 3)
    orders_per_day: float = within(1, 1e6)
    order_slippage: float = within(0, 1)


@dataclass(frozen=True, slots=True)
class FinePlan:
    """Fines: how many, by whom, with what effort per weekday; and what is towed away.

    Attributes
    ----------
    camera_share : float
        Share of fines issued from camera images.
    nightlife_share : float
        Share of infractions that follows bars; the rest follows residents.
    visitor_share, local_share : float
        Shares of fined vehicles that come from elsewhere, and whose owner lives near; the others cross the city.
    driver_log_sd : float
        Spread of the logarithm of how readily a driver is fined; 0: all alike.
    removals_per_day : float
        Vehicles towed away, all of them fined before.
    tow_trucks : int
        Trucks at work at once; 0: nothing is towed.
    tow_minutes, tow_patience_min : float
        What one removal takes, and how long a vehicle stays where it was fined.
    event_pull : float
        How many times more trucks are asked for near a market or an event, less one; 0: as many as anywhere.
    """

    fines_per_day: float = within(1, 1e6)
    camera_share: float = within(0, 1)
    infractions_per_day: float = within(1, 1e7)
    nightlife_share: float = within(0, 1)
    weekday_effort: tuple[float, ...] = within(0, 100)
    visitor_share: float = within(0, 1)
    local_share: float = within(0, 1)
    driver_log_sd: float = within(0, 4)
    removals_per_day: float = within(0, 1e6)
    tow_trucks: int = within(0, 10_000)
    tow_minutes: float = within(1, 600)
    tow_patience_min: float = within(1, 1440)
    event_pull: float = within(0, 100)


@dataclass(frozen=True, slots=True)
class DirtPlan:
    """Share of rows spoilt in each way. ``late`` rows are right but arrive in a later file."""

    missing_field: float = within(0, 0.2)
    malformed: float = within(0, 0.2)
    wrong_crs: float = within(0, 0.2)
    swapped_lonlat: float = within(0, 0.2)
    at_sea: float = within(0, 0.2)
    impossible_time: float = within(0, 0.2)
    unknown_type: float = within(0, 0.2)
    exact_duplicate: float = within(0, 0.2)
    reentered: float = within(0, 0.2)
    late: float = within(0, 0.2)
