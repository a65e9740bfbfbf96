"""What the pages of machines send."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from prodapp.machines.overviews import SORTS, STATUSES


@dataclass(frozen=True)
class ListQuery:
    """The list's state, as its address holds it; what makes no sense falls back to the default."""

    q: str
    status: str
    sort: str
    order: str
    page: int

    @classmethod
    def parse(cls, args: MultiDict[str, str]) -> ListQuery:
        status, sort = args.get("status", ""), args.get("sort", "name")
        return cls(
            q=args.get("q", "").strip()[:200],
            status=status if status in STATUSES else "",
            sort=sort if sort in SORTS else "name",
            order="desc" if args.get("order") == "desc" else "asc",
            page=max(1, args.get("page", 1, type=int)),
        )
