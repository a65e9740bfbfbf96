"""What is wrong outside of our code, told as domain errors: the database is away, the disk full."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from prodapp.exceptions import DomainError, N_, StorageFull, Unavailable

DATABASE_AWAY = N_("The database does not answer at the moment. Try again in a few seconds.")
DISK_FULL = N_(
    "The disk is full: nothing half-written was kept. Free some space, or ask the administrator, "
    "and try again."
)
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
POSTGRES_DISK_FULL = "53100"
# The second: SQLite found no room for the file by which its processes agree with each other.
SQLITE_DISK_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


def outage_of(error: BaseException) -> DomainError | None:
    """What to tell people, ``None`` where ``error`` is of another kind."""
    if isinstance(error, OSError):
        return StorageFull(DISK_FULL) if error.errno in NO_SPACE else None
    if isinstance(error, PoolTimeoutError):
        return Unavailable(DATABASE_AWAY)
    if not isinstance(error, DBAPIError):
        return None
    if _is_disk_full(error.orig):
        return StorageFull(DISK_FULL)
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return Unavailable(DATABASE_AWAY)
    return None


def _is_disk_full(error: object) -> bool:
    return (
        getattr(error, "sqlite_errorcode", None) in SQLITE_DISK_FULL
        or getattr(error, "pgcode", None) == POSTGRES_DISK_FULL
    )
