from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prodapp import metrics
from prodapp.metrics import FolderCollector, Slot, seconds_since_beat

FORK = multiprocessing.get_context("spawn")


def total(folder: Path, name: str, **labels: str) -> float | None:
    """What the folder's files add up to."""
    samples = [s for metric in FolderCollector(folder).collect() for s in metric.samples]
    found = [s.value for s in samples if s.name == name and labels.items() <= s.labels.items()]
    return sum(found) if found else None


def in_process(work: Callable[..., None], *args: Any) -> None:
    process = FORK.Process(target=work, args=args)
    process.start()
    process.join()
    assert process.exitcode == 0


def count(folder: Path, kind: str, n: int) -> None:
    metrics.bind(folder, kind)
    metrics.HTTP_PROBLEMS.labels("busy").inc(n)
    metrics.WORK_WAIT.labels("run").observe(7.0)


def count_in_horses(folder: Path, n_horses: int) -> None:
    """As a worker does: it counts itself, forks, and counts again after its children have."""
    metrics.bind(folder, "worker")
    metrics.HTTP_PROBLEMS.labels("busy").inc()
    for _ in range(n_horses):
        pid = os.fork()
        if pid == 0:
            metrics.become_horse()
            metrics.HTTP_PROBLEMS.labels("busy").inc()
            os._exit(0)
        os.waitpid(pid, 0)
        metrics.HTTP_PROBLEMS.labels("busy").inc()


def test_processes_that_came_and_went_add_up_in_the_files_of_one_slot(tmp_path: Path) -> None:
    for n in (1, 2, 3):
        in_process(count, tmp_path, "web", n)
    assert total(tmp_path, "prodapp_http_problems_total", code="busy") == 6
    assert total(tmp_path, "prodapp_work_wait_seconds_count", kind="run") == 3
    assert total(tmp_path, "prodapp_work_wait_seconds_sum", kind="run") == 21
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "counter_web-1.db",
        "histogram_web-1.db",
        "web-1.slot",
    ]


def test_what_horses_and_their_worker_count_is_all_kept(tmp_path: Path) -> None:
    in_process(count_in_horses, tmp_path, 3)
    in_process(count_in_horses, tmp_path, 2)
    assert total(tmp_path, "prodapp_http_problems_total", code="busy") == (1 + 2 * 3) + (1 + 2 * 2)
    assert len(list(tmp_path.glob("*.db"))) == 4


def test_two_at_a_time_have_a_slot_each_and_a_free_one_is_taken_again(tmp_path: Path) -> None:
    first, second = Slot(tmp_path, "web"), Slot(tmp_path, "web")
    assert (first.name, second.name) == ("web-1", "web-2")
    assert Slot(tmp_path, "worker").name == "worker-1"
    os.close(first._descriptor)
    assert Slot(tmp_path, "web").name == "web-1"


def test_what_alerts_divide_by_is_there_from_the_start(tmp_path: Path) -> None:
    in_process(count, tmp_path, "worker", 0)
    name = "prodapp_work_finished_total"
    assert total(tmp_path, name, kind="run", outcome="succeeded") == 0
    assert total(tmp_path, name, kind="run", outcome="failed", error="internal_error") == 0
    assert total(tmp_path, "prodapp_log_records_total", level="error") == 0


def test_a_file_that_a_crash_has_spoiled_is_passed_over_and_replaced(tmp_path: Path) -> None:
    in_process(count, tmp_path, "web", 1)
    in_process(count, tmp_path, "worker", 1)
    (tmp_path / "counter_web-1.db").write_bytes(b"\xff\x7f\x00\x00" + bytes(2000))
    assert total(tmp_path, "prodapp_http_problems_total", code="busy") == 1
    in_process(count, tmp_path, "web", 5)
    assert total(tmp_path, "prodapp_http_problems_total", code="busy") == 6


def test_a_full_disk_leaves_a_process_that_counts_for_itself(small_disk: Path) -> None:
    in_process(count, small_disk, "web", 1)  # ends with 0: neither an error nor a signal
    assert total(small_disk, "prodapp_http_problems_total", code="busy") is None


def test_files_have_their_size_before_they_are_mapped(tmp_path: Path) -> None:
    in_process(count, tmp_path, "web", 1)
    for path in tmp_path.glob("*.db"):
        assert path.stat().st_blocks * 512 >= path.stat().st_size


def test_a_sign_of_life_grows_old(tmp_path: Path) -> None:
    assert seconds_since_beat(tmp_path, "worker") is None
    slot = Slot(tmp_path, "worker")
    assert 0 <= (seconds_since_beat(tmp_path, "worker") or 0) < 5
    old = time.time() - 100
    os.utime(tmp_path / "worker-1.slot", (old, old))
    assert (seconds_since_beat(tmp_path, "worker") or 0) > 90
    slot.beat()
    assert (seconds_since_beat(tmp_path, "worker") or 0) < 5


def test_names_keep_to_the_conventions_of_the_field() -> None:
    units = ("_seconds", "_bytes")
    for metric in metrics.ALL:
        (family,) = metric.collect()
        assert family.name.startswith("prodapp_")
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith(units)
        assert set(metric._labelnames) <= {
            *("surface", "method", "route", "status", "code"),
            *("kind", "outcome", "error", "stage", "level"),
        }


@pytest.fixture(autouse=True)
def _unbound() -> None:
    assert not metrics.is_bound()  # whoever binds does so in a process of its own
