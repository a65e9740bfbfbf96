"""Regimes: found where a level shifts for good, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.columns import describe_column
from prodapp.ml.samples import gather_samples
from prodapp.ml.specification import Specification
from prodapp.ml.trust.regimes import (
    MAX_REGIMES,
    critical_score,
    find_regimes,
    regime_names,
    shift_score,
)
from prodapp.ml.trust.segments import REGIMES, sign_flips
from tests.unit.ml.trust.test_conditional import described


def series(rng: np.random.Generator, n: int, steady: float) -> np.ndarray:
    """A first-order autoregressive series of variance 1."""
    found = np.empty(n)
    found[0] = rng.normal()
    steps = np.sqrt(1 - steady**2) * rng.normal(size=n)
    for i in range(1, n):
        found[i] = steady * found[i - 1] + steps[i]
    return found


def table(seed: int, *, n: int = 800, steady: float = 0.8, n_variables: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({f"x{k}": series(rng, n, steady) for k in range(n_variables)})


def regimes_of(frame: pd.DataFrame) -> list[int]:
    return find_regimes(frame, described(frame))


def test_shifts_of_a_level_are_found_where_they_are() -> None:
    for seed in range(5):
        frame = table(seed)
        frame.loc[300:, "x1"] += 4.0
        frame.loc[600:, "x4"] -= 4.0
        found = regimes_of(frame)
        assert len(found) == 2
        assert found == pytest.approx([300, 600], abs=25)


@pytest.mark.parametrize("steady", [0.0, 0.8, 0.95])
def test_none_are_found_where_no_level_shifts(steady: float) -> None:
    """Also none in waves, in a trend, and in a meter that counts up."""
    time = np.arange(800)
    n_wrong = 0
    for seed in range(12):
        frame = table(seed, steady=steady)
        frame["wave"] = np.sin(time / 25) + 0.3 * frame["x0"]
        frame["trend"] = time + 30 * frame["x1"]
        frame["meter"] = np.abs(frame["x2"]).cumsum()
        n_wrong += bool(regimes_of(frame))
    assert n_wrong == 0


def test_what_has_no_level_has_no_regimes() -> None:
    """Of 20 tables of random walks, 4 had some when a walk's way to another level counted."""
    n_wrong = 0
    for seed in range(20):
        steps = np.random.default_rng(seed).normal(size=(800, 10))
        walks = pd.DataFrame(steps.cumsum(axis=0), columns=[f"x{k}" for k in range(10)])
        n_wrong += bool(regimes_of(walks))
    assert n_wrong <= 1


def test_outliers_and_holes_hide_no_shift_and_make_none() -> None:
    frame = table(1)
    frame.loc[10:14, "x0"] = 1e6
    frame.loc[::3, "x2"] = np.nan
    assert regimes_of(frame) == []
    frame.loc[400:, "x2"] += 5.0
    assert regimes_of(frame) == pytest.approx([400], abs=15)


def test_regimes_are_few_and_long() -> None:
    frame = table(2, n=1200, steady=0.0)
    for k in range(1, 12):
        frame.loc[100 * k :, "x0"] += 10.0 * (-1) ** k * k
    found = regimes_of(frame)
    assert len(found) < MAX_REGIMES
    assert min(np.diff([0, *found, 1200])) >= 100
    assert regimes_of(table(3, n=150)) == []
    assert find_regimes(pd.DataFrame({"word": ["a"] * 500}), []) == []


def test_the_score_stays_below_its_limit_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    scores = [shift_score(rng.normal(size=24))[0] for _ in range(600)]
    assert np.mean(np.array(scores) > critical_score(0.05)) == pytest.approx(0.05, abs=0.03)


def test_regimes_are_named_by_their_times_or_rows() -> None:
    times = pd.Series(pd.date_range("2026-03-01", periods=4, freq="D"))
    assert list(regime_names([3], times, 4)) == [
        *["1 (2026-03-01 00:00 – 2026-03-03 00:00)"] * 3,
        "2 (2026-03-04 00:00 – 2026-03-04 00:00)",
    ]
    assert list(regime_names([1], None, 2)) == ["1 (1 – 1)", "2 (2 – 2)"]


def test_samples_in_time_are_parted_by_regimes_and_others_are_not() -> None:
    frame = table(5, n=600)
    frame.loc[300:, "x1"] += 5.0
    frame["y"] = frame["x0"]
    dated = frame.assign(at=pd.Series(pd.date_range("2026-01-01", periods=600, freq="h")))
    spec = Specification(target="y")
    columns = [*described(frame), describe_column(dated["at"], name="at", kind="date")]
    parts = gather_samples(dated, columns, spec).parts[REGIMES]
    assert parts.nunique() == 2
    assert parts.iloc[0].startswith("1 (2026-01-01 00:00 – 2026-01-1")
    mixed = frame.sample(frac=1.0, random_state=0).reset_index(drop=True)
    assert REGIMES not in gather_samples(mixed, described(mixed), spec).parts


def test_a_variable_that_turns_between_regimes_is_found() -> None:
    frame = table(6, n=800, steady=0.5)
    turn = np.where(np.arange(800) < 400, 1.0, -1.0)
    y = (turn * frame["x0"] + frame["x1"]).to_numpy()
    frame.loc[400:, "x3"] += 5.0
    parts = pd.DataFrame({REGIMES: regime_names(regimes_of(frame), None, 800)})
    columns = described(frame)
    (flip,) = sign_flips(parts, frame, y, columns, list(frame.columns), is_ordered=True)
    assert (flip.variable, flip.column) == ("x0", REGIMES)
    assert flip.up.level.startswith("1 (")
