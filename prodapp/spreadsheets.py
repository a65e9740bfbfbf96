"""Cells that spreadsheets read as text."""

from __future__ import annotations

import re

# Full-width signs begin formulas in the spreadsheets of some languages.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_START = re.compile(f"[{_SIGNS}\t\r\n]")
# Where semicolons part cells, as in Brazil, a file that commas part is opened all the same: our
# quotes mean nothing there, and a cell begins after each semicolon and each line.
_INNER_START = re.compile(f'([;\t\r\n][\\s"]*)(?=[{_SIGNS}])')


def neutral(cell: str) -> str:
    """A text of which no spreadsheet takes a part for a formula (OWASP CSV injection)."""
    safe = _INNER_START.sub(r"\1'", cell)
    return f"'{safe}" if _START.match(cell) else safe
