"""Decimals, thousands, affixes, codes."""

from __future__ import annotations

from tests.corpus.case import Case, Cell, text


def column(*cells: str, other: str = "") -> bytes:
    """A file of one awkward column beside a plain one of words."""
    return text(
        "a;b\n" + "".join(f"{cell};{'xy'[i % 2]}\n" for i, cell in enumerate(cells)) + other
    )


def of(*values: Cell) -> dict[str, list[Cell]]:
    return {"a": list(values), "b": ["xy"[i % 2] for i in range(len(values))]}


CASES = [
    Case(
        "pt-BR thousands",
        column("1.234,56", "12,5", "1.234", "12.345.678,9"),
        of(1234.56, 12.5, 1234, 12345678.9),
    ),
    Case(
        "en-US thousands",
        column("1,234.56", "12.5", "1,234", "12,345,678.9"),
        of(1234.56, 12.5, 1234, 12345678.9),
    ),
    Case("spaces part thousands", column("1 234,56", "12,5", "7"), of(1234.56, 12.5, 7)),
    Case(
        "no-break spaces part thousands", column("1\u00a0234,56", "12,5", "7"), of(1234.56, 12.5, 7)
    ),
    Case(
        "narrow spaces part thousands", column("1\u202f234,56", "12,5", "7"), of(1234.56, 12.5, 7)
    ),
    Case("apostrophes part thousands", column("1'234.56", "12.5", "7"), of(1234.56, 12.5, 7)),
    Case(
        "points part thousands of integers", column("1.234.567", "2.000", "3"), of(1234567, 2000, 3)
    ),
    Case(
        "three decimals with a leading zero",
        column("0.125", "1.234", "2.345"),
        of(0.125, 1.234, 2.345),
    ),
    Case(
        "three decimals alone",
        column("1.234", "2.345", "3.456"),
        of(1.234, 2.345, 3.456),
        remarks=("ambiguous_decimals",),
    ),
    Case(
        "three decimals read as chosen",
        column("1.234", "2.345"),
        of(1234, 2345),
        overrides={"decimal:a": ","},
    ),
    Case(
        "three digits settle by the other columns",
        b"a;b\n1.234;12,5\n2.345;7,25\n3.456;1,5\n",
        {"a": [1234, 2345, 3456], "b": [12.5, 7.25, 1.5]},
        remarks=("ambiguous_decimals",),
    ),
    Case("a late cell settles", column(*["1.234"] * 500, "1.234,5"), of(*[1234.0] * 500, 1234.5)),
    Case(
        "a column of the other mark",
        b"a;b;c\n12.5;1,5;2,5\n13.5;7,25;1,5\n14.25;3,5;2,5\n",
        {"a": [12.5, 13.5, 14.25], "b": [1.5, 7.25, 3.5], "c": [2.5, 1.5, 2.5]},
        remarks=("other_decimal",),
    ),
    Case("exponents", column("-1.5e3", "+2E-2", ".5", "1e3"), of(-1500, 0.02, 0.5, 1000)),
    Case(
        "what nothing measures",
        column("1.5", "1e308", "-1e101", "2.5", "3.5"),
        of(1.5, None, None, 2.5, 3.5),
        remarks=("impossible_number",),
    ),
    Case("a minus sign of print", column("−4,5", "3,", ",25"), of(-4.5, 3, 0.25)),
    Case("a minus behind", column("4,5-", "3,5", "2,5-"), of(-4.5, 3.5, -2.5)),
    Case("brackets mean minus", column("(4,5)", "3,5", "(2,5)"), of(-4.5, 3.5, -2.5)),
    Case(
        "reais",
        column("R$ 79,90", "R$ 1.079,90", "R$ 5,00"),
        of(79.9, 1079.9, 5),
        units={"a": "R$"},
    ),
    Case(
        "dollars", column("$79.90", "$1,079.90", "-$5.00"), of(79.9, 1079.9, -5), units={"a": "$"}
    ),
    Case(
        "euros behind",
        column("79,90 €", "1.079,90 €", "5,00 €"),
        of(79.9, 1079.9, 5),
        units={"a": "€"},
    ),
    Case(
        "millilitres",
        column("700 ml", "650 ml", "725,5 ml"),
        of(700, 650, 725.5),
        units={"a": "ml"},
    ),
    Case("percent", column("12,5%", "13 %", "9,75%"), of(12.5, 13, 9.75), units={"a": "%"}),
    Case("degrees", column("25,1 °C", "24,9°C", "25 °C"), of(25.1, 24.9, 25), units={"a": "°C"}),
    Case(
        "flows",
        column("1.250,5 m3/h", "980 m3/h", "1.001 m3/h"),
        of(1250.5, 980, 1001),
        units={"a": "m3/h"},
    ),
    Case(
        "a unit now and then",
        column("700 ml", "650", "725,5 ml", "600 ml"),
        of(700, 650, 725.5, 600),
        remarks=("bare_numbers",),
    ),
    Case(
        "two units in one column",
        b"a;c\n700 ml;1,5\n0,7 l;2,5\n650 ml;3,5\n",
        {"a": ["700 ml", "0,7 l", "650 ml"], "c": [1.5, 2.5, 3.5]},
        remarks=("mixed_units",),
    ),
    Case(
        "below the limit of detection",
        column("<0,05", "0,12", "<0,05", "0,3"),
        of(0.05, 0.12, 0.05, 0.3),
        remarks=("limits",),
    ),
    Case(
        "product codes are no numbers",
        b"a;c\nL47182;1,5\nM14860;2,5\nL47183;3,5\n",
        {"a": ["L47182", "M14860", "L47183"], "c": [1.5, 2.5, 3.5]},
    ),
    Case(
        "codes with leading zeros",
        b"a;c\n00123;1,5\n00124;2,5\n00123;3,5\n",
        {"a": ["00123", "00124", "00123"], "c": [1.5, 2.5, 3.5]},
    ),
    Case(
        "codes read as numbers when chosen",
        b"a;c\n00123;1,5\n00124;2,5\n",
        {"a": [123, 124], "c": [1.5, 2.5]},
        overrides={"kind:a": "number"},
    ),
    Case(
        "numbers kept as words when chosen",
        b"a;c\n1;1,5\n2;2,5\n1;3,5\n",
        {"a": ["1", "2", "1"], "c": [1.5, 2.5, 3.5]},
        overrides={"kind:a": "category"},
    ),
    Case(
        "a word among many numbers",
        column(*[f"{i},5" for i in range(40)], "oops"),
        of(*[i + 0.5 for i in range(40)], None),
        remarks=("words_as_missing", "not_a_number"),
    ),
    Case("integers and floats", column("1", "2,5", "3"), of(1, 2.5, 3)),
    Case("large integers", column("9007199254740993", "1", "2"), of(9007199254740992, 1, 2)),
    Case(
        "yes and no",
        b"a;b\n1,5;sim\n2,5;n\xc3\xa3o\n3,5;sim\n",
        {"a": [1.5, 2.5, 3.5], "b": ["sim", "não", "sim"]},
    ),
]
