"""Flat trees answer what scikit-learn answers, compiled and not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from prodapp.ml import treeshap
from prodapp.ml.ensembles import collect_forest, compared, explained_output
from prodapp.ml.serving.forest import FlatForest

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = X[:, 0] ** 2 + X[:, 1] + RNG.normal(0, 0.1, 120)
ESTIMATORS = [
    RandomForestRegressor(7, random_state=0),
    ExtraTreesRegressor(5, random_state=0),
    DecisionTreeRegressor(random_state=0),
    HistGradientBoostingRegressor(max_iter=8, min_samples_leaf=5),
    RandomForestClassifier(6, random_state=0),
    HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=5),
]
WAYS = [
    False,
    pytest.param(
        True, marks=pytest.mark.skipif(not treeshap.is_available(), reason="numba is missing")
    ),
]


@pytest.mark.parametrize("compiled", WAYS)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_flat_trees_answer_as_scikit_learn_does(estimator: Any, compiled: bool) -> None:
    is_class = hasattr(estimator, "predict_proba")
    estimator.fit(X, Y > 1 if is_class else Y)
    forest = collect_forest(estimator, output=explained_output(estimator))
    flat = FlatForest.of(forest, compiled=compiled)
    rows = RNG.normal(size=(43, 4))
    found, spreads = flat.answer(compared(estimator, rows))
    if not is_class:
        expected = estimator.predict(rows)
    else:
        expected = estimator.predict_proba(rows)[:, 1]
        found = expit(found) if "Boosting" in type(estimator).__name__ else found
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert spreads.shape == (43,)


@pytest.mark.parametrize("compiled", WAYS)
def test_missing_values_take_the_way_that_was_learned(compiled: bool) -> None:
    holed = np.where(RNG.uniform(size=X.shape) < 0.3, np.nan, X)
    estimator = HistGradientBoostingRegressor(max_iter=8, min_samples_leaf=5).fit(holed, Y)
    flat = FlatForest.of(collect_forest(estimator), compiled=compiled)
    np.testing.assert_allclose(flat.answer(holed)[0], estimator.predict(holed), rtol=1e-9)


@pytest.mark.parametrize("compiled", WAYS)
def test_the_spread_is_the_standard_deviation_between_trees(compiled: bool) -> None:
    estimator = RandomForestRegressor(9, random_state=0).fit(X, Y)
    flat = FlatForest.of(collect_forest(estimator), compiled=compiled)
    each = np.stack([tree.predict(X[:11]) for tree in estimator.estimators_])
    rounded = compared(estimator, X[:11])
    np.testing.assert_allclose(flat.answer(rounded)[1], each.std(axis=0), atol=1e-7)


def test_threads_share_rows_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodapp.ml.serving.forest._PORTION", 10)
    estimator = RandomForestRegressor(4, random_state=0).fit(X, Y)
    flat = FlatForest.of(collect_forest(estimator))
    one, two = (flat.answer(compared(estimator, X), n_jobs=n)[0] for n in (1, 2))
    assert (one == two).all()
