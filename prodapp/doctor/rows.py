"""Rows: work that stands still, and what contradicts each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from sqlalchemy import Select, exists, func, select

from prodapp import dispatching
from prodapp.doctor.findings import Finding, Severity
from prodapp.exceptions import N_
from prodapp.extensions import command, db
from prodapp.models import (
    Dataset,
    DatasetState,
    ModelVersion,
    RunState,
    TrainingRun,
    VariableRanking,
)
from prodapp.models.workflow import Workflow
from prodapp.workflows import WORKFLOWS

# A dispatcher takes work back within seconds of its lease's end.
STUCK_SECONDS = 60.0
RESTORE = N_("Restore a backup from before; or train the machine again.")


STUCK: Final = {
    "run": (
        "run_stuck",
        N_("Run %(id)s stands still: its worker is gone, and nobody sends it to another."),
    ),
    "dataset": (
        "import_stuck",
        N_("The import of data set %(id)s stands still: its worker is gone."),
    ),
    "batch": (
        "batch_stuck",
        N_("The batch of predictions %(id)s stands still: its worker is gone."),
    ),
}


def stuck_work() -> Iterator[Finding]:
    """Work whose worker is gone and that nobody takes back, or sends again when it is time."""
    for workflow in WORKFLOWS:
        code, message = STUCK[workflow.name]
        for row_id in workflow.abandoned(db.session(), seconds=STUCK_SECONDS):
            yield Finding(
                code,
                Severity.ERROR,
                f"{workflow.name}:{row_id}",
                message,
                N_("A dispatcher that is running sends it to another worker."),
                {"id": row_id},
                mend=partial(_free, workflow),
            )


def contradictions() -> Iterator[Finding]:
    """Rows that cannot all be true."""
    has_version = exists().where(ModelVersion.run_id == TrainingRun.id)
    yield from _contradicting(
        "run_without_version",
        "run",
        select(TrainingRun.id).where(TrainingRun.state == RunState.SUCCEEDED, ~has_version),
        N_("Run %(id)s has succeeded, but there is no version of it."),
    )
    yield from _contradicting(
        "version_of_unfinished_run",
        "version",
        select(ModelVersion.id)
        .join(ModelVersion.run)
        .where(TrainingRun.state != RunState.SUCCEEDED),
        N_("Version %(id)s belongs to a run that has not succeeded."),
    )
    yield from _contradicting(
        "version_without_ranking",
        "version",
        select(ModelVersion.id).where(
            ~exists().where(VariableRanking.version_id == ModelVersion.id)
        ),
        N_("Version %(id)s has no ranking."),
    )
    yield from _contradicting(
        "two_champions",
        "machine",
        select(ModelVersion.machine_id)
        .where(ModelVersion.is_champion.is_(True))
        .group_by(ModelVersion.machine_id)
        .having(func.count() > 1),
        N_("Machine %(id)s has several versions in use."),
    )
    yield from _contradicting(
        "dataset_without_table",
        "dataset",
        select(Dataset.id).where(Dataset.state == DatasetState.READY, Dataset.table_key.is_(None)),
        N_("Data set %(id)s is said to be imported, but names no table."),
    )


def _contradicting(code: str, kind: str, statement: Select[int], message: str) -> Iterable[Finding]:
    for row_id in sorted(_ids(statement)):
        told = {"id": row_id}
        yield Finding(code, Severity.ERROR, f"{kind}:{row_id}", message, RESTORE, told)


def _free(workflow: Workflow) -> None:
    with command() as session:
        workflow.expire_endless(session)
    dispatching.reap(workflow)
    dispatching.dispatch(workflow)


def _ids(statement: Select[int]) -> list[int]:
    try:
        return list(db.session.scalars(statement))
    finally:
        db.session.rollback()
