"""The course of a soak as one SVG: panels under each other over the same hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from benchmarks.soak.figures import LASTING, Raw
from prodapp.charts import nice_ticks

WIDTH, PANEL, GAP = 920.0, 132.0, 54.0
LEFT, RIGHT, TOP = 60.0, 170.0, 34.0
MAX_POINTS = 240
COLOURS = ("#1f6feb", "#c2410c", "#15803d", "#7c3aed", "#a16207", "#be185d", "#475569")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600}"
    ".line{fill:none;stroke-width:1.5}.grid{stroke:#ddd}.warm{fill:#f1f1f1}"
)

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """Lines by name over the same hours, on one scale that starts at zero."""

    title: str
    lines: dict[str, Points]


def plot(raw: Raw) -> str:
    """The whole picture."""
    panels = _panels(raw)
    height = TOP + len(panels) * (PANEL + GAP)
    end = max(raw.seconds / 3600, 1e-6)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'role="img" aria-label="Memory, times and load over the soak">',
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
    ]
    for index, panel in enumerate(panels):
        top = TOP + index * (PANEL + GAP)
        parts += _draw(panel, top, end=end, warm=raw.warm_up_seconds / 3600)
    return "\n".join([*parts, "</svg>\n"])


def _panels(raw: Raw) -> list[Panel]:
    def of(name: str) -> Points:
        return [(raw.hours(sample["at"]), sample[name]) for sample in raw.samples]

    roles = [role for role in LASTING if raw.series(role, "own_mib")]
    times = _by_minute(raw)
    return [
        Panel(
            "Own memory, MiB (grey: warm-up)",
            {role: raw.series(role, "own_mib") for role in roles},
        ),
        Panel(
            "A training's process, own memory, MiB",
            {"horse": raw.series("horse", "own_mib")},
        ),
        Panel("Time to answer, milliseconds, by minute", {"p50": times[50], "p95": times[95]}),
        Panel("Requests a minute", {"all": times["all"], "errors": times["errors"]}),
        Panel(
            "CPU, % of a core (worker: with its trainings)",
            {role: raw.series(role, "cpu") for role in ("web", "worker", "dispatcher", "queue")},
        ),
        Panel("Load average of the machine (1 min)", {"load": of("load")}),
        Panel(
            "Open files and threads",
            {
                "web, files": raw.series("web", "files"),
                "worker, files": raw.series("worker", "files"),
                "web, threads": raw.series("web", "threads"),
            },
        ),
        Panel("Stored, MiB", {"database": of("database_mib"), "files": of("files_mib")}),
    ]


def _by_minute(raw: Raw) -> dict[object, Points]:
    minutes: dict[int, list[dict[str, object]]] = defaultdict(list)
    for request in raw.requests:
        minutes[int(raw.hours(request["at"]) * 60)].append(request)
    lines: dict[object, list[tuple[float, float]]] = {50: [], 95: [], "all": [], "errors": []}
    for minute, group in sorted(minutes.items()):
        if minute < 0:
            continue
        hour = (minute + 0.5) / 60
        for share in (50, 95):
            value = float(np.percentile([item["milliseconds"] for item in group], share))
            lines[share].append((hour, value))
        lines["all"].append((hour, len(group)))
        lines["errors"].append((hour, sum(1 for item in group if item["error"])))
    return dict(lines)


def _draw(panel: Panel, top: float, *, end: float, warm: float) -> list[str]:
    thinned = {name: _thin(points) for name, points in panel.lines.items() if points}
    highest = max((value for points in thinned.values() for _hour, value in points), default=1.0)
    ticks = nice_ticks(0.0, highest or 1.0, 4)
    right, bottom = WIDTH - RIGHT, top + PANEL

    def x_of(hour: float) -> float:
        return LEFT + min(1.0, max(0.0, hour / end)) * (right - LEFT)

    def y_of(value: float) -> float:
        return bottom - value / ticks[-1] * PANEL

    parts = [f'<text class="title" x="{LEFT}" y="{top - 10:.1f}">{escape(panel.title)}</text>']
    parts.append(
        f'<rect class="warm" x="{LEFT}" y="{top:.1f}" width="{x_of(warm) - LEFT:.1f}" '
        f'height="{PANEL}"/>'
    )
    for tick in ticks:
        y = y_of(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for mark, label in _marks(end):
        x = x_of(mark)
        parts.append(f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{label}</text>')
    for number, (name, points) in enumerate(thinned.items()):
        colour = COLOURS[number % len(COLOURS)]
        way = " ".join(f"{x_of(hour):.1f},{y_of(value):.1f}" for hour, value in points)
        parts.append(f'<polyline class="line" stroke="{colour}" points="{way}"/>')
        y = top + 12 + number * 18
        parts.append(
            f'<rect x="{right + 12}" y="{y - 9:.1f}" width="12" height="10" fill="{colour}"/>'
        )
        parts.append(f'<text x="{right + 30}" y="{y:.1f}">{escape(name)}</text>')
    return parts


def _marks(end: float) -> list[tuple[float, str]]:
    """Where the time axis is marked, in hours, and with what."""
    unit, name = (1, "h") if end >= 0.5 else (60, "min")
    ticks = [tick for tick in nice_ticks(0.0, end * unit, 6) if tick <= end * unit * 1.001]
    return [(tick / unit, f"{tick:g} {name}") for tick in ticks]


def _thin(points: Points) -> Points:
    """At most ``MAX_POINTS`` means of neighbours: a line on paper shows no more."""
    if len(points) <= MAX_POINTS:
        return points
    groups = np.array_split(np.array(points, dtype=float), MAX_POINTS)
    return [(float(group[:, 0].mean()), float(group[:, 1].mean())) for group in groups]
