"""``If-Match``: a change is made only to the state that its sender has read."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import jsonify, request

from prodapp.exceptions import N_, Stale


def check_match(schema: type[ma.Schema], item: Any) -> None:
    """Raise :class:`Stale` unless the caller's ``If-Match`` (if any) names the ETag that reading
    ``item`` gives now. Asked in another language, an answer with sentences has another ETag."""
    if "If-Match" not in request.headers:
        return
    present = jsonify(schema().dump(item))
    present.add_etag()
    etag, _is_weak = present.get_etag()
    if etag is None or not request.if_match.contains(etag):
        raise Stale(N_("This has changed since you read it. Read it again, then decide."))
