"""The import of a data set, given its id: read the whole file once, store it as Parquet."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from prodapp import failpoints
from prodapp.claims import carry_out, patiently, pulse_of
from prodapp.datasets.assembly import APPEND, Assembly, assembled
from prodapp.datasets.documents import table_document
from prodapp.datasets.memory import memory_of, target_of
from prodapp.datasets.workflow import IMPORTS
from prodapp.extensions import command
from prodapp.ml.assembly import remember
from prodapp.ml.intake import Table, read_table
from prodapp.models import Dataset, Machine
from prodapp.models.lease import Lease
from prodapp.storage import StoredFile, storage
from prodapp.variables import write_figures

log = logging.getLogger(__name__)


def import_dataset(dataset_id: int) -> None:
    """Read the uploaded file whole and say ``ready`` or ``refused``, once."""
    carry_out(IMPORTS, dataset_id, _import)


def _import(dataset: Dataset, lease: Lease) -> None:
    def publish() -> None:
        with command() as session:
            if dataset.settings is not None:
                _remember(session, dataset, table)
            IMPORTS.succeed(
                session,
                lease,
                table_key=stored.key,
                n_rows=len(table.frame),
                n_columns=len(table.columns),
                preview=document,
            )
            failpoints.reach("dataset.publishing")

    pulse = pulse_of(IMPORTS, lease)
    pulse("reading", 0.0)
    with storage().local_path(dataset.source_key) as path:
        own = table = read_table(path, overrides=dataset.overrides, progress=pulse)
    failpoints.reach("dataset.read")
    if dataset.assembly is not None:
        table = assembled(Assembly.from_json(dataset.assembly), own, dataset.preview)
    pulse("profiling", 0.9)
    memory = memory_of(dataset.machine_id)
    target = target_of(dataset, memory)
    is_append = (dataset.assembly or {}).get("kind") == APPEND
    document = table_document(
        table,
        memory,
        target=target,
        preview=dataset.preview,
        overrides=dataset.overrides,
        compared=own if is_append else table,
    )
    stored = _store_parquet(table)
    failpoints.reach("dataset.stored")
    patiently(publish)
    failpoints.reach("dataset.ready")
    log.info("data set %s: %s rows, ready", dataset.id, len(table.frame))


def _remember(session: Session, dataset: Dataset, table: Table) -> None:
    """Where the values of a confirmed file lay, for the next one to be compared with."""
    # Two files of one machine may end at the same time: its row puts them in order.
    session.execute(select(Machine.id).where(Machine.id == dataset.machine_id).with_for_update())
    write_figures(session, dataset.machine_id, remember(table.frame, table.columns))


def _store_parquet(table: Table) -> StoredFile:
    with tempfile.TemporaryDirectory(dir=storage().scratch) as folder:
        path = Path(folder) / "table.parquet"
        table.frame.to_parquet(path, index=False)
        with path.open("rb") as file:
            return storage().put(file)
