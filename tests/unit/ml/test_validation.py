"""Metrics and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from prodapp.ml.validation import (
    CROSSES_ZERO,
    NEARS_ZERO,
    Metrics,
    correlation_length,
    measure,
    time_blocks,
)


def measured(actual: np.ndarray, predicted: np.ndarray, mean: float = 0.0) -> Metrics:
    return measure(actual, predicted, training_mean=mean, n_train=10, n_features=1, random_state=0)


def test_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    actual = rng.normal(1e6, 3, size=200)
    predicted = actual + rng.normal(size=200)
    found = measured(actual, predicted, mean=1e6)
    assert found.r2 == pytest.approx(reference.r2_score(actual, predicted))
    assert found.mae == pytest.approx(reference.mean_absolute_error(actual, predicted))
    assert found.rmse == pytest.approx(reference.root_mean_squared_error(actual, predicted))
    assert found.baseline_mae == pytest.approx(np.abs(actual - 1e6).mean())
    assert found.explains


@pytest.mark.parametrize("n", [200, 8_000])
def test_intervals_cover_the_true_error_about_as_often_as_they_say(n: int) -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(40):
        actual = rng.normal(size=n)
        found = measured(actual, actual + rng.normal(scale=0.5, size=n))
        interval = found.rmse_interval
        assert interval.low <= found.rmse <= interval.high
        covered += interval.low <= 0.5 <= interval.high
    assert covered >= 33  # 38 expected; fewer than 33 has a chance below 1 in 100


def test_few_held_out_noise_samples_are_hardly_ever_called_explained() -> None:
    rng = np.random.default_rng(2)
    called = sum(
        measured(rng.normal(size=5), rng.normal(scale=0.3, size=5)).explains for _ in range(200)
    )
    assert called <= 10


def test_a_target_that_does_not_vary_explains_nothing() -> None:
    found = measured(np.full(10, 3.0), np.full(10, 3.0), mean=3.0)
    assert (found.r2, found.explains) == (0.0, False)


def autoregressive(rng: np.random.Generator, n: int, *, memory: float) -> np.ndarray:
    values = rng.normal(size=n)
    for place in range(1, n):
        values[place] = memory * values[place - 1] + np.sqrt(1 - memory**2) * values[place]
    return values


def test_blocks_of_time_keep_intervals_honest_where_single_samples_do_not() -> None:
    rng = np.random.default_rng(3)
    covered = {"samples": 0, "blocks": 0}
    for _ in range(60):
        error = autoregressive(rng, 1500, memory=0.95)
        actual = autoregressive(rng, 1500, memory=0.95)
        for name, clusters in (("samples", None), ("blocks", time_blocks(error, actual))):
            found = measure(
                actual,
                actual + error,
                training_mean=0.0,
                n_train=10,
                n_features=1,
                random_state=0,
                clusters=clusters,
            ).rmse_interval
            covered[name] += found.low <= 1.0 <= found.high
    assert covered["samples"] < 40
    assert covered["blocks"] >= 50


def test_groups_that_fall_together_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    actual = rng.normal(size=200)
    predicted = actual + np.repeat(rng.normal(size=10), 20)
    options = {"training_mean": 0.0, "n_train": 10, "n_features": 1, "random_state": 0}
    alone = measure(actual, predicted, **options).mae_interval
    grouped = measure(
        actual, predicted, **options, clusters=np.repeat(np.arange(10), 20)
    ).mae_interval
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_memory_is_found_where_there_is_one() -> None:
    rng = np.random.default_rng(5)
    assert correlation_length(rng.normal(size=1000)) == 1
    assert correlation_length(np.ones(100)) == 1
    assert 20 < correlation_length(autoregressive(rng, 5000, memory=0.95)) < 200


def test_skill_is_against_the_training_mean_and_r2_against_that_of_the_held_out() -> None:
    actual = np.array([10.0, 11, 12, 13])
    found = measured(actual, np.full(4, 11.5), mean=0.0)
    assert found.r2 == pytest.approx(0)
    assert found.skill == pytest.approx(1 - 5 / (actual**2).sum())
    assert not found.explains  # the level alone is no explanation


def test_percentages_are_given_where_they_mean_something_and_else_the_reason() -> None:
    actual = np.array([100.0, 200, 400])
    found = measured(actual, actual * [1.1, 0.9, 1.0])
    assert found.mape == pytest.approx(0.2 / 3)
    assert found.mape_interval is not None
    assert found.mape_reason is None
    for values, reason in (([-1.0, 1, 2], CROSSES_ZERO), ([0.001, 5.0, 6.0], NEARS_ZERO)):
        without = measured(np.array(values), np.array(values) + 1)
        assert (without.mape, without.mape_interval, without.mape_reason) == (None, None, reason)


def test_the_last_value_is_measured_beside_the_model() -> None:
    actual = np.arange(10.0)
    before = np.concatenate([[np.nan], actual[:-1]])
    found = measure(
        actual,
        actual,
        training_mean=0.0,
        n_train=10,
        n_features=1,
        random_state=0,
        last_values=before,
    )
    assert (found.last_value_mae, found.last_value_rmse) == (1.0, 1.0)
    assert found.last_value_r2 == pytest.approx(1 - 9 / 60)
