"""What every kind of talk needs: the world, its window, who writes, the names of things, and when people are awake.

What it cannot tell you: when people really write. One law of the hour holds for everybody and every day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from synthetic_data.grammar.setting import Setting
from synthetic_data.streams.accounts import Accounts
from synthetic_data.streams.dense import SECOND_US, FloatArray, IntArray, Window, bump, clock, pick
from synthetic_data.streams.posts import CODE, Posts, make
from synthetic_data.streams.threads import branch

if TYPE_CHECKING:
    from synthetic_data.world import World

HOUR_US: Final = 3600 * SECOND_US


@dataclass(frozen=True, eq=False)
class Scene:
    """What every kind of talk needs: the world, its window, its accounts, its tables of names and a generator."""

    world: World
    window: Window
    accounts: Accounts
    setting: Setting
    rng: np.random.Generator

    @property
    def ends_us(self) -> int:
        """Instant that closes the window."""
        return self.window.midnights_us[-1]

    def nouns(self, n: int, kinds: tuple[str, ...]) -> IntArray:
        """Draw nouns of place among those of some kinds."""
        rows = np.concatenate([self.setting.place_rows[kind] for kind in kinds])
        return np.asarray(rows[self.rng.integers(len(rows), size=n)], dtype=np.int64)

    def waking(self, n: int) -> IntArray:
        """Draw instants of the window at the hours at which people write."""
        law = np.tile(_waking_law(), self.window.n_days)
        step = pick(law, size=n, rng=self.rng)
        second = self.rng.integers(1800, size=n)
        at = self.window.at_us(step // 48, step % 48 / 2) + second * SECOND_US
        return np.asarray(np.minimum(at, self.ends_us - SECOND_US), dtype=np.int64)

    def awake(self, t_us: IntArray, *, before_us: IntArray | int) -> IntArray:
        """Put off to the morning most of what would be written in the small hours, where it still can wait."""
        hour, n = clock(t_us).hour, len(t_us)
        wait = np.rint((7 - hour + 2.5 * self.rng.random(n)) * 3600).astype(np.int64) * SECOND_US
        asleep = (hour >= 1) & (hour < 7) & (self.rng.random(n) < 0.9) & (t_us + wait < before_us)
        return np.asarray(np.where(asleep, t_us + wait, t_us), dtype=np.int64)

    def later(self, t_us: IntArray, *, days: int = 8) -> IntArray:
        """Draw an instant to speak of: an afternoon or evening of the days that follow each instant."""
        ahead = np.floor(days * self.rng.random(len(t_us)) ** 2).astype(np.int64)
        hour = self.rng.integers(24, 42, size=len(t_us)) * 1800 * SECOND_US
        local = np.rint(clock(t_us).hour * 3600).astype(np.int64) * SECOND_US
        about = t_us - local + ahead * 24 * HOUR_US + hour
        return np.asarray(np.where(about <= t_us, about + 24 * HOUR_US, about), dtype=np.int64)


def _waking_law() -> FloatArray:
    at = np.arange(48) / 2 + 0.25
    law = 0.04 + 0.5 * bump(at, peak_h=9, spread_h=1.8) + 0.8 * bump(at, peak_h=13, spread_h=2)
    return np.asarray(law + bump(at, peak_h=20, spread_h=2.6), dtype=np.float64)


def with_replies(scene: Scene, roots: Posts, answers: dict[int, str]) -> Posts:
    """Roots, then the replies they draw, about the same things."""
    rng, plan = scene.rng, scene.world.scenario.social
    t_us, parent, root = branch(
        roots["t_us"], mean=plan.replies, median_s=1200, log_sd=1.4, spread=1.0, until_us=scene.ends_us, rng=rng
    )
    new = np.arange(len(roots), len(t_us))
    reply = np.zeros(max(CODE.values()) + 1, dtype=np.int64)
    for code, category in answers.items():
        reply[code] = CODE[category]
    account = scene.accounts.anywhere(len(new), rng=rng)
    same = {
        name: roots[name][root[new]]
        for name in ("event", "incident", "quarter", "noun", "about_us", "gathering", "club", "artist")
    }
    more = make(
        len(new), category=reply[roots["category"][root[new]]], t_us=t_us[new],
        person=scene.accounts.person[account], parent=parent[new], root=root[new], **same,
    )  # fmt: skip
    return under([roots, more])


def under(parts: list[Posts]) -> Posts:
    """Posts whose parents and roots are rows of the first part, as one."""
    return Posts({name: np.concatenate([part[name] for part in parts]) for name in parts[0].columns})
