"""A restored installation is the one that was backed up."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import func, inspect, select

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.backup import archive, restoration
from prodapp.backup.archive import Manifest, read_manifest
from prodapp.backup.restoration import restore
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, DataRefused
from prodapp.extensions import db, settings_of
from prodapp.models import AuditEvent, Dataset, Machine, ModelVersion, UserSession
from prodapp.presence import Kind, Presence
from prodapp.revisions import FOLDER
from prodapp.storage import storage
from tests.conftest import make_settings
from tests.factories import make_machine, make_run, make_version
from tests.unit.backup.conftest import Make, Rows, quiet, rows_now, without_backup_notes

if TYPE_CHECKING:
    from tests.services import Postgres

SQLITE_TO_SQLITE = pytest.mark.parametrize(
    ("filled", "empty_app"), [("sqlite", "sqlite")], indirect=True
)
TO_THE_OTHER = pytest.mark.parametrize(
    ("filled", "empty_app"), [("sqlite", "postgres"), ("postgres", "sqlite")], indirect=True
)
OLDEST = "c41f6d2b8e07"  # the first revision that can be backed up
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=ENGINES)
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """Another installation, on either database, without tables; not the current one."""
    environ = {}
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        environ["DATABASE_URL"] = server.create_database()
    app = create_app(make_settings(tmp_path / "elsewhere", **environ))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def saved(filled: Flask, make_backup: Make) -> tuple[Path, Rows]:
    """A backup, and the rows of the installation at that moment."""
    path = make_backup().path
    return path, without_backup_notes(rows_now())


def the_dataset() -> Dataset:
    return db.session.scalars(select(Dataset)).one()


def rewrite_manifest(path: Path, **changes: object) -> None:
    values = {**read_manifest(path).__dict__, **changes}
    for name in (archive.MANIFEST, archive.CHECKSUM):
        (path / name).unlink()
    archive.write_manifest(path, Manifest(**values))


def test_every_row_and_file_comes_back_whatever_the_databases(
    saved: tuple[Path, Rows], empty_app: Flask
) -> None:
    """From SQLite and PostgreSQL, to SQLite and PostgreSQL."""
    path, rows = saved
    with empty_app.app_context():
        restored = restore(path, is_replacing=False, progress=quiet)
        assert without_backup_notes(rows_now()) == rows
        for key in restored.manifest.files:
            with storage().local_path(key) as file:
                assert hashlib.sha256(file.read_bytes()).hexdigest() == key


@pytest.mark.postgres
@TO_THE_OTHER
def test_the_restored_installation_goes_on_with_new_ids(
    saved: tuple[Path, Rows], empty_app: Flask
) -> None:
    path, rows = saved
    with empty_app.app_context():
        restore(path, is_replacing=False, progress=quiet)
        made = make_machine(auth.system_caller(), name="After the restore")
        assert made.id == max(row["id"] for row in rows["machines"]) + 1
        version = make_version(auth.system_caller(), make_run(auth.system_caller(), the_dataset()))
        assert version.number == 2
        assert db.session.scalar(select(func.count(ModelVersion.id))) == 2


@SQLITE_TO_SQLITE
def test_everybody_has_to_sign_in_again(saved: tuple[Path, Rows], empty_app: Flask) -> None:
    path, _ = saved
    with empty_app.app_context():
        restore(path, is_replacing=False, progress=quiet)
        is_open = UserSession.revoked_at.is_(None)
        assert db.session.scalar(select(func.count(UserSession.id))) == 1
        assert db.session.scalar(select(func.count(UserSession.id)).where(is_open)) == 0


@SQLITE_TO_SQLITE
def test_a_restore_is_in_the_audit_trail(saved: tuple[Path, Rows], empty_app: Flask) -> None:
    path, _ = saved
    with empty_app.app_context():
        restore(path, is_replacing=False, progress=quiet)
        (event,) = db.session.scalars(
            select(AuditEvent).where(AuditEvent.action == "backup.restored")
        )
        assert event.subject == f"backup:{path.name}"


def test_an_installation_with_data_is_replaced_only_on_request(
    saved: tuple[Path, Rows], filled: Flask, owner: Caller
) -> None:
    path, rows = saved
    make_machine(owner, name="Made after the backup")
    with pytest.raises(Conflict, match="--replace"):
        restore(path, is_replacing=False, progress=quiet)
    assert db.session.scalar(select(func.count(Machine.id))) == 2
    restore(path, is_replacing=True, progress=quiet)
    assert without_backup_notes(rows_now()) == rows


def test_a_restore_that_fails_leaves_everything_as_it_was(
    saved: tuple[Path, Rows], filled: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = saved
    before = rows_now()

    def break_down(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restoration, "_end_what_was_open", break_down)
    with pytest.raises(KeyboardInterrupt):
        restore(path, is_replacing=True, progress=quiet)
    assert rows_now() == before
    assert without_backup_notes(before)["model_versions"]


def test_foreign_keys_are_watched_again_afterwards(saved: tuple[Path, Rows], filled: Flask) -> None:
    path, _ = saved
    restore(path, is_replacing=True, progress=quiet)
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@SQLITE_TO_SQLITE
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    saved: tuple[Path, Rows], empty_app: Flask
) -> None:
    path, _ = saved
    archive.table_path(path, "machines").write_bytes(b"")
    with empty_app.app_context():
        with pytest.raises(DataRefused, match="nothing was restored"):
            restore(path, is_replacing=False, progress=quiet)
        assert inspect(db.engine).get_table_names() == []


@SQLITE_TO_SQLITE
def test_tables_of_a_newer_prodapp_are_refused(saved: tuple[Path, Rows], empty_app: Flask) -> None:
    path, _ = saved
    rewrite_manifest(path, revision="ffffffffffff", prodapp="9.9")
    with empty_app.app_context(), pytest.raises(DataRefused, match=r"prodapp 9\.9"):
        restore(path, is_replacing=False, progress=quiet)


@pytest.mark.postgres
@TO_THE_OTHER
def test_a_running_installation_is_refused(saved: tuple[Path, Rows], empty_app: Flask) -> None:
    path, _ = saved
    with empty_app.app_context():
        instance = settings_of(empty_app).instance_path
        with (instance / "supervisor.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(Conflict, match="running here"):
                restore(path, is_replacing=True, progress=quiet)
        upgrade(directory=str(FOLDER))
        worker = Presence(Kind.WORKER, "some-host-1")
        worker.announce()
        with pytest.raises(Conflict, match="some-host-1"):
            restore(path, is_replacing=True, progress=quiet)
        worker.leave()
        restore(path, is_replacing=False, progress=quiet)


@pytest.mark.postgres
@TO_THE_OTHER
def test_a_backup_of_an_older_revision_is_brought_up_to_date(
    filled: Flask, make_backup: Make, empty_app: Flask
) -> None:
    """As made right before an upgrade: the new code saves the old tables."""
    machines = rows_now()["machines"]
    downgrade(directory=str(FOLDER), revision=OLDEST)
    path = make_backup().path
    assert read_manifest(path).revision == OLDEST
    with empty_app.app_context():
        restore(path, is_replacing=False, progress=quiet)
        assert rows_now()["machines"] == machines
        check(directory=str(FOLDER))  # ends the process where the tables are not the newest
