"""What would change in a box of several levers' values: the estimate and each row's share in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from prodapp.ml.table import Column
from prodapp.ml.trust.levers import (
    BATCH,
    LEAST_CHANCE,
    MIN_COMPARABLE,
    MIN_EFFECTIVE,
    MIN_ROWS,
    Purpose,
    wanted_of,
)
from prodapp.ml.trust.outcomes import Outcomes
from prodapp.ml.validation import correlation_length

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

#: Settings really run that models are asked about for every row; of these so many lie in a box.
_N_SETTINGS: Final = 48
_MIN_SETTINGS: Final = 2
#: Rows in an order are taken together over so many lengths of the models' errors' correlation.
_LENGTHS: Final = 3
#: Rows for which they are asked about the settings of every row.
_N_LEVELLED: Final = 60


@dataclass(frozen=True)
class Bound:
    """Values of one lever, ``low`` to ``high`` both included, or one ``level`` of it."""

    variable: str
    low: float | None
    high: float | None
    level: str | None


@dataclass(frozen=True)
class Candidate:
    """A box, its rows among those looked at, and each row's share in its estimates.

    ``parts`` (estimates, rows) are centred and sum to the errors of the means. ``weights`` (rows,)
    are how much each row tells of the box, 0 outside.
    """

    bounds: tuple[Bound, ...]
    is_in: Flags
    n: int
    n_compared: int
    n_effective: float
    before: float
    means: FloatArray
    parts: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class _Said:
    """On one scale: the answers (rows, settings picked) and as run (rows,), the truth (rows,), and
    ``levels`` (rows,), the mean answer over some rows with the settings of each row."""

    with_settings: FloatArray
    as_run: FloatArray
    y: FloatArray
    levels: FloatArray


class Ground:
    """What the models say of the rows with settings that were really run.

    Each row's answer is taken over some settings of a box, which are too few to tell the box's mean
    effect; that is corrected by the settings of all rows in it, over some rows.
    """

    def __init__(
        self,
        outcomes: Outcomes,
        purpose: Purpose,
        levers: Sequence[Column],
        rows: IntArray,
        random_state: int,
    ) -> None:
        rng = np.random.default_rng((random_state, 3))
        names = [lever.name for lever in levers]
        X = outcomes.X.iloc[rows]
        settings = [
            dict(zip(names, row, strict=True))
            for row in X[names].itertuples(index=False, name=None)
        ]
        whole = np.flatnonzero(X[names].notna().all(axis=1).to_numpy())
        self.picked = _drawn(whole, _N_SETTINGS, rng)
        some = rows[_drawn(np.arange(len(rows)), _N_LEVELLED, rng)]
        said = outcomes.answers_with([settings[at] for at in self.picked], rows)
        levelled = np.full((len(some), len(rows)), np.nan)
        levelled[:, whole] = outcomes.answers_with([settings[at] for at in whole], some)
        as_run, y = outcomes.answers(outcomes.X)[rows], outcomes.y[rows]
        #: Rows that are taken together in errors, since neighbours depend on each other.
        self.n_together = 1
        if outcomes.is_ordered:
            self.n_together = max(BATCH, _LENGTHS * correlation_length(y - as_run))
        #: For the mean and, where one is held, the nearness.
        self._scaled = [_Said(said, as_run, y, levelled.mean(axis=0))]
        if purpose.sense == "hold":
            near = [wanted_of(values, purpose) for values in (said, as_run, y)]
            levels = wanted_of(levelled, purpose).mean(axis=0)
            self._scaled.append(_Said(near[0], near[1], near[2], levels))
        self._y = y

    def judged(
        self, bounds: tuple[Bound, ...], is_in: Flags, chance: FloatArray
    ) -> Candidate | None:
        """The estimates for one box; ``None`` where it was not run often enough to compare."""
        compared = chance >= LEAST_CHANCE
        inside = np.flatnonzero(is_in[self.picked])
        n, n_compared = int((is_in & compared).sum()), int(compared.sum())
        if n < MIN_ROWS or n_compared < MIN_COMPARABLE * len(is_in) or len(inside) < _MIN_SETTINGS:
            return None
        weights = np.where(is_in & compared, 1 / np.maximum(chance, LEAST_CHANCE), 0.0)
        weights *= n_compared / weights.sum()
        n_effective = float(weights.sum() ** 2 / (weights**2).sum())
        if n_effective < MIN_EFFECTIVE:
            return None
        gains = np.stack([self._gains(said, is_in, inside, weights) for said in self._scaled])
        means = gains[:, compared].mean(axis=1)
        parts = np.where(compared, gains - means[:, np.newaxis], 0.0) / n_compared
        before = float(self._y[compared].mean())
        return Candidate(bounds, is_in, n, n_compared, n_effective, before, means, parts, weights)

    def _gains(
        self, said: _Said, is_in: Flags, inside: IntArray, weights: FloatArray
    ) -> FloatArray:
        levels = said.levels[is_in].mean() - said.levels[self.picked[inside]].mean()
        expected = said.with_settings[:, inside].mean(axis=1) + levels
        gains: FloatArray = expected + weights * (said.y - said.as_run) - said.y
        return gains


def _drawn(places: IntArray, limit: int, rng: np.random.Generator) -> IntArray:
    """At most ``limit`` of ``places``, in their order."""
    if len(places) <= limit:
        return places.astype(np.intp)
    return np.sort(rng.choice(places, size=limit, replace=False)).astype(np.intp)
