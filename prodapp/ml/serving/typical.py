"""The most usual row that was really run: what a question starts from when nobody names a row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prodapp.ml.serving.novelty import Neighbourhood
from prodapp.ml.serving.variables import Row

if TYPE_CHECKING:
    # Importing it would load the kernels that forests answer by.
    from prodapp.ml.serving.reference import Reference


def typical_row(reference: Reference) -> Row:
    """Of the training rows kept, the one nearest to all medians and most frequent values.

    Those values together may never have been run; a row that was is no invention. Rows without
    missing values come first.
    """
    usual = [
        math.nan if v.is_number and v.middle is None else v.default for v in reference.variables
    ]
    whole = [row for row in reference.rows if not any(_is_missing(value) for value in row)]
    rows = whole or reference.rows
    kinds = [variable.kind for variable in reference.variables]
    return list(rows[Neighbourhood.of(rows, kinds).nearest(usual)])


def _is_missing(value: object) -> bool:
    return value is None or value != value
