"""What E13 measures, and how the rows of its searches and routes become numbers with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Measure, Result, Scalar
from contrechamp.domain.text import Text
from fairness.clusters import cluster_rate_interval
from fairness.intervals import quantile_interval
from synthetic_data.appearance_worlds import AppearanceLaw

ID: Final = "E13"
_LAW: Final = Text(fr="calcul sur des lois posées", en="arithmetic on stated laws")
_SEARCHES: Final = Text(fr="recherches simulées", en="simulated searches")
_PAIRS: Final = Text(fr="comparaisons de deux personnes différentes", en="comparisons of two different people")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("entropy_bits", "ratio", Text(fr="Information d’une description sans faute (bits)",
            en="Information of a faultless description (bits)"), _LAW),
    Measure("bits_short", "ratio", Text(
            fr="Bits qui manquent pour désigner une seule personne (négatif : il y en a de trop)",
            en="Bits short of naming a single person (below 0: more than enough)"), _LAW),
    Measure("expected_candidates", "ratio", Text(fr="Candidats attendus d’une description sans faute",
            en="Expected candidates of a faultless description"), _LAW),
    Measure("chance_top10", "share", Text(fr="Réussite au rang 10 en tirant au hasard",
            en="Top-10 success of a random draw"), _LAW),
    Measure("candidate_set", "count", Text(fr="Candidats restants (médiane)", en="Candidates left (median)"),
            _SEARCHES),
    Measure("target_kept", "share", Text(fr="Recherches où la personne est parmi les candidats",
            en="Searches in which the person is among the candidates"), _SEARCHES),
    Measure("top1", "share", Text(fr="Recherches où la personne est la première de la liste",
            en="Searches in which the person is first of the list"), _SEARCHES),
    Measure("top10", "share", Text(fr="Recherches où la personne est parmi les dix premières",
            en="Searches in which the person is among the first ten"), _SEARCHES),
    Measure("false_match", "share", Text(fr="Passants pris pour la personne cherchée",
            en="Passers-by taken for the person looked for"), _PAIRS),
    Measure("candidate_set_by_dress", "count", Text(
            fr="Candidats restants (médiane), selon que la tenue est commune ou rare",
            en="Candidates left (median), for common and for rare dress"), _SEARCHES),
    Measure("top10_by_dress", "share", Text(
            fr="Personne parmi les dix premières, selon que la tenue est commune ou rare",
            en="Person among the first ten, for common and for rare dress"), _SEARCHES),
    Measure("route_recall", "share", Text(fr="Passages de la personne que le parcours reconstitué contient",
            en="Sightings of the person that the rebuilt route holds"),
            Text(fr="passages devant une caméra", en="sightings by a camera")),
    Measure("route_purity", "share", Text(fr="Passages du parcours reconstitué qui sont de la bonne personne",
            en="Sightings of the rebuilt route that are of the right person"),
            Text(fr="liens faits d’une caméra à l’autre", en="links made between cameras")),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience mesure un pouvoir d’individualiser, non le sens juridique du mot « biométrique », qui ne "
    "s’éprouve pas par simulation. Les lois des tenues et les erreurs sont posées, non relevées dans une ville ; "
    "personne n’y change de tenue, ne met de manteau ni n’est masqué par un autre. Le classement connaît exactement "
    "ces lois et ces erreurs : un produit les connaît moins bien. Aucun visage, aucune démarche ne sont simulés.",
    en="The experiment measures the power to single out, not the legal meaning of the word “biométrique”, which no "
    "simulation can test. Laws of dress and errors are stated, not observed in a city; nobody changes clothes, puts "
    "on a coat or is hidden by another. The ranking knows those laws and errors exactly: a product knows them less "
    "well. No face and no gait are simulated.",
)
#: Ways of searching that leave somebody out.
_FILTERS: Final = ("strict", "wide", "colour-only")


def closed_forms(laws: Mapping[str, AppearanceLaw], *, crowds: Sequence[int]) -> list[Result]:
    """Numbers that need no draw: entropy, bits short, expected candidates and chance."""
    out = []
    for dress, law in laws.items():
        bits = law.entropy_bits
        out.append(Result(ID, "entropy_bits", {"dress": dress}, _exact(bits)))
        for crowd in crowds:
            here: dict[str, Scalar] = {"dress": dress, "crowd": crowd}
            out.append(Result(ID, "bits_short", here, _exact(float(np.log2(crowd)) - bits)))
            out.append(Result(ID, "expected_candidates", here, _exact(law.expected_candidates(crowd))))
    out += [Result(ID, "chance_top10", {"crowd": crowd}, _exact(min(10 / crowd, 1.0))) for crowd in crowds]
    return out


def results_of(searches: pd.DataFrame, routes: pd.DataFrame, *, wearer_crowd: int) -> list[Result]:
    """Results of the searches, of those for people in common and in rare dress, and of the routes.

    Parameters
    ----------
    searches, routes : pandas.DataFrame
        Tables of the run.
    wearer_crowd : int
        Crowd in which the two kinds of dress are compared.
    """
    out: list[Result] = []
    for keys, rows in searches.groupby(["dress", "noise", "crowd", "query"], sort=False):
        world = dict(zip(("dress", "noise", "crowd", "query"), _plain(keys), strict=True))
        found = {
            "candidate_set": quantile_interval(rows["candidates"].to_numpy(np.float64)),
            "top10": _share(rows["rank"] <= 10, rows["rep"]),
        }
        if world["query"] == "ranked":
            found["top1"] = _share(rows["rank"] <= 1, rows["rep"])
        if world["query"] in _FILTERS:
            found["target_kept"] = _share(rows["kept"], rows["rep"])
            others = np.full(len(rows), int(world["crowd"]) - 1)
            found["false_match"] = cluster_rate_interval(
                events=rows["false"], trials=others, clusters=rows["rep"]
            ).interval
        out += [Result(ID, key, world, interval, "e13_searches") for key, interval in found.items()]
    near = searches[(searches["crowd"] == wearer_crowd) & (searches["query"] == "ranked")]
    for keys, rows in near[near["wearer"] != "between"].groupby(["dress", "noise", "query", "wearer"], sort=False):
        world = dict(zip(("dress", "noise", "query", "wearer"), _plain(keys), strict=True))
        world = {**world, "crowd": wearer_crowd}
        sizes = quantile_interval(rows["candidates"].to_numpy(np.float64))
        out.append(Result(ID, "candidate_set_by_dress", world, sizes, "e13_searches"))
        out.append(Result(ID, "top10_by_dress", world, _share(rows["rank"] <= 10, rows["rep"]), "e13_searches"))
    for keys, rows in routes.groupby(["dress", "noise", "nearby"], sort=False):
        world = dict(zip(("dress", "noise", "nearby"), _plain(keys), strict=True))
        for measure, of in (("route_recall", "seen"), ("route_purity", "links")):
            interval = cluster_rate_interval(events=rows["right"], trials=rows[of], clusters=rows["rep"]).interval
            out.append(Result(ID, measure, world, interval, "e13_routes"))
    return out


def _plain(keys: Any) -> list[Any]:
    return [key.item() if isinstance(key, np.generic) else key for key in keys]


def _share(hits: pd.Series, clusters: pd.Series) -> Interval:
    """Share of searches; those in one crowd are not independent of each other."""
    ones = np.ones(len(hits), dtype=np.int64)
    return cluster_rate_interval(events=hits.astype(np.int64), trials=ones, clusters=clusters).interval


def _exact(value: float) -> Interval:
    return Interval.exact(value, method="closed-form")
