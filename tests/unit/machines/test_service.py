from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp.auth import service as auth
from prodapp.caller import Caller
from prodapp.dispatcher import tick
from prodapp.exceptions import Conflict, InvalidInput, NotFound
from prodapp.extensions import command, db
from prodapp.machines import overviews, service
from prodapp.models import AuditEvent, Dataset, DatasetState, Machine, RunState, TrainingRun
from prodapp.models.types import db_now
from prodapp.storage import storage
from prodapp.training import service as training
from tests.factories import (
    make_csv,
    make_dataset,
    make_machine,
    make_ready_dataset,
    make_run,
    make_version,
)
from tests.files import stored_keys


@pytest.fixture
def stranger(caller: Caller) -> Caller:
    """Somebody of another site."""
    return auth.system_caller(name="stranger", site="other plant")


def names(page: Any) -> list[str]:
    return [machine.name for machine in page.items]


def change(model: type[Any], row_id: int, **values: Any) -> None:
    with command() as session:
        session.execute(update(model).where(model.id == row_id).values(**values))
    db.session.expire_all()


# --- create and rename -------------------------------------------------------------------------


def test_a_machine_is_registered_under_its_tidy_name(any_app: Flask, caller: Caller) -> None:
    machine = service.create_machine(caller, name="  Prensa   nº 01 ")
    found = overviews.overview(caller, machine.id)
    assert (found.name, found.status) == ("Prensa nº 01", "created")
    assert (found.latest_run_id, found.champion_id, found.r2, found.top_variable) == (None,) * 4
    event = db.session.scalars(select(AuditEvent)).one()
    assert (event.action, event.subject) == ("machine.created", f"machine:{machine.id}")
    assert event.after == {"name": "Prensa nº 01"}


def test_a_name_that_cannot_be_is_refused(any_app: Flask, caller: Caller) -> None:
    for name in ("", " \t\n", "x" * 201, "a\x00b", "ß" * 120, "\ud800"):
        with pytest.raises(InvalidInput) as caught:
            service.create_machine(caller, name=name)
        assert caught.value.fields[0].pointer == "/name"
    assert not overviews.all_machines(caller)


def test_a_site_has_one_machine_of_a_name(any_app: Flask, caller: Caller, stranger: Caller) -> None:
    make_machine(caller, name="Prensa 01")
    for name in ("Prensa 01", "PRENSA 01", " prensa  01 "):
        with pytest.raises(Conflict, match="already a machine named"):
            service.create_machine(caller, name=name)
    assert service.create_machine(stranger, name="Prensa 01").site_id == stranger.site_id


def test_of_many_who_take_a_name_at_once_one_gets_it(any_app: Flask, caller: Caller) -> None:
    def create(_: int) -> bool:
        with any_app.app_context():
            try:
                service.create_machine(caller, name="Press")
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(create, range(4))) == 1
    db.session.rollback()
    assert len(overviews.all_machines(caller)) == 1


def test_the_name_of_a_deleted_machine_is_free(any_app: Flask, caller: Caller) -> None:
    first = make_machine(caller)
    service.delete_machine(caller, first.id)
    assert make_machine(caller).id != first.id


def test_renaming_keeps_the_machine_and_is_written_down(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller, name="Old")
    make_machine(caller, name="Taken")
    assert service.rename_machine(caller, machine.id, name="new").name == "new"
    assert service.rename_machine(caller, machine.id, name="NEW").name == "NEW"
    for name, error in (("taken", Conflict), ("", InvalidInput), ("x" * 300, InvalidInput)):
        with pytest.raises(error):
            service.rename_machine(caller, machine.id, name=name)
    db.session.rollback()
    assert overviews.overview(caller, machine.id).name == "NEW"
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "machine.renamed"))
    assert [(e.before, e.after) for e in events] == [
        ({"name": "Old"}, {"name": "new"}),
        ({"name": "new"}, {"name": "NEW"}),
    ]


# --- what one may not see ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        overviews.overview,
        overviews.story,
        service.delete_machine,
        lambda caller, machine_id: service.rename_machine(caller, machine_id, name="mine"),
    ],
    ids=["overview", "story", "delete", "rename"],
)
def test_machines_of_another_site_and_numbers_of_none_look_missing(
    app: Flask, caller: Caller, stranger: Caller, act: Callable[[Caller, int], Any]
) -> None:
    machine = make_machine(caller)
    deleted = make_machine(caller, name="deleted")
    service.delete_machine(caller, deleted.id)
    said = set()
    for who, machine_id in (
        (stranger, machine.id),
        (caller, deleted.id),
        (caller, 999),
        (caller, 0),
        (caller, -1),
        (caller, 2**63),
        (caller, 10**40),
    ):
        with pytest.raises(NotFound) as caught:
            act(who, machine_id)
        said.add(caught.value.message)
    assert len(said) == 1
    assert overviews.list_machines(stranger).total == 0
    assert not overviews.all_machines(stranger)
    assert names(overviews.list_machines(caller)) == ["Press 01"]


# --- lists -------------------------------------------------------------------------------------


FOUND = {
    "": 7,
    "   ": 7,
    "prensa": 2,
    "PRENSA": 2,
    "%": 1,
    "_": 1,
    "\\": 1,
    "máquina ção": 1,
    "ma\u0301quina": 1,
    "STRASSE": 1,
    "压力": 1,
    "prensa   10%": 1,
    "nothing": 0,
    "' OR 1=1 --": 0,
    "\x00": 0,
    "\ud800": 0,
    "x" * 10_000: 0,
}


def test_search_takes_every_character_for_itself(any_app: Flask, caller: Caller) -> None:
    for name in ("Prensa 10%", "prensa_x", "Máquina ÇÃO", "Straße", "Zebra", "压力机 3", "a\\b"):
        make_machine(caller, name=name)
    found = {q: overviews.list_machines(caller, q=q) for q in FOUND}
    assert {q: page.total for q, page in found.items()} == FOUND
    assert {q: len(page.items) for q, page in found.items()} == FOUND


def test_pages_part_the_list_without_gap_and_repetition(app: Flask, caller: Caller) -> None:
    expected = [f"Machine {n:02}" for n in range(7)]
    for name in reversed(expected):
        make_machine(caller, name=name)
    pages = [overviews.list_machines(caller, page=n, page_size=3) for n in (1, 2, 3, 4)]
    assert [name for page in pages for name in names(page)] == expected
    assert {page.total for page in pages} == {7}
    assert [page.has_next for page in pages] == [True, True, False, False]
    assert names(overviews.list_machines(caller, descending=True)) == expected[::-1]


def test_a_page_that_is_not_there_is_no_error(any_app: Flask, caller: Caller) -> None:
    make_machine(caller)
    for page in (0, -1, 10**6, 10**30):
        assert overviews.list_machines(caller, page=page).total == 1


def test_an_unknown_order_is_refused_with_those_that_exist(app: Flask, caller: Caller) -> None:
    with pytest.raises(InvalidInput, match="name, created_at, trained_at, r2"):
        overviews.list_machines(caller, sort="password_hash")


def test_lists_show_and_sort_by_the_champion(any_app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    make_machine(caller, name="A new one")
    trained = overviews.overview(caller, version.machine_id)
    assert trained.status == "completed"
    assert trained.champion_id == version.id
    assert trained.r2 == pytest.approx(version.metrics["r2"])
    assert trained.explains is True
    assert (trained.target, trained.top_variable) == ("yield", "heat")
    for sort in ("r2", "trained_at"):
        for descending in (False, True):  # what was never trained comes last, either way
            page = overviews.list_machines(caller, sort=sort, descending=descending)
            assert names(page) == ["Press 01", "A new one"]
    assert names(overviews.list_machines(caller, sort="created_at")) == ["Press 01", "A new one"]
    assert names(overviews.list_machines(caller, status="completed")) == ["Press 01"]
    assert names(overviews.list_machines(caller, status="created")) == ["A new one"]


@pytest.mark.parametrize(
    ("state", "without_champion", "with_champion"),
    [
        (None, "created", "created"),
        ("queued", "queued", "queued"),
        ("retry_wait", "queued", "queued"),
        ("running", "training", "training"),
        ("publishing", "training", "training"),
        ("waiting_external", "training", "training"),
        ("succeeded", "completed", "completed"),
        ("failed", "failed", "completed"),
        ("canceled", "created", "completed"),
    ],
)
def test_status_follows_the_latest_run_and_the_champion(
    state: str | None, without_champion: str, with_champion: str
) -> None:
    assert overviews.machine_status(state, has_champion=False) == without_champion
    assert overviews.machine_status(state, has_champion=True) == with_champion


def test_the_filter_agrees_with_the_status_for_every_state(any_app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    new = make_run(caller, make_ready_dataset(caller, make_machine(caller, name="no champion")))
    latest = training.start_run(
        caller, dataset_id=version.dataset_id, specification=version.specification
    )
    statuses = ("created", "queued", "training", "completed", "failed")
    for state in RunState:
        for run in (new, latest):
            change(TrainingRun, run.id, state=state)
        shown = {machine.id: machine.status for machine in overviews.all_machines(caller)}
        filtered = {
            machine.id: status
            for status in statuses
            for machine in overviews.list_machines(caller, status=status).items
        }
        assert shown == filtered
    assert overviews.list_machines(caller, status="nonsense").total == 0


def test_a_story_is_told_newest_first(app: Flask, caller: Caller) -> None:
    first = make_version(caller)
    second = make_version(caller, make_run(caller, first.dataset))
    story = overviews.story(caller, first.machine_id)
    assert story.champion is not None
    assert story.champion.id == second.id
    assert [version.number for version in story.versions] == [2, 1]
    assert len(story.runs) == 2
    assert len(story.datasets) == 1


# --- delete and purge --------------------------------------------------------------------------


def n_files() -> int:
    return len(stored_keys())


def purge() -> None:
    for key, deleted_at in service.purge_deleted().items():
        storage().delete(key, unless_newer_than=deleted_at)


def test_deleting_hides_everything_of_a_machine(any_app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    machine_id = version.machine_id
    service.delete_machine(caller, machine_id)
    for missing in (
        lambda: overviews.overview(caller, machine_id),
        lambda: training.run_of(caller, version.run_id),
    ):
        with pytest.raises(NotFound):
            missing()
    assert training.list_runs(caller).total == 0
    with pytest.raises(NotFound):
        service.delete_machine(caller, machine_id)
    actions = db.session.scalars(select(AuditEvent.action)).all()
    assert actions.count("machine.deleted") == 1


def test_of_many_who_delete_at_once_one_does(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)

    def delete(_: int) -> bool:
        with any_app.app_context():
            try:
                service.delete_machine(caller, machine.id)
            except NotFound:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(delete, range(4))) == 1


def test_the_files_of_a_deleted_machine_go(any_app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    assert n_files() == 4  # the upload, the table, the artifact, the held-out samples
    assert service.purge_deleted() == {}
    service.delete_machine(caller, version.machine_id)
    purge()
    assert n_files() == 0
    assert service.purge_deleted() == {}


def test_files_stay_until_the_run_that_uses_them_has_ended(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    change(TrainingRun, run.id, state=RunState.RUNNING)
    service.delete_machine(caller, run.machine_id)
    db.session.refresh(run)
    assert run.cancel_requested_at is not None
    purge()
    assert n_files() == 2
    change(TrainingRun, run.id, state=RunState.CANCELED)
    purge()
    assert n_files() == 0


def test_files_stay_until_the_import_that_writes_them_has_ended(
    any_app: Flask, caller: Caller
) -> None:
    dataset = make_dataset(caller)
    change(Dataset, dataset.id, state=DatasetState.IMPORTING)
    service.delete_machine(caller, dataset.machine_id)
    assert service.purge_deleted() == {}
    table = storage().put(io.BytesIO(b"a table"))
    change(Dataset, dataset.id, state=DatasetState.READY, table_key=table.key)
    change(Machine, dataset.machine_id, deleted_at=db_now(5))
    purge()
    assert n_files() == 0


def test_files_that_another_machine_has_too_are_spared(any_app: Flask, caller: Caller) -> None:
    content = make_csv(seed=3)
    first = make_ready_dataset(caller, content=content)
    second = make_ready_dataset(caller, make_machine(caller, name="twin"), content=content)
    assert first.source_key == second.source_key
    assert n_files() == 2
    service.delete_machine(caller, first.machine_id)
    purge()
    assert n_files() == 2
    service.delete_machine(caller, second.machine_id)
    purge()
    assert n_files() == 0


def test_a_file_that_was_put_again_since_is_spared(any_app: Flask, caller: Caller) -> None:
    dataset = make_dataset(caller)
    service.delete_machine(caller, dataset.machine_id)
    keys = service.purge_deleted()
    with storage().open(dataset.source_key) as file:
        again = make_dataset(caller, make_machine(caller, name="again"), content=file.read())
    for key, deleted_at in keys.items():
        storage().delete(key, unless_newer_than=deleted_at)
    assert again.source_key == dataset.source_key
    storage().open(again.source_key).close()


def test_the_dispatcher_removes_what_was_deleted(app: Flask, caller: Caller) -> None:
    service.delete_machine(caller, make_run(caller).machine_id)
    assert tick()
    assert n_files() == 0
    assert db.session.scalars(select(TrainingRun.state)).all() == ["canceled"]
