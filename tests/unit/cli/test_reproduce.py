"""``contrechamp reproduce``: what it prints, what it writes, and how it refuses."""

import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from contrechamp.cli.app import app
from contrechamp.domain.errors import CapabilityError, ContractError, IntegrityError, ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.text import Text
from contrechamp.pipelines import reproduce as pipeline
from contrechamp.pipelines.papers import drawing, near_repeat_chicago
from contrechamp.pipelines.papers.base import Comparison, Published, read_dossier


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A paper of our own: 40 events, its folder, its data, and the registry that knows it."""
    rng = np.random.default_rng(4)
    events = pd.DataFrame({"x": rng.random(40) * 900, "y": rng.random(40) * 900, "d": "2016-01-01"})
    events.loc[::3, "d"] = "2016-01-03"
    data = tmp_path / "data"
    data.mkdir()
    for name in ("chicago_arson.csv", "chicago_be_month1.csv"):
        events.to_csv(data / name, header=False, index=False)
    digest = hashlib.sha256((data / "chicago_arson.csv").read_bytes()).hexdigest()
    real = pipeline.papers_folder() / "near_repeat_chicago"
    folder = tmp_path / "papers" / "near_repeat_chicago"
    shutil.copytree(real, folder)
    scenario = (folder / "scenario.toml").read_text(encoding="utf-8").replace("permutations = 999", "permutations = 19")
    for file in read_dossier(real).data:
        scenario = scenario.replace(file.sha256, digest)
    (folder / "scenario.toml").write_text(scenario, encoding="utf-8")
    (tmp_path / "papers" / "README.md").write_text("toy")
    monkeypatch.setattr(pipeline, "papers_folder", lambda: tmp_path / "papers")
    monkeypatch.setattr(
        pipeline, "PAPERS", {"near_repeat_chicago": "contrechamp.pipelines.papers.near_repeat_chicago:reproduce"}
    )
    return data


def _run(*words):
    return CliRunner().invoke(app, ["reproduce", *map(str, words)])


def test_list_names_every_paper_and_says_which_need_data():
    rows = json.loads(_run("list", "--json").stdout)
    assert [r["key"] for r in rows] == list(pipeline.PAPERS)
    assert {r["key"]: bool(r["data"]) for r in rows} == {
        "ensign_2018": False, "akpinar_2021": True, "near_repeat_chicago": True, "oakland_predpol": True,
        "nij_2017": False, "mohler_2011": False, "mohler_2015": False,
    }  # fmt: skip
    assert "à apporter" in _run("list").stdout and "bring them" in _run("list", "--lang", "en").stdout


def test_a_run_prints_a_table_and_writes_a_folder(toy, tmp_path):
    out = tmp_path / "out"
    said = _run("near_repeat_chicago", "--data", toy, "--seed", 5, "--out", out)
    assert said.exit_code == 0, said.output
    assert "hors tolérance" in said.stdout and "Non reproduit :" in said.stdout  # other events: other counts
    body = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert body["outside"] + body["within"] == 41
    assert sum(f["ours"] for f in body["figures"] if f["id"].startswith("arson_") and f["id"][6].isdigit()) == 780
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["seed"] == 5 and set(run["inputs"]) == {"chicago_arson.csv", "chicago_be_month1.csv"}
    names = sorted(p.name for p in (out / "figures").iterdir())
    assert names == [f"near_repeat_chicago_{lang}.{form}" for lang in ("en", "fr") for form in ("png", "svg")]
    assert (out / "figures" / names[0]).read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_parquet(out / "tables" / "arson.parquet")) == 20
    assert (out / "scenario.resolved.toml").read_text().count("edges_m") == 2

    again = json.loads(_run("near_repeat_chicago", "--data", toy, "--seed", 5, "--json", "--lang", "en").stdout)
    assert again == body
    with pytest.raises(ParameterError, match="nothing is overwritten"):
        pipeline.check_out(out)


def test_the_figure_is_the_same_bytes_twice(toy):
    found = pipeline.reproduce("near_repeat_chicago", data=toy, seed=1)
    one, two = (drawing.image(found.run.draw, "fr", form="svg") for _ in range(2))
    assert one == two and b"<dc:date>" not in one


@pytest.mark.parametrize(
    ("spoil", "error", "code", "match"),
    [
        (lambda d: None, CapabilityError, 13, "--data DIR"),
        (lambda d: d / "nowhere", ParameterError, 10, "must be a folder"),
        (lambda d: (d / "chicago_arson.csv").unlink() or d, ContractError, 11, "lacks chicago_arson.csv"),
        (lambda d: (d / "chicago_arson.csv").write_text("1,2,2016-01-01\n") and d, IntegrityError, 12, "sha256"),
    ],
)
def test_data_are_checked_before_anything_runs(toy, monkeypatch, spoil, error, code, match):
    monkeypatch.setattr(near_repeat_chicago, "reproduce", lambda *a, **k: pytest.fail("it ran"))
    with pytest.raises(error, match=match) as caught:
        pipeline.reproduce("near_repeat_chicago", data=spoil(toy), seed=1)
    assert caught.value.exit_code == code
    assert "\n" not in str(caught.value)  # one paragraph


def test_an_unknown_paper_is_refused_with_the_list():
    with pytest.raises(ParameterError, match="ensign_2018") as caught:
        pipeline.reproduce("lum_2016b", seed=1)
    assert caught.value.exit_code == 10


def test_a_damaged_folder_is_refused(toy, tmp_path):
    folder = tmp_path / "papers" / "near_repeat_chicago"
    good = (folder / "published.toml").read_text(encoding="utf-8")
    for bad in (good.replace('kind = "exact"', 'kind = "guess"'), good.replace("value", "vlaue", 1), "= no"):
        (folder / "published.toml").write_text(bad, encoding="utf-8")
        with pytest.raises(ContractError):
            pipeline.load_dossier("near_repeat_chicago")
    (folder / "published.toml").unlink()
    with pytest.raises(ContractError, match=r"published\.toml"):
        pipeline.load_dossier("near_repeat_chicago")


def test_papers_not_installed_is_a_missing_capability(monkeypatch, tmp_path):
    monkeypatch.setattr(pipeline.contrechamp, "__file__", str(tmp_path / "site" / "contrechamp" / "__init__.py"))
    monkeypatch.setattr(pipeline, "_share", lambda: tmp_path / "share")
    with pytest.raises(CapabilityError, match="checkout"):
        pipeline.papers_folder()
    installed = tmp_path / "share" / "contrechamp" / "papers"
    installed.mkdir(parents=True)
    (installed / "README.md").write_text("here")
    assert pipeline.papers_folder() == installed


@pytest.mark.parametrize(
    ("ours", "tolerance", "status"),
    [
        (Interval.exact(0.3), 0.1, "within"),  # 0.3 - 0.2 is a hair over 0.1 in binary
        (Interval.exact(0.301), 0.1, "outside"),
        (Interval.exact(0.2), 0.0, "within"),
        (Interval.exact(9.0), None, "beside"),
        (Interval.not_estimable(), 0.1, "not estimable"),
    ],
)
def test_status_of_a_comparison(ours, tolerance, status):
    published = Published("a", 0.2, tolerance, "exact", "law", Text(fr="a", en="a"))
    assert Comparison(published, ours).status == status
