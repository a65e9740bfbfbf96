"""One long-running program of a supervisor: started, watched, started again when it dies."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from prodapp.supervisor.diagnosis import Diagnosis, diagnose

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
# A program that lived this long was well; its next death is a new trouble.
WELL_SECONDS = 60.0
MAX_LOG_BYTES = 10 * 1024**2


class Child:
    """A program named ``name``; ``start`` starts it and lets it write to ``log``.

    A program that cannot start is tried for ever, since what keeps it from starting may pass; but
    the same trouble is told less and less often (the 1st, 2nd, 4th, 8th … time in a row).
    """

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
        self._log_start = 0
        self._trouble = ""

    def start(self) -> None:
        self._started_at = time.monotonic()
        keep_log_small(self.log)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.process = self._start()

    def look_after(self, say: Callable[[str], None]) -> None:
        """Note a death, and start the program again once its time has come."""
        now = time.monotonic()
        if self.process is not None:
            code = self.process.poll()
            if code is not None:
                told = diagnose(self.log, since=self._log_start, code=code)
                self._note_death(f"ended {describe_exit(code)}", told, now, say)
            else:
                self._note_life(now, say)
        elif now >= self._restart_at:
            try:
                self.start()
            except Exception as error:  # whatever the trouble, the others go on and this is retried
                self._note_death(f"did not start: {error}", Diagnosis("", ""), now, say)

    def _note_death(
        self, what: str, told: Diagnosis, now: float, say: Callable[[str], None]
    ) -> None:
        self.process = None
        if now - self._started_at > WELL_SECONDS:
            self.n_failures = 0
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2**self.n_failures)
        self.n_failures += 1
        self._restart_at = now + delay
        trouble = "\n".join((what, *told.lines()))
        is_news = trouble != self._trouble
        self._trouble = trouble
        if is_news or _is_power_of_two(self.n_failures):
            again = f" ({self.n_failures} times in a row)" if self.n_failures > 1 else ""
            head = f"{self.name} {what}{again}; starting it again in {delay:.0f} s."
            say("\n    ".join((f"{head} Its log: {self.log}", *told.lines())))

    def _note_life(self, now: float, say: Callable[[str], None]) -> None:
        keep_log_small(self.log)
        if self.n_failures and now - self._started_at > WELL_SECONDS:
            self.n_failures, self._trouble = 0, ""
            say(f"{self.name} has been well for a minute.")


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
    """Set what a log held aside once it has grown large, in place of what was set aside before.

    A program that appends to it meanwhile goes on in the emptied file.
    """
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".old.log"))
        os.truncate(log, 0)


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
