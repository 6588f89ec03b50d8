"""The sound sensor: windows, alerts and scores, against hand cases and the field's own toolbox."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ContractError, ParameterError
from vsa.scoring.sound import event_counts, segment_counts
from vsa.sound import AbnormalSound, alerts_of, best_score, explain, mel_bands, overlaps, threshold_for_recall, windows

RATE = 16_000


def events(*spans: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame({"onset_s": [a for a, _ in spans], "offset_s": [b for _, b in spans]}, dtype="float64")


def test_mel_bands_each_sum_to_one_and_rise_in_frequency() -> None:
    bands = mel_bands(n_bands=32, n_fft=512, rate_hz=RATE)
    assert bands.sum(axis=1) == pytest.approx(1.0)
    assert (np.diff(bands.argmax(axis=1)) >= 0).all()


def test_a_tone_lights_the_band_that_holds_it() -> None:
    t = np.arange(4 * RATE) / RATE
    quiet = 1e-3 * np.random.default_rng(1).standard_normal(len(t))
    tone = np.where((t > 2) & (t < 3), np.sin(2 * np.pi * 2000 * t), 0.0)
    cut = windows(quiet + tone, rate_hz=RATE)
    inside = overlaps(cut.starts_s, cut.length_s, events((2.0, 3.0)), at_least=0.99)
    band = cut.features[inside][:, :32].mean(axis=0).argmax()
    centre = mel_bands(n_bands=32, n_fft=512, rate_hz=RATE)[band].argmax() * RATE / 512
    assert centre == pytest.approx(2000, rel=0.1)
    assert cut.level_db[inside].min() > 20 > 3 > cut.level_db[cut.starts_s + cut.length_s < 2].max()


@pytest.mark.parametrize("audio", [np.zeros(100), np.zeros((2, RATE)), np.full(RATE, np.nan)])
def test_what_is_not_a_recording_is_refused(audio: np.ndarray) -> None:
    with pytest.raises(ContractError, match="A recording is one row"):
        windows(audio, rate_hz=RATE)


def test_runs_of_windows_are_joined_within_the_merging_time_only() -> None:
    starts = np.arange(0, 4, 0.5)
    scores = np.array([0, 1, 1, 0, 0, 0, 1, 0], dtype=float)
    out = alerts_of(starts, scores, length_s=0.5, threshold=0.5, merge_s=0.75)
    assert out["onset_s"].tolist() == pytest.approx([0.75, 3.125])
    assert out["offset_s"].tolist() == pytest.approx([1.25, 3.375])
    assert len(alerts_of(starts, scores, length_s=0.5, threshold=0.5, merge_s=2.1)) == 1
    assert alerts_of(starts, scores, length_s=0.5, threshold=1.1).empty


def test_the_threshold_finds_the_share_asked_for_and_not_one_more() -> None:
    best = np.array([0.9, 0.8, 0.7, 0.6, 0.1])
    for recall, limit in ((0.2, 0.9), (0.6, 0.7), (0.8, 0.6), (1.0, 0.1)):
        assert threshold_for_recall(best, recall=recall) == limit
        assert (best >= limit).mean() == pytest.approx(recall)
    with pytest.raises(ParameterError):
        threshold_for_recall(best, recall=0.0)


def test_an_alert_answers_to_the_sound_it_overlaps_most_or_to_none() -> None:
    sounds = events((1.0, 2.0), (2.5, 3.0))
    told = explain(events((1.5, 2.6), (2.2, 3.1), (5.0, 5.5)), sounds)
    assert told.tolist() == [0, 1, -1]
    assert explain(events((0.0, 1.0)), events()).tolist() == [-1]
    assert explain(events(), sounds).tolist() == []


def test_best_score_looks_only_at_windows_the_sound_covers() -> None:
    starts = np.arange(0, 3, 0.25)
    scores = np.linspace(0, 1, len(starts))
    assert best_score(starts, 0.5, scores, events((0.0, 1.0)))[0] == pytest.approx(scores[3])
    assert best_score(starts, 0.5, scores, events((9.0, 9.5)))[0] == 0.0


def test_windows_of_one_sort_only_teach_nothing() -> None:
    with pytest.raises(ContractError, match="with and without"):
        AbnormalSound().fit(np.zeros((5, 3)), np.zeros(5, dtype=bool))


def test_event_counts_by_hand() -> None:
    sounds = events((1.0, 2.0), (5.0, 6.0), (8.0, 8.4))
    #         right           begins 0.3 s late   ends 0.15 s late on a short sound, within the collar
    alerts = events((1.1, 2.4), (5.3, 6.0), (8.1, 8.55))
    assert event_counts(alerts, sounds) == {"event_hits": 2, "event_false": 1, "event_missed": 1}
    assert event_counts(events(), sounds) == {"event_hits": 0, "event_false": 0, "event_missed": 3}


def test_one_alert_answers_to_one_sound_only_and_the_matching_is_the_largest() -> None:
    sounds = events((1.0, 2.0), (1.15, 2.1))
    # the first alert could take either sound; taking the second would leave the other alert without one
    alerts = events((1.1, 2.0), (1.3, 2.1))
    assert event_counts(alerts, sounds)["event_hits"] == 2
    assert event_counts(events((1.1, 2.0)), sounds)["event_hits"] == 1


def test_segment_counts_by_hand() -> None:
    got = segment_counts(events((0.5, 2.0)), events((1.2, 3.1)), end_s=5.0)
    assert got == {"segment_hits": 1, "segment_false": 1, "segment_missed": 2}


spans = st.lists(
    st.tuples(st.integers(0, 280), st.integers(1, 30)).map(lambda p: (p[0] / 10, (p[0] + p[1]) / 10)), max_size=7
)


@settings(max_examples=60, deadline=None)
@given(told=spans, there=spans)
def test_both_counts_agree_with_the_toolbox_of_the_field(
    told: list[tuple[float, float]], there: list[tuple[float, float]]
) -> None:
    sed_eval = pytest.importorskip("sed_eval")
    dcase = pytest.importorskip("dcase_util")

    def listed(spans: list[tuple[float, float]]) -> object:
        rows = [{"event_label": "abnormal", "onset": a, "offset": b, "filename": "a"} for a, b in spans]
        return dcase.containers.MetaDataContainer(rows)

    mine = {
        **event_counts(events(*told), events(*there)),
        **segment_counts(events(*told), events(*there), end_s=31.0),
    }
    segments = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=["abnormal"], time_resolution=1.0)
    segments.evaluate(listed(there), listed(told), evaluated_length_seconds=31.0)
    theirs = segments.overall
    assert (mine["segment_hits"], mine["segment_false"], mine["segment_missed"]) == (
        theirs["Ntp"], theirs["Nfp"], theirs["Nfn"],
    )  # fmt: skip
    matched = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=["abnormal"], t_collar=0.2, percentage_of_length=0.5, event_matching_type="optimal"
    )
    if there:
        matched.evaluate(listed(there), listed(told))
        assert mine["event_hits"] == matched.overall["Ntp"]
        assert mine["event_false"] == matched.overall["Nsys"] - matched.overall["Ntp"]
