from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

Say = Callable[..., Any]


@pytest.fixture
def say(app: Flask) -> Say:
    """A function that calls another one in a request of a language."""

    def run(function: Callable[..., Any], *args: Any, language: str = "en", **named: Any) -> Any:
        def call() -> Any:
            with app.test_request_context(headers={"Accept-Language": language}):
                return function(*args, **named)

        return contextvars.Context().run(call)

    return run
