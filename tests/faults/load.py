"""People at work while faults strike: threads that read and write, and what they were answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.factories import make_csv
from tests.faults.client import Client, NotAcknowledged

READ_PAUSE = 0.1

T = TypeVar("T")


@dataclass
class Answers:
    """How often each status came (0: no answer), and the longest time that one took."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.slowest = max(self.slowest, seconds)

    def count(self, is_meant: Callable[[int], bool]) -> int:
        return sum(n for status, n in self.statuses.items() if is_meant(status))

    @property
    def n_good(self) -> int:
        return self.count(lambda status: 200 <= status < 400)

    @property
    def n_errors(self) -> int:
        """Answers that say that the service failed."""
        return self.count(lambda status: status >= 500)

    @property
    def n_unexpected(self) -> int:
        """What no outage excuses: everything but success, 503 and silence."""
        return self.count(lambda status: status >= 400 and status != 503)


@dataclass
class Load:
    """``reads`` and ``writes`` of the threads of :func:`under_load`."""

    reads: Answers = field(default_factory=Answers)
    writes: Answers = field(default_factory=Answers)
    unexpected: list[str] = field(default_factory=list)


@contextmanager
def under_load(
    client: Client, *, machine_id: int, n_readers: int = 2, run_pause: float = 1.5
) -> Iterator[Load]:
    """Read all the time, and every ``run_pause`` seconds register, upload and train."""
    load, stop = Load(), threading.Event()
    threads = [
        threading.Thread(target=_read, args=(client, machine_id, load, stop))
        for _ in range(n_readers)
    ]
    threads.append(threading.Thread(target=_write, args=(client, load, stop, run_pause)))
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _read(client: Client, machine_id: int, load: Load, stop: threading.Event) -> None:
    paths = (f"/machines/{machine_id}", "/runs?page_size=5", f"/machines/{machine_id}/datasets")
    number = 0
    while not stop.wait(READ_PAUSE):
        path = paths[number % len(paths)]
        number += 1
        _do(load, load.reads, client.call, "GET", path)


def _write(client: Client, load: Load, stop: threading.Event, pause: float) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        content = make_csv(n_rows=60, seed=number)
        machine_id = _do(load, load.writes, client.create_machine, f"Press {number}")
        if machine_id is not None:
            dataset_id = _do(load, load.writes, client.upload, machine_id, content)
            if dataset_id is not None:
                _do(load, load.writes, client.start_run, dataset_id)
        stop.wait(pause)


def _do(load: Load, answers: Answers, call: Callable[..., T], *args: Any) -> T | None:
    begin = time.monotonic()
    try:
        value = call(*args)
    except NotAcknowledged as error:
        answers.add(error.status, time.monotonic() - begin)
        if error.status not in (0, 503):
            load.unexpected.append(str(error))
        return None
    answers.add(200, time.monotonic() - begin)
    return value
