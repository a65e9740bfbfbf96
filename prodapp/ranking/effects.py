"""Curves of effect as a version keeps them, with one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prodapp.formatting import number
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.ranking.curves import CurvePlot, curve_plot
from prodapp.ranking.sentences import subject

_SURE = 1.96


@dataclass(frozen=True)
class Place:
    """One place of a curve: a value or a category, the effect there and its 95 % interval (None
    where the time of the run was over), and rows: up to the next value, or of the category."""

    value: float | str
    effect: float
    low: float | None
    high: float | None
    n: int | None


@dataclass(frozen=True)
class Effect:
    """The curve of one variable, in the target's unit, 0 being the mean of the rows."""

    variable: str
    is_number: bool
    places: tuple[Place, ...]
    difference: float
    difference_low: float | None
    difference_high: float | None
    sentence: str


def effects(version: ModelVersion) -> list[Effect]:
    """The curves of the strongest variables, in the order of the ranking."""
    about = subject(version)
    return [_effect(document, about) for document in version.evidence.get("effects", [])]


def plot(effect: Effect) -> CurvePlot:
    """The drawing of a curve; categories stand side by side."""
    places = effect.places
    return curve_plot(
        [p.value if isinstance(p.value, float) else float(n) for n, p in enumerate(places)],
        [p.effect for p in places],
        lows=[p.effect if p.low is None else p.low for p in places],
        highs=[p.effect if p.high is None else p.high for p in places],
        counts=[p.n for p in places if p.n is not None],
        is_number=effect.is_number,
    )


def _effect(document: Mapping[str, Any], target: str) -> Effect:
    n_places = len(document["places"])
    unknown = [None] * n_places
    counts = [*document["counts"], *unknown][:n_places]
    places = tuple(
        Place(*cells)
        for cells in zip(
            document["places"],
            document["heights"],
            document["lows"] or unknown,
            document["highs"] or unknown,
            counts,
            strict=True,
        )
    )
    difference, error = document["difference"], document["error"]
    low = None if error is None else difference - _SURE * error
    high = None if error is None else difference + _SURE * error
    lowest, highest = places[document["lowest"]], places[document["highest"]]
    return Effect(
        variable=document["variable"],
        is_number=document["is_number"],
        places=places,
        difference=difference,
        difference_low=low,
        difference_high=high,
        sentence=_sentence(document["variable"], target, lowest, highest, difference, low, high),
    )


def _sentence(
    variable: str,
    target: str,
    lowest: Place,
    highest: Place,
    difference: float,
    low: float | None,
    high: float | None,
) -> str:
    figures = {
        "variable": variable,
        "target": target,
        "best": _value(highest.value),
        "worst": _value(lowest.value),
        "difference": number(difference),
    }
    if low is None or high is None:
        return _(
            "The others as they were, %(target)s is highest at %(variable)s = %(best)s and lowest "
            "at %(worst)s: %(difference)s apart (no time was left to say how sure).",
            **figures,
        )
    if low <= 0:
        return _(
            "The others as they were, %(variable)s may make no difference to %(target)s: its curve "
            "rises by %(difference)s, which other rows could have given by chance.",
            **figures,
        )
    return _(
        "The others as they were, %(target)s is highest at %(variable)s = %(best)s and lowest at "
        "%(worst)s: %(difference)s apart (between %(low)s and %(high)s with 95%% confidence).",
        low=number(low),
        high=number(high),
        **figures,
    )


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)
