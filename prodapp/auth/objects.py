"""Loading an object for a caller: what one may not see looks missing."""

from __future__ import annotations

from sqlalchemy import select

from prodapp.caller import Caller
from prodapp.exceptions import N_, NotFound
from prodapp.extensions import db
from prodapp.models import Dataset, Machine, ModelVersion, TrainingRun


def machine_of(caller: Caller, machine_id: int) -> Machine:
    """The machine of that id. Raises :class:`NotFound`."""
    machine = db.session.scalar(
        select(Machine).where(
            Machine.id == machine_id,
            Machine.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )
    if machine is None:
        raise NotFound(N_("There is no machine %(id)s."), id=machine_id)
    return machine


def dataset_of(caller: Caller, dataset_id: int) -> Dataset:
    """The data set of that id. Raises :class:`NotFound`."""
    dataset = db.session.scalar(
        select(Dataset).where(
            Dataset.id == dataset_id,
            Dataset.site_id == caller.site_id,
            Dataset.deleted_at.is_(None),
        )
    )
    if dataset is None:
        raise NotFound(N_("There is no data set %(id)s."), id=dataset_id)
    return dataset


def run_of(caller: Caller, run_id: int) -> TrainingRun:
    """The training run of that id. Raises :class:`NotFound`."""
    run = db.session.scalar(
        select(TrainingRun)
        .join(TrainingRun.machine)
        .where(
            TrainingRun.id == run_id,
            TrainingRun.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )
    if run is None:
        raise NotFound(N_("There is no training run %(id)s."), id=run_id)
    return run


def version_of(caller: Caller, version_id: int) -> ModelVersion:
    """The model version of that id. Raises :class:`NotFound`."""
    version = db.session.scalar(
        select(ModelVersion)
        .join(ModelVersion.machine)
        .where(
            ModelVersion.id == version_id,
            ModelVersion.site_id == caller.site_id,
            Machine.deleted_at.is_(None),
        )
    )
    if version is None:
        raise NotFound(N_("There is no model version %(id)s."), id=version_id)
    return version
