"""This host: its disks, its folders, its secrets."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app

from prodapp.config import KEY_FILE
from prodapp.doctor.findings import Finding, Severity
from prodapp.exceptions import N_
from prodapp.extensions import settings_of
from prodapp.formatting import filesize
from prodapp.storage import storage

# A backup, an upload of the largest size or a database that tidies up needs some room.
FULL_BYTES = 256 * 1024**2
LOW_BYTES = 5 * 1024**3
LOW_SHARE = 0.05
# The dispatcher clears drafts that are five minutes old, once a minute.
LEFTOVER_SECONDS = 3600.0


def disks() -> Iterator[Finding]:
    """Room on the disks that this host's folders are on."""
    yield from disks_of(storage().local_folders() | {settings_of(current_app).instance_path})


def disks_of(
    folders: Iterable[Path],
    *,
    full_bytes: int = FULL_BYTES,
    low_bytes: int = LOW_BYTES,
    low_share: float = LOW_SHARE,
) -> Iterator[Finding]:
    """One finding a disk: it is full where no more than ``full_bytes`` are free, and low where
    neither ``low_bytes`` nor the share ``low_share`` of it are."""
    seen: set[int] = set()
    for folder in sorted(folders):
        if not folder.exists() or folder.stat().st_dev in seen:
            continue
        seen.add(folder.stat().st_dev)
        usage = shutil.disk_usage(folder)
        told = {"folder": str(folder), "free": filesize(usage.free)}
        if usage.free <= full_bytes:
            yield Finding(
                "disk_full",
                Severity.ERROR,
                str(folder),
                N_("The disk of %(folder)s is full: %(free)s are left."),
                N_("Free some space, or move the folder to a larger disk."),
                told,
            )
        elif usage.free <= min(low_bytes, low_share * usage.total):
            yield Finding(
                "disk_low",
                Severity.WARNING,
                str(folder),
                N_("The disk of %(folder)s is nearly full: %(free)s are left."),
                N_("Free some space, or move the folder to a larger disk."),
                told,
            )


def storage_takes_files() -> Iterator[Finding]:
    """Whether a file can be written, and removed again."""
    try:
        storage().check()
    except OSError as error:
        yield Finding(
            "storage_unwritable",
            Severity.ERROR,
            settings_of(current_app).storage_url,
            N_("The storage takes no files: %(reason)s."),
            N_("Let the user that runs prodapp write there; check STORAGE_URL and the disk."),
            {"reason": error.strerror or type(error).__name__},
        )


def scratch() -> Iterator[Finding]:
    """Drafts that a process left behind when it died, and that nobody clears."""
    limit = time.time() - LEFTOVER_SECONDS
    old = [path for path in storage().scratch.rglob("*") if _is_file_before(path, limit)]
    if old:
        yield Finding(
            "scratch_leftovers",
            Severity.WARNING,
            str(storage().scratch),
            N_("%(n)s drafts of dead processes lie in %(folder)s."),
            N_("A dispatcher that is running clears them."),
            {"n": len(old), "folder": str(storage().scratch)},
            mend=_clear_scratch,
        )


def secret_key() -> Iterator[Finding]:
    """Whether others on this host may read the installation's key."""
    path = settings_of(current_app).instance_path / KEY_FILE
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(
            "secret_key_exposed",
            Severity.ERROR,
            str(path),
            N_("Other users of this host may read %(path)s."),
            N_("If one may have: remove the file and start again; everybody has to sign in anew."),
            {"path": str(path)},
            mend=lambda: path.chmod(0o600),
        )


def _is_file_before(path: Path, limit: float) -> bool:
    try:
        return path.is_file() and path.stat().st_mtime < limit
    except FileNotFoundError:  # its owner is done with it
        return False


def _clear_scratch() -> None:
    old = datetime.now(UTC) - timedelta(seconds=LEFTOVER_SECONDS)
    storage().clear_scratch(unchanged_since=old)
