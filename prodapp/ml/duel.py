"""Two models' answers for the same samples that neither has learned from: is one better?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from prodapp.ml.validation import time_blocks

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Fewer samples than this tell nothing.
MIN_SAMPLES: Final = 20
_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Duel:
    """A challenger against a champion on ``n`` samples in ``n_blocks`` that stand or fall together.

    ``gain`` is by how much the challenger's R² is higher on these samples, that is the mean
    difference of the squared errors over the variance of the target; it lies between ``low`` and
    ``high`` with a confidence of ``level``. ``n_tries`` is how many versions were set against the
    same champion on the same samples, which the level makes up for.
    """

    n: int
    n_blocks: int
    n_tries: int
    level: float
    gain: float
    low: float
    high: float
    champion_rmse: float
    challenger_rmse: float
    champion_mae: float
    challenger_mae: float

    @property
    def is_better(self) -> bool:
        """Whether the challenger is better beyond the noise."""
        return self.low > 0

    @property
    def is_worse(self) -> bool:
        return self.high < 0


def duel(
    actual: FloatArray,
    champion: FloatArray,
    challenger: FloatArray,
    *,
    groups: IntArray | None = None,
    is_ordered: bool = False,
    n_tries: int = 1,
) -> Duel | None:
    """Compare two models' answers; ``None`` where the samples are too few, or do not vary.

    A paired test: Student's t over the sums of blocks, which are single samples, ``groups``, or
    where samples ``is_ordered`` blocks of neighbours as long as the differences go together
    (:func:`~prodapp.ml.validation.time_blocks`). The level is 95 % by Bonferroni's correction for
    ``n_tries``, so that trying often does not make a winner.
    """
    spread = float(((actual - actual.mean()) ** 2).sum()) if len(actual) else 0.0
    if len(actual) < MIN_SAMPLES or spread <= 0:
        return None
    old, new = actual - champion, actual - challenger
    difference = old**2 - new**2
    if is_ordered:
        groups = time_blocks(difference, actual)
    elif groups is None:
        groups = np.arange(len(actual))
    numbers = np.unique(groups, return_inverse=True)[1]
    sums = np.bincount(numbers, weights=difference)
    if len(sums) < 2:
        return None
    level = 1 - (1 - _LEVEL) / n_tries
    reach = stats.t.ppf((1 + level) / 2, len(sums) - 1) * np.sqrt(len(sums)) * sums.std(ddof=1)
    total = float(sums.sum())
    return Duel(
        n=len(actual),
        n_blocks=len(sums),
        n_tries=n_tries,
        level=level,
        gain=total / spread,
        low=float(total - reach) / spread,
        high=float(total + reach) / spread,
        champion_rmse=float(np.sqrt((old**2).mean())),
        challenger_rmse=float(np.sqrt((new**2).mean())),
        champion_mae=float(np.abs(old).mean()),
        challenger_mae=float(np.abs(new).mean()),
    )
