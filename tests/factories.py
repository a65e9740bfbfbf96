"""Things that tests start from, made through the services that people use."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import numpy as np
import pandas as pd
from flask import Flask
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    Table,
    Uuid,
    exists,
    func,
    insert,
    inspect,
    select,
)

from prodapp.artifacts import signature_of
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.champions import crown
from prodapp.datasets import service as datasets
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import command, db, settings_of
from prodapp.machines import service as machines
from prodapp.ml import table as described
from prodapp.ml.progress import Progress
from prodapp.ml.specification import Specification
from prodapp.ml.training import TrainingResult, train
from prodapp.models import (
    ChangeKind,
    Dataset,
    FileState,
    Machine,
    ModelVersion,
    PredictionBatch,
    ScheduledFile,
    TrainingRun,
    VariableRanking,
)
from prodapp.predictions import batches
from prodapp.predictions import service as predictions
from prodapp.predictions.documents import inputs_document
from prodapp.predictions.jobs import run_batch
from prodapp.predictions.service import Ask
from prodapp.predictions.versions import named_version
from prodapp.ranking import service as rankings
from prodapp.retraining import service as retraining
from prodapp.schedules import Plan
from prodapp.training import jobs
from prodapp.training import service as training
from prodapp.webhooks import deliveries
from prodapp.webhooks import service as webhooks

SYSTEM = Caller(site_id=1, role="admin", name="system", kind="system")


def make_csv(*, n_rows: int = 120, seed: int = 0, delimiter: str = ",") -> bytes:
    """A process whose truth is known: ``heat`` raises ``yield`` most, ``speed`` lowers it, the
    shift hardly matters, ``noise`` not at all."""
    rng = np.random.default_rng(seed)
    heat, speed, noise = rng.normal(size=(3, n_rows))
    shift = rng.choice(["day", "night"], n_rows)
    yields = 50 + 5 * heat - 2 * speed + 0.3 * (shift == "day") + rng.normal(0, 0.5, n_rows)
    lines = [delimiter.join(("heat", "speed", "shift", "noise", "yield"))]
    lines += [
        delimiter.join((f"{h:.4f}", f"{s:.4f}", w, f"{n:.4f}", f"{y:.4f}"))
        for h, s, w, n, y in zip(heat, speed, shift, noise, yields, strict=True)
    ]
    return ("\n".join(lines) + "\n").encode()


def make_machine(caller: Caller, *, name: str = "Press 01") -> Machine:
    return machines.create_machine(caller, name=name)


def make_dataset(
    caller: Caller, machine: Machine | None = None, *, content: bytes | None = None
) -> Dataset:
    """An uploaded data set that waits for its import."""
    machine = machine or make_machine(caller)
    return datasets.register_dataset(
        caller,
        machine_id=machine.id,
        source=io.BytesIO(make_csv() if content is None else content),
        filename="production.csv",
    )


def make_ready_dataset(caller: Caller, machine: Machine | None = None, **how: Any) -> Dataset:
    """A data set that was imported."""
    dataset = make_dataset(caller, machine, **how)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    return dataset


def make_run(caller: Caller, dataset: Dataset | None = None, **specification: Any) -> TrainingRun:
    """A queued run on imported data; small, so that its work takes a moment."""
    dataset = dataset or make_ready_dataset(caller)
    values = {"target": "yield", "hyperparameters": {"n_estimators": 10}, **specification}
    return training.start_run(caller, dataset_id=dataset.id, specification=values)


def make_version(caller: Caller, run: TrainingRun | None = None) -> ModelVersion:
    """What a run published."""
    run = run or make_run(caller)
    with mock.patch.object(jobs, "train", _train_once):
        jobs.run_training(run.id)
    db.session.refresh(run)
    return rankings.version_of_run(run)


def _train_once(
    frame: pd.DataFrame,
    columns: Sequence[described.Column],
    specification: Specification,
    *,
    progress: Progress,
    **said: Any,
) -> TrainingResult:
    """Train, or take what an earlier test of this process trained on the same: equal data and
    specification give the same result, which ``tests/unit/ml/test_training.py`` holds to."""
    values = pd.util.hash_pandas_object(frame).to_numpy().tobytes()
    key = (values, repr((columns, specification, said)))
    if key not in _TRAINED:
        _TRAINED[key] = train(frame, columns, specification, progress=progress, **said)
    return _TRAINED[key]


_TRAINED: dict[tuple[bytes, str], TrainingResult] = {}


def make_sibling(version: ModelVersion, **values: Any) -> ModelVersion:
    """Another version of the same machine with the same content, as if trained again."""
    with command() as session:
        run = TrainingRun(**_copied(version.run, "id"))
        session.add(run)
        session.flush()
        numbers = select(func.max(ModelVersion.number)).where(
            ModelVersion.machine_id == version.machine_id
        )
        own = {
            "run_id": run.id,
            "number": (session.scalar(numbers) or 0) + 1,
            "artifact_signature": signature_of(run.id, version.artifact_key),
            **values,
        }
        sibling = ModelVersion(**_copied(version, "id", "is_champion", *own), **own)
        sibling.ranking = [
            VariableRanking(**_copied(row, "id", "version_id")) for row in version.ranking
        ]
        session.add(sibling)
        session.flush()
        crown(session, sibling, ChangeKind.NEWEST, caller=SYSTEM)
    return sibling


def _copied(row: Any, *left_out: str) -> dict[str, Any]:
    names = [column.key for column in inspect(type(row)).columns]
    return {name: getattr(row, name) for name in names if name not in left_out}


def make_batch(caller: Caller, version: ModelVersion) -> PredictionBatch:
    """A file whose rows were answered."""
    batch = batches.start_batch(
        caller,
        named_version(caller, version.id),
        source=io.BytesIO(make_csv(n_rows=30, seed=1)),
        filename="rows.csv",
    )
    run_batch(batch.id)
    db.session.refresh(batch)
    return batch


def make_webhook(app: Flask, caller: Caller) -> dict[str, int]:
    """The ids of a webhook and of a message to it that waits; its host is listed."""
    settings = replace(settings_of(app), callback_allowed_hosts=("receiver",))
    app.extensions["prodapp.settings"] = settings
    made = webhooks.create_webhook(caller, name="x", url="http://receiver/", events=["run.failed"])
    message = deliveries.send_test(caller, made.webhook.id)
    return {"webhook_id": made.webhook.id, "delivery_id": message.id}


def make_schedule(app: Flask, caller: Caller, machine_id: int) -> dict[str, int]:
    """The id of a file that was set aside; the folder above is listed."""
    folder = Path(app.instance_path)
    settings = replace(settings_of(app), schedule_roots=(folder.parent,))
    app.extensions["prodapp.settings"] = settings
    schedule = retraining.set_schedule(caller, machine_id, Plan(str(folder), "0 6 * * *"))
    file = ScheduledFile(
        schedule_id=schedule.id,
        name="a.csv",
        size_bytes=0,
        modified_ns=0,
        state=FileState.SET_ASIDE,
        error_code="no_target",
        error_message="Nobody has said yet what is to be explained.",
    )
    with command() as session:
        session.add(file)
    return {"file_id": file.id}


def make_prediction(caller: Caller, version: ModelVersion) -> UUID:
    """The id of a prediction, of the record that a form starts from."""
    served = named_version(caller, version.id)
    record = inputs_document(served)["record"]
    found: UUID = predictions.predict(caller, served, [record], Ask("api")).rows[0]["id"]
    return found


def fill_every_table(caller: Caller) -> None:
    """At least one row in every table: what a training leaves, and made-up rows elsewhere."""
    make_batch(caller, make_version(caller))
    auth.create_user(caller, username="maria", role="operator", password="correct horse battery")
    with command() as session:
        for table in db.metadata.sorted_tables:
            if not session.scalar(select(exists(select(1).select_from(table)))):
                row = {column.name: _made_up(column) for column in table.columns}
                session.execute(insert(table).values(**row))


def _made_up(column: Column[Any]) -> Any:
    """A value that the column takes; of the row it refers to, the first one's."""
    for key in column.foreign_keys:
        referred: Table = key.column.table
        return db.session.scalar(select(key.column).select_from(referred).limit(1))
    if isinstance(column.type, JSON):
        return {"ação": [1, 2.5, None, True], "nested": {"a": "b"}}
    if isinstance(column.type, Uuid):
        return uuid4()
    kind = getattr(column.type, "impl", column.type)
    if isinstance(kind, DateTime):
        return datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    if isinstance(kind, Integer | Float | Boolean):
        return 1
    return f"{column.name} ç “1”"[: getattr(kind, "length", None) or 40]
