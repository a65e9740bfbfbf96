"""Lists of rows as people and programs ask for them: made when, in which order, which page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from prodapp.extensions import db
from prodapp.pagination import DEFAULT_PAGE_SIZE, Page, clamp

#: Fields that a list can be sorted by, and the columns that they mean.
Sorts = Mapping[str, InstrumentedAttribute[Any]]


class Order(TypedDict, total=False):
    """``sort`` names a field, with a minus from the end; ``created_…`` bound when rows were made,
    from the first moment on, before the second."""

    sort: str
    created_after: datetime
    created_before: datetime
    page: int
    page_size: int


def listed(statement: Select[Any], model: type[Any], sorts: Sorts, order: Order) -> Page[Any]:
    """The page of ``statement``'s rows (of ``model``) that ``order`` asks for, newest first where
    it names no field. Rows that are equal in that field follow their ids."""
    number, size = clamp(order.get("page", 1), order.get("page_size", DEFAULT_PAGE_SIZE))
    if "created_after" in order:
        statement = statement.where(model.created_at >= order["created_after"])
    if "created_before" in order:
        statement = statement.where(model.created_at < order["created_before"])
    sort = order.get("sort", "-created_at")
    column, last = sorts[sort.removeprefix("-")], model.id
    if sort.startswith("-"):
        columns = (column.desc().nulls_last(), last.desc())
    else:
        columns = (column.asc().nulls_last(), last.asc())
    total = db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    rows = db.session.scalars(statement.order_by(*columns).limit(size).offset((number - 1) * size))
    return Page(list(rows), number, size, total)
