"""The verbs of schedules: set, remove, look now, take a file again."""

from __future__ import annotations

from typing import Final, Unpack

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from prodapp import audit
from prodapp.auth.objects import hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command, db, settings_of
from prodapp.listing import Order, Sorts, listed
from prodapp.models import FileState, Machine, Schedule, ScheduledFile
from prodapp.models.types import db_now
from prodapp.pagination import Page
from prodapp.schedules import Plan, check_plan, plan_of, stored_schedule, write_plan

SORTS: Final[Sorts] = {
    "created_at": ScheduledFile.id,
    "name": ScheduledFile.name,
    "size_bytes": ScheduledFile.size_bytes,
}
STATES: Final = tuple(str(state) for state in FileState)


def schedule_of(caller: Caller, machine_id: int) -> Schedule:
    """The schedule of a machine. Raises :class:`NotFound` where it has none."""
    schedule = stored_schedule(db.session(), machine_of(caller, machine_id).id)
    if schedule is None:
        raise NotFound(N_("The machine %(id)s has no schedule."), id=machine_id, code="no_schedule")
    return schedule


def set_schedule(caller: Caller, machine_id: int, plan: Plan) -> Schedule:
    """Train on a machine's new files as ``plan`` says, in place of what was.

    Raises :class:`NotFound`, and :class:`InvalidInput` for a plan that cannot be.
    """
    machine = machine_of(caller, machine_id)
    check_plan(plan, roots=settings_of(current_app).schedule_roots)
    with command() as session:
        hold_machine(session, machine.id, is_alone=True)
        former = stored_schedule(session, machine.id)
        before = None if former is None else plan_of(former).to_json()
        write_plan(session, machine, plan)
        subject = f"machine:{machine.id}"
        audit.record(session, caller, "schedule.set", subject, before=before, after=plan.to_json())
    return schedule_of(caller, machine_id)


def remove_schedule(caller: Caller, machine_id: int) -> None:
    """Train on new files no more; what was found is forgotten. Raises :class:`NotFound`."""
    schedule = schedule_of(caller, machine_id)
    with command() as session:
        machine = session.get_one(Machine, schedule.machine_id)
        before = plan_of(schedule).to_json()
        write_plan(session, machine, None)
        audit.record(session, caller, "schedule.removed", f"machine:{machine.id}", before=before)


def look_now(caller: Caller, machine_id: int) -> Schedule:
    """Have the dispatcher look into the folder at once. Raises :class:`NotFound`, and
    :class:`Conflict` where the schedule is off."""
    schedule = schedule_of(caller, machine_id)
    if not schedule.is_active:
        raise Conflict(N_("This schedule is off. Turn it on first."), code="schedule_off")
    with command() as session:
        session.execute(
            update(Schedule)
            .where(Schedule.id == schedule.id, Schedule.is_active.is_(True))
            .values(next_attempt_at=db_now())
        )
        audit.record(session, caller, "schedule.asked", f"machine:{schedule.machine_id}")
    db.session.refresh(schedule)
    return schedule


def list_files(
    caller: Caller, machine_id: int, *, state: str | None = None, **order: Unpack[Order]
) -> Page[ScheduledFile]:
    """The files that were found, the newest first unless sorted otherwise."""
    schedule = schedule_of(caller, machine_id)
    statement = select(ScheduledFile).where(ScheduledFile.schedule_id == schedule.id)
    if state:
        statement = statement.where(ScheduledFile.state == state)
    statement = statement.options(joinedload(ScheduledFile.dataset), joinedload(ScheduledFile.run))
    return listed(statement, ScheduledFile, SORTS, order)


def file_of(caller: Caller, machine_id: int, file_id: int) -> ScheduledFile:
    """One of these. Raises :class:`NotFound`."""
    schedule = schedule_of(caller, machine_id)
    file = db.session.scalar(
        select(ScheduledFile).where(
            ScheduledFile.id == file_id, ScheduledFile.schedule_id == schedule.id
        )
    )
    if file is None:
        raise NotFound(N_("There is no file %(id)s."), id=file_id)
    return file


def take_again(caller: Caller, machine_id: int, file_id: int) -> Schedule:
    """Look again, at once, at a file that was set aside.

    Raises :class:`NotFound`, and :class:`Conflict` for a file that was not set aside and where
    the schedule is off.
    """
    file = file_of(caller, machine_id, file_id)
    if file.state != FileState.SET_ASIDE:
        raise Conflict(N_("Only a file that was set aside can be taken again."))
    schedule = look_now(caller, machine_id)
    with command() as session:
        session.execute(
            update(ScheduledFile)
            .where(ScheduledFile.id == file.id, ScheduledFile.state == FileState.SET_ASIDE)
            .values(state=FileState.FOUND, error_code=None, error_message=None, error_params=None)
        )
        after = {"file": file.name}
        audit.record(session, caller, "schedule.retried", f"machine:{machine_id}", after=after)
    return schedule
