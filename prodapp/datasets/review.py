"""How a file was read and what was said of it, as the pages of a data set show it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from prodapp.datasets.assembly import time_columns
from prodapp.datasets.column_review import ROLES, ColumnReview, columns_of
from prodapp.datasets.controls import (
    Control,
    file_controls,
    remedy_words,
)
from prodapp.datasets.drafts import expires_at
from prodapp.datasets.forms import AssemblyForm, Said
from prodapp.exceptions import N_
from prodapp.formatting import integer, sentence
from prodapp.i18n import gettext
from prodapp.models import Dataset
from prodapp.variables import TableSettings

SENSES: Final[Mapping[str, str]] = {
    "raise": N_("more is better"),
    "lower": N_("less is better"),
    "hold": N_("best at a certain value"),
}


@dataclass(frozen=True)
class RemarkReview:
    """Something to know, where it is, and the button that mends it (``remedy`` as JSON or "").

    ``column`` is None also where ``text`` names it.
    """

    severity: str
    text: str
    row: int | None
    column: str | None
    remedy: str
    remedy_words: str


@dataclass(frozen=True)
class Review:
    """A draft as the page shows it: how it is read, and what was ``said`` of its columns."""

    dataset: Dataset
    said: Said
    columns: Sequence[ColumnReview]
    controls: Sequence[Control]
    remarks: Sequence[RemarkReview]
    differences: Sequence[RemarkReview]
    others: Sequence[Dataset] = ()
    assembly: AssemblyForm = field(default_factory=AssemblyForm)

    @property
    def groups(self) -> list[Sequence[str]]:
        """Columns that carry the same information, in groups."""
        return [group["names"] for group in self._profile.get("groups", ())]

    @property
    def suspects(self) -> list[tuple[str, str]]:
        """Columns that may state the target, each with the reason."""
        found = self._profile.get("suspects", ())
        return [(s["name"], sentence(s["reason"], s["params"])) for s in found]

    @property
    def order(self) -> str:
        """What is known of the order of the rows, in words."""
        order = self._profile.get("order")
        return sentence(order["reason"], order["params"]) if order else ""

    @property
    def _profile(self) -> Mapping[str, Any]:
        return self.dataset.preview.get("profile") or {}

    @property
    def times(self) -> list[str]:
        """The file's columns of times."""
        return time_columns(self.dataset.preview)

    @property
    def times_of_others(self) -> list[str]:
        """The columns of times of the data sets that the file can go with."""
        found = (name for other in self.others for name in time_columns(other.preview))
        return list(dict.fromkeys(found))

    @property
    def expires_at(self) -> datetime | None:
        """Until when the draft is kept."""
        return expires_at(self.dataset)

    @property
    def roles(self) -> list[tuple[str, str]]:
        return [(role, gettext(words)) for role, words in ROLES.items()]

    @property
    def senses(self) -> list[tuple[str, str]]:
        return [(sense, gettext(words)) for sense, words in SENSES.items()]

    @property
    def summary(self) -> str:
        """How much was read, and how many things there are to look at."""
        preview = self.dataset.preview
        n_warnings = sum(r.severity == "warning" for r in (*self.remarks, *self.differences))
        counted = gettext(
            "Rows: %(rows)s. Columns: %(columns)s. Warnings: %(warnings)s.",
            rows=integer(preview["n_rows"]),
            columns=integer(len(preview["columns"])),
            warnings=integer(n_warnings),
        )
        if preview["is_complete"]:
            return counted
        of_the_head = gettext("These are of the beginning of the file.")
        return f"{counted} {of_the_head}"


def review_of(
    dataset: Dataset,
    said: Said,
    *,
    overrides: Mapping[str, str] | None = None,
    opened: Collection[str] = (),
) -> Review:
    """The page of ``dataset``; ``overrides`` stand for its own where they were refused.

    ``opened`` are columns of a wide table whose controls were asked for.
    """
    preview = dataset.preview
    chosen = dataset.overrides if overrides is None else overrides
    remarks, differences = remarks_and_differences(preview)
    return Review(
        dataset=dataset,
        said=said,
        columns=columns_of(preview, chosen, said=said.columns, opened=opened),
        controls=file_controls(preview, chosen),
        remarks=remarks,
        differences=differences,
    )


def confirmed_review(dataset: Dataset) -> Review:
    """What was read of a data set, with what was said of it when it was confirmed."""
    return review_of(dataset, Said.from_settings(TableSettings.from_json(dataset.settings)))


def remarks_and_differences(
    preview: Mapping[str, Any],
) -> tuple[list[RemarkReview], list[RemarkReview]]:
    """What the file itself gives rise to, and how it differs from earlier ones; warnings first."""

    def told(items: Sequence[Mapping[str, Any]]) -> list[RemarkReview]:
        return [_remark(item) for item in sorted(items, key=lambda i: i["severity"] != "warning")]

    return told(preview["remarks"]), told(preview.get("differences") or ())


def _remark(item: Mapping[str, Any]) -> RemarkReview:
    remedy = item.get("remedy") or {}
    text, column = sentence(item["message"], item["params"]), item.get("column")
    return RemarkReview(
        severity=item["severity"],
        text=text,
        row=item.get("row"),
        column=None if f"“{column}”" in text else column,
        remedy=json.dumps(remedy) if remedy else "",
        remedy_words=remedy_words(remedy) if remedy else "",
    )
