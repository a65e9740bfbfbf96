"""What an external model service reports when it has ended a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from prodapp import audit
from prodapp.auth.objects import machine_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command
from prodapp.models import RunState, TrainingRun
from prodapp.rest.schemas import MAX_ID


def receive(caller: Caller, report: Mapping[str, Any]) -> None:
    """Note a report for the run of that model that waits for it.

    Raises :class:`NotFound` for an unknown model and :class:`Conflict` where no run waits: prodapp
    trains by itself then, and a report from outside must not change its results.
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
        audit.record(session, caller, "report.received", f"run:{run_id}", after=dict(report))
