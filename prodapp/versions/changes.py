"""What two versions of a machine say differently of a variable, beyond what either is sure of.

A change is called only where the two intervals do not meet. That is a test of its own: of two
figures whose 95 % intervals touch, the difference lies 2.8 standard errors from zero, so that of
200 variables that stayed the same about one is called changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prodapp.models import ModelVersion, VariableRanking
from prodapp.ranking.effects import Effect, effects
from prodapp.ranking.trust import Trust, trust

KINDS: Final = ("rank", "verdict", "gain", "direction", "effect")
_OPPOSITE: Final = {"increases": "decreases", "decreases": "increases"}


@dataclass(frozen=True)
class Span:
    """A figure with the bounds of its interval."""

    value: float
    low: float
    high: float

    def meets(self, other: Span) -> bool:
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class View:
    """What one version says of a variable; ``None`` where it was not judged or has no curve.

    ``ranks`` are the rank with those possible; ``gain`` is what the variable alone explains, a
    share of the target's variance; ``reach`` how far the target moves over its values, in the
    target's unit. ``rises`` says of a number whether its curve ends higher than it begins, between
    the places that are farthest apart.
    """

    direction: str
    verdict: str | None
    ranks: Span | None
    gain: Span | None
    reach: Span | None
    rises: bool | None

    @property
    def is_sloped(self) -> bool:
        """Whether the curve of a number is surely not flat."""
        return self.rises is not None and self.reach is not None and self.reach.low > 0


@dataclass(frozen=True)
class Change:
    """One thing that is surely not the same; ``kind`` is one of :data:`KINDS`."""

    feature: str
    kind: str
    first: View
    second: View


def changes(first: ModelVersion, second: ModelVersion) -> tuple[Change, ...] | None:
    """The changes, by the ranking of the second; ``None`` where the two cannot be compared: they
    explain different targets, or one of them nothing."""
    subjects = [(v.target, v.evidence.get("target_class")) for v in (first, second)]
    if subjects[0] != subjects[1] or not all(v.metrics["explains"] for v in (first, second)):
        return None
    mine, theirs = views(first), views(second)
    return tuple(
        Change(feature, kind, mine[feature], view)
        for feature, view in theirs.items()
        if feature in mine
        for kind in _kinds(mine[feature], view)
    )


def views(version: ModelVersion) -> dict[str, View]:
    """What a version says of each variable, by the ranking."""
    curves = {effect.variable: effect for effect in effects(version)}
    return {item.feature: _view(item, curves) for item in version.ranking}


def _view(item: VariableRanking, curves: Mapping[str, Effect]) -> View:
    judged, curve = trust(item), curves.get(item.feature)
    return View(
        direction=item.effect,
        verdict=None if judged is None else judged.verdict,
        ranks=None if judged is None else Span(item.rank, judged.rank_low, judged.rank_high),
        gain=_gain(judged),
        reach=None if curve is None else _reach(curve),
        rises=_rises(curve),
    )


def _gain(judged: Trust | None) -> Span | None:
    if judged is None or judged.low is None or judged.high is None:
        return None
    return Span(judged.gain, judged.low, judged.high)


def _reach(curve: Effect) -> Span | None:
    low, high = curve.difference_low, curve.difference_high
    return None if low is None or high is None else Span(curve.difference, low, high)


def _rises(curve: Effect | None) -> bool | None:
    if curve is None or not curve.is_number:
        return None
    heights = [place.effect for place in curve.places]
    return heights.index(max(heights)) > heights.index(min(heights))


def _kinds(first: View, second: View) -> Iterator[str]:
    if _are_apart(first.ranks, second.ranks):
        yield "rank"
    if _are_apart(first.gain, second.gain):
        yield "gain" if first.verdict == second.verdict else "verdict"
    if _has_turned(first, second):
        yield "direction"
    elif _are_apart(first.reach, second.reach):
        yield "effect"


def _are_apart(one: Span | None, other: Span | None) -> bool:
    return one is not None and other is not None and not one.meets(other)


def _has_turned(first: View, second: View) -> bool:
    """Both curves surely slope, one up and one down, and so do the SHAP values."""
    return (
        first.is_sloped
        and second.is_sloped
        and first.rises != second.rises
        and _OPPOSITE.get(first.direction) == second.direction
    )
