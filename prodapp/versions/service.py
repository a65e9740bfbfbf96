"""The verbs of versions: bring into use, roll back, archive, note."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from prodapp import audit
from prodapp.auth.objects import hold_machine, machine_of, version_of
from prodapp.caller import Caller
from prodapp.champions import champion_of, changes, crown, former
from prodapp.config import PROMOTIONS
from prodapp.exceptions import Conflict, FieldError, InvalidInput, N_
from prodapp.extensions import command, db
from prodapp.models import ChampionChange, ChangeKind, Machine, ModelVersion
from prodapp.models.types import db_now

MAX_REASON: Final = 500
MAX_NOTES: Final = 4000
# NUL is refused by PostgreSQL, lone surrogates by every encoder.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def promote(caller: Caller, version_id: int, *, reason: str = "") -> ModelVersion:
    """Bring a version into use.

    Raises :class:`NotFound`, :class:`InvalidInput` (reason too long) and :class:`Conflict` where it
    is in use already or archived.
    """
    version = version_of(caller, version_id)
    reason = _checked(reason, MAX_REASON, "/reason")
    with command() as session:
        _hold(session, version)
        if version.is_champion:
            raise Conflict(N_("This version is in use already."), code="in_use")
        if version.archived_at is not None:
            raise Conflict(
                N_("This version is archived. Take it out of the archive first."), code="archived"
            )
        _crown(session, caller, version, ChangeKind.PROMOTED, reason)
    return version


def roll_back(caller: Caller, machine_id: int, *, reason: str = "") -> ModelVersion:
    """Bring the version back into use that was before the present one; returns it.

    Raises :class:`NotFound`, :class:`InvalidInput`, and :class:`Conflict` where there is none that
    is not archived.
    """
    machine = machine_of(caller, machine_id)
    reason = _checked(reason, MAX_REASON, "/reason")
    with command() as session:
        hold_machine(session, machine.id, is_alone=True)
        champion = champion_of(machine.id)
        version = former(changes(session, machine.id), champion.id)
        if version is None:
            raise Conflict(
                N_("There is no earlier version in use to go back to."), code="no_former"
            )
        _crown(session, caller, version, ChangeKind.ROLLED_BACK, reason)
    return version


def set_archived(caller: Caller, version_id: int, *, is_archived: bool) -> ModelVersion:
    """Take a version out of sight, or back. Twice is once.

    Raises :class:`NotFound`, and :class:`Conflict` where it is the one in use.
    """
    version = version_of(caller, version_id)
    with command() as session:
        _hold(session, version)
        if is_archived and version.is_champion:
            raise Conflict(
                N_("This version is in use. Bring another one into use before you archive it."),
                code="in_use",
            )
        if (version.archived_at is not None) == is_archived:
            return version
        session.execute(
            update(ModelVersion)
            .where(ModelVersion.id == version.id)
            .values(archived_at=db_now() if is_archived else None)
            .execution_options(synchronize_session=False)
        )
        act = "version.archived" if is_archived else "version.unarchived"
        audit.record(session, caller, act, f"version:{version.id}")
    db.session.refresh(version)
    return version


def set_notes(caller: Caller, version_id: int, *, notes: str) -> ModelVersion:
    """Keep people's own words with a version, in place of those before.

    Raises :class:`NotFound`, :class:`InvalidInput` (too long).
    """
    version = version_of(caller, version_id)
    text = _checked(notes, MAX_NOTES, "/notes") or None
    with command() as session:
        before, version.notes = version.notes, text
        audit.record(
            session,
            caller,
            "version.noted",
            f"version:{version.id}",
            before={"notes": before},
            after={"notes": text},
        )
    return version


def set_rule(caller: Caller, machine_id: int, *, rule: str | None) -> Machine:
    """Say when a machine's new versions come into use by themselves; ``None``: as the
    installation's setting says. Raises :class:`NotFound`, :class:`InvalidInput`."""
    if rule is not None and rule not in PROMOTIONS:
        message = N_("Use one of %(allowed)s.")
        allowed = ", ".join(PROMOTIONS)
        field = FieldError("/rule", message, {"allowed": allowed})
        raise InvalidInput(message, fields=(field,), allowed=allowed)
    machine = machine_of(caller, machine_id)
    with command() as session:
        before, machine.promotion = machine.promotion, rule
        audit.record(
            session,
            caller,
            "machine.promotion_changed",
            f"machine:{machine.id}",
            before={"rule": before},
            after={"rule": rule},
        )
    return machine


def history(caller: Caller, machine_id: int) -> Sequence[ChampionChange]:
    """Every change of a machine's version in use, the latest first. Raises :class:`NotFound`."""
    return changes(db.session(), machine_of(caller, machine_id).id)[::-1]


def way_back(champion: ModelVersion | None, told: Sequence[ChampionChange]) -> ModelVersion | None:
    """Where rolling back would lead, given :func:`history`."""
    return None if champion is None else former(told[::-1], champion.id)


def _hold(session: Session, version: ModelVersion) -> None:
    """Keep others from changing the machine's version in use, and see its present state."""
    hold_machine(session, version.machine_id, is_alone=True)
    session.refresh(version, ["is_champion", "archived_at"])


def _crown(
    session: Session, caller: Caller, version: ModelVersion, kind: ChangeKind, reason: str
) -> None:
    before = champion_of(version.machine_id)
    crown(session, version, kind, caller, reason=reason)
    audit.record(
        session,
        caller,
        f"version.{kind}",
        f"version:{version.id}",
        before={"version": before.id},
        after={"version": version.id, "reason": reason},
    )


def _checked(text: str, limit: int, pointer: str) -> str:
    # Browsers end the lines of a form with two characters.
    text = text.replace("\r\n", "\n").strip()
    if _UNSTORABLE.search(text):
        message = N_("This text holds a character that cannot be stored.")
        raise InvalidInput(message, fields=(FieldError(pointer, message),))
    if len(text) > limit:
        message = N_("This is longer than %(limit)d characters.")
        field = FieldError(pointer, message, {"limit": limit})
        raise InvalidInput(message, fields=(field,), limit=limit)
    return text
