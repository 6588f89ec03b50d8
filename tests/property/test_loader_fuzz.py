"""Every loader, every stream: damaged files end in a report, and no row is lost or doubled."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contrechamp.domain.streams import LAYOUTS

_SPEC = importlib.util.spec_from_file_location(
    "fuzz_ingest", Path(__file__).resolve().parents[2] / "benchmarks" / "fuzz_ingest.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
fuzz = importlib.util.module_from_spec(_SPEC)
sys.modules["fuzz_ingest"] = fuzz
_SPEC.loader.exec_module(fuzz)


@pytest.mark.parametrize("name", fuzz.TARGETS)
def test_sound_files_are_taken_whole_and_damaged_ones_lose_nothing(name: str) -> None:
    spec = fuzz.load_stream(name) if name in LAYOUTS else fuzz.table_spec(fuzz.load_format(name))
    sound = fuzz.account([fuzz.SAMPLES[name]], spec, quick=False)
    if name in LAYOUTS:
        assert sound == {"in": 6, "records": 3, "duplicates": 3, "aside": 0}, "the fuzzing starts from sound files"
    fuzz.some(name, [fuzz.mutate(name, np.random.default_rng([5, i])) for i in range(12)])


damaged = st.builds(
    lambda at, seed: (fuzz.TARGETS[at], fuzz.mutate(fuzz.TARGETS[at], np.random.default_rng(seed))),
    st.integers(0, len(fuzz.TARGETS) - 1), st.integers(0, 2**32),
)  # fmt: skip
noise = st.tuples(st.sampled_from(fuzz.TARGETS), st.binary(min_size=1, max_size=200))
spliced = st.builds(
    lambda target, cut, middle: (target, fuzz.SAMPLES[target][:cut] + middle + fuzz.SAMPLES[target][cut:]),
    st.sampled_from(fuzz.TARGETS), st.integers(0, 400), st.sampled_from(fuzz.WORDS) | st.binary(max_size=8),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged | noise | spliced)
def test_no_bytes_make_a_loader_fall_or_lose_a_row(case: tuple[str, bytes]) -> None:
    fuzz.some(case[0], [case[1]])
