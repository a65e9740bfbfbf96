# ruff: noqa: N803, N806  (X and y are the field's names)

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.trust.boxes import Bound, Candidate
from prodapp.ml.trust.conditional import build_basis
from prodapp.ml.trust.levers import LEAST_CHANCE, Purpose
from prodapp.ml.trust.outcomes import Outcomes
from prodapp.ml.trust.regions import Regions, find_regions, reach
from tests.unit.ml.trust.test_conditional import described

Process = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="module")
def process() -> Process:
    """``heat`` and ``speed`` help only together, ``idle`` does nothing, ``quality`` is observed;
    ``heat`` and ``draft`` are never high at the same time."""
    rng = np.random.default_rng(0)
    n = 900
    X = pd.DataFrame(rng.normal(size=(n, 4)), columns=["heat", "speed", "idle", "quality"])
    X["draft"] = -X["heat"] + 0.3 * rng.normal(size=n)
    y = 2 * ((X["heat"] > 0.4) & (X["speed"] > 0.4)) + X["quality"] + 0.5 * rng.normal(size=n)
    return X, y.to_numpy()


@pytest.fixture(scope="module")
def outcomes(process: Process) -> Outcomes:
    X, y = process
    return Outcomes(Specification(target="y"), described(X), X, y, Plan("shuffled", ""), 1)


@cache
def found(outcomes: Outcomes, *levers: str, sense: str | None = "raise", **more: float) -> Regions:
    return find_regions(outcomes, Purpose(levers, sense, **more), random_state=0)


def _compared(X: pd.DataFrame, names: set[str], inside: np.ndarray) -> np.ndarray:
    """Rows whose like were run in a box of ``names``, by what the other variables tell of it."""
    basis = build_basis(X, described(X))
    mine = [place for place, name in enumerate(X.columns) if name in names]
    flags = inside.astype(np.float64)[:, np.newaxis]
    return basis.ridge.fitted(flags, without=basis.of(mine))[:, 0] >= LEAST_CHANCE


def test_levers_that_help_together_are_found_together(process: Process, outcomes: Outcomes) -> None:
    X, _ = process
    regions = found(outcomes, "heat", "speed", "idle")
    best = max(regions.kept, key=lambda region: region.change_low)
    assert {"heat", "speed"} <= {bound.variable for bound in best.bounds}
    assert best.change_low > 0
    # The truth: rows of the box got 2 wherever both were high, 2 · share of those compared before.
    inside = np.logical_and.reduce(
        [(X[b.variable] >= b.low) & (X[b.variable] <= b.high) for b in best.bounds]
    )
    helped = ((X["heat"] > 0.4) & (X["speed"] > 0.4)).to_numpy()
    compared = _compared(X, {bound.variable for bound in best.bounds}, inside)
    # One penalty is chosen for all boxes together there, and for this one alone here.
    assert compared.sum() == pytest.approx(best.n_compared, rel=0.1)
    truth = 2 * (helped[inside].mean() - helped[compared].mean())
    assert best.change_low <= truth <= best.change_high
    assert 0.9 * inside.sum() <= best.n <= inside.sum()  # without rows that nothing compares with
    assert set(best.at) == {bound.variable for bound in best.bounds}
    for bound in best.bounds:
        assert bound.low <= best.at[bound.variable] <= bound.high


def test_what_was_never_run_together_is_no_region(outcomes: Outcomes) -> None:
    regions = found(outcomes, "heat", "draft")
    sides = [
        tuple(bound.low > 0 for bound in region.bounds)
        for region in regions.kept
        if len(region.bounds) == 2 and all(abs(bound.low) > 0.2 for bound in region.bounds)
    ]
    assert (True, True) not in sides
    assert regions.n_compared >= 5


def test_levers_that_do_nothing_promise_nothing(outcomes: Outcomes) -> None:
    regions = found(outcomes, "idle")
    assert len(regions.kept) == 5
    assert all(region.change_low < 0 < region.change_high for region in regions.kept)


def test_more_regions_to_choose_from_make_each_less_sure(outcomes: Outcomes) -> None:
    few, many = found(outcomes, "idle"), found(outcomes, "idle", "heat", "speed")
    assert many.n_compared > few.n_compared
    widths = [_widths(regions) for regions in (few, many)]
    assert widths[0].keys() <= widths[1].keys()
    assert sum(widths[1][box] for box in widths[0]) > 1.1 * sum(widths[0].values())


def _widths(regions: Regions) -> dict[tuple[Bound, ...], float]:
    return {region.bounds: region.change_high - region.change_low for region in regions.kept}


def test_a_target_to_hold_has_nearness_beside_the_mean(outcomes: Outcomes) -> None:
    regions = found(outcomes, "heat", sense="hold", goal=5.0)  # far above: nearer is higher
    assert all(region.nearer == pytest.approx(region.change, abs=0.02) for region in regions.kept)


def test_few_visits_make_a_region_less_sure_than_as_many_rows_apart() -> None:
    """The same rows, errors and box: visited once in a while, or in two long stretches."""
    rng = np.random.default_rng(1)
    n, together = 800, 40
    error = np.repeat(rng.normal(size=n // together), together)
    often, seldom = np.arange(n) % 80 < 8, np.arange(n) % 400 < 40
    half = [
        float(reach([_candidate(is_in, error)], together, 0)[0] / np.abs(error[is_in]).sum())
        for is_in in (often, seldom)
    ]
    assert often.sum() == seldom.sum()
    assert half[1] > 2 * half[0]


def _candidate(is_in: np.ndarray, error: np.ndarray) -> Candidate:
    weights = is_in * len(is_in) / is_in.sum()
    parts = (weights * error / len(error))[np.newaxis]
    return Candidate((), is_in, int(is_in.sum()), len(is_in), 0.0, 0.0, np.zeros(1), parts, weights)


def test_without_levers_there_are_no_regions(outcomes: Outcomes) -> None:
    assert found(outcomes) == Regions((), 0)
