"""The trees of boosters give the boosters' own SHAP values, and so the interactions they lack."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shap

from prodapp.ml import boosters, treeshap
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.booster_trees import collect_booster, compared_by_booster
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.progress import no_progress
from prodapp.ml.specification import Specification
from prodapp.ml.training import train

from .conftest import describe

BOOSTERS = [name for name in ("xgboost", "lightgbm") if ALGORITHMS[name].is_available]
RNG = np.random.default_rng(0)
SAMPLES = RNG.normal(size=(200, 4))
Y = 500 + 40 * SAMPLES[:, 0] * SAMPLES[:, 1] + 10 * SAMPLES[:, 2]


@pytest.mark.parametrize("algorithm", BOOSTERS)
@pytest.mark.parametrize("share_missing", [0.0, 0.2])
@pytest.mark.parametrize("target_class", [None, "high"])
def test_the_kernel_gives_the_boosters_own_values(
    algorithm: str, share_missing: float, target_class: str | None
) -> None:
    given = SAMPLES.copy()
    given[np.random.default_rng(1).random(given.shape) < share_missing] = np.nan
    spec = Specification(
        target="y",
        target_class=target_class,
        algorithm=algorithm,
        hyperparameters={"n_estimators": 20},
    )
    frame = pd.DataFrame(given, columns=list("abcd"))
    estimator = build_pipeline(spec, describe(frame), n_samples=200)[-1]
    y = Y if target_class is None else (Y > 500).astype(float)
    boosters.fit(estimator, given, y, on_share=lambda _: None)
    asked = given.copy()
    asked[::7, 1] = np.nan  # missing where training may have had none
    own = boosters.shap_values(estimator, asked, on_share=lambda _: None)[0]
    found = treeshap.shap_values(
        collect_booster(estimator),
        compared_by_booster(estimator, asked),
        n_jobs=1,
        on_share=lambda _: None,
    )
    np.testing.assert_allclose(found.values, own, atol=1e-5 * np.ptp(own))


@pytest.mark.parametrize("algorithm", BOOSTERS)
def test_interactions_are_those_of_the_shap_package(algorithm: str) -> None:
    spec = Specification(target="y", algorithm=algorithm, hyperparameters={"n_estimators": 15})
    frame = pd.DataFrame(SAMPLES, columns=list("abcd"))
    estimator = build_pipeline(spec, describe(frame), n_samples=200)[-1]
    boosters.fit(estimator, SAMPLES, Y, on_share=lambda _: None)
    found = treeshap.interaction_values(
        collect_booster(estimator),
        compared_by_booster(estimator, SAMPLES[:30]),
        0,
        n_jobs=1,
        on_share=lambda _: None,
    )
    explainer = shap.TreeExplainer(estimator.regressor_)
    package = explainer.shap_interaction_values(SAMPLES[:30])[:, 0]
    package = package * boosters.unit_of(estimator)
    np.testing.assert_allclose(found[:, 1:], package[:, 1:], atol=1e-4 * np.ptp(package))


@pytest.mark.parametrize("algorithm", BOOSTERS)
def test_a_run_names_the_pair_that_acts_together(algorithm: str) -> None:
    frame = pd.DataFrame(SAMPLES, columns=list("abcd")).assign(y=Y)
    spec = Specification(
        target="y", algorithm=algorithm, validation="shuffled", time_budget_seconds=1
    )
    result = train(frame, describe(frame), spec, progress=no_progress, n_jobs=1)
    assert {result.interactions[0].first, result.interactions[0].second} == {"a", "b"}
