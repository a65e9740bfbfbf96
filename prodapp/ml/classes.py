"""Targets of classes: one of them is explained, as the probability that a sample belongs to it.

A target of two or more classes becomes 1 where the sample is of the named class, else 0, and models
answer with probabilities. What is measured of numbers then keeps its meaning: R² is the Brier skill
score, RMSE the root of the Brier score, and always predicting the mean is answering with the share
of the class. :class:`ClassMetrics` stands beside it with the figures that people know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.choice import CLASS_NOT_NAMED
from prodapp.ml.validation import Interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: A class, and the rest, need so many samples to learn from.
MIN_OF_A_CLASS: Final = 5
#: From this probability on a sample counts as of the class.
THRESHOLD: Final = 0.5
_LISTED: Final = 20
_N_RESAMPLES: Final = 500
#: Intervals are of no more samples than this: never too narrow, and of bounded cost.
_MAX_RESAMPLED: Final = 20_000
_LEVEL: Final = 0.95
#: Probabilities are taken no nearer to 0 and 1 than this: one sure error must not be infinite.
_NEAREST: Final = 1e-6


@dataclass(frozen=True)
class ClassMetrics:
    """Held-out figures of the probability of ``target_class``, at a threshold of one half.

    ``roc_auc`` is None where the held-out samples are all of the class, or none is.
    ``baseline_log_loss`` belongs to always answering with the share of the class in the training
    samples; the majority alone has a balanced accuracy and an AUC of one half, and
    ``baseline_accuracy``, ``baseline_f1``.
    """

    target_class: str
    n_of_class: int
    accuracy: float
    balanced_accuracy: float
    roc_auc: float | None
    log_loss: float
    f1: float
    accuracy_interval: Interval
    balanced_accuracy_interval: Interval
    roc_auc_interval: Interval | None
    log_loss_interval: Interval
    f1_interval: Interval
    baseline_accuracy: float
    baseline_f1: float
    baseline_log_loss: float


def named_class(
    values: pd.Series, asked: str | None, *, column: str, may_choose: bool = False
) -> str:
    """The class to explain: the one asked for, or of two the rarer.

    ``values`` are without missing ones. Of more than two, where it ``may_choose``, the rarest that
    can be learned. Raises ``DataRefused`` where the class is not among them, or where there are
    more than two, none was asked for and it may not choose.
    """
    counts = as_text(values).value_counts(sort=False).sort_index()
    listed = ", ".join(f"“{name}”" for name in list(counts.index)[:_LISTED])
    if asked is not None and asked not in counts.index:
        message = N_("“%(column)s” has no class “%(name)s”; it has: %(known)s.")
        raise DataRefused(message, code="class_unknown", column=column, name=asked, known=listed)
    if asked is None and len(counts) > 2 and not may_choose:
        raise DataRefused(CLASS_NOT_NAMED, code="class_not_named", column=column, known=listed)
    if asked is None and len(counts) > 2:
        # With as many in the samples that are learned from as ``check_enough`` asks for, and more.
        counts = counts[counts >= min(4 * MIN_OF_A_CLASS, int(counts.max()))]
    # Of equal counts the later name: "false" and "true", "0" and "1".
    return asked or str(min(reversed(counts.index), key=lambda name: int(counts[name])))


def as_text(values: pd.Series) -> pd.Series:
    """Classes as people write them; whole numbers without a decimal point."""
    if pd.api.types.is_numeric_dtype(values):
        return values.map(lambda value: f"{value:.15g}").astype(object)
    return values.astype(object).astype(str)


def membership(values: pd.Series, name: str) -> FloatArray:
    """1 where the value is the class, 0 where it is another, NaN where it is missing."""
    found: FloatArray = (as_text(values) == name).to_numpy().astype(np.float64)
    found[values.isna().to_numpy()] = np.nan
    return found


def check_enough(y: FloatArray, name: str, *, column: str) -> None:
    """Raise ``DataRefused`` where the class, or the rest, has too few training samples."""
    n_of_class = int(y.sum())
    if min(n_of_class, len(y) - n_of_class) < 2 * MIN_OF_A_CLASS:
        message = N_(
            "Of the rows to learn from, %(n)d of %(all)d are “%(name)s”; at least %(limit)d must "
            "be, and as many not."
        )
        raise DataRefused(
            message,
            code="class_too_rare",
            column=column,
            n=n_of_class,
            all=len(y),
            name=name,
            limit=2 * MIN_OF_A_CLASS,
        )


def measure_classes(
    actual: FloatArray,
    predicted: FloatArray,
    *,
    target_class: str,
    share_learned: float,
    random_state: int,
    clusters: IntArray | None = None,
) -> ClassMetrics:
    """Figures of the probabilities ``predicted`` for samples that are of the class or not (1, 0).

    ``share_learned`` is that of the class among the training samples; ``clusters`` as in
    :func:`prodapp.ml.validation.measure`.
    """
    ones = np.ones(len(actual))
    figures = _figures(actual, predicted, ones)
    rng = np.random.default_rng(random_state)
    kept = np.arange(len(actual))
    if len(actual) > _MAX_RESAMPLED and clusters is None:
        kept = np.sort(rng.choice(len(actual), _MAX_RESAMPLED, replace=False))
    drawn = [
        _figures(actual[kept], predicted[kept], weights)
        for weights in bootstrap_weights(len(kept), clusters, rng)
    ]
    intervals = {name: quantile_interval([found[name] for found in drawn]) for name in figures}
    has_auc = np.isfinite(figures["roc_auc"])
    majority = np.full(len(actual), float(share_learned >= THRESHOLD))
    alone = _figures(actual, majority, ones)
    prior = _figures(actual, np.full(len(actual), share_learned), ones)
    return ClassMetrics(
        target_class=target_class,
        n_of_class=int(actual.sum()),
        accuracy=figures["accuracy"],
        balanced_accuracy=figures["balanced_accuracy"],
        roc_auc=figures["roc_auc"] if has_auc else None,
        log_loss=figures["log_loss"],
        f1=figures["f1"],
        accuracy_interval=intervals["accuracy"],
        balanced_accuracy_interval=intervals["balanced_accuracy"],
        roc_auc_interval=intervals["roc_auc"] if has_auc else None,
        log_loss_interval=intervals["log_loss"],
        f1_interval=intervals["f1"],
        baseline_accuracy=alone["accuracy"],
        baseline_f1=alone["f1"],
        baseline_log_loss=prior["log_loss"],
    )


def bootstrap_weights(
    n: int, clusters: IntArray | None, rng: np.random.Generator
) -> Sequence[FloatArray]:
    """How often each sample is drawn in each resample; clusters are drawn whole."""
    codes = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    n_codes = int(codes.max()) + 1
    return [
        np.bincount(rng.integers(n_codes, size=n_codes), minlength=n_codes)[codes].astype(float)
        for _ in range(_N_RESAMPLES)
    ]


def _figures(actual: FloatArray, predicted: FloatArray, weights: FloatArray) -> dict[str, float]:
    """NaN where the samples do not allow one."""
    is_of, is_called = actual > 0.5, predicted >= THRESHOLD
    of, rest = weights[is_of].sum(), weights[~is_of].sum()
    hits = weights[is_of & is_called].sum()
    rejections = weights[~is_of & ~is_called].sum()
    near = np.clip(predicted, _NEAREST, 1 - _NEAREST)
    losses = -np.where(is_of, np.log(near), np.log1p(-near))
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.array([hits / of, rejections / rest])
        f1 = 2 * hits / (of + weights[is_called].sum())
        return {
            "accuracy": float((hits + rejections) / (of + rest)),
            "balanced_accuracy": float(np.nanmean(rates)) if of + rest else np.nan,
            "roc_auc": _auc(is_of, predicted, weights) if of * rest else np.nan,
            "log_loss": float((weights * losses).sum() / weights.sum()),
            "f1": float(f1) if np.isfinite(f1) else 0.0,
        }


def _auc(is_of: npt.NDArray[np.bool_], predicted: FloatArray, weights: FloatArray) -> float:
    """How often a sample of the class has the higher probability than another; ties count half."""
    _, codes = np.unique(predicted, return_inverse=True)
    of = np.bincount(codes, weights=weights * is_of)
    rest = np.bincount(codes, weights=weights * ~is_of)
    below = np.cumsum(rest) - rest
    return float((of * (below + rest / 2)).sum() / (of.sum() * rest.sum()))


def quantile_interval(figures: Sequence[float]) -> Interval:
    """The middle 95 % of a figure over resamples, those left out that do not allow it."""
    known = np.array([figure for figure in figures if np.isfinite(figure)])
    if not len(known):
        return Interval(0.0, 1.0)
    low, high = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(low), float(high))
