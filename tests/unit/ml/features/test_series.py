"""Lags, windows and differences: never ahead, never across a border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.features.series import SeriesFeatures

STEPS: list[dict[str, Any]] = [
    {"step": "lags", "columns": ["x"], "lags": [1, 3]},
    {"step": "rolling", "columns": ["x"], "windows": [3], "statistics": ["mean", "min", "max"]},
    {"step": "differences", "columns": ["x"], "lags": [2]},
]


def made(values: list[float], clock: list[int], steps: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame({"x": values}, index=clock)
    features = SeriesFeatures(steps).fit(frame)
    found = features.transform(frame)
    assert found.columns.tolist() == features.get_feature_names_out().tolist()
    assert set(features.made().values()) == {"x"}
    return found.drop(columns="x")


def test_values_come_from_the_rows_before() -> None:
    found = made([1.0, 2, 4, 8, 16], [0, 1, 2, 3, 4], STEPS)
    nan = np.nan
    expected = {
        "x · lag 1": [nan, 1, 2, 4, 8],
        "x · lag 3": [nan, nan, nan, 1, 2],
        "x · mean 3": [nan, nan, 7 / 3, 14 / 3, 28 / 3],
        "x · min 3": [nan, nan, 1, 2, 4],
        "x · max 3": [nan, nan, 4, 8, 16],
        "x · difference 2": [nan, nan, 3, 6, 12],
    }
    assert found.columns.tolist() == list(expected)
    np.testing.assert_allclose(found.to_numpy(), np.array(list(expected.values())).T)


def test_no_value_crosses_a_border() -> None:
    found = made([1.0, 2, 3, 10, 20, 30], [0, 1, 2, 4, 5, 6], STEPS)
    assert found["x · lag 1"].isna().tolist() == [True, False, False, True, False, False]
    assert found["x · mean 3"].dropna().tolist() == [2, 20]
    assert found["x · lag 3"].isna().all()


def test_series_that_alternate_are_kept_apart_and_the_order_of_rows_is_kept() -> None:
    found = made([1.0, 10, 2, 20, 3, 30], [0, 100, 1, 101, 2, 102], STEPS[:1])
    assert found.index.tolist() == [0, 100, 1, 101, 2, 102]
    assert found["x · lag 1"].tolist()[2:] == [1, 10, 2, 20]


@pytest.mark.parametrize("seed", range(3))
def test_what_comes_later_changes_nothing_before(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=60)
    clock = np.cumsum(rng.choice([1, 1, 1, 2], size=60))
    other = values.copy()
    other[40:] = rng.normal(size=20) * 1e6
    first, second = (made(v.tolist(), clock.tolist(), STEPS) for v in (values, other))
    pd.testing.assert_frame_equal(first.iloc[:40], second.iloc[:40])


def test_reach_is_the_farthest_look_back() -> None:
    assert SeriesFeatures(STEPS).reach == 3
    assert SeriesFeatures([{**STEPS[1], "windows": [60]}]).reach == 59
    assert SeriesFeatures([]).reach == 0


def test_lags_longer_than_the_table_are_missing() -> None:
    found = made([1.0, 2], [0, 1], [{"step": "lags", "columns": ["x"], "lags": [5]}])
    assert found.isna().all().all()
