"""An installation of separate, real processes, each of which can be started and hurt alone."""

from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from flask import Flask

from prodapp import create_app, embedded_queue, failpoints
from prodapp.auth import service as auth
from prodapp.extensions import db
from prodapp.processes import spawn
from tests.conftest import ROOT, SECRET, make_settings
from tests.faults.client import Client, OperationLog
from tests.faults.programs import Program, wait_for

FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
WEB = (sys.executable, "-m", "prodapp.server")


class Installation:
    """Web, workers, dispatcher and queue of one instance folder, over a migrated database.

    Nothing runs until it is started. ``environ`` holds settings of all its programs; each program
    may be given others. The profile is ``testing``, so that failpoints work.
    """

    def __init__(self, folder: Path, *, database_url: str, **environ: str) -> None:
        self.folder = folder
        self.instance = folder / "instance"
        self.instance.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.environ = {
            "DATABASE_URL": database_url,
            "REDIS_URL": embedded_queue.socket_url(folder),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            **environ,
        }
        self.operations = OperationLog(folder / "operations.jsonl")
        self.queue = self._program("queue", self._launch_queue, self._queue_answers)
        self.web = self._flask_program("web", WEB, is_ready=lambda _: self.is_answering())
        self.dispatcher = self._flask_program("dispatcher", (*FLASK, "dispatcher"))
        self.workers: list[Program] = []
        self._app: Flask | None = None

    @property
    def app(self) -> Flask:
        """The application of this test process over the same database, storage and queue."""
        if self._app is None:
            self._app = create_app(make_settings(self.instance, **self.environ))
        return self._app

    @contextmanager
    def context(self) -> Iterator[Flask]:
        """The application's context; its database connections are closed at the end."""
        with self.app.app_context():
            try:
                yield self.app
            finally:
                db.session.remove()
                db.engine.dispose()

    @property
    def programs(self) -> tuple[Program, ...]:
        return (self.web, self.dispatcher, *self.workers, self.queue)

    def start(self, *, n_workers: int = 1, has_queue: bool = True) -> None:
        """Start everything and wait until it is ready; the queue may be another's."""
        if has_queue:
            self.queue.start()
        for _ in range(n_workers):
            self.add_worker()
        for program in (self.web, self.dispatcher, *self.workers):
            program.start(is_waiting=False)
        for program in (self.web, self.dispatcher, *self.workers):
            program.wait_until_ready()

    def add_worker(self, *, before: tuple[str, ...] = (), **environ: str) -> Program:
        """One more worker, not started, with settings of its own; ``before`` goes ahead of its
        command, for a program that limits it."""
        name = f"worker-{len(self.workers) + 1}"
        worker = self._flask_program(name, (*before, *FLASK, "worker"), environ=environ)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """End every process, whatever state it is in."""
        for program in self.programs:
            program.end()

    def client(self, *, role: str = "admin") -> Client:
        """A client over HTTP with an API key, whose acknowledged operations are logged."""
        username = f"{role}-{os.urandom(4).hex()}"
        with self.context():
            caller = auth.system_caller(name="tester")
            auth.create_user(caller, username=username, role=role)
            key = auth.create_key(caller, username=username, name="faults")
        return Client("127.0.0.1", self.port, key=key.secret, log=self.operations)

    def is_answering(self, path: str = "/healthz") -> bool:
        """Whether web answers ``path`` with 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        return False

    def takes_writes(self, *, seconds: float = 1.0) -> bool:
        """Whether the database takes a write now: on SQLite somebody may hold its one lock."""
        url = self.environ["DATABASE_URL"]
        if not url.startswith("sqlite"):
            return True
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=seconds)
        with closing(connection):
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
        return True

    def arm(self, point: str, action: str = "wait") -> None:
        """Arm a failpoint: ``wait`` or ``die``, see :mod:`prodapp.failpoints`."""
        path = self._failpoint(point)
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{path.name}")  # a half-written action would be none
        draft.write_text(action, encoding="ascii")
        draft.replace(path)

    def disarm(self, point: str) -> None:
        """Let go whoever is held there."""
        self._failpoint(point).unlink(missing_ok=True)
        self._reached(point).unlink(missing_ok=True)

    def is_armed(self, point: str) -> bool:
        """Whether nobody has died there yet."""
        return self._failpoint(point).exists()

    def held_at(self, point: str) -> int | None:
        """The id of the process that is held at the point, ``None`` while there is none."""
        with suppress(FileNotFoundError):
            text = self._reached(point).read_text(encoding="ascii")
            return int(text) if text else None
        return None

    def wait_until_held(self, point: str) -> int:
        """Wait for somebody to be held at the point; gives the id of that process."""
        wait_for(lambda: self.held_at(point), what=f"somebody reaching {point}")
        pid = self.held_at(point)
        assert pid is not None
        return pid

    def logs(self) -> str:
        """The ends of all logs, for a test that failed."""
        parts = [f"--- {program.name} ---\n{program.log_tail()}" for program in self.programs]
        return "\n".join(parts)

    def _failpoint(self, point: str) -> Path:
        return self.instance / failpoints.FOLDER / point

    def _reached(self, point: str) -> Path:
        return self._failpoint(f"{point}.reached")

    def _program(
        self,
        name: str,
        launch: Callable[[Path], subprocess.Popen[bytes]],
        is_ready: Callable[[str], bool],
    ) -> Program:
        log = self.folder / f"{name}.log"
        return Program(name, launch=partial(launch, log), log=log, is_ready=is_ready)

    def _flask_program(
        self,
        name: str,
        args: tuple[str, ...],
        *,
        is_ready: Callable[[str], bool] = lambda said: "is ready" in said,
        environ: Mapping[str, str] | None = None,
    ) -> Program:
        env = {
            **{key: value for key, value in os.environ.items() if key not in self.environ},
            "PRODAPP_PROFILE": "testing",
            "PRODAPP_INSTANCE": str(self.instance),
            "SECRET_KEY": SECRET,
            "PYTHONUNBUFFERED": "1",
            **self.environ,
            **(environ or {}),
        }

        def launch(log: Path) -> subprocess.Popen[bytes]:
            return spawn(args, env=env, cwd=ROOT, log=log)

        return self._program(name, launch, is_ready)

    def _launch_queue(self, log: Path) -> subprocess.Popen[bytes]:
        return embedded_queue.start(self.folder, log=log)

    def _queue_answers(self, _said: str) -> bool:
        return embedded_queue.is_running(self.folder)


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
