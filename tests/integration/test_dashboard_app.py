"""The dashboard's pages run by Streamlit's own test driver, on a small run made by the audit's steps."""

import json
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from contrechamp.audit.reporting import wording
from contrechamp.audit.rules import Rule
from contrechamp.store import runs
from dashboard import app

APP = str(Path(app.__file__))
MAKER = runpy.run_path(str(Path(__file__).with_name("dashboard_run.py")))
VIDEO = runpy.run_path(str(Path(__file__).with_name("dashboard_video_run.py")))
PAGES = {
    "claims": "app_pages/claims.py", "map": "app_pages/hotspot_map.py", "loop": "app_pages/patrol_loop.py",
    "video": "app_pages/video.py",
}  # fmt: skip
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(MAKER["build"](tmp_path_factory.mktemp("dashboard")))


@pytest.fixture(scope="module")
def small_footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(VIDEO["build"](tmp_path_factory.mktemp("footage")))


@pytest.fixture
def open_page(small_run: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    def opened(page: str, *, folder: Path | None = None, vsa: Path | None = None, **address: str) -> AppTest:
        monkeypatch.setenv("CONTRECHAMP_RUNS", str(folder or small_run.parent))
        monkeypatch.setenv("CONTRECHAMP_VSA", "" if vsa is None else str(vsa))
        test = AppTest.from_file(APP, default_timeout=60)
        if page != "claims":  # the driver knows the other pages once the first was run
            test.run().switch_page(PAGES[page])
        for name, value in address.items():
            test.query_params[name] = value
        return test.run()

    return opened


def texts(test: AppTest) -> str:
    kinds: tuple[Any, ...] = (
        test.header,
        test.subheader,
        test.markdown,
        test.caption,
        test.info,
        test.warning,
        test.error,
    )
    return "\n".join(str(e.value) for kind in kinds for e in kind).replace("\\", "")


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("page", list(PAGES))
def test_every_page_opens_in_both_languages(open_page: Open, page: str, lang: str) -> None:
    test = open_page(page, lang=lang)
    assert not test.exception
    assert not test.error
    said = texts(test)
    assert {"fr": "Ce que cela ne dit pas", "en": "What this does not tell"}[lang] in said
    assert {"fr": "What this does not tell", "en": "Ce que cela ne dit pas"}[lang] not in said


def test_a_link_restores_the_filters_and_a_filter_writes_the_link(open_page: Open) -> None:
    test = open_page("claims", side="critic")
    assert "30 affirmations sur 123" in texts(test)
    assert test.multiselect(key="side:fr").value == ["critic"]
    test.multiselect(key="side:fr").set_value(["critic", "authority"]).run()
    assert "43 affirmations sur 123" in texts(test)
    assert test.query_params["side"] == "promoter,critic,authority".removeprefix("promoter,")
    test.segmented_control(key="lang:fr").set_value("en").run()
    assert "43 claims of 123" in texts(test)
    assert dict(test.query_params) == {"lang": "en", "run": MAKER["RUN_ID"], "side": "critic,authority"}
    assert test.multiselect(key="side:en").value == ["critic", "authority"]


def test_a_bare_address_stays_bare_until_a_control_is_touched(open_page: Open) -> None:
    assert dict(open_page("loop").query_params) == {}


def test_the_table_counts_what_the_run_says(open_page: Open, small_run: Path) -> None:
    lines = runs.read_json(small_run / "results.json")["verdicts"]
    wanted = sorted(v["claim"] for v in lines if v["verdict"] == "not testable")
    assert len(wanted) > 10
    test = open_page("claims", verdict="not testable", lang="en")
    shown = test.dataframe[0].value
    assert sorted(shown["id"]) == wanted
    assert set(shown["verdict_word"]) == {"– not testable"}
    assert len(open_page("claims").dataframe[0].value) == 123


def test_a_claim_opens_with_its_quote_rule_worlds_and_limits(open_page: Open, small_run: Path) -> None:
    test = open_page("claims", claim="C02")
    said = texts(test)
    assert "prophétie auto-réalisatrice" in said
    plan = runs.read_json(small_run / "plan.json")["plan"]
    rule = next(Rule.parse(r) for r in plan["rules"] if (r["claim"], r["experiment"]) == ("C02", "E02"))
    assert f"\u00a0{wording.percent(rule.support.conditions[0].threshold, 'fr')}" in said  # the frozen threshold
    assert "p. 39" in said
    assert "pas d’oubli des anciens enregistrements" in said  # what E02 cannot tell
    line = next(v for v in runs.read_json(small_run / "results.json")["verdicts"] if v["claim"] == "C02")
    ids = {i for w in line["rules"][0]["worlds"] for i in w["results"]}
    assert set(test.dataframe[0].value["résultat"]) == ids
    assert {"[", "]"}.isdisjoint(test.dataframe[0].value["intervalle"].iloc[0])
    assert len(test.get("plotly_chart")) == len(rule.measures)
    test.button[-1].click().run()  # next claim
    assert test.query_params["claim"] == "C03"


def test_an_address_written_by_anybody_is_not_trusted(open_page: Open) -> None:
    test = open_page("claims", run="../../etc", claim="<script>", side="x,critic", text="*" * 5000)
    assert not test.exception
    assert "0 affirmations sur 123" in texts(test)  # asterisks are sought as asterisks
    assert "../../etc" in texts(test)
    assert "n’est pas dans ce dossier" in texts(test)
    loop = open_page("loop", rho="7", rate1="nan", days="1e9", rule="__class__", seed="-1")
    assert not loop.exception
    assert loop.select_slider(key="rho:fr").value == 0.0


def test_without_a_run_the_register_is_shown_and_the_way_to_make_one(open_page: Open, tmp_path: Path) -> None:
    test = open_page("claims", folder=tmp_path / "none")
    assert len(test.dataframe[0].value) == 123
    assert "make audit" in test.info[0].value
    assert "make audit" in open_page("map", folder=tmp_path / "none").info[0].value
    opened = texts(open_page("claims", folder=tmp_path / "none", claim="C02"))
    assert "Pas encore de verdict" in opened
    assert "Règle gelée" in opened  # the rule is written before any run
    assert "l’intervalle de «" in opened


@pytest.mark.parametrize(
    ("name", "content"),
    [("results.json", b"{"), ("results.json", b'{"verdicts": 3}'), ("plan.json", None),
     ("tables/map_daily.parquet", b"PAR1 and no more"), ("truth/grid.json", b"[1, 2]"),
     ("tables/backtest_daily.parquet", None)],
)  # fmt: skip
def test_a_damaged_run_is_one_paragraph(
    open_page: Open, small_run: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    bad = tmp_path / "runs" / "bad"
    shutil.copytree(small_run, bad)
    (bad / name).unlink() if content is None else (bad / name).write_bytes(content)
    page = "claims" if name in ("results.json", "plan.json") else "map"
    test = open_page(page, folder=bad.parent)
    assert not test.exception
    (said,) = (e.value for e in test.error)
    assert "make audit" in said
    assert "\n" not in said
    assert "Traceback" not in said


def test_the_map_follows_its_address_and_says_how_many_were_caught(open_page: Open, small_run: Path) -> None:
    test = open_page("map", day="75", predictor="trailing-mean", window="7", lang="en")
    daily = runs.read_table(small_run, "backtest_daily")
    rows = daily[daily["day"].between(69, 75) & (daily["predictor"] == "trailing-mean")]
    truth = rows[(rows["scored_on"] == "truth") & (rows["area"] == 0.05)]
    assert f"n\u00a0=\u00a0{truth['events'].sum():,}" in texts(test)
    assert "Forecast" not in texts(test)  # the titles are in the figure
    assert json.loads(test.get("plotly_chart")[0].proto.spec)["layout"]["coloraxis"]["cmax"] > 0
    test.select_slider(key="day:en").set_value(76).run()
    assert test.query_params["day"] == "76"
    results = runs.read_json(small_run / "results.json")["results"]
    ids = [r["id"] for r in results if r["measure"] == "hit_rate" and r["world"]["predictor"] == "trailing-mean"]
    assert all(i in texts(test) for i in ids)


def test_a_run_without_the_platform_says_so(open_page: Open, small_run: Path, tmp_path: Path) -> None:
    lean = tmp_path / "runs" / "lean"
    shutil.copytree(small_run, lean, ignore=shutil.ignore_patterns("truth", "map_daily.parquet"))
    assert "il n’y a pas de carte" in open_page("map", folder=lean.parent).info[0].value


def test_the_loop_drifts_as_e02_says(open_page: Open) -> None:
    test = open_page("loop", rule="top", rho="0", reps="100", lang="en")
    here, control = test.table[0].value.iloc[0][:2]
    assert here.startswith("100%")
    assert control.startswith("0% (95% interval 0 to ")
    assert here.endswith("n\u00a0=\u00a0100 simulated cities)")
    test.select_slider(key="rho:en").set_value(1.0).run()
    assert test.table[0].value.iloc[0, 0].startswith("0%")
    assert "same cities, no difference" in test.table[0].value.iloc[0, 2]
    assert test.query_params["rho"] == "1"


def test_the_loop_takes_the_seed_of_the_run_and_a_share_between_two_steps(
    open_page: Open, small_run: Path, tmp_path: Path
) -> None:
    other = tmp_path / "runs" / "other"
    shutil.copytree(small_run, other, ignore=shutil.ignore_patterns("truth", "tables"))
    body = json.loads((other / "results.json").read_text(encoding="utf-8"))
    body["request"]["seed"] = 77
    (other / "results.json").write_text(json.dumps(body), encoding="utf-8")
    test = open_page("loop", folder=other.parent, rho="0.33", reps="20")
    assert test.select_slider(key="rho:fr").value == 0.33
    assert test.number_input(key="seed:fr").value == 77


def test_a_visit_sets_its_world_and_keeps_the_language(open_page: Open) -> None:
    test = open_page("loop", lang="en", rho="0.9", reps="20")
    test.button(key="visit:2").click().run()
    assert {k: test.query_params[k] for k in ("lang", "rule", "rho", "rate1", "start1", "reps")} == {
        "lang": "en", "rule": "top", "rho": "0.1", "rate1": "0.3", "start1": "20", "reps": "400",
    }  # fmt: skip


def cells(test: AppTest, number: int) -> str:
    return " ".join(str(c) for c in test.table[number].value.to_numpy().ravel())


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_video_page_says_the_numbers_of_the_run_with_their_ids(open_page: Open, small_run: Path, lang: str) -> None:
    test = open_page("video", lang=lang)
    assert not test.exception
    results = runs.read_json(small_run / "results.json")["results"]
    here = {"law": "stated", "place": "hall", "repeat": False, "rule": "static", "T_s": 300.0}
    (ratio,) = (r for r in results if r["measure"] == "hourly_ratio" and r["world"] == here)
    table = test.table[1].value
    (row,) = (r for r in table.to_dict("records") if ratio["id"] in r.values())
    assert wording.value(ratio, lang) in str(row)
    assert wording.interval(ratio, lang) in row.values()
    waiting = next(
        r for r in results if r["measure"] == "alerts_per_1000" and r["world"]["role"] == "waiting"
    )  # fmt: skip
    assert wording.value(waiting, lang) in cells(test, 0)
    titles = [json.loads(c.proto.spec)["layout"]["annotations"][0]["text"] for c in test.get("plotly_chart")]
    assert len(titles) == 4  # burden, ladder, twins, shipped definitions
    assert titles[0] == {"fr": "<b>Par le nombre</b>", "en": "<b>By number</b>"}[lang]
    assert all(c.proto.alt for c in test.get("plotly_chart"))


def test_another_threshold_is_counted_from_the_table_and_the_link_keeps_it(open_page: Open, small_run: Path) -> None:
    test = open_page("video", lang="en")
    test.segmented_control(key="T:en").set_value(60.0).run()
    test.selectbox(key="place:en").set_value("square").run()
    assert (test.query_params["T"], test.query_params["place"]) == ("60", "square")
    assert "alert" not in test.query_params
    roles = runs.read_table(small_run, "e09_roles")
    here = roles[(roles["place"] == "square") & (roles["law"] == "stated") & (roles["rule"] == "static")]
    here = here[~here["repeat"] & (here["T_s"] == 60.0) & (here["role"] == "waiting")].iloc[0]
    assert f"n = {int(here['persons']):,}" in cells(test, 0).replace("\u00a0", " ")
    assert "made here from the counts" in texts(test)
    again = open_page("video", lang="en", T="60", place="square", count="present", preset="frigate")
    assert again.segmented_control(key="T:en").value == 60.0
    assert "loitering_time" in texts(again)


def test_a_run_without_e09_says_what_to_run(open_page: Open, small_run: Path, tmp_path: Path) -> None:
    lean = tmp_path / "runs" / "lean"
    shutil.copytree(small_run, lean)
    body = json.loads((lean / "results.json").read_text(encoding="utf-8"))
    body["results"] = [r for r in body["results"] if r["experiment"] != "E09"]
    body["verdicts"] = []
    (lean / "results.json").write_text(json.dumps(body), encoding="utf-8")
    test = open_page("video", folder=lean.parent)
    assert not test.exception
    assert "n’a pas joué l’expérience E09" in texts(test)
    assert "contrechamp audit --claim V11" in test.code[0].value
    assert "Ce que cela ne dit pas" in texts(test)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_clips_are_shown_with_their_alerts_and_why_each_fired(open_page: Open, small_footage: Path, lang: str) -> None:
    test = open_page("video", vsa=small_footage.parent, show="clips", alert="2", lang=lang)
    assert not test.exception
    assert not test.error
    said = texts(test).replace("\u00a0", " ")
    assert {"fr": "parti à 0,3 s", "en": "started at 0.3 s"}[lang] in said
    assert {"fr": "sans abri, assis au sol", "en": "sleeping rough, seated"}[lang] in said
    assert {"fr": "cette personne ne faisait aucun tort", "en": "that person was doing no harm"}[lang] in said
    assert {"fr": "une caméra, un flux", "en": "a camera, a stream"}[lang] in said
    (video,) = test.get("video")
    assert (video.proto.start_time, len(video.proto.subtitles)) == (7, 2)
    assert video.proto.url.endswith(".mp4")
    assert video.proto.alt
    assert len(test.get("image")) == 2  # contact sheet of the truth, frames of the alerts
    alerts = runs.read_table(small_footage, "alerts")
    assert len(test.dataframe[0].value) == len(alerts) == 4
    clock = json.loads(test.get("plotly_chart")[0].proto.spec)
    assert {"fr": "alerte", "en": "alert"}[lang] in [t.get("name") for t in clock["data"]]
    assert clock["layout"]["shapes"][0]["y0"] == 10.0  # the threshold of that definition
    (burden,) = (t for t in test.table if t.value.index.name == "situation")
    waiting = burden.value.loc[{"fr": "attend quelqu’un", "en": "waiting for someone"}[lang]]
    assert {"fr": "n = 2", "en": "n = 2"}[lang] in waiting.iloc[0].replace("\u00a0", " ")
    assert waiting.iloc[0].startswith("100")
    test.selectbox(key=f"preset:{lang}").set_value("house-continuous-60s").run()
    assert test.query_params["preset"] == "house-continuous-60s"
    assert not test.exception


def test_without_footage_or_scores_the_page_says_how_to_make_them(
    open_page: Open, small_footage: Path, tmp_path: Path
) -> None:
    empty = open_page("video", folder=tmp_path / "none", vsa=tmp_path / "none", show="clips")
    assert "vsa detect" in empty.code[0].value
    assert "Il n’existe pas d’exécution sans vérité" in texts(empty)
    shutil.copytree(small_footage, tmp_path / "video")
    bare = open_page("video", vsa=tmp_path, show="clips")
    assert not bare.exception
    assert "vsa score" in bare.code[0].value
    assert "Pas de vidéo" in texts(bare)
    assert "attend quelqu’un" not in texts(bare)  # without a score nobody knows on whom


@pytest.mark.parametrize("table", ["alerts", "trace", "cameras"])
def test_a_damaged_video_run_is_one_paragraph(open_page: Open, small_footage: Path, tmp_path: Path, table: str) -> None:
    shutil.copytree(small_footage, tmp_path / "video")
    (tmp_path / "video" / "tables" / f"{table}.parquet").write_bytes(b"PAR1 and no more")
    test = open_page("video", vsa=tmp_path, show="clips", clip="../../etc", footage="../video", alert="1e9")
    assert not test.exception
    (said,) = (e.value for e in test.error)
    assert "contrechamp vsa detect" in said
    assert "\n" not in said
    assert "../video" in texts(test)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_whole_audit_can_be_read(audit: Any, open_page: Open, lang: str) -> None:
    folder = audit.run.parent
    for page in PAGES:
        test = open_page(page, folder=folder, lang=lang)
        assert not test.exception
        assert not test.error
    for claim in ("C02", "M04", "K06", "R05"):
        assert not open_page("claims", folder=folder, lang=lang, claim=claim).exception
