"""Starting queue, web, worker and dispatcher, watching them, and ending them in order."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from pathlib import Path

from prodapp import embedded_queue
from prodapp.config import Settings
from prodapp.processes import spawn, terminate_all
from prodapp.supervisor.child import Child, describe_exit, keep_log_small, tail
from prodapp.supervisor.diagnosis import diagnose
from prodapp.supervisor.schema import is_up_to_date
from prodapp.supervisor.sources import Sources
from prodapp.supervisor.stop_signals import StopSignals

ROOT = Path(__file__).resolve().parent.parent.parent
FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")
PROGRAMS = {
    "web": (sys.executable, "-m", "prodapp.server"),
    "dispatcher": (*FLASK, "dispatcher"),
    "worker": (*FLASK, "worker"),
}
# Last what the others need; with the seconds that each gets. Web and worker use up to
# eight to finish what they are at, and a busy machine takes as long again to end a process.
STOP_ORDER = ((("web", "dispatcher", "worker"), 20), (("queue",), 10))
HEALTHY_SECONDS = 120
MAX_EARLY_DEATHS = 3


class CannotStart(Exception):
    """The start is given up; the message says why."""


class Supervisor:
    """The programs of one instance. Used from the main thread: its end would end them."""

    def __init__(
        self,
        settings: Settings,
        *,
        signals: StopSignals,
        say: Callable[[str], None],
        is_reloading: bool = False,
    ) -> None:
        self._settings = settings
        self._signals = signals
        self._say = say
        self._sources = Sources(ROOT) if is_reloading else None
        self._children: dict[str, Child] = {}
        self._task: subprocess.Popen[bytes] | None = None
        self._logs = settings.instance_path / "log"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._env = {
            **os.environ,
            "PRODAPP_INSTANCE": str(settings.instance_path),
            "PYTHONUNBUFFERED": "1",
            **({"FLASK_DEBUG": "1"} if is_reloading else {}),
        }

    def start(self, *task: str) -> None:
        """Bring everything up, running ``task`` (a program that ends) as soon as it can work.

        Web comes first, since nobody waits for what works in the background; but where that has
        to get ready for the first time too, all start together. Raises :class:`CannotStart`, or
        ``StopAsked`` on the way.
        """
        is_new = not is_up_to_date(self._settings.database_url, ROOT / "migrations" / "versions")
        if is_new:
            self._migrate()
        if self._settings.redis_url is None:
            self._add("queue", self._start_queue)
        self._add_programs(*(PROGRAMS if is_new else ["web"]))
        if task:
            self._task = spawn(task, env=self._env, cwd=ROOT)
        self._wait_until_healthy()
        self._add_programs(*(name for name in PROGRAMS if name not in self._children))
        code = self._end_of_task()
        if code:
            self._say(f"{task[-1]} ended {describe_exit(code)}; see the logs in {self._logs}")

    def _migrate(self) -> None:
        log = self._logs / "migrations.log"
        keep_log_small(log)
        self._task = spawn((*FLASK, "db", "upgrade"), env=self._env, cwd=ROOT, log=log)
        code = self._end_of_task()
        if code:
            raise CannotStart(
                f"the migration of the database ended {describe_exit(code)}\n{tail(log)}"
            )

    def _end_of_task(self) -> int:
        """The exit code of the program that runs beside the others, once it has one."""
        if self._task is None:
            return 0
        while (code := self._task.poll()) is None:
            self._signals.wait(1)
            self._look_after_children()
        self._task = None
        return code

    def watch(self) -> None:
        """Keep everything running. Raises ``StopAsked`` in the end."""
        while True:
            self._signals.wait(1)
            self._look_after_children()
            changed = self._sources and self._sources.changed_file()
            if changed:
                self._say(f"{changed} changed: starting again …")
                self._restart(PROGRAMS)

    def stop(self) -> None:
        """End everything. A second request to stop does not wait for anybody."""
        if self._task is not None:
            terminate_all([self._task], grace=2, is_urgent=lambda: self._signals.is_urgent)
        self._stop_children(self._children)

    def _add(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        child = Child(name, start=start, log=self._logs / f"{name}.log")
        child.start()
        self._children[name] = child

    def _add_programs(self, *names: str) -> None:
        for name in names:
            self._add(name, partial(self._spawn, name, PROGRAMS[name]))

    def _spawn(self, name: str, args: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return spawn(args, env=self._env, cwd=ROOT, log=self._logs / f"{name}.log")

    def _start_queue(self) -> subprocess.Popen[bytes]:
        return embedded_queue.start(self._settings.instance_path, log=self._logs / "queue.log")

    def _look_after_children(self) -> None:
        for child in self._children.values():
            child.look_after(self._say)

    def _stop_children(self, names: Collection[str]) -> None:
        for group, grace in STOP_ORDER:
            children = [self._children[name] for name in group if name in names]
            killed = terminate_all(
                [child.process for child in children if child.process is not None],
                grace=grace,
                is_urgent=lambda: self._signals.is_urgent,
            )
            for child in children:
                if child.process in killed and not self._signals.is_urgent:
                    self._say(f"{child.name} did not stop by itself and was killed.")

    def _restart(self, names: Collection[str]) -> None:
        self._stop_children(names)
        for name in names:
            self._children[name].start()

    def _wait_until_healthy(self) -> None:
        web = self._children["web"]
        deadline = time.monotonic() + HEALTHY_SECONDS
        while not self._is_healthy():
            self._signals.wait(0.1)
            self._look_after_children()
            if web.n_failures >= MAX_EARLY_DEATHS:
                told = diagnose(web.log)
                raise CannotStart(f"the web server does not start. {told.advice}\n{tail(web.log)}")
            if time.monotonic() > deadline:
                raise CannotStart(f"the web server does not answer:\n{tail(web.log)}")

    def _is_healthy(self) -> bool:
        host, port = self._settings.reachable_host, self._settings.port
        connection = http.client.HTTPConnection(host, port, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        return False
