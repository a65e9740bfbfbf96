"""The verbs of what is remembered of a machine's columns."""

from __future__ import annotations

from prodapp import audit
from prodapp.auth.objects import hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.models import MachineVariable
from prodapp.variables import TableSettings, remembered_variables, write_variables


def variables_of(caller: Caller, machine_id: int) -> list[MachineVariable]:
    """What is remembered of the columns of a machine's files, in their order. Raises
    :class:`NotFound`."""
    return remembered_variables(db.session(), machine_of(caller, machine_id).id)


def save_variables(
    caller: Caller, machine_id: int, *, settings: TableSettings
) -> list[MachineVariable]:
    """Remember ``settings`` in place of all that was; columns that they do not name are forgotten.

    Where the values of a column lay stays with its name. Data sets that were confirmed before keep
    what was said of them. Raises :class:`NotFound`.
    """
    machine = machine_of(caller, machine_id)
    with command() as session:
        hold_machine(session, machine.id, is_alone=True)
        write_variables(session, machine.id, settings)
        after = {"target": settings.target, "columns": [column.name for column in settings.columns]}
        audit.record(session, caller, "machine.described", f"machine:{machine.id}", after=after)
    return remembered_variables(db.session(), machine.id)
