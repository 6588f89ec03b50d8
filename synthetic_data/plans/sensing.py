"""Cameras, sound sensors, stress readings, the weather station: volumes and how they are biased."""

from __future__ import annotations

from dataclasses import dataclass

from synthetic_data.plans import within


@dataclass(frozen=True, slots=True)
class SensingPlan:
    """Cameras, sound sensors, stress readings, the weather station.

    Attributes
    ----------
    alert_sensitivity : float
        Chance that the analytics raise an alert for an incident in view by day, the camera working.
    false_alerts_per_camera_hour : float
        Alerts about nothing, a Poisson number.
    false_alert_cv : float
        Coefficient of variation of that rate between cameras; 0 for the same everywhere.
    night_loss : float
        Share of what is in view that the analytics lose at night, in a quarter without lighting; 0 for none.
    score_gap : float
        Distance between the mean log-odds of scores of right and of wrong alerts; 0: the score says nothing.
    station_offset_c : float
        By how much the station is warmer than the city; 0 for none.
    station_missed_rain : float
        Share of wet hours that fall beside the station; 0 for none.
    stress_heat, stress_slope, stress_sport, stress_illness : float
        Heartbeats per minute that come with one degree above 22 °C, with a climb of 10 %, with sport, and with
        a fever. 0 for none.
    incident_bpm : float
        Heartbeats per minute that come with an incident nearby; 0 for none.
    sound_sensors : int
    sound_window_s : float
        Length of the windows that are classified.
    sound_poverty_bias : float
        Rise of the log-chance that a sensor is put at an address, per standard deviation of poverty; 0 for none.
    sound_reach_m : float
        Distance at which an incident is heard.
    sound_confusion : float
        Share of windows given another class than theirs; 0 for none.
    """

    alert_sensitivity: float = within(0, 1)
    false_alerts_per_camera_hour: float = within(0, 100)
    false_alert_cv: float = within(0, 5)
    night_loss: float = within(0, 1)
    score_gap: float = within(0, 10)
    station_offset_c: float = within(-10, 10)
    station_missed_rain: float = within(0, 1)
    stress_heat: float = within(0, 10)
    stress_slope: float = within(0, 100)
    stress_sport: float = within(0, 150)
    stress_illness: float = within(0, 60)
    incident_bpm: float = within(0, 60)
    sound_sensors: int = within(0, 10_000)
    sound_window_s: float = within(1, 3600)
    sound_poverty_bias: float = within(0, 5)
    sound_reach_m: float = within(1, 2000)
    sound_confusion: float = within(0, 0.95)
