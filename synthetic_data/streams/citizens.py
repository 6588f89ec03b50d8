"""Reports sent through the citizens' application (D14): who has it, what they see, and what they make of it.

An incident is reported the more, the more users live around it. Beside what happens, users report lamps, holes and
trees, which no incident of this world is about; a few report one neighbour again and again; and some reports are known
by their sender to be false. The platform scores each user by how often what they sent was confirmed, and confirms what
its own log already holds: so the score follows the places that are patrolled.

:func:`signalements` is the stream; :func:`reports_with_truth` adds what each report is, for measurement only.

What it cannot tell you: how an application is taken up. Age and poverty of the quarter are the only reasons here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.streams import CITIZEN_CATEGORIES
from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.grammar.catalogue import french
from synthetic_data.grammar.engine import Chosen
from synthetic_data.grammar.registers import REGISTERS
from synthetic_data.grammar.setting import setting
from synthetic_data.names import person_users
from synthetic_data.recording import NONE
from synthetic_data.streams.accounts import Accounts, draw_accounts
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.dense import (
    SECOND_US,
    FloatArray,
    IntArray,
    bump,
    clean,
    days,
    pick,
    size,
    spoken,
)

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Why a report was sent.
SOURCES: Final = ("incident", "routine", "grudge", "malicious")
INCIDENT, ROUTINE, GRUDGE, MALICIOUS = range(4)
#: Type of incident → categories it is reported under, and how willingly. Assumptions.
_REPORTED: Final = {
    "tapage": (("bruit",), 1.2), "degradation": (("tags", "incivilite", "voirie"), 0.9),
    "vol": (("autre", "incivilite"), 0.3),
    "rixe": (("danger", "incivilite"), 0.3), "depot_sauvage": (("proprete",), 2.0),
    "stationnement_genant": (("stationnement",), 1.6), "vente_sauvette": (("incivilite",), 0.5),
    "intrusion": (("danger", "autre"), 0.2), "attroupement": (("incivilite",), 0.5), "violence": (("danger",), 0.1),
    "accident": (("danger",), 0.6), "autre": (("autre",), 0.6),
}  # fmt: skip
#: Shares of the subjects no incident is about, of grudges, and of false reports. Assumptions.
_ROUTINE: Final = {"eclairage": 0.28, "voirie": 0.34, "espaces_verts": 0.20, "tags": 0.08, "autre": 0.10}
_GRUDGE: Final = {"bruit": 0.55, "stationnement": 0.30, "incivilite": 0.15}
_MALICIOUS: Final = {"danger": 0.6, "incivilite": 0.2, "bruit": 0.1, "autre": 0.1}
#: Registers reports are written in. More care than in posts. Assumption.
_REGISTERS: Final = (0.20, 0.50, 0.20, 0.07, 0.03)
#: Share of reports with a photograph, by source; chance that a service confirms, relative. Assumptions.
_MEDIA: Final = (0.45, 0.55, 0.70, 0.15)
_CONFIRMED: Final = (1.0, 1.2, 0.5, 0.06)
#: A report is judged three days after.
_JUDGED_US: Final = 3 * 86_400 * SECOND_US
#: How often, on average, one user reports the same address; how near it is to their home.
_GRUDGES_PER_DAY: Final = 1 / 9
_GRUDGE_M: Final = 80.0


def signalements(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the reports of every day of the run: see :func:`reports_with_truth`."""
    return reports_with_truth(world, rng=rng)[0]


def users(world: World, *, rng: np.random.Generator) -> Accounts:
    """Draw who has the application: the younger and the better-off more, and a few who use it most of all."""
    plan, people = world.scenario.social, world.people
    poverty = standard_poverty(world)[people.quarter]
    log_odds = -plan.app_young * people.age.astype(np.float64) / 10 - plan.app_poverty * poverty
    return draw_accounts(world, log_odds, share=plan.app_share, tail=plan.app_tail, rng=rng)


def reports_with_truth(world: World, *, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the reports, and what each of them is.

    Returns
    -------
    rows : DataFrame
        The stream. The number of reports is Poisson with the mean of the scenario.
    truth : DataFrame
        In the same order: id, person, source (one of :data:`SOURCES`), incident_id (-1 for none), confirmed (whether
        the platform counted the report as confirmed, three days after), x_m, y_m (of what is reported).
    """
    plan, city = world.scenario.social, world.city
    holders = users(world, rng=rng)
    n_days = world.scenario.time.n_days
    n = rng.poisson(plan.reports_per_day * n_days * size(len(world.people)))
    law = np.array([0.0, plan.routine, plan.grudges, plan.malicious])
    law[INCIDENT] = max(1.0 - law.sum(), 0.0)
    source = np.sort(pick(law, size=n, rng=rng))
    count = np.bincount(source, minlength=4)
    parts = [
        _of_incidents(world, holders, int(count[INCIDENT]), rng=rng),
        _of_routine(world, holders, int(count[ROUTINE]), rng=rng),
        _of_grudges(world, holders, int(count[GRUDGE]), rng=rng),
        _of_malice(world, holders, int(count[MALICIOUS]), rng=rng),
    ]
    t_us, site, account, category, incident = (np.concatenate([part[k] for part in parts]) for k in range(5))
    order = np.lexsort((np.arange(n), t_us))
    t_us, site, account, category = t_us[order], site[order], account[order], category[order]
    incident, source = incident[order], source[order]
    person = holders.person[account]
    x_m, y_m = city.site_x_m[site], city.site_y_m[site]
    shift = 12 * rng.standard_normal((2, n))
    dry = city.grid.cell_of(x_m + shift[0], y_m + shift[1]) >= 0
    logged = (incident >= 0) & (np.append(world.records.known_by, NONE)[incident] != NONE)
    confirmed = logged | (rng.random(n) < np.minimum(plan.confirmed * np.array(_CONFIRMED)[source], 1.0))
    text = _texts(world, category, source, city.site_quarter[site], rng=rng)
    media = rng.random(n) < np.array(_MEDIA)[source]
    drop_us = t_us + rng.integers(2, 90, size=n) * SECOND_US
    width = max(6, len(str(n)))
    ids = pd.Series([f"SIG-{i:0{width}d}" for i in range(1, n + 1)], dtype="str")
    by_drop = np.lexsort((np.arange(n), drop_us))
    rows = clean(
        "signalements",
        {
            "id": ids.iloc[by_drop].reset_index(drop=True), "t": t_us[by_drop],
            "x_m": np.where(dry, x_m + shift[0], x_m)[by_drop], "y_m": np.where(dry, y_m + shift[1], y_m)[by_drop],
            "category": spoken(category[by_drop], CITIZEN_CATEGORIES), "text": pd.Series(text[by_drop], dtype="str"),
            "media": media[by_drop], "user": pd.Series(person_users(person[by_drop]), dtype="str"),
            "reliability": reliability(person, t_us, confirmed)[by_drop],
        },
        t_drop_us=drop_us[by_drop],
    )  # fmt: skip
    truth = pd.DataFrame(
        {
            "id": rows["id"], "person": person[by_drop], "source": spoken(source[by_drop], SOURCES),
            "incident_id": incident[by_drop], "confirmed": confirmed[by_drop], "x_m": x_m[by_drop], "y_m": y_m[by_drop],
        }
    )  # fmt: skip
    return rows, truth


def reliability(person: IntArray, t_us: IntArray, confirmed: np.ndarray) -> FloatArray:
    """Score of the sender at the time of each report: share of their judged reports that were confirmed.

    Parameters
    ----------
    person, t_us : ndarray of int
        Sender and instant of each report, in order of time.
    confirmed : ndarray of bool
        What the judgement will be, three days after the report.

    Returns
    -------
    ndarray
        (1 + confirmed) / (2 + judged), over the reports of the sender judged by then; three decimals. 0.5 for a first
        report.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> reliability(np.array([4, 4, 4]), np.array([0, day, 4 * day]), np.array([True, False, True])).tolist()
    [0.5, 0.5, 0.5]
    >>> reliability(np.array([4, 4, 4]), np.array([0, day, 3 * day]), np.array([True, False, True])).tolist()
    [0.5, 0.5, 0.667]
    """
    if len(person) == 0:
        return np.empty(0)
    order = np.lexsort((t_us, person))
    # in seconds: microseconds times users would not fit a whole number
    who, when = person[order], (t_us[order] - t_us.min()) // SECOND_US
    wait = _JUDGED_US // SECOND_US
    span = int(when.max()) + wait + 1
    key = np.unique(who, return_inverse=True)[1].astype(np.int64) * span + when
    first = np.searchsorted(who, who, side="left")
    judged = np.maximum(np.searchsorted(key, key - wait, side="right"), first)
    total = np.concatenate([[0], np.cumsum(confirmed[order])])
    out = np.empty(len(person))
    out[order] = (1 + total[judged] - total[first]) / (2 + judged - first)
    return np.round(out, 3)


_Part = tuple[IntArray, IntArray, IntArray, IntArray, IntArray]


def _of_incidents(world: World, holders: Accounts, n: int, *, rng: np.random.Generator) -> _Part:
    """Reports of what happens: drawn among incidents by type and by how many users live around."""
    happened = world.incidents
    willing = np.array([_REPORTED[name][1] for name in INCIDENT_TYPES])
    residents = world.city.quarters["population"].to_numpy()
    voices = holders.voices_per_resident(residents)
    weight = willing[happened.type_code] * voices[happened.quarter]
    if n and weight.sum() <= 0:
        return _of_routine(world, holders, n, rng=rng)
    of = pick(weight, size=n, rng=rng) if n else np.empty(0, dtype=np.int64)
    wait = np.rint(900 * np.exp(1.2 * rng.standard_normal(n))).astype(np.int64) * SECOND_US
    seen_us = happened.t_us[of] // SECOND_US * SECOND_US
    left = _last_us(world) - seen_us  # what would be sent after the run is sent at some time before its end
    t_us = seen_us + np.where(wait > left, wait % (left + SECOND_US), wait)
    under = [np.array([CITIZEN_CATEGORIES.index(c) for c in _REPORTED[name][0]]) for name in INCIDENT_TYPES]
    u = rng.random(n)
    category = np.array(
        [under[k][int(p * len(under[k]))] for k, p in zip(happened.type_code[of].tolist(), u.tolist(), strict=True)],
        dtype=np.int64,
    )
    return t_us, happened.site[of].astype(np.int64), holders.near(happened.quarter[of], rng=rng), category, of


def _of_routine(world: World, holders: Accounts, n: int, *, rng: np.random.Generator) -> _Part:
    """Reports about lamps, roads and trees on the way from home, or near work."""
    account = holders.anywhere(n, rng=rng)
    work = world.people.work_cell[holders.person[account]].astype(np.int64)
    home = world.people.home_site[holders.person[account]].astype(np.int64) // world.city.sites_per_cell
    cell = np.where((work >= 0) & (rng.random(n) < 0.3), work, home)
    site = cell * world.city.sites_per_cell + rng.integers(world.city.sites_per_cell, size=n)
    return _daytime(world, n, rng=rng), site, account, _draw(_ROUTINE, n, rng=rng), np.full(n, -1)


def _of_grudges(world: World, holders: Accounts, n: int, *, rng: np.random.Generator) -> _Part:
    """Reports of a few users against one address each, near their home, again and again."""
    pairs = max(1, round(n / max(_GRUDGES_PER_DAY * world.scenario.time.n_days, 1.0))) if n else 0
    angry = holders.anywhere(pairs, rng=rng)
    home = world.people.home_site[holders.person[angry]].astype(np.int64)
    per_cell = world.city.sites_per_cell
    near = (home // per_cell)[:, None] * per_cell + np.arange(per_cell)
    gap = np.hypot(world.city.site_x_m[near] - world.city.site_x_m[home][:, None],
                   world.city.site_y_m[near] - world.city.site_y_m[home][:, None])  # fmt: skip
    pull = np.exp(-gap / _GRUDGE_M + rng.gumbel(size=gap.shape) * 0.5) * (near != home[:, None])
    against = near[np.arange(pairs), np.argmax(pull, axis=1)] if pairs else np.empty(0, dtype=np.int64)
    about = _draw(_GRUDGE, pairs, rng=rng)
    of = rng.integers(max(pairs, 1), size=n)
    return _daytime(world, n, rng=rng), against[of], angry[of], about[of], np.full(n, -1)


def _of_malice(world: World, holders: Accounts, n: int, *, rng: np.random.Generator) -> _Part:
    """Reports that are false and meant to be, by a few users, anywhere there are buildings."""
    liars = holders.anywhere(max(1, n // 12) if n else 0, rng=rng)
    cell = pick(world.city.cell_population + 1e-9, size=n, rng=rng)
    site = cell * world.city.sites_per_cell + rng.integers(world.city.sites_per_cell, size=n)
    account = liars[rng.integers(max(len(liars), 1), size=n)]
    return _daytime(world, n, rng=rng), site, account, _draw(_MALICIOUS, n, rng=rng), np.full(n, -1)


def _draw(shares: dict[str, float], n: int, *, rng: np.random.Generator) -> IntArray:
    codes = np.array([CITIZEN_CATEGORIES.index(name) for name in shares])
    return np.asarray(codes[pick(np.array(list(shares.values())), size=n, rng=rng)], dtype=np.int64)


def _daytime(world: World, n: int, *, rng: np.random.Generator) -> IntArray:
    """Instants of the run at which people report things that can wait."""
    at = np.arange(48) / 2 + 0.25
    law = 0.05 + bump(at, peak_h=9, spread_h=2) + bump(at, peak_h=18, spread_h=2.5)
    whole = days(world.scenario, first=0, n_days=world.scenario.time.n_days)
    step = pick(law, size=n, rng=rng)
    t_us = whole.at_us(rng.integers(whole.n_days, size=n), step / 2) + rng.integers(1800, size=n) * SECOND_US
    return np.asarray(np.minimum(t_us, _last_us(world)), dtype=np.int64)


def _last_us(world: World) -> int:
    return days(world.scenario, first=0, n_days=world.scenario.time.n_days).midnights_us[-1] - SECOND_US


def _texts(
    world: World, category: IntArray, source: IntArray, quarter: IntArray, *, rng: np.random.Generator
) -> np.ndarray:
    """Put reports into words, by category; grudges and lies mostly have their own."""
    n, grammar = len(category), french()
    at = setting(world.city.quarters["name"].tolist())
    register = pick(np.array(_REGISTERS), size=n, rng=rng)
    names = [*(f"report_{name}" for name in CITIZEN_CATEGORIES), "report_grudge", "report_malicious"]
    special = (source >= GRUDGE) & (rng.random(n) < 0.6)
    kind = np.where(special, len(CITIZEN_CATEGORIES) + source - GRUDGE, category)
    nouns = np.concatenate(list(at.place_rows.values()))
    place = at.place(nouns[rng.integers(len(nouns), size=n)], np.where(rng.random(n) < 0.5, quarter, -1))
    text = np.full(n, "", dtype=object)
    for k in range(len(names)):
        for r, name in enumerate(REGISTERS):
            rows = np.flatnonzero((kind == k) & (register == r))
            if len(rows):
                here = {
                    "quartier": Chosen(at.quarters, quarter[rows]),
                    "lieu": Chosen(place.table, place.index[rows]),
                }
                text[rows] = grammar.expand(names[k], register=name, n=len(rows), context=here, rng=rng)[0]
    return text


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="signalements",
        title=Text(fr="signalements de l’application citoyenne (D14)", en="reports of the citizens’ app (D14)"),
        invented=Text(
            fr="Tout : qui a l’application (les plus jeunes, les quartiers aisés, quelques habitués), ce qui est "
            "signalé près de chez soi, les rancunes contre une même adresse, les faux, les textes, et la note de "
            "fiabilité, que la plateforme tire de ce qui a été confirmé. Être déjà en main courante vaut confirmation.",
            en="Everything: who has the app (the younger, better-off quarters, a few regulars), what is reported near "
            "home, grudges against one address, false reports, texts, and the reliability score, which the platform "
            "draws from what was confirmed. Being in the log already counts as a confirmation.",
        ),
        anchor=Text(
            fr="Aucune. 200 signalements par jour et 5 % de malveillance sont des hypothèses du registre.",
            en="None. 200 reports a day and 5 % of malice are assumptions of the register.",
        ),
        leaves_out=Text(
            fr="Les photographies et vidéos elles-mêmes (un drapeau seulement), les tiers qu’elles montrent, les "
            "réponses de la ville, et l’effet d’une réponse sur le signalement suivant. Trois rancunes et faux sur "
            "cinq ont leurs propres phrases, qu’un classificateur reconnaît ici bien plus aisément qu’en vrai.",
            en="Photographs and videos themselves (a flag only), the third parties they show, the city’s answers, and "
            "what an answer does to the next report. Three grudges and false reports in five have sentences of their "
            "own, which a classifier tells here far more easily than in life.",
        ),
    ),
)
