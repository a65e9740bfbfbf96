"""How far a variable's place can be trusted, as its version keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prodapp.models import ModelVersion, VariableRanking

VERDICTS = ("real", "uncertain", "noise")


@dataclass(frozen=True)
class Trust:
    """One variable: a verdict (real, uncertain or noise), and the ranks that are possible.

    ``gain`` is the share of the target's variance that the variable alone explains, given all
    others; it lies above ``low`` and below ``high`` (None: no bound).
    """

    verdict: str
    rank_low: int
    rank_high: int
    gain: float
    low: float | None
    high: float | None
    p_value: float
    n_effective: int


@dataclass(frozen=True)
class TrustedGroup:
    """Variables that go along with each other, judged as one.

    ``is_parted``: a member is real beside the others.
    """

    members: tuple[str, ...]
    verdict: str
    is_parted: bool


def trust(item: VariableRanking) -> Trust | None:
    """What was found out of one variable; ``None`` where it was not judged."""
    return trust_in(_document(item.version).get("variables"), item.feature)


def trust_in(judged: Mapping[str, Any] | None, feature: str) -> Trust | None:
    """The same, out of what a version keeps of all its ``judged`` variables."""
    found = (judged or {}).get(feature)
    if found is None:
        return None
    values = dict(found)
    return Trust(rank_low=values.pop("first"), rank_high=values.pop("last"), **values)


def groups(version: ModelVersion) -> list[TrustedGroup]:
    """The groups of variables that go along with each other."""
    return [
        TrustedGroup(tuple(group["members"]), group["verdict"], group["is_parted"])
        for group in _document(version).get("groups", [])
    ]


def _document(version: ModelVersion) -> dict[str, Any]:
    return version.evidence.get("trust") or {}
