"""Sending work to the queue, and taking it back from workers that vanished."""

from __future__ import annotations

from sqlalchemy import select

from prodapp import queue
from prodapp.exceptions import LeaseLost
from prodapp.extensions import command, db
from prodapp.models.workflow import Workflow


def send(workflow: Workflow, row_id: int, attempt: int) -> bool:
    """Enqueue what is committed; a queue that is away leaves it to the dispatcher."""
    job_id = f"{workflow.name}-{row_id}-{attempt + 1}"
    if not queue.enqueue(workflow.job, row_id, job_id=job_id):
        return False
    with command() as session:
        workflow.mark_dispatched(session, row_id)
    return True


def dispatch(workflow: Workflow) -> int:
    """Send every row that is due; how many were sent."""
    with command() as session:
        workflow.settle_waiting(session)
        due = workflow.due(session)
    return sum(send(workflow, row_id, attempt) for row_id, attempt in due)


def reap(workflow: Workflow) -> int:
    """Take rows back from workers that stopped renewing their lease; how many."""
    expired = workflow.expired(db.session())
    return sum(take_back(workflow, row_id) for row_id in expired)


def bury(workflow: Workflow, worker_name: str) -> int:
    """Take back what a worker had that is known to have ended; how many rows."""
    left = workflow.owned_rows(db.session(), worker_name=worker_name)
    return sum(take_back(workflow, row_id, ended_worker=worker_name) for row_id in left)


def take_back(workflow: Workflow, row_id: int, *, ended_worker: str | None = None) -> bool:
    """Take a row from a worker that let its lease run out, or from the ``ended_worker``.

    ``False`` where it is not theirs (any more).
    """
    try:
        with command() as session:
            # Who is paused in a transaction must not keep the others from being taken back.
            free = select(workflow.model).where(workflow.model.id == row_id)
            row = session.scalars(
                free.with_for_update(skip_locked=True),
                execution_options={"populate_existing": True},
            ).first()
            if row is None or ended_worker not in (None, row.worker_name):
                return False
            workflow.lose(session, row, is_expired=ended_worker is None)
    except LeaseLost:
        return False
    return True
