"""Pipelines and their fitting."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor

from prodapp.ml.algorithms import ALGORITHMS, AUTO
from prodapp.ml.estimators import MAX_BAG, available_cpus, build_pipeline, n_learned
from prodapp.ml.specification import Specification

from .conftest import describe

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(120, 3)), columns=["a", "b", "c"])
Y = FRAME["a"].to_numpy() + RNG.normal(size=120)


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != AUTO])
def test_every_hyperparameter_reaches_its_estimator(name: str) -> None:
    chosen = {
        key: schema.maximum if not schema.is_integer else int(schema.maximum)
        for key, schema in ALGORITHMS[name].hyperparameters.items()
    }
    spec = Specification(target="y", algorithm=name, hyperparameters=chosen)
    estimator = build_pipeline(spec, describe(FRAME), n_samples=100)[-1]
    if isinstance(estimator, TransformedTargetRegressor):
        estimator = estimator.regressor
    found = estimator.get_params()
    if name == "neural_network":
        assert found["hidden_layer_sizes"] == (chosen.pop("n_units"),) * chosen.pop("n_layers")
    assert {key: found[key] for key in chosen} == chosen


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != AUTO])
def test_searched_values_are_allowed_and_hold_the_default(name: str) -> None:
    for key, schema in ALGORITHMS[name].hyperparameters.items():
        for value in schema.search:
            Specification(target="y", algorithm=name, hyperparameters={key: value})
        assert not schema.search or schema.default in schema.search


def test_slow_algorithms_learn_from_a_bounded_number_of_samples() -> None:
    assert n_learned(Specification(target="y"), n_samples=10**6) == 10**6
    slow = Specification(target="y", algorithm="support_vectors")
    assert n_learned(slow, n_samples=10**6) == 5_000
    assert n_learned(slow, n_samples=100) == 100


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


def test_some_processor_is_available() -> None:
    assert available_cpus() >= 1
