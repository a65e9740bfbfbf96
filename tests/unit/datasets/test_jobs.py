from __future__ import annotations

import errno

import pandas as pd
import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from prodapp.caller import Caller
from prodapp.datasets import jobs
from prodapp.datasets.jobs import import_dataset
from prodapp.exceptions import LeaseLost
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.ml.intake import PREVIEW_BYTES
from prodapp.models import Dataset, DatasetState
from prodapp.storage import storage
from tests.factories import make_csv, make_dataset


def test_an_import_stores_the_whole_table_and_says_ready(any_app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller, content=make_csv(n_rows=200, delimiter=";"))
    rows_before = dataset.preview["rows"]
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert dataset.state == DatasetState.READY
    assert (dataset.n_rows, dataset.n_columns, dataset.progress) == (200, 5, 1.0)
    assert dataset.preview["rows"] == rows_before
    assert dataset.preview["is_complete"] is True
    assert (dataset.lease_token, dataset.lease_until, dataset.error_code) == (None, None, None)
    assert dataset.table_key is not None
    with storage().local_path(dataset.table_key) as path:
        frame = pd.read_parquet(path)
    assert list(frame.columns) == ["heat", "speed", "shift", "noise", "yield"]
    assert len(frame) == 200


def test_an_import_that_comes_twice_is_done_once(app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    import_dataset(dataset.id)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.attempt) == (DatasetState.READY, 1)


def test_an_import_of_nothing_is_left_alone(app: Flask, caller: Caller) -> None:
    import_dataset(999)
    dataset = make_dataset(caller)
    machines.delete_machine(caller, dataset.machine_id)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.attempt) == (DatasetState.QUEUED, 0)


def test_damage_below_the_preview_refuses_the_file_with_its_place(
    any_app: Flask, caller: Caller
) -> None:
    row = b"1.5,2.5\n"
    head = b"a,b\n" + row * (PREVIEW_BYTES // len(row) + 10)
    dataset = make_dataset(caller, content=head + b"\x00\xff\x00\xfe" * 50 + b"\n" + row)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert dataset.state == DatasetState.REFUSED
    assert dataset.error_code
    assert dataset.error_message
    assert dataset.error_message % dataset.error_params
    assert dataset.table_key is None
    assert dataset.finished_at is not None


@pytest.mark.parametrize(
    ("error", "states", "code"),
    [
        (OSError(errno.ENOSPC, "full"), ["refused"], "disk_full"),
        (MemoryError(), ["queued", "refused"], "out_of_memory"),
        (RuntimeError("x"), ["queued", "queued", "refused"], "internal_error"),
    ],
)
def test_a_failure_is_tried_again_only_where_that_may_help(
    app: Flask,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    states: list[str],
    code: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(jobs, "read_table", fail)
    dataset = make_dataset(caller)
    for state in states:
        import_dataset(dataset.id)
        db.session.refresh(dataset)
        assert (dataset.state, dataset.error_code) == (state, code)
    assert dataset.n_failures == (len(states) if len(states) > 1 else 0)


def test_a_lost_service_is_no_failure_of_the_import(
    app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(jobs, "read_table", fail)
    dataset = make_dataset(caller)
    for _ in range(6):
        import_dataset(dataset.id)
        db.session.refresh(dataset)
        assert (dataset.state, dataset.n_failures, dataset.n_lost) == ("queued", 0, 0)


def test_an_import_whose_lease_was_lost_keeps_nothing(
    any_app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(caller)
    store = jobs._store_parquet

    def lose_the_lease_meanwhile(table: object) -> object:
        with command() as session:
            session.execute(update(Dataset).values(lease_token="another"))
        return store(table)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "_store_parquet", lose_the_lease_meanwhile)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.table_key) == (DatasetState.IMPORTING, None)


def test_an_import_stops_when_its_machine_is_deleted(
    app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(caller)
    read, seen = jobs.read_table, []

    def delete_meanwhile(*args: object, **options: object) -> object:
        machines.delete_machine(caller, dataset.machine_id)
        pulse = options["progress"]
        try:
            pulse("another stage", 0.5)  # type: ignore[operator]
        except LeaseLost:
            seen.append("stopped")
            raise
        return read(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "read_table", delete_meanwhile)
    import_dataset(dataset.id)
    assert seen == ["stopped"]
    db.session.refresh(dataset)
    assert dataset.table_key is None


def test_a_missing_upload_refuses_the_import(app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    storage().delete(dataset.source_key)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.error_code) == (DatasetState.REFUSED, "not_found")
