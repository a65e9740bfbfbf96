"""A folder of this host as the place of files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

# How the names of drafts begin that could not be written in the scratch folder.
BESIDE = ".draft-"
CHECK_BYTES = 64 * 1024


class Folder:
    """A :class:`prodapp.storage.places.Place` under ``root``, which is made where it is missing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.prepare()

    @property
    def folders(self) -> set[Path]:
        return {self._root}

    def prepare(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)

    def publish(self, draft: Path, key: str) -> None:
        target = self._path(key)
        folder = target.parent
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

    def open(self, key: str) -> IO[bytes]:
        return self._path(key).open("rb")

    @contextmanager
    def as_path(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def put_at(self, key: str) -> datetime:
        return _changed_at(self._path(key))

    def list(self) -> Iterator[tuple[str, datetime]]:
        for path in self._root.glob("*/*"):
            with suppress(FileNotFoundError):  # gone since it was listed
                yield path.name, _changed_at(path)

    def clear(self, *, unchanged_since: datetime) -> None:
        for path in self._root.glob(f"*/{BESIDE}*"):
            with suppress(OSError):
                if _changed_at(path) < unchanged_since:
                    path.unlink()

    def check(self) -> None:
        """Cheap, since load balancers ask often: nothing is synced, and no name stays."""
        with tempfile.TemporaryFile(dir=self._root) as file:
            file.write(bytes(CHECK_BYTES))

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / key


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
