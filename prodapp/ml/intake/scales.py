"""A column on several scales: decimal marks that were lost, or taken for marks of thousands.

A spreadsheet of the other locale reads ``557.434`` as 557434 and leaves ``306.4`` alone; a report
without its marks holds 557434, 3064 and 412 for three neighbouring values. Neither is a heavy
tail: a tail is continuous, damage leaves a gap of some decades that a power of ten closes exactly.
Three rules look for that, each tuned against clean lognormal and Pareto columns written in the
ways programs write them (the rates are in ``tests/unit/ml/intake/test_scales.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from prodapp.exceptions import N_
from prodapp.ml.table import Remark

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: The damaged values stand at least this many times above the others.
_GAP: Final = 3.0
_CLEAR_GAP: Final = 30.0
#: Largest distance of the two distributions of logarithms (Kolmogorov–Smirnov), by sample size.
_KS: Final = 1.2
_MAX_KS: Final = 0.5
_MIN_VALUES: Final = 12
_MOST_DAMAGED: Final = 0.97
_EATEN: Final = 3
#: Widest part of a decade that the values of a column without marks may fill, in log10.
_ARC: Final = 0.6
_LISTED_ROWS: Final = 5


@dataclass(frozen=True)
class Damage:
    """``divisors`` is the power of ten to divide each value by (1 for sound ones).

    ``factor`` is the largest of them, or its inverse where values must be multiplied.
    """

    factor: int
    divisors: Floats

    @property
    def damaged(self) -> Flags:
        """The rows that are on another scale."""
        flags: Flags = self.divisors != 1.0
        return flags


def find_damage(values: Floats) -> Damage | None:
    """Whether ``values`` (NaN for missing) are on several scales, and how to bring them to one."""
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        present = size > 0
    if np.count_nonzero(present) < _MIN_VALUES:
        return None
    whole = present & (size == np.floor(size))
    n_whole, n_present = np.count_nonzero(whole), np.count_nonzero(present)
    if n_whole == n_present:
        return _marks_lost(size, present)
    if n_whole < 2:
        return None
    return _marks_eaten(size, present, whole) or _thousands_as_decimals(size, present, whole)


def _marks_eaten(size: Floats, present: Flags, whole: Flags) -> Damage | None:
    """Cells of exactly three decimals lost their mark; those of fewer kept it."""
    fractions = size[present & ~whole]
    if len(fractions) < 3:
        return None
    # The widest gap above the values that kept their marks parts the sound from the damaged.
    above = np.unique(np.append(size[whole & (size > fractions.max())], fractions.max()))
    if len(above) < 2:
        return None
    ratios = above[1:] / above[:-1]
    widest = int(ratios.argmax())
    top, gap = above[widest], ratios[widest]
    suspect = whole & (size > top) & (size >= 1000)
    n_suspect = np.count_nonzero(suspect) if gap >= _GAP else 0
    if not 2 <= n_suspect <= _MOST_DAMAGED * np.count_nonzero(present):
        return None
    large = size[suspect]
    sound = np.log10(np.concatenate([fractions, size[whole & ~suspect]]))
    for power in (_EATEN, 4, 2, 5, 6):
        moved = np.log10(large) - power
        if not _like(moved, sound):
            continue
        # A whole file has lost its cells of three decimals, a part of one not: then the gap tells.
        is_partial = _share_with_decimals(fractions, power) > 0.02
        if (n_suspect < 5 or is_partial) and (power != _EATEN or gap < _CLEAR_GAP):
            continue
        return Damage(10**power, np.where(suspect, 10.0**power, 1.0))
    return None


def _like(moved: Floats, sound: Floats) -> bool:
    """Whether the suspects, divided, are distributed as the sound values are."""
    low, high = np.quantile(sound, (0.005, 0.995))
    margin = 0.1 + 0.1 * (high - low)
    if np.mean((moved >= low - margin) & (moved <= high + margin)) < 0.98:
        return False
    limit = min(_MAX_KS, _KS * np.sqrt(1 / len(moved) + 1 / len(sound)) + 0.15)
    if len(moved) < 5:
        return True
    return bool(_ks(moved, sound) <= limit)


def _ks(first: Floats, second: Floats) -> float:
    """The largest distance of two empirical distributions."""
    first, second = np.sort(first), np.sort(second)
    both = np.concatenate([first, second])
    distance = np.searchsorted(first, both, "right") / len(first)
    distance = np.abs(distance - np.searchsorted(second, both, "right") / len(second))
    return float(distance.max())


def _share_with_decimals(fractions: Floats, n_decimals: int) -> float:
    """The share of the values that have exactly so many decimals."""
    sample = fractions[:: max(1, len(fractions) // 5000)]

    def fits(places: int) -> Flags:
        scaled = sample * 10.0**places
        close: Flags = np.abs(scaled - np.rint(scaled)) < 1e-6 * np.maximum(1.0, scaled * 1e-6)
        return close

    return float(np.mean(fits(n_decimals) & ~fits(n_decimals - 1)))


def _marks_lost(size: Floats, present: Flags) -> Damage | None:
    """All marks are gone: integers whose digits agree while their number of digits does not."""
    logs = np.log10(size[present])
    if np.ptp(logs) < 1.5:
        return None
    phase = np.sort(logs % 1.0)
    gaps = np.diff(np.append(phase, phase[0] + 1.0))
    widest = int(gaps.argmax())
    # By chance alone n values leave a gap this wide with probability n · (1 − gap)^(n − 1).
    chance = len(phase) * (1 - gaps[widest]) ** (len(phase) - 1)
    if gaps[widest] < 1 - _ARC or chance > 1e-4:
        return None
    begin = phase[(widest + 1) % len(phase)]
    with np.errstate(divide="ignore", invalid="ignore"):
        decade = np.floor(np.log10(size) - begin + 1e-9)
    levels, counts = np.unique(decade[present], return_counts=True)
    # Each digit dropped with a trailing zero makes a level ten times as rare as the next one; a
    # machine that is off or on has two levels that are not neighbours, or a single value on one.
    if len(levels) < 2 or (np.diff(levels) != 1).any():
        return None
    second = decade == levels[np.argsort(counts)[-2]]
    if len(np.unique(size[second])) < max(3, 0.002 * counts.sum()):
        return None
    shift = np.where(present, decade - levels.min(), 0.0)
    return Damage(int(10 ** shift.max()), 10.0**shift)


def _thousands_as_decimals(size: Floats, present: Flags, whole: Flags) -> Damage | None:
    """``1.234`` beside ``987``: a mark of thousands was read as the decimal mark."""
    fraction = present & ~whole
    large, small = size[whole], size[fraction]
    n_present = np.count_nonzero(present)
    if min(len(large), len(small)) < max(3, 0.05 * n_present) or large.max() > 999:
        return None
    if small.min() < 1 or _share_with_decimals(small, 3) < 0.8:
        return None
    if np.median(large) < 10 * np.median(small):
        return None
    mended = np.log10(np.concatenate([large, small * 1000]))
    before = np.log10(np.concatenate([large, small]))
    spreads = [np.subtract(*np.quantile(logs, (0.98, 0.02))) for logs in (before, mended)]
    if spreads[0] - spreads[1] < 0.7:
        return None
    return Damage(1000, np.where(fraction, 1e-3, 1.0))


def scale_remark(values: Floats, *, name: str, lines: npt.NDArray[np.int64]) -> Remark | None:
    """A warning with rows and column when a column is on several scales, offering the repair."""
    damage = find_damage(values)
    if damage is None:
        return None
    rows = np.flatnonzero(damage.damaged)
    first = int(rows[0])
    listed = ", ".join(str(lines[row]) for row in rows[:_LISTED_ROWS])
    message = N_(
        "“%(column)s” is on several scales, as if decimal marks were lost: %(n)d cells (rows "
        "%(rows)s) differ from the others by a power of ten; %(cell)s could be %(mended)s. Repair "
        "the file, or have these cells divided."
    )
    params = {
        "column": name,
        "n": len(rows),
        "rows": listed + ("…" if len(rows) > _LISTED_ROWS else ""),
        "cell": f"{values[first]:.15g}",
        "mended": f"{values[first] / damage.divisors[first]:.15g}",
        "factor": damage.factor,
    }
    return Remark(
        "several_scales",
        "warning",
        message,
        params,
        row=int(lines[first]),
        column=name,
        remedy={f"repair:{name}": str(damage.factor)},
    )


def mend_scale(values: Floats, *, factor: int) -> Flags:
    """Divide the damaged ones of ``values`` in place; the flags of the rows it touched.

    ``factor`` is the one that was offered; larger damage than that stays.
    """
    damage = find_damage(values)
    if damage is None:
        return np.zeros(len(values), dtype=bool)
    touched: Flags = damage.damaged & (damage.divisors <= factor)
    # Rounded, so that 557434 becomes 557.434 and not its neighbour.
    values[touched] = np.round(values[touched] / damage.divisors[touched], 9)
    return touched
