"""Pipelines and their fitting."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from prodapp.ml.algorithms import ALGORITHMS, AUTO
from prodapp.ml.estimators import MAX_BAG, available_cpus, build_pipeline, fit_pipeline, predict
from prodapp.ml.specification import Specification

from .conftest import describe

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(120, 3)), columns=["a", "b", "c"])
Y = FRAME["a"].to_numpy() + RNG.normal(size=120)


def test_fitting_in_batches_gives_the_very_same_forest() -> None:
    spec = Specification(target="y", hyperparameters={"n_estimators": 37}, random_state=5)
    pipeline = build_pipeline(spec, describe(FRAME), n_samples=120, n_jobs=2)
    at_once = clone(pipeline).fit(FRAME, Y)
    at_once.named_steps["estimator"].set_params(n_jobs=1)
    shares: list[float] = []
    fit_pipeline(pipeline, FRAME, Y, on_share=shares.append)
    assert len(shares) > 1
    assert shares[-1] == 1
    assert len(pipeline[-1].estimators_) == 37
    np.testing.assert_array_equal(pipeline.predict(FRAME), at_once.predict(FRAME))


def test_boosting_in_batches_gives_the_very_same_trees() -> None:
    spec = Specification(
        target="y", algorithm="gradient_boosting", hyperparameters={"max_iter": 45}
    )
    pipeline = build_pipeline(spec, describe(FRAME), n_samples=120)
    at_once = clone(pipeline).fit(FRAME, Y)
    shares: list[float] = []
    fit_pipeline(pipeline, FRAME, Y, on_share=shares.append)
    assert len(shares) > 1
    assert shares[-1] == 1
    np.testing.assert_array_equal(pipeline.predict(FRAME), at_once.predict(FRAME))


def test_every_hyperparameter_reaches_its_estimator() -> None:
    for name, algorithm in ALGORITHMS.items():
        if name == AUTO:
            continue
        chosen = {
            key: schema.maximum if not schema.is_integer else int(schema.maximum)
            for key, schema in algorithm.hyperparameters.items()
        }
        spec = Specification(target="y", algorithm=name, hyperparameters=chosen)
        estimator = build_pipeline(spec, describe(FRAME), n_samples=100)[-1]
        assert {key: estimator.get_params()[key] for key in chosen} == chosen


def test_extra_trees_of_large_tables_have_bags_too() -> None:
    spec = Specification(target="y", algorithm="extra_trees")
    small, large = (
        build_pipeline(spec, describe(FRAME), n_samples=n)[-1] for n in (100, MAX_BAG + 1)
    )
    assert (small.bootstrap, small.max_samples) == (False, None)
    assert (large.bootstrap, large.max_samples) == (True, MAX_BAG)


def test_bags_are_capped_on_large_tables_only() -> None:
    spec = Specification(target="y")
    columns = describe(FRAME)
    assert build_pipeline(spec, columns, n_samples=MAX_BAG)[-1].max_samples is None
    assert build_pipeline(spec, columns, n_samples=MAX_BAG + 1)[-1].max_samples == MAX_BAG


def test_defaults_and_choices_reach_the_forest() -> None:
    columns = describe(FRAME)
    forest = build_pipeline(Specification(target="y"), columns, n_samples=100)[-1]
    assert (forest.n_estimators, forest.min_samples_leaf, forest.max_features) == (100, 3, 1.0)
    spec = Specification(target="y", hyperparameters={"max_depth": 4, "max_features": 0.5})
    chosen = build_pipeline(spec, columns, n_samples=100)[-1]
    assert (chosen.max_depth, chosen.max_features, chosen.min_samples_leaf) == (4, 0.5, 3)


def test_answers_do_not_depend_on_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = build_pipeline(Specification(target="y"), describe(FRAME), n_samples=120)
    fit_pipeline(pipeline, FRAME, Y, on_share=lambda _: None)
    monkeypatch.setattr("prodapp.ml.estimators._PORTION", 50)
    shares: list[float] = []
    answers = predict(pipeline, FRAME, n_jobs=2, on_share=shares.append)
    np.testing.assert_array_equal(answers, pipeline.predict(FRAME))
    assert shares == [1 / 3, 2 / 3, 1]


def test_some_processor_is_available() -> None:
    assert available_cpus() >= 1
