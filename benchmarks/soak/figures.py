"""From the raw samples to the figures that are judged."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

#: Long-lived programs, whose memory must not grow. The horse lives for one run.
LASTING = ("web", "worker", "dispatcher", "queue", "supervisor", "web's parent")
WARM_UP_SHARE = 0.2
WARM_UP_MOST_SECONDS = 1200.0
BIN_SECONDS = 120.0
MIN_BINS = 12
CONFIDENCE = 0.95
MAX_GROWTH = 0.02  # of the level, an hour
MAX_ERROR_SHARE = 0.001


@dataclass(frozen=True)
class Trend:
    """How a program's own memory (anonymous pages) moved after the warm-up.

    ``slope``, ``low`` and ``high`` are shares of ``level`` (MiB, the median) an hour; ``unique``
    and ``proportional`` medians of the other two measures. ``n_bins`` are the means that the
    slope was fitted to; ``n_starts`` how many processes had the role.
    """

    role: str
    level: float
    first: float
    last: float
    peak: float
    unique: float
    proportional: float
    slope: float
    low: float
    high: float
    n_bins: int
    n_starts: int

    @property
    def verdict(self) -> str:
        if self.n_bins < MIN_BINS:
            return "too short to tell"
        if self.high <= MAX_GROWTH:
            return "flat"
        return "grows" if self.low > MAX_GROWTH else "undecided"


@dataclass(frozen=True)
class Latency:
    """Times of one kind of request, in milliseconds."""

    kind: str
    n: int
    n_errors: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True)
class Raw:
    """What was measured, as it was written down; ``account`` is written at the end."""

    meta: dict[str, Any]
    samples: list[dict[str, Any]]
    requests: list[dict[str, Any]]
    account: dict[str, Any] | None = None

    @classmethod
    def read(cls, folder: Path) -> Raw:
        account = folder / "account.json"
        return cls(
            json.loads((folder / "meta.json").read_text()),
            _lines(folder / "samples.jsonl"),
            _lines(folder / "requests.jsonl"),
            json.loads(account.read_text()) if account.exists() else None,
        )

    @property
    def seconds(self) -> float:
        return float(self.samples[-1]["at"] - self.samples[0]["at"])

    @property
    def warm_up_seconds(self) -> float:
        return min(WARM_UP_MOST_SECONDS, self.seconds * WARM_UP_SHARE)

    def hours(self, at: float) -> float:
        return float(at - self.samples[0]["at"]) / 3600

    def series(self, role: str, name: str) -> list[tuple[float, float]]:
        """(hours since the start, value); processes of the same role are added up."""
        points = []
        for sample in self.samples:
            values = [
                item[name] for item in sample["processes"] if item["role"] == role and name in item
            ]
            if values:
                points.append((self.hours(sample["at"]), float(sum(values))))
        return points


def trend(raw: Raw, role: str) -> Trend | None:
    """The trend of a role's own memory; None where the role was not seen after the warm-up."""
    points = _after_warm_up(raw, role, "own_mib")
    if not points:
        return None
    pids = {
        item["pid"]
        for sample in raw.samples
        for item in sample["processes"]
        if item["role"] == role
    }
    values = [value for _hour, value in points]
    level = _median(points)
    slope, low, high, n_bins = slope_per_hour(points)
    return Trend(
        role=role,
        level=level,
        first=values[0],
        last=values[-1],
        peak=max(values),
        unique=_median(_after_warm_up(raw, role, "uss_mib")),
        proportional=_median(_after_warm_up(raw, role, "pss_mib")),
        slope=slope / level,
        low=low / level,
        high=high / level,
        n_bins=n_bins,
        n_starts=len(pids),
    )


def _after_warm_up(raw: Raw, role: str, name: str) -> list[tuple[float, float]]:
    start = raw.warm_up_seconds / 3600
    return [(hour, value) for hour, value in raw.series(role, name) if hour >= start]


def _median(points: Sequence[tuple[float, float]]) -> float:
    return float(np.median([value for _hour, value in points]))


def slope_per_hour(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, int]:
    """Slope with its confidence interval, and the number of bins, of (hour, value) points.

    Theil–Sen with Sen's interval (Sen 1968) over means of two minutes: single samples follow each
    other too closely to be told apart, and a median of slopes shrugs at single peaks.
    """
    bins: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for hour, value in points:
        bins[int(hour * 3600 // BIN_SECONDS)].append((hour, value))
    means = np.array([np.mean(group, axis=0) for _number, group in sorted(bins.items())])
    if len(means) < 3:
        return float("nan"), float("nan"), float("nan"), len(means)
    found = stats.theilslopes(means[:, 1], means[:, 0], alpha=CONFIDENCE)
    return float(found.slope), float(found.low_slope), float(found.high_slope), len(means)


def latencies(requests: Iterable[dict[str, Any]]) -> list[Latency]:
    """The times of each kind, by name; requests that failed count with the time they took."""
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for request in requests:
        by_kind[request["kind"]].append(request)
    return [_latency(kind, group) for kind, group in sorted(by_kind.items())]


def _latency(kind: str, group: list[dict[str, Any]]) -> Latency:
    times = [item["milliseconds"] for item in group]
    p50, p95, p99 = np.percentile(times, (50, 95, 99))
    n_errors = sum(1 for item in group if item["error"])
    return Latency(kind, len(group), n_errors, p50, p95, p99, max(times))


def all_requests(requests: list[dict[str, Any]]) -> Latency:
    return _latency("all", requests)


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]  # not a half one
