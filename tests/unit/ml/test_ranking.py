"""The ordered list of variables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.ranking import rank_variables

from .conftest import describe

FRAME = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [5.0, 3, 5, 3], "k": ["x", "y", "x", "y"]})


def test_variables_are_ordered_by_mean_absolute_shap() -> None:
    values = np.array([[-1.0, 4, 0], [-0.5, -4, 0], [0.5, 4, 1], [1.0, -4, -1]])
    ranking = rank_variables(describe(FRAME), FRAME, values, np.array([1.0, 3.0, 0.0]))
    assert [(row.rank, row.feature) for row in ranking] == [(1, "b"), (2, "a"), (3, "k")]
    assert [row.importance_shap_mean_abs for row in ranking] == [4, 0.75, 0.5]
    assert [row.score_final for row in ranking] == pytest.approx(
        [4 / 5.25, 0.75 / 5.25, 0.5 / 5.25]
    )
    assert [row.shap_norm for row in ranking] == [1, 0.1875, 0.125]
    assert [row.importance_native for row in ranking] == [0.75, 0.25, 0]
    assert [row.effect for row in ranking] == ["increases", "increases", "nonmonotonic"]


def test_ties_are_ordered_by_name_and_nothing_is_divided_by_zero() -> None:
    ranking = rank_variables(describe(FRAME), FRAME, np.zeros((4, 3)), np.zeros(3))
    assert [row.feature for row in ranking] == ["a", "b", "k"]
    assert all(row.score_final == row.shap_norm == row.native_norm == 0 for row in ranking)
