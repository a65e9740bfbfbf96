# ruff: noqa: N803, N806  (X and y are the field's names)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.trust.segments import Flip, rank_segments, segment_frame, sign_flips
from tests.unit.ml.trust.test_conditional import described


def process(seed: int, *, n: int = 800) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """X, its parts, and noise. ``load`` goes along with ``heat``, and with the product."""
    rng = np.random.default_rng(seed)
    product = rng.choice(["A", "B", "C"], n)
    X = pd.DataFrame({"heat": rng.normal(size=n), "speed": rng.normal(size=n)})
    X["load"] = 0.8 * X["heat"] + 2.0 * (product == "A") + 0.6 * rng.normal(size=n)
    return X, pd.DataFrame({"product": product}), rng.normal(size=n)


def flips_of(X: pd.DataFrame, parts: pd.DataFrame, y: np.ndarray, **how: bool) -> tuple[Flip, ...]:
    return sign_flips(
        parts, X, y, described(X), list(X.columns), is_ordered=how.get("is_ordered", False)
    )


@pytest.mark.parametrize("is_ordered", [False, True])
def test_a_variable_that_turns_with_the_product_is_found(is_ordered: bool) -> None:
    X, parts, noise = process(0)
    turn = np.where(parts["product"] == "B", -1.0, 1.0)
    y = (3 * X["heat"] + turn * X["speed"]).to_numpy() + noise
    (flip,) = flips_of(X, parts, y, is_ordered=is_ordered)
    assert (flip.variable, flip.column, flip.down.level) == ("speed", "product", "B")
    assert flip.up.slope > 0 > flip.down.slope


def test_no_variable_turns_where_none_does() -> None:
    """Effects that differ in size, curves, proxies, and a variable that the parts tell."""
    n_wrong = 0
    for seed in range(40):
        X, parts, noise = process(seed)
        size = np.where(parts["product"] == "B", 0.1, 2.0)
        y = (X["load"] ** 2 + size * X["speed"] + X["heat"]).to_numpy() + 2 * noise
        n_wrong += bool(flips_of(X, parts, y))
    assert n_wrong == 0


def test_parts_that_are_too_small_are_passed_over() -> None:
    X, parts, noise = process(1, n=120)
    assert flips_of(X, parts, X["speed"].to_numpy() + noise) == ()


def test_each_part_has_a_ranking_of_its_own() -> None:
    rng = np.random.default_rng(2)
    parts = pd.DataFrame({"shift": ["day"] * 100 + ["night"] * 100 + [None] * 20})
    shap = rng.normal(size=(180, 2)) * [1.0, 0.5]
    explained = np.arange(40, 220)
    shap[explained >= 100] *= [0.2, 4.0]
    (found,) = rank_segments(parts, ["a", "b"], explained, shap, time_column=None)
    day, night = found.levels
    assert (day.name, day.n, day.n_explained, day.importances[0][0]) == ("day", 100, 60, "a")
    assert night.importances[0][0] == "b"
    _, share, error = night.importances[0]
    assert share == pytest.approx(10 / 11, abs=0.05)
    assert 0 < error < 0.05
    assert sum(item[1] for item in day.importances) == pytest.approx(1)


def test_times_are_parted_into_shifts_and_columns_of_few_classes_into_theirs() -> None:
    when = pd.date_range("2026-01-01", periods=24 * 4, freq="h").astype("datetime64[us]")
    frame = pd.DataFrame({"when": when})
    frame["few"] = pd.Categorical(np.where(np.arange(96) % 2, "x", "y"))
    frame["many"] = pd.Categorical([str(n % 40) for n in range(96)])
    frame["y"] = np.arange(96.0) % 7
    columns = described(frame)
    found = segment_frame(frame, columns, target="y", time_column="when")
    assert list(found.columns) == ["few", "when"]
    by_hour = dict(zip(when.hour, found["when"], strict=True))
    assert [by_hour[h] for h in (5, 6, 13, 14, 21, 22)] == [
        *("22–6 h", "6–14 h", "6–14 h"),
        *("14–22 h", "14–22 h", "22–6 h"),
    ]
