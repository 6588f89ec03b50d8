"""Average precision and recall: by hand, against pycocotools on repeated images, and silent."""

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.video import TRUTH_COLUMNS, Camera, ClipMeta, Detections, SceneTruth, as_table
from vsa.scoring.detection import LabelledImages, detection_scores, labelled_images

PEOPLE = (("waiting", 0, 1.0), ("waiting", 100, 0.9), ("vendor", 200, 0.6), ("rough_lying", 300, 0.2))


def clip(n_frames=4, people=PEOPLE, label="person"):
    rows = [
        (f, f / 10, i, label, situation, "standing", x, 0, x + 40, 100, x, 0, x + 40, 100, 9, visibility, 0, 0, 0)
        for f in range(n_frames)
        for i, (situation, x, visibility) in enumerate(people)
    ]
    frames = as_table(pd.DataFrame(rows, columns=list(TRUTH_COLUMNS)), TRUTH_COLUMNS, what="truth")
    return SceneTruth(ClipMeta("clip", 10.0, n_frames, Camera(640, 360, 500, 5, 20)), frames)


def boxes(*found):
    """``(x, score)``: a box that fits whoever stands at x."""
    at = np.array([[x, 0, x + 40, 100] for x, _ in found], dtype=float).reshape(-1, 4)
    return Detections(at, np.array([s for _, s in found], dtype=float), np.zeros(len(found), dtype=np.int64))


def scores(detections, **options):
    truth = clip(len(detections))
    table = detection_scores(labelled_images([(truth, range(len(detections)), detections)]), **options)
    return table.set_index(["by", "key"])


def test_a_perfect_detector_scores_one_everywhere_and_prints_nothing(capsys):
    found = scores([boxes((0, 0.9), (100, 0.8), (200, 0.7), (300, 0.6))] * 4)
    assert found["ap50"].dropna().tolist() == pytest.approx([1.0] * 7) and found["recall"].dropna().eq(1).all()
    assert found.loc[("visibility", "0.25-0.5"), ["ap50", "recall"]].isna().all()  # nobody there: not estimable
    assert found.loc[("situation", "waiting"), "n_boxes"] == 8 and found["n_images"].eq(4).all()
    assert capsys.readouterr().out == ""


def test_precision_by_hand():
    # One image, by falling score: right, wrong, right, right, one never found. Precision after each 1, 1/2, 2/3, 3/4,
    # so at best 1 up to a recall of 1/4, then 3/4 up to 3/4, then 0: (26 × 1 + 50 × 3/4) / 101.
    found = scores([boxes((0, 0.9), (500, 0.8), (100, 0.7), (200, 0.6))])
    assert found.loc[("all", "all"), "ap50"] == pytest.approx((26 + 50 * 0.75) / 101)
    assert found.loc[("all", "all"), "recall"] == 0.75
    # The vendor alone: the waiting are set aside, so the box on nothing stands before hers: 1/2 all along.
    assert found.loc[("situation", "vendor"), "ap50"] == pytest.approx(0.5)
    assert found.loc[("situation", "rough_lying"), "ap50"] == 0
    # exact bounds of 3 of 4
    exact = found.loc[("all", "all"), ["recall_exact_low", "recall_exact_high"]].tolist()
    assert exact == pytest.approx([0.1941, 0.9937], abs=1e-4)


def test_whoever_can_hardly_be_seen_is_neither_asked_for_nor_a_mistake():
    seen = scores([boxes((0, 0.9), (100, 0.8), (200, 0.7), (300, 0.95))], min_visibility=0.5)
    assert seen.loc[("all", "all"), ["ap50", "recall", "n_boxes"]].tolist() == pytest.approx([1, 1, 3])
    twice = scores([boxes((0, 0.9), (100, 0.8), (200, 0.7), (300, 0.95), (300, 0.94))], min_visibility=0.5)
    assert twice.loc[("all", "all"), "ap50"] < 1  # set aside once, not a region where anything goes


def test_recall_is_read_at_a_score():
    detections = [boxes((0, 0.9), (100, 0.3), (200, 0.1))]
    assert scores(detections, at_score=0.25).loc[("all", "all"), "recall"] == 0.5
    assert scores(detections, at_score=0.95).loc[("all", "all"), "recall"] == 0
    assert scores(detections, at_score=0.05).loc[("situation", "vendor"), "recall"] == 1


def test_rare_situations_pay_for_boxes_on_nothing():
    # The same detector, which finds everyone; one box on nothing an image, surer than the rest.
    found = scores([boxes((500, 0.99), (0, 0.9), (100, 0.8), (200, 0.7), (300, 0.6))] * 3)
    assert found.loc[("situation", "waiting"), "ap50"] > found.loc[("situation", "vendor"), "ap50"]
    assert found.loc["situation", "recall"].eq(1).all()


def _random_labelled(rng, n_images):
    truth = pd.DataFrame(
        [
            (i, "person", rng.choice(["waiting", "vendor"]), rng.uniform(), x, 0.0, x + 40, 100.0)
            for i in range(n_images)
            for x in rng.permutation(5)[: rng.integers(1, 4)] * 100.0
        ],
        columns=["image", "label", "situation", "visibility", "x1_px", "y1_px", "x2_px", "y2_px"],
    )
    near = truth[rng.uniform(size=len(truth)) < 0.8]
    found = near[["image", "label", "x1_px", "y1_px", "x2_px", "y2_px"]].copy()
    found[["x1_px", "x2_px"]] += rng.normal(0, 8, (len(found), 1))
    wrong = pd.DataFrame(
        [(i, "person", 30.0, 200.0, 70.0, 300.0) for i in rng.integers(0, n_images, 10)], columns=list(found)
    )
    found = pd.concat([found, wrong], ignore_index=True)
    found["score"] = rng.permutation(np.linspace(0.05, 0.95, len(found)))
    images = pd.DataFrame({"image": range(n_images), "scene": np.arange(n_images) // 2})
    return LabelledImages(images, truth, found)


def test_a_draw_of_scenes_is_what_pycocotools_says_of_the_images_repeated():
    from vsa.scoring.detection import _Evaluated

    labelled = _random_labelled(np.random.default_rng(3), 8)
    chosen = np.ones(len(labelled.truth), dtype=bool)
    once = _Evaluated.run(labelled.truth, labelled.found, chosen, 8)
    assert once.weighted(np.ones(8, dtype=np.int64)) == pytest.approx((once.ap50, once.ap50_95))
    weights = np.array([2, 0, 1, 3, 0, 1, 1, 0])
    copies = [(i, c) for i, w in enumerate(weights) for c in range(w)]

    def repeated(table):
        return pd.concat(
            [table[table["image"] == i].assign(image=new) for new, (i, _) in enumerate(copies)], ignore_index=True
        )

    truth, found = repeated(labelled.truth), repeated(labelled.found)
    whole = _Evaluated.run(truth, found, np.ones(len(truth), dtype=bool), len(copies))
    assert once.weighted(weights) == pytest.approx((whole.ap50, whole.ap50_95))
    assert 0.3 < whole.ap50 < 0.95 and whole.ap50_95 < whole.ap50


def test_intervals_are_over_scenes_and_repeat_from_a_seed():
    labelled = _random_labelled(np.random.default_rng(4), 20)
    one = detection_scores(labelled, rng=stream(1, "ap"), replicates=60)
    again = detection_scores(labelled, rng=stream(1, "ap"), replicates=60)
    pd.testing.assert_frame_equal(one, again)
    row = one.set_index("by").loc["all"]
    assert row["n_scenes"] == 10 and row["ap50_low"] < row["ap50"] < row["ap50_high"]
    assert row["recall_low"] < row["recall"] < row["recall_high"]
    assert detection_scores(labelled)["ap50_low"].isna().all()  # no generator, no interval


def test_nothing_found_nothing_there():
    assert scores([boxes()]).loc[("all", "all"), ["ap50", "recall"]].tolist() == [0, 0]
    empty = detection_scores(labelled_images([(clip(1, ()), [0], [boxes((0, 0.9))])]))
    assert empty["ap50"].isna().all() and empty["n_boxes"].tolist() == [0]
    assert detection_scores(labelled_images([]))["ap50"].isna().all()


def test_mistakes_are_named():
    with pytest.raises(ContractError, match="one set of detections"):
        labelled_images([(clip(2), [0, 1], [boxes()])])
    with pytest.raises(ContractError, match="no frame 7"):
        labelled_images([(clip(2), [7], [boxes()])])
    with pytest.raises(ParameterError, match="label"):
        detection_scores(labelled_images([]), label="dog")
