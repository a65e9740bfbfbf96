from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from prodapp.exporter import Exporter
from tests.unit.test_metrics import count, in_process

TOKEN = "a token that is long enough to be taken"


@contextmanager
def serving(folder: Path, token: str | None) -> Iterator[Exporter]:
    exporter = Exporter(("127.0.0.1", 0), folder=folder, token=token)
    thread = threading.Thread(target=exporter.serve_forever)
    thread.start()
    try:
        yield exporter
    finally:
        exporter.shutdown()
        thread.join()
        exporter.server_close()


def get(exporter: Exporter, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", exporter.server_port, timeout=5)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_figures_of_a_folder_are_served(tmp_path: Path) -> None:
    in_process(count, tmp_path, "worker", 4)
    with serving(tmp_path, None) as exporter:
        status, text = get(exporter, "/metrics")
        assert status == 200
        assert 'prodapp_http_problems_total{code="busy"} 4.0' in text
        assert get(exporter, "/")[0] == 404


def test_with_a_token_only_who_has_it_reads(tmp_path: Path) -> None:
    with serving(tmp_path, TOKEN) as exporter:
        assert get(exporter, "/metrics")[0] == 403
        assert get(exporter, "/metrics", Authorization="Bearer wrong")[0] == 403
        assert get(exporter, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200


@pytest.mark.parametrize(("address", "is_let_in"), [("127.0.0.1", True), ("192.168.0.7", False)])
def test_without_a_token_only_this_machine_reads(
    tmp_path: Path, address: str, is_let_in: bool
) -> None:
    with serving(tmp_path, None) as exporter:
        assert exporter.lets_in("", address) is is_let_in
