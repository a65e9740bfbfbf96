"""Whatever the estimator, values by variable that add up to its answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.algorithms import ALGORITHMS, AUTO
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.explainers import Explainer
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.specification import Specification

from .conftest import describe

ESTIMATED = ("k_neighbors", "support_vectors", "neural_network")


@pytest.mark.parametrize(
    "algorithm",
    [name for name, item in ALGORITHMS.items() if name != AUTO and item.is_available],
)
def test_values_add_up_and_find_what_matters(algorithm: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "c"])
    frame["kind"] = rng.choice(["x", "y", "z"], size=300)
    y = (5 * frame["a"] + 3 * (frame["kind"] == "x")).to_numpy()
    frame.loc[::7, "b"] = np.nan
    columns = describe(frame)
    samples = features_frame(frame, columns)
    spec = Specification(target="y", algorithm=algorithm)
    pipeline = build_pipeline(spec, columns, n_samples=300)
    fit_pipeline(pipeline, samples, y, on_share=lambda _: None)
    explainer = Explainer(pipeline, columns, samples, n_jobs=1, random_state=0)
    encoded = pipeline[0].transform(samples.iloc[:100])
    values = explainer.explain(encoded, on_share=lambda _: None)
    assert values.shape == (100, 4)
    rest = pipeline.predict(samples.iloc[:100]) - values.sum(axis=1)
    assert np.ptp(rest) <= 1e-5 * y.std()
    assert np.argsort(-np.abs(values).mean(axis=0))[:2].tolist() == [0, 3]
    codes = [remark.code for remark in explainer.remarks()]
    assert codes == (["estimated_explanation"] if algorithm in ESTIMATED else [])


def test_estimates_are_made_of_as_many_samples_as_answers_allow() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 20)))
    frame.columns = [f"v{place}" for place in range(20)]
    columns = describe(frame)
    affordable = {}
    for algorithm in ("random_forest", "k_neighbors"):
        spec = Specification(target="y", algorithm=algorithm)
        pipeline = build_pipeline(spec, columns, n_samples=50)
        fit_pipeline(pipeline, frame, frame["v0"].to_numpy(), on_share=lambda _: None)
        explainer = Explainer(pipeline, columns, frame, n_jobs=1, random_state=0)
        affordable[algorithm] = explainer.n_affordable(4000)
    assert affordable["random_forest"] == 4000
    assert 250 <= affordable["k_neighbors"] < 1000
