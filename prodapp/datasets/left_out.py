"""Rows left out of training, as the page's forms say them and as the page says them back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import flask_babel
from werkzeug.datastructures import MultiDict

from prodapp.datasets.forms import number_from
from prodapp.exceptions import FieldError, InvalidInput, N_
from prodapp.formatting import integer, local_decimal
from prodapp.i18n import gettext
from prodapp.models import Dataset

OPERATORS: Final[Mapping[str, str]] = {
    "<": N_("is less than"),
    "<=": N_("is at most"),
    ">": N_("is more than"),
    ">=": N_("is at least"),
    "=": N_("is"),
    "!=": N_("is not"),
    "missing": N_("is missing"),
}
_WITHOUT_VALUE: Final = ("missing", "present")


def exclusion_document(form: MultiDict[str, str], dataset: Dataset) -> dict[str, Any]:
    """What a form asks to leave out, as a document of ``ml.assembly.Exclusion``.

    Raises ``InvalidInput`` for numbers that are none; the rest is checked where it is applied.
    """
    label = " ".join(form.get("label", "").split())
    if form.get("action") == "condition":
        return {"label": label, "conditions": [_condition(form, dataset)]}
    if form.get("time"):
        bounds = {name: form[name] for name in ("start", "end") if form.get(name)}
        return {"label": label, "time": form["time"], **bounds}
    rows = {name: _row(form, name) for name in ("first_row", "last_row") if form.get(name)}
    return {"label": label, **rows}


def kept_documents(dataset: Dataset, *, without: int | None = None) -> list[dict[str, Any]]:
    """What is left out at present, as it was asked for; ``without`` the one at that position."""
    return [
        {key: value for key, value in document.items() if key != "n_rows"}
        for position, document in enumerate(dataset.exclusions or ())
        if position != without
    ]


def exclusion_words(document: Mapping[str, Any]) -> str:
    """What an exclusion takes, in words."""
    said = [_condition_words(condition) for condition in document.get("conditions") or ()]
    column, start, end = (document.get(name) for name in ("time", "start", "end"))
    if column and (start or end):
        said.append(_between(gettext("“%(column)s”", column=column), _date(start), _date(end)))
    first, last = document.get("first_row"), document.get("last_row")
    if first or last:
        said.append(_between(gettext("Row"), integer(first), integer(last)))
    return "; ".join(said)


def _between(what: str, start: str, end: str) -> str:
    if start.strip("–") and end.strip("–"):
        return gettext("%(what)s from %(start)s to %(end)s", what=what, start=start, end=end)
    if start.strip("–"):
        return gettext("%(what)s from %(start)s on", what=what, start=start)
    return gettext("%(what)s up to %(end)s", what=what, end=end)


def _condition(form: MultiDict[str, str], dataset: Dataset) -> dict[str, Any]:
    column, operator = form.get("column", ""), form.get("operator", "")
    value: Any = form.get("value", "").strip()
    kinds = {item["name"]: item["kind"] for item in dataset.preview["columns"]}
    if operator in _WITHOUT_VALUE:
        value = None
    elif kinds.get(column) == "number":
        value = number_from(value, "/value")
    if value in (None, "") and operator not in _WITHOUT_VALUE:
        message = N_("Give a value to compare with.")
        raise InvalidInput(message, fields=(FieldError("/value", message),))
    return {"column": column, "operator": operator, "value": value}


def _row(form: MultiDict[str, str], name: str) -> int:
    found = number_from(form[name].strip(), f"/{name}")
    return int(found or 0)


def _condition_words(condition: Mapping[str, Any]) -> str:
    operator, value = condition["operator"], condition.get("value")
    words = OPERATORS.get(operator)
    shown = local_decimal(f"{value:.15g}") if isinstance(value, float) else str(value)
    compared = gettext(words) if words else operator
    told = [f"“{condition['column']}”", compared]
    return " ".join(told if operator in _WITHOUT_VALUE else [*told, shown])


def _date(text: str | None) -> str:
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return str(flask_babel.format_datetime(moment, "short", rebase=False))
