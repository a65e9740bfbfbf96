"""A draft: a data set that a person looks at, reads otherwise, and confirms before its import."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from prodapp import audit, dispatching
from prodapp.auth.objects import dataset_of, hold_machine
from prodapp.caller import Caller
from prodapp.datasets.assembly import Assembly, check_assembly
from prodapp.datasets.documents import preview_document
from prodapp.datasets.memory import FirstLook, memory_of
from prodapp.datasets.workflow import IMPORTS
from prodapp.exceptions import Conflict, N_
from prodapp.extensions import command, db
from prodapp.ml import intake
from prodapp.models import Dataset, DatasetState, Machine
from prodapp.models.types import db_now
from prodapp.storage import storage
from prodapp.variables import (
    TableSettings,
    check_names,
    merged,
    remembered_variables,
    settings_from,
    write_variables,
)

#: A file that nobody confirms leaves the disk after this time.
DRAFT_DAYS = 30
_SECONDS_A_DAY = 86_400


def expires_at(dataset: Dataset) -> datetime | None:
    """Until when a draft is kept; ``None`` for what is no draft."""
    if dataset.state != DatasetState.DRAFT:
        return None
    return dataset.created_at + timedelta(days=DRAFT_DAYS)


def expire() -> int:
    """Delete the drafts that nobody confirmed in time; returns how many."""
    oldest = db_now(-DRAFT_DAYS * _SECONDS_A_DAY)
    with command() as session:
        expired = session.execute(
            update(Dataset)
            .where(
                Dataset.state == DatasetState.DRAFT,
                Dataset.deleted_at.is_(None),
                Dataset.created_at < oldest,
            )
            .values(deleted_at=db_now())
            .returning(Dataset.id, Dataset.site_id, Dataset.filename, Dataset.source_key)
        ).all()
        for dataset_id, site_id, filename, sha256 in expired:
            system = Caller(site_id=site_id, role="admin", name="system", kind="system")
            before = {"filename": filename, "sha256": sha256}
            audit.record(session, system, "dataset.expired", f"dataset:{dataset_id}", before=before)
    return len(expired)


def reread(
    caller: Caller, dataset_id: int, *, overrides: Mapping[str, str], target: str | None = None
) -> Dataset:
    """Preview a draft anew, by ``overrides`` in place of those it had.

    Columns that give the ``target`` away are looked for, by default those of the remembered one.
    Raises :class:`NotFound`, :class:`Conflict` for a data set that is no draft (any more),
    :class:`InvalidInput` and :class:`DataRefused` for choices by which it cannot be read; the
    draft is as it was then.
    """
    dataset = dataset_of(caller, dataset_id)
    _refuse_unless_draft(dataset)
    with storage().open(dataset.source_key) as source:
        found = intake.preview_and_head(source, filename=dataset.filename, overrides=overrides)
    memory = memory_of(dataset.machine_id)
    look = FirstLook(*found, overrides)
    document = preview_document(look, memory, target=target or memory.target)
    with command() as session:
        _change_draft(session, dataset.id, overrides=dict(overrides), preview=document)
        after = {"overrides": dict(overrides)}
        audit.record(session, caller, "dataset.reread", f"dataset:{dataset.id}", after=after)
    db.session.refresh(dataset)
    return dataset


def confirm(
    caller: Caller,
    dataset_id: int,
    *,
    settings: TableSettings,
    assembly: Assembly | None = None,
) -> Dataset:
    """Send a draft to import, and remember for its machine how it is read and what was said of
    its columns; what ``settings`` do not mention stays as remembered.

    ``assembly`` puts it together with another data set of the machine. Raises :class:`NotFound`,
    :class:`Conflict` for a data set that is no draft (any more), and :class:`InvalidInput` for
    settings of columns that are not there and a data set that cannot be put together with it.
    """
    dataset = dataset_of(caller, dataset_id)
    _refuse_unless_draft(dataset)
    previews = [dataset.preview]
    if assembly is not None:
        previews.insert(0, check_assembly(assembly, dataset).preview)
    names = list(dict.fromkeys(c["name"] for preview in previews for c in preview["columns"]))
    check_names(settings, names)
    with command() as session:
        hold_machine(session, dataset.machine_id, is_alone=True)
        before = settings_from(remembered_variables(session, dataset.machine_id))
        said = merged(before, settings, names=names)
        _change_draft(
            session,
            dataset.id,
            state=DatasetState.QUEUED,
            settings=said.to_json(),
            assembly=None if assembly is None else assembly.to_json(),
        )
        gone = [column.name for column in before.columns if column.name not in names]
        kept = merged(before, said, names=[*names, *gone])
        write_variables(session, dataset.machine_id, kept)
        session.execute(
            update(Machine)
            .where(Machine.id == dataset.machine_id)
            .values(overrides=dataset.overrides)
        )
        after = {"target": said.target}
        audit.record(session, caller, "dataset.confirmed", f"dataset:{dataset.id}", after=after)
    db.session.refresh(dataset)
    dispatching.send(IMPORTS, dataset.id, dataset.attempt)
    return dataset


def _refuse_unless_draft(dataset: Dataset) -> None:
    if dataset.state != DatasetState.DRAFT:
        raise Conflict(
            N_(
                "This data set has been confirmed already, so it cannot be read otherwise any "
                "more. Upload the file again to do that."
            )
        )


def _change_draft(session: Session, dataset_id: int, **values: Any) -> None:
    """Change a row that is still a draft; another tab may have been faster."""
    changed = session.execute(
        update(Dataset)
        .where(
            Dataset.id == dataset_id,
            Dataset.state == DatasetState.DRAFT,
            Dataset.deleted_at.is_(None),
        )
        .values(**values)
        .returning(Dataset.id)
    ).all()
    if not changed:
        raise Conflict(N_("Somebody confirmed or deleted this data set in the meantime."))
