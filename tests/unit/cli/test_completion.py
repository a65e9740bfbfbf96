"""Completion with Tab, as docs/administration.md has it set up; and help that teaches."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from prodapp.cli.examples import EXAMPLES
from tests.conftest import ROOT, SECRET

FLASK = str(Path(sys.executable).with_name("flask"))
FOREIGN = {"db", "limiter", "openapi", "routes", "run", "shell", "translate"}


def flask(tmp_path: Path, **environ: str) -> str:
    env = {
        **os.environ,
        "FLASK_APP": "wsgi",
        "PRODAPP_INSTANCE": str(tmp_path),
        "SECRET_KEY": SECRET,
    }
    result = subprocess.run(
        [FLASK], env=env | environ, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    return result.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(tmp_path: Path, shell: str) -> None:
    assert "_FLASK_COMPLETE" in flask(tmp_path, _FLASK_COMPLETE=f"{shell}_source")


def test_options_are_completed(tmp_path: Path) -> None:
    typed = "flask upgrade --no"
    told = flask(tmp_path, _FLASK_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD="2")
    assert "plain,--no-backup" in told.splitlines()


def all_commands(group: click.Group, path: str = "flask") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if path == "flask" and name in FOREIGN:
            continue
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{path} {name}")


def test_every_command_teaches_and_prints_json(app: Flask) -> None:
    without = {
        *("flask worker", "flask dispatcher"),  # work until they are stopped
        "flask user export",  # prints nothing but JSON anyway
    }
    found = list(all_commands(app.cli))
    assert len(found) > 50
    for path, command in found:
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{path} {option.opts[0]}"
        if isinstance(command, click.Group):
            continue
        assert "Exit codes" in f"{command.help} {command.epilog}", path
        flags = {flag for option in command.params for flag in option.opts}
        assert ("--json" in flags) is (path not in without), path


@pytest.mark.parametrize("words", EXAMPLES)
def test_examples_are_understood_by_their_commands(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    command = dict(all_commands(app.cli))[f"flask {words}"]
    shown = command.get_help(click.Context(command, info_name=words))
    for line in EXAMPLES[words]:
        assert line in shown
        typed = shlex.split(line.removeprefix(f"flask {words}"))
        assert line.startswith(f"flask {words}")
        command.make_context(words, typed)  # raises where an option or a value is not known
