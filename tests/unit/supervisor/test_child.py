from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prodapp.supervisor import child as child_module
from prodapp.supervisor.child import MAX_LOG_BYTES, Child, describe_exit, keep_log_small, tail


def ended(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code])
    process.wait()
    return process


def test_death_is_said_and_the_program_started_again_when_its_time_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(child_module.time, "monotonic", lambda: now[0])
    said: list[str] = []
    child = Child("web", start=lambda: ended("raise SystemExit(3)"), log=tmp_path / "web.log")
    child.start()

    child.look_after(said.append)
    assert child.process is None
    assert said == [f"web ended with code 3; starting it again in 1 s. Its log: {tmp_path}/web.log"]
    now[0] += 0.9
    child.look_after(said.append)
    assert child.process is None
    now[0] += 0.2
    child.look_after(said.append)
    assert child.process is not None


def test_each_death_in_a_row_is_waited_for_longer_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(child_module.time, "monotonic", lambda: now[0])
    said: list[str] = []
    dead = ended("raise SystemExit(1)")
    child = Child("web", start=lambda: dead, log=tmp_path / "web.log")
    child.start()
    for _ in range(7):
        child.look_after(said.append)
        now[0] += 31
        child.look_after(said.append)
    assert [text.split(" in ")[1].split(" s.")[0] for text in said] == (
        ["1", "2", "4", "8", "16", "30", "30"]
    )
    # It was well for a while, so its next death counts as the first.
    now[0] += 61
    child.look_after(said.append)
    assert "in 1 s" in said[-1]


def test_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    def start() -> subprocess.Popen[bytes]:
        raise OSError("no room")

    said: list[str] = []
    child = Child("queue", start=start, log=tmp_path / "queue.log")
    child.look_after(said.append)
    assert "queue did not start: no room; starting it again in 1 s" in said[0]


def test_exit_is_described_in_words() -> None:
    assert describe_exit(2) == "with code 2"
    assert describe_exit(-9) == "by signal 9"


def test_tail_gives_the_last_lines_whatever_they_hold(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\xff two\nthree\n")
    assert tail(log, n_lines=2) == "    � two\n    three"
    assert tail(tmp_path / "missing") == ""


def test_large_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("wb") as file:
        file.truncate(MAX_LOG_BYTES)
    keep_log_small(log)
    assert log.exists()
    with log.open("ab") as file:
        file.write(b"x")
    keep_log_small(log)
    assert not log.exists()
    assert (tmp_path / "web.old.log").stat().st_size == MAX_LOG_BYTES + 1
