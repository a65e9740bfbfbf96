"""The verbs of data sets: upload, read anew, confirm, delete, list, send to import, take back."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import IO, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from prodapp import audit, claims, queue
from prodapp.auth.objects import dataset_of, hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.datasets import transitions
from prodapp.datasets.assembly import Assembly, check_assembly
from prodapp.datasets.documents import preview_document
from prodapp.datasets.memory import FirstLook, look_at, memory_of
from prodapp.datasets.records import OVERRIDES, records_as_csv
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command, db
from prodapp.ml.intake import Preview, preview_and_head
from prodapp.models import Dataset, DatasetState, Machine, TrainingRun
from prodapp.models.training_run import ACTIVE
from prodapp.models.types import db_now
from prodapp.pagination import DEFAULT_PAGE_SIZE, Page, clamp
from prodapp.storage import storage
from prodapp.variables import (
    TableSettings,
    check_names,
    merged,
    remembered_variables,
    settings_from,
    write_variables,
)

JOB = "prodapp.datasets.jobs.import_dataset"
MAX_FILENAME = 255


def register_dataset(
    caller: Caller,
    *,
    machine_id: int,
    source: IO[bytes],
    filename: str,
    overrides: Mapping[str, str] | None = None,
    check: Callable[[Preview], None] | None = None,
    is_draft: bool = False,
) -> Dataset:
    """Store an uploaded file for a machine, preview its first part, and send it to import.

    A draft waits for :func:`confirm` before it is imported. ``source`` must be seekable; ``check``
    may refuse what the preview shows. Without ``overrides`` it is read as the machine's last
    confirmed file was, where that is possible. Raises :class:`NotFound` and, for a file that
    cannot become a table, :class:`DataRefused` before anything is stored.
    """
    machine = machine_of(caller, machine_id)
    memory = memory_of(machine.id)
    look = look_at(source, filename=filename, overrides=overrides, memory=memory)
    if check is not None:
        check(look.preview)
    source.seek(0)
    stored = storage().put(source)
    with command() as session:
        hold_machine(session, machine.id)
        dataset = Dataset(
            site_id=caller.site_id,
            machine_id=machine.id,
            filename=_display_name(filename),
            size_bytes=stored.size,
            source_key=stored.key,
            state=DatasetState.DRAFT if is_draft else DatasetState.QUEUED,
            preview=preview_document(look, memory, target=memory.target),
            overrides=dict(look.overrides),
            request_id=caller.request_id,
            created_by_id=caller.user_id,
        )
        session.add(dataset)
        session.flush()
        audit.record(
            session,
            caller,
            "dataset.uploaded",
            f"dataset:{dataset.id}",
            after={"machine": machine.id, "sha256": stored.key},
        )
    if not is_draft:
        _send(dataset.id, dataset.attempt)
    return dataset


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
        found = preview_and_head(source, filename=dataset.filename, overrides=overrides)
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
    _send(dataset.id, dataset.attempt)
    return dataset


def discard(caller: Caller, dataset_id: int) -> None:
    """Delete a data set; its files go once nothing else needs them.

    Runs that ended and their versions stay. Raises :class:`NotFound`, and :class:`Conflict` while
    a run on it has not ended.
    """
    dataset = dataset_of(caller, dataset_id)
    with command() as session:
        # Taken before the runs are looked for: who starts one holds this row.
        living = select(Dataset.id).where(Dataset.id == dataset.id, Dataset.deleted_at.is_(None))
        if session.scalar(living.with_for_update()) is None:
            raise NotFound(N_("There is no data set %(id)s."), id=dataset_id)
        if session.scalar(
            select(TrainingRun.id)
            .where(TrainingRun.dataset_id == dataset.id, TrainingRun.state.in_(ACTIVE))
            .limit(1)
        ):
            raise Conflict(
                N_("Training on this data set has not ended; cancel it or wait for its end.")
            )
        session.execute(update(Dataset).where(Dataset.id == dataset.id).values(deleted_at=db_now()))
        before = {"filename": dataset.filename, "sha256": dataset.source_key}
        audit.record(session, caller, "dataset.deleted", f"dataset:{dataset.id}", before=before)


def register_records(
    caller: Caller,
    *,
    machine_id: int,
    records: Sequence[Mapping[str, Any]],
    check: Callable[[Preview], None] | None = None,
) -> Dataset:
    """Store JSON records (flat objects; missing keys are missing values) as a data set."""
    return register_dataset(
        caller,
        machine_id=machine_id,
        source=io.BytesIO(records_as_csv(records)),
        filename="records.csv",
        overrides=OVERRIDES,
        check=check,
    )


def list_datasets(
    caller: Caller,
    *,
    machine_id: int | None = None,
    page: int = 1,
    page_size: int = DEFAULT_PAGE_SIZE,
) -> Page[Dataset]:
    """Data sets, newest first."""
    number, size = clamp(page, page_size)
    statement = (
        select(Dataset)
        .join(Dataset.machine)
        .where(
            Dataset.site_id == caller.site_id,
            Dataset.deleted_at.is_(None),
            Machine.deleted_at.is_(None),
        )
    )
    if machine_id is not None:
        statement = statement.where(Dataset.machine_id == machine_of(caller, machine_id).id)
    found = db.paginate(
        statement.order_by(Dataset.id.desc()), page=number, per_page=size, error_out=False
    )
    return Page(found.items, number, size, found.total or 0)


def open_source(caller: Caller, dataset_id: int) -> tuple[Dataset, IO[bytes]]:
    """A data set and its file as it was uploaded, open for reading."""
    dataset = dataset_of(caller, dataset_id)
    return dataset, storage().open(dataset.source_key)


def waiting_for(dataset: Dataset) -> str | None:
    """What keeps a waiting import: the ``queue``, a free ``worker``; else ``None``."""
    if dataset.state != DatasetState.QUEUED:
        return None
    return "worker" if queue.is_answering() else "queue"


def dispatch() -> int:
    """Send every import that is due to the queue; returns how many were sent."""
    due = transitions.due_imports(db.session())
    return sum(_send(dataset_id, attempt) for dataset_id, attempt in due)


def reap() -> int:
    """Take imports back from workers that stopped renewing their lease; returns how many."""
    expired = transitions.expired_imports(db.session())
    return sum(claims.take_back(transitions, dataset_id) for dataset_id in expired)


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


def _send(dataset_id: int, attempt: int) -> bool:
    """Enqueue after the commit; a queue that is away leaves the import to the dispatcher."""
    if not queue.enqueue(JOB, dataset_id, job_id=f"dataset-{dataset_id}-{attempt + 1}"):
        return False
    with command() as session:
        transitions.mark_dispatched(session, dataset_id)
    return True


def _display_name(filename: str) -> str:
    """The client's name for the file, for people to read; never a path of ours."""
    name = PurePath(filename.replace("\\", "/")).name
    printable = "".join(c for c in name if c.isprintable()).strip(" .")
    return printable[-MAX_FILENAME:] or "data.csv"
