"""One awkward file and what must become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prodapp.ml.table import Limits

Cell = float | str | None
#: Column → its values: numbers, texts, dates in ISO form, None where missing.
Columns = Mapping[str, Sequence[Cell]]


@dataclass(frozen=True)
class Case:
    """A file (``content``, made when it is needed) and the table or the refusal it must get.

    ``remarks`` are codes that must be among the remarks (and no warning may be that is not among
    them); ``decisions`` maps names of decisions to their values; ``units`` columns to their units.
    """

    name: str
    content: bytes | Callable[[], bytes]
    table: Columns | None = None
    refusal: str | None = None
    row: int | None = None
    remarks: tuple[str, ...] = ()
    decisions: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    filename: str = "export.csv"
    limits: Limits = field(default_factory=Limits)

    def bytes(self) -> bytes:
        """The content of the file."""
        return self.content if isinstance(self.content, bytes) else self.content()


def text(value: str, encoding: str = "utf-8") -> bytes:
    """A file of text."""
    return value.encode(encoding)
