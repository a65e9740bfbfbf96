"""Numbers for "no value" are told from values; rates over simulated columns."""

from __future__ import annotations

import numpy as np
import pytest

from prodapp.ml.intake.sentinels import CANDIDATES, find_sentinels


def test_values_of_clean_columns_are_never_taken_for_codes() -> None:
    """No false alarm in 600 columns, though each may hold a candidate within its values."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n_rows = int(rng.choice([20, 200, 2000]))
        columns = [
            rng.integers(0, 10_000, n_rows).astype(float),
            np.round(rng.normal(0, 500, n_rows)),
            np.round(rng.lognormal(5, 1.5, n_rows)),
        ]
        columns[0][0], columns[1][0] = 9999, -999
        assert [find_sentinels(column) for column in columns] == [[], [], []]


@pytest.mark.parametrize("code", sorted(CANDIDATES))
def test_a_code_far_from_the_values_is_found(code: float) -> None:
    values = np.random.default_rng(1).normal(20, 2, 200)
    values[[3, 50, 51]] = code
    found = find_sentinels(values)
    assert [(one.value, one.count, one.first) for one in found] == [(code, 3, 3)]


def test_two_codes_in_one_column_are_found() -> None:
    values = np.random.default_rng(2).normal(20, 2, 200)
    values[:5], values[5:9] = -999, 9999
    assert {one.value for one in find_sentinels(values)} == {-999.0, 9999.0}


def test_a_negative_code_near_large_positive_values_is_found() -> None:
    values = np.random.default_rng(3).uniform(647, 2040, 500)
    values[::20] = -200
    assert [one.value for one in find_sentinels(values)] == [-200.0]
