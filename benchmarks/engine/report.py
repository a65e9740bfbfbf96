"""Figures → a table, a JSON file and a picture."""

from __future__ import annotations

import json
from html import escape
from math import log10
from pathlib import Path
from typing import Any

LEFT, WIDTH, ROW = 190.0, 860.0, 22.0
COLOURS = {"plain": "#94a3b8", "exact": "#1f6feb", "default": "#15803d"}
STYLE = "text{font:12px system-ui,sans-serif;fill:#333}.grid{stroke:#ddd}.extrapolated{opacity:.5}"
TARGETS = {
    ("exact", 2_000): 60,
    ("exact", 10_000): 130,
    ("default", 2_000): 150,
    ("default", 10_000): 300,
}


def write_report(figures: dict[str, Any], folder: Path) -> Path:
    """Write ``engine.json``, ``engine.svg`` and ``engine.md``; the path of the last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "engine.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (folder / "engine.svg").write_text(picture(figures), encoding="utf-8")
    path = folder / "engine.md"
    path.write_text(text(figures), encoding="utf-8")
    return path


def text(figures: dict[str, Any]) -> str:
    """The tables, in Markdown."""
    return "\n".join(
        [
            "# The engine against the plain way",
            "",
            *(f"- {name}: {value}" for name, value in figures["machine"].items()),
            "",
            *_speed(figures["tables"]),
            "",
            *_fidelity(figures["tables"]),
            "",
            *_tools(figures["tools"]),
            "",
            *(f"- {note}" for note in figures["notes"]),
            "",
            "![Seconds from file to ranking](engine.svg)",
            "",
        ]
    )


def _speed(tables: list[dict[str, Any]]) -> list[str]:
    lines = [
        "Seconds from the file to the ranking, and of the processors in brackets: where other work "
        "shares them, these are to be compared (the plain way explains on one, the others use "
        "all). ~ marks what is extrapolated. Trust comes on top of the default.",
        "",
        "| table | plain | exact | ratio | default | ratio | trust | explained | peak MiB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for table in tables:
        ways = table["ways"]
        cells = [table["name"], _plain_seconds(ways.get("plain"))]
        for name in ("exact", "default"):
            cells += [_seconds(ways.get(name)), _ratio(table, name)]
        default = ways.get("default") or {}
        cells.append(_trust(default))
        cells += [f"{default.get('n_explained', 0):,}", f"{default.get('peak_mib', 0):,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _seconds(way: dict[str, Any] | None) -> str:
    return f"{way['total']:,.2f} ({way['processors']:,.2f})" if way else "–"


def _trust(way: dict[str, Any]) -> str:
    """What trust adds, and how many times the ranking's own that is."""
    if not way or way["trust"] is None:
        return "–"
    times = way["trust_processors"] / way["processors"]
    return f"{way['trust']:,.1f} ({way['trust_processors']:,.1f}), {times:.1f}×"


def is_extrapolated(way: dict[str, Any]) -> bool:
    """Whether less was done than is reported."""
    return bool(way["n_trees"] < 100 or way["n_explained"] < way["n_rows"])


def _plain_seconds(way: dict[str, Any] | None) -> str:
    if way is None:
        return "–"
    mark = "~" if is_extrapolated(way) else ""
    return f"{mark}{way['total']:,.0f} ({way['processors']:,.0f})"


def _ratio(table: dict[str, Any], name: str) -> str:
    plain, way = table["ways"].get("plain"), table["ways"].get(name)
    if not plain or not way:
        return "–"
    ratio = plain["total"] / way["total"]
    of_processors = plain["processors"] / way["processors"]
    goal = TARGETS.get((name, table["n_rows"])) if table["name"].startswith("synthetic") else None
    return f"{ratio:,.0f}× ({of_processors:,.0f}×)" + (f", of {goal}" if goal else "")


def _fidelity(tables: list[dict[str, Any]]) -> list[str]:
    lines = [
        "Order against the plain way's: Kendall's tau over the first ten, default against plain and"
        " plain against itself with another seed; pairs inverted beyond 5 %; the exact way's "
        "largest difference from the shap package, of the target's spread.",
        "",
        "| table | tau | between seeds | inversions | largest difference |",
        "|---|--:|--:|--:|--:|",
    ]
    for table in tables:
        found, exact = table.get("fidelity"), table["ways"].get("exact")
        if not found and not exact:
            continue
        difference = f"{exact['largest_difference']:.1e}" if exact else "–"
        cells = [table["name"]]
        cells += (
            [f"{found['tau']:.3f}", f"{found['tau_between_seeds']:.3f}", str(found["inversions"])]
            if found
            else ["–"] * 3
        )
        lines.append("| " + " | ".join([*cells, difference]) + " |")
    return lines


def _tools(tools: dict[str, Any]) -> list[str]:
    lines = [
        "SHAP values of forests of 100 trees on 2,000 × 30 rows. Trees differ between libraries, "
        "so the last column, time a sample and tree node, compares the algorithms.",
        "",
        "| tool | tree nodes | ms a sample | ns a sample and node |",
        "|---|--:|--:|--:|",
    ]
    for name, found in tools.items():
        if "reason" in found:
            lines.append(f"| {name} | – | – | {found['reason']} |")
        else:
            lines.append(
                f"| {name} | {found['n_nodes']:,} | {found['milliseconds_a_sample']:.3f} | "
                f"{found['nanoseconds_a_node']:.2f} |"
            )
    return lines


def picture(figures: dict[str, Any]) -> str:
    """Bars of seconds on a logarithmic scale from 0.1 s; pale where extrapolated."""
    bars = [
        (table["name"], name, way["total"], name == "plain" and is_extrapolated(way))
        for table in figures["tables"]
        for name, way in table["ways"].items()
    ]
    highest = max([10.0, *(seconds for _, _, seconds, _ in bars)])
    decades = int(log10(highest)) + 2
    height = 40 + ROW * (len(bars) + 1)

    def x(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - 60) * (log10(max(seconds, 0.1)) + 1) / decades

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        'role="img" aria-label="Seconds from file to ranking">',
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
    ]
    for decade in range(decades + 1):
        at = x(10.0 ** (decade - 1))
        label = f"{10.0 ** (decade - 1):g} s"
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="24" y2="{height:.0f}"/>')
        parts.append(f'<text x="{at + 3:.1f}" y="18">{label}</text>')
    for row, (table, name, seconds, pale) in enumerate(bars):
        top = 30 + ROW * row
        width = max(1.0, x(seconds) - LEFT)
        pale_class = ' class="extrapolated"' if pale else ""
        parts.append(f'<text x="6" y="{top + 13:.0f}">{escape(f"{table}, {name}")}</text>')
        parts.append(
            f'<rect{pale_class} x="{LEFT:.0f}" y="{top:.0f}" width="{width:.1f}" height="16" '
            f'fill="{COLOURS[name]}"/>'
        )
        parts.append(f'<text x="{LEFT + width + 5:.1f}" y="{top + 13:.0f}">{seconds:,.2f}</text>')
    return "\n".join([*parts, "</svg>\n"])
