"""Separator and quotation mark."""

from __future__ import annotations

import pytest

from prodapp.ml.intake.dialect import declared_delimiter, detect_delimiter, detect_quote


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
    ("sample", "quote"),
    [
        ("'a';'b'\n'1';'2'\n'3';'4'\n", "'"),
        ('"a";"b"\n"1";"2"\n', '"'),
        ("a;b\n1;it's\n2;that's\n", '"'),
    ],
)
def test_quotation_mark_is_found(sample: str, quote: str) -> None:
    assert detect_quote(sample, ";")[0] == quote
