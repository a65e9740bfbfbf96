"""How good the probabilities of all classes are, on held-out samples, beside always answering with
the shares of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from prodapp.ml.class_codes import NOT_LEARNED, ClassCodes
from prodapp.ml.classes import bootstrap_weights, quantile_interval
from prodapp.ml.validation import Interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

_NEAREST: Final = 1e-6
#: Intervals are of no more samples than this: never too narrow, and of bounded cost.
_MAX_RESAMPLED: Final = 10_000


@dataclass(frozen=True)
class ClassFigures:
    """One class among all: ``recall`` is the share of its samples that are answered with it,
    ``precision`` the share of its samples among those answered with it, ``roc_auc`` how often a
    sample of it has its higher probability than another. None where there are no such samples."""

    label: str
    n_learned: int
    n_held_out: int
    recall: float | None
    recall_interval: Interval | None
    precision: float | None
    precision_interval: Interval | None
    roc_auc: float | None
    roc_auc_interval: Interval | None


@dataclass(frozen=True)
class JointMetrics:
    """Held-out figures of all classes together; the answer is the likeliest class.

    ``macro_auc`` is the mean of the classes' (each against the rest), ``balanced_accuracy`` that of
    their recalls. ``confusion`` counts samples by (actual, answered) in the order of ``classes``;
    ``n_not_learned`` held-out samples are of no class that was learned: they count as errors, but
    the ``log_loss`` is of the others.
    The baselines are of the shares of the classes in the training samples.
    """

    accuracy: float
    accuracy_interval: Interval
    balanced_accuracy: float
    balanced_accuracy_interval: Interval
    log_loss: float
    log_loss_interval: Interval
    macro_auc: float | None
    macro_auc_interval: Interval | None
    baseline_accuracy: float
    baseline_log_loss: float
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    n_not_learned: int


def measure_joint(
    classes: ClassCodes,
    train_rows: IntArray,
    test_rows: IntArray,
    probabilities: FloatArray,
    *,
    random_state: int,
    clusters: IntArray | None = None,
) -> JointMetrics:
    """Figures of ``probabilities`` (held-out samples, classes by code); ``clusters`` as in
    :func:`prodapp.ml.validation.measure`."""
    actual, n_classes = classes.codes[test_rows], len(classes.labels)
    learned = np.bincount(classes.codes[train_rows], minlength=n_classes)
    shares = learned / learned.sum()
    judged = _Judged.of(actual, probabilities)
    figures = judged.figures(np.ones(len(actual)))
    rng = np.random.default_rng(random_state)
    kept = judged
    if len(actual) > _MAX_RESAMPLED and clusters is None:
        drawn_rows = np.sort(rng.choice(len(actual), _MAX_RESAMPLED, replace=False))
        kept = _Judged.of(actual[drawn_rows], probabilities[drawn_rows])
    drawn = [
        kept.figures(weights) for weights in bootstrap_weights(len(kept.actual), clusters, rng)
    ]

    def interval(name: str) -> Interval | None:
        if not np.isfinite(figures[name]):
            return None
        return quantile_interval([found[name] for found in drawn])

    def figure(name: str) -> tuple[float | None, Interval | None]:
        return (figures[name], interval(name)) if np.isfinite(figures[name]) else (None, None)

    always = _Judged.of(actual, np.tile(shares, (len(actual), 1)))
    alone = always.figures(np.ones(len(actual)))
    return JointMetrics(
        accuracy=figures["accuracy"],
        accuracy_interval=quantile_interval([found["accuracy"] for found in drawn]),
        balanced_accuracy=figures["balanced_accuracy"],
        balanced_accuracy_interval=quantile_interval(
            [found["balanced_accuracy"] for found in drawn]
        ),
        log_loss=figures["log_loss"],
        log_loss_interval=quantile_interval([found["log_loss"] for found in drawn]),
        macro_auc=figure("macro_auc")[0],
        macro_auc_interval=interval("macro_auc"),
        baseline_accuracy=alone["accuracy"],
        baseline_log_loss=alone["log_loss"],
        classes=tuple(
            ClassFigures(
                label,
                int(learned[code]),
                int((actual == code).sum()),
                *figure(f"recall {code}"),
                *figure(f"precision {code}"),
                *figure(f"auc {code}"),
            )
            for code, label in enumerate(classes.labels)
        ),
        confusion=judged.confusion(),
        n_not_learned=int((actual == NOT_LEARNED).sum()),
    )


@dataclass(frozen=True)
class _Judged:
    """Held-out samples made ready to be weighed many times.

    ``losses`` (samples,); ``places`` holds for each class the rank of each sample's probability
    among the distinct ones.
    """

    actual: IntArray
    answered: IntArray
    losses: FloatArray
    places: Sequence[IntArray]

    @classmethod
    def of(cls, actual: IntArray, probabilities: FloatArray) -> _Judged:
        given = np.where(
            actual == NOT_LEARNED, 0.0, probabilities[np.arange(len(actual)), np.maximum(actual, 0)]
        )
        return cls(
            actual,
            probabilities.argmax(axis=1),
            np.where(actual == NOT_LEARNED, 0.0, -np.log(np.clip(given, _NEAREST, 1.0))),
            [np.unique(column, return_inverse=True)[1] for column in probabilities.T],
        )

    def figures(self, weights: FloatArray) -> dict[str, float]:
        """NaN where the samples do not allow one."""
        is_right = self.actual == self.answered
        found = {
            "accuracy": float(weights[is_right].sum() / weights.sum()),
            # Of classes that were not learned it would be what the clipping says.
            "log_loss": _share(
                float((weights * self.losses).sum()), weights[self.actual != NOT_LEARNED].sum()
            ),
        }
        for code, places in enumerate(self.places):
            is_of, is_answer = self.actual == code, self.answered == code
            hits = weights[is_of & is_answer].sum()
            found[f"recall {code}"] = _share(hits, weights[is_of].sum())
            found[f"precision {code}"] = _share(hits, weights[is_answer].sum())
            found[f"auc {code}"] = _auc(is_of, places, weights)
        found["balanced_accuracy"] = self._mean(found, "recall")
        found["macro_auc"] = self._mean(found, "auc")
        return found

    def _mean(self, found: dict[str, float], name: str) -> float:
        figures = np.array([found[f"{name} {code}"] for code in range(len(self.places))])
        known = figures[np.isfinite(figures)]
        return float(known.mean()) if len(known) else np.nan

    def confusion(self) -> tuple[tuple[int, ...], ...]:
        n_classes = len(self.places)
        is_learned = self.actual != NOT_LEARNED
        pairs = self.actual[is_learned] * n_classes + self.answered[is_learned]
        table = np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)
        return tuple(tuple(row) for row in table.tolist())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else np.nan


def _auc(is_of: BoolArray, places: IntArray, weights: FloatArray) -> float:
    of = np.bincount(places, weights=weights * is_of)
    rest = np.bincount(places, weights=weights * ~is_of)
    total = of.sum() * rest.sum()
    below = np.cumsum(rest) - rest
    return float((of * (below + rest / 2)).sum() / total) if total > 0 else np.nan
