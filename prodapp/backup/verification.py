"""Whether a backup is what it was when it was made, and complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prodapp.backup.archive import Manifest, Tally, chunks, file_path, read_manifest, table_path
from prodapp.backup.rows import read_rows
from prodapp.exceptions import N_
from prodapp.models.file_references import FILE_COLUMNS, PURGED_AT

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, what is done of it and its whole."""

GONE = N_("%(path)s is missing.")
CHANGED = N_("%(path)s is not what it was when the backup was made.")
STRAY = N_("%(path)s does not belong to the backup.")
UNREFERENCED = N_("%(table)s %(id)s speaks of the file %(key)s, which the backup does not hold.")
MISSING_BEFORE = N_(
    "The file %(key)s was missing or damaged already when the backup was made; "
    "%(table)s %(id)s speaks of it."
)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; ``message`` is a template for ``params`` (see ``DomainError``).

    ``is_damage`` is False for what the backup has from the installation itself, or too much.
    """

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    is_damage: bool = True


@dataclass(frozen=True)
class Verification:
    """What was found in a backup; nothing is wrong where ``problems`` is empty."""

    path: Path
    manifest: Manifest
    problems: tuple[Problem, ...]


def verify(path: Path, *, progress: Progress) -> Verification:
    """Hash everything again, and look for each file that a row speaks of.

    Raises as :func:`~prodapp.backup.archive.read_manifest` where there is nothing to look at.
    """
    manifest = read_manifest(path)
    problems = _changed(path, manifest, progress)
    if not problems:  # rows that cannot be trusted tell nothing
        problems += _unreferenced(path, manifest)
    return Verification(path, manifest, tuple(problems))


def _changed(path: Path, manifest: Manifest, progress: Progress) -> list[Problem]:
    expected = {
        table_path(path, name): (entry.sha256, entry.size)
        for name, entry in manifest.tables.items()
    } | {file_path(path, key): (key, size) for key, size in manifest.files.items()}
    problems, done = [], 0

    for file, content in expected.items():
        told = {"path": str(file.relative_to(path))}
        tally = Tally()
        try:
            with file.open("rb") as source:
                for chunk in chunks(source):
                    tally.add(chunk)
                    progress("verify", done + tally.size, manifest.size)
        except OSError:
            problems.append(Problem(GONE, told))
            continue
        done += tally.size
        if (tally.sha256, tally.size) != content:
            problems.append(Problem(CHANGED, told))
    for folder in ("tables", "files"):
        for file in sorted((path / folder).rglob("*")):
            if file.is_file() and file not in expected:
                told = {"path": str(file.relative_to(path))}
                problems.append(Problem(STRAY, told, is_damage=False))
    return problems


def _unreferenced(path: Path, manifest: Manifest) -> list[Problem]:
    """Rows that speak of a file which the backup does not hold."""
    with table_path(path, "machines").open("rb") as lines:
        purged = {row["id"] for row in read_rows(lines) if row["purged_at"] is not None}
    problems = []
    for place in FILE_COLUMNS:
        if place.table not in manifest.tables:
            continue
        with table_path(path, place.table).open("rb") as lines:
            for row in read_rows(lines):
                key = row.get(place.column)
                is_purged = row["machine_id"] in purged or row.get(PURGED_AT) is not None
                if key is None or key in manifest.files or is_purged:
                    continue
                told = {"table": place.table, "id": row["id"], "key": key[:12]}
                if key in manifest.missing:
                    problems.append(Problem(MISSING_BEFORE, told, is_damage=False))
                else:
                    problems.append(Problem(UNREFERENCED, told))
    return problems
