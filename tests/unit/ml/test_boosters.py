"""XGBoost and LightGBM: their own SHAP values are shap's, and forked children can train them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import shap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prodapp.ml import boosters
from prodapp.ml.algorithms import ALGORITHMS
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.specification import Specification
from tests.conftest import ROOT

from .conftest import describe

BOOSTERS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            not ALGORITHMS[name].is_available, reason=f"{name} is not available here"
        ),
    )
    for name in ("xgboost", "lightgbm")
]
DEPTH = {"xgboost": "max_depth", "lightgbm": "num_leaves"}


@pytest.mark.parametrize("algorithm", BOOSTERS)
@given(
    seed=st.integers(0, 2**16),
    depth=st.integers(2, 12),
    n_trees=st.integers(1, 30),
    share_missing=st.sampled_from([0.0, 0.3]),
)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_own_shap_values_are_those_of_the_shap_package_and_add_up(
    algorithm: str, seed: int, depth: int, n_trees: int, share_missing: float
) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=(150, 5))
    samples[:, 3] = samples[:, 0]  # a copy
    samples[:, 4] = 7.0  # barely a variable
    y = 1e4 + 50 * samples[:, 0] * samples[:, 1] + 20 * samples[:, 2]
    samples[rng.random(samples.shape) < share_missing] = np.nan
    chosen = {"n_estimators": n_trees, DEPTH[algorithm]: depth}
    spec = Specification(target="y", algorithm=algorithm, hyperparameters=chosen)
    frame = pd.DataFrame(samples, columns=list("abcde"))
    estimator = build_pipeline(spec, describe(frame), n_samples=150)[-1]
    boosters.fit(estimator, samples, y, on_share=lambda _: None)
    found = boosters.shap_values(estimator, samples, on_share=lambda _: None)[0]
    spread = float(y.std())
    package = shap.TreeExplainer(estimator.regressor_).shap_values(samples, check_additivity=False)
    np.testing.assert_allclose(
        found, package * estimator.transformer_.scale_, atol=1e-5 * spread, rtol=0
    )
    rest = estimator.predict(samples) - found.sum(axis=1)
    assert np.ptp(rest) <= 1e-5 * spread


@pytest.mark.parametrize("algorithm", BOOSTERS)
def test_every_tree_is_told_and_the_callback_is_not_kept(algorithm: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"])
    spec = Specification(target="y", algorithm=algorithm, hyperparameters={"n_estimators": 7})
    pipeline = build_pipeline(spec, describe(frame), n_samples=80)
    shares: list[float] = []
    fit_pipeline(pipeline, frame, frame["a"].to_numpy(), on_share=shares.append)
    # Encoding tells that it lives, should it take its time.
    told = [share for share in shares if share > 0]
    assert told == [pytest.approx((n + 1) / 7) for n in range(7)] + [1.0]
    assert pipeline[-1].get_params().get("regressor__callbacks") is None
    assert pipeline[-1].regressor_.get_params().get("callbacks") is None


@pytest.mark.parametrize("algorithm", BOOSTERS)
def test_own_importances_are_of_gain(algorithm: str) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(300, 3))
    frame = pd.DataFrame(samples, columns=["a", "b", "c"])
    spec = Specification(target="y", algorithm=algorithm)
    estimator = build_pipeline(spec, describe(frame), n_samples=300)[-1]
    boosters.fit(estimator, samples, 10 * samples[:, 1] + samples[:, 0], on_share=lambda _: None)
    own = boosters.native_importances(estimator)
    assert own is not None
    assert own.argmax() == 1
    assert own[1] > 10 * own[0]


@pytest.mark.parametrize("algorithm", BOOSTERS)
def test_threads_change_nothing(algorithm: str) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(1_500, 6))
    frame = pd.DataFrame(samples, columns=list("abcdef"))
    spec = Specification(target="y", algorithm=algorithm)
    estimator = build_pipeline(spec, describe(frame), n_samples=300)[-1]
    boosters.fit(estimator, samples, samples[:, 0] * samples[:, 1], on_share=lambda _: None)
    alone, together = (
        boosters.shap_values(estimator, samples, n_jobs=n_jobs, on_share=lambda _: None)
        for n_jobs in (1, 4)
    )
    np.testing.assert_array_equal(alone, together)


# As the worker does it: everything is imported, the kernel is warm, and each job is a fork.
FORKS = """
import importlib, os, sys
import numpy as np, pandas as pd
from prodapp.ml import algorithms, treeshap
from prodapp.ml.columns import describe_column
from prodapp.ml.specification import Specification
from prodapp.ml.training import train
for module in algorithms.optional_modules():
    importlib.import_module(module)
if treeshap.is_available():
    treeshap.warm_up()
rng = np.random.default_rng(0)
frame = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcy"))
columns = [describe_column(frame[name], name=name, kind="number") for name in frame.columns]
for _ in range(2):
    child = os.fork()
    if child == 0:
        try:
            for name in ("xgboost", "lightgbm", "gradient_boosting", "k_neighbors"):
                if algorithms.ALGORITHMS[name].is_available:
                    spec = Specification(target="y", algorithm=name)
                    train(frame, columns, spec, progress=lambda *_: None, n_jobs=2)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
print("trained twice")
"""


def test_two_forked_jobs_in_a_row_train_what_their_parent_only_imported() -> None:
    # A hang is what is looked for: the time-out is far beyond what the work takes.
    ended = subprocess.run(
        [sys.executable, "-c", FORKS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.stdout == "trained twice\n", ended.stderr
