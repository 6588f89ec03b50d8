"""Claims as tables and figures: counts, filters, thresholds in words, intervals drawn where they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrechamp.audit.claims import load_register
from contrechamp.audit.plan import current_plan
from contrechamp.audit.rules import Rule
from contrechamp.domain.results import Measure
from contrechamp.domain.text import Text
from dashboard import views
from dashboard.i18n import md

MEASURES = {
    "off": Measure("off", "share", Text(fr="part des villes", en="share of cities"), Text(fr="villes", en="cities")),
    "more": Measure("more", "points", Text(fr="`off` en plus", en="`off` beyond"), Text(fr="paires", en="pairs")),
}
RULE = Rule.parse(
    {
        "claim": "C02",
        "experiment": "E02",
        "worlds": {"rho": [0.0, 0.25]},
        "support": {
            "all": [
                {"measure": "off", "bound": "low", "op": ">=", "threshold": 0.5},
                {"measure": "more", "bound": "low", "op": ">=", "threshold": 0.1},
            ]
        },
        "refute": {
            "any": [
                {"measure": "off", "bound": "high", "op": "<", "threshold": 0.05},
                {"measure": "more", "bound": "high", "op": "<", "threshold": 0.1},
            ]
        },
    }
)


def result(number: int, world: dict[str, Any], value: float | None, *, measure: str = "off", half: float = 0.1) -> Any:
    low, high = (None, None) if value is None else (value - half, value + half)
    return {
        "id": f"R-{number:04d}", "experiment": "E02", "measure": measure, "world": world, "value": value, "low": low,
        "high": high, "level": 0.95, "n": 400, "method": "wilson", "unit": MEASURES[measure].unit,
    }  # fmt: skip


def judged(results: list[Any], verdicts: list[str]) -> dict[str, Any]:
    worlds = [{"world": r["world"], "verdict": v, "results": [r["id"]]} for r, v in zip(results, verdicts, strict=True)]
    return {"experiment": "E02", "verdict": "inconclusive", "worlds": worlds}


def test_without_a_run_every_claim_of_the_register_has_a_row_and_no_verdict() -> None:
    frame = views.claims_frame(load_register(), None, lang="fr")
    assert len(frame) == 123
    assert set(frame["verdict"]) == {""}
    assert set(frame["verdict_word"]) == {"–"}


def test_filters_join_and_every_word_must_occur() -> None:
    line = {"verdict": "pending", "pending": ["E04"], "decided_by": []}
    frame = views.claims_frame(load_register(), {"M04": line}, lang="en")
    nothing: dict[str, Any] = {"sides": [], "systems": [], "verdicts": [], "text": ""}
    assert len(views.filter_claims(frame, **nothing)) == 123
    assert list(views.filter_claims(frame, **nothing | {"verdicts": ["pending"]})["decided"]) == ["awaits E04"]
    critics = views.filter_claims(frame, **nothing | {"sides": ["critic"]})
    assert set(critics["side"]) == {"critic"}
    assert len(critics) == sum(c.side == "critic" for c in load_register().claims.values())
    both = views.filter_claims(frame, **nothing | {"text": "ANTICIPER demain"})  # the quote, whatever the language
    assert "M04" in set(both["id"])
    assert len(views.filter_claims(frame, **nothing | {"text": "anticiper zzz"})) == 0
    assert len(views.filter_claims(frame, **nothing | {"text": "(("})) == 0  # not a pattern


def test_bars_count_each_claim_once() -> None:
    register = load_register()
    line = {"verdict": "refuted", "pending": [], "decided_by": ["E24"]}
    frame = views.claims_frame(register, dict.fromkeys(register.claims, line), lang="fr")
    counts = views.verdict_counts(frame)
    assert int(counts.to_numpy().sum()) == 123
    assert counts.loc["promoter", "refuted"] == 65
    figure = views.counts_figure(frame, lang="fr")
    assert sum(sum(trace.x) for trace in figure.data) == 123


@pytest.mark.parametrize(
    ("lang", "said"),
    [("fr", ["la borne basse de l’intervalle de «\u202fpart des villes\u202f» ≥\u00a050\u00a0%",
             "et la borne basse de l’intervalle de «\u202fpart des villes en plus\u202f» ≥\u00a010\u00a0points"]),
     ("en", ["the lower bound of the interval of “share of cities” ≥\u00a050%",
             "and the lower bound of the interval of “share of cities beyond” ≥\u00a010\u00a0points"])],
)  # fmt: skip
def test_a_rule_is_said_with_its_thresholds(lang: Any, said: list[str]) -> None:
    assert views.criterion_in_words(RULE.support, MEASURES, lang=lang) == said
    assert views.criterion_in_words(RULE.refute, MEASURES, lang=lang)[1].startswith({"fr": "ou ", "en": "or "}[lang])


def test_worlds_that_count_are_named_in_words() -> None:
    assert views.worlds_that_count(RULE, lang="en") == "share reported ρ: 0% and 25%"


def test_a_threshold_that_serves_both_sides_is_one_line() -> None:
    assert views.thresholds(RULE, "off") == {0.05: "refute", 0.5: "support"}
    assert views.thresholds(RULE, "more") == {0.1: "both"}


def test_few_worlds_are_drawn_one_by_one_with_interval_and_threshold() -> None:
    results = [result(1, {"rho": 0.0}, 0.9), result(2, {"rho": 0.25}, 0.02, half=0.02), result(3, {"rho": 0.5}, None)]
    verdicts = ["supported", "refuted", "inconclusive"]
    frame = views.worlds_frame(judged(results, verdicts), results, measures=MEASURES, lang="en")
    assert list(frame["estimate"]) == ["90%", "2%", "not estimable"]
    assert frame["interval"].iloc[0] == "80 to 100%"
    assert set(frame["unit_of_n"]) == {"cities"}
    figure = views.worlds_figure(frame, RULE, measure="off", lang="en")
    assert figure is not None
    first = figure.data[0]
    assert list(first.x) == [90.0]
    assert first.error_x.array == pytest.approx((10.0,))
    assert first.marker.symbol == "circle"
    assert figure.data[1].marker.symbol == "circle-open"
    assert sorted(shape.x0 for shape in figure.layout.shapes) == [5.0, 50.0]
    assert len(figure.data) == 2  # what is not estimable is not drawn as 0


def test_many_worlds_become_curves_along_the_parameter_that_moves() -> None:
    worlds = [{"rule": rule, "rho": rho / 10} for rule in ("top", "proportional") for rho in range(8)]
    results = [result(k, w, 0.5 + w["rho"] / 4) for k, w in enumerate(worlds)]
    frame = views.worlds_frame(judged(results, ["supported"] * 16), results, measures=MEASURES, lang="fr")
    figure = views.worlds_figure(frame, RULE, measure="off", lang="fr")
    assert figure is not None
    curves = [t for t in figure.data if len(t.x) > 1]
    assert [list(t.x) for t in curves] == [[k / 10 for k in range(8)]] * 2
    assert curves[0].y[0] == 50.0
    assert sorted(shape.y0 for shape in figure.layout.shapes) == [5.0, 50.0]


def test_too_many_settings_for_curves_are_put_in_order() -> None:
    worlds = [{"cameras": c, "m": m, "share": s} for c in (50, 864, 1600) for m in (1, 5, 10, 50) for s in (1, 2, 3)]
    results = [result(k, w, (k * 7 % 36) / 50, half=0.01) for k, w in enumerate(worlds)]
    frame = views.worlds_frame(judged(results, ["refuted"] * 36), results, measures=MEASURES, lang="en")
    figure = views.worlds_figure(frame, RULE, measure="off", lang="en")
    assert figure is not None
    (points,) = figure.data
    assert list(points.x) == list(range(1, 37))
    assert list(points.y) == pytest.approx([2.0 * k for k in range(36)])


def test_nothing_estimable_draws_nothing() -> None:
    results = [result(1, {"rho": 0.0}, None)]
    frame = views.worlds_frame(judged(results, ["inconclusive"]), results, measures=MEASURES, lang="fr")
    assert views.worlds_figure(frame, RULE, measure="off", lang="fr") is None


@given(st.text(alphabet=st.characters(exclude_characters="\\"), max_size=60))
def test_markdown_is_only_ever_escaped(text: str) -> None:
    escaped = md(text)
    assert escaped.replace("\\", "") == text
    for mark in "*_`[<$:|#":
        assert escaped.count(mark) == escaped.count("\\" + mark)


def test_a_verdict_that_flips_is_marked_and_systems_have_names() -> None:
    register = load_register()
    line = {"verdict": "inconclusive", "pending": [], "decided_by": ["E02"]}
    frame = views.claims_frame(register, {"C02": line | {"flips": True}, "M30": line}, lang="fr").set_index("id")
    assert frame.loc["C02", "verdict_word"].endswith("⇄")
    assert not frame.loc["M30", "verdict_word"].endswith("⇄")
    assert frame["flips"].sum() == 1
    assert not frame["system_word"].str.contains(r"^S-|[()]").any()


def test_a_claim_without_data_says_which_are_missing() -> None:
    results = [{"id": "R-1", "method": "no final account found"}, {"id": "R-2", "method": "wilson"}]
    rule = {"experiment": "E24", "worlds": [{"world": {}, "verdict": "not testable", "results": ["R-1"]}]}
    line: dict[str, Any] = {"verdict": "not testable", "rules": [rule]}
    said = views.why_not_testable(line, {}, results, lang="fr")
    assert said == "donnée absente (aucun compte final trouvé)"
    quiet = {"E12": {"fr": "parce que", "en": "because"}}
    assert views.why_not_testable(line | {"rules": []}, quiet, results, lang="en") == "because"
    assert views.why_not_testable({"verdict": "refuted", "rules": []}, quiet, results, lang="en") == ""


def test_the_introduction_names_the_pairs_that_are_mirrored() -> None:
    said = views.mirrors_in_words(current_plan()["rules"])
    assert {"C02/M30", "R09/C15"} <= set(said.split(", "))
