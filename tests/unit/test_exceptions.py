from __future__ import annotations

import pytest

from prodapp.exceptions import (
    DataRefused,
    DomainError,
    FieldError,
    InvalidInput,
    N_,
    NotFound,
    TooLarge,
)


def test_message_is_filled_from_its_params() -> None:
    error = NotFound(N_("There is no machine %(id)s."), id=7)
    assert str(error) == "There is no machine 7."
    assert error.message == "There is no machine %(id)s."
    assert error.error_code == "not_found"


def test_message_without_params_may_hold_a_percent_sign() -> None:
    assert str(InvalidInput("Use 100%.")) == "Use 100%."


def test_place_in_the_file_is_part_of_the_params() -> None:
    error = DomainError("Row %(row)s, column %(column)s.", row=3, column="speed")
    assert (error.row, error.column) == (3, "speed")
    assert str(error) == "Row 3, column speed."


def test_code_of_one_error_does_not_change_its_kind() -> None:
    assert TooLarge("x", code="too_many_rows").error_code == "too_many_rows"
    assert TooLarge("x").error_code == "too_large"


def test_a_param_may_be_called_message() -> None:
    assert str(DomainError("%(message)s!", message="hello")) == "hello!"


def test_field_errors_cannot_be_changed() -> None:
    field = FieldError("/name", "Give a name.")
    with pytest.raises(AttributeError):
        field.pointer = "/other"  # type: ignore[misc]


def test_a_refusal_tells_its_row_even_where_its_message_does_not() -> None:
    error = DataRefused("A quote is never closed.", row=7)
    assert str(error) == "Row 7: A quote is never closed."


def test_a_refusal_tells_its_column_beside_its_row() -> None:
    error = DataRefused("This is no number.", row=7, column="heat")
    assert str(error) == "Row 7, column “heat”: This is no number."


def test_a_message_that_tells_its_place_itself_is_left_alone() -> None:
    error = DataRefused("Row %(row)s has too many cells.", row=7)
    assert str(error) == "Row 7 has too many cells."
