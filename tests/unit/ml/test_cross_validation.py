"""Folds that keep their promise, and the gap between random and neighbouring rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.cross_validation import (
    Fold,
    Gap,
    blocked_folds,
    cross_predict,
    measure_gap,
    shuffled_folds,
)
from prodapp.ml.specification import Specification

from .conftest import describe


@pytest.mark.parametrize(
    "folds",
    [shuffled_folds(53, n_folds=5, random_state=0), blocked_folds(53, n_folds=5)],
    ids=["shuffled", "blocked"],
)
def test_folds_test_every_sample_once_and_never_train_on_it(folds: list[Fold]) -> None:
    tested: list[int] = []
    for train_rows, test_rows in folds:
        assert not set(train_rows) & set(test_rows)
        assert len(train_rows) + len(test_rows) == 53
        tested += test_rows.tolist()
    assert sorted(tested) == list(range(53))


def test_blocks_are_neighbours() -> None:
    assert all(np.ptp(rows) == len(rows) - 1 for _, rows in blocked_folds(53, n_folds=5))


def test_no_sample_is_predicted_by_a_model_that_saw_it() -> None:
    # Every row a category of its own: only a model that saw it can know it.
    frame = pd.DataFrame({"serial": [f"no. {n}" for n in range(60)]})
    y = np.random.default_rng(0).normal(size=60)
    folds = shuffled_folds(60, n_folds=3, random_state=0)
    spec = Specification(target="y", algorithm="linear_regression")
    answers = cross_predict(
        spec, describe(frame), frame, y, folds, n_jobs=1, on_share=lambda _: None
    )
    for train_rows, test_rows in folds:
        np.testing.assert_allclose(answers[test_rows], y[train_rows].mean(), atol=1e-6)


def gap(frame: pd.DataFrame, y: np.ndarray) -> Gap:
    return measure_gap(
        Specification(target="y"), describe(frame), frame, y, n_jobs=1, on_share=lambda _: None
    )


def test_independent_rows_have_no_gap() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(5000, 3)), columns=["a", "b", "c"])
    found = gap(frame, frame["a"].to_numpy() + rng.normal(scale=0.5, size=5000))
    assert found.n_samples == 2000
    assert found.shuffled_r2 == pytest.approx(found.blocked_r2, abs=0.08)


def test_random_walks_look_right_only_when_shuffled() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(1500, 4)).cumsum(axis=0), columns=list("abcd"))
    found = gap(frame, rng.normal(size=1500).cumsum())
    assert found.shuffled_r2 > 0.9
    assert found.blocked_r2 < 0.3
