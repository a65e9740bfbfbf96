"""The verbs of batches: send a file, follow it, cancel it, fetch its answers, forget it in time."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import PurePath
from typing import IO, Final, Unpack

from sqlalchemy import select, update

from prodapp import audit, dispatching
from prodapp.auth import quotas
from prodapp.auth.objects import MAX_ID, hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command, db
from prodapp.listing import Order, Sorts, listed
from prodapp.models import BatchState, Machine, PredictionBatch
from prodapp.models.prediction_batch import BATCH_ACTIVE
from prodapp.models.types import db_now
from prodapp.pagination import Page
from prodapp.predictions.history import DAY
from prodapp.predictions.service import LEVEL, check_level
from prodapp.predictions.versions import ServedVersion
from prodapp.predictions.workflow import BATCHES
from prodapp.storage import storage

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "created_at": PredictionBatch.id,
    "filename": PredictionBatch.filename,
    "n_rows": PredictionBatch.n_rows,
    "n_new": PredictionBatch.n_new,
}


_MAX_NAME: Final = 255


def start_batch(
    caller: Caller,
    version: ServedVersion,
    *,
    source: IO[bytes],
    filename: str,
    level: float = LEVEL,
    overrides: Mapping[str, str] | None = None,
) -> PredictionBatch:
    """Store a file whose rows a worker will answer.

    Raises :class:`InvalidInput` for a level that intervals cannot have, and :class:`Conflict` where
    the site has no room for the file.
    """
    check_level(level)
    quotas.check(caller.site_id, source.seek(0, io.SEEK_END))
    source.seek(0)
    stored = storage().put(source)
    with command() as session:
        hold_machine(session, version.machine_id)
        quotas.hold(session, caller.site_id, stored.size)
        batch = PredictionBatch(
            site_id=caller.site_id,
            machine_id=version.machine_id,
            version_id=version.id,
            filename=PurePath(filename).name[-_MAX_NAME:] or "rows.csv",
            source_key=stored.key,
            source_bytes=stored.size,
            overrides=dict(overrides) if overrides else None,
            level=level,
            state=BatchState.QUEUED,
            request_id=caller.request_id,
            actor=caller.name,
            created_by_id=caller.user_id,
        )
        session.add(batch)
        session.flush()
        after = {"version": version.id, "sha256": stored.key}
        audit.record(session, caller, "batch.started", f"batch:{batch.id}", after=after)
    dispatching.send(BATCHES, batch.id, batch.attempt)
    return batch


def batch_of(caller: Caller, batch_id: int) -> PredictionBatch:
    """One batch. Raises :class:`NotFound`."""
    statement = (
        select(PredictionBatch)
        .join(PredictionBatch.machine)
        .where(
            PredictionBatch.id == batch_id,
            PredictionBatch.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )
    row = db.session.scalar(statement) if 0 < batch_id <= MAX_ID else None
    if row is None:
        raise NotFound(N_("There is no batch %(id)s."), id=batch_id)
    return row


def list_batches(
    caller: Caller,
    *,
    machine_id: int | None = None,
    state: str | None = None,
    **order: Unpack[Order],
) -> Page[PredictionBatch]:
    """Batches, newest first unless sorted otherwise. Raises :class:`NotFound`."""
    statement = (
        select(PredictionBatch)
        .join(PredictionBatch.machine)
        .where(PredictionBatch.site_id == caller.site_id, Machine.deleted_at.is_(None))
    )
    if machine_id is not None:
        machine = machine_of(caller, machine_id)
        statement = statement.where(PredictionBatch.machine_id == machine.id)
    if state:
        statement = statement.where(PredictionBatch.state == state)
    return listed(statement, PredictionBatch, SORTS, order)


def cancel_batch(caller: Caller, batch_id: int) -> PredictionBatch:
    """Ask a batch to stop. Raises :class:`Conflict` when it has ended already."""
    batch = batch_of(caller, batch_id)
    with command() as session:
        asked = session.execute(
            update(PredictionBatch)
            .where(PredictionBatch.id == batch.id, PredictionBatch.state.in_(BATCH_ACTIVE))
            .values(cancel_requested_at=db_now())
            .returning(PredictionBatch.id)
        ).all()
        if not asked:
            raise Conflict(N_("This batch has already ended."))
        BATCHES.cancel_waiting(session)
        audit.record(session, caller, "batch.canceled", f"batch:{batch.id}")
    db.session.refresh(batch)
    return batch


def result_key(batch: PredictionBatch) -> str:
    """The stored answers of a batch. Raises :class:`Conflict` where there are none (any more)."""
    if batch.state != BatchState.SUCCEEDED or batch.result_key is None:
        raise Conflict(N_("This batch has no answers yet."), code="not_finished")
    if batch.purged_at is not None:
        raise Conflict(
            N_("The answers of this batch were kept for as long as predictions are, and are gone."),
            code="purged",
        )
    return batch.result_key


def forget_old(days: int) -> int:
    """Let go of the files of batches older than ``days`` (0: of none); the sweep removes them."""
    if days == 0:
        return 0
    with command() as session:
        rows = session.execute(
            update(PredictionBatch)
            .where(
                PredictionBatch.created_at < db_now(-days * DAY),
                PredictionBatch.purged_at.is_(None),
                PredictionBatch.state.not_in(BATCH_ACTIVE),
            )
            .values(purged_at=db_now())
            .returning(PredictionBatch.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(rows)
