"""A specification → a pipeline, and its fitting with progress."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.ensemble._forest import BaseForest
from sklearn.linear_model import ElasticNetCV, LinearRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from prodapp.ml.budget import MIN_TREES, Clock, ForestSize
from prodapp.ml.preprocessing import build_preprocessing
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column

#: Beyond this many samples a tree's bag grows its cost, and its answer hardly.
MAX_BAG: Final = 20_000
_FORESTS: Final = {"random_forest": RandomForestRegressor, "extra_trees": ExtraTreesRegressor}
_LINEAR: Final = {"linear_regression": LinearRegression, "ridge": Ridge}
#: Algorithms whose answer depends on the variables' units.
_SCALED: Final = ("linear_regression", "ridge", "elastic_net")
_FIRST_BOOSTED: Final = 20
_SECONDS_A_BATCH: Final = 0.4
#: Samples answered at a time: some tenths of a second for a large forest.
_PORTION: Final = 5_000


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


def build_pipeline(
    spec: Specification,
    columns: Sequence[Column],
    *,
    n_samples: int,
    n_jobs: int = 1,
    size: ForestSize | None = None,
) -> Pipeline:
    """The unfitted pipeline ("preprocessing", "estimator") for these variables.

    ``n_samples`` is the number of training samples; scikit-learn's forests fit their trees in
    ``n_jobs`` threads, which is safe in a forked process. ``size`` is what the memory budget
    leaves of a forest.
    """
    chosen = spec.resolved_hyperparameters()
    if spec.algorithm in _FORESTS:
        size = size or forest_size(spec, n_samples=n_samples)
        estimator = _forest(spec, size, n_samples=n_samples, n_jobs=n_jobs)
    elif spec.algorithm == "gradient_boosting":
        estimator = HistGradientBoostingRegressor(
            **chosen, early_stopping=False, random_state=spec.random_state
        )
    elif spec.algorithm == "decision_tree":
        estimator = DecisionTreeRegressor(**chosen, random_state=spec.random_state)
    elif spec.algorithm == "elastic_net":
        # The penalty that matters depends on the target's unit, so it is found, not asked for.
        estimator = ElasticNetCV(**chosen, cv=5, max_iter=10_000)
    else:
        estimator = _LINEAR[spec.algorithm](**chosen)
    preprocessing = build_preprocessing(columns, scale=spec.algorithm in _SCALED)
    return Pipeline([("preprocessing", preprocessing), ("estimator", estimator)])


def _forest(
    spec: Specification, size: ForestSize | None, *, n_samples: int, n_jobs: int
) -> BaseEstimator:
    chosen = spec.resolved_hyperparameters()
    if size is not None:
        chosen["n_estimators"] = size.n_trees
    is_bagged = size is not None and size.bag < n_samples
    forest = _FORESTS[spec.algorithm](
        **chosen,
        max_samples=size.bag if size is not None and is_bagged else None,
        random_state=spec.random_state,
        n_jobs=n_jobs,
    )
    if is_bagged:
        forest.set_params(bootstrap=True)  # extra trees do without, else
    return forest


def fit_pipeline(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: npt.NDArray[np.float64],
    *,
    on_share: Callable[[float], None],
    clock: Clock | None = None,
) -> None:
    """Fit in place, forests some trees at a time: the same forest, with progress between them.

    ``on_share`` is called with the share of trees fitted; ``clock`` may end the fitting of a
    forest before its last tree. The fitted forest answers in one
    thread, which serves single samples several times faster (see :func:`predict` for many).
    """
    encoded = pipeline.named_steps["preprocessing"].fit_transform(X, y)
    estimator = pipeline.named_steps["estimator"]
    if isinstance(estimator, BaseForest):
        _fit_forest(estimator, encoded.astype(np.float32), y, on_share=on_share, clock=clock)
    elif isinstance(estimator, HistGradientBoostingRegressor):
        _fit_boosting(estimator, encoded, y, on_share=on_share)
    else:
        estimator.fit(encoded, y)
        on_share(1.0)


def _fit_forest(
    forest: Any,
    X: npt.NDArray[np.float32],
    y: npt.NDArray[np.float64],
    *,
    on_share: Callable[[float], None],
    clock: Clock | None,
) -> None:
    n_trees = forest.n_estimators
    batch = n_done = 0
    pace = 0.0
    while n_done < n_trees:
        started = time.monotonic()
        batch = forest.n_jobs if pace == 0 else max(forest.n_jobs, int(_SECONDS_A_BATCH / pace))
        n_next = min(n_trees, n_done + batch)
        if clock and n_done >= MIN_TREES and not clock.allows_fitting(pace * (n_next - n_done)):
            break
        # A warm start draws each tree's seed from its place in the forest, so the batches leave
        # no trace in the result.
        forest.set_params(n_estimators=n_next, warm_start=True)
        forest.fit(X, y)
        pace = (time.monotonic() - started) / (n_next - n_done)
        n_done = n_next
        on_share(n_done / n_trees)
    forest.set_params(n_estimators=n_done, warm_start=False, n_jobs=1)
    on_share(1.0)


def _fit_boosting(
    estimator: HistGradientBoostingRegressor,
    X: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    *,
    on_share: Callable[[float], None],
) -> None:
    """Some trees at a time; each start sorts the values into bins anew, so not too few."""
    n_trees = estimator.max_iter
    n_done = batch = 0
    pace = 0.0
    while n_done < n_trees:
        started = time.monotonic()
        batch = _FIRST_BOOSTED if pace == 0 else max(_FIRST_BOOSTED, int(1.0 / pace))
        n_next = min(n_trees, n_done + batch)
        estimator.set_params(max_iter=n_next, warm_start=True)
        # One thread: its sums, and so the trees, are then the same on every machine, and where
        # processors are busy OpenMP's threads would wait for each other most of the time.
        with threadpool_limits(1, user_api="openmp"):
            estimator.fit(X, y)
        pace = (time.monotonic() - started) / (n_next - n_done)
        n_done = n_next
        on_share(n_done / n_trees)
    estimator.set_params(warm_start=False)


def predict(
    pipeline: Pipeline, X: pd.DataFrame, *, n_jobs: int, on_share: Callable[[float], None]
) -> npt.NDArray[np.float64]:
    """The answers of a fitted pipeline, some thousand samples at a time.

    Threads share samples here, not trees: a forest's own threads add their trees up in the order
    in which they end, so that the last digit changes from call to call.
    """
    portions = [X.iloc[start : start + _PORTION] for start in range(0, len(X), _PORTION)]
    answers = []
    with ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="predict") as executor:
        futures = [executor.submit(pipeline.predict, portion) for portion in portions]
        try:
            for n_done, future in enumerate(futures, start=1):
                answers.append(future.result())
                on_share(n_done / len(portions))
        finally:
            executor.shutdown(cancel_futures=True)
    return np.concatenate(answers)
