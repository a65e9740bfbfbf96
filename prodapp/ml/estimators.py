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
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline

from prodapp.ml.budget import MIN_TREES, Clock, ForestSize
from prodapp.ml.preprocessing import build_preprocessing
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column

#: Beyond this many samples a tree's bag grows its cost, and its answer hardly.
MAX_BAG: Final = 20_000
_SECONDS_A_BATCH: Final = 0.4
#: Samples answered at a time: some tenths of a second for a large forest.
_PORTION: Final = 5_000


def available_cpus() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def forest_size(spec: Specification, *, n_samples: int) -> ForestSize:
    """The forest that is asked for; large tables have bags of bounded size."""
    chosen = spec.resolved_hyperparameters()
    return ForestSize(
        n_trees=chosen.get("n_estimators", 1),
        bag=min(n_samples, MAX_BAG),
        min_samples_leaf=chosen.get("min_samples_leaf", 1),
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
    if spec.algorithm == "linear_regression":
        preprocessing = build_preprocessing(columns, scale=True)
        return Pipeline([("preprocessing", preprocessing), ("estimator", LinearRegression())])
    size = size or forest_size(spec, n_samples=n_samples)
    forest = RandomForestRegressor(
        **{**spec.resolved_hyperparameters(), "n_estimators": size.n_trees},
        max_samples=size.bag if size.bag < n_samples else None,
        random_state=spec.random_state,
        n_jobs=n_jobs,
    )
    preprocessing = build_preprocessing(columns, scale=False)
    return Pipeline([("preprocessing", preprocessing), ("estimator", forest)])


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
    if isinstance(estimator, RandomForestRegressor):
        _fit_forest(estimator, encoded.astype(np.float32), y, on_share=on_share, clock=clock)
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
