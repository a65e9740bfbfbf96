"""Dates in text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from prodapp.ml.intake.dates import Dates, read_dates


def dates(*cells: str | None) -> Dates | None:
    return read_dates(pa.chunked_array([list(cells)], type=pa.large_string()))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2024-03-28", "2024-03-28T00:00:00"),
        ("2024-03-28 07:05", "2024-03-28T07:05:00"),
        ("2024-03-28T07:05:09.250", "2024-03-28T07:05:09.250"),
        ("2024/3/8 7:05:09", "2024-03-08T07:05:09"),
        ("2024-03-28T07:05:00Z", "2024-03-28T07:05:00"),
        ("2024-03-28T07:05:00-03:00", "2024-03-28T10:05:00"),
        ("28/03/2024", "2024-03-28T00:00:00"),
        ("28/3/2024 7:05", "2024-03-28T07:05:00"),
        ("28.03.2024 07:05:09", "2024-03-28T07:05:09"),
        ("28-03-2024", "2024-03-28T00:00:00"),
        ("28/03/24 7:05", "2024-03-28T07:05:00"),
        ("03/28/2024", "2024-03-28T00:00:00"),
    ],
)
def test_common_forms_are_dates(cell: str, expected: str) -> None:
    found = dates(cell, None)
    assert found is not None
    assert found.values[0] == np.datetime64(expected)
    assert np.isnat(found.values[1])


@pytest.mark.parametrize(
    "cells",
    [
        ("x",),
        ("12.5",),
        ("01-02-15",),
        ("31/04/2024",),
        ("2024-02-30",),
        ("13/13/2024",),
        ("2024-01-01 25:00",),
        (),
    ],
)
def test_what_is_no_date_is_left_alone(cells: tuple[str, ...]) -> None:
    assert dates(*cells) is None


def test_one_day_above_twelve_settles_the_order() -> None:
    found = dates("01/02/2024", "03/04/2024", "13/04/2024")
    assert found is not None
    assert (found.order, found.ambiguous) == ("d/m/Y", False)
    assert found.values[0] == np.datetime64("2024-02-01")


def test_rows_in_time_order_hint_at_the_month_first() -> None:
    found = dates("01/10/2024", "01/11/2024", "02/01/2024")
    assert found is not None
    assert (found.order, found.ambiguous) == ("m/d/Y", True)


def test_without_any_hint_the_day_comes_first_and_it_is_said() -> None:
    found = dates("05/05/2024", "01/02/2024")
    assert found is not None
    assert (found.order, found.ambiguous) == ("d/m/Y", True)


def test_dates_with_and_without_time_mix() -> None:
    found = dates("01/02/2024 23:45", "02/02/2024", "15/02/2024 0:15")
    assert found is not None
    assert not np.isnat(found.values).any()
