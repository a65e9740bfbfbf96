"""Text → dates: ISO, ``d/m/Y``, ``m/d/Y``, named months, each with an optional time and offset;
and numbers that are dates: Excel's serials, seconds since 1970, ``YYYYmmdd``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from prodapp.exceptions import N_

_TIME: Final = (
    r"(?:(?:[T ]+|, *| +- +)(?P<h>\d{1,2}):(?P<n>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,6})\d*)?)?"
    r" ?(?P<p>[AaPp]\.?[Mm]\.?)? ?(?P<z>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$"
)
_ISO: Final = r"^(?P<a>\d{4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,2})" + _TIME
# Two-digit years only after slashes: 01-02-15 is as often the number of a batch.
_LOCAL: Final = (
    r"^(?P<a>\d{1,2})(?:[-/.]|/)(?P<b>\d{1,2})(?:[-/.](?P<c>\d{4})|/(?P<y>\d{2}))" + _TIME
)
_CLOCK: Final = r"^(?P<h>\d{1,3}):(?P<n>[0-5]\d)(?::(?P<s>[0-5]\d)(?:[.,](?P<f>\d{1,6}))?)?$"

#: Beginnings of the names of months in Portuguese and English, by number.
_MONTHS: Final = (
    *(("jan", 1), ("fev", 2), ("feb", 2), ("mar", 3), ("abr", 4), ("apr", 4), ("mai", 5)),
    *(("may", 5), ("jun", 6), ("jul", 7), ("ago", 8), ("aug", 8), ("set", 9), ("sep", 9)),
    *(("out", 10), ("oct", 10), ("nov", 11), ("dez", 12), ("dec", 12)),
)
_MONTH: Final = "|".join(name for name, _ in _MONTHS)
_NAMED: Final = (
    rf"^\d{{1,2}}(?:[-/ .]| de )+(?:{_MONTH})[a-zç]*\.?(?:[-/ .,]| de )+(?:\d{{4}}|\d{{2}})\b"
)
_NAMED_FIRST: Final = rf"^(?:{_MONTH})[a-z]*\.? +\d{{1,2}},? +\d{{4}}\b"

#: A column is a column of dates when at least this share of its cells are.
_ENOUGH: Final = 0.95
_DAY_US: Final = 86_400_000_000

IntArray = npt.NDArray[np.int64]
Times = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Dates:
    """A column read as dates: ``values`` is datetime64[us] (NaT where unreadable), UTC if offset.

    ``order`` is "Y-m-d", "d/m/Y" or "m/d/Y", and ``reason`` says why, as a template;
    ``ambiguous`` says that no cell told the day from the month.
    """

    values: Times
    order: str
    ambiguous: bool
    has_offset: bool
    reason: str = ""


def read_dates(cells: Any, *, order: str | None = None, is_forced: bool = False) -> Dates | None:
    """Read an Arrow string array of trimmed cells (nulls allowed); None when it is not dates.

    ``order`` is a person's choice ("Y/m/d" leaves the order to the cells); with ``is_forced`` a
    column is one of dates however few of its cells are.
    """
    head = cells.slice(0, 2000).drop_null().slice(0, 200)
    if not len(head):
        return None
    least = 1e-9 if is_forced else _ENOUGH
    for pattern in (_ISO, _LOCAL):
        if _share(pc.match_substring_regex(head, pattern)) >= least:
            return _read(cells, pattern, order=order, least=least)
    lowered = pc.utf8_lower(head)
    for pattern in (_NAMED, _NAMED_FIRST):
        if _share(pc.match_substring_regex(lowered, pattern)) >= least:
            chosen = "d/m/Y" if pattern == _NAMED else "m/d/Y"
            numbered = _without_names(pc.utf8_lower(cells))
            return _read(numbered, _LOCAL, order=chosen, least=least)
    return None


def _without_names(lowered: Any) -> Any:
    """Cells with the names of months replaced: "1 de março de 2024" → "1/3/2024"."""
    for name, number in _MONTHS:
        lowered = pc.replace_substring_regex(lowered, rf"\b{name}[a-zç]*\.?", str(number))
    between = r"^(\d{1,2})(?:[-/ .,]| de )+(\d{1,2})(?:[-/ .,]| de )+(\d{4}|\d{2}\b)"
    lowered = pc.replace_substring_regex(lowered, between, r"\1/\2/\3")
    return pc.replace_substring_regex(lowered, r"(\d)t(\d)", r"\1T\2")


def _share(flags: Any) -> float:
    n_cells: int = len(flags) - flags.null_count
    return float(pc.sum(flags).as_py() or 0) / max(1, n_cells)


def _read(cells: Any, pattern: str, *, order: str | None, least: float) -> Dates | None:
    parts = pc.extract_regex(cells, pattern=pattern)
    if isinstance(parts, pa.ChunkedArray):
        parts = parts.combine_chunks()
    a, b, c = (_integers(parts, name) for name in "abc")
    told, ambiguous, reason = "Y-m-d", False, N_("The year comes first.")
    if pattern == _LOCAL:
        short = _integers(parts, "y")
        # As POSIX reads two digits: 69–99 are of the last century.
        c = np.where(c >= 0, c, np.where(short < 0, -1, short + np.where(short < 69, 2000, 1900)))
        told, ambiguous, reason = _day_or_month_first(a, b, c)
        if order in ("d/m/Y", "m/d/Y"):
            told, ambiguous, reason = order, False, N_("Chosen by you.")
        a, b, c = (c, b, a) if told == "d/m/Y" else (c, a, b)
    values = _compose(a, b, c)
    clock, offset = _clock(parts)
    values = values + clock - offset
    n_cells = len(cells) - cells.null_count
    if n_cells == 0 or np.count_nonzero(~np.isnat(values)) < least * n_cells:
        return None
    has_offset = bool(pc.any(_filled(parts, "z")).as_py())
    return Dates(values, told, ambiguous, has_offset, reason)


def _filled(parts: Any, name: str) -> Any:
    return pc.greater(pc.binary_length(pc.struct_field(parts, name)), 0)


def _integers(parts: Any, name: str) -> IntArray:
    """The named part as integers, −1 where it is absent."""
    text = pc.struct_field(parts, name)
    text = pc.if_else(_filled(parts, name), text, pa.scalar(None, text.type))
    filled: IntArray = pc.fill_null(pc.cast(text, pa.int64()), -1).to_numpy(zero_copy_only=False)
    return filled


def _day_or_month_first(a: IntArray, b: IntArray, year: IntArray) -> tuple[str, bool, str]:
    """Which of the first two parts is the day, whether that is a guess, and why.

    A part above 12 is a day. When none is, the order in which the rows run in time decides, and
    day first (the habit outside of the United States) where that does not tell either.
    """
    day_first, month_first = np.count_nonzero(a > 12), np.count_nonzero(b > 12)
    if day_first != month_first:
        order = "d/m/Y" if day_first > month_first else "m/d/Y"
        return order, False, N_("A part above 12 can only be the day.")
    as_day, as_month = (
        bool((np.diff(d[~np.isnat(d)].astype(np.int64)) >= 0).all())
        for d in (_compose(year, b, a), _compose(year, a, b))
    )
    if as_month and not as_day:
        return "m/d/Y", True, N_("Only read so do the rows run forward in time.")
    if as_day and not as_month:
        return "d/m/Y", True, N_("Only read so do the rows run forward in time.")
    return "d/m/Y", True, N_("Nothing tells the day from the month; the day comes first mostly.")


def _compose(year: IntArray, month: IntArray, day: IntArray) -> Times:
    sound = (year >= 1900) & (year <= 2200) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(sound, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.where(sound, day, 1) - 1).astype("timedelta64[D]")
    sound &= days.astype("datetime64[M]") == months  # 31 April is not 1 May
    dates: Times = days.astype("datetime64[us]")
    dates[~sound] = np.datetime64("NaT")
    return dates


def _clock(parts: Any) -> tuple[npt.NDArray[np.timedelta64], npt.NDArray[np.timedelta64]]:
    """Time of day, and offset from UTC, as timedelta64[us]."""
    hour, minute, second = (np.maximum(_integers(parts, name), 0) for name in "hns")
    half = pc.fill_null(pc.utf8_lower(pc.struct_field(parts, "p")), "")
    is_pm = pc.starts_with(half, "p").to_numpy(zero_copy_only=False)
    has_half = is_pm | pc.starts_with(half, "a").to_numpy(zero_copy_only=False)
    hour = np.where(has_half, hour % 12 + 12 * is_pm, hour)
    digits = pc.utf8_rpad(pc.struct_field(parts, "f"), width=6, padding="0")
    micro = pc.fill_null(pc.cast(digits, pa.int64()), 0).to_numpy(zero_copy_only=False)
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    bad = (hour > 24) | (minute > 59) | (second > 60)
    clock = clock.astype("timedelta64[us]")
    clock[bad] = np.timedelta64("NaT")
    zone = pc.replace_substring(pc.struct_field(parts, "z"), ":", "")
    zone = pc.replace_substring_regex(zone, "^(Z|UTC|GMT|)$", "+0000")
    zone = pc.replace_substring_regex(zone, r"^([+-]\d{2})$", r"\100")
    zone = pc.fill_null(zone, "+0000")
    sign = np.where(pc.starts_with(zone, "-").to_numpy(zero_copy_only=False), -1, 1)
    number = pc.cast(pc.utf8_slice_codeunits(zone, 1), pa.int64()).to_numpy(zero_copy_only=False)
    minutes = sign * (number // 100 * 60 + number % 100)
    return clock, (minutes * 60_000_000).astype("timedelta64[us]")


def read_hours(cells: Any) -> npt.NDArray[np.float64] | None:
    """Times of day and durations ("14:30", "0:15:30") as hours; None for anything else."""
    head = cells.slice(0, 2000).drop_null().slice(0, 200)
    if not len(head) or _share(pc.match_substring_regex(head, _CLOCK)) < _ENOUGH:
        return None
    if _share(pc.match_substring_regex(cells, _CLOCK)) < _ENOUGH:
        return None
    parts = pc.extract_regex(cells, pattern=_CLOCK)
    if isinstance(parts, pa.ChunkedArray):
        parts = parts.combine_chunks()
    hour, minute, second = (_integers(parts, name) for name in "hns")
    digits = pc.utf8_rpad(pc.struct_field(parts, "f"), width=6, padding="0")
    micro = pc.fill_null(pc.cast(digits, pa.int64()), 0).to_numpy(zero_copy_only=False)
    hours = hour + minute / 60 + np.maximum(second, 0) / 3600 + micro / 3.6e9
    result: npt.NDArray[np.float64] = np.where(hour >= 0, hours, np.nan)
    return result


_TIME_NAME: Final = re.compile(
    r"(?:^|[^a-z])(?:data|date|datahora|hora|horario|time|datetime|timestamp|dt|ts|when|quando|dia|"
    r"day|epoch|unix)(?:$|[^a-z])",
    re.IGNORECASE,
)


def dates_from_numbers(
    values: npt.NDArray[np.float64], *, name: str, is_forced: bool = False
) -> tuple[Times, str] | None:
    """Numbers that are dates by the column's name and their range, with the reason; else None.

    With ``is_forced`` (a person's choice) the name does not matter.
    """
    present = values[~np.isnan(values)]
    if len(present) == 0 or not (is_forced or _TIME_NAME.search(re.sub(r"[\W_]+", " ", name))):
        return None
    low, high = present.min(), present.max()
    is_whole = bool((present == np.floor(present)).all())
    if low >= 20_000 and high <= 80_000:
        # Excel counts days from 1899-12-30, after its leap year that never was.
        return _since("1899-12-30", values, _DAY_US), N_(
            "Its numbers are days as Excel counts them."
        )
    if is_whole and low >= 19_000_101 and high <= 22_001_231:
        number = np.nan_to_num(values).astype(np.int64)
        times = _compose(number // 10_000, number // 100 % 100, number % 100)
        if np.isnat(times[~np.isnan(values)]).mean() <= 1 - _ENOUGH:
            return times, N_("Its numbers are year, month and day in one.")
    for factor, least in ((1_000_000, 5e8), (1_000, 5e11)):
        if least <= low and high <= 8 * least:
            return _since("1970-01-01", values, factor), N_("Its numbers count seconds since 1970.")
    return None


def _since(start: str, values: npt.NDArray[np.float64], unit_us: int) -> Times:
    microseconds = np.rint(np.nan_to_num(values) * unit_us).astype("timedelta64[us]")
    times: Times = np.datetime64(start, "us") + microseconds
    # A day is kept to the second only: Excel's fractions are binary.
    if unit_us == _DAY_US:
        times = (times + np.timedelta64(500_000, "us")).astype("datetime64[s]").astype(times.dtype)
    times[np.isnan(values)] = np.datetime64("NaT")
    return times
