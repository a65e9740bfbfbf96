"""Every expression of rules, dashboard and autoscaling, put to a real Prometheus that has read the
series of a real application."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from prodapp import metrics
from prodapp.auth import service as auth
from prodapp.presence import Kind, Presence
from prodapp.processes import spawn, terminate_all
from scripts.check_delivery import expressions
from tests.conftest import ROOT
from tests.factories import make_version
from tests.faults.installation import free_port
from tests.faults.programs import wait_for

FOLDER = ROOT / "deploy" / "prometheus"
TOKEN = "a token that is long enough to be taken"
needs = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="no Prometheus here (Debian, Ubuntu: apt install prometheus)",
)


@contextmanager
def serving(app: Flask) -> Iterator[int]:
    """``/metrics`` of the application, to who sends the token; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {"Authorization": self.headers.get("Authorization", "")}
            answer = app.test_client().get("/metrics", headers=headers)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.content_type)
            self.end_headers()
            self.wfile.write(answer.data)

        def log_message(self, *_about: Any) -> None:
            """Tests print enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def configuration(folder: Path, port: int) -> Path:
    """The configuration that ships, with this machine's address and seconds for minutes."""
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(folder / "rules.yml")]
    (folder / "token").write_text(TOKEN, encoding="ascii")
    for scrape in config["scrape_configs"]:
        del scrape["dns_sd_configs"]
        scrape["authorization"]["credentials_file"] = str(folder / "token")
        scrape["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        group["interval"] = "1s"
    (folder / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def ask(port: int, expression: str) -> list[Any]:
    query = urllib.parse.urlencode({"query": expression})
    address = f"http://127.0.0.1:{port}/api/v1/query?{query}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        document = json.load(answer)
    assert document["status"] == "success"
    found: list[Any] = document["data"]["result"]
    return found


def unfiltered(expression: str) -> str:
    """The same with comparisons that tell 0 or 1 in place of letting nothing through."""
    return re.sub(r" (==|>|<) (?!bool)", r" \1 bool ", expression)


@pytest.fixture
def busy_app(make_app: Callable[..., Flask], empty_valkey_url: str) -> Iterator[Flask]:
    """An application in which something of everything has happened."""
    app = make_app(REDIS_URL=empty_valkey_url, METRICS_TOKEN=TOKEN)
    metrics.declare()
    with app.app_context():
        make_version(auth.system_caller(name="tester"))
        for kind in (Kind.WORKER, Kind.DISPATCHER):
            Presence(kind, kind).announce()
    for path in ("/app/sign-in", "/api/v1/machines", "/nowhere"):
        app.test_client().get(path)
    return app


@needs
@pytest.mark.queue
def test_every_expression_finds_series_that_are_really_exported(
    busy_app: Flask, tmp_path: Path
) -> None:
    port = free_port()
    with serving(busy_app) as exported:
        config = configuration(tmp_path, exported)
        args = ["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
        args += [f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
        server = spawn(args, log=tmp_path / "prometheus.log")
        try:
            wait_for(lambda: _has_read(port), what="samples and recorded levels", seconds=60)
            empty = [w for w, text in expressions() if not ask(port, unfiltered(text))]
        finally:
            terminate_all([server], grace=10)
    assert empty == []


def _has_read(port: int) -> bool:
    try:
        n = ask(port, "min(count_over_time(up[1m]))")
        return (
            bool(n)
            and float(n[0]["value"][1]) > 3
            and bool(ask(port, "prodapp:run_waits:ratio_6h"))
        )
    except OSError:
        return False


@needs
@pytest.mark.parametrize(
    "args", [("check", "rules", "rules.yml"), ("test", "rules", "rules.test.yml")]
)
def test_rules_are_sound_and_fire_when_they_should(args: tuple[str, ...]) -> None:
    result = subprocess.run(["promtool", *args], cwd=FOLDER, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_level_that_is_stated_has_a_fast_and_a_slow_alert() -> None:
    rules = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"]
    alerts = {rule["alert"]: rule for rule in rules[1]["rules"]}
    for level in ("PageSlow", "PageErrors", "RunWaits", "RunFailures"):
        assert alerts[f"Prodapp{level}Fast"]["labels"]["severity"] == "page"
        assert alerts[f"Prodapp{level}Slow"]["labels"]["severity"] == "ticket"
