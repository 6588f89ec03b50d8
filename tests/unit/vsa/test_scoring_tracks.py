"""Track scores: one switch of number by hand, and the same figures as trackeval run on files."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError
from contrechamp.domain.video import BOX, TRACK_COLUMNS, TRUTH_COLUMNS, Camera, ClipMeta, SceneTruth, as_table
from vsa.scoring.mot import MotClip, mot_clip, mot_scores


def table(rows):
    return pd.DataFrame(rows, columns=["frame", "track_id", *BOX]).astype({"frame": "int64", "track_id": "int64"})


def walker(n, ids, dx=0.0):
    return table([(f, ids[f], 10 * f + dx, 20, 10 * f + 40 + dx, 120) for f in range(n)])


def test_one_switch_of_number_by_hand():
    # Ten perfect boxes, another number from the sixth. DetA 1; each box shares its number with 5 of the 10: AssA 0.5.
    truth = walker(10, [1] * 10)
    half = mot_scores({"c": MotClip(walker(10, [1] * 5 + [2] * 5), truth, 10)}).loc["c"]
    assert half["hota"] == pytest.approx(np.sqrt(0.5)) and half["assa"] == pytest.approx(0.5)
    assert half["idsw"] == 1 and half["mota"] == pytest.approx(0.9) and half["idf1"] == pytest.approx(0.5)


def test_one_switch_between_two_people():
    # Two people for five frames, one of them renumbered for her last two frames. Association: 5 boxes at 1, 3 at 3/5,
    # 2 at 2/5: mean 0.76, HOTA = sqrt(0.76) = 0.872. IDF1: best pairing holds 8 of 10. MOTA: one switch in ten.
    near = walker(5, [1] * 5)
    far = walker(5, [2] * 5).assign(y1_px=300.0, y2_px=400.0)
    truth = pd.concat([near, far])
    tracks = pd.concat([near, far.assign(track_id=[2, 2, 2, 3, 3])])
    found = mot_scores({"c": MotClip(tracks, truth, 5)}).loc["c"]
    assert found["hota"] == pytest.approx(0.872, abs=5e-4)
    assert found["mota"] == pytest.approx(0.9) and found["idf1"] == pytest.approx(0.8) and found["idsw"] == 1
    assert (found["tp"], found["fp"], found["fn"], found["n_subjects"], found["n_tracks"]) == (10, 0, 0, 2, 3)


def test_nobody_no_track_and_both():
    none, some = walker(0, []), walker(4, [1] * 4)
    scores = mot_scores(
        {"both": MotClip(none, none, 4), "lost": MotClip(none, some, 4), "ghost": MotClip(some, none, 4)}
    )
    assert scores.loc["both", ["hota", "mota", "idf1"]].isna().all()
    assert scores.loc["lost", ["hota", "mota", "fn"]].tolist() == [0, 0, 4]
    assert scores.loc["ghost", ["hota", "fp", "n_tracks"]].tolist() == [0, 4, 1]
    assert scores.loc["all", ["fn", "fp", "n_frames"]].tolist() == [4, 4, 12]


def test_bad_ids_and_frames_are_named():
    twice = pd.concat([walker(3, [1] * 3)] * 2)
    with pytest.raises(ContractError, match="id 1 is twice in frame 0"):
        mot_scores({"c": MotClip(twice, walker(3, [1] * 3), 3)})
    with pytest.raises(ContractError, match="frames 0 to 1"):
        mot_scores({"c": MotClip(walker(3, [1] * 3), walker(2, [1] * 2), 2)})


def _scene(rng, n_frames, people):
    """People on straight paths, hidden at times; tracks with misses, jitter, ghosts and exchanged numbers."""
    rows = []
    for subject in range(1, people + 1):
        x, y, vx = rng.uniform(0, 500), rng.uniform(0, 150), rng.uniform(-6, 6)
        for f in range(rng.integers(0, 5), n_frames - rng.integers(0, 5)):
            box = (x + vx * f, y, x + vx * f + 40, y + 100)
            rows.append((f, f / 10, subject, "person", "waiting", "standing", *box, *box, 9, rng.uniform(), 0, 0, 0))
    truth = as_table(pd.DataFrame(rows, columns=list(TRUTH_COLUMNS)), TRUTH_COLUMNS, what="truth")
    kept = truth[rng.uniform(size=len(truth)) < 0.85].reset_index(drop=True)
    boxes = kept[list(BOX)].to_numpy() + rng.normal(0, 5, (len(kept), 1))
    ids = np.where(rng.uniform(size=len(kept)) < 0.05, kept["subject_id"] + 50, kept["subject_id"])
    frame = kept["frame"].to_numpy()
    ghosts = rng.integers(0, n_frames, 8)
    where = np.column_stack([rng.uniform(0, 400, (8, 2)), np.full((8, 2), 450.0)])
    tracks = pd.DataFrame(np.vstack([boxes, where]), columns=list(BOX)).assign(
        frame=np.append(frame, ghosts),
        track_id=np.append(ids, 200 + np.arange(8)),
        label="person", score=1.0, t_s=0.0, x_m=0.0, y_m=0.0,
    )  # fmt: skip
    tracks = as_table(tracks.drop_duplicates(["frame", "track_id"]), TRACK_COLUMNS, what="tracks")
    meta = ClipMeta("clip", 10.0, n_frames, Camera(640, 360, 500, 5, 20))
    return tracks, SceneTruth(meta, truth.sort_values(["frame", "subject_id"], ignore_index=True))


def _trackeval_on_files(folder, scenes, min_visibility):
    """What trackeval says of the same clips written as MOT Challenge files: hidden people are distractors there."""
    from trackeval import Evaluator
    from trackeval.datasets import MotChallenge2DBox
    from trackeval.metrics import CLEAR, HOTA, Identity

    for name, (tracks, truth) in scenes.items():
        gt, out = folder / "gt" / name / "gt", folder / "trackers" / "ours" / "data"
        gt.mkdir(parents=True)
        out.mkdir(parents=True, exist_ok=True)

        def lines(rows, ids, tail):
            return "".join(
                f"{f + 1},{i},{x1!r},{y1!r},{x2 - x1!r},{y2 - y1!r},{t}\n"
                for f, i, (x1, y1, x2, y2), t in zip(
                    rows["frame"], rows[ids], rows[list(BOX)].to_numpy().tolist(), tail, strict=True
                )
            )

        seen = truth.frames["visibility"] >= min_visibility
        marks = np.where(seen, "1,1,1.0", "0,8,0.0")
        (gt / "gt.txt").write_text(lines(truth.frames, "subject_id", marks))
        (out / f"{name}.txt").write_text(lines(tracks, "track_id", ["1,-1,-1,-1"] * len(tracks)))
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = MotChallenge2DBox(
            {
                "GT_FOLDER": str(folder / "gt"), "TRACKERS_FOLDER": str(folder / "trackers"), "SKIP_SPLIT_FOL": True,
                "SEQ_INFO": {name: truth.meta.n_frames for name, (_, truth) in scenes.items()},
            }
        )  # fmt: skip
        quiet = {"PRINT_CONFIG": False}
        judge = Evaluator(
            {
                "USE_PARALLEL": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False, "PLOT_CURVES": False,
                "PRINT_RESULTS": False, "TIME_PROGRESS": False, "OUTPUT_EMPTY_CLASSES": False,
                "BREAK_ON_ERROR": True, "LOG_ON_ERROR": None,
            }
        )  # fmt: skip
        found, _ = judge.evaluate([dataset], [HOTA(), CLEAR(quiet), Identity(quiet)])
    return found["MotChallenge2DBox"]["ours"]


@pytest.mark.parametrize("min_visibility", [0.0, 0.3])
def test_scores_are_those_of_trackeval_on_the_same_files(tmp_path, min_visibility):
    rng = np.random.default_rng(5)
    scenes = {"one": _scene(rng, 40, 5), "two": _scene(rng, 25, 8)}
    theirs = _trackeval_on_files(tmp_path, scenes, min_visibility)
    ours = mot_scores(
        {name: mot_clip(tracks, truth, min_visibility=min_visibility) for name, (tracks, truth) in scenes.items()}
    )
    for name, key in (("one", "one"), ("two", "two"), ("all", "COMBINED_SEQ")):
        of = theirs[key]["pedestrian"]
        expected = {
            "hota": of["HOTA"]["HOTA"].mean(), "deta": of["HOTA"]["DetA"].mean(), "assa": of["HOTA"]["AssA"].mean(),
            "idf1": of["Identity"]["IDF1"], "mota": of["CLEAR"]["MOTA"], "idsw": of["CLEAR"]["IDSW"],
            "fp": of["CLEAR"]["CLR_FP"], "fn": of["CLEAR"]["CLR_FN"], "mostly_tracked": of["CLEAR"]["MT"],
        }  # fmt: skip
        assert ours.loc[name, list(expected)].tolist() == pytest.approx(list(expected.values()), abs=1e-9)
        assert 0.2 < ours.loc[name, "hota"] < 0.95 and ours.loc[name, "fp"] > 0  # not a trivial agreement


def test_hidden_people_are_not_asked_for_and_a_track_on_them_is_no_error():
    rng = np.random.default_rng(1)
    tracks, truth = _scene(rng, 30, 4)
    assert len(mot_clip(tracks, truth, min_visibility=0.9).truth) < len(truth.frames)
    perfect = truth.frames.assign(track_id=truth.frames["subject_id"], score=1.0)
    clip = mot_clip(as_table(perfect, TRACK_COLUMNS, what="tracks"), truth, min_visibility=0.5)
    assert mot_scores({"c": clip}).loc["c", ["hota", "mota", "idf1", "fp"]].tolist() == pytest.approx([1, 1, 1, 0])
