"""Whether a worker of this host still lives, told by the system itself.

A worker holds a lock on a file of its name; the kernel lets it go when the process ends, however
that happens. Who gets the lock knows at once what the end of a lease would tell twenty seconds
later. A worker elsewhere, or one that is stopped, is a matter for its lease as before: names of
other hosts are passed over, since a file system between hosts may not carry locks.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SUFFIX = ".alive"


def host_prefix() -> str:
    """What the names of this host's processes begin with."""
    return f"{os.uname().nodename[:80]}-"


@contextmanager
def held(folder: Path, name: str) -> Iterator[None]:
    """Be seen to live for as long as the block, and the process, lasts.

    The lock is a record lock, which a child does not inherit: a horse that outlives its worker
    does not speak for it. A folder that takes no file leaves the worker to its leases.
    """
    path = folder / f"{name}{SUFFIX}"
    try:
        descriptor = _locked_file(path)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def ended(folder: Path) -> list[str]:
    """The names of this host's workers that ended without a word."""
    return [
        path.name.removesuffix(SUFFIX)
        for path in folder.glob(f"*{SUFFIX}")
        if path.name.startswith(host_prefix()) and _is_free(path)
    ]


def forget(folder: Path, name: str) -> None:
    """What such a worker left behind is settled."""
    (folder / f"{name}{SUFFIX}").unlink(missing_ok=True)


def _locked_file(path: Path) -> int:
    """A descriptor that holds the lock; the name appears once it is held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        draft.rename(path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_free(path: Path) -> bool:
    with suppress(OSError):  # it is held, or gone by now
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True
    return False
