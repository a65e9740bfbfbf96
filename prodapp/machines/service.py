"""The verbs of machines: register, rename, delete, purge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.objects import machine_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command, db
from prodapp.models import (
    BatchState,
    Dataset,
    DatasetState,
    Machine,
    ModelVersion,
    PredictionBatch,
    TrainingRun,
)
from prodapp.models.prediction_batch import BATCH_ACTIVE
from prodapp.models.training_run import ACTIVE
from prodapp.models.types import db_now
from prodapp.names import checked_name, folded


def create_machine(caller: Caller, *, name: str, is_local: bool = False) -> Machine:
    """Register a machine. Raises :class:`InvalidInput` (empty, too long), :class:`Conflict`."""
    with command() as session:
        return add_machine(session, caller, name=name, is_local=is_local)


def add_machine(session: Session, caller: Caller, *, name: str, is_local: bool = False) -> Machine:
    """As :func:`create_machine`, within the caller's command."""
    name = _checked_name(name)
    machine = Machine(
        site_id=caller.site_id,
        name=name,
        name_key=folded(name),
        is_local=is_local,
        created_by_id=caller.user_id,
    )
    session.add(machine)
    try:
        session.flush()
    except IntegrityError as error:
        raise _name_taken(name) from error
    after = {"name": name}
    audit.record(session, caller, "machine.created", f"machine:{machine.id}", after=after)
    return machine


def rename_machine(caller: Caller, machine_id: int, *, name: str) -> Machine:
    """Give a machine another name. Raises as :func:`create_machine` and :func:`machine_of`."""
    machine = machine_of(caller, machine_id)
    with command() as session:
        give_name(session, caller, machine, name=name)
    return machine


def give_name(session: Session, caller: Caller, machine: Machine, *, name: str) -> None:
    """As :func:`rename_machine`, within the caller's command."""
    name = _checked_name(name)
    before, machine.name, machine.name_key = machine.name, name, folded(name)
    try:
        session.flush()
    except IntegrityError as error:
        raise _name_taken(name) from error
    audit.record(
        session,
        caller,
        "machine.renamed",
        f"machine:{machine.id}",
        before={"name": before},
        after={"name": name},
    )


def delete_machine(caller: Caller, machine_id: int) -> None:
    """Delete a machine and ask its active runs to cancel; its files go once these have ended."""
    machine = machine_of(caller, machine_id)
    with command() as session:
        # Only the one who marks it may note the act: two deletes at once are one.
        marked = session.execute(
            update(Machine)
            .where(Machine.id == machine.id, Machine.deleted_at.is_(None))
            .values(deleted_at=db_now())
            .returning(Machine.id)
        ).all()
        if not marked:
            raise NotFound(N_("There is no machine %(id)s."), id=machine_id)
        session.execute(
            update(TrainingRun)
            .where(
                TrainingRun.machine_id == machine.id,
                TrainingRun.state.in_(ACTIVE),
                TrainingRun.cancel_requested_at.is_(None),
            )
            .values(cancel_requested_at=db_now())
        )
        session.execute(
            update(PredictionBatch)
            .where(
                PredictionBatch.machine_id == machine.id,
                PredictionBatch.state.in_(BATCH_ACTIVE),
                PredictionBatch.cancel_requested_at.is_(None),
            )
            .values(cancel_requested_at=db_now())
        )
        session.execute(
            update(Dataset)
            .where(Dataset.machine_id == machine.id, Dataset.deleted_at.is_(None))
            .values(deleted_at=db_now())
        )
        audit.record(
            session,
            caller,
            "machine.deleted",
            f"machine:{machine.id}",
            before={"name": machine.name},
        )


def purge_deleted() -> dict[str, datetime]:
    """Forget deleted machines whose runs and imports have ended, and deleted data sets.

    Returns the storage keys that nobody uses any more, with the time they were deleted at.
    """
    machines, datasets = _purgeable_machines(), _purgeable_datasets()
    if not any(db.session.execute(rows.limit(1)).first() for rows in (machines, datasets)):
        return {}
    keys: dict[str, datetime] = {}
    with command() as session:
        for machine_id, deleted_at in session.execute(machines).all():
            _mark_purged(session, Machine, machine_id)
            for key in _files_of(session, machine_id):
                keys[key] = deleted_at or datetime.now(UTC)
        for dataset_id, deleted_at, *files in session.execute(datasets).all():
            _mark_purged(session, Dataset, dataset_id)
            keys.update({key: deleted_at or datetime.now(UTC) for key in files if key})
        for key in living_files(session, set(keys)):
            del keys[key]
    return keys


def _purgeable_machines() -> Select[int, datetime | None]:
    training = select(TrainingRun.machine_id).where(TrainingRun.state.in_(ACTIVE))
    # An import at its end has stored a file that its row does not name yet.
    importing = select(Dataset.machine_id).where(Dataset.state == DatasetState.IMPORTING)
    answering = select(PredictionBatch.machine_id).where(
        PredictionBatch.state == BatchState.RUNNING
    )
    return select(Machine.id, Machine.deleted_at).where(
        Machine.deleted_at.is_not(None),
        Machine.purged_at.is_(None),
        Machine.id.not_in(training),
        Machine.id.not_in(importing),
        Machine.id.not_in(answering),
    )


def _purgeable_datasets() -> Select[int, datetime | None, str, str | None]:
    """Those that were deleted by themselves; with a machine go all of its own."""
    return (
        select(Dataset.id, Dataset.deleted_at, Dataset.source_key, Dataset.table_key)
        .join(Dataset.machine)
        .where(
            Machine.deleted_at.is_(None),
            Dataset.deleted_at.is_not(None),
            Dataset.purged_at.is_(None),
            Dataset.state != DatasetState.IMPORTING,
        )
    )


def _mark_purged(session: Session, model: type[Machine | Dataset], row_id: int) -> None:
    session.execute(update(model).where(model.id == row_id).values(purged_at=db_now()))


def _files_of(session: Session, machine_id: int) -> set[str]:
    datasets = session.execute(
        select(Dataset.source_key, Dataset.table_key).where(Dataset.machine_id == machine_id)
    )
    versions = session.execute(
        select(ModelVersion.artifact_key, ModelVersion.held_out_key).where(
            ModelVersion.machine_id == machine_id
        )
    )
    batches = session.execute(
        select(PredictionBatch.source_key, PredictionBatch.result_key).where(
            PredictionBatch.machine_id == machine_id
        )
    )
    return {key for row in (*datasets, *versions, *batches) for key in row if key}


def living_files(session: Session, keys: set[str]) -> set[str]:
    """Those of ``keys`` that a row still refers to which was not purged, nor its machine."""
    living = select(Machine.id).where(Machine.purged_at.is_(None))
    used: set[str] = set()
    datasets = (Dataset.machine_id.in_(living), Dataset.purged_at.is_(None))
    batches = (PredictionBatch.machine_id.in_(living), PredictionBatch.purged_at.is_(None))
    versions = (ModelVersion.machine_id.in_(living),)
    places: tuple[tuple[Any, tuple[ColumnElement[bool], ...]], ...] = (
        (Dataset.source_key, datasets),
        (Dataset.table_key, datasets),
        (ModelVersion.artifact_key, versions),
        (ModelVersion.held_out_key, versions),
        (PredictionBatch.source_key, batches),
        (PredictionBatch.result_key, batches),
    )
    for column, conditions in places:
        found = session.scalars(select(column).where(column.in_(keys), *conditions))
        used.update(key for key in found if key)
    return used


def _checked_name(name: str) -> str:
    return checked_name(name, pointer="/name", if_empty=N_("Give the machine a name."))


def _name_taken(name: str) -> Conflict:
    return Conflict(N_("There is already a machine named %(name)s."), name=name)
