"""How the text of a table is laid out: separator, and whether its first row holds names."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from prodapp.exceptions import DataRefused, InvalidInput, N_
from prodapp.ml.intake.numerals import MISSING_CODES, number_pattern
from prodapp.ml.table import Decision

DELIMITERS: Final = (";", ",", "\t", "|")
QUOTE: Final = '"'

#: clevercsv tries every dialect on every row, so it sees a few kilobytes only.
_CLEVERCSV_CHARS: Final = 6_000
_SAMPLE_RECORDS: Final = 200
#: A separator this much better than the next one needs no second opinion.
_CLEAR_LEAD: Final = 0.15

_SEP_LINE: Final = re.compile(r'^\s*"?sep=(?P<mark>.)"?[\s;,]*$', re.IGNORECASE)
_NUMBER: Final = re.compile("|".join(number_pattern(mark) for mark in ".,"))
_DATE: Final = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?$")


def declared_delimiter(first_line: str) -> str | None:
    """The mark of an Excel ``sep=;`` line, None when the line is not one."""
    found = _SEP_LINE.match(first_line.rstrip("\r\n"))
    return found["mark"] if found else None


def records(text: str, delimiter: str, *, limit: int | None = None) -> list[list[str]]:
    """The cells of ``text``, trimmed, one list a record; at most ``limit`` records."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=QUOTE)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append([cell.strip() for cell in row])
            if limit is not None and len(rows) >= limit:
                break
    except csv.Error as error:
        if "field larger" in str(error):
            raise DataRefused(
                N_("A cell is too long to be read. Is a quotation mark left open?"),
                code="cell_too_long",
                row=reader.line_num,
            ) from None
        raise
    return rows


def detect_delimiter(sample: str, *, override: str | None = None) -> tuple[str, Decision]:
    """The separator of the cells in ``sample`` (whole lines), and the decision in words.

    Raises ``InvalidInput`` for an override that is not one character.
    """
    if override is not None:
        mark = {"tab": "\t", "\\t": "\t"}.get(override, override)
        if len(mark) != 1 or mark in '"\r\n' or mark.isalnum():
            raise InvalidInput(
                N_("The separator must be a single character, not “%(value)s”."), value=override
            )
        return mark, Decision("delimiter", mark, N_("Chosen by you."))
    scores = {mark: _score(sample, mark) for mark in DELIMITERS}
    best, second = sorted(scores, key=lambda mark: scores[mark], reverse=True)[:2]
    sniffed = _sniffer_opinion(sample)
    if scores[best] - scores[second] >= _CLEAR_LEAD or sniffed == best:
        reason = N_("It parts all rows into the same number of cells.")
        return best, Decision("delimiter", best, reason)
    clever = _clevercsv_opinion(sample)
    chosen = best
    if clever is not None and clever == sniffed and scores[clever] > 0:
        chosen = clever
    return chosen, Decision("delimiter", chosen, N_("The likeliest separator; please check it."))


def _score(sample: str, delimiter: str) -> float:
    """How well a separator explains the sample, 0–1: regular width times clean cells."""
    try:
        rows = [row for row in records(sample, delimiter, limit=_SAMPLE_RECORDS) if any(row)]
    except csv.Error:
        return 0.0
    widths = Counter(len(row) for row in rows)
    if not widths:
        return 0.0
    width = widths.most_common(1)[0][0]
    if width < 2:
        return 0.0
    regular = widths[width] / len(rows)
    # The names carry no decimal commas, so they tell the separator best.
    if len(rows[0]) != width:
        regular *= 0.5
    others = [mark for mark in DELIMITERS if mark not in (delimiter, ",")]
    cells = [cell for row in rows for cell in row[:50]]
    unclean = sum(any(mark in cell for mark in others) for cell in cells)
    typed = sum(not cell or bool(_NUMBER.match(cell) or _DATE.match(cell)) for cell in cells)
    return regular * (1 - unclean / len(cells)) * (0.7 + 0.3 * typed / len(cells))


def _sniffer_opinion(sample: str) -> str | None:
    try:
        return csv.Sniffer().sniff(sample[:20_000], delimiters="".join(DELIMITERS)).delimiter
    except csv.Error:
        return None


def _clevercsv_opinion(sample: str) -> str | None:
    # Imported here: it costs every start, and few files need it.
    import clevercsv

    try:
        head = sample[:_CLEVERCSV_CHARS].rpartition("\n")[0] or sample[:_CLEVERCSV_CHARS]
        dialect = clevercsv.Detector().detect(head, delimiters=list(DELIMITERS))
    except clevercsv.Error:
        return None
    return str(dialect.delimiter) if dialect is not None and dialect.delimiter else None


def has_header(rows: Sequence[Sequence[str]], *, override: str | None = None) -> Decision:
    """Whether the first of these (non-blank) rows holds names: a decision of value "yes" or "no".

    Names stand above columns of numbers as text. Where no column holds numbers, the first row is
    names unless it repeats further down.
    """
    if override is not None:
        if override not in ("yes", "no"):
            raise InvalidInput(
                N_("The header must be “yes” or “no”, not “%(value)s”."), value=override
            )
        return Decision("header", override, N_("Chosen by you."))
    first, body = rows[0], rows[1:]
    if _counts_up(first) and not any(_counts_up(row) for row in body[:1]):
        return Decision(
            "header", "yes", N_("The first row counts up, as years or numbers of columns.")
        )
    names = numbers = repeats = 0
    for position, cell in enumerate(first):
        below = [row[position] for row in body if position < len(row)]
        below = [value for value in below if value.lower() not in MISSING_CODES]
        repeats += bool(cell) and cell in below
        if not below or sum(map(_is_value, below)) < 0.6 * len(below):
            continue
        if _is_value(cell):
            numbers += 1
        elif cell.lower() not in MISSING_CODES:
            names += 1
    if names or numbers:
        if numbers > names:
            return Decision("header", "no", N_("The first row holds values, as the rows below it."))
        return Decision("header", "yes", N_("The first row holds words above columns of values."))
    if repeats or (not body and all(map(_is_value, first))):
        return Decision("header", "no", N_("The first row looks like the rows below it."))
    return Decision("header", "yes", N_("The first row is unlike every row below it."))


def _counts_up(row: Sequence[str]) -> bool:
    """Whether the integers of a row (at least 3 of them, and no other numbers) rise by one."""
    numbers = [cell for cell in row if _is_value(cell)]
    if len(numbers) < 3 or not all(cell.isascii() and cell.isdigit() for cell in numbers):
        return False
    start = int(numbers[0])
    return [int(cell) for cell in numbers] == list(range(start, start + len(numbers)))


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.match(cell) or _DATE.match(cell))
