"""E09. Whom does "static for more than T seconds" flag? The rule first with a perfect machine, then with real ones.

A hall and a square are filled with people who pass, wait, look for their way, sit, sell, sweep, play, sleep rough.
A hidden neutral label, *target*, falls on the same share of each situation. On the first rung of the ladder a perfect
machine applies the rule to thousands of passages: what it gets wrong is owed to the rule alone, and no better model
will mend it. The rules that are shipped then read the same tracks. On the next rungs a real tracker, then a detector,
look at rendered clips where the same person, on the same path, is given another body.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.experiments import e09_measures as m
from contrechamp.experiments.e09_ladder import MEASURES as LADDER_MEASURES
from contrechamp.experiments.e09_ladder import film, ladder_results, shipped_rules
from fairness.intervals import mean_interval, poisson_rate_interval, rate_interval
from synthetic_data.dwell_worlds import LAWS, LONGEST, LawKey, SetKey, Sojourns, as_targets, draw_sojourns, spans

ID: Final = "E09"
#: What the rule counts: time at one spot, or time inside the zone.
RULES: Final = ("static", "present")
WAITING: Final = ("waiting", "lost")
STAYERS: Final = tuple(role for role, law in LAWS.items() if law.median_s > 60)


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E09.

    Attributes
    ----------
    places : tuple of str
        ``"hall"``, ``"square"``.
    thresholds_s : tuple of float
        T, of the whole curve; ``burden_thresholds_s`` those for which the burden is told, among them.
    main_threshold_s : float
        The T of the claim.
    prevalences : tuple of float
        Share of targets, equal in every situation; ``main_prevalence`` where only one is told.
    target_stays_min : tuple of float
        How long targets stay, minutes (median); 0: as anybody of their situation.
    rearm_s : float
        Seconds after an alert before a rule that repeats counts again.
    camera_days : int
        Days of one camera, per place and law.
    hours_per_day : float
    cue_share : float
        Share of persons with the harmless cue that the cautious rule asks for.
    common_share : float
        From which share of a situation a behaviour is said to be common in it.
    cameras, operators : int
        For the city.
    track_days : int
        Camera-days given to the shipped rules as tables of tracks, at ``track_fps``.
    track_fps : float
    clips : int
        Scenes of the next rungs, each played with every body of ``bodies`` where somebody waits; ``clip_s`` seconds at
        ``clip_fps``, under a threshold of ``clip_threshold_s``.
    clip_s, clip_fps, clip_threshold_s : float
    bodies : tuple of str
    detectors : tuple of str
        Detectors of the third rung.
    """

    places: tuple[str, ...] = ("hall", "square")
    thresholds_s: tuple[float, ...] = (60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0)
    burden_thresholds_s: tuple[float, ...] = (60.0, 300.0, 900.0, 1800.0)
    main_threshold_s: float = 300.0
    prevalences: tuple[float, ...] = (0.001, 0.01, 0.1)
    main_prevalence: float = 0.01
    target_stays_min: tuple[float, ...] = (0.0, 20.0, 60.0)
    rearm_s: float = 300.0
    camera_days: int = 60
    hours_per_day: float = 16.0
    cue_share: float = 0.3
    common_share: float = 0.5
    cameras: int = 1_600
    operators: int = 20
    track_days: int = 1
    track_fps: float = 0.2
    clips: int = 4
    clip_s: float = 24.0
    clip_fps: float = 0.5
    clip_threshold_s: float = 15.0
    bodies: tuple[str, ...] = ("rough_seated", "rough_lying", "vendor", "wheelchair", "child_playing")
    detectors: tuple[str, ...] = ("yolo",)

    @classmethod
    def quick(cls) -> Params:
        """Sixty camera-days per place and law, four short scenes, each played with every body."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """A finer grid over two hundred camera-days, and clips of a minute."""
        return cls(
            prevalences=(0.0003, 0.001, 0.003, 0.01, 0.03, 0.1), target_stays_min=(0.0, 10.0, 20.0, 40.0, 60.0, 120.0),
            burden_thresholds_s=(60.0, 120.0, 300.0, 600.0, 900.0, 1800.0), camera_days=200, track_days=4, clips=12,
            clip_s=60.0, clip_fps=2.0, clip_threshold_s=30.0, detectors=("yolo",),
        )  # fmt: skip


_PASSAGES: Final = Text(fr="passages tirés", en="passages drawn")
_ALERTED: Final = Text(fr="personnes signalées", en="persons flagged")
_TARGETS: Final = Text(fr="cibles tirées", en="targets drawn")
_ALERTS: Final = Text(fr="alertes à tort", en="wrong alerts")
_WRONGED: Final = Text(fr="personnes signalées à tort", en="persons wrongly flagged")
_AT_RANDOM: Final = Text(fr="personnes prises au hasard", en="persons taken at random")
_PERSONS: Final = Text(fr="personnes tirées", en="persons drawn")
_DAYS: Final = Text(fr="jours de caméra tirés", en="camera-days drawn")
_COUNTED: Final = Text(fr="alertes comptées", en="alerts counted")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("best_balance", "share", Text(
            fr="Le meilleur T : la plus petite de la précision et du rappel",
            en="Best T: the smaller of precision and recall"), _TARGETS),
    Measure("precision", "share", Text(fr="Part de cibles parmi les personnes signalées",
            en="Share of targets among persons flagged"), _ALERTED),
    Measure("recall", "share", Text(fr="Part des cibles signalées", en="Share of targets flagged"), _TARGETS),
    Measure("false_positive_rate", "share", Text(fr="Part des autres passages signalés",
            en="Share of other passages flagged"), _PASSAGES),
    Measure("false_waiting_lost", "share", Text(
            fr="Part des signalées à tort qui attendent quelqu’un ou cherchent leur chemin",
            en="Share of those wrongly flagged who wait for someone or look for their way"), _WRONGED),
    Measure("precision_random", "share", Text(fr="Précision d’autant de personnes tirées au hasard",
            en="Precision of as many persons taken at random"), _AT_RANDOM),
    Measure("precision_cue", "share", Text(fr="Précision si un indice anodin est exigé en plus",
            en="Precision when a harmless cue is asked for as well"), _ALERTED),
    Measure("recall_cue", "share", Text(fr="Rappel si un indice anodin est exigé en plus",
            en="Recall when a harmless cue is asked for as well"), _TARGETS),
    Measure("hourly_ratio", "ratio", Text(
            fr="Fausses alertes par heure de présence : sans-abri sur les autres",
            en="Wrong alerts per hour of presence: people sleeping rough over the others"), _ALERTS),
    Measure("passage_ratio", "ratio", Text(
            fr="Part des passages signalés à tort : sans-abri sur les autres",
            en="Share of passages wrongly flagged: people sleeping rough over the others"), _PASSAGES),
    Measure("alerts_share_longest", "share", Text(fr="Part des fausses alertes qui tombe sur les sans-abri",
            en="Share of wrong alerts that falls on people sleeping rough"), _WRONGED),
    Measure("hours_share_longest", "share", Text(fr="Part des heures de présence des sans-abri",
            en="Share of the hours of presence of people sleeping rough"), _PERSONS),
    Measure("passages_share_longest", "share", Text(fr="Part des passages des sans-abri",
            en="Share of passages of people sleeping rough"), _PASSAGES),
    Measure("lawful_common", "share", Text(
            fr="Part des alertes sur une conduite licite, courante dans la situation de la personne",
            en="Share of alerts on lawful behaviour, common in the person’s situation"), _ALERTED),
    Measure("hours_lost_longest", "share", Text(
            fr="Part de leur présence que perdent les sans-abri si l’alerte disperse",
            en="Share of their presence that people sleeping rough lose if the alert disperses"), _PERSONS),
    Measure("hours_lost_others", "share", Text(fr="Part de leur présence que perdent les autres si l’alerte disperse",
            en="Share of their presence that the others lose if the alert disperses"), _PERSONS),
    Measure("hours_lost_ratio", "ratio", Text(fr="Part perdue : sans-abri sur les autres",
            en="Share lost: people sleeping rough over the others"), _PERSONS),
    Measure("alerts_per_camera_day", "per_day", Text(fr="Alertes par caméra et par jour",
            en="Alerts per camera and day"), _DAYS),
    Measure("alerts_per_operator_hour", "ratio", Text(
            fr="Alertes par opérateur et par heure si chaque caméra de la ville voit un tel lieu",
            en="Alerts per operator and hour if every camera of the city sees such a place"), _DAYS),
    Measure("alerts_per_1000", "count", Text(fr="Personnes signalées pour 1 000 passages",
            en="Persons flagged per 1,000 passages"), _PASSAGES),
    Measure("alerts_per_person_hour", "ratio", Text(fr="Alertes par heure de présence",
            en="Alerts per hour of presence"), _PERSONS),
    Measure("share_of_alerts", "share", Text(fr="Part des personnes signalées", en="Share of persons flagged"),
            _ALERTED),
    Measure("share_of_hours", "share", Text(fr="Part des heures de présence", en="Share of the hours of presence"),
            _PERSONS),
    Measure("hours_lost", "share", Text(fr="Part de la présence perdue si l’alerte disperse",
            en="Share of presence lost if the alert disperses"), _PERSONS),
    *LADDER_MEASURES,
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="Les durées de séjour et le nombre de personnes de chaque situation sont des hypothèses énoncées : l’expérience "
    "dit ce qu’une règle fait de ces durées, non qui se tient sur une place réelle. « Cible » est une étiquette tirée "
    "au sort, la même part dans chaque situation : elle ne désigne aucun acte. Les détecteurs éprouvés n’ont vu que "
    "des images de synthèse ou des photographies d’ailleurs. Une alerte n’est pas un contrôle : ce qu’un agent en "
    "fait, et ce que vit la personne, ne sont pas simulés. La dispersion est une supposition, non une pratique "
    "constatée.",
    en="Dwell times and the number of persons in each situation are stated assumptions: the experiment says what a "
    "rule does with these times, not who stands on a real square. “Target” is a label drawn by lot, the same share "
    "in every situation: it stands for no act. The detectors tried have seen synthetic images only, or photographs "
    "from elsewhere. An alert is not a check: what an officer makes of it, and what the person lives through, are not "
    "simulated. Dispersal is a supposition, not a practice observed.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E09.

    Returns
    -------
    Outcome
        Operators' results by ``place``, ``rule``, ``prevalence``, ``target_stay_min`` (and ``T_s``); burden by
        ``place``, ``law``, ``rule``, ``repeat``, ``T_s``; by ``role``; shipped rules by ``preset``; rungs by
        ``rung`` and ``body``. Tables ``e09_roles``, ``e09_curve``, ``e09_presets``, ``e09_ladder``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    tasks: list[Callable[[], _Part]] = [
        delayed(_rung_one)(params, place, law, seed=seed) for place in params.places for law in ("stated", "equal")
    ]
    tasks += [delayed(_shipped)(params, place, seed=seed) for place in params.places]
    tasks += [delayed(_film)(params, number, seed=seed) for number in range(params.clips)]
    parts: list[_Part] = []
    for done, part in enumerate(Parallel(n_jobs=jobs, return_as="generator")(tasks), start=1):
        parts.append(part)
        progress("E09: worlds", done, len(tasks))
    tables: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        for name, table in part[1].items():
            tables.setdefault(name, []).append(table)
    joined = {name: pd.concat(frames, ignore_index=True) for name, frames in tables.items()}
    results = [r for part in parts for r in part[0]]
    if "e09_ladder" in joined:
        results += ladder_results(joined["e09_ladder"])
    return Outcome(results, joined)


_Part = tuple[list[Result], dict[str, pd.DataFrame]]


def _rung_one(params: Params, place: SetKey, law: LawKey, *, seed: int) -> _Part:
    """The rule with a perfect machine, in one place under one law."""
    drawn = draw_sojourns(
        place=place, law=law, camera_days=params.camera_days, hours_per_day=params.hours_per_day,
        rng=stream(seed, ID, "sojourns", place, law),
    )  # fmt: skip
    counted = {rule: spans(drawn, static=rule == "static") for rule in RULES}
    results, roles = _burden(params, place, law, drawn, counted)
    if law == "equal":
        return results, {"e09_roles": roles}
    told, curve = _operators(params, place, drawn, counted, seed=seed)
    return results + told, {"e09_roles": roles, "e09_curve": curve}


def _operators(
    params: Params, place: SetKey, drawn: Sojourns, counted: dict[str, pd.DataFrame], *, seed: int
) -> tuple[list[Result], pd.DataFrame]:
    """Precision and recall for targets, by prevalence and by how long targets stay, over T."""
    persons, n = drawn.persons, len(drawn.persons)
    role = persons["role"].to_numpy()
    waits = np.isin(role, WAITING)
    u, cue = persons["u_target"].to_numpy(), persons["u_cue"].to_numpy() < params.cue_share
    results: list[Result] = []
    rows: list[dict[str, Any]] = []
    base = {rule: m.longest(counted[rule], n=n) for rule in RULES}
    for stay in params.target_stays_min:
        own = dict(base)
        if stay > 0:
            layer = as_targets(
                drawn, prevalence=max(params.prevalences), stay_min=stay, rng=stream(seed, ID, "targets", place)
            )
            own = {rule: m.longest(spans(layer, static=rule == "static"), n=n) for rule in RULES}
        for rule in RULES:
            for prevalence in params.prevalences:
                target = u < prevalence
                long = np.where(target, own[rule], base[rule])
                world: dict[str, Scalar] = {"place": place, "rule": rule, "prevalence": prevalence,
                                            "target_stay_min": stay}  # fmt: skip
                best = m.best_balance(longest_s=long, target=target, thresholds_s=params.thresholds_s)
                results.append(Result(ID, "best_balance", world, best, "e09_curve"))
                for threshold in params.thresholds_s:
                    hit = long >= threshold
                    right, wrong = int((hit & target).sum()), int((hit & ~target).sum())
                    targets = int(target.sum())
                    rows.append({**world, "T_s": threshold, "persons": n, "targets": targets, "right": right,
                                 "wrong": wrong})  # fmt: skip
                    if rule != "static":
                        continue
                    here = {**world, "T_s": threshold}
                    found = {
                        "precision": rate_interval(events=right, trials=right + wrong),
                        "recall": rate_interval(events=right, trials=targets),
                        "false_positive_rate": rate_interval(events=wrong, trials=n - targets),
                    }
                    if threshold == params.main_threshold_s:
                        false = hit & ~target
                        found["false_waiting_lost"] = rate_interval(events=int((false & waits).sum()), trials=wrong)
                        chosen = stream(seed, ID, "random", place).permutation(n)[: right + wrong]
                        found["precision_random"] = rate_interval(events=int(target[chosen].sum()), trials=len(chosen))
                        both = hit & cue
                        found["precision_cue"] = rate_interval(events=int((both & target).sum()),
                                                               trials=int(both.sum()))  # fmt: skip
                        found["recall_cue"] = rate_interval(events=int((both & target).sum()), trials=targets)
                    results += [Result(ID, key, here, value, "e09_curve") for key, value in found.items()]
    return results, pd.DataFrame(rows)


def _burden(
    params: Params, place: SetKey, law: LawKey, drawn: Sojourns, counted: dict[str, pd.DataFrame]
) -> tuple[list[Result], pd.DataFrame]:
    """Who is wrongly flagged, per hour and per passage, when targets behave like anybody."""
    persons, n = drawn.persons, len(drawn.persons)
    target = persons["u_target"].to_numpy() < params.main_prevalence
    stay = persons["stay_s"].to_numpy(np.float64)
    code = persons["role"].cat.codes.to_numpy().astype(np.int64)
    names = list(persons["role"].cat.categories)
    mine = np.isin(code, [names.index(r) for r in LONGEST])
    safe = np.flatnonzero(~target)
    hours = stay / 3600.0
    ours, hours_safe = mine[safe], hours[safe]
    watched = {
        "hours_share_longest": m.ratio_of_sums(hours * mine, hours, cap=1.0),
        "passages_share_longest": rate_interval(events=int(mine.sum()), trials=n),
    }
    results: list[Result] = []
    rows: list[pd.DataFrame] = []
    per_hour = params.cameras / params.operators / params.hours_per_day
    for rule in RULES:
        for threshold in params.burden_thresholds_s:
            fired = m.fire(counted[rule], n=n, threshold_s=threshold, rearm_s=params.rearm_s)
            lost = np.where(fired.alerted, stay - np.where(fired.alerted, fired.first_s, 0.0), 0.0)
            flagged = np.flatnonzero(fired.alerted & ~target)
            for repeat in (False, True):
                world: dict[str, Scalar] = {"place": place, "law": law, "rule": rule, "repeat": repeat,
                                            "T_s": threshold}  # fmt: skip
                alerts = fired.alerts if repeat else fired.alerted.astype(np.int64)
                wrong = alerts[flagged].astype(np.float64)
                daily = _per_day(alerts, persons, params.camera_days)
                found = {
                    "hourly_ratio": m.hourly_ratio(alerts[safe], hours_safe, ours),
                    "alerts_share_longest": m.ratio_of_sums(wrong * mine[flagged], wrong, cap=1.0),
                    "lawful_common": m.lawful_common(
                        alerted=fired.alerted, alerts=alerts, target=target, role=code, roles=len(names),
                        common_share=params.common_share,
                    ),
                    "alerts_per_camera_day": daily,
                    "alerts_per_operator_hour": _scaled(daily, per_hour),
                }  # fmt: skip
                if not repeat:
                    found |= watched
                    found["passage_ratio"] = m.passage_ratio(fired.alerted[safe], ours)
                    found["hours_lost_longest"] = m.ratio_of_sums(lost[mine], stay[mine], cap=1.0)
                    found["hours_lost_others"] = m.ratio_of_sums(lost[~mine], stay[~mine], cap=1.0)
                    found["hours_lost_ratio"] = m.lost_ratio(lost, stay, mine)
                results += [Result(ID, key, world, value, "e09_roles") for key, value in found.items()]
                sums = {"persons": None, "hours": hours, "flagged": fired.alerted, "alerts": alerts,
                        "hours_lost": lost / 3600.0}  # fmt: skip
                told = {k: np.bincount(code, weights=v, minlength=len(names)) for k, v in sums.items()}
                rows.append(pd.DataFrame({**world, "role": names, **told}))
            if law == "stated" and rule == "static" and threshold == params.main_threshold_s:
                results += _by_role(place, threshold, fired.alerted, stay, lost, code, names)
    return results, pd.concat(rows, ignore_index=True)


def _by_role(
    place: str, threshold: float, alerted: m.BoolArray, stay: FloatArray, lost: FloatArray, code: m.IntArray,
    names: list[str],
) -> list[Result]:  # fmt: skip
    """The two readings, situation by situation: per passage and per hour; share of alerts beside share of hours."""
    out: list[Result] = []
    hours = stay / 3600.0
    for k, name in enumerate(names):
        own = code == k
        if not own.any():
            continue
        world: dict[str, Scalar] = {"place": place, "rule": "static", "T_s": threshold, "role": name}
        rate = rate_interval(events=int(alerted[own].sum()), trials=int(own.sum()))
        found = {
            "alerts_per_1000": _scaled(rate, 1000.0),
            "alerts_per_person_hour": m.ratio_of_sums(alerted[own].astype(np.float64), hours[own]),
            "share_of_alerts": rate_interval(events=int((alerted & own).sum()), trials=int(alerted.sum())),
            "share_of_hours": m.ratio_of_sums(hours * own, hours, cap=1.0),
            "hours_lost": m.ratio_of_sums(lost[own], stay[own], cap=1.0),
        }
        out += [Result(ID, key, world, value, "e09_roles") for key, value in found.items()]
    return out


def _shipped(params: Params, place: SetKey, *, seed: int) -> _Part:
    """The rules that are shipped, on the tracks of a perfect tracker."""
    drawn = draw_sojourns(
        place=place, law="stated", camera_days=params.track_days, hours_per_day=params.hours_per_day,
        rng=stream(seed, ID, "tracks", place),
    )  # fmt: skip
    return shipped_rules(
        drawn, place=place, days=params.track_days, fps=params.track_fps, threshold_s=params.main_threshold_s,
        rng=stream(seed, ID, "positions", place),
    )  # fmt: skip


def _film(params: Params, number: int, *, seed: int) -> _Part:
    """The next rungs, on one scene and its twins."""
    rows = film(
        number, bodies=params.bodies, duration_s=params.clip_s, fps=params.clip_fps,
        threshold_s=params.clip_threshold_s, detectors=params.detectors, seed=seed,
    )  # fmt: skip
    return [], {"e09_ladder": rows}


def _per_day(alerts: m.IntArray, persons: pd.DataFrame, days: int) -> Interval:
    """Mean over camera-days; the exact interval of a rate where days do not differ."""
    per = np.bincount(persons["camera_day"].to_numpy(), weights=alerts, minlength=days)
    spread = mean_interval(per)
    return spread if spread.estimable else poisson_rate_interval(events=int(alerts.sum()), exposure=float(days))


def _scaled(interval: Interval, by: float) -> Interval:
    if interval.estimate is None or interval.low is None or interval.high is None:
        return interval
    return Interval(interval.estimate * by, interval.low * by, interval.high * by, interval.n, interval.method,
                    interval.level)  # fmt: skip


def _check(params: Params) -> None:
    for name, ok, must in (
        ("places", bool(params.places) and set(params.places) <= {"hall", "square"}, "hall, square or both"),
        ("thresholds_s", bool(params.thresholds_s) and min(params.thresholds_s) > 0, "at least one time above 0"),
        ("burden_thresholds_s", bool(params.burden_thresholds_s) and min(params.burden_thresholds_s) > 0,
         "at least one time above 0"),
        ("prevalences", bool(params.prevalences) and all(0 < p < 1 for p in params.prevalences), "shares in (0, 1)"),
        ("target_stays_min", bool(params.target_stays_min) and min(params.target_stays_min) >= 0, "of at least 0"),
        ("main_prevalence", 0 < params.main_prevalence < 1, "a share in (0, 1)"),
        ("main_threshold_s", params.main_threshold_s in params.thresholds_s
         and params.main_threshold_s in params.burden_thresholds_s, "among `thresholds_s` and `burden_thresholds_s`"),
        ("cue_share", 0 < params.cue_share <= 1, "a share in (0, 1]"),
        ("common_share", 0 < params.common_share <= 1, "a share in (0, 1]"),
        ("cameras", params.cameras >= 1, "at least 1"),
        ("operators", params.operators >= 1, "at least 1"),
        ("camera_days", params.camera_days >= 2, "at least 2"),
        ("track_days", 1 <= params.track_days <= params.camera_days, "at least 1 and at most `camera_days`"),
        ("hours_per_day", 0 < params.hours_per_day <= 24, "in (0, 24]"),
        ("rearm_s", params.rearm_s >= 0, "at least 0"),
        ("track_fps", params.track_fps > 0, "above 0"),
        ("clips", params.clips >= 0, "at least 0"),
        ("clip_s", params.clip_s > 0, "above 0"),
        ("clip_fps", params.clip_fps > 0, "above 0"),
        ("clip_threshold_s", 0 < params.clip_threshold_s < params.clip_s, "above 0 and under `clip_s`"),
    ):  # fmt: skip
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
