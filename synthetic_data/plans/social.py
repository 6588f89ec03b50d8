"""Posts and reports of residents: volumes and how they are biased."""

from __future__ import annotations

from dataclasses import dataclass

from synthetic_data.plans import within


@dataclass(frozen=True, slots=True)
class SocialPlan:
    """Posts and reports of residents. See the comments of the embedded scenario."""

    posts_per_day: float = within(0, 1e7)
    author_share: float = within(1e-4, 1)
    author_young: float = within(-3, 3)
    author_central: float = within(-1, 1)
    activity_tail: float = within(1.05, 100)
    registers: tuple[float, ...] = within(0, 1)
    geolocated: float = within(0, 1)
    place_named: float = within(0, 1)
    place_vague: float = within(0, 1)
    deleted: float = within(0, 0.9)
    private: float = within(0, 1)
    replies: float = within(0, 0.9)
    jokes: float = within(0, 1)
    complaints: float = within(0, 10)
    echo_share: float = within(0, 1)
    echo_posts: float = within(0, 1000)
    event_posts: float = within(0, 1000)
    announced: float = within(0, 1)
    call_posts: float = within(0, 1000)
    false_calls_per_day: float = within(0, 1e5)
    rumours_per_day: float = within(0, 1e5)
    rumour_posts: float = within(0, 1000)
    reports_per_day: float = within(0, 1e6)
    app_share: float = within(1e-5, 1)
    app_young: float = within(-3, 3)
    app_poverty: float = within(-3, 3)
    app_tail: float = within(1.05, 100)
    grudges: float = within(0, 0.5)
    malicious: float = within(0, 0.5)
    routine: float = within(0, 1)
    confirmed: float = within(0, 1)
