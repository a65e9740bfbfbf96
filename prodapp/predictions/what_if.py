"""What if: one row held as it was, some levers moved, both asked of a version; nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from prodapp.caller import Caller
from prodapp.exceptions import Conflict, FieldError, InvalidInput, N_, NotFound
from prodapp.extensions import db
from prodapp.predictions import history, service
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.versions import ServedVersion
from prodapp.variables import remembered_variables

if TYPE_CHECKING:
    from prodapp.ml.serving.contributions import Contributions
    from prodapp.ml.serving.predictor import Answer, Predictor
    from prodapp.ml.serving.variables import Row, Variable

TYPICAL, PREDICTION, GIVEN = "typical", "prediction", "given"
#: Bounds are shown and sent back with six digits.
_ROUNDED: Final = 1e-5

NEVER_RUN = N_(
    "“%(variable)s” was never run at %(value)s. Choose a value from %(low)s to %(high)s."
)
NO_SUCH_LEVEL = N_("“%(variable)s” was never run at “%(value)s”. Known are: %(known)s.")
NO_LEVER = N_("“%(variable)s” cannot be moved here. What can be is: %(known)s.")


@dataclass(frozen=True)
class Question:
    """``changes`` by lever, of the row that ``record`` or the prediction of the history holds; of
    the most usual row where neither is given."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    prediction_id: UUID | None = None
    record: Mapping[str, Any] | None = None
    level: float = service.LEVEL


@dataclass(frozen=True)
class Levers:
    """What can be moved. ``are_declared``: people said so; else it is every variable but dates."""

    variables: tuple[Variable, ...]
    are_declared: bool


@dataclass(frozen=True)
class WhatIf:
    """``held`` is the record started from, by ``source``; ``record`` is it with the changes.

    ``contributions`` are those to the second answer, one row of them.
    """

    version: ServedVersion
    levers: Levers
    source: str
    held: Mapping[str, Any]
    record: Mapping[str, Any]
    level: float
    before: Answer
    after: Answer
    contributions: Contributions


def levers_of(version: ServedVersion) -> Levers:
    """What can be moved of a version's variables. Raises as :func:`predictor_of` does."""
    remembered = remembered_variables(db.session(), version.machine_id)
    declared = {item.name for item in remembered if item.role == "lever"}
    movable = tuple(
        variable
        for variable in predictor_of(version).variables
        if not variable.is_date and (variable.low is not None or variable.seen)
    )
    said = tuple(variable for variable in movable if variable.name in declared)
    return Levers(said or movable, bool(said))


def ask(caller: Caller, version: ServedVersion, question: Question) -> WhatIf:
    """Answer ``question``; nothing is written.

    Where the version looks at earlier rows, they are taken to have been all alike: the answer is
    what comes out once the machine has run so for long enough. Raises :class:`InvalidInput` with a
    field for each change outside what was run, and :class:`NotFound` for the prediction.
    """
    service.check_level(question.level)
    predictor = predictor_of(version)
    source, held = _held(caller, version, predictor, question)
    levers = levers_of(version)
    changes = _within_reach(levers.variables, question.changes)
    changes = {
        name: value for name, value in changes.items() if not _is_same(value, held.get(name))
    }
    before, after = (_answers(predictor, {**held, **made}, question) for made in ({}, changes))
    record = {**held, **changes}
    rows = _steady(predictor, service.rows_of(predictor, [record])[0])
    return WhatIf(
        version=version,
        levers=levers,
        source=source,
        held=held,
        record=record,
        level=question.level,
        before=before,
        after=after,
        contributions=predictor.explain(rows, is_last_alone=True),
    )


def keep(caller: Caller, version: ServedVersion, question: Question) -> UUID:
    """Put the changed row's prediction into the history; its id.

    Raises as :func:`ask` does, and :class:`Conflict` where the version looks at earlier rows.
    """
    if predictor_of(version).reference.reach:
        raise Conflict(
            N_(
                "This version looks at earlier rows too, so the answer is not of one row and "
                "cannot be kept."
            )
        )
    record = ask(caller, version, question).record
    made = service.predict(caller, version, [record], service.Ask("page", question.level))
    kept: UUID = made.rows[0]["id"]
    return kept


def _held(
    caller: Caller, version: ServedVersion, predictor: Predictor, question: Question
) -> tuple[str, Mapping[str, Any]]:
    from prodapp.ml.serving.typical import typical_row
    from prodapp.ml.serving.variables import record_of

    if question.record is not None:
        return GIVEN, question.record
    if question.prediction_id is None:
        return TYPICAL, record_of(predictor.variables, typical_row(predictor.reference))
    found = history.prediction_of(caller, question.prediction_id)
    if found.machine_id != version.machine_id:
        raise NotFound(N_("There is no prediction %(id)s."), id=found.id)
    # It may be of another version: what this one takes is held, what that lacked is not known.
    return PREDICTION, {v.name: found.inputs.get(v.name) for v in predictor.variables}


def _answers(predictor: Predictor, record: Mapping[str, Any], question: Question) -> Answer:
    row = service.rows_of(predictor, [record])[0]
    return predictor.answer(_steady(predictor, row), level=question.level)[-1]


def _steady(predictor: Predictor, row: Row) -> list[Row]:
    """The row, after as many like it as the version looks back at."""
    return [row] * (predictor.reference.reach + 1)


def _within_reach(levers: Sequence[Variable], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, each within the values that were run. Raises :class:`InvalidInput`."""
    by_name = {variable.name: variable for variable in levers}
    made: dict[str, Any] = {}
    errors = []
    for name, value in changes.items():
        lever = by_name.get(name)
        if lever is None:
            params = {"variable": name, "known": _listed(list(by_name))}
            errors.append(FieldError(_pointer(name), NO_LEVER, params))
            continue
        made[name], error = _checked(lever, value)
        errors += [] if error is None else [error]
    if errors:
        raise InvalidInput(service.WRONG_INPUTS, fields=tuple(errors))
    return made


def _checked(lever: Variable, value: Any) -> tuple[Any, FieldError | None]:
    if not lever.is_number:
        params = {"variable": lever.name, "value": str(value)[:60], "known": _listed(lever.seen)}
        is_seen = isinstance(value, str) and value in lever.seen
        return value, None if is_seen else FieldError(_pointer(lever.name), NO_SUCH_LEVEL, params)
    low, high = lever.low or 0.0, lever.high or 0.0
    slack = _ROUNDED * max(abs(low), abs(high))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and low - slack <= value <= high + slack:
        return min(max(float(value), low), high), None
    shown: Any = value if is_number else str(value)[:60]
    told = {"variable": lever.name, "value": shown, "low": low, "high": high}
    return value, FieldError(_pointer(lever.name), NEVER_RUN, told)


def _is_same(value: Any, held: Any) -> bool:
    """Whether a value that was sent is the one held, as it was shown."""
    if isinstance(value, float) and isinstance(held, int | float):
        return abs(value - held) <= _ROUNDED * abs(held)
    return bool(value == held)


def _pointer(name: str) -> str:
    return "/changes/" + name.replace("~", "~0").replace("/", "~1")


def _listed(names: Sequence[str]) -> str:
    from prodapp.ml.serving.variables import listed

    return listed(names)
