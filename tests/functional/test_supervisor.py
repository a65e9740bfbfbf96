"""The whole of prodapp as one command starts it, with real processes and real signals."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.config import load_settings
from prodapp.extensions import db
from prodapp.models import RunState, TrainingRun
from tests.conftest import SECRET
from tests.factories import make_dataset, make_run
from tests.services import private_folder

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120
TESTING = {"PRODAPP_PROFILE": "testing", "SECRET_KEY": SECRET}

pytestmark = [
    pytest.mark.queue,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


@dataclass
class Running:
    """A supervisor and what it serves."""

    process: subprocess.Popen[bytes]
    instance: Path
    port: int
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        return False

    def pids(self) -> set[int]:
        """Every living process that works for this instance, whoever started it."""
        return {int(path.name) for path in Path("/proc").glob("[0-9]*") if self._owns(path)}

    def pid_of(self, words: str) -> int | None:
        """The oldest process whose command line has ``words``."""
        found = [pid for pid in self.pids() if words in _read(Path(f"/proc/{pid}/cmdline"))]
        return min(found, default=None)

    def _owns(self, path: Path) -> bool:
        is_dead = _read(path / "stat").rpartition(")")[2].split()[:1] in ([], ["Z"])
        named = _read(path / "environ") + _read(path / "cmdline")
        return not is_dead and str(self.instance) in named


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def wait_until(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(instance: Path, port: int, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    here = {"PRODAPP_INSTANCE": str(instance), "PORT": str(port), "HOST": "127.0.0.1"}
    return {**kept, **here, **more}


@contextmanager
def supervisor(instance: Path, *, port: int | None = None, **more: str) -> Iterator[Running]:
    port = port or free_port()
    output = instance.parent / f"{instance.name}.out"
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "prodapp.supervisor"],
            cwd=ROOT,
            env=environment(instance, port, **more),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Running(process, instance, port, output)
    finally:
        process.kill()
        process.wait()


def is_up(running: Running) -> bool:
    return "prodapp is on" in running.said() or running.process.poll() is not None


def hold_runs(instance: Path) -> None:
    """Runs that are trained wait there, as a long one would go on."""
    (instance / "failpoints").mkdir(parents=True)
    (instance / "failpoints" / "run.trained").write_text("wait", encoding="ascii")


def state_of(run: TrainingRun) -> str:
    db.session.rollback()
    db.session.refresh(run)
    return run.state


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    """One running prodapp for the tests that leave it running."""
    with private_folder() as folder, supervisor(folder / "instance") as running:
        assert wait_until(lambda: is_up(running))
        yield running


def test_all_parts_run_and_the_pages_answer(shared: Running) -> None:
    assert shared.answers(), shared.said()
    for words in ("prodapp.server", "wsgi worker", "wsgi dispatcher", "valkey"):
        assert shared.pid_of(words), words


def test_second_start_in_the_same_folder_is_refused(shared: Running) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "prodapp.supervisor"],
        cwd=ROOT,
        env=environment(shared.instance, free_port()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "already running" in second.stdout
    assert f"process {shared.process.pid}" in second.stdout
    assert shared.answers()


def test_busy_port_is_said_before_anything_starts(shared: Running, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "prodapp.supervisor"],
        cwd=ROOT,
        env=environment(tmp_path / "other", shared.port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"PORT {shared.port} cannot be used" in second.stdout
    assert not (tmp_path / "other" / "log").exists()


@pytest.mark.parametrize("words", ["wsgi worker", "wsgi dispatcher", "prodapp.server", "valkey"])
def test_a_part_that_dies_is_started_again(shared: Running, words: str) -> None:
    before = shared.pid_of(words)
    assert before
    n_deaths = shared.said().count("ended by signal 9; starting it again")
    os.kill(before, signal.SIGKILL)
    assert wait_until(
        lambda: shared.said().count("ended by signal 9; starting it again") > n_deaths
    )
    assert wait_until(lambda: shared.pid_of(words) not in (None, before))
    assert wait_until(shared.answers)


def test_asked_to_stop_it_leaves_nothing_running() -> None:
    with private_folder() as folder, supervisor(folder / "instance") as running:
        assert wait_until(lambda: is_up(running))
        assert len(running.pids()) > 4
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(PATIENCE_SECONDS) == 0, running.said()
        assert running.pids() == set()
        assert "Stopped." in running.said()


def test_run_in_progress_is_handed_back_when_all_is_stopped() -> None:
    with private_folder() as folder, supervisor(folder / "instance", **TESTING) as running:
        hold_runs(running.instance)
        assert wait_until(lambda: is_up(running))
        app = create_app(load_settings(environment(running.instance, running.port, **TESTING)))
        with app.app_context():
            caller = auth.system_caller(name="tester")
            run = make_run(caller, make_dataset(caller))
            assert wait_until(lambda: state_of(run) == RunState.RUNNING)
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(PATIENCE_SECONDS) == 0, running.said()
            assert running.pids() == set()
            assert "was killed" not in running.said()
            assert state_of(run) in (RunState.QUEUED, RunState.RETRY_WAIT)
            assert (run.n_lost, run.n_failures) == (0, 0)
            db.session.remove()
            db.engine.dispose()


def test_program_that_cannot_start_is_told_with_its_reason_and_what_to_do() -> None:
    """A library is missing that the worker alone needs: the pages work all the same."""
    with private_folder() as folder:
        missing = "raise ModuleNotFoundError(\"No module named 'threadpoolctl'\")\n"
        (folder / "threadpoolctl.py").write_text(missing)
        with supervisor(folder / "instance", PYTHONPATH=str(folder)) as running:
            assert wait_until(lambda: "(2 times in a row)" in running.said()), running.said()
            assert "worker ended with code 1; starting it again in 1 s" in running.said()
            assert "No module named 'threadpoolctl'" in running.said()
            assert "run `make` again" in running.said()
            assert wait_until(running.answers)


def test_asked_to_stop_while_starting_it_leaves_nothing_running() -> None:
    with private_folder() as folder, supervisor(folder / "instance") as running:
        assert wait_until(lambda: "Starting" in running.said())
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(PATIENCE_SECONDS) == 0, running.said()
        assert running.pids() == set()


def test_killed_it_leaves_nothing_running_and_starts_again_on_the_same_data() -> None:
    with private_folder() as folder:
        with supervisor(folder / "instance") as running:
            assert wait_until(lambda: is_up(running))
            running.process.kill()
            assert wait_until(lambda: running.pids() == set())
        running.output.unlink()
        with supervisor(folder / "instance", port=running.port) as again:
            assert wait_until(lambda: is_up(again))
            assert again.answers(), again.said()


def test_start_that_fails_says_why_and_leaves_nothing_running() -> None:
    with private_folder() as folder:
        (folder / "instance").mkdir()
        (folder / "instance" / "prodapp.db").write_text("this is no database")
        with supervisor(folder / "instance") as running:
            assert running.process.wait(PATIENCE_SECONDS) == 1
            assert "cannot start: the migration of the database ended with code" in running.said()
            assert "file is not a database" in running.said()
            assert running.pids() == set()
