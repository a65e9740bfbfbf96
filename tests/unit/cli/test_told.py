"""One way for all commands that act: words to people, a document to programs, and a code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
import pytest
from click.testing import CliRunner
from flask import Flask

from prodapp.cli.told import Told, ask, tells
from tests.unit.cli.conftest import Run


@click.command()
@click.option("--name", default="x")
@click.option("--yes", is_flag=True)
@tells
def act(name: str, yes: bool) -> Told:
    ask("Really?", is_sure=yes)
    return Told(f"Did {name}.", {"name": name}, asides=["half of it"], code=1)


@pytest.mark.parametrize(("options", "out"), [([], "Did ç.\n"), (["--json"], {"name": "ç"})])
def test_a_command_tells_what_it_did_and_ends_with_its_code(options: list[str], out: Any) -> None:
    result = CliRunner().invoke(act, ["--name", "ç", "--yes", *options])
    assert result.exit_code == 1
    assert (json.loads(result.stdout) if options else result.stdout) == out
    assert result.stderr == "half of it\n"


def test_a_question_leaves_standard_output_to_the_document() -> None:
    result = CliRunner().invoke(act, ["--json"], input="y\n")
    assert json.loads(result.stdout) == {"name": "x"}
    assert "Really?" in result.stderr
    assert CliRunner().invoke(act, ["--json"], input="n\n").stdout == ""


def test_accounts_sites_and_keys_tell_their_end_as_json(
    app: Flask, run: Run, run_json: Callable[..., Any]
) -> None:
    made = run_json("user", "create", "maria", "--link")
    run("site", "create", "north")
    key = run_json("key", "create", "maria")
    assert run_json("site", "move", "maria", "north")["site"] == "north"
    assert run_json("site", "quota", "north", "5") == {
        "id": 2,
        "name": "north",
        "quota_bytes": 5 * 1024**2,
    }
    assert run_json("key", "revoke", key["prefix"])["state"] == "revoked"
    assert run_json("user", "reset-second-factor", "maria")["has_second_factor"] is False
    assert run_json("user", "sign-out", "maria")["id"] == made["id"]
    erased = run_json("user", "erase", "maria", "--yes")
    assert erased == {"id": made["id"], "username": f"erased-{made['id']}"}


def test_machines_and_data_tell_their_end_as_json(
    app: Flask, run_json: Callable[..., Any], tmp_path: Any
) -> None:
    machine = run_json("machine", "create", "Press")
    assert run_json("machine", "rename", "1", "Oven") == {**machine, "name": "Oven"}
    file = tmp_path / "a.csv"
    file.write_text("a,b\n" + "".join(f"{n},{n % 7}\n" for n in range(40)))
    dataset = run_json("dataset", "import", "1", str(file))
    assert run_json("dataset", "delete", str(dataset["id"]), "--yes") == {
        "id": dataset["id"],
        "filename": "a.csv",
    }
    assert run_json("machine", "delete", "1", "--yes")["name"] == "Oven"
    assert run_json("machine", "list") == []
