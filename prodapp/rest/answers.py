"""Answers of the REST API: lists by pages, and work that was accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request

from prodapp.formatting import sentence
from prodapp.pagination import Page

Item = TypeVar("Item")
RETRY_AFTER_SECONDS = 2


def page_answer(page: Page[Item]) -> tuple[Sequence[Item], int, dict[str, str]]:
    """The items of ``page``, and where the other pages are (RFC 8288)."""
    about = {
        "page": page.number,
        "page_size": page.size,
        "total": page.total,
        "total_pages": page.n_pages,
    }
    links = {"first": 1, "last": page.n_pages}
    if page.has_previous:
        links["prev"] = min(page.number - 1, page.n_pages)
    if page.has_next:
        links["next"] = page.number + 1
    link = ", ".join(f'<{_address(page=number)}>; rel="{rel}"' for rel, number in links.items())
    return page.items, 200, {"Link": link, "X-Pagination": json.dumps(about)}


def cursor_answer(
    items: Sequence[Item], next_cursor: str | None
) -> tuple[Sequence[Item], int, dict[str, str]]:
    """One page of a long history, and where the next one is."""
    links = {} if next_cursor is None else {"Link": f'<{_address(cursor=next_cursor)}>; rel="next"'}
    return items, 200, links


def accepted(body: Any, location: str) -> tuple[Any, int, dict[str, str]]:
    """202: ``location`` tells how the work goes on; ask again after a moment."""
    return body, 202, {"Location": location, "Retry-After": str(RETRY_AFTER_SECONDS)}


def failure(row: Any) -> Mapping[str, str] | None:
    """Why the work of ``row`` failed, in the caller's language; ``None`` where it did not."""
    if row.error_code is None:
        return None
    return {
        "code": row.error_code,
        "detail": sentence(row.error_message or "", row.error_params or {}),
    }


def _address(**place: object) -> str:
    query = [(key, value) for key, value in request.args.items(multi=True) if key not in place]
    return f"{request.path}?{urlencode([*query, *place.items()])}"
