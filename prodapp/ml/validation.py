"""How good the model is on samples it has never seen, and how sure that figure is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from prodapp.exceptions import N_

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_N_RESAMPLES: Final = 1000
#: More held-out samples than this are resampled in random groups: the same interval, bounded cost.
_MAX_GROUPS: Final = 5000
_LEVEL: Final = 0.95
#: Ordered samples are resampled in blocks, of which there must be some for an interval.
_MIN_BLOCKS: Final = 8
#: A target that comes nearer to zero than this share of its median size makes percentages explode.
_NEAR_ZERO: Final = 0.02

CROSSES_ZERO = N_("The target has values on both sides of zero, or zero itself.")
NEARS_ZERO = N_("The target comes close to zero, where a percentage says nothing.")


@dataclass(frozen=True)
class Interval:
    """Where a figure lies with a confidence of ``level``."""

    low: float
    high: float
    level: float = _LEVEL


@dataclass(frozen=True)
class Metrics:
    """Held-out metrics, in the target's unit but for R², MAPE and skill, which are shares.

    ``baseline_*`` belong to predicting the mean of the training samples; ``skill`` is the share of
    its squared error that the model takes away. R² compares with the mean of the held-out samples,
    which nobody knows beforehand. ``explains`` says that both are above zero beyond the noise:
    where the level of a series has moved, whatever moved along beats the old mean.
    ``last_value_*`` belong to answering with the value before, None where samples are in no order.
    ``mape_reason`` says, as a template, why there is no ``mape``.
    """

    r2: float
    mae: float
    rmse: float
    r2_interval: Interval
    mae_interval: Interval
    rmse_interval: Interval
    baseline_mae: float
    baseline_rmse: float
    n_train: int
    n_test: int
    n_features: int
    explains: bool
    skill: float
    skill_interval: Interval
    mape: float | None
    mape_interval: Interval | None
    mape_reason: str | None
    last_value_r2: float | None = None
    last_value_mae: float | None = None
    last_value_rmse: float | None = None


def measure(
    actual: FloatArray,
    predicted: FloatArray,
    *,
    training_mean: float | FloatArray,
    n_train: int,
    n_features: int,
    random_state: int,
    clusters: IntArray | None = None,
    last_values: FloatArray | None = None,
) -> Metrics:
    """Metrics of held-out predictions with bootstrap intervals over the held-out samples.

    ``clusters`` numbers the sets of samples that stand or fall together (groups, or blocks of time,
    see :func:`time_blocks`): then these are drawn, not samples. ``training_mean`` may differ from
    sample to sample, as over folds.
    """
    mape_reason = _why_no_percentage(actual)
    sums = _summands(actual, predicted, training_mean, is_percentage=mape_reason is None)
    names = ("r2", "mae", "rmse", "mape", "skill")
    figures = dict(zip(names, (float(f) for f in _figures(sums.sum(axis=0))), strict=True))
    drawn, n_drawn = _resample(sums, clusters, random_state=random_state)
    low, high = _tails(n_drawn)
    resampled = (_interval(found, low, high) for found in _figures(drawn))
    intervals = dict(zip(names, resampled, strict=True))
    last = None if last_values is None else _figures(_last(actual, last_values))
    return Metrics(
        r2=figures["r2"],
        mae=figures["mae"],
        rmse=figures["rmse"],
        r2_interval=intervals["r2"],
        mae_interval=intervals["mae"],
        rmse_interval=intervals["rmse"],
        baseline_mae=float(np.abs(actual - training_mean).mean()),
        baseline_rmse=float(np.sqrt(((actual - training_mean) ** 2).mean())),
        n_train=n_train,
        n_test=len(actual),
        n_features=n_features,
        explains=min(intervals["skill"].low, intervals["r2"].low) > 0,
        skill=figures["skill"],
        skill_interval=intervals["skill"],
        mape=figures["mape"] if mape_reason is None else None,
        mape_interval=intervals["mape"] if mape_reason is None else None,
        mape_reason=mape_reason,
        last_value_r2=None if last is None else float(last[0]),
        last_value_mae=None if last is None else float(last[1]),
        last_value_rmse=None if last is None else float(last[2]),
    )


def time_blocks(errors: FloatArray, actual: FloatArray) -> IntArray:
    """Numbers of blocks of neighbours, long enough that one block says little about the next.

    Samples are in the order of time. A block spans twice the lags at which the size of the errors,
    or their distance from the mean, still goes with that of their neighbours (Künsch 1989 on why;
    the length is a rule of thumb), so that eight blocks at least remain.
    """
    n = len(actual)
    longest = max(1, n // _MIN_BLOCKS)
    series = (errors, np.abs(errors), errors**2, (actual - actual.mean()) ** 2)
    length = min(longest, max(2 * correlation_length(values) for values in series))
    return np.arange(n) // max(1, length)


def correlation_length(values: FloatArray) -> int:
    """The first lag at which neighbours no longer go together beyond chance, 1 if they never do.

    "Beyond chance" is two standard errors of independent samples, and 0.1 at least.
    """
    n = len(values)
    centred = values - values.mean()
    if n < 3 or not np.any(np.abs(centred) > 1e-12 * max(1.0, float(np.abs(values).max()))):
        return 1
    spectrum = np.fft.rfft(centred, 2 * n)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:n]
    beyond = correlation[1:] > max(2 / np.sqrt(n), 0.1) * correlation[0]
    return int(np.argmin(beyond)) + 1 if not beyond.all() else n


def _summands(
    actual: FloatArray,
    predicted: FloatArray,
    training_mean: float | FloatArray,
    *,
    is_percentage: bool,
) -> FloatArray:
    error = actual - predicted
    # Centred, so that the variance does not drown in the square of the mean.
    centred = actual - actual.mean()
    share = np.abs(error / actual) if is_percentage else np.zeros_like(actual)
    baseline = (actual - training_mean) ** 2
    return np.stack(
        [np.ones_like(actual), np.abs(error), error**2, centred, centred**2, share, baseline],
        axis=1,
    )


def _figures(sums: FloatArray) -> tuple[FloatArray, ...]:
    """R², MAE, RMSE, MAPE and skill from sums (…, 7); shares of nothing are 0."""
    n, absolute, squared, offset, spread, share, baseline = np.moveaxis(sums, -1, 0)
    total = spread - offset**2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(total > 0, 1 - squared / total, 0.0)
        skill = np.where(baseline > 0, 1 - squared / baseline, 0.0)
    return r2, absolute / n, np.sqrt(squared / n), share / n, skill


def _last(actual: FloatArray, last_values: FloatArray) -> FloatArray:
    known = np.isfinite(last_values)
    summed: FloatArray = _summands(actual[known], last_values[known], 0.0, is_percentage=False).sum(
        axis=0
    )
    return summed


def _why_no_percentage(actual: FloatArray) -> str | None:
    if actual.min() <= 0 <= actual.max():
        return CROSSES_ZERO
    sizes = np.abs(actual)
    return NEARS_ZERO if sizes.min() < _NEAR_ZERO * np.median(sizes) else None


def _resample(
    sums: FloatArray, clusters: IntArray | None, *, random_state: int
) -> tuple[FloatArray, int]:
    """Sums (resamples, 7) of as many clusters drawn with replacement as there are, and how many."""
    if clusters is None:
        clusters = np.arange(len(sums))
    _, numbers = np.unique(clusters, return_inverse=True)
    n = int(numbers.max()) + 1
    if n > _MAX_GROUPS:
        # The held-out samples are in the order of the file: deal them out, do not cut.
        numbers = np.random.default_rng(random_state).permutation(n)[numbers] % _MAX_GROUPS
        n = _MAX_GROUPS
    columns = [np.bincount(numbers, weights=part, minlength=n) for part in sums.T]
    drawn = np.random.default_rng(random_state).integers(n, size=(_N_RESAMPLES, n))
    drawn += n * np.arange(_N_RESAMPLES)[:, np.newaxis]
    counts = np.bincount(drawn.ravel(), minlength=n * _N_RESAMPLES).reshape(_N_RESAMPLES, n)
    return counts.astype(np.float64) @ np.stack(columns, axis=1), n


def _tails(n: int) -> tuple[float, float]:
    """The percentiles of the interval, widened for small samples.

    A plain percentile interval is too narrow by √((n−1)/n) and by having no Student tails
    (Hesterberg 2015, "expanded percentile interval"); with few held-out samples that would call
    noise an explanation.
    """
    if n < 2:  # one cluster says nothing about others
        return 0.0, 100.0
    quantile = stats.t.ppf((1 + _LEVEL) / 2, n - 1) * np.sqrt(n / (n - 1))
    tail = float(stats.norm.cdf(-quantile))
    return 100 * tail, 100 * (1 - tail)


def _interval(figures: FloatArray, low: float, high: float) -> Interval:
    ends = np.percentile(figures, [low, high])
    return Interval(float(ends[0]), float(ends[1]))
