"""The answers for held-out samples → what the result says of them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from prodapp.ml.classes import ClassMetrics, measure_classes
from prodapp.ml.samples import Samples
from prodapp.ml.validation import Metrics, measure, time_blocks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_MAX_HELD_OUT_PAIRS: Final = 500


def clusters_of(samples: Samples, predicted: FloatArray) -> IntArray | None:
    """The sets of held-out samples that stand or fall together."""
    plan = samples.plan
    if plan.is_ordered:
        return time_blocks(samples.y_test - predicted, samples.y_test)
    return None if plan.groups is None else plan.groups[samples.test_rows]


def judge(samples: Samples, predicted: FloatArray, *, random_state: int) -> Metrics:
    """Figures of the answers ``predicted``, beside those of the training mean."""
    actual, plan = samples.y_test, samples.plan
    return measure(
        actual,
        predicted,
        training_mean=float(samples.y_train.mean()),
        n_train=len(samples.y_train),
        n_features=len(samples.columns),
        random_state=random_state,
        clusters=clusters_of(samples, predicted),
        last_values=samples.last_values if plan.is_ordered else None,
    )


def judge_classes(
    samples: Samples, predicted: FloatArray, *, random_state: int
) -> ClassMetrics | None:
    """Further figures where the target holds classes."""
    if samples.target_class is None:
        return None
    return measure_classes(
        samples.y_test,
        predicted,
        target_class=samples.target_class,
        share_learned=float(samples.y_train.mean()),
        random_state=random_state,
        clusters=clusters_of(samples, predicted),
    )


def held_out_pairs(
    actual: FloatArray, predicted: FloatArray, *, random_state: int
) -> tuple[tuple[float, float], ...]:
    """Actual and predicted target of some hundred samples, to be drawn."""
    positions = np.arange(len(actual))
    if len(positions) > _MAX_HELD_OUT_PAIRS:
        rng = np.random.default_rng(random_state)
        positions = np.sort(rng.choice(positions, _MAX_HELD_OUT_PAIRS, replace=False))
    return tuple(zip(actual[positions].tolist(), predicted[positions].tolist(), strict=True))
