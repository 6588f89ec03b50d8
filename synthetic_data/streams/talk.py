"""What else people talk about, and what of it happened: complaints, echoes, rumours, and idle talk.

Idle talk comes last and fills the volume: it is most of what there is.

What it cannot tell you: how much of real talk has a cause in the street. The shares are assumptions of the scenario.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from contrechamp.domain.columns import INCIDENT_TYPES
from synthetic_data.grammar.lexicon import PLACE_NOUNS
from synthetic_data.streams.dense import SECOND_US, IntArray, pick, size
from synthetic_data.streams.posts import CODE, Posts, make, stack
from synthetic_data.streams.scene import HOUR_US, Scene, with_replies
from synthetic_data.streams.threads import attach, heavy, in_order, lags_us, ranks_of, starts_of

#: How much residents complain in public of each type, relative, and median hours until they do. Assumptions.
_COMPLAINED: Final = {
    "tapage": (1.6, 0.3), "degradation": (0.9, 10.0), "vol": (0.8, 5.0), "rixe": (0.5, 1.0),
    "depot_sauvage": (1.3, 14.0), "stationnement_genant": (1.2, 0.6), "vente_sauvette": (0.5, 2.0),
    "intrusion": (0.6, 8.0), "attroupement": (0.6, 0.6), "violence": (0.2, 2.0), "accident": (1.2, 0.5),
    "autre": (0.4, 6.0),
}  # fmt: skip
#: Types that a passer-by sees happen and speaks of at once.
_VISIBLE: Final = ("rixe", "violence", "accident", "attroupement", "degradation")
#: Kinds of place where people meet, where they play, and all of them.
_LEISURE: Final = ("park", "market", "bar", "square", "stadium")
_PLAYED_AT: Final = ("park", "stadium", "square")
_EVERYWHERE: Final = tuple(PLACE_NOUNS)


def complaints(scene: Scene) -> Posts:
    """Complaints near latent incidents, some time after, and the answers they draw."""
    world, rng, plan = scene.world, scene.rng, scene.world.scenario.social
    happened = world.incidents
    recent = np.flatnonzero(
        (happened.t_us >= scene.window.midnights_us[0] - 3 * 24 * HOUR_US) & (happened.t_us < scene.ends_us)
    )
    weight = np.array([_COMPLAINED[name][0] for name in INCIDENT_TYPES])
    median_h = np.array([_COMPLAINED[name][1] for name in INCIDENT_TYPES])
    voices = scene.accounts.voices_per_resident(world.city.quarters["population"].to_numpy())
    kind, quarter = happened.type_code[recent], happened.quarter[recent]
    count = rng.poisson(plan.complaints * weight[kind] * np.minimum(voices[quarter], 5.0))
    of = np.repeat(recent, count)
    kind, quarter = happened.type_code[of], happened.quarter[of]
    lag = np.rint(np.maximum(median_h[kind] * np.exp(0.8 * rng.standard_normal(len(of))), 0.02) * 3600).astype(np.int64)
    t_us = happened.t_us[of] // SECOND_US * SECOND_US + lag * SECOND_US
    inside = (t_us >= scene.window.midnights_us[0]) & (t_us < scene.ends_us)
    of, kind, quarter, t_us = of[inside], kind[inside], quarter[inside], t_us[inside]
    account = scene.accounts.near(quarter, rng=rng)
    site = happened.site[of]
    category = np.array([CODE[f"complain_{name}"] for name in INCIDENT_TYPES])[kind]
    roots = make(
        len(of), category=category, t_us=t_us, person=scene.accounts.person[account], incident=of,
        quarter=quarter, noun=scene.nouns(len(of), _EVERYWHERE), x_m=world.city.site_x_m[site],
        y_m=world.city.site_y_m[site],
    )  # fmt: skip
    return with_replies(scene, roots, {code: "complain_reply" for code in np.unique(category).tolist()})


def echoes(scene: Scene) -> Posts:
    """What a witness says of a visible incident, and the talk that follows for some hours."""
    world, rng, plan = scene.world, scene.rng, scene.world.scenario.social
    happened = world.incidents
    codes = np.array([INCIDENT_TYPES.index(name) for name in _VISIBLE])
    recent = (happened.t_us >= scene.window.midnights_us[0] - 24 * HOUR_US) & (happened.t_us < scene.ends_us)
    seen = np.flatnonzero(recent & np.isin(happened.type_code, codes))
    seen = seen[rng.random(len(seen)) < plan.echo_share]
    sizes = 1 + heavy(len(seen), mean=max(plan.echo_posts - 1, 0.0), log_sd=1.0, rng=rng)
    group, rank = np.repeat(np.arange(len(seen)), sizes), ranks_of(sizes)
    first = happened.t_us[seen] // SECOND_US * SECOND_US + lags_us(len(seen), median_s=360, log_sd=0.7, rng=rng)
    lag = lags_us(len(group), median_s=5400, log_sd=1.1, rng=rng)
    said_us = scene.awake(first[group] + lag, before_us=scene.ends_us)
    t_us = in_order(np.where(rank == 0, first[group], said_us), sizes)
    site, quarter = happened.site[seen][group], happened.quarter[seen][group]
    witness = np.zeros(len(INCIDENT_TYPES), dtype=np.int64)
    witness[codes] = [CODE[f"witness_{name}"] for name in _VISIBLE]
    near, anywhere = scene.accounts.near(quarter, rng=rng), scene.accounts.anywhere(len(group), rng=rng)
    account = np.where((rank == 0) | (rng.random(len(group)) < 0.4), near, anywhere)
    posts = make(
        len(group), category=np.where(rank == 0, witness[happened.type_code[seen]][group], CODE["echo"]), t_us=t_us,
        person=scene.accounts.person[account], parent=attach(sizes, to_first=0.5, rng=rng),
        root=starts_of(sizes)[group], linked=rng.random(len(group)) < 0.5, incident=seen[group], quarter=quarter,
        noun=scene.nouns(len(seen), _EVERYWHERE)[group], x_m=np.where(rank == 0, world.city.site_x_m[site], np.nan),
        y_m=np.where(rank == 0, world.city.site_y_m[site], np.nan),
    )  # fmt: skip
    return posts


def rumours(scene: Scene) -> Posts:
    """Rumours: a false claim, those who pass it on, believe it or doubt it, and those who set it right."""
    rng, plan = scene.rng, scene.world.scenario.social
    n = rng.poisson(plan.rumours_per_day * scene.window.n_days * size(len(scene.world.people)))
    first = scene.waking(n)
    sizes = 1 + heavy(n, mean=max(plan.rumour_posts - 1, 0.0), log_sd=1.0, rng=rng)
    group, rank = np.repeat(np.arange(n), sizes), ranks_of(sizes)
    lag = lags_us(len(group), median_s=3 * 3600, log_sd=1.2, rng=rng)
    said_us = scene.awake(first[group] + lag, before_us=scene.ends_us)
    t_us = in_order(np.where(rank == 0, first[group], said_us), sizes)
    right_us = first + lags_us(n, median_s=4 * 3600, log_sd=0.8, rng=rng)
    last = rank == (sizes - 1)[group]
    known = (t_us >= right_us[group]) | (last & (sizes[group] >= 4))
    before = pick(np.array([0.40, 0.33, 0.27, 0.0]), size=len(group), rng=rng)
    since = pick(np.array([0.12, 0.16, 0.17, 0.55]), size=len(group), rng=rng)
    turn = np.where(known, np.where(last, 3, since), before)
    words = np.array([CODE[f"rumour_{name}"] for name in ("relay", "believe", "doubt", "correct")])
    account = scene.accounts.anywhere(len(group), rng=rng)
    return make(
        len(group), category=np.where(rank == 0, CODE["rumour"], words[turn]), t_us=t_us,
        person=scene.accounts.person[account], parent=attach(sizes, to_first=0.5, rng=rng),
        root=starts_of(sizes)[group], linked=(turn != 0) | (rng.random(len(group)) < 0.4), theme=group,
        quarter=scene.accounts.quarter[account[starts_of(sizes)]][group] if n else -1,
        noun=scene.nouns(n, _LEISURE)[group], about_us=scene.later(first)[group],
    )  # fmt: skip


#: Shares of idle talk, jokes apart; the last is complaint about nothing in particular.
_TOPICS: Final = (("daily", 0.66), ("weather", 0.16), ("sport", 0.15), ("grumble", 0.03))
_IDLE_REPLIES: Final = {
    "daily": "daily_reply", "sport": "sport_reply", "joke": "joke_reply", "call_joke": "joke_reply",
    **{f"weather_{w}": "weather_reply" for w in ("hot", "cold", "rain", "fine")},
    **{f"complain_{name}": "complain_reply" for name in INCIDENT_TYPES},
}  # fmt: skip


def idle(scene: Scene, n: int) -> Posts:
    """Exactly ``n`` posts of idle talk with its answers, all within the window."""
    plan = scene.world.scenario.social
    t_us = scene.waking(int(0.97 * (1 - plan.replies) * n))
    roots = _idle_roots(scene, t_us)
    talk = with_replies(scene, roots, {CODE[a]: b for a, b in _IDLE_REPLIES.items()})
    if len(talk) > n:
        return talk.take(np.arange(n))  # answers come last, and no answer before what it answers
    return stack([talk, _idle_roots(scene, scene.waking(n - len(talk)))])


def _idle_roots(scene: Scene, t_us: IntArray) -> Posts:
    rng, plan, n = scene.rng, scene.world.scenario.social, len(t_us)
    topic = pick(np.array([share for _, share in _TOPICS]), size=n, rng=rng)
    grumbles = np.array([CODE[f"complain_{name}"] for name in INCIDENT_TYPES])[rng.integers(12, size=n)]
    category = np.select(
        [topic == 0, topic == 1, topic == 2],
        [np.full(n, CODE["daily"]), _weather(scene, t_us), np.full(n, CODE["sport"])], grumbles,
    )  # fmt: skip
    category = np.where(
        rng.random(n) < plan.jokes, np.where(rng.random(n) < 0.06, CODE["call_joke"], CODE["joke"]), category
    )
    account = scene.accounts.anywhere(n, rng=rng)
    everyday = np.isin(category, grumbles)
    return make(
        n, category=category, t_us=t_us, person=scene.accounts.person[account],
        quarter=scene.accounts.quarter[account], about_us=scene.later(t_us),
        noun=np.select(
            [everyday, category == CODE["sport"]], [scene.nouns(n, _EVERYWHERE), scene.nouns(n, _PLAYED_AT)],
            scene.nouns(n, _LEISURE),
        ),
    )  # fmt: skip


def _weather(scene: Scene, t_us: IntArray) -> IntArray:
    """What there is to say of the weather of the day."""
    weather, day = scene.world.weather, scene.window.first_day + _day_of(scene, t_us)
    warm, wet = weather.temperature_c[day], weather.rainy[day]
    return np.select(
        [wet, warm >= 25, warm <= 5],
        [CODE["weather_rain"], CODE["weather_hot"], CODE["weather_cold"]],
        CODE["weather_fine"],
    )


def _day_of(scene: Scene, t_us: IntArray) -> IntArray:
    at = np.searchsorted(np.array(scene.window.midnights_us), t_us, side="right") - 1
    return np.clip(at, 0, scene.window.n_days - 1)
