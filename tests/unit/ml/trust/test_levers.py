# ruff: noqa: N806  (X and y are the field's names)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.specification import Specification
from prodapp.ml.splits import Plan
from prodapp.ml.trust.levers import LeverFinding, Purpose, find_windows
from prodapp.ml.trust.outcomes import Outcomes
from tests.unit.ml.trust.test_conditional import described


@pytest.fixture(scope="module")
def process() -> tuple[pd.DataFrame, np.ndarray]:
    """``quality`` raises both the target and ``speed``, which lowers it; ``idle`` does nothing."""
    rng = np.random.default_rng(0)
    n = 1200
    quality = rng.normal(size=n)
    X = pd.DataFrame({"quality": quality, "speed": 0.6 * quality + 0.8 * rng.normal(size=n)})
    X["idle"] = rng.normal(size=n)
    X["mode"] = rng.choice(["a", "b"], n).astype(object)
    y = 3 * quality - X["speed"] + (X["mode"] == "b") + 0.5 * rng.normal(size=n)
    return X, y.to_numpy()


def found(
    process: tuple[pd.DataFrame, np.ndarray],
    *levers: str,
    sense: str | None,
    goal: float | None = None,
    scheme: str = "shuffled",
) -> tuple[LeverFinding, ...]:
    X, y = process
    purpose = Purpose(levers, sense, goal)
    spec = Specification(target="y")
    outcomes = Outcomes(spec, described(X), X, y, Plan(scheme, ""), 1)
    return find_windows(outcomes, purpose, random_state=spec.random_state)


def test_a_window_is_judged_for_itself_and_not_for_the_days_it_was_run_on(
    process: tuple[pd.DataFrame, np.ndarray],
) -> None:
    X, y = process
    speed, idle, mode = found(process, "speed", "idle", "mode", sense="raise")
    slowest, fastest = speed.windows[0], speed.windows[-1]
    # Fast rows are the better ones, since good material was run fast.
    assert y[X["speed"] >= fastest.low].mean() > y[X["speed"] <= slowest.high].mean() + 0.5
    assert slowest.gain_low > 0 > fastest.gain_high
    truth = X["speed"].mean() - X.loc[X["speed"] <= slowest.high, "speed"].mean()
    # Rows of the best material were never run slowly: the gain is of the others.
    assert slowest.n_compared < len(X)
    assert 0.8 < slowest.gain < truth
    assert (slowest.low, fastest.high) == (X["speed"].min(), X["speed"].max())
    assert all(window.gain_low < 0 < window.gain_high for window in idle.windows)
    assert [window.level for window in mode.windows] == ["a", "b"]
    assert mode.windows[1].gain == pytest.approx(0.5, abs=0.15)


def test_what_is_wanted_decides_what_a_gain_is(process: tuple[pd.DataFrame, np.ndarray]) -> None:
    (lower,) = found(process, "speed", sense="lower")
    assert lower.windows[-1].gain_low > 0 > lower.windows[0].gain_high
    (hold,) = found(process, "mode", sense="hold", goal=40.0)  # far above: nearer is higher
    assert hold.windows[1].gain_low > 0
    assert found(process, "speed", sense=None) == ()
    assert found(process, sense="raise") == ()


def test_rows_in_an_order_make_intervals_of_blocks(
    process: tuple[pd.DataFrame, np.ndarray],
) -> None:
    (speed,) = found(process, "speed", sense="raise", scheme="time")
    assert len(speed.windows) == 5
    assert sum(window.n for window in speed.windows) < len(process[1])  # the first block learns


def test_values_that_were_hardly_run_are_no_window() -> None:
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"set": rng.choice([1.0, 2.0, 9.0], 400, p=[0.5, 0.45, 0.05])})
    y = X["set"].to_numpy() + rng.normal(size=400)
    (lever,) = found((X, y), "set", sense="raise")
    assert [(window.low, window.high) for window in lever.windows] == [(1.0, 1.0), (2.0, 2.0)]
