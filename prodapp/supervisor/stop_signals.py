"""Signals as facts to ask for: nothing is interrupted in the middle of what it does."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopAsked(Exception):
    """A person or the system asked this process to stop."""


class StopSignals:
    """Counts the requests to stop; a wait ends early when a signal or a child's end comes in.

    Made once, in the main thread. A SIGHUP that was set to be ignored stays so (``nohup``).
    """

    def __init__(self) -> None:
        self.n_asked = 0
        self._reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._count)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.n_asked += 1

    @property
    def is_urgent(self) -> bool:
        """Whether somebody asked twice."""
        return self.n_asked > 1

    def wait(self, seconds: float) -> None:
        """Wait for ``seconds`` or the next signal. Raises :class:`StopAsked` after a request."""
        if not self.n_asked and select.select([self._reader], [], [], seconds)[0]:
            os.read(self._reader, 4096)
        if self.n_asked:
            raise StopAsked
