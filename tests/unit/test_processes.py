from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prodapp.processes import spawn, terminate_all

PATIENCE_SECONDS = 30
linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux ends a process with its parent"
)


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    terminate_all(started, grace=0)


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    log.write_text("before\n")
    code = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr)"
    assert spawn([sys.executable, "-c", code], log=log).wait(PATIENCE_SECONDS) == 0
    assert log.read_text().split() == ["before", "out", "err"]


def test_environment_and_exit_code_are_the_program_s() -> None:
    code = "import os, sys; sys.exit(int(os.environ['ANSWER']))"
    child = spawn([sys.executable, "-c", code], env={**os.environ, "ANSWER": "42"})
    assert child.wait(PATIENCE_SECONDS) == 42


def test_missing_program_says_its_name(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    assert spawn(["no-such-program-here"], log=log).wait(PATIENCE_SECONDS) == 127
    assert "no-such-program-here: No such file" in log.read_text()


def test_child_is_out_of_reach_of_the_terminal(
    children: list[subprocess.Popen[bytes]],
) -> None:
    child = spawn(["sleep", "600"])
    children.append(child)
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


@linux_only
@pytest.mark.parametrize("death_signal", [signal.SIGKILL, signal.SIGTERM])
def test_child_ends_with_a_killed_parent(death_signal: int) -> None:
    code = (
        "from prodapp.processes import spawn; import time;"
        f"print(spawn(['sleep', '600'], death_signal={int(death_signal)}).pid, flush=True);"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    assert wait_until(lambda: not is_alive(child))


@linux_only
def test_child_of_a_parent_that_is_gone_ends_at_once() -> None:
    # The parent named is init, which did not start this process.
    code = "from prodapp.processes import die_with_parent; die_with_parent(parent=1)"
    result = subprocess.run([sys.executable, "-c", code], check=False)
    assert result.returncode == -signal.SIGKILL


def test_terminate_lets_a_process_end_by_itself(tmp_path: Path) -> None:
    child = spawn(
        ["sh", "-c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"],
        log=tmp_path / "log",
    )
    assert wait_until(lambda: "up" in (tmp_path / "log").read_text())
    assert terminate_all([child], grace=PATIENCE_SECONDS) == []
    assert child.returncode == 0
    assert "bye" in (tmp_path / "log").read_text()


def test_terminate_kills_what_will_not_end_with_its_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = spawn(["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait; wait"], log=log)
    assert wait_until(lambda: log.read_text().strip().isdigit())
    grandchild = int(log.read_text())
    assert terminate_all([child], grace=0.2) == [child]
    assert child.returncode == -signal.SIGKILL
    assert wait_until(lambda: not is_alive(grandchild))


def test_terminate_does_not_wait_when_it_is_urgent(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = spawn(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 1; done"], log=log)
    assert wait_until(lambda: "up" in log.read_text())
    # A grace that no test run would survive: only the urgency can end this.
    assert terminate_all([child], grace=86_400, is_urgent=lambda: True) == [child]
