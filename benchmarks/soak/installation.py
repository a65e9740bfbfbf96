"""An installation of its own, started as ``make serve`` starts one, and the users it knows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flask import Flask

from prodapp import create_app
from prodapp.auth import service as auth
from prodapp.config import load_settings
from prodapp.models import TrainingRun

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300
STOP_SECONDS = 60


class WithPassword(Protocol):
    """Whoever may sign in."""

    name: str
    role: str
    password: str


@dataclass(frozen=True)
class Installation:
    """Where it is: the folder, the port, the process that started everything."""

    instance: Path
    port: int
    supervisor: subprocess.Popen[bytes]
    app: Flask

    def register(self, people: Sequence[WithPassword]) -> None:
        with self.app.app_context():
            caller = auth.system_caller(name="soak")
            for person in people:
                auth.create_user(
                    caller, username=person.name, role=person.role, password=person.password
                )

    def states(self, run_ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
        """State and error code of each run that is there."""
        from prodapp.extensions import db

        with self.app.app_context():
            rows = db.session.query(TrainingRun.id, TrainingRun.state, TrainingRun.error_code)
            found = {row[0]: (row[1], row[2]) for row in rows}
        return {run_id: found[run_id] for run_id in run_ids if run_id in found}


@contextmanager
def installation(folder: Path, *, nice: int) -> Iterator[Installation]:
    """Start everything in ``folder`` at a free port, stop it at the end.

    ``nice`` is what the processes' priority is lowered by, where the machine has other work.
    """
    instance, port = folder / "instance", _free_port()
    env = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "HOST")}
    env |= {"PRODAPP_INSTANCE": str(instance), "PORT": str(port), "PRODAPP_PROFILE": "development"}
    with (folder / "supervisor.log").open("ab") as log:
        supervisor = subprocess.Popen(
            ["nice", f"-n{nice}", sys.executable, "-m", "prodapp.supervisor", "--die-with-parent"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the measurement, which stops it in the end
        )
    try:
        _wait_until_ready(folder / "supervisor.log", supervisor)
        yield Installation(instance, port, supervisor, create_app(load_settings(env)))
    finally:
        supervisor.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            supervisor.wait(STOP_SECONDS)
        supervisor.kill()
        supervisor.wait()


def _wait_until_ready(log: Path, supervisor: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "prodapp is on" not in log.read_text():
        if supervisor.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The installation did not start:\n{log.read_text()}")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
