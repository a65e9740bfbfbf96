"""Numbers written with something around them: currency, unit, percent, brackets, limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from prodapp.ml.intake.units import CURRENCIES, UNIT_PATTERN

_CURRENCY: Final = "|".join(map(re.escape, CURRENCIES))
#: RE2 reads named groups as ``re`` does. A minus may stand before or after the currency.
_AFFIXED: Final = (
    rf"^(?P<s>[-−]?)(?P<a>\(?)\s*(?P<c>{_CURRENCY})?\s*(?P<l>[<>≤≥~]?)\s*"
    rf"(?P<n>[+\-−]?\d[\d.,'’   ]*(?:[eE][+-]?\d{{1,3}})?)\s*"
    rf"(?P<u>{UNIT_PATTERN}|{_CURRENCY})?\s*(?P<z>\)?)(?P<m>[-−]?)$"
)
_HEAD: Final = 500
_ENOUGH: Final = 0.95


@dataclass(frozen=True)
class Stripped:
    """``cells`` as bare numbers (null where not of the pattern), their common ``unit``.

    ``units`` lists more than one when the cells do not agree: then ``cells`` must not be used.
    ``n_limits`` counts cells as "<0.05", read as the limit; ``first_limit`` is the first of them.
    """

    cells: Any
    unit: str | None
    units: tuple[str, ...]
    n_bare: int
    n_limits: int
    first_limit: int | None


def strip_affixes(cells: Any) -> Stripped | None:
    """Take affixes off trimmed cells (nulls allowed); None when they are not of this kind."""
    head = cells.slice(0, 5 * _HEAD).drop_null().slice(0, _HEAD)
    if not len(head) or _share(head) < _ENOUGH - 0.1:
        return None
    if _share(cells) < _ENOUGH:
        return None
    parts = pc.extract_regex(cells, pattern=_AFFIXED)
    if isinstance(parts, pa.ChunkedArray):
        parts = parts.combine_chunks()
    part = {name: pc.struct_field(parts, name) for name in ("s", "a", "c", "l", "n", "u", "z", "m")}
    if not _is_balanced(part):
        return None
    affix = pc.binary_join_element_wise(part["c"], part["u"], "")
    counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(affix).to_pylist()}
    distinct: dict[str, str] = {}
    for unit in sorted(filter(None, counts), key=lambda unit: counts[unit], reverse=True):
        distinct.setdefault(unit.lower(), unit)
    is_negative = pc.or_(
        pc.greater(pc.binary_length(part["a"]), 0),
        pc.or_(
            pc.greater(pc.binary_length(part["s"]), 0), pc.greater(pc.binary_length(part["m"]), 0)
        ),
    )
    number = pc.utf8_trim_whitespace(part["n"])
    number = pc.if_else(is_negative, pc.binary_join_element_wise("-", number, ""), number)
    limits = pc.fill_null(pc.greater(pc.binary_length(part["l"]), 0), False)
    n_limits = pc.sum(limits).as_py() or 0
    return Stripped(
        cells=number,
        unit=next(iter(distinct.values()), None),
        units=tuple(distinct.values()),
        n_bare=counts.get("", 0),
        n_limits=n_limits,
        first_limit=pc.index(limits, True).as_py() if n_limits else None,
    )


def _share(cells: Any) -> float:
    n_cells = len(cells) - cells.null_count
    matching = pc.sum(pc.match_substring_regex(cells, _AFFIXED)).as_py() or 0
    share: float = matching / max(1, n_cells)
    return share


def _is_balanced(part: dict[str, Any]) -> bool:
    """Whether every bracket is closed, so that "(5)" is −5 and "5)" is no number."""
    opened, closed = (pc.binary_length(part[name]) for name in "az")
    return bool(pc.all(pc.equal(opened, closed)).as_py())
