"""The verbs of accepted alarms: a person who knows the machine says why one may stand."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Update, select, update

from prodapp import audit
from prodapp.auth.objects import hold_machine, version_of
from prodapp.caller import Caller
from prodapp.exceptions import FieldError, InvalidInput, N_, NotFound
from prodapp.extensions import command
from prodapp.models import AlarmAcceptance, ModelVersion
from prodapp.ranking.alarms import Alarm, alarms

MAX_REASON = 1000


def accept_alarm(caller: Caller, version_id: int, key: str, *, reason: str) -> ModelVersion:
    """Keep that the alarm is known, and why it may stand; in place of a reason given before.

    Raises :class:`NotFound`, and :class:`InvalidInput` without a reason.
    """
    version = version_of(caller, version_id)
    alarm = _alarm_of(version, key)
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON:
        message = N_("Give a reason of at most %(limit)d characters.")
        field = FieldError("/reason", message, {"limit": MAX_REASON})
        raise InvalidInput(message, fields=(field,), limit=MAX_REASON)
    with command() as session:
        hold_machine(session, version.machine_id, is_alone=True)
        session.execute(_taking_back(version.machine_id, key))
        session.add(
            AlarmAcceptance(
                site_id=version.site_id,
                machine_id=version.machine_id,
                alarm_key=key,
                code=alarm.code,
                reason=reason,
                accepted_by_id=caller.user_id,
                accepted_by=caller.name,
            )
        )
        after = {"alarm": alarm.code, "variables": list(alarm.features), "reason": reason}
        audit.record(session, caller, "alarm.accepted", f"version:{version.id}", after=after)
    return version


def take_back(caller: Caller, version_id: int, key: str) -> ModelVersion:
    """Let an accepted alarm count again; nothing to do where it does. Raises :class:`NotFound`."""
    version = version_of(caller, version_id)
    alarm = _alarm_of(version, key)
    with command() as session:
        hold_machine(session, version.machine_id, is_alone=True)
        holding = session.scalar(select(AlarmAcceptance).where(*_holding(version.machine_id, key)))
        if holding is not None:
            before = {"alarm": alarm.code, "reason": holding.reason}
            session.execute(_taking_back(version.machine_id, key))
            subject = f"version:{version.id}"
            audit.record(session, caller, "alarm.taken_back", subject, before=before)
    return version


def _alarm_of(version: ModelVersion, key: str) -> Alarm:
    found = next((alarm for alarm in alarms(version) if alarm.key == key), None)
    if found is None:
        message = N_("The version %(id)s has no alarm “%(key)s”.")
        raise NotFound(message, id=version.id, key=key[:40])
    return found


def _holding(machine_id: int, key: str) -> tuple[ColumnElement[bool], ...]:
    return (
        AlarmAcceptance.machine_id == machine_id,
        AlarmAcceptance.alarm_key == key,
        AlarmAcceptance.taken_back_at.is_(None),
    )


def _taking_back(machine_id: int, key: str) -> Update:
    now = datetime.now(UTC)
    return update(AlarmAcceptance).where(*_holding(machine_id, key)).values(taken_back_at=now)
