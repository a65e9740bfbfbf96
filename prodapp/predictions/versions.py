"""Which version answers: the one in use of a machine, or one that is named.

Only the columns that an answer needs are read; a version's evidence is large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from prodapp.auth.objects import MAX_ID, machine_of
from prodapp.caller import Caller
from prodapp.champions import in_use, not_trained
from prodapp.exceptions import N_, NotFound
from prodapp.extensions import db, recently
from prodapp.models import Machine, ModelVersion


@dataclass(frozen=True)
class ServedVersion:
    """What an answer tells of the version that it came from, and where its file is."""

    id: int
    number: int
    site_id: int
    machine_id: int
    machine_name: str
    target: str
    artifact_key: str
    is_champion: bool


_COLUMNS: tuple[Any, ...] = (
    ModelVersion.id,
    ModelVersion.number,
    ModelVersion.site_id,
    ModelVersion.machine_id,
    Machine.name,
    ModelVersion.target,
    ModelVersion.artifact_key,
    ModelVersion.is_champion,
)


def version_in_use(caller: Caller, machine_id: int) -> ServedVersion:
    """The version in use of a machine. Raises :class:`NotFound`, and :class:`Conflict` where
    there is none yet."""
    key = ("version in use", caller.site_id, machine_id)
    found = recently().get(key, lambda: _version_in_use(caller, machine_id))
    if found is None:
        machine_of(caller, machine_id)
        raise not_trained()
    return found


def named_version(caller: Caller, version_id: int) -> ServedVersion:
    """A version by its id. Raises :class:`NotFound`."""
    wanted = ModelVersion.id == version_id
    found = _one(_statement(caller).where(wanted)) if 0 < version_id <= MAX_ID else None
    if found is None:
        raise NotFound(N_("There is no model version %(id)s."), id=version_id)
    return found


def _version_in_use(caller: Caller, machine_id: int) -> ServedVersion | None:
    if not 0 < machine_id <= MAX_ID:
        return None
    return _one(_statement(caller).where(in_use(machine_id)))


def _statement(caller: Caller) -> Select[Any]:
    statement: Select[Any] = select(*_COLUMNS).join(ModelVersion.machine)
    return statement.where(ModelVersion.site_id == caller.site_id, Machine.deleted_at.is_(None))


def _one(statement: Select[Any]) -> ServedVersion | None:
    row = db.session.execute(statement).first()
    return None if row is None else ServedVersion(*row)
