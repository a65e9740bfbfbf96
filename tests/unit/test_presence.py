"""Signs of life, and who may remove files while a backup is written."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from prodapp import dispatcher, presence
from prodapp.caller import Caller
from prodapp.exceptions import Conflict
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import ProcessPresence
from prodapp.models.types import db_now
from prodapp.presence import Heartbeat, Kind, Presence, held_files, present
from prodapp.storage import storage
from tests.factories import make_version


def fall_silent(seconds: float = presence.LAPSE_SECONDS + 1) -> None:
    """As if every process had last been seen so long ago."""
    with command() as session:
        session.execute(update(ProcessPresence).values(seen_at=db_now(-seconds)))


def test_a_process_is_here_from_its_first_beat_to_its_end(any_app: Flask) -> None:
    heartbeat = Heartbeat(Kind.WORKER, "w-1")
    assert present(Kind.WORKER) == []
    heartbeat.beat()
    assert [row.name for row in present(Kind.WORKER)] == ["w-1"]
    assert present(Kind.DISPATCHER) == []
    heartbeat.stop()
    assert present(Kind.WORKER) == []


def test_who_falls_silent_is_not_here_and_comes_back_with_the_next_beat(any_app: Flask) -> None:
    Heartbeat(Kind.DISPATCHER, "d-1").beat()
    fall_silent()
    assert present(Kind.DISPATCHER) == []
    Heartbeat(Kind.DISPATCHER, "d-1").beat()
    assert [row.name for row in present(Kind.DISPATCHER)] == ["d-1"]


def test_rows_of_those_long_gone_do_not_pile_up(any_app: Flask) -> None:
    Presence(Kind.WORKER, "killed").announce()
    fall_silent(seconds=3600)
    Presence(Kind.WORKER, "new").announce()
    assert db.session.scalar(select(func.count(ProcessPresence.id))) == 1


def test_a_host_with_a_right_clock_is_seen_so(any_app: Flask) -> None:
    Heartbeat(Kind.WORKER, "w-1").beat()
    (row,) = present(Kind.WORKER)
    assert abs(row.host_time - row.seen_at) < timedelta(seconds=1)


def test_beats_survive_a_database_that_is_away(app: Flask) -> None:
    ProcessPresence.__table__.drop(db.engine)
    heartbeat = Heartbeat(Kind.WORKER, "w-1")
    heartbeat.beat()
    heartbeat.stop()


def test_a_hold_ends_with_its_block_even_by_an_error(any_app: Flask) -> None:
    with suppress(ZeroDivisionError), held_files():
        assert presence.are_files_held()
        raise ZeroDivisionError
    assert not presence.are_files_held()


def test_a_hold_that_lapsed_is_noticed_and_not_revived(any_app: Flask) -> None:
    with held_files() as hold:
        hold.confirm()
        fall_silent()
        assert not presence.are_files_held()
        with pytest.raises(Conflict, match="Try again"):
            hold.confirm()
        assert not presence.are_files_held()


def test_files_of_a_machine_that_is_purged_during_a_backup_stay_until_its_end(
    any_app: Flask, caller: Caller
) -> None:
    version = make_version(caller)
    with held_files():
        machines.delete_machine(caller, version.machine_id)
        dispatcher.tick()
        with storage().local_path(version.artifact_key) as path:
            os.utime(path, (0, 0))
        dispatcher.sweep()
        assert path.exists()
    dispatcher.sweep()
    assert not path.exists()
