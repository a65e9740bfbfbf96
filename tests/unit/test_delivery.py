"""The check of what ships prodapp finds what is wrong; the deploy script rolls back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import check_delivery
from tests.conftest import ROOT

FILES = ("Dockerfile", ".dockerignore", "compose.yaml", "Jenkinsfile", "Makefile", ".env.example")
FOLDERS = ("deploy", ".github", ".ci", "scripts")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that ship prodapp, to be spoiled; the code they name is beside them."""
    for name in (*FILES, "requirements.txt", "wsgi.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("prodapp", "migrations"):
        (tmp_path / name).symlink_to(ROOT / name)
    check_delivery.flask_commands()  # while the root is the real one
    monkeypatch.setattr(check_delivery, "ROOT", tmp_path)
    monkeypatch.setattr(check_delivery, "DEPLOY", tmp_path / "deploy")
    return tmp_path


def findings() -> list[str]:
    return [text for check in check_delivery.CHECKS for text in check()]


def test_what_ships_is_all_well(copy: Path) -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("Dockerfile", "--from=build /opt", "--from=builder /opt", "there is no stage builder"),
        ("Dockerfile", "COPY requirements.txt", "COPY needs.txt", "needs.txt does not exist"),
        ("Dockerfile", "    PORT=8001", "    PROT=8001", "PROT is no setting"),
        ("Dockerfile", "USER 10001:10001", "", "must name a user"),
        (".dockerignore", "!migrations", "", "the image needs migrations/env.py"),
        (".dockerignore", "*\n!req", "!req", ".env would be in the image"),
        ("compose.yaml", "target: runtime", "target: final", "no stage final"),
        ("compose.yaml", "[flask, worker]", "[flask, labourer]", "no command flask labourer"),
        ("compose.yaml", "-m, prodapp.server", "-m, prodapp.serve", "no module prodapp.serve"),
        ("compose.yaml", "LOG_LEVEL: $", "LOGLEVEL: $", "LOGLEVEL is no setting"),
        ("compose.yaml", "./deploy/proxy/Caddyfile", "./Caddyfile", "./Caddyfile does not exist"),
        ("compose.yaml", "${WORKERS:-1}", "${REPLICAS:-1}", "REPLICAS is missing"),
        ("compose.yaml", 'METRICS_PORT: "9101"', 'METRICS_PORT: "9100"', "METRICS_PORT is not"),
        ("deploy/production.env.example", "QUEUE_PASSWORD=", "QUEUE_PASS=", "QUEUE_PASSWORD is"),
        ("deploy/proxy/Caddyfile", "web:8001", "web:8000", "web does not listen on 8000"),
        ("deploy/prometheus/prometheus.yml", "9101", "9102", "worker does not listen on 9102"),
        ("deploy/prometheus/rules.yml", "prodapp_queue_up", "prodapp_queue", "nobody exports"),
        ("deploy/prometheus/rules.yml", "max(prodapp_queue_up)", "max(", "ProdappQueueAway: "),
        ("deploy/grafana/dashboards/prodapp.json", "p95_5m", "p99_5m", "nobody exports"),
        ("deploy/kubernetes/kustomization.yaml", "- web.yaml", "- www.yaml", "www.yaml is missing"),
        ("deploy/kubernetes/worker.yaml", "prodapp-secrets", "secrets", "no Secret secrets"),
        ("deploy/kubernetes/worker.yaml", "[flask, worker]", "[flask, work]", "flask work"),
        ("deploy/kubernetes/settings.yaml", "PUBLIC_URL:", "PUBLIC:", "PUBLIC is no setting"),
        ("deploy/kubernetes/adapter-rule.yaml", "to_do", "left", "no rule of adapter-rule.yaml"),
        (".github/workflows/ci.yml", "make check-delivery", "make all", "make knows no all"),
        ("Jenkinsfile", "scripts/deploy.sh staging", "scripts/ship.sh staging", "ship.sh does not"),
        ("Jenkinsfile", "agent none\n", "agent none }\n", "do not pair up"),
    ],
)
def test_what_names_nothing_is_found(copy: Path, file: str, old: str, new: str, told: str) -> None:
    path = copy / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = findings()
    assert any(told in line for line in found), found


# --- the deploy script ---------------------------------------------------------------------------

# Stands in for the container engine, which tests have none of: notes what it was asked, and fails
# where the named image should be brought up.
ENGINE = """#!/usr/bin/env bash
printf '%s %s\\n' "$PRODAPP_IMAGE" "${*:6}" >> "$NOTES"
case "$PRODAPP_IMAGE ${*:6}" in $FAILS) exit 1 ;; esac
"""
Deploy = Callable[..., tuple[subprocess.CompletedProcess[str], list[str]]]


@pytest.fixture
def deploy(tmp_path: Path) -> Deploy:
    """A function that deploys an image in a folder of its own; gives its end and the engine's
    notes."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "deploy").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "scripts" / "deploy.sh", tmp_path / "scripts")
    (tmp_path / "deploy" / "staging.env").touch()
    engine = tmp_path / "bin" / "docker"
    engine.write_text(ENGINE, encoding="ascii")
    engine.chmod(0o755)
    notes = tmp_path / "notes"

    def run(*args: str, fails: str = "never") -> tuple[subprocess.CompletedProcess[str], list[str]]:
        notes.write_text("")
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        result = subprocess.run(
            [str(tmp_path / "scripts" / "deploy.sh"), *args],
            env={"PATH": path, "NOTES": str(notes), "FAILS": fails},
            capture_output=True,
            text=True,
        )
        return result, notes.read_text().splitlines()

    return run


def test_a_release_is_migrated_before_it_is_brought_up(deploy: Deploy) -> None:
    result, asked = deploy("staging", "prodapp:1")
    assert result.returncode == 0, result.stderr
    kinds = [" ".join(line.split()[1:3]) for line in asked]
    assert kinds == ["pull --quiet", "up --detach", "run --rm", "up --detach", "up --detach"]
    assert "migrate" in asked[2]
    assert asked[3].endswith("web worker dispatcher")


@pytest.mark.parametrize("fails", ["prodapp:2*run*migrate", "prodapp:2*up*web worker dispatcher"])
def test_a_release_that_is_not_well_gives_way_to_the_one_before(deploy: Deploy, fails: str) -> None:
    assert deploy("staging", "prodapp:1")[0].returncode == 0
    result, asked = deploy("staging", "prodapp:2", fails=fails)
    assert result.returncode == 1
    assert "staging runs prodapp:1 again" in result.stderr
    assert asked[-1].startswith("prodapp:1 up")
    assert not any(line.startswith("prodapp:1 run") for line in asked)
    _, asked = deploy("staging", "prodapp:3", fails="prodapp:3*up*web*")
    assert asked[-1].startswith("prodapp:1 up")


def test_a_first_release_that_is_not_well_is_told(deploy: Deploy) -> None:
    result, _ = deploy("staging", "prodapp:1", fails="*run*migrate")
    assert result.returncode == 1
    assert "no release before it" in result.stderr


def test_an_environment_that_is_not_set_up_is_refused(deploy: Deploy) -> None:
    assert deploy("production", "prodapp:1")[0].returncode == 2
    assert deploy("somewhere", "prodapp:1")[0].returncode == 2
