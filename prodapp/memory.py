"""How much memory there is, and how much this process may take of it.

Linux tells; elsewhere nothing is known and nothing limited.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
# Of the first and of the second version of control groups.
CGROUP_LIMITS = (CGROUP / "memory.max", CGROUP / "memory" / "memory.limit_in_bytes")
OOM_EVENTS = CGROUP / "memory.events"
OWN_SIZE = Path("/proc/self/statm")
OWN_OOM_SCORE = Path("/proc/self/oom_score_adj")
# Where memory runs out all the same, the kernel ends such a process before all others.
FIRST_TO_GO = 800
M_ARENA_MAX = -8  # <malloc.h>
MAX_HEAPS = 2
TRIM_SECONDS = 60.0


def total_bytes() -> int | None:
    """The memory of this machine, or of the control group where that has less."""
    if not sys.platform.startswith("linux"):
        return None
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # none there, or the word "max"
            sizes.append(int(path.read_text(encoding="ascii")))
    return min(sizes)


def allow_no_more_than(budget: int) -> None:
    """Limit what this process may take beyond what it has now, to ``budget`` bytes."""
    if not sys.platform.startswith("linux"):
        return
    n_pages = int(OWN_SIZE.read_text(encoding="ascii").split()[0])
    limit = n_pages * os.sysconf("SC_PAGE_SIZE") + budget
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def go_first() -> None:
    """Offer this process to the kernel for when there is no memory left."""
    with suppress(OSError):
        OWN_OOM_SCORE.write_text(str(FIRST_TO_GO), encoding="ascii")


def n_oom_kills() -> int:
    """How often the kernel killed for want of memory in this control group; 0 where unknown."""
    with suppress(OSError, ValueError):
        for line in OOM_EVENTS.read_text(encoding="ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def use_sparingly() -> None:
    """Keep what a process that runs for months has freed from adding up.

    Each thread would get a heap of its own, whose holes the others cannot fill, and pyarrow a pool
    apart that gives little back. Does nothing where the C library is not glibc.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "malloc_trim"):
        return
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # read when pyarrow is imported
    libc.mallopt(M_ARENA_MAX, MAX_HEAPS)
    threading.Thread(target=_give_memory_back, args=(libc,), daemon=True).start()


def _give_memory_back(libc: ctypes.CDLL) -> None:
    while True:
        time.sleep(TRIM_SECONDS)
        libc.malloc_trim(0)
