from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

AWAY = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"


def test_alive_needs_nothing(make_app: Callable[..., Flask]) -> None:
    answer = make_app(DATABASE_URL=AWAY).test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_queue_that_is_away_degrades_and_keeps_serving(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "degraded",
        "checks": {"database": True, "storage": True, "space": True, "queue": False},
    }


@pytest.mark.queue
def test_everything_there_is_ok(make_app: Callable[..., Flask], valkey_url: str) -> None:
    answer = make_app(REDIS_URL=valkey_url).test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert all(answer.json["checks"].values())


def test_a_database_that_is_away_is_not_ready(make_app: Callable[..., Flask]) -> None:
    answer = make_app(DATABASE_URL=AWAY).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["status"] == "unavailable"
    assert answer.json["checks"]["database"] is False
    assert answer.json["checks"]["storage"] is True


def test_a_storage_that_takes_no_files_is_not_ready(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    client = make_app().test_client()
    shutil.rmtree(tmp_path / "instance" / "files")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    checks = {"database": True, "storage": False, "space": False, "queue": False}
    assert answer.json["checks"] == checks


def test_a_full_disk_degrades_and_keeps_serving(
    make_app: Callable[..., Flask], small_disk: Path
) -> None:
    app = make_app(STORAGE_URL=f"file://{small_disk}")
    client = app.test_client()
    (small_disk / "ballast").write_bytes(bytes(1000 * 1024))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["space"] is False
    (small_disk / "ballast").unlink()
    assert client.get("/readyz").json["checks"]["space"] is True


def test_checking_leaves_no_file_behind(client: FlaskClient, tmp_path: Path) -> None:
    client.get("/readyz")
    instance = tmp_path / "instance"
    left = [p for name in ("files", "scratch") for p in (instance / name).rglob("*") if p.is_file()]
    assert left == []
