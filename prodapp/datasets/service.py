"""The verbs of data sets: upload, read, list, send to import, take back from the dead."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import IO, Any

from sqlalchemy import select

from prodapp import audit, claims, queue
from prodapp.auth.objects import dataset_of, hold_machine, machine_of
from prodapp.caller import Caller
from prodapp.datasets import transitions
from prodapp.datasets.documents import preview_document
from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.extensions import command, db
from prodapp.ml.intake import Preview, preview_file
from prodapp.models import Dataset, DatasetState, Machine
from prodapp.pagination import DEFAULT_PAGE_SIZE, Page, clamp
from prodapp.storage import storage

JOB = "prodapp.datasets.jobs.import_dataset"
MAX_FILENAME = 255
MAX_RECORDS = 100_000


def register_dataset(
    caller: Caller,
    *,
    machine_id: int,
    source: IO[bytes],
    filename: str,
    overrides: Mapping[str, str] | None = None,
    check: Callable[[Preview], None] | None = None,
) -> Dataset:
    """Store an uploaded file for a machine, preview its first part, and send it to import.

    ``source`` must be seekable; ``check`` may refuse what the preview shows. Raises
    :class:`NotFound` and, for a file that cannot become a table, :class:`DataRefused` before
    anything is stored.
    """
    machine = machine_of(caller, machine_id)
    preview = preview_file(source, filename=filename, overrides=overrides)
    if check is not None:
        check(preview)
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
            state=DatasetState.QUEUED,
            preview=preview_document(preview),
            overrides=dict(overrides or {}),
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
    _send(dataset.id, dataset.attempt)
    return dataset


def register_records(
    caller: Caller,
    *,
    machine_id: int,
    records: Sequence[Mapping[str, Any]],
    check: Callable[[Preview], None] | None = None,
) -> Dataset:
    """Store JSON records (flat objects; missing keys are missing values) as a data set."""
    if not records or len(records) > MAX_RECORDS:
        message = N_("Give between 1 and %(max)s records.")
        field = FieldError("/records", message, {"max": MAX_RECORDS})
        raise InvalidInput(message, fields=(field,), max=MAX_RECORDS)
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    for index, record in enumerate(records):
        writer.writerow({name: _cell(value, index, name) for name, value in record.items()})
    return register_dataset(
        caller,
        machine_id=machine_id,
        # Half a character pair cannot be written: it becomes a question mark.
        source=io.BytesIO(text.getvalue().encode("utf-8", "replace")),
        filename="records.csv",
        overrides={"encoding": "utf-8", "delimiter": ",", "decimal": ".", "header": "yes"},
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


def _cell(value: Any, index: int, name: str) -> Any:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        message = N_("Record %(row)s: %(name)s must be a number, a text or null.")
        params: dict[str, Any] = {"row": index + 1, "name": name}
        field = FieldError(f"/records/{index}/{name}", message, params)
        raise InvalidInput(message, fields=(field,), **params)
    return value
