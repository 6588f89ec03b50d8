"""E16 on paper: known chances give known precisions; what must not matter does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.results import Outcome, Result
from contrechamp.experiments import e16_abnormal_sounds as e16
from synthetic_data.sound_worlds import ABNORMAL, AMBIENCES, KINDS, TWINS

SMALL = dataclasses.replace(
    e16.Params.quick(), scenes=6, training_scenes=8, ambiences=("calm", "market"), alike_shares=(0.0, 0.5),
    offences_per_day=(0.1, 1.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e16.run(SMALL, seed=3)


def pick(results: list[Result], measure: str, **world: object) -> Result:
    found = [r for r in results if r.measure == measure and world.items() <= r.world.items()]
    assert len(found) == 1, (measure, world, len(found))
    return found[0]


def heard(*, p_abnormal: float, p_other: float, n: int = 1000, unexplained: int = 0) -> e16.Heard:
    """A detector that tells an exact share of the sounds of each kind."""
    rows = []
    for kind in KINDS:
        for alike in (False, True) if kind in TWINS else (False,):
            told = round(n * (p_abnormal if kind in ABNORMAL or alike else p_other))
            rows.append(pd.DataFrame({"scene": 0, "kind": kind, "alike": alike, "told": np.arange(n) < told}))
    counts = pd.DataFrame(
        {"scene": [0, 1], **{f"{m}_{k}": [5, 5] for m in ("event", "segment") for k in ("hits", "false", "missed")}}
    )
    return e16.Heard(pd.concat(rows, ignore_index=True), unexplained, 10.0, counts)


def streets(one: e16.Heard) -> list[Result]:
    both = {"trained": one, "loudness": one, "gate": one}
    return e16._measured(SMALL, both, reach_m=15.0, seed=1)


def test_precision_is_the_arithmetic_of_rates_times_chances() -> None:
    results = streets(heard(p_abnormal=0.8, p_other=0.01, unexplained=2))
    rates = AMBIENCES["market"]
    offences = 1.0 / 24 * 0.8
    lawful = sum(rates[k] for k in ABNORMAL) * 0.8 + sum(rates[k] for k in TWINS) * 0.5 * 0.8
    others = sum(rates[k] for k in TWINS) * 0.5 * 0.01
    others += sum(v for k, v in rates.items() if k not in ABNORMAL and k not in TWINS) * 0.01 + 2 / 10.0
    total = offences + lawful + others
    world = {"ambience": "market", "alike_share": 0.5, "offences_per_day": 1.0, "detector": "trained"}
    assert pick(results, "precision", reading="offence", **world).interval.estimate == pytest.approx(offences / total)
    sound = pick(results, "precision", reading="sound", **world).interval
    assert sound.estimate == pytest.approx((offences + lawful) / total)
    assert sound.low is not None and sound.high is not None
    assert sound.low < (offences + lawful) / total < sound.high
    false = pick(results, "false_per_sensor_day", reading="offence", **world).interval.estimate
    assert false == pytest.approx(24 * (lawful + others))
    dispatches = pick(results, "useless_dispatches_per_day", sensors=50, **world).interval.estimate
    assert dispatches == pytest.approx(24 * (lawful + others) * 50)
    assert pick(results, "recall", reading="sound", **world).interval.estimate == pytest.approx(0.8)


def test_speech_kept_is_what_other_alerts_keep_and_what_it_raises_itself() -> None:
    results = streets(heard(p_abnormal=0.5, p_other=0.0))
    per_hour = sum(AMBIENCES["calm"][k] for k in ABNORMAL) * 0.5
    kept = pick(results, "speech_processed", ambience="calm", processing="kept", alike_share=0.0).interval.estimate
    assert kept == pytest.approx(1 - np.exp(-per_hour * 15.0 / 3600))
    # of the speech extracts tried, not of all the sounds: a thousand of each kind here
    assert pick(results, "speech_processed", ambience="calm", processing="kept", alike_share=0.0).interval.n == 1000
    whole = pick(results, "speech_processed", ambience="calm", processing="continuous").interval
    assert (whole.low, whole.estimate, whole.high) == (1.0, 1.0, 1.0)


def test_a_kind_that_raised_nothing_leaves_room_for_doubt() -> None:
    few = streets(heard(p_abnormal=1.0, p_other=0.0, n=20))
    many = streets(heard(p_abnormal=1.0, p_other=0.0, n=2000))
    world = {"ambience": "market", "alike_share": 0.0, "offences_per_day": 1.0, "detector": "trained",
             "reading": "sound"}  # fmt: skip
    lows = [pick(r, "precision", **world).interval.low for r in (few, many)]
    assert pick(few, "precision", **world).interval.estimate == 1.0
    assert lows[0] is not None and lows[1] is not None
    assert lows[0] < 0.4 < lows[1]


def test_at_random_an_alert_is_right_for_the_share_of_time_that_something_sounds() -> None:
    results = streets(heard(p_abnormal=0.5, p_other=0.5))
    world = {"ambience": "calm", "alike_share": 0.0, "offences_per_day": 1.0, "detector": "random"}
    mean_s = np.mean([np.mean(KINDS[k].duration_s) for k in ABNORMAL])
    random = pick(results, "precision", reading="offence", **world).interval.estimate
    assert random == pytest.approx(mean_s / 86_400)


def test_the_published_figure_has_two_denominators_and_bounds_more_than_it_says(outcome: Outcome) -> None:
    results = list(outcome.results)
    assert pick(results, "evidence_share", denominator="responses").interval.estimate == pytest.approx(4556 / 50176)
    assert round(4556 / 50176, 3) == 0.091
    assert pick(results, "evidence_share", denominator="recorded").interval.estimate == pytest.approx(0.1089, abs=5e-5)
    implied = pick(results, "precision_implied", finding_share=0.1).interval.estimate
    assert implied == pytest.approx(0.908, abs=5e-4)


def test_alerts_on_nothing_are_counted_where_nothing_else_could_answer_for_them() -> None:
    loud = dataclasses.replace(SMALL, recall_wanted=1.0)  # every level is an alert
    both = e16.listen(loud, reach_m=15.0, seed=3)
    assert both["loudness"].hours == pytest.approx(6 * 30 / 3600)
    # six recordings of half a minute, each with at least one run of windows
    assert both["loudness"].unexplained >= 6
    chances = e16._Chances(both["loudness"], rng=np.random.default_rng(1))
    assert chances.unexplained_per_h[0] == pytest.approx(both["loudness"].unexplained * 20)


def test_trained_ears_beat_a_level_at_the_same_task(outcome: Outcome) -> None:
    scores = {r.world["detector"]: r.interval.estimate for r in outcome.results if r.measure == "segment_f1"}
    assert scores["trained"] > scores["loudness"]


def test_same_seed_same_numbers_whatever_the_workers(outcome: Outcome) -> None:
    again = e16.run(SMALL, seed=3, jobs=2)
    assert [r.to_dict() for r in again.results] == [r.to_dict() for r in outcome.results]


@pytest.mark.parametrize(
    "wrong", [{"scenes": 1}, {"ambiences": ("moon",)}, {"alike_shares": (2.0,)}, {"with_evidence": 60_000}]
)
def test_parameters_out_of_their_domain_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        e16.run(dataclasses.replace(SMALL, **wrong), seed=1)  # type: ignore[arg-type]
