"""Routes for clients that already exist: a dashboard, and a backend that calls a model service."""

from __future__ import annotations

from flask import Flask

from prodapp.integration.routes import blp
from prodapp.rest.spec import api_of


def init_app(app: Flask) -> None:
    """Register the routes; the Api that describes them must be there."""
    api_of(app).add(blp)
