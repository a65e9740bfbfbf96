"""Disks, folders and keys of the host."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from prodapp.config import KEY_FILE
from prodapp.doctor import host
from prodapp.extensions import settings_of
from prodapp.storage import storage
from tests.unit.doctor.asking import assert_named, codes

OLD = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


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
