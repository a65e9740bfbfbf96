"""What the pages show of each column: what it is, in words, and what a person says of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from prodapp.datasets.controls import Control, column_controls, words_for
from prodapp.datasets.forms import Said
from prodapp.exceptions import N_
from prodapp.formatting import local_decimal, number, percent, sentence
from prodapp.i18n import gettext
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
#: More columns than this make a wide table.
WIDE: Final = 200
_HALF: Final = 0.5
_N_EXAMPLES: Final = 3


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


def only_said(said: Said, preview: Mapping[str, Any]) -> Said:
    """``said`` without what the page itself had put there for ``preview``.

    So a unit that the file named and a role that was suggested follow the next reading.
    """
    profiles = _profiles(preview)
    kept = dict(said.columns)
    for column in preview["columns"]:
        name = column["name"]
        offered = {
            "unit": column.get("unit") or "",
            "role": _suggested_role(column, profiles.get(name, {})),
            "label": "",
        }
        own = kept.get(name, {})
        kept[name] = {key: text for key, text in own.items() if text != offered[key]}
    return replace(said, columns=kept)


def as_confirmed(said: Said, preview: Mapping[str, Any], *, before: TableSettings) -> Said:
    """``said`` without roles of "context" that were only left as suggested.

    What nobody spoke of follows the suggestion of the whole file, which may know of a leak that its
    beginning did not show. Where a role is remembered from ``before``, the new one is a change.
    """
    remembered = {column.name for column in before.columns if column.role}
    profiles = _profiles(preview)
    kept = dict(said.columns)
    for column in preview["columns"]:
        name = column["name"]
        is_plain = _suggested_role(column, profiles.get(name, {})) == "context"
        if is_plain and name not in remembered and kept.get(name, {}).get("role") == "context":
            kept[name] = {key: text for key, text in kept[name].items() if key != "role"}
    return replace(said, columns=kept)


def columns_of(
    preview: Mapping[str, Any],
    overrides: Mapping[str, str],
    *,
    said: Mapping[str, Mapping[str, str]],
    opened: Collection[str] = (),
) -> list[ColumnReview]:
    """Every column of ``preview``; ``said`` holds label, unit and role where a person gave them.

    Of a wide table only the columns that there is something to decide of, and those ``opened``,
    have controls: all of them would be megabytes of page.
    """
    profiles = _profiles(preview)
    decisions, codes = _by_column(preview["decisions"]), _by_column(preview["remarks"])
    opened = {*opened, *(key.partition(":")[2] for key in overrides), *decisions, *codes}
    is_wide = len(preview["columns"]) > WIDE
    found = []
    for column in preview["columns"]:
        name = column["name"]
        controls: Sequence[Control] = ()
        if not is_wide or name in opened:
            controls = column_controls(
                column,
                overrides,
                decisions=decisions.get(name, ()),
                codes=[remark["code"] for remark in codes.get(name, ())],
            )
        n_rows = preview["n_rows"]
        own = said.get(name, {})
        found.append(_column(column, profiles.get(name, {}), own, controls, n_rows=n_rows))
    return found


def _by_column(items: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        if item["column"] is not None:
            found.setdefault(item["column"], []).append(item)
    return found


def _profiles(preview: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {p["name"]: p for p in (preview.get("profile") or {}).get("columns", ())}


def _suggested_role(column: Mapping[str, Any], profile: Mapping[str, Any]) -> str:
    suggested: str = profile.get("role") or column["role"]
    return "context" if suggested in ("feature", "target") else suggested


def _column(
    column: Mapping[str, Any],
    profile: Mapping[str, Any],
    own: Mapping[str, str],
    controls: Sequence[Control],
    *,
    n_rows: int,
) -> ColumnReview:
    suggested = _suggested_role(column, profile)
    is_fixed = suggested in FIXED
    role = suggested if is_fixed else own.get("role") or suggested
    reason = profile.get("reason") or column["role_reason"]
    sketch = tuple(profile.get("sketch", ()))
    return ColumnReview(
        name=column["name"],
        kind=column["kind"],
        kind_words=words_for("kind", column["kind"]),
        values=_values(column),
        missing=percent(column["n_missing"] / max(1, n_rows)) if column["n_missing"] else "0",
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
        controls=tuple(controls),
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
