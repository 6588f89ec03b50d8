"""E05, the adequacy percentage: does it say that the response is right, or that it resembles the past?

In the calendars of E04 each extra officer has a known effect, so that the cheapest number of officers of every event is
known. Plans that owe as much to that optimum as to the habit of the place are drawn around both, a replica of the
delivered tool gives each its percentage, and the percentage is held against the distance to the one and to the other.
Then the past is played again with twice too many officers everywhere, on purpose: what percentage does the same excess
get once it has become the past?

Prevention levels notes. Where every event had its optimal number of officers, the incidents left are
``1 / (incident_cost * per_officer)``: they depend on the crowd and no longer on the danger, so that events alike in
their notes are not alike in their needs. This is why a percentage built on similar notes does not win against habit
even in the worlds where the past was right.

What it cannot tell you: see :data:`CANNOT_TELL`.

References
----------
.. [1] Gomet' (25 May 2018), on the presentation of the platform to the press.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.experiments.events import over_seeds, shown
from models.mpulse import MPulse
from models.mpulse_adequacy import adequacy_formula
from models.mpulse_notes import note_formula
from synthetic_data.event_worlds import EventLaw, EventWorld, draw_event_world

ID: Final = "E05"
TABLE: Final = "E05_calendars"


@dataclasses.dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E05.

    Attributes
    ----------
    worlds : int
        Calendars drawn for each world.
    adequacy_formulas : tuple of str
        Keys of :data:`models.mpulse_adequacy.ADEQUACY_FORMULAS`: guesses.
    habit_strengths : tuple of float
        1: officers were sent as always to that venue and kind; 0: as many as the optimum.
    prevented_shares : tuple of float
        Share of incidents, in [0, 1), that an ordinary deployment prevents: the marginal effect of each officer.
    informativeness : float
        Share of the danger beyond crowd and date that the features tell.
    note_formula : str
        Key of :data:`models.mpulse_notes.NOTE_FORMULAS` on which events resemble each other: a guess.
    events_per_year, years : int
        Planned events are those of the last year.
    plan_spread : float
        Spread of plans around the middle of optimum and habit, on the log scale.
    excess : float
        Deliberate over-staffing: this many times the larger of the optimum and of what would have been sent.
    n_trees, min_leaf : int
        Of the forest.
    """

    worlds: int = 12
    adequacy_formulas: tuple[str, ...] = ("resemblance", "quiet-events", "coverage")
    habit_strengths: tuple[float, ...] = (0.0, 0.5, 1.0)
    prevented_shares: tuple[float, ...] = (0.1, 0.25, 0.6)
    informativeness: float = 0.5
    note_formula: str = "rank"
    events_per_year: int = 400
    years: int = 3
    plan_spread: float = 1.0
    excess: float = 2.0
    n_trees: int = 12
    min_leaf: int = 10

    @classmethod
    def quick(cls) -> Params:
        """Twelve calendars per world: seconds."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Two hundred calendars per world, a finer map: minutes."""
        return cls(
            worlds=200, habit_strengths=(0.0, 0.25, 0.5, 0.75, 1.0), prevented_shares=(0.05, 0.1, 0.25, 0.4, 0.6)
        )


_CALENDARS: Final = Text(fr="calendriers simulés", en="simulated calendars")
_TWICE: Final = Text(
    fr="calendriers simulés, chacun deux fois (passé ordinaire, passé en sureffectif)",
    en="simulated calendars, each twice (ordinary past, over-staffed past)",
)

MEASURES: tuple[Measure, ...] = (
    Measure(
        "corr_gap",
        "ratio",
        Text(
            fr="corrélation de l’adéquation avec la distance à l’optimum moins celle avec la distance à l’habitude, en "
            "valeurs absolues",
            en="correlation of adequacy with the distance to the optimum minus that with the distance to habit, in "
            "absolute values",
        ),
        _CALENDARS,
    ),
    Measure(
        "corr_optimum",
        "ratio",
        Text(
            fr="corrélation de rang de l’adéquation avec la distance à l’effectif optimal (négative : plus près, plus "
            "adéquat)",
            en="rank correlation of adequacy with the distance to optimal staffing (negative: nearer, more adequate)",
        ),
        _CALENDARS,
    ),
    Measure(
        "corr_habit",
        "ratio",
        Text(
            fr="corrélation de rang de l’adéquation avec la distance à l’habitude (négative : plus près, plus adéquat)",
            en="rank correlation of adequacy with the distance to habit (negative: nearer, more adequate)",
        ),
        _CALENDARS,
    ),
    Measure(
        "corr_optimum_of_habit",
        "ratio",
        Text(
            fr="repère : la même corrélation avec la distance à l’optimum, pour un score de proximité avec l’habitude",
            en="baseline: the same correlation with the distance to the optimum, for a score of closeness to habit",
        ),
        _CALENDARS,
    ),
    Measure(
        "excess_first",
        "share",
        Text(
            fr="adéquation moyenne d’un sureffectif systématique, la première année",
            en="mean adequacy of systematic over-staffing, in its first year",
        ),
        _CALENDARS,
    ),
    Measure(
        "excess_again",
        "share",
        Text(
            fr="adéquation moyenne d’un sureffectif systématique, là où il est devenu le passé",
            en="mean adequacy of systematic over-staffing, where it has become the past",
        ),
        _TWICE,
    ),
    Measure(
        "excess_reward",
        "points",
        Text(
            fr="adéquation que le même sureffectif gagne parce qu’il est devenu le passé",
            en="adequacy that the same over-staffing gains because it has become the past",
        ),
        _TWICE,
    ),
    Measure(
        "optimum_adequacy",
        "share",
        Text(fr="adéquation moyenne de l’effectif optimal", en="mean adequacy of optimal staffing"),
        _CALENDARS,
    ),
    Measure(
        "optimum_after_excess",
        "share",
        Text(
            fr="adéquation moyenne de l’effectif optimal après un passé en sureffectif",
            en="mean adequacy of optimal staffing after an over-staffed past",
        ),
        _TWICE,
    ),
    Measure(
        "advice_cost",
        "ratio",
        Text(
            fr="coût de l’effectif conseillé par la réplique, rapporté à l’optimum (1 : optimal)",
            en="cost of the staffing that the replica advises, relative to the optimum (1: optimal)",
        ),
        _CALENDARS,
    ),
    Measure(
        "habit_cost",
        "ratio",
        Text(
            fr="coût de l’effectif d’habitude, rapporté à l’optimum (1 : optimal)",
            en="cost of habitual staffing, relative to the optimum (1: optimal)",
        ),
        _CALENDARS,
    ),
)

CANNOT_TELL = Text(
    fr=(
        "Ce que l'expérience ne dit pas : la formule du pourcentage livré. Aucune n'est publiée : les trois essayées "
        "sont des hypothèses de notre part. L'effet de chaque agent, le prix d'un incident et la force de l'habitude "
        "sont posés, non mesurés à Marseille. Les plans jugés doivent autant à l'optimum qu'à l'habitude : avec "
        "d'autres plans, d'autres corrélations. Là où l'habitude ne pèse rien, le passé est lui-même proche de "
        "l'optimum : suivre l'un est presque suivre l'autre. Rien ici ne dit si des agents suivraient le pourcentage."
    ),
    en=(
        "What the experiment does not say: the formula of the delivered percentage. None is published: the three tried "
        "are our guess. The effect of each officer, the price of an incident and the strength of habit are stated, not "
        "measured in Marseille. The plans judged owe as much to the optimum as to habit: other plans, other "
        "correlations. Where habit weighs nothing, the past is itself near the optimum: to follow one is almost to "
        "follow the other. Nothing here says whether officers would follow the percentage."
    ),
)

_WITH_FORMULA: Final = (
    "corr_gap", "corr_optimum", "corr_habit", "excess_first", "excess_again", "excess_reward", "optimum_adequacy",
    "optimum_after_excess",
)  # fmt: skip
_WITHOUT: Final = ("corr_optimum_of_habit", "advice_cost", "habit_cost")
_Place = tuple[float, float]
_OneCalendar = dict[_Place, tuple[dict[str, float], dict[str, dict[str, float]]]]


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Draw calendars, judge plans with the replica, hold the percentage against the optimum and against habit.

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
        Table ``E05_calendars``: one row per calendar, world and formula.

    Raises
    ------
    ParameterError
        If a formula does not exist or a number is out of range.
    """
    note_formula(params.note_formula)
    for name in params.adequacy_formulas:
        adequacy_formula(name)
    if params.worlds < 2:
        raise bad_parameter(name="worlds", where="E05", must="at least 2: one calendar has no interval",
                            got=params.worlds)  # fmt: skip
    if not params.excess >= 1:
        raise bad_parameter(name="excess", where="E05", must="at least 1", got=params.excess)
    if not all(0 <= share < 1 for share in params.prevented_shares):
        raise bad_parameter(name="prevented_shares", where="E05", must="shares in [0, 1)", got=params.prevented_shares)
    calls = (delayed(_calendar)(params, rep, seed) for rep in range(params.worlds))
    found: list[_OneCalendar] = []
    for one in Parallel(n_jobs=jobs, return_as="generator")(calls):
        found.append(one)
        progress(ID, len(found), params.worlds)

    results: list[Result] = []
    for place in _places(params):
        at: dict[str, Scalar] = {"habit_strength": place[0], "prevented_share": place[1]}
        results += [Result(ID, m, at, over_seeds([one[place][0][m] for one in found]), TABLE) for m in _WITHOUT]
        for formula in params.adequacy_formulas:
            world = {**at, "adequacy_formula": formula}
            results += [
                Result(ID, m, world, over_seeds([one[place][1][formula][m] for one in found]), TABLE)
                for m in _WITH_FORMULA
            ]
    rows = [
        {"calendar": rep, "habit_strength": place[0], "prevented_share": place[1], "adequacy_formula": formula,
         **numbers, **common}
        for rep, one in enumerate(found)
        for place, (common, by_formula) in one.items()
        for formula, numbers in by_formula.items()
    ]  # fmt: skip
    return Outcome(results, {TABLE: pd.DataFrame(rows)})


def habit(world: EventWorld, officers: FloatArray) -> FloatArray:
    """What was usually sent: geometric mean, over past events of the same venue and kind, of the officers plus one.

    Returns
    -------
    ndarray, shape (n_events,)
        The kind's own mean where that venue never had that kind, the mean of all where the kind never occurred.
    """
    past = world.past
    file = world.calendar[past].assign(sent=np.log1p(officers[past]))
    at = pd.MultiIndex.from_frame(world.calendar[["venue", "kind"]])
    here = file.groupby(["venue", "kind"])["sent"].mean().reindex(at).to_numpy(dtype=np.float64)
    anywhere = file.groupby("kind")["sent"].mean().reindex(world.calendar["kind"]).to_numpy(dtype=np.float64)
    usual = np.where(np.isfinite(here), here, anywhere)
    return np.asarray(np.expm1(np.where(np.isfinite(usual), usual, float(file["sent"].mean()))))


def distance(first: FloatArray, second: FloatArray) -> FloatArray:
    """How far two numbers of officers are: the absolute log of their ratio, one officer added to each.

    Examples
    --------
    >>> distance(np.array([9.0, 4.0]), np.array([4.0, 4.0])).round(3).tolist()
    [0.693, 0.0]
    """
    return np.asarray(np.abs(np.log1p(first) - np.log1p(second)))


def _places(params: Params) -> list[_Place]:
    return list(itertools.product(params.habit_strengths, params.prevented_shares))


def _calendar(params: Params, rep: int, seed: int) -> _OneCalendar:
    """Every world of one replicate: they share calendar, luck and the chance in the plans."""
    chance = int(stream(seed, ID, "forest", rep).integers(2**31))
    out: _OneCalendar = {}
    for strength, prevented in _places(params):
        law = EventLaw(
            n_per_year=params.events_per_year,
            n_years=params.years,
            habit_strength=strength,
            informativeness=params.informativeness,
            deterrence=-float(np.log1p(-prevented)),
        )
        world = draw_event_world(law, rng=stream(seed, ID, "calendar", rep))
        planned = ~world.past
        usual = habit(world, world.officers)
        luck = stream(seed, ID, "plans", rep).standard_normal(len(usual))
        middle = (np.log1p(world.optimal) + np.log1p(usual)) / 2 + params.plan_spread * luck
        plans = np.rint(np.maximum(np.expm1(middle), 0.0))
        before = _fitted(params, world, world.officers, seed=chance)
        far_best, far_usual = (distance(plans, x)[planned] for x in (world.optimal, usual))
        advice = np.rint(before.staff(world.features[planned]).mean)
        best = world.cost(world.optimal)[planned].sum()
        common = {
            "corr_optimum_of_habit": _spearman(-far_usual, far_best),
            "advice_cost": float(world.cost(_placed(advice, planned))[planned].sum() / best),
            "habit_cost": float(world.cost(np.rint(usual))[planned].sum() / best),
        }
        too_many = np.rint(params.excess * np.maximum(world.optimal, world.officers))
        after = _fitted(params, world, too_many, seed=chance)
        scored = {}
        for formula in params.adequacy_formulas:
            before.adequacy = after.adequacy = formula
            scored[formula] = _scored(
                world, before, after, plans=plans, too_many=too_many, far_best=far_best, far_usual=far_usual
            )
        out[strength, prevented] = common, scored
    return out


def _fitted(params: Params, world: EventWorld, officers: FloatArray, *, seed: int) -> MPulse:
    """The replica after a past in which ``officers`` were sent: incidents and facts are those of that past."""
    tool = MPulse(note=params.note_formula, n_trees=params.n_trees, min_leaf=params.min_leaf, seed=seed)
    return tool.fit(shown(world, world.facts(officers), officers, rows=world.past))


def _scored(
    world: EventWorld, before: MPulse, after: MPulse, *, plans: FloatArray, too_many: FloatArray, far_best: FloatArray,
    far_usual: FloatArray,
) -> dict[str, float]:  # fmt: skip
    planned = ~world.past
    features = world.features[planned]
    given = before.adequate(features, planned=plans[planned])
    to_best, to_usual = _spearman(given, far_best), _spearman(given, far_usual)
    first = float(before.adequate(features, planned=too_many[planned]).mean())
    again = float(after.adequate(features, planned=too_many[planned]).mean())
    return {
        "corr_gap": abs(to_best) - abs(to_usual),
        "corr_optimum": to_best,
        "corr_habit": to_usual,
        "excess_first": first,
        "excess_again": again,
        "excess_reward": again - first,
        "optimum_adequacy": float(before.adequate(features, planned=world.optimal[planned]).mean()),
        "optimum_after_excess": float(after.adequate(features, planned=world.optimal[planned]).mean()),
    }


def _placed(values: FloatArray, rows: BoolArray) -> FloatArray:
    whole = np.zeros(len(rows))
    whole[rows] = values
    return whole


def _spearman(x: FloatArray, y: FloatArray) -> float:
    """Rank correlation; NaN where either never varies."""
    if float(np.ptp(x)) == 0 or float(np.ptp(y)) == 0:
        return float("nan")
    return float(stats.spearmanr(x, y).statistic)
