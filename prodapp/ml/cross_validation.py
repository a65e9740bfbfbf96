"""Scores by fold, of models that never saw the fold, and what the order of rows hides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.class_codes import is_explained, lacks_a_class
from prodapp.ml.estimators import build_pipeline, n_learned
from prodapp.ml.fitting import fit_pipeline, predict
from prodapp.ml.progress import part_of
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Fold, Plan, blocked_folds, group_folds, shuffled_like
from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

#: Folds of small models, where nobody asked for a number.
SMALL_FOLDS: Final = 3
#: A gap that matters shows with few samples and small forests.
_SMALL_SAMPLES: Final = 2_000
_STRETCH: Final = 100
_SMALL_TREES: Final = 15


@dataclass(frozen=True)
class Gap:
    """R² in folds drawn at random, and in folds that keep what belongs together apart.

    ``blocks`` says what these are: of "time", by "group", or of neighbouring rows ("order") where
    validation is shuffled. Where rows are like their neighbours, random folds test on near-copies
    of what was learned, and only the blocks tell what the model is worth on rows yet to come. Both
    learn from as many samples. ``is_small`` marks figures of small models, which are for each other
    only.
    """

    shuffled_r2: float
    blocked_r2: float
    n_folds: int
    n_samples: int
    blocks: str
    is_small: bool


@dataclass(frozen=True)
class FoldScore:
    """How well one fold was predicted; ``skill`` is against the mean of the fold's training
    samples."""

    r2: float
    mae: float
    rmse: float
    skill: float
    n_train: int
    n_test: int


@dataclass(frozen=True)
class CrossValidation:
    """The scores of the honest folds, one repeat after the other, and the gap to random folds."""

    gap: Gap
    scores: tuple[FoldScore, ...]
    n_repeats: int


def cross_predict(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    folds: Sequence[Fold],
    *,
    n_jobs: int,
    on_share: OnShare,
) -> list[FloatArray]:
    """For each fold the answers for its tested samples, of a pipeline fitted without them,
    preprocessing included. ``y`` holds codes where the target holds classes."""
    predicted = []
    for n_done, (train_rows, test_rows) in enumerate(folds):
        if spec.target_class is not None and lacks_a_class(y[train_rows]):
            predicted.append(np.full(len(test_rows), is_explained(y[train_rows]).mean()))
            continue
        pipeline = build_pipeline(spec, columns, n_samples=len(train_rows), n_jobs=n_jobs)
        fit_pipeline(
            pipeline,
            X.iloc[train_rows],
            y[train_rows],
            n_learned=n_learned(spec, n_samples=len(train_rows)),
            on_share=part_of(on_share, n_done / len(folds), (n_done + 0.9) / len(folds)),
        )
        answers = predict(
            pipeline,
            X.iloc[test_rows],
            n_jobs=n_jobs,
            on_share=part_of(on_share, (n_done + 0.9) / len(folds), (n_done + 1) / len(folds)),
        )
        predicted.append(answers)
    return predicted


def judged_by(spec: Specification, y: FloatArray) -> FloatArray:
    """What answers are held against: the target, or whether it is the explained class."""
    return y if spec.target_class is None else is_explained(y)


def cross_validate(
    spec: Specification,
    columns: Sequence[Column],
    X: pd.DataFrame,
    y: FloatArray,
    plan: Plan,
    *,
    n_jobs: int,
    on_share: OnShare,
) -> CrossValidation:
    """Score the folds of ``plan``, and as many random ones of the same sizes.

    With ``spec.n_folds`` these are of the model asked for, on all samples; else of small forests,
    and of large tables on stretches of rows, since thinning would part the neighbours.
    """
    is_small = spec.n_folds is None
    if is_small:
        rows = _stretches(len(y))
        X, y, plan = X.iloc[rows], y[rows], plan.taken(rows)
        spec = replace(spec, hyperparameters={**spec.hyperparameters, **_fewer_trees(spec)})
    n_folds = spec.n_folds or SMALL_FOLDS
    honest = plan.repeated_folds(len(y), n_folds=n_folds, random_state=spec.random_state)
    is_shuffled = plan.scheme == "shuffled"
    blocked = _apart(plan, len(y), n_folds, spec) if is_shuffled else honest
    shuffled = honest if is_shuffled else shuffled_like(honest, random_state=spec.random_state)
    answers = [
        cross_predict(
            spec,
            columns,
            X,
            y,
            folds,
            n_jobs=n_jobs,
            on_share=part_of(on_share, half, half + 0.5),
        )
        for folds, half in ((shuffled, 0.0), (blocked, 0.5))
    ]
    y = judged_by(spec, y)
    gap = Gap(
        shuffled_r2=_pooled_r2(y, shuffled, answers[0]),
        blocked_r2=_pooled_r2(y, blocked, answers[1]),
        n_folds=len(blocked),
        n_samples=len(y),
        blocks=_blocks(plan),
        is_small=is_small,
    )
    of_honest = answers[0] if is_shuffled else answers[1]
    scores = [_score(y, fold, found) for fold, found in zip(honest, of_honest, strict=True)]
    return CrossValidation(gap, tuple(scores), n_repeats=max(1, len(honest) // n_folds))


def _apart(plan: Plan, n_samples: int, n_folds: int, spec: Specification) -> list[Fold]:
    """Folds of what may belong together though validation is shuffled: groups, else neighbours."""
    if plan.kin is None:
        return blocked_folds(n_samples, n_folds=n_folds)
    return group_folds(plan.kin, n_folds=n_folds, random_state=spec.random_state)


def _blocks(plan: Plan) -> str:
    if plan.scheme != "shuffled":
        return plan.scheme
    return "order" if plan.kin is None else "group"


def _stretches(n_samples: int) -> npt.NDArray[np.intp]:
    if n_samples <= _SMALL_SAMPLES:
        return np.arange(n_samples)
    starts = np.linspace(0, n_samples - _STRETCH, _SMALL_SAMPLES // _STRETCH).astype(np.intp)
    return np.unique(starts[:, np.newaxis] + np.arange(_STRETCH))


def _fewer_trees(spec: Specification) -> dict[str, Any]:
    return {
        name: min(_SMALL_TREES, spec.resolved_hyperparameters()[name])
        for name in ("n_estimators", "max_iter")
        if name in ALGORITHMS[spec.algorithm].hyperparameters
    }


def _pooled_r2(y: FloatArray, folds: Sequence[Fold], predicted: Sequence[FloatArray]) -> float:
    actual = np.concatenate([y[test_rows] for _, test_rows in folds])
    return _r2(actual, np.concatenate(predicted), float(actual.mean()))


def _r2(actual: FloatArray, predicted: FloatArray, mean: float) -> float:
    total = float(((actual - mean) ** 2).sum())
    return 1 - float(((actual - predicted) ** 2).sum()) / total if total > 0 else 0.0


def _score(y: FloatArray, fold: Fold, predicted: FloatArray) -> FoldScore:
    train_rows, test_rows = fold
    actual = y[test_rows]
    return FoldScore(
        r2=_r2(actual, predicted, float(actual.mean())),
        mae=float(np.abs(actual - predicted).mean()),
        rmse=float(np.sqrt(((actual - predicted) ** 2).mean())),
        skill=_r2(actual, predicted, float(y[train_rows].mean())),
        n_train=len(train_rows),
        n_test=len(test_rows),
    )
