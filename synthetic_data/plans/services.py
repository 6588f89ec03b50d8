"""Rescue, hospitals, town services, statistics and past stock: volumes and how they are biased."""

from __future__ import annotations

from dataclasses import dataclass

from synthetic_data.plans import within


@dataclass(frozen=True, slots=True)
class ServicesPlan:
    """Rescue, hospitals, town services, statistics and past stock.

    Volumes are those of the scenario's city, as for incidents, records and fines. A gradient is a change of a logarithm
    per standard deviation of the quarter's poverty; 0 switches the bias off. See the comments of the embedded scenario.
    """

    # D07 urgences
    visits_per_day: float = within(0, 1e6)
    access_fall: float = within(0, 2)
    hospital_reach_km: float = within(0.1, 100)
    injured_violence: float = within(0, 1)
    injured_rixe: float = within(0, 1)
    injured_accident: float = within(0, 1)
    heat_from_c: float = within(-50, 60)
    heat_visits_per_c: float = within(0, 1e4)
    coding_error: float = within(0, 1)
    coding_drift: float = within(-1, 1)
    # D08 pompiers
    rescues_per_day: float = within(0, 1e6)
    aid_share: float = within(0, 1)
    prank_share: float = within(0, 1)
    prank_callers: int = within(1, 1e6)
    frequent_share: float = within(0, 1)
    frequent_callers: int = within(1, 1e6)
    rescue_ageing: float = within(0, 3)
    rescue_heat: float = within(0, 5)
    rescue_places: float = within(0, 1)
    rescued_violence: float = within(0, 1)
    rescued_rixe: float = within(0, 1)
    rescued_accident: float = within(0, 1)
    turnout_min: float = within(0.1, 120)
    rescue_km_h: float = within(1, 200)
    # D12 donnees_ouvertes
    published_share: float = within(0.01, 0.99)
    publication_gradient: float = within(-3, 3)
    capacity_known: float = within(0, 1)
    # D13 statistiques_police
    offences_per_day: float = within(0, 1e6)
    complaint_degradation: float = within(0, 0.95)
    complaint_bicycle: float = within(0, 0.95)
    complaint_theft: float = within(0, 0.95)
    complaint_intrusion: float = within(0, 0.95)
    complaint_violence: float = within(0, 0.95)
    complaint_rixe: float = within(0, 0.95)
    complaint_gradient: float = within(-3, 3)
    bicycle_share: float = within(0, 1)
    effort_share: float = within(0, 1)
    history_months: int = within(0, 240)
    publication_lag_days: float = within(0, 3650)
    # D18 parcs
    park_reports_per_day: float = within(0, 1e6)
    presence_effect: float = within(0, 3)
    staffing_fall: float = within(0, 3)
    # D19 evenements
    notice_days: float = within(0, 365)
    declared_late: float = within(0, 1)
    organiser_named: float = within(0, 1)
    # D21 allo_mairie
    calls_per_day: float = within(0, 1e6)
    calling_gradient: float = within(-3, 3)
    repeat_callers: float = within(0, 3)
    giving_up: float = within(0, 10)
    never_fixed: float = within(0.001, 0.9)
    fix_gradient: float = within(-3, 3)
    file_closed_days: float = within(1, 3650)
    # D22 eclairage
    n_lamps: int = within(0, 1e7)
    faults_per_day: float = within(0, 1e6)
    fault_report_days: float = within(0.01, 3650)
    fault_tour_days: float = within(1, 3650)
    fault_fix_days: float = within(0.01, 3650)
    dim_share: float = within(0, 1)
    # D23 drones
    flights_per_day: float = within(0, 2)
    flight_alarm_share: float = within(0, 1)
    flight_event_share: float = within(0, 1)
    # D24 stock_infractions
    stock_per_day: float = within(0, 1e5)
    stock_regime_sd: float = within(0, 2)
    stock_wave_sd: float = within(0, 2)
    stock_drift: float = within(0, 1)
    stock_coarse_first: float = within(0, 1)
    stock_coarse_last: float = within(0, 1)
    # D25 fichiers_biometriques
    tes_gallery: int = within(1, 1e9)
    taj_gallery: int = within(1, 1e9)
    enrolment_gap: float = within(-3, 3)
    genuine_mean: float = within(-10, 10)
    genuine_sd: float = within(0.001, 10)
    impostor_mean: float = within(-9, 9)
    impostor_sd: float = within(0.001, 9)
    same_group_shift: float = within(-1, 1)
