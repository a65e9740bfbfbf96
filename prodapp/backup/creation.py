"""Making a backup while the installation works.

Rows come first, in one transaction that sees one moment; then the files that these rows speak of.
A file is stored before any row speaks of it and never changes, so each of them was there at that
moment. That none goes before it is copied is the hold's part (``presence``). Runs that publish
meanwhile are simply not in the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Table

from prodapp import audit, presence
from prodapp.backup import archive
from prodapp.backup.archive import Manifest, TableEntry
from prodapp.backup.rows import stored_tables, write_rows
from prodapp.backup.verification import Progress
from prodapp.caller import Caller
from prodapp.exceptions import Conflict, N_, NotFound, Unavailable
from prodapp.extensions import command, db
from prodapp.models.file_references import file_references
from prodapp.presence import FilesHold
from prodapp.revisions import stored_revision
from prodapp.storage import storage
from prodapp.version import VERSION
from prodapp.work import as_domain_error


@dataclass(frozen=True)
class Creation:
    """A backup that was made, and the older ones that went for it."""

    path: Path
    manifest: Manifest
    removed: tuple[Path, ...]


def create(caller: Caller, folder: Path, *, keep: int | None, progress: Progress) -> Creation:
    """Write a backup into ``folder`` and, with ``keep``, remove all but that many newest.

    A backup from which files are missing, since the installation itself lacks them, replaces no
    older one. Raises :class:`Conflict`, :class:`Unavailable` where there are no tables, and
    ``RunFailed`` where the disk is full; nothing of a failed backup is kept.
    """
    with _told_in_words(folder), presence.held_files() as hold, archive.new_backup(folder) as draft:
        manifest = _fill(draft, hold, progress)
        hold.confirm()
        archive.write_manifest(draft, manifest)
        name = draft.name.removeprefix(archive.DRAFT)
    removed = () if manifest.missing or keep is None else tuple(_rotate(folder, keep))
    with command() as session:
        after = {"rows": manifest.n_rows, "files": len(manifest.files), "removed": len(removed)}
        audit.record(session, caller, "backup.created", f"backup:{name}"[:100], after=after)
    return Creation(folder / name, manifest, removed)


def _fill(draft: Path, hold: FilesHold, progress: Progress) -> Manifest:
    created_at = datetime.now(UTC)
    with _snapshot() as connection:
        revision = stored_revision(connection)
        if revision is None:
            raise Unavailable(N_("The database has no tables yet. Run: flask db upgrade"))
        metadata = stored_tables(connection)
        tables = {}
        for n, table in enumerate(metadata.sorted_tables):
            progress("rows", n, len(metadata.sorted_tables))
            tables[table.name] = _write_table(connection, table, draft, hold)
        keys = sorted({reference.key for reference in file_references(connection, metadata)})
        engine = connection.dialect.name
    files = _copy_files(draft, keys, hold, progress)
    return Manifest(
        format=archive.FORMAT,
        prodapp=VERSION,
        revision=revision,
        engine=engine,
        created_at=created_at.isoformat(timespec="seconds"),
        tables=tables,
        files=files,
        missing=tuple(key for key in keys if key not in files),
    )


def _write_table(connection: Connection, table: Table, draft: Path, hold: FilesHold) -> TableEntry:
    tally = archive.Tally()
    with archive.private_file(archive.table_path(draft, table.name)) as file:

        def write(line: bytes) -> None:
            file.write(line)
            tally.add(line)
            hold.keep()

        n_rows = write_rows(connection, table, write)
    return TableEntry(n_rows, tally.size, tally.sha256)


@contextmanager
def _snapshot() -> Iterator[Connection]:
    """A transaction that sees one moment and writes nothing; writers go on beside it."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        # SQLite's deferred transaction sees the moment of its first read until it ends.
        with connection.begin():
            yield connection


def _copy_files(
    draft: Path, keys: list[str], hold: FilesHold, progress: Progress
) -> dict[str, int]:
    """Copy what is there and sound; returns the sizes by key."""
    sizes = {}
    for n, key in enumerate(keys):
        progress("files", n, len(keys))
        size = _copy_file(key, archive.file_path(draft, key), hold)
        if size is not None:
            sizes[key] = size
    return sizes


def _copy_file(key: str, target: Path, hold: FilesHold) -> int | None:
    """Copy one file; ``None`` where it is missing or not what its name says."""
    try:
        source = storage().open(key)
    except NotFound:
        return None
    tally = archive.Tally()
    with source, archive.private_file(target) as copy:
        for chunk in archive.chunks(source):
            copy.write(chunk)
            tally.add(chunk)
            hold.keep()
    if tally.sha256 != key:
        target.unlink()
        return None
    return tally.size


def _rotate(folder: Path, keep: int) -> Iterator[Path]:
    for path, _ in archive.find_backups(folder)[:-keep]:
        with suppress(FileNotFoundError):  # another rotation took it
            archive.remove_backup(path)
            yield path


@contextmanager
def _told_in_words(folder: Path) -> Iterator[None]:
    """A disk that is full or a folder that cannot be written is a person's to mend."""
    try:
        yield
    except OSError as error:
        told = as_domain_error(error, request_id=None)
        if told.error_code == "disk_full":
            raise told from error
        raise Conflict(
            N_("The backup cannot be written to %(folder)s: %(reason)s."),
            folder=str(folder),
            reason=error.strerror or str(error),
        ) from error
