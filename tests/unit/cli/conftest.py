"""Commands as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """A function that runs ``flask …`` and expects its exit code."""

    def invoke(*args: str, expect: int = 0, typed: str | None = None) -> Result:
        result = app.test_cli_runner().invoke(args=list(args), input=typed)
        assert result.exit_code == expect, f"{result.output}\n{result.exception!r}"
        return result

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """As ``run`` with ``--json``; gives the document that was printed."""
    return lambda *args: json.loads(run(*args, "--json").stdout)
