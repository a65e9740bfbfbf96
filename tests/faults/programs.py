"""One long-running program of an installation: started, killed, stopped, held, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from prodapp.processes import terminate_all

PATIENCE_SECONDS = 180.0
POLL_SECONDS = 0.05
LOG_TAIL_BYTES = 8_000


def wait_for(
    condition: Callable[[], object], *, what: str, seconds: float = PATIENCE_SECONDS
) -> float:
    """Poll until ``condition()`` is true; returns the seconds it took, fails naming ``what``."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() > begin + seconds:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - begin


class Program:
    """A program named ``name`` that writes to ``log``; ``launch`` starts it.

    ``is_ready`` is asked after a start, with what the program has written since.
    """

    def __init__(
        self,
        name: str,
        *,
        launch: Callable[[], subprocess.Popen[bytes]],
        log: Path,
        is_ready: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.name = name
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self._launch = launch
        self._is_ready = is_ready
        self._log_start = 0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; fails where the program does not run."""
        assert self.process is not None, f"{self.name} was not started"
        return self.process.pid

    def start(self, *, is_waiting: bool = True) -> None:
        """Start the program; with ``is_waiting`` until it is ready."""
        assert not self.is_running, f"{self.name} runs already"
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.process = self._launch()
        if is_waiting:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        def is_up() -> bool:
            assert self.is_running, f"{self.name} ended while starting:\n{self.said()}"
            return self._is_ready(self.said())

        wait_for(is_up, what=f"the start of {self.name}")

    def twin(self) -> Program:
        """The same program once more, not started: to stand beside this one or to follow it."""
        return Program(self.name, launch=self._launch, log=self.log, is_ready=self._is_ready)

    def kill(self) -> None:
        """SIGKILL to the program itself; its children have to notice by themselves."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def stop(self, *, grace: float = 30.0) -> float:
        """SIGTERM; returns the seconds until it ended, fails where it had to be killed."""
        assert self.process is not None
        begin = time.monotonic()
        killed = terminate_all([self.process], grace=grace)
        assert not killed, f"{self.name} did not stop within {grace} s"
        return time.monotonic() - begin

    def end(self) -> None:
        """At the end of a test: whatever still runs of it."""
        if self.process is not None:
            self.resume()
            terminate_all([self.process], grace=0.0)

    def restart(self) -> None:
        """SIGKILL where it runs, and a start."""
        if self.is_running:
            self.kill()
        self.start()

    def pause(self) -> None:
        """SIGSTOP to the program and all its children."""
        self._signal_family(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT to the program and all its children."""
        self._signal_family(signal.SIGCONT)

    def children(self) -> list[psutil.Process]:
        """Its living children, such as a worker's horse."""
        with suppress(psutil.NoSuchProcess):
            return [
                child
                for child in psutil.Process(self.pid).children(recursive=True)
                if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
            ]
        return []

    def said(self) -> str:
        """What the program has written since it was last started."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def log_tail(self) -> str:
        """The end of its log, of all its lives."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def _signal_family(self, number: int) -> None:
        if not self.is_running:
            return
        for process in (psutil.Process(self.pid), *self.children()):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
