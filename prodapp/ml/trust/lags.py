"""How many rows later a variable acts, where rows follow each other in time.

Series that drift go along with each other at every lag. So each variable is first made white by an
autoregression, and the target goes through the same filter: of unrelated series the correlations
are then independent noise of spread 1/√n at every lag (Box & Jenkins 1970, prewhitening; Haugh
1976). Only rows that the model learned from are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from prodapp.ml.table import Column

FloatArray = npt.NDArray[np.float64]

_MAX_LAG: Final = 60
#: A lag leaves so many times as many rows at least.
_ROWS_A_LAG: Final = 8
_ORDER: Final = 8
_MIN_ROWS: Final = 100
#: The chance, at most, that any lag of any unrelated variable is found.
_ERROR: Final = 0.01
#: A lag is worth taking where it beats none at all by so many standard errors.
_BEYOND_NOW: Final = 3.0
_AS_GOOD: Final = 2.0
_MAX_FOUND: Final = 10
_MAX_ROWS: Final = 50_000


@dataclass(frozen=True)
class Lag:
    """``variable`` goes along with the target ``lag`` rows later, ``first`` to ``last`` as well.

    ``correlation`` is of the whitened series; ``now`` the one without a lag; ``n`` rows were
    compared, ``p_value`` is adjusted for all lags of all variables.
    """

    variable: str
    lag: int
    first: int
    last: int
    correlation: float
    now: float
    n: int
    p_value: float


def find_lags(
    X: pd.DataFrame, y: FloatArray, columns: Sequence[Column], *, skipped: Sequence[str] = ()
) -> tuple[Lag, ...]:
    """The lags of the variables (numbers, but the ``skipped``), the clearest first.

    The index of ``X`` (samples, variables) is a clock: rows follow each other where it differs by
    one. ``y`` (samples,) belongs to it.
    """
    if len(X) < _MIN_ROWS:
        return ()
    # Samples of groups come group by group; only the latest rows count.
    last = np.argsort(X.index.to_numpy(), kind="stable")[-_MAX_ROWS:]
    X, y = X.iloc[last], y[last]
    clock = X.index.to_numpy() - X.index[0]
    names = [c.name for c in columns if c.kind == "number" and c.name not in skipped]
    n_lags = int(min(_MAX_LAG, len(clock) // _ROWS_A_LAG))
    limit = _ERROR / max(1, len(names) * n_lags)
    target = _on_clock(clock, y)
    found = []
    for name in names:
        series = _on_clock(clock, X[name].to_numpy(dtype=np.float64))
        correlations, counts = _correlations(series, target, n_lags)
        lag = _clearest(name, correlations, counts, limit, len(names) * n_lags)
        if lag is not None:
            found.append(lag)
    return tuple(sorted(found, key=lambda lag: (lag.p_value, lag.variable))[:_MAX_FOUND])


def _on_clock(clock: npt.NDArray[np.int64], values: FloatArray) -> FloatArray:
    """The values at each tick, NaN where there is none; borders of series become one gap each."""
    ticks = np.cumsum(np.concatenate([[0], np.minimum(np.diff(clock), _MAX_LAG + _ORDER + 1)]))
    series = np.full(int(ticks[-1]) + 1, np.nan)
    series[ticks] = values
    return series


def _correlations(
    x: FloatArray, y: FloatArray, n_lags: int
) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Correlation of the whitened series at each lag from 0, and of how many rows."""
    correlations, counts = np.zeros(n_lags + 1), np.zeros(n_lags + 1, dtype=np.intp)
    weights = _autoregression(x)
    if weights is None:
        return correlations, counts
    white, filtered = _filtered(x, weights), _filtered(y, weights)
    for lag in range(n_lags + 1):
        a, b = white[: len(white) - lag], filtered[lag:]
        both = np.isfinite(a) & np.isfinite(b)
        counts[lag] = np.count_nonzero(both)
        if counts[lag] >= _MIN_ROWS // 2:
            a, b = a[both] - a[both].mean(), b[both] - b[both].mean()
            size = float(np.sqrt((a**2).sum() * (b**2).sum()))
            correlations[lag] = float((a * b).sum()) / size if size > 0 else 0.0
    return correlations, counts


def _autoregression(x: FloatArray) -> FloatArray | None:
    """Weights of the values before; None where the series hardly moves."""
    windows = np.lib.stride_tricks.sliding_window_view(x, _ORDER + 1)
    windows = windows[np.isfinite(windows).all(axis=1)]
    if len(windows) < _MIN_ROWS // 2 or np.ptp(windows[:, -1]) == 0:
        return None
    centred = windows - windows[:, -1].mean()
    weights, *_ = np.linalg.lstsq(centred[:, :-1], centred[:, -1], rcond=None)
    left = centred[:, -1] - centred[:, :-1] @ weights
    return weights if left.std() > 1e-9 * (x[np.isfinite(x)].std() or 1.0) else None


def _filtered(x: FloatArray, weights: FloatArray) -> FloatArray:
    windows = np.lib.stride_tricks.sliding_window_view(x, len(weights) + 1)
    filtered: FloatArray = windows[:, -1] - windows[:, :-1] @ weights
    return filtered


def _clearest(
    name: str, correlations: FloatArray, counts: npt.NDArray[np.intp], limit: float, n_tests: int
) -> Lag | None:
    sizes = np.abs(correlations)
    best = int(np.argmax(sizes))
    if best == 0 or counts[best] == 0:
        return None
    error = 1 / float(np.sqrt(counts[best]))
    p_value = float(2 * stats.norm.sf(sizes[best] / error))
    if p_value > limit or sizes[best] - sizes[0] < _BEYOND_NOW * error:
        return None
    as_good = sizes > sizes[best] - _AS_GOOD * error
    first = last = best
    while first > 1 and as_good[first - 1]:
        first -= 1
    while last + 1 < len(sizes) and as_good[last + 1]:
        last += 1
    return Lag(
        variable=name,
        lag=best,
        first=first,
        last=last,
        correlation=float(correlations[best]),
        now=float(correlations[0]),
        n=int(counts[best]),
        p_value=min(1.0, p_value * n_tests),
    )
