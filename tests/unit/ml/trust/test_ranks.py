# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.specification import Specification
from prodapp.ml.trust.ranks import RankInterval, halves, intervals, rank_intervals
from tests.unit.ml.trust.test_conditional import described


def test_what_never_changes_places_has_one_rank() -> None:
    rng = np.random.default_rng(0)
    importances = np.array([3.0, 2.0, 1.0]) + rng.normal(scale=0.01, size=(20, 3))
    assert intervals(importances) == (RankInterval(1, 1), RankInterval(2, 2), RankInterval(3, 3))


def test_what_changes_places_shares_its_ranks() -> None:
    rng = np.random.default_rng(0)
    importances = np.array([3.0, 1.0, 1.01]) + rng.normal(scale=0.2, size=(20, 3))
    assert intervals(importances) == (RankInterval(1, 1), RankInterval(2, 3), RankInterval(2, 3))


def test_what_moves_together_is_told_apart_all_the_same() -> None:
    common = np.random.default_rng(0).normal(size=(20, 1))
    importances = np.array([2.0, 1.9]) + common
    assert intervals(importances) == (RankInterval(1, 1), RankInterval(2, 2))


@pytest.mark.parametrize("is_ordered", [False, True])
def test_halves_share_no_row_and_leave_none_out(is_ordered: bool) -> None:
    rows = np.arange(10, 411)
    first, second = halves(rows, is_ordered=is_ordered, rng=np.random.default_rng(0))
    assert sorted([*first, *second]) == rows.tolist()
    assert abs(len(first) - len(second)) <= 11
    n_neighbours = int((np.diff(first) == 1).sum())
    assert (n_neighbours > 0.85 * len(first)) == is_ordered


def test_the_strongest_leads_and_the_null_ones_are_not_told_apart() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
    y = (3 * X["b"] + X["d"] + 0.3 * rng.normal(size=400)).to_numpy()
    shares: list[float] = []
    spec = Specification(target="y")
    found = rank_intervals(
        spec, described(X), X, y, is_ordered=False, n_jobs=1, on_share=shares.append
    )
    assert [found[1], found[3]] == [RankInterval(1, 1), RankInterval(2, 2)]
    assert found[0] == found[2] == RankInterval(3, 4)
    assert shares[-1] == 1.0
    assert found == rank_intervals(
        spec, described(X), X, y, is_ordered=False, n_jobs=2, on_share=lambda _: None
    )
