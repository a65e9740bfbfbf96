"""Goal seek: which settings of the levers the data support for a target value, if any.

A training run compares every region that was run often enough (:mod:`prodapp.ml.trust.regions`),
with intervals that hold for all of them at once; here one is picked, so whatever is asked for, the
chance of a promise that is not so stays the same. Nothing is computed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prodapp.models import ModelVersion
from prodapp.ranking.trust import trust

#: Answers: surely there; expected there, not surely; surely better, not there; no sure gain; it is
#: there already as the machine is run; and why nothing can be said.
SURE, EXPECTED, BETTER = "sure", "expected", "better"
UNSUPPORTED, ALREADY = "unsupported", "already"
NOTHING_EXPLAINED, OLD_VERSION, NO_LEVERS = "nothing_explained", "old_version", "no_levers"
NO_SENSE, ALL_NOISE, TOO_FEW_ROWS = "no_sense", "all_noise", "too_few_rows"
CODES: Final = (
    *(SURE, EXPECTED, BETTER, UNSUPPORTED, ALREADY),
    *(NOTHING_EXPLAINED, OLD_VERSION, NO_LEVERS, NO_SENSE, ALL_NOISE, TOO_FEW_ROWS),
)
_MAX_OTHERS: Final = 4


@dataclass(frozen=True)
class Wanted:
    """``target`` is the value asked for, None for as good as possible; ``sense`` what is better:
    "raise", "lower" or "hold" at ``target``. None takes what people said of the target."""

    target: float | None = None
    sense: str | None = None


@dataclass(frozen=True)
class Bound:
    """Values of one lever, both ends included, or one ``level`` of it."""

    variable: str
    low: float | None
    high: float | None
    level: str | None


@dataclass(frozen=True)
class Proposal:
    """Settings to try. ``at`` are those of a row that was really run, in their middle.

    ``before`` is the mean of the target as it was run, ``expected`` with these settings, from
    ``expected_low`` to ``expected_high``; ``gain`` is what is won of what is wanted: a rise, a
    fall, or for a value to hold how much nearer. All intervals hold at once with 95 %, for every
    region that was compared. ``n`` of the ``n_compared`` rows whose like were run so really were.
    """

    bounds: tuple[Bound, ...]
    at: Mapping[str, Any]
    n: int
    n_compared: int
    before: float
    expected: float
    expected_low: float
    expected_high: float
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True)
class Answer:
    """``code`` says how far the data go (:data:`CODES`); ``best`` is what to try, there for the
    first three; ``others`` are further regions with a sure gain, the surest first."""

    code: str
    sense: str | None
    target: float | None
    n_regions: int
    best: Proposal | None = None
    others: tuple[Proposal, ...] = ()


def seek(version: ModelVersion, wanted: Wanted) -> Answer:
    """What the data of a version support."""
    judged = {item.feature: trust(item) for item in version.ranking}
    noise = {name for name, found in judged.items() if found and found.verdict == "noise"}
    purpose = version.evidence.get("purpose") or {}
    return choose(
        version.evidence.get("regions"),
        purpose,
        wanted,
        noise=noise,
        explains=version.metrics["explains"],
    )


def choose(
    regions: Mapping[str, Any] | None,
    purpose: Mapping[str, Any],
    wanted: Wanted,
    *,
    noise: set[str],
    explains: bool,
) -> Answer:
    """The answer from the documents of a run; levers in ``noise`` are none."""
    sense = wanted.sense or purpose.get("sense")
    target = wanted.target
    if target is None and sense == "hold":
        target = purpose.get("goal")
    kept: Sequence[Mapping[str, Any]] = () if regions is None else regions["kept"]
    usable = [r for r in kept if not noise & {bound["variable"] for bound in r["bounds"]}]
    n_regions = 0 if regions is None else regions["n_compared"]
    why_not = _why_not(
        regions,
        purpose,
        explains=explains,
        n_usable=len(usable),
        knows=not (sense is None and target is None),
    )
    if why_not is not None or (sense == "hold" and target is None):
        return Answer(why_not or NO_SENSE, sense, target, n_regions)
    is_own_goal = sense == "hold" and purpose.get("sense") == "hold"
    is_near = is_own_goal and target == purpose.get("goal")
    if not is_near and target is not None and sense in (None, "hold"):
        before = sum(r["before"] for r in usable) / len(usable)
        sense = "raise" if target > before else "lower"
    proposals = [_proposal(region, "near" if is_near else str(sense)) for region in usable]
    if is_near:
        return _as_good(proposals, "hold", target, n_regions)
    return _picked(proposals, str(sense), target, n_regions)


def _why_not(
    regions: Mapping[str, Any] | None,
    purpose: Mapping[str, Any],
    *,
    explains: bool,
    n_usable: int,
    knows: bool,
) -> str | None:
    """Why nothing can be said, ``None`` where something can."""
    if not explains:
        return NOTHING_EXPLAINED
    if regions is None:
        return OLD_VERSION
    if not purpose.get("levers"):
        return NO_LEVERS
    if not knows:
        return NO_SENSE
    if not regions["kept"]:
        return TOO_FEW_ROWS
    return None if n_usable else ALL_NOISE


def _picked(
    proposals: Sequence[Proposal], sense: str, target: float | None, n_regions: int
) -> Answer:
    if target is None:
        return _as_good(proposals, sense, target, n_regions)
    sign = -1.0 if sense == "lower" else 1.0
    if all(sign * (target - proposal.before) <= 0 for proposal in proposals):
        return Answer(ALREADY, sense, target, n_regions)
    better = _surest(proposals)

    def reaches(proposal: Proposal, gain: float) -> bool:
        return gain >= sign * (target - proposal.before)

    sure = [proposal for proposal in better if reaches(proposal, proposal.gain_low)]
    if sure:
        # As little as will do: who sets one lever need not set three.
        best = min(sure, key=lambda proposal: (len(proposal.bounds), -proposal.gain_low))
        return _answer(SURE, sense, target, n_regions, best, better)
    expected = [proposal for proposal in better if reaches(proposal, proposal.gain)]
    if expected:
        return _answer(EXPECTED, sense, target, n_regions, expected[0], better)
    if better:
        return _answer(BETTER, sense, target, n_regions, better[0], better)
    return Answer(UNSUPPORTED, sense, target, n_regions)


def _as_good(
    proposals: Sequence[Proposal], sense: str, target: float | None, n_regions: int
) -> Answer:
    better = _surest(proposals)
    if not better:
        return Answer(UNSUPPORTED, sense, target, n_regions)
    return _answer(BETTER, sense, target, n_regions, better[0], better)


def _surest(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Those whose gain is surely above zero, the surest first."""
    better = [proposal for proposal in proposals if proposal.gain_low > 0]
    return sorted(better, key=lambda proposal: -proposal.gain_low)


def _answer(
    code: str,
    sense: str,
    target: float | None,
    n_regions: int,
    best: Proposal,
    better: Sequence[Proposal],
) -> Answer:
    others = tuple(proposal for proposal in better if proposal is not best)[:_MAX_OTHERS]
    return Answer(code, sense, target, n_regions, best, others)


def _proposal(region: Mapping[str, Any], wish: str) -> Proposal:
    change, low, high = region["change"], region["change_low"], region["change_high"]
    before = region["before"]
    gains = {
        "raise": (change, low, high),
        "lower": (-change, -high, -low),
        "near": (region["nearer"], region["nearer_low"], region["nearer_high"]),
    }[wish]
    return Proposal(
        bounds=tuple(Bound(**bound) for bound in region["bounds"]),
        at=region["at"],
        n=region["n"],
        n_compared=region["n_compared"],
        before=before,
        expected=before + change,
        expected_low=before + low,
        expected_high=before + high,
        gain=gains[0],
        gain_low=gains[1],
        gain_high=gains[2],
    )
