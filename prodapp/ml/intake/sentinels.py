"""Numbers that stand for "no value": −999, 9999, −200 where they stand apart from the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: What loggers and historians write for a value that they do not have.
_NINES: Final = (99.0, 99.9, 99.99, 999.0, 999.9, 999.99, 9999.0, 9999.9, 99999.0, 999999.0)
CANDIDATES: Final = frozenset(
    (
        *(-v for v in _NINES),
        *(v for v in _NINES if v > 990),
        *(-200.0, -888.0, -1000.0, -8888.0, -10000.0, -1e10, -1e30, 1e30),
        *(-32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0),
    )
)
#: Seen once or twice a code must stand this many spreads of the values apart, often less will do.
_FAR: Final = 5.0
_APART: Final = 0.25
_OFTEN: Final = 3


@dataclass(frozen=True)
class Sentinel:
    """A number that stands for a missing value: how often, and in which row (0-based) first."""

    value: float
    count: int
    first: int


def find_sentinels(values: Floats) -> list[Sentinel]:
    """The codes among ``values`` (NaN allowed), outermost first."""
    found: list[Sentinel] = []
    present = values[~np.isnan(values)]
    for _ in range(3):  # a logger has a code or two, one for each kind of failure
        sentinel = _outermost(values, present)
        if sentinel is None:
            break
        found.append(sentinel)
        present = present[present != sentinel.value]
    return found


def _outermost(values: Floats, present: Floats) -> Sentinel | None:
    if len(present) < 5:
        return None
    for value, others_above in ((present.min(), True), (present.max(), False)):
        if value not in CANDIDATES:
            continue
        rest = present[present != value]
        count = len(present) - len(rest)
        if len(rest) < 3 or count > 0.9 * len(present):
            continue
        nearest = rest.min() if others_above else rest.max()
        low, high = np.quantile(rest, (0.02, 0.98))
        spread = max(high - low, 0.05 * max(abs(low), abs(high)), 1e-12)
        gap = abs(nearest - value)
        changes_sign = others_above and value < 0 <= nearest
        is_often = count >= _OFTEN and (changes_sign or gap > spread)
        if gap > _FAR * spread or (is_often and gap > _APART * spread):
            return Sentinel(float(value), count, int(np.argmax(values == value)))
    return None
