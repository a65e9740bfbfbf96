"""What people say of a machine's columns: labels, units, roles, the target and its sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from prodapp.exceptions import FieldError, InvalidInput, N_

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
            replace(column, role=None) if column.role == TARGET or name == target else column
            for name in known
            for column in (columns.get(name, ColumnSettings(name)),)
        ),
        target=target,
        sense=said.sense if is_new else before.sense if target else None,
        goal=said.goal if is_new else before.goal if target else None,
    )
