"""A TCP proxy on loopback that treats what passes as bad networks do."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CHUNK = 16 * 1024
POLL_SECONDS = 0.05
BACKLOG = 64


@dataclass(frozen=True)
class Weather:
    """How the network is. All fields at their defaults: fair.

    ``delay`` holds each piece for that many seconds; ``rate`` lets so many bytes a second through
    on each connection and way; ``cut_after`` ends a connection once so many bytes of an answer
    have passed (counted from the change); ``swallows`` takes everything and passes nothing on,
    on old and new connections; ``forgets`` ends what leads to the server and leaves the client
    with a connection that nobody answers on; ``refuses`` turns new connections away.
    """

    delay: float = 0.0
    rate: int | None = None
    cut_after: int | None = None
    swallows: bool = False
    forgets: bool = False
    refuses: bool = False


FAIR = Weather()


class Proxy:
    """Listens on ``port`` of loopback and passes on to ``upstream``: a port there, or a socket."""

    def __init__(self, upstream: int | Path | None = None) -> None:
        self.upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self.weather = FAIR
        self._generation = 0
        self._is_closed = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_closed.set()
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def end_all(self) -> None:
        """Reset every connection, whatever the weather."""
        self._generation += 1

    def _accept(self) -> None:
        while not self._is_closed.is_set():
            readable, _, _ = select.select([self._listener], [], [], POLL_SECONDS)
            if not readable:
                continue
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.weather.refuses:
                _reset(client)
                continue
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = self._connect()
        except OSError:
            _reset(client)
            return
        generation = self._generation

        def is_over() -> bool:
            return self._is_closed.is_set() or self._generation != generation

        with client, server, suppress(OSError):
            _Conversation(self, client, server).run(is_over)
            _reset(client)

    def _connect(self) -> socket.socket:
        if isinstance(self.upstream, int):
            return socket.create_connection(("127.0.0.1", self.upstream), timeout=5)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(str(self.upstream))
        return server


class _Conversation:
    """One connection from client to server and back, by one thread."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._weather = proxy.weather
        self._n_answered = 0

    def run(self, is_over: Callable[[], bool]) -> None:
        other = {self._client: self._server, self._server: self._client}
        while not is_over():
            if self._weather is not self._proxy.weather:
                self._weather, self._n_answered = self._proxy.weather, 0
            if self._weather.forgets:
                self._forget(is_over)
                return
            readable, _, _ = select.select(list(other), [], [], POLL_SECONDS)
            for source in readable:
                if not self._pass_on(source, other[source]):
                    return

    def _pass_on(self, source: socket.socket, target: socket.socket) -> bool:
        """Pass one piece on; ``False`` at the end of the connection."""
        weather = self._weather
        piece = source.recv(CHUNK if weather.rate is None else max(1, weather.rate // 20))
        if not piece:
            return False
        if weather.swallows:
            return True
        if weather.delay:
            time.sleep(weather.delay)
        if source is self._server and weather.cut_after is not None:
            left = weather.cut_after - self._n_answered
            target.sendall(piece[: max(0, left)])
            self._n_answered += len(piece)
            if left <= len(piece):
                _reset(self._client)
                return False
            return True
        target.sendall(piece)
        if weather.rate is not None:
            time.sleep(len(piece) / weather.rate)
        return True

    def _forget(self, is_over: Callable[[], bool]) -> None:
        """The way to the server is gone, and the client is not told."""
        _reset(self._server)
        while not is_over() and self._proxy.weather is self._weather:
            time.sleep(POLL_SECONDS)


def _reset(connection: socket.socket) -> None:
    """Close as a router does that has forgotten the connection: with RST."""
    with suppress(OSError):
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()
