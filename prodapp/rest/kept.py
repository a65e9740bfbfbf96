"""Answers to reads that come by the hundred a second, kept for a moment.

The same caller gets the same answer to the same address in the same language for
:data:`prodapp.recently.SECONDS`, unless a command of this process comes in between: that forgets
all answers at once. What another process changes is seen a second later. A caller who has the
answer already gets 304 without a query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response, current_app, g, request
from flask_babel import get_locale

from prodapp.caller import Caller
from prodapp.extensions import recently


@dataclass(frozen=True)
class _Answer:
    body: bytes
    headers: tuple[tuple[str, str], ...]

    def response(self) -> Response:
        return Response(self.body, headers=list(self.headers))


def kept(view: Callable[..., Any]) -> Callable[..., Response]:
    """``view``, asked once for all that comes within a moment; errors are not kept."""

    @wraps(view)
    def answer(*args: Any, **arguments: Any) -> Response:
        def ask() -> _Answer:
            response = current_app.make_response(view(*args, **arguments))
            response.add_etag()
            return _Answer(response.get_data(), tuple(response.headers.items()))

        caller: Caller = g.caller
        rights = (caller.user_id, caller.name, caller.role, caller.site_id)
        key = ("answer", request.full_path, str(get_locale()), rights)
        return recently().get(key, ask).response()

    return answer
