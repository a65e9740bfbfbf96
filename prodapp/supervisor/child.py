"""One long-running program of a supervisor: started, watched, started again when it dies."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
# A program that lived this long was well; its next death is a new trouble.
WELL_SECONDS = 60.0
MAX_LOG_BYTES = 10 * 1024**2


class Child:
    """A program named ``name``; ``start`` starts it and lets it write to ``log``."""

    def __init__(
        self, name: str, *, start: Callable[[], subprocess.Popen[bytes]], log: Path
    ) -> None:
        self.name = name
        self.log = log
        self.n_failures = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._start = start
        self._started_at = 0.0
        self._restart_at = 0.0
        keep_log_small(log)

    def start(self) -> None:
        self._started_at = time.monotonic()
        self.process = self._start()

    def look_after(self, say: Callable[[str], None]) -> None:
        """Note a death, and start the program again once its time has come."""
        now = time.monotonic()
        if self.process is not None:
            code = self.process.poll()
            if code is not None:
                self._note_death(f"ended {describe_exit(code)}", now, say)
        elif now >= self._restart_at:
            try:
                self.start()
            except Exception as error:  # whatever the trouble, the others go on and this is retried
                self._note_death(f"did not start: {error}", now, say)

    def _note_death(self, what: str, now: float, say: Callable[[str], None]) -> None:
        self.process = None
        if now - self._started_at > WELL_SECONDS:
            self.n_failures = 0
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2**self.n_failures)
        self.n_failures += 1
        self._restart_at = now + delay
        say(f"{self.name} {what}; starting it again in {delay:.0f} s. Its log: {self.log}")


def describe_exit(code: int) -> str:
    """``code`` as :attr:`subprocess.Popen.returncode` gives it, in words."""
    return f"by signal {-code}" if code < 0 else f"with code {code}"


def tail(log: Path, *, n_lines: int = 20) -> str:
    """The last lines of a log, indented; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-n_lines:])


def keep_log_small(log: Path) -> None:
    """Set a log that has grown large aside, in place of the one set aside before."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))
