"""Where to run several levers together: what the target would be in each region of their values.

A region is a box of one, two or three levers in which the machine really was, often enough; so a
combination that was never run is none. The change of the target's mean, all other variables as
they were, is estimated as that of windows (:mod:`~prodapp.ml.trust.levers`: doubly robust,
cross-fitted), with the settings of rows really run in the box. Whoever asks for a target value
later picks among all boxes, so the intervals hold for all of them at once: the largest of all their
errors is bounded by the Gaussian multiplier bootstrap (Chernozhukov, Chetverikov & Kato 2013),
which pays less than Bonferroni for boxes that overlap. Association, not cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from prodapp.ml.table import Column
from prodapp.ml.trust.boxes import Bound, Candidate, Ground
from prodapp.ml.trust.conditional import build_basis
from prodapp.ml.trust.levers import ERROR, MIN_ROWS, Purpose, levers_among
from prodapp.ml.trust.outcomes import Outcomes

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

#: Parts that each lever's values fall into, by how many levers a box has.
_PARTS: Final = {1: 5, 2: 3, 3: 2}
_MAX_ROWS: Final = 2_000
_MAX_BOXES: Final = 800
_N_DRAWS: Final = 500
#: Batches of rows of three lengths of correlation are no more independent than that: the variance
#: of their sum is larger by about a sixth (autoregressive rows, whatever the length).
_NEIGHBOURS: Final = 7 / 6
#: Boxes that are kept of all that were compared: the best on either side.
_KEPT: Final = 30


@dataclass(frozen=True)
class Region:
    """A box that was run by ``n`` of the ``n_compared`` rows whose like were run in it.

    ``at`` are the settings of a row in its middle. ``before`` is the mean of the target over the
    rows compared, ``change`` what is expected to be added to it; ``nearer`` is how much nearer to
    the goal the target would be, where one is to be held. Bounds hold for all regions at once with
    95 %.
    """

    bounds: tuple[Bound, ...]
    at: Mapping[str, Any]
    n: int
    n_compared: int
    n_effective: float
    before: float
    change: float
    change_low: float
    change_high: float
    nearer: float | None = None
    nearer_low: float | None = None
    nearer_high: float | None = None


@dataclass(frozen=True)
class Regions:
    """``kept`` of the ``n_compared`` regions that were run often enough."""

    kept: tuple[Region, ...]
    n_compared: int


def find_regions(outcomes: Outcomes, purpose: Purpose, *, random_state: int) -> Regions:
    """The regions of the levers of ``purpose``; none without levers."""
    levers = levers_among(outcomes.columns, purpose)
    step = -(-len(outcomes.tested) // _MAX_ROWS)
    rows = outcomes.tested[::step]
    if not levers or len(rows) < 2 * MIN_ROWS:
        return Regions((), 0)
    X = outcomes.X.iloc[rows]
    ground = Ground(outcomes, purpose, levers, rows, random_state)
    basis = build_basis(X, outcomes.columns)
    found = []
    boxes = list(_boxes(levers, X))[:_MAX_BOXES]
    for names in dict.fromkeys(tuple(b.variable for b in bounds) for bounds, _ in boxes):
        mine = [box for box in boxes if tuple(b.variable for b in box[0]) == names]
        flags = np.column_stack([is_in for _, is_in in mine]).astype(np.float64)
        levered = [place for place, c in enumerate(outcomes.columns) if c.name in names]
        chances = basis.ridge.fitted(flags, without=basis.of(levered))
        for place, (bounds, is_in) in enumerate(mine):
            candidate = ground.judged(bounds, is_in, np.minimum(chances[:, place], 1.0))
            if candidate is not None:
                found.append(candidate)
    return Regions(
        _kept(_with_bounds(found, X, levers, ground.n_together, random_state)), len(found)
    )


def _boxes(levers: Sequence[Column], X: pd.DataFrame) -> Iterator[tuple[tuple[Bound, ...], Flags]]:
    """Boxes that hold enough rows, those of fewer levers first."""
    for n_levers, n_parts in _PARTS.items():
        parts = {lever.name: _parts(lever, X[lever.name], n_parts) for lever in levers}
        for chosen in combinations(levers, n_levers):
            for sides in product(*(parts[lever.name] for lever in chosen)):
                is_in = np.logical_and.reduce([flags for _, flags in sides])
                if is_in.sum() >= MIN_ROWS:
                    yield tuple(bound for bound, _ in sides), is_in


def _parts(lever: Column, series: pd.Series, n_parts: int) -> list[tuple[Bound, Flags]]:
    if lever.kind != "number":
        cells = series.to_numpy()
        levels = sorted({str(cell) for cell in cells if cell is not None and cell == cell})
        return [(Bound(lever.name, None, None, level), cells == level) for level in levels]
    values = series.to_numpy(dtype=np.float64)
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) <= n_parts:
        sides = [(value, value) for value in distinct]
    else:
        edges = np.quantile(known, np.linspace(0, 1, n_parts + 1))
        sides = [(low, high) for low, high in pairwise(edges) if high > low]
    return [
        (Bound(lever.name, float(low), float(high), None), (values >= low) & (values <= high))
        for low, high in sides
    ]


def _with_bounds(
    found: Sequence[Candidate],
    X: pd.DataFrame,
    levers: Sequence[Column],
    n_together: int,
    random_state: int,
) -> list[Region]:
    if not found:
        return []
    halves = reach(found, n_together, random_state)
    n_scales = len(found[0].means)
    regions = []
    for place, candidate in enumerate(found):
        mine = halves[place * n_scales : (place + 1) * n_scales]
        estimates: dict[str, float] = {}
        for name, mean, half in zip(("change", "nearer"), candidate.means, mine, strict=False):
            low, high = float(mean - half), float(mean + half)
            estimates |= {name: float(mean), f"{name}_low": low, f"{name}_high": high}
        regions.append(
            Region(
                bounds=candidate.bounds,
                at=_middle(candidate, X, levers),
                n=candidate.n,
                n_compared=candidate.n_compared,
                n_effective=candidate.n_effective,
                before=candidate.before,
                **estimates,
            )
        )
    return regions


def reach(found: Sequence[Candidate], n_together: int, random_state: int) -> FloatArray:
    """Half of each interval, (estimates,), such that all hold at once.

    A box is judged by the times that the machine was in it. Where rows are in an order those are
    few, and the error that is estimated from them may be too small by chance: as Student's t tells,
    with as many degrees of freedom as there were such times, one less.
    """
    parts = np.concatenate([candidate.parts for candidate in found])
    weights = np.stack([candidate.weights for candidate in found])
    sizes = (parts**2).sum(axis=1)
    if n_together > 1:
        n_batches = max(2, parts.shape[1] // n_together)
        starts = np.linspace(0, parts.shape[1], n_batches, endpoint=False).astype(np.intp)
        parts = np.add.reduceat(parts, starts, axis=1)
        weights = np.add.reduceat(weights, starts, axis=1)
        sizes = _NEIGHBOURS * (parts**2).sum(axis=1) * n_batches / (n_batches - 1)
    n_times = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
    n_free = np.repeat(np.maximum(n_times - 1, 1.0), len(found[0].means))
    tail = stats.norm.sf(_critical(parts, random_state))
    halves: FloatArray = stats.t.isf(tail, n_free) * np.sqrt(sizes)
    return halves


def _critical(parts: FloatArray, random_state: int) -> float:
    """How many standard errors hold all estimates at once, were these known; parts are
    (estimates, tests)."""
    rng = np.random.default_rng((random_state, 4))
    sizes = np.sqrt((parts**2).sum(axis=1))
    scaled = parts[sizes > 0] / sizes[sizes > 0, np.newaxis]
    if not len(scaled):
        return 0.0
    draws = np.abs(scaled @ rng.normal(size=(parts.shape[1], _N_DRAWS))).max(axis=0)
    return float(np.quantile(draws, 1 - ERROR))


def _middle(candidate: Candidate, X: pd.DataFrame, levers: Sequence[Column]) -> dict[str, Any]:
    """The settings of the row that is nearest to the middle of the rows in a box."""
    names = [bound.variable for bound in candidate.bounds]
    inside = X.loc[candidate.is_in, names]
    away = np.zeros(len(inside))
    for lever in levers:
        if lever.name in names and lever.kind == "number":
            values = inside[lever.name].to_numpy(dtype=np.float64)
            away += np.abs(values - np.median(values)) / (values.std() or 1.0)
    row = inside.iloc[int(away.argmin())]
    return {name: float(v) if isinstance(v := row[name], int | float) else str(v) for name in names}


def _kept(regions: Sequence[Region]) -> tuple[Region, ...]:
    """Those of one lever, and the best on either side of those of more."""
    alone = [region for region in regions if len(region.bounds) == 1]
    more = [region for region in regions if len(region.bounds) > 1]
    best = sorted(more, key=lambda region: -region.change_low)[:_KEPT]
    best += sorted(more, key=lambda region: region.change_high)[:_KEPT]
    nearest = [region for region in more if region.nearer_low is not None]
    best += sorted(nearest, key=lambda region: -(region.nearer_low or 0.0))[:_KEPT]
    return tuple({id(region): region for region in (*alone, *best)}.values())
