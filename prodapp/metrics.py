"""What is counted and timed, and how the processes of a host add up to one figure.

Every process has a *slot*: the lowest number of its kind that no living process holds, by a lock
on a file that the kernel gives back whatever ends the process. Its figures are in memory-mapped
files named after the slot, which the next process of that slot carries on: counters never fall,
files never pile up, and forked work-horses, of which a worker has one at a time, have files of
their own beside it. Whoever answers a scrape adds all files of the folder up.

The folder must lie on a disk of this host, not on a network share. Labels name routes, stages,
codes and states, all of them few: never machines, users or files.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import Counter, Histogram, values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

log = logging.getLogger(__name__)

MAX_SLOTS = 256
# Files are written out at this size before they are mapped: on a full disk, touching a page of a
# file with holes would end the process.
FILE_BYTES: Final = {"counter": 512 * 1024, "histogram": 2 * 1024**2}
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WORK_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)
SIZE_BUCKETS = tuple(float(4**power * 1024) for power in range(11))  # 1 KiB to 1 GiB

# All have a label: what has none would be bound to this process's memory when it is declared.
HTTP_REQUESTS = Counter(
    "prodapp_http_requests",
    "Requests answered.",
    ("surface", "method", "route", "status"),
)
HTTP_SECONDS = Histogram(
    "prodapp_http_request_duration_seconds",
    "Time from a request's arrival in the application to its answer.",
    ("surface", "method", "route"),
    buckets=HTTP_BUCKETS,
)
HTTP_PROBLEMS = Counter(
    "prodapp_http_problems", "Answers that told of a problem, by its stable code.", ("code",)
)
UPLOAD_BYTES = Histogram(
    "prodapp_upload_size_bytes",
    "Sizes of uploaded files that were stored.",
    ("kind",),
    buckets=SIZE_BUCKETS,
)
WORK_FINISHED = Counter(
    "prodapp_work_finished",
    "Background work that ended for good; error is the stable code of a failure, else empty.",
    ("kind", "outcome", "error"),
)
WORK_RETURNED = Counter(
    "prodapp_work_returned", "Background work that went back into the line.", ("kind",)
)
WORK_WAIT = Histogram(
    "prodapp_work_wait_seconds",
    "Time from asking for work to its first start.",
    ("kind",),
    buckets=WORK_BUCKETS,
)
WORK_SECONDS = Histogram(
    "prodapp_work_duration_seconds",
    "Time of the attempt that ended the work.",
    ("kind",),
    buckets=WORK_BUCKETS,
)
STAGE_SECONDS = Histogram(
    "prodapp_work_stage_duration_seconds",
    "Time of one stage of background work.",
    ("kind", "stage"),
    buckets=WORK_BUCKETS,
)
LOG_RECORDS = Counter(
    "prodapp_log_records", "Lines of the log that warn or tell of an error.", ("level",)
)

ALL: Final[tuple[Counter | Histogram, ...]] = (
    HTTP_REQUESTS,
    HTTP_SECONDS,
    HTTP_PROBLEMS,
    UPLOAD_BYTES,
    WORK_FINISHED,
    WORK_RETURNED,
    WORK_WAIT,
    WORK_SECONDS,
    STAGE_SECONDS,
    LOG_RECORDS,
)
KINDS = ("run", "import", "batch")
_FIRST = (
    *(
        (WORK_FINISHED, (kind, outcome, ""))
        for kind, outcome in (
            ("run", "succeeded"),
            ("run", "canceled"),
            ("import", "ready"),
            ("batch", "succeeded"),
        )
    ),
    (WORK_FINISHED, ("run", "failed", "internal_error")),
    *((metric, (kind,)) for kind in KINDS for metric in (WORK_RETURNED, WORK_SECONDS)),
    (WORK_WAIT, ("run",)),
    (UPLOAD_BYTES, ("dataset",)),
    (HTTP_PROBLEMS, ("internal_error",)),
    *((LOG_RECORDS, (level,)) for level in ("warning", "error")),
)
UNREADABLE = (OSError, ValueError, RuntimeError, IndexError, struct.error)


class Slot:
    """This process's place among those of its kind on this host, and its sign of life."""

    def __init__(self, folder: Path, kind: str) -> None:
        """Take the lowest free slot. Raises ``OSError`` where the folder takes no files."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        for number in range(1, MAX_SLOTS):
            descriptor = os.open(folder / f"{kind}-{number}.slot", os.O_CREAT | os.O_RDWR, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            self.name, self._descriptor = f"{kind}-{number}", descriptor
            self.beat()
            return
        raise BlockingIOError(f"more than {MAX_SLOTS} processes of the kind {kind}")

    def beat(self) -> None:
        """Say that the process still does its work; see :func:`seconds_since_beat`."""
        os.utime(self._descriptor)


class _Binding:
    """Which files this process writes to."""

    slot: Slot | None = None
    identity = ""


def bind(folder: Path, kind: str) -> None:
    """Keep this process's figures in ``folder`` from now on; once, before anything is counted.

    Where the folder cannot be written, the process counts for itself and says so.
    """
    try:
        slot = Slot(folder, kind)
        _write_out(slot.folder, slot.name)
    except OSError as error:
        log.warning("figures of this process will not be seen by others: %s", error)
        return
    _Binding.slot, _Binding.identity = slot, slot.name
    # The library knows no other way of being told the place.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: _Binding.identity)
    declare()


def declare() -> None:
    """Show what alerts divide by, or wait for, before anything was counted."""
    for metric, labels in _FIRST:
        metric.labels(*labels)


def become_horse() -> None:
    """Count into files of one's own: this process was forked from the one that was bound."""
    if _Binding.slot is None:
        return
    identity = f"{_Binding.slot.name}-horse"
    try:
        _write_out(_Binding.slot.folder, identity)
    except OSError as error:
        log.warning("figures of this job are not kept: %s", error)
        return
    _Binding.identity = identity


def is_bound() -> bool:
    """Whether this process's figures are in its folder."""
    return _Binding.slot is not None


def beat() -> None:
    """As :meth:`Slot.beat`, for the slot that this process is bound to."""
    if _Binding.slot is not None:
        _Binding.slot.beat()


def seconds_since_beat(folder: Path, kind: str) -> float | None:
    """How long ago a process of the kind gave a sign of life here; ``None`` where none ever did."""
    times = [path.stat().st_mtime for path in folder.glob(f"{kind}-*.slot")]
    return max(0.0, time.time() - max(times)) if times else None


class OwnCollector:
    """The figures of this process alone, where it is not bound to a folder."""

    def collect(self) -> Iterator[Metric]:
        for metric in ALL:
            yield from metric.collect()


class FolderCollector:
    """The figures of all processes that have written to a folder, added up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        files = sorted(self._folder.glob("*.db"))
        try:
            found = MultiProcessCollector.merge([str(path) for path in files])
        except UNREADABLE:  # one of them: the others still count
            found = MultiProcessCollector.merge([str(path) for path in files if _is_readable(path)])
        yield from found


@contextmanager
def timed(metric: Histogram, *labels: str) -> Iterator[None]:
    """Observe how long the block takes, however it ends."""
    began = time.perf_counter()
    try:
        yield
    finally:
        metric.labels(*labels).observe(time.perf_counter() - began)


class CountingHandler(logging.Handler):
    """Counts what is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        LOG_RECORDS.labels(level).inc()


def _write_out(folder: Path, identity: str) -> None:
    """Have the slot's files at their full size, and let go of one that a crash has spoiled."""
    for kind, size in FILE_BYTES.items():
        path = folder / f"{kind}_{identity}.db"
        if path.exists() and not _is_readable(path):
            path.unlink()
        with path.open("ab") as file:
            file.write(bytes(max(0, size - file.tell())))


def _is_readable(path: Path) -> bool:
    try:
        MultiProcessCollector.merge([str(path)])
    except UNREADABLE as error:
        log.warning("passing over the figures in %s: %s", path.name, error)
        return False
    return True
