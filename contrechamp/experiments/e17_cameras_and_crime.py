"""E17. Do cameras lower crime? What a before/after figure shows when they do nothing, and what a study can show.

Streets with their own ups and downs get cameras at random, where last year was worst, or by lot among the worst. The
true effect is set by hand, nil or not. Four estimates look for it: the naive change, the change against the other
streets from the year of the choice and from the year before it, and the change against streets that lost the draw; and
a correlation over streets. The same runs say how often a published fall appears without any effect, and how many
streets a study needs before it can tell nil from a fall of 13 %.

What it cannot tell you: whether cameras lower crime in any city. Criteria are mirrored: the same study can support
either side, and mostly is too small to support any.

References
----------
.. [1] Piza, Welsh, Farrington & Thomas (2019), Criminology & Public Policy 18(1), doi:10.1111/1745-9133.12419.
.. [2] Barnett, van der Pols & Dobson (2005), Int. J. Epidemiology 34(1), doi:10.1093/ije/dyh299.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.before_after import controlled_change, correlation_test, naive_change
from fairness.intervals import mean_interval
from fairness.rates import rate_interval
from synthetic_data.street_worlds import SELECTIONS, Selection, StreetWorlds, draw_street_worlds

ID: Final = "E17"
#: How the effect is looked for. ``did``: against the other streets, from the year of the choice; ``did-skip``: from the
#: year before it; ``lottery``: against streets that lost the draw (only where there was one).
ESTIMATORS: Final = ("naive", "did", "did-skip", "lottery")
#: Effect under which cameras are called without effect, either way.
EQUIVALENCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E17.

    Attributes
    ----------
    effects : tuple of float
        Share of incidents that cameras add in their street; 0 always among them. -0.13 is the order of magnitude
        remembered from a review, -0.30 the fall announced.
    selections : tuple of str
    n_cameras : tuple of int
        Streets with cameras; ``others_per_camera`` times as many without.
    per_years : tuple of float
        Mean recorded incidents of a street in a year.
    displacements : tuple of float
        Share of what is prevented that happens next door.
    others_per_camera : int
    trends : tuple of float
        Yearly change of the whole city. All are tried without effect; the first one with it.
    level_sd, year_sd : float
        Spread of the logs of street levels, and of a street's yearly ups and downs (assumptions).
    falls : tuple of float
        Published falls whose frequency without effect is measured.
    worlds : int
        Cities drawn per combination. The same seeds serve every effect, selection and displacement.
    displaced_up_to : int
        Studies of more streets than this are drawn without displacement only: they are long to draw.
    """

    effects: tuple[float, ...] = (0.0, -0.13, -0.30)
    selections: tuple[str, ...] = SELECTIONS
    n_cameras: tuple[int, ...] = (4, 20, 100, 2500)
    per_years: tuple[float, ...] = (10.0, 60.0)
    displacements: tuple[float, ...] = (0.0, 0.5)
    others_per_camera: int = 2
    trends: tuple[float, ...] = (-0.03, -0.2)
    level_sd: float = 0.8
    year_sd: float = 0.25
    falls: tuple[float, ...] = (-0.30, -0.32, -0.63)
    worlds: int = 120
    displaced_up_to: int = 100

    @classmethod
    def quick(cls) -> Params:
        """Four sizes of study, three effects, three ways to choose streets."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Finer axes, a thousand cities each."""
        return cls(
            effects=(0.0, -0.05, -0.13, -0.30), n_cameras=(4, 10, 20, 50, 100, 400, 3000), per_years=(3.0, 10.0, 60.0),
            displacements=(0.0, 0.25, 0.5, 1.0), worlds=1000,
        )  # fmt: skip


_CITIES: Final = Text(fr="villes tirées (graines)", en="cities drawn (seeds)")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("apparent_change", "share", Text(fr="Baisse ou hausse affichée, en moyenne",
            en="Fall or rise shown, on average"), _CITIES),
    Measure("bias", "points", Text(fr="Écart entre l’effet estimé et l’effet vrai, en moyenne",
            en="Estimated minus true effect, on average"), _CITIES),
    Measure("coverage", "share", Text(fr="Part des intervalles à 95 % qui contiennent l’effet vrai",
            en="Share of 95 % intervals that hold the true effect"), _CITIES),
    Measure("p_detects", "share", Text(fr="Part des études dont l’intervalle exclut un effet nul",
            en="Share of studies whose interval excludes no effect"), _CITIES),
    Measure("p_equivalent", "share", Text(fr="Part des études dont l’intervalle tient à moins de 5 % d’un effet nul",
            en="Share of studies whose interval lies within 5 % of no effect"), _CITIES),
    Measure("p_fall", "share", Text(fr="Part des villes qui affichent la baisse publiée, sans aucun effet",
            en="Share of cities that show the published fall, without any effect"), _CITIES),
    Measure("p_correlation", "share", Text(
            fr="Part des études de corrélation qui trouvent un lien (p < 0,05, dans le sens d’une baisse)",
            en="Share of correlation studies that find a link (p < 0.05, in the direction of a fall)"), _CITIES),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience ne dit pas si les caméras font baisser la délinquance quelque part : l’effet est posé à la main. "
    "Elle dit ce qu’un chiffre avant/après vaut comme indice, et de quelle taille doit être une étude pour trancher. "
    "Les comptages sont des enregistrements : une caméra qui en fait entrer davantage au fichier n’est pas simulée. "
    "Les dispersions entre rues et entre années sont supposées.",
    en="The experiment does not say whether cameras lower crime anywhere: the effect is set by hand. It says what a "
    "before/after figure is worth as evidence, and how large a study must be to decide. Counts are records: a camera "
    "that brings more of them into the file is not simulated. The spreads between streets and years are assumed.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E17.

    Returns
    -------
    Outcome
        Results by ``true_effect, placement, n_cameras, per_year, displacement, trend`` and ``estimator``;
        table ``e17_cities``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    cells = [
        {
            "true_effect": effect,
            "placement": selection,
            "n_cameras": n,
            "per_year": volume,
            "displacement": moved,
            "trend": trend,
        }
        for n, volume, selection, effect, moved, trend in product(
            params.n_cameras, params.per_years, params.selections, params.effects, params.displacements, params.trends
        )
        # nothing prevented, nothing moved
        if (moved == params.displacements[0] or (effect < 0 and n <= params.displaced_up_to))
        and (effect == 0 or trend == params.trends[0])
    ]
    results: list[Result] = []
    tables = []
    work = Parallel(n_jobs=jobs, return_as="generator")(delayed(_cell)(params, here, seed=seed) for here in cells)
    for done, (found, table) in enumerate(work, start=1):
        results += found
        tables.append(table)
        progress("E17: worlds", done, len(cells))
    return Outcome(results, {"e17_cities": pd.concat(tables, ignore_index=True)})


def _cell(params: Params, here: Mapping[str, Scalar], *, seed: int) -> tuple[list[Result], pd.DataFrame]:
    n = int(here["n_cameras"])
    worlds = draw_street_worlds(
        n_worlds=params.worlds, n_streets=n * (1 + params.others_per_camera), n_cameras=n,
        per_year=float(here["per_year"]), effect=float(here["true_effect"]), displacement=float(here["displacement"]),
        selection=cast(Selection, here["placement"]), trend=float(here["trend"]), level_sd=params.level_sd,
        year_sd=params.year_sd, rng=stream(seed, ID, "cities", n, str(here["per_year"])),
    )  # fmt: skip
    return read_cities(params, worlds, here)


def read_cities(params: Params, worlds: StreetWorlds, here: Mapping[str, Scalar]) -> tuple[list[Result], pd.DataFrame]:
    """Every estimate of every city, and what they come to."""
    effect, treated = float(here["true_effect"]), worlds.cameras
    others = ~treated
    estimates = {
        "did": controlled_change(worlds.counts, treated, others, since=-2),
        "did-skip": controlled_change(worlds.counts, treated, others, since=-3),
    }
    if here["placement"] == "lottery":
        estimates["lottery"] = controlled_change(worlds.counts, treated, worlds.eligible & others, since=-2)
    change = naive_change(worlds.counts, treated)
    r, p = correlation_test(worlds.counts, treated)
    out: list[Result] = []

    def add(measure: str, values: npt.NDArray[np.float64], *, share: bool, **more: Scalar) -> None:
        good = values[np.isfinite(values)]
        interval = rate_interval(events=int(good.sum()), trials=len(good)) if share else mean_interval(good)
        out.append(Result(ID, measure, {**here, **more}, interval, "e17_cities"))

    add("apparent_change", change, share=False, estimator="naive")
    add("bias", change - effect, share=False, estimator="naive")
    if effect == 0:
        for fall in params.falls:
            add("p_fall", _among(change <= fall, change), share=True, estimator="naive", fall=fall)
    add("p_correlation", _among((p < 0.05) & (r < 0), r), share=True, estimator="correlation")
    frames = [pd.DataFrame({"estimator": "naive", "estimate": change, "low": np.nan, "high": np.nan})]
    for name, found in estimates.items():
        add("bias", found.estimate - effect, share=False, estimator=name)
        for measure, seen in (
            ("coverage", (found.low <= effect) & (effect <= found.high)),
            ("p_detects", found.high < 0),
            ("p_equivalent", (found.low > -EQUIVALENCE) & (found.high < EQUIVALENCE)),
        ):
            add(measure, _among(seen, found.estimate), share=True, estimator=name)
        frames.append(
            pd.DataFrame({"estimator": name, "estimate": found.estimate, "low": found.low, "high": found.high})
        )
    return out, pd.concat(frames, ignore_index=True).assign(**here)


def _among(seen: npt.NDArray[np.bool_], estimate: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 or 0; NaN for a city without an estimate (nothing counted on a side), which says neither."""
    return np.where(np.isfinite(estimate), seen.astype(np.float64), np.nan)


def _check(params: Params) -> None:
    for name, ok, must in (
        ("worlds", params.worlds >= 2, "at least 2"),
        (
            "effects",
            0.0 in params.effects and all(-1 < e <= 0 for e in params.effects),
            "in (-1, 0], with 0 among them",
        ),
        ("selections", set(params.selections) <= set(SELECTIONS), f"among {', '.join(SELECTIONS)}"),
        ("n_cameras", all(n >= 2 for n in params.n_cameras) and bool(params.n_cameras), "at least 2 streets"),
        ("others_per_camera", params.others_per_camera >= 1, "at least 1"),
        ("per_years", bool(params.per_years), "at least one volume"),
        ("displacements", bool(params.displacements), "at least one share"),
        ("trends", bool(params.trends), "at least one yearly change"),
        ("selections", bool(params.selections), "at least one"),
        ("falls", all(f < 0 for f in params.falls), "below 0"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
