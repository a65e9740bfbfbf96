"""What the machine says about the installation's processes, every few seconds (Linux)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

PROGRAMS = {
    "prodapp.supervisor": "supervisor",
    "prodapp.server": "web",
    "dispatcher": "dispatcher",
    "worker": "worker",
    "valkey": "queue",
}
MIB = 1024**2


@dataclass(frozen=True)
class Family:
    """One program of the installation and what it has forked."""

    role: str
    process: psutil.Process


class Watch:
    """Samples of the processes below ``supervisor`` and of the files in ``instance``."""

    def __init__(self, supervisor: int, instance: Path) -> None:
        self._supervisor = psutil.Process(supervisor)
        self._instance = instance
        self._spent: dict[int, tuple[float, float]] = {}

    def sample(self) -> dict[str, Any]:
        """Everything there is to see now; times in Unix seconds, sizes in MiB."""
        processes = []
        for family in self._families():
            with suppress(psutil.Error, OSError):
                processes.append(self._look(family))
        return {
            "at": time.time(),
            "load": os.getloadavg()[0],
            "free_mib": round(psutil.virtual_memory().available / MIB, 1),
            "processes": processes,
            "database_mib": self._size("prodapp.db*"),
            "files_mib": self._size("files/**/*"),
            "logs_mib": self._size("log/*"),
            "queue_mib": self._size("queue/**/*"),
        }

    def _families(self) -> Iterator[Family]:
        yield Family("supervisor", self._supervisor)
        for child in self._supervisor.children():
            with suppress(psutil.Error):
                role = _role(child.cmdline())
                if role is None:
                    continue
                # The server's own process only restarts the one that answers; a worker's child
                # is the horse, which lives for one run.
                yield Family("web's parent" if role == "web" else role, child)
                below = {"web": "web", "worker": "horse"}.get(role)
                if below:
                    for grandchild in child.children():
                        yield Family(below, grandchild)

    def _look(self, family: Family) -> dict[str, Any]:
        process = family.process
        with process.oneshot():
            found: dict[str, Any] = {
                "role": family.role,
                "pid": process.pid,
                **_memory(process.pid),
                "files": process.num_fds(),
                "threads": process.num_threads(),
            }
            if family.role != "horse":  # a horse's time is its worker's once it has ended
                found["cpu"] = self._cpu(process)
        return found

    def _cpu(self, process: psutil.Process) -> float:
        """Since the last look, with children that ended meanwhile; 100 is one core."""
        spent, now = sum(process.cpu_times()[:4]), time.monotonic()
        before, then = self._spent.get(process.pid, (spent, now))
        self._spent[process.pid] = spent, now
        return round(float(max(0.0, spent - before) / max(now - then, 0.1) * 100), 1)

    def _size(self, pattern: str) -> float:
        total = 0
        for path in self._instance.glob(pattern):
            with suppress(OSError):
                total += path.stat().st_size if path.is_file() else 0
        return round(total / MIB, 3)


def _role(command: list[str]) -> str | None:
    line = " ".join(command)
    return next((role for words, role in PROGRAMS.items() if words in line), None)


def _memory(pid: int) -> dict[str, float]:
    """Anonymous, unique and proportional set size, MiB, from the kernel's own sums.

    Anonymous pages (heap and stacks) are what a leak grows; unlike the unique ones they do not
    seem to vanish while a forked child shares them.
    """
    kib: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, value = line.partition(":")
        kib[name] = int(value.split()[0])
    return {
        "own_mib": round(kib["Anonymous"] / 1024, 2),
        "uss_mib": round((kib["Private_Clean"] + kib["Private_Dirty"]) / 1024, 2),
        "pss_mib": round(kib["Pss"] / 1024, 2),
    }
