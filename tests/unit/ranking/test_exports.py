from __future__ import annotations

import csv
import io

import pytest
from flask import Flask

from prodapp.caller import Caller
from prodapp.ranking.exports import ranking_csv
from prodapp.spreadsheets import neutral
from tests.factories import make_csv, make_ready_dataset, make_run, make_version


def rows_of(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_the_ranking_is_a_table_of_plain_numbers(app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    header, *rows = rows_of(ranking_csv(version))
    assert header[0] == "Rank"
    assert "unit of yield" in header[3]
    assert [row[:2] for row in rows[:2]] == [["1", "heat"], ["2", "speed"]]
    assert len(rows) == 4
    for row, item in zip(rows, version.ranking, strict=True):
        assert float(row[2]) == item.score_final
        assert float(row[3]) == item.importance_shap_mean_abs
        assert float(row[4]) == item.importance_native
    assert rows[0][5] == "Raising heat tends to raise yield."


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＠x"])
def test_what_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert neutral(text) == "'" + text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("press;=1+1", "press;'=1+1"),
        ('a; "@SUM(A1)"', 'a; "\'@SUM(A1)"'),
        ("first line\n=1+1", "first line\n'=1+1"),
        ("\t=1", "'\t'=1"),
        ("-5;-6", "'-5;'-6"),
        ("heat; cold - warm", "heat; cold - warm"),
    ],
)
def test_no_cell_begins_with_a_formula_where_semicolons_part_cells(text: str, safe: str) -> None:
    """A comma file opened by a spreadsheet of Brazil: quotes inside of a line mean nothing."""
    assert neutral(text) == safe


@pytest.mark.parametrize("text", ["heat", "", "a=b", "10", "ção", "'x"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert neutral(text) == text


def test_formulas_in_names_of_columns_are_neutral_in_every_cell(app: Flask, caller: Caller) -> None:
    content = make_csv()
    content = content.replace(b"heat", b'"=HYPERLINK(""http://evil"")"', 1)
    content = content.replace(b"yield", b"@y", 1)
    version = make_version(
        caller, make_run(caller, make_ready_dataset(caller, content=content), target="@y")
    )
    table = rows_of(ranking_csv(version))
    assert any("HYPERLINK" in cell for row in table for cell in row)
    for row in table:
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
