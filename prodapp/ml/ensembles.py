"""The trees of scikit-learn's fitted ensembles, in the one form of :mod:`prodapp.ml.treeshap`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.ensemble._forest import BaseForest
from sklearn.tree import BaseDecisionTree

from prodapp.ml.treeshap import Forest

FloatArray = npt.NDArray[np.float64]


_KNOWN: Final = (
    BaseDecisionTree,
    BaseForest,
    GradientBoostingRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    HistGradientBoostingClassifier,
)


def is_known(estimator: Any) -> bool:
    """Whether :func:`collect_forest` can take it."""
    return isinstance(estimator, _KNOWN)


def answer_on_scale(estimator: Any, X: FloatArray, *, output: int | None = None) -> FloatArray:
    """What the trees' values add up to for one output (default: the explained one): the answer, or
    for classifiers the probability of the class numbered so (averaged trees), its log-odds (boosted
    ones of two classes) or raw score (of more)."""
    output = explained_output(estimator) if output is None else output
    if isinstance(estimator, HistGradientBoostingClassifier | GradientBoostingClassifier):
        found: FloatArray = estimator.decision_function(X)
        return found if found.ndim == 1 else found[:, output]
    if is_classifier(estimator):
        found = estimator.predict_proba(X)[:, output]
    else:
        found = estimator.predict(X)
    return found


def explained_output(estimator: Any) -> int:
    """The output of :func:`collect_forest` that is explained: the class, where there is one."""
    return int(is_classifier(estimator))


def collect_forest(estimator: Any, *, output: int = 0) -> Forest:
    """The trees behind one output of a fitted ensemble.

    The output of a regressor is its answer (of several, the one numbered so); of a classifier by
    averaged trees the probability of the class numbered so; of boosted classifiers the raw score
    (of the second class where there are two).
    """
    if isinstance(estimator, BaseDecisionTree):
        return _of_trees([estimator.tree_], share=1.0, output=output)
    if isinstance(estimator, BaseForest):
        trees = [tree.tree_ for tree in estimator.estimators_]
        return _of_trees(trees, share=1 / len(trees), output=output)
    if isinstance(estimator, GradientBoostingRegressor | GradientBoostingClassifier):
        return _of_boosting(estimator, output=output)
    if isinstance(estimator, HistGradientBoostingRegressor | HistGradientBoostingClassifier):
        return _of_histograms(estimator, output=output)
    raise TypeError(f"no trees known of {type(estimator).__name__}")


def compared(estimator: Any, X: FloatArray) -> FloatArray:
    """``X`` as the trees compare it with their thresholds: scikit-learn's round it first."""
    if isinstance(estimator, HistGradientBoostingRegressor | HistGradientBoostingClassifier):
        return X
    return X.astype(np.float32).astype(np.float64)


def _of_boosting(estimator: Any, *, output: int) -> Forest:
    column = output if estimator.estimators_.shape[1] > 1 else 0
    trees = [tree.tree_ for tree in estimator.estimators_[:, column]]
    # The answer before the first tree, which is the same for every sample.
    start = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32))
    return _of_trees(trees, share=estimator.learning_rate, output=0, offset=float(start[0, column]))


def _of_trees(trees: Sequence[Any], *, share: float, output: int, offset: float = 0.0) -> Forest:
    return join_trees(
        left=[tree.children_left for tree in trees],
        right=[tree.children_right for tree in trees],
        features=[tree.feature for tree in trees],
        thresholds=[tree.threshold for tree in trees],
        missing_left=[tree.missing_go_to_left for tree in trees],
        covers=[tree.weighted_n_node_samples for tree in trees],
        values=[_values(tree, output) * share for tree in trees],
        offset=offset,
    )


def _values(tree: Any, output: int) -> FloatArray:
    # (nodes, outputs, classes): classes for one output of a classifier, else one "class" each.
    values: FloatArray = tree.value
    return values[:, 0, output] if values.shape[2] > 1 else values[:, output, 0]


def _of_histograms(estimator: Any, *, output: int) -> Forest:
    column = output if len(estimator._predictors[0]) > 1 else 0
    nodes = [iteration[column].nodes for iteration in estimator._predictors]
    if any(tree["is_categorical"].any() for tree in nodes):
        raise TypeError("splits on categories are not known here")

    def children(tree: Any, side: str) -> npt.NDArray[np.int64]:
        return np.where(tree["is_leaf"], np.int64(-1), tree[side].astype(np.int64))

    return join_trees(
        left=[children(tree, "left") for tree in nodes],
        right=[children(tree, "right") for tree in nodes],
        features=[tree["feature_idx"] for tree in nodes],
        thresholds=[tree["num_threshold"] for tree in nodes],
        missing_left=[tree["missing_go_to_left"] for tree in nodes],
        covers=[tree["count"] for tree in nodes],
        values=[tree["value"] for tree in nodes],
        offset=float(np.ravel(estimator._baseline_prediction)[column]),
    )


def join_trees(
    *,
    left: Sequence[Any],
    right: Sequence[Any],
    features: Sequence[Any],
    thresholds: Sequence[Any],
    missing_left: Sequence[Any],
    covers: Sequence[Any],
    values: Sequence[Any],
    offset: float,
) -> Forest:
    """The trees given by their nodes, each numbered from 0 with −1 for no child, as one forest;
    ``covers`` are the (weighted) training samples of each node."""
    roots = np.cumsum([0, *(len(tree) for tree in left)]).astype(np.int64)

    def numbered(sides: Sequence[Any]) -> npt.NDArray[np.int64]:
        moved = [
            np.where(side < 0, -1, side.astype(np.int64) + root)
            for side, root in zip(sides, roots, strict=False)
        ]
        return np.concatenate(moved).astype(np.int64)

    lefts, rights = numbered(left), numbered(right)
    cover = np.concatenate(covers).astype(np.float64)
    ratios = np.ones(len(cover))
    inner = np.flatnonzero(lefts >= 0)
    for children in (lefts[inner], rights[inner]):
        ratios[children] = cover[children] / cover[inner]
    return Forest(
        roots=roots,
        left=lefts,
        right=rights,
        features=np.concatenate(features).astype(np.int64),
        thresholds=np.concatenate(thresholds).astype(np.float64),
        missing_left=np.concatenate(missing_left).astype(np.bool_),
        ratios=ratios,
        values=np.concatenate(values).astype(np.float64),
        offset=offset,
    )
