"""E16. A sensor that hears screams, spray cans and saws: how many alerts a true event, and how much speech?

Sounds are synthesised, a detector is trained on some and tried on others, by distance, and on traffic alone. What it
does with each kind of sound is then put into the rhythm of three streets, in which an offence is more or less rare and
an ordinary sound is more or less often physically the same as an abnormal one: a scream of joy is a scream. A loudness
threshold and alerts at random are the baselines. Beside it, the arithmetic of the one published field figure.

What it cannot tell you: what a product hears. The sounds are made by the same hand for training and for trial, which
flatters the detector; the rhythm of the streets is assumed. What is measured is how far a rare event carries an alert.

References
----------
.. [1] Mesaros, Heittola & Virtanen (2016), "Metrics for polyphonic sound event detection", Applied Sciences 6(6):162.
.. [2] City of Chicago Office of Inspector General (2021), report on ShotSpotter (the published figures).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from fairness.clusters import cluster_rate_interval
from fairness.rates import rate_interval
from synthetic_data.sound_worlds import ABNORMAL, AMBIENCES, KINDS, RATE_HZ, TWINS, Soundscapes, draw_soundscapes
from vsa.scoring.sound import event_counts, segment_counts
from vsa.sound import AbnormalSound, Windows, alerts_of, best_score, explain, overlaps, threshold_for_recall, windows

ID: Final = "E16"
DETECTORS: Final = ("trained", "loudness", "random")
READINGS: Final = ("sound", "offence")
PROCESSINGS: Final = ("continuous", "gated", "kept")
HOURS_PER_DAY: Final = 24.0
#: Kinds tried: speech four times as often as the others, being by far the most frequent in a street.
_TRIED: Final = (*KINDS, "speech", "speech", "speech")
#: Draws by which the error on what the detector does is carried into a precision.
_DRAWS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of E16.

    Attributes
    ----------
    scenes, training_scenes : int
        Recordings on which the detector is tried, at each reach, with as many of traffic alone; and those it learns
        from, with as many again to set its threshold.
    scene_s : float
    reaches_m : tuple of float
        Greatest distance at which a sound is promised to be heard.
    recall_wanted : float
        Share of abnormal sounds that the threshold is set to find.
    ambiences : tuple of str
    alike_shares : tuple of float
        Share of the ordinary sounds with an abnormal twin that are physically the same as it.
    offences_per_day : tuple of float
        Sounds worth a dispatch within reach of a sensor in a day, spread evenly over the abnormal kinds.
    sensors : tuple of int
        Sensors of the city, for natural frequencies: three for two months in Saint-Étienne, some fifty planned.
    gate_db : float
        Over the background: what is quieter is not analysed by a gated sensor.
    keep_before_s, keep_after_s : float
        Sound kept around an alert (assumption).
    responses, recorded, with_evidence : int
        Published: police responses, those with a recorded outcome, those with evidence of a gun offence.
    finding_shares : tuple of float
        Share of true shots after which evidence would be found: what the published figure leaves unknown.
    """

    scenes: int = 90
    training_scenes: int = 30
    scene_s: float = 30.0
    reaches_m: tuple[float, ...] = (15.0,)
    recall_wanted: float = 0.9
    ambiences: tuple[str, ...] = ("calm", "market", "building")
    alike_shares: tuple[float, ...] = (0.0, 0.1, 0.5)
    offences_per_day: tuple[float, ...] = (0.01, 0.1, 1.0)
    sensors: tuple[int, ...] = (3, 50)
    gate_db: float = 6.0
    keep_before_s: float = 5.0
    keep_after_s: float = 10.0
    responses: int = 50_176
    recorded: int = 41_830
    with_evidence: int = 4_556
    finding_shares: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0)

    @classmethod
    def quick(cls) -> Params:
        """One reach, three streets, three quarters of an hour of sound."""
        return cls()

    @classmethod
    def full(cls) -> Params:
        """Five hours of sound at each of three reaches, and finer axes."""
        return cls(
            scenes=600, training_scenes=200, reaches_m=(10.0, 15.0, 40.0),
            alike_shares=(0.0, 0.02, 0.1, 0.25, 0.5, 1.0),
            offences_per_day=(0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0), finding_shares=(0.1, 0.25, 0.5, 0.75, 1.0),
        )  # fmt: skip


_SOUNDS: Final = Text(fr="sons essayés", en="sounds tried")
_SCENES: Final = Text(fr="sons et alertes, par enregistrement", en="sounds and alerts, by recording")
_SOUGHT: Final = Text(fr="sons anormaux essayés", en="abnormal sounds tried")
_SPEECH: Final = Text(fr="extraits de parole essayés", en="speech extracts tried")
_PUBLISHED: Final = Text(fr="déplacements publiés", en="published responses")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("precision", "share", Text(fr="Part des alertes qui sont justes", en="Share of alerts that are right"),
            _SOUNDS),
    Measure("recall", "share", Text(fr="Part des sons anormaux qui déclenchent une alerte",
            en="Share of abnormal sounds that raise an alert"), _SOUGHT),
    Measure("false_per_sensor_day", "per_day", Text(fr="Fausses alertes par capteur et par jour",
            en="False alerts per sensor and day"), _SOUNDS),
    Measure("useless_dispatches_per_day", "per_day", Text(
            fr="Déplacements inutiles par jour dans la ville, si chaque alerte en vaut un",
            en="Useless dispatches a day in the city, if each alert is worth one"), _SOUNDS),
    Measure("speech_processed", "share", Text(fr="Part de la parole captée qui est traitée",
            en="Share of the speech picked up that is processed"), _SPEECH),
    Measure("event_f1", "share", Text(fr="F1 par événement (début à 0,2 s près)", en="Event F1 (onset within 0.2 s)"),
            _SCENES),
    Measure("segment_f1", "share", Text(fr="F1 par seconde", en="F1 by second"), _SCENES),
    Measure("evidence_share", "share", Text(
            fr="Part des déplacements qui ont donné un indice d’infraction par arme à feu",
            en="Share of responses that gave evidence of a gun offence"), _PUBLISHED),
    Measure("precision_implied", "share", Text(
            fr="Part d’alertes justes que le chiffre publié permet, selon la part des vrais tirs dont on trouve trace",
            en="Share of right alerts that the published figure allows, by the share of true shots that leave a trace"),
            _PUBLISHED),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="L’expérience ne dit pas ce qu’entend un produit : les sons sont synthétisés, par la même main pour "
    "l’apprentissage et pour l’essai, ce qui flatte le détecteur ; le rythme des rues (une moyenne, la même jour et "
    "nuit) et la rareté des faits sont supposés. Murs, vent, micros et bruits imprévus manquent. Un seul apprentissage "
    "par portée : un autre donnerait un autre seuil, donc un autre rappel, et les intervalles n’en tiennent pas "
    "compte. L’absence d’indice après un déplacement ne dit pas si l’alerte était fausse.",
    en="The experiment does not say what a product hears: sounds are synthesised, by the same hand for training and "
    "for trial, which flatters the detector; the rhythm of streets (a mean, the same by day and by night) and the "
    "rarity of events are assumed. Walls, wind, microphones and unforeseen noises are missing. One training per reach: "
    "another would give another threshold, hence another recall, and the intervals do not carry that. No evidence "
    "after a response does not say that the alert was false.",
)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a detector did with the sounds tried at one reach.

    Attributes
    ----------
    sounds : DataFrame
        One row a sound: ``scene, kind, alike, told`` (an alert answers to it).
    unexplained : int
        Alerts in recordings of traffic alone. Elsewhere a sound begins every three seconds and would answer for them.
    hours : float
        Of recordings of traffic alone.
    counts : DataFrame
        One row a scene: true positives, false positives and misses by event and by second.
    """

    sounds: pd.DataFrame
    unexplained: int
    hours: float
    counts: pd.DataFrame


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E16.

    Returns
    -------
    Outcome
        Precision and recall by ``reach_m, ambience, alike_share, offences_per_day, reading, detector``; speech by
        ``processing``; the published figure by ``denominator``. Table ``e16_sounds``.

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(listen)(params, reach_m=reach, seed=seed) for reach in params.reaches_m
    )
    results: list[Result] = []
    tables = []
    for done, (reach, heard) in enumerate(zip(params.reaches_m, work, strict=True), start=1):
        results += _measured(params, heard, reach_m=reach, seed=seed)
        tables += [h.sounds.assign(reach_m=reach, detector=name) for name, h in heard.items()]
        progress("E16: recordings", done, len(params.reaches_m))
    results += _published(params)
    return Outcome(results, {"e16_sounds": pd.concat(tables, ignore_index=True)})


def listen(params: Params, *, reach_m: float, seed: int) -> dict[str, Heard]:
    """Train a detector on some recordings, set its threshold on others, try it on a third lot and on traffic alone.

    The loudness is tried likewise.
    A further ``"gate"`` entry says which sounds are loud enough for a sensor that analyses nothing quieter.
    """
    scapes = {
        use: draw_soundscapes(
            n_scenes=n, scene_s=params.scene_s, reach_m=reach_m, rng=stream(seed, ID, use),
            alike_share=0.5 if use == "try" else 0.0, kinds=_TRIED if use == "try" else tuple(KINDS),
        )
        for use, n in (("learn", params.training_scenes), ("set", params.training_scenes), ("try", params.scenes))
    }  # fmt: skip
    scapes["quiet"] = draw_soundscapes(
        n_scenes=params.scenes, scene_s=params.scene_s, reach_m=reach_m, rng=stream(seed, ID, "quiet"), kinds=()
    )
    cut = {use: _cut(s) for use, s in scapes.items()}
    learn, tried, heard, quiet = scapes["learn"], scapes["try"], cut["try"], cut["quiet"]
    labels = [overlaps(w.starts_s, w.length_s, _of(learn, i, abnormal=True)) for i, w in enumerate(cut["learn"])]
    features = np.concatenate([w.features for w in cut["learn"]])
    model = AbnormalSound(seed=seed % 2**31).fit(features, np.concatenate(labels))
    on: dict[str, Callable[[list[Windows]], list[npt.NDArray[np.float64]]]] = {
        "trained": lambda cuts: [model.score(w.features) for w in cuts],
        "loudness": lambda cuts: [w.level_db for w in cuts],
    }
    out = {}
    for name, scored in on.items():
        best = [
            best_score(w.starts_s, w.length_s, s, _of(scapes["set"], i, abnormal=True))
            for i, (w, s) in enumerate(zip(cut["set"], scored(cut["set"]), strict=True))
        ]
        limit = threshold_for_recall(np.concatenate(best), recall=params.recall_wanted)
        alone = sum(
            len(alerts_of(w.starts_s, s, length_s=w.length_s, threshold=limit))
            for w, s in zip(quiet, scored(quiet), strict=True)
        )
        out[name] = _hear(tried, heard, scored(heard), limit, unexplained=alone)
    out["gate"] = _hear(tried, heard, [w.level_db for w in heard], params.gate_db, unexplained=0)
    return out


def _cut(scapes: Soundscapes) -> list[Windows]:
    return [windows(audio, rate_hz=RATE_HZ) for audio in scapes.audio]


def _of(scapes: Soundscapes, scene: int, *, abnormal: bool = False) -> pd.DataFrame:
    rows = scapes.events[scapes.events["scene"] == scene]
    return rows[rows["kind"].isin(ABNORMAL)] if abnormal else rows


def _hear(
    scapes: Soundscapes, cut: list[Windows], scores: list[npt.NDArray[np.float64]], limit: float, *, unexplained: int
) -> Heard:
    told = scapes.events[["scene", "kind", "alike"]].assign(told=False)
    counts = []
    for scene, (w, s) in enumerate(zip(cut, scores, strict=True)):
        events = _of(scapes, scene)
        alerts = alerts_of(w.starts_s, s, length_s=w.length_s, threshold=limit)
        answers = explain(alerts, events)
        told.loc[events.index[np.unique(answers[answers >= 0])], "told"] = True
        wanted = events[events["kind"].isin(ABNORMAL) | events["alike"]]
        counts.append(
            {"scene": scene, **event_counts(alerts, wanted), **segment_counts(alerts, wanted, end_s=scapes.duration_s)}
        )
    return Heard(told, unexplained, len(cut) * scapes.duration_s / 3600, pd.DataFrame(counts))


def _measured(params: Params, heard: Mapping[str, Heard], *, reach_m: float, seed: int) -> list[Result]:
    out: list[Result] = []
    for name in ("trained", "loudness"):
        chances = _Chances(heard[name], rng=stream(seed, ID, "error", name, str(reach_m)))
        here = {"reach_m": reach_m, "detector": name}
        out += _streets(params, chances, here)
        counts = heard[name].counts
        for measure in ("event", "segment"):
            hits, wrong = 2 * counts[f"{measure}_hits"], counts[f"{measure}_false"] + counts[f"{measure}_missed"]
            f1 = cluster_rate_interval(events=hits, trials=hits + wrong, clusters=counts["scene"]).interval
            out.append(Result(ID, f"{measure}_f1", here, f1, "e16_sounds"))
        if name == "trained":
            out += _speech(params, chances, heard["gate"], reach_m=reach_m)
    return out


class _Chances:
    """Chance that a sound of each kind raises an alert, with draws that carry its error (Jeffreys posterior).

    A posterior rather than a bootstrap: a kind that raised nothing in forty trials may still raise something.
    """

    def __init__(self, heard: Heard, *, rng: np.random.Generator) -> None:
        tally = {
            (str(kind), bool(alike)): (int(told.sum()), len(told))
            for (kind, alike), told in heard.sounds.groupby(["kind", "alike"], observed=True)["told"]
        }
        self.n = len(heard.sounds)
        self.of: dict[tuple[str, bool], npt.NDArray[np.float64]] = {}
        self.seen: dict[tuple[str, bool], tuple[int, int]] = {}
        for kind in KINDS:
            for alike in (False, True) if kind in TWINS else (False,):
                k, n = tally.get((kind, alike), (0, 0))
                self.seen[kind, alike] = (k, n)
                # the estimate first, then the draws
                draws = rng.beta(k + 0.5, n - k + 0.5, size=_DRAWS)
                self.of[kind, alike] = np.concatenate([[k / n if n else np.nan], draws])
        nothing = rng.gamma(heard.unexplained + 0.5, size=_DRAWS)
        self.unexplained_per_h = np.concatenate([[heard.unexplained], nothing]) / heard.hours

    def abnormal(self) -> npt.NDArray[np.float64]:
        """Of an abnormal sound, each kind as frequent."""
        return np.asarray(np.mean([self.of[k, False] for k in ABNORMAL], axis=0))

    def interval(self, values: npt.NDArray[np.float64], *, n: int | None = None) -> Interval:
        """The estimate and the middle 95 % of the draws; ``n`` if not all the sounds tried."""
        n = self.n if n is None else n
        if not np.isfinite(values[0]):
            return Interval.not_estimable(n=n, method="jeffreys")
        low, high = np.quantile(values[1:], [0.025, 0.975])
        return Interval(float(values[0]), float(min(low, values[0])), float(max(high, values[0])), n, "jeffreys")


def _alerts_per_hour(
    chances: _Chances, ambience: str, alike_share: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Alerts an hour on lawful sounds: those that are an abnormal sound physically, and all the others."""
    as_told = np.zeros(_DRAWS + 1)
    wrong = chances.unexplained_per_h.copy()
    for kind, per_hour in AMBIENCES[ambience].items():
        if kind in ABNORMAL:
            as_told += per_hour * chances.of[kind, False]
        elif kind in TWINS:
            if alike_share > 0:
                as_told += per_hour * alike_share * chances.of[kind, True]
            wrong += per_hour * (1 - alike_share) * chances.of[kind, False]
        else:
            wrong += per_hour * chances.of[kind, False]
    return as_told, wrong


def _streets(params: Params, chances: _Chances, here: Mapping[str, Scalar]) -> list[Result]:
    out: list[Result] = []

    def add(measure: str, world: Mapping[str, Scalar], values: npt.NDArray[np.float64]) -> None:
        out.append(Result(ID, measure, {**here, **world}, chances.interval(values), "e16_sounds"))

    found = chances.abnormal()
    tried = [chances.seen[k, False] for k in ABNORMAL]
    recall = rate_interval(events=sum(k for k, _ in tried), trials=sum(n for _, n in tried))
    grid = product(params.ambiences, params.alike_shares, params.offences_per_day)
    for ambience, alike, per_day in grid:
        as_told, wrong = _alerts_per_hour(chances, ambience, alike)
        offences = per_day / HOURS_PER_DAY * found
        total = offences + as_told + wrong
        world: dict[str, Scalar] = {"ambience": ambience, "alike_share": alike, "offences_per_day": per_day}
        for reading, right in (("sound", offences + as_told), ("offence", offences)):
            add("precision", {**world, "reading": reading}, right / total)
            out.append(Result(ID, "recall", {**here, **world, "reading": reading}, recall, "e16_sounds"))
            add("false_per_sensor_day", {**world, "reading": reading}, (total - right) * HOURS_PER_DAY)
        for sensors in params.sensors:
            useless = (total - offences) * HOURS_PER_DAY * sensors
            add("useless_dispatches_per_day", {**world, "sensors": sensors}, useless)
        if here["detector"] == "trained":
            # as many alerts, thrown at random: right when they fall on a sound worth one
            share = per_day / HOURS_PER_DAY * _seconds_of_a_sound(ABNORMAL) / 3600
            told = sum(
                rate * (1.0 if k in ABNORMAL else alike if k in TWINS else 0.0) * _seconds_of_a_sound((k,)) / 3600
                for k, rate in AMBIENCES[ambience].items()
            )
            for reading, right_share in (("sound", share + told), ("offence", share)):
                at_random = {"reach_m": here["reach_m"], "detector": "random", **world, "reading": reading}
                out.append(Result(ID, "precision", at_random, Interval.exact(min(right_share, 1.0))))
    return out


def _seconds_of_a_sound(kinds: tuple[str, ...]) -> float:
    """Mean length of a sound of these kinds, each as frequent."""
    return float(np.mean([np.mean(KINDS[k].duration_s) for k in kinds]))


def _speech(params: Params, chances: _Chances, gate: Heard, *, reach_m: float) -> list[Result]:
    out: list[Result] = []
    spoken = gate.sounds[gate.sounds["kind"] == "speech"]
    passed = rate_interval(events=int(spoken["told"].sum()), trials=len(spoken))
    kept_s = params.keep_before_s + params.keep_after_s
    for ambience in params.ambiences:
        here: dict[str, Scalar] = {"reach_m": reach_m, "ambience": ambience}
        everything = Interval.exact(1.0, n=len(spoken))
        out.append(Result(ID, "speech_processed", {**here, "processing": "continuous", "alike_share": 0.0}, everything))
        gated = {**here, "processing": "gated", "alike_share": 0.0}
        out.append(Result(ID, "speech_processed", gated, passed, "e16_sounds"))
        for alike in params.alike_shares:
            as_told, wrong = _alerts_per_hour(chances, ambience, alike)
            by_chance = 1 - np.exp(-(as_told + wrong) * kept_s / 3600)
            share = 1 - (1 - chances.of["speech", False]) * (1 - by_chance)
            world = {**here, "processing": "kept", "alike_share": alike}
            kept = chances.interval(share, n=len(spoken))
            out.append(Result(ID, "speech_processed", world, kept, "e16_sounds"))
    return out


def _published(params: Params) -> list[Result]:
    out = []
    for name, whole in (("responses", params.responses), ("recorded", params.recorded)):
        share = Interval.exact(params.with_evidence / whole, n=whole)
        out.append(Result(ID, "evidence_share", {"denominator": name}, share))
    low = params.with_evidence / params.responses
    for finding in params.finding_shares:
        implied = low / finding
        value = (
            Interval.exact(implied, n=params.responses) if implied <= 1 else Interval.not_estimable(n=params.responses)
        )
        out.append(Result(ID, "precision_implied", {"finding_share": finding}, value))
    return out


def _check(params: Params) -> None:
    checks: tuple[tuple[str, Any, str], ...] = (
        ("scenes", params.scenes >= 2, "at least 2"),
        ("training_scenes", params.training_scenes >= 2, "at least 2"),
        ("scene_s", params.scene_s >= 6, "at least 6 s"),
        ("reaches_m", bool(params.reaches_m), "at least one distance"),
        ("ambiences", set(params.ambiences) <= set(AMBIENCES), f"among {', '.join(AMBIENCES)}"),
        ("alike_shares", all(0 <= a <= 1 for a in params.alike_shares), "in [0, 1]"),
        ("offences_per_day", all(o > 0 for o in params.offences_per_day), "above 0"),
        ("recall_wanted", 0 < params.recall_wanted <= 1, "in (0, 1]"),
        ("finding_shares", all(0 < f <= 1 for f in params.finding_shares), "in (0, 1]"),
        ("with_evidence", 0 < params.with_evidence <= params.recorded <= params.responses, "at most `recorded`, itself "
         "at most `responses`"),
    )  # fmt: skip
    for name, ok, must in checks:
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name))
