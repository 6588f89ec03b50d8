"""The dashboard in a real browser: it draws, it answers, it speaks to nobody but this machine."""

import os
import re
import runpy
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
MAKER = runpy.run_path(str(Path(__file__).with_name("dashboard_run.py")))
VIDEO = runpy.run_path(str(Path(__file__).with_name("dashboard_video_run.py")))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here: make system-packages installs it"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard started as a user starts it, on a free port."""
    folder = tmp_path_factory.mktemp("dashboard-browser")
    MAKER["build"](folder / "runs")
    VIDEO["build"](folder / "watched")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("contrechamp")
    arguments = [program, "dashboard", "--runs", folder / "runs", "--vsa", folder / "watched", "--port", str(port),
                 "--no-open"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ}, start_new_session=True)
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, 15)
            server.wait(timeout=20)
    said = (folder / "log").read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in said
    assert "0.0.0.0" not in said
    assert "Network URL" not in said


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the server stopped"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server never answered")


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """A page that remembers whom it spoke to."""
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 800}, base_url=address)
        tab.set_default_timeout(20_000)
        asked: list[str] = []
        tab.on("request", lambda r: asked.append(r.url))
        tab.on("websocket", lambda w: asked.append(w.url))
        yield tab
        browser.close()
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}, sorted(hosts - {"127.0.0.1"}, key=str)


def query(page: Any) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).query).items()}


def test_claims_filter_open_and_come_back(page: Any, tmp_path: Path) -> None:
    page.goto("/?side=critic")
    page.get_by_text("30 affirmations sur 123").wait_for()
    page.locator(".js-plotly-plot .bartext").first.wait_for()
    page.screenshot(path=tmp_path / "claims.png")
    assert (tmp_path / "claims.png").stat().st_size > 20_000
    box = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 35 + 32)  # the box at the left of the first line
    page.wait_for_url(re.compile("claim="))
    page.get_by_role("heading", name=f"{query(page)['claim']} · critique").wait_for()
    assert query(page)["side"] == "critic"
    page.get_by_role("radio", name="English").click()
    page.get_by_text("What is claimed, in our words").wait_for()
    assert query(page)["lang"] == "en"
    page.go_back()
    page.get_by_text("Ce qui est affirmé, en nos mots").wait_for()
    page.go_back()
    page.get_by_text("30 affirmations sur 123").wait_for()


def test_a_claim_shows_its_intervals_and_ids(page: Any, tmp_path: Path) -> None:
    page.goto("/?claim=C02")
    page.get_by_role("heading", name="C02").wait_for()
    page.locator(".js-plotly-plot .errorbar").first.wait_for()
    assert page.locator(".js-plotly-plot").count() >= 2
    assert page.get_by_text("seuil d’appui").count() >= 1
    assert "prophétie auto-réalisatrice" in page.inner_text("blockquote")
    page.screenshot(path=tmp_path / "claim.png", full_page=True)


def test_three_maps_are_drawn_without_a_tile_server(page: Any, tmp_path: Path) -> None:
    page.goto("/map?window=7")
    page.locator(".js-plotly-plot .heatmaplayer image").nth(2).wait_for()
    drawn = page.locator(".js-plotly-plot .heatmaplayer image").evaluate_all(
        "images => images.map(i => i.getAttribute('href') || i.getAttribute('xlink:href'))"
    )
    assert len(drawn) == 3
    assert all(url.startswith("data:image/png") for url in drawn)
    assert len(set(drawn)) == 3
    page.screenshot(path=tmp_path / "map.png")
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowLeft")
    page.wait_for_url(re.compile("day=82"))
    assert query(page)["window"] == "7"


def test_the_loop_answers_and_its_link_restores_it(page: Any, tmp_path: Path) -> None:
    page.goto("/loop?rule=top&lang=en")
    page.get_by_text("in 100% of cities").or_(page.get_by_text("in 100.0")).first.wait_for()
    slider = page.get_by_role("slider", name="Share of incidents reported by residents")
    began = time.monotonic()
    slider.focus()
    slider.press("End")
    page.get_by_text("same cities, no difference").first.wait_for()
    assert time.monotonic() - began < 10  # about half a second on an idle machine
    page.screenshot(path=tmp_path / "loop.png")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    page.get_by_text("same cities, no difference").first.wait_for()
    assert slider.input_value() == "20"  # the last of 21 shares, from 0 to 100 % by steps of 5
    page.get_by_role("link", name="Claims").click()
    page.get_by_text("123 claims of 123").wait_for()
    assert query(page)["lang"] == "en"


def test_the_video_page_draws_dots_and_its_threshold_is_in_the_link(page: Any, tmp_path: Path) -> None:
    page.goto("/video")
    page.locator(".js-plotly-plot .errorbar").first.wait_for()
    page.get_by_text("linéarisé, par personnes").first.wait_for()
    assert page.locator(".stPlotlyChart").count() == 4
    page.get_by_role("radio", name="60 s").focus()
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("T=60"))
    page.get_by_text("faits ici à partir des comptes").wait_for()
    page.get_by_text("Les mêmes nombres, en table").first.click()
    page.locator("table").first.get_by_text("attend quelqu’un").wait_for()
    page.screenshot(path=tmp_path / "video.png")
    page.get_by_role("radio", name="English").click()
    page.get_by_text("Whom a perfect machine flags").wait_for()
    assert query(page)["T"] == "60"


def test_a_clip_plays_from_before_the_alert_that_is_explained(page: Any, tmp_path: Path) -> None:
    page.goto("/video?show=clips&alert=2&lang=en")
    page.get_by_text("started at 0.3").wait_for()
    video = page.locator("video")
    video.wait_for()
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    told = video.evaluate(
        "v => [v.duration, v.videoWidth, v.error === null, v.textTracks.length, v.getAttribute('alt')]"
    )
    assert told[0] == pytest.approx(13.0, abs=0.5)
    assert told[1:3] == [320, True]
    assert told[3] >= 1  # the alerts are its subtitles
    page.locator(".js-plotly-plot .scatterlayer").first.wait_for()
    page.get_by_text("Contact sheet of").first.wait_for()
    page.screenshot(path=tmp_path / "clips.png", full_page=True)
