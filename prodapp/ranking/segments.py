"""The ranking in parts of the data, as its version keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prodapp.formatting import percent
from prodapp.i18n import gettext as _
from prodapp.models import ModelVersion
from prodapp.ranking.sentences import subject

_SURE = 1.96


@dataclass(frozen=True)
class SegmentVariable:
    """A variable's share of the explained movement in one part, with its 95 % interval."""

    feature: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Segment:
    """One part; no variables where too few of its samples were explained."""

    name: str
    n_rows: int
    n_explained: int
    variables: tuple[SegmentVariable, ...]


@dataclass(frozen=True)
class Segmentation:
    """The parts by one column (empty: stretches of time that were run differently), and what they
    tell in one sentence."""

    column: str
    is_shift: bool
    parts: tuple[Segment, ...]
    sentence: str

    @property
    def is_regime(self) -> bool:
        return not self.column


def segments(version: ModelVersion) -> list[Segmentation]:
    """The parts that were looked at, in the columns' order."""
    found = []
    for document in version.evidence.get("segments", []):
        parts = tuple(_segment(level) for level in document["levels"])
        by = column_word(document["column"])
        sentence = _sentence(by, parts, target=subject(version))
        found.append(Segmentation(document["column"], document["is_shift"], parts, sentence))
    return found


def column_word(column: str) -> str:
    """What parts the rows, within a sentence."""
    return column or _("stretch of time")


def _segment(level: Mapping[str, Any]) -> Segment:
    variables = tuple(
        SegmentVariable(name, share, max(0.0, share - _SURE * error), share + _SURE * error)
        for name, share, error in level["importances"]
    )
    return Segment(level["name"], level["n"], level["n_explained"], variables)


def _sentence(column: str, parts: tuple[Segment, ...], *, target: str) -> str:
    ranked = [part for part in parts if part.variables]
    leaders = {part.variables[0].feature for part in ranked}
    names = {"column": column, "target": target}
    if not ranked:
        return _(
            "The parts by %(column)s are too small for a ranking of %(target)s in each.", **names
        )
    if len(leaders) == 1:
        return _(
            "%(variable)s leads for %(target)s in every part by %(column)s.",
            variable=ranked[0].variables[0].feature,
            **names,
        )
    listed = "; ".join(
        _(
            "%(part)s: %(variable)s (%(share)s)",
            part=part.name,
            variable=part.variables[0].feature,
            share=percent(part.variables[0].share),
        )
        for part in ranked
    )
    return _(
        "What leads for %(target)s differs by %(column)s. %(listed)s. Shares that lie in each "
        "other's intervals may be equal.",
        listed=listed,
        **names,
    )
