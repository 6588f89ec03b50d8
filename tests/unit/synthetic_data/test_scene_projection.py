"""The truth without drawing against the truth of the renderer: a second way to the same boxes."""

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.video import BOX, TRUTH_COLUMNS, VISIBLE_BOX
from synthetic_data.scenes.projection import projected_truth
from synthetic_data.scenes.render import Renderer
from synthetic_data.scenes.scripted import Placed, placed_script
from synthetic_data.scenes.scripts import write_script
from synthetic_data.scenes.spec import PLACES, SceneSpec

CAST = (("waiting", 3), ("tourists", 1), ("rough_lying", 1), ("vendor", 1), ("wheelchair", 1), ("bag_leaving", 1))


def iou(a, b):
    size = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.clip(size, 0, None).prod(axis=1)
    return shared / ((a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - shared)


@pytest.fixture(scope="module")
def both():
    """Truth of a few frames in every place, drawn and projected, side by side."""
    sides = []
    for place in PLACES:
        script = write_script(
            SceneSpec(place=place, duration_s=30.0, fps=2.0, dwell_s=(10.0, 60.0), cast=CAST, flow_per_min=20.0)
        )
        renderer, frames = Renderer(script, samples=1), (5, 30, 55)
        drawn = pd.concat([renderer.frame(i).truth for i in frames])
        projected = projected_truth(script).frames.query("frame in @frames")
        sides.append(
            drawn.merge(projected, on=["frame", "subject_id"], how="outer", suffixes=("", "_p"), indicator=True)
        )
    return pd.concat(sides)


def test_the_same_people_are_in_view(both):
    assert len(both) > 150
    assert (both["_merge"] == "both").mean() > 0.98


def test_boxes_and_visibility_agree_with_the_renderer(both):
    seen = both[both["_merge"] == "both"]
    whole = iou(seen[list(BOX)].to_numpy(), seen[[f"{c}_p" for c in BOX]].to_numpy())
    assert np.median(whole) > 0.9 and np.quantile(whole, 0.05) > 0.75
    assert np.corrcoef(seen["visibility"], seen["visibility_p"])[0, 1] > 0.9
    clear = seen[seen["visibility"] > 0.3]
    part = iou(clear[list(VISIBLE_BOX)].to_numpy(), clear[[f"{c}_p" for c in VISIBLE_BOX]].to_numpy())
    assert np.median(part) > 0.8
    assert clear["visible_px_p"].sum() == pytest.approx(clear["visible_px"].sum(), rel=0.1)


def test_who_and_where_are_the_same_to_the_bit(both):
    seen = both[both["_merge"] == "both"]
    for column in ("label", "situation", "posture", "x_m", "y_m", "speed_m_s", "t_s"):
        assert (seen[column] == seen[f"{column}_p"]).all(), column


def test_a_person_alone_is_where_the_camera_formula_puts_them():
    script = placed_script(
        [Placed("waiting", ((0.0, 1.0, 12.0), (1.0, 1.0, 12.0)))], duration_s=1.0, fps=5.0, events=[]
    )
    truth = projected_truth(script).frames
    assert list(truth) == list(TRUTH_COLUMNS) and len(truth) == 5
    (feet, crown), _ = script.meta.camera.project(np.array([[1.0, 12.0, 0.0], [1.0, 12.0, 1.7]]))
    row = truth.iloc[0]
    assert row["y2_px"] == pytest.approx(feet[1], abs=4) and row["y1_px"] == pytest.approx(crown[1], abs=4)
    assert row["x1_px"] < feet[0] < row["x2_px"]
    assert row["visibility"] == 1.0 and row["visible_px"] > 200


def test_who_stands_behind_is_hidden_and_who_stands_before_is_not():
    near, far = (Placed("waiting", ((0.0, 0.0, y), (1.0, 0.0, y))) for y in (8.0, 8.7))
    truth = projected_truth(placed_script([near, far], duration_s=1.0, fps=1.0, events=[])).frames.set_index(
        "subject_id"
    )
    assert truth.loc[1, "visibility"] == 1.0
    assert truth.loc[2, "visibility"] < 0.5


def test_a_facade_hides_entirely_and_nobody_is_invented():
    hidden = Placed("waiting", ((0.0, -6.5, 30.0), (1.0, -6.5, 30.0)))
    behind_camera = Placed("waiting", ((0.0, 0.0, -5.0), (1.0, 0.0, -5.0)))
    truth = projected_truth(placed_script([hidden, behind_camera], duration_s=1.0, fps=1.0, events=[])).frames
    assert truth["subject_id"].tolist() == [1]
    assert truth["visibility"].tolist() == [0.0] and truth["visible_px"].tolist() == [0]
    box, shown = truth[list(BOX)].to_numpy(), truth[list(VISIBLE_BOX)].to_numpy()
    assert (box == shown).all()


def test_an_empty_scene_has_an_empty_truth():
    truth = projected_truth(write_script(SceneSpec(flow_per_min=0.0, duration_s=1.0)))
    assert len(truth.frames) == 0 and list(truth.frames) == list(TRUTH_COLUMNS)
    with pytest.raises(ParameterError, match="step"):
        projected_truth(write_script(SceneSpec(flow_per_min=0.0, duration_s=1.0)), step=0)
