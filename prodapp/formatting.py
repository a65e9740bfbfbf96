"""Numbers, dates and sizes as a person reads them, in the language of the request.

For pages and sentences: programs get plain numbers. Nothing here rounds what is stored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from numbers import Real
from typing import Any

import flask_babel
from babel import Locale
from babel.numbers import (
    NumberFormatError,
    format_compact_decimal,
    format_decimal,
    format_percent,
    format_scientific,
    get_decimal_symbol,
    parse_decimal,
)
from flask import Flask

from prodapp import charts
from prodapp.exceptions import place
from prodapp.i18n import gettext

MISSING = "–"
SMALLEST_PLAIN = 1e-4
LARGEST_PLAIN = 1e12
MOST_DECIMALS = 7
LARGEST_PLAIN_TICK = 1e5
# "%(n)d" and its kin: numbers arrive here as text, written in the reader's language.
_NUMBER_PLACE = re.compile(r"%\((\w+)\)[-#0 +]*\d*(?:\.\d+)?[diufFeEgG]")
_PYTHON_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
SIZE_UNITS = ("B", "kB", "MB", "GB", "TB")


def locale() -> Locale:
    """The locale of this request; English outside of one."""
    return flask_babel.get_locale() or Locale("en")


def locale_tag() -> str:
    """The locale as HTML writes it: ``pt-BR``."""
    return str(locale()).replace("_", "-")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def number(value: float | None, digits: int = 3, *, fixed: bool = False) -> str:
    """``value`` to ``digits`` significant digits; whole digits are never dropped.

    ``fixed`` keeps closing zeros, so that figures below each other align. None, NaN and infinity
    become a dash.
    """
    if value is None or not _is_number(value):
        return MISSING
    size = abs(value)
    if size and not SMALLEST_PLAIN <= size < LARGEST_PLAIN:
        return str(format_scientific(value, "0.##E0", locale=locale()))
    magnitude = math.floor(math.log10(size)) if size else 0
    decimals = max(0, digits - 1 - magnitude) if size else 0
    if fixed and not size:
        decimals = digits - 1
    rounded = round(value, decimals) + 0.0  # + 0.0: never "-0"
    mark = "0" if fixed else "#"
    pattern = "#,##0" + (f".{mark * decimals}" if decimals else "")
    return str(format_decimal(rounded, pattern, locale=locale()))


def plain_number(value: float | None, digits: int = 3, *, fixed: bool = False) -> str:
    """A size (0 or more) as :func:`number` gives it, but small ones without powers of ten.

    What is too small for seven decimal places reads ``<0.0000001``.
    """
    if value is None or not _is_number(value) or not 0 < value < SMALLEST_PLAIN:
        return number(value, digits, fixed=fixed)
    least = 10.0**-MOST_DECIMALS
    if value < least:
        return "<" + decimal(least, MOST_DECIMALS)
    return decimal(value, MOST_DECIMALS)


def decimal(value: float | None, decimals: int = 2) -> str:
    """``value`` with exactly ``decimals`` decimal places, for figures that share a scale (R²)."""
    if value is None or not _is_number(value):
        return MISSING
    pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "")
    return str(format_decimal(round(value, decimals) + 0.0, pattern, locale=locale()))


def local_decimal(text: str) -> str:
    """A number as Python wrote it ("332.5", "1e-05"), with the reader's decimal mark.

    A cell is shown as it was read: no digit is rounded, added or grouped. Other text stays as it
    is.
    """
    if not _PYTHON_NUMBER.fullmatch(text):
        return text
    return text.replace(".", get_decimal_symbol(locale()))


def typed_number(text: str) -> float | str:
    """The number that a person typed, in their language or with a point; else the text."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(parse_decimal(text, locale=locale(), strict=True))
    except (NumberFormatError, ValueError):
        return text


def tick(value: float) -> str:
    """A value beside an axis: short, also where it is large ("250K", "250 mil")."""
    if abs(value) < LARGEST_PLAIN_TICK:
        return number(value, 4)
    return str(format_compact_decimal(value, fraction_digits=1, locale=locale()))


def integer(value: float | None) -> str:
    """A count, grouped by thousands."""
    return decimal(value, 0)


def percent(value: float | None, decimals: int = 0) -> str:
    """A share of 1 as a percentage; a share that would round to nothing reads ``<1%``."""
    if value is None or not _is_number(value):
        return MISSING
    pattern = "0" + (f".{'0' * decimals}" if decimals else "") + "%"
    least = 10.0 ** -(decimals + 2)
    if 0 < value < least:
        return "<" + str(format_percent(least, pattern, locale=locale()))
    return str(format_percent(value, pattern, locale=locale()))


def _aware(value: datetime) -> datetime:
    """The database hands out UTC without saying so."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def date_and_time(value: datetime | None) -> str:
    """Day and time of day in the viewer's time zone."""
    if value is None:
        return MISSING
    return f"{date(value)}, {flask_babel.format_time(_aware(value), 'short')}"


def date(value: datetime | None) -> str:
    """The day in the viewer's time zone."""
    return MISSING if value is None else str(flask_babel.format_date(_aware(value), "medium"))


def isoformat(value: datetime | None) -> str:
    """ISO 8601 with zone, for ``<time datetime>`` and scripts."""
    return _aware(value).isoformat() if value else ""


def timeago(value: datetime | None, *, now: datetime | None = None) -> str:
    """How long ago, roughly: "3 hours ago"."""
    if value is None:
        return MISSING
    passed = _aware(value) - _aware(now or datetime.now(UTC))
    if abs(passed.total_seconds()) < 1:
        return gettext("just now")
    return str(flask_babel.format_timedelta(passed, add_direction=True))


def duration(seconds: float | None) -> str:
    """A length of time, to the two units that matter: "1 min 12 s"."""
    if seconds is None or not _is_number(seconds):
        return MISSING
    if seconds < 10:
        return gettext("%(number)s s", number=decimal(max(0.0, seconds), 1))
    whole = round(seconds)
    if whole < 60:
        return gettext("%(number)s s", number=whole)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return gettext("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=rest)
    hours, minutes = divmod(minutes, 60)
    return gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)


def filesize(size: int | None) -> str:
    """Bytes in units of 1024, as the file manager of Windows counts (and as limits are set)."""
    if size is None:
        return MISSING
    amount, unit = float(size), 0
    while amount >= 1000 and unit < len(SIZE_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{number(amount, 3)} {SIZE_UNITS[unit]}"


def sentence(message: str, params: Mapping[str, Any] | None = None) -> str:
    """A message template in the reader's language, its numbers written as that language does."""
    translated = gettext(message)
    if not params:
        return translated
    where = place(message, params)
    if where:
        translated = gettext(where) + translated
    shown = {
        name: (integer(value) if isinstance(value, int) else number(value))
        if _is_number(value)
        else value
        for name, value in params.items()
    }
    return _NUMBER_PLACE.sub(r"%(\1)s", translated) % shown


def init_app(app: Flask) -> None:
    """Register the filters, and the functions that every template may call."""
    app.jinja_env.filters.update(
        number=number,
        decimal=decimal,
        local_decimal=local_decimal,
        plain_number=plain_number,
        integer=integer,
        tick=tick,
        percent=percent,
        date=date,
        datetime=date_and_time,
        isoformat=isoformat,
        timeago=timeago,
        duration=duration,
        filesize=filesize,
        sentence=sentence,
    )
    app.jinja_env.globals.update(
        locale_tag=locale_tag,
        utc_now=lambda: datetime.now(UTC),
        scatter_plot=charts.scatter_plot,
        score_plot=charts.score_plot,
        spark_line=charts.spark_line,
        distribution_path=charts.distribution_path,
    )
