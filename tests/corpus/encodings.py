"""Encodings: with and without marks, old code pages, broken ones."""

from __future__ import annotations

import codecs

from tests.corpus.case import Case, text

TABLE = "Pressão (°C);vazão\n1,5;manhã\n2,5;noite\n3,5;manhã\n4,25;três\n5,0;manhã\n"
EXPECTED = {
    "Pressão (°C)": [1.5, 2.5, 3.5, 4.25, 5],
    "vazão": ["manhã", "noite", "manhã", "três", "manhã"],
}
MARKED = {
    "utf-8 with mark": text(TABLE, "utf-8-sig"),
    "utf-16 little endian": codecs.BOM_UTF16_LE + text(TABLE, "utf-16-le"),
    "utf-16 big endian": codecs.BOM_UTF16_BE + text(TABLE, "utf-16-be"),
    "utf-32 little endian": codecs.BOM_UTF32_LE + text(TABLE, "utf-32-le"),
    "utf-32 big endian": codecs.BOM_UTF32_BE + text(TABLE, "utf-32-be"),
}
UNMARKED = {
    name: text(TABLE, name)
    for name in ("utf-8", "cp1252", "cp850", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
}

CASES = [
    *(
        Case(name, content, EXPECTED, units={"Pressão (°C)": "°C"})
        for name, content in MARKED.items()
    ),
    *(
        Case(f"{name} without mark", content, EXPECTED, decisions={"encoding": name})
        for name, content in UNMARKED.items()
    ),
    Case("latin-1 said so", text(TABLE, "latin-1"), EXPECTED, overrides={"encoding": "latin-1"}),
    Case(
        "mac roman said so", text(TABLE, "mac_roman"), EXPECTED, overrides={"encoding": "mac_roman"}
    ),
    Case(
        "an accent after 300 kB of ASCII",
        text("a;b\n" + "1,5;x\n2,5;y\n" * 25_000 + "3,5;é\n", "cp1252"),
        {"a": [1.5, 2.5] * 25_000 + [3.5], "b": ["x", "y"] * 25_000 + ["é"]},
    ),
    Case(
        "utf-8 with one broken character",
        text("a;b\n1;ção\n2;não\n3;é\n4;") + b"\xe7\n5;x\n",
        refusal="unreadable_characters",
        row=5,
    ),
    Case(
        "cp1252 taken for utf-8",
        text(TABLE, "cp1252"),
        refusal="unreadable_characters",
        row=1,
        overrides={"encoding": "utf-8"},
    ),
    Case(
        "utf-16 with CRLF",
        codecs.BOM_UTF16_LE + text(TABLE.replace("\n", "\r\n"), "utf-16-le"),
        EXPECTED,
    ),
    Case("NUL bytes in a cell", b"a;b\n1;2\n3;\x00\x004\n", refusal="not_text", row=3),
    Case("NUL bytes at the end", b"a;b\n1;2\n3;4\n" + b"\x00" * 512, refusal="not_text", row=4),
    Case("random bytes", bytes(range(256)) * 4, refusal="not_text", row=1),
    Case("a mark and nothing else", codecs.BOM_UTF8, refusal="empty_file"),
]
