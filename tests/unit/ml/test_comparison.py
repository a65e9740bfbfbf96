"""The leaderboard: on the same folds, beside the baseline, honest about what was left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.algorithms import BASELINE, CANDIDATES
from prodapp.ml.budget import Clock
from prodapp.ml.comparison import Comparison, compare
from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan

from .conftest import describe


def compared(*, seconds: float = 1e9, plan: Plan | None = None) -> Comparison:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    y = frame["a"] + 0.5 * frame["b"]
    return compare(
        Specification(target="y", algorithm="auto"),
        describe(frame),
        frame,
        y.to_numpy() + rng.normal(scale=0.2, size=200),
        plan or Plan("shuffled", ""),
        n_jobs=1,
        clock=Clock(seconds),
        on_share=lambda _: None,
    )


def test_the_right_kind_wins_and_the_baseline_is_last() -> None:
    straight = compared()
    assert straight.winner == "ridge"
    assert straight.leaderboard[-1].algorithm == BASELINE
    assert straight.leaderboard[-1].r2 == pytest.approx(0, abs=0.05)
    assert {row.algorithm for row in straight.leaderboard} == {BASELINE, *CANDIDATES}
    figures = [row.r2 for row in straight.leaderboard]
    assert figures == sorted(figures, reverse=True)
    assert all(
        row.r2_interval.low <= row.r2 <= row.r2_interval.high for row in straight.leaderboard
    )


def test_out_of_time_the_later_candidates_are_left_out_and_named() -> None:
    found = compared(seconds=0.0)
    assert [row.algorithm for row in found.leaderboard if row.algorithm != BASELINE] == [
        CANDIDATES[0]
    ]
    assert [remark.code for remark in found.remarks] == ["budget_candidates"]
    assert found.remarks[0].params["names"] == ", ".join(CANDIDATES[1:])


def test_candidates_are_compared_on_the_honest_folds() -> None:
    in_time = compared(plan=Plan("time", ""))
    assert in_time.winner == "ridge"
    assert in_time.leaderboard[0].r2 != compared().leaderboard[0].r2
