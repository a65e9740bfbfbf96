"""One variable over sister machines: what each machine's version in use says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any, Final, TypeVarTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import defer

from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.models import Machine, ModelVersion, VariableRanking
from prodapp.ranking.sentences import subject_words
from prodapp.ranking.trust import Trust, trust_in

Columns = TypeVarTuple("Columns")

#: Machines that are shown at most.
MAX_SISTERS: Final = 200
#: Of all pairs of machines together, the chance at most that two alike are called different.
_ERROR: Final = 0.05
_SURE: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Known:
    """A variable that versions in use have, and of how many machines."""

    name: str
    n_machines: int


@dataclass(frozen=True)
class Sister:
    """What one machine's version in use says of the variable.

    ``direction`` is increases, decreases or nonmonotonic, of ``subject``, what that version
    explains, by ``strength`` (rank correlation of value and SHAP value, −1 to 1). ``share`` is its
    part of the explained movement. ``trust`` is None where it was not judged; ``explains`` is
    False where the model is not better than the mean, and so nothing it says counts.
    """

    machine: Machine
    version_id: int
    version_number: int
    subject: str
    explains: bool
    rank: int
    n_variables: int
    share: float
    direction: str
    strength: float
    has_order: bool
    trust: Trust | None

    @property
    def counts(self) -> bool:
        """Whether there is a verdict on it that counts."""
        return self.explains and self.trust is not None

    @property
    def is_real(self) -> bool:
        return self.explains and self.trust is not None and self.trust.verdict == "real"

    @property
    def gain(self) -> tuple[float, float] | None:
        """What it alone explains (a share of the variance), with the standard error."""
        if self.trust is None or self.trust.low is None:
            return None
        return self.trust.gain, (self.trust.gain - self.trust.low) / _SURE


@dataclass(frozen=True)
class Fleet:
    """A variable on all machines that have it, the surest and strongest first; ``apart`` are the
    two whose difference in what it explains is the clearest, if it is beyond chance."""

    variable: str
    sisters: tuple[Sister, ...]
    n_machines: int
    apart: tuple[Sister, Sister] | None


def known_variables(caller: Caller) -> list[Known]:
    """The variables of the machines' versions in use, those of most machines first."""
    count = func.count()
    rows = db.session.execute(
        _in_use(select(VariableRanking.feature, count), caller)
        .group_by(VariableRanking.feature)
        .order_by(count.desc(), VariableRanking.feature)
    )
    return [Known(name, n) for name, n in rows]


def compare_machines(caller: Caller, variable: str) -> Fleet:
    """What the versions in use say of a variable of exactly this name; no sisters where none
    has it."""
    n_variables = (
        select(func.count())
        .where(VariableRanking.version_id == ModelVersion.id)
        .correlate(ModelVersion)
        .scalar_subquery()
    )
    rows = db.session.execute(
        _in_use(
            select(
                *(VariableRanking, ModelVersion, Machine, n_variables),
                # Of the evidence, which is large, only what is asked about.
                ModelVersion.evidence["trust"]["variables"],
                ModelVersion.evidence["target_class"],
            ),
            caller,
        )
        .where(VariableRanking.feature == variable)
        .order_by(ModelVersion.id.desc())
        .options(defer(ModelVersion.evidence))
    ).all()
    found = [_sister(*row) for row in rows[:MAX_SISTERS]]
    return Fleet(variable, tuple(sorted(found, key=_place)), len(rows), _apart(found))


def _in_use(statement: Select[*Columns], caller: Caller) -> Select[*Columns]:
    return (
        statement.join(ModelVersion, VariableRanking.version_id == ModelVersion.id)
        .join(Machine, ModelVersion.machine_id == Machine.id)
        .where(
            ModelVersion.is_champion.is_(True),
            Machine.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )


def _sister(
    item: VariableRanking,
    version: ModelVersion,
    machine: Machine,
    n_variables: int,
    judged: Mapping[str, Any] | None,
    target_class: str | None,
) -> Sister:
    return Sister(
        machine=machine,
        version_id=version.id,
        version_number=version.number,
        subject=subject_words(version.target, target_class),
        explains=bool(version.metrics["explains"]),
        rank=item.rank,
        n_variables=n_variables,
        share=item.score_final,
        direction=item.effect,
        strength=item.direction_strength,
        has_order=bool(item.dependence),
        trust=trust_in(judged, item.feature),
    )


def _place(sister: Sister) -> tuple[bool, bool, float, str]:
    gain = sister.gain
    return (
        not sister.counts,
        not sister.is_real,
        0.0 if gain is None else -gain[0],
        sister.machine.name,
    )


def _apart(sisters: Sequence[Sister]) -> tuple[Sister, Sister] | None:
    """The stronger and the weaker of the pair that differs most clearly, all pairs tested as one
    (Bonferroni)."""
    gains = [(s, *s.gain) for s in sisters if s.counts and s.gain is not None]
    pairs = list(combinations(gains, 2))
    if not pairs:
        return None
    limit = NormalDist().inv_cdf(1 - _ERROR / (2 * len(pairs)))
    scores = [
        (abs(a - b) / max((e**2 + f**2) ** 0.5, 1e-12), place)
        for place, ((_, a, e), (_, b, f)) in enumerate(pairs)
    ]
    score, place = max(scores)
    if score <= limit:
        return None
    (one, a, _), (other, b, _) = pairs[place]
    return (one, other) if a > b else (other, one)
