"""The import of a data set, given its id: read the whole file once, store it as Parquet."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from prodapp.datasets import transitions
from prodapp.datasets.documents import table_document
from prodapp.exceptions import LeaseLost
from prodapp.extensions import command, db
from prodapp.ml.intake import Table, read_table
from prodapp.models import Dataset
from prodapp.models.lease import Failure, Lease
from prodapp.storage import StoredFile, storage
from prodapp.work import (
    Pulse,
    as_domain_error,
    bind_log,
    is_final,
    log_failure,
    worker_name,
)

log = logging.getLogger(__name__)


def import_dataset(dataset_id: int) -> None:
    """Read the uploaded file whole and say ``ready`` or ``refused``, once."""
    with command() as session:
        lease = transitions.claim_import(session, dataset_id, worker_name=worker_name())
    if lease is None:
        log.info("data set %s is not there to import", dataset_id)
        return
    dataset = db.session.get_one(Dataset, dataset_id)
    db.session.refresh(dataset)
    bind_log(request_id=dataset.request_id, dataset_id=dataset_id)
    try:
        _import(dataset, lease)
    except LeaseLost:
        log.warning("data set %s: the lease is lost, nothing is kept", dataset_id)
    except BaseException as error:  # the job's outer edge: every failure must reach the row
        _end_failed(dataset, lease, error)
        if not isinstance(error, Exception):
            raise


def _import(dataset: Dataset, lease: Lease) -> None:
    def write(stage: str, share: float) -> None:
        with command() as session:
            transitions.note_progress(session, lease, stage=stage, progress=share)

    pulse = Pulse(write)
    pulse("reading", 0.0)
    with storage().local_path(dataset.source_key) as path:
        table = read_table(path, overrides=dataset.overrides, progress=pulse)
    stored = _store_parquet(table)
    with command() as session:
        transitions.succeed(
            session,
            lease,
            table_key=stored.key,
            n_rows=len(table.frame),
            n_columns=len(table.columns),
            preview=table_document(table, rows=dataset.preview["rows"]),
        )
    log.info("data set %s: %s rows, ready", dataset.id, len(table.frame))


def _store_parquet(table: Table) -> StoredFile:
    with tempfile.TemporaryDirectory(dir=storage().scratch) as folder:
        path = Path(folder) / "table.parquet"
        table.frame.to_parquet(path, index=False)
        with path.open("rb") as file:
            return storage().put(file)


def _end_failed(dataset: Dataset, lease: Lease, error: BaseException) -> None:
    failure = as_domain_error(error, request_id=dataset.request_id)
    log_failure(log, f"data set {dataset.id}", error, failure)
    db.session.rollback()
    try:
        with command() as session:
            if is_final(failure):
                transitions.refuse(session, lease, Failure.of(failure))
            else:
                transitions.fail_or_retry(session, lease, dataset, Failure.of(failure))
    except LeaseLost:
        log.warning("data set %s: failed after its lease was lost", dataset.id)
