"""Each kind of damage is planted, seen by its name, and mended where that is safe."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from prodapp.backup import archive, creation
from prodapp.caller import Caller
from prodapp.config import KEY_FILE
from prodapp.doctor import database, host
from prodapp.doctor.examination import Diagnosis, examine
from prodapp.extensions import command, db, settings_of
from prodapp.machines import service as machines
from prodapp.models import (
    BatchState,
    ChampionChange,
    Dataset,
    DatasetState,
    ModelVersion,
    Prediction,
    PredictionBatch,
    ProcessPresence,
    RunState,
    TrainingRun,
    VariableRanking,
)
from prodapp.models.types import db_now
from prodapp.predictions import batches
from prodapp.predictions.versions import named_version
from prodapp.presence import Heartbeat, Kind, held_files
from prodapp.storage import storage
from tests.factories import make_csv, make_run, make_version

OLD = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def quiet(stage: str, done: int, whole: int) -> None:
    """Nobody looks at the progress."""


def diagnoses(*, is_fixing: bool = False, is_quick: bool = False) -> list[Diagnosis]:
    found = examine(
        is_fixing=is_fixing, is_quick=is_quick, backups=archive.default_folder(), progress=quiet
    )
    db.session.remove()
    # The tests have no queue server; it has a test of its own.
    return [item for item in found if item.finding.code != "queue_away"]


def codes(**how: bool) -> list[str]:
    return [item.finding.code for item in diagnoses(**how)]


def assert_named(code: str, *, is_mended: bool) -> None:
    """``code`` is all that is found; with ``is_mended`` the mending leaves nothing to find."""
    (found,) = diagnoses()
    assert found.finding.code == code
    assert not found.is_mended
    assert found.finding.message % found.finding.params
    assert found.finding.advice % found.finding.params
    (found,) = diagnoses(is_fixing=True)
    assert (found.finding.code, found.is_mended) == (code, is_mended)
    assert codes() == ([] if is_mended else [code])


@pytest.fixture(autouse=True)
def somebody_works(filled: Flask) -> Iterator[None]:
    """A worker and a dispatcher that are here, and no other sign of life."""
    with command() as session:
        session.execute(delete(ProcessPresence))
    for kind in (Kind.WORKER, Kind.DISPATCHER):
        Heartbeat(kind, f"{kind}-1").beat()
    yield
    db.session.rollback()


def the(model: type[ModelVersion] | type[Dataset] | type[TrainingRun]) -> int:
    """The id of the one row there is."""
    row_id = db.session.scalar(select(model.id))
    db.session.rollback()
    assert row_id is not None
    return row_id


def key_of(column: object) -> str:
    key = db.session.scalar(select(column))  # type: ignore[call-overload]
    db.session.rollback()
    assert isinstance(key, str)
    return key


def test_a_healthy_installation_has_no_findings(filled: Flask) -> None:
    assert codes() == []
    assert codes(is_fixing=True) == []


# --- Files ---


@pytest.mark.parametrize(
    "column", [Dataset.source_key, Dataset.table_key, ModelVersion.artifact_key]
)
def test_a_missing_file_is_named_with_its_row(filled: Flask, column: object) -> None:
    key = key_of(column)
    storage().delete(key)
    assert_named("file_missing", is_mended=False)
    (found,) = diagnoses()
    assert found.finding.where == f"files/{key[:2]}/{key}"
    assert "_key)" in str(found.finding.params["row"])


def test_a_file_with_other_bytes_is_named(filled: Flask) -> None:
    with storage().local_path(key_of(ModelVersion.artifact_key)) as path:
        content = bytearray(path.read_bytes())
        content[100] ^= 1
        path.write_bytes(content)
    assert_named("file_damaged", is_mended=False)
    assert codes(is_quick=True) == []


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_lost_file_is_brought_back_from_the_newest_sound_backup(
    filled: Flask, owner: Caller, is_missing: bool
) -> None:
    key = key_of(ModelVersion.artifact_key)
    folder = archive.default_folder()
    older, newer = (
        creation.create(owner, folder, keep=None, progress=quiet).path for _ in range(2)
    )
    with storage().local_path(key) as path:
        sound = path.read_bytes()
        path.unlink() if is_missing else path.write_bytes(b"")
    archive.file_path(newer, key).write_bytes(b"damaged too")
    assert_named("file_missing" if is_missing else "file_damaged", is_mended=True)
    assert path.read_bytes() == sound == archive.file_path(older, key).read_bytes()


def test_a_lost_file_that_no_backup_holds_soundly_stays_lost(filled: Flask, owner: Caller) -> None:
    key = key_of(ModelVersion.artifact_key)
    made = creation.create(owner, archive.default_folder(), keep=None, progress=quiet)
    storage().delete(key)
    archive.file_path(made.path, key).write_bytes(b"damaged too")
    assert_named("file_missing", is_mended=False)


def test_files_that_nobody_speaks_of_are_swept(filled: Flask, tmp_path: Path) -> None:
    (tmp_path / "orphan").write_bytes(b"nobody's")
    with (tmp_path / "orphan").open("rb") as source:
        key = storage().put(source).key
    assert codes() == []  # its row may be on its way
    with storage().local_path(key) as path:
        os.utime(path, (OLD, OLD))
    assert_named("file_orphan", is_mended=True)
    assert not path.exists()


def test_no_file_is_swept_while_a_backup_is_written(filled: Flask, tmp_path: Path) -> None:
    (tmp_path / "orphan").write_bytes(b"nobody's")
    with (tmp_path / "orphan").open("rb") as source:
        key = storage().put(source).key
    with storage().local_path(key) as path:
        os.utime(path, (OLD, OLD))
    with held_files():
        assert codes(is_fixing=True) == ["file_orphan"]
        assert path.exists()


def test_files_of_a_purged_machine_are_not_missed(filled: Flask, owner: Caller) -> None:
    version = db.session.get_one(ModelVersion, the(ModelVersion))
    machines.delete_machine(owner, version.machine_id)
    machines.purge_deleted()
    storage().delete(version.artifact_key)
    assert codes() == []


# --- Work ---


def forget_versions(session: Session) -> None:
    """Delete every version, and what hangs on it."""
    for table in (ChampionChange, Prediction, PredictionBatch, VariableRanking, ModelVersion):
        session.execute(delete(table))


def make_abandoned(seconds: float | None) -> None:
    with command() as session:
        forget_versions(session)
        session.execute(
            update(TrainingRun).values(
                state=RunState.RUNNING,
                lease_token="of somebody who is gone",
                lease_until=None if seconds is None else db_now(-seconds),
            )
        )


@pytest.mark.parametrize("seconds", [300.0, None])
def test_a_run_that_nobody_takes_back_is_freed(filled: Flask, seconds: float | None) -> None:
    make_abandoned(seconds)
    assert_named("run_stuck", is_mended=True)
    run = db.session.get_one(TrainingRun, the(TrainingRun))
    assert (run.state, run.n_lost) == (RunState.QUEUED, 1)


def test_a_lease_that_just_ended_is_the_dispatchers_to_take_back(filled: Flask) -> None:
    make_abandoned(5.0)
    assert codes() == []


def test_a_run_whose_next_try_nobody_sends_is_sent(filled: Flask, owner: Caller) -> None:
    run = make_run(owner, db.session.get_one(Dataset, the(Dataset)))
    with command() as session:
        late = {"state": RunState.RETRY_WAIT, "retry_at": db_now(-300)}
        session.execute(update(TrainingRun).where(TrainingRun.id == run.id).values(late))
    assert_named("run_stuck", is_mended=True)


@pytest.mark.parametrize("seconds", [300.0, None])
def test_an_import_that_nobody_takes_back_is_freed(filled: Flask, seconds: float | None) -> None:
    with command() as session:
        session.execute(
            update(Dataset).values(
                state=DatasetState.IMPORTING,
                lease_token="of somebody who is gone",
                lease_until=None if seconds is None else db_now(-seconds),
            )
        )
    assert_named("import_stuck", is_mended=True)


def test_a_batch_that_nobody_takes_back_is_freed(filled: Flask, owner: Caller) -> None:
    batch = batches.start_batch(
        owner,
        named_version(owner, the(ModelVersion)),
        source=io.BytesIO(make_csv(n_rows=5)),
        filename="rows.csv",
    )
    batch_id = batch.id
    with command() as session:
        abandoned = {
            "state": BatchState.RUNNING,
            "lease_token": "of somebody who is gone",
            "lease_until": db_now(-300),
        }
        session.execute(
            update(PredictionBatch).where(PredictionBatch.id == batch_id).values(abandoned)
        )
    assert_named("batch_stuck", is_mended=True)
    batch = db.session.get_one(PredictionBatch, batch_id)
    assert (batch.state, batch.n_lost) == (BatchState.QUEUED, 1)


# --- Rows that contradict each other ---


def test_a_success_without_a_version_is_named(filled: Flask) -> None:
    with command() as session:
        forget_versions(session)
    assert_named("run_without_version", is_mended=False)


def test_a_version_of_a_run_that_failed_is_named(filled: Flask) -> None:
    with command() as session:
        session.execute(update(TrainingRun).values(state=RunState.FAILED))
    assert_named("version_of_unfinished_run", is_mended=False)


def test_a_version_without_a_ranking_is_named(filled: Flask) -> None:
    with command() as session:
        session.execute(delete(VariableRanking))
    assert_named("version_without_ranking", is_mended=False)


def test_a_data_set_without_a_table_is_named(filled: Flask) -> None:
    with command() as session:
        session.execute(update(Dataset).values(table_key=None))
    assert_named("dataset_without_table", is_mended=False)


def test_two_champions_are_named_and_so_is_the_index_that_is_gone(
    filled: Flask, owner: Caller
) -> None:
    make_version(owner, make_run(owner, db.session.get_one(Dataset, the(Dataset)), random_state=5))
    with command() as session:
        session.execute(text("DROP INDEX uq_model_versions_champion"))
        session.execute(update(ModelVersion).values(is_champion=True))
    found = {item.finding.code: item.finding for item in diagnoses(is_fixing=True)}
    assert found.keys() == {"two_champions", "schema_drift"}
    assert "uq_model_versions_champion" in str(found["schema_drift"].params["differences"])
    assert codes() == ["schema_drift", "two_champions"]


# --- The database ---


def test_a_database_without_tables_is_told_and_nothing_else_is_asked(filled: Flask) -> None:
    with command() as session:
        session.execute(text("DROP TABLE alembic_version"))
        session.execute(text("DROP TABLE variable_rankings"))
    assert_named("schema_missing", is_mended=False)


@pytest.mark.parametrize(
    ("revision", "code"), [("51f21289d053", "schema_behind"), ("ffffffffffff", "schema_unknown")]
)
def test_tables_that_are_not_the_newest_are_named(filled: Flask, revision: str, code: str) -> None:
    with command() as session:
        statement = text("UPDATE alembic_version SET version_num = :revision")
        session.execute(statement, {"revision": revision})
    assert_named(code, is_mended=False)


def test_a_database_that_is_away_is_told(
    make_app: Callable[..., Flask], somebody_works: None
) -> None:
    away = make_app(DATABASE_URL="postgresql://nobody:hunter2@127.0.0.1:1/none")
    with away.app_context():
        (found,) = diagnoses()
    assert found.finding.code == "database_away"
    assert "hunter2" not in found.finding.where


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_a_damaged_sqlite_file_is_named(filled: Flask) -> None:
    db.session.remove()
    with db.engine.connect() as connection:
        page_size = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
        page = connection.exec_driver_sql(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_audit_events_site_id_occurred_at'"
        ).scalar()
    db.engine.dispose()
    path = settings_of(filled).instance_path / "prodapp.db"
    with path.open("r+b") as file:
        file.seek((page - 1) * page_size)
        file.write(bytes(page_size))
    (found,) = diagnoses()
    assert found.finding.code == "database_damaged"


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_a_reference_to_nothing_is_named(filled: Flask) -> None:
    db.session.remove()
    with db.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        raw.execute("UPDATE api_keys SET user_id = 4711")  # type: ignore[union-attr]
        raw.execute("PRAGMA foreign_keys=ON")  # type: ignore[union-attr]
    assert_named("reference_broken", is_mended=False)
    (found,) = diagnoses()
    assert found.finding.where == "api_keys:1"


@pytest.mark.parametrize("minutes", [-3, 3])
def test_a_clock_that_differs_from_the_databases_is_named(filled: Flask, minutes: int) -> None:
    wrong = timedelta(minutes=minutes)
    (found,) = database.clock(lambda: datetime.now(UTC) + wrong)
    assert found.code == "clock_skew_database"
    assert found.params["seconds"] == pytest.approx(-60 * minutes, abs=1)
    assert list(database.clock()) == []


# --- Processes ---


@pytest.mark.parametrize("kind", [Kind.WORKER, Kind.DISPATCHER])
def test_nobody_at_work_is_named(filled: Flask, kind: Kind) -> None:
    with command() as session:
        mine = ProcessPresence.kind == kind
        session.execute(update(ProcessPresence).where(mine).values(seen_at=db_now(-90)))
    assert_named(f"no_{kind}", is_mended=False)


def test_a_worker_whose_clock_goes_wrong_is_named(filled: Flask) -> None:
    with command() as session:
        mine = ProcessPresence.kind == Kind.WORKER
        session.execute(update(ProcessPresence).where(mine).values(host_time=db_now(75)))
    assert_named("clock_skew_process", is_mended=False)
    (found,) = diagnoses()
    assert found.finding.where == "worker-1"
    assert found.finding.params["seconds"] == pytest.approx(75, abs=15)  # time went on meanwhile


def test_a_queue_that_does_not_answer_is_named(filled: Flask) -> None:
    found = examine(
        is_fixing=False, is_quick=True, backups=archive.default_folder(), progress=quiet
    )
    assert [item.finding.code for item in found] == ["queue_away"]


# --- The host ---


def test_a_full_disk_is_named_once_for_all_its_folders(filled: Flask, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    folders = {tmp_path, tmp_path / "instance", tmp_path / "not there"}
    (found,) = host.disks_of(folders, full_bytes=2 * free)
    assert (found.code, found.where) == ("disk_full", str(tmp_path))
    (found,) = host.disks_of(folders, full_bytes=free // 2, low_bytes=2 * free, low_share=1.0)
    assert found.code == "disk_low"
    assert list(host.disks_of(folders, full_bytes=0, low_bytes=0)) == []


def test_a_storage_that_takes_no_files_is_named(filled: Flask) -> None:
    files = settings_of(filled).instance_path / "files"
    shutil.move(files, files.with_name("elsewhere"))
    files.write_text("a file where the folder was")
    assert "storage_unwritable" in codes()


def test_drafts_of_dead_processes_are_cleared(filled: Flask) -> None:
    draft = storage().scratch / "tmpabc" / "table.parquet"
    draft.parent.mkdir()
    draft.write_bytes(b"half")
    assert codes() == []  # somebody may be writing it
    for path in (draft, draft.parent):
        os.utime(path, (OLD, OLD))
    assert_named("scratch_leftovers", is_mended=True)
    assert not draft.exists()


def test_a_key_that_others_may_read_is_closed(filled: Flask) -> None:
    key = settings_of(filled).instance_path / KEY_FILE
    key.write_text("secret")
    key.chmod(0o644)
    assert_named("secret_key_exposed", is_mended=True)
    assert key.stat().st_mode & 0o777 == 0o600
