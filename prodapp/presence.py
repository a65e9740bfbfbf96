"""Signs of life of background processes, and the hold that a backup has on the files.

A row of ``process_presences`` is renewed every few seconds, by the database's clock. Who stops
renewing it is no longer here after :data:`LAPSE_SECONDS`, whatever became of it.

**The hold.** Every file that a row of a backup's snapshot speaks of must still be there when it is
copied. Files go only when their machine was purged, and the order of steps makes that safe without
a lock: a backup announces itself, *then* takes its snapshot; a dispatcher marks the machine purged,
*then* looks for backups, *then* removes files. Either the snapshot was taken after the mark and
does not ask for the files, or the dispatcher looks after the announcement and leaves them to a
later sweep.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from prodapp.exceptions import Conflict, N_
from prodapp.extensions import command, db
from prodapp.lifelines import host_prefix
from prodapp.models import ProcessPresence
from prodapp.models.types import db_now

BEAT_SECONDS = 5.0
LAPSE_SECONDS = 60.0

log = logging.getLogger(__name__)


class Kind(StrEnum):
    WORKER = "worker"
    DISPATCHER = "dispatcher"
    BACKUP = "backup"


def unique_name() -> str:
    """A name for this process: its host, and what no other process has."""
    return f"{host_prefix()}{uuid4().hex[:12]}"


@dataclass
class Presence:
    """One process's row; ``name`` is its own among all hosts."""

    kind: Kind
    name: str

    def announce(self) -> None:
        """Say that this process is here; rows of those that are long gone are forgotten."""
        with command() as session:
            lapsed = ProcessPresence.seen_at < db_now(-10 * LAPSE_SECONDS)
            session.execute(delete(ProcessPresence).where(lapsed))
            now = {"started_at": db_now(), "seen_at": db_now(), "host_time": datetime.now(UTC)}
            session.execute(insert(ProcessPresence).values(kind=self.kind, name=self.name, **now))

    def renew(self) -> bool:
        """Say that it still is; ``False`` when it was silent for so long that nobody counts it."""
        with command() as session:
            # The host's time is read when the statement can run, not before a wait for its lock.
            changed = session.execute(
                update(ProcessPresence)
                .where(
                    ProcessPresence.name == self.name,
                    ProcessPresence.seen_at >= db_now(-LAPSE_SECONDS),
                )
                .values(seen_at=db_now(), host_time=datetime.now(UTC))
                .returning(ProcessPresence.id)
            ).all()
        return len(changed) == 1

    def leave(self) -> None:
        """Say that it is here no more."""
        with command() as session:
            session.execute(delete(ProcessPresence).where(ProcessPresence.name == self.name))


class Heartbeat:
    """A long-lived process's presence, kept up by calling :meth:`beat` often.

    A database that is away costs a beat, never the process.
    """

    def __init__(self, kind: Kind, name: str) -> None:
        self._presence = Presence(kind, name)
        self._next = 0.0

    def beat(self) -> None:
        """Renew the presence where it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + BEAT_SECONDS
        try:
            if not self._presence.renew():
                self._presence.leave()
                self._presence.announce()
        except SQLAlchemyError as error:
            log.warning("sign of life not written: %s", type(error).__name__)
        finally:
            db.session.remove()

    def stop(self) -> None:
        """The process ends in order."""
        try:
            self._presence.leave()
        except SQLAlchemyError as error:
            log.warning("end not written: %s", type(error).__name__)
        finally:
            db.session.remove()


class FilesHold:
    """While it lasts, no dispatcher removes files."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._next = time.monotonic() + BEAT_SECONDS

    def keep(self) -> None:
        """Renew the hold where it is time; call it often. Raises as :meth:`confirm`."""
        if time.monotonic() >= self._next:
            self.confirm()

    def confirm(self) -> None:
        """Raise :class:`Conflict` unless the hold has lasted without a gap until now."""
        self._next = time.monotonic() + BEAT_SECONDS
        if not self._presence.renew():
            raise Conflict(
                N_("This was held up for so long that files may have gone meanwhile. Try again.")
            )


@contextmanager
def held_files() -> Iterator[FilesHold]:
    """Hold the files for as long as the block takes; see the module's text."""
    presence = Presence(Kind.BACKUP, unique_name())
    presence.announce()
    try:
        yield FilesHold(presence)
    finally:
        presence.leave()


def are_files_held() -> bool:
    """Whether a backup is being written. Ask after deciding which files should go, not before."""
    held = select(exists().where(ProcessPresence.kind == Kind.BACKUP, _is_here()))
    return bool(db.session.scalar(held))


def present(*kinds: Kind) -> list[ProcessPresence]:
    """The processes of these kinds that are here now."""
    statement = select(ProcessPresence).where(ProcessPresence.kind.in_(kinds), _is_here())
    return list(db.session.scalars(statement.order_by(ProcessPresence.id)))


def _is_here() -> ColumnElement[bool]:
    return ProcessPresence.seen_at >= db_now(-LAPSE_SECONDS)
