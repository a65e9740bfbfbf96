"""The verbs of data sets: upload, delete, list, send to import, take back; drafts stand apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import IO, Any, Final, Unpack

from sqlalchemy import select, update

from prodapp import audit, dispatching, metrics, queue
from prodapp.auth import quotas
from prodapp.auth.objects import dataset_of, hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.datasets.documents import preview_document
from prodapp.datasets.memory import look_at, memory_of
from prodapp.datasets.records import OVERRIDES, records_as_csv
from prodapp.datasets.workflow import IMPORTS
from prodapp.exceptions import Conflict, N_, NotFound
from prodapp.extensions import command
from prodapp.listing import Order, Sorts, listed
from prodapp.ml.table import Preview
from prodapp.models import Dataset, DatasetState, Machine, TrainingRun
from prodapp.models.training_run import ACTIVE
from prodapp.models.types import db_now
from prodapp.pagination import Page
from prodapp.storage import storage

#: What lists can be sorted by (newest first is by id).
SORTS: Final[Sorts] = {
    "created_at": Dataset.id,
    "filename": Dataset.filename,
    "size_bytes": Dataset.size_bytes,
    "n_rows": Dataset.n_rows,
}


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
    cannot become a table, :class:`DataRefused` before anything is stored, as :class:`Conflict`
    where its site has no room for it.
    """
    machine = machine_of(caller, machine_id)
    memory = memory_of(machine.id)
    look = look_at(source, filename=filename, overrides=overrides, memory=memory)
    if check is not None:
        check(look.preview)
    quotas.check(caller.site_id, source.seek(0, io.SEEK_END))
    source.seek(0)
    stored = storage().put(source)
    with command() as session:
        hold_machine(session, machine.id)
        quotas.hold(session, caller.site_id, stored.size)
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
    metrics.UPLOAD_BYTES.labels("dataset").observe(stored.size)
    if not is_draft:
        dispatching.send(IMPORTS, dataset.id, dataset.attempt)
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
    state: str | None = None,
    q: str = "",
    **order: Unpack[Order],
) -> Page[Dataset]:
    """Data sets, newest first unless sorted otherwise; ``q`` is a part of the file's name."""
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
    if state:
        statement = statement.where(Dataset.state == state)
    if q.strip():
        statement = statement.where(Dataset.filename.icontains(q.strip(), autoescape=True))
    return listed(statement, Dataset, SORTS, order)


def open_source(caller: Caller, dataset_id: int) -> tuple[Dataset, IO[bytes]]:
    """A data set and its file as it was uploaded, open for reading."""
    dataset = dataset_of(caller, dataset_id)
    return dataset, storage().open(dataset.source_key)


def waiting_for(dataset: Dataset) -> str | None:
    """What keeps a waiting import: the ``queue``, a free ``worker``; else ``None``."""
    if dataset.state != DatasetState.QUEUED:
        return None
    return "worker" if queue.is_answering() else "queue"


def _display_name(filename: str) -> str:
    """The client's name for the file, for people to read; never a path of ours."""
    name = PurePath(filename.replace("\\", "/")).name
    printable = "".join(c for c in name if c.isprintable()).strip(" .")
    return printable[-MAX_FILENAME:] or "data.csv"
