"""The figures that a fault test reaches, beside their targets: a table, and a JSON file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from tests.faults.oracle import Findings

IS_LONG = os.environ.get("FAULTS") == "long"


def scale(*, short: int, long: int) -> int:
    """How often to strike: ``long`` with ``FAULTS=long`` in the environment, as `make faults`."""
    return long if IS_LONG else short


@dataclass(frozen=True)
class Figure:
    """One line of the table: under ``fault``, ``what`` reached ``reached``."""

    fault: str
    what: str
    target: str
    reached: str
    is_reached: bool


@dataclass
class Figures:
    """What one test measured. Add all first, then :meth:`verify`: the table shall be whole."""

    fault: str
    lines: list[Figure] = field(default_factory=list)
    details: tuple[str, ...] = ()

    def at_most(self, what: str, reached: float, limit: float, *, unit: str = "") -> None:
        self._add(what, f"≤ {limit:g}", reached, unit, is_reached=reached <= limit)

    def at_least(self, what: str, reached: float, limit: float, *, unit: str = "") -> None:
        self._add(what, f"≥ {limit:g}", reached, unit, is_reached=reached >= limit)

    def within(self, what: str, seconds: float, limit: float) -> None:
        """A time: judged in the long form, which is given a machine of its own."""
        target = f"≤ {limit:g}"
        self._add(what, target, seconds, "s", is_reached=not IS_LONG or seconds <= limit)

    def exactly(self, what: str, reached: float, wanted: float, *, unit: str = "") -> None:
        self._add(what, f"{wanted:g}", reached, unit, is_reached=reached == wanted)

    def whole(self, findings: Findings) -> None:
        """Nothing lost, doubled, half-visible: one line for each kind of damage."""
        for field_ in fields(findings):
            found = getattr(findings, field_.name)
            if isinstance(found, tuple):
                self.exactly(field_.name.replace("_", " "), len(found), 0)
                self.details += found

    def note(self, what: str, reached: float, *, unit: str = "") -> None:
        """A figure without a target."""
        self._add(what, "", reached, unit, is_reached=True)

    def verify(self) -> None:
        """Fail where a target was missed."""
        missed = [line for line in self.lines if not line.is_reached]
        assert not missed, "\n".join((table(missed), *self.details))

    def _add(self, what: str, target: str, reached: float, unit: str, *, is_reached: bool) -> None:
        suffix = f" {unit}" if unit else ""
        value = f"{reached:.1f}" if isinstance(reached, float) else str(reached)
        target = f"{target}{suffix}" if target else ""
        self.lines.append(Figure(self.fault, what, target, value + suffix, is_reached))


def table(lines: list[Figure]) -> str:
    """The figures as a table of plain text, the missed ones marked."""
    head = ("fault", "figure", "target", "reached", "")
    rows = [head] + [
        (line.fault, line.what, line.target, line.reached, "" if line.is_reached else "MISSED")
        for line in lines
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def write_json(lines: list[Figure], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(line) for line in lines], indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
