from __future__ import annotations

import numpy as np
import pandas as pd

from prodapp.ml.profile.sparklines import MAX_POINTS, sparkline


def test_a_long_column_is_told_in_few_points_in_its_order() -> None:
    points = sparkline(pd.Series(np.arange(4_000.0)))
    assert len(points) == MAX_POINTS
    assert points[0] == 49.5
    assert points[-1] == 3950.0  # 3949.5 in four digits
    assert list(points) == sorted(points)


def test_a_short_column_is_told_as_it_is() -> None:
    assert sparkline(pd.Series([1.0, np.nan, 3.25])) == (1.0, None, 3.25)
    assert sparkline(pd.Series([], dtype=float)) == ()


def test_what_no_number_can_hold_is_left_out() -> None:
    assert sparkline(pd.Series([np.inf, -np.inf, 2.0])) == (None, None, 2.0)
    assert sparkline(pd.Series([1.7e308] * 80))[0] is None
