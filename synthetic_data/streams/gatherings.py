"""Talk around gatherings: calls and what answers them, declared or not, true or not; and what a crowd writes.

What it cannot tell you: how people call each other together. Every gathering here is a picnic, a market, a concert, a
match, and a call is one post by one person.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from synthetic_data.grammar.lexicon import ARTISTS, CLUBS, EVENT_NOUNS
from synthetic_data.streams.dense import SECOND_US, FloatArray, IntArray, pick, size
from synthetic_data.streams.posts import CODE, Posts, make, stack
from synthetic_data.streams.scene import HOUR_US, Scene, under
from synthetic_data.streams.threads import attach, heavy, in_order, lags_us, ranks_of, starts_of

#: Where an event of a kind is said to be held.
_HELD_AT: Final = {
    "picnic": ("park", "square"), "market": ("market", "square"), "concert": ("bar", "square"),
    "festival": ("park", "square"), "sport": ("park", "stadium"), "match": ("stadium",),
}  # fmt: skip


def calls(scene: Scene) -> Posts:
    """Talk around calls to gatherings: those that take place, declared or not, and those that never will."""
    world, rng, plan = scene.world, scene.rng, scene.world.scenario.social
    events = world.calendar
    kinds = tuple(EVENT_NOUNS)
    may = np.flatnonzero(events["kind"].isin(kinds).to_numpy() & (events["t_start_us"] > scene.window.midnights_us[0]))
    may = may[rng.random(len(may)) < plan.announced]
    held = events.iloc[may]
    start = held["t_start_us"].to_numpy()
    lead_h = np.where(held["authorised"], 40.0, 9.0) * np.exp(rng.standard_normal(len(held)))
    root_us = start - np.rint(np.clip(lead_h, 0.7, 24 * 9) * 3600).astype(np.int64) * SECOND_US
    root_us = scene.awake(root_us, before_us=start - HOUR_US // 2)
    by_crowd = np.sqrt(np.maximum(held["expected_crowd"].to_numpy(), 1) / 60)
    true = _call_talk(
        scene, root_us, start, held["kind"].to_list(), held["organiser"].to_numpy(dtype=np.int64),
        held["quarter"].to_numpy(dtype=np.int64), mean=plan.call_posts * np.minimum(by_crowd, 12),
        event=held["event_id"].to_numpy(), false=False,
    )  # fmt: skip
    n = rng.poisson(plan.false_calls_per_day * scene.window.n_days * size(len(world.people)))
    root_us = scene.waking(n)
    account = scene.accounts.anywhere(n, rng=rng)
    kind = [kinds[k] for k in rng.integers(len(kinds), size=n)]
    false = _call_talk(
        scene, root_us, scene.later(root_us), kind, scene.accounts.person[account], scene.accounts.quarter[account],
        mean=np.full(n, 0.7 * plan.call_posts), event=np.full(n, -1), false=True,
    )  # fmt: skip
    return stack([true, false])


_TURNS: Final = (
    ("relay", 0.20),
    ("join", 0.42),
    ("maybe", 0.09),
    ("decline", 0.07),
    ("ask", 0.18),
    ("call_short", 0.04),
)


def _call_talk(
    scene: Scene,
    root_us: IntArray,
    start_us: IntArray,
    kinds: list[str],
    organiser: IntArray,
    quarter: IntArray,
    *,
    mean: FloatArray,
    event: IntArray,
    false: bool,
) -> Posts:
    """Tree of each call: the call, relays, those who say they will come, questions and the organiser's answers."""
    rng, plan, n = scene.rng, scene.world.scenario.social, len(root_us)
    if n == 0:
        return make(0)
    more = np.minimum(heavy(n, mean=mean, log_sd=0.8, rng=rng), 400)
    sizes = 1 + more
    group = np.repeat(np.arange(n), sizes)
    rank = ranks_of(sizes)
    span = (start_us - root_us)[group]
    early = np.rint(rng.beta(0.8, 1.2, size=len(group)) * span / SECOND_US).astype(np.int64) * SECOND_US
    said_us = scene.awake(root_us[group] + SECOND_US + early, before_us=start_us[group])
    t_us = in_order(np.where(rank == 0, root_us[group], said_us), sizes)
    names = [name for name, _ in _TURNS]
    turn = np.array([CODE[name] for name in names])[pick(np.array([p for _, p in _TURNS]), size=len(group), rng=rng)]
    joke = np.array(false) & (rng.random(n) < 0.35)
    turn = np.where(rank == 0, np.where(joke, CODE["call_joke"], CODE["call"])[group], turn)
    ask, relay = turn == CODE["ask"], turn == CODE["relay"]
    own = (rank == 0) | (turn == CODE["call_short"])
    account = scene.accounts.anywhere(len(group), rng=rng)
    nouns = {kind: scene.setting.event_rows[kind] for kind in set(kinds)}
    gathering = np.array(
        [nouns[kind][i % len(nouns[kind])] for kind, i in zip(kinds, rng.integers(60, size=n).tolist(), strict=True)]
    )
    noun = np.concatenate([scene.nouns(1, _HELD_AT[kind]) for kind in kinds])
    parent = attach(sizes, to_first=0.65, rng=rng)
    talk = make(
        len(group), category=turn, t_us=t_us,
        person=np.where(own, organiser[group], scene.accounts.person[account]), parent=parent,
        root=starts_of(sizes)[group], linked=~relay | (rng.random(len(group)) < 0.5), event=event[group],
        quarter=quarter[group], noun=noun[group], about_us=start_us[group], gathering=gathering[group],
    )  # fmt: skip
    parts = [talk]
    asked = np.flatnonzero(ask & (rng.random(len(group)) < 0.6))
    answer_us = np.minimum(
        t_us[asked] + lags_us(len(asked), median_s=900, log_sd=1.0, rng=rng),
        np.maximum(start_us[group[asked]], t_us[asked] + SECOND_US),
    )
    parts.append(_answers(talk, asked, answer_us, "answer", organiser[group[asked]]))
    if false:
        off = starts_of(sizes)[~joke & (rng.random(n) < 0.6)]
        last = t_us[off + more[group[off]]]
        off_us = last + lags_us(len(off), median_s=3600, log_sd=0.8, rng=rng)
        parts.append(_answers(talk, off, off_us, "cancel", organiser[group[off]]))
    whole = under(parts)
    hidden = (rng.random(n) < plan.private)[_group_of(whole, starts_of(sizes))]
    return whole.replaced(**_in_private(whole, hidden))


def _answers(talk: Posts, to: IntArray, t_us: IntArray, category: str, person: IntArray) -> Posts:
    """One answer to each of some posts, about the same things; their parents are rows of ``talk``."""
    same = {
        name: talk[name][to]
        for name in ("root", "event", "quarter", "noun", "about_us", "gathering", "incident", "theme")
    }
    return make(len(to), category=CODE[category], t_us=t_us, person=person, parent=to, **same)


def _group_of(posts: Posts, starts: IntArray) -> IntArray:
    return np.searchsorted(starts, posts["root"], side="right") - 1


def _in_private(posts: Posts, hidden: np.ndarray) -> dict[str, np.ndarray]:
    """Make talks private: only relays leave the group, without a link, with what answers them."""
    relay = posts["category"] == CODE["relay"]
    public = ~hidden | relay
    for _ in range(64):
        spread = public | (public[posts["parent"]] & (posts["parent"] >= 0))
        if (spread == public).all():
            break
        public = spread
    return {"published": public, "linked": posts["linked"] & ~(hidden & relay)}


def crowds(scene: Scene) -> Posts:
    """Posts of those who attend an event, before, during and after; matches and concerts have their own words."""
    world, rng, plan = scene.world, scene.rng, scene.world.scenario.social
    events = world.calendar
    some = events[
        events["kind"].isin(list(EVENT_NOUNS)) & (events["cell"] >= 0)
        & (events["t_end_us"] > scene.window.midnights_us[0]) & (events["t_start_us"] < scene.ends_us)
    ]  # fmt: skip
    count = rng.poisson(plan.event_posts * some["attendance"].to_numpy() / 1000)
    row = np.repeat(np.arange(len(some)), count)
    n = len(row)
    start, end = some["t_start_us"].to_numpy()[row], some["t_end_us"].to_numpy()[row]
    phase = pick(np.array([0.22, 0.38, 0.40]), size=n, rng=rng)
    back = np.rint(np.minimum(rng.exponential(3.0, n), 30.0) * HOUR_US).astype(np.int64)
    inside = np.rint(rng.random(n) * (end - start)).astype(np.int64)
    t_us = np.select([phase == 0, phase == 1], [start - back, start + inside], end + back // 2)
    t_us -= t_us % SECOND_US
    kind = some["kind"].to_numpy()[row]
    outcome = pick(np.array([0.45, 0.25, 0.30]), size=len(some), rng=rng)[row]
    after = np.array([CODE["match_won"], CODE["match_drawn"], CODE["match_lost"]])[outcome]
    after = np.where(rng.random(n) < 0.2, CODE["match_traffic"], after)
    words: dict[str, tuple[int, int, IntArray]] = {
        "match": (CODE["match_before"], CODE["match_during"], after),
        "concert": (CODE["concert_before"], CODE["concert_during"], np.full(n, CODE["concert_after"])),
    }
    usual = (CODE["relay"], CODE["gathering_during"], np.full(n, CODE["gathering_after"]))
    category = np.zeros(n, dtype=np.int64)
    for name in set(kind.tolist()):
        mine = kind == name
        category[mine] = np.select([phase == 0, phase == 1], words.get(name, usual)[:2], words.get(name, usual)[2])[
            mine
        ]
    gathering = np.zeros(len(some), dtype=np.int64)
    noun = np.zeros(len(some), dtype=np.int64)
    for name, rows in scene.setting.event_rows.items():
        here = np.flatnonzero(some["kind"].to_numpy() == name)
        gathering[here] = rows[rng.integers(len(rows), size=len(here))]
        noun[here] = scene.nouns(len(here), _HELD_AT[name])
    account = scene.accounts.anywhere(n, rng=rng)
    there = phase == 1
    keep = (t_us >= scene.window.midnights_us[0]) & (t_us < scene.ends_us)
    posts = make(
        n, category=category, t_us=t_us, person=scene.accounts.person[account],
        event=some["event_id"].to_numpy()[row], quarter=some["quarter"].to_numpy()[row], noun=noun[row], about_us=start,
        gathering=gathering[row], club=rng.integers(len(CLUBS), size=len(some))[row],
        artist=rng.integers(len(ARTISTS), size=len(some))[row],
        x_m=np.where(there, some["x_m"].to_numpy()[row], np.nan),
        y_m=np.where(there, some["y_m"].to_numpy()[row], np.nan),
    )  # fmt: skip
    return posts.take(np.flatnonzero(keep))
