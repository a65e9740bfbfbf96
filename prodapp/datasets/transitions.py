"""The state machine of an import: ``queued → importing → ready | refused``, lost ones back in line.

The same leases as training runs have; an import is idempotent, so a lost one simply starts again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from prodapp.exceptions import N_
from prodapp.models import Dataset, DatasetState
from prodapp.models.lease import LEASE_SECONDS, Failure, Lease, Wish, advance, claim_row, settled
from prodapp.models.types import db_now

MAX_FAILURES = 3
MAX_LOST = 5
RETRY_SECONDS = 5.0
REDISPATCH_SECONDS = 15.0

NAME = "dataset"
MODEL = Dataset

IMPORTER_LOST = N_(
    "The worker vanished %(times)s times in a row while it read this file. The file may be too "
    "large for the memory there is: split it, or ask the administrator."
)


def claim(session: Session, dataset_id: int, /, *, worker_name: str) -> Lease | None:
    """Take a queued import; ``None`` when it is not there to take."""
    return claim_row(
        session,
        Dataset,
        dataset_id,
        worker_name=worker_name,
        queued=DatasetState.QUEUED,
        running=DatasetState.IMPORTING,
        where=(Dataset.deleted_at.is_(None),),
    )


def note_progress(session: Session, lease: Lease, *, stage: str, progress: float) -> None:
    advance(
        session,
        Dataset,
        lease,
        expect=(DatasetState.IMPORTING,),
        where=(Dataset.deleted_at.is_(None),),
        stage=stage,
        progress=progress,
    )


def succeed(session: Session, lease: Lease, **content: Any) -> None:
    """The table is stored: ``content`` are its key, size and final description."""
    values = settled(
        state=DatasetState.READY,
        progress=1.0,
        finished_at=db_now(),
        error_code=None,
        error_message=None,
        error_params=None,
        **content,
    )
    advance(session, Dataset, lease, expect=(DatasetState.IMPORTING,), **values)


def fail(session: Session, lease: Lease, failure: Failure) -> None:
    """Refuse the file: trying again would not help."""
    values = _refused(failure)
    advance(session, Dataset, lease, expect=(DatasetState.IMPORTING,), **values)


def fail_or_retry(session: Session, lease: Lease, dataset: Dataset, /, failure: Failure) -> None:
    """Count a failure that another try may not meet; the last one refuses the file."""
    n_failures = dataset.n_failures + 1
    values = _refused(failure)
    if n_failures < MAX_FAILURES:
        values |= {
            "state": DatasetState.QUEUED,
            "retry_at": db_now(RETRY_SECONDS),
            "finished_at": None,
        }
    advance(
        session, Dataset, lease, expect=(DatasetState.IMPORTING,), **values, n_failures=n_failures
    )


def end_unwanted(session: Session, lease: Lease) -> None:
    """Let go of an import whose machine was deleted; nobody starts it again."""
    advance(
        session,
        Dataset,
        lease,
        expect=(DatasetState.IMPORTING,),
        where=(Dataset.deleted_at.is_not(None),),
        **settled(state=DatasetState.QUEUED, worker_name=None),
    )


def renew_lease(session: Session, dataset_id: int, /, *, worker_name: str) -> None:
    """Prolong the lease for the worker whose child reads the file."""
    session.execute(
        update(Dataset)
        .where(*_owned_by(dataset_id, worker_name))
        .values(lease_until=db_now(LEASE_SECONDS))
    )


def wish(session: Session, dataset_id: int, /, *, worker_name: str) -> Wish:
    """What the worker whose child reads the file should do."""
    row = session.execute(
        select(Dataset.deleted_at).where(*_owned_by(dataset_id, worker_name))
    ).first()
    if row is None:
        return Wish.LET_GO
    return Wish.CONTINUE if row[0] is None else Wish.CANCEL


def lose(
    session: Session,
    dataset: Dataset,
    /,
    *,
    is_expired: bool = False,
    is_handed_back: bool = False,
) -> None:
    """A worker vanished with the import: back into the line, unless it keeps happening."""
    n_lost = dataset.n_lost + (0 if is_handed_back else 1)
    lease = Lease(dataset.id, dataset.attempt, dataset.lease_token or "")
    if n_lost >= MAX_LOST:
        values = _refused(Failure("worker_lost", IMPORTER_LOST, {"times": n_lost}))
    else:
        values = settled(state=DatasetState.QUEUED, worker_name=None)
    where = (Dataset.lease_until < db_now(),) if is_expired else ()
    advance(
        session,
        Dataset,
        lease,
        expect=(DatasetState.IMPORTING,),
        where=where,
        **values,
        n_lost=n_lost,
    )


def expired_imports(session: Session) -> list[int]:
    """Imports whose lease ran out."""
    return list(
        session.scalars(
            select(Dataset.id).where(
                Dataset.state == DatasetState.IMPORTING, Dataset.lease_until < db_now()
            )
        )
    )


def due_imports(session: Session) -> list[tuple[int, int]]:
    """``(id, attempt)`` of queued imports that no dispatch is on its way for."""
    rows = session.execute(
        select(Dataset.id, Dataset.attempt)
        .where(
            Dataset.state == DatasetState.QUEUED,
            Dataset.deleted_at.is_(None),
            Dataset.retry_at.is_(None) | (Dataset.retry_at <= db_now()),
            Dataset.dispatched_at.is_(None) | (Dataset.dispatched_at < db_now(-REDISPATCH_SECONDS)),
        )
        .order_by(Dataset.id)
    )
    return [(row[0], row[1]) for row in rows]


def mark_dispatched(session: Session, dataset_id: int) -> None:
    session.execute(
        update(Dataset)
        .where(Dataset.id == dataset_id, Dataset.state == DatasetState.QUEUED)
        .values(dispatched_at=db_now())
    )


def _owned_by(dataset_id: int, worker_name: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Dataset.id == dataset_id,
        Dataset.state == DatasetState.IMPORTING,
        Dataset.worker_name == worker_name,
    )


def _refused(failure: Failure) -> dict[str, Any]:
    return settled(
        state=DatasetState.REFUSED,
        finished_at=db_now(),
        error_code=failure.code,
        error_message=failure.message,
        error_params=failure.params,
    )
