"""The walk-through of predictions in the README, exactly as it is written there."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.functional.test_supervisor import ROOT, environment, is_up, supervisor, wait_until
from tests.services import private_folder

pytestmark = [
    pytest.mark.queue,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


def test_prices_are_learned_predicted_and_found_in_the_history() -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert len(code) == 1
    with private_folder() as folder, supervisor(folder / "instance") as running:
        assert wait_until(lambda: is_up(running))
        assert running.answers(), running.said()
        environ = environment(running.instance, running.port)
        flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
        for command in (
            ["user", "create", "maria", "--role", "operator"],
            ["key", "create", "maria"],
        ):
            made = subprocess.run(
                [*flask, *command],
                cwd=ROOT,
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            )
        key = re.search(r"pa_\S+", made.stdout)
        assert key is not None
        api = f"http://127.0.0.1:{running.port}/api/v1"
        found = subprocess.run(
            [sys.executable, "-c", code[0]],
            cwd=ROOT,
            env={**os.environ, "API": api, "KEY": key.group()},
            capture_output=True,
            text=True,
            check=False,
        )
    assert found.returncode == 0, found.stderr + running.said()
    lines = found.stdout.splitlines()
    prices = {}
    for line in lines[:2]:
        told = re.fullmatch(r"(\w+): (\d+) \[(\d+), (\d+)\]", line)
        assert told is not None, line
        price, low, high = (int(part) for part in told.groups()[1:])
        prices[told.group(1)] = price
        assert low < price < high
        assert 100_000 < price < 500_000
    assert list(prices) == ["linear_regression", "random_forest"]
    kept = [line.split() for line in lines[2:]]
    assert [row[2] for row in kept] == ["2", "1"]
    assert round(float(kept[0][3])) == prices["random_forest"]
