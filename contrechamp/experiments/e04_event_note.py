"""E04, the danger note of events: does it hold anything beyond the obvious, or does it count officers?

Calendars of events whose true incidents are known are handed to a replica of the delivered tool: the facts recorded
around past events make their notes, a random forest finds the past events that resemble a planned one, and their notes
are transferred to it. The note is then held against what happens: given what anybody knows (attendance, weekday,
month), against two free baselines, as a colour of the day; and it is made again with twice the officers at past events
and the very same incidents, to see how much of it is presence. The other thing the tool was said to do, to detect
clashes in the calendar, is a plain rule: it is tried on calendars entered with errors.

What it cannot tell you: see :data:`CANNOT_TELL`.

References
----------
.. [1] City of Marseille (2020), reply to a request for documents, page 3.
.. [2] Fisher (1924), "The distribution of the partial correlation coefficient", Metron 3, 329-332.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.experiments.events import over_seeds, shown
from fairness.clusters import cluster_rate_interval
from fairness.rates import rate_interval
from models.mpulse import COLOURS, MPulse
from models.mpulse_clashes import Planned, clashes
from models.mpulse_notes import note_formula
from synthetic_data.event_clashes import Entries, draw_clash_calendar
from synthetic_data.event_worlds import EventLaw, EventWorld, draw_event_world

ID: Final = "E04"
TABLE: Final = "E04_calendars"
CLASH_TABLE: Final = "E04_clashes"
#: A day is truly bad when its incidents reach this quantile of past days.
BAD_DAY: Final = 0.9


@dataclasses.dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E04.

    Attributes
    ----------
    worlds : int
        Calendars drawn for each world.
    informativeness : tuple of float
        Share of the danger beyond crowd and date that the features tell.
    discovery_shares : tuple of float
        Share of the records that exist only because an officer was there.
    incidents_per_event : tuple of float
        Mean of true incidents around an event if no officer came.
    note_formulas : tuple of str
        Keys of :data:`models.mpulse_notes.NOTE_FORMULAS`: guesses.
    events_per_year, years : int
        Planned events are those of the last year.
    n_trees, min_leaf : int
        Of the forest.
    position_noises_m, time_noises_h, shares_entered : tuple of float
        Errors of the calendar in which clashes are looked for.
    clash_events, clash_works, clash_days : int
        Entries of that calendar, and its length.
    """

    worlds: int = 8
    informativeness: tuple[float, ...] = (0.0, 0.5, 1.0)
    discovery_shares: tuple[float, ...] = (0.0, 0.5, 0.9)
    incidents_per_event: tuple[float, ...] = (20.0,)
    note_formulas: tuple[str, ...] = ("rank", "fixed-scale", "per-head")
    events_per_year: int = 400
    years: int = 3
    n_trees: int = 12
    min_leaf: int = 10
    position_noises_m: tuple[float, ...] = (0.0, 10.0, 30.0, 100.0)
    time_noises_h: tuple[float, ...] = (0.0, 3.0)
    shares_entered: tuple[float, ...] = (1.0, 0.9)
    clash_events: int = 900
    clash_works: int = 300
    clash_days: int = 60

    @classmethod
    def quick(cls) -> Params:
        """Eight calendars per world: seconds."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Two hundred calendars per world, a finer map: minutes."""
        return cls(
            worlds=200,
            informativeness=(0.0, 0.1, 0.25, 0.5, 1.0),
            incidents_per_event=(20.0, 60.0),
            position_noises_m=(0.0, 10.0, 20.0, 30.0, 50.0, 100.0),
        )


_CALENDARS: Final = Text(fr="calendriers simulés", en="simulated calendars")
_PAIRED: Final = Text(
    fr="calendriers simulés, chacun deux fois (agents passés, puis doublés)",
    en="simulated calendars, each twice (past officers, then doubled)",
)

MEASURES: tuple[Measure, ...] = (
    Measure(
        "partial_corr",
        "ratio",
        Text(
            fr="corrélation de rang entre la note et les incidents vrais, à affluence, jour de semaine et mois donnés",
            en="rank correlation of the note with true incidents, given attendance, weekday and month",
        ),
        _CALENDARS,
    ),
    Measure(
        "partial_corr_ceiling",
        "ratio",
        Text(
            fr="même corrélation pour un devin qui connaît la loi de chaque événement",
            en="same correlation for a clairvoyant who knows the law of each event",
        ),
        _CALENDARS,
    ),
    Measure(
        "circularity",
        "ratio",
        Text(
            fr="circularité : points de note ajoutés quand les agents présents par le passé doublent partout et que "
            "les incidents vrais ne changent pas",
            en="circularity: note points added when past officers double everywhere and true incidents do not change",
        ),
        _PAIRED,
    ),
    Measure(
        "circularity_half",
        "ratio",
        Text(
            fr="circularité locale : points de note ajoutés aux événements des lieux où les agents doublent, s’ils ne "
            "doublent que dans la moitié des lieux",
            en="local circularity: note points added to events at the venues where officers double, when they double "
            "at half of the venues only",
        ),
        _PAIRED,
    ),
    Measure(
        "spearman_note",
        "ratio",
        Text(
            fr="corrélation de rang brute entre la note et les incidents vrais",
            en="raw rank correlation of the note with true incidents",
        ),
        _CALENDARS,
    ),
    Measure(
        "gain_over_linear",
        "ratio",
        Text(
            fr="corrélation de rang de la note moins celle d’un modèle linéaire (affluence et jour de semaine)",
            en="rank correlation of the note minus that of a linear model (attendance and weekday)",
        ),
        _CALENDARS,
    ),
    Measure(
        "gain_over_last",
        "ratio",
        Text(
            fr="corrélation de rang de la note moins celle du dernier événement comparable (même lieu, même genre)",
            en="rank correlation of the note minus that of the last comparable event (same venue, same kind)",
        ),
        _CALENDARS,
    ),
    Measure(
        "brier_red",
        "ratio",
        Text(
            fr="score de Brier du « jour rouge » (0 : parfait) ; jour mauvais : parmi le dixième le plus chargé",
            en="Brier score of the “red day” (0: perfect); truly bad day: in the tenth with most incidents",
        ),
        _CALENDARS,
    ),
    Measure(
        "brier_constant",
        "ratio",
        Text(
            fr="score de Brier d’une probabilité constante, la part passée de mauvais jours",
            en="Brier score of a constant probability, the past share of bad days",
        ),
        _CALENDARS,
    ),
    Measure(
        "bad_days",
        "share",
        Text(
            fr="part de jours vraiment mauvais parmi les jours d’une couleur",
            en="share of truly bad days among the days of a colour",
        ),
        Text(fr="jours de cette couleur", en="days of that colour"),
    ),
    Measure(
        "clash_precision",
        "share",
        Text(fr="part des conflits annoncés qui sont vrais", en="share of announced clashes that are true"),
        Text(fr="conflits annoncés", en="announced clashes"),
    ),
    Measure(
        "clash_recall",
        "share",
        Text(fr="part des conflits vrais qui sont annoncés", en="share of true clashes that are announced"),
        Text(fr="conflits vrais", en="true clashes"),
    ),
)

CANNOT_TELL = Text(
    fr=(
        "Ce que l'expérience ne dit pas : ce que calcule l'outil livré. La formule de la note n'est pas publiée : les "
        "trois essayées, comme les seuils des couleurs et la définition d'un conflit, sont des hypothèses de notre "
        "part. Le fichier de Marseille n'a pas été vu : ni la part des faits que les agents trouvent, ni ce que "
        "l'affluence ne dit pas. Lire la carte : elle dit dans quels mondes une telle note vaut quelque chose."
    ),
    en=(
        "What the experiment does not say: what the delivered tool computes. The formula of the note is not published: "
        "the three tried, the thresholds of the colours and the definition of a clash are our guess. The file of "
        "Marseille was not seen: neither the share of facts that officers find, nor what attendance does not tell. "
        "Read the map: it says in which worlds such a note is worth something."
    ),
)

#: World keys of a calendar, and of a file of entries.
_KEYS: Final = ("informativeness", "discovery_share", "incidents_per_event")
_NOISE_KEYS: Final = ("position_noise_m", "time_noise_h", "share_entered")
#: One calendar's numbers by world, and its clash counts by noise.
_Place = tuple[float, float, float]
_World = tuple[float, float, float, str]
_Noise = tuple[float, float, float]
_OneCalendar = tuple[dict[_World, dict[str, float]], dict[_Place, float], dict[_Noise, tuple[int, int, int]]]


def controls(world: EventWorld, rows: BoolArray) -> FloatArray:
    """What anybody knows of events, as columns to be held constant.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        A constant, three powers of the crowd's normal score, and indicators of weekday and month.
    """
    calendar = world.calendar[rows]
    ranks = stats.rankdata(calendar["crowd"])
    score = stats.norm.ppf((ranks - 0.5) / len(ranks))
    dummies = [
        (calendar[name].to_numpy()[:, None] == np.unique(calendar[name])[None, 1:]).astype(np.float64)
        for name in ("weekday", "month")
    ]
    return np.column_stack([np.ones(len(ranks)), score, score**2, score**3, *dummies])


def partial_spearman(x: FloatArray, y: FloatArray, *, given: FloatArray) -> float:
    """Correlation of the ranks of x and y once their least-squares fit on the columns of ``given`` is taken out.

    Notes
    -----
    NaN where either is determined by ``given`` (a note that never varies). Null hypothesis: the ranks are uncorrelated
    given a function of ``given`` that is linear in its columns; :func:`controls` therefore carries powers.

    Examples
    --------
    >>> ones = np.ones((5, 1))
    >>> round(partial_spearman(np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 5]), given=ones), 6)
    0.8
    """
    base, _ = np.linalg.qr(given)

    def left(values: FloatArray) -> FloatArray:
        ranks = stats.rankdata(values)
        return np.asarray(ranks - base @ (base.T @ ranks))

    a, b = left(x), left(y)
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 1e-9 * len(x) else float("nan")


def partial_interval(r: float, *, n: int, n_given: int, level: float = 0.95) -> Interval:
    """Interval of one partial rank correlation by Fisher's z, whose variance is ``1.06 / (n - n_given - 2)``.

    Parameters
    ----------
    r : float
    n : int
        Events.
    n_given : int
        Columns held constant, the constant one included.
    level : float, default=0.95

    Notes
    -----
    1.06 is the usual inflation for ranks. Not estimable when r is NaN, is ±1, or there are too few events.

    Examples
    --------
    >>> found = partial_interval(0.0, n=408, n_given=1)
    >>> round(found.low, 3), round(found.high, 3)
    (-0.1, 0.1)
    """
    freedom = n - n_given - 2
    if not abs(r) < 1 or freedom < 1:
        return Interval.not_estimable(n=n, method="fisher-z", level=level)
    half = float(stats.norm.isf((1 - level) / 2)) * np.sqrt(1.06 / freedom)
    z = np.arctanh(r)
    return Interval(r, float(np.tanh(z - half)), float(np.tanh(z + half)), n, "fisher-z", level)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Draw calendars, note their last year from the years before, and hold the notes against what happens.

    Parameters
    ----------
    params : Params
    seed : int
    jobs : int, default=1
        Worker processes. No number depends on it.
    progress : Progress

    Returns
    -------
    Outcome
        Tables ``E04_calendars`` (one row per calendar and world) and ``E04_clashes`` (per calendar and noise).

    Raises
    ------
    ParameterError
        If a formula does not exist or a number is out of range.
    """
    for name in params.note_formulas:
        note_formula(name)
    if params.worlds < 2:
        raise bad_parameter(name="worlds", where="E04", must="at least 2: one calendar has no interval",
                            got=params.worlds)  # fmt: skip
    calls = (delayed(_calendar)(params, rep, seed) for rep in range(params.worlds))
    found: list[_OneCalendar] = []
    for one in Parallel(n_jobs=jobs, return_as="generator")(calls):
        found.append(one)
        progress(ID, len(found), params.worlds)

    results: list[Result] = []
    for place in _places(params):
        at: dict[str, Scalar] = dict(zip(_KEYS, place, strict=True))
        for formula in params.note_formulas:
            results += _summed({**at, "note_formula": formula}, [notes[*place, formula] for notes, _, _ in found])
        ceiling = over_seeds([ceilings[place] for _, ceilings, _ in found])
        results.append(Result(ID, "partial_corr_ceiling", at, ceiling, TABLE))
    for noise in _noises(params):
        world: dict[str, Scalar] = dict(zip(_NOISE_KEYS, noise, strict=True))
        counts = np.array([clash[noise] for _, _, clash in found])
        exact = noise == (0.0, 0.0, 1.0)
        for measure, column in (("clash_precision", 1), ("clash_recall", 2)):
            share = _share(counts[:, 0], counts[:, column], exact=exact)
            results.append(Result(ID, measure, world, share, CLASH_TABLE))
    return Outcome(results, {TABLE: _table(found), CLASH_TABLE: _clash_table(found)})


def _places(params: Params) -> list[_Place]:
    return list(itertools.product(params.informativeness, params.discovery_shares, params.incidents_per_event))


def _noises(params: Params) -> list[_Noise]:
    return list(itertools.product(params.position_noises_m, params.time_noises_h, params.shares_entered))


def _calendar(params: Params, rep: int, seed: int) -> _OneCalendar:
    """Every world of one replicate: they share calendar and luck, so that only the axis differs."""
    chance = int(stream(seed, ID, "forest", rep).integers(2**31))
    notes: dict[_World, dict[str, float]] = {}
    ceilings: dict[_Place, float] = {}
    for place in _places(params):
        law = EventLaw(
            n_per_year=params.events_per_year, n_years=params.years, informativeness=place[0],
            discovery_share=place[1], incidents_per_event=place[2],
        )  # fmt: skip
        world = draw_event_world(law, rng=stream(seed, ID, "calendar", rep))
        planned = ~world.past
        given = controls(world, planned)
        truth = world.incidents()
        ceilings[place] = partial_spearman(_law_mean(world)[planned], truth[planned].astype(np.float64), given=given)
        free = _baselines(world, truth)
        for formula in params.note_formulas:
            tool = MPulse(note=formula, n_trees=params.n_trees, min_leaf=params.min_leaf, seed=chance)
            own = _noted(world, tool, truth, given)
            gains = {f"gain_over_{name}": own["spearman_note"] - value for name, value in free.items()}
            notes[*place, formula] = own | gains | _presence(world, tool)
    return notes, ceilings, _clashes(params, rep, seed)


def _law_mean(world: EventWorld) -> FloatArray:
    return np.asarray(world.expected * np.exp(-world.per_officer * world.officers))


def _noted(world: EventWorld, tool: MPulse, truth: npt.NDArray[np.int64], given: FloatArray) -> dict[str, float]:
    """Fit on past events, note the planned ones, hold notes and colours against what happens."""
    past = world.past
    tool.fit(shown(world, world.facts(), world.officers, rows=past))
    notes = tool.transferred(world.features[~past])
    day = world.calendar["day"].to_numpy()
    per_day = pd.Series(truth).groupby(day).sum()
    last_day = day[past].max()
    bad_from = float(np.quantile(per_day[per_day.index <= last_day], BAD_DAY))
    days = pd.DataFrame({"note": notes, "p": tool.p_red(world.features[~past])}).groupby(day[~past]).max()
    bad = (per_day.loc[days.index] > bad_from).to_numpy()
    base = float((per_day[per_day.index <= last_day] > bad_from).mean())
    colour = tool.colours(days["note"].to_numpy())
    found = {
        "partial_corr": partial_spearman(notes, truth[~past].astype(np.float64), given=given),
        "spearman_note": _spearman(notes, truth[~past]),
        "brier_red": float(((days["p"].to_numpy() - bad) ** 2).mean()),
        "brier_constant": float(((base - bad) ** 2).mean()),
    }
    for number, name in enumerate(COLOURS):
        found[f"days_{name}"] = float((colour == number).sum())
        found[f"bad_{name}"] = float((bad & (colour == number)).sum())
    return found


def _presence(world: EventWorld, tool: MPulse) -> dict[str, float]:
    """Note points that twice the past officers add, incidents being the same; the tool learns again each time."""
    past = world.past
    before = tool.transferred(world.features[~past])
    facts = world.facts()
    half = world.calendar["venue"].to_numpy() < world.law.n_venues // 2
    found = {}
    for name, where in (("circularity", np.ones_like(half)), ("circularity_half", half)):
        sent = np.where(where, 2.0, 1.0) * world.officers
        seen = world.facts(sent, incidents_under=world.officers)
        if np.array_equal(seen[past], facts[past]):
            found[name] = 0.0
            continue
        again = MPulse(**tool.get_params()).fit(shown(world, seen, sent, rows=past))
        found[name] = float((again.transferred(world.features[~past]) - before)[where[~past]].mean())
    return found


def _baselines(world: EventWorld, truth: npt.NDArray[np.int64]) -> dict[str, float]:
    """Raw rank correlation, with true incidents, of a linear model and of the last comparable event."""
    past = world.past
    facts = world.facts().sum(axis=1)
    weekday = world.calendar["weekday"].to_numpy()
    columns = np.column_stack(
        [world.calendar["log_crowd"].to_numpy(), *((weekday == d).astype(np.float64) for d in range(7))]
    )
    fitted, *_ = np.linalg.lstsq(columns[past], np.log1p(facts[past]), rcond=None)
    return {
        "linear": _spearman(columns[~past] @ fitted, truth[~past]),
        "last": _spearman(_last_comparable(world, facts), truth[~past]),
    }


def _last_comparable(world: EventWorld, facts: FloatArray) -> FloatArray:
    """Facts at the last past event of the same venue and kind; of the same kind where there is none."""
    past = world.past
    file = world.calendar[past].assign(facts=facts[past])
    new = world.calendar[~past]
    same = file.groupby(["venue", "kind"])["facts"].last()
    kind = file.groupby("kind")["facts"].last()
    at = pd.MultiIndex.from_frame(new[["venue", "kind"]])
    values = same.reindex(at).to_numpy(dtype=np.float64)
    other = kind.reindex(new["kind"]).to_numpy(dtype=np.float64)
    filled = np.where(np.isfinite(values), values, other)
    return np.where(np.isfinite(filled), filled, float(facts[past].mean()))


def _spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return partial_spearman(a, b, given=np.ones((len(a), 1)))


def _clashes(params: Params, rep: int, seed: int) -> dict[_Noise, tuple[int, int, int]]:
    """True clashes found, clashes announced, true clashes: by noise of the file."""
    drawn = draw_clash_calendar(
        n_events=params.clash_events, n_works=params.clash_works, n_days=params.clash_days,
        rng=stream(seed, ID, "clashes", rep),
    )  # fmt: skip
    n = len(drawn.order)
    pairs = clashes(_planned(drawn.true))
    true = pairs[:, 0] * n + pairs[:, 1]
    found = {}
    for noise in _noises(params):
        entries, rows = drawn.entered(position_noise_m=noise[0], time_noise_h=noise[1], share_entered=noise[2])
        said = rows[clashes(_planned(entries))]
        told = said[:, 0] * n + said[:, 1]
        found[noise] = (int(np.isin(told, true).sum()), len(told), len(true))
    return found


def _planned(entries: Entries) -> Planned:
    return Planned(entries.x_m, entries.y_m, entries.start_h, entries.end_h, entries.works)


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64], *, exact: bool) -> Interval:
    """Share over all calendars; they are the clusters. A file without error gives the rule back to itself."""
    if exact and int(part.sum()) == int(whole.sum()) > 0:
        return Interval.exact(1.0, n=int(whole.sum()), method="identical-runs")
    if 0 < int(part.sum()) < int(whole.sum()):
        return cluster_rate_interval(events=part, trials=whole, clusters=np.arange(len(part))).interval
    return rate_interval(events=int(part.sum()), trials=int(whole.sum()), method="wilson")


def _summed(world: dict[str, Scalar], calendars: Sequence[Mapping[str, float]]) -> list[Result]:
    out = [
        Result(ID, measure, world, over_seeds([c[measure] for c in calendars]), TABLE)
        for measure in (
            "partial_corr", "circularity", "circularity_half", "spearman_note", "gain_over_linear", "gain_over_last",
            "brier_red", "brier_constant",
        )
    ]  # fmt: skip
    for name in COLOURS:
        bad, days = (np.array([c[f"{k}_{name}"] for c in calendars], dtype=np.int64) for k in ("bad", "days"))
        share = cluster_rate_interval(events=bad, trials=days, clusters=np.arange(len(bad))).interval
        out.append(Result(ID, "bad_days", {**world, "colour": name}, share, TABLE))
    return out


def _table(found: Sequence[_OneCalendar]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {"calendar": rep, **dict(zip(_KEYS, key[:3], strict=True)), "note_formula": key[3], **numbers,
         "partial_corr_ceiling": ceilings[key[:3]]}
        for rep, (notes, ceilings, _) in enumerate(found)
        for key, numbers in notes.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _clash_table(found: Sequence[_OneCalendar]) -> pd.DataFrame:
    return pd.DataFrame(
        {"calendar": rep, **dict(zip(_NOISE_KEYS, noise, strict=True)), "right": right, "announced": announced,
         "true": true}
        for rep, (_, _, clash) in enumerate(found)
        for noise, (right, announced, true) in clash.items()
    )  # fmt: skip
