"""Contributions as bars from a middle line, drawn on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_MAX_BARS: Final = 12


@dataclass(frozen=True)
class Bar:
    """One variable: its bar begins at ``start`` and is ``width`` long, of a picture 100 wide."""

    variable: str
    value: Any
    unit: str | None
    contribution: float
    start: float
    width: float


def contribution_bars(
    contributions: Mapping[str, Any], units: Mapping[str, str | None]
) -> Sequence[Bar]:
    """The strongest contributions, the strongest first; zero is in the middle."""
    values = sorted(contributions["values"], key=lambda item: -abs(item["contribution"]))
    largest = max((abs(item["contribution"]) for item in values), default=0.0) or 1.0
    bars = []
    for item in values[:_MAX_BARS]:
        width = 50 * abs(item["contribution"]) / largest
        bars.append(
            Bar(
                variable=item["variable"],
                value=item["value"],
                unit=units.get(item["variable"]),
                contribution=item["contribution"],
                start=50.0 if item["contribution"] >= 0 else 50 - width,
                width=width,
            )
        )
    return bars
