"""The vote on the decimal mark, and the reading that follows it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodapp.ml.intake.numerals import to_floats, vote


def column(*cells: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([list(cells)], type=pa.large_string())


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [
        (("12.5",), "."),
        (("12,5",), ","),
        (("1.234,5",), ","),
        (("1,234.5",), "."),
        (("1.234.567",), ","),
        (("0.123",), "."),
        (("0,123",), ","),
        (("1.234",), None),
        (("1,234",), None),
        (("12",), None),
        (("1.234", "12.5"), "."),
        (("1.234", "12,5"), ","),
        (("12345.678",), "."),
        (("1.2345",), "."),
    ],
)
def test_vote_follows_the_cells_that_tell(cells: tuple[str, ...], decimal: str | None) -> None:
    assert vote(column(*cells)).decimal == decimal


@pytest.mark.parametrize("cell", ["x", "1.2.3", "1,2,3", "12.34,5", "1 2", "--1", "1e", "1.23.456"])
def test_what_is_no_number_reads_as_missing_under_either_mark(cell: str) -> None:
    assert vote(column(cell)).share == 0
    for mark in ".,":
        assert to_floats(column(cell), decimal=mark).null_count == 1


def test_missing_cells_do_not_vote() -> None:
    counted = vote(column("1.5", None, None))
    assert (counted.n_cells, counted.share) == (1, 1.0)


@given(value=st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-6), comma=st.booleans())
def test_any_float_reads_back_exactly(value: float, comma: bool) -> None:
    text = repr(value)
    mark = "," if comma else "."
    cells = column(text.replace(".", mark), "0" + mark + "1")
    assert to_floats(cells, decimal=mark)[0].as_py() == value


@given(value=st.integers(-(10**12), 10**12), comma=st.booleans())
def test_grouped_numbers_read_back_exactly(value: int, comma: bool) -> None:
    text = f"{value / 100:,.2f}"
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
    floats = to_floats(column(text), decimal="," if comma else ".")
    np.testing.assert_allclose(floats[0].as_py(), value / 100, rtol=1e-12)
