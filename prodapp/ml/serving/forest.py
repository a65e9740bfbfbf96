"""Trees in one array, answered for a row in microseconds: scikit-learn asks each tree in turn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from prodapp.ml import treeshap
from prodapp.ml.treeshap import Forest

FloatArray = npt.NDArray[np.float64]

#: ``number`` is the threshold, at leaves the value; ``child`` the left child, which the right one
#: follows, −1 at leaves; ``feature`` is ~feature where missing values go left.
_NODE: Final = np.dtype([("number", np.float64), ("child", np.int32), ("feature", np.int32)])
#: Rows that a thread takes at a time: enough that a tree's nodes pay for being fetched.
_PORTION: Final = 16_384


@dataclass(frozen=True)
class FlatForest:
    """``offset`` plus the sum of the trees' values. Compiled where numba is, else by numpy."""

    roots: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.void]
    offset: float
    is_compiled: bool

    @classmethod
    def of(cls, forest: Forest, *, compiled: bool | None = None) -> FlatForest:
        """The trees of ``forest`` in the order in which rows meet them."""
        is_compiled = treeshap.is_available() if compiled is None else compiled
        nodes = np.empty(len(forest.left), dtype=_NODE)
        for start, stop in zip(forest.roots[:-1], forest.roots[1:], strict=True):
            _lay_out(forest, int(start), nodes[start:stop])
        return cls(forest.roots[:-1].astype(np.int64), nodes, forest.offset, is_compiled)

    @property
    def n_bytes(self) -> int:
        return self.nodes.nbytes

    def answer(self, X: FloatArray, *, n_jobs: int = 1) -> tuple[FloatArray, FloatArray]:
        """The sum over trees, and the spread between them, for each row of ``X``.

        The spread is the standard deviation of what each tree says, where trees are averaged.
        """
        X = np.ascontiguousarray(X, dtype=np.float64)
        sums, squares = np.zeros(len(X)), np.zeros(len(X))
        portions = [slice(at, at + _PORTION) for at in range(0, len(X), _PORTION)]
        work = partial(self._work, X, sums, squares)
        if n_jobs > 1 and len(portions) > 1:
            with ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="answer") as executor:
                list(executor.map(work, portions))
        else:
            for portion in portions:
                work(portion)
        spreads = np.sqrt(np.maximum(len(self.roots) * squares - sums**2, 0.0))
        return self.offset + sums, spreads

    def _work(self, X: FloatArray, sums: FloatArray, squares: FloatArray, portion: slice) -> None:
        if self.is_compiled:
            # Imported here: it imports numba, which takes a second.
            from prodapp.ml.serving.forest_kernel import add_up

            add_up(self.roots, self.nodes, X[portion], sums[portion], squares[portion])
            return
        for row in range(*portion.indices(len(X))):
            values = self._values(X[row])
            sums[row], squares[row] = values.sum(), (values**2).sum()

    def _values(self, x: FloatArray) -> FloatArray:
        """What each tree says of one row: all trees take a step at a time."""
        nodes: Any = self.roots
        numbers, children, features = (self.nodes[name] for name in _NODE.names or ())
        while True:
            child = children[nodes]
            if (child < 0).all():
                found: FloatArray = numbers[nodes]
                return found
            feature = features[nodes]
            value = x[np.where(feature < 0, ~feature, feature)]
            goes_left = (value <= numbers[nodes]) | (np.isnan(value) & (feature < 0))
            nodes = np.where(child < 0, nodes, child + ~goes_left)


def _lay_out(forest: Forest, root: int, nodes: npt.NDArray[np.void]) -> None:
    """Write one tree level by level, siblings side by side; its first node is its root."""
    level = np.array([root])
    first = 0
    while len(level):
        is_leaf = forest.left[level] < 0
        inner = level[~is_leaf]
        place = slice(first, first + len(level))
        first += len(level)
        features = forest.features[level].astype(np.int32)
        children = np.full(len(level), -1, dtype=np.int32)
        children[~is_leaf] = root + first + 2 * np.arange(len(inner))
        nodes["number"][place] = np.where(is_leaf, forest.values[level], forest.thresholds[level])
        nodes["child"][place] = children
        nodes["feature"][place] = np.where(forest.missing_left[level], ~features, features)
        level = np.stack([forest.left[inner], forest.right[inner]], axis=1).ravel()


def warm_up() -> None:
    """Compile the loops for their types and leave them in numba's cache."""
    nodes = np.array([(0.0, 1, 0), (-1.0, -1, 0), (1.0, -1, 0)], dtype=_NODE)
    FlatForest(np.zeros(1, dtype=np.int64), nodes, 0.0, treeshap.is_available()).answer(
        np.ones((1, 1))
    )
