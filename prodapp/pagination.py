"""Pages of a list: what was asked for, and what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 20
MAX_PAGE = 1_000_000  # beyond it the offset would outgrow what databases count with


@dataclass(frozen=True)
class Page(Generic[Item]):
    """``number`` counts from 1; ``total`` counts the items of all pages."""

    items: Sequence[Item]
    number: int
    size: int
    total: int

    @property
    def n_pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.n_pages


def clamp(number: int, size: int) -> tuple[int, int]:
    """A page number and size that can be served."""
    return min(max(1, number), MAX_PAGE), min(max(1, size), MAX_PAGE_SIZE)


def page_of(items: Sequence[Item], *, page: int, page_size: int) -> Page[Item]:
    """A page of a list that is at hand whole."""
    number, size = clamp(page, page_size)
    first = (number - 1) * size
    return Page(items[first : first + size], number, size, len(items))
