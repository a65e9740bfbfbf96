"""Path-dependent SHAP values of tree ensembles, compiled: shap.TreeExplainer's numbers, sooner.

For one leaf of value v, let the features on the path to it be d ∈ D; o_d is 1 where the sample
passes every split on d of the path, else 0, and z_d is the share of training samples that passed
them. The game that TreeSHAP plays gives a set S of known features v ∏_{S} o_d ∏_{D∖S} z_d, and
since |S|!(n−|S|−1)!/n! = ∫ t^|S| (1−t)^(n−1−|S|) dt over [0, 1], the Shapley value of i is

    φ_i = v (o_i − z_i) ∫ ∏_{d≠i} (z_d (1−t) + o_d t) dt,

the integral of a polynomial: Gauss–Legendre with K nodes is exact for up to 2K features on a path
and very near beyond (quadrature TreeSHAP; the sharing of the product along the path follows Linear
TreeSHAP, Yu et al. 2022). Going down, the product at each node of the quadrature is updated by one
factor an edge; going up, the products of the leaves below are summed, and each edge settles the
account of its feature.

The interaction of i with j is half of what j's value changes when i's is known rather than not:
the same walk with i taken out of the game (Lundberg et al. 2020, as shap computes it).

Work is parted into units of some tenths of a second, run in plain threads (the compiled code
releases the GIL), so there is no threading layer of numba's or OpenMP's to survive a fork. The
parts, and the order of their sums, do not depend on the number of threads. Nothing is compiled at
import; run ``python -m prodapp.ml.kernels`` once to fill numba's cache (``NUMBA_CACHE_DIR``), and
let a worker call :func:`prodapp.ml.kernels.warm_up` before it forks, so that its children find the
kernel in memory.
No thread is left behind by either.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

#: Samples that walk a tree together. Longer vectors pay the way through the tree more often, until
#: the products of a path leave the processor's second cache.
BLOCK: Final = 256
#: Vectors are no shorter than this: fewer samples leave places empty.
_MIN_BLOCK: Final = 16
#: Exact up to 10 features on a path; in single trees and extra trees of up to 34 features on a path
#: the largest difference seen is 1e-6 of the target's spread (4 nodes: 4e-5). More nodes lie nearer
#: to t = 1, where single precision loses what they gain.
MAX_NODES: Final = 5
#: Of many trees the errors cancel out: with 4 nodes 30 fully grown trees were within 6e-7.
_MAX_NODES_OF_MANY: Final = 4
_MANY: Final = 30
#: Tree nodes times samples of one unit of work, some tenths of a second.
_UNIT: Final = 200_000_000
_UNIT_BLOCKS: Final = 16
_NONE_FIXED: Final = (-1, False)


@dataclass(frozen=True)
class Forest:
    """The trees of an ensemble in one set of arrays; node numbers run through all of them.

    ``roots`` holds the first node of each tree and the end of the last; ``left`` is −1 at leaves;
    ``ratios`` are the share of a parent's training samples that go into a node; ``values`` are
    those of leaves, which simply add up over the trees, and ``offset`` what the ensemble adds to
    them.
    """

    roots: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]
    thresholds: FloatArray
    missing_left: npt.NDArray[np.bool_]
    ratios: FloatArray
    values: FloatArray
    offset: float


@dataclass(frozen=True)
class Explained:
    """SHAP values (samples, features), and the mean answer that they add up from."""

    values: FloatArray
    expected_value: float


def is_available() -> bool:
    """Whether numba can be imported here."""
    return importlib.util.find_spec("numba") is not None


def quadrature(n_path_features: int, *, n_trees: int = 1) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre nodes and weights on [0, 1] for paths of so many features in so many trees."""
    most = MAX_NODES if n_trees < _MANY else _MAX_NODES_OF_MANY
    n_nodes = min(most, max(1, -(-n_path_features // 2)))
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    return (nodes + 1) / 2, weights / 2


def shap_values(forest: Forest, X: FloatArray, *, n_jobs: int, on_share: OnShare) -> Explained:
    """SHAP values of ``X`` (samples, features; NaN is missing), as the trees compare it.

    ``on_share`` is called about once a second with the share done; what it raises stops the work.
    """
    kernel = Kernel.of(forest)
    values = kernel.values(X, n_jobs=n_jobs, on_share=on_share)
    return Explained(values, kernel.expected_value)


def interaction_values(
    forest: Forest, X: FloatArray, feature: int, *, n_jobs: int, on_share: OnShare
) -> FloatArray:
    """Interactions (samples, features) of one feature with each; its own column is 0."""
    kernel = Kernel.of(forest)
    known, unknown = (
        kernel.explain(
            X,
            (feature, is_known),
            n_jobs=n_jobs,
            on_share=lambda share, first=first: on_share((first + share) / 2),  # type: ignore[misc]
        )
        for first, is_known in enumerate((True, False))
    )
    return (known - unknown) / 2


@dataclass(frozen=True)
class Kernel:
    """A forest made ready for the compiled loops: values centred tree by tree, and scaled.

    To be kept where rows are explained one at a time.
    """

    forest: Forest
    centred: FloatArray
    scale: float
    expected_value: float
    path: tuple[Any, ...]
    max_depth: int
    quadrature: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, forest: Forest) -> Kernel:
        # Imported here: it imports numba, which takes a second.
        from prodapp.ml.treeshap_paths import trace_paths

        *path, max_depth, n_path = trace_paths(
            forest.roots, forest.left, forest.right, forest.features, forest.ratios
        )
        is_leaf = forest.left < 0
        sizes = np.diff(forest.roots)
        weighted = np.where(is_leaf, forest.values * _reach(forest), 0.0)
        means = np.add.reduceat(weighted, forest.roots[:-1])
        centred = np.where(is_leaf, forest.values - np.repeat(means, sizes), 0.0)
        scale = float(np.abs(centred).max()) or 1.0
        return cls(
            forest=forest,
            centred=centred / scale,
            scale=scale,
            expected_value=float(means.sum()) + forest.offset,
            path=tuple(path),
            max_depth=int(max_depth),
            quadrature=quadrature(int(n_path), n_trees=len(sizes)),
        )

    def values(self, X: FloatArray, *, n_jobs: int, on_share: OnShare) -> FloatArray:
        """SHAP values of ``X``, as :func:`shap_values` gives them."""
        return self.explain(X, _NONE_FIXED, n_jobs=n_jobs, on_share=on_share)

    def explain(
        self, X: FloatArray, fixed: tuple[int, bool], *, n_jobs: int, on_share: OnShare
    ) -> FloatArray:
        from prodapp.ml.treeshap_kernel import explain

        trees = self.forest
        tree = (trees.left, trees.right, trees.features, trees.thresholds, trees.missing_left)
        blocks = _blocks(X)
        phi = np.zeros(blocks.shape)
        units = list(self._units(len(blocks), blocks.shape[2]))

        def work(unit: tuple[slice, slice]) -> FloatArray:
            rows, roots = blocks[unit[0]], trees.roots[unit[1]]
            shares = (trees.ratios, self.centred)
            parts: FloatArray = explain(
                rows, roots, tree, *shares, self.path, self.max_depth, self.quadrature, fixed
            )
            return parts

        executor = ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="treeshap")
        try:
            # In order, so that sums are the same whoever computed what.
            for n_done, part in enumerate(executor.map(work, units), start=1):
                phi[units[n_done - 1][0]] += part
                on_share(n_done / len(units))
        finally:
            executor.shutdown(cancel_futures=True)
        return phi.transpose(0, 2, 1).reshape(-1, X.shape[1])[: len(X)] * self.scale

    def _units(self, n_blocks: int, block: int) -> Iterator[tuple[slice, slice]]:
        """Blocks, and roots with the end of the last tree: as many trees as make a unit."""
        roots = self.forest.roots
        start = 0
        while start < len(roots) - 1:
            largest = int(roots[start + 1] - roots[start])
            n_rows = int(np.clip(_UNIT // largest // block, 1, min(_UNIT_BLOCKS, n_blocks)))
            stop = int(np.searchsorted(roots, roots[start] + _UNIT // (n_rows * block))) - 1
            stop = min(max(stop, start + 1), len(roots) - 1)
            for first in range(0, n_blocks, n_rows):
                yield slice(first, first + n_rows), slice(start, stop + 1)
            start = stop


def _reach(forest: Forest) -> FloatArray:
    """The share of its tree's training samples that reach each node."""
    reach = np.ones(len(forest.left))
    level = forest.roots[:-1]
    while len(level):
        level = level[forest.left[level] >= 0]
        for children in (forest.left[level], forest.right[level]):
            reach[children] = reach[level] * forest.ratios[children]
        level = np.concatenate([forest.left[level], forest.right[level]])
    return reach


def _blocks(X: FloatArray) -> FloatArray:
    """``X`` as (blocks, features, samples), the last block filled up with zeros."""
    size = int(np.clip(-(-len(X) // _MIN_BLOCK) * _MIN_BLOCK, _MIN_BLOCK, BLOCK))
    n_blocks = -(-len(X) // size)
    filled = np.zeros((n_blocks * size, X.shape[1]))
    filled[: len(X)] = X
    return np.ascontiguousarray(filled.reshape(n_blocks, size, -1).transpose(0, 2, 1))


def one_split() -> Forest:
    """The smallest forest, to compile loops by."""
    return Forest(
        roots=np.array([0, 3]),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        features=np.array([0, -2, -2]),
        thresholds=np.zeros(3),
        missing_left=np.zeros(3, dtype=np.bool_),
        ratios=np.array([1.0, 0.5, 0.5]),
        values=np.array([0.0, -1.0, 1.0]),
        offset=0.0,
    )


def warm_up() -> None:
    """Compile the kernel for its types and leave it in numba's cache."""
    shap_values(one_split(), np.ones((1, 1)), n_jobs=1, on_share=lambda _: None)
