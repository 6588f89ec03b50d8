"""One run of clips: why an alert fired, on whom, its clock, and the burden by rung."""

from typing import Any

import pandas as pd
import pytest

from contrechamp.domain.video import ALERT_COLUMNS, TRACE_COLUMNS, as_table
from dashboard import views_clips, views_dots

ALERT: dict[str, Any] = {
    "clip_id": "c", "alert_id": 4, "rule": "loitering", "preset": "hikvision-default", "zone": "zone", "track_id": 7,
    "frame": 31, "t_alert_s": 10.333, "t_since_s": 0.333, "value": 10.0, "threshold": 10.0, "unit": "s",
    "situation": "rough_seated", "rule_true": True, "harm": False,
}  # fmt: skip


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_why_an_alert_fired_is_one_sentence_and_on_whom_another() -> None:
    said = plain(views_clips.why(ALERT, lang="fr"))
    assert said.startswith(
        "À 10,3 s, le compteur de la règle (Hikvision, durée conseillée), parti à 0,3 s dans « zone »"
    )
    assert "a atteint 10 s ; le seuil est 10 s." in said
    assert said.endswith("la règle a fait ce qu’on lui demandait, et cette personne ne faisait aucun tort.")
    assert "sans abri, assis au sol" in said
    said = plain(views_clips.why({**ALERT, "situation": ""}, lang="en"))
    assert said == (
        "At 10.3 s, the clock of the rule (Hikvision, recommended duration), started at 0.3 s in “zone”, reached 10 s; "
        "the threshold is 10 s."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rule_true": False}, "who, by the truth of the scene, did not meet the condition sought"),
        ({"rule_true": False, "rule": "crowd-movement"}, "in the situation “sleeping rough, seated”."),
        ({"harm": True}, "It fell on a target of the scenario"),
        ({"situation": "nobody"}, "It fell on no person of the scene."),
        ({"unit": "direction", "value": -1.0, "zone": "line", "preset": "supervision-line"},
         "track 7 crossed “line” in the negative direction"),
        ({"unit": "m/s", "value": 3.14159, "threshold": 2.5, "preset": "", "rule": "running", "zone": ""},
         "what the rule measures in the picture (running), since 0.3 s, was 3.14 m/s; the threshold is 2.5 m/s"),
        ({"unit": "persons/m2", "rule": "density", "preset": "fruin-queue-E", "track_id": -1}, "persons per m²"),
        ({"preset": "unheard-of {x}", "rule": "<b>", "zone": "{0.__class__}"}, "unheard-of {x}"),
    ],
)  # fmt: skip
def test_every_kind_of_alert_is_explained(changes: dict[str, Any], words: str) -> None:
    assert words in plain(views_clips.why({**ALERT, **changes}, lang="en"))
    assert views_clips.why({**ALERT, **changes}, lang="fr")
    assert views_clips.alert_name({**ALERT, **changes}, "fr").startswith("4 · 10,3")


def test_alerts_meet_their_judgement_by_clip_and_number() -> None:
    alerts = pd.DataFrame(
        [{k: v for k, v in ALERT.items() if k in ("clip_id", *ALERT_COLUMNS)} | {"alert_id": i, "clip_id": clip}
         for clip in ("c", "d") for i in (0, 1)]
    )  # fmt: skip
    judged = pd.DataFrame(
        {"scene": ["d", "c"], "alert_id": [0, 1], "situation": ["waiting", "vendor"], "rule_true": [True, False],
         "harm": False}
    )  # fmt: skip
    told = views_clips.with_situations(alerts, judged)
    assert told["situation"].tolist() == ["", "vendor", "waiting", ""]
    assert told["rule_true"].tolist() == [False, False, True, False]
    table = views_clips.alerts_table(told, lang="en")
    assert table["on whom"].tolist() == ["–", "street vendor", "waiting for someone", "–"]
    assert plain(table["at"].iloc[0]) == "10.3 s"
    nobody = views_clips.with_situations(alerts, None)
    assert nobody["situation"].tolist() == [""] * 4
    assert views_clips.alerts_table(nobody.iloc[:0], lang="fr").empty


def trace() -> pd.DataFrame:
    states = ["CANDIDATE", "IN", "IN", "LOST", "IN", "ALERTED"]
    clock = [0.0, 1.0, 2.0, 2.0, 3.0, 4.0]
    rows = {"alert_id": 4, "frame": range(6), "t_s": range(6), "track_id": 7, "state": states, "clock_s": clock,
            "inside": True, "x1_px": 0.0, "y1_px": 0.0, "x2_px": 5.0, "y2_px": 9.0}  # fmt: skip
    return as_table(pd.DataFrame(rows), TRACE_COLUMNS, what="trace")


def test_the_clock_is_drawn_with_its_states_and_its_threshold() -> None:
    figure = views_clips.trace_figure(trace(), {**ALERT, "threshold": 4.0}, lang="fr")
    assert list(figure.data[0].y) == [0.0, 1.0, 2.0, 2.0, 3.0, 4.0]
    marks = {t.name: list(t.x) for t in figure.data[1:]}
    assert marks["alerte"] == [5.0]
    assert marks["perdue de vue"] == [3.0]
    assert figure.layout.shapes[0].y0 == 4.0
    other = views_clips.trace_figure(trace(), {**ALERT, "unit": "m/s"}, lang="fr")
    assert not other.layout.shapes  # a threshold in m/s has no place on a clock


def test_the_states_are_also_a_table_of_spells() -> None:
    table = views_clips.states_of(trace(), lang="en")
    assert [plain(" ".join(r)) for r in table.to_numpy().tolist()] == [
        "entry to be confirmed 0 s 0 s 0 s", "condition met, the clock runs 1 s 2 s 2 s", "out of sight 3 s 3 s 2 s",
        "condition met, the clock runs 4 s 4 s 3 s", "alert 5 s 5 s 4 s",
    ]  # fmt: skip
    assert views_clips.states_of(trace().iloc[:0], lang="fr").empty


def burden() -> pd.DataFrame:
    rows = []
    for rung, alerts in (("oracle-tracks", 2), ("oracle-boxes", 3), ("machine", 4)):
        for preset in ("a", "b"):
            for situation, times, hours in (("waiting", alerts, 0.5), ("vendor", 0, 0.25), ("cane", 0, 0.0)):
                k = times if preset == "b" else 0
                rate = k / hours if hours else float("nan")
                rows.append(
                    {"rung": rung, "preset": preset, "situation": situation, "alerts": float(k), "person_h": hours,
                     "stays": 8.0 if hours else 0.0, "stays_flagged": float(min(k, 8)), "share_of_alerts": 1.0,
                     "share_of_person_h": hours / 0.75, "rate": rate, "rate_low": rate / 2, "rate_high": rate * 2,
                     "p_flagged": k / 8, "p_flagged_low": 0.0, "p_flagged_high": 1.0}
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_the_burden_stands_rung_by_rung_and_absent_situations_are_left_out() -> None:
    assert views_clips.presets_with_alerts(burden(), ("a", "b", "c")) == ["b", "a"]
    names, panels = views_clips.scored_panels(burden(), preset="b", lang="en")
    assert list(names) == ["waiting", "vendor"]
    stay, hour, count = panels
    assert [s.name for s in stay.series] == ["1. true tracks", "2. true boxes, real tracker", "3. the machine"]
    assert [s.rows["waiting"]["value"] for s in stay.series] == [0.25, 0.375, 0.5]
    assert [s.rows["waiting"]["n"] for s in hour.series] == [2, 3, 4]
    alerts, hours = (s.rows["waiting"] for s in count.series)
    assert (alerts["value"], alerts["n"]) == (1.0, 4)  # all of the machine's four
    assert alerts["low"] == pytest.approx(0.025 ** (1 / 4), abs=1e-6)  # Clopper and Pearson, 4 of 4
    assert (hours["value"], hours["low"]) == (pytest.approx(2 / 3), hours["high"])
    table = views_dots.table_of(names, panels, head="x", lang="en")
    assert "n = 8" in plain(table.iloc[0, 0])
    assert views_dots.dots(names, panels, lang="en").layout.height > 150


def test_a_run_where_nothing_fired_is_drawn_without_shares() -> None:
    _, panels = views_clips.scored_panels(burden(), preset="a", lang="fr")
    assert panels[2].series[0].rows["waiting"]["value"] is None
    names, none = views_clips.scored_panels(burden(), preset="strange", lang="fr")
    assert (names, [s.rows for s in none[2].series]) == ({}, [{}, {}])


def test_subtitles_hold_each_alert_for_two_seconds_and_take_no_markup() -> None:
    alerts = pd.DataFrame([ALERT, {**ALERT, "alert_id": 5, "situation": "<i>x --> y", "t_alert_s": 3725.0}])
    said = views_clips.subtitles(alerts, lang="en")
    assert said.startswith("WEBVTT\n\n00:00:10.333 --> 00:00:12.333\nAlert 4, sleeping rough, seated\n")
    assert "01:02:05.000 --> 01:02:07.000\nAlert 5, i>x  y" in said


def test_a_clip_that_failed_says_why() -> None:
    cameras = pd.DataFrame(
        {"clip_id": ["c", "d"], "sidecar_sha256": "", "place": ["hall", ""], "light": ["day", ""],
         "duration_s": [13.0, float("nan")], "status": ["done", "failed"], "reason": ["", "cut short"]}
    )  # fmt: skip
    alerts = pd.DataFrame({"clip_id": ["c", "c"], "alert_id": [0, 1]})
    table = views_clips.clips_table(cameras, alerts, lang="en")
    assert table["alerts"].tolist() == ["2", "–"]
    assert table["state"].tolist() == ["watched", "cut short"]
    assert plain(table["length"].iloc[0]) == "13 s"
    assert table["length"].iloc[1] == "–"
