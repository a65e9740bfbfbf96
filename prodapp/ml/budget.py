"""How long a run may take and how much memory its model, and what gives way first.

In this order: explained samples (down to the fewest that carry an order), then trees; for memory,
samples in a tree's bag (down to the fewest), then trees. Whatever gave way is said in a remark, and
where the clock decided it, that a repeat may differ.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Final

from prodapp.exceptions import N_
from prodapp.ml.table import Remark

#: Explained samples are never cut below this, nor a forest below these trees.
MIN_EXPLAINED: Final = 250
MIN_TREES: Final = 10
#: A tree's bag is never cut below this for memory's sake.
MIN_BAG: Final = 5_000
#: Of the time, kept for validating and explaining.
_RESERVE: Final = 0.2
#: Of a fitted tree and of the copy that explains it.
_BYTES_A_NODE: Final = 200
#: A bootstrap sample holds this share of the rows, and a leaf on average so many of the least.
_DISTINCT: Final = 0.632
_NODES_A_LEAF: Final = 2


@dataclass(frozen=True)
class Clock:
    """The time budget of a run, from the moment it is made."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    def allows_fitting(self, seconds: float) -> bool:
        """Whether so much more fitting leaves the rest its time."""
        return self._spent() + seconds <= self.seconds * (1 - _RESERVE)

    def allows(self, seconds: float) -> bool:
        """Whether so much more work ends in time."""
        return self._spent() + seconds <= self.seconds

    def _spent(self) -> float:
        return time.monotonic() - self.started


@dataclass(frozen=True)
class ForestSize:
    """Trees, samples in each bag, and the fewest in a leaf."""

    n_trees: int
    bag: int
    min_samples_leaf: int

    def bytes_at_most(self) -> float:
        """An upper bound of the memory that the fitted forest takes."""
        n_leaves = max(1.0, self.bag * _DISTINCT / self.min_samples_leaf)
        return self.n_trees * n_leaves * _NODES_A_LEAF * _BYTES_A_NODE

    def fitted_into(self, megabytes: float) -> ForestSize:
        """A size that stays within ``megabytes``: smaller bags first, then fewer trees."""
        excess = self.bytes_at_most() / (megabytes * 1e6)
        if excess <= 1:
            return self
        smaller = replace(self, bag=max(min(MIN_BAG, self.bag), int(self.bag / excess)))
        excess = smaller.bytes_at_most() / (megabytes * 1e6)
        if excess <= 1:
            return smaller
        n_trees = max(min(MIN_TREES, self.n_trees), int(self.n_trees / excess))
        return replace(smaller, n_trees=n_trees)


def remark_fewer_trees(n_trees: int, n_wanted: int) -> Remark:
    message = N_(
        "The time budget ended the fitting: %(n)d of %(wanted)d trees. A repeat may differ."
    )
    params = {"n": n_trees, "wanted": n_wanted}
    return Remark("budget_trees", "warning", message, params)


def remark_fewer_explained(n_explained: int) -> Remark:
    message = N_(
        "The time budget ended the explanation at %(n)d samples, before all neighbours in the "
        "ranking could be told apart. A repeat may differ."
    )
    return Remark("budget_samples", "warning", message, {"n": n_explained})


def remark_not_assessed() -> Remark:
    message = N_(
        "The time budget left no time for verdicts and rank intervals. Give the run more time, or "
        "fewer trees."
    )
    return Remark("budget_verdicts", "warning", message, {})


def remark_memory(wanted: ForestSize, size: ForestSize) -> Remark:
    message = N_(
        "To stay within the memory budget, each of %(trees)d trees (asked for: %(wanted)d) learned "
        "from %(bag)d samples."
    )
    params = {"trees": size.n_trees, "wanted": wanted.n_trees, "bag": size.bag}
    return Remark("budget_memory", "warning", message, params)


def remark_learned(n_learned: int, n_train: int) -> Remark:
    message = N_(
        "This algorithm is slow on many rows: it learned from %(n)d of %(all)d training rows, "
        "drawn at random."
    )
    return Remark("learned_from", "info", message, {"n": n_learned, "all": n_train})
