"""The drawing of a curve of effect: geometry only, as of the other charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from prodapp.charts import Tick, nice_ticks


@dataclass(frozen=True)
class CurvePlot:
    """A curve of effect: ``band`` and ``line`` are SVG point lists, ``rows`` a path of bars for how
    many rows lie where. Categories have ``marks`` instead of both: (x, y, low y, high y).

    ``zero`` is the height of no effect; ``left`` to ``right`` and ``top`` to ``bottom`` bound the
    drawing within ``width`` and ``height``.
    """

    band: str
    line: str
    marks: tuple[tuple[float, float, float, float], ...]
    rows: str
    zero: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    width: float = 480.0
    height: float = 260.0
    left: float = 64.0
    right: float = 468.0
    top: float = 12.0
    bottom: float = 222.0


def curve_plot(
    values: Sequence[float],
    heights: Sequence[float],
    *,
    lows: Sequence[float],
    highs: Sequence[float],
    counts: Sequence[int],
    is_number: bool,
) -> CurvePlot:
    """Draw the effect at each of ``values`` (of categories: their positions), by rising value."""
    frame = CurvePlot("", "", (), "", 0.0, (), ())
    start, end = (values[0], values[-1]) if is_number else (-0.5, len(values) - 0.5)
    axis = nice_ticks(min((*lows, 0.0)), max((*highs, 0.0)))

    def x_of(value: float) -> float:
        share = (value - start) / ((end - start) or 1.0)
        return round(frame.left + share * (frame.right - frame.left), 1)

    def y_of(height: float) -> float:
        share = (height - axis[0]) / (axis[-1] - axis[0])
        return round(frame.bottom - share * (frame.bottom - frame.top), 1)

    def points(pairs: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{x_of(value)},{y_of(height)}" for value, height in pairs)

    ends = list(pairwise(values)) if is_number else [(value - 0.4, value + 0.4) for value in values]
    xs = [(x_of(low), x_of(high)) for low, high in ends]
    shown = [tick for tick in nice_ticks(start, end) if start <= tick <= end]
    return replace(
        frame,
        band=points(
            [*zip(values, highs, strict=True), *reversed(list(zip(values, lows, strict=True)))]
        )
        if is_number
        else "",
        line=points(zip(values, heights, strict=True)) if is_number else "",
        marks=()
        if is_number
        else tuple(
            (x_of(value), y_of(height), y_of(low), y_of(high))
            for value, height, low, high in zip(values, heights, lows, highs, strict=True)
        ),
        rows=_density(xs, counts, frame.bottom),
        zero=y_of(0.0),
        x_ticks=tuple(Tick(x_of(v), v) for v in (shown if is_number else values)),
        y_ticks=tuple(Tick(y_of(value), value) for value in axis),
    )


def _density(ends: Sequence[tuple[float, float]], counts: Sequence[int], bottom: float) -> str:
    """Bars whose areas are as the counts of rows, a sixth of the drawing high at most."""
    densities = [
        count / max(high - low, 0.1) for (low, high), count in zip(ends, counts, strict=True)
    ]
    most = max(densities, default=0.0) or 1.0
    return "".join(
        f"M{low},{bottom}V{round(bottom - 35 * density / most, 1)}H{high}V{bottom}Z"
        for (low, high), density in zip(ends, densities, strict=True)
    )
