"""Every decision of intake in words, with the control that decides it otherwise.

A control's ``key`` is that of :mod:`prodapp.ml.intake.choices`: ``name`` for the file,
``name:column`` for a column. What an empty control means is "let intake find out".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from prodapp.exceptions import N_
from prodapp.formatting import integer, number, sentence
from prodapp.i18n import gettext

LABELS: Final[Mapping[str, str]] = {
    "format": N_("Kind of file"),
    "encoding": N_("Encoding"),
    "delimiter": N_("Columns separated by"),
    "quote": N_("Quotation mark"),
    "sheet": N_("Sheet"),
    "first_row": N_("The table begins in row"),
    "header": N_("Column names"),
    "header_rows": N_("Rows of names"),
    "row_names": N_("Names of rows"),
    "units_row": N_("Row of units"),
    "skipped": N_("Left out"),
    "decimal": N_("Decimal mark"),
    "thousands": N_("Thousands mark"),
    "dates": N_("Order of dates"),
    "missing": N_("Codes for “missing”"),
    "kind": N_("Read as"),
    "repair": N_("Cells on another scale"),
    "factor": N_("Multiplied by"),
    "unit": N_("Unit"),
}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "encoding": {
        "utf-8": "UTF-8",
        "utf-8-sig": "UTF-8",
        "cp1252": N_("Windows-1252 (western)"),
        "cp850": N_("DOS 850 (western)"),
        "latin-1": "Latin-1",
        "utf-16": "UTF-16",
    },
    "delimiter": {
        ";": N_("semicolon ;"),
        ",": N_("comma ,"),
        "\t": N_("tab"),
        "|": N_("bar |"),
        " ": N_("space"),
    },
    "quote": {'"': N_('double marks "'), "'": N_("single marks '")},
    "header": {
        "yes": N_("in the first row"),
        "no": N_("the file has none"),
        "2": N_("in the first two rows"),
        "3": N_("in the first three rows"),
    },
    "units_row": {"yes": N_("below the names"), "no": N_("there is none")},
    "row_names": {"yes": N_("in the first column")},
    "decimal": {",": N_("comma: 12,5"), ".": N_("point: 12.5")},
    "thousands": {",": N_("comma"), ".": N_("point"), " ": N_("space"), "'": N_("apostrophe")},
    "dates": {
        "d/m/Y": N_("day/month/year"),
        "m/d/Y": N_("month/day/year"),
        "Y/m/d": N_("year/month/day"),
        "number": N_("days counted by a spreadsheet"),
    },
    "kind": {
        "number": N_("number"),
        "date": N_("date"),
        "category": N_("category"),
        "text": N_("text"),
        "boolean": N_("yes or no"),
        "empty": N_("empty"),
    },
}
#: Names that a control offers, of those that :data:`WORDS` can say.
OFFERED: Final[Mapping[str, tuple[str, ...]]] = {
    "encoding": ("utf-8", "cp1252", "cp850", "latin-1", "utf-16"),
    "delimiter": (";", ",", "\t", "|"),
    "quote": ('"', "'"),
    "header": ("yes", "no", "2", "3"),
    "units_row": ("yes", "no"),
    "decimal": (",", "."),
    "dates": ("d/m/Y", "m/d/Y", "Y/m/d"),
    "kind": ("number", "date", "category", "text"),
}
_OF_TEXT: Final = ("encoding", "delimiter", "quote")
_OF_ROWS: Final = ("first_row", "header", "units_row")
_OF_CELLS: Final = ("decimal", "dates", "missing")
#: Choices that are seldom needed; they stand behind "more".
RARE: Final = frozenset({"quote", "first_row", "units_row", "dates", "missing"})
_SCALES: Final = tuple(str(10**power) for power in range(1, 7))


@dataclass(frozen=True)
class Control:
    """One decision: what was ``decided`` and why, in words, and what can be chosen instead.

    ``options`` are those of a selection; a control without any is a field for ``input_type``
    ("text" or "number"), or, without a ``key``, only says what was decided. ``value`` is what a
    person chose, "" where that is left to intake; ``takes_none`` says of codes for missing values
    that a person chose to have none.
    """

    key: str
    name: str
    label: str
    value: str = ""
    decided: str = ""
    reason: str = ""
    options: tuple[tuple[str, str], ...] = ()
    input_type: str = "text"
    is_rare: bool = False
    takes_none: bool = False

    @property
    def is_chosen(self) -> bool:
        """Whether a person decided it."""
        return bool(self.value) or self.takes_none


def words_for(name: str, value: str) -> str:
    """A decision's ``value`` as people say it."""
    if name == "repair" and value != "no":
        return gettext("divided by %(factor)s", factor=integer(int(value)))
    if name == "repair":
        return gettext("left as they are")
    if name == "factor":
        return number(float(value))
    if name == "units_row" and value.isdecimal():
        return gettext("row %(row)s", row=value)
    if name == "skipped":
        return (
            gettext("rows %(rows)s", rows=value)
            if not value.isdecimal()
            else gettext("row %(row)s", row=value)
        )
    known = WORDS.get(name, {}).get(value)
    return gettext(known) if known else value


def file_controls(preview: Mapping[str, Any], overrides: Mapping[str, str]) -> list[Control]:
    """A control for each decision about the whole file, and for what could be decided besides."""
    decisions = {d["name"]: d for d in preview["decisions"] if d["column"] is None}
    is_workbook = "sheet" in decisions
    is_text = bool(preview["dialect"]["encoding"])
    names = [
        *(_OF_TEXT if is_text else ()),
        *(("sheet",) if is_workbook else ()),
        *(_OF_ROWS if is_text or is_workbook else ()),
        *_OF_CELLS,
    ]
    told = [_told(d) for name, d in decisions.items() if name not in names]
    chosen = [_control(name, decisions.get(name), overrides) for name in names]
    if preview["dialect"]["thousands"]:
        reason = N_("It follows from the decimal mark of the columns.")
        mark = preview["dialect"]["thousands"]
        told.append(_told({"name": "thousands", "value": mark, "reason": reason, "params": {}}))
    return chosen + told


def column_controls(
    column: Mapping[str, Any],
    overrides: Mapping[str, str],
    *,
    decisions: Sequence[Mapping[str, Any]],
    codes: Collection[str],
) -> list[Control]:
    """The controls of one column: only those that can mean something for its kind.

    ``decisions`` are those about it, ``codes`` those of the remarks about it.
    """
    name, kind = column["name"], column["kind"]
    by_name = {decision["name"]: decision for decision in decisions}
    wanted = {
        "kind": kind != "empty",
        "decimal": kind in ("number", "text", "category"),
        "dates": kind == "date" or "dates" in by_name,
        "missing": True,
        "factor": False,
        "repair": not {"several_scales", "repaired_scale"}.isdisjoint(codes),
    }
    shown = [
        what for what, is_wanted in wanted.items() if is_wanted or f"{what}:{name}" in overrides
    ]
    controls = [_control(what, by_name.get(what), overrides, column=name) for what in shown]
    if renamed := by_name.pop("name", None):
        controls.append(_name_control(renamed, overrides))
    return controls + [_told(d) for what, d in by_name.items() if what not in shown]


def remedy_words(remedy: Mapping[str, str]) -> str:
    """What a button that applies ``remedy`` says."""
    key, value = next(iter(remedy.items()))
    name = key.partition(":")[0]
    if name == "decimal":
        return (
            gettext("Read with a decimal comma")
            if value == ","
            else gettext("Read with a decimal point")
        )
    if name == "missing":
        return (
            gettext("Keep these values")
            if not value
            else gettext("Read %(codes)s as missing", codes=value)
        )
    if name == "repair":
        return gettext("Leave them") if value == "no" else gettext("Divide these cells")
    if name == "name":
        return gettext("Call it “%(name)s” again", name=value)
    if name == "factor":
        return gettext("Multiply by %(factor)s", factor=number(float(value)))
    if name in ("kind", "dates"):
        return gettext("Read as %(what)s", what=words_for(name, value))
    label = gettext(LABELS[name]) if name in LABELS else name
    return f"{label}: {words_for(name, value)}"


def _told(decision: Mapping[str, Any]) -> Control:
    """A decision that follows from others, or that nobody can decide otherwise."""
    name = decision["name"]
    return Control(
        key="",
        name=name,
        label=gettext(LABELS[name]) if name in LABELS else name,
        decided=words_for(name, decision["value"]),
        reason=sentence(decision["reason"], decision["params"]),
    )


def _control(
    name: str,
    decision: Mapping[str, Any] | None,
    overrides: Mapping[str, str],
    *,
    column: str | None = None,
) -> Control:
    key = name if column is None else f"{name}:{column}"
    value = overrides.get(key, "")
    decided = reason = ""
    if decision is not None:
        decided = words_for(name, decision["value"])
        reason = sentence(decision["reason"], decision["params"])
    return Control(
        key=key,
        name=name,
        label=gettext(LABELS[name]),
        value=value,
        decided=decided,
        reason=reason,
        options=_options(name, value, decision, decided),
        input_type="number" if name == "first_row" else "text",
        is_rare=name in RARE and key not in overrides and decision is None,
        takes_none=name == "missing" and overrides.get(key) == "",
    )


def _name_control(decision: Mapping[str, Any], overrides: Mapping[str, str]) -> Control:
    """The name that a column was given; emptied, it has the file's again."""
    key = f"name:{decision['value']}"
    return Control(
        key=key,
        name="name",
        label=gettext("Instead of “%(name)s”", name=decision["value"]),
        value=overrides.get(key, ""),
        reason=sentence(decision["reason"], decision["params"]),
    )


def _options(
    name: str, value: str, decision: Mapping[str, Any] | None, decided: str
) -> tuple[tuple[str, str], ...]:
    offered: Sequence[str] = OFFERED.get(name, ())
    if name == "sheet" and decision is not None:
        offered = decision["params"].get("sheets", [decision["value"]])
    if name == "repair":
        offered = ("no", *_SCALES)
    if not offered:
        return ()
    if value and value not in offered:
        offered = [*offered, value]
    found = gettext("Found out: %(value)s", value=decided) if decided else gettext("Find out")
    automatic = gettext("Find out") if value else found
    return (("", automatic), *((one, words_for(name, one)) for one in offered))
