"""Rows: work that stands still, and what contradicts each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update

from prodapp.datasets import service as datasets
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
from prodapp.models.training_run import OWNED
from prodapp.models.types import db_now
from prodapp.training import service as training

# A dispatcher takes work back within seconds of its lease's end.
STUCK_SECONDS = 60.0
RESTORE = N_("Restore a backup from before; or train the machine again.")


def stuck_runs() -> Iterator[Finding]:
    """Runs whose worker is gone and that nobody takes back, or sends again when it is time."""
    is_late = (TrainingRun.state == RunState.RETRY_WAIT) & (
        TrainingRun.retry_at < db_now(-STUCK_SECONDS)
    )
    statement = select(TrainingRun.id).where(or_(_is_abandoned(TrainingRun, OWNED), is_late))
    for run_id in _ids(statement.order_by(TrainingRun.id)):
        yield Finding(
            "run_stuck",
            Severity.ERROR,
            f"run:{run_id}",
            N_("Run %(id)s stands still: its worker is gone, and nobody sends it to another."),
            N_("A dispatcher that is running does so."),
            {"id": run_id},
            mend=_free_runs,
        )


def stuck_imports() -> Iterator[Finding]:
    """The same for data sets that are being read."""
    statement = select(Dataset.id).where(_is_abandoned(Dataset, (DatasetState.IMPORTING,)))
    for dataset_id in _ids(statement.order_by(Dataset.id)):
        yield Finding(
            "import_stuck",
            Severity.ERROR,
            f"dataset:{dataset_id}",
            N_("The import of data set %(id)s stands still: its worker is gone."),
            N_("A dispatcher that is running sends it to another worker."),
            {"id": dataset_id},
            mend=_free_imports,
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


def _is_abandoned(
    model: type[TrainingRun] | type[Dataset], owned: tuple[str, ...]
) -> ColumnElement[bool]:
    over = or_(model.lease_until < db_now(-STUCK_SECONDS), model.lease_until.is_(None))
    return model.state.in_(owned) & over


def _free_runs() -> None:
    _end_missing_leases(TrainingRun, OWNED)
    training.reap()
    training.dispatch()


def _free_imports() -> None:
    _end_missing_leases(Dataset, (DatasetState.IMPORTING,))
    datasets.reap()
    datasets.dispatch()


def _end_missing_leases(model: type[TrainingRun] | type[Dataset], owned: tuple[str, ...]) -> None:
    """Work that is owned without an end would never be taken back."""
    with command() as session:
        session.execute(
            update(model)
            .where(model.state.in_(owned), model.lease_until.is_(None))
            .values(lease_until=db_now(-1))
        )


def _ids(statement: Select[int]) -> list[int]:
    try:
        return list(db.session.scalars(statement))
    finally:
        db.session.rollback()
