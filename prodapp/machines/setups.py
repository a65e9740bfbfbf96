"""How a machine is set up, as one document: for copying it to another machine or installation.

What people decided goes along: name, how files are read, what the columns are, when a version comes
into use, which folder is watched. Data, what was found in them, and whom webhooks tell stay where
they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from flask import current_app
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.objects import hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.exceptions import InvalidInput
from prodapp.extensions import command, db, settings_of
from prodapp.machines.service import add_machine, give_name
from prodapp.ml.intake.choices import check_overrides
from prodapp.models import Machine
from prodapp.schedules import Plan, check_plan, plan_of, stored_schedule, write_plan
from prodapp.variables import TableSettings, remembered_variables, settings_from, write_variables


@dataclass(frozen=True)
class Setup:
    """``reading`` are the choices by which files are read (:mod:`prodapp.ml.intake.choices`),
    ``promotion`` one of the rules, ``None`` where the installation's holds, ``schedule`` which
    folder is watched. Raises :class:`InvalidInput` for a choice that intake does not offer."""

    name: str
    variables: TableSettings = field(default_factory=TableSettings)
    reading: Mapping[str, str] = field(default_factory=dict)
    promotion: str | None = None
    schedule: Plan | None = None

    def __post_init__(self) -> None:
        check_overrides(self.reading)


def setup_of_machine(caller: Caller, machine_id: int) -> Setup:
    """How a machine is set up. Raises :class:`NotFound`."""
    machine = machine_of(caller, machine_id)
    variables = settings_from(remembered_variables(db.session(), machine.id))
    row = stored_schedule(db.session(), machine.id)
    return Setup(
        machine.name,
        variables,
        machine.overrides or {},
        machine.promotion,
        None if row is None else plan_of(row),
    )


def import_machine(caller: Caller, setup: Setup) -> Machine:
    """Register a machine that is set up so. Raises :class:`InvalidInput` and :class:`Conflict`
    (name)."""
    _check(setup)
    with command() as session:
        machine = add_machine(session, caller, name=setup.name)
        _apply(session, caller, machine, setup)
    return machine


def replace_setup(caller: Caller, machine_id: int, setup: Setup) -> Machine:
    """Set a machine up so, in place of what was. Raises as :func:`import_machine` does, and
    :class:`NotFound`."""
    machine = machine_of(caller, machine_id)
    _check(setup)
    with command() as session:
        hold_machine(session, machine.id, is_alone=True)
        give_name(session, caller, machine, name=setup.name)
        _apply(session, caller, machine, setup)
    return machine


def _check(setup: Setup) -> None:
    """A folder that may be watched elsewhere may not be here."""
    if setup.schedule is None:
        return
    try:
        check_plan(setup.schedule, roots=settings_of(current_app).schedule_roots)
    except InvalidInput as error:
        fields = tuple(replace(item, pointer=f"/schedule{item.pointer}") for item in error.fields)
        raise InvalidInput(error.message, fields=fields, **error.params) from error


def _apply(session: Session, caller: Caller, machine: Machine, setup: Setup) -> None:
    machine.overrides = dict(setup.reading) or None
    machine.promotion = setup.promotion
    write_variables(session, machine.id, setup.variables)
    write_plan(session, machine, setup.schedule)
    after = asdict(setup)
    audit.record(session, caller, "machine.set_up", f"machine:{machine.id}", after=after)
