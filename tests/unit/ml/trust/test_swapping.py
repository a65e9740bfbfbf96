# ruff: noqa: N806  (X is what books call it)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from prodapp.ml import treeshap
from prodapp.ml.trust.swapping import SingleArray, answers_with_copies

UNITS = [np.array([0]), np.array([2, 3]), np.array([5])]


@pytest.fixture(scope="module")
def forest() -> RandomForestRegressor:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6)).astype(np.float32)
    X[::7, 1] = X[::5, 2] = np.nan
    y = np.nan_to_num(X[:, 0] * X[:, 2]) + X[:, 3] + 0.1 * rng.normal(size=300)
    return RandomForestRegressor(8, random_state=0).fit(X, y)


def drawn(n_rows: int, n_copies: int) -> tuple[SingleArray, SingleArray]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_rows, 6)).astype(np.float32)
    copies = rng.normal(size=(n_rows, n_copies, 6)).astype(np.float32)
    X[::3, 1] = copies[::4, :, 2] = np.nan
    return X, copies


def found_by(forest: Any, n_jobs: int = 1) -> tuple[Any, Any, list[float]]:
    shares: list[float] = []
    answers, changed = answers_with_copies(
        forest, *drawn(600, 3), UNITS, n_jobs=n_jobs, on_share=shares.append
    )
    return answers, changed, shares


@pytest.mark.parametrize("is_compiled", [True, False])
def test_answers_are_those_of_the_forest_asked_about_every_copy(
    forest: RandomForestRegressor, is_compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(treeshap, "is_available", lambda: is_compiled)
    answers, changed, shares = found_by(forest)
    X, copies = drawn(600, 3)
    assert answers == pytest.approx(forest.predict(X), abs=1e-12)
    for number, columns in enumerate(UNITS):
        for copy in range(3):
            asked = X.copy()
            asked[:, columns] = copies[:, copy, columns]
            assert changed[:, copy, number] == pytest.approx(forest.predict(asked), abs=1e-12)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_variable_that_no_tree_asks_about_changes_nothing_at_all() -> None:
    X = np.random.default_rng(0).normal(size=(100, 6)).astype(np.float32)
    forest = RandomForestRegressor(3, random_state=0)
    forest.fit(X * [1, 0, 0, 0, 0, 0], X[:, 0])
    answers, changed, _ = found_by(forest)
    assert np.array_equal(changed[:, :, 1], np.repeat(answers[:, np.newaxis], 3, axis=1))


def test_threads_change_nothing(forest: RandomForestRegressor) -> None:
    one, two = found_by(forest, 1), found_by(forest, 2)
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
