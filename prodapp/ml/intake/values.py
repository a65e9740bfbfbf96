"""One column's present cells → values: a number, date, category or text for every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prodapp.exceptions import N_
from prodapp.ml.columns import text_kind
from prodapp.ml.intake.choices import chosen
from prodapp.ml.intake.dates import Dates, dates_from_numbers, read_dates, read_hours
from prodapp.ml.intake.numerals import is_code, thousands_mark, to_floats
from prodapp.ml.intake.present import Present
from prodapp.ml.intake.scales import mend_scale, scale_remark
from prodapp.ml.intake.sentinels import find_sentinels
from prodapp.ml.table import Decision, Remark

#: A column is one of numbers when at least this share of its cells are; the rest is remarked.
_ENOUGH: Final = 0.95

Floats = npt.NDArray[np.float64]


@dataclass
class Values:
    """A column as it goes into the table, its kind, and what was decided about it."""

    values: Any
    kind: str
    unit: str | None = None
    thousands: str | None = None
    decisions: list[Decision] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def to_values(
    present: Present,
    *,
    name: str,
    decimal: str,
    file_decimal: str,
    lines: npt.NDArray[np.int64],
    overrides: Mapping[str, str],
) -> Values:
    """Convert one column; ``decimal`` is its mark, ``lines`` the file's line of each row."""
    column = _Column(present, name, decimal, lines, overrides)
    column.out.decisions.extend(present.decisions)
    column.out.remarks.extend(present.remarks)
    column.convert(file_decimal)
    return column.out


class _Column:
    """One column on its way from cells to values."""

    def __init__(
        self,
        present: Present,
        name: str,
        decimal: str,
        lines: npt.NDArray[np.int64],
        overrides: Mapping[str, str],
    ) -> None:
        self._present = present
        self._cells = present.cells
        self._name = name
        self._mark = decimal
        self._lines = lines
        self._overrides = overrides
        self._chosen_kind = overrides.get(f"kind:{name}")
        self._is_forced = chosen(overrides, "decimal", name) is not None
        self.out = Values(None, "empty", unit=present.unit)

    def convert(self, file_decimal: str) -> None:
        """Fill ``out``."""
        if self._chosen_kind is not None:
            self._decide("kind", self._chosen_kind, N_("Chosen by you."))
        if self._present.vote.n_cells == 0:
            self.out.values = np.full(len(self._cells), np.nan)
        elif self._present.is_typed:
            self._typed(file_decimal)
        elif self._is_number():
            self._numbers(file_decimal)
        else:
            self._dates_or_words()

    def _is_number(self) -> bool:
        vote = self._present.vote
        if self._chosen_kind is not None:
            return self._chosen_kind == "number"
        if vote.marks == "" and vote.n_point and is_code(self._cells):
            reason = N_("Its digits begin with zeros and are of one length, so they are a code.")
            self._decide("kind", "category", reason)
            return False
        readable = vote.n_comma if self._mark == "," else vote.n_point
        return (readable / vote.n_cells if self._is_forced else vote.share) >= _ENOUGH

    def _decide(self, what: str, value: str, reason: str, **params: Any) -> None:
        self.out.decisions.append(Decision(what, value, reason, params, column=self._name))

    def _remark(
        self,
        code: str,
        severity: str,
        message: str,
        *,
        at: int | None = None,
        remedy: Mapping[str, str] | None = None,
        **params: Any,
    ) -> None:
        row = None if at is None else int(self._lines[at])
        self.out.remarks.append(
            Remark(
                code,
                severity,
                message,
                {"column": self._name, **params},
                row,
                self._name,
                remedy or {},
            )
        )

    def _typed(self, file_decimal: str) -> None:
        """Columns of a file that has types: numbers and times."""
        if pa.types.is_timestamp(self._cells.type):
            self.out.values = self._cells.to_numpy().astype("datetime64[us]")
            self.out.kind = "date"
            return
        if self._present.vote.marks:
            self._decimal_remarks(file_decimal)
        values = pc.fill_null(self._cells, float("nan")).to_numpy()
        self._finish_numbers(np.array(values, dtype=np.float64))

    def _numbers(self, file_decimal: str) -> None:
        floats = to_floats(self._cells, decimal=self._mark)
        values: Floats = np.array(pc.fill_null(floats, float("nan")).to_numpy(), dtype=np.float64)
        values[~np.isfinite(values)] = np.nan
        self._unread(
            np.isnan(values),
            "not_a_number",
            N_("Cells of “%(column)s” that are no number (“%(cell)s”), taken as missing: %(n)d."),
        )
        vote = self._present.vote
        if vote.marks:
            self._decimal_remarks(file_decimal)
            if not vote.is_plain:
                self.out.thousands = thousands_mark(self._cells, decimal=self._mark)
        self._affix_remarks()
        self._finish_numbers(values)

    def _finish_numbers(self, values: Floats) -> None:
        """Take codes for missing out, mend or remark damage, and find the dates among numbers."""
        codes = chosen(self._overrides, "missing", self._name)
        if codes is None:
            self._take_sentinels(values)
        elif self._present.is_typed:
            numbers = to_floats(pa.array(codes.split("|")), decimal=".").drop_null()
            values[np.isin(values, numbers.to_numpy())] = np.nan
        dated = None
        if self._chosen_kind != "number":
            dated = dates_from_numbers(
                values, name=self._name, is_forced=self._chosen_kind == "date"
            )
        if dated is not None:
            self.out.values, reason = dated
            self.out.kind = "date"
            self._decide("dates", "number", reason)
            return
        repair = self._overrides.get(f"repair:{self._name}")
        if repair not in (None, "no"):
            self._repair(values, int(repair or 1))
        elif repair is None:
            remark = scale_remark(values, name=self._name, lines=self._lines)
            self.out.remarks.extend([] if remark is None else [remark])
        self.out.values, self.out.kind = values, "number"

    def _take_sentinels(self, values: Floats) -> None:
        for sentinel in find_sentinels(values):
            values[values == sentinel.value] = np.nan
            self._remark(
                "sentinel",
                "warning",
                N_(
                    "%(number)s stands apart from the other values of “%(column)s”, so it was read "
                    "as missing: %(n)d."
                ),
                at=sentinel.first,
                remedy={f"missing:{self._name}": ""},
                number=f"{sentinel.value:.15g}",
                n=sentinel.count,
            )

    def _repair(self, values: Floats, factor: int) -> None:
        mended = mend_scale(values, factor=factor)
        if mended.any():
            message = N_("Cells of “%(column)s” divided by %(factor)d, as you chose: %(n)d.")
            first = int(mended.argmax())
            self._remark(
                "repaired_scale", "info", message, at=first, factor=factor, n=int(mended.sum())
            )
        self._decide("repair", str(factor), N_("Chosen by you."))

    def _unread(self, missing: npt.NDArray[np.bool_], code: str, message: str) -> None:
        original = self._present.original
        bad = original.is_valid().to_numpy() & missing
        if bad.any():
            first = int(bad.argmax())
            cell = str(original[first].as_py())[:80]
            self._remark(code, "warning", message, at=first, n=int(bad.sum()), cell=cell)

    def _affix_remarks(self) -> None:
        stripped = self._present.stripped
        if stripped is None:
            return
        if stripped.n_limits:
            message = N_(
                "Cells of “%(column)s” that give a limit (“%(cell)s”) were read as that limit: "
                "%(n)d."
            )
            first = int(stripped.first_limit or 0)
            cell = self._present.original[first].as_py()
            self._remark("limits", "warning", message, at=first, cell=cell, n=stripped.n_limits)
        if stripped.unit and stripped.n_bare:
            message = N_("Cells of “%(column)s” without its unit, taken to be in %(unit)s: %(n)d.")
            self._remark("bare_numbers", "warning", message, unit=stripped.unit, n=stripped.n_bare)

    def _dates_or_words(self) -> None:
        if self._chosen_kind in (None, "date"):
            order = chosen(self._overrides, "dates", self._name)
            forced = self._chosen_kind == "date"
            dates = read_dates(self._cells, order=order, is_forced=forced)
            if dates is not None:
                self._dates(dates)
                return
            hours = read_hours(self._cells) if self._chosen_kind is None else None
            if hours is not None:
                self.out.values, self.out.kind, self.out.unit = hours, "number", "h"
                self._decide("unit", "h", N_("Its times of day were read as hours."))
                return
            if forced and self._present.vote.share >= _ENOUGH:
                self._numbers(self._mark)
                return
        self._words()

    def _dates(self, dates: Dates) -> None:
        self._unread(
            np.isnat(dates.values),
            "not_a_date",
            N_("Cells of “%(column)s” that are no date (“%(cell)s”), taken as missing: %(n)d."),
        )
        self.out.values, self.out.kind = dates.values, "date"
        self._decide("dates", dates.order, dates.reason)
        if dates.ambiguous:
            message = N_("No date in “%(column)s” tells its day from its month; read as %(order)s.")
            other = "m/d/Y" if dates.order == "d/m/Y" else "d/m/Y"
            remedy = {f"dates:{self._name}": other}
            self._remark("ambiguous_dates", "warning", message, order=dates.order, remedy=remedy)
        if dates.has_offset:
            message = N_("The times in “%(column)s” carry offsets; they are kept in UTC.")
            self._remark("utc_dates", "info", message)

    def _words(self) -> None:
        cells = self._present.original
        encoded = cells.dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        distinct = pd.Index(encoded.dictionary.to_pylist(), dtype="str")
        self.out.unit = None
        self.out.kind = text_kind(distinct)
        if self._chosen_kind == "text" or (
            self.out.kind == "text" and self._chosen_kind != "category"
        ):
            self.out.kind = "text"
            self.out.values = pd.Series(cells.to_pandas(), dtype="str")
            return
        self.out.kind = "category" if self.out.kind == "text" else self.out.kind
        codes = encoded.indices.fill_null(-1).to_numpy()
        order = np.argsort(distinct.to_numpy(dtype=object))
        rank = np.empty(len(order) + 1, dtype=np.int64)
        rank[order], rank[-1] = np.arange(len(order)), -1
        self.out.values = pd.Categorical.from_codes(rank[codes], categories=distinct[order])

    def _decimal_remarks(self, file_mark: str) -> None:
        """Say when the column did not tell its decimal mark, or differs from the file."""
        if self._present.vote.decimal is None and not self._is_forced:
            floats = to_floats(self._cells, decimal=self._mark)
            marked = pc.match_substring_regex(self._cells, "[.,]")
            first = pc.index(pc.and_(marked, pc.is_valid(floats)), True).as_py()
            if first < 0:
                return
            value = floats[first].as_py()
            message = N_(
                "The cells of “%(column)s” can be read in two ways; “%(cell)s” was read as "
                "%(value)s."
            )
            other = {f"decimal:{self._name}": "," if self._mark == "." else "."}
            cell = self._cells[first].as_py()
            self._remark(
                "ambiguous_decimals",
                "warning",
                message,
                at=first,
                remedy=other,
                decimal=self._mark,
                file_decimal=file_mark,
                cell=cell,
                value=f"{value:.15g}",
            )
        elif self._mark != file_mark and not self._is_forced:
            message = N_(
                "“%(column)s” has “%(decimal)s” as its decimal mark, most columns have "
                "“%(file_decimal)s”."
            )
            self._remark(
                "other_decimal",
                "warning",
                message,
                decimal=self._mark,
                file_decimal=file_mark,
            )
