"""Judged tables of known truth → error rates and power, each with its confidence interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any, Final

from scipy import stats

#: A variable is to be found from n T / (1 − R²) = 80 on.
FINDABLE: Final = 80.0
#: Of the target's variance: what must not be called noise.
_WORTH_SEEING: Final = 0.02


@dataclass(frozen=True)
class Rate:
    """``n_hits`` of ``n``, with the bounds of the 95 % interval (Clopper & Pearson 1934)."""

    n_hits: int
    n: int

    @classmethod
    def of(cls, hits: Iterable[bool]) -> Rate:
        """The rate of ``hits`` that are true."""
        found = list(hits)
        return cls(sum(found), len(found))

    @property
    def bounds(self) -> tuple[float, float]:
        if self.n == 0:
            return 0.0, 1.0
        low = stats.beta.ppf(0.025, self.n_hits, self.n - self.n_hits + 1) if self.n_hits else 0.0
        is_all = self.n_hits == self.n
        high = 1.0 if is_all else stats.beta.ppf(0.975, self.n_hits + 1, self.n - self.n_hits)
        return float(low), float(high)

    def __str__(self) -> str:
        if self.n == 0:
            return "–"
        low, high = self.bounds
        share = self.n_hits / self.n
        return f"{self.n_hits}/{self.n} = {share:.1%} ({low:.1%}–{high:.1%})"


@dataclass(frozen=True)
class Mean:
    """The mean of ``n`` figures with its standard error (None: of one figure, there is none)."""

    value: float
    error: float | None
    n: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> Mean:
        """The mean of ``figures``, one at least."""
        n = len(figures)
        return cls(mean(figures), stdev(figures) / n**0.5 if n > 1 else None, n)

    def __str__(self) -> str:
        if self.error is None:
            return f"{self.value:.1f}"
        reach = float(stats.t.ppf(0.975, self.n - 1)) * self.error
        return f"{self.value:.1f} ({self.value - reach:.1f}–{self.value + reach:.1f})"


@dataclass(frozen=True)
class Score:
    """One shape. ``false_real``: tables on which any null variable is called real;
    ``proxy_real``: on which any variable without a part of its own is, though related to one that
    has; ``power``: of the variables that can be found at this size; ``missed``: of those worth 2 %
    or more, the ones called noise.
    """

    shape: str
    n_tables: int
    false_real: Rate
    proxy_real: Rate
    power: Rate
    missed: Rate
    seconds: float


def score(shape: str, results: Sequence[dict[str, Any]]) -> Score:
    """The score of one shape from the results of its trials."""
    return Score(
        shape=shape,
        n_tables=len(results),
        false_real=_rate(results, _nulls),
        proxy_real=_rate(results, lambda result: list(result["proxies"])),
        power=Rate.of(
            result["verdicts"][name] == "real" for result in results for name in _findable(result)
        ),
        missed=Rate.of(
            result["verdicts"][name] == "noise"
            for result in results
            for name, share in result["shares"].items()
            if share >= _WORTH_SEEING
        ),
        seconds=sum(result["seconds"] for result in results) / max(len(results), 1),
    )


def table(scores: Sequence[Score]) -> str:
    """The scorecard, in Markdown."""
    lines = [
        "| shape | tables | any null called real | any proxy called real | power where findable "
        "| worth 2 %, called noise | seconds |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for s in scores:
        cells = (s.false_real, s.proxy_real, s.power, s.missed)
        lines.append(
            f"| {s.shape} | {s.n_tables} | " + " | ".join(map(str, cells)) + f" | {s.seconds:.1f} |"
        )
    return "\n".join(lines)


def _nulls(result: dict[str, Any]) -> list[str]:
    related = {*result["shares"], *result["proxies"]}
    return [name for name in result["verdicts"] if name not in related]


def _rate(
    results: Sequence[dict[str, Any]], without_part: Callable[[dict[str, Any]], list[str]]
) -> Rate:
    """Tables on which any of the variables is called real, of those that have any."""
    return Rate.of(
        any(result["verdicts"][name] == "real" for name in without_part(result))
        for result in results
        if without_part(result)
    )


def _findable(result: dict[str, Any]) -> list[str]:
    shares = result["shares"]
    left = max(1 - sum(shares.values()), 1e-9)
    return [name for name, share in shares.items() if result["key"][1] * share / left >= FINDABLE]
