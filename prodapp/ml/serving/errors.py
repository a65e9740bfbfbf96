"""Errors of predictions over time, from the true values that were told later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats

FloatArray = npt.NDArray[np.float64]

MAX_STEPS: Final = 12
#: A step of fewer errors says little, and fewer steps than these say nothing of a change.
_LEAST: Final = 5
#: Newest steps, which are compared with those before them.
_NEWEST: Final = 4
#: The chance that errors which have not changed are said to have.
ERROR_RATE: Final = 0.01


@dataclass(frozen=True)
class ErrorStep:
    """Errors (predicted − true) that follow each other, the ``first``-th to the ``last``-th.

    ``size`` is the mean of their absolute values with its 95 % interval ``low`` to ``high``
    (Student's t); ``mean`` is that of the errors with their sign.
    """

    first: int
    last: int
    size: float
    low: float
    high: float
    mean: float

    @property
    def n(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class ErrorsOverTime:
    """``steps`` in the order of time, of about equal numbers of errors; empty below ten errors.

    ``change`` says of the newest steps that their errors are "larger" or "smaller" than before, or
    "none"; ``None`` where there are too few to tell.
    """

    n: int
    size: float | None
    steps: tuple[ErrorStep, ...]
    change: str | None


def errors_over_time(errors: FloatArray) -> ErrorsOverTime:
    """Errors in the order of time, step by step.

    Neighbours in time are alike, so steps and not single errors are what the change is judged by
    (Mann and Whitney 1947, exact).
    """
    sizes = np.abs(errors)
    n_steps = min(MAX_STEPS, len(errors) // _LEAST)
    size = float(sizes.mean()) if len(errors) else None
    if n_steps < 2:
        return ErrorsOverTime(len(errors), size, (), None)
    steps = tuple(
        _step(errors, int(part[0]), int(part[-1]))
        for part in np.array_split(np.arange(len(errors)), n_steps)
    )
    return ErrorsOverTime(len(errors), size, steps, _change([step.size for step in steps]))


def _step(errors: FloatArray, first: int, last: int) -> ErrorStep:
    part = errors[first : last + 1]
    sizes = np.abs(part)
    half = float(stats.t.ppf(0.975, len(sizes) - 1) * sizes.std(ddof=1) / np.sqrt(len(sizes)))
    size = float(sizes.mean())
    return ErrorStep(first, last, size, max(0.0, size - half), size + half, float(part.mean()))


def _change(sizes: list[float]) -> str | None:
    if len(sizes) < MAX_STEPS:
        return None
    before, newest = sizes[:-_NEWEST], sizes[-_NEWEST:]
    result: Any = stats.mannwhitneyu(newest, before, alternative="two-sided", method="exact")
    if result.pvalue >= ERROR_RATE:
        return "none"
    return "larger" if result.statistic > len(before) * len(newest) / 2 else "smaller"
