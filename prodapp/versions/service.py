"""The verbs of versions: bring into use, roll back, archive, note."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session, defer

from prodapp import audit
from prodapp.artifacts import bytes_of, checked_bytes, open_artifact, signature_of
from prodapp.auth.objects import hold_machine, machine_of, version_of
from prodapp.caller import Caller
from prodapp.champions import champion_of, changes, crown, former
from prodapp.config import PROMOTIONS
from prodapp.exceptions import (
    Conflict,
    DataRefused,
    DomainError,
    FieldError,
    InvalidInput,
    N_,
    NotFound,
)
from prodapp.extensions import command, db
from prodapp.models import ChampionChange, ChangeKind, Machine, ModelVersion, TrainingRun
from prodapp.models.types import db_now
from prodapp.training import service as training

MAX_REASON: Final = 500
MAX_NOTES: Final = 4000
# NUL is refused by PostgreSQL, lone surrogates by every encoder.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Signed:
    """Ids of versions whose model file was signed, and of those where it was not, with why."""

    signed: tuple[int, ...]
    refused: tuple[tuple[int, DomainError], ...]


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


def train_again(caller: Caller, version_id: int) -> TrainingRun:
    """Start a run with the data, rows left out and specification of a version.

    Raises :class:`NotFound` where there is no such version, or its data set is gone.
    """
    return training.retry_run(caller, version_of(caller, version_id).run_id)


def check_artifact(caller: Caller, version_id: int) -> ModelVersion:
    """Open the model file of a version. Raises as :func:`prodapp.artifacts.open_artifact` does."""
    version = version_of(caller, version_id)
    open_artifact(version)
    return version


def sign(caller: Caller, *, takes_unsigned: bool, takes_forged: bool) -> Signed:
    """Sign the model files of all versions with the present key, each after its bytes were checked.

    Those signed by the key before are taken over; files without a signature, and those whose
    signature does not fit, only where the administrator vouches for them.
    """
    signed, refused = [], []
    statement = (
        select(ModelVersion)
        .join(ModelVersion.machine)
        .where(Machine.deleted_at.is_(None))
        .order_by(ModelVersion.id)
        .options(defer(ModelVersion.evidence))
    )
    for version in db.session.scalars(statement).all():
        fresh = signature_of(version.run_id, version.artifact_key)
        if version.artifact_signature == fresh:
            continue
        is_vouched_for = takes_forged if version.artifact_signature else takes_unsigned
        try:
            if is_vouched_for:
                bytes_of(version)
            else:
                checked_bytes(version)
        except (DataRefused, NotFound) as error:
            refused.append((version.id, error))
            continue
        with command() as session:
            version.artifact_signature = fresh
            audit.record(session, caller, "version.signed", f"version:{version.id}")
        signed.append(version.id)
    return Signed(tuple(signed), tuple(refused))


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
