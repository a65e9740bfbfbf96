from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from flask import Flask

from tests.conftest import ROOT, SECRET
from tests.factories import make_csv
from tests.unit.cli.conftest import Run


def commands(app: Flask) -> list[list[str]]:
    """The words of every command of ours."""
    found = []
    for name, command in app.cli.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {}
        found += [[name, *more] for more in ([], *([word] for word in inner))]
    return [words for words in found if words[0] not in ("run", "shell", "routes", "db")]


def test_every_command_explains_itself(app: Flask, run: Run) -> None:
    names = {" ".join(words) for words in commands(app)}
    assert names >= {"user create", "machine list", "dataset import", "train", "ranking show"}
    assert names >= {"worker", "dispatcher", "config check", "demo", "runs cancel", "key revoke"}
    for words in commands(app):
        lines = run(*words, "--help").output.splitlines()
        assert lines[0].startswith("Usage:")
        assert len(lines[2].strip()) > 10, f"{words} says nothing about itself"


def test_effective_settings_are_printed_without_secrets(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(
        REDIS_URL="redis://user:hunter2@cache:6379/1",
        STORAGE_URL=f"file://{tmp_path / 'files'}",
        PUBLIC_URL="https://prodapp.example",
    )
    runner = app.test_cli_runner()
    document = json.loads(runner.invoke(args=["config", "check", "--json"]).stdout)
    assert document["SECRET_KEY"] == {"value": "***", "source": "environment"}
    assert document["REDIS_URL"]["value"] == "redis://user:***@cache:6379/1"
    assert document["PUBLIC_URL"]["value"] == "https://prodapp.example"
    assert document["WEB_THREADS"] == {"value": "8", "source": "default"}
    text = runner.invoke(args=["config", "check"]).stdout
    for output in (json.dumps(document), text):
        assert "hunter2" not in output
        assert SECRET not in output
    assert len(text.splitlines()) == len(document) + 1


def flask(tmp_path: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """``flask …`` as a process of its own, in an instance of its own."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *args],
        cwd=ROOT,
        env={
            **clean,
            "PRODAPP_PROFILE": "testing",
            "PRODAPP_INSTANCE": str(tmp_path / "instance"),
            "SECRET_KEY": SECRET,
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_a_fresh_installation_goes_by_hand_from_nothing_to_a_ranking(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(make_csv())
    assert flask(tmp_path, "db", "upgrade").returncode == 0
    made = flask(tmp_path, "machine", "create", "Press", "--json")
    assert json.loads(made.stdout) == {"id": 1, "name": "Press"}
    options = ["--target", "yield", "--here", "--json"]
    trained = flask(tmp_path, "train", "1", str(tmp_path / "data.csv"), *options)
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout)["ranking"][0]["feature"] == "heat"
    refused = flask(tmp_path, "machine", "delete", "1", "--json")
    assert (refused.returncode, refused.stdout) == (1, "")  # the question went to standard error
    assert "Delete Press" in refused.stderr
    deleted = flask(tmp_path, "machine", "delete", "1", "--yes", "--json")
    assert json.loads(deleted.stdout) == {"id": 1, "name": "Press"}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PORT": "http"}, "PORT='http': use a whole number"),
        ({"PRODAPP_PROFILE": "production", "SECRET_KEY": "weak"}, "SECRET_KEY is too weak"),
    ],
)
def test_a_bad_setting_stops_a_command_with_one_clear_line(
    tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    result = flask(tmp_path, "machine", "list", **environ)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_without_tables_says_what_to_run(tmp_path: Path) -> None:
    result = flask(tmp_path, "machine", "list")
    assert result.returncode == 5
    assert "flask db upgrade" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    url = "postgresql://nobody:hunter2@127.0.0.1:1/none"
    result = flask(tmp_path, "machine", "list", DATABASE_URL=url)
    assert result.returncode == 5
    assert "does not answer" in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr
