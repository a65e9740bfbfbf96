"""Fitting and asking: the same result however the work is parted, and an ear for who waits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from prodapp.ml.algorithms import ALGORITHMS, AUTO
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import fit_pipeline, predict
from prodapp.ml.growing import Grower
from prodapp.ml.specification import Specification

from .conftest import describe

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(RNG.normal(size=(120, 3)), columns=["a", "b", "c"])
Y = FRAME["a"].to_numpy() + RNG.normal(size=120)


@pytest.mark.parametrize("algorithm", ["random_forest", "extra_trees"])
def test_fitting_in_batches_gives_the_very_same_forest(algorithm: str) -> None:
    spec = Specification(
        target="y", algorithm=algorithm, hyperparameters={"n_estimators": 37}, random_state=5
    )
    pipeline = build_pipeline(spec, describe(FRAME), n_samples=120, n_jobs=2)
    at_once = clone(pipeline)
    encoded = at_once[0].fit_transform(FRAME).astype(np.float32)
    if algorithm == "random_forest":
        Grower(at_once[-1], encoded, Y).grow(37)
    else:
        at_once[-1].fit(encoded, Y)
    at_once[-1].set_params(n_jobs=1)
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


def test_answers_do_not_depend_on_the_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = build_pipeline(Specification(target="y"), describe(FRAME), n_samples=120)
    fit_pipeline(pipeline, FRAME, Y, on_share=lambda _: None)
    monkeypatch.setattr("prodapp.ml.fitting._PORTION", 50)
    shares: list[float] = []
    answers = predict(pipeline, FRAME, n_jobs=2, on_share=shares.append)
    np.testing.assert_array_equal(answers, pipeline.predict(FRAME))
    assert shares == [1 / 3, 2 / 3, 1]


class Stop(Exception):
    """What a callback raises when the work is not wanted any more."""


def stop(_share: float) -> None:
    raise Stop


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != AUTO])
def test_whoever_waits_can_stop_any_fitting(algorithm: str) -> None:
    spec = Specification(target="y", algorithm=algorithm)
    pipeline = build_pipeline(spec, describe(FRAME), n_samples=120)
    with pytest.raises(Stop):
        fit_pipeline(pipeline, FRAME, Y, on_share=stop)


def test_learning_from_fewer_samples_prepares_from_all() -> None:
    spec = Specification(target="y", algorithm="k_neighbors")
    pipeline = build_pipeline(spec, describe(FRAME), n_samples=120)
    fit_pipeline(pipeline, FRAME, Y, on_share=lambda _: None, n_learned=40)
    assert pipeline[-1].n_samples_fit_ == 40
    imputer = pipeline[0].named_transformers_["numbers"][0]
    np.testing.assert_array_equal(imputer.statistics_, FRAME.median())


def test_neighbours_are_no_more_than_there_are_samples() -> None:
    spec = Specification(target="y", algorithm="k_neighbors", hyperparameters={"n_neighbors": 1000})
    pipeline = build_pipeline(spec, describe(FRAME), n_samples=120)
    fit_pipeline(pipeline, FRAME, Y, on_share=lambda _: None)
    assert pipeline.predict(FRAME) == pytest.approx(np.full(120, Y.mean()))


def test_a_target_far_from_zero_is_learned_as_well_as_one_near_it() -> None:
    for algorithm in ("xgboost", "lightgbm", "support_vectors", "neural_network"):
        spec = Specification(target="y", algorithm=algorithm)
        near, far = (build_pipeline(spec, describe(FRAME), n_samples=120) for _ in range(2))
        fit_pipeline(near, FRAME, Y, on_share=lambda _: None)
        fit_pipeline(far, FRAME, 1e9 + Y, on_share=lambda _: None)
        np.testing.assert_allclose(far.predict(FRAME) - 1e9, near.predict(FRAME), atol=1e-3)
