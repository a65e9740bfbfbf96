# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.trust.levers import Purpose
from prodapp.ml.trust.outcomes import Outcomes
from prodapp.ml.trust.regions import Regions, find_regions
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


def found(outcomes: Outcomes, *levers: str, sense: str | None = "raise", **more: float) -> Regions:
    return find_regions(outcomes, Purpose(levers, sense, **more), random_state=0)


def test_levers_that_help_together_are_found_together(process: Process, outcomes: Outcomes) -> None:
    X, _ = process
    regions = found(outcomes, "heat", "speed", "idle")
    best = max(regions.kept, key=lambda region: region.change_low)
    assert {"heat", "speed"} <= {bound.variable for bound in best.bounds}
    assert best.change_low > 0
    # The truth: rows of the box got 2 wherever both were high, 2 · share of all rows before.
    inside = np.logical_and.reduce(
        [(X[b.variable] >= b.low) & (X[b.variable] <= b.high) for b in best.bounds]
    )
    helped = (X["heat"] > 0.4) & (X["speed"] > 0.4)
    truth = 2 * (helped[inside].mean() - helped.mean())
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
    one, same = few.kept[0], many.kept[0]
    width = same.change_high - same.change_low
    if one.bounds == same.bounds:
        assert width > one.change_high - one.change_low


def test_a_target_to_hold_has_nearness_beside_the_mean(outcomes: Outcomes) -> None:
    regions = found(outcomes, "heat", sense="hold", goal=5.0)  # far above: nearer is higher
    assert all(region.nearer == pytest.approx(region.change, abs=0.02) for region in regions.kept)


def test_without_levers_there_are_no_regions(outcomes: Outcomes) -> None:
    assert found(outcomes) == Regions((), 0)
