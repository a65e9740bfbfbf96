from __future__ import annotations

import pytest

from prodapp.pagination import MAX_PAGE, MAX_PAGE_SIZE, Page, clamp


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ((1, 20), (1, 20)),
        ((0, 0), (1, 1)),
        ((-5, -5), (1, 1)),
        ((3, 1_000), (3, MAX_PAGE_SIZE)),
        ((10**30, 20), (MAX_PAGE, 20)),
    ],
)
def test_what_is_asked_for_is_bounded(asked: tuple[int, int], served: tuple[int, int]) -> None:
    assert clamp(*asked) == served


def test_the_farthest_offset_fits_the_databases_integers() -> None:
    assert MAX_PAGE * MAX_PAGE_SIZE < 2**63


@pytest.mark.parametrize(
    ("number", "total", "n_pages", "has_previous", "has_next"),
    [
        (1, 0, 1, False, False),
        (1, 10, 1, False, False),
        (1, 11, 2, False, True),
        (2, 11, 2, True, False),
        (2, 30, 3, True, True),
        (9, 30, 3, True, False),
    ],
)
def test_a_page_knows_its_neighbours(
    number: int, total: int, n_pages: int, has_previous: bool, has_next: bool
) -> None:
    page = Page[int]([], number, 10, total)
    assert page.n_pages == n_pages
    assert page.has_previous is has_previous
    assert page.has_next is has_next
