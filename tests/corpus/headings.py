"""Names, units, titles above and sums below."""

from __future__ import annotations

from tests.corpus.case import Case

BODY = "1,5;10;x\n2,5;20;y\n3,5;30;x\n4,5;40;y\n"
ABC = {"a": [1.5, 2.5, 3.5, 4.5], "b": [10, 20, 30, 40], "c": ["x", "y", "x", "y"]}
MANY = "".join(f"{i},5;{i * 10};{'xy'[i % 2]}\n" for i in range(1, 31))
MANY_ABC = {
    "a": [i + 0.5 for i in range(1, 31)],
    "b": [i * 10 for i in range(1, 31)],
    "c": ["xy"[i % 2] for i in range(1, 31)],
}


def named(*names: str) -> dict[str, list[float] | list[str]]:
    return dict(zip(names, ABC.values(), strict=True))  # type: ignore[arg-type]


CASES = [
    Case("one row of names", ("a;b;c\n" + BODY).encode(), ABC),
    Case("no names", BODY.encode(), named("column 1", "column 2", "column 3")),
    Case(
        "no names, said so",
        ("9;9;z\n" + BODY).encode(),
        {"column 1": [9, *ABC["a"]], "column 2": [9, *ABC["b"]], "column 3": ["z", *ABC["c"]]},
        overrides={"header": "no"},
    ),
    Case(
        "years as names",
        b"2019;2020;2021\n1,5;2,5;3\n2,5;3,5;4\n3,5;4,5;5\n",
        {"2019": [1.5, 2.5, 3.5], "2020": [2.5, 3.5, 4.5], "2021": [3, 4, 5]},
    ),
    Case(
        "a title",
        ("Relatório da linha 4\na;b;c\n" + BODY).encode(),
        ABC,
        decisions={"skipped": "1"},
    ),
    Case(
        "a title and a blank row",
        ("Relatório\n\na;b;c\n" + BODY).encode(),
        ABC,
        decisions={"skipped": "1"},
    ),
    Case(
        "five rows of title",
        ("Empresa X\nLinha;4\nPeríodo:;01/02/2024\nOperador:;José\n\na;b;c\n" + BODY).encode(),
        ABC,
        decisions={"skipped": "1, 2, 3…"},
    ),
    Case("a title filled up with separators", ("Relatório;;\n;;\na;b;c\n" + BODY).encode(), ABC),
    Case("key and value above, filled up", ("Linha:;4;\nTurno:;2;\na;b;c\n" + BODY).encode(), ABC),
    Case("comments above", ("# logger v2\n# site 7\na;b;c\n" + BODY).encode(), ABC),
    Case("a title with commas", ("Line 4, March, shift 2\na;b;c\n" + BODY).encode(), ABC),
    Case(
        "a row of units",
        ("a;b;c\n°C;kg/h;-\n" + BODY).encode(),
        ABC,
        units={"a": "°C", "b": "kg/h"},
    ),
    Case(
        "a row of units in brackets",
        ("a;b;c\n[bar];(mm);\n" + BODY).encode(),
        ABC,
        units={"a": "bar", "b": "mm"},
    ),
    Case(
        "a title, names and units",
        ("Linha 4\n\na;b;c\n°C;%;\n" + BODY).encode(),
        ABC,
        units={"a": "°C", "b": "%"},
    ),
    Case(
        "units in the names",
        ("Temp (°C);Flow [m3/h];c\n" + BODY).encode(),
        named("Temp (°C)", "Flow [m3/h]", "c"),
        units={"Temp (°C)": "°C", "Flow [m3/h]": "m3/h"},
    ),
    Case(
        "brackets that are no units",
        ("Temp (oven);b;c\n" + BODY).encode(),
        named("Temp (oven)", "b", "c"),
    ),
    Case(
        "groups above names",
        ("Oven;;Lab\na;b;c\n" + BODY).encode(),
        named("Oven / a", "Oven / b", "Lab / c"),
    ),
    Case(
        "tags and descriptions",
        ("TI1;PI1;GR\nheat;force;kind\n" + BODY).encode(),
        named("TI1 / heat", "PI1 / force", "GR / kind"),
    ),
    Case(
        "rows of names said so",
        ("x1;x2;x3\na;b;c\n" + BODY).encode(),
        ABC,
        overrides={"first_row": "2"},
    ),
    Case(
        "an error in the first row",
        ("a;b;c\nBad;Bad;x\n" + MANY + "Bad;300;y\n").encode(),
        {
            "a": [None, *MANY_ABC["a"], None],
            "b": [None, *MANY_ABC["b"], 300],
            "c": ["x", *MANY_ABC["c"], "y"],
        },
        remarks=("words_as_missing", "not_a_number"),
    ),
    Case(
        "missing cells in the first row",
        ("a;b;c\n;;x\n" + BODY).encode(),
        {"a": [None, *ABC["a"]], "b": [None, *ABC["b"]], "c": ["x", *ABC["c"]]},
    ),
    Case(
        "names twice",
        ("a;a;c\n" + BODY).encode(),
        named("a", "a (2)", "c"),
        remarks=("duplicate_name",),
    ),
    Case(
        "names twice but for blanks",
        ("a; a ;c\n" + BODY).encode(),
        named("a", "a (2)", "c"),
        remarks=("duplicate_name",),
    ),
    Case(
        "a name that is the second of another",
        b"a;a;a (2)\n1;2;3\n4;5;6\n",
        {"a": [1, 4], "a (3)": [2, 5], "a (2)": [3, 6]},
        remarks=("duplicate_name",),
    ),
    Case(
        "a name left out",
        ("a;;c\n" + BODY).encode(),
        named("a", "column 2", "c"),
        remarks=("unnamed_column",),
    ),
    Case(
        "an index without a name",
        (b";a;c\n0;1,5;x\n1;2,5;y\n2;3,5;x\n"),
        {"column 1": [0, 1, 2], "a": [1.5, 2.5, 3.5], "c": ["x", "y", "x"]},
        remarks=("unnamed_column",),
    ),
    Case(
        "row names as R writes them",
        b'"a","b"\n"1",1.5,"x"\n"2",2.5,"y"\n"3",3.5,"x"\n',
        {"column 1": [1, 2, 3], "a": [1.5, 2.5, 3.5], "b": ["x", "y", "x"]},
        remarks=("unnamed_column",),
    ),
    Case(
        "more cells than names in every row",
        b"a;b\n1,5;2,5;3,5\n2,5;3,5;4,5\n3,5;4,5;5,5\n3,5;2;1\n",
        {"a": [1.5, 2.5, 3.5, 3.5], "b": [2.5, 3.5, 4.5, 2], "column 3": [3.5, 4.5, 5.5, 1]},
        remarks=("unnamed_column",),
    ),
    Case(
        "a sum below",
        ("a;b;c\n" + MANY + "Total;4650;\n").encode(),
        MANY_ABC,
        remarks=("footer_rows",),
    ),
    Case(
        "sum and mean below",
        ("c;a;b\nx;1,5;10\ny;2,5;20\nx;3,5;30\nSoma;7,5;60\nMédia;2,5;20\n").encode(),
        {"c": ["x", "y", "x"], "a": [1.5, 2.5, 3.5], "b": [10, 20, 30]},
        remarks=("footer_rows",),
    ),
    Case(
        "a note below",
        ("a;b;c\n" + MANY + "\nGerado em 01/02/2024 10:00\n").encode(),
        MANY_ABC,
        remarks=("footer_rows", "blank_rows"),
    ),
    Case(
        "a count below",
        ("a;b;c\n" + MANY + "(30 rows affected)\n").encode(),
        MANY_ABC,
        remarks=("footer_rows",),
    ),
    Case(
        "notes below a table of dates",
        (
            "when;a\n"
            + "".join(f"2024-01-{d:02};{d},5\n" for d in range(1, 29))
            + "fim;\n* corrigido;\n"
        ).encode(),
        {"when": [f"2024-01-{d:02}" for d in range(1, 29)], "a": [d + 0.5 for d in range(1, 29)]},
        remarks=("footer_rows",),
    ),
    Case(
        "names with accents and marks",
        ("Pressão máx.;№;Ø\n" + BODY).encode(),
        named("Pressão máx.", "№", "Ø"),
    ),
    Case("very long names", ("a" * 500 + ";b;c\n" + BODY).encode(), named("a" * 500, "b", "c")),
]
