"""``flask doctor`` as people and scripts use it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, text

from prodapp.config import KEY_FILE
from prodapp.extensions import command, settings_of
from prodapp.models import VariableRanking
from prodapp.presence import Heartbeat, Kind

pytestmark = [pytest.mark.queue, pytest.mark.parametrize("filled", ["sqlite"], indirect=True)]


@pytest.fixture
def doctor(
    filled: Flask, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """A function that runs ``flask doctor`` where a worker, a dispatcher and the queue are."""
    from prodapp import queue

    queue.init_app(filled, settings_of(filled), valkey_url)
    for kind in (Kind.WORKER, Kind.DISPATCHER):
        Heartbeat(kind, f"{kind}-1").beat()

    def invoke(*args: str, expect: int) -> Result:
        result = filled.test_cli_runner().invoke(args=["doctor", *args])
        assert result.exit_code == expect, f"{result.output}\n{result.exception!r}"
        return result

    return invoke


def test_a_healthy_installation_ends_with_code_0(doctor: Callable[..., Result]) -> None:
    assert doctor(expect=0).stdout == "All is well.\n"
    assert json.loads(doctor("--json", expect=0).stdout) == []


def test_what_was_mended_ends_with_code_0_and_is_told(
    filled: Flask, doctor: Callable[..., Result]
) -> None:
    key = settings_of(filled).instance_path / KEY_FILE
    key.write_text("secret")
    key.chmod(0o644)
    seen = doctor(expect=1).stdout
    assert "secret_key_exposed" in seen
    assert str(key) in seen
    assert "flask doctor --fix" in seen
    assert "1 of them mended" in doctor("--fix", expect=0).stdout
    doctor(expect=0)


def test_what_cannot_be_mended_ends_with_code_1(doctor: Callable[..., Result]) -> None:
    with command() as session:
        session.execute(delete(VariableRanking))
    assert "train the machine again" in doctor("--fix", expect=1).stdout
    (found,) = json.loads(doctor("--quick", "--json", expect=1).stdout)
    assert found == {
        "code": "version_without_ranking",
        "severity": "error",
        "where": "version:1",
        "message": "Version 1 has no ranking.",
        "advice": "Restore a backup from before; or train the machine again.",
        "is_mendable": False,
        "is_mended": False,
    }


def test_a_database_without_tables_ends_with_code_5(doctor: Callable[..., Result]) -> None:
    with command() as session:
        session.execute(text("DROP TABLE alembic_version"))
    assert "flask db upgrade" in doctor(expect=5).stdout
