"""How samples are parted into those to learn from and those to judge by.

What counts is what the model will meet: rows like those it knows (shuffled), rows yet to come
(blocks of time), or groups it has never seen. A split that is kinder than that flatters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from prodapp.exceptions import DataRefused, N_
from prodapp.ml.choice import group_column
from prodapp.ml.specification import MIN_SAMPLES, Specification
from prodapp.ml.table import Column
from prodapp.ml.timeline import Timeline, group_codes
from prodapp.ml.validation import correlation_length

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Fold = tuple[IntArray, IntArray]

#: Fewer samples than this are parted into folds several times, where chance parts them.
FEW_SAMPLES: Final = 300
N_REPEATS: Final = 3
#: Groups that validation by group needs: one to judge by, two to learn from.
MIN_GROUPS: Final = 3
#: Of neighbours, held out where rows are in an order that need not be time.
_N_STRETCHES: Final = 3
#: The gap that is found is at most this share of the samples; one that is asked for, at most half.
_MAX_FOUND_GAP: Final = 0.05
_MAX_GAP: Final = 0.5

ASKED_FOR = N_("Chosen by you.")
NO_ORDER = N_("The rows are in no order of time and belong to no groups.")
HAS_GROUPS = N_("The rows belong to the groups of “%(column)s”.")


@dataclass(frozen=True)
class Plan:
    """How the samples are parted; they are in the order of time where there is one.

    ``scheme``: "shuffled", "time", "group", or "order" where neighbouring rows are alike and no
    column says when they came. ``gap`` counts the samples left out between those learned from and
    those judged by ("time", "order"); ``groups`` numbers each sample's group ("group"). ``kin``
    does so where samples are shuffled although they belong to groups, to see what that flatters.
    ``reason`` (a template filled from ``params``) says why; ``column`` is the one that it goes by.
    """

    scheme: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)
    column: str | None = None
    gap: int = 0
    groups: IntArray | None = None
    kin: IntArray | None = None

    @property
    def is_ordered(self) -> bool:
        return self.scheme in ("time", "order")

    def taken(self, rows: IntArray) -> Plan:
        """The plan for some of the samples."""
        return replace(
            self,
            groups=None if self.groups is None else self.groups[rows],
            kin=None if self.kin is None else self.kin[rows],
        )

    def hold_out(self, n_samples: int, *, test_size: float, random_state: int) -> Fold:
        """Positions of the training and of the held-out samples.

        At random, the last in time, or whole groups drawn at random. Raises ``DataRefused`` below
        the least number of samples, or where there is a single group.
        """
        _check_enough(n_samples)
        n_test = max(2, round(n_samples * test_size))
        if self.scheme == "time":
            return _before(n_samples - n_test, self.gap), np.arange(n_samples - n_test, n_samples)
        if self.scheme == "order":
            return _stretches(n_samples, n_test, self.gap)
        order = np.random.default_rng(random_state).permutation(n_samples)
        if self.groups is None:
            return np.sort(order[n_test:]), np.sort(order[:n_test])
        shuffled = np.random.default_rng(random_state).permutation(np.unique(self.groups))
        _check_groups(len(shuffled))
        sizes = np.array([np.count_nonzero(self.groups == group) for group in shuffled])
        n_held_out = int(np.searchsorted(np.cumsum(sizes), n_test)) + 1
        is_tested = np.isin(self.groups, shuffled[: min(n_held_out, len(shuffled) - 2)])
        return np.flatnonzero(~is_tested), np.flatnonzero(is_tested)

    def folds(self, n_samples: int, *, n_folds: int, random_state: int) -> list[Fold]:
        """Positions of training and tested samples for each of ``n_folds`` (or one a group).

        In an order, fold k learns from the blocks before block k + 1 and is tested on it
        (prequential: Dawid 1984), so the first block is never tested. Else every sample is tested
        once.
        """
        if self.is_ordered:
            blocks = np.array_split(np.arange(n_samples), n_folds + 1)
            return [(_before(int(block[0]), self.gap), block) for block in blocks[1:]]
        if self.groups is None:
            return shuffled_folds(n_samples, n_folds=n_folds, random_state=random_state)
        return group_folds(self.groups, n_folds=n_folds, random_state=random_state)

    def repeated_folds(self, n_samples: int, *, n_folds: int, random_state: int) -> list[Fold]:
        """The folds, drawn several times where samples are few and chance has a part."""
        n_repeats = N_REPEATS if n_samples < FEW_SAMPLES and not self.is_ordered else 1
        return [
            fold
            for repeat in range(n_repeats)
            for fold in self.folds(n_samples, n_folds=n_folds, random_state=random_state + repeat)
        ]


def plan_validation(
    spec: Specification,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    timeline: Timeline,
    *,
    y: FloatArray,
    reach: int,
) -> Plan:
    """What ``spec`` asks for, or what fits the data.

    ``frame`` and the target ``y`` hold the samples in their order.

    ``reach`` is how many rows back the engineered features look: blocks of time are at least so
    far apart, so that none looks into the other.
    """
    groups = group_column(spec, columns)
    codes = None if groups is None else group_codes(frame[groups])
    scheme = spec.validation
    reason: str = ASKED_FOR
    params: Mapping[str, Any] = {}
    if scheme == "auto":
        names_groups = spec.group_column is not None and spec.time_column is None
        is_few = spec.group_column is None and codes is not None and codes.max() + 1 < MIN_GROUPS
        known = None if is_few else groups
        scheme, reason, params = _fitting(timeline, known, names_groups=names_groups)
    if scheme == "group":
        return Plan(scheme, reason, params, groups, groups=codes)
    if scheme == "shuffled":
        return Plan(scheme, reason, params, kin=_kin(frame, columns, spec))
    gap = spec.gap_rows
    if gap is None:
        found = correlation_length(y) - 1
        gap = min(found, int(_MAX_FOUND_GAP * len(frame)))
    return Plan(scheme, reason, params, timeline.by, gap=max(gap, reach))


def _kin(frame: pd.DataFrame, columns: Sequence[Column], spec: Specification) -> IntArray | None:
    """Numbers of the groups that samples belong to, where there are enough to part them."""
    named = spec.group_column or next((c.name for c in columns if c.role == "group"), None)
    if named is None or named == spec.target:
        return None
    codes = group_codes(frame[named])
    return codes if codes.max() + 1 >= MIN_GROUPS else None


def _fitting(
    timeline: Timeline, groups: str | None, *, names_groups: bool
) -> tuple[str, str, Mapping[str, Any]]:
    if timeline.is_ordered and not names_groups:
        order = timeline.order
        if order is None:
            return "time", ASKED_FOR, {}
        return ("order" if order.by is None else "time"), order.reason, order.params
    if groups is not None:
        return "group", HAS_GROUPS, {"column": groups}
    if timeline.order is not None and timeline.order.sorted_by:
        return "shuffled", timeline.order.reason, timeline.order.params
    return "shuffled", NO_ORDER, {}


def shuffled_folds(n_samples: int, *, n_folds: int, random_state: int) -> list[Fold]:
    """Positions of training and tested samples: every sample is tested once, drawn at random."""
    order = np.random.default_rng(random_state).permutation(n_samples)
    return [_fold(tested, n_samples) for tested in np.array_split(order, n_folds)]


def blocked_folds(n_samples: int, *, n_folds: int) -> list[Fold]:
    """The same with blocks of neighbours."""
    return [_fold(tested, n_samples) for tested in np.array_split(np.arange(n_samples), n_folds)]


def shuffled_like(folds: Sequence[Fold], *, random_state: int) -> list[Fold]:
    """For each fold one of the same samples and sizes, its members drawn at random.

    So that a comparison of the two is one of how samples were parted, not of how many there were.
    """
    rng = np.random.default_rng(random_state)
    drawn = []
    for train_rows, test_rows in folds:
        order = rng.permutation(np.concatenate([train_rows, test_rows]))
        drawn.append((np.sort(order[len(test_rows) :]), np.sort(order[: len(test_rows)])))
    return drawn


def group_folds(groups: IntArray, *, n_folds: int, random_state: int) -> list[Fold]:
    """Whole groups, the largest first, each to the fold that has the fewest samples."""
    numbers, sizes = np.unique(groups, return_counts=True)
    shuffled = np.random.default_rng(random_state).permutation(len(numbers))
    by_size = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    n_folds = min(n_folds, len(numbers))
    filled = np.zeros(n_folds, dtype=np.intp)
    fold_of = np.empty(len(numbers), dtype=np.intp)
    for place in by_size.tolist():
        fold_of[place] = np.argmin(filled)
        filled[fold_of[place]] += sizes[place]
    of_sample = fold_of[np.searchsorted(numbers, groups)]
    return [_fold(np.flatnonzero(of_sample == fold), len(groups)) for fold in range(n_folds)]


def _before(n_samples: int, gap: int) -> IntArray:
    return np.arange(n_samples - min(gap, int(_MAX_GAP * n_samples)))


def _stretches(n_samples: int, n_test: int, gap: int) -> Fold:
    """Stretches of neighbours spread over the samples, and what lies further than ``gap`` off."""
    length = max(1, n_test // _N_STRETCHES)
    starts = np.linspace(0, n_samples - length, _N_STRETCHES + 2)[1:-1].astype(np.intp)
    tested = (starts[:, np.newaxis] + np.arange(length)).ravel()
    gap = min(gap, (n_samples - n_test) // (4 * _N_STRETCHES))
    is_near = np.zeros(n_samples, dtype=bool)
    for start in starts.tolist():
        is_near[max(0, start - gap) : start + length + gap] = True
    return np.flatnonzero(~is_near), tested


def _fold(tested: IntArray, n_samples: int) -> Fold:
    is_tested = np.zeros(n_samples, dtype=bool)
    is_tested[tested] = True
    return np.flatnonzero(~is_tested), np.flatnonzero(is_tested)


def _check_groups(n_groups: int) -> None:
    if n_groups < MIN_GROUPS:
        raise DataRefused(
            N_(
                "The rows belong to %(n)d groups; at least %(limit)d are needed to hold some out. "
                "Choose another column, or hold out rows at random."
            ),
            code="too_few_groups",
            n=n_groups,
            limit=MIN_GROUPS,
        )


def _check_enough(n_samples: int) -> None:
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
