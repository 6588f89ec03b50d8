"""Ingests share a lake, a purge has it alone, and a lock ends with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from contrechamp.domain.errors import ContractError
from contrechamp.store import lock


def test_many_share_it_and_one_alone_is_refused_meanwhile(tmp_path: Path) -> None:
    with lock.held(tmp_path, alone=False) as first, lock.held(f"file://{tmp_path}", alone=False) as second:
        assert (first, second) == (True, True)
        with pytest.raises(ContractError, match="needs it alone"), lock.held(tmp_path, alone=True):
            pass
    with lock.held(tmp_path, alone=True) as alone:
        assert alone
    assert list(tmp_path.iterdir()) == [], "it leaves no file"


def test_an_ingest_waits_for_a_purge_to_end(tmp_path: Path) -> None:
    entered = threading.Event()

    def come_in() -> None:
        with lock.held(tmp_path, alone=False):
            entered.set()

    with lock.held(tmp_path, alone=True):
        other = threading.Thread(target=come_in)
        other.start()
        assert not entered.wait(0.2)
    assert entered.wait(5)
    other.join()


def test_the_lock_of_a_killed_process_is_gone(tmp_path: Path) -> None:
    code = (
        "import sys, time; from contrechamp.store import lock\n"
        "with lock.held(sys.argv[1], alone=True):\n print(1, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(ContractError), lock.held(tmp_path, alone=True):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    with lock.held(tmp_path, alone=True) as alone:
        assert alone


def test_a_folder_made_for_nothing_is_taken_away_and_a_store_has_no_lock(tmp_path: Path) -> None:
    with lock.held(tmp_path / "a" / "lake", alone=False):
        assert (tmp_path / "a" / "lake").is_dir()
    assert not (tmp_path / "a" / "lake").exists()
    with lock.held("s3://bucket/lake", alone=True) as there:
        assert not there
