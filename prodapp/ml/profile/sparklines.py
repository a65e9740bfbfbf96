"""The course of a column over the rows, small enough to be drawn beside its name."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

MAX_POINTS: Final = 40


def sparkline(series: pd.Series) -> tuple[float | None, ...]:
    """Means of up to :data:`MAX_POINTS` blocks of rows of equal length, in the order of the rows.

    ``series`` holds numbers. Four significant digits; ``None`` where a block has no values.
    """
    values = series.to_numpy(dtype=np.float64)
    if not len(values):
        return ()
    n_points = min(MAX_POINTS, len(values))
    starts = np.linspace(0, len(values), n_points, endpoint=False).astype(np.intp)
    there = np.isfinite(values)
    counts = np.add.reduceat(there.astype(np.int64), starts)
    with np.errstate(over="ignore"):  # sums of the largest numbers there are
        sums = np.add.reduceat(np.where(there, values, 0.0), starts)
    means = np.full(n_points, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return tuple(float(f"{mean:.4g}") if np.isfinite(mean) else None for mean in means)
