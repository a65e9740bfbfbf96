"""Bodies of requests: where files wait, how slowly they may come in, how many at a time.

A thread that reads a body waits for its sender. So that slow senders hold nobody else up, some
threads read no bodies at all, and who sends at less than a walking pace is sent away.
"""

from __future__ import annotations

import io
import tempfile
import threading
import time
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any, cast

from flask import Flask, Request, request
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from prodapp.config import Settings
from prodapp.exceptions import N_, Unavailable
from prodapp.storage import storage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MEMORY_BYTES = 512 * 1024
# The share of a server's threads that read no bodies, and how long a body waits for the others.
FREE_SHARE = 4
TURN_SECONDS = 1.0
# The pace that counts as slow, and from when on. What is asked for at once grows with what came,
# since a server answers only when it has all of it.
MIN_BYTES_PER_SECOND = 512
GRACE_SECONDS = 30.0
FIRST_BYTES, MOST_BYTES = 1024, 256 * 1024

TOO_MANY = N_("Too many uploads are coming in at the moment. Try again in a few seconds.")


class UploadRequest(Request):
    """Uploaded files are spooled into the scratch folder; a nameless file, so nothing is left.

    They are closed with the request, also where the form that they came in could not be read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.spools: list[IO[bytes]] = []

    def _get_file_stream(self, *_about: Any, **_file: Any) -> IO[bytes]:
        folder = str(storage().scratch)
        spool = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=folder)  # noqa: SIM115
        self.spools.append(cast(IO[bytes], spool))
        return self.spools[-1]


def init_app(app: Flask, settings: Settings) -> None:
    """Watch over the bodies of requests to ``app``."""
    app.request_class = UploadRequest
    app.teardown_request(_close_spools)
    n_turns = max(1, settings.web_threads - max(1, settings.web_threads // FREE_SHARE))
    app.wsgi_app = BodyWatch(app.wsgi_app, n_turns=n_turns)  # type: ignore[method-assign]


def _close_spools(_error: BaseException | None) -> None:
    for spool in cast(UploadRequest, request).spools:
        spool.close()


class BodyWatch:
    """Hands bodies to ``app`` as :class:`PacedBody`, of which ``n_turns`` are read at a time."""

    def __init__(self, app: WSGIApplication, *, n_turns: int) -> None:
        self._app = app
        self.turns = Turns(n_turns)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
            return self._app(environ, start_response)
        n_announced = int(length) if length.isascii() and length.isdigit() else None
        with PacedBody(environ["wsgi.input"], self.turns, n_announced=n_announced) as body:
            environ["wsgi.input"] = body
            return self._app(environ, start_response)


class Turns:
    """``n`` bodies may be read at a time, and one more may wait a moment: it holds a thread too."""

    def __init__(self, n: int) -> None:
        self._free = threading.BoundedSemaphore(n)
        self._waiting = threading.Semaphore(1)

    def take(self) -> bool:
        """Whether there was a turn to take."""
        if self._free.acquire(blocking=False):
            return True
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            return self._free.acquire(timeout=TURN_SECONDS)
        finally:
            self._waiting.release()

    def give_back(self) -> None:
        self._free.release()


class PacedBody(io.RawIOBase):
    """A body that takes its turn at the first read and gives it back at its end."""

    def __init__(self, source: IO[bytes], turns: Turns, *, n_announced: int | None) -> None:
        super().__init__()
        self._source = source
        self._turns = turns
        self._n_announced = n_announced
        self._n_read = 0
        self._began: float | None = None
        self._has_turn = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises :class:`Unavailable`, or what tells a sender that it is too slow or gone."""
        left = None if self._n_announced is None else self._n_announced - self._n_read
        if left == 0:
            self._give_turn_back()
            return 0
        self._take_turn()
        size = min(len(buffer), max(FIRST_BYTES, min(MOST_BYTES, self._n_read // 8)))
        piece = self._source.read(size if left is None else min(size, left))
        self._n_read += len(piece)
        if not piece:
            self._give_turn_back()
            if left is not None:
                raise ClientDisconnected
            return 0
        self._check_pace()
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._give_turn_back()
        super().close()

    def _take_turn(self) -> None:
        if self._has_turn:
            return
        if not self._turns.take():
            raise Unavailable(TOO_MANY, code="busy")
        self._has_turn = True
        self._began = time.monotonic()

    def _give_turn_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turns.give_back()

    def _check_pace(self) -> None:
        seconds = time.monotonic() - (self._began or 0.0)
        if seconds > GRACE_SECONDS and self._n_read < seconds * MIN_BYTES_PER_SECOND:
            raise RequestTimeout
