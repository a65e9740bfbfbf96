"""The pages of predictions."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("predictions", __name__, url_prefix="/app")
