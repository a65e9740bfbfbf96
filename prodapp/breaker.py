"""Remember that a server did not answer, so that not everybody waits for it.

A database or queue that hangs costs each caller a whole time-out. After one failure a breaker lets
one caller through at a time, to see whether the server is back; all others are told at once.
"""

from __future__ import annotations

import threading
import time

PAUSE_SECONDS = 2.0
# How long the one caller that was let through may leave the others without news.
TRIAL_SECONDS = 10.0


class Breaker:
    """For one server as one process sees it; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._try_at: float | None = None  # None: all is well

    def lets_through(self) -> bool:
        """Whether to call the server now. Who is let through says how it went."""
        with self._lock:
            now = time.monotonic()
            if self._try_at is None:
                return True
            if now < self._try_at:
                return False
            self._try_at = now + TRIAL_SECONDS
            return True

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._try_at = None

    def failed(self) -> None:
        """The server did not answer."""
        with self._lock:
            self._try_at = time.monotonic() + PAUSE_SECONDS
