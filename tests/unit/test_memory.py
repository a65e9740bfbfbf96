from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import pytest

from prodapp import memory

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells")

MEGABYTE = 1024**2


def test_the_machine_says_what_it_has() -> None:
    total = memory.total_bytes()
    assert total is not None
    assert total > 256 * MEGABYTE


def test_a_smaller_control_group_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CGROUP_LIMITS", (limit, tmp_path / "absent"))
    without = memory.total_bytes()
    limit.write_text("max\n")
    assert memory.total_bytes() == without
    limit.write_text(f"{64 * MEGABYTE}\n")
    assert memory.total_bytes() == 64 * MEGABYTE


@pytest.mark.parametrize(("size", "code"), [(16, 0), (256, 1)])
def test_a_process_takes_its_budget_and_no_more(size: int, code: int) -> None:
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_take, args=(size * MEGABYTE,))
    process.start()
    process.join()
    assert process.exitcode == code


def _take(size: int) -> None:
    memory.allow_no_more_than(128 * MEGABYTE)
    try:
        bytearray(size)
    except MemoryError:
        sys.exit(1)


def test_kills_for_want_of_memory_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = tmp_path / "memory.events"
    monkeypatch.setattr(memory, "OOM_EVENTS", events)
    assert memory.n_oom_kills() == 0
    events.write_text("low 0\nhigh 0\nmax 3\noom 2\noom_kill 2\n")
    assert memory.n_oom_kills() == 2
