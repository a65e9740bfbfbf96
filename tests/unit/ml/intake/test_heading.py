"""Names, units and titles told from data."""

from __future__ import annotations

import pytest

from prodapp.exceptions import InvalidInput
from prodapp.ml.intake.heading import find_heading


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["a", "b"], ["1", "x"], ["2", "y"]], "yes"),
        ([["1", "x"], ["2", "y"]], "no"),
        ([["a", "b"], ["x", "y"], ["z", "w"]], "yes"),
        ([["x", "y"], ["z", "y"], ["x", "w"]], "no"),
        ([["", "a"], ["0", "1.5"], ["1", "2.5"]], "yes"),
        ([["NaN", "1"], ["2", "3"], ["3", "4"]], "no"),
        ([["when", "v"], ["2024-01-01", "1"]], "yes"),
        ([["2019", "2020", "2021"], ["1,5", "2,5", "3"]], "yes"),
        ([["1", "2", "3"], ["2", "3", "4"]], "no"),
        ([["a", "b"]], "yes"),
        ([["1", "2"]], "no"),
    ],
)
def test_header_is_told_from_data(rows: list[list[str]], header: str) -> None:
    assert find_heading(rows).header == header


DATA = [["1", "2,5", "x"], ["2", "3,5", "y"], ["3", "4,5", "x"], ["4", "5,5", "y"]]


@pytest.mark.parametrize(
    ("above", "names", "units", "first"),
    [
        ([["a", "b", "c"]], ("a", "b", "c"), None, 1),
        ([["Line 4", "", ""], ["a", "b", "c"]], ("a", "b", "c"), None, 2),
        ([["Line 4"], [], ["Period:", "01/02/2024"], ["a", "b", "c"]], ("a", "b", "c"), None, 4),
        ([["a", "b", "c"], ["°C", "kg/h", "-"]], ("a", "b", "c"), ("°C", "kg/h", "-"), 2),
        ([["a", "b", "c"], ["(bar)", "[mm]", ""]], ("a", "b", "c"), ("(bar)", "[mm]", ""), 2),
        ([["Oven", "", "Lab"], ["a", "b", "c"]], ("Oven / a", "Oven / b", "Lab / c"), None, 2),
        (
            [["T1", "P1", "G"], ["heat", "force", "kind"]],
            ("T1 / heat", "P1 / force", "G / kind"),
            None,
            2,
        ),
        ([["Report"], ["of the line"]], None, None, 2),
        ([], None, None, 0),
    ],
)
def test_rows_above_the_data_are_told_apart(
    above: list[list[str]],
    names: tuple[str, ...] | None,
    units: tuple[str, ...] | None,
    first: int,
) -> None:
    found = find_heading(above + DATA)
    assert (found.names, found.units, found.first) == (names, units, first)


def test_an_error_below_the_names_is_data() -> None:
    rows = [["a", "b", "c"], ["Bad", "Bad", "x"], *DATA, ["Bad", "7,5", "y"]]
    assert find_heading(rows).first == 1


def test_a_first_row_without_values_is_data() -> None:
    assert find_heading([["a", "b", "c"], ["", "NaN", "x"], *DATA]).first == 1


@pytest.mark.parametrize(
    ("choice", "names", "first"),
    [
        ({"header": "no"}, None, 0),
        ({"header": "2"}, ("a / d", "b / e", "c / f"), 2),
        ({"first_row": "2"}, ("d", "e", "f"), 2),
        ({"units_row": "yes", "header": "yes"}, ("a", "b", "c"), 2),
    ],
)
def test_choices_win(choice: dict[str, str], names: tuple[str, ...] | None, first: int) -> None:
    found = find_heading([["a", "b", "c"], ["d", "e", "f"], *DATA], **choice)
    assert (found.names, found.first) == (names, first)


@pytest.mark.parametrize(
    "choice", [{"header": "maybe"}, {"first_row": "99"}, {"first_row": "x"}, {"units_row": "3"}]
)
def test_choices_that_make_no_sense_are_refused(choice: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        find_heading(DATA, **choice)
