"""Sizes: cells, columns, rows."""

from __future__ import annotations

from tests.corpus.case import Case, text

WIDE = ";".join(f"c{i}" for i in range(5000)) + "\n" + (";".join(["1,5"] * 5000) + "\n") * 3
NEARLY = (
    ";".join(f"c{i}" for i in range(2000))
    + "\n"
    + "".join(";".join([f"{row},5"] * 2000) + "\n" for row in range(5))
)

CASES = [
    Case(
        "a cell of a megabyte",
        text("a;b\n1;x\n2;" + "y" * (1 << 20) + "\n3;z\n"),
        refusal="cell_too_long",
        row=3,
    ),
    Case(
        "a quoted cell of a megabyte",
        text('a;b\n1;x\n2;"' + "y\n" * (1 << 19) + '"\n3;z\n'),
        refusal="cell_too_long",
        row=3,
    ),
    Case(
        "a late cell of a megabyte",
        text("a;b\n" + "1;x\n" * 90_000 + "2;" + "y" * (1 << 20) + "\n3;z\n"),
        refusal="cell_too_long",
        row=90_002,
    ),
    Case(
        "a cell of fifty kilobytes",
        text("a;b\n1;x\n2;" + "y" * 50_000 + "\n3;z\n"),
        {"a": [1, 2, 3], "b": ["x", "y" * 50_000, "z"]},
    ),
    Case("five thousand columns", text(WIDE), refusal="too_many_columns", row=1),
    Case(
        "two thousand columns",
        text(NEARLY),
        {f"c{i}": [0.5, 1.5, 2.5, 3.5, 4.5] for i in range(2000)},
    ),
    Case("one row", b"a;b;c\n1;2;x\n", refusal="no_numeric_target"),
    Case("two rows", b"a;b\n1;2\n3;4\n", {"a": [1, 3], "b": [2, 4]}),
    Case(
        "a row of a hundred thousand separators",
        b"a;b\n1;2\n" + b";" * 100_000 + b"\n3;4\n",
        {"a": [1, 3], "b": [2, 4]},
        remarks=("blank_rows",),
    ),
    Case("a single line", b"1;2;3;4", refusal="no_rows"),
]
