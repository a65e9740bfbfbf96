"""How the cells of a table in text are parted: separator and quotation mark."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Final

from prodapp.exceptions import DataRefused, InvalidInput, N_
from prodapp.ml.intake.heading import is_value
from prodapp.ml.table import Decision

DELIMITERS: Final = (";", ",", "\t", "|")
QUOTE: Final = '"'

#: clevercsv tries every dialect on every row, so it sees a few kilobytes only.
_CLEVERCSV_CHARS: Final = 6_000
_SAMPLE_RECORDS: Final = 200
#: A separator this much better than the next one needs no second opinion.
_CLEAR_LEAD: Final = 0.15
_MAX_TITLE_ROWS: Final = 60

_SEP_LINE: Final = re.compile(r'^\s*"?sep=(?P<mark>.)"?[\s;,]*$', re.IGNORECASE)


def declared_delimiter(first_line: str) -> str | None:
    """The mark of an Excel ``sep=;`` line, None when the line is not one."""
    found = _SEP_LINE.match(first_line.rstrip("\r\n"))
    return found["mark"] if found else None


def records(
    text: str,
    delimiter: str,
    *,
    quote: str = QUOTE,
    limit: int | None = None,
    ends: list[int] | None = None,
) -> list[list[str]]:
    """The cells of ``text``, trimmed, one list a record; at most ``limit`` records.

    The line on which each record ends (1-based) is added to ``ends``.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    rows: list[list[str]] = []
    line = 0
    try:
        for row in reader:
            rows.append([cell.strip() for cell in row])
            line = reader.line_num
            if ends is not None:
                ends.append(reader.line_num)
            if limit is not None and len(rows) >= limit:
                break
    except csv.Error as error:
        if "field larger" in str(error):
            raise DataRefused(
                N_("A cell is too long to be read. Is a quotation mark left open?"),
                code="cell_too_long",
                row=line + 1,
            ) from None
        raise
    return rows


def detect_quote(
    sample: str, delimiter: str, *, override: str | None = None
) -> tuple[str, list[Decision]]:
    """The quotation mark, ``'`` where cells stand in it and none in ``"``; said when unusual."""
    if override is not None:
        return override, [Decision("quote", override, N_("Chosen by you."))]
    if QUOTE in sample:
        return QUOTE, []
    mark = re.escape(delimiter)
    quoted = re.findall(rf"(?:^|{mark})'[^'\r\n]*'(?={mark}|$|\r)", sample, re.MULTILINE)
    if len(quoted) > sample.count("\n"):
        return "'", [Decision("quote", "'", N_("Cells stand between these marks."))]
    return QUOTE, []


def detect_delimiter(sample: str, *, override: str | None = None) -> tuple[str, Decision]:
    """The separator of the cells in ``sample`` (whole lines), and the decision in words.

    Raises ``InvalidInput`` for an override that is not one character.
    """
    if override is not None:
        mark = {"tab": "\t", "\\t": "\t"}.get(override, override)
        if len(mark) != 1 or mark in "\"'\r\n" or mark.isalnum():
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
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return 0.0
    width = widths.most_common(1)[0][0]
    # Titles above the table hold no separators; the names do, and no decimal commas.
    start = next(place for place, row in enumerate(rows) if len(row) == width)
    if start > _MAX_TITLE_ROWS or any(len(row) > width for row in rows[:start]):
        start = 0
    regular = widths[width] / (len(rows) - start)
    if start or len(rows[0]) != width:
        regular *= 0.5 if start == 0 else 0.8
    others = [mark for mark in DELIMITERS if mark not in (delimiter, ",")]
    cells = [cell for row in rows for cell in row[:50]]
    unclean = sum(any(mark in cell for mark in others) for cell in cells)
    typed = sum(not cell or is_value(cell) for cell in cells)
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
