"""What gives way when time or memory run out, in the stated order."""

from __future__ import annotations

import pytest

from prodapp.ml.budget import MIN_BAG, MIN_TREES, Clock, ForestSize

LARGE = ForestSize(n_trees=1000, bag=20_000, min_samples_leaf=1)


def test_a_forest_within_its_memory_stays_as_it_is() -> None:
    assert LARGE.fitted_into(1_000_000) == LARGE


def test_bags_give_way_before_trees() -> None:
    megabytes = LARGE.bytes_at_most() / 1e6
    smaller = LARGE.fitted_into(megabytes / 2)
    assert (smaller.n_trees, smaller.bag) == (1000, pytest.approx(10_000, abs=1))
    smallest = LARGE.fitted_into(megabytes / 40)
    assert smallest.bag == MIN_BAG
    assert MIN_TREES < smallest.n_trees == pytest.approx(100, abs=1)


def test_neither_goes_below_its_floor() -> None:
    least = LARGE.fitted_into(0.001)
    assert (least.n_trees, least.bag) == (MIN_TREES, MIN_BAG)
    small = ForestSize(n_trees=3, bag=100, min_samples_leaf=1)
    assert small.fitted_into(0.000_001) == small


def test_fitting_leaves_time_for_the_rest() -> None:
    clock = Clock(100.0)
    assert clock.allows_fitting(70)
    assert not clock.allows_fitting(90)
    assert clock.allows(90)
    assert not clock.allows(110)
