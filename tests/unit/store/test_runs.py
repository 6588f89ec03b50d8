"""Run folders: built aside, renamed once, never edited."""

from pathlib import Path

import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ContrechampError, ParameterError
from contrechamp.store import runs


def test_a_run_is_invisible_until_it_is_finished(tmp_path: Path) -> None:
    work = runs.begin(tmp_path, run_id="20260101-quick")
    runs.write_tables(work, {"t": pd.DataFrame({"a": [1, 2]})})
    runs.write_json(work / "results.json", {"x": 1})
    assert runs.list_runs(tmp_path) == []
    final = runs.finish(work)
    assert runs.list_runs(tmp_path) == [final]
    assert runs.read_table(final, "t")["a"].tolist() == [1, 2]
    with pytest.raises(ParameterError, match="never edited"):
        runs.begin(tmp_path, run_id="20260101-quick")
    with pytest.raises(ContrechampError, match="not a run being built"):
        runs.finish(final)


def test_an_interrupted_run_is_started_afresh(tmp_path: Path) -> None:
    work = runs.begin(tmp_path, run_id="r")
    (work / "half-written").write_text("x")
    assert not (runs.begin(tmp_path, run_id="r") / "half-written").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", "r.partial", "-r", "x" * 200])
def test_an_id_that_is_no_plain_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError, match="run id"):
        runs.begin(tmp_path, run_id=name)


def test_missing_parts_are_said_in_one_paragraph(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="missing"):
        runs.read_json(tmp_path / "results.json")
    (tmp_path / "bad.json").write_bytes(b"\xff{")
    with pytest.raises(ContractError, match="cannot be read as JSON"):
        runs.read_json(tmp_path / "bad.json")
    with pytest.raises(ContractError, match="no table 't'"):
        runs.read_table(tmp_path, "t")
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="cannot be created"):
        runs.begin(tmp_path / "file", run_id="r")
