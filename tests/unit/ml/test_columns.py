"""Kinds and roles of columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.columns import describe_column, format_cell, text_kind


@pytest.mark.parametrize(
    ("values", "kind", "role"),
    [
        (np.arange(1.0, 31), "number", "identifier"),
        (np.delete(np.arange(1.0, 31), 7), "number", "identifier"),
        (np.r_[np.arange(1.0, 31), 5], "number", "feature"),
        (np.arange(30.0)[::-1], "number", "feature"),
        (np.arange(0.0, 60, 2), "number", "feature"),
        (np.array([1.0, 2, 3]), "number", "feature"),
        (np.full(30, 2.5), "number", "constant"),
        (np.full(30, np.nan), "empty", "empty"),
        (np.array([0.0, 1] * 15), "number", "feature"),
        ([f"x{i}" for i in range(30)], "category", "identifier"),
        ([f"x{i % 29}" for i in range(30)], "category", "feature"),
        ([f"x{i % 60}" for i in range(90)], "text", "identifier"),
        (["same"] * 30, "category", "constant"),
        (["yes", "no"] * 15, "boolean", "feature"),
        (pd.date_range("2024-01-01", periods=30), "date", "time"),
    ],
)
def test_role_follows_from_the_values(values: object, kind: str, role: str) -> None:
    column = describe_column(pd.Series(values), name="c", kind=kind)
    assert column.role == role
    assert (column.role_reason is None) == (role == "feature")


def test_figures_leave_missing_values_out() -> None:
    column = describe_column(pd.Series([1.0, np.nan, 4.0, 1.0]), name="c", kind="number")
    assert (column.n_missing, column.n_distinct) == (1, 2)
    assert (column.minimum, column.maximum, column.mean) == (1, 4, 2)
    assert column.examples == ("1", "4")


@pytest.mark.parametrize(
    ("distinct", "kind"),
    [
        (["Sim", "Não"], "boolean"),
        (["TRUE", "FALSE"], "boolean"),
        (["a", "b"], "category"),
        ([str(i) for i in range(50)], "category"),
        ([str(i) for i in range(51)], "text"),
    ],
)
def test_texts_are_told_apart_by_their_distinct_values(distinct: list[str], kind: str) -> None:
    assert text_kind(pd.Index(distinct, dtype="str")) == kind


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1, "0.1"),
        (3.0, "3"),
        (float("nan"), ""),
        (None, ""),
        (pd.NaT, ""),
        (pd.Timestamp("2024-01-02"), "2024-01-02"),
        (pd.Timestamp("2024-01-02 03:04"), "2024-01-02 03:04:00"),
        ("x", "x"),
    ],
)
def test_cells_are_shown_plainly(value: object, shown: str) -> None:
    assert format_cell(value) == shown
