"""The state machine of a batch: ``queued → running → succeeded``, or failed, or canceled.

The same leases as training runs have. Answering is idempotent, so a lost batch starts again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from prodapp.exceptions import N_
from prodapp.models import BatchState, PredictionBatch
from prodapp.models.lease import LEASE_SECONDS, Failure, Lease, Wish, advance, claim_row, settled
from prodapp.models.types import db_now

MAX_FAILURES = 3
MAX_LOST = 5
RETRY_SECONDS = 5.0
REDISPATCH_SECONDS = 15.0

NAME = "batch"
MODEL = PredictionBatch

_WANTED = PredictionBatch.cancel_requested_at.is_(None)
_RUNNING = (BatchState.RUNNING,)

BATCH_LOST = N_(
    "The worker vanished %(times)s times in a row while it answered this file. The file may be "
    "too large for the memory there is: split it, or ask the administrator."
)


def claim(session: Session, batch_id: int, /, *, worker_name: str) -> Lease | None:
    """Take a queued batch that nobody wants canceled; ``None`` when it is not there to take."""
    return claim_row(
        session,
        PredictionBatch,
        batch_id,
        worker_name=worker_name,
        queued=BatchState.QUEUED,
        running=BatchState.RUNNING,
        where=(_WANTED,),
    )


def note_progress(session: Session, lease: Lease, *, stage: str, progress: float) -> None:
    """Say where the work is; refused once a cancel was asked for."""
    values = {"stage": stage, "progress": progress}
    advance(session, PredictionBatch, lease, expect=_RUNNING, where=(_WANTED,), **values)


def succeed(session: Session, lease: Lease, **content: Any) -> None:
    """The answers are stored: ``content`` are their key and counts."""
    values = settled(
        state=BatchState.SUCCEEDED,
        progress=1.0,
        finished_at=db_now(),
        error_code=None,
        error_message=None,
        error_params=None,
        **content,
    )
    advance(session, PredictionBatch, lease, expect=_RUNNING, where=(_WANTED,), **values)


def fail(session: Session, lease: Lease, failure: Failure) -> None:
    """End the batch for good: trying again would not help."""
    advance(session, PredictionBatch, lease, expect=_RUNNING, **_failed(failure))


def fail_or_retry(
    session: Session, lease: Lease, batch: PredictionBatch, /, failure: Failure
) -> None:
    """Count a failure that another try may not meet; the last one ends the batch."""
    n_failures = batch.n_failures + 1
    values = _failed(failure)
    if n_failures < MAX_FAILURES:
        values |= {
            "state": BatchState.QUEUED,
            "retry_at": db_now(RETRY_SECONDS),
            "finished_at": None,
        }
    advance(session, PredictionBatch, lease, expect=_RUNNING, **values, n_failures=n_failures)


def end_unwanted(session: Session, lease: Lease) -> None:
    """End the batch that ``lease`` owns, if a cancel was asked for."""
    asked = (PredictionBatch.cancel_requested_at.is_not(None),)
    values = settled(state=BatchState.CANCELED, finished_at=db_now())
    advance(session, PredictionBatch, lease, expect=_RUNNING, where=asked, **values)


def renew_lease(session: Session, batch_id: int, /, *, worker_name: str) -> None:
    """Prolong the lease of the worker whose child answers the file."""
    session.execute(
        update(PredictionBatch)
        .where(*_owned_by(batch_id, worker_name))
        .values(lease_until=db_now(LEASE_SECONDS))
    )


def wish(session: Session, batch_id: int, /, *, worker_name: str) -> Wish:
    """What the worker whose child answers the file should do."""
    row = session.execute(
        select(PredictionBatch.cancel_requested_at).where(*_owned_by(batch_id, worker_name))
    ).first()
    if row is None:
        return Wish.LET_GO
    return Wish.CONTINUE if row[0] is None else Wish.CANCEL


def lose(
    session: Session,
    batch: PredictionBatch,
    /,
    *,
    is_expired: bool = False,
    is_handed_back: bool = False,
) -> None:
    """A worker vanished with the batch: back into the line, unless it keeps happening."""
    n_lost = batch.n_lost + (0 if is_handed_back else 1)
    lease = Lease(batch.id, batch.attempt, batch.lease_token or "")
    if n_lost >= MAX_LOST:
        values = _failed(Failure("worker_lost", BATCH_LOST, {"times": n_lost}))
    else:
        values = settled(state=BatchState.QUEUED, worker_name=None)
    where = (PredictionBatch.lease_until < db_now(),) if is_expired else ()
    advance(session, PredictionBatch, lease, expect=_RUNNING, where=where, **values, n_lost=n_lost)


def cancel_waiting(session: Session) -> None:
    """End the batches in the line that nobody wants any more."""
    session.execute(
        update(PredictionBatch)
        .where(PredictionBatch.state == BatchState.QUEUED, ~_WANTED)
        .values(**settled(state=BatchState.CANCELED, finished_at=db_now()))
        .execution_options(synchronize_session=False)
    )


def expired_batches(session: Session) -> list[int]:
    """Batches whose lease ran out."""
    expired = PredictionBatch.lease_until < db_now()
    statement = select(PredictionBatch.id)
    return list(
        session.scalars(statement.where(PredictionBatch.state == BatchState.RUNNING, expired))
    )


def due_batches(session: Session) -> list[tuple[int, int]]:
    """``(id, attempt)`` of queued batches that no dispatch is on its way for."""
    sent = PredictionBatch.dispatched_at
    rows = session.execute(
        select(PredictionBatch.id, PredictionBatch.attempt)
        .where(
            PredictionBatch.state == BatchState.QUEUED,
            _WANTED,
            PredictionBatch.retry_at.is_(None) | (PredictionBatch.retry_at <= db_now()),
            sent.is_(None) | (sent < db_now(-REDISPATCH_SECONDS)),
        )
        .order_by(PredictionBatch.id)
    )
    return [(row[0], row[1]) for row in rows]


def mark_dispatched(session: Session, batch_id: int) -> None:
    session.execute(
        update(PredictionBatch)
        .where(PredictionBatch.id == batch_id, PredictionBatch.state == BatchState.QUEUED)
        .values(dispatched_at=db_now())
    )


def _owned_by(batch_id: int, worker_name: str) -> tuple[ColumnElement[bool], ...]:
    return (
        PredictionBatch.id == batch_id,
        PredictionBatch.state == BatchState.RUNNING,
        PredictionBatch.worker_name == worker_name,
    )


def _failed(failure: Failure) -> dict[str, Any]:
    return settled(
        state=BatchState.FAILED,
        finished_at=db_now(),
        error_code=failure.code,
        error_message=failure.message,
        error_params=failure.params,
    )
