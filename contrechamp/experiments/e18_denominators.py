"""The denominators: can "1.13 %", "5.87 %" and "66 %" all be said of video in investigations without contradiction?

One side quotes 66 % of investigations solved, the other less than 2 %. Each divides by something else. The search
goes through whole numbers of cases and keeps every set of counts that prints all three figures at once; the
simulation then shows that the largest of them says nothing about what the images did.

What it cannot tell you: the figures come from different places (four periurban communes for 1.13 % and 5.87 %,
one transport network for 66 %). A set of counts that prints all of them shows that they do not contradict each
other; it is not the set that existed, and how many cases had images requested is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.intervals import rate_interval

ID: Final = "E18"

Images = Literal["useful", "useless_selected", "useless_random"]


@dataclass(frozen=True, slots=True)
class PrintedShare:
    """A percentage as it was printed: ``units`` of the last decimal, ``decimals`` after the point.

    ``PrintedShare(113, 2)`` is "1.13 %". Ties are kept on both sides, since rounding habits differ.
    """

    units: int
    decimals: int

    @property
    def label(self) -> str:
        """The figure as printed, without the sign: ``"1.13"``."""
        return f"{self.units / 10**self.decimals:.{self.decimals}f}"

    def numerators(self, denominator: int) -> list[int]:
        """Whole numerators that print this figure over ``denominator``; exact, in integers.

        Examples
        --------
        >>> PrintedShare(113, 2).numerators(1939)
        [22]
        >>> PrintedShare(113, 2).numerators(30)
        []
        """
        scale = 2 * 100 * 10**self.decimals
        low = -((-(2 * self.units - 1) * denominator) // scale)
        high = ((2 * self.units + 1) * denominator) // scale
        return list(range(max(low, 0), min(high, denominator) + 1))

    def denominators(self, numerator: int, *, at_most: int) -> list[int]:
        """Whole denominators up to ``at_most`` over which ``numerator`` prints this figure.

        Examples
        --------
        >>> PrintedShare(587, 2).denominators(22, at_most=1939)
        [375]
        """
        scale = 2 * 100 * 10**self.decimals
        low = -((-scale * numerator) // (2 * self.units + 1))
        high = at_most if self.units == 0 else (scale * numerator) // (2 * self.units - 1)
        return list(range(max(low, numerator, 1), min(high, at_most) + 1))


OF_ALL: Final = PrintedShare(113, 2)
OF_SOLVED: Final = PrintedShare(587, 2)
OF_REQUESTED: Final = PrintedShare(66, 0)
SOLVED_SHARE: Final = PrintedShare(74, 0)


@dataclass(frozen=True)
class Params:
    """Parameters of the experiment.

    Attributes
    ----------
    cases : int
        Investigations in the corpus (published).
    requested_share : float
        Share of cases with images requested at which the worked set is read (assumption: a published figure was
        not found).
    p_covered, p_kept, p_requested : float
        Simulation: a camera saw the scene; images still existed; they were asked for.
    p_useful : float
        Simulation: requested images lead to the author.
    p_solved_requested, p_solved_other : float
        Simulation: a case is solved by other means, with and without images requested. Their difference is
        selection: images are requested where there is something to pursue.
    reps : int
        Simulated corpora.
    """

    cases: int = 1939
    requested_share: float = 0.10
    p_covered: float = 0.40
    p_kept: float = 0.50
    p_requested: float = 0.50
    p_useful: float = 22 / 194
    p_solved_requested: float = 106 / 172
    p_solved_other: float = 247 / 1745
    reps: int = 500

    @classmethod
    def quick(cls) -> Params:
        """Five hundred corpora."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Five thousand corpora."""
        return cls(reps=5000)


_CASES = Text(fr="affaires", en="cases")
_SETS = Text(fr="jeux d’effectifs de la grille", en="sets of counts in the grid")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure(
        "share_all",
        "share",
        Text(
            fr="Affaires où les images ont aidé, sur toutes les affaires",
            en="Cases in which images helped, among all cases",
        ),
        Text(fr="toutes les affaires du corpus", en="all cases of the corpus"),
    ),
    Measure(
        "share_solved",
        "share",
        Text(
            fr="Affaires où les images ont aidé, sur les affaires élucidées",
            en="Cases in which images helped, among solved cases",
        ),
        Text(fr="affaires élucidées", en="solved cases"),
    ),
    Measure(
        "share_requested_solved",
        "share",
        Text(
            fr="Affaires élucidées, parmi celles où des images ont été demandées",
            en="Solved cases, among those with images requested",
        ),
        Text(fr="affaires avec images demandées (jeu retenu)", en="cases with images requested (worked set)"),
    ),
    Measure(
        "share_useful_requested_solved",
        "share",
        Text(
            fr="Affaires où les images ont aidé, parmi les affaires élucidées avec images demandées",
            en="Cases in which images helped, among solved cases with images requested",
        ),
        Text(
            fr="affaires élucidées avec images demandées (jeu retenu)",
            en="solved cases with images requested (worked set)",
        ),
    ),
    Measure(
        "parameter_sets_found",
        "count",
        Text(
            fr="Jeux d’effectifs entiers qui donnent les trois chiffres publiés à la fois",
            en="Sets of whole counts that print the three published figures at once",
        ),
        _SETS,
    ),
    Measure(
        "same_quantity_sets_found",
        "count",
        Text(
            fr="Jeux d’effectifs où les trois chiffres publiés divisent par la même chose",
            en="Sets of counts in which the three published figures divide by the same thing",
        ),
        _SETS,
    ),
    Measure(
        "requested_count",
        "count",
        Text(fr="Affaires avec images demandées, jeu retenu", en="Cases with images requested, worked set"),
        Text(fr="jeux d’effectifs trouvés (bornes : tous les jeux)", en="sets found (bounds: over all sets)"),
    ),
    Measure(
        "solved_implied",
        "count",
        Text(
            fr="Affaires élucidées qu’imposent 1,13 % et 5,87 %",
            en="Solved cases implied by 1.13 % and 5.87 %",
        ),
        _CASES,
    ),
    Measure(
        "solved_share_implied",
        "share",
        Text(
            fr="Part des affaires élucidées qu’imposent 1,13 % et 5,87 %",
            en="Share of cases solved implied by 1.13 % and 5.87 %",
        ),
        _CASES,
    ),
    Measure(
        "subset_74_largest",
        "count",
        Text(
            fr="Plus grand sous-ensemble d’affaires dont 74 % peuvent être élucidées",
            en="Largest subset of cases of which 74 % can be solved",
        ),
        _CASES,
    ),
    Measure(
        "under_2pct",
        "bool",
        Text(
            fr="Moins de 2 % (bas : tout l’intervalle ; haut : une partie)",
            en="Under 2 % (low: the whole interval; high: part of it)",
        ),
        _CASES,
    ),
    Measure(
        "simulated_share",
        "share",
        Text(fr="Part simulée, moyenne et quantiles à 95 %", en="Simulated share, mean and 95 % quantiles"),
        Text(fr="corpus simulés", en="simulated corpora"),
    ),
)

CANNOT_TELL: Final = Text(
    fr=(
        "Les chiffres comparés viennent de lieux différents : quatre communes périurbaines pour 1,13 % et 5,87 %, un "
        "réseau de transport pour 66 %. L’expérience montre qu’ils peuvent être vrais ensemble et ce que chacun "
        "divise. La simulation est réglée pour rendre ces chiffres : elle montre qu’ils ne distinguent pas des images "
        "utiles d’images inutiles, non lequel des deux mondes a existé. L’expérience ne dit ni combien d’affaires "
        "avaient des images demandées, ni ce que les images ont causé."
    ),
    en=(
        "The figures compared come from different places: four periurban communes for 1.13 % and 5.87 %, one transport "
        "network for 66 %. The experiment shows that they can hold together and what each divides. The simulation is "
        "set to give these figures back: it shows that they do not tell useful images from useless ones, not which of "
        "the two worlds existed. The experiment tells neither how many cases had images requested nor what the images "
        "caused."
    ),
)


def find_sets(
    cases: int,
    *,
    of_all: PrintedShare = OF_ALL,
    of_solved: PrintedShare = OF_SOLVED,
    of_requested: PrintedShare = OF_REQUESTED,
    solved: Sequence[int] | None = None,
    requested: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Every set of whole counts that prints the three figures at once.

    Useful cases are among the requested and solved ones; requested-and-solved cases cannot exceed the solved,
    and requested-and-unsolved cases cannot exceed the unsolved.

    Parameters
    ----------
    cases : int
        All cases.
    of_all, of_solved : PrintedShare
        Useful cases over all cases; over solved cases.
    of_requested : PrintedShare
        Requested-and-solved cases over requested cases.
    solved, requested : sequence of int, optional
        Allowed totals of solved and of requested cases, default 0 … ``cases``.

    Returns
    -------
    pandas.DataFrame
        Columns ``cases, requested, requested_solved, solved, useful``, one row per set, ordered. Empty when no
        set exists.

    Examples
    --------
    >>> len(find_sets(1939, requested=[1939]))
    0
    """
    if cases < 1:
        raise bad_parameter(name="cases", where="find_sets", must="a count of at least 1", got=cases)
    allowed_solved = None if solved is None else set(solved)
    columns = ["cases", "requested", "requested_solved", "solved", "useful"]
    rows: list[tuple[int, int, int, int, int]] = []
    candidates = range(cases + 1) if requested is None else sorted(set(requested))
    pairs = [(r, s) for r in candidates if r > 0 for s in of_requested.numerators(r)]
    for useful in of_all.numerators(cases):
        for total in of_solved.denominators(useful, at_most=cases):
            if allowed_solved is not None and total not in allowed_solved:
                continue
            rows += [
                (cases, r, s, total, useful)
                for r, s in pairs
                if useful <= s <= min(r, total) and r - s <= cases - total
            ]
    return pd.DataFrame(rows, columns=columns, dtype=np.int64)


def controls(cases: int) -> dict[str, pd.DataFrame]:
    """Search the published grid, then grids in which a denominator is taken away. None of the latter should hold.

    Returns
    -------
    dict of str to DataFrame
        ``published``; ``one_denominator`` (all three figures divide by all cases); ``all_requested`` (images
        requested in every case); ``only_useful_requested`` (images requested only where they helped);
        ``solved_74_of_all`` (the 74 % printed beside them is the share solved among all cases).
    """
    everything = [cases]
    return {
        "published": find_sets(cases),
        "one_denominator": find_sets(cases, solved=everything, requested=everything),
        "all_requested": find_sets(cases, requested=everything),
        "only_useful_requested": find_sets(cases, requested=OF_ALL.numerators(cases)),
        "solved_74_of_all": find_sets(cases, solved=SOLVED_SHARE.numerators(cases)),
    }


def same_quantity_sets(largest: int) -> int:
    """Count triples (denominator up to ``largest``, useful, solved) in which one denominator serves all figures.

    The same useful cases would have to print 1.13 % and 5.87 % over the same number: searched, not assumed.
    """
    found = 0
    for denominator in range(1, largest + 1):
        useful = set(OF_ALL.numerators(denominator)) & set(OF_SOLVED.numerators(denominator))
        found += len(useful) * len(OF_REQUESTED.numerators(denominator))
    return found


def worked_set(sets: pd.DataFrame, *, requested_share: float) -> dict[str, int]:
    """Pick the set whose requested cases are nearest ``requested_share`` of all, then nearest the printed 66 %."""
    if sets.empty:
        raise ParameterError(
            "No set of whole counts prints 1.13 %, 5.87 % and 66 % at once with this number of cases, so there is no "
            "worked set to show. The published corpus has 1,939 cases: run with --set cases=1939."
        )
    gap_requested = (sets["requested"] - requested_share * sets["cases"]).abs()
    gap_share = (sets["requested_solved"] / sets["requested"] - OF_REQUESTED.units / 100).abs()
    order = np.lexsort((gap_share.to_numpy(), gap_requested.to_numpy()))
    return {str(k): int(v) for k, v in sets.iloc[int(order[0])].items()}


def largest_subset(share: PrintedShare, *, solved: int) -> int:
    """Most cases of which ``share`` can be solved when ``solved`` are solved in all."""
    sizes = share.denominators(solved, at_most=100 * solved + 100)
    return sizes[-1] if sizes else 0


def simulate(params: Params, *, images: Images, rng: np.random.Generator) -> pd.DataFrame:
    """Draw corpora of synthetic investigations, case by case.

    Parameters
    ----------
    images : {"useful", "useless_selected", "useless_random"}
        Images lead to the author with ``p_useful``; never, but requested where cases get solved anyway; never,
        and requested without regard to the case.

    Returns
    -------
    pandas.DataFrame
        One row per corpus: ``requested, requested_solved, solved, useful``.
    """
    p_request = params.p_covered * params.p_kept * params.p_requested
    p_useful = params.p_useful if images == "useful" else 0.0
    p_selected = params.p_useful + (1 - params.p_useful) * params.p_solved_requested
    p_in = {"useful": params.p_solved_requested, "useless_selected": p_selected}.get(images)
    if p_in is None:  # requests at random: one chance of being solved for all, the same on average
        p_in = p_out = p_request * p_selected + (1 - p_request) * params.p_solved_other
    else:
        p_out = params.p_solved_other
    shape = (params.reps, params.cases)
    requested = rng.random(shape, dtype=np.float32) < p_request
    useful = requested & (rng.random(shape, dtype=np.float32) < p_useful)
    other_means = rng.random(shape, dtype=np.float32) < np.where(requested, np.float32(p_in), np.float32(p_out))
    solved = useful | other_means
    return pd.DataFrame(
        {
            "images": images,
            "replicate": np.arange(params.reps),
            "requested": requested.sum(axis=1),
            "requested_solved": (requested & solved).sum(axis=1),
            "solved": solved.sum(axis=1),
            "useful": useful.sum(axis=1),
        }
    )


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Search, then simulate. ``jobs`` is accepted for the common interface; the work is one short process."""
    _check(params)
    found = controls(params.cases)
    progress("search", 1, 2)
    sets = found["published"]
    chosen = worked_set(sets, requested_share=params.requested_share)
    results = [
        _result("parameter_sets_found", {"grid": grid}, Interval.exact(len(frame), method="exhaustive-search"))
        for grid, frame in found.items()
    ]
    results.append(
        _result(
            "same_quantity_sets_found",
            {"denominators": f"1..{params.cases}"},
            Interval.exact(same_quantity_sets(params.cases), n=params.cases, method="exhaustive-search"),
        )
    )
    results += _published(chosen, sets)
    simulated = [simulate(params, images=name, rng=stream(seed, ID, "cases", name)) for name in _IMAGES]
    results += [r for frame in simulated for r in _simulated(frame, cases=params.cases)]
    progress("simulation", 2, 2)
    tables = {
        "E18_sets": sets,
        "E18_worked": pd.DataFrame([_cross(chosen)]),
        "E18_simulation": pd.concat(simulated, ignore_index=True),
    }
    return Outcome(results, tables)


_IMAGES: Final[tuple[Images, ...]] = ("useful", "useless_selected", "useless_random")


def _published(chosen: dict[str, int], sets: pd.DataFrame) -> list[Result]:
    cases, solved, useful = chosen["cases"], chosen["solved"], chosen["useful"]
    # Clopper–Pearson: "under 2 %" is a ceiling, so the interval must keep its promise at every rate.
    shares = {
        "share_all": (OF_ALL.label, useful, cases),
        "share_solved": (OF_SOLVED.label, useful, solved),
        "share_requested_solved": (OF_REQUESTED.label, chosen["requested_solved"], chosen["requested"]),
        "share_useful_requested_solved": ("derived", useful, chosen["requested_solved"]),
    }
    out: list[Result] = []
    for key, (figure, events, trials) in shares.items():
        interval = rate_interval(events=events, trials=trials, method="clopper-pearson")
        out.append(_result(key, {"figure": figure}, interval, "E18_worked"))
        if key in ("share_all", "share_solved"):
            of = "all" if key == "share_all" else "solved"
            out.append(_result("under_2pct", {"of": of}, _under(interval, 0.02)))
    low, high = int(sets["requested"].min()), int(sets["requested"].max())
    out += [
        _result(
            "requested_count",
            {"grid": "published"},
            Interval(float(chosen["requested"]), float(low), float(high), len(sets), "exhaustive-search", 1.0),
            "E18_sets",
        ),
        _result("solved_implied", {}, _span(sets["solved"], chosen["solved"]), "E18_sets"),
        _result("solved_share_implied", {}, rate_interval(events=solved, trials=cases, method="wilson"), "E18_sets"),
        _result(
            "subset_74_largest",
            {"solved": solved},
            Interval.exact(largest_subset(SOLVED_SHARE, solved=solved), n=cases, method="exhaustive-search"),
        ),
    ]
    return out


def _span(values: pd.Series, chosen: int) -> Interval:
    return Interval(float(chosen), float(values.min()), float(values.max()), len(values), "exhaustive-search", 1.0)


def _under(interval: Interval, ceiling: float) -> Interval:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return Interval.not_estimable(n=interval.n, method=interval.method)
    flags = (interval.high < ceiling, interval.estimate < ceiling, interval.low < ceiling)
    low, mid, high = (float(flag) for flag in flags)
    return Interval(mid, low, high, interval.n, interval.method)


def _simulated(frame: pd.DataFrame, *, cases: int) -> list[Result]:
    images = str(frame["images"].iloc[0])
    shares = {
        "all": frame["useful"] / cases,
        "solved": frame["useful"] / frame["solved"],
        "requested_solved": frame["requested_solved"] / frame["requested"],
    }
    out = []
    for name, values in shares.items():
        kept = values.to_numpy(dtype=np.float64)
        kept = kept[np.isfinite(kept)]
        if kept.size:
            low, high = (float(q) for q in np.quantile(kept, [0.025, 0.975]))
            mean = float(kept.mean())  # a mean outside its own quantiles needs fewer than 40 very uneven corpora
            interval = Interval(mean, min(low, mean), max(high, mean), len(kept), "simulation-quantiles")
        else:
            interval = Interval.not_estimable(method="simulation-quantiles")
        out.append(_result("simulated_share", {"share": name, "images": images}, interval, "E18_simulation"))
    return out


def _cross(chosen: dict[str, int]) -> dict[str, int]:
    cases, requested, solved = chosen["cases"], chosen["requested"], chosen["solved"]
    both = chosen["requested_solved"]
    return {
        **chosen,
        "requested_unsolved": requested - both,
        "other_solved": solved - both,
        "other_unsolved": cases - requested - (solved - both),
    }


def _result(measure: str, world: dict[str, Scalar], interval: Interval, table: str = "") -> Result:
    return Result(ID, measure, world, interval, table)


def _check(params: Params) -> None:
    for name in (
        "requested_share", "p_covered", "p_kept", "p_requested", "p_useful", "p_solved_requested", "p_solved_other",
    ):  # fmt: skip
        value = getattr(params, name)
        if not 0 <= value <= 1:
            raise bad_parameter(name=name, where=ID, must="a share in [0, 1]", got=value)
    if params.reps < 1 or params.cases < 1:
        raise bad_parameter(name="reps, cases", where=ID, must="counts of at least 1", got=(params.reps, params.cases))
