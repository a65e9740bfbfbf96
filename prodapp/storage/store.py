"""The storage of an application: drafts on this host, whole files in their place."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from flask import Flask, current_app

from prodapp.exceptions import N_, NotFound
from prodapp.storage.bucket import Bucket
from prodapp.storage.folder import CHECK_BYTES, Folder
from prodapp.storage.places import Place

CHUNK = 1024**2
LOCAL = "file://"
MISSING = N_("The file %(key)s is missing from the storage.")


@dataclass(frozen=True)
class StoredFile:
    """``key`` is the SHA-256 of the content in hex, ``size`` its length in bytes."""

    key: str
    size: int


class Storage:
    """Content-addressed files in one place; ``scratch`` is a folder of this host for drafts."""

    def __init__(self, url: str, scratch: Path) -> None:
        self.scratch = scratch
        scratch.mkdir(parents=True, exist_ok=True)
        self._place = _place_at(url, scratch)

    def prepare(self) -> None:
        """Make the place of the files where it is missing. Raises ``OSError``."""
        self._place.prepare()

    def put(self, source: IO[bytes]) -> StoredFile:
        """Store what is left of ``source``. The same content twice is stored once."""
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(dir=self.scratch, delete=False) as draft:
            draft_path = Path(draft.name)
            try:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    draft.write(chunk)
                draft.flush()
                os.fsync(draft.fileno())
                self._place.publish(draft_path, digest.hexdigest())
            finally:
                with suppress(FileNotFoundError):
                    draft_path.unlink()
        return StoredFile(digest.hexdigest(), size)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """The file as a path on this host; a copy that goes away again for an object store."""
        with ExitStack() as stack:
            try:
                path = stack.enter_context(self._place.as_path(_checked(key)))
            except FileNotFoundError as error:
                raise NotFound(MISSING, key=key[:12]) from error
            yield path

    def open(self, key: str) -> IO[bytes]:
        """The file, open for reading. Raises :class:`NotFound`."""
        try:
            return self._place.open(_checked(key))
        except FileNotFoundError as error:
            raise NotFound(MISSING, key=key[:12]) from error

    def delete(self, key: str, *, unless_newer_than: datetime | None = None) -> None:
        """Remove a file; one that is gone already is no error.

        ``unless_newer_than`` spares a file that was put again since: its new owner's row may not
        be written yet.
        """
        _checked(key)
        with suppress(FileNotFoundError):
            if unless_newer_than is None or self._place.put_at(key) <= unless_newer_than:
                self._place.delete(key)

    def keys(self, *, unchanged_since: datetime) -> Iterator[str]:
        """The files that were last put before ``unchanged_since``, listed folder by folder."""
        for name, put_at in self._place.list():
            if _is_key(name) and put_at < unchanged_since:
                yield name

    def clear_scratch(self, *, unchanged_since: datetime) -> None:
        """Remove drafts that a process left behind when it died."""
        limit = unchanged_since.timestamp()
        for path in sorted(self.scratch.rglob("*"), reverse=True):  # folders after their files
            with suppress(OSError):  # gone meanwhile, or a folder that is not empty
                if path.stat().st_mtime < limit:
                    path.rmdir() if path.is_dir() else path.unlink()
        self._place.clear(unchanged_since=unchanged_since)

    def local_folders(self) -> set[Path]:
        """The folders of this host that files are written to."""
        return {self.scratch, *self._place.folders}

    def check(self) -> None:
        """Raise ``OSError`` unless files can be written here."""
        with tempfile.TemporaryFile(dir=self.scratch) as file:
            file.write(bytes(CHECK_BYTES))
        self._place.check()


def _place_at(url: str, scratch: Path) -> Place:
    return Folder(Path(url.removeprefix(LOCAL))) if url.startswith(LOCAL) else Bucket(url, scratch)


def _checked(key: str) -> str:
    if not _is_key(key):
        raise ValueError("a storage key is a SHA-256 in hex")
    return key


def _is_key(name: str) -> bool:
    return len(name) == 64 and all(c in "0123456789abcdef" for c in name)


def init_app(app: Flask, url: str, scratch: Path) -> None:
    """Open the storage of ``app``."""
    app.extensions["prodapp.storage"] = Storage(url, scratch)


def storage() -> Storage:
    """The storage of the current application."""
    extensions: dict[str, Any] = current_app.extensions
    return cast(Storage, extensions["prodapp.storage"])
