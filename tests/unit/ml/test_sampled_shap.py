"""Estimated SHAP values: what they add up to, what they equal, and how uncertain they are."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt
import pytest

from prodapp.ml import sampled_shap
from prodapp.ml.sampled_shap import N_ORDERS, SampledShap, background_rows, importance_uncertainty

FloatArray = npt.NDArray[np.float64]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
BACKGROUND = RNG.normal(size=(N_ORDERS, 4))
ALONE = np.arange(4)


def curved(samples: FloatArray) -> FloatArray:
    return samples[:, 0] * samples[:, 1] + np.sin(samples[:, 2]) + 0 * samples[:, 3]


def explained(sources: npt.NDArray[np.intp] = ALONE, *, n_jobs: int = 1) -> SampledShap:
    return sampled_shap.shap_values(
        curved,
        X,
        BACKGROUND,
        sources,
        n_variables=int(sources.max()) + 1,
        n_jobs=n_jobs,
        seed=(0,),
        on_share=lambda _: None,
    )


def exact(x: FloatArray, player: int) -> float:
    """The Shapley value by its definition, over all sets of the others."""
    others = [other for other in range(4) if other != player]

    def worth(known: tuple[int, ...]) -> float:
        mixed = BACKGROUND.copy()
        mixed[:, known] = x[list(known)]
        return float(curved(mixed).mean())

    return sum(
        (worth((*known, player)) - worth(known)) / (4 * comb(3, size))
        for size in range(4)
        for known in combinations(others, size)
    )


def test_values_add_up_to_the_answer_whatever_the_orders() -> None:
    found = explained()
    np.testing.assert_allclose(found.values.sum(axis=1) + found.expected_value, curved(X))
    assert found.expected_value == pytest.approx(curved(BACKGROUND).mean())


def test_values_equal_the_definition_within_their_uncertainty() -> None:
    found = explained()
    truth = np.array([[exact(x, player) for player in range(4)] for x in X])
    # Additive parts do not depend on the order at all.
    np.testing.assert_allclose(found.values[:, 2:], truth[:, 2:], atol=1e-12)
    errors, _ = importance_uncertainty(found.parts)
    importances, true_ones = (np.abs(values).mean(axis=0) for values in (found.values, truth))
    assert np.all(np.abs(importances - true_ones) <= 4 * errors + 1e-12)
    assert np.corrcoef(found.values[:, 0], truth[:, 0])[0, 1] > 0.9


def test_columns_of_one_variable_become_known_together() -> None:
    joint = explained(np.array([0, 0, 1, 2]))
    # The product is then inside one variable, and nothing is left to the order.
    product = X[:, 0] * X[:, 1] - (BACKGROUND[:, 0] * BACKGROUND[:, 1]).mean()
    np.testing.assert_allclose(joint.values[:, 0], product, atol=1e-12)


def test_threads_change_nothing() -> None:
    np.testing.assert_array_equal(explained().values, explained(n_jobs=2).values)


def test_a_single_variable_gets_all() -> None:
    found = explained(np.zeros(4, dtype=np.intp))
    np.testing.assert_allclose(found.values[:, 0] + found.expected_value, curved(X))


def test_the_uncertainty_told_is_that_of_repeats() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([1.0, 0.0]) * rng.normal(size=(300, 2))
    noise = 0.5

    def parts() -> FloatArray:
        shape = (sampled_shap.N_PARTS, *truth.shape)
        return truth + noise * np.sqrt(sampled_shap.N_PARTS) * rng.normal(size=shape)

    repeats = [parts() for _ in range(200)]
    importances = np.array([np.abs(part.mean(axis=0)).mean(axis=0) for part in repeats])
    told = [importance_uncertainty(part) for part in repeats]
    errors = np.mean([errors for errors, _ in told], axis=0)
    # Right for a variable that matters, on the safe side for one that does not.
    spreads = importances.std(axis=0)
    assert errors[0] == pytest.approx(spreads[0], rel=0.25)
    assert spreads[1] < errors[1] < 2 * spreads[1]
    # Noise alone gives the second variable √(2/π) of its spread; the jackknife finds most of that.
    bias = np.mean([bias for _, bias in told], axis=0)
    excess = importances[:, 1].mean()
    assert excess == pytest.approx(noise * np.sqrt(2 / np.pi), rel=0.05)
    assert 0.4 * excess < bias[1] < 1.2 * excess


def test_background_samples_answer_as_all_do_on_average() -> None:
    answers = RNG.normal(size=2_000) ** 2
    rows = background_rows(answers)
    assert len(set(rows.tolist())) == N_ORDERS
    assert answers[rows].mean() == pytest.approx(answers.mean(), rel=0.05)


def test_few_samples_serve_as_background_more_than_once() -> None:
    assert len(background_rows(np.arange(5.0))) == N_ORDERS
