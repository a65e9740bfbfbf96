"""The web server: Granian over ``wsgi:app``, set up by prodapp's settings.

Run as ``python -m prodapp.server`` in the project's folder. SIGTERM lets requests that are being
answered finish.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from prodapp import memory, metrics
from prodapp.config import load_settings
from prodapp.exceptions import ConfigurationError
from prodapp.processes import die_with_parent

# How long a stop waits for the requests that are being answered.
STOP_SECONDS = 8
LISTEN_SECONDS = 60
# A client that says nothing for a minute and confirms nothing either is gone (seconds, tries).
KEEPALIVES = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


def main() -> None:
    """Serve until a signal says stop. The process that answers is restarted when it dies."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise SystemExit(f"prodapp cannot start. {error}") from None
    # Where a process that predicts finds compiled what the worker or another one compiled.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(settings.instance_path / "kernels"))
    server = Granian(
        "wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        blocking_threads=settings.web_threads,
        # The application writes its own log of requests.
        log_access=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    load = partial(_load_app, os.getpid(), settings.metrics_folder)
    server.serve(target_loader=load, wrap_loader=False)


def _load_app(server_pid: int, metrics_folder: Path) -> Any:
    """The application, in the process that answers; that process ends with the server."""
    die_with_parent(parent=server_pid)
    metrics.bind(metrics_folder, "web")
    memory.use_sparingly()
    threading.Thread(target=_notice_vanished_clients, daemon=True).start()
    from wsgi import app

    return app


def _notice_vanished_clients() -> None:
    """Have the kernel end connections whose client is gone without a word.

    A thread may be waiting for the rest of an upload that will never come. Accepted connections
    inherit the options of the socket that listens; the server opens it after this process has
    loaded the application, and gives no other access to it.
    """
    give_up_at = time.monotonic() + LISTEN_SECONDS
    while not _keep_alive() and time.monotonic() < give_up_at:
        time.sleep(0.1)


def _keep_alive() -> bool:
    """Set the options on this process's listening sockets; whether there were any."""
    is_found = False
    for name in os.listdir("/dev/fd"):
        try:
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            listener = socket.socket(fileno=os.dup(int(name)))
        except OSError:  # closed meanwhile, as the folder is that was just listed
            continue
        with listener:
            if listener.family not in (socket.AF_INET, socket.AF_INET6):
                continue
            if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                continue
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEPALIVES.items():
                if hasattr(socket, option):
                    listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
            is_found = True
    return is_found


if __name__ == "__main__":
    main()
