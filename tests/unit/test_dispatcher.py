"""One round of the dispatcher's duties."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from prodapp import dispatcher, dispatching, lifelines
from prodapp.caller import Caller
from prodapp.exceptions import NotFound
from prodapp.extensions import command, db, settings_of
from prodapp.machines import service as machines
from prodapp.models import RunState, TrainingRun
from prodapp.storage import storage
from prodapp.training.workflow import RUNS
from tests.factories import make_run, make_version


def test_a_tick_over_an_empty_house_is_quiet(any_app: Flask) -> None:
    assert dispatcher.tick() is True


def test_a_duty_that_fails_does_not_keep_the_others_from_theirs(
    app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(caller)
    machines.delete_machine(caller, run.machine_id)

    def break_down() -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr(dispatching, "reap", break_down)
    assert dispatcher.tick() is True
    assert db.session.get_one(TrainingRun, run.id).state == RunState.CANCELED


def test_the_work_of_a_killed_worker_of_this_host_is_taken_back_at_once(
    any_app: Flask, caller: Caller
) -> None:
    names = [f"{lifelines.host_prefix()}{end}" for end in ("killed", "elsewhere")]
    run = make_run(caller)
    runs = [run, make_run(caller, run.dataset)]
    with command() as session:
        for run, name in zip(runs, names, strict=True):
            RUNS.claim(session, run.id, worker_name=name)
    folder = settings_of(any_app).lifelines_folder
    folder.mkdir()
    (folder / f"{names[0]}{lifelines.SUFFIX}").touch()  # nobody holds its lock
    dispatcher.bury()
    states = [db.session.get_one(TrainingRun, run.id) for run in runs]
    assert [(run.state, run.n_lost) for run in states] == [
        (RunState.RETRY_WAIT, 1),
        (RunState.RUNNING, 0),
    ]
    assert lifelines.ended(folder) == []


def test_a_database_that_is_away_ends_the_round_without_a_crash(app: Flask) -> None:
    with command() as session:
        session.execute(text("DROP TABLE variable_rankings"))
        session.execute(text("DROP TABLE model_versions"))
        session.execute(text("DROP TABLE callback_deliveries"))
        session.execute(text("DROP TABLE training_runs"))
    assert dispatcher.tick() is False


def test_the_files_of_a_deleted_machine_go(any_app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    key = version.artifact_key
    machines.delete_machine(caller, version.machine_id)
    dispatcher.tick()
    with pytest.raises(NotFound), storage().local_path(key):
        pass


def age(path: Path) -> None:
    """As if the file had been there for an hour."""
    then = time.time() - 3600
    os.utime(path, (then, then))


def test_the_sweep_removes_old_files_that_nothing_refers_to(any_app: Flask, caller: Caller) -> None:
    version = make_version(caller)
    orphan, young = storage().put(io.BytesIO(b"orphan")), storage().put(io.BytesIO(b"young"))
    for key in (orphan.key, version.artifact_key, version.dataset.source_key):
        with storage().local_path(key) as path:
            age(path)
    dispatcher.sweep()
    for key in (young.key, version.artifact_key, version.dataset.source_key):
        with storage().local_path(key) as path:
            assert path.is_file()
    with pytest.raises(NotFound), storage().local_path(orphan.key):
        pass


def test_the_sweep_clears_drafts_that_a_process_left_behind(app: Flask) -> None:
    scratch = storage().scratch
    left, fresh = scratch / "left", scratch / "fresh"
    for path in (left, fresh):
        path.write_bytes(b"half an upload")
    age(left)
    dispatcher.sweep()
    assert (left.exists(), fresh.exists()) == (False, True)
