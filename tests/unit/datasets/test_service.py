from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp import claims, dispatching
from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.datasets import service
from prodapp.datasets.records import MAX_RECORDS
from prodapp.datasets.workflow import IMPORTS
from prodapp.exceptions import DataRefused, InvalidInput, NotFound
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.ml.intake import PREVIEW_BYTES
from prodapp.models import AuditEvent, Dataset, DatasetState
from prodapp.models.lease import HorseDeath, Wish
from prodapp.models.types import db_now
from tests.factories import make_csv, make_dataset, make_machine
from tests.files import stored_keys

ROWS = b"".join(b"%d;%d,5\n" % (n, n * n) for n in range(30))


def upload(caller: Caller, content: bytes, *, filename: str = "x.csv", **more: Any) -> Dataset:
    machine_id = more.pop("machine_id", None) or make_machine(caller).id
    return service.register_dataset(
        caller, machine_id=machine_id, source=io.BytesIO(content), filename=filename, **more
    )


def change(dataset: Dataset, **values: Any) -> None:
    with command() as session:
        session.execute(update(Dataset).where(Dataset.id == dataset.id).values(**values))
    db.session.refresh(dataset)


def test_an_upload_is_kept_as_it_came_and_previewed(any_app: Flask, caller: Caller) -> None:
    content = b"\xef\xbb\xbftemp;yield\n" + ROWS
    dataset = upload(caller, content, filename="produção.csv")
    assert dataset.state == DatasetState.QUEUED
    assert (dataset.filename, dataset.size_bytes) == ("produção.csv", len(content))
    assert [column["name"] for column in dataset.preview["columns"]] == ["temp", "yield"]
    assert dataset.preview["dialect"]["decimal"] == ","
    assert dataset.preview["is_complete"] is True
    found, file = service.open_source(caller, dataset.id)
    with file:
        assert file.read() == content
    assert found is dataset
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "dataset.uploaded")
    ).one()
    assert event.after == {"machine": dataset.machine_id, "sha256": dataset.source_key}


def test_of_a_large_file_only_the_head_is_previewed(app: Flask, caller: Caller) -> None:
    row = b"1.5,2.5,some words to fill the line with\n"
    content = b"a,b,c\n" + row * (PREVIEW_BYTES // len(row) + 100)
    dataset = upload(caller, content)
    assert dataset.preview["is_complete"] is False
    assert dataset.size_bytes == len(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n\n", b"just words\n", b"a,b\n", b"\x00" * 100, b"PK\x03\x04" + b"\x00" * 200],
    ids=["empty", "blank", "one column", "no rows", "zeros", "a zip file"],
)
def test_what_is_no_table_is_refused_before_anything_is_stored(
    app: Flask, caller: Caller, content: bytes
) -> None:
    with pytest.raises(DataRefused):
        upload(caller, content)
    assert service.list_datasets(caller).total == 0
    assert not stored_keys()


@pytest.mark.parametrize(
    "overrides", [{"decimal": "x"}, {"encoding": "klingon"}, {"header": "maybe"}, {"other": "x"}]
)
def test_a_decision_that_cannot_be_is_refused(
    app: Flask, caller: Caller, overrides: dict[str, str]
) -> None:
    with pytest.raises((InvalidInput, DataRefused)):
        upload(caller, b"a;b\n" + ROWS, overrides=overrides)
    assert service.list_datasets(caller).total == 0


def test_a_persons_decision_wins_over_the_guess_and_is_kept(app: Flask, caller: Caller) -> None:
    dataset = upload(caller, b"1,2\n3,4\n5,6\n", overrides={"header": "no", "encoding": "utf-8"})
    assert dataset.overrides == {"header": "no", "encoding": "utf-8"}
    assert dataset.preview["n_rows"] == 3


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.csv", "a.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\März.csv", "März.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("", "data.csv"),
        ("\u200b", "data.csv"),
        ("..", "data.csv"),
        ("/", "data.csv"),
        ("x" * 400 + ".csv", "x" * 251 + ".csv"),
    ],
)
def test_the_name_of_a_file_is_for_people_alone(
    app: Flask, caller: Caller, given: str, kept: str
) -> None:
    dataset = upload(caller, make_csv(), filename=given)
    assert dataset.filename == kept
    assert len(dataset.source_key) == 64


def test_an_extreme_file_is_stored_or_refused_on_every_database(
    any_app: Flask, caller: Caller
) -> None:
    machine_id = make_machine(caller).id
    base = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(30))
    for content in (
        base + b"1e999,inf\nNaN,-Infinity\n",
        base.replace(b"b", b"b" * 600, 1),
        base.replace(b"b", "压力 \U0001f3ed".encode(), 1),
        base + b"\xed\xa0\x80,3\n",
        base.replace(b"b\n", b"a\n", 1),
        base + b'"never closed,1\n',
    ):
        try:
            dataset = upload(caller, content, machine_id=machine_id)
        except DataRefused:
            continue
        assert dataset.state == DatasetState.QUEUED


def test_a_check_may_refuse_what_the_preview_shows(app: Flask, caller: Caller) -> None:
    def check(_: Any) -> None:
        raise InvalidInput("no such target")

    with pytest.raises(InvalidInput, match="no such target"):
        upload(caller, make_csv(), check=check)
    assert not stored_keys()


def test_records_become_a_table_with_gaps_where_keys_are_missing(
    any_app: Flask, caller: Caller
) -> None:
    records: list[dict[str, Any]] = [
        {"a": 1, "b": 2.5, "c": 'x"y'},
        {"b": None, "a": 3, "d": True},
        {"a": 4, "c": "line\nbreak"},
    ]
    dataset = service.register_records(caller, machine_id=make_machine(caller).id, records=records)
    assert [column["name"] for column in dataset.preview["columns"]] == ["a", "b", "c", "d"]
    assert dataset.preview["n_rows"] == 3
    assert dataset.filename == "records.csv"


@pytest.mark.parametrize("value", [{"x": 1}, [1, 2]])
def test_a_record_within_a_record_is_pointed_at(app: Flask, caller: Caller, value: Any) -> None:
    machine_id = make_machine(caller).id
    with pytest.raises(InvalidInput, match="Record 2: b must be") as caught:
        service.register_records(
            caller, machine_id=machine_id, records=[{"a": 1, "b": 1}, {"a": 1, "b": value}]
        )
    assert caught.value.fields[0].pointer == "/records/1/b"


def test_no_records_and_too_many_are_refused(app: Flask, caller: Caller) -> None:
    machine_id = make_machine(caller).id
    for records in ([], [{"a": 1}] * (MAX_RECORDS + 1)):
        with pytest.raises(InvalidInput, match="between 1 and 100000"):
            service.register_records(caller, machine_id=machine_id, records=records)


def test_half_characters_and_huge_numbers_in_records_do_no_harm(app: Flask, caller: Caller) -> None:
    records = [{"a\ud800": n, "b": 10**400, "c": float("nan"), "d": "\udfff"} for n in range(5)]
    dataset = service.register_records(caller, machine_id=make_machine(caller).id, records=records)
    assert dataset.preview["columns"][0]["name"] == "a?"


def test_data_of_another_site_look_missing(app: Flask, caller: Caller) -> None:
    stranger = auth.system_caller(site="other")
    dataset = make_dataset(caller)
    with pytest.raises(NotFound):
        service.open_source(stranger, dataset.id)
    with pytest.raises(NotFound):
        upload(stranger, make_csv(), machine_id=dataset.machine_id)
    with pytest.raises(NotFound):
        service.list_datasets(stranger, machine_id=dataset.machine_id)
    assert service.list_datasets(stranger).total == 0
    machines.delete_machine(caller, dataset.machine_id)
    with pytest.raises(NotFound):
        service.open_source(caller, dataset.id)
    assert service.list_datasets(caller).total == 0


def test_lists_are_newest_first_and_by_machine(any_app: Flask, caller: Caller) -> None:
    first = make_dataset(caller)
    second = make_dataset(caller, make_machine(caller, name="other"))
    third = make_dataset(caller, first.machine)
    assert [d.id for d in service.list_datasets(caller).items] == [third.id, second.id, first.id]
    of_machine = service.list_datasets(caller, machine_id=first.machine_id, page_size=1, page=2)
    assert ([d.id for d in of_machine.items], of_machine.total) == ([first.id], 2)
    assert service.list_datasets(caller, page=10**30).items == []


# --- the import's way through the queue --------------------------------------------------------


def test_a_queue_that_is_away_leaves_the_import_to_the_dispatcher(
    app: Flask, caller: Caller
) -> None:
    dataset = make_dataset(caller)
    assert dataset.dispatched_at is None
    assert dispatching.dispatch(IMPORTS) == 0


@pytest.mark.queue
def test_an_import_that_is_due_is_sent_once(make_app: Any, empty_valkey_url: str) -> None:
    with make_app(REDIS_URL=empty_valkey_url).app_context():
        caller = auth.system_caller()
        dataset = make_dataset(caller)
        db.session.refresh(dataset)
        assert dataset.dispatched_at is not None
        assert dispatching.dispatch(IMPORTS) == 0
        change(dataset, dispatched_at=db_now(-60))
        assert dispatching.dispatch(IMPORTS) == 1
        change(dataset, dispatched_at=None, retry_at=db_now(60))
        assert dispatching.dispatch(IMPORTS) == 0
        machines.delete_machine(caller, dataset.machine_id)
        change(dataset, retry_at=None)
        assert dispatching.dispatch(IMPORTS) == 0
        db.session.remove()


OWNED = {"state": DatasetState.IMPORTING, "worker_name": "w", "lease_token": "t", "attempt": 1}


def test_a_lost_import_goes_back_into_the_line_and_at_last_is_refused(
    any_app: Flask, caller: Caller
) -> None:
    dataset = make_dataset(caller)
    for n_lost in range(1, 5):
        change(dataset, **OWNED, lease_until=db_now(-1))
        assert dispatching.reap(IMPORTS) == 1
        db.session.refresh(dataset)
        assert (dataset.state, dataset.n_lost) == (DatasetState.QUEUED, n_lost)
    change(dataset, **OWNED, lease_until=db_now(-1))
    assert dispatching.reap(IMPORTS) == 1
    db.session.refresh(dataset)
    assert (dataset.state, dataset.error_code) == (DatasetState.REFUSED, "worker_lost")
    assert "split it" in (dataset.error_message or "")


def test_a_lease_that_is_renewed_is_not_taken(any_app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    change(dataset, **OWNED, lease_until=db_now(-1))
    claims.renew_lease(IMPORTS, dataset.id, worker_name="somebody else")
    assert dispatching.reap(IMPORTS) == 1
    change(dataset, **OWNED, lease_until=db_now(-1))
    claims.renew_lease(IMPORTS, dataset.id, worker_name="w")
    assert dispatching.reap(IMPORTS) == 0


def test_a_worker_is_told_what_to_do(any_app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    assert claims.wish(IMPORTS, dataset.id, worker_name="w") is Wish.LET_GO
    change(dataset, **OWNED)
    assert claims.wish(IMPORTS, dataset.id, worker_name="w") is Wish.CONTINUE
    assert claims.wish(IMPORTS, dataset.id, worker_name="v") is Wish.LET_GO
    machines.delete_machine(caller, dataset.machine_id)
    assert claims.wish(IMPORTS, dataset.id, worker_name="w") is Wish.CANCEL


@pytest.mark.parametrize(
    ("cause", "n_lost"), [(HorseDeath.UNKNOWN, 1), (HorseDeath.HANDED_BACK, 0)]
)
def test_a_horse_that_died_leaves_the_import_to_others(
    app: Flask, caller: Caller, cause: HorseDeath, n_lost: int
) -> None:
    dataset = make_dataset(caller)
    change(dataset, **OWNED, lease_until=db_now(10))
    claims.bury(IMPORTS, dataset.id, worker_name="somebody else", cause=cause)
    claims.bury(IMPORTS, 999, worker_name="w", cause=cause)
    db.session.refresh(dataset)
    assert dataset.state == DatasetState.IMPORTING
    claims.bury(IMPORTS, dataset.id, worker_name="w", cause=cause)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.n_lost) == (DatasetState.QUEUED, n_lost)


def test_a_parquet_file_larger_than_the_preview_is_taken(app: Flask, caller: Caller) -> None:
    content = io.BytesIO()
    frame = pd.DataFrame(
        np.random.default_rng(1).normal(size=(40_000, 8)), columns=list("abcdefgh")
    )
    frame.to_parquet(content)
    assert content.tell() > PREVIEW_BYTES
    content.seek(0)
    dataset = service.register_dataset(
        caller, machine_id=make_machine(caller).id, source=content, filename="line.parquet"
    )
    assert [column["name"] for column in dataset.preview["columns"]] == list("abcdefgh")
    assert content.getbuffer().nbytes == dataset.size_bytes
