"""E01, from tables to results: medians over world seeds, shares of seeds that pass, and what each of them is called.

Two sizes of world. How things are recorded matters to the verdict, so the champion's gains are told for every file of
records. What each predictor gains, and all that is beside the verdict, is averaged over a seed's files first, then told
for every kind of city; n counts seeds, never files.

What it cannot tell you: an average over files says nothing of the file a city has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

import numpy as np
import pandas as pd

from contrechamp.domain.results import Measure, Result, Scalar, Unit
from contrechamp.domain.text import Text
from contrechamp.experiments.e01_params import Params
from contrechamp.experiments.e01_worlds import ANALYST, BASELINES, CLAIRVOYANT, ID, REFERENCE
from fairness.intervals import quantile_interval, rate_interval

#: The forecast that the city's trial on records chose.
CHAMPION: Final = "champion"
#: What tells one kind of city from another, and one file of records from another.
CITY: Final = ("latent_per_day", "turnover", "kappa")
FILE: Final = ("recorded_share", "recording_bias")

_SEEDS: Final = Text(fr="mondes tirés (graines)", en="worlds drawn (seeds)")


def _measure(key: str, unit: Unit, fr: str, en: str) -> Measure:
    return Measure(key, unit, Text(fr=fr, en=en), _SEEDS)


MEASURES: Final[tuple[Measure, ...]] = (
    _measure("gain_latent", "ratio", "Gain relatif de PAI de la prévision choisie sur la meilleure carte gratuite, "
             "incidents latents",
             "Relative gain in PAI of the chosen forecast over the best free map, latent incidents"),
    _measure("gain_recorded", "ratio", "Gain relatif de PAI de la prévision choisie sur la meilleure carte gratuite, "
             "enregistrements", "Relative gain in PAI of the chosen forecast over the best free map, records"),
    _measure("gain_ceiling", "ratio", "Gain d’un devin qui connaît l’intensité du jour, incidents latents",
             "Gain of a clairvoyant who knows the day's intensity, latent incidents"),
    _measure("share_worlds_supported", "share", "Part des mondes où le gain atteint 10 % sur toutes les surfaces, "
             "intervalle au-dessus de 0",
             "Share of worlds where the gain reaches 10 % at every area, interval above 0"),
    _measure("share_worlds_refuted", "share", "Part des mondes où l’intervalle exclut un gain de 10 % sur une surface "
             "au moins", "Share of worlds whose interval rules out a gain of 10 % at one area at least"),
    _measure("share_worlds_out_of_reach", "share", "Part des mondes où même le devin n’atteint pas 10 % sur une "
             "surface au moins (tout l’intervalle)", "Share of worlds where even the clairvoyant falls short of 10 % "
             "at one area at least (whole interval)"),
    _measure("share_worlds_records_only", "share", "Part des mondes où le gain n’existe que sur les enregistrements",
             "Share of worlds where the gain shows on records only"),
    _measure("pai_latent", "pai", "PAI sur les incidents latents", "PAI on latent incidents"),
    _measure("predictor_gain_latent", "ratio", "Gain relatif de PAI sur la meilleure carte gratuite, incidents "
             "latents, moyenne des fichiers d’une graine de même part enregistrée",
             "Relative gain in PAI over the best free map, latent incidents, mean over a seed's files of one recorded "
             "share"),
    _measure("predictor_gain_recorded", "ratio", "Gain relatif de PAI sur la meilleure carte gratuite, "
             "enregistrements, moyenne des fichiers d’une graine de même part enregistrée",
             "Relative gain in PAI over the best free map, records, mean over a seed's files of one recorded share"),
    _measure("hit_rate_latent", "share", "Part des incidents latents du jour dans la surface signalée",
             "Share of the day's latent incidents in the flagged area"),
    _measure("hit_rate_recorded", "share", "Part des enregistrements du jour dans la surface signalée",
             "Share of the day's records in the flagged area"),
    _measure("pei_latent", "share", "PEI : part captée de ce que la meilleure carte d’après coup aurait capté, "
             "incidents latents", "PEI: share captured of what the best map in hindsight would have, latent incidents"),
    _measure("log_gain_latent", "nats", "Score logarithmique moins celui de la moyenne de 52 semaines, par incident "
             "latent", "Log score less that of the 52-week mean, per latent incident"),
    _measure("log_gain_recorded", "nats", "Score logarithmique moins celui de la moyenne de 52 semaines, par "
             "enregistrement", "Log score less that of the 52-week mean, per record"),
    _measure("match_share", "share", "Part des prédictions (case signalée, un jour) suivies d’un enregistrement",
             "Share of predictions (a flagged cell, one day) met by a record"),
    _measure("match_lift", "ratio", "La même, divisée par la part de toutes les cases-jours qui ont un enregistrement",
             "The same, over the share of all cell-days that have a record"),
    _measure("analyst_ratio", "ratio", "Faits captés par la prévision choisie pour un capté par une carte d’analyste "
             "simulée (points chauds des sept derniers jours)", "Events captured by the chosen forecast per event "
             "captured by a simulated analyst's map (hot spots of the last seven days)"),
    _measure("area_share_for_83pct", "share", "Part de la carte à signaler pour capter 83 % des incidents du lendemain",
             "Share of the map to flag to capture 83 % of the next day's incidents"),
)  # fmt: skip


def results(worlds: pd.DataFrame, maps: pd.DataFrame, *, params: Params) -> list[Result]:
    """Results of a run, by file of records, then by kind of city.

    Parameters
    ----------
    worlds, maps : DataFrame
        Tables ``e01_worlds`` and ``e01_maps``.
    params : Params
    """
    out: list[Result] = []
    for here, mine in _groups(worlds, (*CITY, *FILE)):
        out += _of_file(here, mine, params=params)
    beside = dict(_keyed(maps, CITY))
    for here, mine in _groups(worlds, CITY):
        out += _of_city(here, mine, beside[tuple(here.values())], params=params)
    return out


def _of_file(here: dict[str, Scalar], mine: pd.DataFrame, *, params: Params) -> list[Result]:
    out: list[Result] = []
    chosen = mine[mine["champion"].to_numpy(bool)]
    latent = chosen[(chosen["scored_on"] == "latent").to_numpy(bool)]
    recorded = chosen[(chosen["scored_on"] == "recorded").to_numpy(bool)]
    truth = mine[(mine["scored_on"] == "latent").to_numpy(bool)]
    ceiling = truth[(truth["predictor"] == CLAIRVOYANT).to_numpy(bool)]
    mean = truth[(truth["predictor"] == REFERENCE).to_numpy(bool)]
    for area in params.areas:
        where = {**here, "area": area}
        for measure, rows in (("gain_latent", latent), ("gain_recorded", recorded), ("gain_ceiling", ceiling)):
            out.append(_median(measure, where, _at(rows, area)["gain"]))
        out.append(_median("pai_latent", {**where, "predictor": CHAMPION}, _at(latent, area)["pai"]))
        out.append(_median("pai_latent", {**where, "predictor": REFERENCE}, _at(mean, area)["pai"]))
    for measure, events, trials in verdict_counts(latent, recorded, ceiling, gain=params.gain):
        share = rate_interval(events=events, trials=trials, method="wilson")
        out.append(Result(ID, measure, here, share, "e01_worlds"))
    return out


def _of_city(here: dict[str, Scalar], mine: pd.DataFrame, beside: pd.DataFrame, *, params: Params) -> list[Result]:
    """Results by kind of city: every value is first averaged over the files of a seed."""
    out: list[Result] = []
    tested = [k for k in dict.fromkeys(mine["predictor"]) if k not in (*BASELINES, CLAIRVOYANT, ANALYST)]
    chosen = _by(mine[mine["champion"].to_numpy(bool)], ("scored_on", "area"))
    each = _by(mine, ("predictor", "scored_on", "area"))
    for area in params.areas:
        where = {**here, "area": area}
        for kind in ("latent", "recorded"):
            for key in tested:
                rows = each[key, kind, area]
                rows = rows[
                    rows["recorded_share"].isin(params.table_shares)
                ]  # the files that every forecast was run on
                gains = _per_seed(rows, "gain")
                out.append(_median(f"predictor_gain_{kind}", {**where, "predictor": key}, gains))
            out.append(_median(f"hit_rate_{kind}", where, _per_seed(chosen[kind, area], "hit_rate")))
        out.append(_median("pei_latent", where, _per_seed(chosen["latent", area], "pei")))
    small = min(params.areas)
    where = {**here, "area": small}
    out.append(_median("match_share", where, _per_seed(chosen["recorded", small], "matched")))
    out.append(_median("match_lift", where, _per_seed(chosen["recorded", small], "lift")))
    for kind in ("latent", "recorded"):
        ratio = _per_seed(chosen[kind, small], "over_analyst")
        out.append(_median("analyst_ratio", {**where, "scored_on": kind}, ratio))
    best = beside[beside["champion"].to_numpy(bool)]
    for kind in ("latent", "recorded"):
        out.append(_median(f"log_gain_{kind}", here, _per_seed(best, f"log_gain_{kind}"), "e01_maps"))
    need = {CHAMPION: best} | {k: beside[(beside["predictor"] == k).to_numpy(bool)] for k in (*BASELINES, CLAIRVOYANT)}
    for key, rows in need.items():
        shares = _per_seed(rows, "area_share")
        out.append(_median("area_share_for_83pct", {**here, "predictor": key}, shares, "e01_maps"))
    return out


def verdict_counts(
    latent: pd.DataFrame, recorded: pd.DataFrame, ceiling: pd.DataFrame, *, gain: float
) -> list[tuple[str, int, int]]:
    """Seeds supported, refuted, out of any forecast's reach, and with a gain on records only: (measure, count, of).

    Parameters
    ----------
    latent, recorded, ceiling : DataFrame
        One row per seed and area: the chosen forecast on latent incidents and on records, and the clairvoyant on latent
        incidents; columns ``rep``, ``gain``, ``gain_low``, ``gain_high``.
    gain : float

    Notes
    -----
    Seeds without an estimable gain are not counted.
    """
    truth, file, reach = (_extremes(rows) for rows in (latent, recorded, ceiling))
    passed, passed_recorded = ((x["least"] >= gain) & (x["low"] > 0) for x in (truth, file))
    both = truth["known"] & file["known"]
    return [
        ("share_worlds_supported", int((passed & truth["known"]).sum()), int(truth["known"].sum())),
        ("share_worlds_refuted", int(((truth["high"] < gain) & truth["known"]).sum()), int(truth["known"].sum())),
        ("share_worlds_out_of_reach", int(((reach["high"] < gain) & reach["known"]).sum()), int(reach["known"].sum())),
        ("share_worlds_records_only", int((passed_recorded & ~passed & both).sum()), int(both.sum())),
    ]


def _extremes(rows: pd.DataFrame) -> pd.DataFrame:
    """By seed, over areas: the least gain, the least bounds, and whether all are known."""
    by_seed = rows.groupby("rep")
    found = by_seed[["gain", "gain_low", "gain_high"]].min()
    found.columns = pd.Index(["least", "low", "high"])
    found["known"] = by_seed["gain"].count() == by_seed["gain"].size()
    return found


def _median(measure: str, where: Mapping[str, Scalar], values: pd.Series, table: str = "e01_worlds") -> Result:
    # Few seeds: order statistics keep their promise where a bootstrap of the median does not.
    return Result(ID, measure, where, quantile_interval(values.dropna().to_numpy(np.float64), q=0.5), table)


def _per_seed(rows: pd.DataFrame, column: str) -> pd.Series:
    return rows.groupby("rep")[column].mean()


def _at(rows: pd.DataFrame, area: float) -> pd.DataFrame:
    return rows[(rows["area"] == area).to_numpy(bool)]


def _by(rows: pd.DataFrame, keys: Sequence[str]) -> dict[tuple[Scalar, ...], pd.DataFrame]:
    return dict(_keyed(rows, keys))


def _keyed(rows: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[tuple[Scalar, ...], pd.DataFrame]]:
    for values, group in rows.groupby(list(keys), sort=False):
        yield tuple(v if isinstance(v, str) else float(cast(float, v)) for v in values), group


def _groups(rows: pd.DataFrame, keys: Sequence[str]) -> Iterator[tuple[dict[str, Scalar], pd.DataFrame]]:
    for values, group in _keyed(rows, keys):
        yield dict(zip(keys, values, strict=True)), group
