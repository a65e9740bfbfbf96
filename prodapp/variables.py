"""What people say of a machine's columns: labels, units, roles, the target and its sense.

Said when a file is confirmed or for the machine itself, remembered for its next file. Kept here
for the features that share it: data sets write it, machines show and change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.ml.assembly import Remembered
from prodapp.models import MachineVariable

TARGET: Final = "target"
#: What a person can make of a column; the last four keep it out of the model.
ROLES: Final = (TARGET, "lever", "context", "consequence", "identifier", "time", "group")
SENSES: Final = ("raise", "lower", "hold")
MAX_LABEL: Final = 200
MAX_UNIT: Final = 40
MAX_COLUMNS: Final = 5_000


@dataclass(frozen=True)
class ColumnSettings:
    """What a person said of one column. ``None`` leaves it as the file has it and as suggested."""

    name: str
    label: str | None = None
    unit: str | None = None
    role: str | None = None


@dataclass(frozen=True)
class TableSettings:
    """What a person said of a table.

    ``sense`` says what is wanted of the target: "raise", "lower" or "hold" at ``goal``. Wrong
    values raise ``InvalidInput`` at once, with a pointer to each. ``target`` may also be named by
    the role "target" of its column; both then say the same.
    """

    columns: tuple[ColumnSettings, ...] = ()
    target: str | None = None
    sense: str | None = None
    goal: float | None = None

    def __post_init__(self) -> None:
        named = [column.name for column in self.columns if column.role == TARGET]
        if self.target is None and len(named) == 1:
            object.__setattr__(self, "target", named[0])
        errors = [*self._column_errors(), *self._target_errors(named)]
        if errors:
            raise InvalidInput(N_("Some fields are missing or wrong."), fields=tuple(errors))

    def _column_errors(self) -> list[FieldError]:
        errors, seen = [], set()
        for place, column in enumerate(self.columns):
            pointer = f"/columns/{place}"
            if column.name in seen:
                errors.append(FieldError(f"{pointer}/name", N_("This column stands here twice.")))
            seen.add(column.name)
            if column.role is not None and column.role not in ROLES:
                known = {"known": ", ".join(ROLES)}
                errors.append(FieldError(f"{pointer}/role", N_("Choose one of: %(known)s."), known))
            for name, longest in (("label", MAX_LABEL), ("unit", MAX_UNIT)):
                if len(getattr(column, name) or "") > longest:
                    message = N_("Give at most %(max)s characters.")
                    errors.append(FieldError(f"{pointer}/{name}", message, {"max": longest}))
        return errors

    def _target_errors(self, named: Sequence[str]) -> list[FieldError]:
        errors = []
        if len(named) > 1 or any(name != self.target for name in named):
            errors.append(FieldError("/target", N_("Only one column can be the target.")))
        if any(c.name == self.target and c.role not in (None, TARGET) for c in self.columns):
            errors.append(FieldError("/target", N_("The target cannot have another role.")))
        if self.sense is not None and self.sense not in SENSES:
            known = {"known": ", ".join(SENSES)}
            errors.append(FieldError("/sense", N_("Choose one of: %(known)s."), known))
        if self.sense is not None and self.target is None:
            errors.append(FieldError("/target", N_("Name the target column.")))
        if (self.sense == "hold") != (self.goal is not None):
            message = N_("Give the value to hold the target at, with the sense “hold” only.")
            errors.append(FieldError("/goal", message))
        return errors

    def to_json(self) -> dict[str, Any]:
        """A document that :meth:`from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | None) -> TableSettings:
        """The settings of a stored document; keys that a later release added are passed over."""
        document = document or {}
        known = ColumnSettings.__dataclass_fields__.keys()
        columns = tuple(
            ColumnSettings(**{key: item[key] for key in item.keys() & known})
            for item in document.get("columns", ())
        )
        own = {key: document.get(key) for key in ("target", "sense", "goal")}
        return cls(columns=columns, **own)


def check_names(settings: TableSettings, names: Iterable[str]) -> None:
    """Raise ``InvalidInput`` for settings of columns that are not among ``names``."""
    known = set(names)
    message = N_("There is no column “%(name)s”.")
    errors = [
        FieldError(f"/columns/{place}/name", message, {"name": column.name})
        for place, column in enumerate(settings.columns)
        if column.name not in known
    ]
    if settings.target is not None and settings.target not in known:
        errors.append(FieldError("/target", message, {"name": settings.target}))
    if errors:
        first = errors[0]
        raise InvalidInput(message, code="unknown_column", fields=tuple(errors), **first.params)


def merged(before: TableSettings, said: TableSettings, *, names: Iterable[str]) -> TableSettings:
    """What holds for a table of columns ``names``: ``said``, and what was remembered ``before``
    of the columns that it does not mention."""
    known = list(names)
    columns = {column.name: column for column in (*before.columns, *said.columns)}
    target = said.target
    if target is None and before.target in known:
        mentioned = {column.name for column in said.columns}
        target = None if before.target in mentioned else before.target
    is_new = target is not None and target == said.target
    return TableSettings(
        columns=tuple(
            replace(columns[name], role=None)
            if columns[name].role == TARGET or name == target
            else columns[name]
            for name in known
            if name in columns
        ),
        target=target,
        sense=said.sense if is_new else before.sense if target else None,
        goal=said.goal if is_new else before.goal if target else None,
    )


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
