"""Results as they were published. Rows are read here, nothing is computed again."""

from __future__ import annotations

from typing import Final, Unpack

from sqlalchemy import select

from prodapp.auth.objects import machine_of, version_of
from prodapp.caller import Caller
from prodapp.champions import champion_of
from prodapp.exceptions import N_, NotFound
from prodapp.extensions import db
from prodapp.listing import Order, Sorts, listed
from prodapp.models import Machine, ModelVersion, TrainingRun
from prodapp.pagination import Page

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "created_at": ModelVersion.id,
    "number": ModelVersion.number,
    "target": ModelVersion.target,
}


def champion(caller: Caller, machine_id: int) -> ModelVersion:
    """The version in use, with its ranking. Raises :class:`NotFound`, :class:`Conflict`."""
    return champion_of(machine_of(caller, machine_id).id)


def get_version(caller: Caller, version_id: int) -> ModelVersion:
    """A version with its ranking. Raises :class:`NotFound`."""
    return version_of(caller, version_id)


def version_of_run(run: TrainingRun) -> ModelVersion:
    """What a run published. Raises :class:`NotFound` while there is nothing."""
    version = db.session.scalar(select(ModelVersion).where(ModelVersion.run_id == run.id))
    if version is None:
        raise NotFound(N_("The run %(id)s has published no version."), id=run.id)
    return version


def list_versions(
    caller: Caller,
    *,
    machine_id: int | None = None,
    archived: bool | None = False,
    **order: Unpack[Order],
) -> Page[ModelVersion]:
    """Versions, newest first; the archived ones alone, or none of them, or (``None``) all."""
    statement = (
        select(ModelVersion)
        .join(ModelVersion.machine)
        .where(ModelVersion.site_id == caller.site_id, Machine.deleted_at.is_(None))
    )
    if machine_id is not None:
        statement = statement.where(ModelVersion.machine_id == machine_of(caller, machine_id).id)
    if archived is not None:
        is_in_sight = ModelVersion.archived_at.is_(None)
        statement = statement.where(~is_in_sight if archived else is_in_sight)
    return listed(statement, ModelVersion, SORTS, order)
