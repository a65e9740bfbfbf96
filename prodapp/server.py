"""The web server: Granian over ``wsgi:app``, set up by prodapp's settings.

Run as ``python -m prodapp.server`` in the project's folder. SIGTERM lets requests that are being
answered finish.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from prodapp.config import load_settings
from prodapp.exceptions import ConfigurationError
from prodapp.processes import die_with_parent

# How long a stop waits for the requests that are being answered.
STOP_SECONDS = 8


def main() -> None:
    """Serve until a signal says stop. The process that answers is restarted when it dies."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise SystemExit(f"prodapp cannot start. {error}") from None
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
    server.serve(target_loader=partial(_load_app, os.getpid()), wrap_loader=False)


def _load_app(server_pid: int) -> Any:
    """The application, in the process that answers; that process ends with the server."""
    die_with_parent(parent=server_pid)
    from wsgi import app

    return app


if __name__ == "__main__":
    main()
