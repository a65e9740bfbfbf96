"""One POST to a checked address: no redirects, no second look at the name, a bounded time."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from prodapp.outgoing.destinations import Destination, resolve

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 15.0
MAX_READ = 2_000


@dataclass(frozen=True)
class Answer:
    """The host's status, and the beginning of what it answered."""

    status: int
    body: bytes


class _Plain(http.client.HTTPConnection):
    """Connects to ``address``, whatever the name of the host means by now."""

    def __init__(self, destination: Destination, address: str) -> None:
        super().__init__(destination.host, destination.port, timeout=CONNECT_SECONDS)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        self.sock.settimeout(TOTAL_SECONDS)


class _Encrypted(_Plain):
    """The same over TLS; the certificate must fit the host's name."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        wrapped = context.wrap_socket(
            self.sock, server_hostname=self.host, do_handshake_on_connect=False
        )
        self.sock = wrapped
        with _ended_after(TOTAL_SECONDS, wrapped):
            wrapped.do_handshake()


def post(
    destination: Destination, body: str, *, headers: Mapping[str, str] | None = None
) -> Answer:
    """What the host answers to a JSON text.

    Raises :class:`DestinationRefused`, :class:`OSError` or :class:`http.client.HTTPException`.
    """
    kind = _Encrypted if destination.scheme == "https" else _Plain
    connection = kind(destination, resolve(destination))
    about = {"Content-Type": "application/json", "User-Agent": "prodapp", "Connection": "close"}
    try:
        connection.connect()
        with _ended_after(TOTAL_SECONDS, connection.sock):
            connection.request(
                "POST", destination.path, body.encode(), {**about, **(headers or {})}
            )
            response = connection.getresponse()
            return Answer(response.status, response.read(MAX_READ))
    finally:
        connection.close()


@contextmanager
def _ended_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """Time-outs of single reads do not end a host that sends a byte now and then; this does."""

    def end() -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
