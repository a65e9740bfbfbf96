"""What the pages of a data set show of each column and remark, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prodapp.datasets.controls import (
    Control,
    column_controls,
    file_controls,
    remedy_words,
    words_for,
)
from prodapp.datasets.forms import Said
from prodapp.exceptions import N_
from prodapp.formatting import integer, local_decimal, number, percent, sentence
from prodapp.i18n import gettext
from prodapp.models import Dataset
from prodapp.variables import TableSettings

#: The roles that a person can choose, in words; the target is chosen apart from them.
ROLES: Final[Mapping[str, str]] = {
    "lever": N_("lever: operators can set it"),
    "context": N_("context: observed, not set"),
    "consequence": N_("consequence: known only afterwards"),
    "identifier": N_("identifier"),
    "time": N_("time"),
    "group": N_("group: batch, product, shift"),
}
#: Roles that follow from the values: nothing to choose.
FIXED: Final[Mapping[str, str]] = {"constant": N_("never changes"), "empty": N_("empty")}
SENSES: Final[Mapping[str, str]] = {
    "raise": N_("more is better"),
    "lower": N_("less is better"),
    "hold": N_("best at a certain value"),
}
_HALF: Final = 0.5
_N_EXAMPLES: Final = 3


@dataclass(frozen=True)
class RemarkReview:
    """Something to know, where it is, and the button that mends it (``remedy`` as JSON or "")."""

    severity: str
    text: str
    row: int | None
    column: str | None
    remedy: str
    remedy_words: str


@dataclass(frozen=True)
class ColumnReview:
    """One column: what it is, and what a person says about it.

    ``sketch`` counts rows over its range (or of its classes), ``sketch_words`` says the same.
    ``role`` is chosen or else suggested; ``notes`` are sentences.
    """

    name: str
    kind: str
    kind_words: str
    values: str
    missing: str
    sketch: tuple[int, ...]
    sketch_words: str
    role: str
    role_words: str
    suggested_role: str
    suggestion: str
    reason: str
    is_fixed: bool
    can_be_target: bool
    label: str
    unit: str
    notes: tuple[str, ...]
    controls: tuple[Control, ...]

    @property
    def is_changed(self) -> bool:
        """Whether a person decided how it is read."""
        return any(control.is_chosen for control in self.controls)


@dataclass(frozen=True)
class Review:
    """A draft as the page shows it: how it is read, and what was ``said`` of its columns."""

    dataset: Dataset
    said: Said
    columns: Sequence[ColumnReview]
    controls: Sequence[Control]
    remarks: Sequence[RemarkReview]
    differences: Sequence[RemarkReview]

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
        return f"{counted} {gettext('These are of the beginning of the file.')}"


def review_of(
    dataset: Dataset, said: Said, *, overrides: Mapping[str, str] | None = None
) -> Review:
    """The page of ``dataset``; ``overrides`` stand for its own where they were refused."""
    preview = dataset.preview
    chosen = dataset.overrides if overrides is None else overrides
    remarks, differences = remarks_and_differences(preview)
    return Review(
        dataset=dataset,
        said=said,
        columns=columns_of(preview, chosen, said=said.columns),
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


def columns_of(
    preview: Mapping[str, Any],
    overrides: Mapping[str, str],
    *,
    said: Mapping[str, Mapping[str, str]],
) -> list[ColumnReview]:
    """Every column of ``preview``; ``said`` holds label, unit and role where a person gave them."""
    profiles = {p["name"]: p for p in (preview.get("profile") or {}).get("columns", ())}
    return [
        _column(column, preview, overrides, profiles.get(column["name"], {}), said)
        for column in preview["columns"]
    ]


def _column(
    column: Mapping[str, Any],
    preview: Mapping[str, Any],
    overrides: Mapping[str, str],
    profile: Mapping[str, Any],
    said: Mapping[str, Mapping[str, str]],
) -> ColumnReview:
    name = column["name"]
    own = said.get(name, {})
    suggested = profile.get("role") or column["role"]
    if suggested in ("feature", "target"):
        suggested = "context"
    is_fixed = suggested in FIXED
    role = suggested if is_fixed else own.get("role") or suggested
    reason = profile.get("reason") or column["role_reason"]
    sketch = tuple(profile.get("sketch", ()))
    n_rows = preview["n_rows"] or 1
    return ColumnReview(
        name=name,
        kind=column["kind"],
        kind_words=words_for("kind", column["kind"]),
        values=_values(column),
        missing=percent(column["n_missing"] / n_rows) if column["n_missing"] else "0",
        sketch=sketch,
        sketch_words=_sketch_words(column, sketch),
        role=role,
        role_words=gettext({**ROLES, **FIXED}.get(role, role)),
        suggested_role=suggested,
        suggestion=gettext({**ROLES, **FIXED}.get(suggested, suggested)),
        reason=sentence(reason, profile.get("params")) if reason else "",
        is_fixed=is_fixed,
        can_be_target=column["kind"] in ("number", "boolean") and not is_fixed,
        label=own.get("label", ""),
        unit=own.get("unit", column.get("unit") or ""),
        notes=tuple(_notes(profile)),
        controls=tuple(column_controls(column, preview, overrides)),
    )


def _remark(item: Mapping[str, Any]) -> RemarkReview:
    remedy = item.get("remedy") or {}
    return RemarkReview(
        severity=item["severity"],
        text=sentence(item["message"], item["params"]),
        row=item.get("row"),
        column=item.get("column"),
        remedy=json.dumps(remedy) if remedy else "",
        remedy_words=remedy_words(remedy) if remedy else "",
    )


def _values(column: Mapping[str, Any]) -> str:
    if column["minimum"] is not None:
        return gettext(
            "%(low)s to %(high)s, mean %(mean)s",
            low=number(column["minimum"]),
            high=number(column["maximum"]),
            mean=number(column["mean"]),
        )
    if column["kind"] == "date":
        return ", ".join([*column["examples"][:1], "…"])
    return ", ".join(local_decimal(text) for text in column["examples"][:_N_EXAMPLES])


def _sketch_words(column: Mapping[str, Any], sketch: Sequence[int]) -> str:
    total = sum(sketch)
    if not total:
        return ""
    if column["minimum"] is None:
        shares = ", ".join(percent(count / total) for count in sketch[:_N_EXAMPLES])
        return gettext("Shares of the most frequent values: %(shares)s", shares=shares)
    first, last = densest_half(sketch)
    low, high = column["minimum"], column["maximum"]
    step = (high - low) / len(sketch)
    return gettext(
        "Most rows lie between %(low)s and %(high)s",
        low=number(low + first * step),
        high=number(low + (last + 1) * step),
    )


def densest_half(counts: Sequence[int]) -> tuple[int, int]:
    """First and last place of the shortest run that holds half of all counts."""
    half, total = sum(counts) * _HALF, 0
    best, first = (0, len(counts) - 1), 0
    for last, count in enumerate(counts):
        total += count
        while total - counts[first] >= half:
            total -= counts[first]
            first += 1
        if total >= half and last - first < best[1] - best[0]:
            best = (first, last)
    return best


def _notes(profile: Mapping[str, Any]) -> list[str]:
    notes = []
    if profile.get("barely_moved"):
        notes.append(gettext("It barely moved, so no effect of it can be seen."))
    if profile.get("duplicate_of"):
        notes.append(gettext("The same values as “%(column)s”.", column=profile["duplicate_of"]))
    elif profile.get("copy_of"):
        notes.append(gettext("A straight line of “%(column)s”.", column=profile["copy_of"]))
    return notes
