"""Trees of fitted ensembles: the answers that they add up to are the ensembles' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from prodapp.ml import treeshap
from prodapp.ml.ensembles import collect_forest, compared

RNG = np.random.default_rng(0)
SAMPLES = RNG.normal(size=(150, 4))


def answers(ensemble: Any, *, output: int) -> np.ndarray:
    """What the trees add up to, by SHAP values' additivity."""
    found = treeshap.shap_values(
        collect_forest(ensemble, output=output),
        compared(ensemble, SAMPLES),
        n_jobs=1,
        on_share=lambda _: None,
    )
    return found.values.sum(axis=1) + found.expected_value


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "kind", [RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier]
)
def test_averaged_classifiers_give_probabilities(kind: Any, n_classes: int) -> None:
    classes = np.digitize(SAMPLES[:, 0] + SAMPLES[:, 1], [-0.5, 0.5][: n_classes - 1])
    ensemble = kind(min_samples_leaf=5, random_state=0).fit(SAMPLES, classes)
    for output in range(n_classes):
        np.testing.assert_allclose(
            answers(ensemble, output=output),
            ensemble.predict_proba(SAMPLES)[:, output],
            atol=1e-5,
        )


@pytest.mark.parametrize("kind", [GradientBoostingClassifier, HistGradientBoostingClassifier])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_boosted_classifiers_give_raw_scores(kind: Any, n_classes: int) -> None:
    classes = np.digitize(SAMPLES[:, 0] + SAMPLES[:, 1], [-0.5, 0.5][: n_classes - 1])
    ensemble = kind(random_state=0, max_depth=3).fit(SAMPLES, classes)
    raw = ensemble.decision_function(SAMPLES).reshape(len(SAMPLES), -1)
    for output in range(n_classes):
        expected = raw[:, output if n_classes > 2 else 0]
        np.testing.assert_allclose(answers(ensemble, output=output), expected, atol=1e-4)


def test_several_outputs_are_told_apart() -> None:
    targets = np.stack([SAMPLES[:, 0], -SAMPLES[:, 1]], axis=1)
    forest = RandomForestRegressor(5, random_state=0).fit(SAMPLES, targets)
    for output in range(2):
        np.testing.assert_allclose(
            answers(forest, output=output), forest.predict(SAMPLES)[:, output], atol=1e-5
        )


def test_splits_on_categories_and_other_estimators_are_refused() -> None:
    samples = np.column_stack([SAMPLES, RNG.integers(0, 5, size=150)])
    y = samples[:, 4] % 2 + samples[:, 0]
    ensemble = HistGradientBoostingRegressor(categorical_features=[4]).fit(samples, y)
    with pytest.raises(TypeError, match="categories"):
        collect_forest(ensemble)
    with pytest.raises(TypeError, match="LinearRegression"):
        collect_forest(LinearRegression().fit(SAMPLES, SAMPLES[:, 0]))
