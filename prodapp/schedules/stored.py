"""The plan of a machine as its row."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from prodapp.models import Machine, Schedule
from prodapp.schedules.plan import Plan, next_look


def stored_schedule(session: Session, machine_id: int) -> Schedule | None:
    """The row of a machine's schedule."""
    return session.scalar(select(Schedule).where(Schedule.machine_id == machine_id))


def plan_of(schedule: Schedule) -> Plan:
    """What people said of it."""
    return Plan(
        folder=schedule.folder,
        cron=schedule.cron,
        pattern=schedule.pattern,
        timezone=schedule.timezone,
        is_active=schedule.is_active,
    )


def write_plan(session: Session, machine: Machine, plan: Plan | None) -> None:
    """Put a checked plan in place of the one that a machine had; ``None``: it has none from now on.

    Files that were taken stay taken, unless the machine has no schedule any more.
    """
    schedule = stored_schedule(session, machine.id)
    if plan is None:
        if schedule is not None:
            session.execute(delete(Schedule).where(Schedule.id == schedule.id))
        return
    if schedule is None:
        schedule = Schedule(site_id=machine.site_id, machine_id=machine.id)
        session.add(schedule)
    for name, value in plan.to_json().items():
        setattr(schedule, name, value)
    after = datetime.now(UTC)
    schedule.next_attempt_at = next_look(plan, after=after) if plan.is_active else None
