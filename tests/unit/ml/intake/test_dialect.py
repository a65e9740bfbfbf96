"""Separator and header."""

from __future__ import annotations

import pytest

from prodapp.ml.intake.dialect import declared_delimiter, detect_delimiter, has_header


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a,b\n1,2\n3,4\n", ","),
        ("a,b\nx;y,1\nz;w,2\n", ","),
        ("a\tb c\n1,5\t2\n", "\t"),
        ("a|b;c\n1|2\n", "|"),
        ('a,b\n"1;2;3",4\n"5;6;7",8\n', ","),
        ("a b;c d\n1 2;3 4\n", ";"),
        ("1,5;2,5;3,5\n1,25;2,75;3,5\n", ";"),
        ("when;v\n01/02/2024 10:00:00;1,5\n01/02/2024 10:01:00;1,6\n", ";"),
        ("a,b,c\n1,2,\n,,\n3,,4\n", ","),
    ],
)
def test_separator_is_found(sample: str, delimiter: str) -> None:
    assert detect_delimiter(sample)[0] == delimiter


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("sep=;", ";"), ("SEP=,\r\n", ","), ('"sep=|"', "|"), ("sep=\t", "\t"), ("sepal;b", None)],
)
def test_excel_sep_lines_name_the_separator(line: str, delimiter: str | None) -> None:
    assert declared_delimiter(line) == delimiter


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
    assert has_header(rows).value == header
