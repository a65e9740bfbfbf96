"""Bytes → table, through every dialect that factories write."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from prodapp.exceptions import DataRefused, InvalidInput, LeaseLost
from prodapp.ml.intake import Limits, Table, preview_table, read_table

Read = Callable[..., Table]

ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be+mark"]


def encode(text: str, encoding: str) -> bytes:
    if encoding == "utf-16-be+mark":
        return b"\xfe\xff" + text.encode("utf-16-be")
    return text.encode(encoding)


def codes(table: Table) -> list[str]:
    return [remark.code for remark in table.remarks]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("delimiter", "decimal"),
    [(";", ","), (";", "."), (",", "."), ("\t", ","), ("\t", "."), ("|", ",")],
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_dialect_reads_the_same(
    read: Read, encoding: str, delimiter: str, decimal: str, newline: str
) -> None:
    rows = [["Pressão (°C)", "vazão", "turno"]]
    rows += [[f"{i}.{i % 9 + 1}", f"-{i}.25", "manhã" if i % 2 else "noite"] for i in range(30)]
    text = newline.join(delimiter.join(row).replace(".", decimal) for row in rows) + newline
    table = read(encode(text, encoding))
    assert list(table.frame) == ["Pressão (°C)", "vazão", "turno"]
    np.testing.assert_array_equal(table.frame["vazão"], [-i - 0.25 for i in range(30)])
    assert table.frame["Pressão (°C)"].tolist() == [i + (i % 9 + 1) / 10 for i in range(30)]
    assert table.frame["turno"].tolist()[:2] == ["noite", "manhã"]
    assert (table.dialect.delimiter, table.dialect.decimal) == (delimiter, decimal)
    assert [column.kind for column in table.columns] == ["number", "number", "category"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["12.5", "13.25", "14"], [12.5, 13.25, 14]),
        (["12,5", "13,25", "14"], [12.5, 13.25, 14]),
        (["1.234,56", "12,5", "1.234"], [1234.56, 12.5, 1234]),
        (["1,234.56", "12.5", "1,234"], [1234.56, 12.5, 1234]),
        (["1 234,56", "12,5", "7"], [1234.56, 12.5, 7]),
        (["1\u00a0234,56", "12,5", "7"], [1234.56, 12.5, 7]),
        (["1'234.56", "12.5", "7"], [1234.56, 12.5, 7]),
        (["1.234.567", "2.000", "3"], [1234567, 2000, 3]),
        (["0.125", "1.234", "2.345"], [0.125, 1.234, 2.345]),
        (["-1.5e3", "+2E-2", ".5"], [-1500, 0.02, 0.5]),
        (["−4,5", "3,", ",25"], [-4.5, 3, 0.25]),
    ],
)
def test_numbers_are_read_as_they_were_meant(
    read: Read, cells: list[str], expected: list[float]
) -> None:
    text = "a;b\n" + "".join(f"{cell};x{i % 2}\n" for i, cell in enumerate(cells))
    np.testing.assert_allclose(read(text).frame["a"], expected)


def test_one_late_cell_decides_a_column_that_would_be_ambiguous(read: Read) -> None:
    text = "a;b\n" + "1.234;1\n" * 5000 + "1.234,5;2\n"
    table = read(text)
    assert table.frame["a"].tolist()[-2:] == [1234, 1234.5]
    assert table.dialect.thousands == "."
    assert "ambiguous_decimals" not in codes(table)


def test_an_ambiguous_column_follows_the_file_and_says_so(read: Read) -> None:
    table = read("a;b\n" + "1.234;12,5\n2.345;7,25\n" * 5)
    assert table.frame["a"].tolist()[:2] == [1234, 2345]
    remark = next(remark for remark in table.remarks if remark.code == "ambiguous_decimals")
    assert (remark.column, remark.row, remark.params["value"]) == ("a", 2, "1234")


def test_a_decimal_point_in_a_file_of_commas_is_kept_and_said(read: Read) -> None:
    table = read("a;b;c\n" + "12.5;1,5;2,5\n13.5;7,25;1,5\n" * 5)
    assert table.frame["a"].tolist()[:2] == [12.5, 13.5]
    assert "other_decimal" in codes(table)


def test_a_late_accent_makes_the_whole_file_cp1252(read: Read) -> None:
    content = b"a;b\n" + b"1;x\n" * 200_000 + "2;não\n".encode("cp1252")
    table = read(content)
    assert table.dialect.encoding == "cp1252"
    assert table.frame["b"].iloc[-1] == "não"


def test_missing_codes_are_missing_and_remarked(read: Read) -> None:
    missing = ["NaN", "NA", "#N/D", "#N/A", "-", "?", "null", ""]
    table = read(
        "a;b;c\n" + "".join(f"{cell};{i}.5;x\n" for i, cell in enumerate([*missing, "1.5"]))
    )
    assert table.frame["a"].isna().tolist() == [True] * 8 + [False]
    assert table.columns[0].n_missing == 8
    assert table.columns[0].kind == "number"
    remark = next(remark for remark in table.remarks if remark.code == "missing_codes")
    assert remark.column == "a"


def test_padded_cells_and_names_are_trimmed(read: Read) -> None:
    table = read(" a , b \n 1.5 , x \n 2.5 , y \n")
    assert list(table.frame) == ["a", "b"]
    assert table.frame["a"].tolist() == [1.5, 2.5]
    assert table.frame["b"].tolist() == ["x", "y"]


def test_each_dropped_row_and_column_is_remarked_with_its_place(read: Read) -> None:
    table = read("a;b;;\n1;2;;\n;;;\n3;4;;\n\n5;6;;\n")
    assert table.frame.to_numpy().tolist() == [[1, 2], [3, 4], [5, 6]]
    blank = next(remark for remark in table.remarks if remark.code == "blank_rows")
    assert (blank.row, blank.params) == (3, {"n": 2, "rows": "3, 5"})
    dropped = [
        remark.params["position"] for remark in table.remarks if remark.code == "empty_column"
    ]
    assert dropped == [3, 4]


def test_rows_that_end_in_a_separator_lose_nothing(read: Read) -> None:
    assert read("a;b\n1;2;\n3;4;\n").frame.to_numpy().tolist() == [[1, 2], [3, 4]]


def test_duplicate_names_become_unique(read: Read) -> None:
    table = read("t,t,t (2),p\n1,2,3,4\n5,6,7,8\n")
    assert list(table.frame) == ["t", "t (3)", "t (2)", "p"]
    assert codes(table) == ["duplicate_name"]


def test_a_nameless_column_with_values_gets_a_name(read: Read) -> None:
    table = read(",a\n0,1.5\n1,2.5\n2,3.5\n")
    assert list(table.frame) == ["column 1", "a"]
    assert codes(table) == ["unnamed_column"]


def test_a_named_column_without_values_is_kept_as_empty(read: Read) -> None:
    table = read("a,b,c\n1,,2\n3,,4\n")
    assert [(column.kind, column.role) for column in table.columns][1] == ("empty", "empty")


def test_quoted_separators_quotes_and_newlines_stay_in_their_cell(read: Read) -> None:
    table = read('a,b\n1,"x, ""y""\nz"\n2,w\n')
    assert table.frame["b"].tolist() == ['x, "y"\nz', "w"]


def test_places_are_lines_of_the_file_even_after_quoted_newlines(read: Read) -> None:
    text = "a,b\n" + '1,"x\ny"\n' * 30 + "oops,z\n" + "2,w\n" * 30
    remark = next(remark for remark in read(text).remarks if remark.code == "not_a_number")
    assert remark.row == 62
    assert remark.params["cell"] == "oops"


def test_a_file_without_names_gets_column_numbers(read: Read) -> None:
    table = read("1.5;2;x\n2.5;3;y\n3.5;4;x\n")
    assert list(table.frame) == ["column 1", "column 2", "column 3"]
    assert table.dialect.header_row is None
    assert len(table.frame) == 3


def test_rows_cut_short_are_filled_up_and_said(read: Read) -> None:
    table = read("a;b;c\n1;2;3\n4;5\n7;8;9\n\n1;")
    np.testing.assert_array_equal(
        table.frame.to_numpy(), [[1, 2, 3], [4, 5, np.nan], [7, 8, 9], [1, np.nan, np.nan]]
    )
    remark = next(remark for remark in table.remarks if remark.code == "short_rows")
    assert (remark.row, remark.params["n"]) == (3, 2)


def test_names_of_several_lines_become_one(read: Read) -> None:
    table = read('"flow\n(l/h)";b\n1;2\n3;4\n')
    assert list(table.frame) == ["flow (l/h)", "b"]
    assert table.frame["b"].tolist() == [2, 4]


@pytest.mark.parametrize(
    "content",
    [
        'a;b\n1;"x;\n""y"""\n2; z \n',
        "a;b\r\n1;x\r\n\r\n2;y\r\n",
        "a;b\r1;x\r2;y\r",
        'a;b\n1;5" pipe\n2;"x"y\n',
        "a;b;\n1;2;\n3;4;\n",
    ],
)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_both_parsers_read_the_same(
    read: Read, monkeypatch: pytest.MonkeyPatch, content: str, encoding: str
) -> None:
    quick = read(encode(content, encoding))
    monkeypatch.setattr("prodapp.ml.intake.parsing._parse_quickly", lambda *_, **__: None)
    careful = read(encode(content, encoding))
    pd.testing.assert_frame_equal(quick.frame, careful.frame)
    assert quick.remarks == careful.remarks


def test_a_sep_line_is_honoured(read: Read) -> None:
    table = read("sep=;\na;b,c\n1,5;2\n2,5;3\n")
    assert list(table.frame) == ["a", "b,c"]
    assert (table.dialect.header_row, table.dialect.skip_rows) == (1, (0,))


def test_blank_lines_above_the_names_are_skipped(read: Read) -> None:
    table = read("\n\na;b\n1;2\n3;4\n")
    assert (table.dialect.header_row, table.dialect.skip_rows) == (2, (0, 1))
    assert len(table.frame) == 2


def test_texts_with_commas_do_not_become_the_separator(read: Read) -> None:
    table = read("note;a\n" + "one, two;1,5\nthree, four;2,5\n" * 5)
    assert list(table.frame) == ["note", "a"]


def test_dates_are_read_and_become_time(read: Read) -> None:
    table = read("when;a\n" + "".join(f"{d}/03/2024 0:15;{d}\n" for d in range(1, 29)))
    assert table.frame["when"].iloc[27] == pd.Timestamp("2024-03-28 00:15")
    assert table.columns[0].role == "time"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"decimal": ","}, [1234.0, 5678.0]),
        ({"decimal": "."}, [1.234, 5.678]),
    ],
)
def test_a_chosen_decimal_mark_wins(
    read: Read, overrides: dict[str, str], expected: list[float]
) -> None:
    assert read("a;b\n1.234;x\n5.678;y\n", overrides=overrides).frame["a"].tolist() == expected


def test_chosen_encoding_delimiter_and_header_win(read: Read) -> None:
    content = "año,b;c,1\n1,2;3,2\n".encode("cp850")
    overrides = {"encoding": "cp850", "delimiter": ",", "header": "no"}
    table = read(content, overrides=overrides)
    assert table.frame.to_numpy().tolist() == [["año", "b;c", 1.0], ["1", "2;3", 2.0]]
    assert table.dialect.encoding == "cp850"
    reasons = {decision.name: decision.reason for decision in table.decisions}
    assert reasons["delimiter"] == reasons["header"] == "Chosen by you."


@pytest.mark.parametrize(
    "overrides",
    [
        {"colour": "red"},
        {"decimal": ";"},
        {"header": "maybe"},
        {"encoding": "klingon"},
        {"delimiter": "ab"},
    ],
)
def test_unknown_choices_are_refused(read: Read, overrides: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        read("a;b\n1;2\n", overrides=overrides)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", "a;b\n1;2\n")
        archive.writestr("b.csv", "a;b\n1;2\n")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "empty_file", None),
        (b"\xef\xbb\xbf \r\n\r\n", "empty_file", None),
        (zipped(), "several_files", None),
        (b"%PDF-1.7\n", "not_text", 1),
        (b"a;b\n1;2\n3;\x004\n", "not_text", 3),
        (b"a\n1\n2\n", "single_column", 1),
        (b"a;\n1;\n2;\n", "single_column", 1),
        (b"a;b\n", "no_rows", 2),
        (b"a;b\n;\n\n", "no_rows", 2),
        (b"a;b\n1;2\n1;2;3\n", "row_too_wide", 3),
        (b"a;b\n" + b"1;2\n" * 200_000 + b"1;2;3;4;5\n" * 20_000, "row_too_wide", 200_002),
        (b'a;b\n1;2\n"1;2\n3;4\n', "open_quote", 3),
        ("a;b\n1;não\n2;é\n3;ção".encode() + b"\n4;\x81\n", "unreadable_characters", 5),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(
    read: Read, content: bytes, code: str, row: int | None
) -> None:
    with pytest.raises(DataRefused) as refused:
        read(content)
    assert (refused.value.error_code, refused.value.row) == (code, row)
    assert "%" not in str(refused.value)


@pytest.mark.parametrize("above", ["Line 4, March\n", "# exported 2024-03-01\n"])
def test_a_title_above_the_table_is_left_out_and_said(read: Read, above: str) -> None:
    table = read(above + "a;b;c\n" + "1;2;3\n2;3;4\n" * 30)
    assert list(table.frame) == ["a", "b", "c"]
    decision = next(decision for decision in table.decisions if decision.name == "skipped")
    assert (decision.value, decision.params["cell"]) == ("1", above.strip())


def test_a_few_rows_too_wide_are_left_out_and_listed(read: Read) -> None:
    table = read("a;b\n" + "1;2\n2;3\n" * 30 + "1;2;3\n" + "1;2\n")
    assert len(table.frame) == 61
    remark = next(remark for remark in table.remarks if remark.code == "wide_rows")
    assert (remark.row, remark.params["rows"]) == (62, "62")


@pytest.mark.parametrize(
    ("content", "limits", "code", "row"),
    [
        ("a;b;c\n1;2;3\n", Limits(max_columns=2), "too_many_columns", 1),
        ("a;b\n1;2\n3;4\n5;6\n", Limits(max_rows=2), "too_many_rows", 4),
        ("a;b\n1;2\n3;" + "x" * 30 + "\n", Limits(max_cell_chars=20), "cell_too_long", 3),
    ],
)
def test_limits_are_kept(read: Read, content: str, limits: Limits, code: str, row: int) -> None:
    with pytest.raises(DataRefused) as refused:
        read(content, limits=limits)
    assert (refused.value.error_code, refused.value.row) == (code, row)


def test_preview_of_a_head_leaves_the_half_line_out() -> None:
    head = b"a;b\n1,5;x\n2,5;y\n3,"
    preview = preview_table(head, filename="t.csv", is_complete=False)
    assert preview.rows == (("1.5", "x"), ("2.5", "y"))
    assert (preview.n_rows, preview.is_complete) == (2, False)
    whole = preview_table(head + b"5;x\n", filename="t.csv", is_complete=True)
    assert whole.n_rows == 3


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_preview_survives_a_head_cut_anywhere(encoding: str) -> None:
    content = encode("né;b\n" + '1,5;"ü\nx"\n2,5;ç\n' * 3, encoding)
    shortest = len(encode('né;b\n1,5;"ü\nx"\n', encoding))
    for size in range(shortest, len(content)):
        preview = preview_table(content[:size], filename="t.csv", is_complete=False)
        assert preview.rows[0] == ("1.5", "ü\nx")


def test_preview_shows_missing_dates_and_numbers_plainly() -> None:
    text = "when;a;b;c\n2024-05-01 10:00;0.1;?;x\n;3;1e20;\n"
    preview = preview_table(text.encode(), filename="t.csv", is_complete=True)
    assert preview.rows == (("2024-05-01 10:00:00", "0.1", "", "x"), ("", "3", "1e+20", ""))


@pytest.mark.parametrize(
    "rows", ["x;y\ny;x\n" * 20, "1;x\n1;y\n" * 20, "2024-01-01;x\n2024-01-02;y\n" * 20]
)
def test_a_table_without_numbers_that_vary_is_refused_once_all_of_it_was_seen(
    read: Read, rows: str
) -> None:
    text = "a;b\n" + rows
    with pytest.raises(DataRefused, match="numbers that vary") as refused:
        read(text)
    assert refused.value.error_code == "no_numeric_target"
    with pytest.raises(DataRefused, match="numbers that vary"):
        preview_table(text.encode(), filename="t.csv", is_complete=True)
    preview_table(text.encode(), filename="t.csv", is_complete=False)


def test_preview_shows_at_most_twenty_rows() -> None:
    text = "a;b\n" + "1;2\n2;2\n" * 25
    preview = preview_table(text.encode(), filename="t.csv", is_complete=True)
    assert len(preview.rows) == 20
    assert preview.n_rows == 50


def test_progress_rises_to_one_and_a_cancel_goes_through(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b\n" + "1;2\n2;2\n" * 1000)
    seen: list[tuple[str, float]] = []
    read_table(path, progress=lambda stage, share: seen.append((stage, share)))
    shares = [share for _, share in seen]
    assert {stage for stage, _ in seen} == {"reading"}
    assert shares == sorted(shares)
    assert shares[-1] == 1

    def cancel(stage: str, share: float) -> None:
        if share > 0.2:
            raise LeaseLost(stage)

    with pytest.raises(LeaseLost):
        read_table(path, progress=cancel)


WORDS = st.text(st.sampled_from("abcçéxyzÃ ,;'"), min_size=1, max_size=8).map(str.strip)
DIALECTS = st.fixed_dictionaries(
    {
        "encoding": st.sampled_from(ENCODINGS),
        "delimiter": st.sampled_from([";", ",", "\t", "|"]),
        "decimal": st.sampled_from([".", ","]),
        "newline": st.sampled_from(["\n", "\r\n"]),
        "grouped": st.booleans(),
        "pad": st.sampled_from(["", " "]),
        "missing": st.sampled_from(["", "NaN", "#N/D", "-", "?"]),
    }
)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Two to four number columns with two decimals, one of categories; some cells missing."""
    n_rows = draw(st.integers(8, 30))
    columns: dict[str, list[object]] = {}
    for position in range(draw(st.integers(2, 4))):
        hundredths = st.one_of(st.none(), st.integers(-10_000_000, 10_000_000))
        values = draw(st.lists(hundredths, min_size=n_rows, max_size=n_rows))
        # One cell that tells decimals from thousands, or the column could be read in two ways.
        values[0] = 125
        columns[f"n{position}"] = [np.nan if v is None else v / 100 for v in values]
    pool = ["low", "hot; dry", "a, b", "é"]
    columns["kind"] = draw(st.lists(st.sampled_from(pool), min_size=n_rows, max_size=n_rows))
    columns["kind"][:3] = ["low", "é", "low"]
    return pd.DataFrame(columns)


def write(frame: pd.DataFrame, dialect: dict[str, str]) -> bytes:
    other = "," if dialect["decimal"] == "." else "."

    def cell(value: object) -> str:
        if isinstance(value, float):
            if np.isnan(value):
                text = dialect["missing"]
            else:
                text = f"{value:,.2f}" if dialect["grouped"] else f"{value:.2f}"
                swap = {",": other, ".": dialect["decimal"]}
                text = "".join(swap.get(mark, mark) for mark in text)
        else:
            text = str(value)
        text = f"{dialect['pad']}{text}{dialect['pad']}"
        return f'"{text}"' if dialect["delimiter"] in text else text

    lines = [dialect["delimiter"].join(frame)]
    lines += [dialect["delimiter"].join(map(cell, row)) for row in frame.itertuples(index=False)]
    return encode(dialect["newline"].join(lines) + dialect["newline"], dialect["encoding"])


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frame=tables(), dialect=DIALECTS)
def test_any_table_written_in_any_dialect_reads_back_equal(
    read: Read, frame: pd.DataFrame, dialect: dict[str, str]
) -> None:
    assume(frame.select_dtypes("number").nunique().max() > 1)
    table = read(write(frame, dialect))
    assert table.dialect.delimiter == dialect["delimiter"]
    pd.testing.assert_frame_equal(
        table.frame.astype({"kind": object}),
        frame.astype({"kind": object}),
        check_exact=False,
        rtol=1e-12,
    )


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(frame=tables(), dialect=DIALECTS)
def test_all_ways_through_the_parsers_read_the_same(
    read: Read, frame: pd.DataFrame, dialect: dict[str, str]
) -> None:
    assume(frame.select_dtypes("number").nunique().max() > 1)
    content = write(frame, dialect)
    at_once = read(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prodapp.ml.intake.parsing._plain_numbers", lambda *_: {})
        by_text = read(content)
        patch.setattr("prodapp.ml.intake.parsing._parse_quickly", lambda *_, **__: None)
        by_row = read(content)
    for other in (by_text, by_row):
        pd.testing.assert_frame_equal(at_once.frame, other.frame, check_exact=True)
        assert at_once.remarks == other.remarks
        assert at_once.decisions == other.decisions
        assert at_once.columns == other.columns


@pytest.mark.parametrize(
    "late", ["1.234,5", "1e5", " 7,5", "+3", "nan", "inf", "0x1F", "1,5 ", "007", "x", "1e999", ""]
)
def test_a_late_cell_reads_the_same_in_all_ways(
    read: Read, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    content = "a;b\n" + "".join(f"{i},25;{i % 7}\n" for i in range(40_000)) + f"{late};3\n"
    at_once = read(content)
    monkeypatch.setattr("prodapp.ml.intake.parsing._plain_numbers", lambda *_: {})
    by_text = read(content)
    pd.testing.assert_frame_equal(at_once.frame, by_text.frame, check_exact=True)
    assert (at_once.remarks, at_once.decisions) == (by_text.remarks, by_text.decisions)


def test_steel_energy_reads_right(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("steel_energy.csv"))
    assert table.frame.shape == (35_040, 11)
    assert table.dialect.encoding == "utf-8-sig"
    by_name = {column.name: column for column in table.columns}
    assert (by_name["date"].kind, by_name["date"].role) == ("date", "time")
    assert table.frame["date"].iloc[[0, -1]].tolist() == [
        pd.Timestamp("2018-01-01 00:15"),
        pd.Timestamp("2018-12-31 00:00"),
    ]
    assert [name for name, column in by_name.items() if column.kind == "category"] == [
        "WeekStatus",
        "Day_of_week",
        "Load_Type",
    ]
    assert by_name["Usage_kWh"].maximum == 157.18


def test_grid_stability_reads_right(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("grid_stability.csv"))
    assert table.frame.shape == (10_000, 14)
    assert [column.kind for column in table.columns] == ["number"] * 13 + ["category"]
    assert table.frame["stab"].iloc[0] == 0.055347489
    assert table.remarks == ()


def test_diamonds_read_right(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("diamonds.csv"))
    assert table.frame.shape == (53_940, 10)
    assert table.frame.iloc[0].tolist() == [
        0.23,
        "Ideal",
        "E",
        "SI2",
        61.5,
        55,
        326,
        3.95,
        3.98,
        2.43,
    ]


def test_machine_failures_have_their_identifiers_found(real_file: Callable[[str], Path]) -> None:
    table = read_table(real_file("ai4i2020.csv"))
    assert [column.name for column in table.columns if column.role == "identifier"] == [
        "UDI",
        "Product ID",
    ]


def test_previews_are_plain_values_that_json_can_hold() -> None:
    text = "when;a;b;b;;\n01/02/2024;1,5;?;x;;\n;;;;;\n02/02/2024;oops;4;y;;\n"
    text += "03/02/2024;1;2;z\n" * 40
    preview = preview_table(text.encode(), filename="t.csv", is_complete=True)
    found = {remark.code for remark in preview.remarks}
    assert found >= {"blank_rows", "short_rows", "not_a_number", "missing_codes"}
    assert json.loads(json.dumps(asdict(preview)))["n_rows"] == 42
    for remark in preview.remarks:
        assert remark.message % remark.params
    for decision in preview.decisions:
        assert decision.reason % decision.params


NASTY = st.text(st.sampled_from('ab1209.,;\t|"\n\r -+eE%/:\u00a0é−'), max_size=200)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(content=st.one_of(st.binary(max_size=200), NASTY.map(str.encode)), is_complete=st.booleans())
def test_any_bytes_are_read_or_refused(content: bytes, is_complete: bool) -> None:
    with contextlib.suppress(DataRefused):
        preview = preview_table(content, filename="t.csv", is_complete=is_complete)
        assert preview.n_rows > 0
        assert len(preview.columns) >= 2
