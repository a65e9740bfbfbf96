"""Disks that are small enough to be filled, and full ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.client import Client, NotAcknowledged
from tests.services import ServiceUnavailable, mounted


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """The file system of ``folder`` has no room while it lasts."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(b"\0"):
            pass
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def small_disk(folder: Path, *, mebibytes: int) -> Iterator[None]:
    """``folder`` is a small file system of its own while it lasts; or a skip with the reason."""
    disk = mounted(folder, kibibytes=1024 * mebibytes)
    try:
        disk.__enter__()
    except ServiceUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        yield
    finally:
        disk.__exit__(None, None, None)


def fill_up(client: Client, number: int) -> int:
    """Write until a write is refused; its status. The database has some room inside its files."""
    for index in range(2000):
        try:
            client.create_machine(f"Filling {number} {index} {'x' * 100}")
        except NotAcknowledged as error:
            return error.status if "disk_full" in str(error) else 0
    raise AssertionError("the disk never was full")
