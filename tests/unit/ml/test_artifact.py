"""Pipelines as files."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from prodapp.exceptions import DataRefused
from prodapp.ml.algorithms import ALGORITHMS, AUTO
from prodapp.ml.artifact import dump_pipeline, load_pipeline
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.preprocessing import features_frame
from prodapp.ml.specification import Specification

from .conftest import describe


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != AUTO])
def test_a_loaded_pipeline_answers_as_the_dumped_one(algorithm: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"])
    frame["kind"] = rng.choice(["x", "y"], size=80)
    frame.loc[::5, ["a", "kind"]] = np.nan
    columns = describe(frame)
    pipeline = build_pipeline(Specification(target="y", algorithm=algorithm), columns, n_samples=80)
    samples = features_frame(frame, columns)
    fit_pipeline(pipeline, samples, frame["b"].to_numpy(), on_share=lambda _: None)
    loaded = load_pipeline(dump_pipeline(pipeline))
    np.testing.assert_array_equal(loaded.predict(samples), pipeline.predict(samples))


def test_a_file_that_would_run_a_function_is_refused() -> None:
    data = skops.io.dumps(Pipeline([("run", FunctionTransformer(os.system))]))
    with pytest.raises(DataRefused) as refused:
        load_pipeline(data)
    assert refused.value.error_code == "artifact_refused"


@pytest.mark.parametrize("data", [b"", b"not a zip", skops.io.dumps({"a": 1})])
def test_damaged_or_foreign_files_are_refused(data: bytes) -> None:
    with pytest.raises(DataRefused) as refused:
        load_pipeline(data)
    assert refused.value.error_code == "artifact_damaged"


def test_a_truncated_file_is_refused() -> None:
    data = dump_pipeline(Pipeline([("one", FunctionTransformer())]))
    with pytest.raises(DataRefused):
        load_pipeline(data[: len(data) // 2])
