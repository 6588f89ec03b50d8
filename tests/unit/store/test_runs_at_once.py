"""Two audits that begin in the same second: neither takes the other's folder."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.store import runs


def test_two_runs_begun_at_once_never_meet(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        works = list(pool.map(lambda _: runs.begin(tmp_path / "runs", run_id="r", if_taken="rename"), range(24)))
    assert len(set(works)) == 24
    assert {w.name for w in works} == {"r.partial", *(f"r-{n}.partial" for n in range(2, 25))}
    assert all((w / "tables").is_dir() for w in works)


def test_a_finished_or_unfinished_run_is_left_alone(tmp_path: Path) -> None:
    first = runs.begin(tmp_path, run_id="r", if_taken="rename")
    (first / "half").write_text("x")
    second = runs.begin(tmp_path, run_id="r", if_taken="rename")
    assert second.name == "r-2.partial"
    assert (first / "half").is_file()
    runs.finish(first)
    assert runs.finish(runs.begin(tmp_path, run_id="r", if_taken="rename")).name == "r-3"


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="cannot be created"):
        runs.begin(tmp_path / "file", run_id="r", if_taken="rename")


def test_a_folder_whose_name_is_not_utf8_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="not UTF-8"):
        runs.begin(tmp_path / os.fsdecode(b"\xff"), run_id="r")
    assert list(tmp_path.iterdir()) == []
