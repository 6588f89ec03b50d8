"""A landing folder that somebody arranged: links to elsewhere, folders, an impossible outline, long lines."""

import json
from pathlib import Path

import pytest

from contrechamp.domain.errors import ContractError
from contrechamp.pipelines import ingest as pipeline
from contrechamp.pipelines.tracking import _without_password
from contrechamp.store.lake import read_quarantine
from ingest import load_stream
from ingest.parsing import Limits, from_bytes, parse

KEY = b"k" * 32


def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing" / "mains_courantes"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text('{"id": 1}\n')
    return folder


def test_a_link_that_leads_out_is_not_opened(tmp_path: Path) -> None:
    folder = landing(tmp_path)
    (tmp_path / "secret").write_text("root:secret\n")
    (folder / "b.jsonl").symlink_to(tmp_path / "secret")
    (folder / "c.jsonl").symlink_to(folder / "a.jsonl")
    (folder / "d.jsonl").symlink_to(folder / "nowhere")
    with pytest.raises(ContractError, match="Nothing in"):
        pipeline.ingest(tmp_path / "landing", lake=tmp_path / "lake", key=KEY)
    rows = read_quarantine(tmp_path / "lake").set_index("source_file")
    assert not any(b"secret" in raw for raw in rows["raw"])
    assert rows.loc["mains_courantes/b.jsonl", "reason"] == "unreadable_file"
    assert rows.loc["mains_courantes/c.jsonl", "reason"] == "wrong_type", "a link inside the landing is followed"
    assert rows.loc["mains_courantes/d.jsonl", "reason"] == "unreadable_file"
    assert len(rows) == 4


def test_what_is_no_file_is_said_and_not_left_out_in_silence(tmp_path: Path) -> None:
    folder = landing(tmp_path)
    (folder / "2017").mkdir()
    with pytest.raises(ContractError, match="not a file: 2017"):
        pipeline.ingest(tmp_path / "landing", lake=tmp_path / "lake", key=KEY)


@pytest.mark.parametrize("runs", [[0, 10**15], [0, 10**9], [-1, 2]])
def test_an_outline_that_asks_for_the_moon_is_refused(tmp_path: Path, runs: list[int]) -> None:
    landing(tmp_path)
    outline = {"x0_m": 0, "y0_m": 0, "cell_m": 250, "shape": [10**6, 10**9], "runs": runs}
    (tmp_path / "landing" / "territory.json").write_text(json.dumps(outline))
    with pytest.raises(ContractError, match="outline of the land"):
        pipeline.ingest(tmp_path / "landing", lake=tmp_path / "lake", key=KEY)


@pytest.mark.parametrize("stream", ["mains_courantes", "verbalisations"])
def test_long_lines_are_handed_over_by_bytes(stream: str) -> None:
    spec = load_stream(stream)
    if spec.format == "jsonl":
        lines = [json.dumps({"id": str(n), "text": "x" * 10_000}) for n in range(40)]
    else:
        head = spec.delimiter.join(spec.fields)
        lines = [head, *(spec.delimiter.join(["x" * 10_000] * len(spec.fields)) for _ in range(40))]
    source = from_bytes("\n".join(lines).encode())
    whole = list(parse(source, spec, limits=Limits()))
    pieces = list(parse(source, spec, limits=Limits(chunk_bytes=100_000)))
    assert len(whole) == 1
    assert len(pieces) >= 4
    assert sum(c.rows_in for c in pieces) == whole[0].rows_in == 40
    numbers = [n for c in pieces for n in c.rows["source_row"]]
    assert numbers == whole[0].rows["source_row"].tolist()


def test_passwords_stay_out_of_messages() -> None:
    shown = _without_password(
        "(x) postgresql+psycopg2://me:s3:cr@et@db:5432/a and http://u:p@h:1 and sqlite:////a/b.db"
    )
    assert shown == "(x) postgresql+psycopg2://me:***@db:5432/a and http://u:***@h:1 and sqlite:////a/b.db"
