"""The whole way with engineered features: additive, without leaks, the same again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.exceptions import InvalidInput
from prodapp.ml.artifact import dump_pipeline, load_pipeline
from prodapp.ml.columns import describe_column
from prodapp.ml.estimators import build_pipeline
from prodapp.ml.explainers import Explainer
from prodapp.ml.fitting import fit_pipeline
from prodapp.ml.preprocessing import features_frame, source_positions, sum_by_source
from prodapp.ml.progress import no_progress
from prodapp.ml.samples import gather_samples
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column
from prodapp.ml.training import TrainingResult, train

EVERY_STEP: tuple[dict[str, Any], ...] = (
    {"step": "lags", "columns": ["flow"], "lags": [1, 2]},
    {"step": "rolling", "columns": ["flow"], "windows": [4], "statistics": ["mean", "std"]},
    {"step": "differences", "columns": ["heat"], "lags": [1]},
    {"step": "calendar", "parts": ["hour", "weekday"]},
    {"step": "ratio", "columns": ["flow", "heat"]},
    {"step": "product", "columns": ["heat", "flow"]},
    {"step": "polynomial", "columns": ["heat"], "degree": 3},
    {"step": "transform", "columns": ["flow"], "method": "yeo_johnson"},
    {"step": "imputation", "columns": ["heat"], "strategy": "constant", "fill_value": 7},
    {"step": "encoding", "columns": ["recipe"], "method": "target"},
    {"step": "encoding", "columns": ["shift"], "method": "ordinal"},
)


def plant(n: int = 400, *, seed: int = 0) -> tuple[pd.DataFrame, list[Column]]:
    """y follows flow of the row before, and the hour; rows are in the order of "at"."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(5, 1, size=(n, 2)), columns=["flow", "heat"])
    frame["recipe"] = rng.choice(["a", "b", "c"], size=n)
    frame["shift"] = rng.choice(["early", "late"], size=n)
    frame["at"] = pd.date_range("2026-01-01", periods=n, freq="h")
    frame["y"] = 3 * frame["flow"].shift(1, fill_value=5) + frame["at"].dt.hour / 10
    frame["y"] += rng.normal(scale=0.2, size=n)
    frame.loc[::9, "heat"] = np.nan
    kinds = {"recipe": "category", "shift": "category", "at": "date"}
    columns = [describe_column(frame[c], name=c, kind=kinds.get(c, "number")) for c in frame]
    return frame, columns


def trained(n_jobs: int = 1, **options: Any) -> TrainingResult:
    frame, columns = plant()
    spec = Specification(target="y", **{"engineering": EVERY_STEP, **options})
    return train(frame, columns, spec, progress=no_progress, n_jobs=n_jobs)


def test_a_lag_tells_what_the_present_value_cannot_and_counts_for_its_variable() -> None:
    plain = trained(engineering=())
    lagged = trained(engineering=({"step": "lags", "lags": [1]}, {"step": "calendar"}))
    assert plain.metrics.r2 < 0.2
    assert lagged.metrics.r2 > 0.8
    assert [row.feature for row in lagged.ranking[:2]] == ["flow", "at"]
    assert {row.feature for row in lagged.ranking} == {"flow", "heat", "recipe", "shift", "at"}


@pytest.mark.parametrize("algorithm", ["linear_regression", "random_forest", "k_neighbors"])
@pytest.mark.parametrize("seed", range(2))
def test_values_of_the_variables_add_up_to_the_answer(algorithm: str, seed: int) -> None:
    frame, columns = plant(200, seed=seed)
    spec = Specification(
        target="y",
        algorithm=algorithm,
        engineering=EVERY_STEP,
        hyperparameters={"n_estimators": 10} if algorithm == "random_forest" else {},
    )
    samples = gather_samples(frame, columns, spec)
    pipeline = build_pipeline(spec, samples.columns, n_samples=len(samples.y_train))
    fit_pipeline(pipeline, samples.X_train, samples.y_train, on_share=lambda _: None)
    explainer = Explainer(pipeline, samples.columns, samples.X_train, 1, 0)
    encoded = pipeline[0].transform(samples.X_test)
    values = explainer.explain(encoded, on_share=lambda _: None)
    assert values.shape == (len(samples.y_test), 5)
    base = pipeline.predict(samples.X_test) - values.sum(axis=1)
    # One base for all samples; the compiled kernel for trees works in single precision.
    tolerance = 1e-9 if algorithm != "random_forest" else 1e-5
    assert np.ptp(base) <= tolerance * np.abs(samples.y).max()


def test_sharing_by_variable_loses_nothing() -> None:
    frame, columns = plant(200)
    spec = Specification(target="y", algorithm="ridge", engineering=EVERY_STEP)
    samples = gather_samples(frame, columns, spec)
    preprocessing = build_pipeline(spec, samples.columns, n_samples=200)[0]
    encoded = preprocessing.fit_transform(samples.X_train, samples.y_train)
    names = [column.name for column in samples.columns]
    sources = source_positions(preprocessing, names)
    assert len(sources) == encoded.shape[1] == len(preprocessing.get_feature_names_out())
    values = np.random.default_rng(0).normal(size=encoded.shape)
    summed = sum_by_source(values, sources, len(names))
    np.testing.assert_allclose(summed.sum(axis=1), values.sum(axis=1), rtol=1e-9)
    shared = {place for place, source in enumerate(sources.tolist()) if source >= len(names)}
    # Ratio and product, each with the column that marks where it is missing.
    assert len(shared) == 4
    alone = np.zeros_like(values)
    alone[:, sorted(shared)] = 1.0
    found = sum_by_source(alone, sources, len(names))[0]
    assert dict(zip(names, found, strict=True)) == {
        "flow": 2.0,
        "heat": 2.0,
        "recipe": 0.0,
        "shift": 0.0,
        "at": 0.0,
    }


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_lifted_by_what_could_leak(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 1200
    frame = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "y"])
    frame["code"] = rng.choice([f"code {k}" for k in range(50)], size=n)
    frame["at"] = pd.date_range("2026-01-01", periods=n, freq="min")
    kinds = {"code": "category", "at": "date"}
    columns = [describe_column(frame[c], name=c, kind=kinds.get(c, "number")) for c in frame]
    spec = Specification(
        target="y",
        engineering=(
            {"step": "encoding", "method": "target"},
            {"step": "rolling", "windows": [5, 30], "statistics": ["mean", "std", "min"]},
            {"step": "lags", "lags": [1, 2, 3]},
        ),
        hyperparameters={"n_estimators": 30},
    )
    result = train(frame, columns, spec, progress=no_progress, n_jobs=1)
    assert result.plan.scheme == "time"
    assert result.metrics.r2 < 0.02
    assert result.metrics.skill < 0.02
    assert not result.metrics.explains
    assert result.validation.gap.shuffled_r2 < 0.05
    assert result.validation.gap.blocked_r2 < 0.05


def test_windows_of_learning_and_testing_do_not_meet() -> None:
    frame, columns = plant()
    step = {"step": "rolling", "windows": [40]}
    samples = gather_samples(
        frame, columns, Specification(target="y", engineering=(step,), gap_rows=0)
    )
    assert samples.test_rows.min() - samples.train_rows.max() == 40


def test_rows_without_a_target_still_come_before_others() -> None:
    frame, columns = plant()
    frame.loc[10, "y"] = np.nan
    step = {"step": "lags", "columns": ["flow"], "lags": [1]}
    samples = gather_samples(frame, columns, Specification(target="y", engineering=(step,)))
    assert samples.X["flow · lag 1"].iloc[10] == frame["flow"][10]


def test_earlier_rows_need_an_order() -> None:
    frame, columns = plant()
    frame, columns = frame.drop(columns="at"), [c for c in columns if c.name != "at"]
    step = {"step": "lags", "lags": [1]}
    with pytest.raises(InvalidInput) as refused:
        gather_samples(frame, columns, Specification(target="y", engineering=(step,)))
    assert refused.value.fields[0].pointer == "/engineering/0"
    asked = Specification(target="y", engineering=(step,), validation="time")
    assert gather_samples(frame, columns, asked).plan.scheme == "time"


def test_a_run_repeats_bit_for_bit_whatever_the_number_of_threads() -> None:
    first, again, threaded = trained(1), trained(1), trained(3)
    for other in (again, threaded):
        assert dump_pipeline(other.pipeline) == dump_pipeline(first.pipeline)
        assert other.ranking == first.ranking
        assert other.metrics == first.metrics
        assert other.validation == first.validation
        assert other.held_out == first.held_out


def test_the_stored_pipeline_makes_its_features_itself() -> None:
    frame, _ = plant()
    result = trained()
    loaded = load_pipeline(dump_pipeline(result.pipeline))
    columns = [c for c in plant()[1] if c.name in {row.feature for row in result.ranking}]
    answers = loaded.predict(features_frame(frame, columns))
    held_out = dict(result.held_out)
    np.testing.assert_allclose(
        answers[-80:], [held_out[actual] for actual in frame["y"][-80:]], rtol=1e-9
    )
