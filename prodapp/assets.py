"""Static files by content: each address carries a hash, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

HASH_LENGTH = 12
FOREVER = "public, max-age=31536000, immutable"


@lru_cache(maxsize=256)
def _digest(path: Path, modified_ns: int) -> str:  # noqa: ARG001 - part of the cache's key
    """The content's hash; ``modified_ns`` keeps an edited file from being served as the old one."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_LENGTH]


@lru_cache(maxsize=1024)
def _inside(folder: Path, filename: str) -> Path | None:
    """Where the file would be, ``None`` where the name leads out of the folder.

    Kept, since a page names an icon in every line, and following links takes longer than a hash.
    """
    path = (folder / filename).resolve()
    return path if path.is_relative_to(folder.resolve()) else None


def version(folder: Path, filename: str) -> str | None:
    """The hash of a static file, or None where there is no such file."""
    path = _inside(folder, filename)
    if path is None or not path.is_file():
        return None
    return _digest(path, path.stat().st_mtime_ns)


def init_app(app: Flask) -> None:
    """Put ``v=<hash>`` on static addresses, and let what carries the right one be cached."""
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "v" not in values:
            found = version(folder, values.get("filename", ""))
            if found:
                values["v"] = found

    @app.after_request
    def cache_versioned(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in (200, 304):
            asked = request.args.get("v")
            if asked and asked == version(folder, (request.view_args or {})["filename"]):
                response.headers["Cache-Control"] = FOREVER
        return response
