"""Predictions as they were given: found, counted, compared with what came true, forgotten."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    cast,
    delete,
    func,
    select,
    tuple_,
    update,
)

from prodapp import audit
from prodapp.auth.objects import machine_of
from prodapp.caller import Caller
from prodapp.exceptions import FieldError, InvalidInput, N_, NotFound
from prodapp.extensions import command, db
from prodapp.models import Machine, Prediction
from prodapp.models.types import db_now
from prodapp.predictions.versions import named_version

PAGE_SIZE: Final = 50
MAX_EXPORTED: Final = 100_000
MAX_ACTUALS: Final = 100_000
_BATCH: Final = 1_000
_FORGOTTEN_AT_ONCE: Final = 5_000
DAY: Final = 86_400.0

SORTS: Final[Mapping[str, Any]] = {
    "occurred_at": Prediction.occurred_at,
    "output": Prediction.output,
    "duration_ms": Prediction.duration_ms,
}


@dataclass(frozen=True)
class Wanted:
    """Which predictions. ``since`` is in, ``until`` is not; ``sort`` is a name of :data:`SORTS`,
    with a minus before it for the largest first. ``None`` and "" ask for all."""

    machine_id: int | None = None
    version_id: int | None = None
    actor: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_new: bool | None = None
    has_actual: bool | None = None
    sort: str = "-occurred_at"


@dataclass(frozen=True)
class HistoryPage:
    """``next_cursor`` leads to the page after this one, where there is one."""

    items: Sequence[Prediction]
    next_cursor: str | None


@dataclass(frozen=True)
class Usage:
    """How often a version or machine was asked; ``last_at`` is when it was last."""

    n_predictions: int
    n_new: int
    n_actuals: int
    mean_abs_error: float | None
    mean_duration_ms: float | None
    last_at: datetime | None


def page_of(
    caller: Caller, wanted: Wanted, *, cursor: str | None = None, page_size: int = PAGE_SIZE
) -> HistoryPage:
    """A page of the history, which is never counted.

    Raises :class:`NotFound` for a machine or version that is not there, and
    :class:`InvalidInput` for a cursor that no page gave.
    """
    column, is_falling = _order(wanted.sort)
    key = tuple_(column, Prediction.id)
    statement = _found(caller, wanted)
    order = (column.desc(), Prediction.id.desc()) if is_falling else (column, Prediction.id)
    statement = statement.order_by(*order)
    if cursor:
        place = tuple_(*_place_of(cursor, is_time=column is SORTS["occurred_at"]))
        statement = statement.where(key < place if is_falling else key > place)
    rows = db.session.scalars(statement.limit(page_size + 1)).all()
    items = rows[:page_size]
    return HistoryPage(items, _cursor_of(items[-1], column) if len(rows) > page_size else None)


def all_of(caller: Caller, wanted: Wanted) -> Iterator[Prediction]:
    """The predictions up to :data:`MAX_EXPORTED`, read in parts."""
    cursor: str | None = None
    for _ in range(MAX_EXPORTED // _BATCH):
        page = page_of(caller, wanted, cursor=cursor, page_size=_BATCH)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def prediction_of(caller: Caller, prediction_id: UUID) -> Prediction:
    """One prediction. Raises :class:`NotFound`."""
    row = db.session.scalar(
        select(Prediction)
        .join(Machine, Machine.id == Prediction.machine_id)
        .where(
            Prediction.id == prediction_id,
            Prediction.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )
    if row is None:
        raise NotFound(N_("There is no prediction %(id)s."), id=prediction_id)
    return row


def record_actual(caller: Caller, prediction_id: UUID, value: float | None) -> Prediction:
    """Tell the true value of what was predicted; ``None`` takes it back.

    Raises :class:`NotFound`, and :class:`InvalidInput` for a value that is no number.
    """
    prediction = prediction_of(caller, prediction_id)
    if value is not None and not math.isfinite(value):
        message = N_("The true value must be a number.")
        raise InvalidInput(message, fields=(FieldError("/value", message),))
    with command() as session:
        before = prediction.actual
        session.execute(
            update(Prediction)
            .where(Prediction.id == prediction_id, Prediction.occurred_at == prediction.occurred_at)
            .values(
                actual=value,
                actual_at=None if value is None else db_now(),
                actual_by=None if value is None else caller.name,
            )
            .execution_options(synchronize_session=False)
        )
        audit.record(
            session,
            caller,
            "prediction.actual",
            f"prediction:{prediction_id}",
            before={"actual": before},
            after={"actual": value},
        )
    db.session.refresh(prediction)
    return prediction


def record_actuals(caller: Caller, machine_id: int, values: Mapping[UUID, float]) -> int:
    """Tell many true values of a machine's predictions; returns how many predictions there were.

    Raises :class:`NotFound`, and :class:`InvalidInput` for too many or none at all.
    """
    machine = machine_of(caller, machine_id)
    if not 1 <= len(values) <= MAX_ACTUALS:
        message = N_("Give between 1 and %(max)s true values.")
        raise InvalidInput(message, max=MAX_ACTUALS)
    table = Prediction.__table__
    statement = (
        update(Prediction)
        .where(table.c.id == bindparam("p_id"), table.c.machine_id == machine.id)
        .values(actual=bindparam("p_actual"), actual_at=db_now(), actual_by=caller.name)
    )
    pairs = [{"p_id": prediction_id, "p_actual": value} for prediction_id, value in values.items()]
    with command() as session:
        ids = list(values)
        n_known = 0
        for start in range(0, len(ids), _BATCH):
            among = Prediction.id.in_(ids[start : start + _BATCH])
            n_known += (
                session.scalar(
                    select(func.count()).where(among, Prediction.machine_id == machine.id)
                )
                or 0
            )
        session.connection().execute(statement, pairs)
        audit.record(
            session,
            caller,
            "prediction.actuals",
            f"machine:{machine.id}",
            after={"n": n_known},
        )
    return n_known


def usage_of(caller: Caller, wanted: Wanted) -> Usage:
    """How often, how surprisingly and how well."""
    found = _found(caller, wanted).subquery()
    counted = func.count().label("n")
    row = db.session.execute(
        select(
            counted,
            func.sum(cast(found.c.is_new, Integer)),
            func.count(found.c.actual),
            func.avg(func.abs(found.c.actual - found.c.output)),
            func.avg(found.c.duration_ms),
            func.max(found.c.occurred_at),
        )
    ).one()
    return Usage(row[0], row[1] or 0, row[2], row[3], row[4], row[5])


def forget_old(days: int) -> int:
    """Delete predictions older than ``days`` (0: none are), some at a time; returns how many."""
    if days == 0:
        return 0
    old = (
        select(Prediction.id)
        .where(Prediction.occurred_at < db_now(-days * DAY))
        .limit(_FORGOTTEN_AT_ONCE)
    )
    ids = db.session.scalars(old).all()
    if not ids:
        return 0
    with command() as session:
        session.execute(
            delete(Prediction)
            .where(Prediction.id.in_(ids))
            .execution_options(synchronize_session=False)
        )
    return len(ids)


def _found(caller: Caller, wanted: Wanted) -> Select[Prediction]:
    statement = (
        select(Prediction)
        .join(Machine, Machine.id == Prediction.machine_id)
        .where(Prediction.site_id == caller.site_id, Machine.deleted_at.is_(None))
    )
    conditions: list[ColumnElement[bool]] = []
    if wanted.machine_id is not None:
        machine_id = machine_of(caller, wanted.machine_id).id
        conditions.append(Prediction.machine_id == machine_id)
    if wanted.version_id is not None:
        version_id = named_version(caller, wanted.version_id).id
        conditions.append(Prediction.version_id == version_id)
    if wanted.actor:
        conditions.append(Prediction.actor == wanted.actor)
    if wanted.request_id:
        conditions.append(Prediction.request_id == wanted.request_id)
    if wanted.since is not None:
        conditions.append(Prediction.occurred_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Prediction.occurred_at < wanted.until)
    if wanted.is_new is not None:
        conditions.append(Prediction.is_new.is_(wanted.is_new))
    if wanted.has_actual is not None:
        told = Prediction.actual.is_not(None)
        conditions.append(told if wanted.has_actual else ~told)
    return statement.where(*conditions)


def _order(sort: str) -> tuple[Any, bool]:
    return SORTS[sort.removeprefix("-")], sort.startswith("-")


def _cursor_of(row: Prediction, column: Any) -> str:
    value = getattr(row, column.key)
    text = json.dumps([value.isoformat() if isinstance(value, datetime) else value, str(row.id)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place_of(cursor: str, *, is_time: bool) -> tuple[Any, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        value, row_id = json.loads(text)
        moment = datetime.fromisoformat(value).astimezone(UTC) if is_time else float(value)
        return moment, UUID(row_id)
    except (binascii.Error, ValueError, TypeError, AttributeError, OverflowError) as error:
        message = N_("This cursor leads nowhere. Begin with the first page.")
        raise InvalidInput(message, fields=(FieldError("/cursor", message),)) from error
