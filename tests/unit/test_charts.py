from __future__ import annotations

import re
from itertools import pairwise

import pytest

from prodapp import charts


@pytest.mark.parametrize(
    ("low", "high"), [(0.3, 82.6), (-4.1, 7.9), (420.3, 495.8), (5, 5), (0, 1e-7), (3e4, 9e5)]
)
def test_ticks_cover_the_values_in_few_even_steps(low, high):
    ticks = charts.nice_ticks(low, high)
    steps = [after - before for before, after in pairwise(ticks)]
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 8
    assert steps == pytest.approx([steps[0]] * len(steps))


def test_a_perfect_prediction_lies_on_the_diagonal():
    plot = charts.scatter_plot([(10, 10), (25, 25), (40, 40)])
    ends = (plot.x_ticks[0].position, plot.y_ticks[0].position)
    for x, y in plot.points:
        assert x - ends[0] == pytest.approx(ends[1] - y, abs=0.11)


def test_every_point_lies_inside_the_frame():
    plot = charts.scatter_plot([(-3, 8.5), (2, 2), (9, -3.2)])
    for x, y in plot.points:
        assert plot.low <= x <= plot.high
        assert plot.margin / 3 <= y <= plot.size - plot.margin


def test_spark_line_rises_where_the_effect_rises():
    line = charts.spark_line([(1.0, -2.0), (3.0, 2.0)], largest=2.0)
    assert line is not None
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.points.split())
    assert (x0, x1) == (0.0, line.width)
    assert y0 > line.zero > y1 >= 0


def test_spark_line_needs_two_points():
    assert charts.spark_line([], largest=1.0) is None
    assert charts.spark_line([(1.0, 0.0)], largest=1.0) is None


def test_spark_line_without_any_effect_is_flat():
    line = charts.spark_line([(1.0, 0.0), (2.0, 0.0)], largest=0.0)
    assert line is not None
    assert {point.split(",")[1] for point in line.points.split()} == {str(line.zero)}


def test_scores_are_bars_from_zero_and_end_at_the_edges() -> None:
    plot = charts.score_plot([0.5, 1.0, -3.0, 0.0])
    lengths = [width for _, _, width in plot.bars]
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=0.2)
    assert plot.bars[2][1] == plot.ticks[0].position
    assert lengths[3] == 1.5
    assert [tick.value for tick in charts.score_plot([0.2]).ticks] == [0.0, 0.5, 1.0]


def test_bars_are_as_high_as_their_counts_and_none_is_lost():
    bars = charts.distribution_path([1, 0, 500, 1000]).split("M")[1:]
    tops = [float(re.search(r"V([\d.]+)H", bar)[1]) for bar in bars]
    assert [charts.SPARK_HEIGHT - top for top in tops] == [1.5, 16.0, charts.SPARK_HEIGHT]
    assert all(bar.endswith("V32Z") for bar in bars)
    assert charts.distribution_path([]) == charts.distribution_path([0, 0]) == ""


def test_a_trend_lies_inside_its_frame_and_its_ends_at_the_ends():
    steps = [(10.0, -3.0, 0.0, 4.0), (20.0, 1.0, 2.0, 8.0), (30.0, 5.0, 5.0, 5.0)]
    plot = charts.trend_plot(steps, start=10.0, end=30.0)
    points = [tuple(map(float, pair.split(","))) for pair in plot.band.split()]
    assert len(points) == 2 * len(steps)
    assert {x for x, _ in points} == {plot.left, (plot.left + plot.right) / 2, plot.right}
    assert all(plot.top <= y <= plot.bottom for _, y in points)
    assert plot.x_of(-1e9) == plot.left
    assert plot.x_of(1e9) == plot.right
