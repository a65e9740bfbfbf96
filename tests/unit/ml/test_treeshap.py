"""The compiled kernel against the shap package, and against the definition."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from prodapp.exceptions import RunCanceled
from prodapp.ml import treeshap
from prodapp.ml.explanation import package_shap

pytestmark = pytest.mark.skipif(not treeshap.is_available(), reason="numba is not installed")

FloatArray = npt.NDArray[np.float64]


def ignore(share: float) -> None:
    """Nobody watches."""


def by_kernel(forest: Any, samples: FloatArray) -> tuple[FloatArray, float]:
    trees = [estimator.tree_ for estimator in getattr(forest, "estimators_", [forest])]
    collected = treeshap.collect_forest(trees, n_features=samples.shape[1])
    values = treeshap.shap_values(collected, samples.astype(np.float32), n_jobs=2, on_share=ignore)
    return values, collected.expected_value


def by_definition(tree: Any, x: npt.NDArray[np.float32], n_features: int) -> FloatArray:
    """Shapley values of one sample, by all subsets of known features."""

    def answer(known: frozenset[int], node: int = 0) -> float:
        left, right = tree.children_left[node], tree.children_right[node]
        if left < 0:
            return float(tree.value[node, 0, 0])
        feature = tree.feature[node]
        if feature in known:
            missing = np.isnan(x[feature])
            is_left = (
                tree.missing_go_to_left[node] if missing else x[feature] <= tree.threshold[node]
            )
            return answer(known, left if is_left else right)
        cover = tree.weighted_n_node_samples
        return float(
            cover[left] / cover[node] * answer(known, left)
            + cover[right] / cover[node] * answer(known, right)
        )

    values = np.zeros(n_features)
    for feature in range(n_features):
        others = [other for other in range(n_features) if other != feature]
        for size in range(n_features):
            weight = factorial(size) * factorial(n_features - size - 1) / factorial(n_features)
            for subset in combinations(others, size):
                known = frozenset(subset)
                values[feature] += weight * (answer(known | {feature}) - answer(known))
    return values


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    n_features=st.integers(1, 20),
    n_levels=st.sampled_from([2, 5, 1000]),
    min_samples_leaf=st.integers(1, 5),
    max_depth=st.sampled_from([None, 1, 4]),
    kind=st.sampled_from([RandomForestRegressor, ExtraTreesRegressor]),
)
def test_equals_the_shap_package_on_random_forests(
    seed: int,
    n_features: int,
    n_levels: int,
    min_samples_leaf: int,
    max_depth: int | None,
    kind: Any,
) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, n_levels, size=(200, n_features)) / n_levels
    y = samples[:, 0] * 3 - samples[:, -1] ** 2 + rng.normal(size=200)
    forest = kind(5, random_state=seed, min_samples_leaf=min_samples_leaf, max_depth=max_depth).fit(
        samples, y
    )
    values, expected = by_kernel(forest, samples[:150])
    reference = package_shap(forest, samples[:150], on_share=ignore)
    np.testing.assert_allclose(values, reference, atol=1e-5 * y.std())
    np.testing.assert_allclose(
        values.sum(axis=1) + expected, forest.predict(samples[:150]), atol=1e-9
    )


@pytest.mark.parametrize("with_missing", [False, True])
def test_equals_the_definition_sample_by_sample(with_missing: bool) -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(size=(120, 5)).astype(np.float32)
    y = samples[:, 0] + samples[:, 1] * samples[:, 2]
    if with_missing:
        samples[rng.random(samples.shape) < 0.2] = np.nan
    tree = DecisionTreeRegressor(random_state=0, min_samples_leaf=2).fit(samples, y)
    values, expected = by_kernel(tree, samples[:20])
    truth = np.array([by_definition(tree.tree_, x, 5) for x in samples[:20]])
    np.testing.assert_allclose(values, truth, atol=1e-10)
    np.testing.assert_allclose(
        values.sum(axis=1) + expected, tree.predict(samples[:20]), atol=1e-10
    )


def test_more_features_than_bits_are_explained_all_the_same() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(150, 80))
    y = samples @ rng.normal(size=80)
    forest = RandomForestRegressor(4, random_state=0).fit(samples, y)
    values, _ = by_kernel(forest, samples)
    reference = package_shap(forest, samples, on_share=ignore)
    np.testing.assert_allclose(values, reference, atol=1e-5 * y.std())


def test_trees_without_a_split_explain_nothing() -> None:
    samples = np.zeros((30, 2))
    forest = RandomForestRegressor(3, random_state=0).fit(samples, np.arange(30.0))
    values, expected = by_kernel(forest, samples)
    assert not values.any()
    assert expected == pytest.approx(forest.predict(samples)[0])


def test_an_unused_feature_gets_exactly_nothing() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(200, 3))
    samples[:, 1] = 7.0
    values, _ = by_kernel(
        RandomForestRegressor(5, random_state=0).fit(samples, samples[:, 0]), samples
    )
    assert not values[:, 1].any()


def test_progress_rises_to_one_and_a_cancel_stops_the_work() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(600, 3))
    forest = RandomForestRegressor(5, random_state=0).fit(samples, samples[:, 0])
    collected = treeshap.collect_forest([t.tree_ for t in forest.estimators_], n_features=3)
    shares: list[float] = []
    treeshap.shap_values(collected, samples.astype(np.float32), n_jobs=2, on_share=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1

    def cancel(share: float) -> None:
        raise RunCanceled(share)

    with pytest.raises(RunCanceled):
        treeshap.shap_values(collected, samples.astype(np.float32), n_jobs=2, on_share=cancel)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_can_explain_after_its_parent_did() -> None:
    script = """
import os, sys
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from prodapp.ml import treeshap
X = np.random.default_rng(0).normal(size=(300, 3))
forest = RandomForestRegressor(5, random_state=0, n_jobs=2).fit(X, X[:, 0])
trees = treeshap.collect_forest([t.tree_ for t in forest.estimators_], n_features=3)
def explain():
    return treeshap.shap_values(trees, X.astype("f4"), n_jobs=2, on_share=lambda share: None)
before = explain()
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(explain(), before) else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], timeout=120, check=False)
    assert done.returncode == 0


def test_warm_up_fills_the_cache_and_importing_does_not(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    subprocess.run(
        [sys.executable, "-c", "import prodapp.ml.training"], env=environment, check=True
    )
    assert not list(cache.rglob("*.nbc"))
    subprocess.run([sys.executable, "-m", "prodapp.ml.treeshap"], env=environment, check=True)
    assert list(cache.rglob("*.nbc"))
