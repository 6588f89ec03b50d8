"""Presence, transport, traffic and movement of application users: volumes and how they are biased."""

from __future__ import annotations

from dataclasses import dataclass

from synthetic_data.plans import within


@dataclass(frozen=True, slots=True)
class MobilityPlan:
    """Presence, transport, traffic and movement of application users.

    Attributes
    ----------
    telecom_zones : int
        Zones in which an operator counts.
    operator_share : float
        Share of telephones that are the operator's, city-wide.
    operator_spread : float
        Its share in a quarter is within plus or minus so much of that; 0 for the same share everywhere.
    child_undercount : float
        Share of the under-15 who are missed on top; 0 to count them as everybody else.
    poor_undercount : float
        Fall of the log-chance of being counted, per standard deviation of poverty of the quarter; 0 for none.
    suppress_below : int
        A count smaller than this is not published.
    visitors_share : float
        Visitors on a day per resident.
    event_visitors : float
        Share of those who attend an event who do not live in the city.
    trips_per_day : float
        Boardings, seen or not, per 860,000 residents.
    transit_incidents_per_day : float
        Incidents on the network, per 860,000 residents.
    rail_lines, bus_lines : int
    rail_share : float
        Share of boardings at metro and tram stations.
    gravity_km : float
        Length over which trips between two stops become rarer.
    bus_fraud, rail_fraud : float
        Share of boardings that no validation shows; 0 for none.
    traffic_sensors : int
    main_roads_only : float
        Share of sensors that are put on main roads; the rest falls on any street, in proportion to length. 0: no
        preference for main roads.
    accident_slowdown : float
        Share of its speed that a sensor loses beside an accident; 0 for none.
    accident_closure : float
        Share of accidents beside a sensor that close the road.
    app_users : int
        Users of the application who let it follow them.
    app_points_per_user_day : float
        Points that the application keeps per user and day, on average.
    app_age_slope, app_poverty_slope : float
        Fall of the log-chance to adopt it, per ten years of age and per standard deviation of poverty; 0 for none.
    battery_loss : float
        Share of journeys lost at the end of the day to empty batteries, from none in the morning; 0 for none.
    gps_noise_m : float
    """

    telecom_zones: int = within(1, 100_000)
    operator_share: float = within(0.01, 1)
    operator_spread: float = within(0, 0.5)
    child_undercount: float = within(0, 1)
    poor_undercount: float = within(0, 3)
    suppress_below: int = within(0, 1000)
    visitors_share: float = within(0, 1)
    event_visitors: float = within(0, 1)
    trips_per_day: float = within(0, 1e8)
    transit_incidents_per_day: float = within(0, 1e4)
    rail_lines: int = within(0, 20)
    bus_lines: int = within(1, 1000)
    rail_share: float = within(0, 1)
    gravity_km: float = within(0.1, 1000)
    bus_fraud: float = within(0, 0.95)
    rail_fraud: float = within(0, 0.95)
    traffic_sensors: int = within(0, 100_000)
    main_roads_only: float = within(0, 1)
    accident_slowdown: float = within(0, 1)
    accident_closure: float = within(0, 1)
    app_users: int = within(0, 1_000_000)
    app_points_per_user_day: float = within(0, 8640)
    app_age_slope: float = within(-3, 3)
    app_poverty_slope: float = within(-3, 3)
    battery_loss: float = within(0, 1)
    gps_noise_m: float = within(0, 200)
