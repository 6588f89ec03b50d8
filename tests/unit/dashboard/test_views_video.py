"""The burden, the ladder, the twins and the presets, from results written by hand."""

from typing import Any

import pandas as pd
import pytest

from dashboard import views_dots, views_video
from dashboard.views_dots import Panel, Series

HERE = {"place": "hall", "rule": "static", "T_s": 300.0}


def result(
    measure: str, value: float | None, *, unit: str = "share", ident: str = "R-0001", **world: Any
) -> dict[str, Any]:
    near = (None, None) if value is None else (value * 0.9, value * 1.1)
    return {"experiment": "E09", "measure": measure, "world": world, "value": value, "low": near[0], "high": near[1],
            "n": 50, "method": "wilson", "unit": unit, "level": 0.95, "id": ident}  # fmt: skip


RESULTS = [
    result("share_of_alerts", 0.6, **HERE, role="waiting", ident="R-0010"),
    result("share_of_alerts", 0.4, **HERE, role="vendor", ident="R-0011"),
    result("share_of_hours", 0.2, **HERE, role="waiting"),
    result("share_of_hours", 0.1, **HERE, role="vendor"),
    result("alerts_per_person_hour", 3.0, unit="ratio", **HERE, role="waiting"),
    result("alerts_per_1000", 500.0, unit="count", **HERE, role="waiting"),
    result("hourly_ratio", 0.41, unit="ratio", **HERE, law="stated", repeat=False, ident="R-0020"),
    result("hourly_ratio", 2.4, unit="ratio", **HERE, law="stated", repeat=True, ident="R-0021"),
    result("hourly_ratio", 1.0, unit="ratio", **HERE, law="equal", repeat=False, ident="R-0022"),
]
ROLES = pd.DataFrame(
    [
        ("hall", "stated", "static", False, 60.0, "waiting", 200, 50.0, 150, 150),
        ("hall", "stated", "static", False, 60.0, "vendor", 10, 20.0, 10, 10),
        ("hall", "stated", "static", False, 300.0, "waiting", 200, 50.0, 100, 100),
        ("hall", "equal", "static", False, 60.0, "waiting", 200, 50.0, 1, 1),
        ("hall", "stated", "static", True, 60.0, "waiting", 200, 50.0, 150, 900),
        ("hall", "stated", "present", False, 60.0, "waiting", 200, 50.0, 190, 190),
    ],
    columns=["place", "law", "rule", "repeat", "T_s", "role", "persons", "hours", "flagged", "alerts"],
)


def test_the_runs_own_numbers_win_and_other_thresholds_are_counted() -> None:
    told = views_video.burden(RESULTS, ROLES, place="hall", rule="static", threshold_s=300.0)
    assert told["share_of_alerts"]["waiting"]["id"] == "R-0010"
    other = views_video.burden(RESULTS, ROLES, place="hall", rule="static", threshold_s=60.0)
    share, hourly = other["share_of_alerts"]["waiting"], other["alerts_per_person_hour"]["waiting"]
    assert share["value"] == pytest.approx(150 / 160)
    assert (hourly["value"], hourly["method"]) == (3.0, "poisson-exact")
    assert (hourly["low"], hourly["high"]) == pytest.approx((2.5391, 3.5205), abs=5e-4)  # Garwood, 150 in 50 h
    thousand = other["alerts_per_1000"]["waiting"]
    assert (thousand["value"], thousand["n"]) == (750.0, 200)
    assert other["share_of_hours"]["waiting"]["value"] == 0.2  # hours know no threshold
    assert "id" not in share
    present = views_video.burden(RESULTS, ROLES, place="hall", rule="present", threshold_s=60.0)
    assert present["alerts_per_1000"]["waiting"]["value"] == 950.0
    assert views_video.thresholds(RESULTS, ROLES) == [60.0, 300.0]
    assert views_video.thresholds(RESULTS, None) == [300.0]
    assert views_video.places(RESULTS) == ["hall"]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_figure_and_its_table_say_the_same_most_flagged_first(lang: Any) -> None:
    numbers = views_video.burden(RESULTS, ROLES, place="hall", rule="static", threshold_s=300.0)
    names, panels = views_video.burden_panels(numbers, lang=lang)
    assert list(names) == ["waiting", "vendor"]
    figure = views_dots.dots(names, panels, lang=lang)
    alerts, hours = figure.data[0], figure.data[1]
    assert list(alerts.x) == [60.0, 40.0]
    assert list(hours.x) == [20.0, 10.0]
    assert list(alerts.error_x.array) == pytest.approx([6.0, 4.0])
    assert list(figure.layout.yaxis.ticktext) == list(names.values())
    table = views_dots.table_of(names, panels, head="x", lang=lang)
    assert table.index.tolist() == list(names.values())
    first = table.iloc[0].tolist()
    begins = {"fr": "60 % (intervalle à 95 %\u202f:", "en": "60% (95% interval"}[lang]
    assert first[0].replace("\u00a0", " ").startswith(begins)
    assert table.iloc[1].tolist()[2] == "–"  # the run told no rate for vendors at this T
    assert len(table.columns) == 4


def test_every_reading_against_the_others_bears_its_id_and_the_control_is_there() -> None:
    table = views_video.against_table(RESULTS, place="hall", rule="static", threshold_s=300.0, lang="en")
    assert table["id"].tolist() == ["R-0020", "R-0021", "R-0022"]
    assert table["estimate"].str.replace("\u00a0", " ").tolist() == ["× 0.41", "× 2.4", "× 1.00"]
    assert table["reading"].iloc[2].startswith("Control")
    assert views_video.against_table(RESULTS, place="square", rule="static", threshold_s=300.0, lang="en").empty


def rungs() -> list[dict[str, Any]]:
    out = []
    for rung in ("yolo", "boxes", "tracks"):
        for body in ("vendor", "waiting"):
            for measure in views_video.LADDER:
                out.append(result(measure, 0.5 if rung == "yolo" else 1.0, rung=rung, body=body))
        for measure in views_video.GAPS:
            out.append(result(measure, -0.25 if rung == "yolo" else 0.0, unit="points", rung=rung, body="vendor"))
    return out


def test_rungs_stand_side_by_side_from_the_perfect_machine_and_twins_leave_it_out() -> None:
    names, panels = views_video.ladder_panels(rungs(), lang="en")
    assert list(names) == ["waiting", "vendor"]  # whose steps every body takes comes first
    assert [p.title.replace("<br>", " ") for p in panels] == [
        "1. true tracks", "2. true boxes, real tracker", "3. YOLO (synthetic images)"
    ]  # fmt: skip
    assert [s.rows["vendor"]["value"] for s in panels[2].series] == [0.5, 0.5, 0.5]
    names, panels = views_video.gap_panels(rungs(), lang="en")
    assert [s.name[0] for s in panels[0].series] == ["2", "3"]
    figure = views_dots.dots(names, panels, lang="en")
    assert [list(t.x) for t in figure.data[:2]] == [[0.0], [-25.0]]
    assert {s.x0 for s in figure.layout.shapes} == {0}
    assert "\u221225" in views_dots.table_of(names, panels, head="x", lang="en").iloc[0, 1]


def test_presets_are_ordered_by_threshold_and_the_chosen_one_is_filled() -> None:
    results = [
        result("preset_alerts_per_camera_day", 10.0, unit="per_day", place=place, preset=preset, T_s=t)
        for place in ("hall", "square")
        for preset, t in (("frigate", 300.0), ("ratp-300s", 300.0), ("hikvision-default", 10.0))
    ]
    results.append(result("preset_spread", 1.26, unit="ratio", place="hall", T_s=300.0))
    assert views_video.preset_keys(results) == ["frigate", "ratp-300s", "hikvision-default"]
    names, panels = views_video.preset_panels(results, chosen="frigate", lang="fr")
    assert list(names) == ["hikvision-default@10", "frigate@300", "ratp-300s@300"]
    assert [set(s.rows) for s in panels[0].series] == [{"frigate@300"}, {"ratp-300s@300", "hikvision-default@10"}]
    assert len(panels) == 2
    (said,) = views_video.spread_sentences(results, lang="fr")
    assert "1,26 fois autant" in said.replace("\u00a0", " ")
    assert "T = 300 s" in said.replace("\u00a0", " ")


def test_a_preset_says_its_source_and_what_that_leaves_open() -> None:
    said = views_video.preset_told("frigate", "fr")
    assert "blakeblackshear/frigate" in said
    assert "loitering_time vaut 0 par défaut" in said
    assert "our own setting" in views_video.preset_told("house-static-120s", "en")
    assert views_video.preset_told("nobody's", "en") == ""


def test_what_is_not_estimable_has_no_dot_and_is_said_in_the_table() -> None:
    rows = {"waiting": result("seen_share", None), "vendor": result("seen_share", 0.5)}
    panel = Panel("p", "axis", "share", (Series("s", 0, rows),))
    names = {"waiting": "w", "vendor": "v"}
    assert list(views_dots.dots(names, [panel], lang="en").data[0].x) == [50.0]
    assert "not estimable" in views_dots.table_of(names, [panel], head="x", lang="en").iloc[0, 0]
    empty = Panel("p", "axis", "ratio", (Series("s", 0, {"waiting": rows["waiting"]}),))
    assert len(views_dots.dots(names, [empty], lang="en").data[0].x) == 0


def test_an_interval_far_beyond_every_estimate_is_cut_and_that_is_said() -> None:
    wide = {**result("rate", 10.0, unit="ratio"), "low": 1.0, "high": 500.0}
    figure = views_dots.dots({"a": "A"}, [Panel("p", "per hour", "ratio", (Series("s", 0, {"a": wide}),))], lang="fr")
    assert figure.layout.xaxis.range[1] == pytest.approx(26.0)  # 2.5 times the largest estimate, and a margin
    assert "axe coupé" in figure.layout.xaxis.title.text
    near = {**wide, "high": 20.0}
    figure = views_dots.dots({"a": "A"}, [Panel("p", "per hour", "ratio", (Series("s", 0, {"a": near}),))], lang="fr")
    assert figure.layout.xaxis.title.text == "per hour"
