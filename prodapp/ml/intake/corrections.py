"""What a person says of a column that no cell can tell (its name of before, its scale), and what
no column can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from prodapp.exceptions import InvalidInput, N_
from prodapp.ml.intake.cells import Cells
from prodapp.ml.intake.values import Values
from prodapp.ml.table import Decision, Remark

_CHOSEN: Final = N_("Chosen by you.")
_MOST: Final = 1e100


def rename(cells: Cells, overrides: Mapping[str, str]) -> list[Decision]:
    """Give columns of ``cells`` the names of ``name:<name in the file>``; every other choice is of
    the new name.

    A column that the file lacks is passed over: choices are remembered from file to file. Raises
    :class:`InvalidInput` where two columns would share a name.
    """
    decisions = []
    for key, new in overrides.items():
        what, _, old = key.partition(":")
        if what != "name" or old not in cells.names or new == old:
            continue
        if new in cells.names:
            raise InvalidInput(
                N_("“%(old)s” cannot be called “%(new)s”: another column has that name."),
                old=old,
                new=new,
            )
        cells.names[cells.names.index(old)] = new
        decisions.append(Decision("name", old, _CHOSEN, column=new))
    return decisions


def leave_out_the_impossible(read: Values, name: str) -> None:
    """Take numbers for missing whose squares no computer holds: nothing measures so much."""
    if read.kind != "number":
        return
    numbers = np.asarray(read.values, dtype=np.float64)
    is_impossible = np.abs(numbers) > _MOST
    n = int(is_impossible.sum())
    if n:
        read.values = np.where(is_impossible, np.nan, numbers)
        message = N_("“%(column)s” holds numbers beyond 1e100 (%(n)d); they count as missing.")
        params = {"column": name, "n": n}
        read.remarks.append(Remark("impossible_number", "warning", message, params, column=name))


def rescale(read: Values, name: str, overrides: Mapping[str, str]) -> None:
    """Multiply a column of numbers by its ``factor``."""
    factor = overrides.get(f"factor:{name}")
    if factor is None or read.kind != "number" or float(factor) == 1.0:
        return
    read.values = np.asarray(read.values, dtype=np.float64) * float(factor)
    read.decisions.append(Decision("factor", factor, _CHOSEN, column=name))
