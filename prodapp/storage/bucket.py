"""An object store as the place of files, through ``fsspec``: every host sees the same files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

import fsspec

from prodapp.outages import StorageAway

# How drivers are set up, by the scheme of the address. Where the store and its keys are, S3's
# driver learns as every client of it does: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, and so on.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "s3": {
        # Another host may have written since a folder was listed.
        "use_listings_cache": False,
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 60,
            "retries": {"mode": "standard", "max_attempts": 2},
        },
    }
}


class Bucket:
    """A :class:`prodapp.storage.places.Place` at ``url``; ``scratch`` holds copies in use."""

    def __init__(self, url: str, scratch: Path) -> None:
        self._url, self._scratch = url, scratch
        self._options = OPTIONS.get(url.partition(":")[0], {})
        self._root = fsspec.core.url_to_fs(url, **self._options)[1].rstrip("/")

    @property
    def folders(self) -> set[Path]:
        return set()

    def prepare(self) -> None:
        """Where the bucket is there, nothing is asked for that takes more than reading rights."""
        bucket = self._root.split("/")[0]
        with _told():
            if not self._fs.exists(bucket):
                self._fs.mkdir(bucket)

    def publish(self, draft: Path, key: str) -> None:
        with _told(is_writing=True):
            self._fs.put_file(str(draft), self._path(key))

    def open(self, key: str) -> IO[bytes]:
        """A copy of this host: a store that goes away while somebody reads would cut it short."""
        with tempfile.NamedTemporaryFile(dir=self._scratch) as copy:
            with _told():
                self._fs.get_file(self._path(key), copy.name)
            return Path(copy.name).open("rb")

    @contextmanager
    def as_path(self, key: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            path = Path(folder) / key
            with _told():
                self._fs.get_file(self._path(key), str(path))
            yield path

    def delete(self, key: str) -> None:
        with _told():
            self._fs.rm_file(self._path(key))

    def put_at(self, key: str) -> datetime:
        with _told():
            return self._modified(self._fs.info(self._path(key)))

    def list(self) -> Iterator[tuple[str, datetime]]:
        with _told():
            folders = self._fs.ls(self._root, detail=False) if self._fs.exists(self._root) else []
        for folder in folders:
            with _told():
                found = self._fs.find(folder, detail=True)
            for path, info in found.items():
                with _told():
                    put_at = self._modified(info)
                yield path.rsplit("/", 1)[-1], put_at

    def clear(self, *, unchanged_since: datetime) -> None:
        """An object appears whole or not at all: there are no drafts."""

    def check(self) -> None:
        key = os.urandom(32).hex()
        with _told(is_writing=True):
            self._fs.pipe_file(self._path(key), key.encode())
            self._fs.rm_file(self._path(key))

    @property
    def _fs(self) -> Any:
        # Anew each time, from fsspec's own cache, which knows that a fork needs another.
        return fsspec.core.url_to_fs(self._url, **self._options)[0]

    def _modified(self, info: Mapping[str, Any]) -> datetime:
        """S3 tells with the name; other drivers are asked once more."""
        moment = info.get("LastModified") or self._fs.modified(info["name"])
        return cast(datetime, moment)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key[:2]}/{key}"


@contextmanager
def _told(*, is_writing: bool = False) -> Iterator[None]:
    """Errors of any driver as those that a place may raise; a writer that finds no bucket has no
    place, rather than no file."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not is_writing:
            raise
        raise StorageAway(error.errno, error.strerror or type(error).__name__) from error
    except Exception as error:  # drivers raise errors of their network libraries as they are
        raise StorageAway(None, type(error).__name__) from error
