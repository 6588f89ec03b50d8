"""A random forest kept for one thing: which past events share leaves with a planned one.

scikit-learn grows the trees; they are then kept as flat arrays of nodes, so that a stored forest is data and loading it
runs nothing. The proximity of two events is the share of trees in which they fall into the same leaf (Breiman), and any
quantity known of past events is carried to a planned one as its proximity-weighted mean:

    carried(i) = sum_j P(i, j) v(j) / sum_j P(i, j),    P(i, j) = share of trees where i and j share a leaf.

Summed leaf by leaf, this never writes the matrix P: with S and N the sum of v and the number of past events in each
leaf, ``carried(i) = sum_t S[leaf_t(i)] / sum_t N[leaf_t(i)]``.

What it cannot tell you: two events are *similar* here when the forest could not tell them apart while predicting what
it was grown on. If that quantity measures presence of officers, so does the similarity.

References
----------
.. [1] Breiman (2001), "Random forests", Machine Learning 45, 5-32, doi:10.1023/A:1010933404324.
.. [2] Lin & Jeon (2006), "Random forests and adaptive nearest neighbors", JASA 101(474), 578-590,
   doi:10.1198/016214505000001230.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numba
import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestRegressor

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.rng import stream

IntArray = npt.NDArray[np.int32]

#: Child of a leaf.
_NONE = -1


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees as arrays of nodes, one after the other.

    Attributes
    ----------
    roots : ndarray of int32, shape (n_trees,)
        First node of each tree.
    left, right : ndarray of int32, shape (n_nodes,)
        Children, numbered over the whole forest; -1 in a leaf.
    feature : ndarray of int32, shape (n_nodes,)
        Column looked at; meaningless in a leaf.
    threshold : ndarray of float64, shape (n_nodes,)
        At most: to the left. More: to the right.
    """

    roots: IntArray
    left: IntArray
    right: IntArray
    feature: IntArray
    threshold: FloatArray

    def leaves(self, features: FloatArray) -> IntArray:
        """Leaf of each event in each tree, numbered over the whole forest; shape (n_events, n_trees)."""
        narrow = np.ascontiguousarray(features, dtype=np.float32)
        return np.asarray(_descend(narrow, self.roots, self.left, self.right, self.feature, self.threshold))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The nodes, to be stored with ``numpy.savez``."""
        return {f"forest_{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Inverse of :meth:`to_arrays`.

        Raises
        ------
        ParameterError
            If an array is missing, or a child does not come after its parent: such a forest might never end.
        """
        names = [field.name for field in fields(cls)]
        missing = [f"forest_{name}" for name in names if f"forest_{name}" not in arrays]
        if missing:
            raise bad_parameter(
                name="arrays", where="Forest.from_arrays", must="complete", got=sorted(arrays),
                remedy=f"Missing: {', '.join(missing)}.",
            )  # fmt: skip
        nodes = {n: np.array(arrays[f"forest_{n}"], dtype=np.int32) for n in names if n != "threshold"}
        made = cls(**nodes, threshold=np.array(arrays["forest_threshold"], dtype=np.float64))
        own = np.arange(len(made.left))
        inner = made.left != _NONE
        ends = (made.right != _NONE) == inner
        later = np.minimum(made.left, made.right)[inner] > own[inner]
        inside = np.maximum(made.left, made.right)[inner] < len(own)
        if not (ends.all() and later.all() and inside.all() and (made.feature[inner] >= 0).all()):
            raise bad_parameter(
                name="arrays", where="Forest.from_arrays", must="trees whose children come after their parent",
                got="a child before its parent, or outside the forest", remedy="Store the forest again.",
            )  # fmt: skip
        return made


def grow(
    features: FloatArray, target: FloatArray, *, n_trees: int, min_leaf: int, share_features: float, seed: int
) -> Forest:
    """Grow a forest of regression trees on ``target``.

    Parameters
    ----------
    features : ndarray, shape (n_events, n_features)
    target : ndarray, shape (n_events,)
        What the trees learn to predict.
    n_trees, min_leaf : int
    share_features : float
        Share of the columns tried at each split.
    seed : int

    Notes
    -----
    Same arguments, same forest: chance comes from the stream ``("models", "mpulse", "forest")`` of ``seed``.
    """
    chance = int(stream(seed, "models", "mpulse", "forest").integers(2**31 - 1))
    grown = RandomForestRegressor(
        n_trees, min_samples_leaf=min_leaf, max_features=share_features, random_state=chance, n_jobs=1
    ).fit(features.astype(np.float32), target)
    trees = [tree.tree_ for tree in grown.estimators_]
    sizes = np.array([tree.node_count for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def children(name: str) -> IntArray:
        parts = [
            np.where(getattr(tree, name) < 0, _NONE, getattr(tree, name) + root)
            for tree, root in zip(trees, roots, strict=True)
        ]
        return np.concatenate(parts).astype(np.int32)

    return Forest(
        roots.astype(np.int32),
        children("children_left"),
        children("children_right"),
        np.concatenate([tree.feature for tree in trees]).astype(np.int32),
        np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
    )


def carried(leaves: IntArray, past_leaves: IntArray, values: FloatArray, *, n_nodes: int) -> FloatArray:
    """Proximity-weighted sums of what is known of past events, without writing the proximities.

    Parameters
    ----------
    leaves : ndarray of int32, shape (n_events, n_trees)
    past_leaves : ndarray of int32, shape (n_past, n_trees)
    values : ndarray, shape (n_past, n_values)
    n_nodes : int
        Nodes of the forest.

    Returns
    -------
    ndarray, shape (n_events, n_values)
        ``sum_j P(i, j) v(j)``, column by column.
    """
    n_trees = past_leaves.shape[1]
    flat = past_leaves.ravel()
    sums = np.empty((len(leaves), values.shape[1]))
    for k in range(values.shape[1]):
        held = np.bincount(flat, weights=np.repeat(values[:, k], n_trees), minlength=n_nodes)
        sums[:, k] = held[leaves].sum(axis=1) / n_trees
    return sums


def proximities(leaves: IntArray, past_leaves: IntArray) -> FloatArray:
    """Share of trees in which each pair of events falls into the same leaf; shape (n_events, n_past)."""
    return np.asarray((leaves[:, None, :] == past_leaves[None, :, :]).mean(axis=2), dtype=np.float64)


@numba.njit(cache=True, nogil=True)
def _descend(
    features: npt.NDArray[np.float32], roots: IntArray, left: IntArray, right: IntArray, feature: IntArray,
    threshold: FloatArray,
) -> IntArray:  # fmt: skip
    found = np.empty((features.shape[0], roots.shape[0]), dtype=np.int32)
    for i in range(features.shape[0]):
        for t in range(roots.shape[0]):
            node = roots[t]
            while left[node] >= 0:
                node = left[node] if features[i, feature[node]] <= threshold[node] else right[node]
            found[i, t] = node
    return found
