"""The report of a soak: verdicts and tables in Markdown, and the picture beside them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.soak.figures import (
    CONFIDENCE,
    LASTING,
    MAX_ERROR_SHARE,
    MAX_GROWTH,
    Raw,
    Trend,
    all_requests,
    latencies,
    trend,
)
from benchmarks.soak.plot import plot

TRENDS_EXPLAINED = (
    "Own memory (anonymous pages) of each long-lived program after a warm-up of {minutes:.0f} "
    "minutes, and the medians of unique (USS) and proportional memory (PSS). The slope: "
    "Theil–Sen slope over means of two minutes with its {confidence:.0%} interval, as a share of "
    "the level an hour. Flat: the whole interval lies below +{limit:.0%} an hour. Grows: the whole "
    "interval lies above it."
)


def write_report(raw: Raw, folder: Path) -> Path:
    """Write ``report.md`` and ``soak.svg`` into ``folder``; returns the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "soak.svg").write_text(plot(raw), encoding="utf-8")
    path = folder / "report.md"
    path.write_text("\n".join(_lines(raw)), encoding="utf-8")
    return path


def _lines(raw: Raw) -> list[str]:
    trends = [found for role in LASTING if (found := trend(raw, role)) is not None]
    return [
        "# Soak",
        "",
        *_head(raw),
        "## Verdicts",
        "",
        *_verdicts(raw, trends),
        "![Course](soak.svg)",
        "",
        "## Memory",
        "",
        TRENDS_EXPLAINED.format(
            minutes=raw.warm_up_seconds / 60, confidence=CONFIDENCE, limit=MAX_GROWTH
        ),
        "",
        *_memory(trends),
        "## Times to answer",
        "",
        *_times(raw),
        *_errors(raw),
        *_other(raw),
    ]


def _head(raw: Raw) -> list[str]:
    meta = raw.meta
    loads = sorted(sample["load"] for sample in raw.samples)
    rows = [
        ("begun", meta["begun"]),
        ("lasted", f"{raw.seconds / 3600:.2f} h" + ("" if raw.account else " (not ended yet)")),
        ("commit", meta["commit"]),
        ("machine", meta["machine"]),
        ("users", ", ".join(f"{n} {kind}" for kind, n in meta["users"].items())),
        ("priority", f"nice {meta['nice']}: the machine may have had other work"),
        (
            "load average (1 min)",
            f"median {loads[len(loads) // 2]:.1f}, {loads[0]:.1f} to {loads[-1]:.1f}",
        ),
    ]
    return [*_table(("", ""), rows), ""]


def _verdicts(raw: Raw, trends: Sequence[Trend]) -> list[str]:
    every = all_requests(raw.requests)
    share = every.n_errors / every.n
    is_training = [
        any(item["role"] == "horse" for item in sample["processes"]) for sample in raw.samples
    ]
    verdicts = Counter(item.verdict for item in trends)
    memory = "yes" if set(verdicts) == {"flat"} else _counted(verdicts)
    rows = [
        (
            f"errors below {MAX_ERROR_SHARE:.1%}",
            f"{every.n_errors} of {every.n} requests ({share:.3%})",
            "yes" if share < MAX_ERROR_SHARE else "**no**",
        ),
        ("memory flat after the warm-up", _worst(trends), memory),
        ("runs accounted for", *_account(raw)),
        (
            "training active",
            f"a training's process in {sum(is_training) / len(is_training):.0%} of the samples",
            "",
        ),
    ]
    return [*_table(("what", "measured", "held"), rows), ""]


def _account(raw: Raw) -> tuple[str, str]:
    """What became of every acknowledged run."""
    account = raw.account
    if account is None:
        return "the soak has not ended yet", ""
    states = Counter(account["states"].values())
    n_lost = account["n_acknowledged"] - len(account["states"])
    text = f"{account['n_acknowledged']} acknowledged: {_counted(states)}; {n_lost} lost"
    is_right = not n_lost and not set(states) - {"succeeded", "canceled"}
    is_right = is_right and not account["n_canceled_unasked"]
    return text, "yes" if is_right else "**no**"


def _worst(trends: Sequence[Trend]) -> str:
    told = [item for item in trends if not math.isnan(item.slope)]
    if not told:
        return "too short to tell"
    worst = max(told, key=lambda item: item.high)
    return f"steepest: {worst.role}, {_slope(worst)}"


def _memory(trends: Iterable[Trend]) -> list[str]:
    head = (
        "program",
        "level, MiB",
        "first",
        "last",
        "peak",
        "USS",
        "PSS",
        "slope, %/h",
        "starts",
        "verdict",
    )
    rows = [
        (
            item.role,
            f"{item.level:.1f}",
            f"{item.first:.1f}",
            f"{item.last:.1f}",
            f"{item.peak:.1f}",
            f"{item.unique:.1f}",
            f"{item.proportional:.1f}",
            _slope(item),
            item.n_starts,
            item.verdict,
        )
        for item in trends
    ]
    return [*_table(head, rows), ""]


def _times(raw: Raw) -> list[str]:
    head = ("kind", "requests", "errors", "p50, ms", "p95", "p99", "longest")
    rows = [
        (
            item.kind,
            item.n,
            item.n_errors,
            *(f"{value:.0f}" for value in (item.p50, item.p95, item.p99, item.longest)),
        )
        for item in (all_requests(raw.requests), *latencies(raw.requests))
    ]
    return [*_table(head, rows), ""]


def _errors(raw: Raw) -> list[str]:
    counted = Counter((item["kind"], item["error"]) for item in raw.requests if item["error"])
    if not counted:
        return []
    rows = [(kind, error[:120], n) for (kind, error), n in counted.most_common(20)]
    return ["## Errors", "", *_table(("kind", "error", "times"), rows), ""]


def _other(raw: Raw) -> list[str]:
    rows = []
    for role in (*LASTING, "horse"):
        cpu, files, threads = (
            [value for _hour, value in raw.series(role, name)]
            for name in ("cpu", "files", "threads")
        )
        if files:
            mean = f"{sum(cpu) / len(cpu):.1f}" if cpu else "in its worker's"
            rows.append((role, mean, _course(files), _course(threads)))
    stored = [
        (name, *(f"{raw.samples[index][key]:.1f}" for index in (0, -1)))
        for name, key in (
            ("database", "database_mib"),
            ("files", "files_mib"),
            ("queue", "queue_mib"),
            ("logs", "logs_mib"),
        )
    ]
    return [
        "## Processes",
        "",
        *_table(("program", "CPU, % of a core", "open files", "threads"), rows),
        "",
        "## Stored, MiB",
        "",
        *_table(("what", "first", "last"), stored),
        "",
    ]


def _course(values: Sequence[float]) -> str:
    return f"{values[0]:.0f} → {values[-1]:.0f}, at most {max(values):.0f}"


def _slope(item: Trend) -> str:
    if math.isnan(item.slope):
        return "–"
    return f"{item.slope:+.2%} [{item.low:+.2%}, {item.high:+.2%}]".replace("%", "")


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counter.most_common())


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return lines
