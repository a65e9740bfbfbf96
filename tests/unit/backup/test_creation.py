"""Backups that are whole or not there."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from prodapp import dispatcher, presence
from prodapp.backup import archive, creation, verification
from prodapp.backup.archive import find_backups, read_manifest
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, Unavailable
from prodapp.extensions import command, db
from prodapp.machines import service as machines
from prodapp.models import Machine, ModelVersion, ProcessPresence, TrainingRun
from prodapp.models.file_references import FILE_COLUMNS
from prodapp.models.types import db_now
from prodapp.storage import storage
from prodapp.training.jobs import run_training
from tests.factories import make_csv, make_machine, make_ready_dataset, make_run, make_version
from tests.unit.backup.conftest import Make, quiet


def make_own_run(owner: Caller, name: str) -> TrainingRun:
    """A run on a machine and data of its own, which shares no file with others."""
    machine = make_machine(owner, name=name)
    content = make_csv(seed=sum(name.encode()))
    return make_run(owner, make_ready_dataset(owner, machine, content=content))


def test_a_backup_holds_every_row_and_every_file_they_speak_of(
    filled: Flask, make_backup: Make
) -> None:
    made = make_backup()
    manifest = read_manifest(made.path)
    assert manifest == made.manifest
    assert manifest.engine == db.engine.dialect.name
    assert manifest.tables.keys() == set(db.metadata.tables) - {"process_presences"}
    assert all(entry.n_rows for entry in manifest.tables.values())
    for name, entry in manifest.tables.items():
        content = archive.table_path(made.path, name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry.sha256
        assert len(content.splitlines()) == entry.n_rows
    assert len(manifest.files) == len(FILE_COLUMNS)
    for key in manifest.files:
        content = archive.file_path(made.path, key).read_bytes()
        assert hashlib.sha256(content).hexdigest() == key
    assert manifest.missing == ()


def test_the_manifest_can_be_checked_without_prodapp(filled: Flask, make_backup: Make) -> None:
    path = make_backup().path
    told, name = (path / archive.CHECKSUM).read_text().split()
    assert hashlib.sha256((path / name).read_bytes()).hexdigest() == told
    assert json.loads((path / name).read_text())["format"] == 1


def test_only_the_owner_may_read_a_backup(filled: Flask, make_backup: Make) -> None:
    path = make_backup().path
    for found in (path, *path.rglob("*")):
        wanted = 0o700 if found.is_dir() else 0o600
        assert stat.S_IMODE(found.stat().st_mode) == wanted, found


def test_what_happens_after_the_moment_is_not_in_it_and_harms_nothing(
    filled: Flask,
    owner: Caller,
    make_backup: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A run publishes and a machine is deleted and purged between the rows and the files."""
    doomed = make_version(owner, make_own_run(owner, "Doomed"))
    later = make_own_run(owner, "Later")
    real = creation._copy_files

    def meddle(*args: object) -> dict[str, int]:
        run_training(later.id)
        machines.delete_machine(owner, doomed.machine_id)
        dispatcher.tick()
        dispatcher.sweep()
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(creation, "_copy_files", meddle)
    made = make_backup()
    assert verification.verify(made.path, progress=quiet).problems == ()
    assert doomed.artifact_key in made.manifest.files
    assert made.manifest.tables["model_versions"].n_rows == 2
    assert db.session.get_one(Machine, doomed.machine_id).purged_at is not None
    dispatcher.tick()
    assert db.session.query(ModelVersion).filter_by(run_id=later.id).count() == 1


def test_files_of_a_purged_machine_are_not_asked_for(
    filled: Flask, owner: Caller, make_backup: Make
) -> None:
    version = make_version(owner, make_own_run(owner, "Doomed"))
    machines.delete_machine(owner, version.machine_id)
    dispatcher.tick()
    made = make_backup()
    assert version.artifact_key not in made.manifest.files
    assert verification.verify(made.path, progress=quiet).problems == ()


def test_a_file_that_the_installation_lacks_is_told_and_the_rest_is_saved(
    filled: Flask, make_backup: Make
) -> None:
    (version,) = db.session.query(ModelVersion).all()
    db.session.rollback()
    older = make_backup()
    with storage().local_path(version.artifact_key) as path:
        path.write_bytes(b"other bytes")
    made = make_backup(keep=1)
    assert made.manifest.missing == (version.artifact_key,)
    assert len(made.manifest.files) == len(FILE_COLUMNS) - 1
    assert made.removed == ()
    assert older.path.exists()
    (problem,) = verification.verify(made.path, progress=quiet).problems
    assert not problem.is_damage


def test_only_the_newest_are_kept(filled: Flask, make_backup: Make, tmp_path: Path) -> None:
    first, second = make_backup(), make_backup()
    third = make_backup(keep=2)
    assert third.removed == (first.path,)
    kept = [path for path, _ in find_backups(tmp_path / "backups")]
    assert kept == [second.path, third.path]


def test_a_backup_that_is_cut_short_is_never_found(
    filled: Flask, make_backup: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def break_down(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(archive, "write_manifest", break_down)
        with pytest.raises(KeyboardInterrupt):
            make_backup()
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [".lock"]
    assert not presence.are_files_held()


def test_the_remains_of_a_killed_backup_go_with_the_next(
    filled: Flask, make_backup: Make, tmp_path: Path
) -> None:
    remains = tmp_path / "backups" / f"{archive.DRAFT}prodapp-20260101T000000Z" / "tables"
    remains.mkdir(parents=True)
    made = make_backup()
    assert not remains.parent.exists()
    assert [path for path, _ in find_backups(tmp_path / "backups")] == [made.path]


def test_two_backups_do_not_write_into_one_folder(
    filled: Flask, make_backup: Make, tmp_path: Path
) -> None:
    with archive.new_backup(tmp_path / "backups") as draft:
        with pytest.raises(Conflict, match="Another backup"):
            make_backup()
        archive.write_manifest(draft, _empty_manifest())
    assert len(find_backups(tmp_path / "backups")) == 1


def test_a_backup_whose_hold_lapsed_is_given_up(
    filled: Flask, make_backup: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As when the process was paused for minutes: files may have gone meanwhile."""
    real = creation._copy_files

    def oversleep(*args: object) -> dict[str, int]:
        with command() as session:
            session.execute(update(ProcessPresence).values(seen_at=db_now(-120)))
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(creation, "_copy_files", oversleep)
    with pytest.raises(Conflict, match="Try again"):
        make_backup()
    assert find_backups(tmp_path / "backups") == []


def test_writers_go_on_during_the_snapshot(filled: Flask, owner: Caller) -> None:
    with creation._snapshot() as connection:
        seen = connection.exec_driver_sql("SELECT count(*) FROM training_runs").scalar()
        make_own_run(owner, "Meanwhile")
        again = connection.exec_driver_sql("SELECT count(*) FROM training_runs").scalar()
    db.session.rollback()
    assert (seen, again) == (1, 1)
    assert db.session.query(TrainingRun).count() == 2


def test_a_database_without_tables_is_told(filled: Flask, owner: Caller, tmp_path: Path) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(Unavailable, match="flask db upgrade"):
        creation.create(owner, tmp_path / "backups", keep=None, progress=quiet)


def test_a_folder_that_cannot_be_written_is_told(
    filled: Flask, owner: Caller, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Conflict, match="cannot be written"):
        creation.create(owner, tmp_path / "file", keep=None, progress=quiet)


def _empty_manifest() -> archive.Manifest:
    return archive.Manifest(1, "0", "0", "sqlite", "2026-01-01", {}, {}, ())


@pytest.fixture(autouse=True)
def nothing_is_held_afterwards(filled: Flask) -> Iterator[None]:
    yield
    with command() as session:
        assert session.query(ProcessPresence).filter_by(kind="backup").count() == 0
