"""Text → numbers, with the decimal mark voted over a whole column.

A cell votes for a decimal mark when it can be read with that mark and not with the other one:
``12.5`` and ``1,234.56`` for the point, ``12,5`` and ``1.234,56`` for the comma. ``1.234`` alone
proves nothing (``0.234`` does: no group of thousands begins with 0), so a column that holds only
such cells follows the file, and says so. The marks of thousands are taken out only where they
part groups of three digits, which is why ``12.5`` never becomes ``125``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

MARKS: Final = (".", ",")
_OTHER: Final = {".": ",", ",": "."}

#: Spaces (plain, no-break, thin) and apostrophes part thousands under either decimal mark.
_NEUTRAL_THOUSANDS: Final = " \u00a0\u2009\u202f'’"
_EXPONENT: Final = r"([eE][+-]?\d{1,3})?"

#: Cells that say "no value", compared in lower case.
MISSING_CODES: Final = (
    *("", "nan", "na", "n/a", "n/d", "nd", "#n/d", "#n/a", "-", "--", "?", "null", "<na>", "."),
    *("#div/0!", "#ref!", "#value!", "#valor!", "#null!", "#num!", "#núm!", "#name?", "#nome?"),
    *(
        "inf",
        "-inf",
        "+inf",
        "infinity",
        "-infinity",
        "nat",
        "n.d.",
        "n.a.",
        "s/d",
        "---",
        "...",
        "…",
    ),
    *(
        "(null)",
        "#null",
        "[null]",
        "\\n",
        "####",
        "#####",
        "######",
        "no data",
        "nodata",
        "sem dados",
    ),
)


@dataclass(frozen=True)
class Vote:
    """How the cells of a column can be read.

    ``n_point`` and ``n_comma`` count the cells that are numbers with that decimal mark; when they
    are equal, ``marks`` holds the marks seen between digits ("" when all are plain integers).
    ``is_plain`` says that every cell is a number as programs write it: a point, no thousands.
    """

    n_cells: int
    n_point: int
    n_comma: int
    marks: str
    is_plain: bool = False

    @property
    def decimal(self) -> str | None:
        """The mark that reads more cells, None when the column does not tell."""
        if self.n_point == self.n_comma:
            return None
        return "." if self.n_point > self.n_comma else ","

    @property
    def share(self) -> float:
        """The share of the cells that are numbers, read the better way."""
        return max(self.n_point, self.n_comma) / self.n_cells if self.n_cells else 0.0


def number_pattern(decimal: str) -> str:
    """An RE2 and ``re`` pattern of the numbers written with this decimal mark."""
    point, comma = rf"\{decimal}", rf"\{_OTHER[decimal]}"
    groups = "|".join(rf"[1-9]\d{{0,2}}({mark}\d{{3}})+" for mark in (comma, *_NEUTRAL_THOUSANDS))
    return rf"^[+\-−]?((\d+|{groups})({point}\d*)?|{point}\d+){_EXPONENT}$"


def is_missing(cells: Any) -> Any:
    """Boolean Arrow array: the trimmed cells that hold a missing code."""
    codes = pa.array(MISSING_CODES, type=cells.type)
    return pc.is_in(pc.utf8_lower(cells), value_set=codes)


def vote(cells: Any) -> Vote:
    """Vote over an Arrow string array of trimmed cells; nulls do not vote."""
    n_cells = len(cells) - cells.null_count
    if n_cells == 0:
        return Vote(0, 0, 0, "")
    mark = _plain_mark(cells)
    if mark is not None:
        counts = [n_cells if mark in (own, "") else 0 for own in MARKS]
        return Vote(n_cells, counts[0], counts[1], mark, is_plain=True)
    counts = [
        pc.sum(pc.match_substring_regex(cells, number_pattern(mark))).as_py() or 0 for mark in MARKS
    ]
    marks = "".join(m for m in MARKS if pc.any(pc.match_substring(cells, m)).as_py())
    return Vote(n_cells, counts[0], counts[1], marks)


def _plain_mark(cells: Any) -> str | None:
    """The quick way for nearly every column: plain numbers that no other reading fits.

    "" for integers, None when the slow way must tell.
    """
    head = cells.slice(0, 1000).drop_null()
    try:
        if not pc.any(pc.match_substring_regex(head, r"[^\d-]")).as_py():
            pc.cast(cells, pa.int64())
            return ""
        for mark in MARKS:
            telling = rf"^-?(0?\{mark}\d+|\d+\{mark}(\d{{1,2}}|\d{{4,}})|\d{{4,}}\{mark}\d+)$"
            if pc.any(pc.match_substring_regex(head, telling)).as_py():
                _cast(cells, mark)
                return mark
    except pa.ArrowInvalid:
        pass
    return None


def _cast(cells: Any, mark: str) -> Any:
    """Text of plain numbers with this decimal mark → float64; ``ArrowInvalid`` for other text."""
    if mark == ".":
        return pc.cast(cells, pa.float64())
    if pc.any(pc.match_substring(cells, ".")).as_py():
        raise pa.ArrowInvalid("a point beside decimal commas")
    return pc.cast(pc.replace_substring(cells, ",", "."), pa.float64())


def to_floats(cells: Any, *, decimal: str) -> Any:
    """Arrow float64 array of trimmed cells; null where a cell is null or not such a number."""
    try:
        if decimal == "," or not pc.any(pc.match_substring(cells, ",")).as_py():
            return _cast(cells, decimal)
    except pa.ArrowInvalid:
        pass
    readable = pc.match_substring_regex(cells, number_pattern(decimal))
    text = pc.if_else(readable, cells, pa.scalar(None, cells.type))
    text = pc.replace_substring_regex(text, rf"[\{_OTHER[decimal]}{_NEUTRAL_THOUSANDS}+]", "")
    # The plus signs of exponents went with the marks, which changes no value.
    text = pc.replace_substring(text, "−", "-")
    text = pc.replace_substring(text, ",", ".")
    return pc.cast(text, pa.float64())


def is_code(cells: Any) -> bool:
    """Whether cells are digits of one length, some with a leading zero: codes, not quantities."""
    if not pc.any(pc.match_substring_regex(cells.slice(0, 5000), r"^0\d+$")).as_py():
        return False
    lengths = pc.min_max(pc.binary_length(cells)).as_py()
    if lengths["min"] != lengths["max"]:
        return False
    return bool(pc.all(pc.match_substring_regex(cells, r"^\d+$")).as_py())


def thousands_mark(cells: Any, *, decimal: str) -> str | None:
    """The mark that parts thousands in these cells, None when there is none."""
    for mark in (_OTHER[decimal], *_NEUTRAL_THOUSANDS):
        if pc.any(pc.match_substring(cells, mark)).as_py():
            return str(mark)
    return None
