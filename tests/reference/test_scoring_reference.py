"""Slow, obvious second implementations of the scores of events and of boxes: every pairing tried, every tenth of a
second looked at, precision and recall by the definition. They must agree with the fast ones."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsa.scoring import events as ev
from vsa.scoring.detection import LabelledImages, detection_scores
from vsa.scoring.matching import box_iou, match_boxes

tenths = st.integers(0, 300).map(lambda n: n / 10)
instants = st.lists(tenths, max_size=6)
spans = st.lists(st.tuples(tenths, st.integers(0, 80).map(lambda n: n / 10), st.integers(0, 4)), max_size=5)


def pairings(n, m):
    """Every one-to-one pairing of some of n with some of m, as lists of (i, j)."""
    for k in range(min(n, m) + 1):
        for left in itertools.combinations(range(n), k):
            for right in itertools.permutations(range(m), k):
                yield list(zip(left, right, strict=True))


@given(instants, instants, st.sampled_from([(0.0, 10.0), (0.0, 0.0), (-2.0, 3.0)]))
@settings(max_examples=80, deadline=None)
def test_windows_find_as_many_events_as_any_pairing_and_count_every_alarm_once(alarms, begins, window):
    found = ev.match_events(
        pd.DataFrame({"t_alert_s": alarms}, dtype=float), pd.DataFrame({"t_begin_s": begins}, dtype=float),
        window_s=window,
    )  # fmt: skip

    def inside(a, b):
        return b + window[0] - 1e-9 <= a <= b + window[1] + 1e-9

    most = max(
        sum(1 for _ in p) for p in pairings(len(alarms), len(begins)) if all(inside(alarms[i], begins[j]) for i, j in p)
    )
    outside = sum(not any(inside(a, b) for b in begins) for a in alarms)
    assert found.hits == most and found.false_alerts == outside and found.misses == len(begins) - most
    told = found.alerts["outcome"].value_counts()
    assert told.get("hit", 0) == most and told.sum() == len(alarms)
    for row, partner in enumerate(found.events["alert"]):
        assert partner < 0 or inside(alarms[partner], begins[row])


def table(rows, *, scored):
    data = pd.DataFrame(rows, columns=["t_begin_s", "lasts", "score"], dtype=float)
    out = data.assign(t_end_s=data["t_begin_s"] + data["lasts"])[["t_begin_s", "t_end_s", "score"]]
    return out if scored else out.drop(columns="score")


def kernel_sed(s, r, low, spread):
    middle = (s[0] + s[1]) / 2
    if not r[0] - 0.5 - 1e-9 <= middle <= r[1] + 0.5 + 1e-9:
        return None
    overlap = (min(s[1], r[1]) - max(s[0], r[0])) / max(1 / 25, r[1] - r[0])
    return 1 + 1e-8 * overlap + 1e-6 * ((s[2] - low) / spread if spread else 1.0)


def kernel_actev(s, r, low, spread):
    shared, lasts = max(0.0, min(s[1], r[1]) - max(s[0], r[0])), r[1] - r[0]
    right = (shared > 0 and shared >= lasts / 2 - 1e-9) if lasts < 1 else shared >= 1 - 1e-9
    return 1 + 1e-6 * ((s[2] - low) / spread if spread else 1.0) if right else None


@pytest.mark.parametrize(
    ("align", "kernel", "false_cost"), [("align_sed", kernel_sed, 1), ("align_actev", kernel_actev, 0)]
)
@given(system=spans, reference=spans)
@settings(max_examples=60, deadline=None)
def test_pairing_is_the_best_of_all(align, kernel, false_cost, system, reference):
    ours, theirs = table(system, scored=True), table(reference, scored=False)
    found = getattr(ev, align)(ours, theirs)
    s, r = ours.to_numpy().tolist(), theirs.to_numpy().tolist()
    low, spread = (ours["score"].min(), np.ptp(ours["score"])) if len(ours) else (0, 0)

    def worth(pairing):
        kernels = [kernel(s[i], r[j], low, spread) for i, j in pairing]
        return None if None in kernels else sum(kernels) - false_cost * (len(s) - len(pairing))

    best = max(w for p in pairings(len(s), len(r)) if (w := worth(p)) is not None)
    chosen = list(zip(found.system.tolist(), found.reference.tolist(), strict=True))
    assert worth(chosen) == pytest.approx(best, abs=1e-12)
    assert sorted([*found.system, *found.false]) == list(range(len(s)))
    assert sorted([*found.reference, *found.missed]) == list(range(len(r)))


@given(system=spans, reference=spans)
@settings(max_examples=30, deadline=None)
def test_time_wrongly_alarmed_is_that_of_looking_at_every_tenth_of_a_second(system, reference):
    ours, theirs = table(system, scored=True), table(reference, scored=False)
    aligned = ev.align_actev(ours, theirs)
    found = ev.actev_curve(aligned, ours, theirs, duration_s=40.0)
    ticks = (np.arange(400) + 0.5) / 10

    def there(rows, t):
        return sum(1 for b, e in rows if b < t < e)

    true = [there(theirs.to_numpy(), t) for t in ticks]
    for line in found.itertuples():
        kept = ours[ours["score"] >= line.threshold][["t_begin_s", "t_end_s"]].to_numpy()
        excess = sum(max(0, there(kept, t) - n) for t, n in zip(ticks, true, strict=True)) / 10
        assert line.tfa == pytest.approx(excess / (true.count(0) / 10), abs=1e-9)
        right = sum(ours["score"][i] >= line.threshold for i in aligned.system)
        wrong = sum(ours["score"][i] >= line.threshold for i in aligned.false)
        assert line.rfa_per_min == pytest.approx(wrong / (40 / 60))
        assert len(theirs) == 0 or line.p_miss == pytest.approx(1 - right / len(theirs))
    assert found["tfa"].is_monotonic_increasing and found["p_miss"].fillna(0).is_monotonic_decreasing


boxes = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 6), st.integers(1, 6)), max_size=4)


@given(boxes, boxes, st.sampled_from([0.1, 0.3, 0.5]))
@settings(max_examples=80, deadline=None)
def test_pairing_of_boxes_has_the_greatest_sum_of_overlaps(one, other, least):
    a = np.array([(x, y, x + w, y + h) for x, y, w, h in one], dtype=float).reshape(-1, 4)
    b = np.array([(x, y, x + w, y + h) for x, y, w, h in other], dtype=float).reshape(-1, 4)
    frames = np.zeros(len(a), dtype=np.int64), np.zeros(len(b), dtype=np.int64)
    partner, overlap = match_boxes(frames[0], a, frames[1], b, min_iou=least)
    iou = box_iou(a, b)
    best = max(sum(iou[i, j] for i, j in p) for p in pairings(len(a), len(b)) if all(iou[i, j] >= least for i, j in p))
    assert overlap.sum() == pytest.approx(best)
    used = partner[partner >= 0]
    assert len(set(used)) == len(used)
    assert all(overlap[i] == pytest.approx(iou[i, j]) for i, j in enumerate(partner) if j >= 0)


def slow_average_precision(truth, found, counts, threshold):
    """By the definition: boxes by falling score, each to the best free subject that counts, else to one set aside."""
    taken, right, wrong, points = set(), 0, 0, []
    for _, box in found.sort_values("score", ascending=False, kind="stable").iterrows():
        best = {True: (None, threshold), False: (None, threshold)}
        for i, person in truth[truth["image"] == box["image"]].iterrows():
            iou = box_iou(*(np.array([[t[c] for c in ("x1_px", "y1_px", "x2_px", "y2_px")]]) for t in (box, person)))
            if i not in taken and iou[0, 0] >= best[bool(counts[i])][1]:
                best[bool(counts[i])] = (i, iou[0, 0])
        hit, aside = best[True][0], best[False][0]
        if hit is not None:
            taken.add(hit)
            right += 1
        elif aside is not None:
            taken.add(aside)
            continue
        else:
            wrong += 1
        points.append((right / counts.sum(), right / (right + wrong)))
    return np.mean([max((p for r, p in points if r >= level), default=0.0) for level in np.linspace(0, 1, 101)])


def test_average_precision_is_that_of_the_definition():
    rng = np.random.default_rng(8)
    rows = [
        (i, "person", str(rng.choice(["waiting", "vendor"])), rng.uniform(), x, 0.0, x + 40, 100.0)
        for i in range(6)
        for x in rng.permutation(4)[: rng.integers(1, 4)] * 30.0
    ]
    columns = ["x1_px", "y1_px", "x2_px", "y2_px"]
    truth = pd.DataFrame(rows, columns=["image", "label", "situation", "visibility", *columns])
    found = truth.sample(frac=1.4, replace=True, random_state=1)[["image", "label", *columns]].reset_index(drop=True)
    found[["x1_px", "x2_px"]] += rng.normal(0, 9, (len(found), 1))
    found["score"] = rng.permutation(np.linspace(0.1, 0.9, len(found)))
    images = pd.DataFrame({"image": range(6), "scene": range(6)})
    table = detection_scores(LabelledImages(images, truth, found)).set_index("key")
    everyone = np.ones(len(truth), dtype=bool)
    for key, counts in (("all", everyone), ("waiting", (truth["situation"] == "waiting").to_numpy())):
        assert table.loc[key, "ap50"] == pytest.approx(slow_average_precision(truth, found, counts, 0.5))
        steps = [slow_average_precision(truth, found, counts, t) for t in np.linspace(0.5, 0.95, 10)]
        assert table.loc[key, "ap50_95"] == pytest.approx(np.mean(steps))
