# ruff: noqa: N803, N806  (X is what books call it)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from prodapp.ml import treeshap
from prodapp.ml.growing import FloatArray, Grower, SingleArray, can_grow

N_TREES = 4


def drawn(n_rows: int = 300, *, seed: int = 0) -> tuple[SingleArray, FloatArray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 5)).astype(np.float32)
    X[:, 3] = np.round(X[:, 3])
    X[:, 4] = 1.0
    y = X[:, 0] * X[:, 1] + X[:, 3] + 0.3 * rng.normal(size=n_rows)
    return X, y.astype(np.float64)


def grown(X: SingleArray, y: FloatArray, **options: Any) -> RandomForestRegressor:
    forest = RandomForestRegressor(N_TREES, random_state=3, n_jobs=2, **options)
    grower = Grower(forest, X, y)
    grower.grow(1)
    grower.grow(N_TREES - 1)
    return forest


@pytest.mark.parametrize(
    "options",
    [
        {"min_samples_leaf": 20},
        {"min_samples_leaf": 15, "max_depth": 3},
        {"min_samples_leaf": 20, "max_samples": 200},
        {"min_samples_leaf": 20, "max_samples": 100},
    ],
    ids=["leaves of 20", "depth 3", "small bags", "bags sorted anew"],
)
def test_trees_are_those_of_scikit_learn_where_no_two_splits_are_equally_good(
    options: dict[str, Any],
) -> None:
    X, y = drawn(2000)
    ours = grown(X, y, **options)
    theirs = RandomForestRegressor(N_TREES, random_state=3, **options).fit(X, y)
    for our, their in zip(ours.estimators_, theirs.estimators_, strict=True):
        ours_nodes, their_nodes = (tree.tree_.__getstate__()["nodes"] for tree in (our, their))
        for name in set(their_nodes.dtype.names) - {"missing_go_to_left"}:
            assert ours_nodes[name] == pytest.approx(their_nodes[name], abs=1e-9), name
        inner = their_nodes["left_child"] >= 0
        left = ours_nodes["missing_go_to_left"][inner] != 0
        assert np.array_equal(left, their_nodes["missing_go_to_left"][inner] != 0)
        assert our.tree_.value == pytest.approx(their.tree_.value, abs=1e-9)
        assert our.tree_.max_depth == their.tree_.max_depth
    assert ours.predict(X) == pytest.approx(theirs.predict(X), abs=1e-9)
    assert ours.feature_importances_ == pytest.approx(theirs.feature_importances_, abs=1e-9)


def test_fully_grown_trees_end_where_those_of_scikit_learn_do() -> None:
    X, y = drawn()
    ours = grown(X, y)
    theirs = RandomForestRegressor(N_TREES, random_state=3).fit(X, y)
    of_bag = [[tree.tree_.n_leaves for tree in forest.estimators_] for forest in (ours, theirs)]
    assert of_bag[0] == of_bag[1]
    assert (ours.estimators_[0].tree_.impurity[ours.estimators_[0].tree_.feature < 0] < 1e-9).all()


def test_of_equal_variables_each_is_split_as_often() -> None:
    X, y = drawn(200)
    X[:, 1] = X[:, 0]
    forest = RandomForestRegressor(60, random_state=0, n_jobs=1, min_samples_leaf=5)
    Grower(forest, X, X[:, 0] + 0.1 * y).grow(60)
    split = np.concatenate([tree.tree_.feature for tree in forest.estimators_])
    first, second = (int((split == column).sum()) for column in (0, 1))
    assert abs(first - second) < 4 * np.sqrt(first + second)


def test_only_a_share_of_the_variables_is_tried_at_a_node() -> None:
    X, y = drawn(200)
    forest = grown(X, X[:, 0] + 0.0 * y, max_features=0.4, min_samples_leaf=5)
    roots = {int(tree.tree_.feature[0]) for tree in forest.estimators_}
    assert forest.estimators_[0].max_features_ == 2
    assert len(roots) > 1
    assert 4 not in roots  # it is constant


def test_what_has_one_value_is_a_leaf() -> None:
    X, y = drawn(50)
    for forest in (grown(X, np.full(50, 2.0)), grown(X[:, 4:], y)):
        assert [tree.tree_.node_count for tree in forest.estimators_] == [1] * N_TREES


@pytest.mark.parametrize("n_rows", [2000, 60])
def test_of_two_classes_the_forest_is_that_of_scikit_learn_too(n_rows: int) -> None:
    X, y = drawn(n_rows)
    classes = np.where(y > 0.5, 7, 3)
    options = {
        "max_depth": 4 if n_rows == 2000 else None,
        "min_samples_leaf": 25 if n_rows == 2000 else 1,
        "max_features": 1.0,
        "random_state": 3,
    }
    ours = RandomForestClassifier(N_TREES, n_jobs=1, **options)
    Grower(ours, X, classes).grow(N_TREES)
    theirs = RandomForestClassifier(N_TREES, **options).fit(X, classes)
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    if n_rows == 2000:
        assert ours.predict_proba(X) == pytest.approx(theirs.predict_proba(X), abs=1e-9)
        for our, their in zip(ours.estimators_, theirs.estimators_, strict=True):
            assert our.tree_.impurity == pytest.approx(their.tree_.impurity, abs=1e-9)
            assert our.tree_.value == pytest.approx(their.tree_.value, abs=1e-9)
            assert our.n_classes_ == their.n_classes_
            assert our.classes_.tolist() == their.classes_.tolist()
    else:
        assert ours.score(X, classes) > 0.9
        assert set(ours.predict(X)) == {3, 7}


def test_other_forests_are_left_to_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = drawn(20)
    assert can_grow(RandomForestRegressor(), X, y)
    assert can_grow(RandomForestClassifier(max_features=1.0), X, y > 0)
    assert not can_grow(RandomForestClassifier(max_features=1.0), X, np.arange(20) % 3)
    assert not can_grow(RandomForestClassifier(class_weight="balanced", max_features=1.0), X, y > 0)
    assert not can_grow(ExtraTreesRegressor(), X, y)
    assert not can_grow(RandomForestRegressor(criterion="absolute_error"), X, y)
    assert not can_grow(RandomForestRegressor(bootstrap=False), X, y)
    missing = X.copy()
    missing[0, 0] = np.nan
    assert not can_grow(RandomForestRegressor(), missing, y)
    monkeypatch.setattr(treeshap, "is_available", lambda: False)
    assert not can_grow(RandomForestRegressor(), X, y)
