from __future__ import annotations

import json
from pathlib import Path

import pytest

from prodapp.supervisor.diagnosis import diagnose, last_words


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("ModuleNotFoundError: No module named 'rq'", "run `make` again"),
        ("prodapp cannot start. PORT='x': use a whole number.", "config check"),
        ("OSError: [Errno 98] Address already in use", "another PORT"),
        ("sqlite3.OperationalError: no such table: training_runs", "db upgrade"),
        ('psycopg2.errors.UndefinedTable: relation "users" does not exist', "db upgrade"),
        ("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379.", "REDIS_URL"),
        ("psycopg2.OperationalError: connection refused", "DATABASE_URL"),
        ("OSError: [Errno 28] No space left on device", "free some space"),
        ("PermissionError: [Errno 13] Permission denied: '/srv'", "It may not write there"),
        ("MemoryError", "not enough memory"),
        ("ZeroDivisionError: division by zero", ""),
    ],
)
def test_advice_fits_what_was_said_last(tmp_path: Path, words: str, advice: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"Traceback (most recent call last):\n  File x\n{words}\n\n")
    found = diagnose(log, code=1)
    assert found.words == words
    assert advice in found.advice
    assert bool(found.advice) == bool(advice)


def test_only_what_was_said_since_the_start_counts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("No module named 'old'\n")
    since = log.stat().st_size
    assert diagnose(log, since=since, code=1).lines() == []
    log.write_text("new\n")  # set aside meanwhile, and begun anew
    assert last_words(log, since=since) == "new"


def test_log_records_are_told_by_their_error_or_their_event(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(json.dumps({"event": "worker x is ready"}) + "\n")
    assert last_words(log) == "worker x is ready"
    trace = "Traceback\n  File y\nOSError: [Errno 28] No space left on device"
    log.write_text(json.dumps({"event": "failed", "exception": trace}) + "\n")
    assert "free some space" in diagnose(log).advice
    log.write_text('{"half\n')
    assert last_words(log) == '{"half'


def test_a_kill_is_explained_where_nothing_was_said(tmp_path: Path) -> None:
    assert "out of memory" in diagnose(tmp_path / "missing", code=-9).advice
    assert diagnose(tmp_path / "missing", code=1).lines() == []


def test_long_words_are_shortened(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x" * 5000)
    assert len(last_words(tmp_path / "log")) == 300
