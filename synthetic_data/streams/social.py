"""Public posts of residents (D06): what happened, what did not, and the talk of every day that hides both.

Most posts are idle. A few have a cause in the world: a gathering of the calendar is called to by its organiser and
relayed, an incident is complained about or talked about, a match is shouted about; rumours start false and are set
right; jokes are full of words of alarm. Texts come from a template grammar (:mod:`synthetic_data.grammar`).

:func:`reseaux_sociaux` is the stream. :func:`posts_with_truth` returns it with the truth of each post, for measurement
only: which call, which event, which incident, who the organiser was, and what was never seen.

What it cannot tell you: what real posts look like, or how often they have a cause. Nobody here quotes, mocks or
threatens anybody, there is one network, and the language is a few hundred rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import QUARTER_ID
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.grammar.catalogue import french
from synthetic_data.grammar.engine import Chosen, Table
from synthetic_data.grammar.lexicon import PLACE_NOUNS, RUMOURS
from synthetic_data.grammar.registers import REGISTERS
from synthetic_data.grammar.setting import Setting, day_words, hour_words, setting
from synthetic_data.grammar.words import Noun
from synthetic_data.names import person_handles
from synthetic_data.scenario import LOCAL_TZ
from synthetic_data.streams import gatherings, talk
from synthetic_data.streams.accounts import Accounts, draw_accounts
from synthetic_data.streams.dense import (
    SECOND_US,
    FloatArray,
    IntArray,
    clean,
    clock,
    days,
    instants,
    pick,
    size,
    spoken,
    window,
)
from synthetic_data.streams.posts import CATEGORIES, CODE, Posts, role_of, stack
from synthetic_data.streams.scene import Scene

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Share of withdrawn posts that are so before the city's collector passes, some minutes after. Assumption.
_UNSEEN: Final = 0.15
#: Chance that a post speaks of a place with its quarter. Assumption.
_SAID_WHERE: Final = 0.5
#: Chance that a post is in its author's usual register. Assumption.
_USUAL: Final = 0.8
#: Chance of an emoji and of a hashtag, by register. Assumptions.
_EMOJI: Final = (0.0, 0.02, 0.08, 0.16, 0.10)
_HASHTAG: Final = (0.02, 0.05, 0.04, 0.02, 0.01)
_MOODS: Final = (
    (("match_", "sport"), ("⚽", "💪", "🔥", "🙌")),
    (("concert_",), ("🎶", "🎸", "🔥", "😍")),
    (("joke", "call_joke"), ("😂", "🤣", "😅")),
    (("call", "relay", "join", "gathering_"), ("🎉", "🙂", "☀️", "🧺")),
    (("complain_",), ("😡", "😤", "🙄", "😒")),
    (("witness_", "echo", "rumour"), ("😮", "😬", "👀")),
    (("",), ("🙂", "😊", "👍", "😅", "😴")),
)
#: Nouns of place, as a platform would show one in a field of its own.
_PLACE_LABELS: Final = tuple(noun.partition(":")[2].capitalize() for nouns in PLACE_NOUNS.values() for noun in nouns)
_CITY: Final = "Massilia"
#: Seconds counted before the window opens, when some gatherings are called to already.
_HEAD_START_S: Final = 30 * 86_400


def reseaux_sociaux(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the public posts of the dense days: see :func:`posts_with_truth`."""
    return posts_with_truth(world, rng=rng)[0]


def posts_with_truth(world: World, *, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the public posts of the dense days, and the truth behind them.

    Returns
    -------
    rows : DataFrame
        The stream: one row per post that the city collected. Their number is Poisson with the mean of the scenario, as
        long as idle talk is left to make it up. ``visible`` says whether the public could still see the post when the
        file of its day was closed; the text is kept whatever it says. ``reply_to`` names the post answered, even one
        that the city never saw because it was private or withdrawn at once.
    truth : DataFrame
        Every post written, seen or not, in order of time: post_id, t, person, role, category, template, register,
        parent_id, root_id (first post of the talk), event_id, incident_id (-1 for none), rumour (-1 for none),
        quarter_id (spoken of), x_m, y_m (where the author was), published, t_deleted (missing when never).

    Raises
    ------
    ParameterError
        If the scenario does not give one share for each of the five registers.
    """
    plan = world.scenario.social
    if len(plan.registers) != len(REGISTERS) or sum(plan.registers) <= 0:
        raise ParameterError(
            f"The `social.registers` value must be {len(REGISTERS)} shares, not all 0 ({', '.join(REGISTERS)}). "
            f"Got {list(plan.registers)!r}. Correct the scenario."
        )
    scene = Scene(world, window(world.scenario), authors(world, rng=rng), _setting(world), rng)
    told = stack(
        [
            gatherings.calls(scene),
            gatherings.crowds(scene),
            talk.complaints(scene),
            talk.echoes(scene),
            talk.rumours(scene),
        ]
    )
    told = told.take(np.flatnonzero((told["t_us"] < scene.ends_us) & (plan.posts_per_day > 0)))
    likely = np.where(np.isin(told["category"], (CODE["rumour"], CODE["rumour_relay"])), 3.0, 1.0) * plan.deleted
    deleted = rng.random(len(told)) < np.minimum(likely, 0.9)
    unseen = deleted & (rng.random(len(told)) < _UNSEEN)
    shown = told["published"] & ~unseen & (told["t_us"] >= scene.window.midnights_us[0])

    wanted = rng.poisson(plan.posts_per_day * scene.window.n_days * size(len(world.people)))
    left = max(wanted - int(shown.sum()), 0)
    gone = _UNSEEN * plan.deleted
    hidden = rng.poisson(left * gone / (1 - gone))
    idle = talk.idle(scene, left + hidden)
    idle_unseen = np.zeros(len(idle), dtype=np.bool_)
    idle_unseen[rng.choice(len(idle), size=hidden, replace=False)] = True
    later = rng.random(len(idle)) < plan.deleted * (1 - _UNSEEN)

    posts = stack([told.replaced(published=shown), idle.replaced(published=~idle_unseen)])
    posts = posts.replaced(person=_not_to_oneself(posts, scene.accounts, rng=rng))
    unseen, deleted = np.concatenate([unseen, idle_unseen]), np.concatenate([deleted, idle_unseen | later])
    order = np.lexsort((np.arange(len(posts)), posts["t_us"]))
    posts, unseen, deleted = posts.take(order), unseen[order], deleted[order]
    return _written(scene, posts, unseen, deleted)


def authors(world: World, *, rng: np.random.Generator) -> Accounts:
    """Draw who posts in public: the young and the central more than others, and a few most of all."""
    plan, people = world.scenario.social, world.people
    site = people.home_site
    away_km = np.hypot(
        world.city.site_x_m[site] - world.city.centre_m[0], world.city.site_y_m[site] - world.city.centre_m[1]
    ) / 1000  # fmt: skip
    log_odds = -plan.author_young * people.age.astype(np.float64) / 10 - plan.author_central * away_km
    return draw_accounts(world, log_odds, share=plan.author_share, tail=plan.activity_tail, rng=rng)


def _setting(world: World) -> Setting:
    return setting(world.city.quarters["name"].tolist())


def _not_to_oneself(posts: Posts, accounts: Accounts, *, rng: np.random.Generator) -> IntArray:
    """Authors, drawn once more where somebody who is not an organiser answers themselves."""
    person, parent = posts["person"].copy(), posts["parent"]
    own = np.isin(posts["category"], [CODE["answer"], CODE["call_short"], CODE["cancel"]])
    same = np.flatnonzero((parent >= 0) & (person == person[parent]) & ~own)
    person[same] = accounts.person[accounts.anywhere(len(same), rng=rng)]
    return person


def _written(scene: Scene, posts: Posts, unseen: np.ndarray, deleted: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put posts in order of time into words and rows, and say what is true of them."""
    world, rng, n = scene.world, scene.rng, len(posts)
    plan, city, t_us = world.scenario.social, world.city, posts["t_us"]
    named = np.array([*_identifiers(t_us, scene.window.midnights_us[0], rng=rng), None], dtype=object)
    ids = named[:-1]
    register = _registers(posts, world, rng=rng)
    home_quarter = world.people.quarter[posts["person"]].astype(np.int64)
    quarter = np.where(posts["quarter"] < 0, home_quarter, posts["quarter"])
    text, template = _texts(scene, posts, register, quarter)
    x_m, y_m = _whereabouts(scene, posts)
    drop_us = t_us + rng.integers(60, 600, size=n) * SECOND_US
    soon = np.rint(rng.random(n) * (drop_us - t_us)).astype(np.int64)
    late = drop_us + np.rint(18_000 * np.exp(1.6 * rng.standard_normal(n))).astype(np.int64) * SECOND_US
    deleted_us = np.where(unseen, t_us + soon, late)
    closes = np.array(days(world.scenario, first=scene.window.first_day, n_days=scene.window.n_days + 1).midnights_us)
    visible = ~(deleted & (deleted_us < closes[np.searchsorted(closes, drop_us, side="right")]))
    pinned = rng.random(n) < plan.geolocated
    px, py = _near(scene, x_m, y_m)
    shown = np.flatnonzero(posts["published"])
    shown = shown[np.lexsort((shown, drop_us[shown]))]
    parent = np.where(posts["linked"], posts["parent"], -1)
    rows = clean(
        "reseaux_sociaux",
        {
            "post_id": pd.Series(ids[shown], dtype="str"), "t": t_us[shown],
            "author": pd.Series(person_handles(posts["person"][shown]), dtype="str"),
            "text": pd.Series(text[shown], dtype="str"),
            "reply_to": pd.Series(named[parent[shown]], dtype="str"),
            "place_name": _place_names(scene, posts, quarter).iloc[shown].reset_index(drop=True),
            "x_m": np.where(pinned, px, np.nan)[shown], "y_m": np.where(pinned, py, np.nan)[shown],
            "visible": visible[shown],
        },
        t_drop_us=drop_us[shown],
    )  # fmt: skip
    roles = [role_of(name) for name in CATEGORIES]
    truth = pd.DataFrame(
        {
            "post_id": pd.Series(ids, dtype="str"), "t": instants(t_us), "person": posts["person"],
            "role": spoken(posts["category"], roles), "category": spoken(posts["category"], CATEGORIES),
            "template": pd.Series(template, dtype="str"), "register": spoken(register, REGISTERS),
            "parent_id": pd.Series(named[posts["parent"]], dtype="str"),
            "root_id": pd.Series(ids[posts["root"]], dtype="str"), "event_id": posts["event"],
            "incident_id": posts["incident"], "rumour": posts["theme"],
            "quarter_id": spoken(quarter, city.quarters[QUARTER_ID].tolist()), "x_m": x_m, "y_m": y_m,
            "published": posts["published"], "t_deleted": pd.Series(instants(deleted_us)).where(pd.Series(deleted)),
        }
    )  # fmt: skip
    return rows, truth


def _identifiers(t_us: IntArray, opening_us: int, *, rng: np.random.Generator) -> list[str]:
    """Identifiers of posts in order of time: the second, and a number at random.

    Neither the gaps between them nor the last of them says how many posts were never seen.
    """
    second = (t_us - opening_us) // SECOND_US + _HEAD_START_S
    number, rank = np.sort(1000 * second + rng.integers(1000, size=len(t_us))), np.arange(len(t_us))
    number = np.maximum.accumulate(number - rank) + rank  # no two alike
    return [f"P{i:013d}" for i in number.tolist()]


def _registers(posts: Posts, world: World, *, rng: np.random.Generator) -> IntArray:
    """Register of each post: that of its author as a rule; a declared gathering is called to with more care."""
    law = np.array(world.scenario.social.registers)
    who, of = np.unique(posts["person"], return_inverse=True)
    habit, other = pick(law, size=len(who), rng=rng), pick(law, size=len(posts), rng=rng)
    register = np.where(rng.random(len(posts)) < _USUAL, habit[of], other)
    declared = np.append(world.calendar["authorised"].to_numpy(dtype=np.bool_), False)
    call = np.isin(posts["category"], (CODE["call"], CODE["call_short"]))
    careful = call & declared[_rows_of(posts["event"], world)] & (rng.random(len(posts)) < 0.7)
    return np.where(careful, rng.integers(2, size=len(posts)), register)


def _rows_of(event: IntArray, world: World) -> IntArray:
    """Row of the calendar of each event, -1 for none."""
    known = world.calendar["event_id"].to_numpy(dtype=np.int64)
    if len(known) == 0:
        return np.full(len(event), -1, dtype=np.int64)
    row = np.minimum(np.searchsorted(known, event), len(known) - 1)
    return np.where(known[row] == event, row, -1)


def _texts(scene: Scene, posts: Posts, register: IntArray, quarter: IntArray) -> tuple[np.ndarray, np.ndarray]:
    """Text of each post, and the template it comes from."""
    rng, grammar, n = scene.rng, french(), len(posts)
    context = _context(scene, posts, quarter)
    text, template = np.full(n, "", dtype=object), np.full(n, "", dtype=object)
    key = posts["category"] * len(REGISTERS) + register
    order = np.argsort(key, kind="stable")
    found, first = np.unique(key[order], return_index=True)
    for k, rows in zip(found.tolist(), np.split(order, first[1:])[: len(found)], strict=True):
        code, r = divmod(k, len(REGISTERS))
        here = {name: Chosen(c.table, c.index[rows]) for name, c in context.items()}
        words, ranks = grammar.expand(CATEGORIES[code], register=REGISTERS[r], n=len(rows), context=here, rng=rng)
        text[rows] = words + _endings(CATEGORIES[code], r, quarter[rows], scene)
        names = np.array([f"{CATEGORIES[code]}:{i:02d}" for i in range(int(ranks.max()) + 1)], dtype=object)
        template[rows] = names[ranks]
    return text, template


def _endings(category: str, register: int, quarter: IntArray, scene: Scene) -> np.ndarray:
    """Emoji and hashtags after the text, seldom."""
    rng, n = scene.rng, len(quarter)
    mood = next(emoji for beginnings, emoji in _MOODS if category.startswith(beginnings))
    out = np.full(n, "", dtype=object)
    smiling = np.flatnonzero(rng.random(n) < _EMOJI[register])
    out[smiling] = np.array([f" {e}" for e in mood], dtype=object)[rng.integers(len(mood), size=len(smiling))]
    tagged = np.flatnonzero(rng.random(n) < _HASHTAG[register])
    names = scene.setting.quarters.forms("", "courant")[quarter[tagged]]
    tags = [
        f" #{_CITY}" if i % 2 else " #" + "".join(c for c in name.title() if c.isalnum())
        for i, name in enumerate(names)
    ]
    out[tagged] += np.array(tags, dtype=object)
    return out


def _context(scene: Scene, posts: Posts, quarter: IntArray) -> dict[str, Chosen]:
    """What each post speaks of, as the slots of the grammar want it."""
    rng, at, n = scene.rng, scene.setting, len(posts)
    about = np.where(posts["about_us"] == -1, posts["t_us"], posts["about_us"])
    both = clock(np.concatenate([posts["t_us"], about]))
    day_of_month = np.asarray(instants(about).tz_convert(LOCAL_TZ).day, dtype=np.int64)
    half_hour = np.minimum(np.floor(2 * both.hour[n:] + 0.5), 47).astype(np.int64)
    noun = np.where(posts["noun"] < 0, rng.integers(len(_PLACE_LABELS), size=n), posts["noun"])
    said = np.where(rng.random(n) < _SAID_WHERE, quarter, -1)

    def any_of(table: Table, index: IntArray) -> Chosen:
        return Chosen(table, np.where(index < 0, rng.integers(len(table), size=n), index))

    context = {
        "quartier": Chosen(at.quarters, quarter), "lieu": at.place(noun, said),
        "ev": any_of(at.events, posts["gathering"]), "adv": any_of(at.clubs, posts["club"]),
        "artiste": any_of(at.artists, posts["artist"]), "heure": hour_words(half_hour),
        "quand": day_words(both.day[n:] - both.day[:n], both.weekday[n:], day_of_month, evening=both.hour[n:] >= 18),
    }  # fmt: skip
    return context | _rumour_words(scene, posts, context)


def _rumour_words(scene: Scene, posts: Posts, context: dict[str, Chosen]) -> dict[str, Chosen]:
    """What each rumour claims, and what is so: one wording for all the posts of one rumour."""
    rng, themes = scene.rng, posts["theme"]
    n = int(themes.max(initial=-1)) + 1
    said: list[Noun | str] = [""] * n
    so: list[Noun | str] = [""] * n
    row_of = dict(zip(themes[::-1].tolist(), range(len(posts) - 1, -1, -1), strict=True))
    kinds = rng.integers(len(RUMOURS), size=n).tolist()
    for theme, kind in enumerate(kinds):
        row = np.array([row_of.get(theme, 0)])
        here = {name: Chosen(c.table, c.index[row]) for name, c in context.items()}
        said[theme] = str(french().expand(f"claim_{kind}", register="courant", n=1, context=here, rng=rng)[0][0])
        so[theme] = str(french().expand(f"denial_{kind}", register="courant", n=1, context=here, rng=rng)[0][0])
    index = np.maximum(themes, 0)
    return {"rumeur": Chosen(Table(said), index), "dementi": Chosen(Table(so), index)}


def _whereabouts(scene: Scene, posts: Posts) -> tuple[FloatArray, FloatArray]:
    """Where each author was: at what they speak of where it is known, else mostly at home, sometimes at work."""
    world, rng, n = scene.world, scene.rng, len(posts)
    site = world.people.home_site[posts["person"]].astype(np.int64)
    work = world.people.work_cell[posts["person"]].astype(np.int64)
    per_cell = world.city.sites_per_cell
    at_work = (work >= 0) & (rng.random(n) < 0.25)
    site = np.where(at_work, work * per_cell + rng.integers(per_cell, size=n), site)
    unknown = np.isnan(posts["x_m"])
    return (
        np.where(unknown, world.city.site_x_m[site], posts["x_m"]),
        np.where(unknown, world.city.site_y_m[site], posts["y_m"]),
    )


def _near(scene: Scene, x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points as a telephone would place them, some 10 m off, on land."""
    x, y = x_m + 10 * scene.rng.standard_normal(len(x_m)), y_m + 10 * scene.rng.standard_normal(len(y_m))
    dry = scene.world.city.grid.cell_of(x, y) >= 0
    return np.where(dry, x, x_m), np.where(dry, y, y_m)


def _place_names(scene: Scene, posts: Posts, quarter: IntArray) -> pd.Series[str]:
    """Name of place beside the text, where there is one: a quarter, or something that places nothing."""
    rng, plan, n = scene.rng, scene.world.scenario.social, len(posts)
    quarters = scene.world.city.quarters["name"].tolist()
    names = [*quarters, *_PLACE_LABELS, _CITY]
    noun = np.where(posts["noun"] < 0, 0, posts["noun"])
    elsewhere = rng.integers(len(quarters), size=n)
    vague = np.select(
        [rng.random(n) < 0.4, rng.random(n) < 0.6], [np.full(n, len(names) - 1), len(quarters) + noun], elsewhere
    )
    index = np.where(rng.random(n) < plan.place_vague, vague, quarter)
    return spoken(np.where(rng.random(n) < plan.place_named, index, -1), names)


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="reseaux_sociaux",
        title=Text(fr="messages publics des réseaux sociaux (D06)", en="public social posts (D06)"),
        invented=Text(
            fr="Tout : auteurs, textes, fils, appels, rumeurs, plaisanteries et leurs parts. Les textes sortent d’une "
            "grammaire de quelques centaines de phrases, en cinq registres qui ne sont attachés à personne. Écrivent "
            "davantage les jeunes et les habitants du centre, et quelques-uns bien plus que les autres. Une part des "
            "appels à se réunir est faite en privé, une part des messages est retirée.",
            en="Everything: authors, texts, threads, calls, rumours, jokes and their shares. Texts come from a grammar "
            "of a few hundred sentences, in five registers attached to nobody. The young and residents of the centre "
            "write more, and a few people far more than others. A share of calls to gather is made in private, a share "
            "of posts is withdrawn.",
        ),
        anchor=Text(
            fr="Au plus 0,5 % de messages géolocalisés (étude citée au registre). Le volume, 20 000 messages publics "
            "par jour, est une hypothèse du registre ; tout le reste aussi.",
            en="At most 0.5 % of posts geolocated (study cited in the register). The volume, 20,000 public posts a "
            "day, is an assumption of the register; so is all the rest.",
        ),
        leaves_out=Text(
            fr="Les images, les comptes automatiques, les médias, la politique, la haine, l’humour fin, les autres "
            "langues, et les groupes privés eux-mêmes. Une détection qui réussit ici n’a lu que notre grammaire.",
            en="Images, automatic accounts, media, politics, hatred, subtle humour, other languages, and private "
            "groups themselves. A detection that succeeds here has read our grammar only.",
        ),
    ),
)
