"""The state machine of a training run, statement by statement (``runs.md``).

Each function is one compare-and-set inside the caller's transaction. Those that take a lease
raise ``LeaseLost`` when somebody else has the run; those for a whole table report what they moved.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Session

from prodapp.exceptions import N_
from prodapp.models import Dataset, DatasetState, RunState, TrainingRun
from prodapp.models.lease import (
    LEASE_SECONDS,
    Failure,
    Lease,
    Wish,
    advance,
    claim_row,
    count_end,
    settled,
)
from prodapp.models.training_run import OWNED, WAITING
from prodapp.models.types import db_now

MAX_FAILURES = 3
MAX_LOST = 5
MAX_OUT_OF_MEMORY = 2
BACKOFF_SECONDS = (5.0, 20.0)
REDISPATCH_SECONDS = 15.0

NAME = "run"
MODEL = TrainingRun

WORKER_LOST = N_(
    "The worker vanished %(times)s times in a row while it worked on this. The run itself may be "
    "what ends it, for example by taking all the memory: try fewer rows or columns."
)


def claim(session: Session, run_id: int, /, *, worker_name: str) -> Lease | None:
    """Take a queued run that nobody wants canceled; ``None`` when it is not there to take."""
    return claim_row(
        session,
        TrainingRun,
        run_id,
        worker_name=worker_name,
        queued=RunState.QUEUED,
        running=RunState.RUNNING,
        where=(TrainingRun.cancel_requested_at.is_(None),),
    )


def note_progress(session: Session, lease: Lease, *, stage: str, progress: float) -> None:
    """Say where the work is; refused once a cancel was asked for."""
    advance(
        session,
        TrainingRun,
        lease,
        expect=OWNED,
        where=(TrainingRun.cancel_requested_at.is_(None),),
        stage=stage,
        progress=progress,
    )


def begin_publishing(session: Session, lease: Lease) -> None:
    advance(
        session,
        TrainingRun,
        lease,
        expect=(RunState.RUNNING,),
        where=(TrainingRun.cancel_requested_at.is_(None),),
        state=RunState.PUBLISHING,
        stage="publishing",
        progress=0.0,
    )


def succeed(session: Session, lease: Lease) -> None:
    values = settled(
        state=RunState.SUCCEEDED,
        progress=1.0,
        finished_at=db_now(),
        error_code=None,
        error_message=None,
        error_params=None,
    )
    # A cancel that was accepted until now counts: nothing of the run may be published after it.
    wanted = (TrainingRun.cancel_requested_at.is_(None),)
    advance(session, TrainingRun, lease, expect=(RunState.PUBLISHING,), where=wanted, **values)


def fail(session: Session, lease: Lease, failure: Failure) -> None:
    """End the run for good: trying again would not help."""
    advance(session, TrainingRun, lease, expect=OWNED, **_failed(failure))


def fail_or_retry(session: Session, lease: Lease, run: TrainingRun, /, failure: Failure) -> None:
    """Count a failure of the run's own; the last one ends it, others wait for another try."""
    n_failures = run.n_failures + 1
    limit = MAX_OUT_OF_MEMORY if failure.code == "out_of_memory" else MAX_FAILURES
    values = _failed(failure)
    if n_failures < limit:
        backoff = BACKOFF_SECONDS[min(n_failures, len(BACKOFF_SECONDS)) - 1]
        values |= {
            "state": RunState.RETRY_WAIT,
            "retry_at": db_now(backoff),
            "finished_at": None,
        }
    advance(session, TrainingRun, lease, expect=OWNED, **values, n_failures=n_failures, n_lost=0)


def end_unwanted(session: Session, lease: Lease) -> None:
    """End the run that ``lease`` owns, if a cancel was asked for."""
    asked = (TrainingRun.cancel_requested_at.is_not(None),)
    advance(session, TrainingRun, lease, expect=OWNED, where=asked, **_canceled())


def renew_lease(session: Session, run_id: int, /, *, worker_name: str) -> None:
    """Prolong the lease for the worker whose child works on the run; a lost run stays lost."""
    session.execute(
        update(TrainingRun)
        .where(*_owned_by(run_id, worker_name))
        .values(lease_until=db_now(LEASE_SECONDS))
    )


def wish(session: Session, run_id: int, /, *, worker_name: str) -> Wish:
    """What the worker whose child works on the run should do with it."""
    row = session.execute(
        select(TrainingRun.cancel_requested_at).where(*_owned_by(run_id, worker_name))
    ).first()
    if row is None:
        return Wish.LET_GO
    return Wish.CONTINUE if row[0] is None else Wish.CANCEL


def lose(
    session: Session,
    run: TrainingRun,
    /,
    *,
    is_expired: bool = False,
    is_handed_back: bool = False,
) -> None:
    """A worker vanished with the run: no attempt is spent, unless it keeps happening.

    ``is_expired`` takes the run only while its lease is over: it may have been renewed just now.
    ``is_handed_back`` is a worker that was asked to stop: that says nothing about the run.
    """
    n_lost = run.n_lost + (0 if is_handed_back else 1)
    lease = Lease(run.id, run.attempt, run.lease_token or "")
    values: dict[str, Any]
    if run.cancel_requested_at is not None:
        values = _canceled()
    elif n_lost >= MAX_LOST:
        values = _failed(Failure("worker_lost", WORKER_LOST, {"times": n_lost}))
    else:
        values = settled(state=RunState.RETRY_WAIT, retry_at=db_now(), worker_name=None)
    where = (TrainingRun.lease_until < db_now(),) if is_expired else ()
    advance(session, TrainingRun, lease, expect=OWNED, where=where, **values, n_lost=n_lost)


def expired_runs(session: Session) -> list[int]:
    """Runs whose lease ran out: their worker is gone, paused or cut off."""
    return list(
        session.scalars(
            select(TrainingRun.id).where(
                TrainingRun.state.in_(OWNED), TrainingRun.lease_until < db_now()
            )
        )
    )


def requeue_due(session: Session) -> int:
    """Runs that have waited long enough for another try go back into the line."""
    result = session.execute(
        update(TrainingRun)
        .where(TrainingRun.state == RunState.RETRY_WAIT, TrainingRun.retry_at <= db_now())
        .values(**settled(state=RunState.QUEUED))
    )
    return _rows(result)


def cancel_waiting(session: Session) -> int:
    """Runs that nobody works on end as soon as a cancel was asked for."""
    result = session.execute(
        update(TrainingRun)
        .where(TrainingRun.state.in_(WAITING), TrainingRun.cancel_requested_at.is_not(None))
        .values(**_canceled())
    )
    for _ in range(_rows(result)):
        count_end(session, TrainingRun, RunState.CANCELED)
    return _rows(result)


def fail_without_data(session: Session) -> int:
    """Queued runs whose data set was refused by the import end with its reason."""
    waiting = session.execute(
        select(TrainingRun.id, Dataset.error_code, Dataset.error_message, Dataset.error_params)
        .join(TrainingRun.dataset)
        .where(TrainingRun.state == RunState.QUEUED, Dataset.state == DatasetState.REFUSED)
    ).all()
    for run_id, code, message, params in waiting:
        session.execute(
            update(TrainingRun)
            .where(TrainingRun.id == run_id, TrainingRun.state == RunState.QUEUED)
            .values(**_failed(Failure(code, message, params or {})))
        )
        count_end(session, TrainingRun, RunState.FAILED, error=code)
    return len(waiting)


def due_runs(session: Session) -> list[tuple[int, int]]:
    """``(id, attempt)`` of queued runs with ready data that no dispatch is on its way for."""
    rows = session.execute(
        select(TrainingRun.id, TrainingRun.attempt)
        .join(TrainingRun.dataset)
        .where(
            TrainingRun.state == RunState.QUEUED,
            Dataset.state == DatasetState.READY,
            TrainingRun.dispatched_at.is_(None)
            | (TrainingRun.dispatched_at < db_now(-REDISPATCH_SECONDS)),
        )
        .order_by(TrainingRun.id)
    )
    return [(row[0], row[1]) for row in rows]


def mark_dispatched(session: Session, run_id: int) -> None:
    session.execute(
        update(TrainingRun)
        .where(TrainingRun.id == run_id, TrainingRun.state == RunState.QUEUED)
        .values(dispatched_at=db_now())
    )


def _owned_by(run_id: int, worker_name: str) -> tuple[ColumnElement[bool], ...]:
    return (
        TrainingRun.id == run_id,
        TrainingRun.state.in_(OWNED),
        TrainingRun.worker_name == worker_name,
    )


def _failed(failure: Failure) -> dict[str, Any]:
    return settled(
        state=RunState.FAILED,
        finished_at=db_now(),
        error_code=failure.code,
        error_message=failure.message,
        error_params=failure.params,
    )


def _canceled() -> dict[str, Any]:
    return settled(state=RunState.CANCELED, finished_at=db_now())


def _rows(result: Any) -> int:
    return int(result.rowcount) if isinstance(result, CursorResult) else 0
