"""Is a row like those that a model learned from, by its values and by their combination?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: The distance to the k-th nearest row is more settled than that to the nearest.
_NEIGHBOUR: Final = 3
#: Of held-out rows, so many lie no farther from the rows learned from than the limit.
_USUAL: Final = 0.99
#: No variable alone makes two rows farther apart than this many spreads.
_FARTHEST: Final = 4.0
_NORMAL_IQR: Final = 1.349


@dataclass(frozen=True)
class Neighbourhood:
    """Rows that were learned from, as points: numbers in their spreads, categories by equality.

    A missing value is at the middle of its variable, a missing category is one of its own.
    """

    numbers: npt.NDArray[np.intp]
    others: npt.NDArray[np.intp]
    middles: FloatArray
    spreads: FloatArray
    points: FloatArray
    labels: npt.NDArray[np.object_]

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], kinds: Sequence[str]) -> Neighbourhood:
        """``rows`` hold numbers (NaN is missing) and texts, as ``kinds`` say; dates, of which no
        two need be alike, do not count."""
        numbers = np.array([at for at, kind in enumerate(kinds) if kind == "number"], np.intp)
        others = [at for at, kind in enumerate(kinds) if kind not in ("number", "date")]
        values = _numbers(rows, numbers)
        middles, spreads = np.zeros(len(numbers)), np.ones(len(numbers))
        for place in range(len(numbers)):
            known = values[np.isfinite(values[:, place]), place]
            if len(known):
                low, middles[place], high = np.quantile(known, (0.25, 0.5, 0.75))
                spreads[place] = (high - low) / _NORMAL_IQR or known.std() or 1.0
        middled = np.where(np.isfinite(values), values, middles)
        return cls(
            numbers=numbers,
            others=np.array(others, dtype=np.intp),
            middles=middles,
            spreads=spreads,
            points=(middled - middles) / spreads,
            labels=_labels(rows, np.array(others, dtype=np.intp)),
        )

    def distance(self, row: Sequence[Any]) -> float:
        """How far a row is from the ``_NEIGHBOUR``-th nearest of those learned from."""
        squared = self._squared(row)
        place = min(_NEIGHBOUR, len(squared)) - 1
        return float(np.sqrt(np.partition(squared, place)[place]))

    def nearest(self, row: Sequence[Any]) -> int:
        """Which of the rows learned from is most like ``row``."""
        return int(self._squared(row).argmin())

    def _squared(self, row: Sequence[Any]) -> FloatArray:
        """The square of the distance to each of the rows learned from."""
        squared = np.zeros(len(self.points))
        if len(self.numbers):
            values = _numbers([row], self.numbers)[0]
            values = np.where(np.isfinite(values), values, self.middles)
            steps = np.abs((values - self.middles) / self.spreads - self.points)
            squared += (np.minimum(steps, _FARTHEST) ** 2).sum(axis=1)
        if len(self.others):
            squared += 2.0 * (self.labels != _labels([row], self.others)).sum(axis=1)
        return squared


def usual_distance(distances: FloatArray) -> float:
    """The limit beyond which a row counts as new, from those of held-out rows."""
    ordered = np.sort(distances)
    rank = int(np.ceil((len(ordered) + 1) * _USUAL))
    return float(ordered[rank - 1] if rank <= len(ordered) else 1.1 * ordered[-1])


def _numbers(rows: Sequence[Sequence[Any]], places: npt.NDArray[np.intp]) -> FloatArray:
    picked = [[row[place] for place in places] for row in rows]
    return np.array(picked, dtype=np.float64).reshape(len(rows), len(places))


def _labels(rows: Sequence[Sequence[Any]], places: npt.NDArray[np.intp]) -> npt.NDArray[np.object_]:
    labels = np.empty((len(rows), len(places)), dtype=object)
    for at, row in enumerate(rows):
        labels[at] = [row[place] for place in places]
    return labels
