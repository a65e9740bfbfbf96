"""Columns of text → numbers, dates and categories, each over all of its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from prodapp.exceptions import N_
from prodapp.ml.intake.cells import Cells
from prodapp.ml.intake.choices import chosen
from prodapp.ml.intake.corrections import leave_out_the_impossible, rename, rescale
from prodapp.ml.intake.numerals import Vote
from prodapp.ml.intake.present import Present, find_present
from prodapp.ml.intake.values import Values, to_values
from prodapp.ml.table import Decision, Remark

#: A column tells the file's decimal mark when at least this share of its cells are numbers.
_ENOUGH: Final = 0.95


@dataclass
class Converted:
    """The converted columns, their kinds and units in the same order, and what was decided."""

    frame: pd.DataFrame
    kinds: list[str]
    units: list[str | None]
    decimal: str
    thousands: str | None
    decisions: list[Decision]
    remarks: list[Remark] = field(default_factory=list)


def convert(
    cells: Cells,
    *,
    delimiter: str,
    overrides: Mapping[str, str],
    on_column: Callable[[float], None],
) -> Converted:
    """Convert every column of ``cells`` (which is emptied); ``overrides`` are a person's choices.

    ``on_column`` is called with the share of the work done.
    """
    renamed = rename(cells, overrides)
    n_columns = len(cells.names)
    found: list[Present | None] = []
    for position, name in enumerate(cells.names):
        column, mark = cells.columns[position], cells.marks.get(position)
        found.append(find_present(column, name=name, overrides=overrides, mark=mark))
        cells.columns[position] = None
        on_column((position + 1) / n_columns / 2)
    votes = [present.vote for present in found if present is not None]
    usual, decision = _file_decimal(votes, delimiter=delimiter, override=overrides.get("decimal"))
    result = Converted(pd.DataFrame(), [], [], usual, None, [decision, *renamed])
    columns: dict[str, Any] = {}
    thousands: list[str] = []
    for position, name in enumerate(cells.names):
        present, found[position] = found[position], None
        assert present is not None  # noqa: S101 - each is taken once
        own = chosen(overrides, "decimal", name)
        read = to_values(
            present,
            name=name,
            decimal=own or present.vote.decimal or usual,
            file_decimal=usual,
            lines=cells.lines,
            overrides=overrides,
        )
        rescale(read, name, overrides)
        leave_out_the_impossible(read, name)
        columns[name] = read.values
        _note(result, read, unit=read.unit or cells.units[position])
        thousands.extend(filter(None, [read.thousands]))
        on_column(0.5 + (position + 1) / n_columns / 2)
    result.thousands = max(sorted(set(thousands)), key=thousands.count) if thousands else None
    # copy=False: the columns are ours alone.
    result.frame = pd.DataFrame(columns, copy=False)
    return result


def _note(result: Converted, read: Values, *, unit: str | None) -> None:
    result.kinds.append(read.kind)
    result.units.append(unit)
    result.decisions.extend(read.decisions)
    result.remarks.extend(read.remarks)


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
