"""``/metrics`` of processes that answer no requests themselves: workers and dispatchers.

Started beside them where ``METRICS_PORT`` is set, as a process of its own (a thread would spoil a
worker's forks), and ends with them. It loads nothing of the application.
"""

from __future__ import annotations

import errno
import hmac
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from prodapp.config import load_settings
from prodapp.exceptions import ConfigurationError
from prodapp.metrics import FolderCollector
from prodapp.profiles import is_loopback

CLIENT_SECONDS = 5.0


class Exporter(ThreadingHTTPServer):
    """Serves the figures of a folder to who has the token, or without one to this machine."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], *, folder: Path, token: str | None) -> None:
        super().__init__(address, Handler)
        self.registry = CollectorRegistry()
        self.registry.register(FolderCollector(folder))
        self.token = token

    def lets_in(self, authorization: str, address: str) -> bool:
        """Whether a caller from ``address`` with that header may read."""
        if self.token is None:
            return is_loopback(address)
        scheme, _, given = authorization.partition(" ")
        is_same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        return scheme.lower() == "bearer" and is_same


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Exporter
    timeout = CLIENT_SECONDS
    server_version = "prodapp"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        authorization = self.headers.get("Authorization", "")
        if not self.server.lets_in(authorization, self.client_address[0]):
            self.send_error(403)
            return
        body = generate_latest(self.server.registry)
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_about: object) -> None:
        """Scrapes are no news."""


def main() -> None:
    """Serve until the process that started this one ends."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise SystemExit(f"prodapp cannot start. {error}") from None
    if settings.metrics_port is None:
        raise SystemExit("METRICS_PORT is not set.")
    address = (settings.host, settings.metrics_port)
    folder, token = settings.metrics_folder, settings.metrics_token
    try:
        exporter = Exporter(address, folder=folder, token=token)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return  # another process of this host serves the figures of all
    exporter.serve_forever()


if __name__ == "__main__":
    main()
