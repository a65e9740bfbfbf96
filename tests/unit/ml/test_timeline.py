"""The order of rows, and where a series breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from prodapp.ml.timeline import Timeline, find_timeline

from .conftest import describe


def timeline(frame: pd.DataFrame, **options: str) -> Timeline:
    return find_timeline(frame, describe(frame), **options)


def test_rows_are_put_in_the_order_of_their_time() -> None:
    at = pd.to_datetime(["2026-01-03", "2026-01-01", "2026-01-02", None])
    found = timeline(pd.DataFrame({"at": at, "x": [3.0, 1, 2, 2.5]}), time_column="at")
    # The row without a time is taken to have come with the one before it.
    assert found.rows.tolist() == [1, 2, 3, 0]
    assert np.diff(found.clock).tolist() == [1, 1, 1]
    assert found.is_ordered


def test_the_clock_jumps_after_a_gap_in_time() -> None:
    times = pd.to_timedelta([0, 1, 2, 3, 60, 61], unit="min") + pd.Timestamp("2026-01-01")
    found = timeline(pd.DataFrame({"at": times}), time_column="at")
    assert np.diff(found.clock).tolist() == [1, 1, 1, 2, 1]


def test_each_group_is_a_series_of_its_own() -> None:
    frame = pd.DataFrame({"at": np.arange(6.0), "line": list("ababab")})
    found = timeline(frame, time_column="at", group_column="line")
    assert found.rows.tolist() == list(range(6))
    np.testing.assert_array_equal(found.clock[::2] - found.clock[0], [0, 1, 2])
    np.testing.assert_array_equal(found.clock[1::2] - found.clock[1], [0, 1, 2])
    assert found.clock[1] - found.clock[4] == 2


def test_a_number_that_was_said_to_tell_the_time_orders_the_rows() -> None:
    frame = pd.DataFrame({"cycle": [3.0, 1, 2], "x": [0.3, 0.1, 0.2]})
    columns = [replace(c, role="time") if c.name == "cycle" else c for c in describe(frame)]
    found = find_timeline(frame, columns)
    assert (found.by, found.rows.tolist()) == ("cycle", [1, 2, 0])


def test_independent_rows_are_in_no_order() -> None:
    rng = np.random.default_rng(0)
    found = timeline(pd.DataFrame(rng.normal(size=(30_000, 2)), columns=["a", "b"]))
    assert not found.is_ordered
    assert found.rows.tolist() == list(range(30_000))
