"""Fitting a pipeline and asking it, with progress where it can be told.

What tells nothing of itself is looked after from beside (:mod:`prodapp.ml.watching`).

Results do not depend on the number of threads nor on how work is parted.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._forest import BaseForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from prodapp.ml import boosters
from prodapp.ml.budget import MIN_TREES, Clock
from prodapp.ml.class_codes import EXPLAINED, is_explained, learnable
from prodapp.ml.growing import Grower, can_grow

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

_FIRST_BOOSTED: Final = 20
_SECONDS_A_BATCH: Final = 0.4
#: Samples answered at a time: some tenths of a second for a large forest.
_PORTION: Final = 5_000


def fit_pipeline(
    pipeline: Pipeline,
    X: pd.DataFrame,
    y: FloatArray,
    *,
    on_share: OnShare,
    clock: Clock | None = None,
    n_learned: int | None = None,
) -> None:
    """Fit in place, ensembles some trees at a time: the same trees, with progress between them.

    For classifiers ``y`` holds codes (:mod:`prodapp.ml.class_codes`).

    ``on_share`` is called with the share of trees fitted; ``clock`` may end the fitting of a
    forest before its last tree; ``n_learned`` is how many of the samples, drawn at random, the
    estimator learns from (default: all). The fitted forest answers in one thread, which serves
    single samples several times faster (see :func:`predict` for many).
    """
    estimator = pipeline.named_steps["estimator"]
    known = is_explained(y) if is_classifier(estimator) else y
    encoded = pipeline.named_steps["preprocessing"].fit_transform(X, known)
    if n_learned is not None and n_learned < len(y):
        rows = np.sort(np.random.default_rng(0).choice(len(y), n_learned, replace=False))
        encoded, y = encoded[rows], y[rows]
    if is_classifier(estimator):
        encoded, y = _of_classes(encoded, y)
    if isinstance(estimator, BaseForest):
        _fit_forest(estimator, encoded.astype(np.float32), y, on_share=on_share, clock=clock)
    elif isinstance(estimator, HistGradientBoostingRegressor | HistGradientBoostingClassifier):
        _fit_boosting(estimator, encoded, y, on_share=on_share)
    elif boosters.is_booster(estimator):
        boosters.fit(estimator, encoded, y, on_share=on_share)
    else:
        if isinstance(estimator, KNeighborsRegressor | KNeighborsClassifier):
            estimator.set_params(n_neighbors=min(estimator.n_neighbors, len(y)))
        _fit_silently(estimator, encoded, y)
    on_share(1.0)


def _of_classes(encoded: FloatArray, y: FloatArray) -> tuple[FloatArray, Any]:
    """What a classifier can learn from, its codes as whole numbers."""
    codes = y.astype(np.int64)
    enough = learnable(codes)
    return (encoded, codes) if enough.all() else (encoded[enough], codes[enough])


def _fit_silently(estimator: Any, X: FloatArray, y: FloatArray) -> None:
    # How good it became is measured on samples it has not seen, not told by its own warning; one
    # thread, so that sums are the same on every machine.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, y)


def _fit_forest(
    forest: Any,
    X: npt.NDArray[np.float32],
    y: FloatArray,
    *,
    on_share: OnShare,
    clock: Clock | None,
) -> None:
    n_trees = forest.n_estimators
    grower = Grower(forest, X, y) if can_grow(forest, X, y) else None
    batch = n_done = 0
    pace = 0.0
    while n_done < n_trees:
        started = time.monotonic()
        batch = forest.n_jobs if pace == 0 else max(forest.n_jobs, int(_SECONDS_A_BATCH / pace))
        n_next = min(n_trees, n_done + batch)
        if clock and n_done >= MIN_TREES and not clock.allows_fitting(pace * (n_next - n_done)):
            break
        # Each tree's seed is drawn by its place in the forest, so the batches leave no trace in the
        # result.
        if grower is not None:
            grower.grow(n_next - n_done)
        else:
            forest.set_params(n_estimators=n_next, warm_start=True)
            forest.fit(X, y)
        pace = (time.monotonic() - started) / (n_next - n_done)
        n_done = n_next
        on_share(n_done / n_trees)
    forest.set_params(n_estimators=n_done, warm_start=False, n_jobs=1)


def _fit_boosting(estimator: Any, X: FloatArray, y: FloatArray, *, on_share: OnShare) -> None:
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


def answers_of(model: Any, X: Any) -> FloatArray:
    """The answers of a fitted estimator or pipeline: numbers, or probabilities of the class."""
    if is_classifier(model):
        return probabilities_of(model, X)[:, EXPLAINED]
    # Where processors are busy OpenMP's threads would wait for each other: seconds, for nothing.
    with threadpool_limits(1, user_api="openmp"):
        numbers: FloatArray = model.predict(X)
        return numbers


def probabilities_of(model: Any, X: Any) -> FloatArray:
    """The probabilities (samples, classes by code) of a fitted classifier or its pipeline."""
    with threadpool_limits(1, user_api="openmp"):
        found: FloatArray = model.predict_proba(X).astype(np.float64)
        return found


def predict(
    pipeline: Pipeline,
    X: pd.DataFrame,
    *,
    n_jobs: int,
    on_share: OnShare,
    asked: Callable[[Any, Any], FloatArray] = answers_of,
) -> FloatArray:
    """What is ``asked`` of a fitted pipeline (its answers), some thousand samples at a time.

    Threads share samples here, not trees: a forest's own threads add their trees up in the order
    in which they end, so that the last digit changes from call to call.
    """
    portions = [X.iloc[start : start + _PORTION] for start in range(0, len(X), _PORTION)]
    answers = []
    with ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="predict") as executor:
        futures = [executor.submit(asked, pipeline, portion) for portion in portions]
        try:
            for n_done, future in enumerate(futures, start=1):
                answers.append(future.result())
                on_share(n_done / len(portions))
        finally:
            executor.shutdown(cancel_futures=True)
    return np.concatenate(answers)
