"""Whether a process of this host lives, told by its lock."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prodapp import lifelines

Process = subprocess.Popen[str]

HOLDING = """
import os, sys
from pathlib import Path
from prodapp import lifelines
with lifelines.held(Path(sys.argv[1]), sys.argv[2]):
    if len(sys.argv) > 3 and os.fork() == 0:
        print(os.getpid(), flush=True)
        sys.stdin.read()
        os._exit(0)
    print("held", flush=True)
    sys.stdin.readline()
"""


def name_of(number: int) -> str:
    return f"{lifelines.host_prefix()}{number}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    processes = []

    def start(number: int, *more: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDING, str(tmp_path), name_of(number), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_who_lives_or_ends_in_order_is_not_missed(
    tmp_path: Path, start: Callable[..., Process]
) -> None:
    lives, leaves = start(1), start(2)
    leaves.communicate("enough\n")
    assert lifelines.ended(tmp_path) == []
    assert lives.poll() is None


def test_who_was_killed_is_named_until_that_is_settled(
    tmp_path: Path, start: Callable[..., Process]
) -> None:
    start(1)
    killed = start(2)
    killed.kill()
    killed.wait()
    assert lifelines.ended(tmp_path) == [name_of(2)]
    lifelines.forget(tmp_path, name_of(2))
    assert lifelines.ended(tmp_path) == []


def test_a_child_does_not_speak_for_its_parent(
    tmp_path: Path, start: Callable[..., Process]
) -> None:
    killed = start(1, "with a child")
    killed.kill()
    killed.wait()
    assert lifelines.ended(tmp_path) == [name_of(1)]


def test_names_of_other_hosts_are_left_to_their_leases(tmp_path: Path) -> None:
    (tmp_path / f"another-host-1{lifelines.SUFFIX}").touch()
    assert lifelines.ended(tmp_path) == []


def test_a_folder_that_takes_no_file_keeps_nobody_from_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with lifelines.held(tmp_path / "file" / "folder", name_of(1)):
        pass
    assert lifelines.ended(tmp_path / "nowhere") == []
