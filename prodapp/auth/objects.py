"""Loading an object for a caller: what one may not see looks missing."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from prodapp.caller import Caller
from prodapp.exceptions import N_, NotFound, NotSignedIn
from prodapp.extensions import db
from prodapp.models import Dataset, Machine, ModelVersion, TrainingRun, User

MAX_ID = 2**63 - 1  # what the databases' largest integer holds
Row = TypeVar("Row")


def machine_of(caller: Caller, machine_id: int) -> Machine:
    """The machine of that id. Raises :class:`NotFound`."""
    statement = select(Machine).where(
        Machine.id == machine_id,
        Machine.site_id == caller.site_id,
        Machine.deleted_at.is_(None),
    )
    return _one(statement, machine_id, missing=N_("There is no machine %(id)s."))


def hold_machine(session: Session, machine_id: int, *, is_alone: bool = False) -> None:
    """Keep a machine from being deleted until this command ends. Raises :class:`NotFound`.

    What is to belong to a machine is written under this hold: a deletion in between would leave a
    run or a file that nobody sees any more. (SQLite has one writer at a time anyway.) ``is_alone``
    keeps out other holders too, for what is read, changed and written back.
    """
    statement = select(Machine.id).where(Machine.id == machine_id, Machine.deleted_at.is_(None))
    if session.scalar(statement.with_for_update(read=not is_alone)) is None:
        raise NotFound(N_("There is no machine %(id)s."), id=machine_id)


def hold_dataset(session: Session, dataset_id: int) -> None:
    """Keep a data set from being deleted until this command ends. Raises :class:`NotFound`."""
    statement = select(Dataset.id).where(Dataset.id == dataset_id, Dataset.deleted_at.is_(None))
    if session.scalar(statement.with_for_update(read=True)) is None:
        raise NotFound(N_("There is no data set %(id)s."), id=dataset_id)


def dataset_of(caller: Caller, dataset_id: int) -> Dataset:
    """The data set of that id. Raises :class:`NotFound`."""
    statement = select(Dataset).where(
        Dataset.id == dataset_id,
        Dataset.site_id == caller.site_id,
        Dataset.deleted_at.is_(None),
    )
    return _one(statement, dataset_id, missing=N_("There is no data set %(id)s."))


def run_of(caller: Caller, run_id: int) -> TrainingRun:
    """The training run of that id. Raises :class:`NotFound`."""
    statement = (
        select(TrainingRun)
        .join(TrainingRun.machine)
        .where(
            TrainingRun.id == run_id,
            TrainingRun.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )
    return _one(statement, run_id, missing=N_("There is no training run %(id)s."))


def version_of(caller: Caller, version_id: int) -> ModelVersion:
    """The model version of that id. Raises :class:`NotFound`."""
    statement = (
        select(ModelVersion)
        .join(ModelVersion.machine)
        .where(
            ModelVersion.id == version_id,
            ModelVersion.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )
    return _one(statement, version_id, missing=N_("There is no model version %(id)s."))


def _one(statement: Select[Row], row_id: int, *, missing: str) -> Row:
    # A number that no id can be names nothing; SQLite's driver would not even take it.
    row = db.session.scalar(statement) if 0 < row_id <= MAX_ID else None
    if row is None:
        raise NotFound(missing, id=row_id)
    return row


def own_user(caller: Caller) -> User:
    """The caller's own row. Raises :class:`NotSignedIn` for a caller who is no user."""
    user = db.session.get(User, caller.user_id) if caller.user_id is not None else None
    if user is None:
        raise NotSignedIn(N_("Sign in first."))
    return user
