"""Files that are missing, changed or that nobody speaks of."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from prodapp.backup import archive, creation
from prodapp.caller import Caller
from prodapp.extensions import db
from prodapp.machines import service as machines
from prodapp.models import (
    Dataset,
    ModelVersion,
)
from prodapp.presence import held_files
from prodapp.storage import storage
from tests.unit.doctor.asking import assert_named, codes, diagnoses, key_of, quiet, the

OLD = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


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
