"""Where a table begins among the rows of a file: titles above it, names, a row of units, data.

The columns that hold numbers or dates further down tell the rows apart: a row of names has words
there, a row of data has values, a title fills too few of the columns to be either.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from prodapp.exceptions import InvalidInput, N_
from prodapp.ml.intake.numerals import MISSING_CODES, number_pattern
from prodapp.ml.intake.units import CURRENCIES, UNIT_PATTERN, is_unit_row
from prodapp.ml.table import Decision

Row = Sequence[str]

_CURRENCY: Final = "|".join(map(re.escape, CURRENCIES))
_NUMBER: Final = re.compile("|".join(number_pattern(mark) for mark in ".,"))
_AFFIXED: Final = re.compile(
    rf"^(?:(?:{_CURRENCY}|[<>≤≥~])\s*-?\d[\d.,]*|[+\-−]?\d[\d.,]*\s*{UNIT_PATTERN})$"
)
_DATE: Final = re.compile(
    r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?$|^\d{1,2}:\d{2}(:\d{2})?([ap]m)?$", re.IGNORECASE
)
#: A row fills at least this share of the columns, or it stands outside of the table.
_FILLED: Final = 0.5
_MAX_NAME_ROWS: Final = 5


@dataclass(frozen=True)
class Heading:
    """Positions are of rows, 0-based: ``first`` row of data, ``start`` of the table.

    ``names`` is None without a row of names, ``names_row`` its position; ``units`` are the cells
    of the row of units.
    """

    start: int
    first: int
    names: tuple[str, ...] | None
    names_row: int | None
    units: tuple[str, ...] | None
    decisions: tuple[Decision, ...] = field(default=())

    @property
    def header(self) -> str:
        """ "yes" or "no"."""
        return "no" if self.names is None else "yes"


def find_heading(
    rows: Sequence[Row],
    *,
    header: str | None = None,
    first_row: str | None = None,
    units_row: str | None = None,
) -> Heading:
    """Find the names and the first row of data among the first ``rows`` of a file (trimmed cells).

    ``header`` ("yes", "no" or the number of rows of names), ``first_row`` (1-based row where the
    table begins) and ``units_row`` ("yes", "no") are a person's choices. Raises ``InvalidInput``
    for others.
    """
    n_chosen, offset = _checked(header, first_row, units_row, n_rows=len(rows))
    view = _View([[] for _ in rows[:offset]] + [list(row) for row in rows[offset:]])
    start = view.filled[0] if first_row is not None else view.table_start()
    if n_chosen == 0:
        start = view.start_without_names(start)
    if n_chosen is not None:
        reason = N_("Chosen by you.")
        name_rows = [place for place in view.filled if place >= start][:n_chosen]
    else:
        name_rows, reason = view.name_rows(start)
    units = view.units_below(name_rows, chosen=units_row)
    last = units if units is not None else name_rows[-1] if name_rows else start - 1
    groups = view.group_rows(name_rows) if n_chosen is None and first_row is None else []
    decisions = [Decision("header", "yes" if name_rows else "no", reason)]
    decisions += view.explained(groups + name_rows, units, chosen=units_row)
    return Heading(
        start=min([start, *groups]),
        first=last + 1,
        names=view.joined(groups, name_rows) if name_rows else None,
        names_row=name_rows[-1] if name_rows else None,
        units=None if units is None else tuple(view.rows[units]),
        decisions=tuple(decisions),
    )


def _checked(
    header: str | None, first_row: str | None, units_row: str | None, *, n_rows: int
) -> tuple[int | None, int]:
    """The chosen number of rows of names, and how many rows are above the table."""
    n_names = {"yes": 1, "no": 0}.get(header or "")
    if header is not None and n_names is None:
        if not header.isdecimal() or not 1 <= int(header) <= _MAX_NAME_ROWS:
            raise InvalidInput(
                N_("The header must be “yes” or “no”, not “%(value)s”."), value=header
            )
        n_names = int(header)
    if units_row not in (None, "yes", "no"):
        raise InvalidInput(
            N_("The row of units must be “yes” or “no”, not “%(value)s”."), value=units_row
        )
    if first_row is None:
        return n_names, 0
    if not first_row.isdecimal() or not 1 <= int(first_row) <= n_rows:
        raise InvalidInput(
            N_("The table cannot begin in row %(value)s; give a row from 1 to %(n)d."),
            value=first_row,
            n=n_rows,
        )
    return n_names, int(first_row) - 1


class _View:
    """The rows of a sample, with what its lower part tells about each column."""

    def __init__(self, rows: list[list[str]]) -> None:
        self.rows = rows
        self.filled = [place for place, row in enumerate(rows) if any(row)] or [0]
        widths = Counter(len(rows[place]) for place in self._tail())
        self.width = max(widths, key=lambda width: (widths[width], width))
        self.n_used = sum(
            any(self._cell(rows[place], column) for place in self._tail())
            for column in range(self.width)
        )
        self.typed = [column for column in range(self.width) if self._is_typed(column)]
        counts = [self._n_values(rows[place]) for place in self._tail()]
        self._usual = median(counts) if counts else 0

    def _tail(self) -> list[int]:
        """The rows below the first third: titles and names are few, data are many."""
        return self.filled[len(self.filled) // 3 :]

    def _is_typed(self, column: int) -> bool:
        cells = [self._cell(self.rows[place], column) for place in self._tail()]
        present = [cell for cell in cells if not is_missing_code(cell)]
        return bool(present) and 2 * sum(map(is_value, present)) >= len(present)

    @staticmethod
    def _cell(row: Row, column: int) -> str:
        return row[column] if column < len(row) else ""

    def _n_values(self, row: Row) -> int:
        return sum(is_value(self._cell(row, column)) for column in self.typed)

    def _n_words(self, row: Row) -> int:
        cells = [self._cell(row, column) for column in self.typed]
        return sum(not is_missing_code(cell) and not is_value(cell) for cell in cells)

    def _fills(self, row: Row) -> bool:
        return sum(map(bool, row)) >= _FILLED * self.n_used

    def _is_data(self, row: Row) -> bool:
        n_values = self._n_values(row)
        return n_values >= max(1, _FILLED * self._usual) and n_values > self._n_words(row)

    def _is_names(self, row: Row) -> bool:
        if counts_up(row):
            return True
        n_words = self._n_words(row)
        return n_words > self._n_values(row) and 2 * n_words >= len(self.typed) and self._fills(row)

    def table_start(self) -> int:
        """The first row that is names or data rather than a title or a comment."""
        if not self.typed:
            return next((p for p in self.filled if self._fills(self.rows[p])), self.filled[0])
        first = next((p for p in self.filled if self._is_data(self.rows[p])), None)
        if first is None:
            return next((p for p in self.filled if self._is_names(self.rows[p])), self.filled[0])
        block = self._block_above(first)
        names = [place for place in block if self._is_names(self.rows[place])]
        # A title fills the first cell only; so may a name, where no row of more names follows.
        for place in names:
            if any(self.rows[place][1:]) or not any(
                any(self.rows[below][1:]) for below in names if below > place
            ):
                return place
        return first

    def start_without_names(self, start: int) -> int:
        """``start``, or a row above it that fills the columns: without names, that is data."""
        above = self._block_above(start)
        return next((place for place in above if self._fills(self.rows[place])), start)

    def _block_above(self, first: int) -> list[int]:
        """The filled rows above a row up to a blank one, which may also part them from it."""
        place = first - 1
        while place >= 0 and not any(self.rows[place]):
            place -= 1
        block: list[int] = []
        while place >= 0 and any(self.rows[place]):
            block.insert(0, place)
            place -= 1
        return block

    def name_rows(self, start: int) -> tuple[list[int], str]:
        """Positions of the rows of names at ``start`` (none for a file without), and why."""
        first = self.rows[start]
        below = [self.rows[place] for place in self.filled if place > start]
        if counts_up(first) and not any(counts_up(row) for row in below[:1]):
            return [start], N_("The first row counts up, as years or numbers of columns.")
        if not self.typed:
            return self._names_among_words(start, below)
        if self._n_values(first) and not self._is_names(first):
            return [], N_("The first row holds values, as the rows below it.")
        if not self._n_words(first) and below:
            return [], N_("The first row looks like the rows below it.")
        reason = N_("The first row holds words above columns of values.")
        return [start, *self._further_names(start)], reason

    def _names_among_words(self, start: int, below: list[list[str]]) -> tuple[list[int], str]:
        first = self.rows[start]
        columns = [{self._cell(row, place) for row in below} for place in range(len(first))]
        repeats = any(cell and cell in columns[place] for place, cell in enumerate(first))
        if repeats or (not below and all(map(is_value, first))):
            return [], N_("The first row looks like the rows below it.")
        return [start], N_("The first row is unlike every row below it.")

    def _further_names(self, start: int) -> list[int]:
        """Rows right below the first names that are names too: words where values come later."""
        further: list[int] = []
        for place in range(start + 1, min(start + _MAX_NAME_ROWS, len(self.rows) - 1)):
            row = self.rows[place]
            is_names = self._is_names(row) and not counts_up(row)
            if not is_names or is_unit_row(list(row)) or self._recurs(place):
                break
            further.append(place)
        return further

    def _recurs(self, place: int) -> bool:
        """Whether a word of this row stands in a column of values further down, as an error."""
        below = self.rows[place + 1 :]
        return any(
            self._cell(self.rows[place], column) in {self._cell(row, column) for row in below}
            for column in self.typed
            if not is_missing_code(self._cell(self.rows[place], column))
        )

    def units_below(self, names: list[int], *, chosen: str | None) -> int | None:
        """The position of the row of units right below the names."""
        if chosen == "no" or not names:
            return None
        place = names[-1] + 1
        if place >= len(self.rows) - 1:
            return None
        row = list(self.rows[place])
        is_units = is_unit_row(row) and self._n_values(row) == 0 and bool(self.typed)
        return place if chosen == "yes" or is_units else None

    def group_rows(self, names: list[int]) -> list[int]:
        """Rows right above the names that name groups of columns, as merged cells do."""
        found: list[int] = []
        if not names or not self.typed:
            return found
        for place in range(names[0] - 1, max(-1, names[0] - _MAX_NAME_ROWS), -1):
            row = self.rows[place]
            filled = [column for column, cell in enumerate(row) if cell]
            reaches = bool(filled) and filled[-1] >= max(2, self.width / 3)
            is_group = len(row) >= self.width - 1 and len(filled) >= 2 and reaches
            if not is_group or any(is_value(cell) or cell.endswith(":") for cell in row):
                break
            found.insert(0, place)
        return found

    def joined(self, groups: list[int], names: list[int]) -> tuple[str, ...]:
        """One name a column out of several rows; a group's name reaches to the next one."""
        width = max(len(self.rows[place]) for place in names)
        parts: list[list[str]] = [[] for _ in range(width)]
        for place in (*groups, *names):
            current = ""
            for column in range(width):
                cell = self._cell(self.rows[place], column)
                current = cell or (current if place != names[-1] else "")
                if current and current not in parts[column]:
                    parts[column].append(current)
        return tuple(" / ".join(part) for part in parts)

    def explained(
        self, names: list[int], units: int | None, *, chosen: str | None
    ) -> list[Decision]:
        decisions = []
        if len(names) > 1:
            reason = N_("These rows stand above the values; their words were joined.")
            decisions.append(Decision("header_rows", str(len(names)), reason))
        if units is not None:
            asked = chosen == "yes"
            reason = N_("Chosen by you.") if asked else N_("The row below the names holds units.")
            decisions.append(Decision("units_row", str(units + 1), reason))
        return decisions


def is_value(cell: str) -> bool:
    """Whether a cell is a number (with a unit, at most) or a date."""
    return bool(_NUMBER.match(cell) or _DATE.match(cell) or _AFFIXED.match(cell))


def is_missing_code(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in MISSING_CODES


def counts_up(row: Row) -> bool:
    """Whether the integers of a row (at least 3 of them, and no other numbers) rise by one."""
    numbers = [cell for cell in row if is_value(cell)]
    if len(numbers) < 3 or not all(cell.isascii() and cell.isdigit() for cell in numbers):
        return False
    start = int(numbers[0])
    return [int(cell) for cell in numbers] == list(range(start, start + len(numbers)))
