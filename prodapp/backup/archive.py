"""A backup on disk: a folder that is whole, or bears a draft's name.

::

    prodapp-20261122T104000Z/
        manifest.json          what it is, and size and SHA-256 of everything below
        manifest.json.sha256   the manifest's own, for ``sha256sum -c``
        tables/machines.jsonl  the rows of a table, one JSON object a line
        files/ab/abcd…         the stored files, each named by its SHA-256

It is written under a name that begins with a dot and renamed at the end, when everything is on the
disk: a backup that was cut short is never found. Only the owner may read it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from flask import current_app

from prodapp.exceptions import Conflict, DataRefused, N_, NotFound
from prodapp.extensions import settings_of

FORMAT = 1
PREFIX = "prodapp-"
DRAFT = ".draft-"
MANIFEST = "manifest.json"
CHECKSUM = "manifest.json.sha256"
CHUNK = 1024**2

UNREADABLE = N_("The manifest of the backup %(path)s is damaged or missing.")


@dataclass(frozen=True)
class TableEntry:
    """One table's file: its rows, its length in bytes, the SHA-256 of its content."""

    n_rows: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. ``files`` maps a storage key, which is its SHA-256, to a size in bytes.

    ``missing`` are the keys that rows speak of but whose files were gone or damaged already when
    the backup was made. ``revision`` is the migration that the tables stand at.
    """

    format: int
    prodapp: str
    revision: str
    engine: str
    created_at: str
    tables: dict[str, TableEntry]
    files: dict[str, int]
    missing: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        return sum(table.n_rows for table in self.tables.values())

    @property
    def size(self) -> int:
        """Bytes of rows and files together."""
        return sum(table.size for table in self.tables.values()) + sum(self.files.values())


def default_folder() -> Path:
    """Where backups are kept, unless somebody says otherwise."""
    return settings_of(current_app).instance_path / "backups"


def table_path(backup: Path, name: str) -> Path:
    return backup / "tables" / f"{name}.jsonl"


def file_path(backup: Path, key: str) -> Path:
    return backup / "files" / key[:2] / key


@contextmanager
def new_backup(folder: Path) -> Iterator[Path]:
    """A draft to be filled; it takes its name at the end of the block, or goes away by an error.

    Raises :class:`Conflict` while another backup is written into ``folder``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(folder / ".lock"):
        for dead in folder.glob(f"{DRAFT}*"):  # under the lock, nobody writes them any more
            shutil.rmtree(dead)
        name = _free_name(folder)
        draft = folder / f"{DRAFT}{name}"
        for new in (draft, draft / "tables", draft / "files"):
            new.mkdir(mode=0o700)
        try:
            yield draft
            _sync_folders(draft)
            draft.rename(folder / name)
            sync_folder(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise


@contextmanager
def private_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that the owner alone may read, on the disk when the block ends."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


class Tally:
    """SHA-256 and length of what passes by."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self._sha.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        return self._sha.hexdigest()


def chunks(source: IO[bytes]) -> Iterator[bytes]:
    """What is left of ``source``, in pieces that memory does not notice."""
    while chunk := source.read(CHUNK):
        yield chunk


def write_manifest(backup: Path, manifest: Manifest) -> None:
    """The last file of a backup: from here on it tells whether it is whole."""
    content = json.dumps(asdict(manifest), indent=1).encode() + b"\n"
    with private_file(backup / MANIFEST) as file:
        file.write(content)
    with private_file(backup / CHECKSUM) as file:
        file.write(f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n".encode())


def read_manifest(backup: Path) -> Manifest:
    """What ``backup`` holds. Raises :class:`NotFound`, :class:`DataRefused` (damaged, too new)."""
    if not backup.is_dir():
        raise NotFound(N_("There is no backup %(path)s."), path=str(backup))
    try:
        content = (backup / MANIFEST).read_bytes()
        told = (backup / CHECKSUM).read_text(encoding="ascii").split()
        values = cast(dict[str, Any], json.loads(content))
    except (OSError, ValueError) as error:
        raise DataRefused(UNREADABLE, path=str(backup)) from error
    if told[:1] != [hashlib.sha256(content).hexdigest()]:
        raise DataRefused(UNREADABLE, path=str(backup))
    if values["format"] != FORMAT:
        raise DataRefused(
            N_("%(path)s was made by prodapp %(version)s: use that version or a newer one."),
            path=str(backup),
            version=values["prodapp"],
        )
    tables = {name: TableEntry(**entry) for name, entry in values.pop("tables").items()}
    return Manifest(**values | {"tables": tables, "missing": tuple(values["missing"])})


def find_backups(folder: Path) -> list[tuple[Path, Manifest]]:
    """The whole backups in ``folder``, oldest first; what is no backup is passed over."""
    found = []
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(DataRefused, NotFound):
            found.append((path, read_manifest(path)))
    return sorted(found, key=lambda pair: (pair[1].created_at, pair[0].name))


def remove_backup(path: Path) -> None:
    """Take its name away first, so that half of it is never taken for the whole."""
    dying = path.with_name(f"{DRAFT}{path.name}")
    path.rename(dying)
    shutil.rmtree(dying)


def sync_folder(folder: Path) -> None:
    """Names must survive a power cut, not contents alone."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folders(top: Path) -> None:
    for folder, _folders, _files in os.walk(top):
        sync_folder(Path(folder))


def _free_name(folder: Path) -> str:
    """By the second of its making, and a number where that is taken."""
    stem = f"{PREFIX}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    name, n = stem, 1
    while (folder / name).exists():
        n += 1
        name = f"{stem}-{n}"
    return name


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Conflict(
            N_("Another backup is being written to %(folder)s."), folder=str(path.parent)
        ) from error
    finally:
        os.close(descriptor)
