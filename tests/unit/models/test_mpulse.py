"""The replica of the delivered tool: notes, colours, transfer, adequacy, storage; each guess says that it is one."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from models.mpulse import COLOURS, MPulse, PastEvents
from models.mpulse_adequacy import ADEQUACY_FORMULAS, SimilarStaff, adequacy_formula
from models.mpulse_clashes import Planned, clashes
from models.mpulse_forest import Forest
from models.mpulse_notes import NOTE_FORMULAS, SCALE_TOP, note_formula


def file(n: int = 200, *, seed: int = 3) -> PastEvents:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    facts = rng.poisson(np.exp(features[:, :1]) * [3.0, 1.0, 0.2]).astype(float)
    return PastEvents(features, facts, np.exp(rng.normal(6, 1, n)), rng.integers(0, 12, n).astype(float))


# --- guesses


@pytest.mark.parametrize("table", [NOTE_FORMULAS, ADEQUACY_FORMULAS])
def test_every_formula_says_that_it_is_a_guess(table: Any) -> None:
    assert len(table) >= 2
    for formula in table.values():
        assert formula.label.fr.startswith("hypothèse de notre part : ")
        assert formula.label.en.startswith("our guess: ")


@pytest.mark.parametrize("key", NOTE_FORMULAS)
@settings(max_examples=25, deadline=None)
@given(facts=st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=30), more=st.integers(1, 5))
def test_notes_stay_on_the_scale_and_one_fact_more_never_lowers_one(
    key: str, facts: list[tuple[int, int, int]], more: int
) -> None:
    rows = np.array(facts, dtype=float)
    crowd = np.linspace(50, 5000, len(rows))
    compute = note_formula(key).compute
    before = compute(rows, crowd)
    assert ((before >= 1) & (before <= 10)).all()
    risen = rows.copy()
    risen[0, 2] += more
    assert compute(risen, crowd)[0] >= before[0] - 1e-12


def test_the_two_rank_notes_ignore_what_multiplies_every_fact_and_the_fixed_scale_does_not() -> None:
    past = file()
    for key, moved in (("rank", False), ("per-head", False), ("fixed-scale", True)):
        once, thrice = (note_formula(key).compute(k * past.facts, past.attendance) for k in (1.0, 3.0))
        assert bool(np.abs(once - thrice).max() > 1e-9) is moved


def test_the_fixed_scale_on_paper() -> None:
    facts = np.array([[0.0, 0, 0], [np.sqrt(SCALE_TOP + 1) - 1, 0, 0]])
    np.testing.assert_allclose(note_formula("fixed-scale").compute(facts, np.ones(2)), [1.0, 5.5])


def test_adequacy_on_paper() -> None:
    known = SimilarStaff(np.array([9.0, 9.0, 9.0]), np.array([4.0, 4.0, 4.0]))
    plans = np.array([4.0, 9.0, 19.0])
    assert adequacy_formula("resemblance").compute(plans, known).tolist() == [0.5, 1.0, 0.5]
    assert adequacy_formula("quiet-events").compute(plans, known).tolist() == [1.0, 0.5, 0.25]
    assert adequacy_formula("coverage").compute(plans, known).tolist() == [0.5, 1.0, 1.0]


def test_unknown_formulas_are_refused_by_name() -> None:
    for refuse in (note_formula, adequacy_formula):
        with pytest.raises(ParameterError, match="all of them guesses"):
            refuse("published")
    with pytest.raises(ParameterError, match="one of 'rank'"):
        MPulse(note="published").fit(file())


# --- the tool


def test_colours_change_at_their_thresholds() -> None:
    found = MPulse().colours(np.array([1.0, 3.99, 4.0, 6.99, 7.0, 10.0]))
    assert [COLOURS[k] for k in found] == ["green", "green", "orange", "orange", "red", "red"]


def test_a_planned_event_like_a_group_of_past_ones_gets_their_note_and_their_staff() -> None:
    rng = np.random.default_rng(0)
    quiet, rough = np.zeros((60, 2)), np.ones((60, 2))
    features = np.vstack([quiet, rough]) + 0.01 * rng.normal(size=(120, 2))
    facts = np.zeros((120, 3))
    facts[60:, 0] = 20 + rng.integers(3, size=60)
    past = PastEvents(features, facts, np.full(120, 500.0), np.repeat([3.0, 12.0], 60))
    tool = MPulse(note="fixed-scale", min_leaf=5).fit(past)
    notes = tool.transferred(np.array([[0.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(notes, [1.0, tool.past_notes_[60:].mean()], atol=0.05)
    np.testing.assert_allclose(tool.staff(np.array([[0.0, 0.0], [1.0, 1.0]])).mean, [3.0, 12.0], rtol=1e-9)
    found, near = tool.similar(np.array([[0.0, 0.0], [1.0, 1.0]]), k=4)
    assert (found[0] < 60).all() and (found[1] >= 60).all()
    assert (np.diff(near, axis=1) <= 0).all() and near.max() <= 1.0


def test_quiet_events_are_those_below_what_their_similar_events_foretell() -> None:
    past = file()
    sent = np.where(past.facts[:, 0] > np.median(past.facts[:, 0]), 20.0, 2.0)  # rough events drew officers
    tool = MPulse().fit(PastEvents(past.features, past.facts, past.attendance, sent))
    staff = tool.staff(past.features)
    assert (staff.quiet <= staff.mean + 1e-9).mean() > 0.95


def test_same_seed_same_notes_and_another_seed_other_notes() -> None:
    past, new = file(), file(40, seed=8).features
    first, again, other = (MPulse(seed=s).fit(past).transferred(new) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_stored_as_plain_arrays_it_comes_back_whole() -> None:
    past, new = file(), file(40, seed=8)
    tool = MPulse(note="per-head", adequacy="quiet-events", seed=4).fit(past)
    kept = io.BytesIO()
    np.savez(kept, allow_pickle=False, **tool.to_arrays())
    kept.seek(0)
    with np.load(kept, allow_pickle=False) as arrays:
        back = MPulse.from_arrays(tool.get_params(), dict(arrays))
    np.testing.assert_array_equal(back.transferred(new.features), tool.transferred(new.features))
    np.testing.assert_array_equal(back.p_red(new.features), tool.p_red(new.features))
    planned = np.full(40, 6.0)
    np.testing.assert_array_equal(
        back.adequate(new.features, planned=planned), tool.adequate(new.features, planned=planned)
    )


def test_a_stored_forest_that_would_never_end_is_refused() -> None:
    arrays = MPulse().fit(file()).to_arrays()
    looping = arrays["forest_left"].copy()
    looping[looping > 0] = 0
    for changed, match in (
        (arrays | {"forest_left": looping}, "after their parent"),
        (arrays | {"forest_right": arrays["forest_right"] + 10_000}, "after their parent"),
        ({k: v for k, v in arrays.items() if k != "forest_roots"}, "Missing: forest_roots"),
        ({k: v for k, v in arrays.items() if k != "past_notes_"}, "Missing: past_notes_"),
    ):
        with pytest.raises(ParameterError, match=match):
            MPulse.from_arrays(MPulse().get_params(), changed)
    with pytest.raises(ParameterError, match="no parameter 'depth'"):
        MPulse.from_arrays({"depth": 3}, arrays)
    assert isinstance(Forest.from_arrays(arrays), Forest)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"features": np.full((200, 4), np.nan)}, "past.features"),
        ({"facts": np.zeros((200, 2))}, "three columns"),
        ({"facts": -np.ones((200, 3))}, "at least 0"),
        ({"officers": np.zeros(3)}, "one row in every array"),
    ],
)
def test_a_bad_file_is_refused(change: dict[str, Any], match: str) -> None:
    past = file()
    parts = {k: getattr(past, k) for k in ("features", "facts", "attendance", "officers")}
    with pytest.raises(ParameterError, match=match):
        MPulse().fit(PastEvents(**(parts | change)))


@pytest.mark.parametrize("change", [{"n_trees": 0}, {"min_leaf": 1.5}, {"share_features": 0.0}, {"red_from": 11.0},
                                    {"seed": -1}, {"orange_from": 8.0}])  # fmt: skip
def test_parameters_out_of_their_domain_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        MPulse(**change).fit(file())


def test_before_fit_and_with_other_columns_it_says_so() -> None:
    with pytest.raises(ParameterError, match="before fit"):
        MPulse().transferred(np.zeros((2, 4)))
    tool = MPulse().fit(file())
    with pytest.raises(ParameterError, match=r"\(n_events, 4\)"):
        tool.transferred(np.zeros((2, 3)))
    with pytest.raises(ParameterError, match="planned"):
        tool.adequate(np.zeros((2, 4)), planned=np.array([1.0, -1.0]))


# --- clashes


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(-1e4, 1e4), hours=st.floats(-500, 500))
def test_clashes_depend_on_neither_the_origin_nor_the_order(seed: int, shift: float, hours: float) -> None:
    rng = np.random.default_rng(seed)
    n = 40
    start = rng.uniform(0, 60, n)
    day = Planned(rng.uniform(0, 900, n), rng.uniform(0, 900, n), start, start + 3, rng.random(n) < 0.3)
    found = {tuple(p) for p in clashes(day).tolist()}
    moved = Planned(day.x_m + shift, day.y_m - shift, day.start_h + hours, day.end_h + hours, day.works)
    assert {tuple(p) for p in clashes(moved).tolist()} == found
    order = rng.permutation(n)
    mixed = clashes(Planned(*(getattr(day, k)[order] for k in ("x_m", "y_m", "start_h", "end_h", "works"))))
    assert {tuple(sorted(order[p])) for p in mixed} == found


def test_wider_buffers_only_add_clashes_and_works_never_clash_among_themselves() -> None:
    rng = np.random.default_rng(2)
    n = 200
    start = rng.uniform(0, 100, n)
    day = Planned(rng.uniform(0, 2e3, n), rng.uniform(0, 2e3, n), start, start + 4, rng.random(n) < 0.5)
    small = {tuple(p) for p in clashes(day, radius_m=100, margin_h=0).tolist()}
    large = {tuple(p) for p in clashes(day, radius_m=250, margin_h=1).tolist()}
    assert small < large
    assert not any(day.works[a] and day.works[b] for a, b in large)


def test_a_calendar_that_ends_before_it_starts_is_refused() -> None:
    one = np.zeros(2)
    with pytest.raises(ParameterError, match="row 1"):
        clashes(Planned(one, one, np.array([0.0, 5.0]), np.array([1.0, 4.0]), one > 0))
    with pytest.raises(ParameterError, match="radius_m"):
        clashes(Planned(one, one, one, one, one > 0), radius_m=-1.0)
    assert clashes(Planned(one[:1], one[:1], one[:1], one[:1], one[:1] > 0)).shape == (0, 2)
