"""The outer edge of every background job: claim a row, do its work, let the row tell how it ended.

Jobs
call :func:`carry_out` in the worker's horse; the worker itself keeps the lease meanwhile
(:func:`renew_lease`, :func:`wish`) and settles what a horse that died left behind (:func:`bury`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from prodapp import failpoints, metrics
from prodapp.exceptions import DomainError, LeaseLost, RunFailed, Unavailable
from prodapp.extensions import abandon, command, db
from prodapp.models.lease import LEASE_SECONDS, Failure, HorseDeath, Lease, Wish
from prodapp.models.workflow import Workflow
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


def carry_out(workflow: Workflow, row_id: int, work: Callable[[Any, Lease], None]) -> None:
    """Do ``work`` on the row once, whatever happens; a delivery that comes twice does nothing."""
    what = f"{workflow.name} {row_id}"
    failpoints.reach(f"{workflow.name}.delivered")
    with command() as session:
        lease = workflow.claim(session, row_id, worker_name=worker_name())
    if lease is None:
        log.info("%s is not there to claim", what)
        return
    row = _as_plain_data(workflow.model, row_id)
    bind_log(request_id=row.request_id, **{f"{workflow.name}_id": row_id})
    _count_wait(workflow, row)
    with under_way(
        workflow.kind, trace_parent=row.trace_parent, request_id=row.request_id, row_id=row_id
    ):
        log.info("%s: attempt %s", what, lease.attempt)
        _do(work, workflow, row, lease)


def _do(work: Callable[[Any, Lease], None], workflow: Workflow, row: Any, lease: Lease) -> None:
    """Do the claimed work, and write down how it ended where it did not do so itself."""
    what = f"{workflow.name} {lease.row_id}"
    try:
        failpoints.reach(f"{workflow.name}.claimed")
        work(row, lease)
    except LeaseLost:
        # Unwanted work is refused as a stranger's is: whose is it still?
        _settle(what, lambda session: workflow.end_unwanted(session, lease))
    except BaseException as error:  # the outer edge: every failure must reach the row
        failure = as_domain_error(error, request_id=row.request_id)
        log_failure(log, what, error, failure)
        _settle(what, lambda session: _end_failed(workflow, session, lease, failure))
        if not isinstance(error, Exception):
            raise


def pulse_of(workflow: Workflow, lease: Lease) -> Pulse:
    """What the work calls with its stage and share; raises ``LeaseLost`` when it shall stop."""

    def write(stage: str, share: float) -> None:
        with command() as session:
            workflow.note_progress(session, lease, stage=stage, progress=share)

    def pulse(stage: str, share: float) -> None:
        enter_stage(stage)
        patiently(lambda: write(stage, share))
        failpoints.reach(f"{workflow.name}.{stage}")

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


def renew_lease(workflow: Workflow, row_id: int, *, worker_name: str) -> None:
    """As the transition, in a transaction of its own."""
    with command() as session:
        workflow.renew_lease(session, row_id, worker_name=worker_name)


def wish(workflow: Workflow, row_id: int, *, worker_name: str) -> Wish:
    """As the transition, in a transaction of its own."""
    try:
        return workflow.wish(db.session(), row_id, worker_name=worker_name)
    finally:
        db.session.rollback()


def bury(workflow: Workflow, row_id: int, *, worker_name: str, cause: HorseDeath) -> None:
    """The worker saw its horse end without a word: settle what that left behind."""
    with command() as session:
        row = session.get(workflow.model, row_id, populate_existing=True)
        if row is None or row.worker_name != worker_name:
            return
        lease = Lease(row.id, row.attempt, row.lease_token or "")
        try:
            if cause is HorseDeath.CANCELED:
                workflow.end_unwanted(session, lease)
            elif (failure := _failure_of(cause)) is not None:
                _end_failed(workflow, session, lease, failure)
            else:
                is_handed_back = cause is HorseDeath.HANDED_BACK
                workflow.lose(session, row, is_handed_back=is_handed_back)
        except LeaseLost:
            return  # it had ended before the horse did


def _count_wait(workflow: Workflow, row: Any) -> None:
    """How long a run waited. An import's row may be older than the wish to import it."""
    if workflow.kind == "run" and row.attempt == 1:
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


def _end_failed(workflow: Workflow, session: Session, lease: Lease, error: DomainError) -> None:
    failure = Failure.of(error)
    if is_final(error):
        workflow.fail(session, lease, failure)
        return
    row = session.get_one(workflow.model, lease.row_id, populate_existing=True)
    if error.error_code == Unavailable.code:  # a lost service says nothing about the work
        workflow.lose(session, row, is_handed_back=True)
    else:
        workflow.fail_or_retry(session, lease, row, failure)


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
