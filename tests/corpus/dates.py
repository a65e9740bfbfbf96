"""Dates and times as loggers, spreadsheets and databases write them."""

from __future__ import annotations

from tests.corpus.case import Case, text

DAYS = [f"2024-01-{day:02}" for day in range(1, 29)]


def column(*cells: str, name: str = "when") -> bytes:
    return text(f"{name};a\n" + "".join(f"{cell};{i},5\n" for i, cell in enumerate(cells)))


def of(*dates: str | None, name: str = "when") -> dict[str, list[str | None] | list[float]]:
    return {name: list(dates), "a": [i + 0.5 for i in range(len(dates))]}


CASES = [
    Case("ISO days", column(*DAYS), of(*DAYS)),
    Case(
        "ISO with T",
        column("2024-01-01T10:00:00", "2024-01-02T10:30:00"),
        of("2024-01-01 10:00", "2024-01-02 10:30"),
    ),
    Case(
        "ISO with fractions",
        column("2024-01-01 10:00:00.250", "2024-01-02 10:30:00.5"),
        of("2024-01-01 10:00:00.25", "2024-01-02 10:30:00.5"),
    ),
    Case(
        "ISO with offsets",
        column("2024-01-01T10:00:00-03:00", "2024-01-01T10:00:00Z"),
        of("2024-01-01 13:00", "2024-01-01 10:00"),
        remarks=("utc_dates",),
    ),
    Case(
        "ISO with hours of offset",
        column("2024-01-01 10:00:00-03", "2024-01-01 11:00:00-03"),
        of("2024-01-01 13:00", "2024-01-01 14:00"),
        remarks=("utc_dates",),
    ),
    Case("slashes, year first", column("2024/01/02", "2024/01/13"), of("2024-01-02", "2024-01-13")),
    Case(
        "day first",
        column("02/01/2024 10:00", "13/01/2024 11:00"),
        of("2024-01-02 10:00", "2024-01-13 11:00"),
        decisions={"dates": "d/m/Y"},
    ),
    Case(
        "month first",
        column("01/02/2024 10:00", "01/13/2024 11:00"),
        of("2024-01-02 10:00", "2024-01-13 11:00"),
        decisions={"dates": "m/d/Y"},
    ),
    Case("points", column("02.01.2024", "13.01.2024"), of("2024-01-02", "2024-01-13")),
    Case("years of two digits", column("02/01/24", "13/01/24"), of("2024-01-02", "2024-01-13")),
    Case(
        "month first by the order of rows",
        column("01/02/2024", "01/03/2024", "02/01/2024"),
        of("2024-01-02", "2024-01-03", "2024-02-01"),
        remarks=("ambiguous_dates",),
        decisions={"dates": "m/d/Y"},
    ),
    Case(
        "nothing tells day from month",
        column("05/05/2024", "06/06/2024", "04/04/2024"),
        of("2024-05-05", "2024-06-06", "2024-04-04"),
        remarks=("ambiguous_dates",),
    ),
    Case(
        "month first as chosen",
        column("01/02/2024", "02/02/2024"),
        of("2024-01-02", "2024-02-02"),
        overrides={"dates:when": "m/d/Y"},
    ),
    Case(
        "morning and afternoon",
        column("1/2/2024 2:15:00 PM", "1/13/2024 12:05:00 AM"),
        of("2024-01-02 14:15", "2024-01-13 00:05"),
    ),
    Case(
        "English months",
        column("02-Jan-2024", "13-Feb-2024 10:00"),
        of("2024-01-02", "2024-02-13 10:00"),
    ),
    Case(
        "months first in English",
        column("Jan 2, 2024", "Feb 13, 2024"),
        of("2024-01-02", "2024-02-13"),
    ),
    Case(
        "Portuguese months",
        column("2 de janeiro de 2024", "13 de março de 2024"),
        of("2024-01-02", "2024-03-13"),
    ),
    Case(
        "short Portuguese months", column("02/fev/24", "13/dez/24"), of("2024-02-02", "2024-12-13")
    ),
    Case(
        "Excel's serials",
        column("45292", "45293,5", "45294,25", name="Data"),
        of("2024-01-01", "2024-01-02 12:00", "2024-01-03 06:00", name="Data"),
        decisions={"dates": "number"},
    ),
    Case(
        "serials in a column of another name",
        column("45292", "45293", "45294", name="pressure"),
        {"pressure": [45292, 45293, 45294], "a": [0.5, 1.5, 2.5]},
    ),
    Case(
        "serials kept as numbers when chosen",
        column("45292", "45293", name="Data"),
        {"Data": [45292, 45293], "a": [0.5, 1.5]},
        overrides={"kind:Data": "number"},
    ),
    Case(
        "seconds since 1970",
        column("1704067200", "1704067260", name="timestamp"),
        of("2024-01-01 00:00", "2024-01-01 00:01", name="timestamp"),
    ),
    Case(
        "milliseconds since 1970",
        column("1704067200000", "1704067260000", name="ts"),
        of("2024-01-01 00:00", "2024-01-01 00:01", name="ts"),
    ),
    Case(
        "year, month and day in one",
        column("20240102", "20240113", name="date"),
        of("2024-01-02", "2024-01-13", name="date"),
    ),
    Case(
        "times of day",
        column("06:30", "14:15", "22:45:36"),
        {"when": [6.5, 14.25, 22.76], "a": [0.5, 1.5, 2.5]},
        units={"when": "h"},
    ),
    Case(
        "missing dates",
        column(*DAYS[:20], "", "-"),
        of(*DAYS[:20], None, None),
        remarks=("missing_codes",),
    ),
    Case(
        "a word among dates",
        column(*DAYS[:20], "sem registro"),
        of(*DAYS[:20], None),
        remarks=("words_as_missing",),
    ),
    Case(
        "a day that is not", column(*DAYS, "2024-02-30"), of(*DAYS, None), remarks=("not_a_date",)
    ),
    Case(
        "batch numbers that look like dates",
        column("01-02-15", "02-02-15", "03-02-15"),
        {"when": ["01-02-15", "02-02-15", "03-02-15"], "a": [0.5, 1.5, 2.5]},
    ),
    Case(
        "dates kept as text when chosen",
        column(*DAYS[:5]),
        {"when": DAYS[:5], "a": [0.5, 1.5, 2.5, 3.5, 4.5]},
        overrides={"kind:when": "text"},
    ),
]
