"""Parts of dates, ratios, products, powers and logarithms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prodapp.ml.features.rowwise import CalendarParts, OfTwo, Powers, SignedLog

PAIR = pd.DataFrame({"a": [6.0, -1.0, np.nan, 1e300], "b": [3.0, 0.0, 1.0, 1e-300]})


def test_parts_of_dates_are_numbers_and_missing_dates_missing() -> None:
    at = pd.DataFrame({"at": pd.to_datetime(["2026-11-22 13:30", None, "2026-01-05 00:59"])})
    parts = CalendarParts(["hour", "weekday", "month"]).fit(at)
    found = parts.transform(at)
    np.testing.assert_array_equal(found, [[13, 6, 11], [np.nan] * 3, [0, 0, 1]])
    assert parts.get_feature_names_out().tolist() == ["at · hour", "at · weekday", "at · month"]
    assert parts.sources_out([(4, 4)]) == [(4, 4)] * 3


def test_ratios_over_zero_and_numbers_too_large_are_missing() -> None:
    ratio = OfTwo("ratio").fit(PAIR)
    np.testing.assert_array_equal(ratio.transform(PAIR)[:, 0], [2, np.nan, np.nan, np.nan])
    assert ratio.get_feature_names_out().tolist() == ["a ÷ b"]
    product = OfTwo("product").fit(PAIR)
    np.testing.assert_array_equal(product.transform(PAIR)[:, 0], [18, 0, np.nan, 1])
    assert product.sources_out([(1, 1), (0, 0)]) == [(1, 0)]


def test_powers_are_of_the_distance_from_the_mean_that_was_learned() -> None:
    frame = pd.DataFrame({"a": [100.0, 102.0], "b": [1.0, np.nan]})
    powers = Powers(3).fit(frame)
    np.testing.assert_array_equal(powers.transform(frame), [[1, 0, -1, 0], [1, np.nan, 1, np.nan]])
    np.testing.assert_array_equal(powers.transform([[103.0, 2.0]]), [[4, 1, 8, 1]])
    assert powers.get_feature_names_out().tolist() == ["a ^ 2", "b ^ 2", "a ^ 3", "b ^ 3"]
    assert powers.sources_out([(0, 0), (1, 1)]) == [(0, 0), (1, 1)] * 2


def test_the_logarithm_keeps_sign_and_zero() -> None:
    found = SignedLog().fit([[1.0]]).transform([[0.0], [np.e - 1], [1 - np.e]])
    np.testing.assert_allclose(found[:, 0], [0, 1, -1])
