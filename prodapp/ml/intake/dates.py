"""Text → dates: ISO, ``d/m/Y`` and ``m/d/Y``, each with an optional time of day and offset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_TIME: Final = (
    r"(?:[T ]+(?P<h>\d{1,2}):(?P<n>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,6})\d*)?)?"
    r" ?(?P<z>Z|[+-]\d{2}:?\d{2})?)?$"
)
_ISO: Final = r"^(?P<a>\d{4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,2})" + _TIME
# Two-digit years only after slashes: 01-02-15 is as often the number of a batch.
_LOCAL: Final = (
    r"^(?P<a>\d{1,2})(?:[-/.]|/)(?P<b>\d{1,2})(?:[-/.](?P<c>\d{4})|/(?P<y>\d{2}))" + _TIME
)

#: A column is a column of dates when at least this share of its cells are.
_ENOUGH: Final = 0.95

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Dates:
    """A column read as dates: ``values`` is datetime64[us] (NaT where unreadable), UTC if offset.

    ``order`` is "Y-m-d", "d/m/Y" or "m/d/Y"; ``ambiguous`` says that no cell told the day from
    the month.
    """

    values: npt.NDArray[np.datetime64]
    order: str
    ambiguous: bool
    has_offset: bool


def read_dates(cells: Any) -> Dates | None:
    """Read an Arrow string array of trimmed cells (nulls allowed); None when it is not dates."""
    head = cells.slice(0, 2000).drop_null().slice(0, 200)
    for pattern in (_ISO, _LOCAL):
        if len(head) and _share(pc.match_substring_regex(head, pattern)) >= _ENOUGH:
            return _read(cells, pattern)
    return None


def _share(flags: Any) -> float:
    n_cells: int = len(flags) - flags.null_count
    return float(pc.sum(flags).as_py() or 0) / max(1, n_cells)


def _read(cells: Any, pattern: str) -> Dates | None:
    parts = pc.extract_regex(cells, pattern=pattern)
    if isinstance(parts, pa.ChunkedArray):
        parts = parts.combine_chunks()
    a, b, c = (_integers(parts, name) for name in "abc")
    order, ambiguous = "Y-m-d", False
    if pattern == _LOCAL:
        short = _integers(parts, "y")
        # As POSIX reads two digits: 69–99 are of the last century.
        c = np.where(c >= 0, c, np.where(short < 0, -1, short + np.where(short < 69, 2000, 1900)))
        order, ambiguous = _day_or_month_first(a, b, c)
        a, b, c = (c, b, a) if order == "d/m/Y" else (c, a, b)
    values = _compose(a, b, c)
    clock, offset = _clock(parts)
    values = values + clock - offset
    n_cells = len(cells) - cells.null_count
    if n_cells == 0 or np.count_nonzero(~np.isnat(values)) < _ENOUGH * n_cells:
        return None
    return Dates(values, order, ambiguous, bool(pc.any(_filled(parts, "z")).as_py()))


def _filled(parts: Any, name: str) -> Any:
    return pc.greater(pc.binary_length(pc.struct_field(parts, name)), 0)


def _integers(parts: Any, name: str) -> IntArray:
    """The named part as integers, −1 where it is absent."""
    text = pc.struct_field(parts, name)
    text = pc.if_else(_filled(parts, name), text, pa.scalar(None, text.type))
    filled: IntArray = pc.fill_null(pc.cast(text, pa.int64()), -1).to_numpy(zero_copy_only=False)
    return filled


def _day_or_month_first(a: IntArray, b: IntArray, year: IntArray) -> tuple[str, bool]:
    """Which of the first two parts is the day, and whether that is a guess.

    A part above 12 is a day. When none is, the order in which the rows run in time decides, and
    day first (the habit outside of the United States) where that does not tell either.
    """
    day_first, month_first = np.count_nonzero(a > 12), np.count_nonzero(b > 12)
    if day_first != month_first:
        return ("d/m/Y" if day_first > month_first else "m/d/Y"), False
    as_day, as_month = (
        bool((np.diff(d[~np.isnat(d)].astype(np.int64)) >= 0).all())
        for d in (_compose(year, b, a), _compose(year, a, b))
    )
    if as_month and not as_day:
        return "m/d/Y", True
    return "d/m/Y", True


def _compose(year: IntArray, month: IntArray, day: IntArray) -> npt.NDArray[np.datetime64]:
    sound = (year >= 1900) & (year <= 2200) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(sound, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (np.where(sound, day, 1) - 1).astype("timedelta64[D]")
    sound &= days.astype("datetime64[M]") == months  # 31 April is not 1 May
    dates: npt.NDArray[np.datetime64] = days.astype("datetime64[us]")
    dates[~sound] = np.datetime64("NaT")
    return dates


def _clock(parts: Any) -> tuple[npt.NDArray[np.timedelta64], npt.NDArray[np.timedelta64]]:
    """Time of day, and offset from UTC, as timedelta64[us]."""
    hour, minute, second = (np.maximum(_integers(parts, name), 0) for name in "hns")
    digits = pc.utf8_rpad(pc.struct_field(parts, "f"), width=6, padding="0")
    micro = pc.fill_null(pc.cast(digits, pa.int64()), 0).to_numpy(zero_copy_only=False)
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro
    bad = (hour > 24) | (minute > 59) | (second > 60)
    clock = clock.astype("timedelta64[us]")
    clock[bad] = np.timedelta64("NaT")
    zone = pc.replace_substring(pc.struct_field(parts, "z"), ":", "")
    zone = pc.replace_substring_regex(zone, "^(Z|)$", "+0000")
    zone = pc.fill_null(zone, "+0000")
    sign = np.where(pc.starts_with(zone, "-").to_numpy(zero_copy_only=False), -1, 1)
    number = pc.cast(pc.utf8_slice_codeunits(zone, 1), pa.int64()).to_numpy(zero_copy_only=False)
    minutes = sign * (number // 100 * 60 + number % 100)
    return clock, (minutes * 60_000_000).astype("timedelta64[us]")
