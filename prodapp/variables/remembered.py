"""What was said of a machine's columns and where their values lay, kept for its next file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from prodapp.ml.assembly import Remembered
from prodapp.models import MachineVariable
from prodapp.variables.settings import TARGET, ColumnSettings, TableSettings


def remembered_variables(session: Session, machine_id: int) -> list[MachineVariable]:
    """What is remembered of a machine's columns, in their order."""
    statement = select(MachineVariable).where(MachineVariable.machine_id == machine_id)
    return list(session.scalars(statement.order_by(MachineVariable.position)))


def settings_from(variables: Sequence[MachineVariable]) -> TableSettings:
    """What was said of the columns, as settings for the next file."""
    target = next((variable for variable in variables if variable.role == TARGET), None)
    return TableSettings(
        columns=tuple(ColumnSettings(v.name, v.label, v.unit, v.role) for v in variables),
        target=None if target is None else target.name,
        sense=None if target is None else target.sense,
        goal=None if target is None else target.goal,
    )


def figures_from(variables: Sequence[MachineVariable]) -> tuple[Remembered, ...]:
    """What to compare the next file with: the columns of the last confirmed one."""
    return tuple(
        Remembered(v.name, v.kind, v.unit, v.low, v.middle, v.high)
        for v in variables
        if v.kind is not None
    )


def write_variables(session: Session, machine_id: int, settings: TableSettings) -> None:
    """Remember ``settings`` in place of what was remembered; figures stay with their names.

    The caller holds the machine for writing, so that two at a time cannot mix.
    """
    before = {item.name: item for item in remembered_variables(session, machine_id)}
    figures = {
        name: {key: getattr(item, key) for key in ("kind", "low", "middle", "high")}
        for name, item in before.items()
    }
    session.execute(delete(MachineVariable).where(MachineVariable.machine_id == machine_id))
    for position, column in enumerate(_with_target(settings)):
        is_target = column.name == settings.target
        row = MachineVariable(
            machine_id=machine_id,
            position=position,
            sense=settings.sense if is_target else None,
            goal=settings.goal if is_target else None,
            **asdict(column),
            **figures.get(column.name, {}),
        )
        session.add(row)
    session.flush()


def _with_target(settings: TableSettings) -> Sequence[ColumnSettings]:
    """The columns, of which the target has its role; it stands among them in any case."""
    if settings.target is None:
        return settings.columns
    columns = [
        replace(column, role=TARGET) if column.name == settings.target else column
        for column in settings.columns
    ]
    if not any(column.name == settings.target for column in columns):
        columns.append(ColumnSettings(settings.target, role=TARGET))
    return columns


def write_figures(session: Session, machine_id: int, found: Iterable[Remembered]) -> None:
    """Remember where the values of a confirmed file lay; names that are new are added."""
    before = {item.name: item for item in remembered_variables(session, machine_id)}
    position = max((item.position for item in before.values()), default=-1)
    for figure in found:
        row = before.get(figure.name)
        if row is None:
            position += 1
            row = MachineVariable(machine_id=machine_id, position=position, name=figure.name)
            session.add(row)
        row.kind, row.low, row.middle, row.high = (
            figure.kind,
            figure.low,
            figure.middle,
            figure.high,
        )
