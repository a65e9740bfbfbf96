"""Codes and words for values that are not there."""

from __future__ import annotations

from tests.corpus.case import Case, text

CODES = ("NaN", "NA", "N/A", "n/d", "#N/D", "#N/A", "-", "--", "?", "null", "NULL", "(null)")
CODES += ("#DIV/0!", "#VALOR!", "#REF!", "inf", "####", "No Data", "sem dados", "\\N", "...")
WORDS = ("Bad Input", "I/O Timeout", "Falha", "Bad")
SENTINELS = ("-999", "-9999", "-999.9", "9999", "-99.9", "-200", "1e30", "-32768")


def beside(code: str, *, n: int = 30, every: int = 6) -> tuple[bytes, list[float | None]]:
    """A column in which every so many-th cell is ``code``."""
    values = [None if i % every == 5 else 20 + (i * 7 % 11) / 4 for i in range(n)]
    cells = [code if value is None else f"{value}" for value in values]
    rows = "".join(f"{cell};{i % 3}\n" for i, cell in enumerate(cells))
    return text("a;b\n" + rows), values


def case(name: str, code: str, *, remarks: tuple[str, ...]) -> Case:
    content, values = beside(code)
    return Case(name, content, {"a": values, "b": [i % 3 for i in range(30)]}, remarks=remarks)


CASES = [
    *(case(f"code {code}", code, remarks=("missing_codes",)) for code in CODES),
    *(case(f"word {word}", word, remarks=("words_as_missing",)) for word in WORDS),
    *(case(f"number {code}", code, remarks=("sentinel",)) for code in SENTINELS),
    Case("empty cells", beside("")[0], {"a": beside("")[1], "b": [i % 3 for i in range(30)]}),
    Case(
        "a number that is kept when chosen",
        beside("-999")[0],
        {
            "a": [-999 if value is None else value for value in beside("")[1]],
            "b": [i % 3 for i in range(30)],
        },
        overrides={"missing:a": ""},
    ),
    Case(
        "a code that is chosen",
        beside("7777")[0],
        {"a": beside("")[1], "b": [i % 3 for i in range(30)]},
        overrides={"missing": "7777"},
        remarks=("missing_codes",),
    ),
    Case(
        "values down to −999 that are values",
        text("a;b\n" + "".join(f"{-10 * i};{i % 3}\n" for i in range(100)) + "-999;1\n"),
        {"a": [-10.0 * i for i in range(100)] + [-999], "b": [i % 3 for i in range(100)] + [1]},
    ),
    Case(
        "a category called none",
        b"a;b\n1,5;none\n2,5;some\n3,5;none\n",
        {"a": [1.5, 2.5, 3.5], "b": ["none", "some", "none"]},
    ),
    Case(
        "a named column without values",
        b"a;b;c\n1,5;;x\n2,5;;y\n",
        {"a": [1.5, 2.5], "b": [None, None], "c": ["x", "y"]},
    ),
]
