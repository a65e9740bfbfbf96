"""Columns of text → numbers, dates and categories, each over all of its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prodapp.exceptions import N_
from prodapp.ml.columns import text_kind
from prodapp.ml.intake.cells import Cells
from prodapp.ml.intake.dates import Dates, read_dates
from prodapp.ml.intake.numerals import Vote, is_missing, thousands_mark, to_floats, vote
from prodapp.ml.table import Decision, Remark

#: A column is one of numbers when at least this share of its cells are; the rest is remarked.
_ENOUGH: Final = 0.95
_LISTED_CODES: Final = 5


@dataclass
class Converted:
    """The converted columns, their kinds in the same order, and what was decided."""

    frame: pd.DataFrame
    kinds: list[str]
    decimal: str
    thousands: str | None
    decision: Decision
    remarks: list[Remark] = field(default_factory=list)


def convert(
    cells: Cells, *, delimiter: str, decimal: str | None, on_column: Callable[[float], None]
) -> Converted:
    """Convert every column of ``cells`` (which is emptied); ``decimal`` is a person's choice.

    ``on_column`` is called with the share of the work done.
    """
    remarks: list[Remark] = []
    votes: list[Vote] = []
    n_columns = len(cells.names)
    for position, name in enumerate(cells.names):
        present, codes = _without_missing(cells.columns[position])
        remarks.extend(_missing_codes(name, present, codes))
        cells.columns[position] = present
        votes.append(vote(present))
        on_column((position + 1) / n_columns / 2)
    chosen, decision = _file_decimal(votes, delimiter=delimiter, override=decimal)
    columns: dict[str, Any] = {}
    kinds: list[str] = []
    thousands: list[str] = []
    for position, name in enumerate(cells.names):
        column = _Column(name, cells.columns[position], votes[position], cells.lines)
        cells.columns[position] = None
        mark = decimal or column.vote.decimal or chosen
        values, kind = column.converted(mark, is_forced=decimal is not None)
        if kind == "number" and column.vote.marks:
            remarks.extend(column.decimal_remarks(mark, chosen, is_forced=decimal is not None))
            if not column.vote.is_plain:
                thousands.extend(filter(None, [thousands_mark(column.cells, decimal=mark)]))
        remarks.extend(column.remarks)
        columns[name] = values
        kinds.append(kind)
        on_column(0.5 + (position + 1) / n_columns / 2)
    most = max(set(thousands), key=thousands.count) if thousands else None
    # copy=False: the columns are ours alone.
    return Converted(pd.DataFrame(columns, copy=False), kinds, chosen, most, decision, remarks)


def _without_missing(cells: Any) -> tuple[Any, list[str]]:
    """The cells with null for every missing code, and the codes seen other than empty ones."""
    missing = is_missing(cells)
    if not pc.any(missing).as_py():
        return cells, []
    codes = [code for code in pc.unique(cells.filter(missing)).to_pylist() if code]
    return pc.if_else(missing, pa.scalar(None, cells.type), cells), codes


def _missing_codes(name: str, present: Any, codes: list[str]) -> list[Remark]:
    if not codes:
        return []
    message = N_("%(codes)s in “%(column)s” was read as missing (missing cells in all: %(n)d).")
    listed = ", ".join(sorted(codes)[:_LISTED_CODES])
    params = {"codes": listed, "column": name, "n": present.null_count}
    return [Remark("missing_codes", "info", message, params, column=name)]


def _file_decimal(
    votes: list[Vote], *, delimiter: str, override: str | None
) -> tuple[str, Decision]:
    """The decimal mark of most columns; it settles the columns that do not tell."""
    if override is not None:
        return override, Decision("decimal", override, N_("Chosen by you."))
    telling = [v.decimal for v in votes if v.decimal is not None and v.share >= _ENOUGH]
    n_comma = telling.count(",")
    n_point = len(telling) - n_comma
    if n_comma != n_point:
        mark = "," if n_comma > n_point else "."
        reason = N_("Columns that can only be read this way: %(n)d of %(total)d with decimals.")
        params = {"n": max(n_comma, n_point), "total": len(telling)}
        return mark, Decision("decimal", mark, reason, params)
    unsure = [v.marks for v in votes if v.marks and v.decimal is None and v.share >= _ENOUGH]
    if unsure:
        # 1.234 or 1,234 and nothing else. Such a mark is the decimal mark, but for a comma in
        # quotation marks where cells are parted by commas: there it parts thousands.
        mark = "," if delimiter != "," and all(marks == "," for marks in unsure) else "."
        return mark, Decision("decimal", mark, N_("No column tells for sure; please check it."))
    return ".", Decision("decimal", ".", N_("There are no decimals in the file."))


class _Column:
    """One column on its way from text to values."""

    def __init__(self, name: str, cells: Any, vote_: Vote, lines: npt.NDArray[np.int64]) -> None:
        self.name = name
        self.cells = cells
        self.vote = vote_
        self.lines = lines
        self.remarks: list[Remark] = []

    def converted(self, mark: str, *, is_forced: bool) -> tuple[Any, str]:
        """The values as a pandas array or Series, and the kind of the column."""
        if self.vote.n_cells == 0:
            return np.full(len(self.cells), np.nan), "empty"
        readable = self.vote.n_comma if mark == "," else self.vote.n_point
        share = readable / self.vote.n_cells if is_forced else self.vote.share
        if share >= _ENOUGH:
            return self._numbers(mark), "number"
        dates = read_dates(self.cells)
        if dates is not None:
            self._remark_dates(dates)
            return dates.values, "date"
        encoded = self.cells.dictionary_encode().unify_dictionaries().combine_chunks()
        distinct = pd.Index(encoded.dictionary.to_pylist(), dtype="str")
        kind = text_kind(distinct)
        if kind == "text":
            return pd.Series(self.cells.to_pandas(), dtype="str"), kind
        codes = encoded.indices.fill_null(-1).to_numpy()
        order = np.argsort(distinct.to_numpy(dtype=object))
        rank = np.empty(len(order) + 1, dtype=np.int64)
        rank[order], rank[-1] = np.arange(len(order)), -1
        return pd.Categorical.from_codes(rank[codes], categories=distinct[order]), kind

    def _numbers(self, mark: str) -> npt.NDArray[np.float64]:
        floats = to_floats(self.cells, decimal=mark)
        values: npt.NDArray[np.float64] = np.array(
            pc.fill_null(floats, float("nan")).to_numpy(), dtype=np.float64
        )
        values[~np.isfinite(values)] = np.nan
        present = self.cells.is_valid().to_numpy()
        self._remark_unread(
            present & np.isnan(values),
            "not_a_number",
            N_("Cells of “%(column)s” that are no number (“%(cell)s”), taken as missing: %(n)d."),
        )
        return values

    def _remark_unread(self, bad: npt.NDArray[np.bool_], code: str, message: str) -> None:
        if not bad.any():
            return
        first = int(bad.argmax())
        params = {
            "n": int(bad.sum()),
            "column": self.name,
            "cell": str(self.cells[first].as_py())[:80],
        }
        row = int(self.lines[first])
        self.remarks.append(Remark(code, "warning", message, params, row=row, column=self.name))

    def _remark_dates(self, dates: Dates) -> None:
        present = self.cells.is_valid().to_numpy()
        self._remark_unread(
            present & np.isnat(dates.values),
            "not_a_date",
            N_("Cells of “%(column)s” that are no date (“%(cell)s”), taken as missing: %(n)d."),
        )
        params = {"column": self.name, "order": dates.order}
        if dates.ambiguous:
            message = N_("No date in “%(column)s” tells its day from its month; read as %(order)s.")
            self.remarks.append(
                Remark("ambiguous_dates", "warning", message, params, column=self.name)
            )
        if dates.has_offset:
            message = N_("The times in “%(column)s” carry offsets; they are kept in UTC.")
            self.remarks.append(Remark("utc_dates", "info", message, params, column=self.name))

    def decimal_remarks(self, mark: str, file_mark: str, *, is_forced: bool) -> list[Remark]:
        """Say when the column did not tell its decimal mark, or differs from the file."""
        params = {"column": self.name, "decimal": mark, "file_decimal": file_mark}
        if self.vote.decimal is None and not is_forced:
            first = pc.index(pc.match_substring_regex(self.cells, "[.,]"), True).as_py()
            params["cell"] = self.cells[first].as_py()
            params["value"] = (
                f"{to_floats(self.cells.slice(first, 1), decimal=mark)[0].as_py():.15g}"
            )
            message = N_(
                "The cells of “%(column)s” can be read in two ways; “%(cell)s” was read as "
                "%(value)s."
            )
            row = int(self.lines[first])
            return [Remark("ambiguous_decimals", "warning", message, params, row, self.name)]
        if mark != file_mark:
            message = N_(
                "“%(column)s” has “%(decimal)s” as its decimal mark, most columns have "
                "“%(file_decimal)s”."
            )
            return [Remark("other_decimal", "warning", message, params, column=self.name)]
        return []
