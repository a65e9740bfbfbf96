"""A specification → an unfitted pipeline."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNetCV, LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from prodapp.ml.budget import ForestSize
from prodapp.ml.classifiers import CLASSIFIERS, network
from prodapp.ml.features.plan import resolve_steps
from prodapp.ml.features.series import series_features
from prodapp.ml.preprocessing import build_preprocessing
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column
from prodapp.ml.target_scale import TargetScale

#: Beyond this many samples a tree's bag grows its cost, and its answer hardly.
MAX_BAG: Final = 20_000
_FORESTS: Final = {"random_forest": RandomForestRegressor, "extra_trees": ExtraTreesRegressor}
_CLASS_FORESTS: Final = {
    "random_forest": RandomForestClassifier,
    "extra_trees": ExtraTreesClassifier,
}
#: Algorithms whose answer depends on the variables' units.
_SCALED: Final = (
    "linear_regression",
    "ridge",
    "elastic_net",
    "k_neighbors",
    "support_vectors",
    "neural_network",
)
#: The most samples that an algorithm learns from: its time grows faster than they do (support
#: vectors), or that of each answer grows with them (neighbours).
MAX_LEARNED: Final[Mapping[str, int]] = {
    "support_vectors": 5_000,
    "k_neighbors": 10_000,
    "neural_network": 50_000,
}

Chosen = Mapping[str, Any]


def available_cpus() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def forest_size(spec: Specification, *, n_samples: int) -> ForestSize | None:
    """The forest that is asked for, None for other algorithms; bags are of bounded size."""
    if spec.algorithm not in _FORESTS:
        return None
    chosen = spec.resolved_hyperparameters()
    return ForestSize(
        n_trees=chosen["n_estimators"],
        bag=min(n_samples, MAX_BAG),
        min_samples_leaf=chosen["min_samples_leaf"],
    )


def n_learned(spec: Specification, *, n_samples: int) -> int:
    """How many of the training samples the algorithm learns from."""
    return min(n_samples, MAX_LEARNED.get(spec.algorithm, n_samples))


def build_pipeline(
    spec: Specification,
    columns: Sequence[Column],
    *,
    n_samples: int,
    n_jobs: int = 1,
    size: ForestSize | None = None,
) -> Pipeline:
    """The unfitted pipeline ("preprocessing", "estimator") for these variables.

    It takes frames that hold the features of series already (:mod:`prodapp.ml.samples`).

    ``n_samples`` is the number of training samples; scikit-learn's forests fit their trees in
    ``n_jobs`` threads, which is safe in a forked process. ``size`` is what the memory budget
    leaves of a forest.
    """
    if spec.algorithm in _FORESTS:
        size = size or forest_size(spec, n_samples=n_samples)
        estimator = _forest(spec, size, n_samples=n_samples, n_jobs=n_jobs)
    else:
        builders = _BUILDERS if spec.target_class is None else CLASSIFIERS
        estimator = builders[spec.algorithm](spec.resolved_hyperparameters(), spec.random_state)
    preprocessing = build_preprocessing(
        columns,
        scale=spec.algorithm in _SCALED,
        steps=resolve_steps(spec.engineering, columns),
        made=series_features(spec.engineering, columns).made(),
        random_state=spec.random_state,
    )
    return Pipeline([("preprocessing", preprocessing), ("estimator", estimator)])


def _forest(
    spec: Specification, size: ForestSize | None, *, n_samples: int, n_jobs: int
) -> BaseEstimator:
    chosen = spec.resolved_hyperparameters()
    if size is not None:
        chosen["n_estimators"] = size.n_trees
    is_bagged = size is not None and size.bag < n_samples
    forests = _FORESTS if spec.target_class is None else _CLASS_FORESTS
    forest = forests[spec.algorithm](
        **chosen,
        max_samples=size.bag if size is not None and is_bagged else None,
        random_state=spec.random_state,
        n_jobs=n_jobs,
    )
    if is_bagged:
        forest.set_params(bootstrap=True)  # extra trees do without, else
    return forest


def _for_spread(regressor: BaseEstimator) -> BaseEstimator:
    """``regressor`` learning the target in spreads from its mean.

    What it is tuned by then means the same for every unit, and the single precision of XGBoost's
    and LightGBM's targets loses nothing where the target is far from zero.
    """
    return TransformedTargetRegressor(regressor, transformer=TargetScale())


def _gradient_boosting(chosen: Chosen, random_state: int) -> BaseEstimator:
    return HistGradientBoostingRegressor(**chosen, early_stopping=False, random_state=random_state)


def _xgboost(chosen: Chosen, random_state: int) -> BaseEstimator:
    package = importlib.import_module("xgboost")
    # One thread: its sums, and so the trees, are then the same on every machine.
    return _for_spread(
        package.XGBRegressor(**chosen, tree_method="hist", random_state=random_state, n_jobs=1)
    )


def _lightgbm(chosen: Chosen, random_state: int) -> BaseEstimator:
    package = importlib.import_module("lightgbm")
    return _for_spread(
        package.LGBMRegressor(
            **chosen,
            random_state=random_state,
            n_jobs=1,
            deterministic=True,
            force_row_wise=True,  # else it measures which way is faster, and may choose otherwise
            verbosity=-1,
        )
    )


def _decision_tree(chosen: Chosen, random_state: int) -> BaseEstimator:
    return DecisionTreeRegressor(**chosen, random_state=random_state)


def _linear(_chosen: Chosen, _random_state: int) -> BaseEstimator:
    return LinearRegression()


def _ridge(chosen: Chosen, _random_state: int) -> BaseEstimator:
    return Ridge(**chosen)


def _elastic_net(chosen: Chosen, _random_state: int) -> BaseEstimator:
    # The penalty that matters depends on the target's unit, so it is found, not asked for.
    return ElasticNetCV(**chosen, cv=5, max_iter=10_000)


def _k_neighbors(chosen: Chosen, _random_state: int) -> BaseEstimator:
    # Of more than a few variables, search trees save nothing and answer one sample at a time.
    return KNeighborsRegressor(**chosen, algorithm="brute")


def _support_vectors(chosen: Chosen, _random_state: int) -> BaseEstimator:
    gamma = "scale" if chosen["gamma"] is None else chosen["gamma"]
    return _for_spread(SVR(C=chosen["C"], gamma=gamma))


def _neural_network(chosen: Chosen, random_state: int) -> BaseEstimator:
    return _for_spread(MLPRegressor(**network(chosen), random_state=random_state))


_BUILDERS: Final[Mapping[str, Callable[[Chosen, int], BaseEstimator]]] = {
    "gradient_boosting": _gradient_boosting,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "decision_tree": _decision_tree,
    "linear_regression": _linear,
    "ridge": _ridge,
    "elastic_net": _elastic_net,
    "k_neighbors": _k_neighbors,
    "support_vectors": _support_vectors,
    "neural_network": _neural_network,
}
