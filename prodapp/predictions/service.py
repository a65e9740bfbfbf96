"""Predict: records in, answers out, each kept in the history before it is given."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from uuid6 import uuid7

from prodapp.caller import Caller
from prodapp.exceptions import Conflict, FieldError, InvalidInput, N_
from prodapp.extensions import command, db
from prodapp.models import Prediction
from prodapp.predictions.predictors import predictor_of
from prodapp.predictions.recorder import recorder
from prodapp.predictions.versions import ServedVersion
from prodapp.rest.repeats import MAX_KEY

if TYPE_CHECKING:
    from prodapp.ml.serving.contributions import Contributions
    from prodapp.ml.serving.predictor import Answer, Predictor

LEVEL: Final = 0.9
LOWEST_LEVEL, HIGHEST_LEVEL = 0.5, 0.99
MAX_RECORDS: Final = 10_000
#: Each row of these takes a good part of a second, so that a file of them is what batches are for.
MAX_EXPLAINED: Final = 100
_SHOWN_ERRORS: Final = 100

WRONG_INPUTS = N_("Some inputs are missing or wrong.")


@dataclass(frozen=True)
class Made:
    """Predictions just made, as rows of the history, and what else was asked for."""

    version: ServedVersion
    rows: Sequence[Mapping[str, Any]]
    contributions: Contributions | None
    names: Sequence[str]


@dataclass(frozen=True)
class Ask:
    """How to answer: ``level`` of the intervals, ``key`` the caller's Idempotency-Key."""

    channel: str
    level: float = LEVEL
    contributions: bool = False
    key: str | None = None


def predict(
    caller: Caller, version: ServedVersion, records: Sequence[Mapping[str, Any]], ask: Ask
) -> Made:
    """Answer ``records`` and keep the answers.

    Raises :class:`InvalidInput` with a field for each input that is missing, unknown or
    impossible, and :class:`Conflict` where the version cannot predict or the key was used for
    something else.
    """
    started = time.perf_counter()
    check_level(ask.level)
    _check_number(records, MAX_EXPLAINED if ask.contributions else MAX_RECORDS)
    predictor = predictor_of(version)
    rows = rows_of(predictor, records)
    digest = None if ask.key is None else _digest(version, records, ask)
    kept = None if ask.key is None else _kept(caller, ask.key, digest)
    if kept is None:
        answers = predictor.answer(rows, level=ask.level)
        pace = 1000 * (time.perf_counter() - started) / len(rows)
        made = [
            _history_row(caller, version, record, answer, ask, position=position)
            | {
                "duration_ms": pace,
                "body_hash": digest,
                "details": _details(answer, predictor.reference.target_class),
            }
            for position, (record, answer) in enumerate(zip(records, answers, strict=True))
        ]
        kept = _keep(caller, made, ask, digest)
    return Made(
        version=version,
        rows=kept,
        contributions=predictor.explain(rows) if ask.contributions else None,
        names=[variable.name for variable in predictor.variables],
    )


def rows_of(predictor: Predictor, records: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The values of records. Raises :class:`InvalidInput` with a field for each wrong one."""
    from prodapp.ml.serving.variables import row_of

    rows, errors = [], []
    for place, record in enumerate(records):
        pointer = "/record" if len(records) == 1 else f"/records/{place}"
        row, wrong = row_of(predictor.variables, record, pointer=pointer)
        rows.append(row)
        errors += wrong
        if len(errors) >= _SHOWN_ERRORS:
            break
    if errors:
        raise InvalidInput(WRONG_INPUTS, fields=tuple(errors[:_SHOWN_ERRORS]))
    return rows


def check_level(level: float) -> None:
    """Raises :class:`InvalidInput` for a level that intervals cannot have."""
    if not LOWEST_LEVEL <= level <= HIGHEST_LEVEL:
        message = N_("Give a level between %(low)s and %(high)s.")
        params = {"low": LOWEST_LEVEL, "high": HIGHEST_LEVEL}
        field = FieldError("/level", message, params)
        raise InvalidInput(message, fields=(field,), low=LOWEST_LEVEL, high=HIGHEST_LEVEL)


def _check_number(records: Sequence[Any], limit: int) -> None:
    if not 1 <= len(records) <= limit:
        message = N_("Give between 1 and %(max)s records; for more send a file as a batch.")
        field = FieldError("/records", message, {"max": limit})
        raise InvalidInput(message, fields=(field,), max=limit)


def _history_row(
    caller: Caller,
    version: ServedVersion,
    record: Mapping[str, Any],
    answer: Answer,
    ask: Ask,
    *,
    position: int,
) -> dict[str, Any]:
    return {
        "occurred_at": datetime.now(UTC),
        "id": uuid7(),
        "site_id": caller.site_id,
        "machine_id": version.machine_id,
        "version_id": version.id,
        "user_id": caller.user_id,
        "actor": caller.name,
        "channel": ask.channel,
        "request_id": caller.request_id,
        "request_key": ask.key,
        "position": position,
        "inputs": dict(record),
        "output": answer.value,
        "low": answer.low,
        "high": answer.high,
        "level": ask.level,
        "is_new": bool(answer.surprises),
    }


def _details(answer: Answer, target_class: str | None) -> dict[str, Any]:
    details: dict[str, Any] = {} if target_class is None else {"class": target_class}
    if answer.surprises:
        details["surprises"] = [
            {name: value for name, value in asdict(item).items() if value is not None}
            for item in answer.surprises
        ]
    if answer.possible is not None:
        details["possible"] = list(answer.possible)
    if answer.classes is not None:
        details["classes"] = [asdict(share) for share in answer.classes]
    return details


def _keep(
    caller: Caller, rows: list[dict[str, Any]], ask: Ask, digest: str | None
) -> Sequence[Mapping[str, Any]]:
    if ask.key is None:
        recorder().keep(rows)
        return rows
    # By themselves: what another request has kept under the same key must fail no third one's.
    try:
        with command() as session:
            session.execute(insert(Prediction), rows)
    except IntegrityError:
        return _kept(caller, ask.key, digest) or rows
    return rows


def _kept(caller: Caller, key: str, digest: str | None) -> Sequence[Mapping[str, Any]] | None:
    """What was answered under this key, ``None`` at its first use."""
    if not key.isprintable() or not 1 <= len(key) <= MAX_KEY:
        message = N_("An Idempotency-Key has from 1 to %(max)s printable characters.")
        raise InvalidInput(message, max=MAX_KEY)
    found = db.session.scalars(
        select(Prediction)
        .where(Prediction.site_id == caller.site_id, Prediction.request_key == key)
        .order_by(Prediction.position)
    ).all()
    if not found:
        return None
    if found[0].body_hash != digest or found[0].user_id != caller.user_id:
        raise Conflict(
            N_("This Idempotency-Key was used for another request."), code="idempotency_conflict"
        )
    names = [column.name for column in Prediction.__table__.columns]
    return [{name: getattr(row, name) for name in names} for row in found]


def _digest(version: ServedVersion, records: Sequence[Mapping[str, Any]], ask: Ask) -> str:
    text = json.dumps([version.machine_id, list(records), ask.level], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
