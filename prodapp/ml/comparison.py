"""Several algorithms under one cross-validation: the leaderboard, and the one to take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.exceptions import N_
from prodapp.ml.algorithms import ALGORITHMS, BASELINE, CANDIDATES
from prodapp.ml.budget import Clock
from prodapp.ml.cross_validation import cross_predict, judged_by
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Fold, Plan
from prodapp.ml.table import Column, Remark
from prodapp.ml.validation import Interval, measure

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

N_FOLDS: Final = 5
#: More samples are not needed to tell algorithms apart.
MAX_COMPARED: Final = 20_000


@dataclass(frozen=True)
class Contender:
    """One row of the leaderboard; the baseline always answers the mean of its training samples.

    Figures are of predictions on folds that the model had not seen, over all folds together.
    """

    algorithm: str
    r2: float
    r2_interval: Interval
    mae: float
    rmse: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """The leaderboard, best first, with its folds and samples."""

    leaderboard: tuple[Contender, ...]
    n_folds: int
    n_samples: int
    remarks: tuple[Remark, ...]

    @property
    def winner(self) -> str:
        """The best that is an algorithm."""
        return next(row.algorithm for row in self.leaderboard if row.algorithm != BASELINE)


def compare(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    plan: Plan,
    *,
    n_jobs: int,
    clock: Clock,
    on_share: OnShare,
) -> Comparison:
    """Cross-validate each candidate with its defaults on the same folds of the training samples,
    parted as ``plan`` says.

    When the time budget runs short the candidates that come later are left out, which is said.
    """
    X, y, plan = thinned(X, y, plan, random_state=spec.random_state)
    folds = plan.folds(len(y), n_folds=N_FOLDS, random_state=spec.random_state)
    rows, left_out = [_baseline(y, folds, spec)], []
    for place, algorithm in enumerate(CANDIDATES):
        slowest = max(row.seconds for row in rows)
        if not ALGORITHMS[algorithm].is_available:
            continue
        if place > 0 and not clock.allows_fitting(2 * slowest):
            left_out.append(algorithm)
            continue

        def share_of_all(share: float, place: int = place) -> None:
            on_share((place + share) / len(CANDIDATES))

        candidate = replace(spec, algorithm=algorithm, hyperparameters={})
        rows.append(contend(candidate, columns, X, y, folds, n_jobs=n_jobs, on_share=share_of_all))
    remarks = (_remark(left_out),) if left_out else ()
    best_first = sorted(rows, key=lambda row: -row.r2)
    return Comparison(tuple(best_first), len(folds), len(y), remarks)


def thinned(
    X: pd.DataFrame,
    y: FloatArray,
    plan: Plan,
    *,
    n_samples: int = MAX_COMPARED,
    random_state: int,
) -> tuple[pd.DataFrame, FloatArray, Plan]:
    """At most ``n_samples`` of the samples, drawn at random, in their order."""
    if len(y) <= n_samples:
        return X, y, plan
    rng = np.random.default_rng(random_state)
    chosen = np.sort(rng.choice(len(y), n_samples, replace=False))
    return X.iloc[chosen], y[chosen], plan.taken(chosen)


def contend(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    folds: Sequence[Fold],
    *,
    n_jobs: int,
    on_share: OnShare,
) -> Contender:
    """The row of one algorithm with its hyperparameters, judged on ``folds``."""
    started = time.monotonic()
    predicted = cross_predict(spec, columns, X, y, folds, n_jobs=n_jobs, on_share=on_share)
    seconds = time.monotonic() - started
    return _row(
        spec.algorithm,
        judged_by(spec, y),
        folds,
        predicted,
        seconds=seconds,
        random_state=spec.random_state,
    )


def _baseline(y: FloatArray, folds: Sequence[Fold], spec: Specification) -> Contender:
    y = judged_by(spec, y)
    means = [np.full(len(tested), y[learned].mean()) for learned, tested in folds]
    return _row(BASELINE, y, folds, means, seconds=0.0, random_state=spec.random_state)


def _row(
    algorithm: str,
    y: FloatArray,
    folds: Sequence[Fold],
    predicted: Sequence[FloatArray],
    *,
    seconds: float,
    random_state: int,
) -> Contender:
    actual = np.concatenate([y[tested] for _, tested in folds])
    figures = measure(
        actual,
        np.concatenate(predicted),
        training_mean=float(actual.mean()),
        n_train=len(y),
        n_features=0,
        random_state=random_state,
    )
    return Contender(
        algorithm=algorithm,
        r2=figures.r2,
        r2_interval=figures.r2_interval,
        mae=figures.mae,
        rmse=figures.rmse,
        seconds=seconds,
    )


def _remark(left_out: Sequence[str]) -> Remark:
    message = N_("The time budget left these algorithms out of the comparison: %(names)s.")
    return Remark("budget_candidates", "warning", message, {"names": ", ".join(left_out)})
