"""Random forests grown by compiled loops: scikit-learn's trees, several times sooner.

The forest stays scikit-learn's own, and so do its bags and the splits of its trees, but where
splits are equally good: of these one is drawn at random there too, by other random numbers.

For numbers, and for two classes: the Gini impurity of 0 and 1 is twice their variance, so that the
same splits are best.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.ensemble._forest import _generate_sample_indices, _get_n_samples_bootstrap
from sklearn.tree._tree import Tree
from sklearn.utils import check_random_state

from prodapp.ml import treeshap

FloatArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
RowArray = npt.NDArray[np.int32]

_NODE: Final = Tree(1, np.array([1], dtype=np.intp), 1).__getstate__()["nodes"].dtype
_MAX_SEED: Final = np.iinfo(np.int32).max
#: Picking a bag's rows out of an order of all of them costs less than sorting them anew, up to so
#: many rows in all for one of the bag.
_PICKED: Final = 16
_N_CLASSES: Final = 2
_UNBOUNDED: Final = 2**31 - 1


def can_grow(forest: Any, X: SingleArray, y: npt.NDArray[Any]) -> bool:
    """Whether :class:`Grower` knows how to grow ``forest`` on ``X`` and ``y``."""
    if type(forest) is RandomForestRegressor:
        is_known = forest.criterion == "squared_error"
    elif type(forest) is RandomForestClassifier:
        is_known = forest.criterion == "gini" and forest.class_weight is None
        is_known = is_known and len(np.unique(y)) == _N_CLASSES
    else:
        return False
    is_known = is_known and forest.bootstrap and isinstance(forest.max_features, float)
    return is_known and treeshap.is_available() and bool(np.isfinite(X).all())


class Grower:
    """Grows an unfitted ``forest`` on ``X`` (samples, columns), finite, and ``y`` (samples,)."""

    def __init__(self, forest: Any, X: SingleArray, y: npt.NDArray[Any]) -> None:
        self._forest = forest
        self._X: SingleArray = np.ascontiguousarray(X.T)
        if is_classifier(forest):
            forest.classes_, y = np.unique(y, return_inverse=True)
            forest.n_classes_ = _N_CLASSES
        self._y: FloatArray = np.ascontiguousarray(y, dtype=np.float64)
        forest.n_features_in_, forest.n_outputs_ = X.shape[1], 1
        forest._n_samples, forest._sample_weight = len(X), None
        forest._n_samples_bootstrap = _get_n_samples_bootstrap(len(X), forest.max_samples, None)
        forest._validate_estimator()
        forest.estimators_ = []
        self._random_state = check_random_state(forest.random_state)
        self._orders: RowArray | None = None
        if len(X) <= _PICKED * forest._n_samples_bootstrap:
            self._orders = _sorting(self._X)

    def grow(self, n_trees: int) -> None:
        """Grow so many more trees, in the forest's number of threads."""
        new = [
            self._forest._make_estimator(append=False, random_state=self._random_state)
            for _ in range(n_trees)
        ]
        n_jobs = self._forest.n_jobs or 1
        with ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="growing") as executor:
            list(executor.map(self._grow_one, new))
        self._forest.estimators_.extend(new)

    def _grow_one(self, tree: Any) -> None:
        # Imported here: it imports numba, which takes a second.
        from prodapp.ml.growing_kernel import grow

        n_columns, n_rows = self._X.shape
        forest = self._forest
        drawn = _generate_sample_indices(
            tree.random_state, n_rows, forest._n_samples_bootstrap, None
        )
        counts = np.bincount(drawn, minlength=n_rows)
        rows = np.flatnonzero(counts)
        X = np.ascontiguousarray(self._X[:, rows])
        n_tried = max(1, int(forest.max_features * n_columns))
        limits = (forest.max_depth or _UNBOUNDED, forest.min_samples_leaf, n_tried)
        nodes = _empty_nodes(len(rows))
        weights = counts[rows].astype(np.float64)
        seed = tree.random_state
        n_nodes = grow(X, self._order_of(rows, X), weights, self._y[rows], limits, seed, nodes)
        tree.n_features_in_, tree.n_outputs_, tree.max_features_ = n_columns, 1, n_tried
        tree.tree_ = _as_tree(nodes, n_nodes, n_columns, n_classes=_known_classes(tree))

    def _order_of(self, rows: npt.NDArray[np.intp], X: SingleArray) -> RowArray:
        if self._orders is None:
            return _sorting(X)
        from prodapp.ml.growing_kernel import part_orders

        places = np.full(self._X.shape[1], -1, dtype=np.int32)
        places[rows] = np.arange(len(rows), dtype=np.int32)
        found = np.empty(X.shape, dtype=np.int32)
        part_orders(self._orders, places, found)
        return found


def _sorting(X: SingleArray) -> RowArray:
    return np.argsort(X, axis=1, kind="stable").astype(np.int32)


def _empty_nodes(n_rows: int) -> tuple[Any, ...]:
    """Left, right, feature, threshold, impurity, rows, weight, value and depth of each node."""
    size = 2 * n_rows
    kinds: tuple[type, ...] = (np.int64, np.int64, np.int64, np.float64, np.float64)
    kinds += (np.int64, np.float64, np.float64, np.int64)
    return tuple(np.empty(size, dtype=kind) for kind in kinds)


def _known_classes(tree: Any) -> int:
    """The classes that a tree tells apart, which it is told; 1 for numbers."""
    if not is_classifier(tree):
        return 1
    tree.classes_, tree.n_classes_ = np.arange(float(_N_CLASSES)), _N_CLASSES
    return _N_CLASSES


def _as_tree(nodes: tuple[Any, ...], n_nodes: int, n_columns: int, *, n_classes: int) -> Tree:
    left, right, features, thresholds, impurities, n_rows, weights, values, depths = (
        array[:n_nodes] for array in nodes
    )
    found = np.zeros(n_nodes, dtype=_NODE)
    found["left_child"], found["right_child"] = left, right
    found["feature"], found["threshold"] = features, thresholds
    found["impurity"] = impurities * n_classes
    found["n_node_samples"], found["weighted_n_node_samples"] = n_rows, weights
    inner = left >= 0
    found["missing_go_to_left"][inner] = n_rows[left[inner]] > n_rows[right[inner]]
    of_classes = [values] if n_classes == 1 else [1 - values, values]
    tree = Tree(n_columns, np.array([n_classes], dtype=np.intp), 1)
    tree.__setstate__(
        {
            "max_depth": int(depths.max()),
            "node_count": n_nodes,
            "nodes": found,
            "values": np.stack(of_classes, axis=1)[:, np.newaxis],
        }
    )
    return tree


def warm_up() -> None:
    """Compile the loops for their types and leave them in numba's cache."""
    X = np.arange(8, dtype=np.float32)[:, np.newaxis]
    forest = RandomForestRegressor(1, random_state=0, n_jobs=1)
    Grower(forest, X, X[:, 0].astype(np.float64)).grow(1)
