"""SHAP values → what each variable does to the target."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from prodapp.ml import treeshap
from prodapp.ml.ensembles import collect_forest, compared, explained_output

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

_MAX_POINTS: Final = 20
#: Samples a bin should have; bins of less than half of that say nothing about turns.
_BIN_SIZE: Final = 10
#: SHAP values must add up to the answer within this share of the answers' range.
MAX_GAP: Final = 1e-5
#: Below this rank correlation, samples of one value are pushed both ways: no one direction.
MIN_STRENGTH: Final = 0.5
#: Where ties keep the rank correlation low, it must still be this many standard errors.
MIN_STRENGTH_ERRORS: Final = 2.0
#: A curve that turns back by more than this share of its range is not monotone,
MAX_TURN: Final = 0.15
#: if the turn is also more than this many standard errors.
MIN_TURN_ERRORS: Final = 2.0


@dataclass(frozen=True)
class Dependence:
    """How a variable's SHAP value follows its value.

    ``strength`` is their Spearman correlation; ``points`` are (value, mean SHAP value) by
    quantile bins, in rising order of value.
    """

    effect: str
    strength: float
    points: tuple[tuple[float, float], ...]


NO_ORDER: Final = Dependence("nonmonotonic", 0.0, ())


def linear_shap(
    estimator: Any, X: FloatArray, *, background: FloatArray, output: int = 0
) -> FloatArray:
    """SHAP values (samples, encoded columns) of a linear model, exact.

    Interventional, against the mean of ``background``: coefficient times distance from the mean.
    Of a classifier of several classes, those of the score numbered ``output``.
    """
    # Classifiers have a row of coefficients for each score, of which two classes share one.
    coefficients = np.atleast_2d(estimator.coef_)
    row = coefficients[output if len(coefficients) > 1 else 0]
    values: FloatArray = row * (X - background.mean(axis=0))
    return values


@dataclass(frozen=True)
class ForestShap:
    """SHAP values (samples, encoded columns), and whether the compiled kernel gave them."""

    values: FloatArray
    is_compiled: bool


def forest_shap(
    ensemble: Any,
    X: FloatArray,
    *,
    predicted: FloatArray,
    n_jobs: int,
    on_share: OnShare,
    output: int | None = None,
) -> ForestShap:
    """Path-dependent SHAP values of an ensemble's answers ``predicted``: those of one ``output``
    (:func:`~prodapp.ml.ensembles.collect_forest`; default: the explained one).

    By the compiled kernel, whose values must add up to the answers; by the shap package where
    numba is absent or they do not.
    """
    output = explained_output(ensemble) if output is None else output
    if treeshap.is_available():
        found = treeshap.shap_values(
            collect_forest(ensemble, output=output),
            compared(ensemble, X),
            n_jobs=n_jobs,
            on_share=on_share,
        )
        gaps = np.abs(found.values.sum(axis=1) + found.expected_value - predicted)
        scale = max(float(np.ptp(predicted)), float(np.abs(predicted).max()) * 1e-6)
        if gaps.max() <= MAX_GAP * scale:
            return ForestShap(found.values, is_compiled=True)
    values = package_shap(ensemble, X, output=output, on_share=on_share)
    return ForestShap(values, is_compiled=False)


def package_shap(ensemble: Any, X: FloatArray, *, on_share: OnShare, output: int = 1) -> FloatArray:
    """The same values by the shap package, many times slower.

    Computed in portions of about half a second; ``on_share`` is called after each.
    """
    # Imported here: it takes seconds, and the compiled kernel does without.
    import shap

    explainer = shap.TreeExplainer(ensemble, feature_perturbation="tree_path_dependent")
    portions: list[FloatArray] = []
    n_done, size = 0, 1
    while n_done < len(X):
        started = time.monotonic()
        portion = X[n_done : n_done + size]
        found = np.asarray(explainer.shap_values(portion, check_additivity=False))
        # Classifiers that average trees are explained for each class.
        portions.append(found[..., output] if found.ndim == 3 else found)
        n_done += len(portion)
        pace = max(1e-6, (time.monotonic() - started) / len(portion))
        size = max(1, min(int(0.5 / pace), 4 * size))
        on_share(n_done / len(X))
    return np.concatenate(portions)


def dependence(values: FloatArray, shap_values: FloatArray) -> Dependence:
    """Direction and curve of one variable over the explained samples (missing values left out).

    The effect has a direction when two things hold. SHAP values follow the value in rank
    (:func:`_follows`): else other variables decide which way it pushes. And the curve of mean SHAP
    by value never turns back by more than 15 % of its range and two standard errors: Spearman
    alone calls a full wave of a sine "decreases" (−0.8), though raising the variable first helps,
    then harms. In simulations of forests (50 to 600 explained samples, signal and noise of like
    size) 15 % kept every line, saturation and step monotone; 25 % let waves through, which
    forests flatten, and 10 % broke steps up.

    The direction is the model's: a forest that has fitted noise pushes a null variable one way
    too, by next to nothing. ``strength`` is the plain correlation, low for a rare flag.
    """
    present = ~np.isnan(values)
    values, shap_values = values[present], shap_values[present]
    strength, greatest = _spearman(values, shap_values)
    curve = _curve(values, shap_values)
    effect = "nonmonotonic"
    follows = _follows(strength, greatest=greatest, n_samples=len(values))
    if follows and not _turns_back(curve, rising=strength > 0):
        effect = "increases" if strength > 0 else "decreases"
    points = tuple(zip(curve.values.tolist(), curve.heights.tolist(), strict=True))
    return Dependence(effect, strength, points)


def _follows(strength: float, *, greatest: float, n_samples: int) -> bool:
    """Whether SHAP values follow the value in rank.

    Ties bound Spearman: a flag of one sample in a hundred cannot pass 0.17, however clear it is,
    and a column of zeros but for some values little more. So half of the ``greatest`` correlation
    that the values allow will do, if it is beyond noise. For two values that means: of the pairs
    of one sample with either, 3 of 4 are in the one order.
    """
    if abs(strength) >= MIN_STRENGTH:
        return True
    is_beyond_noise = abs(strength) * np.sqrt(max(n_samples - 1, 0)) > MIN_STRENGTH_ERRORS
    return bool(is_beyond_noise and abs(strength) >= MIN_STRENGTH * greatest)


def _spearman(a: FloatArray, b: FloatArray) -> tuple[float, float]:
    """Spearman correlation, and the greatest in size that these values allow in its direction."""
    if len(a) < 2:
        return 0.0, 1.0
    # SHAP values that differ by rounding only are ties.
    b = np.round(b, 12 - int(np.ceil(np.log10(np.abs(b).max() or 1.0))))
    ranks_a, ranks_b = stats.rankdata(a), stats.rankdata(b)
    if np.ptp(ranks_a) == 0 or np.ptp(ranks_b) == 0:
        return 0.0, 1.0
    strength = float(np.clip(np.corrcoef(ranks_a, ranks_b)[0, 1], -1, 1))
    aligned = np.sort(ranks_b) if strength > 0 else np.sort(ranks_b)[::-1]
    return strength, abs(float(np.corrcoef(np.sort(ranks_a), aligned)[0, 1]))


@dataclass(frozen=True)
class _Curve:
    """Bins of a variable in rising order: mean value, mean SHAP value, its error, samples."""

    values: FloatArray
    heights: FloatArray
    errors: FloatArray
    counts: npt.NDArray[np.intp]


def _curve(values: FloatArray, shap_values: FloatArray) -> _Curve:
    distinct = np.unique(values)
    n_bins = min(_MAX_POINTS, max(4, len(values) // _BIN_SIZE))
    if len(distinct) <= n_bins:
        bins = np.searchsorted(distinct, values)
    else:
        edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
        bins = np.searchsorted(edges, values, side="left")
    _, bins, counts = np.unique(bins, return_inverse=True, return_counts=True)
    heights = np.bincount(bins, weights=shap_values, minlength=len(counts)) / counts
    spread = np.bincount(bins, weights=(shap_values - heights[bins]) ** 2, minlength=len(counts))
    return _Curve(
        values=np.bincount(bins, weights=values, minlength=len(counts)) / counts,
        heights=heights,
        errors=np.sqrt(spread / np.maximum(counts - 1, 1) / counts),
        counts=counts,
    )


def _turns_back(curve: _Curve, *, rising: bool) -> bool:
    """Whether a later bin lies against the direction of an earlier one, beyond range and noise."""
    solid = curve.counts >= min(_BIN_SIZE // 2, int(curve.counts.max()))
    heights = curve.heights[solid] * (1 if rising else -1)
    errors = curve.errors[solid]
    earlier, later = np.triu_indices(len(heights), k=1)
    drops = heights[earlier] - heights[later]
    noise = np.hypot(errors[earlier], errors[later])
    return bool(np.any((drops > MAX_TURN * np.ptp(heights)) & (drops > MIN_TURN_ERRORS * noise)))
