"""``flask backup …`` as people and scripts use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from prodapp.backup import archive
from prodapp.caller import Caller
from prodapp.extensions import db, settings_of
from prodapp.models import Machine, ModelVersion
from prodapp.models.file_references import FILE_COLUMNS
from prodapp.storage import storage
from tests.factories import make_machine

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)

N_FILES = len(FILE_COLUMNS)  # the filled installation has one of each


@pytest.fixture
def run(filled: Flask) -> Callable[..., Result]:
    """A function that runs ``flask backup …`` and expects its exit code."""

    def invoke(*args: str, expect: int = 0, typed: str | None = None) -> Result:
        result = filled.test_cli_runner().invoke(args=["backup", *args], input=typed)
        assert result.exit_code == expect, f"{result.output}\n{result.exception!r}"
        return result

    return invoke


@pytest.fixture
def run_json(run: Callable[..., Result]) -> Callable[..., Any]:
    return lambda *args, **how: json.loads(run(*args, "--json", **how).stdout)


def test_create_list_verify_restore(
    filled: Flask, owner: Caller, run: Callable[..., Result], run_json: Callable[..., Any]
) -> None:
    made = run_json("create")
    assert Path(made["path"]).parent == settings_of(filled).instance_path / "backups"
    assert (made["n_files"], made["missing"], made["removed"]) == (N_FILES, [], [])
    assert [each["name"] for each in run_json("list")] == [made["name"]]
    assert run_json("verify", made["name"])["problems"] == []
    assert run_json("verify")["path"] == made["path"]
    make_machine(owner, name="Made afterwards")
    run("restore", made["name"], "--replace", "--yes")
    assert db.session.scalar(select(func.count(Machine.id))) == 1


def test_the_texts_say_what_was_done(run: Callable[..., Result]) -> None:
    assert f" rows and {N_FILES} files (" in run("create").stdout
    run("create")
    assert "Removed " in run("create", "--keep", "1").stdout
    assert len(run("list").stdout.splitlines()) == 2
    assert "as it was" in run("verify").stdout


def test_damage_ends_verify_with_code_1_and_restore_too(
    run: Callable[..., Result], run_json: Callable[..., Any]
) -> None:
    made = run_json("create")
    archive.file_path(Path(made["path"]), key_of_model()).unlink()
    assert "is missing" in run("verify", expect=1).stderr
    assert len(run_json("verify", expect=1)["problems"]) == 1
    assert "damaged" in run("restore", made["name"], "--replace", "--yes", expect=1).stderr


def test_a_file_that_the_installation_lacks_is_a_warning_and_code_1(
    run: Callable[..., Result], run_json: Callable[..., Any]
) -> None:
    key = key_of_model()
    storage().delete(key)
    assert "flask doctor" in run("create", expect=1).stderr
    made = run_json("create", expect=1)
    assert made["missing"] == [key]
    result = run("restore", made["name"], "--replace", "--yes")
    assert "1 files were missing already" in result.stderr


def test_an_installation_with_data_is_replaced_only_on_request(
    run: Callable[..., Result], run_json: Callable[..., Any]
) -> None:
    name = run_json("create")["name"]
    assert "--replace" in run("restore", name, expect=1).stderr
    assert "add --yes" in run("restore", name, "--replace", expect=2).stderr


def test_a_backup_elsewhere_is_named_by_its_path(
    run: Callable[..., Result], run_json: Callable[..., Any], tmp_path: Path
) -> None:
    made = run_json("create", "--folder", str(tmp_path / "elsewhere"))
    assert run_json("list") == []
    assert len(run_json("list", "--folder", str(tmp_path / "elsewhere"))) == 1
    assert run_json("verify", made["path"])["n_files"] == N_FILES


def test_what_is_not_there_ends_with_code_3(run: Callable[..., Result]) -> None:
    assert "no backup in" in run("verify", expect=3).stderr
    assert "no backup" in run("verify", "nothing", expect=3).stderr
    assert "no backup" in run("restore", "nothing", expect=3).stderr


def key_of_model() -> str:
    key = db.session.scalar(select(ModelVersion.artifact_key))
    db.session.rollback()
    assert key is not None
    return key
