"""Scores of what is out of the ordinary, and a classifier of behaviours learned from examples.

The two families that are sold as one. An anomaly detector is shown a stream without labels and ranks tracks by how few
others resemble them: it looks for the *rare*. A classifier is shown labelled examples and names what it has seen often:
it finds the *frequent*. Neither is told what harms anybody, unless labels of harm are part of the examples.

What it cannot tell you: whether a rare track is a harmful one. The score knows distances between descriptors, nothing
else.

References
----------
.. [1] Liu, Ting & Zhou (2008), "Isolation Forest", ICDM.
.. [2] Ramaswamy, Rastogi & Shim (2000), "Efficient algorithms for mining outliers from large data sets", SIGMOD.
.. [3] Mahalanobis (1936), "On the generalised distance in statistics", Proc. Nat. Inst. Sci. India 2(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AnomalyMethod = Literal["isolation-forest", "mahalanobis", "neighbours", "random"]
Priors = Literal["as-met", "equal"]
Spread = Literal["alike", "own"]
#: Detectors that learn without labels, then the baseline.
METHODS: Final[tuple[AnomalyMethod, ...]] = get_args(AnomalyMethod)
#: Share of the identity mixed into covariances: those of few examples would have no inverse.
_RIDGE: Final = 1e-4


def anomaly_scores(
    stream: FloatArray, *, method: AnomalyMethod, others: FloatArray | None = None, n_reference: int = 2_000,
    n_neighbours: int = 10, n_trees: int = 100, rng: np.random.Generator,
) -> FloatArray:  # fmt: skip
    """Score the tracks of a stream: the higher, the more out of the ordinary.

    Parameters
    ----------
    stream : ndarray, shape (n, d)
        Descriptors, one row per track.
    method : {"isolation-forest", "mahalanobis", "neighbours", "random"}
        Isolation depth in random trees; distance from the mean in the metric of the covariance; distance to the
        ``n_neighbours``-th nearest track of a sample; or chance.
    others : ndarray, shape (m, d), optional
        Tracks that are no part of the stream, scored against it; their scores come after those of the stream.
    n_reference : int, default=2000
        Tracks drawn from the stream that the forest and the neighbours are learned from (all of them when fewer).
    n_neighbours, n_trees : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n,) or (n + m,)
        Empty in, empty out.

    Raises
    ------
    ParameterError
        If the method is unknown, a count is below 1 or a descriptor is not finite.
    """
    if method not in METHODS:
        raise bad_parameter(name="method", where="anomaly_scores", must=f"one of {', '.join(METHODS)}", got=method)
    if min(n_reference, n_neighbours, n_trees) < 1:
        raise bad_parameter(
            name="n_reference, n_neighbours, n_trees", where="anomaly_scores", must="at least 1",
            got=(n_reference, n_neighbours, n_trees),
        )  # fmt: skip
    data = np.asarray(stream, dtype=np.float64)
    if data.ndim != 2 or not bool(np.isfinite(data).all()):
        raise bad_parameter(
            name="stream", where="anomaly_scores", must="finite numbers of shape (n, d)", got=f"shape {data.shape}"
        )
    n = len(data)
    scored = data if others is None else np.concatenate([data, np.asarray(others, dtype=np.float64)])
    if n == 0:
        return np.empty(0)
    if method == "random":
        return rng.random(len(scored))
    if method == "mahalanobis":
        centred = scored - data.mean(axis=0)
        inverse = np.linalg.pinv(np.atleast_2d(np.cov(data, rowvar=False)) if n > 1 else np.eye(data.shape[1]))
        return np.asarray(np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", centred, inverse, centred), 0.0)))
    drawn = rng.choice(n, size=min(n_reference, n), replace=False)
    if method == "neighbours":
        return _distance_to_neighbour(scored, data[drawn], drawn=drawn, k=n_neighbours)
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(
        n_estimators=n_trees, max_samples=min(256, len(drawn)), random_state=int(rng.integers(2**31)), n_jobs=1
    )
    return np.asarray(-forest.fit(data[drawn]).score_samples(scored), dtype=np.float64)


def _distance_to_neighbour(data: FloatArray, reference: FloatArray, *, drawn: IntArray, k: int) -> FloatArray:
    """Distance to the k-th nearest reference track other than itself."""
    from scipy.spatial import KDTree

    k = min(k, len(reference) - 1)
    if k < 1:
        return np.zeros(len(data))
    near = np.atleast_2d(KDTree(reference).query(data, k=[k, k + 1])[0])
    out = near[:, 0].copy()
    out[drawn] = near[drawn, 1]  # a reference track is its own nearest neighbour
    return np.asarray(out, dtype=np.float64)


def top_k(scores: npt.ArrayLike, *, k: int) -> IntArray:
    """Indices of the ``k`` highest scores, highest first; equal scores in the order in which they come.

    Raises
    ------
    ParameterError
        If ``k`` is below 0.

    Examples
    --------
    >>> top_k([0.1, 0.9, 0.9, 0.3], k=2).tolist()
    [1, 2]
    """
    if k < 0:
        raise bad_parameter(name="k", where="top_k", must="at least 0", got=k)
    return np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")[:k].astype(np.int64)


@dataclass(frozen=True, eq=False)
class BehaviourClassifier:
    """A Gaussian discriminant: a centre per behaviour, a covariance for all or one each, priors as told.

    Attributes
    ----------
    centres : ndarray, shape (k, d)
    whiten : ndarray, shape (k, d, d)
        Takes what is left of a track beside a centre to independent unit noise.
    offset : ndarray, shape (k,)
        Logarithm of the prior, less half that of the covariance's determinant; minus infinity for a behaviour that no
        example showed.
    """

    centres: FloatArray
    whiten: FloatArray
    offset: FloatArray

    def p(self, descriptors: FloatArray) -> FloatArray:
        """Chance of each behaviour, shape (n, k)."""
        log = self._log(np.asarray(descriptors, dtype=np.float64))
        odds = np.exp(log - log.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def name(self, descriptors: FloatArray) -> IntArray:
        """Most likely behaviour of each track, shape (n,)."""
        best: IntArray = self._log(np.asarray(descriptors, dtype=np.float64)).argmax(axis=1).astype(np.int64)
        return best

    def _log(self, data: FloatArray) -> FloatArray:
        out = np.full((len(data), len(self.centres)), -np.inf)
        for k in np.flatnonzero(np.isfinite(self.offset)):
            out[:, k] = self.offset[k] - ((data @ self.whiten[k] - self.centres[k] @ self.whiten[k]) ** 2).sum(1) / 2
        return out


def learn_behaviours(
    descriptors: FloatArray, labels: IntArray, *, n_behaviours: int, priors: Priors = "as-met", spread: Spread = "alike"
) -> BehaviourClassifier:
    """Learn to name behaviours from labelled examples.

    Parameters
    ----------
    descriptors : ndarray, shape (n, d)
    labels : ndarray of int, shape (n,)
        In [0, n_behaviours).
    n_behaviours : int
    priors : {"as-met", "equal"}, default="as-met"
        Behaviours are expected as often as the examples show them, or all equally.
    spread : {"alike", "own"}, default="alike"
        All behaviours spread alike around their centres (a linear discriminant), or each in its own way (a quadratic
        one, which asks for two examples of each).

    Raises
    ------
    ParameterError
        If fewer than two behaviours are shown, or too few examples of them.

    Notes
    -----
    Where every behaviour is Gaussian with the spread supposed, no classifier does better with unlimited examples: what
    it misses is owed to the examples and to the overlap, not to the method.
    """
    data = np.asarray(descriptors, dtype=np.float64)
    counts = np.bincount(labels, minlength=n_behaviours)
    shown, own = counts > 0, spread == "own"
    if shown.sum() < 2 or len(labels) <= shown.sum() or (own and counts[shown].min() < 2):
        raise bad_parameter(
            name="labels", where="learn_behaviours", must="of at least two behaviours, with more examples than those"
            + (" and two of each" if own else ""), got=counts.tolist(),
        )  # fmt: skip
    centres = np.zeros((n_behaviours, data.shape[1]))
    np.add.at(centres, labels, data)
    centres[shown] /= counts[shown, None]
    left = data - centres[labels]
    covariance = np.zeros((n_behaviours, data.shape[1], data.shape[1]))
    if own:
        for k in np.flatnonzero(shown):
            mine = left[labels == k]
            covariance[k] = mine.T @ mine / (counts[k] - 1)
    else:
        covariance[:] = left.T @ left / (len(labels) - shown.sum())
    covariance = (1 - _RIDGE) * covariance + _RIDGE * np.eye(data.shape[1])
    share = np.where(shown, counts / counts.sum() if priors == "as-met" else 1 / shown.sum(), 0.0)
    root = np.linalg.cholesky(covariance)
    whiten = np.linalg.inv(root).transpose(0, 2, 1)
    with np.errstate(divide="ignore"):
        offset = np.log(share) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    return BehaviourClassifier(centres, whiten, offset)
