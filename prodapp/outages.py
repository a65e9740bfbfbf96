"""What is wrong outside of our code, told as domain errors: the database is away, the disk full."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from prodapp.exceptions import DomainError, N_, StorageFull, Unavailable

DATABASE_AWAY = N_("The database does not answer at the moment. Try again in a few seconds.")
STORAGE_AWAY = N_(
    "The storage of files does not answer at the moment. Nothing half-written was kept; try again "
    "in a few seconds."
)
DISK_FULL = N_(
    "The disk is full: nothing half-written was kept. Free some space, or ask the administrator, "
    "and try again."
)
# No room on the disk, in the user's quota, under the limit on a process's files.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
POSTGRES_DISK_FULL = "53100"
# The second: SQLite found no room for the file by which its processes agree with each other.
SQLITE_DISK_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
# What the drivers call operational too, though the statement is to blame: asking again is in vain.
POSTGRES_LIMIT_CLASS = "54"


class StorageAway(ConnectionError):
    """An object store does not answer, or refuses us; the message says which, without secrets."""


def outage_of(error: BaseException) -> DomainError | None:
    """What to tell people, ``None`` where ``error`` is of another kind."""
    if isinstance(error, StorageAway):
        return Unavailable(STORAGE_AWAY)
    if isinstance(error, OSError):
        return StorageFull(DISK_FULL) if error.errno in NO_SPACE else None
    if isinstance(error, PoolTimeoutError):
        return Unavailable(DATABASE_AWAY)
    if not isinstance(error, DBAPIError):
        return None
    if _is_disk_full(error.orig):
        return StorageFull(DISK_FULL)
    if error.connection_invalidated:
        return Unavailable(DATABASE_AWAY)
    if isinstance(error, OperationalError | InterfaceError) and not _is_wrong(error.orig):
        return Unavailable(DATABASE_AWAY)
    return None


def _is_wrong(error: object) -> bool:
    """Whether the statement itself cannot be carried out, by a database that answers."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR or str(
        getattr(error, "pgcode", None)
    ).startswith(POSTGRES_LIMIT_CLASS)


def _is_disk_full(error: object) -> bool:
    return (
        getattr(error, "sqlite_errorcode", None) in SQLITE_DISK_FULL
        or getattr(error, "pgcode", None) == POSTGRES_DISK_FULL
    )
