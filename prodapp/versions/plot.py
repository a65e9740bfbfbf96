"""Dots and a line over two axes: the geometry of a version's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from prodapp.charts import Pair, Tick, nice_ticks


@dataclass(frozen=True)
class XyPlot:
    """Dots and a line over two axes, all in units of the drawing.

    ``line`` is an SVG point list; ``guides`` are dashed lines (x1, y1, x2, y2) to read the dots by.
    """

    dots: tuple[tuple[float, float], ...]
    line: str
    guides: tuple[tuple[float, float, float, float], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: float = 640.0
    height: float = 400.0
    left: float = 76.0
    right: float = 624.0
    top: float = 36.0
    bottom: float = 340.0


def xy_plot(
    dots: Sequence[Pair],
    *,
    line: Sequence[Pair] = (),
    level: float | None = None,
    is_diagonal: bool = False,
) -> XyPlot:
    """Place dots and the points of a line; at least one of both is needed.

    ``level`` draws a guide at that height; ``is_diagonal`` gives both axes one scale and draws the
    guide on which x is y.
    """
    every = [*dots, *line]
    xs, ys = [pair[0] for pair in every], [pair[1] for pair in every]
    ys += [] if level is None else [level]
    if is_diagonal:
        xs = ys = xs + ys
    x_values, y_values = nice_ticks(min(xs), max(xs)), nice_ticks(min(ys), max(ys))
    frame = XyPlot((), "", (), (), ())

    def at(pair: Pair) -> tuple[float, float]:
        across = (pair[0] - x_values[0]) / (x_values[-1] - x_values[0])
        up = (pair[1] - y_values[0]) / (y_values[-1] - y_values[0])
        return (
            round(frame.left + across * (frame.right - frame.left), 1),
            round(frame.bottom - up * (frame.bottom - frame.top), 1),
        )

    ends = []
    if level is not None:
        ends.append(((x_values[0], level), (x_values[-1], level)))
    if is_diagonal:
        ends.append(((x_values[0], y_values[0]), (x_values[-1], y_values[-1])))
    return replace(
        frame,
        dots=tuple(at(pair) for pair in dots),
        line=" ".join("{},{}".format(*at(pair)) for pair in line),
        guides=tuple((*at(start), *at(end)) for start, end in ends),
        x_ticks=tuple(Tick(at((value, y_values[0]))[0], value) for value in x_values),
        y_ticks=tuple(Tick(at((x_values[0], value))[1], value) for value in y_values),
    )
