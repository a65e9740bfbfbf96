"""What a person may decide instead of intake, for the whole file or for one column of it.

Choices travel as a flat mapping of texts, ``name`` or ``name:column``, as forms, JSON and the
command line all can hold. A choice for a column wins over one for the file.

========== ============================================= ==========================
name       values                                        for
========== ============================================= ==========================
encoding   a codec's name                                the file
delimiter  one character, or "tab"                       the file
quote      ``"`` or ``'``                                the file
sheet      the name of a sheet of a workbook             the file
first_row  1-based row where the table begins            the file
header     "yes", "no" or the number of rows of names    the file
units_row  "yes", "no"                                   the file
decimal    "." or ","                                    the file, a column
dates      "d/m/Y", "m/d/Y" or "Y/m/d"                   the file, a column
missing    codes joined by "|"; "" takes none            the file, a column
kind       "number", "date", "category" or "text"        a column
repair     a power of ten (the scale), or "no"           a column
name       its name of before; the others are of that    a column
factor     a number to multiply by, as "0.001"           a column
========== ============================================= ==========================
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from prodapp.exceptions import InvalidInput, N_

FILE_CHOICES: Final = (
    *("encoding", "delimiter", "quote", "sheet", "first_row", "header", "units_row"),
    *("decimal", "dates", "missing"),
)
COLUMN_CHOICES: Final = ("decimal", "dates", "missing", "kind", "repair", "name", "factor")
DATE_ORDERS: Final = ("d/m/Y", "m/d/Y", "Y/m/d")
MAX_NAME: Final = 200
CHOSEN_KINDS: Final = ("number", "date", "category", "text")


def check_overrides(overrides: Mapping[str, str]) -> None:
    """Raise ``InvalidInput`` for a choice that intake does not offer.

    The others (encoding, header …) are checked where they are used.
    """
    checks: dict[str, tuple[Callable[[str], bool], str]] = {
        "decimal": (
            lambda value: value in (".", ","),
            N_("The decimal mark must be “.” or “,”, not “%(value)s”."),
        ),
        "dates": (
            lambda value: value in DATE_ORDERS,
            N_("The order of dates must be “d/m/Y”, “m/d/Y” or “Y/m/d”, not “%(value)s”."),
        ),
        "kind": (
            lambda value: value in CHOSEN_KINDS,
            N_("A column can be read as number, date, category or text, not as “%(value)s”."),
        ),
        "repair": (
            lambda value: value == "no" or value in tuple(str(10**k) for k in range(1, 10)),
            N_("The scale to repair must be a power of ten, not “%(value)s”."),
        ),
        "name": (
            lambda value: 0 < len(value) <= MAX_NAME,
            N_("A column's name has 1 to 200 characters, not “%(value)s”."),
        ),
        "factor": (
            _is_factor,
            N_("A column is multiplied by a number such as 0.001, not by “%(value)s”."),
        ),
        "quote": (
            lambda value: value in ("'", '"'),
            N_("The quotation mark must be \" or ', not “%(value)s”."),
        ),
    }
    for key, value in overrides.items():
        name, _, column = key.partition(":")
        known = COLUMN_CHOICES if column else FILE_CHOICES
        if name not in known:
            raise InvalidInput(
                N_("“%(name)s” cannot be chosen; these can: %(known)s."),
                name=key,
                known=", ".join(known),
            )
        if name in checks and not checks[name][0](value):
            raise InvalidInput(checks[name][1], value=value)


def _is_factor(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and float(text) != 0
    except ValueError:
        return False


def chosen(overrides: Mapping[str, str], name: str, column: str) -> str | None:
    """The choice for a column, or else the one for the file."""
    return overrides.get(f"{name}:{column}", overrides.get(name))
