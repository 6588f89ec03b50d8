"""Anomaly scores against scipy and brute force; the classifier against scikit-learn's discriminants."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist, mahalanobis
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from vsa.anomaly import METHODS, anomaly_scores, learn_behaviours, top_k

DATA = stream(1, "data").normal(size=(400, 4)) @ np.diag([1.0, 2.0, 0.5, 3.0])


def test_mahalanobis_is_scipys() -> None:
    ours = anomaly_scores(DATA, method="mahalanobis", rng=stream(1, "r"))
    inverse = np.linalg.inv(np.cov(DATA, rowvar=False))
    assert ours == pytest.approx([mahalanobis(x, DATA.mean(axis=0), inverse) for x in DATA])


def test_distance_to_neighbours_is_brute_force_and_leaves_a_track_itself_out() -> None:
    ours = anomaly_scores(DATA, method="neighbours", n_reference=400, n_neighbours=3, rng=stream(1, "r"))
    assert ours == pytest.approx(np.sort(cdist(DATA, DATA), axis=1)[:, 3])
    more = stream(2, "more").normal(size=(50, 4))
    both = anomaly_scores(DATA, method="neighbours", others=more, n_reference=400, n_neighbours=3, rng=stream(1, "r"))
    assert both[:400] == pytest.approx(ours)
    assert both[400:] == pytest.approx(np.sort(cdist(more, DATA), axis=1)[:, 2])


@pytest.mark.parametrize("method", [m for m in METHODS if m != "random"])
def test_a_track_far_from_all_others_comes_first(method: str) -> None:
    planted = np.vstack([DATA, [12.0, -20.0, 6.0, 25.0]])
    score = anomaly_scores(planted, method=method, rng=stream(3, "r"))  # type: ignore[arg-type]
    assert top_k(score, k=1).tolist() == [400]
    again = anomaly_scores(planted, method=method, rng=stream(3, "r"))  # type: ignore[arg-type]
    assert (score == again).all()


@pytest.mark.parametrize("method", METHODS)
def test_empty_in_empty_out_and_one_track_alone(method: str) -> None:
    assert anomaly_scores(np.empty((0, 4)), method=method, rng=stream(4, "r")).shape == (0,)  # type: ignore[arg-type]
    assert np.isfinite(anomaly_scores(DATA[:1], method=method, rng=stream(4, "r"))).all()  # type: ignore[arg-type]


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ParameterError, match="`method`"):
        anomaly_scores(DATA, method="magic", rng=stream(5, "r"))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="n_trees"):
        anomaly_scores(DATA, method="isolation-forest", n_trees=0, rng=stream(5, "r"))
    with pytest.raises(ParameterError, match="`stream`"):
        anomaly_scores(np.full((3, 2), np.nan), method="mahalanobis", rng=stream(5, "r"))
    with pytest.raises(ParameterError, match="`k`"):
        top_k([1.0], k=-1)


def _examples(counts: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = stream(6, "examples")
    labels = np.repeat(np.arange(len(counts)), counts)
    centres = rng.normal(size=(len(counts), 5)) * 1.5
    spread = 1 + 0.5 * np.arange(len(counts))
    return centres[labels] + spread[labels, None] * rng.normal(size=(len(labels), 5)), labels


@pytest.mark.parametrize("priors", ["as-met", "equal"])
def test_one_covariance_for_all_is_a_linear_discriminant(priors: str) -> None:
    data, labels = _examples((300, 60, 12))
    ours = learn_behaviours(data, labels, n_behaviours=3, priors=priors)  # type: ignore[arg-type]
    share = np.bincount(labels) / len(labels) if priors == "as-met" else np.full(3, 1 / 3)
    centres = np.array([data[labels == k].mean(axis=0) for k in range(3)])
    left = data - centres[labels]
    law = [stats.multivariate_normal(c, left.T @ left / (len(data) - 3)) for c in centres]
    odds = np.stack([s * one.pdf(data) for s, one in zip(share, law, strict=True)], axis=1)
    assert ours.p(data) == pytest.approx(odds / odds.sum(axis=1, keepdims=True), abs=1e-3)
    theirs = LinearDiscriminantAnalysis(solver="svd", priors=share).fit(data, labels)
    assert ours.p(data) == pytest.approx(theirs.predict_proba(data), abs=0.01)
    assert (ours.name(data) == ours.p(data).argmax(axis=1)).all()


def test_a_covariance_each_is_a_quadratic_discriminant() -> None:
    data, labels = _examples((300, 60, 25))
    ours = learn_behaviours(data, labels, n_behaviours=3, spread="own")
    share = np.bincount(labels) / len(labels)
    parts = [data[labels == k] for k in range(3)]
    law = [stats.multivariate_normal(x.mean(axis=0), np.cov(x, rowvar=False)) for x in parts]
    odds = np.stack([s * one.pdf(data) for s, one in zip(share, law, strict=True)], axis=1)
    assert ours.p(data) == pytest.approx(odds / odds.sum(axis=1, keepdims=True), abs=1e-3)
    theirs = QuadraticDiscriminantAnalysis().fit(data, labels)
    assert ours.p(data) == pytest.approx(theirs.predict_proba(data), abs=0.03)  # it divides by n, not by n - 1


def test_a_behaviour_nobody_showed_is_never_named() -> None:
    data, labels = _examples((50, 50))
    model = learn_behaviours(data, labels * 2, n_behaviours=4)
    assert model.p(data)[:, [1, 3]].max() == 0
    assert set(model.name(data)) <= {0, 2}
    assert model.p(data).sum(axis=1) == pytest.approx(np.ones(100))
    assert model.name(np.empty((0, 5))).shape == (0,)


def test_too_few_examples_are_refused() -> None:
    data, labels = _examples((50, 1))
    with pytest.raises(ParameterError, match="two of each"):
        learn_behaviours(data, labels, n_behaviours=2, spread="own")
    with pytest.raises(ParameterError, match="at least two behaviours"):
        learn_behaviours(data[:5], labels[:5], n_behaviours=2)
