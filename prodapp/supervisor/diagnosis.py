"""Why a program ended, from what it wrote last, and what a person can do about it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

MAX_WORDS = 300
LAST_BYTES = 16_384
# The first that fits counts. What is looked at: the last line that the program wrote.
ADVICE = (
    (
        r"No module named|cannot import name|ImportError",
        "A library is missing or has another version than the project needs: run `make` again, "
        "or `pip install -r requirements.txt` in the environment that starts prodapp.",
    ),
    (
        r"prodapp cannot start|ConfigurationError",
        "A setting is wrong: mend it in the environment or in .env, then check it with "
        "`flask --app wsgi config check`.",
    ),
    (
        r"[Aa]ddress already in use|EADDRINUSE",
        "Another program has the port: stop it, or choose another PORT.",
    ),
    (
        r"no such (table|column)|Undefined(Table|Column)|(relation|column) .* does not exist",
        "The database has other tables than this version needs: run `flask --app wsgi db upgrade`.",
    ),
    (
        r"redis\.|RedisError|Error \d+ connecting to",
        "The queue does not answer: look whether it runs where REDIS_URL points to.",
    ),
    (
        r"OperationalError|could not connect|connection refused|database is locked",
        "The database does not answer: look whether it runs where DATABASE_URL points to.",
    ),
    (
        r"No space left|disk is full|ENOSPC|Disk quota",
        "The disk is full: free some space.",
    ),
    (
        r"Permission denied|PermissionError|Read-only file system",
        "It may not write there: give its user the right to, or choose another PRODAPP_INSTANCE.",
    ),
    (
        r"MemoryError|Cannot allocate memory",
        "There is not enough memory: free some, or give the machine more.",
    ),
)
KILLED = (
    "Somebody killed it; where nobody did, the system was out of memory (its log, for example "
    "`dmesg`, says so)."
)


@dataclass(frozen=True)
class Diagnosis:
    """``words`` are the program's last ones, ``advice`` what may help; both may be empty."""

    words: str
    advice: str

    def lines(self) -> list[str]:
        return [line for line in (self.words, self.advice) if line]


def diagnose(log: Path, *, since: int = 0, code: int | None = None) -> Diagnosis:
    """What ``log`` says from byte ``since`` on about a program that ended with ``code``.

    ``code`` is as :attr:`subprocess.Popen.returncode` has it.
    """
    words = last_words(log, since=since)
    for pattern, advice in ADVICE:
        if re.search(pattern, words):
            return Diagnosis(words, advice)
    return Diagnosis(words, KILLED if code == -9 else "")


def last_words(log: Path, *, since: int = 0) -> str:
    """The last line that the program wrote, or the error in it where it is a log record."""
    try:
        with log.open("rb") as file:
            size = log.stat().st_size
            # A log that was set aside meanwhile begins anew.
            file.seek(max(0 if size < since else since, size - LAST_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _shortened(_told(lines[-1])) if lines else ""


def _told(line: str) -> str:
    """What a line says: of a JSON record the end of its trace, or the event."""
    if not line.startswith("{"):
        return line
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict):
        return line
    trace = str(record.get("exception") or "").strip()
    return trace.splitlines()[-1] if trace else str(record.get("event", line))


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_WORDS else f"{text[: MAX_WORDS - 1]}…"
