# ruff: noqa: N803, N806  (X and y are the field's names)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.trust.lags import Lag, find_lags
from tests.unit.ml.trust.test_conditional import described


def series(n: int, rng: np.random.Generator, *, steady: float) -> np.ndarray:
    values, now = np.empty(n), 0.0
    for place, shock in enumerate(rng.normal(size=n)):
        now = steady * now + shock
        values[place] = now
    return values


def later(values: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([np.zeros(rows), values[: len(values) - rows]])


def found(X: pd.DataFrame, y: np.ndarray, **how: object) -> dict[str, Lag]:
    return {lag.variable: lag for lag in find_lags(X, y, described(X), **how)}  # type: ignore[arg-type]


@pytest.mark.parametrize("steady", [0.0, 0.9, 1.0])
def test_dead_times_are_found_though_the_series_drift(steady: float) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({name: series(800, rng, steady=steady) for name in ("feed", "now", "idle")})
    y = later(X["feed"].to_numpy(), 12) + X["now"].to_numpy() - 0.5 * later(X["feed"], 11)
    lags = found(X, y + series(800, rng, steady=0.8))
    assert set(lags) == {"feed"}
    assert lags["feed"].lag == 12
    assert lags["feed"].first <= 12 <= lags["feed"].last <= 13
    assert lags["feed"].correlation > 0.3


def test_unrelated_series_have_no_lag_whatever_their_drift() -> None:
    n_wrong = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        steady = (0.5, 0.95, 1.0)[seed % 3]
        X = pd.DataFrame({f"x{k}": series(300, rng, steady=steady) for k in range(4)})
        n_wrong += bool(found(X, series(300, rng, steady=steady)))
    assert n_wrong <= 2


def test_no_lag_reaches_over_the_border_of_a_series() -> None:
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"feed": rng.normal(size=400)})
    y = later(X["feed"].to_numpy(), 5) + 0.1 * rng.normal(size=400)
    assert found(X, y)["feed"].n > 350
    X.index = pd.Index(np.arange(400) + 7 * (np.arange(400) // 20))  # series of 20 rows
    inside = found(X, y)["feed"]
    assert (inside.lag, inside.n < 200) == (5, True)
    X.index = pd.Index(2 * np.arange(400))  # no row follows another
    assert found(X, y) == {}


def test_rows_that_come_in_another_order_are_put_on_their_clock() -> None:
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"feed": rng.normal(size=400)})
    y = later(X["feed"].to_numpy(), 5) + 0.1 * rng.normal(size=400)
    order = rng.permutation(400)  # as samples of groups come
    assert found(X.iloc[order], y[order]) == found(X, y)


def test_what_is_short_still_or_skipped_is_left_alone() -> None:
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"feed": rng.normal(size=400), "still": 1.0, "count": np.arange(400.0)})
    X["holes"] = np.where(rng.random(400) < 0.3, np.nan, X["feed"])
    y = later(X["feed"].to_numpy(), 3)
    assert "feed" in found(X, y)
    assert found(X[["feed", "still"]], y, skipped=["feed"]) == {}
    assert found(X[:80], y[:80]) == {}
