"""Files by their content: each is named by the SHA-256 of its bytes, written whole or not at all.

A local folder by default; any object store that ``fsspec`` speaks (``s3://bucket/prefix``) by
configuration. A name never comes from a user.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

import fsspec
from flask import Flask, current_app

from prodapp.exceptions import N_, NotFound

CHUNK = 1024**2
# How the names of drafts begin that could not be written in the scratch folder.
BESIDE = ".draft-"
CHECK_BYTES = 64 * 1024
MISSING = N_("The file %(key)s is missing from the storage.")


@dataclass(frozen=True)
class StoredFile:
    """``key`` is the SHA-256 of the content in hex, ``size`` its length in bytes."""

    key: str
    size: int


class Storage:
    """Content-addressed files under one root."""

    def __init__(self, url: str, scratch: Path) -> None:
        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        self._is_local = "file" in self._fs.protocol
        self.scratch = scratch
        scratch.mkdir(parents=True, exist_ok=True)
        if self._is_local:
            Path(self._root).mkdir(parents=True, exist_ok=True)

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
                self._publish(draft_path, digest.hexdigest())
            finally:
                with suppress(FileNotFoundError):
                    draft_path.unlink()
        return StoredFile(digest.hexdigest(), size)

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        """The file as a path on this host; a copy that goes away again for an object store."""
        if self._is_local:
            path = Path(self._path(key))
            if not path.is_file():
                raise NotFound(MISSING, key=key[:12])
            yield path
            return
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            path = Path(folder) / key
            try:
                self._fs.get_file(self._path(key), str(path))
            except FileNotFoundError as error:
                raise NotFound(MISSING, key=key[:12]) from error
            yield path

    def open(self, key: str) -> IO[bytes]:
        """The file, open for reading. Raises :class:`NotFound`."""
        try:
            return cast(IO[bytes], self._fs.open(self._path(key), "rb"))
        except FileNotFoundError as error:
            raise NotFound(MISSING, key=key[:12]) from error

    def delete(self, key: str, *, unless_newer_than: datetime | None = None) -> None:
        """Remove a file; one that is gone already is no error.

        ``unless_newer_than`` spares a file that was put again since: its new owner's row may not
        be written yet.
        """
        path = self._path(key)
        with suppress(FileNotFoundError):
            if unless_newer_than is None or self._fs.modified(path) <= unless_newer_than:
                self._fs.rm_file(path)

    def keys(self, *, unchanged_since: datetime) -> Iterator[str]:
        """The files that were last put before ``unchanged_since``, listed folder by folder."""
        self._fs.invalidate_cache()
        folders = self._fs.ls(self._root, detail=False) if self._fs.exists(self._root) else []
        for folder in folders:
            for path in self._fs.find(folder):
                key = path.rsplit("/", 1)[-1]
                if _is_key(key) and self._is_older(path, unchanged_since):
                    yield key

    def clear_scratch(self, *, unchanged_since: datetime) -> None:
        """Remove drafts that a process left behind when it died."""
        limit = unchanged_since.timestamp()
        drafts = sorted(self.scratch.rglob("*"), reverse=True)  # folders after their files
        if self._is_local:
            drafts += Path(self._root).glob(f"*/{BESIDE}*")
        for path in drafts:
            with suppress(OSError):  # gone meanwhile, or a folder that is not empty
                if path.stat().st_mtime < limit:
                    path.rmdir() if path.is_dir() else path.unlink()

    def local_folders(self) -> set[Path]:
        """The folders of this host that files are written to."""
        return {self.scratch, Path(self._root)} if self._is_local else {self.scratch}

    def check(self) -> None:
        """Raise ``OSError`` unless files can be written here.

        Cheap on a disk, since load balancers ask often: nothing is synced, and no name stays.
        """
        for folder in (self._root, self.scratch) if self._is_local else ():
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(CHECK_BYTES))
        if not self._is_local:
            self.delete(self.put(io.BytesIO(os.urandom(16))).key)

    def _is_older(self, path: str, limit: datetime) -> bool:
        try:
            return bool(self._fs.modified(path) < limit)
        except FileNotFoundError:  # gone since it was listed
            return False

    def _path(self, key: str) -> str:
        if not _is_key(key):
            raise ValueError("a storage key is a SHA-256 in hex")
        return f"{self._root}/{key[:2]}/{key}"

    def _publish(self, draft: Path, key: str) -> None:
        target = self._path(key)
        if not self._is_local:
            self._fs.put_file(str(draft), target)
            return
        folder = Path(target).parent
        folder.mkdir(exist_ok=True)
        try:
            os.replace(draft, target)
        except OSError:  # the scratch folder is on another file system: copy beside, then rename
            beside = folder / f"{BESIDE}{key}.{os.getpid()}"
            try:
                shutil.copyfile(draft, beside)
                with beside.open("rb") as file:
                    os.fsync(file.fileno())
                os.replace(beside, target)
            finally:
                beside.unlink(missing_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # the name must survive a power cut, not the bytes alone
        finally:
            os.close(descriptor)


def _is_key(name: str) -> bool:
    return len(name) == 64 and all(c in "0123456789abcdef" for c in name)


def init_app(app: Flask, url: str, scratch: Path) -> None:
    """Open the storage of ``app``."""
    app.extensions["prodapp.storage"] = Storage(url, scratch)


def storage() -> Storage:
    """The storage of the current application."""
    extensions: dict[str, Any] = current_app.extensions
    return cast(Storage, extensions["prodapp.storage"])
