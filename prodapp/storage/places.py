"""Where the files of a storage lie: what every such place can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol


class Place(Protocol):
    """Files by key, in folders of the first two digits. None of these calls changes a file.

    ``FileNotFoundError`` says that there is no such file, :class:`prodapp.outages.StorageAway`
    that nobody answered or let us in, any other ``OSError`` what the disk says.
    """

    @property
    def folders(self) -> set[Path]:
        """The folders of this host that files are written to."""
        ...

    def prepare(self) -> None:
        """Make the place where it is missing, so that files can be put there."""
        ...

    def publish(self, draft: Path, key: str) -> None:
        """Make the file ``draft`` appear as ``key``, whole; a draft on the way may go with it."""
        ...

    def open(self, key: str) -> IO[bytes]:
        """The file, open for reading."""
        ...

    def as_path(self, key: str) -> AbstractContextManager[Path]:
        """The file as a path of this host, for as long as the block lasts."""
        ...

    def delete(self, key: str) -> None:
        """Remove a file; one that is gone already is no error."""
        ...

    def put_at(self, key: str) -> datetime:
        """When the file was last put."""
        ...

    def list(self) -> Iterator[tuple[str, datetime]]:
        """Name and time of every file, folder by folder; not every name need be a key."""
        ...

    def clear(self, *, unchanged_since: datetime) -> None:
        """Remove drafts that a process left in the place itself when it died."""
        ...

    def check(self) -> None:
        """Raise ``OSError`` unless files can be written here."""
        ...
