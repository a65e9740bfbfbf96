"""Whether a version that was just trained comes into use by itself, and what that rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from prodapp.artifacts import open_artifact
from prodapp.caller import Caller
from prodapp.champions import champion_or_none, crown, rule_of
from prodapp.exceptions import DataRefused, DomainError, N_
from prodapp.extensions import db
from prodapp.ml.duel import MIN_SAMPLES, Duel, duel
from prodapp.ml.rivalry import Earlier, Table, answers_of_earlier
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult
from prodapp.models import ChangeKind, Machine, ModelVersion, TrainingRun
from prodapp.training.tables import TrainingTable, table_of

OTHER_TARGET: Final = N_(
    "The version in use explains %(target)s: the two cannot be compared on the same samples."
)
TOO_FEW: Final = N_(
    "Of the held-out samples, the version in use has learned from all but %(n)d: too few are left "
    "to compare on."
)


@dataclass(frozen=True)
class Trial:
    """The version in use against the new one. Without a ``duel``, ``reason`` (a template filled
    from ``params``) says why there is none. ``n_learned`` held-out samples were left out of it,
    since the version in use has learned from them."""

    champion_id: int
    champion_number: int
    duel: Duel | None = None
    n_learned: int = 0
    reason: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def try_against_champion(
    run: TrainingRun, table: TrainingTable, result: TrainingResult
) -> Trial | None:
    """Set the new version against the one in use; ``None`` where the machine has none."""
    champion = champion_or_none(run.machine_id)
    if champion is None:
        return None
    trial = Trial(champion.id, champion.number)
    try:
        found, n_learned = _duel(champion, run, table, result)
    except DomainError as error:
        # The new version is sound whatever keeps the old one from answering.
        return replace(trial, reason=error.message, params=error.params)
    if found is None:
        left = {"n": len(result.tested.rows) - n_learned}
        return replace(trial, n_learned=n_learned, reason=TOO_FEW, params=left)
    return replace(trial, duel=found, n_learned=n_learned)


def publish_promotion(session: Session, version: ModelVersion, trial: Trial | None) -> None:
    """Bring a new version into use if the machine's rule says so, and keep why or why not.

    Inside the command that adds the version and holds the machine's row alone.
    """
    champion = champion_or_none(version.machine_id)
    rule = rule_of(session.get_one(Machine, version.machine_id))
    kind = _kind(rule, champion, trial)
    version.promotion = {
        "rule": rule,
        "is_promoted": kind is not None,
        "trial": None if trial is None else _document(trial),
    }
    session.flush()
    if kind is not None:
        system = Caller(site_id=version.site_id, role="admin", name="system", kind="system")
        crown(session, version, kind, system)


def _kind(rule: str, champion: ModelVersion | None, trial: Trial | None) -> ChangeKind | None:
    if champion is None:
        return ChangeKind.FIRST
    if rule == "newest":
        return ChangeKind.NEWEST
    if rule == "manual" or trial is None or trial.duel is None:
        return None
    # Another version may have come into use while this one was tried against the one before.
    is_better = trial.champion_id == champion.id and trial.duel.is_better
    return ChangeKind.BETTER if is_better else None


def _duel(
    champion: ModelVersion, run: TrainingRun, table: TrainingTable, result: TrainingResult
) -> tuple[Duel | None, int]:
    """The comparison, and how many held-out samples were left out of it."""
    target_class = None if result.classes is None else result.classes.target_class
    if (champion.target, champion.evidence.get("target_class")) != (run.target, target_class):
        named = champion.evidence.get("target_class")
        shown = champion.target if named is None else f"{champion.target} = {named}"
        raise DataRefused(OTHER_TARGET, code="other_target", target=shown)
    tested = result.tested
    here = Table(table.frame, table.columns)
    is_same_table = _is_same_table(champion.run, run)
    earlier = _earlier(champion, here if is_same_table else None)
    answers, is_new = answers_of_earlier(earlier, here, tested, is_same_table=is_same_table)
    n_learned = int((~is_new).sum())
    kept = tested.taken(np.flatnonzero(is_new))
    if len(kept.rows) < MIN_SAMPLES:
        return None, n_learned
    found = duel(
        kept.actual,
        answers[is_new],
        kept.predicted,
        groups=kept.groups,
        is_ordered=kept.is_ordered,
        n_tries=_n_tries(champion, run),
    )
    return found, n_learned


def _earlier(champion: ModelVersion, table: Table | None) -> Earlier:
    """The version in use, with the table that it was trained on where that is not at hand."""
    pipeline = open_artifact(champion)
    if table is None:
        theirs = table_of(champion.run, champion.dataset)
        table = Table(theirs.frame, theirs.columns)
    return Earlier(
        pipeline=pipeline,
        table=table,
        spec=Specification.from_json(champion.specification),
        n_train=champion.metrics["n_train"],
        known=np.array([pair[0] for pair in champion.evidence["held_out"]], dtype=np.float64),
    )


def _is_same_table(first: TrainingRun, second: TrainingRun) -> bool:
    """Whether both were trained on the same rows in the same places."""
    return first.dataset_id == second.dataset_id and (first.exclusions or []) == (
        second.exclusions or []
    )


def _n_tries(champion: ModelVersion, run: TrainingRun) -> int:
    """How many versions of this data set were tried since the version in use was made, this one
    among them: each further try is a further chance to look better by luck."""
    before = select(func.count()).where(
        ModelVersion.machine_id == champion.machine_id,
        ModelVersion.dataset_id == run.dataset_id,
        ModelVersion.number > champion.number,
    )
    return (db.session.scalar(before) or 0) + 1


def _document(trial: Trial) -> dict[str, Any]:
    found = asdict(trial)
    if trial.duel is not None:
        found["duel"] |= {"is_better": trial.duel.is_better, "is_worse": trial.duel.is_worse}
    return found
