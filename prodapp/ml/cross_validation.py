"""Folds, predictions of samples by models that never saw them, and what the order of rows hides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.estimators import build_pipeline, fit_pipeline, predict
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]
Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

_GAP_FOLDS: Final = 3
#: A gap that matters shows with few samples and small forests.
_GAP_SAMPLES: Final = 2_000
_STRETCH: Final = 100
_GAP_TREES: Final = 15


@dataclass(frozen=True)
class Gap:
    """R² in folds drawn at random, and in folds of neighbouring rows.

    Far apart, rows are like their neighbours: random folds then test on near-copies of what was
    learned, and only the blocks tell what the model is worth on rows yet to come. It is measured
    with small models, so the two figures are for each other only.
    """

    shuffled_r2: float
    blocked_r2: float
    n_folds: int
    n_samples: int


def shuffled_folds(n_samples: int, *, n_folds: int, random_state: int) -> list[Fold]:
    """Positions of training and tested samples: every sample is tested once, drawn at random."""
    order = np.random.default_rng(random_state).permutation(n_samples)
    return [_fold(tested, n_samples) for tested in np.array_split(order, n_folds)]


def blocked_folds(n_samples: int, *, n_folds: int) -> list[Fold]:
    """The same with blocks of neighbours."""
    return [_fold(tested, n_samples) for tested in np.array_split(np.arange(n_samples), n_folds)]


def _fold(tested: npt.NDArray[np.intp], n_samples: int) -> Fold:
    is_tested = np.zeros(n_samples, dtype=bool)
    is_tested[tested] = True
    return np.flatnonzero(~is_tested), np.flatnonzero(is_tested)


def cross_predict(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    folds: Sequence[Fold],
    *,
    n_jobs: int,
    on_share: OnShare,
) -> FloatArray:
    """The answer for each sample of a pipeline fitted without its fold, preprocessing included."""
    predicted = np.empty(len(y))
    for n_done, (train_rows, test_rows) in enumerate(folds):

        def share_of_fold(share: float, n_done: int = n_done) -> None:
            on_share((n_done + share) / len(folds))

        pipeline = build_pipeline(spec, columns, n_samples=len(train_rows), n_jobs=n_jobs)
        fit_pipeline(pipeline, X.iloc[train_rows], y[train_rows], on_share=share_of_fold)
        tested = X.iloc[test_rows]
        predicted[test_rows] = predict(pipeline, tested, n_jobs=n_jobs, on_share=lambda _: None)
    return predicted


def measure_gap(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    *,
    n_jobs: int,
    on_share: OnShare,
) -> Gap:
    """Compare random folds with blocks of the rows in their order.

    Of large tables stretches of rows are taken, since thinning would part the neighbours.
    """
    if len(y) > _GAP_SAMPLES:
        starts = np.linspace(0, len(y) - _STRETCH, _GAP_SAMPLES // _STRETCH).astype(np.intp)
        rows = np.unique(starts[:, np.newaxis] + np.arange(_STRETCH))
        X, y = X.iloc[rows], y[rows]
    small = replace(spec, hyperparameters={**spec.hyperparameters, **_fewer_trees(spec)})
    shuffled = shuffled_folds(len(y), n_folds=_GAP_FOLDS, random_state=spec.random_state)
    blocked = blocked_folds(len(y), n_folds=_GAP_FOLDS)
    figures = [
        _r2(
            y,
            cross_predict(
                small,
                columns,
                X,
                y,
                folds,
                n_jobs=n_jobs,
                on_share=lambda share, first=first: on_share((first + share) / 2),  # type: ignore[misc]
            ),
        )
        for first, folds in enumerate((shuffled, blocked))
    ]
    return Gap(figures[0], figures[1], _GAP_FOLDS, len(y))


def _fewer_trees(spec: Specification) -> dict[str, Any]:
    return {
        name: min(_GAP_TREES, spec.resolved_hyperparameters()[name])
        for name in ("n_estimators", "max_iter")
        if name in ALGORITHMS[spec.algorithm].hyperparameters
    }


def _r2(y: FloatArray, predicted: FloatArray) -> float:
    total = float(((y - y.mean()) ** 2).sum())
    return 1 - float(((y - predicted) ** 2).sum()) / total if total > 0 else 0.0
