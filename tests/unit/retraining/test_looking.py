"""Watched folders: what is taken, once, and what is set aside."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from prodapp.caller import Caller
from prodapp.datasets.jobs import import_dataset
from prodapp.exceptions import Conflict, InvalidInput, NotFound, Unavailable
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import (
    Dataset,
    FileState,
    Machine,
    ModelVersion,
    Schedule,
    ScheduledFile,
    TrainingRun,
)
from prodapp.models.types import db_now
from prodapp.retraining import looking, service, taking
from prodapp.retraining.outcome import outcome_of, problem_of
from prodapp.schedules import Plan
from prodapp.training import jobs
from prodapp.variables import TableSettings, write_variables
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run, make_version
from tests.receivers import Receiver
from tests.unit.retraining.conftest import CRON, list_roots
from tests.unit.webhooks.conftest import make, messages


def put(folder: Path, name: str, content: bytes, *, age: float = 60.0) -> Path:
    """A file that was written some time ago."""
    path = folder / name
    path.write_bytes(content)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def look() -> int:
    """One round of a dispatcher after the time has come; how many looks it began."""
    with command() as session:
        session.execute(
            update(Schedule)
            .where(Schedule.next_attempt_at.is_not(None))
            .values(next_attempt_at=db_now(-1))
            .execution_options(synchronize_session=False)
        )
    n_begun = looking.look_due(wait=True)
    db.session.rollback()
    db.session.expire_all()
    return n_begun


def files() -> list[ScheduledFile]:
    return list(db.session.scalars(select(ScheduledFile).order_by(ScheduledFile.id)))


def n_rows(model: type[Any]) -> int:
    return len(db.session.scalars(select(model)).all())


def test_a_new_file_becomes_a_data_set_and_a_run_once(machine: Machine, folder: Path) -> None:
    put(folder, "monday.csv", make_csv())
    assert look() == 1
    (file,) = files()
    assert (file.state, file.name) == (FileState.TAKEN, "monday.csv")
    run = db.session.get_one(TrainingRun, file.run_id)
    assert (run.target, run.dataset_id) == ("yield", file.dataset_id)
    assert outcome_of(file) == "training"
    assert look() == 1
    assert (n_rows(Dataset), n_rows(TrainingRun)) == (1, 1)
    put(folder, "monday.csv", make_csv(seed=1), age=40)  # written anew: another file
    look()
    assert (len(files()), n_rows(TrainingRun)) == (2, 2)


def test_a_version_in_use_is_trained_again_and_the_rule_decides_on_the_new_one(
    caller: Caller, machine: Machine, folder: Path
) -> None:
    former = make_version(caller, _run_on(caller, machine))
    put(folder, "tuesday.csv", make_csv(seed=2))
    look()
    (file,) = files()
    assert file.dataset_id is not None
    assert file.run_id is not None
    run = db.session.get_one(TrainingRun, file.run_id)
    assert run.specification == former.specification
    import_dataset(file.dataset_id)
    jobs.run_training(run.id)
    db.session.expire_all()
    assert outcome_of(file) == "trained"
    made = db.session.scalars(select(ModelVersion).where(ModelVersion.run_id == run.id)).one()
    assert (made.is_champion, former.is_champion) == (True, False)  # the rule says: the newest


def _run_on(caller: Caller, machine: Machine) -> TrainingRun:
    return make_run(caller, make_ready_dataset(caller, machine))


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"", b"a,b\n1,2\n2,3\n3,4\n"])
def test_a_file_that_cannot_be_trained_on_is_set_aside_and_left_alone(
    machine: Machine, folder: Path, content: bytes
) -> None:
    put(folder, "bad.csv", content)
    put(folder, "sound.csv", make_csv())
    look()
    bad, sound = sorted(files(), key=lambda file: file.name == "sound.csv")
    assert (bad.state, sound.state) == (FileState.SET_ASIDE, FileState.TAKEN)
    assert bad.error_code
    assert bad.error_message
    look()
    assert len(files()) == 2
    assert n_rows(Dataset) == 1


def test_a_file_without_columns_of_the_version_in_use_is_set_aside(
    caller: Caller, machine: Machine, folder: Path
) -> None:
    make_version(caller, _run_on(caller, machine))
    lines = make_csv().decode().splitlines()
    shorter = "\n".join(line.partition(",")[2] for line in lines)
    put(folder, "short.csv", shorter.encode())
    look()
    (file,) = files()
    assert (file.error_code, file.error_params) == ("columns_missing", {"columns": "heat"})


def test_a_machine_of_which_nothing_is_known_says_so(caller: Caller, folder: Path) -> None:
    machine = make_machine(caller)
    service.set_schedule(caller, machine.id, Plan(str(folder), CRON))
    put(folder, "a.csv", make_csv())
    look()
    assert files()[0].error_code == "no_target"


def test_a_file_set_aside_is_taken_again_when_asked_for(
    caller: Caller, machine: Machine, folder: Path
) -> None:
    with command() as session:
        write_variables(session, machine.id, TableSettings(target="nothing"))
    put(folder, "a.csv", make_csv())
    look()
    (file,) = files()
    assert file.state == FileState.SET_ASIDE
    with command() as session:
        write_variables(session, machine.id, TableSettings(target="yield"))
    service.take_again(caller, machine.id, file.id)
    assert looking.look_due(wait=True) == 1
    db.session.rollback()
    db.session.expire_all()
    assert files()[0].state == FileState.TAKEN
    with pytest.raises(Conflict):
        service.take_again(caller, machine.id, file.id)


def test_what_is_not_meant_is_left_where_it_is(
    machine: Machine, folder: Path, tmp_path: Path
) -> None:
    secret = put(tmp_path, "secret.csv", make_csv())
    (folder / "link.csv").symlink_to(secret)
    (folder / "deeper.csv").mkdir()
    put(folder, "fresh.csv", make_csv(), age=0)
    put(folder, "notes.txt", make_csv())
    put(folder, ".hidden.csv", make_csv())
    put(folder, "coming.csv.part", make_csv())
    os.mkfifo(folder / "pipe.csv")
    look()
    assert files() == []


def test_a_folder_that_leads_out_of_the_roots_is_refused(
    app: Flask, caller: Caller, machine: Machine, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    for wrong in (str(folder / "out"), str(tmp_path), f"{folder}/../../x", "press", "/", ""):
        with pytest.raises(InvalidInput) as refused:
            service.set_schedule(caller, machine.id, Plan(wrong, CRON))
        assert refused.value.fields[0].pointer == "/folder"


def test_a_folder_that_is_away_or_not_listed_any_more_is_told_and_looked_at_later(
    app: Flask, caller: Caller, machine: Machine, folder: Path
) -> None:
    folder.rmdir()
    look()
    schedule = service.schedule_of(caller, machine.id)
    assert schedule.problem_code == "no_folder"
    assert schedule.next_attempt_at is not None
    list_roots(app)
    look()
    assert service.schedule_of(caller, machine.id).problem_code == "folder_not_listed"
    list_roots(app, folder.parent)
    folder.mkdir()
    look()
    assert problem_of(service.schedule_of(caller, machine.id)) is None


def test_what_is_away_on_our_side_is_not_the_files_fault(
    machine: Machine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.csv", make_csv())

    def be_away(*_args: Any, **_named: Any) -> None:
        raise Unavailable("The store does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(taking.datasets, "register_dataset", be_away)
        look()
    assert files()[0].state == FileState.FOUND
    look()
    assert files()[0].state == FileState.TAKEN


def test_a_try_that_died_in_the_middle_is_gone_on_with_and_makes_nothing_twice(
    machine: Machine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.csv", make_csv())

    def die(*_args: Any, **_named: Any) -> None:
        raise RuntimeError("killed")

    for place in ("start_run", None):
        with monkeypatch.context() as patch:
            if place is not None:
                patch.setattr(taking.training, place, die)
            else:
                patch.setattr(taking, "_write", die)
            look()
        assert files()[0].state == FileState.FOUND
    look()
    assert files()[0].state == FileState.TAKEN
    assert (n_rows(Dataset), n_rows(TrainingRun)) == (1, 1)


def test_of_several_dispatchers_one_looks(app: Flask, machine: Machine, folder: Path) -> None:
    put(folder, "a.csv", make_csv())
    with command() as session:
        session.execute(update(Schedule).values(next_attempt_at=db_now(-1)))
    start, begun = threading.Barrier(4), []

    def tick() -> None:
        with app.app_context():
            start.wait()
            begun.append(looking.look_due(wait=True))
            db.session.remove()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert sum(begun) == 1
    assert (n_rows(Dataset), n_rows(TrainingRun)) == (1, 1)


def test_a_schedule_that_is_off_or_whose_machine_is_gone_looks_at_nothing(
    caller: Caller, machine: Machine, folder: Path
) -> None:
    put(folder, "a.csv", make_csv())
    service.set_schedule(caller, machine.id, Plan(str(folder), CRON, is_active=False))
    assert look() == 0
    with pytest.raises(Conflict):
        service.look_now(caller, machine.id)
    service.set_schedule(caller, machine.id, Plan(str(folder), CRON))
    machines.delete_machine(caller, machine.id)
    assert look() == 1
    assert look() == 0
    assert files() == []
    with pytest.raises(NotFound):
        service.schedule_of(caller, machine.id)


def test_webhooks_are_told_of_a_file_that_was_set_aside(
    caller: Caller, machine: Machine, folder: Path, listed: Receiver
) -> None:
    make(caller, listed, "file.set_aside")
    put(folder, "empty.csv", b"")
    look()
    (message,) = messages()
    data = message.payload["data"]
    assert (message.event, data["file"], data["machine_id"]) == (
        "file.set_aside",
        "empty.csv",
        machine.id,
    )
    assert data["error"]["code"]
    assert data["error"]["detail"]
