"""Packed files, workbooks, Parquet, and what is none of them."""

from __future__ import annotations

import datetime
import gzip
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl
import pandas as pd

from prodapp.ml.table import Limits
from tests.corpus.case import Case

CSV = "a;b\n" + "".join(f"{i},5;{'xy'[i % 2]}\n" for i in range(2000))
AB = {"a": [i + 0.5 for i in range(2000)], "b": ["xy"[i % 2] for i in range(2000)]}
TIGHT = Limits(max_unpacked_bytes=32 << 20)
SMALL = {"a": [1.5, 2.234, 3], "b": ["x", "y", "x"]}


def zipped(**files: str | bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


def workbook(*rows: Sequence[Any], more: dict[str, Sequence[Sequence[Any]]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheets = [(book.active, rows)] + [
        (book.create_sheet(name), r) for name, r in (more or {}).items()
    ]
    for sheet, content in sheets:
        for row in content:
            sheet.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def small(*above: Sequence[Any]) -> bytes:
    return workbook(*above, ("a", "b"), (1.5, "x"), (2.234, "y"), (3, "x"))


def inflating() -> bytes:
    """A workbook of some kB that inflates to 40 MB, beyond the limit it is read with."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(small())) as book,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for info in book.infolist():
            copy.writestr(info.filename, book.read(info))
        with copy.open("xl/media/image1.png", "w", force_zip64=True) as member:
            for _ in range(40):
                member.write(bytes(1 << 20))
    return stream.getvalue()


def far_cell() -> bytes:
    """A workbook of two cells, one of them the last that a sheet can have."""
    book = openpyxl.Workbook()
    book.active["A1"] = 1
    book.active["XFD1048576"] = 2
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def nested_entities() -> bytes:
    """A workbook whose shared texts are a "billion laughs"."""
    levels = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    laughs = f'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY l0 "ha">{levels}]><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&l9;</t></si></sst>'
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(small())) as book, zipfile.ZipFile(stream, "w") as copy:
        for info in book.infolist():
            is_texts = info.filename == "xl/sharedStrings.xml"
            copy.writestr(info.filename, laughs if is_texts else book.read(info))
    return stream.getvalue()


def parquet(packing: str = "snappy", /, **columns: Any) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(columns).to_parquet(stream, index=False, compression=packing)
    return stream.getvalue()


MOMENTS = [datetime.datetime(2024, 1, 1, 10, minute) for minute in (0, 15, 30)]  # noqa: DTZ001

CASES = [
    Case("gzip", gzip.compress(CSV.encode()), AB, filename="export.csv.gz"),
    Case("gzip by another name", gzip.compress(CSV.encode()), AB),
    Case(
        "gzip of two parts",
        gzip.compress(CSV[:5000].encode()) + gzip.compress(CSV[5000:].encode()),
        AB,
    ),
    Case("gzip cut off", gzip.compress(CSV.encode())[:-2000], refusal="truncated"),
    Case(
        "gzip cut off in its last bytes",
        gzip.compress(CSV.encode())[:-4],
        refusal="truncated",
        row=2002,
    ),
    Case(
        "gzip damaged",
        gzip.compress(CSV.encode())[:1500] + b"\xff" * 400 + gzip.compress(CSV.encode())[1900:],
        refusal="damaged_file",
    ),
    Case(
        "gzip of a picture",
        gzip.compress(b"\x89PNG\r\n\x1a\n" + bytes(100)),
        refusal="not_text",
        row=1,
    ),
    Case(
        "gzip that inflates without end",
        lambda: gzip.compress(bytes(40 << 20)),
        refusal="too_large_unpacked",
        limits=TIGHT,
    ),
    Case("zip of one table", zipped(**{"export.csv": CSV}), AB, filename="export.zip"),
    Case("zip of two tables", zipped(**{"a.csv": CSV, "b.csv": CSV}), refusal="several_files"),
    Case("zip of nothing", zipped(), refusal="several_files"),
    Case("zip cut off", zipped(**{"export.csv": CSV})[:-300], refusal="damaged_file"),
    Case("zip in a zip", zipped(**{"a.zip": zipped(**{"a.csv": CSV})}), refusal="not_text", row=1),
    Case(
        "a text called .xlsx", CSV.encode(), AB, filename="export.xlsx", decisions={"format": "CSV"}
    ),
    Case("a workbook called .csv", small(), SMALL, decisions={"format": "XLSX"}),
    Case("a workbook", small(), SMALL, filename="export.xlsx"),
    Case("a workbook with a title", small(("Relatório",), ()), SMALL, filename="export.xlsx"),
    Case(
        "a workbook with blank rows and columns first",
        workbook((), (), (None, "a", "b"), (None, 1.5, "x"), (None, 2.234, "y"), (None, 3, "x")),
        SMALL,
    ),
    Case(
        "a workbook of dates and flags",
        workbook(
            ("when", "ok", "a"), *zip(MOMENTS, (True, False, True), (1.5, 2.5, 3.5), strict=True)
        ),
        {
            "when": ["2024-01-01 10:00", "2024-01-01 10:15", "2024-01-01 10:30"],
            "ok": ["true", "false", "true"],
            "a": [1.5, 2.5, 3.5],
        },
    ),
    Case(
        "a workbook of numbers as text",
        workbook(("a", "b"), ("1,5", "x"), ("1.002,25", "y"), ("3", "x")),
        {"a": [1.5, 1002.25, 3], "b": ["x", "y", "x"]},
    ),
    Case(
        "a workbook of three decimals",
        workbook(("a", "b"), (1.234, "1,5"), (2.345, "2,5"), (3.456, "3,5")),
        {"a": [1.234, 2.345, 3.456], "b": [1.5, 2.5, 3.5]},
        remarks=("other_decimal",),
    ),
    Case(
        "a workbook with a sum below",
        workbook(("a", "b"), *[(i + 0.5, "x") for i in range(9)], ("Total", None)),
        {"a": [i + 0.5 for i in range(9)], "b": ["x"] * 9},
        remarks=("footer_rows",),
    ),
    Case(
        "a workbook of two sheets",
        workbook(("a", "b"), (1.5, "x"), (2.234, "y"), (3, "x"), more={"Lab": [("z",)]}),
        SMALL,
        decisions={"sheet": "Sheet"},
    ),
    Case(
        "a workbook whose first sheet is empty",
        workbook(more={"Dados": [("a", "b"), (1.5, "x"), (2.234, "y"), (3, "x")]}),
        SMALL,
        decisions={"sheet": "Dados"},
    ),
    Case(
        "a chosen sheet",
        workbook(
            ("p", "q"),
            (1, 2),
            (2, 3),
            more={"Lab": [("a", "b"), (1.5, "x"), (2.234, "y"), (3, "x")]},
        ),
        SMALL,
        overrides={"sheet": "Lab"},
    ),
    Case("an empty workbook", workbook(), refusal="empty_file"),
    Case("a workbook of names alone", workbook(("a", "b")), refusal="no_rows", row=2),
    Case("a workbook cut off", small()[:-500], refusal="damaged_file"),
    Case(
        "a workbook that inflates without end",
        inflating,
        refusal="too_large_unpacked",
        limits=TIGHT,
    ),
    Case(
        "a workbook with a cell in its last corner",
        far_cell,
        refusal="sheet_too_large",
        row=1048576,
    ),
    Case(
        "an old workbook that is damaged",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        refusal="damaged_file",
    ),
    Case(
        "a text document",
        zipped(**{"[Content_Types].xml": "<Types/>", "word__document.xml": "<d/>"}),
        refusal="not_text",
        row=1,
    ),
    Case(
        "Parquet",
        parquet(
            a=[1.5, None, 3.5],
            b=["x", "y", None],
            when=MOMENTS,
            n=[1, 2, 3],
            ok=[True, False, True],
        ),
        {
            "a": [1.5, None, 3.5],
            "b": ["x", "y", None],
            "when": ["2024-01-01 10:00", "2024-01-01 10:15", "2024-01-01 10:30"],
            "n": [1, 2, 3],
            "ok": ["true", "false", "true"],
        },
        filename="export.parquet",
    ),
    Case(
        "Parquet of numbers as text",
        parquet(a=["1,5", "1.002,25", "3"], b=[1, 2, 3]),
        {"a": [1.5, 1002.25, 3], "b": [1, 2, 3]},
    ),
    Case(
        "Parquet of lists",
        parquet(a=[1.5, 2.5], b=[1, 2], c=[[1], [2]]),
        {"a": [1.5, 2.5], "b": [1, 2]},
        remarks=("unusable_column",),
    ),
    Case(
        "Parquet of few long texts in many rows",
        lambda: parquet(a=["x" * 50_000] * 2_000, b=range(2_000)),
        refusal="too_large_unpacked",
        limits=TIGHT,
    ),
    Case(
        "Parquet that inflates without end",
        lambda: parquet("zstd", a=["", "x" * (80 << 20)], b=[1, 2]),
        refusal="too_large_unpacked",
    ),
    Case("Parquet cut off", parquet(a=[1.5, 2.5], b=[1, 2])[:-20], refusal="damaged_file"),
    Case("Parquet of one column", parquet(a=[1.5, 2.5]), refusal="single_column", row=1),
    Case("PDF", b"%PDF-1.7\n%\xe2\xe3\n", refusal="not_text", row=1),
    Case("a picture", b"\x89PNG\r\n\x1a\n" + bytes(64), refusal="not_text", row=1),
    Case(
        "a web page called .xls",
        b"<html><table><tr><td>1</td></tr></table></html>",
        refusal="not_text",
        row=1,
        filename="export.xls",
    ),
    Case("XML", b'<?xml version="1.0"?><rows/>', refusal="not_text", row=1),
    Case("7z", b"7z\xbc\xaf\x27\x1c" + bytes(64), refusal="not_text", row=1),
    Case("SQLite", b"SQLite format 3\x00" + bytes(64), refusal="not_text", row=1),
]
