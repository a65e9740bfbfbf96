"""Geometry of the small charts that pages draw as SVG on the server; no script, no style needed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Pair = Sequence[float]
N_TICKS = 5
SPARK_WIDTH, SPARK_HEIGHT = 96.0, 32.0
NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it stands in the drawing, and the value it stands for."""

    position: float
    value: float


@dataclass(frozen=True)
class ScatterPlot:
    """Predicted (y) against actual (x) in a square drawing of ``size`` units with ``margin``.

    Both axes share one scale, so that the diagonal is a perfect prediction.
    """

    size: float
    margin: float
    points: tuple[tuple[float, float], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]

    @property
    def low(self) -> float:
        """Left end of the x axis; the y axis begins at the bottom, ``high``."""
        return self.margin

    @property
    def high(self) -> float:
        return self.size - self.margin / 3


@dataclass(frozen=True)
class SparkLine:
    """A line through ``points`` (an SVG point list); ``zero`` is the height of no effect."""

    points: str
    zero: float
    width: float = SPARK_WIDTH
    height: float = SPARK_HEIGHT


def distribution_path(counts: Sequence[int]) -> str:
    """Counts of rows as bars side by side: an SVG path in a drawing as large as a
    :class:`SparkLine`, "" where there is nothing to draw.

    A count of at least one is never so low that it cannot be seen.
    """
    most = max(counts, default=0)
    if most <= 0:
        return ""
    step = SPARK_WIDTH / len(counts)
    bars = []
    for place, count in enumerate(counts):
        if count:
            left, right = round(place * step, 1), round((place + 0.86) * step, 1)
            top = round(SPARK_HEIGHT - max(1.5, count / most * SPARK_HEIGHT), 1)
            bars.append(f"M{left},{SPARK_HEIGHT:g}V{top:g}H{right}V{SPARK_HEIGHT:g}Z")
    return "".join(bars)


@dataclass(frozen=True)
class ScorePlot:
    """Scores as bars from zero to the right; what lies below ``low`` ends at the left edge.

    ``bars`` are (y, x, width) of bars ``thickness`` high; ``zero`` is where they begin.
    """

    width: float
    height: float
    thickness: float
    zero: float
    bars: tuple[tuple[float, float, float], ...]
    ticks: tuple[Tick, ...]


def score_plot(
    scores: Sequence[float], *, low: float = -0.5, width: float = 480.0, row: float = 22.0
) -> ScorePlot:
    """Place scores, of which 1 is the best, on one scale from 0 (or ``low``) to 1."""
    margin = 14.0
    start = 0.0 if min(scores) >= 0 else low

    def place(score: float) -> float:
        inside = min(1.0, max(start, score))
        return round(margin + (inside - start) / (1 - start) * (width - 2 * margin), 1)

    zero = place(0.0)
    bars = tuple(
        (round(row * index + row * 0.2, 1), min(zero, end), max(1.5, abs(end - zero)))
        for index, end in enumerate(place(score) for score in scores)
    )
    values = [value for value in (low, 0.0, 0.5, 1.0) if value >= start]
    return ScorePlot(
        width=width,
        height=row * len(scores),
        thickness=row * 0.6,
        zero=zero,
        bars=tuple((y, x, round(length, 1)) for y, x, length in bars),
        ticks=tuple(Tick(place(value), value) for value in values),
    )


def nice_ticks(low: float, high: float, n_ticks: int = N_TICKS) -> list[float]:
    """About ``n_ticks`` round values that cover ``low`` to ``high``; the ends lie at or outside."""
    if not high > low:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / max(1, n_ticks - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((s for s in NICE_STEPS if s * power >= rough * 0.999), NICE_STEPS[-1]) * power
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * index for index in range(first, last + 1)]


@dataclass(frozen=True)
class TrendPlot:
    """A value over time: ``band`` from the lowest to the highest of each step, ``line`` their mean.

    Both are SVG point lists. ``left`` to ``right`` and ``top`` to ``bottom`` bound the drawing
    within ``width`` and ``height``.
    """

    band: str
    line: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    start: float
    end: float
    width: float = 960.0
    height: float = 280.0
    left: float = 72.0
    right: float = 944.0
    top: float = 12.0
    bottom: float = 244.0

    def x_of(self, position: float) -> float:
        """Where a position on the axis lies; those outside lie at its ends."""
        share = (position - self.start) / ((self.end - self.start) or 1.0)
        return round(self.left + min(1.0, max(0.0, share)) * (self.right - self.left), 1)


def trend_plot(
    steps: Sequence[tuple[float, float, float, float]], *, start: float, end: float
) -> TrendPlot:
    """Draw steps of (position, lowest, mean, highest) over an axis from ``start`` to ``end``."""
    lows, highs = [step[1] for step in steps], [step[3] for step in steps]
    values = nice_ticks(min(lows, default=0.0), max(highs, default=1.0))
    frame = TrendPlot("", "", (), (), start, end)

    def y_of(value: float) -> float:
        share = (value - values[0]) / (values[-1] - values[0])
        return round(frame.bottom - share * (frame.bottom - frame.top), 1)

    def points(pairs: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{frame.x_of(position)},{y_of(value)}" for position, value in pairs)

    upper = [(step[0], step[3]) for step in steps]
    lower = [(step[0], step[1]) for step in reversed(steps)]
    along = [start + (end - start) * place / (N_TICKS - 1) for place in range(N_TICKS)]
    return replace(
        frame,
        band=points(upper + lower),
        line=points((step[0], step[2]) for step in steps),
        x_ticks=tuple(Tick(frame.x_of(position), position) for position in along),
        y_ticks=tuple(Tick(y_of(value), value) for value in values),
    )


def scatter_plot(
    pairs: Sequence[Pair], *, size: float = 480.0, margin: float = 64.0
) -> ScatterPlot:
    """Place (actual, predicted) pairs; at least one is needed."""
    values = [value for pair in pairs for value in pair]
    ticks = nice_ticks(min(values), max(values))
    start, end = ticks[0], ticks[-1]
    inner = size - margin - margin / 3

    def place(value: float) -> float:
        return (value - start) / (end - start) * inner

    def x_of(value: float) -> float:
        return round(margin + place(value), 1)

    def y_of(value: float) -> float:
        return round(margin / 3 + inner - place(value), 1)

    return ScatterPlot(
        size=size,
        margin=margin,
        points=tuple((x_of(actual), y_of(predicted)) for actual, predicted in pairs),
        x_ticks=tuple(Tick(x_of(value), value) for value in ticks),
        y_ticks=tuple(Tick(y_of(value), value) for value in ticks),
    )


def spark_line(points: Sequence[Pair], *, largest: float) -> SparkLine | None:
    """The effect of a variable over its values, on a scale of ±``largest`` shared by a ranking.

    Points are (value, mean SHAP value) by rising value; None where there are fewer than two.
    """
    if len(points) < 2:
        return None
    first, last = points[0][0], points[-1][0]
    width = last - first or 1.0
    scale = largest or 1.0
    middle = SPARK_HEIGHT / 2
    places = (
        (
            round((value - first) / width * SPARK_WIDTH, 1),
            round(middle - effect / scale * (middle - 2), 1),
        )
        for value, effect in points
    )
    return SparkLine(" ".join(f"{x},{y}" for x, y in places), zero=middle)
