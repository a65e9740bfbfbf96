"""What of a column is there: its cells without missing codes, bare of units, and their vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from prodapp.exceptions import N_
from prodapp.ml.intake.affixes import Stripped, strip_affixes
from prodapp.ml.intake.choices import chosen
from prodapp.ml.intake.dates import read_dates, read_hours
from prodapp.ml.intake.numerals import MARKS, Vote, is_missing, number_pattern, vote
from prodapp.ml.table import Decision, Remark

_ENOUGH: Final = 0.95
_LISTED_CODES: Final = 5
#: Words in a column of numbers that stand for a missing value: few different ones, and not more
#: of the cells than this.
_MOST_WORDS: Final = 0.4
_DIFFERENT_WORDS: Final = 3
_ANY_NUMBER: Final = "|".join(number_pattern(mark) for mark in ".,")


@dataclass
class Present:
    """One column: ``cells`` are null where missing, without affixes where they had some.

    ``original`` are the cells before affixes were taken off. Typed columns (numbers, times, of a
    file that has types) vote for nothing.
    """

    cells: Any
    vote: Vote
    original: Any
    unit: str | None = None
    stripped: Stripped | None = None
    decisions: list[Decision] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def is_typed(self) -> bool:
        """Whether the file itself had numbers or times here, not text."""
        return not pa.types.is_string(self.cells.type)


def find_present(
    cells: Any, *, name: str, overrides: Mapping[str, str], mark: str | None = None
) -> Present:
    """Take missing codes and affixes out of a column of trimmed cells, and vote over the rest.

    ``mark`` is the decimal mark that a column of numbers had in the file.
    """
    if not pa.types.is_string(cells.type):
        n_cells = len(cells) - cells.null_count
        n_point, n_comma = (n_cells if mark == own else 0 for own in MARKS)
        return Present(cells, Vote(n_cells, n_point, n_comma, mark or "", is_plain=True), cells)
    kind = overrides.get(f"kind:{name}")
    codes = chosen(overrides, "missing", name)
    rest, seen = _without_codes(cells, codes)
    present = Present(rest, vote(rest), rest)
    present.remarks.extend(_missing_codes(name, rest, seen))
    if codes is not None:
        listed = codes.replace("|", ", ") or "–"
        present.decisions.append(Decision("missing", listed, N_("Chosen by you."), column=name))
    if present.vote.n_cells == 0 or kind in ("text", "category", "date"):
        return present
    if present.vote.share < _ENOUGH and not _strip(present, name):
        _without_words(present, name)
    return present


def _without_codes(cells: Any, codes: str | None) -> tuple[Any, list[str]]:
    """The cells with null for every missing code, and the codes seen other than empty ones."""
    missing = is_missing(cells)
    own = [code.strip().lower() for code in (codes or "").split("|") if code.strip()]
    if own:
        chosen_codes = pa.array(own, type=pa.string())
        missing = pc.or_(missing, pc.is_in(pc.utf8_lower(cells), value_set=chosen_codes))
    if not pc.any(missing).as_py():
        return cells, []
    seen = [code for code in pc.unique(cells.filter(missing)).to_pylist() if code]
    return pc.if_else(missing, pa.scalar(None, cells.type), cells), seen


def _missing_codes(name: str, present: Any, codes: list[str]) -> list[Remark]:
    if not codes:
        return []
    message = N_("%(codes)s in “%(column)s” was read as missing (missing cells in all: %(n)d).")
    listed = ", ".join(sorted(codes)[:_LISTED_CODES])
    params = {"codes": listed, "column": name, "n": present.null_count}
    return [Remark("missing_codes", "info", message, params, column=name)]


def _strip(present: Present, name: str) -> bool:
    """Take units and currencies off, where nearly all cells have the same one."""
    stripped = strip_affixes(present.cells)
    if stripped is None:
        return False
    if len(stripped.units) > 1:
        message = N_(
            "The cells of “%(column)s” are in different units (%(units)s), so they were kept as "
            "text. Write the column in one unit."
        )
        params = {"column": name, "units": ", ".join(stripped.units[:_LISTED_CODES])}
        present.remarks.append(Remark("mixed_units", "warning", message, params, column=name))
        return True
    present.stripped = stripped
    present.cells = stripped.cells
    present.unit = stripped.unit
    present.vote = vote(stripped.cells)
    if stripped.unit:
        reason = N_("It stands beside the numbers of the column.")
        present.decisions.append(Decision("unit", stripped.unit, reason, column=name))
    return True


def _without_words(present: Present, name: str) -> None:
    """In a column of numbers or dates, take a few repeated words for missing ("Bad Input")."""
    cells = present.cells
    is_other = pc.fill_null(pc.invert(pc.match_substring_regex(cells, _ANY_NUMBER)), False)
    n_other = pc.sum(is_other).as_py()
    if n_other > _MOST_WORDS * present.vote.n_cells or present.vote.n_cells < 5:
        is_other = pc.fill_null(pc.invert(pc.match_substring_regex(cells, r"\d")), False)
        n_other = pc.sum(is_other).as_py()
    if not 0 < n_other <= _MOST_WORDS * present.vote.n_cells:
        return
    words = pc.unique(cells.filter(is_other)).to_pylist()
    if len(words) > _DIFFERENT_WORDS:
        return
    rest = pc.if_else(is_other, pa.scalar(None, cells.type), cells)
    counted = vote(rest)
    before = len(present.remarks)
    trial = Present(rest, counted, rest)
    is_number = counted.share >= _ENOUGH or _strip(trial, name)
    if not is_number and read_dates(rest) is None and read_hours(rest) is None:
        return
    message = N_(
        "%(codes)s in “%(column)s” was read as missing, since the other cells are values: %(n)d."
    )
    params = {"codes": ", ".join(words), "column": name, "n": n_other}
    present.cells, present.vote, present.original = trial.cells, trial.vote, rest
    present.unit, present.stripped = trial.unit, trial.stripped
    present.decisions.extend(trial.decisions)
    present.remarks[before:] = [
        *trial.remarks,
        Remark(
            "words_as_missing",
            "warning",
            message,
            params,
            column=name,
            remedy={f"kind:{name}": "category"},
        ),
    ]
