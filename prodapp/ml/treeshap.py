"""Path-dependent SHAP values of forests, compiled: the numbers of shap.TreeExplainer, sooner.

For one leaf of value v, let the features on the path to it be d ∈ D; o_d is 1 where the sample
passes every split on d of the path, else 0, and z_d is the share of training samples that passed
them. The game that TreeSHAP plays gives a set S of known features v ∏_{S} o_d ∏_{D∖S} z_d, and
since |S|!(n−|S|−1)!/n! = ∫ t^|S| (1−t)^(n−1−|S|) dt over [0, 1], the Shapley value of i is

    φ_i = v (o_i − z_i) ∫ ∏_{d≠i} (z_d (1−t) + o_d t) dt,

the integral of a polynomial: Gauss–Legendre with K nodes is exact for up to 2K features on a path
and very near beyond (quadrature TreeSHAP; the sharing of the product along the path follows Linear
TreeSHAP, Yu et al. 2022). Going down, the product at each node of the quadrature is updated by one
factor an edge; going up, the products of the leaves below are summed, and each edge settles the
account of its feature. A block of samples walks the tree together, so the inner loops run over
samples and are vectors. A subtree whose features have all been decided against every sample of
the block is taken as one leaf: its leaves then share one fate, weighted by their covers.

Blocks run in plain threads (the compiled code releases the GIL), so there is no threading layer
of numba's or OpenMP's to survive a fork. Nothing is compiled at import; run
``python -m prodapp.ml.treeshap`` once to fill numba's cache (``NUMBA_CACHE_DIR``), and let a worker
call :func:`warm_up` before it forks, so that its children find the kernel in memory. No thread is
left behind by either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from prodapp.ml.treeshap_kernel import compiled

FloatArray = npt.NDArray[np.float64]

#: Samples that walk together. More make longer vectors and prune less.
BLOCK: Final = 128
#: Exact up to 12 features on a path; at 32 the largest difference is 1e-10 of the target's spread.
MAX_NODES: Final = 6
#: Subtrees are pruned by a bit for each feature.
_MAX_PRUNED_FEATURES: Final = 63
_SECONDS_A_CALL: Final = 0.5


@dataclass(frozen=True)
class Forest:
    """The trees of an ensemble in one set of arrays; node numbers run through all of them.

    ``left`` is −1 at leaves. ``values`` are those of a tree divided by the number of trees, at
    inner nodes the mean of the leaves below by cover. ``used`` has a bit for each feature split
    on below the node (all bits when features are too many to tell).
    """

    roots: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]
    thresholds: FloatArray
    missing_left: npt.NDArray[np.bool_]
    covers: FloatArray
    values: FloatArray
    used: npt.NDArray[np.int64]
    max_depth: int
    max_path_features: int

    @property
    def expected_value(self) -> float:
        """The mean answer over the training samples: what SHAP values add up from."""
        return float(self.values[self.roots].sum())


def is_available() -> bool:
    """Whether numba can be imported here."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def collect_forest(trees: Sequence[Any], *, n_features: int) -> Forest:
    """The arrays of scikit-learn regression trees (``estimator.tree_``) of one output."""
    offsets = np.cumsum([0, *(tree.node_count for tree in trees)])
    left, right = (
        np.concatenate(
            [
                np.where(getattr(tree, name) < 0, -1, getattr(tree, name) + offset)
                for tree, offset in zip(trees, offsets, strict=False)
            ]
        ).astype(np.int64)
        for name in ("children_left", "children_right")
    )

    def joined(name: str, kind: Any) -> Any:
        return np.concatenate([getattr(tree, name) for tree in trees]).astype(kind)

    features = joined("feature", np.int64)
    values = np.concatenate([tree.value[:, 0, 0] for tree in trees]) / len(trees)
    used, n_path = _features_below(left, right, features, offsets[:-1], n_features=n_features)
    return Forest(
        roots=offsets[:-1].astype(np.int64),
        left=left,
        right=right,
        features=features,
        thresholds=joined("threshold", np.float64),
        missing_left=joined("missing_go_to_left", np.bool_),
        covers=joined("weighted_n_node_samples", np.float64),
        values=values.astype(np.float64),
        used=used,
        max_depth=max(int(tree.max_depth) for tree in trees),
        max_path_features=n_path,
    )


def _features_below(
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    features: npt.NDArray[np.int64],
    roots: npt.NDArray[np.int64],
    *,
    n_features: int,
) -> tuple[npt.NDArray[np.int64], int]:
    """The bits of the features split on below each node, and a bound of the features on a path."""
    level = roots[left[roots] >= 0]
    levels = []
    while len(level):
        levels.append(level)
        children = np.concatenate([left[level], right[level]])
        level = children[left[children] >= 0]
    is_inner = left >= 0
    if n_features > _MAX_PRUNED_FEATURES:
        return np.where(is_inner, np.int64(-1), np.int64(0)), min(n_features, len(levels))
    used = np.zeros(len(left), dtype=np.int64)
    for level in reversed(levels):
        used[level] = (np.int64(1) << features[level]) | used[left[level]] | used[right[level]]
    n_used = len(np.unique(features[is_inner]))
    return used, max(1, min(n_used, len(levels)))


def quadrature(n_path_features: int) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre nodes and weights on [0, 1] for paths of so many features."""
    n_nodes = min(MAX_NODES, max(1, -(-n_path_features // 2)))
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    return (nodes + 1) / 2, weights / 2


def shap_values(
    forest: Forest,
    X: npt.NDArray[np.float32],
    *,
    n_jobs: int,
    on_share: Callable[[float], None],
) -> FloatArray:
    """SHAP values (samples, features) of ``X`` (samples, features; NaN is missing).

    ``on_share`` is called at least once a second with the share done; what it raises stops the
    work.
    """
    kernel = compiled()
    nodes, weights = quadrature(forest.max_path_features)
    phi = np.zeros((X.shape[1], len(X)))

    def explain(rows: npt.NDArray[np.intp]) -> None:
        block = np.zeros((X.shape[1], len(rows)))
        kernel(
            np.ascontiguousarray(X[rows].T),
            forest.roots,
            forest.left,
            forest.right,
            forest.features,
            forest.thresholds,
            forest.missing_left,
            forest.covers,
            forest.values,
            forest.used,
            forest.max_depth,
            nodes,
            weights,
            block,
        )
        phi[:, rows] = block

    order = _by_likeness(forest, X)
    blocks = [order[start : start + BLOCK] for start in range(0, len(order), BLOCK)]
    _run(explain, blocks, n_jobs=n_jobs, on_share=on_share)
    return phi.T


def _run(
    explain: Callable[[npt.NDArray[np.intp]], None],
    blocks: list[npt.NDArray[np.intp]],
    *,
    n_jobs: int,
    on_share: Callable[[float], None],
) -> None:
    executor = ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="treeshap")
    try:
        pending: set[Future[None]] = {executor.submit(explain, rows) for rows in blocks}
        while pending:
            done, pending = wait(pending, timeout=_SECONDS_A_CALL, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            on_share(1 - len(pending) / len(blocks))
    finally:
        executor.shutdown(cancel_futures=True)


def _by_likeness(forest: Forest, X: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """An order in which neighbours fall into neighbouring leaves of the first tree."""
    at = np.full(len(X), forest.roots[0])
    place = np.zeros(len(X))
    rows = np.arange(len(X))
    step = 0.5
    while len(rows):
        rows = rows[forest.left[at[rows]] >= 0]
        nodes = at[rows]
        x = X[rows, forest.features[nodes]]
        goes_left = np.where(np.isnan(x), forest.missing_left[nodes], x <= forest.thresholds[nodes])
        at[rows] = np.where(goes_left, forest.left[nodes], forest.right[nodes])
        place[rows] += np.where(goes_left, 0.0, step)
        step /= 2
    return np.argsort(place, kind="stable")


def warm_up() -> None:
    """Compile the kernel for its types and leave it in numba's cache."""
    from sklearn.tree import DecisionTreeRegressor

    X = np.arange(8, dtype=np.float32).reshape(4, 2)
    tree = DecisionTreeRegressor(random_state=0).fit(X, X[:, 0])
    shap_values(collect_forest([tree.tree_], n_features=2), X, n_jobs=1, on_share=lambda _: None)


if __name__ == "__main__":
    warm_up()
