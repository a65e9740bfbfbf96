"""The verbs of machines: register, rename, delete, purge."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.objects import machine_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command, db
from prodapp.models import Dataset, DatasetState, Machine, ModelVersion, TrainingRun
from prodapp.models.training_run import ACTIVE
from prodapp.models.types import db_now
from prodapp.names import checked_name, folded


def create_machine(caller: Caller, *, name: str, is_local: bool = False) -> Machine:
    """Register a machine. Raises :class:`InvalidInput` (empty, too long), :class:`Conflict`."""
    name = _checked_name(name)
    try:
        with command() as session:
            machine = Machine(
                site_id=caller.site_id,
                name=name,
                name_key=folded(name),
                is_local=is_local,
                created_by_id=caller.user_id,
            )
            session.add(machine)
            session.flush()
            audit.record(
                session, caller, "machine.created", f"machine:{machine.id}", after={"name": name}
            )
    except IntegrityError as error:
        raise _name_taken(name) from error
    return machine


def rename_machine(caller: Caller, machine_id: int, *, name: str) -> Machine:
    """Give a machine another name. Raises as :func:`create_machine` and :func:`machine_of`."""
    name = _checked_name(name)
    machine = machine_of(caller, machine_id)
    try:
        with command() as session:
            before, machine.name, machine.name_key = machine.name, name, folded(name)
            audit.record(
                session,
                caller,
                "machine.renamed",
                f"machine:{machine.id}",
                before={"name": before},
                after={"name": name},
            )
    except IntegrityError as error:
        raise _name_taken(name) from error
    return machine


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
    """Forget deleted machines whose runs and imports have ended.

    Returns the storage keys that nobody uses any more, with the time their machine was deleted.
    """
    training = select(TrainingRun.machine_id).where(TrainingRun.state.in_(ACTIVE))
    # An import at its end has stored a file that its row does not name yet.
    importing = select(Dataset.machine_id).where(Dataset.state == DatasetState.IMPORTING)
    waiting = select(Machine.id, Machine.deleted_at).where(
        Machine.deleted_at.is_not(None),
        Machine.purged_at.is_(None),
        Machine.id.not_in(training),
        Machine.id.not_in(importing),
    )
    if not db.session.execute(waiting).first():
        return {}
    keys: dict[str, datetime] = {}
    with command() as session:
        for machine_id, deleted_at in session.execute(waiting).all():
            session.execute(
                update(Machine).where(Machine.id == machine_id).values(purged_at=db_now())
            )
            for key in _files_of(session, machine_id):
                keys[key] = deleted_at or datetime.now(UTC)
        for key in living_files(session, set(keys)):
            del keys[key]
    return keys


def _files_of(session: Session, machine_id: int) -> set[str]:
    datasets = session.execute(
        select(Dataset.source_key, Dataset.table_key).where(Dataset.machine_id == machine_id)
    )
    artifacts = session.scalars(
        select(ModelVersion.artifact_key).where(ModelVersion.machine_id == machine_id)
    )
    return {key for row in datasets for key in row if key} | set(artifacts)


def living_files(session: Session, keys: set[str]) -> set[str]:
    """Those of ``keys`` that a machine which was not purged still refers to."""
    living = select(Machine.id).where(Machine.purged_at.is_(None))
    used: set[str] = set()
    for column, owner in (
        (Dataset.source_key, Dataset.machine_id),
        (Dataset.table_key, Dataset.machine_id),
        (ModelVersion.artifact_key, ModelVersion.machine_id),
    ):
        used.update(
            key
            for key in session.scalars(select(column).where(column.in_(keys), owner.in_(living)))
            if key
        )
    return used


def _checked_name(name: str) -> str:
    return checked_name(name, pointer="/name", if_empty=N_("Give the machine a name."))


def _name_taken(name: str) -> Conflict:
    return Conflict(N_("There is already a machine named %(name)s."), name=name)
