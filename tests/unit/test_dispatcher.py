"""One round of the dispatcher's duties."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from prodapp import dispatcher
from prodapp.caller import Caller
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import RunState, TrainingRun
from prodapp.storage import storage
from prodapp.training import service as training
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

    monkeypatch.setattr(training, "reap", break_down)
    assert dispatcher.tick() is True
    assert db.session.get_one(TrainingRun, run.id).state == RunState.CANCELED


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
    with pytest.raises(Exception, match="missing from the storage"), storage().local_path(key):
        pass
