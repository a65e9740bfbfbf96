"""After the storm: what was acknowledged against what is there, in database and storage.

Everything is read again from outside, row by row and file by file; no code of the product judges
itself, but for the names of its tables.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow.parquet as parquet
from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import (
    BatchState,
    Dataset,
    DatasetState,
    Machine,
    ModelVersion,
    PredictionBatch,
    RunState,
    TrainingRun,
    VariableRanking,
)
from prodapp.models.prediction_batch import BATCH_ACTIVE
from prodapp.models.training_run import TERMINAL
from tests.faults.client import OperationLog
from tests.faults.installation import Installation


@dataclass(frozen=True)
class Findings:
    """What is wrong, as sentences; empty tuples are what a test wants to see.

    ``n_orphans`` and ``n_drafts`` count files that no row speaks of and unfinished files: allowed
    until the sweep, so nothing wrong by themselves.
    """

    lost: tuple[str, ...]
    unfinished: tuple[str, ...]
    doubled: tuple[str, ...]
    published_after_cancel: tuple[str, ...]
    half_visible: tuple[str, ...]
    damaged: tuple[str, ...]
    n_runs: int
    n_succeeded: int
    n_orphans: int
    n_drafts: int
    error_codes: dict[str, int]

    def wrong(self) -> dict[str, tuple[str, ...]]:
        """The kinds of damage that were found; empty where all is well."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, tuple) and value}


def inspect(installation: Installation) -> Findings:
    """Compare the log of acknowledged operations with the database and the storage."""
    with installation.context():
        return _Inspection(installation.operations, installation.instance).findings()


class _Inspection:
    def __init__(self, operations: OperationLog, instance: Path) -> None:
        self._operations = list(operations)
        self._files = instance / "files"
        self._scratch = instance / "scratch"
        self._machines = {row.id: row for row in db.session.scalars(select(Machine))}
        self._datasets = {row.id: row for row in db.session.scalars(select(Dataset))}
        self._runs = {row.id: row for row in db.session.scalars(select(TrainingRun))}
        self._batches = {row.id: row for row in db.session.scalars(select(PredictionBatch))}
        self._versions = list(db.session.scalars(select(ModelVersion)))

    def findings(self) -> Findings:
        states = Counter(run.state for run in self._runs.values())
        codes = Counter(
            run.error_code
            for run in self._runs.values()
            if run.state == RunState.FAILED and run.error_code
        )
        return Findings(
            lost=tuple(self._lost()),
            unfinished=tuple(self._unfinished()),
            doubled=tuple(self._doubled()),
            published_after_cancel=tuple(self._published_after_cancel()),
            half_visible=tuple(self._half_visible()),
            damaged=tuple(self._damaged()),
            n_runs=len(self._runs),
            n_succeeded=states[RunState.SUCCEEDED],
            n_orphans=len(self._stored() - self._referred()),
            n_drafts=sum(path.is_file() for path in self._scratch.rglob("*")),
            error_codes=dict(codes),
        )

    def _lost(self) -> list[str]:
        """Acknowledged and not there, or there otherwise than acknowledged."""
        found = []
        rows = {"run": self._runs, "batch": self._batches}
        for operation in self._operations:
            name = f"{operation.kind} {operation.row_id}"
            if operation.kind == "upload":
                dataset = self._datasets.get(operation.row_id)
                if dataset is None or dataset.source_key != operation.sha256:
                    found.append(name)
            elif operation.kind in rows:
                if operation.row_id not in rows[operation.kind]:
                    found.append(name)
            elif operation.kind == "cancel":
                run = self._runs.get(operation.row_id)
                if run is None or run.cancel_requested_at is None:
                    found.append(name)
            elif operation.kind in ("machine", "delete"):
                machine = self._machines.get(operation.row_id)
                is_deleted = machine is not None and machine.deleted_at is not None
                if machine is None or (operation.kind == "delete" and not is_deleted):
                    found.append(name)
        return found

    def _unfinished(self) -> list[str]:
        runs = [
            f"run {run.id} is {run.state}"
            for run in self._runs.values()
            if run.state not in TERMINAL
        ]
        datasets = [
            f"data set {row.id} is {row.state}"
            for row in self._datasets.values()
            if row.deleted_at is None
            and row.state not in (DatasetState.READY, DatasetState.REFUSED)
        ]
        batches = [
            f"batch {row.id} is {row.state}"
            for row in self._batches.values()
            if row.state in BATCH_ACTIVE
        ]
        return runs + datasets + batches

    def _doubled(self) -> list[str]:
        """Versions beyond one a run; numbers of a machine that are taken twice or left out."""
        by_run = Counter(version.run_id for version in self._versions)
        found = [f"run {run_id}: {n} versions" for run_id, n in by_run.items() if n > 1]
        for machine_id in self._machines:
            mine = [version for version in self._versions if version.machine_id == machine_id]
            numbers = sorted(version.number for version in mine)
            if numbers != list(range(1, len(mine) + 1)):
                found.append(f"machine {machine_id}: numbers {numbers}")
            if mine and sum(version.is_champion for version in mine) != 1:
                found.append(f"machine {machine_id}: not one champion")
        return found

    def _published_after_cancel(self) -> list[str]:
        published = {version.run_id for version in self._versions}
        return [
            f"run {run.id} is {run.state}, canceled and published"
            for run in self._runs.values()
            if run.cancel_requested_at is not None and run.id in published
        ]

    def _half_visible(self) -> list[str]:
        """What a page would show although it is not whole."""
        found = []
        for dataset in self._datasets.values():
            if dataset.state == DatasetState.READY and dataset.deleted_at is None:
                path = self._path(dataset.table_key or "?")
                if not path.is_file() or parquet.read_metadata(path).num_rows != dataset.n_rows:
                    found.append(f"data set {dataset.id} is ready without its table")
        found += [
            f"batch {batch.id} is {batch.state}, answers: {batch.result_key}"
            for batch in self._batches.values()
            if (batch.state == BatchState.SUCCEEDED) != (batch.result_key is not None)
        ]
        by_run = {version.run_id: version for version in self._versions}
        ranked = set(db.session.scalars(select(VariableRanking.version_id)))
        for run in self._runs.values():
            version = by_run.get(run.id)
            if (run.state == RunState.SUCCEEDED) != (version is not None):
                found.append(f"run {run.id} is {run.state}, version: {version}")
            elif version is not None and version.id not in ranked:
                found.append(f"version {version.id} has no ranking")
        return found

    def _damaged(self) -> list[str]:
        """Files that a living row names and that are missing or of another content."""
        return [
            f"file {key[:12]}"
            for key in self._referred()
            if not self._path(key).is_file() or _sha256(self._path(key)) != key
        ]

    def _referred(self) -> set[str]:
        living = {row.id for row in self._machines.values() if row.deleted_at is None}
        keys = {
            key
            for row in self._datasets.values()
            if row.machine_id in living
            for key in (row.source_key, row.table_key)
            if key
        }
        keys |= {
            key
            for batch in self._batches.values()
            if batch.machine_id in living and batch.purged_at is None
            for key in (batch.source_key, batch.result_key)
            if key
        }
        return keys | {
            key
            for version in self._versions
            if version.machine_id in living
            for key in (version.artifact_key, version.held_out_key)
            if key
        }

    def _stored(self) -> set[str]:
        return {path.name for path in self._files.rglob("*") if path.is_file()}

    def _path(self, key: str) -> Path:
        return self._files / key[:2] / key


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
