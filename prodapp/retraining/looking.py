"""Looking into watched folders: whose turn it is, what is new, and what becomes of it.

Each look is claimed as a message of an outbox is, so one of several dispatchers takes it, and who
dies with it leaves it to another. Each file has a row before anything is made of it; its data set
and its run carry the row's name as their request, by which a second try finds what the first made.
A file that is refused is set aside with its reason, told to webhooks, and left alone.
"""

from __future__ import annotations

import fnmatch
import logging
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from prodapp.exceptions import DataRefused, DomainError, N_, StorageFull, Unavailable
from prodapp.extensions import command, db, settings_of
from prodapp.models import FileState, Schedule, ScheduledFile
from prodapp.outbox import Outbox
from prodapp.retraining.taking import set_aside, take
from prodapp.schedules import allowed_folder, next_look, plan_of

#: A file that changed in these seconds may still be written.
SETTLE_SECONDS: Final = 20.0
MAX_FILES: Final = 50
CLAIM_SECONDS: Final = 900.0
MAX_NAME: Final = 255
_UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
_BEGAN_ENOUGH: Final = CLAIM_SECONDS / 2

NO_FOLDER = N_("The folder %(folder)s is not there, or may not be read.")
NOT_LISTED = N_(
    "The folder %(folder)s is not, or not any more, below one that an administrator has listed in "
    "SCHEDULE_ROOTS."
)
TOO_LARGE = N_("The file is larger than this installation accepts (%(max)s MB).")

log = logging.getLogger(__name__)


def look_due(*, wait: bool = False) -> int:
    """Begin the looks that are due; returns how many. ``wait`` returns when they are over."""
    return _outbox.send_due(wait=wait)


def _look(schedule_id: int, attempt: int) -> None:
    schedule = db.session.get_one(Schedule, schedule_id)
    if schedule.machine.deleted_at is not None:
        _outbox.settle(schedule_id, attempt, {"next_attempt_at": None, "is_active": False})
        return
    problem: DomainError | None = None
    is_over = True
    try:
        is_over = _take_what_is_new(schedule)
    except DomainError as error:
        problem = error
        log.warning("schedule %s: %s", schedule_id, error.error_code)
    plan, now = plan_of(schedule), datetime.now(UTC)
    following = next_look(plan, after=now) if is_over else now  # the rest goes on at once
    values: dict[str, Any] = {
        "looked_at": now,
        "next_attempt_at": following,
        "problem_code": problem.error_code if problem else None,
        "problem": problem.message if problem else None,
        "problem_params": problem.params if problem else None,
    }
    _outbox.settle(schedule_id, attempt, values)


_outbox = Outbox(Schedule, deliver=_look, claim_seconds=CLAIM_SECONDS, max_at_once=2)


def _take_what_is_new(schedule: Schedule) -> bool:
    """Whether everything was taken; otherwise the claim would have run out on the way."""
    folder = allowed_folder(schedule.folder, roots=settings_of(current_app).schedule_roots)
    if folder is None:
        raise DataRefused(NOT_LISTED, code="folder_not_listed", folder=schedule.folder)
    give_up_at = time.monotonic() + _BEGAN_ENOUGH
    schedule_id, n_taken = schedule.id, 0
    for path, stat in _files(folder, schedule.pattern):
        row_id = _row_of(schedule_id, path.name, stat)
        if row_id is None:
            continue
        if n_taken >= MAX_FILES or time.monotonic() > give_up_at:
            return False
        _take(row_id, folder, path)
        n_taken += 1
    return True


def _take(row_id: int, folder: Path, path: Path) -> None:
    """Make of a file what can be made of it, and write down what that was."""
    limit = settings_of(current_app).max_upload_bytes
    try:
        with _opened(folder, path) as source:
            if os.fstat(source.fileno()).st_size > limit:
                raise DataRefused(TOO_LARGE, code="too_large", max=limit // 1024**2)
            take(row_id, source)
    except (Unavailable, StorageFull):
        raise  # something of ours is away: the file is not to blame, and the next look takes it
    except DomainError as error:
        set_aside(row_id, error)
    except OSError as error:
        if error.filename is None:
            raise
        refused = DataRefused(
            N_("The file cannot be read: %(reason)s."),
            code="unreadable",
            reason=error.strerror or type(error).__name__,
        )
        set_aside(row_id, refused)


def _opened(folder: Path, path: Path) -> Any:
    """The file itself, never one that a link leads to: that may lie outside of the roots."""
    descriptor = os.open(folder / path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    return os.fdopen(descriptor, "rb")


def _files(folder: Path, pattern: str) -> Iterator[tuple[Path, os.stat_result]]:
    """Regular files whose names fit and that nobody writes at the moment, the oldest first."""
    try:
        entries = [
            (Path(entry.path), entry.stat(follow_symlinks=False))
            for entry in os.scandir(folder)
            if entry.is_file(follow_symlinks=False) and _is_wanted(entry.name, pattern)
        ]
    except OSError as error:
        raise DataRefused(NO_FOLDER, code="no_folder", folder=str(folder)) from error
    settled = time.time() - SETTLE_SECONDS
    entries = [entry for entry in entries if entry[1].st_mtime <= settled]
    yield from sorted(entries, key=lambda entry: (entry[1].st_mtime_ns, entry[0].name))


def _is_wanted(name: str, pattern: str) -> bool:
    if name.startswith(".") or name.lower().endswith(_UNFINISHED) or len(name) > MAX_NAME:
        return False
    return fnmatch.fnmatch(name.lower(), pattern.lower())


def _row_of(schedule_id: int, name: str, stat: os.stat_result) -> int | None:
    """The row of this state of a file, where there is something to do about it."""
    key = {"name": name, "size_bytes": stat.st_size, "modified_ns": stat.st_mtime_ns}
    known = db.session.execute(
        select(ScheduledFile.id, ScheduledFile.state).filter_by(schedule_id=schedule_id, **key)
    ).one_or_none()
    if known is not None:
        return known.id if known.state == FileState.FOUND else None
    row = ScheduledFile(schedule_id=schedule_id, state=FileState.FOUND, **key)
    try:
        with command() as session:
            session.add(row)
    except IntegrityError:  # another one's look overlapped with this one
        return None
    return row.id
