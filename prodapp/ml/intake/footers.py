"""Sums and notes below a table, which are no observations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from prodapp.ml.intake.heading import is_missing_code, is_value

_LOOKED_AT: Final = 30
_COMPARED: Final = 200
#: A note fills at most this share of the columns.
_FEW: Final = 0.34

_SUM: Final = re.compile(
    r"^(grand |sub ?)?(total|totals|totais|soma|sum|somatório|média|media|average|mean|avg|"
    r"mínimo|máximo|minimum|maximum|desvio padrão|std|stdev|std\.? ?dev\.?)( geral)?[.:]?$",
    re.IGNORECASE,
)
_NOTE: Final = re.compile(
    r"^(\*|#|//|-{3,}|={3,}|\(?\d+ (rows?|linhas?|registros?|records?)|gerado|generated|export|"
    r"fonte|source|end of|fim d|página|page \d|obs\b|nota\b|note\b|report|relatório|printed)",
    re.IGNORECASE,
)


def footer_rows(
    columns: Sequence[Any], is_data: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_] | None:
    """Flags of the rows at the end that are sums or notes, None when there is none.

    ``columns`` are Arrow arrays of trimmed text or of numbers, ``is_data`` the rows still in.
    """
    places = np.flatnonzero(is_data)[-_LOOKED_AT - _COMPARED :]
    if len(places) < 3:
        return None
    rows = _rows(columns, places)
    n_columns = len(columns)
    found = np.zeros(len(is_data), dtype=bool)
    for at in range(len(rows) - 1, max(1, len(rows) - 1 - _LOOKED_AT), -1):
        above = rows[max(0, at - _COMPARED) : at]
        if not _is_footer(rows[at], above, n_columns=n_columns):
            break
        found[places[at]] = True
    return found if found.any() else None


def _rows(columns: Sequence[Any], places: npt.NDArray[np.int64]) -> list[list[str]]:
    taken = [cells.take(pa.array(places)).to_pylist() for cells in columns]
    return [["" if cell is None else str(cell) for cell in row] for row in zip(*taken, strict=True)]


def _is_footer(row: list[str], above: list[list[str]], *, n_columns: int) -> bool:
    filled = [place for place, cell in enumerate(row) if cell]
    if not filled:
        return False
    first = filled[0]
    word = row[first]
    if is_value(word) or is_missing_code(word) or any(word == other[first] for other in above):
        return False
    if _SUM.match(word):
        return True
    is_sparse = len(filled) <= max(1, _FEW * n_columns)
    usual = [sum(map(bool, other)) for other in above]
    if not is_sparse or sum(count <= len(filled) for count in usual) > 0.2 * len(usual):
        return False
    values = [is_value(other[first]) for other in above if not is_missing_code(other[first])]
    is_typed = bool(values) and sum(values) >= 0.9 * len(values)
    return is_typed or bool(_NOTE.match(word))
