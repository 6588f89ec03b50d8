"""Work sent elsewhere gives the same numbers; an address where nobody answers is one paragraph, at once."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from contrechamp.domain.errors import CapabilityError
from contrechamp.domain.parallel import engine
from contrechamp.experiments import e25_counts_by_effort as e25


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://127.0.0.1:1", "tcp://x:y", "127.0.0.1:8786", "tcp://"])
def test_nobody_there(address: str) -> None:
    with pytest.raises(CapabilityError, match="No Dask scheduler answers"), engine(address):
        pass


def test_nothing_is_left_to_complain_at_the_end() -> None:
    words = ["experiment", "run", "E25", "--dask", "tcp://127.0.0.1:1"]
    start = "import sys; from contrechamp.cli import main; sys.argv[0] = 'contrechamp'; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 13
    assert "Traceback" not in done.stderr


def test_an_experiment_on_a_cluster_gives_the_same_numbers() -> None:
    from distributed import LocalCluster

    few = dataclasses.replace(e25.Params.quick(), worlds=3, per_weeks=(5.0,))
    here = e25.run(few, seed=1)
    given = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with LocalCluster(**given) as cluster, engine(cluster.scheduler_address):
        there = e25.run(few, seed=1, jobs=2)
    assert [r.interval for r in here.results] == [r.interval for r in there.results]
