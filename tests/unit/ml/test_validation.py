"""Splits, metrics and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from prodapp.exceptions import DataRefused
from prodapp.ml.validation import Metrics, measure, shuffled_split


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


def test_split_is_seeded_and_parts_all_samples() -> None:
    train, test = shuffled_split(100, test_size=0.2, random_state=1)
    assert len(test) == 20
    assert sorted([*train, *test]) == list(range(100))
    again = shuffled_split(100, test_size=0.2, random_state=1)
    np.testing.assert_array_equal(test, again[1])
    other = shuffled_split(100, test_size=0.2, random_state=2)
    assert not np.array_equal(test, other[1])


def test_too_few_samples_are_refused() -> None:
    shuffled_split(20, test_size=0.2, random_state=0)
    with pytest.raises(DataRefused, match="at least 20"):
        shuffled_split(19, test_size=0.2, random_state=0)
