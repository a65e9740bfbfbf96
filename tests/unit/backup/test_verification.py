"""Damage to a backup is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from prodapp.backup import archive, verification
from prodapp.backup.archive import find_backups, read_manifest
from prodapp.exceptions import DataRefused, NotFound, in_english
from tests.unit.backup.conftest import Make, quiet

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
CHANGED = "is not what it was when the backup was made."


@pytest.fixture
def backup(filled: Flask, make_backup: Make) -> Path:
    """A sound backup of a SQLite installation."""
    return make_backup().path


def problems(path: Path) -> list[str]:
    found = verification.verify(path, progress=quiet).problems
    return [in_english(problem.message, problem.params) for problem in found]


def a_file(path: Path) -> Path:
    return next(file for file in sorted((path / "files").rglob("*")) if file.is_file())


def test_a_sound_backup_has_no_problems(backup: Path) -> None:
    assert problems(backup) == []


def test_progress_reaches_the_whole(backup: Path) -> None:
    seen: list[tuple[int, int]] = []
    verification.verify(backup, progress=lambda _, done, whole: seen.append((done, whole)))
    assert seen[-1][0] == seen[-1][1] == read_manifest(backup).size
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: file.unlink(), "is missing."),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), CHANGED),
        (lambda file: file.write_bytes(b"x" + file.read_bytes()[1:]), CHANGED),
    ],
)
@pytest.mark.parametrize("kind", ["file", "table"])
def test_what_is_lost_cut_or_changed_is_named(
    backup: Path, kind: str, damage: Callable[[Path], object], words: str
) -> None:
    file = a_file(backup) if kind == "file" else archive.table_path(backup, "machines")
    damage(file)
    assert problems(backup) == [f"{file.relative_to(backup)} {words}"]


def test_a_row_whose_file_is_in_no_list_is_named(backup: Path) -> None:
    manifest = read_manifest(backup)
    key = next(iter(manifest.files))
    archive.file_path(backup, key).unlink()
    files = {other: size for other, size in manifest.files.items() if other != key}
    for name in (archive.MANIFEST, archive.CHECKSUM):
        (backup / name).unlink()
    values = {**manifest.__dict__, "files": files}
    archive.write_manifest(backup, archive.Manifest(**values))
    (told,) = problems(backup)
    assert key[:12] in told
    assert "which the backup does not hold" in told


def test_a_stray_file_is_told_and_is_no_damage(backup: Path) -> None:
    (backup / "tables" / "notes.txt").write_text("mine")
    (problem,) = verification.verify(backup, progress=quiet).problems
    assert problem.params == {"path": "tables/notes.txt"}
    assert not problem.is_damage


def test_a_changed_manifest_is_not_believed(backup: Path) -> None:
    path = backup / archive.MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"engine": "sqlite"', b'"engine": "oracle"'))
    with pytest.raises(DataRefused, match="damaged or missing"):
        read_manifest(backup)
    assert find_backups(backup.parent) == []


def test_a_format_of_the_future_is_refused_by_name(backup: Path) -> None:
    values = json.loads((backup / archive.MANIFEST).read_text()) | {"format": 2, "prodapp": "9.1"}
    for name in (archive.MANIFEST, archive.CHECKSUM):
        (backup / name).unlink()
    tables = {name: archive.TableEntry(**entry) for name, entry in values["tables"].items()}
    archive.write_manifest(backup, archive.Manifest(**values | {"tables": tables}))
    with pytest.raises(DataRefused, match=r"prodapp 9\.1: use that version"):
        read_manifest(backup)


def test_what_is_not_there_is_not_found(backup: Path) -> None:
    with pytest.raises(NotFound):
        read_manifest(backup / "nothing")
    with pytest.raises(DataRefused):
        read_manifest(backup / "tables")
