"""Contributions as bars from a middle line, and errors over time; drawn on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from prodapp.charts import Tick, nice_ticks

if TYPE_CHECKING:
    from prodapp.ml.serving.errors import ErrorStep

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


@dataclass(frozen=True)
class ErrorChart:
    """Sizes of errors step by step: a line through ``dots``, ``whiskers`` (x, y1, y2) for their
    intervals, and the height of what the training promised, all in units of the drawing."""

    dots: tuple[tuple[float, float], ...]
    line: str
    whiskers: tuple[tuple[float, float, float], ...]
    expected: float | None
    y_ticks: tuple[Tick, ...]
    width: float = 640.0
    height: float = 300.0
    left: float = 76.0
    right: float = 624.0
    top: float = 36.0
    bottom: float = 240.0


def error_chart(steps: Sequence[ErrorStep], *, expected: float | None) -> ErrorChart:
    """Place the sizes of errors, with zero at the bottom; there is at least one step."""
    frame = ErrorChart((), "", (), None, ())
    values = nice_ticks(0.0, max([step.high for step in steps] + [expected or 0.0]))

    def up(value: float) -> float:
        share = (value - values[0]) / (values[-1] - values[0])
        return round(frame.bottom - share * (frame.bottom - frame.top), 1)

    gap = (frame.right - frame.left) / len(steps)
    across = [round(frame.left + gap * (place + 0.5), 1) for place in range(len(steps))]
    dots = tuple((x, up(step.size)) for x, step in zip(across, steps, strict=True))
    return ErrorChart(
        dots=dots,
        line=" ".join(f"{x},{y}" for x, y in dots),
        whiskers=tuple((x, up(s.low), up(s.high)) for x, s in zip(across, steps, strict=True)),
        expected=None if expected is None else up(expected),
        y_ticks=tuple(Tick(up(value), value) for value in values),
    )
