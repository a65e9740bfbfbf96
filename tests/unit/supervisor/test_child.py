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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that children see; its one item may be set."""
    now = [1000.0]
    monkeypatch.setattr(child_module.time, "monotonic", lambda: now[0])
    return now


def test_each_death_in_a_row_is_waited_for_longer_up_to_a_limit(
    tmp_path: Path, clock: list[float]
) -> None:
    said: list[str] = []
    dead = ended("raise SystemExit(1)")
    child = Child("web", start=lambda: dead, log=tmp_path / "web.log")
    child.start()
    for _ in range(8):
        child.look_after(said.append)
        clock[0] += 31
        child.look_after(said.append)
    assert [text.split(" in ")[-1].split(" s.")[0] for text in said] == ["1", "2", "8", "30"]
    # It was well for a while, so its next death counts as the first.
    clock[0] += 61
    child.look_after(said.append)
    assert "starting it again in 1 s" in said[-1]


def test_same_trouble_is_told_less_and_less_often_and_other_trouble_at_once(
    tmp_path: Path, clock: list[float]
) -> None:
    said: list[str] = []
    log = tmp_path / "worker.log"
    words = ["ModuleNotFoundError: No module named 'rq'\n"]

    def start() -> subprocess.Popen[bytes]:
        with log.open("a") as file:
            file.write(words[0])
        return ended("raise SystemExit(1)")

    child = Child("worker", start=start, log=log)
    for _ in range(100):
        clock[0] += 31
        child.look_after(said.append)
        child.look_after(said.append)
    assert child.n_failures == 100
    assert len(said) == 7
    assert "worker ended with code 1 (64 times in a row)" in said[-1]
    assert "No module named 'rq'" in said[-1]
    assert "run `make` again" in said[-1]
    words[0] = "prodapp cannot start. REDIS_URL: use an address.\n"
    clock[0] += 31
    child.look_after(said.append)
    child.look_after(said.append)
    assert len(said) == 8
    assert "flask --app wsgi config check" in said[-1]


def test_program_that_is_well_again_is_said_once(tmp_path: Path, clock: list[float]) -> None:
    said: list[str] = []
    alive = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    programs = [ended("raise SystemExit(1)"), alive]
    child = Child("worker", start=lambda: programs.pop(0), log=tmp_path / "worker.log")
    child.start()
    try:
        for _ in range(5):
            child.look_after(said.append)
            clock[0] += 40
    finally:
        alive.communicate(b"\n")
    assert len(said) == 2
    assert said[1] == "worker has been well for a minute."
    assert child.n_failures == 0


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


def test_large_log_is_set_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("wb") as file:
        file.truncate(MAX_LOG_BYTES)
    keep_log_small(log)
    assert log.stat().st_size == MAX_LOG_BYTES
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x")
        keep_log_small(log)
        assert log.stat().st_size == 0
        writer.write(b"more")
    assert log.read_bytes() == b"more"
    assert (tmp_path / "web.old.log").stat().st_size == MAX_LOG_BYTES + 1
