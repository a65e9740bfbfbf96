"""Separators, quotation marks, line ends, rows that are too long or too short."""

from __future__ import annotations

from tests.corpus.case import Case, text

AB = {"a": [1.5, 2.5, 3.5], "b": ["x", "y", "x"]}
ROWS = [("1,5", "x"), ("2,5", "y"), ("3,5", "x")]


def table(delimiter: str, *, end: str = "\n", decimal: str = ",", tail: str = "") -> bytes:
    lines = ["a" + delimiter + "b", *(delimiter.join(row).replace(",", decimal, 1) for row in ROWS)]
    return text(end.join(line + tail for line in lines) + end)


LONG = "".join(f"{i},5;{i % 7};z\n" for i in range(40))
LONG_A = [i + 0.5 for i in range(40)]
LONG_B = [i % 7 for i in range(40)]

CASES = [
    Case("semicolon and comma", table(";"), AB),
    Case("comma and point", table(",", decimal="."), AB),
    Case("tab and comma", table("\t"), AB, filename="export.tsv"),
    Case("bar and point", table("|", decimal="."), AB),
    Case("CRLF", table(";", end="\r\n"), AB),
    Case("CR alone", table(";", end="\r"), AB),
    Case("a separator ends every row", table(";", tail=";"), AB, remarks=("empty_column",)),
    Case("several separators end every row", table(";", tail=";;;"), AB, remarks=("empty_column",)),
    Case("no line end at the end", table(";").rstrip(b"\n"), AB),
    Case("sep= names the separator", b"sep=;\r\n" + table(";", end="\r\n"), AB),
    Case("sep= in quotation marks", b'"sep=|"\n' + table("|"), AB),
    Case("sep= names a rare separator", b"sep=^\n" + table("^"), AB),
    Case("a chosen rare separator", table("~"), AB, overrides={"delimiter": "~"}),
    Case(
        "decimal commas in quotation marks between commas",
        b'a,b,c\n"1,5","2,25",x\n"2,5","3,75",y\n"3,5","4,5",x\n',
        {"a": [1.5, 2.5, 3.5], "b": [2.25, 3.75, 4.5], "c": ["x", "y", "x"]},
    ),
    Case(
        "everything in quotation marks",
        b'"a";"b"\r\n"1,5";"x"\r\n"2,5";"y"\r\n"3,5";"x"\r\n',
        AB,
    ),
    Case("everything in apostrophes", b"'a';'b'\n'1,5';'x'\n'2,5';'y'\n'3,5';'x'\n", AB),
    Case(
        "separators and quotation marks in cells",
        b'a;b\n1,5;"x; ""y"""\n2,5;z\n3,5;"x; ""y"""\n',
        {"a": [1.5, 2.5, 3.5], "b": ['x; "y"', "z", 'x; "y"']},
    ),
    Case(
        "line breaks in cells",
        b'a;b\n1,5;"x\ny"\n2,5;z\n3,5;"x\ny"\n',
        {"a": [1.5, 2.5, 3.5], "b": ["x\ny", "z", "x\ny"]},
    ),
    Case(
        "CRLF in cells",
        b'a;b\r\n1,5;"x\r\ny"\r\n2,5;z\r\n3,5;z\r\n',
        {"a": [1.5, 2.5, 3.5], "b": ["x\r\ny", "z", "z"]},
    ),
    Case(
        "line breaks in names",
        '"Temp\n(°C)";b\n1,5;x\n2,5;y\n3,5;x\n'.encode(),
        {"Temp (°C)": [1.5, 2.5, 3.5], "b": ["x", "y", "x"]},
        units={"Temp (°C)": "°C"},
    ),
    Case(
        "an inch in a cell",
        b'a;b\n1,5;5" pipe\n2,5;y\n3,5;5" pipe\n',
        {"a": [1.5, 2.5, 3.5], "b": ['5" pipe', "y", '5" pipe']},
    ),
    Case("padded cells", b" a ; b \n 1,5 ; x \n 2,5 ; y \n 3,5 ; x \n", AB),
    Case(
        "no-break spaces around numbers",
        "a;b\n\u00a01,5\u00a0;x\n\u00a02,5;y\n3,5\u00a0;x\n".encode(),
        AB,
    ),
    Case("blank rows between", b"a;b\n1,5;x\n\n2,5;y\n;\n3,5;x\n", AB, remarks=("blank_rows",)),
    Case(
        "blank rows at both ends",
        b"\n\na;b\n1,5;x\n2,5;y\n3,5;x\n\n\n",
        AB,
        remarks=("blank_rows",),
    ),
    Case(
        "a row cut short",
        b"a;b;c\n" + LONG.encode() + b"40,5;5\n",
        {"a": [*LONG_A, 40.5], "b": [*LONG_B, 5], "c": ["z"] * 40 + [None]},
        remarks=("short_rows",),
    ),
    Case(
        "one row too wide among many",
        b"a;b;c\n" + LONG.encode() + b"1;2;3;4\n",
        {"a": LONG_A, "b": LONG_B, "c": ["z"] * 40},
        remarks=("wide_rows",),
    ),
    Case(
        "every second row too wide", b"a;b\n" + b"1;2\n1;2;3\n" * 20, refusal="row_too_wide", row=3
    ),
    Case("an open quotation mark", b'a;b\n1;2\n"3;4\n5;6\n', refusal="open_quote", row=3),
    Case(
        "an open quotation mark before much",
        b'a;b\n1;2\n"3;4\n' + b"5;6\n" * 60_000,
        refusal="cell_too_long",
        row=3,
    ),
    Case(
        "texts with commas beside semicolons",
        b"note;a\none, two;1,5\nthree, four;2,5\nfive, six, seven;3,5\n",
        {"note": ["one, two", "three, four", "five, six, seven"], "a": [1.5, 2.5, 3.5]},
    ),
    Case(
        "names pasted in once more",
        b"a;b\n1,5;x\na;b\n2,5;y\n3,5;x\n",
        AB,
        remarks=("repeated_names",),
    ),
    Case(
        "comments above and between",
        b"# line 4\n# shift 2\na;b\n1,5;x\n2,5;y\n# stopped\n3,5;x\n",
        AB,
        remarks=("comment_rows",),
    ),
    Case("a name beginning with #", b"#;a;b\n1;1,5;x\n2;2,5;y\n3;3,5;x\n", {"#": [1, 2, 3], **AB}),
    Case("one column", b"a\n1\n2\n3\n", refusal="single_column", row=1),
    Case("one column and a separator", b"a;\n1;\n2;\n", refusal="single_column", row=1),
    Case("nothing", b"", refusal="empty_file"),
    Case("spaces and line ends", b"  \r\n \n\t\n", refusal="empty_file"),
    Case("names alone", b"a;b\n", refusal="no_rows", row=2),
    Case("names alone below sep=", b"sep=;\na;b\n", refusal="no_rows", row=3),
    Case("sep= and one line more", b'"sep=|"\na|', refusal="no_rows", row=3),
    Case("names and blank rows", b"a;b\n;\n;\n", refusal="no_rows", row=2),
    Case("words alone", b"a;b\nx;y\ny;x\nx;x\n", refusal="no_numeric_target"),
    Case("numbers that never change", b"a;b\n1;2\n1;2\n1;2\n", refusal="no_numeric_target"),
]
