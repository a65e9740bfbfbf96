"""Data sets that a person looks at before they are imported, and their end."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp import dispatching
from prodapp.caller import Caller
from prodapp.datasets import drafts, service
from prodapp.datasets.jobs import import_dataset
from prodapp.datasets.workflow import IMPORTS
from prodapp.exceptions import Conflict, DataRefused, InvalidInput, NotFound
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import AuditEvent, Dataset, DatasetState, Machine
from prodapp.storage import storage
from prodapp.training import service as training
from prodapp.variables import ColumnSettings, TableSettings, remembered_variables, settings_from
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run, make_version
from tests.files import stored_keys

SETTINGS = TableSettings(
    columns=(
        ColumnSettings("heat", label="Oven heat", unit="°C", role="lever"),
        ColumnSettings("noise", role="consequence"),
    ),
    target="yield",
    sense="hold",
    goal=50.0,
)


def draft(caller: Caller, machine: Machine | None = None, **more: Any) -> Dataset:
    content = more.pop("content", make_csv())
    machine = machine or make_machine(caller)
    return service.register_dataset(
        caller,
        machine_id=machine.id,
        source=io.BytesIO(content),
        filename="production.csv",
        is_draft=True,
        **more,
    )


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.occurred_at)))


def test_a_draft_is_previewed_and_waits(any_app: Flask, caller: Caller) -> None:
    dataset = draft(caller)
    assert dataset.state == DatasetState.DRAFT
    assert dataset.preview["n_rows"] == 120
    assert dispatching.dispatch(IMPORTS) == 0
    import_dataset(dataset.id)  # a stray delivery
    db.session.refresh(dataset)
    assert dataset.state == DatasetState.DRAFT
    assert service.waiting_for(dataset) is None


def test_a_draft_is_read_anew_by_other_choices(any_app: Flask, caller: Caller) -> None:
    dataset = draft(caller, content=b"1;2,5\n" * 15 + b"3;4,5\n" * 15, overrides={"header": "yes"})
    assert dataset.preview["columns"][0]["name"] == "1"
    drafts.reread(caller, dataset.id, overrides={"header": "no"})
    assert dataset.overrides == {"header": "no"}
    assert dataset.preview["n_rows"] == 30
    assert dataset.state == DatasetState.DRAFT
    drafts.reread(caller, dataset.id, overrides={})
    assert dataset.overrides == {}
    assert actions().count("dataset.reread") == 2


@pytest.mark.parametrize("overrides", [{"other": "x"}, {"encoding": "klingon"}])
def test_choices_by_which_a_draft_cannot_be_read_leave_it_as_it_was(
    app: Flask, caller: Caller, overrides: dict[str, str]
) -> None:
    dataset = draft(caller)
    with pytest.raises((InvalidInput, DataRefused)):
        drafts.reread(caller, dataset.id, overrides=overrides)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.overrides) == (DatasetState.DRAFT, {})


def test_confirming_imports_and_remembers(any_app: Flask, caller: Caller) -> None:
    dataset = draft(caller, overrides={"decimal": "."})
    drafts.confirm(caller, dataset.id, settings=SETTINGS)
    assert dataset.state == DatasetState.QUEUED
    said = TableSettings.from_json(dataset.settings)
    assert (said.target, said.sense, said.goal) == ("yield", "hold", 50.0)
    machine = db.session.get_one(Machine, dataset.machine_id)
    assert machine.overrides == {"decimal": "."}
    kept = settings_from(remembered_variables(db.session(), machine.id))
    assert kept.columns[0] == ColumnSettings("heat", "Oven heat", "°C", "lever")
    assert (kept.target, kept.sense, kept.goal) == ("yield", "hold", 50.0)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert dataset.state == DatasetState.READY
    assert "dataset.confirmed" in actions()


def test_what_is_not_mentioned_stays_as_remembered(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    drafts.confirm(caller, draft(caller, machine).id, settings=SETTINGS)
    content = make_csv().replace(b"noise", b"sound", 1)
    settings = TableSettings(columns=(ColumnSettings("speed", unit="rpm"),))
    dataset = drafts.confirm(caller, draft(caller, machine, content=content).id, settings=settings)
    said = TableSettings.from_json(dataset.settings)
    assert [column.name for column in said.columns] == ["heat", "speed", "shift", "sound", "yield"]
    assert said.columns[0].label == "Oven heat"
    assert (said.target, said.sense) == ("yield", "hold")
    kept = settings_from(remembered_variables(db.session(), machine.id))
    # The column that this file lacks is not forgotten.
    assert kept.columns[-1] == ColumnSettings("noise", role="consequence")


def test_another_target_takes_the_place_of_the_one_before(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    drafts.confirm(caller, draft(caller, machine).id, settings=SETTINGS)
    drafts.confirm(caller, draft(caller, machine).id, settings=TableSettings(target="heat"))
    kept = settings_from(remembered_variables(db.session(), machine.id))
    assert (kept.target, kept.sense, kept.goal) == ("heat", None, None)
    roles = {column.name: column.role for column in kept.columns}
    assert (roles["heat"], roles["yield"]) == ("target", None)


def test_settings_of_columns_that_are_not_there_are_refused(app: Flask, caller: Caller) -> None:
    dataset = draft(caller)
    settings = TableSettings(columns=(ColumnSettings("heat"), ColumnSettings("x")), target="y")
    with pytest.raises(InvalidInput) as caught:
        drafts.confirm(caller, dataset.id, settings=settings)
    assert [field.pointer for field in caught.value.fields] == ["/columns/1/name", "/target"]
    db.session.refresh(dataset)
    assert dataset.state == DatasetState.DRAFT


def test_only_a_draft_can_be_read_anew_and_confirmed(app: Flask, caller: Caller) -> None:
    dataset = make_ready_dataset(caller)
    with pytest.raises(Conflict, match="Upload the file again"):
        drafts.reread(caller, dataset.id, overrides={})
    with pytest.raises(Conflict, match="Upload the file again"):
        drafts.confirm(caller, dataset.id, settings=TableSettings())


def test_of_two_who_confirm_at_once_one_is_told(any_app: Flask, caller: Caller) -> None:
    dataset = draft(caller)
    with command() as session:
        drafts._change_draft(session, dataset.id, state=DatasetState.QUEUED)
    with pytest.raises(Conflict, match="in the meantime"), command() as session:
        drafts._change_draft(session, dataset.id, state=DatasetState.QUEUED)


def test_a_draft_that_nobody_confirms_is_deleted_after_its_time(
    any_app: Flask, caller: Caller
) -> None:
    machine = make_machine(caller)
    forgotten, recent = draft(caller, machine), draft(caller, machine)
    old_but_ready = make_ready_dataset(caller, machine)
    before = forgotten.created_at - timedelta(days=drafts.DRAFT_DAYS, minutes=1)
    with command() as session:
        old = Dataset.id.in_([forgotten.id, old_but_ready.id])
        session.execute(update(Dataset).where(old).values(created_at=before))
    assert drafts.expire() == 1
    assert drafts.expire() == 0
    left = [row.id for row in service.list_datasets(caller, machine_id=machine.id).items]
    assert left == [old_but_ready.id, recent.id]
    assert actions().count("dataset.expired") == 1
    with pytest.raises(NotFound):
        drafts.confirm(caller, forgotten.id, settings=SETTINGS)


def test_a_draft_tells_until_when_it_is_kept(app: Flask, caller: Caller) -> None:
    dataset = draft(caller)
    until = drafts.expires_at(dataset)
    assert until is not None
    assert until - dataset.created_at == timedelta(days=drafts.DRAFT_DAYS)
    assert drafts.expires_at(make_ready_dataset(caller, dataset.machine)) is None


def test_training_waits_for_nobody_to_confirm(app: Flask, caller: Caller) -> None:
    dataset = draft(caller)
    with pytest.raises(Conflict, match="confirm first"):
        training.start_run(caller, dataset_id=dataset.id, specification={"target": "yield"})


def test_a_discarded_data_set_is_gone_and_so_are_its_files(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    ready = make_ready_dataset(caller, machine)
    other = draft(caller, machine, content=make_csv(seed=1))
    service.discard(caller, other.id)
    with pytest.raises(NotFound):
        service.discard(caller, other.id)
    assert [row.id for row in service.list_datasets(caller).items] == [ready.id]
    for key, deleted_at in machines.purge_deleted().items():
        storage().delete(key, unless_newer_than=deleted_at)
    assert sorted(Path(name).name for name in stored_keys()) == sorted(
        {ready.source_key, ready.table_key}
    )
    assert machines.purge_deleted() == {}
    assert actions()[-1] == "dataset.deleted"


def test_a_file_that_another_data_set_has_too_stays(any_app: Flask, caller: Caller) -> None:
    machine = make_machine(caller)
    kept, gone = draft(caller, machine), draft(caller, machine)
    assert kept.source_key == gone.source_key
    service.discard(caller, gone.id)
    assert machines.purge_deleted() == {}
    assert machines.living_files(db.session(), {kept.source_key}) == {kept.source_key}


def test_data_that_a_run_works_on_cannot_be_discarded(any_app: Flask, caller: Caller) -> None:
    run = make_run(caller)
    with pytest.raises(Conflict, match="not ended"):
        service.discard(caller, run.dataset_id)


def test_a_version_outlives_the_data_it_was_trained_on(any_app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    service.discard(caller, version.dataset_id)
    machines.purge_deleted()
    db.session.refresh(version)
    assert machines.living_files(db.session(), {version.artifact_key}) == {version.artifact_key}
    with pytest.raises(NotFound):
        training.retry_run(caller, version.run_id)
