"""How good the model is on samples it has never seen, and how sure that figure is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.specification import MIN_SAMPLES

FloatArray = npt.NDArray[np.float64]

_N_RESAMPLES: Final = 1000
#: More held-out samples than this are resampled in random groups: the same interval, bounded cost.
_MAX_GROUPS: Final = 5000
_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Interval:
    """Where a figure lies with a confidence of ``level``."""

    low: float
    high: float
    level: float = _LEVEL


@dataclass(frozen=True)
class Metrics:
    """Held-out metrics, in the target's unit but for R².

    ``baseline_*`` belong to predicting the mean of the training samples; ``explains`` says that
    the model beats that beyond the noise.
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


def shuffled_split(
    n_samples: int, *, test_size: float, random_state: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Positions of the training and of the held-out samples, a seeded shuffle of all.

    Raises ``DataRefused`` below the least number of samples.
    """
    if n_samples < MIN_SAMPLES:
        raise DataRefused(
            N_(
                "Rows with a value of the target: %(n)d; at least %(limit)d are needed, "
                "and some hundreds for a ranking to rely on."
            ),
            code="too_few_rows",
            n=n_samples,
            limit=MIN_SAMPLES,
        )
    order = np.random.default_rng(random_state).permutation(n_samples)
    n_test = max(2, round(n_samples * test_size))
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def measure(
    actual: FloatArray,
    predicted: FloatArray,
    *,
    training_mean: float,
    n_train: int,
    n_features: int,
    random_state: int,
) -> Metrics:
    """Metrics of held-out predictions with bootstrap intervals over the held-out samples."""
    sums = np.stack(
        [
            np.ones_like(actual),
            np.abs(actual - predicted),
            (actual - predicted) ** 2,
            # Centred, so that the variance does not drown in the square of the mean.
            actual - actual.mean(),
            (actual - actual.mean()) ** 2,
        ],
        axis=1,
    )
    r2, mae, rmse = (float(figure) for figure in _figures(sums.sum(axis=0)))
    resampled = _figures(_resample(sums, random_state=random_state))
    low, high = _tails(len(actual))
    intervals = [_interval(figures, low, high) for figures in resampled]
    return Metrics(
        r2=r2,
        mae=mae,
        rmse=rmse,
        r2_interval=intervals[0],
        mae_interval=intervals[1],
        rmse_interval=intervals[2],
        baseline_mae=float(np.abs(actual - training_mean).mean()),
        baseline_rmse=float(np.sqrt(((actual - training_mean) ** 2).mean())),
        n_train=n_train,
        n_test=len(actual),
        n_features=n_features,
        explains=intervals[0].low > 0,
    )


def _figures(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """R², MAE and RMSE from sums (…, 5); R² is 0 where the target does not vary."""
    n, absolute, squared, offset, spread = np.moveaxis(sums, -1, 0)
    total = spread - offset**2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(total > 0, 1 - squared / total, 0.0)
    return r2, absolute / n, np.sqrt(squared / n)


def _resample(sums: FloatArray, *, random_state: int) -> FloatArray:
    """Sums (resamples, 5) of as many samples drawn with replacement as there are."""
    if len(sums) > _MAX_GROUPS:
        # The held-out samples are in the order of the file: deal them out, do not cut.
        order = np.random.default_rng(random_state).permutation(len(sums))
        edges = np.linspace(0, len(sums), _MAX_GROUPS, endpoint=False).astype(np.intp)
        sums = np.add.reduceat(sums[order], edges, axis=0)
    n = len(sums)
    drawn = np.random.default_rng(random_state).integers(n, size=(_N_RESAMPLES, n))
    drawn += n * np.arange(_N_RESAMPLES)[:, np.newaxis]
    counts = np.bincount(drawn.ravel(), minlength=n * _N_RESAMPLES).reshape(_N_RESAMPLES, n)
    resampled: FloatArray = counts.astype(np.float64) @ sums
    return resampled


def _tails(n: int) -> tuple[float, float]:
    """The percentiles of the interval, widened for small samples.

    A plain percentile interval is too narrow by √((n−1)/n) and by having no Student tails
    (Hesterberg 2015, "expanded percentile interval"); with few held-out samples that would call
    noise an explanation.
    """
    quantile = stats.t.ppf((1 + _LEVEL) / 2, n - 1) * np.sqrt(n / (n - 1))
    tail = float(stats.norm.cdf(-quantile))
    return 100 * tail, 100 * (1 - tail)


def _interval(figures: FloatArray, low: float, high: float) -> Interval:
    ends = np.percentile(figures, [low, high])
    return Interval(float(ends[0]), float(ends[1]))
