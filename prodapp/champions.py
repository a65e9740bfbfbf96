"""The version of a machine that is in use, its champion, and how it came to be."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, defer, selectinload

from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_
from prodapp.extensions import db, settings_of
from prodapp.happenings import Happening, tell
from prodapp.models import ChampionChange, ChangeKind, Machine, ModelVersion


def in_use(machine_id: int) -> ColumnElement[bool]:
    """What is true of the one version of a machine that is in use."""
    return (ModelVersion.machine_id == machine_id) & ModelVersion.is_champion.is_(True)


def not_trained() -> Conflict:
    """The error of a machine that has no version yet."""
    return Conflict(N_("This machine has not been trained yet."), code="not_trained")


def champion_or_none(machine_id: int) -> ModelVersion | None:
    """The version in use of a machine that the caller may see, with its ranking."""
    return db.session.scalar(
        select(ModelVersion).where(in_use(machine_id)).options(selectinload(ModelVersion.ranking))
    )


def champion_of(machine_id: int) -> ModelVersion:
    """As :func:`champion_or_none`. Raises :class:`Conflict` before there is one."""
    version = champion_or_none(machine_id)
    if version is None:
        raise not_trained()
    return version


def rule_of(machine: Machine) -> str:
    """When a new version of a machine comes into use by itself: ``newest``, ``better`` or
    ``manual``."""
    return machine.promotion or settings_of(current_app).promotion


def crown(
    session: Session, version: ModelVersion, kind: ChangeKind, caller: Caller, *, reason: str = ""
) -> None:
    """Bring a version into use in place of the one before, inside a command that holds the
    machine's row alone."""
    session.execute(
        update(ModelVersion).where(in_use(version.machine_id)).values(is_champion=False)
    )
    session.execute(
        update(ModelVersion).where(ModelVersion.id == version.id).values(is_champion=True)
    )
    session.add(
        ChampionChange(
            machine_id=version.machine_id,
            version_id=version.id,
            kind=kind,
            reason=reason,
            changed_by=caller.name,
            user_id=caller.user_id,
        )
    )
    tell(
        session,
        Happening.VERSION_PROMOTED,
        machine_id=version.machine_id,
        subject=f"version:{version.id}",
        data={
            "version_id": version.id,
            "version": version.number,
            "target": version.target,
            "kind": kind,
            "reason": reason,
            "changed_by": caller.name,
        },
    )


def changes(session: Session, machine_id: int) -> Sequence[ChampionChange]:
    """Every change of a machine's version in use, the first one first."""
    return session.scalars(
        select(ChampionChange)
        .where(ChampionChange.machine_id == machine_id)
        .order_by(ChampionChange.id)
        .options(selectinload(ChampionChange.version).options(defer(ModelVersion.evidence)))
    ).all()


def former(history: Sequence[ChampionChange], champion_id: int) -> ModelVersion | None:
    """The version to roll back to from ``champion_id``: the last one in use before it that is not
    archived.

    Going back undoes: what was in use after the version gone back to is forgotten, so that going
    back twice leads two steps back and not to and fro.
    """
    stack: list[ModelVersion] = []
    for change in history:
        if change.version in stack:
            if change.kind == ChangeKind.ROLLED_BACK:
                del stack[stack.index(change.version) :]
            else:
                stack.remove(change.version)
        stack.append(change.version)
    earlier = [v for v in stack if v.id != champion_id and v.archived_at is None]
    return earlier[-1] if earlier else None
