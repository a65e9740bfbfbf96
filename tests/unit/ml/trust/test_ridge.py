# ruff: noqa: N803, N806  (X and Z are what books call them)

from __future__ import annotations

import numpy as np
import pytest

from prodapp.ml.trust.ridge import FloatArray, Ridge

N_VARIABLES, N_FUNCTIONS = 6, 7


def standardized(values: FloatArray) -> FloatArray:
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    return centred / np.where(spread > 0, spread, 1.0)


def functions(X: FloatArray) -> FloatArray:
    quantiles = np.quantile(X, (0.1, 0.3, 0.5, 0.7, 0.9), axis=0)
    hinges = [np.maximum(X - quantile, 0.0) for quantile in quantiles]
    parts = np.stack([X, X**2, *hinges], axis=2)
    return standardized(parts.reshape(len(X), -1))


def directly(Z: FloatArray, targets: FloatArray, penalties: FloatArray) -> FloatArray:
    """The same by its definition, a system of equations for each penalty."""
    means = targets.mean(axis=0)
    gram, products = Z.T @ Z, Z.T @ (targets - means)
    scores, answers = [], []
    for penalty in penalties:
        system = gram + penalty * np.eye(len(gram))
        fitted = Z @ np.linalg.solve(system, products)
        freedom = np.trace(np.linalg.solve(system, gram))
        room = max(1 - (freedom + 1) / len(targets), 1e-3)
        scores.append((((targets - means) - fitted) ** 2).sum() / room**2)
        answers.append(means + fitted)
    return answers[int(np.argmin(scores))]


@pytest.mark.parametrize("case", ["free", "near copies", "copies and a constant", "steps", "short"])
def test_leaving_out_and_taking_in_equals_a_regression_from_scratch(case: str) -> None:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(60 if case == "short" else 400, N_VARIABLES))
    if case == "near copies":
        X[:, 3] = X[:, 0] + 1e-3 * rng.normal(size=len(X))
    if case == "copies and a constant":
        X[:, 3], X[:, 5] = X[:, 0], 1.0
    if case == "steps":
        X[:, 2] = X[:, 2] > 0
    Z = functions(X)
    targets = np.column_stack([X[:, 0] + 0.3 * rng.normal(size=len(X)), X[:, 1] * X[:, 4]])
    further = standardized(np.column_stack([X[:, 1] * X[:, 4], X[:, 0] * X[:, 2]]))
    ridge = Ridge(Z)
    none = np.zeros(0, dtype=np.intp)
    for without in (none, np.arange(N_FUNCTIONS), np.arange(7, 21)):
        for more in (None, further):
            kept = np.delete(Z, without, axis=1)
            whole = kept if more is None else np.hstack([kept, more])
            found = ridge.fitted(targets, without=without, further=more)
            expected = directly(whole, targets, ridge.penalties)
            assert np.abs(found - expected).max() < 1e-8


def test_of_a_basis_that_tells_nothing_the_mean_is_left() -> None:
    targets = np.arange(10.0)[:, np.newaxis]
    assert Ridge(np.zeros((10, 3))).fitted(targets) == pytest.approx(np.full((10, 1), 4.5))
    assert Ridge(np.zeros((10, 0))).fitted(targets) == pytest.approx(np.full((10, 1), 4.5))
