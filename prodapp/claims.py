"""The outer edge of every background job: claim a row, do its work, let the row tell how it ended.

A feature's ``transitions`` module is the state machine of its rows, a :class:`Transitions`. Jobs
call :func:`carry_out` in the worker's horse; the worker itself keeps the lease meanwhile
(:func:`renew_lease`, :func:`wish`) and settles what a horse that died left behind (:func:`bury`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from prodapp import failpoints, metrics
from prodapp.exceptions import DomainError, LeaseLost, RunFailed, Unavailable
from prodapp.extensions import abandon, command, db
from prodapp.models.lease import (
    LEASE_SECONDS,
    Failure,
    HorseDeath,
    Lease,
    Wish,
    work_kind,
)
from prodapp.stages import enter_stage, under_way
from prodapp.work import (
    OUT_OF_MEMORY,
    TIMEOUT,
    Pulse,
    as_domain_error,
    bind_log,
    is_final,
    log_failure,
    worker_name,
)

AGAIN_SECONDS = 0.5

T = TypeVar("T")

log = logging.getLogger(__name__)


class Transitions(Protocol):
    """The state machine of one kind of row, as its module offers it.

    Those that take a lease raise ``LeaseLost`` when somebody else has the row.
    """

    NAME: str
    MODEL: type[Any]

    def claim(self, session: Session, row_id: int, /, *, worker_name: str) -> Lease | None:
        """Take a queued row; ``None`` when it is not there to take."""

    def renew_lease(self, session: Session, row_id: int, /, *, worker_name: str) -> None:
        """Prolong the lease of the worker whose horse has the row."""

    def note_progress(self, session: Session, lease: Lease, *, stage: str, progress: float) -> None:
        """Say where the work is; ``LeaseLost`` where nobody wants it any more."""

    def wish(self, session: Session, row_id: int, /, *, worker_name: str) -> Wish:
        """What that worker should do."""

    def fail(self, session: Session, lease: Lease, failure: Failure) -> None:
        """End the row for good."""

    def fail_or_retry(self, session: Session, lease: Lease, row: Any, /, failure: Failure) -> None:
        """Count a failure that another try may not meet."""

    def end_unwanted(self, session: Session, lease: Lease) -> None:
        """End work that nobody wants any more; ``LeaseLost`` where it is wanted."""

    def lose(
        self,
        session: Session,
        row: Any,
        /,
        *,
        is_expired: bool = False,
        is_handed_back: bool = False,
    ) -> None:
        """A worker vanished with the row: back into the line, unless it keeps happening."""


def carry_out(transitions: Transitions, row_id: int, work: Callable[[Any, Lease], None]) -> None:
    """Do ``work`` on the row once, whatever happens; a delivery that comes twice does nothing."""
    what = f"{transitions.NAME} {row_id}"
    failpoints.reach(f"{transitions.NAME}.delivered")
    with command() as session:
        lease = transitions.claim(session, row_id, worker_name=worker_name())
    if lease is None:
        log.info("%s is not there to claim", what)
        return
    row = _as_plain_data(transitions.MODEL, row_id)
    bind_log(request_id=row.request_id, **{f"{transitions.NAME}_id": row_id})
    _count_wait(row)
    kind = work_kind(transitions.MODEL)
    with under_way(kind, trace_parent=row.trace_parent, request_id=row.request_id, row_id=row_id):
        log.info("%s: attempt %s", what, lease.attempt)
        _do(work, transitions, row, lease)


def _do(
    work: Callable[[Any, Lease], None], transitions: Transitions, row: Any, lease: Lease
) -> None:
    """Do the claimed work, and write down how it ended where it did not do so itself."""
    what = f"{transitions.NAME} {lease.row_id}"
    try:
        failpoints.reach(f"{transitions.NAME}.claimed")
        work(row, lease)
    except LeaseLost:
        # Unwanted work is refused as a stranger's is: whose is it still?
        _settle(what, lambda session: transitions.end_unwanted(session, lease))
    except BaseException as error:  # the outer edge: every failure must reach the row
        failure = as_domain_error(error, request_id=row.request_id)
        log_failure(log, what, error, failure)
        _settle(what, lambda session: _end_failed(transitions, session, lease, failure))
        if not isinstance(error, Exception):
            raise


def pulse_of(transitions: Transitions, lease: Lease) -> Pulse:
    """What the work calls with its stage and share; raises ``LeaseLost`` when it shall stop."""

    def write(stage: str, share: float) -> None:
        with command() as session:
            transitions.note_progress(session, lease, stage=stage, progress=share)

    def pulse(stage: str, share: float) -> None:
        enter_stage(stage)
        patiently(lambda: write(stage, share))
        failpoints.reach(f"{transitions.NAME}.{stage}")

    return Pulse(pulse)


def patiently(action: Callable[[], T]) -> T:
    """Do ``action``, again and again while the database is away, for as long as a lease lasts.

    Only for what may happen twice: a commit whose answer was lost has happened.
    """
    give_up_at = time.monotonic() + LEASE_SECONDS
    while True:
        try:
            return action()
        except Exception as error:
            told = as_domain_error(error, request_id=None)
            if told.error_code != "unavailable" or time.monotonic() > give_up_at:
                raise
            log.warning("waiting for the database: %s", type(error).__name__)
            time.sleep(AGAIN_SECONDS)


def renew_lease(transitions: Transitions, row_id: int, *, worker_name: str) -> None:
    """As the transition, in a transaction of its own."""
    with command() as session:
        transitions.renew_lease(session, row_id, worker_name=worker_name)


def wish(transitions: Transitions, row_id: int, *, worker_name: str) -> Wish:
    """As the transition, in a transaction of its own."""
    try:
        return transitions.wish(db.session(), row_id, worker_name=worker_name)
    finally:
        db.session.rollback()


def bury(transitions: Transitions, row_id: int, *, worker_name: str, cause: HorseDeath) -> None:
    """The worker saw its horse end without a word: settle what that left behind."""
    with command() as session:
        row = session.get(transitions.MODEL, row_id, populate_existing=True)
        if row is None or row.worker_name != worker_name:
            return
        lease = Lease(row.id, row.attempt, row.lease_token or "")
        try:
            if cause is HorseDeath.CANCELED:
                transitions.end_unwanted(session, lease)
            elif (failure := _failure_of(cause)) is not None:
                _end_failed(transitions, session, lease, failure)
            else:
                is_handed_back = cause is HorseDeath.HANDED_BACK
                transitions.lose(session, row, is_handed_back=is_handed_back)
        except LeaseLost:
            return  # it had ended before the horse did


def take_back(transitions: Transitions, row_id: int) -> bool:
    """Take a row from a worker that let its lease run out; ``False`` where it did not."""
    try:
        with command() as session:
            # Who is paused in a transaction must not keep the others from being taken back.
            free = select(transitions.MODEL).where(transitions.MODEL.id == row_id)
            row = session.scalars(
                free.with_for_update(skip_locked=True),
                execution_options={"populate_existing": True},
            ).first()
            if row is None:
                return False
            transitions.lose(session, row, is_expired=True)
    except LeaseLost:
        return False
    return True


def _count_wait(row: Any) -> None:
    """How long a run waited. An import's row may be older than the wish to import it."""
    if work_kind(type(row)) == "run" and row.attempt == 1:
        waited = (row.started_at - row.created_at).total_seconds()
        metrics.WORK_WAIT.labels("run").observe(max(0.0, waited))


def _as_plain_data(model: type[Any], row_id: int) -> Any:
    """The row, bound to no session: a transaction that fails does not make it be read again."""
    with Session(db.engine) as session:
        return session.get_one(model, row_id)


def _failure_of(cause: HorseDeath) -> DomainError | None:
    if cause is HorseDeath.OUT_OF_MEMORY:
        return RunFailed(OUT_OF_MEMORY, code="out_of_memory")
    if cause is HorseDeath.TIMEOUT:
        return RunFailed(TIMEOUT, code="timeout")
    return None


def _end_failed(
    transitions: Transitions, session: Session, lease: Lease, error: DomainError
) -> None:
    failure = Failure.of(error)
    if is_final(error):
        transitions.fail(session, lease, failure)
        return
    row = session.get_one(transitions.MODEL, lease.row_id, populate_existing=True)
    if error.error_code == Unavailable.code:  # a lost service says nothing about the work
        transitions.lose(session, row, is_handed_back=True)
    else:
        transitions.fail_or_retry(session, lease, row, failure)


def _settle(what: str, write: Callable[[Session], None]) -> None:
    """Write the end of the work that this process has claimed."""

    def settle() -> None:
        abandon()  # what the work had begun
        with command() as session:
            write(session)

    try:
        patiently(settle)
    except LeaseLost:
        log.warning("%s: the lease is lost, nothing is kept", what)
