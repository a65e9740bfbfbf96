"""Answers of the REST API go out packed (gzip) to whoever takes them so.

Pages are left alone: they hold tokens beside what others may choose, which packing could betray; a
proxy in front may pack the rest. A packed answer has an ETag of its own, and what is sent
back of it in ``If-None-Match`` or ``If-Match`` is read as that of the answer itself.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from flask import Flask, Response, g, request

from prodapp.auth.guard import Surface, surface_of

MIN_BYTES: Final = 1_000
LEVEL: Final = 5
SUFFIX: Final = "--gzip"
PACKED_TYPES: Final = ("application/json", "application/problem+json", "text/csv")
_CONDITIONS: Final = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")


def init_app(app: Flask) -> None:
    """Pack what ``app`` answers programs."""
    app.before_request(_read_conditions)
    app.after_request(_pack)


def _read_conditions() -> None:
    for name in _CONDITIONS:
        value = request.environ.get(name, "")
        if SUFFIX in value:
            request.environ[name] = value.replace(f'{SUFFIX}"', '"')
            g.has_packed_copy = True


def _pack(response: Response) -> Response:
    if surface_of(request.path) is Surface.PAGE:
        return response
    if response.status_code == 304 and g.get("has_packed_copy"):
        _name_packed(response)
    if response.status_code in (204, 206, 304) or response.mimetype not in PACKED_TYPES:
        return response
    if response.direct_passthrough or not request.accept_encodings["gzip"] > 0:
        return response
    if response.is_streamed:
        pieces = response.response
        if hasattr(pieces, "close"):
            response.call_on_close(pieces.close)
        response.response = _packed_pieces(response.iter_encoded())
    elif request.method == "HEAD" or len(response.get_data()) < MIN_BYTES:
        return response
    else:
        response.set_data(gzip.compress(response.get_data(), compresslevel=LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    _name_packed(response)
    return response


def _name_packed(response: Response) -> None:
    etag, is_weak = response.get_etag()
    if etag is not None:
        response.set_etag(etag + SUFFIX, weak=bool(is_weak))


def _packed_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` as one gzip stream, each as soon as it fills a packet."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
