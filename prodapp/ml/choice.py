"""Which columns of a table a specification takes, and whether the table allows it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Final

from prodapp.exceptions import DataRefused, FieldError, InvalidInput, N_
from prodapp.ml.features.plan import column_errors, date_columns
from prodapp.ml.specification import Specification
from prodapp.ml.table import Column

_FEATURE_KINDS: Final = ("number", "category", "boolean")
_CLASS_KINDS: Final = ("category", "boolean")
_LISTED_NAMES: Final = 20

NOT_CHOSEN = N_("It was not chosen.")
CLASS_NOT_NAMED = N_(
    "“%(column)s” has more than two classes: name the one to explain. It has: %(known)s."
)
TELLS_GROUPS = N_("It tells the groups that are held out; the model meets new ones.")


def check_specification(spec: Specification, columns: Sequence[Column]) -> None:
    """Raise when ``spec`` cannot be trained on a table of these columns.

    ``InvalidInput`` for names that are not there, ``DataRefused`` for a target or variables that
    the data do not allow.
    """
    by_name = {column.name: column for column in columns}
    _check_names(spec, columns)
    target = by_name[spec.target]
    if target.kind not in ("number", *_CLASS_KINDS):
        raise DataRefused(
            N_("The target “%(column)s” must hold numbers or classes; it holds %(examples)s."),
            code="target_not_numeric",
            column=target.name,
            examples=", ".join(f"“{example}”" for example in target.examples) or "–",
        )
    is_open = spec.target_class is None and spec.classes != "joint"
    if target.kind in _CLASS_KINDS and target.n_distinct > 2 and is_open:
        raise DataRefused(
            CLASS_NOT_NAMED,
            code="class_not_named",
            column=target.name,
            known=", ".join(f"“{example}”" for example in target.examples),
        )
    if target.n_distinct < 2:
        raise DataRefused(
            N_("The target “%(target)s” has the same value in every row: nothing to explain."),
            code="target_constant",
            column=target.name,
            target=target.name,
        )
    names = chosen_features(spec, columns)
    if not names:
        raise DataRefused(
            N_("No column can serve as a variable. Upload a table with at least one that varies."),
            code="no_features",
        )
    errors = column_errors(spec.engineering, [by_name[name] for name in names])
    if errors:
        raise InvalidInput(N_("The training specification has wrong values."), fields=tuple(errors))


def _check_names(spec: Specification, columns: Sequence[Column]) -> None:
    by_name = {column.name: column for column in columns}
    for pointer, name in [
        ("/target", spec.target),
        *(("/features", f) for f in spec.features or ()),
        ("/time_column", spec.time_column),
        ("/group_column", spec.group_column),
    ]:
        if name is not None and name not in by_name:
            raise _unknown_column(pointer, name, list(by_name))
    if spec.time_column and by_name[spec.time_column].kind not in ("date", "number"):
        message = N_("“%(name)s” holds no times: name a column of dates or of numbers that count.")
        raise _refused("/time_column", message, {"name": spec.time_column})
    if spec.validation == "group" and group_column(spec, columns) is None:
        raise _refused("/group_column", N_("Name the column that tells the groups."), {})


def _refused(pointer: str, message: str, params: dict[str, Any]) -> InvalidInput:
    return InvalidInput(message, fields=(FieldError(pointer, message, params),), **params)


def _unknown_column(pointer: str, name: str, known: list[str]) -> InvalidInput:
    lowered = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    listed = ", ".join(known[:_LISTED_NAMES]) + ("…" if len(known) > _LISTED_NAMES else "")
    if close:
        message = N_(
            "There is no column “%(name)s”. Did you mean “%(close)s”? The columns are: %(known)s."
        )
        params: dict[str, Any] = {"name": name, "close": lowered[close[0]], "known": listed}
    else:
        message = N_("There is no column “%(name)s”. The columns are: %(known)s.")
        params = {"name": name, "known": listed}
    field_error = FieldError(pointer, message, params)
    return InvalidInput(message, code="unknown_column", fields=(field_error,), **params)


def chosen_features(spec: Specification, columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of the variables, in the order of the table.

    Raises ``DataRefused`` when a variable was named whose values cannot enter a model.
    """
    dates = date_columns(spec.engineering, columns)
    if spec.features is None:
        others = (spec.target, spec.time_column, group_column(spec, columns))
        return tuple(
            c.name
            for c in columns
            if c.name in dates or (c.role == "feature" and c.name not in others)
        )
    for column in columns:
        if (
            column.name in spec.features
            and column.kind not in _FEATURE_KINDS
            and column.role != "empty"
            and column.name not in dates
        ):
            raise DataRefused(
                N_("“%(name)s” cannot be a variable: it holds dates or free text."),
                code="feature_not_usable",
                column=column.name,
                name=column.name,
            )
    return tuple(
        c.name
        for c in columns
        if c.name in dates or (c.name in spec.features and c.role not in ("empty", "constant"))
    )


def group_column(spec: Specification, columns: Sequence[Column]) -> str | None:
    """The column that tells the groups: the one named, else the first of that role."""
    if spec.group_column is not None or spec.validation not in ("auto", "group"):
        return spec.group_column
    return next((c.name for c in columns if c.role == "group" and c.name != spec.target), None)


def left_out(spec: Specification, columns: Sequence[Column]) -> tuple[tuple[str, str], ...]:
    """The columns that are neither target nor variable, each with the reason (a template)."""
    chosen = chosen_features(spec, columns)
    groups = group_column(spec, columns)
    return tuple(
        (column.name, TELLS_GROUPS if column.name == groups else column.role_reason or NOT_CHOSEN)
        for column in columns
        if column.name not in chosen and column.name != spec.target
    )
