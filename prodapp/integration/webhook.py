"""What an external model service reports when it has ended a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.objects import machine_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command
from prodapp.models import ReceivedMessage, RunState, TrainingRun
from prodapp.models.types import db_now
from prodapp.rest.schemas import MAX_ID

# Longer than a message may be on its way, in the past and in the future.
REMEMBERED_SECONDS = 3600.0


def receive(caller: Caller, report: Mapping[str, Any], *, message_id: str | None = None) -> None:
    """Note a report for the run of that model that waits for it; a signed one with its id, once.

    Raises :class:`NotFound` for an unknown model and :class:`Conflict` where no run waits (prodapp
    trains by itself then, and a report from outside must not change its results) and for a message
    that was taken before.
    """
    model_id = report["model_id"]
    if not 1 <= model_id <= MAX_ID:
        raise NotFound(N_("There is no machine %(id)s."), id=model_id)
    machine = machine_of(caller, model_id)
    with command() as session:
        run_id = session.scalar(
            select(TrainingRun.id)
            .where(
                TrainingRun.machine_id == machine.id,
                TrainingRun.state == RunState.WAITING_EXTERNAL,
            )
            .order_by(TrainingRun.id.desc())
        )
        if run_id is None:
            raise Conflict(
                N_("No run of this machine waits for an external service."), code="not_awaited"
            )
        if message_id is not None:
            _remember(session, message_id)
        audit.record(session, caller, "report.received", f"run:{run_id}", after=dict(report))


def forget_old() -> int:
    """Forget ids whose messages would be refused for their age by now; returns how many."""
    old = ReceivedMessage.created_at <= db_now(-REMEMBERED_SECONDS)
    with command() as session:
        gone = session.execute(delete(ReceivedMessage).where(old).returning(ReceivedMessage.id))
        return len(gone.all())


def _remember(session: Session, message_id: str) -> None:
    session.add(ReceivedMessage(message_id=message_id))
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(N_("This message was received before."), code="replayed") from error
