"""A document that people save."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app


def document(data: dict[str, Any], filename: str) -> Response:
    """``data`` as a JSON file; ``filename`` is one of ours."""
    response = Response(
        current_app.json.dumps(data, ensure_ascii=False, indent=2), content_type="application/json"
    )
    response.headers["Content-Disposition"] = f"attachment; filename={filename}"
    return response
