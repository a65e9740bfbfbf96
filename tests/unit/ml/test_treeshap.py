"""The compiled kernel against the shap package, and against the definition."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from prodapp.exceptions import LeaseLost
from prodapp.ml import treeshap
from prodapp.ml.ensembles import collect_forest, compared
from prodapp.ml.explanation import package_shap

pytestmark = pytest.mark.skipif(not treeshap.is_available(), reason="numba is not installed")

FloatArray = npt.NDArray[np.float64]


def ignore(share: float) -> None:
    """Nobody watches."""


def by_kernel(ensemble: Any, samples: FloatArray) -> tuple[FloatArray, float]:
    found = treeshap.shap_values(
        collect_forest(ensemble), compared(ensemble, samples), n_jobs=2, on_share=ignore
    )
    return found.values, found.expected_value


ENSEMBLES: dict[str, Callable[..., Any]] = {
    "forest": lambda **options: RandomForestRegressor(5, **options),
    "extra trees": lambda **options: ExtraTreesRegressor(5, **options),
    "tree": lambda **options: DecisionTreeRegressor(**options),
    "boosting": lambda **options: GradientBoostingRegressor(n_estimators=8, **options),
    "histograms": lambda **options: HistGradientBoostingRegressor(max_iter=8, **options),
}
MISSING_ALLOWED = ("forest", "extra trees", "tree", "histograms")


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


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(list(ENSEMBLES)),
    seed=st.integers(0, 10_000),
    n_features=st.integers(1, 20),
    n_levels=st.sampled_from([2, 5, 1000]),
    min_samples_leaf=st.integers(1, 5),
    max_depth=st.sampled_from([None, 1, 4]),
    odd=st.sampled_from(["none", "duplicated", "constant", "missing"]),
    scale=st.sampled_from([1e-20, 1.0, 1e12]),
)
def test_equals_the_shap_package_and_adds_up_whatever_the_trees(
    kind: str,
    seed: int,
    n_features: int,
    n_levels: int,
    min_samples_leaf: int,
    max_depth: int | None,
    odd: str,
    scale: float,
) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, n_levels, size=(200, n_features)) / n_levels
    y = (samples[:, 0] * 3 - samples[:, -1] ** 2 + rng.normal(size=200)) * scale
    if odd == "duplicated":
        samples[:, -1] = samples[:, 0]
    elif odd == "constant":
        samples[:, -1] = 7.0
    elif odd == "missing" and kind in MISSING_ALLOWED:
        samples[rng.random(samples.shape) < 0.2] = np.nan
    options = {"min_samples_leaf": min_samples_leaf, "max_depth": max_depth, "random_state": seed}
    ensemble = ENSEMBLES[kind](**options).fit(samples, y)
    explained = samples[:60]
    values, expected = by_kernel(ensemble, explained)
    reference = package_shap(ensemble, explained, on_share=ignore)
    np.testing.assert_allclose(values, reference, atol=1e-5 * y.std(), rtol=0)
    np.testing.assert_allclose(
        values.sum(axis=1) + expected, ensemble.predict(explained), atol=1e-5 * y.std(), rtol=1e-9
    )


def test_of_many_deep_trees_fewer_nodes_are_near_enough() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(600, 20))
    y = samples[:, 0] * samples[:, 1] + samples[:, 2] + rng.normal(size=600)
    forest = RandomForestRegressor(40, random_state=0).fit(samples, y)
    values, expected = by_kernel(forest, samples[:8])
    reference = package_shap(forest, samples[:8], on_share=ignore)
    np.testing.assert_allclose(values, reference, atol=2e-6 * y.std(), rtol=0)
    answers = forest.predict(samples[:8])
    np.testing.assert_allclose(values.sum(axis=1) + expected, answers, atol=1e-5 * y.std())


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
    np.testing.assert_allclose(values, truth, atol=1e-6)
    np.testing.assert_allclose(values.sum(axis=1) + expected, tree.predict(samples[:20]), atol=1e-6)


def test_many_features_are_explained() -> None:
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


def test_units_of_work_and_threads_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(700, 3)).astype(np.float32).astype(np.float64)
    forest = collect_forest(
        RandomForestRegressor(7, random_state=0).fit(samples, samples.sum(axis=1))
    )
    at_once = treeshap.shap_values(forest, samples, n_jobs=1, on_share=ignore).values
    threads = treeshap.shap_values(forest, samples, n_jobs=3, on_share=ignore).values
    np.testing.assert_array_equal(at_once, threads)
    monkeypatch.setattr(treeshap, "_UNIT", 100_000)
    parted = treeshap.shap_values(forest, samples, n_jobs=2, on_share=ignore).values
    np.testing.assert_allclose(parted, at_once, atol=1e-12)


@pytest.mark.parametrize("n", [1, 15, 17, 255, 257])
def test_a_sample_is_explained_alike_in_any_company(n: int) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(300, 3))
    forest = RandomForestRegressor(5, random_state=0).fit(samples, samples.sum(axis=1))
    values, _ = by_kernel(forest, samples)
    np.testing.assert_allclose(by_kernel(forest, samples[:n])[0], values[:n], atol=1e-6)


@pytest.mark.parametrize("kind", [RandomForestRegressor, GradientBoostingRegressor])
def test_interactions_equal_those_of_the_shap_package(kind: Any) -> None:
    import shap

    rng = np.random.default_rng(0)
    samples = rng.normal(size=(200, 5))
    y = samples[:, 0] * samples[:, 1] + samples[:, 2]
    ensemble = kind(n_estimators=5, max_depth=6, random_state=0).fit(samples, y)
    reference = shap.TreeExplainer(ensemble).shap_interaction_values(samples[:20])
    for feature in range(5):
        found = treeshap.interaction_values(
            collect_forest(ensemble),
            compared(ensemble, samples[:20]),
            feature,
            n_jobs=1,
            on_share=ignore,
        )
        others = [other for other in range(5) if other != feature]
        np.testing.assert_allclose(
            found[:, others], reference[:, feature, others], atol=1e-5 * y.std()
        )
        assert not found[:, feature].any()


def test_progress_rises_to_one_and_a_cancel_stops_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(600, 3))
    forest = RandomForestRegressor(5, random_state=0).fit(samples, samples[:, 0])
    collected = collect_forest(forest)
    monkeypatch.setattr(treeshap, "_UNIT", 100_000)
    shares: list[float] = []
    treeshap.shap_values(collected, samples, n_jobs=2, on_share=shares.append)
    assert len(shares) > 1
    assert shares == sorted(shares)
    assert shares[-1] == 1

    def cancel(share: float) -> None:
        raise LeaseLost(share)

    with pytest.raises(LeaseLost):
        treeshap.shap_values(collected, samples, n_jobs=2, on_share=cancel)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_can_explain_after_its_parent_did() -> None:
    script = """
import os, sys
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from prodapp.ml import treeshap
from prodapp.ml.ensembles import collect_forest
X = np.random.default_rng(0).normal(size=(300, 3))
forest = RandomForestRegressor(5, random_state=0, n_jobs=2).fit(X, X[:, 0])
trees = collect_forest(forest)
def explain():
    return treeshap.shap_values(trees, X, n_jobs=2, on_share=lambda share: None).values
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
    warm_up = "from prodapp.ml import treeshap; treeshap.warm_up()"
    subprocess.run([sys.executable, "-c", warm_up], env=environment, check=True)
    assert list(cache.rglob("*.nbc"))
